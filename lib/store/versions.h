/* SPDX-License-Identifier: BSD-3-Clause */
/* What a list held before: each import that changes a list first keeps what it replaces, with the
 * rules that people made in between. Versions of a list count from 1; what is in the list now has
 * the number behind the last one kept. In policy.db, compressed: some 6 octets a name. One thread.
 */
#pragma once
#include "store/policydb.h"

#define SEK_VERSIONS_KEPT 5 /* of a list, unless told otherwise */

/* How many imports keep from now on; the oldest go first. 0: none. */
void sek_versions_keep(struct sek_policydb *db, unsigned n);

struct sek_version {
    uint32_t number;
    int64_t made_s, replaced_s; /* 0: nobody replaced it, it is what the list holds now */
    uint64_t n_rules, n_octets; /* n_octets: as kept; 0 of the one that is now */
    char who[64], source[512];  /* of that content */
};
typedef bool sek_version_fn(void *arg, const struct sek_version *v); /* false stops */
/* Newest first, beginning with the list as it is now. */
enum sek_err sek_versions(struct sek_policydb *db, const struct sek_list_row *list,
                          sek_version_fn *fn, void *arg, struct sek_diag *diag);
/* The rules of a version in canonical order; of the entries only name and rule are filled. Any
 * return of fn but SEK_OK ends it and is returned. NOTFOUND: not kept. CORRUPT: damaged. */
typedef enum sek_err sek_version_rule_fn(void *arg, const struct sek_entry *e,
                                         struct sek_diag *diag);
enum sek_err sek_version_rules(struct sek_policydb *db, uint16_t list, uint32_t number,
                               sek_version_rule_fn *fn, void *arg, struct sek_diag *diag);
/* The number of what the list holds now. */
enum sek_err sek_version_current(struct sek_policydb *db, uint16_t list, uint32_t *out,
                                 struct sek_diag *diag);
