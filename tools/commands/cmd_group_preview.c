/* SPDX-License-Identifier: BSD-3-Clause */
/* group preview: what a group asked for lately and would lose if it were restricted to its
 * exceptions. Judged by registered domain, as the history counts. */
#include "base/buf.h"
#include "tools/command.h"
#include "tools/change/confirm.h"
#include "tools/change/groups.h"
#include "tools/views/hitview.h"
#include "name/text.h"
#include "store/report.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(group_preview);

enum { OPT_SINCE, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_group_preview_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "from then on; default 7d"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many domains; default 50, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

#define SINCE_DEFAULT_S (7 * 86400)
#define LIMIT_DEFAULT 50
#define SPAN_END_S INT64_MAX

enum { DOMAIN, QUERIES, ENDPOINTS, LAST, KEPT, COLS };
static const struct sek_col cols[] = {
    [DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [KEPT] = {"kept", "Kept", SEK_COL_TEXT, "nothing"},
};

struct exception {
    struct sek_name name;
    enum sek_scope scope;
};

struct preview {
    struct sek_context *c;
    struct sek_change look; /* database and settings; no change */
    struct sek_group_row group;
    struct sek_report *events;
    struct sek_nets members;
    struct sek_buf exceptions; /* struct exception */
    struct sek_buf endpoints;  /* spans */
    uint64_t n_endpoints, n_domains, n_queries, limit, shown;
    bool full; /* out of memory */
    enum sek_err err;
};

/* --- what the group is and may have --------------------------------------------------------------
 */

static bool member_take(void *arg, const struct sek_member *m)
{
    struct preview *p = arg;
    bool is_now = !m->expires_s || m->expires_s > p->c->now_s;
    p->full |= is_now && !sek_nets_put(&p->members, &m->net);
    return !p->full;
}

static bool exception_take(void *arg, const struct sek_entry *e)
{
    struct preview *p = arg;
    const struct exception x = {.name = e->name, .scope = (enum sek_scope)e->rule.scope};
    bool passes = e->rule.action == SEK_ACTION_DEFAULT || e->rule.action == SEK_ACTION_PASSTHRU;
    if (passes && (!e->rule.expires_s || e->rule.expires_s > p->c->now_s))
        sek_buf_add(&p->exceptions, &x, sizeof x);
    return !p->exceptions.failed;
}

static bool list_take(void *arg, const struct sek_list_row *row)
{
    struct preview *p = arg;
    if ((row->audience.only & sek_group_bit(p->group.group.id)) == 0 ||
        row->list.action != SEK_ACTION_PASSTHRU || row->list.mode != SEK_MODE_BLOCK)
        return true;
    p->err = sek_policydb_entries(p->look.db, row->list.id, exception_take, p, &p->c->diag);
    return p->err == SEK_OK;
}

static enum sek_err group_read(struct preview *p)
{
    struct sek_context *c = p->c;
    enum sek_err err = sek_group_find(&p->look, c->args[0], &p->group);
    if (!err)
        err = sek_policydb_members(p->look.db, p->group.group.id, member_take, p, &c->diag);
    if (!err)
        err = sek_policydb_lists(p->look.db, list_take, p, &c->diag);
    if (!err)
        err = p->err;
    if (!err && (p->full || p->exceptions.failed))
        err = sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory for the group");
    return err;
}

/* --- what it asked for ---------------------------------------------------------------------------
 */

static bool endpoint_take(void *arg, const struct sek_traffic_row *row)
{
    struct preview *p = arg;
    struct sek_addr a;
    if (sek_addr_from_text(row->key, &a, NULL) == SEK_OK && sek_nets_have(&p->members, &a)) {
        sek_report_add_span(&p->endpoints, row->key, 0, SPAN_END_S);
        p->n_endpoints++;
    }
    return true;
}

/* "all" or "partly" of a domain that exceptions cover; NULL: nothing. */
static const char *kept_of(const struct preview *p, const struct sek_name *domain)
{
    const struct exception *all = (const void *)p->exceptions.data;
    const char *kept = NULL;
    if (sek_never_check(p->look.never, domain, SEK_SCOPE_EXACT, SEK_ACTION_SINKHOLE, true, NULL))
        return "all";
    for (size_t i = 0; i < p->exceptions.len / sizeof *all; i++) {
        const struct exception *x = &all[i];
        bool above = sek_name_is_at_or_below(domain, &x->name);
        bool same = above && domain->n_labels == x->name.n_labels;
        if (above && (same ? x->scope == SEK_SCOPE_SUBTREE : x->scope != SEK_SCOPE_EXACT))
            return "all";
        if (same || sek_name_is_at_or_below(&x->name, domain))
            kept = "partly";
    }
    return kept;
}

static bool domain_take(void *arg, const struct sek_traffic_row *row)
{
    struct preview *p = arg;
    struct sek_out *o = p->c->out;
    struct sek_name name;
    if (sek_name_from_text(row->key, strlen(row->key), &name, NULL) != SEK_OK)
        return true;
    const char *kept = kept_of(p, &name);
    if (kept && strcmp(kept, "all") == 0)
        return true;
    p->n_domains++;
    p->n_queries += row->queries;
    if (p->limit && p->shown >= p->limit)
        return true;
    p->shown++;
    sek_out_text(o, DOMAIN, row->key);
    sek_out_uint(o, QUERIES, row->queries);
    sek_out_uint(o, ENDPOINTS, row->n_endpoints);
    sek_out_int(o, LAST, row->last_ms);
    sek_out_text(o, KEPT, kept);
    return sek_out_row(o);
}

static enum sek_err traffic_read(struct preview *p, int64_t since_s)
{
    struct sek_context *c = p->c;
    enum sek_err err = sek_report_traffic(p->events, since_s, 0, NULL, NULL, SEK_TRAFFIC_ENDPOINT,
                                          0, endpoint_take, p, &c->diag);
    if (err || p->n_endpoints == 0)
        return err;
    sek_report_end_spans(&p->endpoints);
    return sek_report_traffic(p->events, since_s, 0, p->endpoints.data, NULL, SEK_TRAFFIC_DOMAIN, 0,
                              domain_take, p, &c->diag);
}

static enum sek_err report(struct preview *p)
{
    struct sek_context *c = p->c;
    int64_t since_s =
        c->opt[OPT_SINCE].given ? c->opt[OPT_SINCE].number : c->now_s - SINCE_DEFAULT_S;
    p->limit = c->opt[OPT_LIMIT].given ? (uint64_t)c->opt[OPT_LIMIT].number : LIMIT_DEFAULT;
    sek_out_begin(c->out, "sekisho.group_preview/1", cols, COLS, SEK_OUT_ROWS);
    enum sek_err err = traffic_read(p, since_s);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    if (!err && !end_err) {
        sek_talk("%" PRIu64 " endpoint%s of group %s asked for %" PRIu64 " domain%s (%" PRIu64
                 " queries) that it would lose",
                 p->n_endpoints, p->n_endpoints == 1 ? "" : "s", p->group.group.name, p->n_domains,
                 p->n_domains == 1 ? "" : "s", p->n_queries);
        sek_confirm_tell_recent(p->look.conf);
    }
    return err ? err : end_err;
}

enum sek_err sek_cmd_group_preview(struct sek_context *c)
{
    struct preview p = {.c = c, .look = {.c = c}};
    sek_buf_init(&p.exceptions, 0);
    sek_buf_init(&p.endpoints, 0);
    enum sek_err err = sek_change_look(c, &p.look.conf, &p.look.db);
    if (!err)
        err = group_read(&p);
    if (!err)
        err = sek_change_never(&p.look, &c->diag);
    if (!err)
        err = sek_hit_report_open(c, &p.events);
    if (!err)
        err = report(&p);
    sek_report_close(p.events);
    sek_nets_fini(&p.members);
    sek_buf_fini(&p.exceptions);
    sek_buf_fini(&p.endpoints);
    return sek_change_fini(&p.look, err);
}
