/* SPDX-License-Identifier: BSD-3-Clause */
#include "bulletin/gather_parts.h"
#include "store/dismissaldb.h"
#include "store/inventory.h"
#include "watch/detector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define HOUR_S 3600
#define DAY_S 86400

const struct sek_lookup sek_bulletin_kind_names[] = {{SEK_BULLETIN_DAILY, "daily"},
                                                     {SEK_BULLETIN_WEEKLY, "weekly"},
                                                     {SEK_BULLETIN_RANGE, "range"},
                                                     {0, NULL}};

/* Steps that a chart can show: hours, days, then as many weeks as are needed. Days of a zone may
 * hold an hour more in all, as the clocks were put back: then each gets its share of it. */
static int64_t step_of(int64_t span_s, bool in_zone)
{
    int64_t n = span_s / DAY_S, more_s = span_s % DAY_S;
    if (span_s <= 2 * DAY_S)
        return HOUR_S;
    if (span_s <= 93LL * DAY_S)
        return in_zone && more_s <= HOUR_S ? (span_s / n + 59) / 60 * 60 : DAY_S;
    return (span_s / (100LL * 7 * DAY_S) + 1) * 7 * DAY_S;
}

void sek__gather_label(struct sek__gather *g, const char *address, int64_t time_s,
                       char out[SEK_BULLETIN_LABEL])
{
    struct sek_addr addr;
    struct sek_span span;
    out[0] = '\0';
    if (!g->ask->policy || sek_addr_from_text(address, &addr, NULL) ||
        sek_inventory_at(g->ask->policy, &addr, time_s, &span, NULL))
        return;
    const struct sek_machine *m = &span.machine;
    const char *name = *m->name ? m->name : m->mac;
    if (*m->owner)
        snprintf(out, SEK_BULLETIN_LABEL, "%s%s(%s)", name, *name ? " " : "", m->owner);
    else
        snprintf(out, SEK_BULLETIN_LABEL, "%s", name);
}

/* --- hits --------------------------------------------------------------------------------------
 */

struct taken {
    struct sek_bulletin_top *rows;
    unsigned n, most;
};

static bool take_group(void *arg, const struct sek_period_group *group)
{
    struct taken *t = arg;
    if (t->n == t->most)
        return false;
    struct sek_bulletin_top *row = &t->rows[t->n++];
    snprintf(row->key, sizeof row->key, "%s", group->key);
    row->hits = group->hits;
    row->blocked = group->blocked;
    row->monitored = group->monitored;
    row->n_partners = group->n_partners;
    row->last_ms = group->last_ms;
    return true;
}

static enum sek_err take_top(struct sek__gather *g, struct sek_period *p, enum sek_period_by by,
                             struct sek_bulletin_top *rows, unsigned most, unsigned *out_n,
                             struct sek_diag *diag)
{
    struct taken t = {rows, 0, most};
    enum sek_err err = sek_period_groups(g->ask->report, p, by, most, take_group, &t, diag);
    *out_n = t.n;
    return err;
}

/* Hits of the period before, for those that are shown. */
static bool take_before(void *arg, const struct sek_period_group *group)
{
    struct sek_bulletin *b = arg;
    for (unsigned i = 0; i < b->n_deciders; i++)
        if (strcmp(b->deciders[i].key, group->key) == 0)
            b->deciders[i].before = group->hits;
    return true;
}

static enum sek_err gather_now(struct sek__gather *g, struct sek_period *p, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    const struct sek_period_step *steps = sek_period_steps(p, &b->n_steps);
    if (b->n_steps > SEK_BULLETIN_STEPS)
        b->n_steps = SEK_BULLETIN_STEPS;
    memcpy(b->steps, steps, b->n_steps * sizeof *steps);
    b->now.sums = *sek_period_total(p);
    enum sek_err err =
        take_top(g, p, SEK_PERIOD_ENDPOINT, b->endpoints, SEK_BULLETIN_TOP, &b->n_endpoints, diag);
    if (!err)
        err = take_top(g, p, SEK_PERIOD_DOMAIN, b->domains, SEK_BULLETIN_TOP, &b->n_domains, diag);
    if (!err)
        err = take_top(g, p, SEK_PERIOD_DECIDER, b->deciders, SEK_BULLETIN_DECIDERS, &b->n_deciders,
                       diag);
    for (unsigned i = 0; i < b->n_endpoints; i++)
        sek__gather_label(g, b->endpoints[i].key, b->endpoints[i].last_ms / 1000,
                          b->endpoints[i].label);
    return err;
}

