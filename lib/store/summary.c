/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_parts.h"
#include "base/duration.h"
#include "event/finding.h"
#include "store/sums.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* A kind of groups: the column of their ids, and how an id becomes text: by a query with ?1, by a
 * table of words, or as a time in units. */
struct kind {
    const char *column, *key_sql;
    int64_t unit_s;
    enum { KEY_TEXT, KEY_WORD, KEY_RULE } form;
};

/* What groups are called: the texts behind their ids, one after the other, `offsets` says where.
 * They are read before the first group is handed out: no transaction is open while the caller
 * prints. */
struct keys {
    struct sek_buf texts;
    size_t *offsets;
};

/* The text that needs no look into the database, or NULL: words of triggers (below 0) and
 * detectors, times. */
static const char *key_known(int64_t id, const struct kind *kind, char time[32])
{
    if (id < 0)
        return sek_trigger_decider((int)-id);
    if (kind->form == KEY_WORD)
        return sek__report_by_word(id);
    if (kind->unit_s)
        return sek_time_to_text(id * kind->unit_s, time, 32);
    return NULL;
}

static void add_key(struct keys *keys, const void *text)
{
    sek_buf_add_text(&keys->texts, text ? text : "");
    sek_buf_add(&keys->texts, "", 1);
}

static enum sek_err look_up_key(struct sek_report *r, sqlite3_stmt *stmt, int64_t id,
                                const struct kind *kind, struct keys *keys, struct sek_diag *diag)
{
    char rule[SEK_RULE_TEXT_MAX];
    sqlite3_reset(stmt);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sek__report_fail(r, rc, diag);
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, i) : NULL;
        if (text && kind->form == KEY_RULE) {
            sek_rule_plain_text(text, rule);
            text = rule;
        }
        add_key(keys, text);
    }
    return SEK_OK;
}

static enum sek_err read_keys(struct sek_report *r, const struct sek__sums *g, size_t n,
                              const struct kind *kind, struct keys *keys, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    keys->offsets = calloc(n + 1, sizeof *keys->offsets);
    if (!keys->offsets)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    enum sek_err err = kind->key_sql ? sek_sql_prepare(r->sql, kind->key_sql, &stmt, diag) : SEK_OK;
    for (size_t i = 0; i < n && !err; i++) {
        char time[32];
        const char *known = key_known(g->all[i].id, kind, time);
        keys->offsets[i] = keys->texts.len;
        if (known || !stmt)
            add_key(keys, known);
        else
            err = look_up_key(r, stmt, g->all[i].id, kind, keys, diag);
    }
    sqlite3_finalize(stmt);
    if (!err && keys->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    return err;
}

static void keys_fini(struct keys *keys)
{
    sek_buf_fini(&keys->texts);
    free(keys->offsets);
}

/* True when the range covers so much of the table that its index would only be a detour. */
static bool is_wide(struct sek_report *r, const char *oldest_sql, const char *newest_sql,
                    int64_t since_s, int64_t until_s)
{
    int64_t oldest = 0, newest = 0;
    if (sek_sql_int(r->sql, oldest_sql, &oldest, NULL) ||
        sek_sql_int(r->sql, newest_sql, &newest, NULL))
        return false;
    int64_t from = since_s / 60 > oldest ? since_s / 60 : oldest;
    int64_t to = until_s && until_s / 60 < newest ? until_s / 60 : newest;
    return to - from >= (newest - oldest) / 4;
}

/* --- hits --------------------------------------------------------------------------------------
 */

#define KEY_ENDPOINT "SELECT address FROM endpoint WHERE id = ?1"
#define KEY_NAME "SELECT text FROM name WHERE id = ?1"

static const struct kind group_kinds[] = {
    [SEK_GROUP_ENDPOINT] = {"h.endpoint", KEY_ENDPOINT, 0, KEY_TEXT},
    [SEK_GROUP_NAME] = {"h.name", KEY_NAME, 0, KEY_TEXT},
    /* below 0: the trigger of a hit that no list decided */
    [SEK_GROUP_LIST] = {"iif(h.list = 0, -h.trigger, h.list)",
                        "SELECT name FROM list WHERE id = ?1", 0, KEY_TEXT},
    [SEK_GROUP_DOMAIN] = {"h.domain", KEY_NAME, 0, KEY_TEXT},
    [SEK_GROUP_RULE] = {"iif(h.scope = 0, -h.trigger, h.owner * 4 + h.scope)",
                        "SELECT CASE ?1 % 4 WHEN 1 THEN '=' WHEN 3 THEN '*.' ELSE '' END || text"
                        " FROM name WHERE id = ?1 / 4",
                        0, KEY_RULE},
    [SEK_GROUP_DETECTOR] = {SEK__BY_SQL, NULL, 0, KEY_WORD},
    [SEK_GROUP_HOUR] = {"h.minute / 60", NULL, 3600, KEY_TEXT},
    [SEK_GROUP_DAY] = {"h.minute / 1440", NULL, 86400, KEY_TEXT},
    [SEK_GROUP_CASE] = {"h.domain << 32 | h.endpoint",
                        "SELECT (SELECT text FROM name WHERE id = ?1 >> 32),"
                        " (SELECT address FROM endpoint WHERE id = ?1 & 4294967295)",
                        0, KEY_TEXT},
};

enum { BLOCKED, MONITORED };

static void add_hit_row(struct sek__sums *g, sqlite3_stmt *stmt)
{
    struct sek__sum *group = sek__sums_of(g, sqlite3_column_int64(stmt, 0));
    if (!group)
        return;
    uint64_t count = (uint64_t)sqlite3_column_int64(stmt, 1);
    bool blocked = sek_action_blocks((enum sek_action)sqlite3_column_int(stmt, 6));
    group->count += count;
    sek__sum_widen(group, sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3));
    sek__sums_partner(g, group, 0, sqlite3_column_int64(stmt, 4));
    sek__sums_partner(g, group, 1, sqlite3_column_int64(stmt, 5));
    group->sums[blocked ? BLOCKED : MONITORED] += count;
}

