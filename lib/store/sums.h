/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums by group, for summary.c and report_period.c. They are made here and not by GROUP BY: SQLite
 * sorts all rows for that, and once more for each count(DISTINCT), which takes seconds where one
 * pass with hash tables takes a fifth of one. One thread. */
#pragma once
#include "store/idmap.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK__SUMS 7 /* counters of a group: by enum sek_outcome and one more, or two of hits */

struct sek__sum {
    int64_t id; /* of the endpoint, name, list or domain; a minute; 0 for the total */
    uint64_t count, sums[SEK__SUMS];
    uint64_t n_partners[2]; /* distinct ones: endpoints, names or domains */
    int64_t first_ms, last_ms;
};

/* Pairs of a group and a partner (an endpoint that asked, a name asked for), once a row: place in
 * `all` in the high half, the partner's id in the low one (ids count from 1 and stay below 2^32).
 * Sorted at the end, because writing in order and sorting once beats a hash table that misses the
 * cache for every row. */
struct sek__sum_pairs {
    uint64_t *all;
    size_t n, size;
};

struct sek__sums {
    struct sek__sum *all;
    size_t n, size, last;   /* the latest one asked for */
    struct sek_idmap by_id; /* id → place in all */
    struct sek__sum_pairs partners[2];
    bool single[2]; /* a group has one such partner by what it is: nothing is noted of that kind */
    bool failed;
};

void sek__sums_init(struct sek__sums *g);
void sek__sums_fini(struct sek__sums *g);
/* The group of an id; it is made if there is none. NULL, and g->failed, when memory is out. Valid
 * until the next call. */
struct sek__sum *sek__sums_of(struct sek__sums *g, int64_t id);
/* Note that the group has this partner. kind: 0 or 1. */
void sek__sums_partner(struct sek__sums *g, const struct sek__sum *group, unsigned kind,
                       int64_t id);
void sek__sum_widen(struct sek__sum *group, int64_t first_ms, int64_t last_ms);
/* Fill in n_partners, before the groups are put into another order: their places count here. */
void sek__sums_count_partners(struct sek__sums *g);
/* For qsort: most first; newest (by id) first. */
int sek__sums_by_count(const void *a, const void *b);
int sek__sums_by_newest(const void *a, const void *b);
