/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings as `findings` lists them and `finding` spells one out. One thread. */
#pragma once
#include "tools/context.h"
#include "machines.h"
#include "store/report.h"

#define SEK_FIND_MEMBERS_MAX 80

/* The members of evidence that are shown, as JSON paths for the report's filter. Returns how many.
 */
unsigned sek_find_members(const char *out_paths[SEK_FIND_MEMBERS_MAX]);

struct sek_find_view {
    struct sek_out *out;
    const struct sek_conf *conf;
    int64_t now_s; /* whether a block still runs */
    struct sek_dismissed dismissed;
    struct sek_col cols[SEK_OUT_COLS_MAX];
    struct sek_machines machines;
};

/* Begin a report on c->out, with the settings loaded: one finding a row, or a record of all that is
 * known of one. Behind it sek_find_view_fini. */
void sek_find_view_init(struct sek_find_view *v, struct sek_context *c, const char *schema,
                        bool record);
/* The same rows as a part of a report that was begun, without their ids. */
void sek_find_view_part(struct sek_find_view *v, struct sek_context *c, const char *key);
void sek_find_view_fini(struct sek_find_view *v);
/* Who dismissed it, or NULL. */
const struct sek_dismissal *sek_find_dismissal(const struct sek_find_view *v,
                                               const struct sek_finding_row *f);
/* Set and end one row; its members are those of sek_find_members. False: stop. */
bool sek_find_view_row(struct sek_find_view *v, const struct sek_finding_row *f);
/* Further parts of a record: the names that it rests on, explained by the installed model, and what
 * may be done next. */
void sek_find_examples(struct sek_find_view *v, const struct sek_finding_row *f);
void sek_find_next(struct sek_find_view *v, const struct sek_finding_row *f);