/* Sum all rows of a bound statement up, and finalize it. */
static enum sek_err sum_rows(struct sek_report *r, sqlite3_stmt *stmt,
                             void (*add)(struct sek__sums *, sqlite3_stmt *), struct sek__sums *g,
                             struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !g->failed)
        add(g, stmt);
    sek__sums_count_partners(g);
    if (g->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    else if (rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err sum_hits(struct sek_report *r, const struct sek_where *w, const char *column,
                             struct sek__sums *g, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_buf sql;
    bool scan = !w->narrow &&
                is_wide(r, "SELECT coalesce(min(minute), 0) FROM hit",
                        "SELECT coalesce(max(minute), 0) FROM hit", w->f->since_s, w->f->until_s);
    sek_buf_init(&sql, 16384);
    sek_buf_add_text(&sql, "SELECT ");
    sek_buf_add_text(&sql, column);
    sek_buf_add_text(&sql,
                     ", s.count, s.first_ms, s.last_ms, h.endpoint, h.name, h.action FROM hit h");
    sek_buf_add_text(&sql, scan ? " NOT INDEXED" : "");
    sek_buf_add_text(&sql, " CROSS JOIN hit_sum s ON s.id = h.id");
    sek_buf_add(&sql, w->text.data, w->text.len);
    enum sek_err err = sek__report_prepare(r, &sql, &stmt, diag);
    sek_buf_fini(&sql);
    if (err)
        return err;
    sek__report_bind(stmt, w);
    return sum_rows(r, stmt, add_hit_row, g, diag);
}

typedef int order_fn(const void *a, const void *b);

static int by_blocked(const void *a, const void *b)
{
    const struct sek__sum *x = a, *y = b;
    return x->sums[BLOCKED] != y->sums[BLOCKED] ? (x->sums[BLOCKED] < y->sums[BLOCKED] ? 1 : -1)
                                                : sek__sums_by_count(a, b);
}

static int by_partners(const void *a, const void *b, unsigned kind)
{
    uint64_t x = ((const struct sek__sum *)a)->n_partners[kind];
    uint64_t y = ((const struct sek__sum *)b)->n_partners[kind];
    return x != y ? (x < y ? 1 : -1) : sek__sums_by_count(a, b);
}

static int by_endpoints(const void *a, const void *b)
{
    return by_partners(a, b, 0);
}

static int by_names(const void *a, const void *b)
{
    return by_partners(a, b, 1);
}

static int by_first(const void *a, const void *b)
{
    const struct sek__sum *x = a, *y = b;
    return x->first_ms != y->first_ms ? (x->first_ms < y->first_ms ? 1 : -1)
                                      : sek__sums_by_count(a, b);
}

static int by_last(const void *a, const void *b)
{
    const struct sek__sum *x = a, *y = b;
    return x->last_ms != y->last_ms ? (x->last_ms < y->last_ms ? 1 : -1) : sek__sums_by_count(a, b);
}

static order_fn *const orders[] = {
    [SEK_SORT_COUNT] = sek__sums_by_count, [SEK_SORT_BLOCKED] = by_blocked,
    [SEK_SORT_ENDPOINTS] = by_endpoints,   [SEK_SORT_NAMES] = by_names,
    [SEK_SORT_FIRST] = by_first,           [SEK_SORT_LAST] = by_last,
};

/* Places of groups, sorted by their texts. */
struct rank {
    const char *text;
    size_t place;
};

static int by_text(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    int cmp = strcmp(x->text, y->text);
    return cmp ? cmp : (x->place > y->place) - (x->place < y->place);
}

static int by_text_reversed(const void *a, const void *b)
{
    return by_text(b, a);
}

static enum sek_err rank_keys(struct sek_report *r, const struct sek__sums *g,
                              const struct keys *keys, bool reverse, struct rank **out,
                              struct sek_diag *diag)
{
    *out = calloc(g->n + 1, sizeof **out);
    if (!*out)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    for (size_t i = 0; i < g->n; i++)
        (*out)[i] = (struct rank){keys->texts.data + keys->offsets[i], i};
    qsort(*out, g->n, sizeof **out, reverse ? by_text_reversed : by_text);
    return SEK_OK;
}

static void swap(struct sek__sum *a, struct sek__sum *b)
{
    struct sek__sum x = *a;
    *a = *b;
    *b = x;
}

/* The n at the front are a heap, of which the one that comes last in the order is at the root. */
static void sift_down(struct sek__sum *all, size_t n, size_t at, order_fn *order, int sign)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && sign * order(&all[child + 1], &all[child]) > 0)
            child++;
        if (sign * order(&all[child], &all[at]) <= 0)
            return;
        swap(&all[child], &all[at]);
        at = child;
    }
}

