/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/policydb.h"
#include <stdlib.h>
#include <string.h>
#include "store/batch.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

/* name: the key of store/namekey.h. WITHOUT ROWID and this primary key: a list's entries lie side
 * by side in canonical order, a name is one search a list, and there is no second index to keep.
 * dirty: names whose rules changed since the image `image_id` was built. The view is for people
 * with nothing but the sqlite3 shell; a label with odd octets shows as \x and
 * its hex digits in the key. */
static const char version_1[] =
    "CREATE TABLE state ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " generation INTEGER NOT NULL,"
    " image_id INTEGER NOT NULL,"
    " full_due INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES (1, 1, 0, 0);"
    "CREATE TABLE list ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 65535),"
    " name TEXT NOT NULL UNIQUE,"
    " mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 2),"
    " action INTEGER NOT NULL CHECK (action BETWEEN 1 AND 7),"
    " priority INTEGER NOT NULL,"
    " ede INTEGER NOT NULL CHECK (ede BETWEEN 0 AND 65535),"
    " source TEXT NOT NULL,"
    " comment TEXT NOT NULL,"
    " who TEXT NOT NULL,"
    " created_s INTEGER NOT NULL,"
    " changed_s INTEGER NOT NULL,"
    " imported_s INTEGER NOT NULL DEFAULT 0,"
    " n_entries INTEGER NOT NULL DEFAULT 0 CHECK (n_entries >= 0)) STRICT;"
    "INSERT INTO list (name, mode, action, priority, ede, source, comment, who, created_s, "
    "changed_s)"
    " VALUES ('local-block', 2, 5, 1000, 15, 'local', 'names blocked by hand', '', unixepoch(),"
    " unixepoch()),"
    " ('local-allow', 2, 1, 1000, 15, 'local', 'exceptions made by hand', '', unixepoch(),"
    " unixepoch());"
    "CREATE TABLE entry ("
    " list INTEGER NOT NULL REFERENCES list (id),"
    " name BLOB NOT NULL CHECK (length(name) <= 510),"
    " scope INTEGER NOT NULL CHECK (scope BETWEEN 1 AND 3),"
    " action INTEGER NOT NULL CHECK (action BETWEEN 0 AND 7),"
    " expires_s INTEGER NOT NULL,"
    " created_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " comment TEXT NOT NULL,"
    " PRIMARY KEY (list, name, scope)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX entry_expiry ON entry (expires_s) WHERE expires_s > 0;"
    "CREATE TABLE dirty ("
    " name BLOB PRIMARY KEY,"
    " generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE VIEW entries AS SELECT list.name AS list,"
    " CASE entry.scope WHEN 1 THEN '=' WHEN 3 THEN '*' || substr('.', 1, length(entry.name)) ELSE "
    "'' END || ("
    "  WITH RECURSIVE part (rest, text) AS ("
    "   SELECT entry.name, ''"
    "   UNION ALL"
    "   SELECT substr(rest, instr(rest, x'00') + 1),"
    "    CASE WHEN CAST(substr(rest, 1, instr(rest, x'00') - 1) AS TEXT) GLOB '*[^-_a-z0-9]*'"
    "     THEN '\\x' || hex(substr(rest, 1, instr(rest, x'00') - 1))"
    "     ELSE CAST(substr(rest, 1, instr(rest, x'00') - 1) AS TEXT) END"
    "     || CASE text WHEN '' THEN '' ELSE '.' || text END"
    "   FROM part WHERE length(rest) > 0)"
    "  SELECT CASE text WHEN '' THEN '.' ELSE text END FROM part WHERE length(rest) = 0) AS rule,"
    " CASE entry.action WHEN 0 THEN 'as list' WHEN 1 THEN 'passthru' WHEN 2 THEN 'log'"
    "  WHEN 3 THEN 'nxdomain' WHEN 4 THEN 'nodata' WHEN 5 THEN 'sinkhole' WHEN 6 THEN 'refused'"
    "  ELSE 'drop' END AS action,"
    " CASE entry.expires_s WHEN 0 THEN '' ELSE datetime(entry.expires_s, 'unixepoch') END AS ends,"
    " datetime(entry.created_s, 'unixepoch') AS made, entry.who AS who, entry.comment AS comment"
    " FROM entry JOIN list ON list.id = entry.list;";

/* The inventory (store/inventory.h). subject: an address of 16 octets, or 'm' and a MAC without its
 * colons, for what is known of that machine wherever it is. ended: until_s is when it did end.
 * seen_s: the latest time at which it was stated to last: no end before that is believed. import:
 * the record of who stated it last. Texts as columns: a table of machines to refer to would halve
 * the size and double the searches of every lookup. */
