/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/policydb.h"
#include <stdlib.h>
#include <string.h>
#include "store/batch.h"
#include "store/policydb_parts.h"
#include "store/versions.h"
#include "base/banned.h"

/* name: the key of store/namekey.h. WITHOUT ROWID and this primary key: a list's entries lie side
 * by side in canonical order, a name is one search a list, and there is no second index to keep.
 * dirty: names whose rules changed since the image `image_id` was built. The view is for people
 * with nothing but the sqlite3 shell; a label with odd octets shows as \x and its hex digits. */
static const char version_1[] =
    "CREATE TABLE state ("
    " one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL,"
    " image_id INTEGER NOT NULL, full_due INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES (1, 1, 0, 0);"
    "CREATE TABLE list ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND 65535),"
    " name TEXT NOT NULL UNIQUE,"
    " mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 2),"
    " action INTEGER NOT NULL CHECK (action BETWEEN 1 AND 7),"
    " priority INTEGER NOT NULL,"
    " ede INTEGER NOT NULL CHECK (ede BETWEEN 0 AND 65535),"
    " source TEXT NOT NULL, comment TEXT NOT NULL, who TEXT NOT NULL,"
    " created_s INTEGER NOT NULL, changed_s INTEGER NOT NULL,"
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
    " n_added INTEGER NOT NULL DEFAULT 0, n_changed INTEGER NOT NULL DEFAULT 0) STRICT;"
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

/* Groups of endpoints (policy/groups.h). only_groups, except_groups: a list's audience, bit id - 1.
 * A group's name is that of its list, which holds its own exceptions. The built-in group 1 and its
 * list are made when the first endpoint is quarantined. net: 16 octets. */
static const char version_groups[] =
    "CREATE TABLE client_group ("
    " id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 64),"
    " list INTEGER NOT NULL UNIQUE REFERENCES list (id),"
    " mode INTEGER NOT NULL CHECK (mode BETWEEN 0 AND 2),"
    " action INTEGER NOT NULL CHECK (action BETWEEN 3 AND 7)) STRICT;"
    "CREATE TABLE member ("
    " client_group INTEGER NOT NULL REFERENCES client_group (id),"
    " net BLOB NOT NULL CHECK (length(net) = 16),"
    " bits INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),"
    " expires_s INTEGER NOT NULL CHECK (expires_s >= 0),"
    " created_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " comment TEXT NOT NULL,"
    " PRIMARY KEY (client_group, net, bits)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE list ADD COLUMN only_groups INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE list ADD COLUMN except_groups INTEGER NOT NULL DEFAULT 0;";

/* The audit trail (store/audit.h). Its triggers stop mistakes, the chain of hashes shows the rest.
 * AUTOINCREMENT: SQLite remembers the last number, so that rows cut off at the end leave a gap.
 * audit_data: by which changes are undone, as long as it is kept (store/journal.h). dismissal: as
 * in the file "dismissed" (event/dismissed.h); endpoint an address or "*", domain a name or "-". */
static const char version_audit[] =
    "CREATE TABLE audit ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT CHECK (number > 0),"
    " time_ms INTEGER NOT NULL,"
    " user TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " origin TEXT NOT NULL,"
    " command TEXT NOT NULL,"
    " verb TEXT NOT NULL,"
    " object TEXT NOT NULL,"
    " before TEXT NOT NULL,"
    " after TEXT NOT NULL,"
    " reason TEXT NOT NULL,"
    " undoes INTEGER NOT NULL,"
    " n_changes INTEGER NOT NULL,"
    " changes TEXT NOT NULL,"
    " previous TEXT NOT NULL,"
    " hash TEXT NOT NULL) STRICT;"
    "CREATE INDEX audit_undoes ON audit (undoes) WHERE undoes > 0;" SEK_AUDIT_NO_UPDATE
    ";" SEK_AUDIT_NO_DELETE ";" SEK_AUDIT_IN_ORDER ";"
    "CREATE TABLE audit_data ("
    " audit INTEGER NOT NULL,"
    " part INTEGER NOT NULL,"
    " data BLOB NOT NULL,"
    " PRIMARY KEY (audit, part)) STRICT;" SEK_AUDIT_DATA_NO_UPDATE ";"
    "CREATE TABLE dismissal ("
    " detector TEXT NOT NULL,"
    " endpoint TEXT NOT NULL,"
    " domain TEXT NOT NULL,"
    " time_s INTEGER NOT NULL,"
    " finding INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " PRIMARY KEY (detector, endpoint, domain)) STRICT;";

