/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_parts.h"
#include "base/duration.h"
#include "store/idmap.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Sums are made here and not by GROUP BY: SQLite sorts all rows for that, and once more for each
 * count(DISTINCT), which takes seconds where one pass with hash tables takes a fifth of one. */

#define N_SUMS 6 /* counters of a group: by enum sek_outcome, or BLOCKED and MONITORED */

struct group {
    int64_t id; /* of the endpoint, name, list or domain; a minute; 0 for the total */
    uint64_t count, sums[N_SUMS];
    uint64_t n_partners[2]; /* distinct ones: endpoints, names or domains */
    int64_t first_ms, last_ms;
};

/* Pairs of a group and a partner (an endpoint that asked, a name asked for), once a row: place in
 * `all` in the high half, the partner's id in the low one (ids count from 1 and stay below 2^32).
 * Sorted at the end, because writing in order and sorting once beats a hash table that misses the
 * cache for every row. */
struct pairs {
    uint64_t *all;
    size_t n, size;
};

struct groups {
    struct group *all;
    size_t n, size;
    struct sek_idmap by_id; /* id → place in all */
    struct pairs partners[2];
    bool failed;
};

static void groups_init(struct groups *g)
{
    *g = (struct groups){0};
    sek_idmap_init(&g->by_id, SIZE_MAX);
}

static void groups_fini(struct groups *g)
{
    free(g->all);
    sek_idmap_fini(&g->by_id);
    free(g->partners[0].all);
    free(g->partners[1].all);
}

/* NULL when memory is out. */
static struct group *group_of(struct groups *g, int64_t id)
{
    int64_t at;
    struct sek_idmap_key key = {(uint64_t)id, 1};
    if (sek_idmap_get(&g->by_id, key, &at))
        return &g->all[at];
    if (g->n == g->size) {
        size_t size = g->size ? g->size * 2 : 64;
        struct group *all = realloc(g->all, size * sizeof *all);
        if (!all) {
            g->failed = true;
            return NULL;
        }
        g->all = all;
        g->size = size;
    }
    g->all[g->n] = (struct group){.id = id, .first_ms = INT64_MAX, .last_ms = INT64_MIN};
    g->failed |= !sek_idmap_put(&g->by_id, key, (int64_t)g->n);
    return &g->all[g->n++];
}

static void add_partner(struct groups *g, const struct group *group, unsigned kind, int64_t id)
{
    struct pairs *p = &g->partners[kind];
    if (p->n == p->size) {
        size_t size = p->size ? p->size * 2 : 1024;
        uint64_t *all = realloc(p->all, size * sizeof *all);
        if (!all) {
            g->failed = true;
            return;
        }
        p->all = all;
        p->size = size;
    }
    p->all[p->n++] = (uint64_t)(group - g->all) << 32 | (uint32_t)id;
}

/* Radix sort, from the lowest octet up; octets that are the same everywhere cost one look. */
static bool sort_pairs(struct pairs *p)
{
    uint64_t *other = malloc(p->n * sizeof *other + 1);
    if (!other)
        return false;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[256] = {0}, at = 0;
        for (size_t i = 0; i < p->n; i++)
            starts[p->all[i] >> shift & 0xff]++;
        if (p->n && starts[p->all[0] >> shift & 0xff] == p->n)
            continue;
        for (unsigned i = 0; i < 256; i++) {
            size_t n = starts[i];
            starts[i] = at;
            at += n;
        }
        for (size_t i = 0; i < p->n; i++)
            other[starts[p->all[i] >> shift & 0xff]++] = p->all[i];
        uint64_t *sorted = other;
        other = p->all;
        p->all = sorted;
        p->size = p->n;
    }
    free(other);
    return true;
}

/* Before the groups are put into their final order: their places count here. */
static void count_partners(struct groups *g)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct pairs *p = &g->partners[kind];
        if (!sort_pairs(p)) {
            g->failed = true;
            return;
        }
        for (size_t i = 0; i < p->n; i++)
            if (i == 0 || p->all[i] != p->all[i - 1])
                g->all[p->all[i] >> 32].n_partners[kind]++;
    }
}