static const char version_2[] =
    "CREATE TABLE endpoint_import ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " format TEXT NOT NULL DEFAULT '',"
    " n_added INTEGER NOT NULL DEFAULT 0,"
    " n_changed INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE endpoint_span ("
    " subject BLOB NOT NULL CHECK (length(subject) BETWEEN 13 AND 41),"
    " from_s INTEGER NOT NULL,"
    " until_s INTEGER NOT NULL CHECK (until_s > from_s),"
    " ended INTEGER NOT NULL CHECK (ended IN (0, 1)),"
    " seen_s INTEGER NOT NULL,"
    " mac TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " owner TEXT NOT NULL,"
    " grp TEXT NOT NULL,"
    " import INTEGER NOT NULL,"
    " PRIMARY KEY (subject, from_s)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX endpoint_span_mac ON endpoint_span (mac) WHERE mac <> '';"
    "CREATE INDEX endpoint_span_name ON endpoint_span (name COLLATE NOCASE) WHERE name <> '';";

static const char *const steps[] = {version_1, version_2, NULL};
static const struct sek_sql_schema schema = {
    .steps = steps, .what = "policy.db", .app_id = 0x53454b50}; /* "SEKP" */

static const char *const texts[] = {
#define X(id, text) [SEK_POLICY_SQL_##id] = text,
    SEK_POLICY_SQL(X)
#undef X
};

/* Its readers are those who may write it: an older file is brought up to date by the first who
 * asks, as an upgrade must not silence reports until somebody changes the policy. */
static enum sek_err open_older(const char *path, sqlite3 **out, struct sek_diag *diag)
{
    sqlite3 *writer = NULL;
    enum sek_err err = sek_sql_open(path, SEK_SQL_POLICY, &schema, &writer, diag);
    sek_sql_close(writer);
    return err ? err : sek_sql_open(path, SEK_SQL_READER, &schema, out, diag);
}

enum sek_err sek_policydb_open(const char *path, bool write, struct sek_policydb **out,
                               struct sek_diag *diag)
{
    struct sek_policydb *db = calloc(1, sizeof *db);
    if (!db)
        return sek_diag_set(diag, SEK_E_NOMEM, "policy.db: %s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err =
        sek_sql_open(path, write ? SEK_SQL_POLICY : SEK_SQL_READER, &schema, &db->db, diag);
    if (err == SEK_E_VERSION && !write)
        err = open_older(path, &db->db, diag);
    if (err) {
        free(db);
        return err;
    }
    *out = db;
    return SEK_OK;
}

void sek_policydb_close(struct sek_policydb *db)
{
    if (!db)
        return;
    sek_policydb_rollback(db);
    sek_sql_close(db->db);
    free(db);
}

enum sek_err sek__policydb_stmt(struct sek_policydb *db, enum sek_policy_sql id, sqlite3_stmt **out,
                                struct sek_diag *diag)
{
    if (!db->stmt[id]) {
        enum sek_err err = sek_sql_prepare(db->db, texts[id], &db->stmt[id], diag);
        if (err)
            return err;
    }
    sqlite3_reset(db->stmt[id]);
    *out = db->stmt[id];
    return SEK_OK;
}

/* SQLite's own words, "database is locked", tell nobody what to do. */
static enum sek_err busy(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_BUSY,
                        "policy.db is busy: another program is using it; try again");
}

enum sek_err sek__policydb_fail(struct sek_policydb *db, int rc, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_fail(db->db, rc, "policy.db", diag);
    return err == SEK_E_BUSY ? busy(diag) : err;
}