/* The first `want` of an order, in that order; the others lie behind. Of hundred thousand groups a
 * hundred are asked for: one look at each costs a fifth of sorting them. */
static void sort_first(struct sek__sum *all, size_t n, size_t want, order_fn *order, bool reverse)
{
    int sign = reverse ? -1 : 1;
    if (want < n) {
        for (size_t i = want / 2; i-- > 0;)
            sift_down(all, want, i, order, sign);
        for (size_t i = want; want && i < n; i++)
            if (sign * order(&all[i], &all[0]) < 0) {
                swap(&all[i], &all[0]);
                sift_down(all, want, 0, order, sign);
            }
    }
    if (want)
        qsort(all, want, sizeof *all, order);
    for (size_t i = 0; reverse && i < want / 2; i++)
        swap(&all[i], &all[want - 1 - i]);
}

/* In the wanted order: `rank` (NULL: as they are) tells their places. */
static void hand_out_hits(const struct sek__sums *g, size_t n, const struct keys *keys,
                          const struct rank *rank, bool is_case, sek_hit_group_fn *fn, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = rank ? rank[i].place : i;
        const struct sek__sum *x = &g->all[at];
        const char *key = keys->texts.data + keys->offsets[at];
        struct sek_hit_group out = {.key = key,
                                    .endpoint = is_case ? key + strlen(key) + 1 : NULL,
                                    .count = x->count,
                                    .n_endpoints = x->n_partners[0],
                                    .n_names = x->n_partners[1],
                                    .first_ms = x->first_ms,
                                    .last_ms = x->last_ms,
                                    .blocked = x->sums[BLOCKED],
                                    .monitored = x->sums[MONITORED]};
        if (!fn(arg, &out))
            return;
    }
}

