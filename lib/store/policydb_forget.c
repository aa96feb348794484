/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/policydb_forget.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define OTHER_ADDRESS                                                                              \
    "EXISTS (SELECT 1 FROM endpoint_span o WHERE o.mac = endpoint_span.mac"                        \
    " AND length(o.subject) = 16 AND o.subject <> ?1)"

static const char *const statements[] = {
    "DELETE FROM endpoint_span WHERE length(subject) <> 16 AND mac IN"
    " (SELECT mac FROM endpoint_span WHERE subject = ?1 AND mac <> '') AND NOT " OTHER_ADDRESS,
    "DELETE FROM endpoint_span WHERE subject = ?1",
    "DELETE FROM dismissal WHERE endpoint = ?2",
    "DELETE FROM triage WHERE endpoint = ?2",
};

static enum sek_err run(struct sek_policydb *db, const char *text, const struct sek_addr *endpoint,
                        int64_t number, uint64_t *io_rows, struct sek_diag *diag)
{
    char address[SEK_ADDR_TEXT_MAX];
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, endpoint->octets, sizeof endpoint->octets, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, sek_addr_to_text(endpoint, address), -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, number);
    err = sek__policydb_do(db, stmt, diag);
    *io_rows += (uint64_t)sqlite3_changes(db->db);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_forget(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 int64_t undo_until, uint64_t *out_rows, struct sek_diag *diag)
{
    uint64_t n = 0, undo = 0;
    enum sek_err err = sek_sql_run(db->db, "PRAGMA secure_delete=ON", diag);
    for (size_t i = 0; i < sizeof statements / sizeof *statements && !err; i++)
        err = run(db, statements[i], endpoint, 0, &n, diag);
    if (!err && undo_until)
        err = run(db, "DELETE FROM main.audit_data WHERE audit <= ?3", endpoint, undo_until, &undo,
                  diag);
    *out_rows = n;
    return err;
}
