/* SPDX-License-Identifier: BSD-3-Clause */
#include "endpointmore.h"
#include "base/duration.h"
#include "name/text.h"
#include "policy/groups.h"
#include "exceptabout.h"
#include "riskview.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DAY_S 86400
#define DAYS 7
#define LATEST 10

static void put_text(struct sek_out *o, unsigned col, const char *text)
{
    if (text && *text)
        sek_out_text(o, col, text);
}

/* --- risk, day by day --------------------------------------------------------------------------
 */

enum { Y_DAY, Y_RISK, Y_FINDINGS, Y_BLOCKED, Y_MONITORED, Y_DGA, Y_NEW, Y_REASON, Y_COLS };
static const struct sek_col day_cols[] = {
    [Y_DAY] = {"day", "Risk at the end of (UTC)", SEK_COL_TEXT},
    [Y_RISK] = {"risk", "Risk", SEK_COL_REAL},
    [Y_FINDINGS] = {"points_findings", "Findings", SEK_COL_REAL},
    [Y_BLOCKED] = {"points_blocked", "Blocked", SEK_COL_REAL},
    [Y_MONITORED] = {"points_monitored", "Recorded", SEK_COL_REAL},
    [Y_DGA] = {"points_machine_made", "Machine-made", SEK_COL_REAL},
    [Y_NEW] = {"points_new", "New", SEK_COL_REAL},
    [Y_REASON] = {"reason", "Why", SEK_COL_TEXT},
};

/* The riskiest of those that had the address that day. */
static void put_risk(struct sek_out *o, const struct sek_risk *risk)
{
    static const unsigned part_col[] = {[SEK_RISK_FINDING] = Y_FINDINGS,
                                        [SEK_RISK_BLOCKED] = Y_BLOCKED,
                                        [SEK_RISK_MONITORED] = Y_MONITORED,
                                        [SEK_RISK_DGA] = Y_DGA,
                                        [SEK_RISK_NOD] = Y_NEW,
                                        [SEK_RISK_NEW] = Y_NEW};
    struct sek_buf words;
    double points[Y_COLS] = {0};
    for (unsigned i = 0; i < risk->n_reasons; i++)
        points[part_col[risk->reasons[i].part]] += risk->reasons[i].points;
    sek_buf_init(&words, 0);
    sek_risk_words(risk, &words);
    sek_out_real(o, Y_RISK, risk->score, 1);
    for (unsigned i = Y_FINDINGS; i <= Y_NEW; i++)
        sek_out_real(o, i, points[i], 1);
    put_text(o, Y_REASON, words.data);
    sek_buf_fini(&words);
}

static bool one_day(void *arg, int64_t moment_s, const struct sek_risk *risk)
{
    struct sek_out *o = arg;
    char day[32];
    sek_time_to_text(moment_s, day, sizeof day);
    day[strcspn(day, "T")] = '\0';
    sek_out_text(o, Y_DAY, day);
    sek_out_real(o, Y_RISK, 0, 1);
    if (risk)
        put_risk(o, risk);
    return sek_out_row(o);
}

static int64_t evening_s(int64_t now_s, int back)
{
    return back ? now_s - now_s % DAY_S - (int64_t)(back - 1) * DAY_S - 1 : now_s;
}

int64_t sek_endpoint_days_begin(int64_t now_s)
{
    return evening_s(now_s, DAYS - 1);
}

enum sek_err sek_endpoint_put_days(const struct sek_endpoint_more *m,
                                   struct sek_risk_evidence *evidence)
{
    struct sek_context *c = m->c;
    int64_t moments[DAYS];
    for (int back = 0; back < DAYS; back++)
        moments[back] = evening_s(c->now_s, back);
    sek_out_part(c->out, "days", day_cols, Y_COLS, SEK_OUT_ROWS);
    return sek_risk_evidence_then(evidence, moments, DAYS, one_day, c->out, &c->diag);
}

/* --- sums --------------------------------------------------------------------------------------
 */