/* In order, named, and no more of them than are wanted. */
static enum sek_err order_groups(struct sek_report *r, struct sek__sums *g,
                                 const struct sek_hit_filter *f, const struct kind *kind,
                                 struct keys *keys, struct rank **rank, size_t *out_n,
                                 struct sek_diag *diag)
{
    struct sek_group_order order = f->order;
    enum sek_group_sort sort = order.sort     ? order.sort
                               : kind->unit_s ? SEK_SORT_FIRST
                                              : SEK_SORT_COUNT;
    bool by_key = sort == SEK_SORT_KEY && !kind->unit_s; /* times sort as numbers */
    if (kind->unit_s && sort == SEK_SORT_KEY)
        order = (struct sek_group_order){sort = SEK_SORT_FIRST, !order.reverse};
    size_t n = f->limit && f->limit < g->n ? f->limit : g->n;
    if (!by_key)
        sort_first(g->all, g->n, n, orders[sort], order.reverse);
    enum sek_err err = read_keys(r, g, by_key ? g->n : n, kind, keys, diag);
    if (!err && by_key)
        err = rank_keys(r, g, keys, order.reverse, rank, diag);
    *out_n = n;
    return err;
}

enum sek_err sek_report_hit_groups(struct sek_report *r, const struct sek_hit_filter *f,
                                   enum sek_group by, sek_hit_group_fn *fn, void *arg,
                                   struct sek_diag *diag)
{
    struct sek_where w;
    struct sek__sums g;
    struct keys keys = {.offsets = NULL};
    struct rank *rank = NULL;
    size_t n = 0;
    if (by < SEK_GROUP_ENDPOINT || by > SEK_GROUP_CASE)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown grouping");
    enum sek_err err = sek__report_where(r, f, &w, diag);
    if (err)
        return err;
    sek__sums_init(&g);
    sek_buf_init(&keys.texts, 0);
    g.single[0] = by == SEK_GROUP_ENDPOINT || by == SEK_GROUP_CASE;
    g.single[1] = by == SEK_GROUP_NAME;
    if (!w.nothing)
        err = sum_hits(r, &w, group_kinds[by].column, &g, diag);
    if (!err)
        err = order_groups(r, &g, f, &group_kinds[by], &keys, &rank, &n, diag);
    if (!err)
        hand_out_hits(&g, n, &keys, rank, by == SEK_GROUP_CASE, fn, arg);
    free(rank);
    keys_fini(&keys);
    sek__sums_fini(&g);
    sek__report_where_fini(&w);
    return err;
}

/* --- traffic -----------------------------------------------------------------------------------
 */

static const struct kind traffic_kinds[] = {
    [SEK_TRAFFIC_TOTAL] = {"0", NULL, 0, KEY_TEXT},
    [SEK_TRAFFIC_ENDPOINT] = {"endpoint", KEY_ENDPOINT, 0, KEY_TEXT},
    [SEK_TRAFFIC_DOMAIN] = {"domain", KEY_NAME, 0, KEY_TEXT},
    [SEK_TRAFFIC_MINUTE] = {"minute", NULL, 60, KEY_TEXT},
};

struct traffic_filter {
    int64_t since_s, until_s, endpoint, domain;
    const char *spans; /* NULL: one endpoint, or all */
    bool by_endpoint, by_domain;
    char path[SEK_NAME_TEXT_MAX], from[SEK_NAME_TEXT_MAX + 1], to[SEK_NAME_TEXT_MAX + 1];
};

