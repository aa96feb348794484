/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_parts.h"
#include "policy/rule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PAGE_ROWS 256 /* read before the caller prints: no transaction is open meanwhile */
#define MEMBERS_MAX 80
#define COLUMNS 12 /* before the members */

struct where {
    const struct sek_finding_filter *f;
    struct sek_buf text;
    char endpoint[SEK_ADDR_TEXT_MAX];
    char path[SEK_NAME_TEXT_MAX], from[SEK_NAME_TEXT_MAX + 1], to[SEK_NAME_TEXT_MAX + 1];
};

/* --- filters -----------------------------------------------------------------------------------
 */

static enum sek_err filter_endpoint(struct where *w, struct sek_diag *diag)
{
    struct sek_addr addr;
    if (sek__report_is_spans(w->f->endpoint)) {
        sek__report_add_spans(&w->text, "endpoint", false, "end_ms / 1000");
        return SEK_OK;
    }
    enum sek_err err = sek_addr_from_text(w->f->endpoint, &addr, diag);
    if (err)
        return err;
    sek_addr_to_text(&addr, w->endpoint);
    sek_buf_add_text(&w->text, " AND endpoint = :endpoint");
    return SEK_OK;
}

static enum sek_err filter_domain(struct where *w, struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_scope scope;
    enum sek_err err = sek_rule_from_text(w->f->domain, strlen(w->f->domain), &scope, &name, diag);
    if (err)
        return err;
    size_t len = sek_name_to_path(name.octets, w->path);
    bool root = name.n_labels == 0; /* all domains are below it */
    sek__report_below(w->path, len, w->from, w->to);
    if (scope == SEK_SCOPE_EXACT)
        sek_buf_add_text(&w->text, " AND domain_path = :path");
    else if (root)
        sek_buf_add_text(&w->text, " AND domain <> ''");
    else if (scope == SEK_SCOPE_BELOW)
        sek_buf_add_text(&w->text, " AND domain_path >= :from AND domain_path < :to");
    else
        sek_buf_add_text(&w->text, " AND (domain_path = :path"
                                   " OR (domain_path >= :from AND domain_path < :to))");
    return SEK_OK;
}

static enum sek_err where_of(const struct sek_finding_filter *f, struct where *w,
                             struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    *w = (struct where){.f = f};
    sek_buf_init(&w->text, 4096);
    sek_buf_add_text(&w->text, " FROM finding WHERE 1");
    if (f->id)
        sek_buf_add_text(&w->text, " AND id = :id");
    if (f->since_s)
        sek_buf_add_text(&w->text, " AND end_ms >= :since * 1000");
    if (f->until_s)
        sek_buf_add_text(&w->text, " AND start_ms < :until * 1000");
    if (f->detector)
        sek_buf_add_text(&w->text, " AND detector = :detector");
    if (f->blocked_at_s)
        sek_buf_add_text(&w->text, " AND blocked_until_s > :now");
    if (f->endpoint)
        err = filter_endpoint(w, diag);
    if (!err && f->domain)
        err = filter_domain(w, diag);
    return err;
}