enum {
    S_FIRST,
    S_LAST,
    S_HITS,
    S_BLOCKED,
    S_MONITORED,
    S_SEEN,
    S_SEEN_LAST,
    S_QUERIES,
    S_CACHED,
    S_PASSED,
    S_NXDOMAIN,
    S_FAILED,
    S_DOMAINS,
    S_COLS
};
static const struct sek_col sum_cols[] = {
    [S_FIRST] = {"first_hit", "First hit (UTC)", SEK_COL_TIME_MS, "none"},
    [S_LAST] = {"last_hit", "Last hit (UTC)", SEK_COL_TIME_MS, "none"},
    [S_HITS] = {"hits", "  hits", SEK_COL_UINT},
    [S_BLOCKED] = {"blocked", "  blocked", SEK_COL_UINT},
    [S_MONITORED] = {"monitored", "  recorded only", SEK_COL_UINT},
    [S_SEEN] = {"first_query", "First query kept (UTC)", SEK_COL_TIME_MS, "none"},
    [S_SEEN_LAST] = {"last_query", "Last query (UTC)", SEK_COL_TIME_MS, "none"},
    [S_QUERIES] = {"queries", "  queries", SEK_COL_UINT},
    [S_CACHED] = {"cached", "  from cache", SEK_COL_UINT},
    [S_PASSED] = {"passed", "  resolved", SEK_COL_UINT},
    [S_NXDOMAIN] = {"nxdomain", "  NXDOMAIN", SEK_COL_UINT},
    [S_FAILED] = {"failed", "  failed", SEK_COL_UINT},
    [S_DOMAINS] = {"domains", "  domains", SEK_COL_UINT},
};

/* What it met: a list, or what decided without one. */
struct met {
    char name[SEK_LIST_NAME_MAX];
    uint64_t n, blocked, monitored, names;
    int64_t first_ms, last_ms;
};

struct sums {
    struct sek_buf lists; /* struct met */
    struct sek_traffic_row traffic;
};

static bool take_list(void *arg, const struct sek_hit_group *g)
{
    struct sums *s = arg;
    struct met one = {.n = g->count,
                      .blocked = g->blocked,
                      .monitored = g->monitored,
                      .names = g->n_names,
                      .first_ms = g->first_ms,
                      .last_ms = g->last_ms};
    snprintf(one.name, sizeof one.name, "%s", g->key);
    sek_buf_add(&s->lists, &one, sizeof one);
    return !s->lists.failed;
}

static bool take_traffic(void *arg, const struct sek_traffic_row *row)
{
    ((struct sums *)arg)->traffic = *row;
    return false;
}

static void put_sums(struct sek_out *o, const struct sums *s)
{
    const struct met *lists = (const void *)s->lists.data;
    struct met all = {.first_ms = INT64_MAX, .last_ms = INT64_MIN};
    const struct sek_traffic_row *t = &s->traffic;
    for (size_t i = 0; i < s->lists.len / sizeof *lists; i++) {
        all.n += lists[i].n;
        all.blocked += lists[i].blocked;
        all.monitored += lists[i].monitored;
        all.first_ms = lists[i].first_ms < all.first_ms ? lists[i].first_ms : all.first_ms;
        all.last_ms = lists[i].last_ms > all.last_ms ? lists[i].last_ms : all.last_ms;
    }
    if (all.n == 0 && t->queries == 0)
        return;
    if (all.n) {
        sek_out_int(o, S_FIRST, all.first_ms);
        sek_out_int(o, S_LAST, all.last_ms);
    }
    sek_out_uint(o, S_HITS, all.n);
    sek_out_uint(o, S_BLOCKED, all.blocked);
    sek_out_uint(o, S_MONITORED, all.monitored);
    if (t->queries) {
        sek_out_int(o, S_SEEN, t->first_ms);
        sek_out_int(o, S_SEEN_LAST, t->last_ms);
    }
    sek_out_uint(o, S_QUERIES, t->queries);
    sek_out_uint(o, S_CACHED, t->cached);
    sek_out_uint(o, S_PASSED, t->passed + t->let_through);
    sek_out_uint(o, S_NXDOMAIN, t->nxdomain);
    sek_out_uint(o, S_FAILED, t->failed);
    sek_out_uint(o, S_DOMAINS, t->n_domains);
    sek_out_row(o);
}

