/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the tables of store/journal.h as they are now, by their keys. */
#include "store/audit_parts.h"
#include <string.h>
#include "base/banned.h"

void sek__audit_bind(sqlite3_stmt *stmt, const struct sek__cell *row, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int at = (int)i + 1, len = (int)row[i].len;
        const void *data = row[i].data ? row[i].data : (const uint8_t *)"";
        if (row[i].type == SEK_CELL_INT)
            sqlite3_bind_int64(stmt, at, row[i].n);
        else if (row[i].type == SEK_CELL_TEXT)
            sqlite3_bind_text(stmt, at, data, len, SQLITE_TRANSIENT);
        else if (row[i].type == SEK_CELL_BLOB)
            sqlite3_bind_blob(stmt, at, data, len, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(stmt, at);
    }
}

enum sek_err sek__audit_select(struct sek_policydb *db, const struct sek__journal_table *t,
                               unsigned n_key, sqlite3_stmt **out, struct sek_diag *diag)
{
    struct sek_buf b;
    sek_buf_init(&b, 0);
    for (unsigned i = 0; t->columns[i]; i++)
        sek_buf_add_fmt(&b, "%s%s", i ? ", " : "SELECT ", t->columns[i]);
    sek_buf_add_fmt(&b, " FROM main.%s", t->name);
    for (unsigned i = 0; i < n_key; i++)
        sek_buf_add_fmt(&b, "%s %s = ?%u", i ? " AND" : " WHERE", t->columns[i], i + 1);
    enum sek_err err = b.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                                : sek_sql_prepare(db->db, b.data, out, diag);
    sek_buf_fini(&b);
    return err;
}

void sek__audit_cells(sqlite3_stmt *stmt, const struct sek__journal_table *t, struct sek__cell *out)
{
    for (unsigned i = 0; t->columns[i]; i++)
        out[i] = sek__cell_of(sqlite3_column_value(stmt, (int)i));
}

enum sek_err sek__audit_row_now(struct sek_policydb *db, struct sek__row_getters *g,
                                const struct sek__journal_table *t, const struct sek__cell *key,
                                struct sek__cell *out, bool *out_there, struct sek_diag *diag)
{
    sqlite3_stmt **stmt = &g->get[t->id];
    enum sek_err err = *stmt ? SEK_OK : sek__audit_select(db, t, t->n_key, stmt, diag);
    if (err)
        return err;
    sqlite3_reset(*stmt);
    sek__audit_bind(*stmt, key, t->n_key);
    int rc = sqlite3_step(*stmt);
    *out_there = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(db, rc, diag);
    sek__audit_cells(*stmt, t, out);
    return SEK_OK;
}

void sek__audit_getters_fini(struct sek__row_getters *g)
{
    for (int i = 0; i < SEK_JOURNAL_TABLES; i++)
        sqlite3_finalize(g->get[i]);
}

uint64_t sek__audit_object(const struct sek_hash_key *hash, const struct sek__journal_table *t,
                           const struct sek__cell *row, unsigned n_key)
{
    uint64_t words[2] = {t->id, n_key};
    for (unsigned i = 0; i < n_key; i++) {
        words[0] = sek_hash(hash, words, sizeof words);
        words[1] = row[i].type == SEK_CELL_INT
                       ? (uint64_t)row[i].n
                       : sek_hash(hash, row[i].len ? row[i].data : (const uint8_t *)"", row[i].len);
    }
    return sek_hash(hash, words, sizeof words) | 1;
}