static void bind_all(sqlite3_stmt *stmt, const struct where *w)
{
    const struct sek_finding_filter *f = w->f;
    sek__report_bind_int(stmt, ":id", f->id);
    sek__report_bind_int(stmt, ":since", f->since_s);
    sek__report_bind_int(stmt, ":until", f->until_s);
    sek__report_bind_int(stmt, ":detector", f->detector);
    sek__report_bind_int(stmt, ":now", f->blocked_at_s);
    sek__report_bind_text(stmt, ":endpoint", w->endpoint);
    sek__report_bind_text(stmt, ":spans", f->endpoint);
    sek__report_bind_text(stmt, ":path", w->path);
    sek__report_bind_text(stmt, ":from", w->from);
    sek__report_bind_text(stmt, ":to", w->to);
    for (unsigned i = 0; i < f->n_members; i++) {
        char name[16];
        snprintf(name, sizeof name, ":m%u", i);
        sek__report_bind_text(stmt, name, f->members[i]);
    }
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Texts lie in one buffer that moves while it grows, so rows hold offsets; 0 = there is none. */
struct row {
    struct sek_finding_row row;
    size_t endpoint, domain, technique, evidence, members[MEMBERS_MAX];
};
struct page {
    struct row rows[PAGE_ROWS];
    unsigned n;
    struct sek_buf texts;
};

static size_t keep_text(struct page *p, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t at = p->texts.len;
    if (!text)
        return 0;
    sek_buf_add_text(&p->texts, text);
    sek_buf_add(&p->texts, "", 1);
    return at;
}

static void keep_row(struct page *p, sqlite3_stmt *stmt, unsigned n_members)
{
    struct row *row = &p->rows[p->n++];
    *row = (struct row){
        .row = {.id = sqlite3_column_int64(stmt, 0),
                .start_ms = sqlite3_column_int64(stmt, 1),
                .end_ms = sqlite3_column_int64(stmt, 2),
                .detector = sqlite3_column_int(stmt, 3),
                .mode = sqlite3_column_int(stmt, 4),
                .confidence = sqlite3_column_double(stmt, 5),
                .blocked_until_s = sqlite3_column_int64(stmt, 6),
                .change = sqlite3_column_int64(stmt, 11)},
        .endpoint = keep_text(p, stmt, 7),
        .domain = keep_text(p, stmt, 8),
        .technique = keep_text(p, stmt, 9),
        .evidence = keep_text(p, stmt, 10),
    };
    for (unsigned i = 0; i < n_members; i++)
        row->members[i] = keep_text(p, stmt, COLUMNS + (int)i);
}

static enum sek_err prepare(struct sek_report *r, const struct where *w, bool next,
                            sqlite3_stmt **out, struct sek_diag *diag)
{
    struct sek_buf sql;
    sek_buf_init(&sql, 65536);
    /* json(): without blanks and line ends, whoever wrote it */
    sek_buf_add_text(&sql, "SELECT id, start_ms, end_ms, detector, mode, confidence,"
                           " blocked_until_s, endpoint, domain, technique, json(evidence),"
                           " change");
    for (unsigned i = 0; i < w->f->n_members; i++)
        sek_buf_add_fmt(&sql,
                        ", CASE json_type(evidence, :m%u) WHEN 'array' THEN"
                        " (SELECT group_concat(value, ' ') FROM json_each(evidence, :m%u))"
                        " ELSE json_extract(evidence, :m%u) END",
                        i, i, i);
    sek_buf_add(&sql, w->text.data, w->text.len);
    if (w->f->by_change)
        sek_buf_add_text(&sql, " AND change > :last_change ORDER BY change LIMIT :page");
    else if (next)
        sek_buf_add_text(&sql, " AND end_ms <= :last_ms AND (end_ms < :last_ms OR id < :last_id)");
    if (!w->f->by_change)
        sek_buf_add_text(&sql, " ORDER BY end_ms DESC, id DESC LIMIT :page");
    enum sek_err err = sek__report_prepare(r, &sql, out, diag);
    sek_buf_fini(&sql);
    return err;
}

/* The rows behind `last` (NULL: the first ones), at most `most`. */
static enum sek_err read_page(struct sek_report *r, const struct where *w,
                              const struct sek_finding_row *last, unsigned most, struct page *p,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = prepare(r, w, last != NULL, &stmt, diag);
    if (err)
        return err;
    bind_all(stmt, w);
    sek__report_bind_int(stmt, ":last_ms", last ? last->end_ms : 0);
    sek__report_bind_int(stmt, ":last_id", last ? last->id : 0);
    sek__report_bind_int(stmt, ":last_change", last ? last->change : w->f->after_change);
    sek__report_bind_int(stmt, ":page", most);
    p->n = 0;
    sek_buf_reset(&p->texts);
    sek_buf_add(&p->texts, "", 1); /* so that no text has offset 0 */
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        keep_row(p, stmt, w->f->n_members);
    if (rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    else if (p->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    sqlite3_finalize(stmt);
    return err;
}

static const char *text_at(const struct page *p, size_t at)
{
    return p->texts.data + at; /* "" at 0 */
}

static bool hand_out(const struct page *p, unsigned n_members, sek_finding_fn *fn, void *arg)
{
    for (unsigned i = 0; i < p->n; i++) {
        const struct row *row = &p->rows[i];
        struct sek_finding_row out = row->row;
        const char *members[MEMBERS_MAX];
        for (unsigned k = 0; k < n_members; k++)
            members[k] = row->members[k] ? text_at(p, row->members[k]) : NULL;
        out.endpoint = text_at(p, row->endpoint);
        out.domain = text_at(p, row->domain);
        out.technique = text_at(p, row->technique);
        out.evidence = text_at(p, row->evidence);
        out.members = members;
        if (!fn(arg, &out))
            return false;
    }
    return true;
}

static enum sek_err read_all(struct sek_report *r, const struct where *w, struct page *p,
                             sek_finding_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek_finding_row last;
    uint64_t left = w->f->limit ? w->f->limit : UINT64_MAX;
    bool more = true;
    for (bool first = true; more && left; first = false) {
        unsigned most = left < PAGE_ROWS ? (unsigned)left : PAGE_ROWS;
        enum sek_err err = read_page(r, w, first ? NULL : &last, most, p, diag);
        if (err || p->n == 0)
            return err;
        last = p->rows[p->n - 1].row;
        left -= p->n;
        more = hand_out(p, w->f->n_members, fn, arg) && p->n == most;
    }
    return SEK_OK;
}

enum sek_err sek_report_findings(struct sek_report *r, const struct sek_finding_filter *f,
                                 sek_finding_fn *fn, void *arg, struct sek_diag *diag)
{
    struct where w;
    struct page *p = NULL;
    if (f->n_members > MEMBERS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d members", MEMBERS_MAX);
    enum sek_err err = where_of(f, &w, diag);
    if (!err && !(p = calloc(1, sizeof *p)))
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    if (!err) {
        sek_buf_init(&p->texts, 0);
        err = read_all(r, &w, p, fn, arg, diag);
        sek_buf_fini(&p->texts);
    }
    free(p);
    sek_buf_fini(&w.text);
    return err;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

/* The finding of this row, unless it was dismissed or is not written by us. */
static bool read_blocked(sqlite3_stmt *stmt, const struct sek_dismissed *dismissed,
                         struct sek_name *out)
{
    struct sek_addr endpoint;
    const char *domain = (const char *)sqlite3_column_text(stmt, 0);
    const char *address = (const char *)sqlite3_column_text(stmt, 3);
    if (!domain || !address || sek_name_from_text(domain, strlen(domain), out, NULL) ||
        sek_addr_from_text(address, &endpoint, NULL))
        return false;
    return !sek_dismissed_find(dismissed, (enum sek_detector)sqlite3_column_int(stmt, 2), &endpoint,
                               out->octets, out->len);
}

enum sek_err sek_report_blocked_domains(struct sek_report *r, int64_t now_s,
                                        const struct sek_dismissed *dismissed,
                                        sek_blocked_domain_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    struct sek_name name, last = {.len = 0};
    int rc;
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        "SELECT domain, blocked_until_s, detector, endpoint FROM finding"
                        " WHERE blocked_until_s > ?1 AND domain <> ''"
                        " ORDER BY domain, blocked_until_s DESC",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, now_s);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (!read_blocked(stmt, dismissed, &name) ||
            (last.len && sek_name_equal(last.octets, last.len, name.octets, name.len)))
            continue;
        last = name;
        if (!fn(arg, (enum sek_detector)sqlite3_column_int(stmt, 2), &name,
                sqlite3_column_int64(stmt, 1)))
            break;
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

struct blocked {
    struct sek_dynamic_row *rows;
    unsigned n;
};

static bool keep_blocked(void *arg, enum sek_detector by, const struct sek_name *domain,
                         int64_t until_s)
{
    struct blocked *b = arg;
    sek_dynamic_row_set(&b->rows[b->n++], domain, sek_lookup_name(sek_detector_names, (int)by),
                        until_s);
    return b->n < SEK_DYNAMIC_MAX;
}

enum sek_err sek_report_dynamic(const char *path, int64_t now_s,
                                const struct sek_dismissed *dismissed, struct sek_dynamic **out,
                                struct sek_diag *diag)
{
    struct blocked b = {calloc(SEK_DYNAMIC_MAX, sizeof *b.rows), 0};
    struct sek_report *r = NULL;
    *out = NULL;
    enum sek_err err = b.rows ? sek_report_open(path, &r, diag)
                              : sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    if (!err)
        err = sek_report_blocked_domains(r, now_s, dismissed, keep_blocked, &b, diag);
    if (!err)
        err = sek_dynamic_new(b.rows, b.n, out);
    sek_report_close(r);
    free(b.rows);
    return err;
}
