/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_parts.h"
#include "policy/about.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

#define PAGE_ROWS 5000 /* read before the caller prints: no transaction is open meanwhile */
#define FEW_NAMES                                                                                  \
    1000 /* up to so many names are looked up one by one; else the time range is read */
/* What was done (enum sek_action). A row has passthru (1) for all that resolved: with a rule that
 * asks for log (2), and no monitor mode in its way, that is what was done. */
#define ACTION "iif(h.action = 1 AND h.would = 2 AND h.monitor = 0, 2, h.action)"

/* --- life --------------------------------------------------------------------------------------
 */

enum sek_err sek_report_open(const char *path, struct sek_report **out, struct sek_diag *diag)
{
    struct sek_report *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    enum sek_err err = sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &r->sql, diag);
    if (err) {
        free(r);
        return err;
    }
    snprintf(r->path, sizeof r->path, "%s", path);
    *out = r;
    return SEK_OK;
}

void sek_report_close(struct sek_report *r)
{
    if (r)
        sek_sql_close(r->sql);
    free(r);
}

void sek_report_hold(struct sek_report *r)
{
    (void)sqlite3_exec(r->sql, "BEGIN", NULL, NULL, NULL);
}

void sek_report_release(struct sek_report *r)
{
    if (!sqlite3_get_autocommit(r->sql))
        (void)sqlite3_exec(r->sql, "COMMIT", NULL, NULL, NULL);
}

enum sek_err sek__report_fail(struct sek_report *r, int rc, struct sek_diag *diag)
{
    return sek_sql_fail(r->sql, rc, r->path, diag);
}

enum sek_err sek__report_prepare(struct sek_report *r, const struct sek_buf *text,
                                 sqlite3_stmt **out, struct sek_diag *diag)
{
    if (text->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    return sek_sql_prepare(r->sql, text->data, out, diag);
}

/* --- filters -----------------------------------------------------------------------------------
 */

void sek__report_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
    int i = sqlite3_bind_parameter_index(stmt, name);
    if (i)
        sqlite3_bind_int64(stmt, i, value);
}

void sek__report_bind_text(sqlite3_stmt *stmt, const char *name, const char *value)
{
    int i = sqlite3_bind_parameter_index(stmt, name);
    if (i)
        sqlite3_bind_text(stmt, i, value, -1, SQLITE_STATIC);
}