enum { L_BY, L_WHAT, L_N, L_BLOCKED, L_MONITORED, L_NAMES, L_FIRST, L_LAST, L_COLS };
static const struct sek_col list_cols[] = {
    [L_BY] = {"by", "Met", SEK_COL_TEXT},
    [L_WHAT] = {"what", "List, or detector and kind", SEK_COL_TEXT},
    [L_N] = {"n", "Number", SEK_COL_UINT},
    [L_BLOCKED] = {"blocked", "Blocked", SEK_COL_UINT},
    [L_MONITORED] = {"monitored", "Recorded", SEK_COL_UINT},
    [L_NAMES] = {"names", "Names", SEK_COL_UINT},
    [L_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [L_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

/* Findings of one detector and kind ("dga necurs"). */
struct family {
    int detector;
    char kind[64];
    uint64_t n;
    int64_t first_ms, last_ms;
};

static bool take_family(void *arg, const struct sek_finding_row *f)
{
    struct sek_buf *families = arg;
    const char *kind = f->members[0] ? f->members[0] : "";
    struct family *all = (void *)families->data;
    size_t n = families->len / sizeof *all, i = 0;
    while (i < n && (all[i].detector != f->detector || strcmp(all[i].kind, kind) != 0))
        i++;
    if (i == n) {
        struct family fresh = {.detector = f->detector, .first_ms = INT64_MAX};
        snprintf(fresh.kind, sizeof fresh.kind, "%s", kind);
        sek_buf_add(families, &fresh, sizeof fresh);
        if (families->failed)
            return false;
        all = (void *)families->data;
    }
    all[i].n++;
    all[i].first_ms = f->start_ms < all[i].first_ms ? f->start_ms : all[i].first_ms;
    all[i].last_ms = f->end_ms > all[i].last_ms ? f->end_ms : all[i].last_ms;
    return true;
}

static void put_met(struct sek_out *o, const struct sek_buf *lists, const struct sek_buf *families)
{
    const struct met *list = (const void *)lists->data;
    const struct family *family = (const void *)families->data;
    char what[128];
    for (size_t i = 0; i < lists->len / sizeof *list; i++) {
        sek_out_text(o, L_BY, "list");
        sek_out_text(o, L_WHAT, list[i].name);
        sek_out_uint(o, L_N, list[i].n);
        sek_out_uint(o, L_BLOCKED, list[i].blocked);
        sek_out_uint(o, L_MONITORED, list[i].monitored);
        sek_out_uint(o, L_NAMES, list[i].names);
        sek_out_int(o, L_FIRST, list[i].first_ms);
        sek_out_int(o, L_LAST, list[i].last_ms);
        sek_out_row(o);
    }
    for (size_t i = 0; i < families->len / sizeof *family; i++) {
        const char *detector = sek_lookup_name(sek_detector_names, family[i].detector);
        snprintf(what, sizeof what, "%s%s%s", detector ? detector : "?", *family[i].kind ? " " : "",
                 family[i].kind);
        sek_out_text(o, L_BY, "detector");
        sek_out_text(o, L_WHAT, what);
        sek_out_uint(o, L_N, family[i].n);
        sek_out_int(o, L_FIRST, family[i].first_ms);
        sek_out_int(o, L_LAST, family[i].last_ms);
        sek_out_row(o);
    }
}

static enum sek_err read_sums(const struct sek_endpoint_more *m, struct sums *s,
                              struct sek_buf *families)
{
    static const char *const members[] = {"$.kind"};
    struct sek_diag *diag = &m->c->diag;
    const struct sek_hit_filter hits = {.endpoint = m->selector};
    const struct sek_finding_filter findings = {
        .endpoint = m->selector, .members = members, .n_members = 1};
    enum sek_err e = sek_report_hit_groups(m->events, &hits, SEK_GROUP_LIST, take_list, s, diag);
    if (!e)
        e = sek_report_traffic(m->events, 0, 0, m->selector, NULL, SEK_TRAFFIC_TOTAL, 0,
                               take_traffic, s, diag);
    if (!e)
        e = sek_report_findings(m->events, &findings, take_family, families, diag);
    if (!e && (s->lists.failed || families->failed))
        e = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    return e;
}

enum sek_err sek_endpoint_put_sums(const struct sek_endpoint_more *m)
{
    struct sek_out *o = m->c->out;
    struct sums s = {.traffic = {0}};
    struct sek_buf families;
    sek_buf_init(&s.lists, 0);
    sek_buf_init(&families, 0);
    enum sek_err e = read_sums(m, &s, &families);
    if (!e) {
        sek_out_part(o, "sums", sum_cols, S_COLS, SEK_OUT_RECORD);
        put_sums(o, &s);
        sek_out_part(o, "met", list_cols, L_COLS, SEK_OUT_ROWS);
        put_met(o, &s.lists, &families);
    }
    sek_buf_fini(&s.lists);
    sek_buf_fini(&families);
    return e;
}

/* --- series ------------------------------------------------------------------------------------
 */

enum {
    R_DETECTOR,
    R_DOMAIN,
    R_FIRST,
    R_LAST,
    R_PERIOD,
    R_JITTER,
    R_VISITS,
    R_OUT,
    R_IN,
    R_NAMES,
    R_NXDOMAINS,
    R_CONFIDENCE,
    R_ID,
    R_COLS
};
static const struct sek_col series_cols[] = {
    [R_DETECTOR] = {"detector", "Series", SEK_COL_TEXT},
    [R_DOMAIN] = {"domain", "Domain", SEK_COL_NAME},
    [R_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [R_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
    [R_PERIOD] = {"period_s", "Period, s", SEK_COL_REAL, NULL, 0, SEK_COL_FILLED},
    [R_JITTER] = {"jitter", "Jitter", SEK_COL_REAL, NULL, 0, SEK_COL_FILLED},
    [R_VISITS] = {"visits", "Visits", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [R_OUT] = {"octets_out", "Octets out, about", SEK_COL_OCTETS, NULL, 0, SEK_COL_FILLED},
    [R_IN] = {"octets_in", "in", SEK_COL_OCTETS, NULL, 0, SEK_COL_FILLED},
    [R_NAMES] = {"names", "Names", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [R_NXDOMAINS] = {"nxdomains", "NXDOMAINs", SEK_COL_UINT, NULL, 0, SEK_COL_FILLED},
    [R_CONFIDENCE] = {"confidence", "Confidence", SEK_COL_REAL},
    [R_ID] = {"id", "Id", SEK_COL_UINT},
};
/* Members of the evidence, from R_PERIOD to R_NXDOMAINS. */
static const char *const series_members[] = {
    "$.period_s", "$.jitter", "$.visits", "$.octets_out", "$.octets_in", "$.names", "$.nxdomains"};
#define N_MEMBERS (sizeof series_members / sizeof *series_members)

static bool one_series(void *arg, const struct sek_finding_row *f)
{
    struct sek_out *o = arg;
    sek_out_text(o, R_DETECTOR, sek_lookup_name(sek_detector_names, f->detector));
    put_text(o, R_DOMAIN, f->domain);
    sek_out_int(o, R_FIRST, f->start_ms);
    sek_out_int(o, R_LAST, f->end_ms);
    for (unsigned i = 0; i < N_MEMBERS; i++) {
        unsigned col = R_PERIOD + i;
        double v = f->members[i] ? strtod(f->members[i], NULL) : 0;
        if (!f->members[i])
            continue;
        if (series_cols[col].kind == SEK_COL_REAL)
            sek_out_real(o, col, v, col == R_PERIOD ? 1 : 2);
        else
            sek_out_uint(o, col, v > 0 && v < 1e18 ? (uint64_t)v : 0);
    }
    sek_out_real(o, R_CONFIDENCE, f->confidence, 2);
    sek_out_uint(o, R_ID, (uint64_t)f->id);
    return sek_out_row(o);
}

enum sek_err sek_endpoint_put_series(const struct sek_endpoint_more *m)
{
    static const int detectors[] = {SEK_DETECTOR_BEACON, SEK_DETECTOR_TUNNEL, SEK_DETECTOR_NXBURST};
    enum sek_err e = SEK_OK;
    sek_out_part(m->c->out, "series", series_cols, R_COLS, SEK_OUT_ROWS);
    for (unsigned i = 0; !e && i < sizeof detectors / sizeof *detectors; i++) {
        const struct sek_finding_filter filter = {.endpoint = m->selector,
                                                  .detector = detectors[i],
                                                  .members = series_members,
                                                  .n_members = N_MEMBERS,
                                                  .limit = LATEST};
        e = sek_report_findings(m->events, &filter, one_series, m->c->out, &m->c->diag);
    }
    return e;
}

/* --- sinkholed ---------------------------------------------------------------------------------
 */

enum { K_NAME, K_COUNT, K_FIRST, K_LAST, K_COLS };
static const struct sek_col sinkhole_cols[] = {
    [K_NAME] = {"name", "Led to the sinkhole", SEK_COL_NAME},
    [K_COUNT] = {"count", "Count", SEK_COL_UINT},
    [K_FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS},
    [K_LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS},
};

struct rows {
    struct sek_out *out;
    unsigned n;
};

static bool one_sinkholed(void *arg, const struct sek_hit_group *g)
{
    struct rows *r = arg;
    sek_out_text(r->out, K_NAME, g->key);
    sek_out_uint(r->out, K_COUNT, g->count);
    sek_out_int(r->out, K_FIRST, g->first_ms);
    sek_out_int(r->out, K_LAST, g->last_ms);
    return sek_out_row(r->out) && ++r->n < LATEST;
}

enum sek_err sek_endpoint_put_sinkholed(const struct sek_endpoint_more *m)
{
    struct rows r = {.out = m->c->out};
    const struct sek_hit_filter filter = {.endpoint = m->selector, .action = SEK_ACTION_SINKHOLE};
    sek_out_part(r.out, "sinkholed", sinkhole_cols, K_COLS, SEK_OUT_ROWS);
    return sek_report_hit_groups(m->events, &filter, SEK_GROUP_NAME, one_sinkholed, &r,
                                 &m->c->diag);
}

/* --- policy ------------------------------------------------------------------------------------
 */

enum { G_GROUP, G_MEMBER, G_SINCE, G_UNTIL, G_WHO, G_WHY, G_COLS };
static const struct sek_col group_cols[] = {
    [G_GROUP] = {"group", "Group", SEK_COL_TEXT},
    [G_MEMBER] = {"member", "By", SEK_COL_TEXT},
    [G_SINCE] = {"since", "Since (UTC)", SEK_COL_TIME},
    [G_UNTIL] = {"until", "Until (UTC)", SEK_COL_TIME, "for good"},
    [G_WHO] = {"who", "Who", SEK_COL_TEXT},
    [G_WHY] = {"reason", "Why", SEK_COL_TEXT},
};

enum { E_RULE, E_LIST, E_SINCE, E_UNTIL, E_WHO, E_WHY, E_COLS };
static const struct sek_col exception_cols[] = {
    [E_RULE] = {"rule", "Exception", SEK_COL_NAME},
    [E_LIST] = {"list", "List", SEK_COL_TEXT},
    [E_SINCE] = {"since", "Since (UTC)", SEK_COL_TIME},
    [E_UNTIL] = {"until", "Until (UTC)", SEK_COL_TIME, "for good"},
    [E_WHO] = {"who", "Who", SEK_COL_TEXT},
    [E_WHY] = {"reason", "Why", SEK_COL_TEXT},
};

struct policy {
    const struct sek_endpoint_more *m;
    char groups[SEK_GROUPS_MAX + 1][SEK_LIST_NAME_MAX];
    uint64_t in;          /* groups that it is in */
    struct sek_buf lists; /* struct sek_list_row, whose exceptions are its own */
    const struct sek_list_row *list;
    unsigned n_entries;
};

static bool take_group(void *arg, const struct sek_group_row *row)
{
    struct policy *p = arg;
    if (row->group.id <= SEK_GROUPS_MAX)
        snprintf(p->groups[row->group.id], SEK_LIST_NAME_MAX, "%s", row->group.name);
    return true;
}

static bool one_member(void *arg, const struct sek_member *member)
{
    struct policy *p = arg;
    const struct sek_endpoint_more *m = p->m;
    struct sek_out *o = m->c->out;
    char text[SEK_NET_TEXT_MAX];
    bool has = false;
    if (member->expires_s && member->expires_s <= m->c->now_s)
        return true;
    for (unsigned i = 0; i < m->n_addrs && !has; i++)
        has = sek_net_has(&member->net, &m->addrs[i]);
    if (!has || member->group == 0 || member->group > SEK_GROUPS_MAX)
        return true;
    p->in |= sek_group_bit(member->group);
    sek_out_text(o, G_GROUP, p->groups[member->group]);
    sek_out_text(o, G_MEMBER, sek_net_to_text(&member->net, text));
    sek_out_int(o, G_SINCE, member->created_s);
    if (member->expires_s)
        sek_out_int(o, G_UNTIL, member->expires_s);
    put_text(o, G_WHO, member->who);
    put_text(o, G_WHY, member->comment);
    if (member->group == SEK_GROUP_QUARANTINE_ID)
        sek_out_tint(o, G_GROUP, SEK_TINT_BAD);
    return sek_out_row(o);
}

/* Exceptions that are for some only, this endpoint among them. */
static bool take_own_list(void *arg, const struct sek_list_row *row)
{
    struct policy *p = arg;
    if (row->list.action == SEK_ACTION_PASSTHRU && row->audience.only &&
        sek_audience_covers(&row->audience, p->in))
        sek_buf_add(&p->lists, row, sizeof *row);
    return !p->lists.failed;
}

static bool one_exception(void *arg, const struct sek_entry *entry)
{
    struct policy *p = arg;
    struct sek_out *o = p->m->c->out;
    char rule[SEK_NAME_TEXT_MAX + 2];
    if (entry->rule.expires_s && entry->rule.expires_s <= p->m->c->now_s)
        return true;
    sek_rule_to_text((enum sek_scope)entry->rule.scope, entry->name.octets, rule);
    sek_out_text(o, E_RULE, rule);
    sek_out_text(o, E_LIST, p->list->list.name);
    sek_out_int(o, E_SINCE, entry->created_s);
    if (entry->rule.expires_s)
        sek_out_int(o, E_UNTIL, entry->rule.expires_s);
    put_text(o, E_WHO, entry->who);
    put_text(o, E_WHY, entry->comment);
    return sek_out_row(o) && ++p->n_entries < LATEST;
}

enum sek_err sek_endpoint_put_policy(const struct sek_endpoint_more *m)
{
    struct sek_context *c = m->c;
    struct policy p = {.m = m};
    enum sek_err e = SEK_OK;
    sek_buf_init(&p.lists, 0);
    sek_out_part(c->out, "groups", group_cols, G_COLS, SEK_OUT_ROWS);
    if (m->db)
        e = sek_policydb_groups(m->db, c->now_s, take_group, &p, &c->diag);
    if (m->db && !e)
        e = sek_policydb_members(m->db, 0, one_member, &p, &c->diag);
    sek_out_part(c->out, "exceptions", exception_cols, E_COLS, SEK_OUT_ROWS);
    if (m->db && !e)
        e = sek_policydb_lists(m->db, take_own_list, &p, &c->diag);
    const struct sek_list_row *lists = (const void *)p.lists.data;
    for (size_t i = 0; !e && i < p.lists.len / sizeof *lists && p.n_entries < LATEST; i++) {
        p.list = &lists[i];
        e = sek_policydb_entries(m->db, lists[i].list.id, one_exception, &p, &c->diag);
    }
    sek_buf_fini(&p.lists);
    return e ? e : sek_except_about_endpoint(c, m->db, m->past, m->n_past, LATEST);
}
