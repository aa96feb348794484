/* SPDX-License-Identifier: BSD-3-Clause */
/* SQLite, held in one place: open with our pragmas, migrate by user_version in one transaction, prepared
 * statements with bound parameters only. Errors become struct sek_diag (SQLITE_FULL → FULL, BUSY and
 * LOCKED → BUSY, CORRUPT and NOTADB → CORRUPT, READONLY, PERM, CANTOPEN → DENIED or IO). Only files of
 * lib/store include this header and <sqlite3.h>. */
#pragma once
#include "base/err.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum sek_sql_use {
    SEK_SQL_POLICY, /* rollback journal, synchronous FULL, foreign keys: policy.db, written by people */
    SEK_SQL_EVENTS, /* WAL, synchronous NORMAL, checkpoints by this connection alone */
    SEK_SQL_READER, /* read-only, never checkpoints */
};

/* One step from version i to i + 1 a string; ends with NULL. */
struct sek_sql_schema {
    const char *const *steps;
    const char *what; /* "policy.db", for messages */
};

/* Creates the file (mode 0640) unless reading; a file of a newer version is SEK_E_VERSION. */
enum sek_err sek_sql_open(const char *path, enum sek_sql_use use,
                          const struct sek_sql_schema *schema, sqlite3 **out,
                          struct sek_diag *diag);
void sek_sql_close(sqlite3 *db);
enum sek_err sek_sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out,
                             struct sek_diag *diag);
enum sek_err sek_sql_run(sqlite3 *db, const char *text, struct sek_diag *diag); /* constant text only */
enum sek_err sek_sql_fail(sqlite3 *db, int rc, const char *what, struct sek_diag *diag);
