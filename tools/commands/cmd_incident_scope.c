/* SPDX-License-Identifier: BSD-3-Clause */
/* How far an incident reaches, and what stops it: `incident scope` and `incident contain`. */
#include "store/incidents.h"
#include "store/inventory.h"
#include "tools/change/groups.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/hitview.h"
#include "tools/views/incidentid.h"
#include "tools/views/incidentscope.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(incident_scope);
SEK_COMMAND(incident_contain);

#define SINCE_S (30 * 86400)
#define LIFETIME_S (7 * 86400)
#define DAY_S 86400
#define SPANS_MAX 64

enum { SCOPE_SINCE, N_SCOPE };
const struct sek_arg sek_cmd_incident_scope_args[] = {
    [SCOPE_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "of events from then on; default 30d"},
    [N_SCOPE] = {0},
};
enum { CONTAIN_SINCE, CONTAIN_APPLY, CONTAIN_EVERYBODY, CONTAIN_ONLY, CONTAIN_LIFETIME, N_CONTAIN };
static const struct sek_lookup only_names[] = {{1, "block"}, {2, "quarantine"}, {0, NULL}};
const struct sek_arg sek_cmd_incident_contain_args[] = {
    [CONTAIN_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "of events from then on; default 30d"},
    [CONTAIN_APPLY] = {"apply", 0, SEK_ARG_FLAG, NULL, "do it, without a question"},
    [CONTAIN_EVERYBODY] = {"everybody", 0, SEK_ARG_FLAG, NULL,
                           "quarantine all that got an answer for one of its domains"},
    [CONTAIN_ONLY] = {"only", 0, SEK_ARG_CHOICE, NULL, "only this of the two", only_names},
    [CONTAIN_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME",
                          "of blocks and quarantine: 8h 3d 2w; default 7d"},
    [N_CONTAIN] = {0},
};

/* What both look at. */
struct view {
    struct sek_context *c;
    struct sek_policydb *db;
    struct sek_report *events;
    struct sek_incident incident;
    struct sek_scope_found found;
    struct sek_machines machines;
    struct sek_nets quarantined;
};

static bool note_member(void *arg, const struct sek_member *m)
{
    struct view *v = arg;
    return (m->expires_s && m->expires_s <= v->c->now_s) || sek_nets_put(&v->quarantined, &m->net);
}

static enum sek_err view_open(struct view *v, const struct sek_arg_value *since)
{
    struct sek_context *c = v->c;
    enum sek_err e = sek_incident_look(c, &v->db, &v->incident);
    if (e)
        return e;
    e = sek_hit_report_open(c, &v->events);
    if (e)
        return e;
    sek_machines_open(&v->machines, c);
    e = sek_policydb_members(v->db, SEK_GROUP_QUARANTINE_ID, note_member, v, &c->diag);
    return e ? e
             : sek_scope_find(c, v->db, v->events, v->incident.id,
                              since->given ? since->number : c->now_s - SINCE_S, &v->found);
}

static void view_close(struct view *v)
{
    sek_scope_fini(&v->found);
    sek_machines_close(&v->machines);
    sek_nets_fini(&v->quarantined);
    sek_report_close(v->events);
    sek_policydb_close(v->db);
}

static bool is_quarantined(const struct view *v, const char *endpoint)
{
    struct sek_addr a;
    return sek_addr_from_text(endpoint, &a, NULL) == SEK_OK && sek_nets_have(&v->quarantined, &a);
}

/* --- scope -------------------------------------------------------------------------------------
 */