/* Feeds and versions of lists (store/feeds.h, store/versions.h). A feed is a list with a source;
 * rules and records are gzip. serial: -1 = none. digest: SHA-256 of what was taken last. */
static const char step_feeds[] =
    "CREATE TABLE feed ("
    " list INTEGER PRIMARY KEY REFERENCES list (id) ON DELETE CASCADE,"
    " kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),"
    " source TEXT NOT NULL,"
    " zone TEXT NOT NULL,"
    " tsig TEXT NOT NULL,"
    " user TEXT NOT NULL,"
    " format INTEGER NOT NULL,"
    " refresh_s INTEGER NOT NULL,"
    " retry_s INTEGER NOT NULL,"
    " expire_s INTEGER NOT NULL,"
    " on_expiry INTEGER NOT NULL CHECK (on_expiry IN (0, 1)),"
    " timeout_s INTEGER NOT NULL,"
    " max_octets INTEGER NOT NULL,"
    " added_s INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL DEFAULT 0,"
    " error TEXT NOT NULL DEFAULT '',"
    " tried_s INTEGER NOT NULL DEFAULT 0,"
    " good_s INTEGER NOT NULL DEFAULT 0,"
    " changed_s INTEGER NOT NULL DEFAULT 0,"
    " serial INTEGER NOT NULL DEFAULT -1,"
    " n_octets INTEGER NOT NULL DEFAULT 0, n_added INTEGER NOT NULL DEFAULT 0,"
    " n_removed INTEGER NOT NULL DEFAULT 0, took_ms INTEGER NOT NULL DEFAULT 0,"
    " soa_refresh_s INTEGER NOT NULL DEFAULT 0, soa_retry_s INTEGER NOT NULL DEFAULT 0,"
    " soa_expire_s INTEGER NOT NULL DEFAULT 0,"
    " mode_before INTEGER NOT NULL DEFAULT -1,"
    " digest BLOB NOT NULL DEFAULT x'') STRICT;"
    "CREATE TABLE feed_zone ("
    " list INTEGER PRIMARY KEY REFERENCES feed (list) ON DELETE CASCADE,"
    " records BLOB NOT NULL) STRICT;"
    "CREATE TABLE list_version ("
    " id INTEGER PRIMARY KEY,"
    " list INTEGER NOT NULL REFERENCES list (id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL,"
    " made_s INTEGER NOT NULL,"
    " replaced_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " n_rules INTEGER NOT NULL,"
    " rules BLOB NOT NULL,"
    " UNIQUE (list, number)) STRICT;";

/* terms: of the rule, as text (policy/terms_text.h); '' for most. */
static const char step_terms[] =
    "ALTER TABLE entry ADD COLUMN terms TEXT NOT NULL DEFAULT '';"
    /* wider checks; no row is looked at (https://sqlite.org/lang_altertable.html, section 7) */
    "PRAGMA writable_schema = ON;"
    "UPDATE sqlite_schema SET sql = replace(sql, 'action BETWEEN 0 AND 7', 'action BETWEEN 0 AND"
    " 9') WHERE name = 'entry';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'action BETWEEN 1 AND 7', 'action BETWEEN 1 AND"
    " 8') WHERE name = 'list';"
    "UPDATE sqlite_schema SET sql = replace(sql, 'ELSE ''drop'' END', 'WHEN 7 THEN ''drop'' WHEN 8"
    " THEN ''tcp-only'' ELSE ''local-data'' END') WHERE name = 'entries';"
    "PRAGMA writable_schema = RESET;";