static void widen(struct group *g, int64_t first_ms, int64_t last_ms)
{
    g->first_ms = first_ms < g->first_ms ? first_ms : g->first_ms;
    g->last_ms = last_ms > g->last_ms ? last_ms : g->last_ms;
}

static int by_count(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Of minutes: the newest first, so that a limit leaves the oldest out. */
static int by_newest(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return x->id > y->id ? -1 : x->id < y->id;
}

/* The texts behind the groups' ids, one after the other in `texts`, `*offsets` says where. They are
 * read before the first group is handed out: no transaction is open while the caller prints. */
static enum sek_err read_keys(struct sek_report *r, const struct groups *g, size_t n,
                              const char *sql, struct sek_buf *texts, size_t **offsets,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    *offsets = calloc(n + 1, sizeof **offsets);
    if (!*offsets)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    enum sek_err err = sql ? sek_sql_prepare(r->sql, sql, &stmt, diag) : SEK_OK;
    for (size_t i = 0; i < n && !err; i++) {
        char minute[32];
        const char *text = "";
        (*offsets)[i] = texts->len;
        if (g->all[i].id < 0 && sek__report_decides_alone((int)-g->all[i].id)) {
            text = sek_lookup_name(sek_trigger_names, (int)-g->all[i].id);
        } else if (stmt) {
            sqlite3_reset(stmt);
            sqlite3_bind_int64(stmt, 1, g->all[i].id);
            int rc = sqlite3_step(stmt);
            if (rc == SQLITE_ROW)
                text = (const char *)sqlite3_column_text(stmt, 0);
            else if (rc != SQLITE_DONE)
                err = sek__report_fail(r, rc, diag);
        } else if (g->all[i].id) {
            text = sek_time_to_text(g->all[i].id * 60, minute, sizeof minute);
        }
        sek_buf_add_text(texts, text ? text : "");
        sek_buf_add(texts, "", 1);
    }
    sqlite3_finalize(stmt);
    if (!err && texts->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    return err;
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

static const struct {
    const char *column, *key_sql;
} group_rows[] = {
    [SEK_GROUP_ENDPOINT] = {"h.endpoint", "SELECT address FROM endpoint WHERE id = ?1"},
    [SEK_GROUP_NAME] = {"h.name", "SELECT text FROM name WHERE id = ?1"},
    /* below 0: the trigger of a hit that no list decided */
    [SEK_GROUP_LIST] = {"iif(h.list = 0, -h.trigger, h.list)",
                        "SELECT name FROM list WHERE id = ?1"},
    [SEK_GROUP_DOMAIN] = {"h.domain", "SELECT text FROM name WHERE id = ?1"},
};

enum { BLOCKED, MONITORED };

static void add_hit_row(struct groups *g, sqlite3_stmt *stmt)
{
    struct group *group = group_of(g, sqlite3_column_int64(stmt, 0));
    if (!group)
        return;
    uint64_t count = (uint64_t)sqlite3_column_int64(stmt, 1);
    int action = sqlite3_column_int(stmt, 6);
    group->count += count;
    widen(group, sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3));
    add_partner(g, group, 0, sqlite3_column_int64(stmt, 4));
    add_partner(g, group, 1, sqlite3_column_int64(stmt, 5));
    if (sek_action_blocks((enum sek_action)action))
        group->sums[BLOCKED] += count;
    else if (sqlite3_column_int(stmt, 7) || action == SEK_ACTION_LOG)
        group->sums[MONITORED] += count;
}

/* Sum all rows of a bound statement up, and finalize it. */
static enum sek_err sum_rows(struct sek_report *r, sqlite3_stmt *stmt,
                             void (*add)(struct groups *, sqlite3_stmt *), struct groups *g,
                             struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !g->failed)
        add(g, stmt);
    count_partners(g);
    if (g->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    else if (rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err sum_hits(struct sek_report *r, const struct sek_where *w, const char *column,
                             struct groups *g, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_buf sql;
    bool scan = !w->narrow &&
                is_wide(r, "SELECT coalesce(min(minute), 0) FROM hit",
                        "SELECT coalesce(max(minute), 0) FROM hit", w->f->since_s, w->f->until_s);
    sek_buf_init(&sql, 16384);
    sek_buf_add_text(&sql, "SELECT ");
    sek_buf_add_text(&sql, column);
    sek_buf_add_text(&sql, ", s.count, s.first_ms, s.last_ms, h.endpoint, h.name, h.action,"
                           " h.monitor FROM hit h");
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

static void hand_out_hits(const struct groups *g, size_t n, const struct sek_buf *texts,
                          const size_t *offsets, sek_hit_group_fn *fn, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        const struct group *x = &g->all[i];
        struct sek_hit_group out = {.key = texts->data + offsets[i],
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

enum sek_err sek_report_hit_groups(struct sek_report *r, const struct sek_hit_filter *f,
                                   enum sek_group by, sek_hit_group_fn *fn, void *arg,
                                   struct sek_diag *diag)
{
    struct sek_where w;
    struct groups g;
    struct sek_buf texts;
    size_t *offsets = NULL;
    if (by < SEK_GROUP_ENDPOINT || by > SEK_GROUP_DOMAIN)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown grouping");
    enum sek_err err = sek__report_where(r, f, &w, diag);
    if (err)
        return err;
    groups_init(&g);
    sek_buf_init(&texts, 0);
    if (!w.nothing)
        err = sum_hits(r, &w, group_rows[by].column, &g, diag);
    if (!err && g.n)
        qsort(g.all, g.n, sizeof *g.all, by_count);
    size_t n = f->limit && f->limit < g.n ? f->limit : g.n;
    if (!err)
        err = read_keys(r, &g, n, group_rows[by].key_sql, &texts, &offsets, diag);
    if (!err)
        hand_out_hits(&g, n, &texts, offsets, fn, arg);
    free(offsets);
    sek_buf_fini(&texts);
    groups_fini(&g);
    sek__report_where_fini(&w);
    return err;
}

/* --- traffic -----------------------------------------------------------------------------------
 */

static const struct {
    const char *column, *key_sql;
} traffic_rows[] = {
    [SEK_TRAFFIC_TOTAL] = {"0", NULL},
    [SEK_TRAFFIC_ENDPOINT] = {"endpoint", "SELECT address FROM endpoint WHERE id = ?1"},
    [SEK_TRAFFIC_DOMAIN] = {"domain", "SELECT text FROM name WHERE id = ?1"},
    [SEK_TRAFFIC_MINUTE] = {"minute", NULL},
};

struct traffic_filter {
    int64_t since_s, until_s, endpoint, domain;
    const char *spans; /* NULL: one endpoint, or all */
    bool by_endpoint, by_domain;
};

static void add_traffic_row(struct groups *g, sqlite3_stmt *stmt)
{
    struct group *group = group_of(g, sqlite3_column_int64(stmt, 0));
    if (!group)
        return;
    int64_t minute = sqlite3_column_int64(stmt, 1);
    widen(group, minute * 60000, minute * 60000 + 59999);
    add_partner(g, group, 0, sqlite3_column_int64(stmt, 2));
    add_partner(g, group, 1, sqlite3_column_int64(stmt, 3));
    for (int i = 0; i < N_SUMS; i++) {
        uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 4 + i);
        group->sums[i] += n;
        group->count += n;
    }
}

/* Columns 4 to 9 in the order of enum sek_outcome. */
static enum sek_err sum_traffic(struct sek_report *r, const struct traffic_filter *f,
                                const char *column, struct groups *g, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_buf sql;
    sek_buf_init(&sql, 4096);
    sek_buf_add_text(&sql, "SELECT ");
    sek_buf_add_text(&sql, column);
    sek_buf_add_text(&sql, ", minute, endpoint, domain, hits, cached, passed, nxdomain, failed,"
                           " local FROM traffic WHERE 1");
    /* whole minutes: the one that `since` lies in counts, the one that starts at `until` does not
     */
    sek_buf_add_text(&sql, f->since_s ? " AND minute >= :since / 60" : "");
    sek_buf_add_text(&sql, f->until_s ? " AND minute < (:until + 59) / 60" : "");
    sek_buf_add_text(&sql, f->by_endpoint ? " AND endpoint = :endpoint" : "");
    if (f->spans) /* whole minutes: one that a span ends within is the machine's */
        sek__report_add_spans(&sql, "endpoint", true, "minute * 60");
    sek_buf_add_text(&sql, f->by_domain ? " AND domain = :domain" : "");
    enum sek_err err = sek__report_prepare(r, &sql, &stmt, diag);
    sek_buf_fini(&sql);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", f->since_s);
    sek__report_bind_int(stmt, ":until", f->until_s);
    sek__report_bind_int(stmt, ":endpoint", f->endpoint);
    sek__report_bind_text(stmt, ":spans", f->spans);
    sek__report_bind_int(stmt, ":domain", f->domain);
    return sum_rows(r, stmt, add_traffic_row, g, diag);
}

static void hand_out_traffic(const struct groups *g, size_t n, const struct sek_buf *texts,
                             const size_t *offsets, sek_traffic_fn *fn, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        const struct group *x = &g->all[i];
        struct sek_traffic_row out = {.key = texts->data + offsets[i],
                                      .first_ms = x->first_ms,
                                      .last_ms = x->last_ms,
                                      .queries = x->count,
                                      .cached = x->sums[SEK_OUTCOME_CACHED],
                                      .passed = x->sums[SEK_OUTCOME_PASSED],
                                      .nxdomain = x->sums[SEK_OUTCOME_NXDOMAIN],
                                      .failed = x->sums[SEK_OUTCOME_FAILED],
                                      .local = x->sums[SEK_OUTCOME_LOCAL],
                                      .hits = x->sums[SEK_OUTCOME_HIT],
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
        char path[SEK_NAME_TEXT_MAX];
        err = sek_name_from_text(domain, strlen(domain), &name, diag);
        if (err)
            return err;
        sek_name_to_path(name.octets, path);
        err = sek__report_id(r, "SELECT id FROM name WHERE path = ?1", path, &f->domain, diag);
    }
    return err;
}

enum sek_err sek_report_traffic(struct sek_report *r, int64_t since_s, int64_t until_s,
                                const char *endpoint, const char *domain, enum sek_traffic_by by,
                                unsigned limit, sek_traffic_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    struct traffic_filter f = {.since_s = since_s, .until_s = until_s};
    struct groups g;
    struct sek_buf texts;
    size_t *offsets = NULL;
    if (by > SEK_TRAFFIC_MINUTE)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown grouping");
    enum sek_err err = look_up(r, endpoint, domain, &f, diag);
    if (err)
        return err;
    groups_init(&g);
    sek_buf_init(&texts, 0);
    /* ids start at 1: an unknown endpoint or domain is 0 and matches nothing */
    err = sum_traffic(r, &f, traffic_rows[by].column, &g, diag);
    if (!err && g.n)
        qsort(g.all, g.n, sizeof *g.all, by == SEK_TRAFFIC_MINUTE ? by_newest : by_count);
    size_t n = limit && limit < g.n ? limit : g.n;
    if (!err)
        err = read_keys(r, &g, n, traffic_rows[by].key_sql, &texts, &offsets, diag);
    if (!err)
        hand_out_traffic(&g, n, &texts, offsets, fn, arg);
    free(offsets);
    sek_buf_fini(&texts);
    groups_fini(&g);
    return err;
}
