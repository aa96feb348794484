/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries that the never-block list refuses: nothing may come into being that blocks such a name,
 * and what is there already (the name was protected later) must not stay unseen. One thread. */
#pragma once
#include "conf/conf.h"
#include "store/policydb.h"

#define SEK_GUARDED_SHOWN 20

struct sek_guarded {
    uint64_t n; /* in all */
    struct {
        char list[SEK_LIST_NAME_MAX], why[sizeof((struct sek_diag *)0)->text];
    } item[SEK_GUARDED_SHOWN]; /* the first ones */
};

/* All that are in the database. */
enum sek_err sek_guarded_read(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                              struct sek_guarded *out, struct sek_diag *diag);
/* A list is to get another action or override: REFUSED, with one entry in diag, if it would block a protected
 * name by that. */
enum sek_err sek_guarded_refuse(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                                const struct sek_list_row *old,
                                const struct sek_list_row *fresh,
                                struct sek_diag *diag);
/* One line each on standard error. */
void sek_guarded_tell(const struct sek_guarded *g);