/* What people make of hits (store/triage.h): domain and endpoint as text, or "*" for any. */
static const char step_triage[] =
    "CREATE TABLE triage ("
    " domain TEXT NOT NULL,"
    " endpoint TEXT NOT NULL CHECK (domain <> '*' OR endpoint <> '*'),"
    " state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),"
    " time_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " note TEXT NOT NULL,"
    " PRIMARY KEY (domain, endpoint)) STRICT;";

/* Incidents (store/incidents.h). kind: enum sek_incident_kind. */
static const char step_incidents[] =
    "CREATE TABLE incident ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),"
    " title TEXT NOT NULL,"
    " opened_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " closed_s INTEGER NOT NULL,"
    " closed_by TEXT NOT NULL,"
    " reason TEXT NOT NULL) STRICT;"
    "CREATE TABLE incident_subject ("
    " incident INTEGER NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,"
    " kind INTEGER NOT NULL CHECK (kind IN (1, 2)),"
    " value TEXT NOT NULL,"
    " added_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " PRIMARY KEY (incident, kind, value)) STRICT;"
    "CREATE TABLE incident_note ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " incident INTEGER NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,"
    " time_s INTEGER NOT NULL,"
    " who TEXT NOT NULL,"
    " text TEXT NOT NULL) STRICT;"
    "CREATE INDEX incident_note_of ON incident_note (incident);";

/* Exceptions as a process (store/exceptions.h): what was asked for, and what became of it. Words of
 * a column have a blank between two; terms as of an entry. */
static const char step_exceptions[] = "CREATE TABLE exception ("
                                      " id INTEGER PRIMARY KEY AUTOINCREMENT,"
                                      " name BLOB NOT NULL CHECK (length(name) <= 510),"
                                      " scope INTEGER NOT NULL CHECK (scope BETWEEN 1 AND 3),"
                                      " client_groups TEXT NOT NULL,"
                                      " endpoints TEXT NOT NULL,"
                                      " terms TEXT NOT NULL,"
                                      " reason TEXT NOT NULL,"
                                      " ticket TEXT NOT NULL,"
                                      " condition TEXT NOT NULL,"
                                      " answers TEXT NOT NULL,"
                                      " owner TEXT NOT NULL,"
                                      " start_s INTEGER NOT NULL,"
                                      " lifetime_s INTEGER NOT NULL CHECK (lifetime_s >= 0),"
                                      " end_s INTEGER NOT NULL,"
                                      " review_s INTEGER NOT NULL) STRICT;"
                                      "CREATE INDEX exception_name ON exception (name);"
                                      "CREATE TABLE exception_step ("
                                      " exception INTEGER NOT NULL REFERENCES exception (id),"
                                      " number INTEGER NOT NULL,"
                                      " act INTEGER NOT NULL CHECK (act BETWEEN 1 AND 7),"
                                      " time_s INTEGER NOT NULL,"
                                      " uid INTEGER NOT NULL,"
                                      " who TEXT NOT NULL,"
                                      " note TEXT NOT NULL,"
                                      " PRIMARY KEY (exception, number)) STRICT, WITHOUT ROWID;";

/* kind: "" or "rpz", a policy zone. */
static const char step_override[] = "ALTER TABLE list ADD COLUMN override TEXT NOT NULL DEFAULT '';"
                                    "ALTER TABLE list ADD COLUMN kind TEXT NOT NULL DEFAULT '';";

/* What the tables hold, as sums (store/rowsums.h), bound to the rows of the trail by their state.
 */
static const char step_state[] = "ALTER TABLE audit ADD COLUMN state TEXT NOT NULL DEFAULT '';"
                                 "CREATE TABLE audit_sum ("
                                 " tbl INTEGER NOT NULL,"
                                 " part INTEGER NOT NULL,"
                                 " n INTEGER NOT NULL,"
                                 " sum BLOB NOT NULL,"
                                 " PRIMARY KEY (tbl, part)) STRICT, WITHOUT ROWID;";