static bool is_narrow(const struct traffic_filter *f)
{
    return f->by_endpoint || f->spans || f->by_domain;
}

enum { LET_THROUGH = SEK_OUTCOME_LOCAL + 1 }; /* behind the outcomes: a part of hits */

static void add_traffic_row(struct sek__sums *g, sqlite3_stmt *stmt)
{
    struct sek__sum *group = sek__sums_of(g, sqlite3_column_int64(stmt, 0));
    if (!group)
        return;
    if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
        sek__sum_widen(group, sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2));
    sek__sums_partner(g, group, 0, sqlite3_column_int64(stmt, 3));
    sek__sums_partner(g, group, 1, sqlite3_column_int64(stmt, 4));
    for (int i = 0; i <= LET_THROUGH; i++) {
        uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 5 + i);
        group->sums[i] += n;
        group->count += i < LET_THROUGH ? n : 0;
    }
}

/* Which minutes, of whom, of what: the same conditions of both tables. */
static void add_conditions(struct sek_buf *sql, const struct traffic_filter *f)
{
    /* whole minutes: the one that `since` lies in counts, the one that starts at `until` does not
     */
    sek_buf_add_text(sql, f->since_s ? " AND minute >= :since / 60" : "");
    sek_buf_add_text(sql, f->until_s ? " AND minute < (:until + 59) / 60" : "");
    sek_buf_add_text(sql, f->by_endpoint ? " AND endpoint = :endpoint" : "");
    if (f->spans) /* one that a span ends within is the machine's */
        sek__report_add_spans(sql, "endpoint", true, "minute * 60");
    sek_buf_add_text(sql, f->by_domain ? " AND domain = :domain" : "");
}

/* Queries, counted by the minute: that is their time, unless all of them are hits, which have their
 * own. */
static void add_counts(struct sek_buf *sql, const char *column, const struct traffic_filter *f)
{
    const char *time = is_narrow(f) ? "iif(hits = 0 OR cached + passed + nxdomain + failed + local"
                                      " OR NOT EXISTS(SELECT 1 FROM hit h WHERE h.minute = t.minute"
                                      " AND h.endpoint = t.endpoint AND h.domain = t.domain),"
                                      " minute * 60000, NULL)"
                                    : "minute * 60000";
    sek_buf_add_fmt(sql,
                    "SELECT %s, %s, minute * 60000, endpoint, domain, hits, cached, passed,"
                    " nxdomain, failed, local, 0 FROM traffic t WHERE 1",
                    column, time);
    add_conditions(sql, f);
}

/* Hits: how many were let through; and those that were stored since queries were counted last. All
 * hits are read only where few are wanted, as an endpoint's or a domain's. */
static void add_hits(struct sek_buf *sql, const char *column, const struct traffic_filter *f)
{
    sek_buf_add_fmt(sql,
                    " UNION ALL SELECT %s, first, last, endpoint, domain, " SEK__UNCOUNTED
                    ", 0, 0, 0, 0, 0, through"
                    " FROM (SELECT minute, endpoint, domain, min(s.first_ms) AS first,"
                    " max(s.last_ms) AS last, sum(s.count) AS n,"
                    " sum(iif(action < :nxdomain, s.count, 0)) AS through"
                    " FROM hit h CROSS JOIN hit_sum s ON s.id = h.id WHERE 1",
                    column);
    add_conditions(sql, f);
    if (f->by_domain) /* by the index of names */
        sek_buf_add_text(sql, " AND name IN (SELECT id FROM name WHERE path >= :from AND path < :to"
                              " UNION ALL SELECT id FROM name WHERE path = :path)");
    if (!is_narrow(f))
        sek_buf_add_text(sql, " AND " SEK__UNCOUNTED_MINUTES);
    sek_buf_add_text(sql, " GROUP BY minute, endpoint, domain) x");
}

