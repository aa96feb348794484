/* SPDX-License-Identifier: BSD-3-Clause */
/* How much lists have in common: names (whatever the scope of the rule) that stand on more than
 * one. Reads all entries once, in order. One thread. */
#pragma once
#include "store/policydb.h"

struct sek_overlap {
    uint16_t list;
    uint64_t n_names;     /* distinct */
    uint64_t n_elsewhere; /* of these, on at least one other list */
    uint16_t most;        /* the list that shares most with it; 0: none */
    uint64_t n_most;
};
/* out: as many as ids, in their order. progress may be NULL. */
enum sek_err sek_overlap(struct sek_policydb *db, const uint16_t *ids, size_t n,
                         struct sek_overlap *out, sek_progress_fn *progress, void *arg,
                         struct sek_diag *diag);