static enum sek_err gather_before(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    struct sek_period *p = NULL;
    size_t n;
    enum sek_err err =
        sek_period_read(g->ask->report, b->before_s, b->before_until_s, b->step_s, &p, diag);
    if (err)
        return err;
    const struct sek_period_step *steps = sek_period_steps(p, &n);
    for (size_t i = 0; i < n && i < b->n_steps; i++)
        b->steps_before[i] = steps[i].hits;
    b->before.sums = *sek_period_total(p);
    b->has_before = b->before.sums.queries || b->before.sums.hits;
    err = sek_period_groups(g->ask->report, p, SEK_PERIOD_DECIDER, 0, take_before, b, diag);
    sek_period_free(p);
    return err;
}

/* --- findings ----------------------------------------------------------------------------------
 */

struct finding_work {
    struct sek__gather *g;
    struct sek_dismissed dismissed;
    bool is_before;
};

static bool is_dismissed(const struct finding_work *w, const struct sek_finding_row *f)
{
    struct sek_addr endpoint = {0};
    struct sek_name name = {0};
    sek_addr_from_text(f->endpoint, &endpoint, NULL);
    bool named = *f->domain && !sek_name_from_text(f->domain, strlen(f->domain), &name, NULL);
    return sek_dismissed_find(&w->dismissed, (enum sek_detector)f->detector, &endpoint, name.octets,
                              named ? name.len : 0) != NULL;
}

static void keep_finding(struct finding_work *w, const struct sek_finding_row *f, bool dismissed)
{
    struct sek_bulletin *b = w->g->b;
    if (b->n_findings == SEK_BULLETIN_TOP)
        return;
    struct sek_bulletin_finding *out = &b->findings[b->n_findings++];
    *out = (struct sek_bulletin_finding){.id = f->id,
                                         .last_ms = f->end_ms,
                                         .detector = (enum sek_detector)f->detector,
                                         .confidence = f->confidence,
                                         .blocked = f->blocked_until_s != 0,
                                         .dismissed = dismissed};
    snprintf(out->endpoint, sizeof out->endpoint, "%s", f->endpoint);
    snprintf(out->domain, sizeof out->domain, "%s", f->domain);
    sek__gather_label(w->g, f->endpoint, f->end_ms / 1000, out->label);
}

static bool take_finding(void *arg, const struct sek_finding_row *f)
{
    struct finding_work *w = arg;
    struct sek_bulletin *b = w->g->b;
    bool known = f->detector > 0 && f->detector < SEK_BULLETIN_N_DETECTORS;
    if (w->is_before) {
        b->before.n_findings++;
        if (known)
            b->detectors[f->detector].n_before++;
        return true;
    }
    bool dismissed = is_dismissed(w, f);
    b->now.n_findings++;
    keep_finding(w, f, dismissed);
    if (!known)
        return true;
    struct sek_bulletin_detector *d = &b->detectors[f->detector];
    const struct sek_triage *row =
        sek_triage_find(w->g->triage, *f->domain ? f->domain : NULL, f->endpoint);
    enum sek_triage_state state = sek_triage_of(row, f->end_ms);
    bool is_false = dismissed || state == SEK_TRIAGE_FALSE_POSITIVE;
    d->n++;
    d->n_blocked += f->blocked_until_s != 0;
    d->n_false += is_false;
    d->n_judged += is_false || state == SEK_TRIAGE_CONTAINED || state == SEK_TRIAGE_CLOSED;
    return true;
}

