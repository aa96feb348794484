/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums events until the database takes them: hits by (endpoint, name, type, list, action, trigger,
 * matched name, minute), everything else by (endpoint, registered domain, minute) with a counter per
 * outcome. Bounded memory; what does not fit is counted as lost, hits last. One thread at a time. */
#pragma once
#include "event/event.h"
#include "name/suffix.h"

#define SEK_N_OUTCOMES 6

struct sek_tally_hit {
    struct sek_tally_hit *next; /* order of first appearance */
    uint64_t count;             /* since the last sek_tally_drain */
    int64_t first_ms, last_ms;  /* of those */
    int64_t row;                /* the database's row of this key; 0 = none yet. Kept by the writer. */
    struct sek_event event;     /* the first one; only event.size octets are there */
};

struct sek_tally_traffic {
    struct sek_tally_traffic *next;
    uint64_t count[SEK_N_OUTCOMES]; /* by enum sek_outcome; [HIT] counts hits that passed or blocked */
    int64_t minute;                 /* Unix time / 60 */
    int64_t row;
    struct sek_addr endpoint;
    uint8_t domain_len;
    uint8_t domain[]; /* registered domain (else the name itself), wire */
};

struct sek_tally;

/* suffix: borrowed; NULL = the name itself is the domain. */
enum sek_err sek_tally_new(uint64_t max_octets, const struct sek_suffix *suffix,
                           struct sek_tally **out);
void sek_tally_free(struct sek_tally *t);
/* False: no room, counted in sek_tally_lost. */
bool sek_tally_add(struct sek_tally *t, const struct sek_event *e);
/* What has come since the last drain (count > 0). Lists are valid until the next call on t. */
const struct sek_tally_hit *sek_tally_hits(const struct sek_tally *t);
const struct sek_tally_traffic *sek_tally_traffic(const struct sek_tally *t);
/* The writer has stored all of it: counts become 0; keys of minutes before `minute` are forgotten,
 * younger ones stay with their `row`, so that the next count updates the row instead of adding one. */
void sek_tally_drained(struct sek_tally *t, int64_t minute);
uint64_t sek_tally_octets(const struct sek_tally *t);
void sek_tally_lost(const struct sek_tally *t, uint64_t *out_hits, uint64_t *out_traffic);
