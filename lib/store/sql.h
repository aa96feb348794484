/* SPDX-License-Identifier: BSD-3-Clause */
/* SQLite, held in one place: open with our pragmas, migrate by user_version in one transaction,
 * prepared statements with bound parameters only. Errors become struct sek_diag (SQLITE_FULL →
 * FULL, BUSY and LOCKED → BUSY, CORRUPT and NOTADB → CORRUPT, READONLY and PERM → DENIED, a broken
 * UNIQUE → EXISTS, CANTOPEN by errno → NOTFOUND, DENIED or IO). Only files of lib/store include
 * this header and <sqlite3.h>. A connection belongs to one thread at a time. */
#pragma once
#include "base/err.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum sek_sql_use {
    SEK_SQL_POLICY, /* rollback journal, synchronous FULL, foreign keys: policy.db, written by
                       people */
    SEK_SQL_EVENTS, /* WAL, synchronous NORMAL, checkpoints by this connection alone */
    SEK_SQL_READER, /* read-only, never checkpoints */
};

/* One step from version i to i + 1 a string; ends with NULL. */
struct sek_sql_schema {
    const char *const *steps;
    const char *what; /* "policy.db", for messages */
    int32_t
        app_id; /* PRAGMA application_id, not 0: a file of another kind is refused, not migrated */
};

/* Creates the file (policy.db 0600, events.db 0640) unless reading; path NULL: a database in
 * memory, not for a reader. NOTFOUND: a reader's file is not there or still empty. VERSION: a newer
 * version made it, or a reader found an older one. INVALID: not a regular file, or a database of
 * something else. */
enum sek_err sek_sql_open(const char *path, enum sek_sql_use use,
                          const struct sek_sql_schema *schema, sqlite3 **out,
                          struct sek_diag *diag);
/* Statements still prepared on it end with it. NULL is fine. */
void sek_sql_close(sqlite3 *db);
enum sek_err sek_sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out,
                             struct sek_diag *diag);
enum sek_err sek_sql_run(sqlite3 *db, const char *text,
                         struct sek_diag *diag); /* constant text only */
/* First column of the first row; NOTFOUND when there is no row. Constant text only. */
enum sek_err sek_sql_int(sqlite3 *db, const char *text, int64_t *out, struct sek_diag *diag);
/* Diagnosis for the result code of a call on db that failed: "<what>: <SQLite's text>". */
enum sek_err sek_sql_fail(sqlite3 *db, int rc, const char *what, struct sek_diag *diag);
