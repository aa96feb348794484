/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_position.h"
#include "store/report_parts.h"
#include "base/banned.h"

/* The highest of the rows that are there and of those that were deleted. */
#define LAST(column, table, key)                                                                   \
    "SELECT max(coalesce((SELECT max(" column ") FROM " table "), 0),"                             \
    " coalesce((SELECT value FROM state WHERE key = '" key "'), 0))"

enum sek_err sek_report_position(struct sek_report *r, struct sek_position *out,
                                 struct sek_diag *diag)
{
    struct sek_position p;
    enum sek_err err =
        sek_sql_int(r->sql, "SELECT value FROM state WHERE key = 'identity'", &p.identity, diag);
    if (!err)
        err = sek_sql_int(r->sql, LAST("id", "hit", "last_hit"), &p.hit, diag);
    if (!err)
        err = sek_sql_int(r->sql, LAST("change", "finding", "last_change"), &p.change, diag);
    if (err)
        return sek_diag_wrap(diag, "%s", r->path);
    *out = p;
    return SEK_OK;
}

enum sek_err sek_report_finding_counts(struct sek_report *r, int64_t since_s, int64_t now_s,
                                       sek_finding_count_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        "SELECT detector, count(*), sum(blocked_until_s > ?2) FROM finding"
                        " WHERE end_ms >= ?1 * 1000 GROUP BY detector",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, since_s);
    sqlite3_bind_int64(stmt, 2, now_s);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!fn(arg, sqlite3_column_int(stmt, 0), (uint64_t)sqlite3_column_int64(stmt, 1),
                (uint64_t)sqlite3_column_int64(stmt, 2)))
            break;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_report_addresses(struct sek_report *r, sek_address_fn *fn, void *arg,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        "SELECT address FROM endpoint UNION SELECT endpoint FROM finding"
                        " UNION SELECT endpoint FROM domain UNION SELECT endpoint FROM response",
                        &stmt, diag);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!fn(arg, (const char *)sqlite3_column_text(stmt, 0)))
            break;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
