/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_would.h"
#include "store/report_parts.h"
#include "base/banned.h"

/* A domain's findings of several endpoints block it once, from the first on. Hits count, as most of
 * them resolved: what a rule blocks is left out by who asks. */
static const char findings_sql[] =
    "SELECT e.address, f.domain, sum(t.cached + t.passed + t.nxdomain + t.failed + t.hits) AS "
    "n_queries,"
    " max(t.minute) * 60000 + 59999"
    " FROM (SELECT domain, domain_path, min(may_block_s) AS from_s, max(end_ms) / 1000 AS end_s"
    "  FROM finding WHERE end_ms >= :since * 1000 AND detector = :what AND domain <> ''"
    "  AND may_block_s > 0 GROUP BY domain_path) f"
    " CROSS JOIN name n ON n.path = f.domain_path"
    " CROSS JOIN traffic t ON t.domain = n.id AND t.minute >= :since / 60"
    "  AND t.minute >= f.from_s / 60 AND t.minute <= (f.end_s + :more) / 60"
    " CROSS JOIN endpoint e ON e.id = t.endpoint"
    " GROUP BY f.domain_path, t.endpoint HAVING n_queries > 0";
static const char unknown_sql[] =
    "SELECT count(*) FROM finding WHERE end_ms >= :since * 1000 AND detector = :what"
    " AND domain <> '' AND may_block_s IS NULL";
static const char hits_sql[] =
    "SELECT e.address, n.text, sum(s.count), max(s.last_ms) FROM hit h"
    " CROSS JOIN hit_sum s ON s.id = h.id CROSS JOIN endpoint e ON e.id = h.endpoint"
    " CROSS JOIN name n ON n.id = h.name"
    " WHERE h.minute >= :since / 60 AND s.last_ms >= :since * 1000 AND h.trigger = :what"
    " AND h.monitor = 1 AND h.score >= :more GROUP BY h.name, h.endpoint";

static enum sek_err begin(struct sek_report *r, const char *sql, int64_t since_s, int what,
                          int64_t more, sqlite3_stmt **out, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_prepare(r->sql, sql, out, diag);
    if (err)
        return err;
    sek__report_bind_int(*out, ":since", since_s);
    sek__report_bind_int(*out, ":what", what);
    sek__report_bind_int(*out, ":more", more);
    return SEK_OK;
}

static enum sek_err rows_give(struct sek_report *r, sqlite3_stmt *stmt, struct sek_past_row *row,
                              sek_past_fn *fn, void *arg, struct sek_diag *diag)
{
    int rc = SQLITE_DONE;
    bool more = true;
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        row->endpoint = (const char *)sqlite3_column_text(stmt, 0);
        row->name = (const char *)sqlite3_column_text(stmt, 1);
        row->queries = (uint64_t)sqlite3_column_int64(stmt, 2);
        row->last_ms = sqlite3_column_int64(stmt, 3);
        if (row->endpoint && row->name)
            more = fn(arg, row);
    }
    enum sek_err err = more && rc != SQLITE_DONE ? sek__report_fail(r, rc, diag) : SEK_OK;
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_report_would_findings(struct sek_report *r, int detector, int64_t since_s,
                                       int64_t lifetime_s, sek_past_fn *fn, void *arg,
                                       uint64_t *out_unknown, struct sek_diag *diag)
{
    struct sek_past_row row = {.is_domain = true};
    sqlite3_stmt *stmt;
    enum sek_err err = begin(r, unknown_sql, since_s, detector, lifetime_s, &stmt, diag);
    if (err)
        return err;
    int rc = sqlite3_step(stmt);
    *out_unknown = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    err = rc == SQLITE_ROW ? SEK_OK : sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    if (!err)
        err = begin(r, findings_sql, since_s, detector, lifetime_s, &stmt, diag);
    return err ? err : rows_give(r, stmt, &row, fn, arg, diag);
}

enum sek_err sek_report_would_hits(struct sek_report *r, int trigger, int64_t since_s,
                                   int16_t above_score, sek_past_fn *fn, void *arg,
                                   struct sek_diag *diag)
{
    struct sek_past_row row = {.trigger = trigger};
    sqlite3_stmt *stmt;
    int64_t least = above_score == INT16_MIN ? INT16_MIN : above_score + 1;
    enum sek_err err = begin(r, hits_sql, since_s, trigger, least, &stmt, diag);
    return err ? err : rows_give(r, stmt, &row, fn, arg, diag);
}
