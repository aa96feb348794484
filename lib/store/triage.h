/* SPDX-License-Identifier: BSD-3-Clause */
/* What people make of hits, in policy.db, where everybody sees it: a state, who set it, when and
 * why. A case is a registered domain that an endpoint asks for; a row may also stand for all
 * endpoints of a domain, or for all that an endpoint asks for. One thread. */
#pragma once
#include "base/addr.h"
#include "base/lookup.h"
#include "name/text.h"
#include "store/policydb.h"

enum sek_triage_state {                     /* in the database: never renumber */
                        SEK_TRIAGE_NEW = 0, /* no row: nobody looked yet */
                        SEK_TRIAGE_IN_PROGRESS = 1,
                        SEK_TRIAGE_FALSE_POSITIVE = 2,
                        SEK_TRIAGE_CONTAINED = 3,
                        SEK_TRIAGE_CLOSED = 4, /* of hits up to then: later ones are new */
};
extern const struct sek_lookup sek_triage_names[]; /* "new" "in-progress" … */

#define SEK_TRIAGE_ANY "*"     /* for any domain, or any endpoint */
#define SEK_TRIAGE_NOTE 256    /* octets, with terminator */
#define SEK_TRIAGE_MAX 1000000 /* rows that are read */

struct sek_triage {
    const char *domain;   /* as sek_name_to_text writes it, or SEK_TRIAGE_ANY */
    const char *endpoint; /* as sek_addr_to_text writes it, or SEK_TRIAGE_ANY; not both */
    enum sek_triage_state state;
    int64_t time_s;
    const char *who, *note;
};

/* Within a transaction: insert, or replace what there is of the same domain and endpoint. The state
 * NEW removes it. *out_changed (may be NULL): false when there was nothing to change. */
enum sek_err sek_triage_put(struct sek_policydb *db, const struct sek_triage *row,
                            bool *out_changed, struct sek_diag *diag);

/* All of them at one time, for many questions. */
struct sek_triage_set;
/* db may be NULL: an empty set. LIMIT past SEK_TRIAGE_MAX. Caller: sek_triage_free. */
enum sek_err sek_triage_load(struct sek_policydb *db, struct sek_triage_set **out,
                             struct sek_diag *diag);
void sek_triage_free(struct sek_triage_set *set);
size_t sek_triage_n(const struct sek_triage_set *set);
/* In the order of domain and endpoint; borrowed from the set. */
const struct sek_triage *sek_triage_at(const struct sek_triage_set *set, size_t i);
/* The row that counts: of both, else of the domain, else of the endpoint. NULL: none. set NULL: an
 * empty one. endpoint NULL: of the domain as a whole; domain NULL: of the endpoint. */
const struct sek_triage *sek_triage_find(const struct sek_triage_set *set, const char *domain,
                                         const char *endpoint);
/* The state of hits of which the last was at last_ms, under that row (NULL: NEW). */
enum sek_triage_state sek_triage_of(const struct sek_triage *row, int64_t last_ms);
