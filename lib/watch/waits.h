/* SPDX-License-Identifier: BSD-3-Clause */
/* What an endpoint's own cache explains of its rhythm. A browser or an operating system keeps an
 * answer as long as its TTL allows, so somebody who uses a site without a pause asks once a TTL and
 * a little later: a clock that is not his. What he does himself shows only in the waits, from the
 * end of an answer's life to the next question for it.
 *
 * People's waits have no memory: they are exponential, or longer-tailed. Those of a timer are not;
 * behind a cache they are the rest of its period, constant or up to a period long. Two tests tell:
 * Gini's coefficient of the waits (Gail and Gastwirth 1978: 1/2 for exponential ones, 1/3 for even
 * ones, 0 for a constant), and their entropy by spacings (Vasicek 1976; Ebrahimi, Habibullah and
 * Soofi 1992), which also sees waits in two or more narrow bundles. Limits from 300,000 simulated
 * series of each length: an exponential series passes a limit once in 20,000. Waits of more than
 * four medians, nights mostly, are left out there and here.
 *
 * Plain data, zeroed is empty; no allocation; no clock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A wait, half seconds, or one of these. */
#define SEK_WAIT_UNKNOWN UINT16_MAX     /* the name was not asked for before, or had no TTL */
#define SEK_WAIT_EARLY (UINT16_MAX - 1) /* asked again within the TTL: there is no cache */
#define SEK_WAIT_MAX (UINT16_MAX - 2)   /* nine hours, and all above */
#define SEK_WAITS_A_SECOND 2

/* The names (with type) that an endpoint was told of lately, and until when. */
#define SEK_WAITS_NAMES 8
struct sek_told {
    uint32_t hash[SEK_WAITS_NAMES];     /* 0: free */
    uint32_t until_ds[SEK_WAITS_NAMES]; /* tenths of a second since the owner's start */
};

/* A question for what `hash` stands for, since_ms after the owner's start, and its answer's TTL (0:
 * none). Returns how long the name had been due; then the answer counts. */
uint16_t sek_told_ask(struct sek_told *t, uint32_t hash, int64_t since_ms, uint32_t ttl_s);

/* The last waits of a series; the owner's, zeroed is empty. */
#define SEK_WAITS_MAX 128
struct sek_waits_log {
    uint8_t n, next;
    uint16_t wait[SEK_WAITS_MAX];
};
void sek_waits_add(struct sek_waits_log *log, uint16_t wait);

struct sek_waits {
    unsigned n, n_early, n_unknown; /* waits; the others */
    double median_s;                /* of the waits, and early ones as 0 */
    double gini, entropy;           /* entropy: how much less than exponential waits have, nats */
    bool is_timer;                  /* they are not those of people */
};
#define SEK_WAITS_EARLY_SHARE 0.05 /* of all that are known: from it on there is no cache */
#define SEK_WAITS_EARLY_MIN 3

/* least_s: waits of less on average say nothing, they are of programs that keep their cache fresh.
 */
void sek_waits_of(const struct sek_waits_log *log, double least_s, struct sek_waits *out);
/* Are most of them known? */
bool sek_waits_tell(const struct sek_waits *w);
/* Does it ask again before the answer ends? Then its rhythm is its own. */
bool sek_waits_heedless(const struct sek_waits *w);
