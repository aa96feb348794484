/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_lists.h"
#include "name/text.h"
#include "store/report_parts.h"
#include <string.h>
#include "base/banned.h"

enum sek_err sek_report_rule_hits(struct sek_report *r, int64_t since_s, sek_rule_hits_fn *fn,
                                  void *arg, struct sek_diag *diag)
{
    static const char text[] =
        "SELECT l.name, o.text, h.scope, sum(s.count), max(s.last_ms)"
        " FROM hit h JOIN hit_sum s ON s.id = h.id JOIN list l ON l.id = h.list"
        " JOIN name o ON o.id = h.owner"
        " WHERE h.minute >= :since AND h.scope BETWEEN 1 AND 3"
        " GROUP BY l.name, h.owner, h.scope ORDER BY l.name";
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(r->sql, text, &stmt, diag);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", since_s / 60);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *owner = (const char *)sqlite3_column_text(stmt, 1);
        struct sek_rule_hits hits = {.list = (const char *)sqlite3_column_text(stmt, 0),
                                     .scope = (enum sek_scope)sqlite3_column_int(stmt, 2),
                                     .n_hits = (uint64_t)sqlite3_column_int64(stmt, 3),
                                     .last_ms = sqlite3_column_int64(stmt, 4)};
        if (!owner || !hits.list || sek_name_from_text(owner, strlen(owner), &hits.owner, NULL))
            continue; /* no rule of ours has such a name */
        if (!fn(arg, &hits))
            break;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