enum sek_err sek__report_id(struct sek_report *r, const char *sql, const char *text, int64_t *out,
                            struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(r->sql, sql, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek__report_endpoint(struct sek_report *r, const char *text, int64_t *out,
                                  struct sek_diag *diag)
{
    struct sek_addr addr;
    char canonical[SEK_ADDR_TEXT_MAX];
    enum sek_err err = sek_addr_from_text(text, &addr, diag);
    if (err)
        return err;
    sek_addr_to_text(&addr, canonical);
    return sek__report_id(r, "SELECT id FROM endpoint WHERE address = ?1", canonical, out, diag);
}

void sek_report_add_span(struct sek_buf *spans, const char *address, int64_t from_s,
                         int64_t until_s)
{
    sek_buf_add_fmt(spans, "%s[\"%s\",%" PRId64 ",%" PRId64 "]", spans->len ? "," : "[", address,
                    from_s, until_s);
}

void sek_report_end_spans(struct sek_buf *spans)
{
    sek_buf_add_text(spans, spans->len ? "]" : "[]");
}

bool sek__report_is_spans(const char *endpoint)
{
    return *endpoint == '[';
}

/* First by endpoint, for the index, then by time. */
void sek__report_add_spans(struct sek_buf *text, const char *column, bool is_id, const char *time_s)
{
    const char *join = is_id ? " JOIN endpoint e ON e.address = json_extract(j.value, '$[0]')" : "";
    const char *key = is_id ? "e.id" : "json_extract(j.value, '$[0]')";
    sek_buf_add_fmt(text,
                    " AND %s IN (SELECT %s FROM json_each(:spans) j%s)"
                    " AND EXISTS (SELECT 1 FROM json_each(:spans) j%s WHERE %s = %s"
                    " AND %s >= json_extract(j.value, '$[1]')"
                    " AND %s < json_extract(j.value, '$[2]'))",
                    column, key, join, join, key, column, time_s, time_s);
}

#define BELOW "SELECT id FROM name WHERE path >= :from AND path < :to"
#define AT_OR_BELOW BELOW " UNION ALL SELECT id FROM name WHERE path = :path"

static enum sek_err count_names(struct sek_report *r, struct sek_where *w, int64_t *out,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err =
        sek_sql_prepare(r->sql, "SELECT count(*) FROM (" BELOW " LIMIT :most)", &stmt, diag);
    if (err)
        return err;
    sek__report_bind_text(stmt, ":from", w->from);
    sek__report_bind_text(stmt, ":to", w->to);
    sek__report_bind_int(stmt, ":most", FEW_NAMES + 1);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    else
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

void sek__report_below(const char *path, size_t len, char out_from[SEK_NAME_TEXT_MAX + 1],
                       char out_to[SEK_NAME_TEXT_MAX + 1])
{
    /* names below begin with the path and a dot; '/' follows the dot in ASCII */
    snprintf(out_from, SEK_NAME_TEXT_MAX + 1, "%.*s.", (int)len, path);
    snprintf(out_to, SEK_NAME_TEXT_MAX + 1, "%.*s/", (int)len, path);
}

static enum sek_err filter_name(struct sek_report *r, struct sek_where *w, struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_scope scope;
    int64_t n = 0;
    enum sek_err err = sek_rule_from_text(w->f->name, strlen(w->f->name), &scope, &name, diag);
    if (err)
        return err;
    size_t len = sek_name_to_path(name.octets, w->path);
    if (scope == SEK_SCOPE_EXACT) {
        err = sek__report_id(r, "SELECT id FROM name WHERE path = ?1", w->path, &w->name, diag);
        w->nothing = w->nothing || (!err && !w->name);
        w->narrow = true;
        sek_buf_add_text(&w->text, " AND h.name = :name");
        return err;
    }
    if (name.n_labels == 0) /* all names are below the root */
        return SEK_OK;
    sek__report_below(w->path, len, w->from, w->to);
    err = count_names(r, w, &n, diag);
    if (err)
        return err;
    w->narrow = w->narrow || n <= FEW_NAMES;
    /* a + keeps the index of names out of it */
    sek_buf_add_text(&w->text, n <= FEW_NAMES ? " AND h.name IN (" : " AND +h.name IN (");
    sek_buf_add_text(&w->text, scope == SEK_SCOPE_BELOW ? BELOW : AT_OR_BELOW);
    sek_buf_add_text(&w->text, ")");
    return SEK_OK;
}

static void filter_list(struct sek_where *w)
{
    w->decider = sek_lookup_id(sek_trigger_names, w->f->list);
    sek_buf_add_text(&w->text, " AND (h.list IN (SELECT id FROM list WHERE name = :list)");
    if (sek_trigger_decides_alone(w->decider))
        sek_buf_add_text(&w->text, " OR (h.list = 0 AND h.trigger = :decider)");
    sek_buf_add_text(&w->text, ")");
}

static enum sek_err filter_decision(struct sek_where *w, struct sek_diag *diag)
{
    const char *text = w->f->decision;
    if (strlen(text) != 8 || strspn(text, "0123456789abcdefABCDEF") != 8)
        return sek_diag_set(diag, SEK_E_INVALID, "a decision id has 8 hexadecimal digits");
    w->decision = (int64_t)strtoul(text, NULL, 16);
    sek_buf_add_text(&w->text, " AND h.decision = :decision");
    return SEK_OK;
}

enum sek_err sek__report_where(struct sek_report *r, const struct sek_hit_filter *f,
                               struct sek_where *out, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    *out = (struct sek_where){.f = f};
    sek_buf_init(&out->text, 4096);
    sek_buf_init(&out->ids, 0);
    sek_buf_add_text(&out->text, " WHERE 1");
    if (f->since_s) /* the minute is what the index knows */
        sek_buf_add_text(&out->text, " AND h.minute >= :since / 60 AND s.last_ms >= :since * 1000");
    if (f->until_s)
        sek_buf_add_text(&out->text, " AND h.minute <= :until / 60 AND s.first_ms < :until * 1000");
    if (f->endpoint && sek__report_is_spans(f->endpoint)) {
        out->narrow = true;
        sek__report_add_spans(&out->text, "h.endpoint", true, "s.last_ms / 1000");
    } else if (f->endpoint) {
        err = sek__report_endpoint(r, f->endpoint, &out->endpoint, diag);
        out->nothing = !err && !out->endpoint;
        out->narrow = true;
        sek_buf_add_text(&out->text, " AND h.endpoint = :endpoint");
    }
    if (!err && f->name)
        err = filter_name(r, out, diag);
    if (!err)
        err = sek__report_where_more(r, out, diag);
    if (!err && f->decision)
        err = filter_decision(out, diag);
    if (f->list)
        filter_list(out);
    if (f->action)
        sek_buf_add_text(&out->text, " AND " ACTION " = :action");
    if (f->qtype)
        sek_buf_add_text(&out->text, " AND h.qtype = :qtype");
    if (f->monitor_only)
        sek_buf_add_text(&out->text, " AND h.action < :nxdomain");
    if (f->blocked_only)
        sek_buf_add_text(&out->text, " AND h.action >= :nxdomain");
    if (f->after_id)
        sek_buf_add_text(&out->text, " AND h.id > :after");
    if (err)
        sek__report_where_fini(out);
    return err;
}

void sek__report_where_fini(struct sek_where *w)
{
    sek_buf_fini(&w->text);
    sek_buf_fini(&w->ids);
}

void sek__report_bind(sqlite3_stmt *stmt, const struct sek_where *w)
{
    const struct sek_hit_filter *f = w->f;
    sek__report_bind_int(stmt, ":since", f->since_s);
    sek__report_bind_int(stmt, ":until", f->until_s);
    sek__report_bind_int(stmt, ":endpoint", w->endpoint);
    sek__report_bind_text(stmt, ":spans", f->endpoint);
    sek__report_bind_int(stmt, ":name", w->name);
    sek__report_bind_text(stmt, ":path", w->path);
    sek__report_bind_text(stmt, ":from", w->from);
    sek__report_bind_text(stmt, ":to", w->to);
    sek__report_bind_text(stmt, ":list", f->list);
    sek__report_bind_int(stmt, ":decider", w->decider);
    sek__report_bind_more(stmt, w);
    sek__report_bind_int(stmt, ":decision", w->decision);
    sek__report_bind_int(stmt, ":action", f->action);
    sek__report_bind_int(stmt, ":qtype", f->qtype);
    sek__report_bind_int(stmt, ":nxdomain", SEK_ACTION_NXDOMAIN);
    sek__report_bind_int(stmt, ":after", f->after_id);
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* A page of rows; their texts lie in one buffer that moves while it grows, so rows hold offsets. */
struct row {
    struct sek_hit hit;
    int64_t minute;
    size_t endpoint, name, matched, rule, list, domain;
};
struct page {
    struct row *rows;
    unsigned n;
    struct sek_buf texts;
};

static size_t keep(struct page *p, const char *text)
{
    size_t at = p->texts.len;
    sek_buf_add_text(&p->texts, text);
    sek_buf_add(&p->texts, "", 1);
    return at;
}

static size_t keep_text(struct page *p, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return keep(p, text ? text : "");
}

static size_t keep_met(struct page *p, sqlite3_stmt *stmt, int column)
{
    char met[SEK_RULE_TEXT_MAX] = "";
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (text)
        sek_about_met_to_text(text, met);
    return keep(p, met);
}

static size_t keep_rule(struct page *p, int scope, sqlite3_stmt *stmt, int column)
{
    char stored[SEK_RULE_TEXT_MAX], rule[SEK_RULE_TEXT_MAX];
    const char *owner = (const char *)sqlite3_column_text(stmt, column);
    if (scope == 0 || !owner) /* no rule: strict mode */
        return keep(p, "");
    snprintf(stored, sizeof stored, "%s%s",
             scope == SEK_SCOPE_EXACT   ? "="
             : scope == SEK_SCOPE_BELOW ? "*."
                                        : "",
             owner);
    sek_rule_plain_text(stored, rule);
    return keep(p, rule);
}

/* Of a hit without a list: what decided in its place. */
static const char *list_text(sqlite3_stmt *stmt, int column)
{
    const char *list = (const char *)sqlite3_column_text(stmt, column);
    return list ? list : sek_trigger_decider(sqlite3_column_int(stmt, 13));
}

static void keep_row(struct page *p, sqlite3_stmt *stmt)
{
    struct row *row = &p->rows[p->n++];
    int scope = sqlite3_column_int(stmt, 8);
    *row = (struct row){
        .hit = {.id = sqlite3_column_int64(stmt, 0),
                .first_ms = sqlite3_column_int64(stmt, 1),
                .last_ms = sqlite3_column_int64(stmt, 2),
                .count = (uint64_t)sqlite3_column_int64(stmt, 3),
                .qtype = sqlite3_column_int(stmt, 10),
                .action = sqlite3_column_int(stmt, 11),
                .would = sqlite3_column_int(stmt, 12),
                .trigger = sqlite3_column_int(stmt, 13),
                .monitor = sqlite3_column_int(stmt, 14) != 0,
                .decision = (uint32_t)sqlite3_column_int64(stmt, 15),
                .generation = (uint64_t)sqlite3_column_int64(stmt, 16),
                .score = (int16_t)sqlite3_column_int(stmt, 18)},
        .minute = sqlite3_column_int64(stmt, 17),
        .endpoint = keep_text(p, stmt, 4),
        .name = keep_text(p, stmt, 5),
        .matched = keep_met(p, stmt, 6),
        .list = keep(p, list_text(stmt, 9)),
        .domain = keep_text(p, stmt, 19),
    };
    row->rule = keep_rule(p, scope, stmt, 7);
}

/* h first: its index gives the order; the planner is kept from starting with a small table. */
#define HIT_COLUMNS                                                                                \
    "SELECT h.id, s.first_ms, s.last_ms, s.count, e.address, n.text, m.text, o.text, h.scope,"     \
    " l.name, h.qtype, " ACTION ", h.would, h.trigger, h.monitor, h.decision, h.generation,"       \
    " h.minute, h.score, d.text FROM hit h CROSS JOIN hit_sum s ON s.id = h.id"                    \
    " CROSS JOIN endpoint e ON e.id = h.endpoint"                                                  \
    " CROSS JOIN name n ON n.id = h.name CROSS JOIN name m ON m.id = h.matched"                    \
    " CROSS JOIN name o ON o.id = h.owner CROSS JOIN name d ON d.id = h.domain LEFT JOIN list l "  \
    "ON l.id = h.list"

static enum sek_err prepare_hits(struct sek_report *r, const struct sek_where *w, bool next,
                                 sqlite3_stmt **out, struct sek_diag *diag)
{
    struct sek_buf sql;
    sek_buf_init(&sql, 16384);
    sek_buf_add_text(&sql, HIT_COLUMNS);
    sek_buf_add(&sql, w->text.data, w->text.len);
    const char *rest =
        " AND h.minute <= :last_minute AND (h.minute < :last_minute OR h.id < :last_id)";
    const char *order = " ORDER BY h.minute DESC, h.id DESC LIMIT :page";
    if (w->f->after_id) {
        rest = " AND h.id > :last_id";
        order = " ORDER BY h.id LIMIT :page";
    } else if (w->f->oldest_first) {
        rest = " AND h.minute >= :last_minute AND (h.minute > :last_minute OR h.id > :last_id)";
        order = " ORDER BY h.minute, h.id LIMIT :page";
    }
    sek_buf_add_text(&sql, next ? rest : "");
    sek_buf_add_text(&sql, order);
    enum sek_err err = sek__report_prepare(r, &sql, out, diag);
    sek_buf_fini(&sql);
    return err;
}

/* The rows behind `last` (NULL: the first ones), at most `most`. */
static enum sek_err read_page(struct sek_report *r, const struct sek_where *w,
                              const struct row *last, unsigned most, struct page *p,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = prepare_hits(r, w, last != NULL, &stmt, diag);
    if (err)
        return err;
    sek__report_bind(stmt, w);
    sek__report_bind_int(stmt, ":last_minute", last ? last->minute : 0);
    sek__report_bind_int(stmt, ":last_id", last ? last->hit.id : 0);
    sek__report_bind_int(stmt, ":page", most);
    p->n = 0;
    sek_buf_reset(&p->texts);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        keep_row(p, stmt);
    if (rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    else if (p->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    sqlite3_finalize(stmt);
    return err;
}

static bool hand_out(const struct page *p, sek_hit_fn *fn, void *arg)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct sek_hit hit = p->rows[i].hit;
        hit.endpoint = p->texts.data + p->rows[i].endpoint;
        hit.name = p->texts.data + p->rows[i].name;
        hit.matched = p->texts.data + p->rows[i].matched;
        hit.rule = p->texts.data + p->rows[i].rule;
        hit.list = p->texts.data + p->rows[i].list;
        hit.domain = p->texts.data + p->rows[i].domain;
        if (!fn(arg, &hit))
            return false;
    }
    return true;
}

enum sek_err sek_report_hits(struct sek_report *r, const struct sek_hit_filter *f, sek_hit_fn *fn,
                             void *arg, struct sek_diag *diag)
{
    struct sek_where w;
    struct row last;
    uint64_t left = f->limit ? f->limit : UINT64_MAX;
    enum sek_err err = sek__report_where(r, f, &w, diag);
    if (err)
        return err;
    struct page p = {.rows = calloc(PAGE_ROWS, sizeof *p.rows)};
    sek_buf_init(&p.texts, 0);
    if (!p.rows)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    for (bool more = !w.nothing, first = true; !err && more && left; first = false) {
        unsigned most = left < PAGE_ROWS ? (unsigned)left : PAGE_ROWS;
        err = read_page(r, &w, first ? NULL : &last, most, &p, diag);
        if (err || p.n == 0)
            break;
        last = p.rows[p.n - 1];
        left -= p.n;
        more = hand_out(&p, fn, arg) && p.n == most;
    }
    free(p.rows);
    sek_buf_fini(&p.texts);
    sek__report_where_fini(&w);
    return err;
}

/* --- facts -------------------------------------------------------------------------------------
 */

enum sek_err sek_report_facts(struct sek_report *r, struct sek_eventsdb_facts *out,
                              struct sek_diag *diag)
{
    static const char *const questions[] = {
        "SELECT count(*) FROM hit",
        "SELECT count(*) FROM traffic",
        "SELECT coalesce(min(minute), 0) FROM (SELECT min(minute) AS minute FROM hit"
        " UNION ALL SELECT min(minute) FROM traffic)",
        "SELECT coalesce(max(minute), 0) FROM (SELECT max(minute) AS minute FROM hit"
        " UNION ALL SELECT max(minute) FROM traffic)",
    };
    int64_t answer[4];
    struct stat st;
    for (unsigned i = 0; i < 4; i++) {
        enum sek_err err = sek_sql_int(r->sql, questions[i], &answer[i], diag);
        if (err)
            return err;
    }
    *out = (struct sek_eventsdb_facts){
        .n_hit_rows = (uint64_t)answer[0],
        .n_traffic_rows = (uint64_t)answer[1],
        .oldest_ms = answer[2] * 60000,
        .newest_ms = answer[3] * 60000,
    };
    for (const char *const *end = (const char *const[]){"", "-wal", NULL}; *end; end++) {
        char path[sizeof r->path + 8];
        snprintf(path, sizeof path, "%s%s", r->path, *end);
        if (stat(path, &st) == 0)
            out->size_octets += (uint64_t)st.st_size;
    }
    return SEK_OK;
}