static const char *const steps[] = {version_1,       version_2,     version_groups, version_audit,
                                    step_feeds,      step_terms,    step_triage,    step_incidents,
                                    step_exceptions, step_override, step_state,     NULL};
static const struct sek_sql_schema schema = {
    .steps = steps, .what = "policy.db", .app_id = 0x53454b50}; /* "SEKP" */

static const char *const texts[] = {
#define X(id, text) [SEK_POLICY_SQL_##id] = text,
    SEK_POLICY_SQL(X)
#undef X
};

/* Its readers may write it: an older file is brought up to date by the first who asks, as an
 * upgrade must not silence reports until somebody changes the policy. */
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
    db->keep_versions = SEK_VERSIONS_KEPT;
    *out = db;
    return SEK_OK;
}

void sek_policydb_close(struct sek_policydb *db)
{
    if (!db)
        return;
    sek_policydb_rollback(db);
    sek_sql_close(db->db);
    sek__journal_free(db->journal);
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

/* SQLite's own words, "database is locked" or "disk is full", tell neither which file nor what to
 * do. */
static enum sek_err explained(struct sek_policydb *db, enum sek_err err, struct sek_diag *diag)
{
    const char *file = sqlite3_db_filename(db->db, "main"); /* "": in memory */
    if (err == SEK_E_BUSY)
        return sek_diag_set(diag, err, "policy.db is busy: another program is using it; try again");
    if (err == SEK_E_FULL && diag)
        sek_diag_set(diag, err, "%s; make room there and try again", diag->text);
    if (err)
        sek_diag_wrap(diag, "%s", file && *file ? file : "policy.db");
    return err;
}

enum sek_err sek__policydb_fail(struct sek_policydb *db, int rc, struct sek_diag *diag)
{
    return explained(db, sek_sql_fail(db->db, rc, NULL, diag), diag);
}

enum sek_err sek__policydb_do(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    int rc = sqlite3_step(stmt);
    enum sek_err err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

enum sek_err sek__policydb_rows(struct sek_policydb *db, sqlite3_stmt *stmt, size_t size,
                                sek_row_read_fn *read, struct sek_buf *out, struct sek_diag *diag)
{
    int rc;
    void *row = NULL;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && (row = sek_buf_grow(out, size)) != NULL)
        read(stmt, row);
    enum sek_err err = rc == SQLITE_DONE ? SEK_OK
                       : rc == SQLITE_ROW
                           ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                           : sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
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
    if (err)
        return explained(db, err, diag);
    struct sek_policydb_state state;
    uint64_t n_entries = 0;
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
    sek__journal_reset(db->journal);
    db->generation = state.generation;
    db->full_due = state.full_due != 0;
    db->n_noted = 0;
    db->max_dirty = n_entries / 50 < SEK_DIRTY_MIN   ? SEK_DIRTY_MIN
                    : n_entries / 50 > SEK_DIRTY_MAX ? SEK_DIRTY_MAX
                                                     : n_entries / 50;
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
        err = explained(db, sek_sql_run(db->db, "COMMIT", diag), diag);
    if (err) {
        sek_policydb_rollback(db);
        return err;
    }
    db->changed = false;
    sek__journal_reset(db->journal);
    return SEK_OK;
}

void sek_policydb_rollback(struct sek_policydb *db)
{
    db->changed = false;
    sek__journal_reset(db->journal);
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
    uint64_t max = ++db->n_noted > SEK_DIRTY_FEW ? db->max_dirty : 2 * db->max_dirty;
    if (++db->n_dirty > max)
        db->full_due = true;
    return SEK_OK;
}

enum sek_err sek__policydb_tell(struct sek_policydb *db, bool added, const void *key,
                                size_t key_len, const struct sek_rule *rule, const char *terms,
                                struct sek_diag *diag)
{
    if (db->watch) {
        struct sek_name name;
        if (sek_namekey_to_name(key, key_len, &name))
            return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
        db->watch(db->watch_arg, added, &name, rule, terms);
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