static enum sek_err sum_traffic(struct sek_report *r, const struct traffic_filter *f,
                                const char *column, struct sek__sums *g, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_buf sql;
    sek_buf_init(&sql, 16384);
    add_counts(&sql, column, f);
    add_hits(&sql, column, f);
    enum sek_err err = sek__report_prepare(r, &sql, &stmt, diag);
    sek_buf_fini(&sql);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", f->since_s);
    sek__report_bind_int(stmt, ":until", f->until_s);
    sek__report_bind_int(stmt, ":endpoint", f->endpoint);
    sek__report_bind_text(stmt, ":spans", f->spans);
    sek__report_bind_int(stmt, ":domain", f->domain);
    sek__report_bind_int(stmt, ":nxdomain", SEK_ACTION_NXDOMAIN);
    sek__report_bind_text(stmt, ":path", f->path);
    sek__report_bind_text(stmt, ":from", f->from);
    sek__report_bind_text(stmt, ":to", f->to);
    return sum_rows(r, stmt, add_traffic_row, g, diag);
}

static void hand_out_traffic(const struct sek__sums *g, size_t n, const struct keys *keys,
                             sek_traffic_fn *fn, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        const struct sek__sum *x = &g->all[i];
        struct sek_traffic_row out = {.key = keys->texts.data + keys->offsets[i],
                                      .first_ms = x->first_ms,
                                      .last_ms = x->last_ms,
                                      .queries = x->count,
                                      .cached = x->sums[SEK_OUTCOME_CACHED],
                                      .passed = x->sums[SEK_OUTCOME_PASSED],
                                      .nxdomain = x->sums[SEK_OUTCOME_NXDOMAIN],
                                      .failed = x->sums[SEK_OUTCOME_FAILED],
                                      .local = x->sums[SEK_OUTCOME_LOCAL],
                                      .hits = x->sums[SEK_OUTCOME_HIT],
                                      .let_through = x->sums[LET_THROUGH],
                                      .n_endpoints = x->n_partners[0],
                                      .n_domains = x->n_partners[1]};
        if (!fn(arg, &out))
            return;
    }
}

static enum sek_err look_up(struct sek_report *r, const char *endpoint, const char *domain,
                            struct traffic_filter *f, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    f->spans = endpoint && sek__report_is_spans(endpoint) ? endpoint : NULL;
    f->by_endpoint = endpoint && !f->spans;
    f->by_domain = domain != NULL;
    if (f->by_endpoint)
        err = sek__report_endpoint(r, endpoint, &f->endpoint, diag);
    if (!err && domain) {
        struct sek_name name;
        err = sek_name_from_text(domain, strlen(domain), &name, diag);
        if (err)
            return err;
        sek__report_below(f->path, sek_name_to_path(name.octets, f->path), f->from, f->to);
        err = sek__report_id(r, "SELECT id FROM name WHERE path = ?1", f->path, &f->domain, diag);
    }
    return err;
}

enum sek_err sek_report_traffic(struct sek_report *r, int64_t since_s, int64_t until_s,
                                const char *endpoint, const char *domain, enum sek_traffic_by by,
                                unsigned limit, sek_traffic_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    struct traffic_filter f = {.since_s = since_s, .until_s = until_s};
    struct sek__sums g;
    struct keys keys = {.offsets = NULL};
    if (by > SEK_TRAFFIC_MINUTE)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown grouping");
    enum sek_err err = look_up(r, endpoint, domain, &f, diag);
    if (err)
        return err;
    sek__sums_init(&g);
    sek_buf_init(&keys.texts, 0);
    /* ids start at 1: an unknown endpoint or domain is 0 and matches nothing */
    err = sum_traffic(r, &f, traffic_kinds[by].column, &g, diag);
    size_t n = limit && limit < g.n ? limit : g.n;
    if (!err)
        sort_first(g.all, g.n, n,
                   by == SEK_TRAFFIC_MINUTE ? sek__sums_by_newest : sek__sums_by_count, false);
    if (!err)
        err = read_keys(r, &g, n, &traffic_kinds[by], &keys, diag);
    if (!err)
        hand_out_traffic(&g, n, &keys, fn, arg);
    keys_fini(&keys);
    sek__sums_fini(&g);
    return err;
}
