/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptpreview.h"
#include "base/duration.h"
#include "machines.h"
#include "policy/about.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define RULES_MAX 16    /* behind the refusals, that are told of */
#define HITS_MAX 100000 /* looked at to find them */
#define NAMES_MAX 50    /* of one rule */

enum {
    ENDPOINT,
    MACHINE,
    M_NAME,
    M_MAC,
    M_OWNER,
    M_GROUP,
    QUERIES,
    BLOCKED,
    NAMES,
    FIRST,
    LAST,
    COVERED,
    N_COLS
};
static const struct sek_col cols[N_COLS] = {
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT},
    [MACHINE] = SEK_MACHINE_COL,
    [M_NAME] = SEK_MACHINE_NAME_COL,
    [M_MAC] = SEK_MACHINE_MAC_COL,
    [M_OWNER] = SEK_MACHINE_OWNER_COL,
    [M_GROUP] = SEK_MACHINE_GROUP_COL,
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
    [NAMES] = {"names", "Names", SEK_COL_UINT},
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [COVERED] = {"covered", "Let through", SEK_COL_FLAG},
};
enum { N_NAME, N_LIST, N_RULE, N_QUERIES, N_ENDPOINTS, N_PASSES, N_NAME_COLS };
static const struct sek_col name_cols[N_NAME_COLS] = {
    [N_NAME] = {"name", "Name", SEK_COL_NAME},
    [N_LIST] = {"list", "Guarded by", SEK_COL_TEXT},
    [N_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [N_QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [N_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [N_PASSES] = {"passes", "Let through", SEK_COL_FLAG},
};

bool sek_preview_covers(const struct sek_exception *e, const struct sek_name *name)
{
    return sek_name_is_at_or_below(name, &e->name) &&
           sek_scope_covers((enum sek_scope)e->scope,
                            (unsigned)(name->n_labels - e->name.n_labels));
}

/* --- whom it is for ------------------------------------------------------------------------------
 */

struct members {
    struct sek_nets *out;
    int64_t now_s;
    bool failed;
};

static bool member_take(void *arg, const struct sek_member *m)
{
    struct members *g = arg;
    bool is_now = !m->expires_s || m->expires_s > g->now_s;
    g->failed |= is_now && !sek_nets_put(g->out, &m->net);
    return !g->failed;
}

enum sek_err sek_preview_nets(struct sek_context *c, struct sek_policydb *db,
                              const struct sek_exception *e, struct sek_nets *out)
{
    struct members g = {.out = out, .now_s = c->now_s};
    struct sek_group_row row;
    struct sek_net net;
    char word[SEK_LIST_NAME_MAX + SEK_NET_TEXT_MAX];
    enum sek_err err = SEK_OK;
    for (const char *at = e->groups; !err && (at = sek_exception_word(at, word, sizeof word));) {
        err = sek_policydb_group_get(db, word, c->now_s, &row, &c->diag);
        if (!err)
            err = sek_policydb_members(db, row.group.id, member_take, &g, &c->diag);
        else if (err == SEK_E_NOTFOUND)
            err = SEK_OK; /* a group that is gone has no members */
    }
    for (const char *at = e->endpoints; !err && (at = sek_exception_word(at, word, sizeof word));) {
        if (sek_net_from_text(word, &net, NULL) == SEK_OK) /* else a forgotten endpoint */
            g.failed |= !sek_nets_put(out, &net);
    }
    return !err && g.failed ? sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory") : err;
}

/* --- endpoints -----------------------------------------------------------------------------------
 */

struct endpoints {
    struct sek_preview *p;
    struct sek_machines machines;
};

static bool endpoint_put(void *arg, const struct sek_hit_group *g)
{
    struct endpoints *x = arg;
    struct sek_preview *p = x->p;
    struct sek_out *o = p->c->out;
    struct sek_addr a;
    bool wide = sek_exception_is_wide(p->e);
    bool covered =
        wide || (sek_addr_from_text(g->key, &a, NULL) == SEK_OK && sek_nets_have(p->nets, &a));
    if (covered) {
        p->n_endpoints += g->blocked > 0;
        p->n_queries += g->blocked;
        p->n_recorded += g->monitored;
    }
    sek_out_text(o, ENDPOINT, g->key);
    sek_machines_put(&x->machines, o, MACHINE, M_NAME, g->key, g->last_ms / 1000);
    sek_out_uint(o, QUERIES, g->count);
    sek_out_uint(o, BLOCKED, g->blocked);
    sek_out_uint(o, NAMES, g->n_names);
    sek_out_int(o, FIRST, g->first_ms);
    sek_out_int(o, LAST, g->last_ms);
    sek_out_flag(o, COVERED, covered);
    return sek_out_row(o);
}

static void filter_of(const struct sek_preview *p, char rule[SEK_NAME_TEXT_MAX + 2],
                      struct sek_hit_filter *out)
{
    sek_rule_to_text((enum sek_scope)p->e->scope, p->e->name.octets, rule);
    *out = (struct sek_hit_filter){.since_s = p->since_s, .name = rule};
}

enum sek_err sek_preview_endpoints(struct sek_preview *p, bool part)
{
    struct endpoints x = {.p = p};
    char rule[SEK_NAME_TEXT_MAX + 2];
    struct sek_hit_filter f;
    struct sek_col own[N_COLS];
    memcpy(own, cols, sizeof own);
    sek_machines_open(&x.machines, p->c);
    sek_machines_hide(&x.machines, &own[MACHINE]);
    if (part)
        sek_out_part(p->c->out, "endpoints", own, N_COLS, SEK_OUT_ROWS);
    else
        sek_out_begin(p->c->out, "sekisho.exception_preview/1", own, N_COLS, SEK_OUT_ROWS);
    filter_of(p, rule, &f);
    enum sek_err err =
        sek_report_hit_groups(p->report, &f, SEK_GROUP_ENDPOINT, endpoint_put, &x, &p->c->diag);
    sek_machines_close(&x.machines);
    return err;
}

/* --- names ---------------------------------------------------------------------------------------
 */

struct guard {
    char list[SEK_LIST_NAME_MAX], rule[SEK_NAME_TEXT_MAX + 2];
};

struct guards {
    struct sek_preview *p;
    struct guard all[RULES_MAX];
    unsigned n, at;
    uint64_t n_hits;
    unsigned n_names;
};

static bool guard_take(void *arg, const struct sek_hit *h)
{
    struct guards *g = arg;
    const char *list = h->list ? h->list : "", *rule = h->rule ? h->rule : "";
    for (unsigned i = 0; i < g->n; i++)
        if (strcmp(g->all[i].list, list) == 0 && strcmp(g->all[i].rule, rule) == 0)
            return ++g->n_hits < HITS_MAX;
    snprintf(g->all[g->n].list, sizeof g->all->list, "%s", list);
    snprintf(g->all[g->n].rule, sizeof g->all->rule, "%s", rule);
    return ++g->n < RULES_MAX && ++g->n_hits < HITS_MAX;
}

static bool name_put(void *arg, const struct sek_hit_group *h)
{
    struct guards *g = arg;
    struct sek_out *o = g->p->c->out;
    struct sek_name name;
    if (sek_name_from_text(h->key, strlen(h->key), &name, NULL))
        return true;
    sek_out_text(o, N_NAME, h->key);
    sek_out_text(o, N_LIST, g->all[g->at].list);
    sek_out_text(o, N_RULE, *g->all[g->at].rule ? g->all[g->at].rule : NULL);
    sek_out_uint(o, N_QUERIES, h->count);
    sek_out_uint(o, N_ENDPOINTS, h->n_endpoints);
    sek_out_flag(o, N_PASSES, sek_preview_covers(g->p->e, &name));
    return sek_out_row(o) && ++g->n_names < NAMES_MAX;
}

/* Rules about names; of others (networks, classifier) the names that were asked for. */
static const char *filter_name(const struct guard *g, const char *asked)
{
    struct sek_name name;
    enum sek_scope scope;
    if (!*g->rule || sek_rule_from_text(g->rule, strlen(g->rule), &scope, &name, NULL) ||
        sek_about_of(&name) != SEK_ABOUT_NAME)
        return asked;
    return g->rule;
}

enum sek_err sek_preview_names(struct sek_preview *p)
{
    struct guards g = {.p = p};
    char rule[SEK_NAME_TEXT_MAX + 2];
    struct sek_hit_filter f;
    filter_of(p, rule, &f);
    enum sek_err err = sek_report_hits(p->report, &f, guard_take, &g, &p->c->diag);
    sek_out_part(p->c->out, "names", name_cols, N_NAME_COLS, SEK_OUT_ROWS);
    for (g.at = 0; !err && g.at < g.n; g.at++) {
        f.name = filter_name(&g.all[g.at], rule);
        f.list = g.all[g.at].list;
        g.n_names = 0;
        err = sek_report_hit_groups(p->report, &f, SEK_GROUP_NAME, name_put, &g, &p->c->diag);
    }
    return err;
}

void sek_preview_tell(const struct sek_preview *p)
{
    char since[32], recorded[100] = "";
    if (p->n_recorded)
        snprintf(recorded, sizeof recorded,
                 "; %" PRIu64 " more %s only recorded, and needed no exception", p->n_recorded,
                 p->n_recorded == 1 ? "was" : "were");
    sek_talk(
        "since %s it would have let through %" PRIu64 " refused quer%s of %" PRIu64 " endpoint%s%s",
        sek_time_to_text(p->since_s, since, sizeof since), p->n_queries,
        p->n_queries == 1 ? "y" : "ies", p->n_endpoints, p->n_endpoints == 1 ? "" : "s", recorded);
}
