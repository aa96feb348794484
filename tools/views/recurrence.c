/* SPDX-License-Identifier: BSD-3-Clause */
#include "recurrence.h"
#include "machines.h"
#include <string.h>
#include "base/banned.h"

static bool add_hits(void *arg, const struct sek_hit_group *g)
{
    struct sek_recurrence *r = arg;
    r->hits += g->count;
    r->last_ms = g->last_ms > r->last_ms ? g->last_ms : r->last_ms;
    return true;
}

static bool add_finding(void *arg, const struct sek_finding_row *f)
{
    struct sek_recurrence *r = arg;
    r->findings++;
    r->last_ms = f->end_ms > r->last_ms ? f->end_ms : r->last_ms;
    return true;
}

enum sek_err sek_recurrence_add(struct sek_context *c, struct sek_report *events,
                                const struct sek_incident_subject *subject, int64_t since_s,
                                struct sek_recurrence *io)
{
    struct sek_hit_filter hits = {.since_s = since_s + 1};
    struct sek_finding_filter findings = {.since_s = since_s + 1};
    struct sek_buf selector;
    enum sek_err e = SEK_OK;
    sek_buf_init(&selector, 0);
    if (subject->kind == SEK_INCIDENT_DOMAIN) {
        hits.name = findings.domain = subject->value;
    } else {
        e = sek_machines_selector(c, "incident", subject->value, &selector);
        hits.endpoint = findings.endpoint = selector.data;
    }
    if (e) { /* said to nobody: the machine left the inventory */
        c->exit = SEK_EXIT_OK;
        c->diag = (struct sek_diag){0};
        sek_buf_fini(&selector);
        return SEK_OK;
    }
    e = sek_report_hit_groups(events, &hits, SEK_GROUP_LIST, add_hits, io, &c->diag);
    if (!e)
        e = sek_report_findings(events, &findings, add_finding, io, &c->diag);
    sek_buf_fini(&selector);
    return e;
}

/* --- all together ------------------------------------------------------------------------------
 */

struct count {
    struct sek_context *c;
    struct sek_policydb *db;
    struct sek_report *events;
    struct sek_incident_counts *out;
    const struct sek_incident *incident;
    struct sek_recurrence sum;
};

static bool one_subject(void *arg, const struct sek_incident_subject *s)
{
    struct count *n = arg;
    sek_recurrence_add(n->c, n->events, s, n->incident->closed_s, &n->sum);
    return n->sum.last_ms == 0;
}

static bool one_incident(void *arg, const struct sek_incident *i)
{
    struct count *n = arg;
    if (i->state != SEK_INCIDENT_CLOSED) {
        n->out->n_open++;
        return true;
    }
    n->incident = i;
    n->sum = (struct sek_recurrence){0};
    if (n->events && n->c->now_s - i->closed_s <= SEK_RECURRENCE_S)
        sek_incident_subjects(n->db, i->id, one_subject, n, NULL);
    n->out->n_recurring += n->sum.last_ms != 0;
    return true;
}

void sek_incident_count(struct sek_context *c, struct sek_incident_counts *out)
{
    struct count n = {.c = c, .out = out};
    *out = (struct sek_incident_counts){0};
    if (sek_policydb_open(c->conf.policy.db, false, &n.db, NULL))
        return;
    (void)sek_report_open(c->conf.events.db, &n.events, NULL);
    (void)sek_incidents(n.db, one_incident, &n, NULL);
    sek_report_close(n.events);
    sek_policydb_close(n.db);
    c->diag = (struct sek_diag){0};
}
