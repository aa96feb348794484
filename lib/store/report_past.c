/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_past.h"
#include "policy/about.h"
#include "store/report_parts.h"
#include "base/banned.h"

static const char hits_sql[] =
    "SELECT e.address, n.text, 0, sum(s.count), max(s.last_ms), h.list, h.trigger, h.action,"
    " h.would, h.qtype, m.text FROM hit h CROSS JOIN hit_sum s ON s.id = h.id"
    " CROSS JOIN endpoint e ON e.id = h.endpoint CROSS JOIN name n ON n.id = h.name"
    " CROSS JOIN name m ON m.id = h.matched"
    " WHERE h.minute >= :since / 60 AND s.last_ms >= :since * 1000"
    " GROUP BY h.name, h.endpoint, h.list, h.trigger, h.action, h.would, h.qtype,"
    " h.matched";

/* Local data never meets policy, and hits are counted above. */
static const char domains_sql[] =
    "SELECT e.address, n.text, 1, sum(t.cached + t.passed + t.nxdomain + t.failed) AS n_queries,"
    " max(t.minute) * 60000 + 59999, 0, 0, 0, 0, 0, n.text FROM traffic t"
    " CROSS JOIN endpoint e ON e.id = t.endpoint CROSS JOIN name n ON n.id = t.domain"
    " WHERE t.minute >= :since / 60 GROUP BY t.domain, t.endpoint HAVING n_queries > 0";

static enum sek_err rows_give(struct sek_report *r, const char *sql, int64_t since_s,
                              sek_past_fn *fn, void *arg, bool *io_more, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_DONE;
    char met[SEK_RULE_TEXT_MAX];
    enum sek_err err = sek_sql_prepare(r->sql, sql, &stmt, diag);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", since_s);
    while (*io_more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *matched = (const char *)sqlite3_column_text(stmt, 10);
        if (matched)
            sek_about_met_to_text(matched, met);
        const struct sek_past_row row = {
            .endpoint = (const char *)sqlite3_column_text(stmt, 0),
            .name = (const char *)sqlite3_column_text(stmt, 1),
            .is_domain = sqlite3_column_int(stmt, 2) != 0,
            .queries = (uint64_t)sqlite3_column_int64(stmt, 3),
            .last_ms = sqlite3_column_int64(stmt, 4),
            .list = (uint16_t)sqlite3_column_int(stmt, 5),
            .trigger = sqlite3_column_int(stmt, 6),
            .action = sqlite3_column_int(stmt, 7),
            .would = sqlite3_column_int(stmt, 8),
            .qtype = (uint16_t)sqlite3_column_int(stmt, 9),
            .matched = matched ? met : NULL,
        };
        if (row.endpoint && row.name && row.matched)
            *io_more = fn(arg, &row);
    }
    if (*io_more && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_report_past(struct sek_report *r, int64_t since_s, sek_past_fn *fn, void *arg,
                             struct sek_diag *diag)
{
    bool more = true;
    enum sek_err err = rows_give(r, hits_sql, since_s, fn, arg, &more, diag);
    return err ? err : rows_give(r, domains_sql, since_s, fn, arg, &more, diag);
}