enum {
    E_ENDPOINT,
    E_MACHINE,
    E_WHY,
    E_WHAT,
    E_QUERIES,
    E_RESOLVED,
    E_FIRST,
    E_LAST,
    E_STATE,
    E_COLS
};
static const struct sek_col row_cols[] = {
    [E_ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [E_MACHINE] = {"endpoint_name", "Machine", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [E_WHY] = {"why", "Why", SEK_COL_TEXT},
    [E_WHAT] = {"what", "What", SEK_COL_NAME},
    [E_QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [E_RESOLVED] = {"resolved", "Let through", SEK_COL_UINT},
    [E_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [E_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [E_STATE] = {"quarantined", "Quarantined", SEK_COL_FLAG},
};

enum { N_DOMAIN, N_OF, N_ADDRESS, N_SHARED, N_COLS };
static const struct sek_col neighbour_cols[] = {
    [N_DOMAIN] = {"domain", "Neighbour", SEK_COL_NAME},
    [N_OF] = {"of", "Of", SEK_COL_NAME},
    [N_ADDRESS] = {"address", "By address", SEK_COL_TEXT},
    [N_SHARED] = {"addresses", "Shared", SEK_COL_UINT},
};

static void put_rows(struct view *v)
{
    const struct sek_scope_row *rows = (const void *)v->found.rows.data;
    struct sek_out *o = v->c->out;
    struct sek_span span;
    sek_out_begin(o, "sekisho.incident.scope/1", row_cols, E_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < v->found.rows.len / sizeof *rows; i++) {
        const struct sek_scope_row *r = &rows[i];
        sek_machines_at(&v->machines, r->endpoint, r->last_ms ? r->last_ms / 1000 : v->c->now_s,
                        &span);
        sek_out_text(o, E_ENDPOINT, r->endpoint);
        if (*span.machine.name || *span.machine.mac)
            sek_out_text(o, E_MACHINE, *span.machine.name ? span.machine.name : span.machine.mac);
        sek_out_text(o, E_WHY, sek_lookup_name(sek_scope_why_names, (int)r->why));
        if (*r->what)
            sek_out_text(o, E_WHAT, r->what);
        if (r->queries) {
            sek_out_uint(o, E_QUERIES, r->queries);
            sek_out_uint(o, E_RESOLVED, r->resolved);
        }
        if (r->last_ms) {
            sek_out_int(o, E_FIRST, r->first_ms);
            sek_out_int(o, E_LAST, r->last_ms);
        }
        sek_out_flag(o, E_STATE, is_quarantined(v, r->endpoint));
        if (!sek_out_row(o))
            return;
    }
}

static void put_neighbours(struct view *v)
{
    const struct sek_scope_neighbour *all = (const void *)v->found.neighbours.data;
    struct sek_out *o = v->c->out;
    sek_out_part(o, "neighbours", neighbour_cols, N_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < v->found.neighbours.len / sizeof *all; i++) {
        sek_out_text(o, N_DOMAIN, all[i].domain);
        sek_out_text(o, N_OF, all[i].of);
        sek_out_text(o, N_ADDRESS, all[i].address);
        sek_out_uint(o, N_SHARED, all[i].n_addresses);
        if (!sek_out_row(o))
            return;
    }
}

enum sek_err sek_cmd_incident_scope(struct sek_context *c)
{
    struct view v = {.c = c};
    enum sek_err e = view_open(&v, &c->opt[SCOPE_SINCE]);
    if (!e) {
        put_rows(&v);
        put_neighbours(&v);
        e = sek_out_end(c->out, &c->diag);
    }
    view_close(&v);
    return e;
}

/* --- contain: what to do -----------------------------------------------------------------------
 */

struct step {
    bool is_block;
    struct sek_name name; /* of a block */
    struct sek_net net;   /* of a quarantine */
    char target[SEK_NAME_TEXT_MAX];
    bool there; /* in force already */
    char effect[160];
};

struct plan {
    struct view view;
    struct sek_buf steps; /* struct step */
    struct sek_list_row list;
    bool blocked; /* whether the name looked at is */
};

static bool find_block(void *arg, const struct sek_entry *entry)
{
    struct plan *p = arg;
    bool runs = entry->rule.expires_s == 0 || entry->rule.expires_s > p->view.c->now_s;
    p->blocked |= runs && entry->rule.list == p->list.list.id &&
                  entry->rule.scope == SEK_SCOPE_SUBTREE && entry->rule.action == 0;
    return true;
}

static enum sek_err plan_block(struct plan *p, const char *text)
{
    const struct sek_scope_row *rows = (const void *)p->view.found.rows.data;
    struct step s = {.is_block = true};
    uint64_t n_endpoints = 0, n_queries = 0, n_resolved = 0;
    if (sek_name_from_text(text, strlen(text), &s.name, NULL))
        return SEK_OK;
    for (size_t i = 0; i < p->view.found.rows.len / sizeof *rows; i++) {
        if (rows[i].why != SEK_WHY_ASKED || strcmp(rows[i].what, text) != 0)
            continue;
        n_endpoints++;
        n_queries += rows[i].queries;
        n_resolved += rows[i].resolved;
    }
    p->blocked = false;
    enum sek_err e = sek_policydb_entries_at(p->view.db, &s.name, find_block, p, &p->view.c->diag);
    s.there = p->blocked;
    snprintf(s.target, sizeof s.target, "%s", text);
    snprintf(s.effect, sizeof s.effect,
             "%" PRIu64 " endpoint%s asked %" PRIu64 " time%s, %" PRIu64 " let through",
             n_endpoints, n_endpoints == 1 ? "" : "s", n_queries, n_queries == 1 ? "" : "s",
             n_resolved);
    sek_buf_add(&p->steps, &s, sizeof s);
    return e;
}

static bool take_total(void *arg, const struct sek_traffic_row *t)
{
    *(struct sek_traffic_row *)arg = *t;
    return false;
}

static enum sek_err plan_quarantine(struct plan *p, const struct sek_addr *a)
{
    struct view *v = &p->view;
    struct step s = {.net = {.addr = *a, .bits = 128}};
    struct sek_traffic_row t = {0};
    struct step *all = (void *)p->steps.data;
    sek_addr_to_text(a, s.target);
    for (size_t i = 0; i < p->steps.len / sizeof s; i++)
        if (!all[i].is_block && strcmp(all[i].target, s.target) == 0)
            return SEK_OK;
    s.there = sek_nets_have(&v->quarantined, a);
    enum sek_err e = sek_report_traffic(v->events, v->c->now_s - DAY_S, 0, s.target, NULL,
                                        SEK_TRAFFIC_TOTAL, 0, take_total, &t, &v->c->diag);
    snprintf(s.effect, sizeof s.effect,
             "loses all but remediation names: %" PRIu64 " domains, %" PRIu64
             " queries in the last day",
             t.n_domains, t.queries);
    sek_buf_add(&p->steps, &s, sizeof s);
    return e;
}

struct addresses {
    struct plan *plan;
    enum sek_err err;
};

static bool one_span(void *arg, const struct sek_span *span)
{
    struct addresses *a = arg;
    int64_t now_s = a->plan->view.c->now_s;
    if (span->from_s <= now_s && now_s < span->until_s)
        a->err = plan_quarantine(a->plan, &span->addr);
    return !a->err;
}

/* An address, or all that the machine has now. */
static enum sek_err plan_endpoint(struct plan *p, const char *text)
{
    struct addresses all = {.plan = p};
    struct sek_addr a;
    if (sek_addr_from_text(text, &a, NULL) == SEK_OK)
        return plan_quarantine(p, &a);
    enum sek_err e = sek_inventory_find(p->view.db, text, p->view.c->now_s, SPANS_MAX, one_span,
                                        &all, &p->view.c->diag);
    return all.err ? all.err : e == SEK_E_NOTFOUND ? SEK_OK : e;
}

static enum sek_err plan_make(struct plan *p)
{
    struct sek_context *c = p->view.c;
    const struct sek_incident_subject *subject = (const void *)p->view.found.subjects.data;
    const struct sek_scope_row *row = (const void *)p->view.found.rows.data;
    size_t n = p->view.found.subjects.len / sizeof *subject;
    int64_t only = c->opt[CONTAIN_ONLY].given ? c->opt[CONTAIN_ONLY].number : 0;
    enum sek_err e = sek_policydb_list_get(p->view.db, SEK_LIST_LOCAL_BLOCK, &p->list, &c->diag);
    for (size_t i = 0; !e && i < n && only != 2; i++)
        if (subject[i].kind == SEK_INCIDENT_DOMAIN)
            e = plan_block(p, subject[i].value);
    for (size_t i = 0; !e && i < n && only != 1; i++)
        if (subject[i].kind == SEK_INCIDENT_ENDPOINT)
            e = plan_endpoint(p, subject[i].value);
    n = p->view.found.rows.len / sizeof *row;
    for (size_t i = 0; !e && i < n && only != 1 && c->opt[CONTAIN_EVERYBODY].given; i++)
        if (row[i].why == SEK_WHY_ASKED && row[i].resolved)
            e = plan_endpoint(p, row[i].endpoint);
    if (!e && p->steps.failed)
        e = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory");
    return e;
}

enum { C_DO, C_TARGET, C_STATE, C_EFFECT, C_COMMAND, C_COLS };
static const struct sek_col step_cols[] = {
    [C_DO] = {"step", "Step", SEK_COL_TEXT},
    [C_TARGET] = {"target", "Target", SEK_COL_NAME},
    [C_STATE] = {"state", "State", SEK_COL_TEXT},
    [C_EFFECT] = {"effect", "Affects", SEK_COL_TEXT},
    [C_COMMAND] = {"command", "By itself", SEK_COL_TEXT},
};

/* Returns how many steps are new. */
static unsigned plan_put(const struct plan *p)
{
    const struct step *steps = (const void *)p->steps.data;
    struct sek_out *o = p->view.c->out;
    char command[SEK_NAME_TEXT_MAX + 80];
    unsigned n = 0;
    sek_out_begin(o, "sekisho.incident.contain/1", step_cols, C_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < p->steps.len / sizeof *steps; i++) {
        const struct step *s = &steps[i];
        const char *word = s->is_block ? "block" : "quarantine";
        n += !s->there;
        snprintf(command, sizeof command, "sekisho %s '%s' --reason 'incident %" PRId64 "'", word,
                 s->target, p->view.incident.id);
        sek_out_text(o, C_DO, word);
        sek_out_text(o, C_TARGET, s->target);
        sek_out_text(o, C_STATE, s->there ? "in force" : "proposed");
        sek_out_text(o, C_EFFECT, s->effect);
        sek_out_text(o, C_COMMAND, command);
        if (!sek_out_row(o))
            break;
    }
    return n;
}

/* --- contain: do it ----------------------------------------------------------------------------
 */

static enum sek_err apply_block(struct sek_change *ch, const struct step *s, int64_t until_s,
                                const char *reason)
{
    struct sek_list_row list;
    struct sek_entry entry = {.name = s->name, .created_s = ch->c->now_s};
    bool changed;
    enum sek_err e = sek_policydb_list_get(ch->db, SEK_LIST_LOCAL_BLOCK, &list, &ch->c->diag);
    if (e)
        return e;
    entry.rule =
        (struct sek_rule){.list = list.list.id, .scope = SEK_SCOPE_SUBTREE, .expires_s = until_s};
    snprintf(entry.who, sizeof entry.who, "%s", ch->who);
    snprintf(entry.comment, sizeof entry.comment, "%s", reason);
    e = sek_change_guard(ch, &s->name, SEK_SCOPE_SUBTREE, (enum sek_action)list.list.action, false,
                         &ch->c->diag);
    return e ? e : sek_policydb_entry_put(ch->db, &entry, &changed, &ch->c->diag);
}

static enum sek_err apply_quarantine(struct sek_change *ch, const struct step *s, int64_t until_s,
                                     const char *reason)
{
    struct sek_group_row group;
    struct sek_member m = {.net = s->net, .expires_s = until_s, .created_s = ch->c->now_s};
    bool changed;
    enum sek_err e = sek_quarantine_group(ch, &group);
    m.group = group.group.id;
    snprintf(m.who, sizeof m.who, "%s", ch->who);
    snprintf(m.comment, sizeof m.comment, "%s", reason);
    return e ? e : sek_policydb_member_put(ch->db, &m, &changed, &ch->c->diag);
}

/* All of it is one change: one row of the trail, one undo. */
static enum sek_err plan_apply(const struct plan *p)
{
    struct sek_context *c = p->view.c;
    struct sek_change ch;
    struct sek_incident i;
    const struct step *steps = (const void *)p->steps.data;
    char reason[256];
    unsigned n = 0;
    int64_t life_s = c->opt[CONTAIN_LIFETIME].given ? c->opt[CONTAIN_LIFETIME].number : LIFETIME_S;
    snprintf(reason, sizeof reason, "incident %" PRId64 ": %.200s", p->view.incident.id,
             p->view.incident.title);
    enum sek_err e = sek_change_begin(&ch, c, false);
    for (size_t k = 0; !e && k < p->steps.len / sizeof *steps; k++) {
        if (steps[k].there)
            continue;
        n++;
        e = steps[k].is_block ? apply_block(&ch, &steps[k], c->now_s + life_s, reason)
                              : apply_quarantine(&ch, &steps[k], c->now_s + life_s, reason);
    }
    if (!e)
        e = sek_incident_get(ch.db, p->view.incident.id, &i, &c->diag);
    if (!e && i.state == SEK_INCIDENT_OPEN) {
        i.state = SEK_INCIDENT_CONTAINED;
        e = sek_incident_set(ch.db, &i, &c->diag);
    }
    ch.act.reason = reason;
    sek_change_done(&ch, "%u step%s applied; sekisho undo takes %s back", n, n == 1 ? "" : "s",
                    n == 1 ? "it" : "all of them");
    if (!e)
        e = sek_change_end(&ch);
    return sek_change_fini(&ch, e);
}

/* Only people at a terminal are asked. */
static bool is_agreed(struct sek_context *c, unsigned n)
{
    char answer[16];
    if (c->opt[CONTAIN_APPLY].given)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        sek_out_format(c->out) != SEK_OUT_TABLE) {
        sek_talk("nothing is changed; --apply does what is proposed");
        return false;
    }
    fprintf(stderr, "Apply %u step%s now? [y/N] ", n, n == 1 ? "" : "s");
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y'))
        return true;
    sek_talk("nothing is changed");
    return false;
}

enum sek_err sek_cmd_incident_contain(struct sek_context *c)
{
    struct plan p = {.view = {.c = c}};
    unsigned n = 0;
    sek_buf_init(&p.steps, 0);
    enum sek_err e = view_open(&p.view, &c->opt[CONTAIN_SINCE]);
    if (!e && p.view.incident.state == SEK_INCIDENT_CLOSED)
        e = sek_context_usage(c, "incident %" PRId64 " is closed; open one for what recurs",
                              p.view.incident.id);
    if (!e)
        e = plan_make(&p);
    if (!e) {
        n = plan_put(&p);
        e = sek_out_end(c->out, &c->diag);
    }
    sek_policydb_close(p.view.db); /* or it would be in the way of the change */
    p.view.db = NULL;
    if (!e && n == 0)
        sek_talk("all of it is in force already");
    else if (!e && is_agreed(c, n))
        e = plan_apply(&p);
    sek_buf_fini(&p.steps);
    view_close(&p.view);
    return e;
}
