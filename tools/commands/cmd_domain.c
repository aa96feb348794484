/* SPDX-License-Identifier: BSD-3-Clause */
/* `domain NAME`: all that is known of a name and its registered domain, on one page. */
#include "base/duration.h"
#include "base/mode.h"
#include "name/qtype.h"
#include "store/report_neighbours.h"
#include "tools/command.h"
#include "tools/views/exceptabout.h"
#include "tools/views/findview.h"
#include "tools/views/geoopen.h"
#include "tools/views/hitview.h"
#include "tools/views/incidentid.h"
#include "tools/views/seenrow.h"
#include "tools/print/talk.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(domain);

#define LATEST 10
#define DAY_S 86400

enum { OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_domain_args[] = {
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "rows of each table; default 10, 0 = all", NULL,
                   0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};

struct page {
    struct sek_context *c;
    struct sek_seen seen;
    struct sek_report *events; /* NULL: none */
    struct sek_policydb *db;   /* NULL: not readable */
    struct sek_geo *geo;
    struct sek_name name, domain;
    char name_text[SEK_NAME_TEXT_MAX], domain_text[SEK_NAME_TEXT_MAX];
    unsigned limit;
};

/* --- who asks for it ---------------------------------------------------------------------------
 */

enum { A_ENDPOINT, A_MACHINE, A_QUERIES, A_RESOLVED, A_NXDOMAIN, A_HITS, A_FIRST, A_LAST, A_COLS };
static const struct sek_col asker_cols[] = {
    [A_ENDPOINT] = {"endpoint", "Asked by", SEK_COL_TEXT},
    [A_MACHINE] = {"endpoint_name", "Machine", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [A_QUERIES] = {"queries", "Queries", SEK_COL_UINT},
    [A_RESOLVED] = {"resolved", "Let through", SEK_COL_UINT},
    [A_NXDOMAIN] = {"nxdomain", "NXDOMAIN", SEK_COL_UINT},
    [A_HITS] = {"hits", "Hits", SEK_COL_UINT},
    [A_FIRST] = {"first", "First kept (UTC)", SEK_COL_TIME_MS},
    [A_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

struct askers {
    struct page *p;
    struct sek_machines machines;
};

static bool one_asker(void *arg, const struct sek_traffic_row *row)
{
    struct askers *a = arg;
    struct sek_out *o = a->p->c->out;
    struct sek_span span;
    sek_machines_at(&a->machines, row->key, row->last_ms / 1000, &span);
    sek_out_text(o, A_ENDPOINT, row->key);
    if (*span.machine.name || *span.machine.mac)
        sek_out_text(o, A_MACHINE, *span.machine.name ? span.machine.name : span.machine.mac);
    sek_out_uint(o, A_QUERIES, row->queries);
    sek_out_uint(o, A_RESOLVED, row->cached + row->passed + row->let_through);
    sek_out_uint(o, A_NXDOMAIN, row->nxdomain);
    sek_out_uint(o, A_HITS, row->hits);
    sek_out_int(o, A_FIRST, row->first_ms);
    sek_out_int(o, A_LAST, row->last_ms);
    return sek_out_row(o);
}

static enum sek_err put_askers(struct page *p)
{
    struct askers a = {.p = p};
    sek_out_part(p->c->out, "askers", asker_cols, A_COLS, SEK_OUT_ROWS);
    sek_machines_open(&a.machines, p->c);
    enum sek_err e = sek_report_traffic(p->events, 0, 0, NULL, p->domain_text, SEK_TRAFFIC_ENDPOINT,
                                        p->limit, one_asker, &a, &p->c->diag);
    sek_machines_close(&a.machines);
    return e;
}

/* --- where it led ------------------------------------------------------------------------------
 */

enum {
    W_ADDRESS,
    W_FIRST,
    W_LAST,
    W_DAYS,
    W_TTL_MIN,
    W_TTL_MAX,
    W_ASN,
    W_NETWORK,
    W_COUNTRY,
    W_COLS
};
static const struct sek_col answer_cols[] = {
    [W_ADDRESS] = {"address", "Answered", SEK_COL_TEXT},
    [W_FIRST] = {"first_day", "First day (UTC)", SEK_COL_TEXT},
    [W_LAST] = {"last_day", "Last day", SEK_COL_TEXT},
    [W_DAYS] = {"days", "Days", SEK_COL_UINT},
    [W_TTL_MIN] = {"ttl_min_s", "TTL from, s", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [W_TTL_MAX] = {"ttl_max_s", "to", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [W_ASN] = {"asn", "AS", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [W_NETWORK] = {"network", "Run by", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [W_COUNTRY] = {"country", "Country", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
};

static void put_day(struct sek_out *o, unsigned col, int64_t day)
{
    char text[32];
    sek_time_to_text(day * DAY_S, text, sizeof text);
    text[strcspn(text, "T")] = '\0';
    sek_out_text(o, col, text);
}

static bool one_answer(void *arg, const struct sek_led_row *row)
{
    struct page *p = arg;
    struct sek_out *o = p->c->out;
    struct sek_geo_facts facts;
    char text[SEK_ADDR_TEXT_MAX];
    sek_geo_find(p->geo, &row->address, &facts);
    sek_out_text(o, W_ADDRESS, sek_addr_to_text(&row->address, text));
    put_day(o, W_FIRST, row->first_day);
    put_day(o, W_LAST, row->last_day);
    sek_out_uint(o, W_DAYS, row->n_days);
    if (row->has_ttl) {
        sek_out_uint(o, W_TTL_MIN, row->ttl_min_s);
        sek_out_uint(o, W_TTL_MAX, row->ttl_max_s);
    }
    if (facts.asn)
        sek_out_uint(o, W_ASN, facts.asn);
    sek_out_text(o, W_NETWORK, *facts.network ? facts.network : NULL);
    sek_out_text(o, W_COUNTRY, *facts.country ? facts.country : NULL);
    return sek_out_row(o);
}

enum { N_DOMAIN, N_ADDRESSES, N_ADDRESS, N_FIRST, N_LAST, N_COLS };
static const struct sek_col neighbour_cols[] = {
    [N_DOMAIN] = {"domain", "Neighbour by address", SEK_COL_NAME},
    [N_ADDRESSES] = {"addresses", "Shared", SEK_COL_UINT},
    [N_ADDRESS] = {"address", "Latest", SEK_COL_TEXT},
    [N_FIRST] = {"first_day", "First day (UTC)", SEK_COL_TEXT},
    [N_LAST] = {"last_day", "Last day", SEK_COL_TEXT},
};

static bool one_neighbour(void *arg, const struct sek_neighbour_row *row)
{
    struct sek_out *o = ((struct page *)arg)->c->out;
    char text[SEK_ADDR_TEXT_MAX];
    sek_out_text(o, N_DOMAIN, row->domain);
    sek_out_uint(o, N_ADDRESSES, row->n_addresses);
    sek_out_text(o, N_ADDRESS, sek_addr_to_text(&row->address, text));
    put_day(o, N_FIRST, row->first_day);
    put_day(o, N_LAST, row->last_day);
    return sek_out_row(o);
}

enum { S_SERVER, S_DOMAINS, S_FIRST, S_LAST, S_COLS };
static const struct sek_col server_cols[] = {
    [S_SERVER] = {"server", "Name server", SEK_COL_NAME},
    [S_DOMAINS] = {"domains", "Other domains", SEK_COL_UINT},
    [S_FIRST] = {"first_day", "First day (UTC)", SEK_COL_TEXT},
    [S_LAST] = {"last_day", "Last day", SEK_COL_TEXT},
};

static bool one_server(void *arg, const struct sek_server_row *row)
{
    struct sek_out *o = ((struct page *)arg)->c->out;
    sek_out_text(o, S_SERVER, row->name);
    sek_out_uint(o, S_DOMAINS, row->n_domains);
    put_day(o, S_FIRST, row->first_day);
    put_day(o, S_LAST, row->last_day);
    return sek_out_row(o);
}

enum { B_DOMAIN, B_SERVERS, B_SERVER, B_FIRST, B_LAST, B_COLS };
static const struct sek_col served_cols[] = {
    [B_DOMAIN] = {"domain", "Neighbour by name server", SEK_COL_NAME},
    [B_SERVERS] = {"servers", "Shared", SEK_COL_UINT},
    [B_SERVER] = {"server", "Rarest", SEK_COL_NAME},
    [B_FIRST] = {"first_day", "First day (UTC)", SEK_COL_TEXT},
    [B_LAST] = {"last_day", "Last day", SEK_COL_TEXT},
};

static bool one_served(void *arg, const struct sek_served_row *row)
{
    struct sek_out *o = ((struct page *)arg)->c->out;
    sek_out_text(o, B_DOMAIN, row->domain);
    sek_out_uint(o, B_SERVERS, row->n_servers);
    sek_out_text(o, B_SERVER, row->server);
    put_day(o, B_FIRST, row->first_day);
    put_day(o, B_LAST, row->last_day);
    return sek_out_row(o);
}

static enum sek_err put_servers(struct page *p)
{
    struct sek_context *c = p->c;
    sek_out_part(c->out, "servers", server_cols, S_COLS, SEK_OUT_ROWS);
    enum sek_err e = sek_report_servers(p->events, &p->domain, p->limit, one_server, p, &c->diag);
    sek_out_part(c->out, "server_neighbours", served_cols, B_COLS, SEK_OUT_ROWS);
    return e ? e : sek_report_served(p->events, &p->domain, p->limit, one_served, p, &c->diag);
}

static enum sek_err put_places(struct page *p)
{
    struct sek_context *c = p->c;
    sek_out_part(c->out, "answers", answer_cols, W_COLS, SEK_OUT_ROWS);
    enum sek_err e = sek_report_led(p->events, &p->domain, 0, p->limit, one_answer, p, &c->diag);
    sek_out_part(c->out, "neighbours", neighbour_cols, N_COLS, SEK_OUT_ROWS);
    return e ? e
             : sek_report_neighbours(p->events, &p->domain, 0, p->limit, one_neighbour, p,
                                     &c->diag);
}

/* --- lists and exceptions ----------------------------------------------------------------------
 */

enum { L_RULE, L_LIST, L_MODE, L_ACTION, L_SINCE, L_UNTIL, L_WHO, L_WHY, L_COLS };
#define RULE_COLS(title)                                                                           \
    {                                                                                              \
        [L_RULE] = {"rule", title, SEK_COL_NAME}, [L_LIST] = {"list", "List", SEK_COL_TEXT},       \
        [L_MODE] = {"mode", "Mode", SEK_COL_TEXT},                                                 \
        [L_ACTION] = {"action", "Action", SEK_COL_TEXT},                                           \
        [L_SINCE] = {"since", "Since (UTC)", SEK_COL_TIME},                                        \
        [L_UNTIL] = {"until", "Until (UTC)", SEK_COL_TIME, "for good"},                            \
        [L_WHO] = {"who", "Who", SEK_COL_TEXT}, [L_WHY] = {"reason", "Why", SEK_COL_TEXT},         \
    }
static const struct sek_col rule_cols[] = RULE_COLS("Listed as"),
                            exception_cols[] = RULE_COLS("Exception");

struct rules {
    struct page *p;
    struct sek_buf lists; /* struct sek_list_row, all */
    unsigned depth;       /* labels that the name has more than the one looked at */
    bool exceptions;      /* else what blocks or records */
};

static bool take_list(void *arg, const struct sek_list_row *row)
{
    struct rules *r = arg;
    sek_buf_add(&r->lists, row, sizeof *row);
    return !r->lists.failed;
}

static bool one_rule(void *arg, const struct sek_entry *entry)
{
    struct rules *r = arg;
    struct sek_out *o = r->p->c->out;
    const struct sek_list_row *list = (const void *)r->lists.data;
    size_t n = r->lists.len / sizeof *list, i = 0;
    char rule[SEK_NAME_TEXT_MAX + 2];
    bool meets =
        r->depth == 0 ? entry->rule.scope != SEK_SCOPE_BELOW : entry->rule.scope != SEK_SCOPE_EXACT;
    while (i < n && list[i].list.id != entry->rule.list)
        i++;
    if (!meets || i == n || (entry->rule.expires_s && entry->rule.expires_s <= r->p->c->now_s))
        return true;
    int action = entry->rule.action ? entry->rule.action : list[i].list.action;
    if ((action == SEK_ACTION_PASSTHRU) != r->exceptions)
        return true;
    sek_rule_to_text((enum sek_scope)entry->rule.scope, entry->name.octets, rule);
    sek_out_text(o, L_RULE, rule);
    sek_out_text(o, L_LIST, list[i].list.name);
    sek_out_text(o, L_MODE, sek_lookup_name(sek_mode_names, list[i].list.mode));
    sek_out_text(o, L_ACTION, sek_lookup_name(sek_action_names, action));
    sek_out_int(o, L_SINCE, entry->created_s);
    if (entry->rule.expires_s)
        sek_out_int(o, L_UNTIL, entry->rule.expires_s);
    sek_out_text(o, L_WHO, *entry->who ? entry->who : NULL);
    sek_out_text(o, L_WHY, *entry->comment ? entry->comment : NULL);
    return sek_out_row(o);
}

static enum sek_err put_rules(struct page *p, struct rules *r)
{
    enum sek_err e = SEK_OK;
    for (r->depth = 0; !e && r->depth < p->name.n_labels; r->depth++) {
        struct sek_name at;
        sek_name_parent(&p->name, r->depth, &at);
        e = sek_policydb_entries_at(p->db, &at, one_rule, r, &p->c->diag);
    }
    return e;
}

static enum sek_err put_policy(struct page *p)
{
    struct sek_out *o = p->c->out;
    struct rules r = {.p = p};
    enum sek_err e = SEK_OK;
    sek_buf_init(&r.lists, 0);
    if (p->db)
        e = sek_policydb_lists(p->db, take_list, &r, &p->c->diag);
    sek_out_part(o, "lists", rule_cols, L_COLS, SEK_OUT_ROWS);
    if (p->db && !e)
        e = put_rules(p, &r);
    r.exceptions = true;
    sek_out_part(o, "exceptions", exception_cols, L_COLS, SEK_OUT_ROWS);
    if (p->db && !e)
        e = put_rules(p, &r);
    sek_buf_fini(&r.lists);
    return e;
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

enum { V_LIST, V_COUNT, V_BLOCKED, V_MONITORED, V_ENDPOINTS, V_NAMES, V_FIRST, V_LAST, V_COLS };
static const struct sek_col verdict_cols[] = {
    [V_LIST] = {"list", "Verdicts by", SEK_COL_TEXT},
    [V_COUNT] = {"count", "Queries", SEK_COL_UINT},
    [V_BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
    [V_MONITORED] = {"monitored", "Recorded", SEK_COL_UINT},
    [V_ENDPOINTS] = {"endpoints", "Endpoints", SEK_COL_UINT},
    [V_NAMES] = {"names", "Names", SEK_COL_UINT},
    [V_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [V_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

static bool one_verdict(void *arg, const struct sek_hit_group *g)
{
    struct page *p = arg;
    struct sek_out *o = p->c->out;
    sek_out_text(o, V_LIST, g->key);
    sek_out_uint(o, V_COUNT, g->count);
    sek_out_uint(o, V_BLOCKED, g->blocked);
    sek_out_uint(o, V_MONITORED, g->monitored);
    sek_out_uint(o, V_ENDPOINTS, g->n_endpoints);
    sek_out_uint(o, V_NAMES, g->n_names);
    sek_out_int(o, V_FIRST, g->first_ms);
    sek_out_int(o, V_LAST, g->last_ms);
    return sek_out_row(o);
}

static bool one_finding(void *arg, const struct sek_finding_row *f)
{
    return sek_find_view_row(arg, f);
}

static enum sek_err put_verdicts(struct page *p)
{
    struct sek_context *c = p->c;
    const struct sek_hit_filter all = {.name = p->name_text};
    const struct sek_hit_filter latest = {.name = p->name_text, .limit = p->limit};
    sek_out_part(c->out, "verdicts", verdict_cols, V_COLS, SEK_OUT_ROWS);
    enum sek_err e =
        sek_report_hit_groups(p->events, &all, SEK_GROUP_LIST, one_verdict, p, &c->diag);
    sek_hit_latest_part(c->out);
    return e ? e : sek_report_hits(p->events, &latest, sek_hit_latest_row, c->out, &c->diag);
}

static enum sek_err put_findings(struct page *p)
{
    const char *members[SEK_FIND_MEMBERS_MAX];
    struct sek_find_view view;
    const struct sek_finding_filter filter = {.domain = p->domain_text,
                                              .members = members,
                                              .n_members = sek_find_members(members),
                                              .limit = p->limit};
    sek_find_view_part(&view, p->c, "findings");
    enum sek_err e = sek_report_findings(p->events, &filter, one_finding, &view, &p->c->diag);
    sek_find_view_fini(&view);
    return e;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static void put_record(struct page *p)
{
    struct sek_seen_domain seen;
    bool found = sek_seen_find(&p->seen, &p->domain, &seen);
    sek_out_begin(p->c->out, "sekisho.domain/1", sek_seen_show_cols, SEK_SEEN_COLS, SEK_OUT_RECORD);
    if (found)
        sek_seen_row(&p->seen, &seen);
}

static enum sek_err put_all(struct page *p)
{
    struct sek_context *c = p->c;
    put_record(p);
    enum sek_err e = SEK_OK;
    if (p->events)
        e = put_askers(p);
    if (p->events && !e)
        e = put_places(p);
    if (p->events && !e)
        e = put_servers(p);
    if (!e)
        e = put_policy(p);
    if (!e)
        e = sek_except_about_name(c, p->db, &p->name, p->limit);
    if (p->events && !e)
        e = put_verdicts(p);
    if (p->events && !e)
        e = put_findings(p);
    const char *const names[] = {p->name_text, p->domain_text};
    if (!e)
        e = sek_incident_put_about(c, p->db, SEK_INCIDENT_DOMAIN, names, 2);
    uint64_t n = sek_out_n_rows(c->out);
    if (!e)
        e = sek_out_end(c->out, &c->diag);
    return !e && n == 0 ? sek_context_none(c, "nothing is known of %.200s", p->name_text) : e;
}

/* The page goes on without any of its sources, but not without all. */
static enum sek_err open_sources(struct page *p)
{
    struct sek_context *c = p->c;
    struct sek_diag why = {0};
    enum sek_err e = sek_seen_open(c, &p->seen);
    if (e && !c->conf_loaded)
        return e;
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("the history of domains is not shown: %s", c->diag.text);
    if (sek_report_open(c->conf.events.db, &p->events, &why) == SEK_OK)
        p->geo = sek_geo_open(&c->conf, c->now_s);
    else
        sek_talk("events are not shown: %s", why.text);
    e = sek_policydb_open(c->conf.policy.db, false, &p->db, &why);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("lists and exceptions are not shown: %s", why.text);
    c->diag = (struct sek_diag){0};
    return SEK_OK;
}

enum sek_err sek_cmd_domain(struct sek_context *c)
{
    struct page p = {.c = c, .limit = LATEST};
    if (c->opt[OPT_LIMIT].given)
        p.limit = (unsigned)c->opt[OPT_LIMIT].number;
    enum sek_err e = open_sources(&p);
    if (!e)
        e = sek_seen_registered(c, &c->conf, c->args[0], &p.name, &p.domain);
    if (!e) {
        sek_name_to_text(p.name.octets, p.name_text);
        sek_name_to_text(p.domain.octets, p.domain_text);
        e = put_all(&p);
    }
    sek_geo_free(p.geo);
    sek_report_close(p.events);
    sek_policydb_close(p.db);
    sek_seen_close(&p.seen);
    return e;
}
