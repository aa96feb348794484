/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums events until the database takes them: hits by (endpoint, name, type, list, action, trigger,
 * matched name, minute), but of newly observed domains that are only recorded the first query of
 * an endpoint since traffic was taken last (at most every minute), everything by (endpoint,
 * registered domain, minute) with a counter per outcome. Whoever stores takes the sums out as a
 * batch, and the tally goes on with empty tables. Bounded memory, batches included; what does not
 * fit is counted as lost, hits last. A tally is used by one thread at a time; a batch may be read
 * and freed on another. */
#pragma once
#include "event/event.h"
#include "name/suffix.h"

#define SEK_N_OUTCOMES 6
#define SEK_TALLY_OCTETS_MIN ((size_t)512 << 10)
#define SEK_TALLY_NO_TTL UINT32_MAX /* longer than any (RFC 2181 §8) */

struct sek_tally_hit {
    struct sek_tally_hit *next; /* order of first appearance */
    uint64_t count;
    int64_t first_ms, last_ms;
    int64_t minute;         /* Unix time / 60 */
    uint8_t domain_labels;  /* labels to remove from the name to reach its registered domain */
    struct sek_event event; /* the first one; only event.size octets are there */
};

struct sek_tally_traffic {
    struct sek_tally_traffic *next;
    uint64_t
        count[SEK_N_OUTCOMES]; /* by enum sek_outcome; [HIT] counts hits that passed or blocked */
    int64_t minute;            /* Unix time / 60 */
    struct sek_addr endpoint;
    uint32_t ttl_min_s; /* of the answers that were resolved; SEK_TALLY_NO_TTL: of none */
    uint32_t shown;     /* for whoever shows news of it while it grows: queries shown already */
    bool watch; /* for the caller of sek_tally_add_all: the row's further events matter, too */
    uint8_t domain_len;
    uint8_t domain[]; /* registered domain (else the name itself), wire; a public suffix below a
                       * registered domain counts as that one's */
};

struct sek_tally;

/* What was taken out: immutable. */
struct sek_tally_batch {
    const struct sek_tally_hit *hits;
    const struct sek_tally_traffic *traffic;
    uint64_t n_hits, n_traffic;      /* members of the two lists */
    uint64_t sum_hits, sum_traffic;  /* events in them */
    struct sek_tally_chunk *chunks;  /* the lists' memory */
    struct sek_tally_budget *budget; /* of the tally; outlives the batch */
};

/* max_octets: less than SEK_TALLY_OCTETS_MIN is raised to it. suffix: borrowed; NULL = the name
 * itself is the domain. */
enum sek_err sek_tally_new(uint64_t max_octets, const struct sek_suffix *suffix,
                           struct sek_tally **out);
/* After its batches. */
void sek_tally_free(struct sek_tally *t);
/* False: no room (for a hit: as a hit), counted in sek_tally_lost. */
bool sek_tally_add(struct sek_tally *t, const struct sek_event *e);
/* What counting found out about an event. */
struct sek_tally_note {
    bool first;            /* of its endpoint, registered domain and minute since traffic was taken
                            * last; also when there was no room to remember */
    bool has_domain;       /* the name has a registered domain */
    uint8_t domain_labels; /* labels to remove from the name to reach it; 0 when it has none */
    /* That it was counted in, valid until traffic is taken; of it only `watch` and `shown` may be
     * changed, which are 0 in a new row. NULL: there was no room. */
    struct sek_tally_traffic *row;
};
/* The same for many, which is cheaper: the memory of all is asked for before the first is counted.
 * notes: n of them are filled; may be NULL. */
void sek_tally_add_all(struct sek_tally *t, const struct sek_event *const *events, unsigned n,
                       struct sek_tally_note *notes);
/* Queries in a row, of all outcomes. */
uint64_t sek_tally_sum(const struct sek_tally_traffic *row);
/* The rows in the tally, in the order of their first query; NULL: none. Valid until traffic is
 * taken, and may be changed as in a note. */
struct sek_tally_traffic *sek_tally_rows(const struct sek_tally *t);
/* Move the hits, and the traffic if asked, out of the tally. *out is NULL when there are none. */
enum sek_err sek_tally_take(struct sek_tally *t, bool traffic, struct sek_tally_batch **out);
void sek_tally_batch_free(struct sek_tally_batch *b);
/* Memory in use, batches included. */
uint64_t sek_tally_octets(const struct sek_tally *t);
void sek_tally_lost(const struct sek_tally *t, uint64_t *out_hits, uint64_t *out_traffic);
