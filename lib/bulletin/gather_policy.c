/* SPDX-License-Identifier: BSD-3-Clause */
/* What people did: triage, false alarms, changes. */
#include "bulletin/gather_parts.h"
#include "store/audit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define TRIAGE_LOOKED_AT 2000 /* rows of triage whose hits are looked up: the newest ones */

/* --- triage ------------------------------------------------------------------------------------
 */

struct judge_work {
    struct sek_bulletin *b;
    const struct sek_triage *row;
};

static struct sek_bulletin_judged *judged_of(struct sek_bulletin *b, const char *key)
{
    for (unsigned i = 0; i < b->n_judged; i++)
        if (strcmp(b->judged[i].key, key) == 0)
            return &b->judged[i];
    if (b->n_judged == SEK_BULLETIN_JUDGED)
        return NULL;
    struct sek_bulletin_judged *out = &b->judged[b->n_judged++];
    *out = (struct sek_bulletin_judged){0};
    snprintf(out->key, sizeof out->key, "%s", key);
    return out;
}

static bool take_decider(void *arg, const struct sek_hit_group *group)
{
    struct judge_work *w = arg;
    enum sek_triage_state state = sek_triage_of(w->row, group->last_ms);
    if (state == SEK_TRIAGE_NEW)
        return true;
    struct sek_bulletin_judged *j = judged_of(w->b, group->key);
    if (!j)
        return true;
    j->n_judged++;
    j->n_false += state == SEK_TRIAGE_FALSE_POSITIVE;
    return true;
}

/* Which lists and detectors a row judges: those that its hits met in the period. */
static enum sek_err judge(struct sek__gather *g, const struct sek_triage *row,
                          struct sek_diag *diag)
{
    struct judge_work w = {g->b, row};
    struct sek_hit_filter f = {.since_s = g->b->since_s, .until_s = g->b->until_s};
    if (row->state < SEK_TRIAGE_FALSE_POSITIVE)
        return SEK_OK;
    f.name = strcmp(row->domain, SEK_TRIAGE_ANY) ? row->domain : NULL;
    f.endpoint = strcmp(row->endpoint, SEK_TRIAGE_ANY) ? row->endpoint : NULL;
    enum sek_err err =
        sek_report_hit_groups(g->ask->report, &f, SEK_GROUP_LIST, take_decider, &w, diag);
    return err == SEK_E_INVALID || err == SEK_E_NAME ? SEK_OK : err; /* no hits have such names */
}

static int newest_first(const void *a, const void *b)
{
    const struct sek_triage *x = *(const struct sek_triage *const *)a;
    const struct sek_triage *y = *(const struct sek_triage *const *)b;
    return x->time_s != y->time_s ? (x->time_s < y->time_s ? 1 : -1) : (x > y) - (x < y);
}

static int most_judged(const void *a, const void *b)
{
    const struct sek_bulletin_judged *x = a, *y = b;
    return x->n_judged != y->n_judged ? (x->n_judged < y->n_judged ? 1 : -1)
                                      : strcmp(x->key, y->key);
}

static enum sek_err gather_triage(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    size_t n = sek_triage_n(g->triage);
    const struct sek_triage **rows = calloc(n + 1, sizeof *rows);
    enum sek_err err = SEK_OK;
    if (!rows)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (size_t i = 0; i < n; i++) {
        rows[i] = sek_triage_at(g->triage, i);
        if (rows[i]->state > 0 && rows[i]->state <= SEK_TRIAGE_CLOSED)
            b->triage[rows[i]->state]++;
    }
    qsort(rows, n, sizeof(const struct sek_triage *), newest_first);
    for (size_t i = 0; i < n && i < TRIAGE_LOOKED_AT && !err; i++)
        err = judge(g, rows[i], diag);
    free(rows);
    if (b->n_judged)
        qsort(b->judged, b->n_judged, sizeof *b->judged, most_judged);
    for (unsigned i = 0; i < b->n_domains; i++) {
        const struct sek_triage *row = sek_triage_find(g->triage, b->domains[i].key, NULL);
        b->domains[i].triage = sek_triage_of(row, b->domains[i].last_ms);
        snprintf(b->domains[i].who, sizeof b->domains[i].who, "%s", row ? row->who : "");
    }
    return err;
}

/* --- changes -----------------------------------------------------------------------------------
 */

struct change_work {
    struct sek_bulletin *b;
    struct sek_bulletin_verb verbs[64]; /* all there are, but for far more than there can be */
    unsigned n;
};

static bool take_change(void *arg, const struct sek_audit_row *row)
{
    struct change_work *w = arg;
    struct sek_bulletin *b = w->b;
    unsigned i = 0;
    b->n_changes++;
    while (i < w->n && strcmp(w->verbs[i].verb, row->verb) != 0)
        i++;
    if (i == w->n && w->n < sizeof w->verbs / sizeof w->verbs[0])
        snprintf(w->verbs[w->n++].verb, sizeof w->verbs[0].verb, "%s", row->verb);
    if (i < w->n)
        w->verbs[i].n++;
    if (b->n_changes_kept == SEK_BULLETIN_CHANGES)
        return true;
    struct sek_bulletin_change *c = &b->changes[b->n_changes_kept++];
    c->number = row->number;
    c->time_ms = row->time_ms;
    snprintf(c->user, sizeof c->user, "%s", row->user);
    snprintf(c->verb, sizeof c->verb, "%s", row->verb);
    snprintf(c->object, sizeof c->object, "%s", row->object);
    snprintf(c->reason, sizeof c->reason, "%s", row->reason);
    return true;
}

static int most_used(const void *a, const void *b)
{
    const struct sek_bulletin_verb *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->verb, y->verb);
}

static enum sek_err gather_changes(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    struct change_work w = {.b = b};
    const struct sek_audit_filter f = {.since_ms = b->since_s * 1000,
                                       .until_ms = b->until_s * 1000};
    enum sek_err err = sek_audit_rows(g->ask->policy, &f, take_change, &w, diag);
    if (w.n)
        qsort(w.verbs, w.n, sizeof w.verbs[0], most_used);
    for (unsigned i = 0; i < w.n && i < SEK_BULLETIN_VERBS; i++)
        b->verbs[b->n_verbs++] = w.verbs[i];
    return err;
}

enum sek_err sek__gather_policy(struct sek__gather *g, struct sek_diag *diag)
{
    if (!g->ask->policy)
        return SEK_OK;
    enum sek_err err = gather_triage(g, diag);
    if (!err)
        err = gather_changes(g, diag);
    return err ? err : sek__gather_exceptions(g, diag);
}