static enum sek_err gather_findings(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    struct finding_work w = {.g = g};
    enum sek_err err = SEK_OK;
    if (g->ask->policy)
        err = sek_dismissaldb_read(g->ask->policy, &w.dismissed, diag);
    for (int id = 1; id < SEK_BULLETIN_N_DETECTORS; id++)
        b->detectors[id].mode = sek_detector_mode(g->ask->conf, (enum sek_detector)id);
    struct sek_finding_filter f = {.since_s = b->since_s, .until_s = b->until_s};
    if (!err)
        err = sek_report_findings(g->ask->report, &f, take_finding, &w, diag);
    f = (struct sek_finding_filter){.since_s = b->before_s, .until_s = b->before_until_s};
    w.is_before = true;
    if (!err && b->before_s < b->before_until_s)
        err = sek_report_findings(g->ask->report, &f, take_finding, &w, diag);
    sek_dismissed_fini(&w.dismissed);
    return err;
}

/* --- new domains -------------------------------------------------------------------------------
 */

static bool take_new(void *arg, const struct sek_new_domain *one)
{
    struct sek_bulletin *b = arg;
    struct sek_bulletin_new *out = &b->news[b->n_new++];
    snprintf(out->domain, sizeof out->domain, "%s", one->domain);
    snprintf(out->endpoint, sizeof out->endpoint, "%s", one->endpoint);
    out->first_ms = one->first_ms;
    out->queries = one->queries;
    return true;
}

static enum sek_err gather_new(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    enum sek_err err =
        sek_report_new_domains(g->ask->report, b->since_s, b->until_s, SEK_BULLETIN_TOP,
                               &b->now.n_new_domains, take_new, b, diag);
    return err ? err
               : sek_report_new_domains(g->ask->report, b->before_s, b->before_until_s, 0,
                                        &b->before.n_new_domains, NULL, NULL, diag);
}

/* --- all ---------------------------------------------------------------------------------------
 */

struct sek_bulletin_blind *sek__gather_blind(struct sek_bulletin *b, enum sek_blind kind,
                                             bool serious)
{
    if (b->n_blind == SEK_BULLETIN_BLIND)
        return NULL;
    struct sek_bulletin_blind *out = &b->blind[b->n_blind++];
    *out = (struct sek_bulletin_blind){.kind = kind, .serious = serious};
    return out;
}

static enum sek_err gather_all(struct sek__gather *g, struct sek_diag *diag)
{
    struct sek_bulletin *b = g->b;
    struct sek_period *p = NULL;
    enum sek_err err = SEK_OK;
    if (g->ask->policy)
        err = sek_triage_load(g->ask->policy, &g->triage, diag);
    if (!err)
        err = sek_period_read(g->ask->report, b->since_s, b->until_s, b->step_s, &p, diag);
    if (err)
        return err;
    struct sek_period_gaps gaps = *sek_period_gaps(p);
    err = gather_now(g, p, diag);
    sek_period_free(p); /* one period in memory at a time */
    if (!err && b->before_s < b->before_until_s)
        err = gather_before(g, diag);
    if (!err)
        err = gather_findings(g, diag);
    if (!err)
        err = gather_new(g, diag);
    if (!err)
        err = sek__gather_policy(g, diag);
    return err ? err : sek__gather_blind_spots(g, &gaps, diag);
}

enum sek_err sek_bulletin_gather(const struct sek_bulletin_ask *ask, struct sek_bulletin **out,
                                 struct sek_diag *diag)
{
    struct sek__gather g = {.ask = ask, .b = calloc(1, sizeof *g.b)};
    if (!g.b)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    int64_t span_s = ask->until_s - ask->since_s;
    int64_t shift_s = ask->kind == SEK_BULLETIN_DAILY    ? DAY_S
                      : ask->kind == SEK_BULLETIN_WEEKLY ? 7 * DAY_S
                                                         : span_s;
    *g.b = (struct sek_bulletin){.kind = ask->kind,
                                 .since_s = ask->since_s,
                                 .until_s = ask->until_s,
                                 .made_s = ask->now_s,
                                 .zone = ask->zone,
                                 .step_s = step_of(span_s, ask->zone != NULL)};
    if (ask->since_s >= shift_s) {
        g.b->before_s = ask->since_s - shift_s;
        g.b->before_until_s = g.b->before_s + span_s;
    }
    enum sek_err err = gather_all(&g, diag);
    sek_triage_free(g.triage);
    if (err) {
        free(g.b);
        return err;
    }
    *out = g.b;
    return SEK_OK;
}