enum sek_err sek__policydb_do(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    int rc = sqlite3_step(stmt);
    enum sek_err err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

/* One row of a kept statement; the caller reads its columns and resets it. */
static enum sek_err row_of(struct sek_policydb *db, enum sek_policy_sql id, sqlite3_stmt **out,
                           struct sek_diag *diag)
{
    enum sek_err err = sek__policydb_stmt(db, id, out, diag);
    if (err)
        return err;
    int rc = sqlite3_step(*out);
    if (rc == SQLITE_ROW)
        return SEK_OK;
    err = rc == SQLITE_DONE ? sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: its state row is gone")
                            : sek__policydb_fail(db, rc, diag);
    sqlite3_reset(*out);
    return err;
}

enum sek_err sek__policydb_state(struct sek_policydb *db, struct sek_policydb_state *out,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = row_of(db, SEK_POLICY_SQL_STATE, &stmt, diag);
    if (err)
        return err;
    *out = (struct sek_policydb_state){.generation = (uint64_t)sqlite3_column_int64(stmt, 0),
                                       .image_id = (uint64_t)sqlite3_column_int64(stmt, 1),
                                       .full_due = (uint64_t)sqlite3_column_int64(stmt, 2)};
    sqlite3_reset(stmt);
    return SEK_OK;
}

enum sek_err sek_policydb_generation(struct sek_policydb *db, uint64_t *out, struct sek_diag *diag)
{
    struct sek_policydb_state state;
    enum sek_err err = sek__policydb_state(db, &state, diag);
    if (!err)
        *out = state.generation;
    return err;
}

static enum sek_err number_of(struct sek_policydb *db, enum sek_policy_sql id, uint64_t *out,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = row_of(db, id, &stmt, diag);
    if (err)
        return err;
    *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return SEK_OK;
}

enum sek_err sek_policydb_begin(struct sek_policydb *db, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_run(db->db, "BEGIN IMMEDIATE", diag);
    if (err == SEK_E_BUSY)
        return busy(diag);
    struct sek_policydb_state state;
    uint64_t n_entries = 0;
    if (!err)
        err = sek__policydb_state(db, &state, diag);
    if (!err)
        err = number_of(db, SEK_POLICY_SQL_DIRTY_COUNT, &db->n_dirty, diag);
    if (!err)
        err = number_of(db, SEK_POLICY_SQL_TOTAL, &n_entries, diag);
    if (err) {
        sek_policydb_rollback(db);
        return err;
    }
    db->changed = false;
    db->generation = state.generation;
    db->full_due = state.full_due != 0;
    db->max_dirty = n_entries / 50 > SEK_DIRTY_MIN ? n_entries / 50 : SEK_DIRTY_MIN;
    return SEK_OK;
}

/* A new image takes all in, so what was noted so far is of no use; full_due moves on with every
 * change, or an image that is being built right now would count as having it. */
static enum sek_err generation_raise(struct sek_policydb *db, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    int64_t fresh = (int64_t)(db->generation + 1);
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_RAISE, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, fresh);
    sqlite3_bind_int64(stmt, 2, db->full_due ? fresh : 0);
    err = sek__policydb_do(db, stmt, diag);
    if (err || !db->full_due)
        return err;
    err = sek__policydb_stmt(db, SEK_POLICY_SQL_DIRTY_CLEAR, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, fresh);
    return sek__policydb_do(db, stmt, diag);
}

enum sek_err sek_policydb_commit(struct sek_policydb *db, struct sek_diag *diag)
{
    enum sek_err err = db->changed ? generation_raise(db, diag) : SEK_OK;
    if (!err)
        err = sek_sql_run(db->db, "COMMIT", diag);
    if (err) {
        sek_policydb_rollback(db);
        return err == SEK_E_BUSY ? busy(diag) : err;
    }
    db->changed = false;
    return SEK_OK;
}

void sek_policydb_rollback(struct sek_policydb *db)
{
    db->changed = false;
    sek_batch_free(db->import_batch);
    db->import_batch = NULL;
    /* SQLite has done it already after some failures (disk full, input/output error) */
    if (!sqlite3_get_autocommit(db->db))
        sek_sql_run(db->db, "ROLLBACK", NULL);
}

void sek_policydb_watch(struct sek_policydb *db, sek_change_fn *fn, void *arg)
{
    db->watch = fn;
    db->watch_arg = arg;
}

enum sek_err sek__policydb_touch(struct sek_policydb *db, const void *key, size_t key_len,
                                 struct sek_diag *diag)
{
    db->changed = true;
    if (db->full_due)
        return SEK_OK;
    sqlite3_stmt *stmt;
    for (int i = 0; i < 2; i++) {
        enum sek_err err = sek__policydb_stmt(
            db, i == 0 ? SEK_POLICY_SQL_DIRTY_UPDATE : SEK_POLICY_SQL_DIRTY_INSERT, &stmt, diag);
        if (err)
            return err;
        sqlite3_bind_blob(stmt, 1, key, (int)key_len, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 2, (int64_t)(db->generation + 1));
        err = sek__policydb_do(db, stmt, diag);
        if (err)
            return err;
        if (sqlite3_changes64(db->db) && i == 0)
            return SEK_OK; /* noted before */
    }
    if (++db->n_dirty > db->max_dirty)
        db->full_due = true;
    return SEK_OK;
}

enum sek_err sek__policydb_tell(struct sek_policydb *db, bool added, const void *key,
                                size_t key_len, const struct sek_rule *rule, struct sek_diag *diag)
{
    if (db->watch) {
        struct sek_name name;
        if (sek_namekey_to_name(key, key_len, &name))
            return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
        db->watch(db->watch_arg, added, &name, rule);
    }
    return sek__policydb_touch(db, key, key_len, diag);
}

enum sek_err sek__policydb_count(struct sek_policydb *db, uint16_t list, int64_t n,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_LIST_COUNT, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, list);
    sqlite3_bind_int64(stmt, 2, n);
    return sek__policydb_do(db, stmt, diag);
}

enum sek_err sek__policydb_name(sqlite3_stmt *stmt, int column, struct sek_name *out,
                                struct sek_diag *diag)
{
    const void *key = sqlite3_column_blob(stmt, column);
    size_t len = (size_t)sqlite3_column_bytes(stmt, column);
    if (sek_namekey_to_name(key, len, out))
        return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
    return SEK_OK;
}

void sek__policydb_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t n = text ? strnlen(text, size - 1) : 0;
    if (n)
        memcpy(out, text, n);
    out[n] = '\0';
}
