/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files behind sek_bulletin_gather share; nobody else includes this. */
#pragma once
#include "bulletin/bulletin.h"

struct sek__gather {
    const struct sek_bulletin_ask *ask;
    struct sek_bulletin *b;
    struct sek_triage_set *triage; /* NULL: not known */
};

/* One more blind spot; NULL when there is no room. */
struct sek_bulletin_blind *sek__gather_blind(struct sek_bulletin *b, enum sek_blind kind,
                                             bool serious);
/* What the inventory calls an address then; "" when it does not know. */
void sek__gather_label(struct sek__gather *g, const char *address, int64_t time_s,
                       char out[SEK_BULLETIN_LABEL]);

/* gather_policy.c: triage, false alarms, changes, exceptions */
enum sek_err sek__gather_policy(struct sek__gather *g, struct sek_diag *diag);
/* gather_exceptions.c */
enum sek_err sek__gather_exceptions(struct sek__gather *g, struct sek_diag *diag);
/* gather_blind.c: needs all the rest */
enum sek_err sek__gather_blind_spots(struct sek__gather *g, const struct sek_period_gaps *gaps,
                                     struct sek_diag *diag);
