/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define LIST_COLUMNS                                                                               \
    "id, name, mode, action, priority, ede, source, comment, who, created_s, changed_s,"           \
    " imported_s, n_entries, only_groups, except_groups, override, kind"

#define KIND_ZONE "rpz"
#define STEPS 10000 /* of SQLite's machine between two reports of progress: some milliseconds */

static void row_read(sqlite3_stmt *stmt, void *row)
{
    struct sek_list_row *out = row;
    memset(out, 0, sizeof *out);
    out->list.id = (uint16_t)sqlite3_column_int(stmt, 0);
    sek__policydb_text(stmt, 1, out->list.name, sizeof out->list.name);
    out->list.mode = (uint8_t)sqlite3_column_int(stmt, 2);
    out->list.action = (uint8_t)sqlite3_column_int(stmt, 3);
    out->list.priority = sqlite3_column_int(stmt, 4);
    out->list.ede = (uint16_t)sqlite3_column_int(stmt, 5);
    sek__policydb_text(stmt, 6, out->source, sizeof out->source);
    sek__policydb_text(stmt, 7, out->comment, sizeof out->comment);
    sek__policydb_text(stmt, 8, out->who, sizeof out->who);
    out->created_s = sqlite3_column_int64(stmt, 9);
    out->changed_s = sqlite3_column_int64(stmt, 10);
    out->imported_s = sqlite3_column_int64(stmt, 11);
    int64_t n = sqlite3_column_int64(stmt, 12);
    out->list.n_entries = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    out->audience.only = (uint64_t)sqlite3_column_int64(stmt, 13);
    out->audience.except = (uint64_t)sqlite3_column_int64(stmt, 14);
    sek__policydb_text(stmt, 15, out->override, sizeof out->override);
    out->overriding = (uint8_t)sek_override_action(out->override);
    char kind[8];
    sek__policydb_text(stmt, 16, kind, sizeof kind);
    out->zone = strcmp(kind, KIND_ZONE) == 0;
}

/* Values that the image's reader refuses must not get into the database. */
static enum sek_err row_check(const struct sek_list_row *row, struct sek_diag *diag)
{
    const char *name = row->list.name;
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strnlen(name, SEK_LIST_NAME_MAX);
    if (len == 0 || len == SEK_LIST_NAME_MAX || !strchr(first, name[0]) ||
        strspn(name, others) != len)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "a list's name has 1 to %d of the characters a-z 0-9 . _ - and starts "
                            "with a letter or digit",
                            SEK_LIST_NAME_MAX - 1);
    if (row->list.mode > SEK_MODE_BLOCK)
        return sek_diag_set(diag, SEK_E_INVALID, "list %s: no such mode", name);
    if (row->list.action == SEK_ACTION_DEFAULT || row->list.action > SEK_ACTION_TCP_ONLY)
        return sek_diag_set(diag, SEK_E_INVALID, "list %s: no such action", name);
    return SEK_OK;
}

static enum sek_err room_check(struct sek_policydb *db, struct sek_diag *diag)
{
    int64_t n;
    enum sek_err err = sek_sql_int(db->db, "SELECT count(*) FROM list", &n, diag);
    if (!err && n >= SEK_LISTS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "there are %d lists, no more are allowed",
                            SEK_LISTS_MAX);
    return err;
}

/* ?1 to ?7, ?10 to ?13: what both adding and setting take. */
static void row_bind(sqlite3_stmt *stmt, const struct sek_list_row *row)
{
    sqlite3_bind_int(stmt, 1, row->list.mode);
    sqlite3_bind_int(stmt, 2, row->list.action);
    sqlite3_bind_int(stmt, 3, row->list.priority);
    sqlite3_bind_int(stmt, 4, row->list.ede);
    sqlite3_bind_text(stmt, 5, row->source, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 6, row->comment, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 7, row->who, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 10, (int64_t)row->audience.only);
    sqlite3_bind_int64(stmt, 11, (int64_t)row->audience.except);
    sqlite3_bind_text(stmt, 12, row->override, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 13, row->zone ? KIND_ZONE : "", -1, SQLITE_STATIC);
}

enum sek_err sek_policydb_list_add(struct sek_policydb *db, struct sek_list_row *row,
                                   struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = row_check(row, diag);
    if (!err)
        err = room_check(db, diag);
    if (!err)
        err = sek_sql_prepare(
            db->db,
            "INSERT INTO list (mode, action, priority, ede, source, comment, who,"
            " created_s, changed_s, name, only_groups, except_groups, override, kind)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13)",
            &stmt, diag);
    if (err)
        return err;
    row_bind(stmt, row);
    sqlite3_bind_int64(stmt, 8, row->created_s);
    sqlite3_bind_text(stmt, 9, row->list.name, -1, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (err == SEK_E_EXISTS)
        return sek_diag_set(diag, err, "there is a list %s already", row->list.name);
    if (err == SEK_E_INVALID)
        return sek_diag_set(diag, SEK_E_LIMIT,
                            "all 65535 list ids were used; start a new policy.db");
    if (err)
        return err;
    row->list.id = (uint16_t)sqlite3_last_insert_rowid(db->db);
    db->changed = true;
    return SEK_OK;
}

enum sek_err sek_policydb_list_get(struct sek_policydb *db, const char *name,
                                   struct sek_list_row *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db, "SELECT " LIST_COLUMNS " FROM list WHERE name = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        row_read(stmt, out);
    else if (rc == SQLITE_DONE)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such list");
    else
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_list_set(struct sek_policydb *db, const struct sek_list_row *row,
                                   struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = row_check(row, diag);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "UPDATE list SET mode = ?1, action = ?2, priority = ?3, ede = ?4,"
                              " source = ?5, comment = ?6, who = ?7, changed_s = ?8,"
                              " only_groups = ?10, except_groups = ?11, override = ?12, kind = ?13"
                              " WHERE id = ?9",
                              &stmt, diag);
    if (err)
        return err;
    row_bind(stmt, row);
    sqlite3_bind_int64(stmt, 8, row->changed_s);
    sqlite3_bind_int(stmt, 9, row->list.id);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no list %s", row->list.name);
    if (!err)
        db->changed = true;
    return err;
}

static enum sek_err builtin_check(struct sek_policydb *db, uint16_t id, struct sek_diag *diag)
{
    static const char *const builtin[] = {SEK_LIST_LOCAL_BLOCK, SEK_LIST_LOCAL_ALLOW};
    struct sek_list_row row;
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++) {
        enum sek_err err = sek_policydb_list_get(db, builtin[i], &row, diag);
        if (!err && row.list.id == id)
            return sek_diag_set(diag, SEK_E_REFUSED, "list %s is built in and stays", builtin[i]);
        if (err && err != SEK_E_NOTFOUND)
            return err;
    }
    return SEK_OK;
}

/* A group's own list goes with the group. */
static enum sek_err group_check(struct sek_policydb *db, uint16_t id, struct sek_diag *diag)
{
    int64_t n;
    char text[80];
    snprintf(text, sizeof text, "SELECT count(*) FROM client_group WHERE list = %u", id);
    enum sek_err err = sek_sql_int(db->db, text, &n, diag);
    if (!err && n > 0)
        err = sek_diag_set(diag, SEK_E_REFUSED,
                           "the list is a group's own: sekisho group remove takes both away");
    return err;
}

/* Note every name of a list that is about to go. */
static enum sek_err entries_tell(struct sek_policydb *db, uint16_t id, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT name, scope, action, expires_s, terms FROM entry WHERE list = ?1", &stmt,
        diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, id);
    int rc = SQLITE_DONE;
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct sek_rule rule = {.list = id,
                                      .scope = (uint8_t)sqlite3_column_int(stmt, 1),
                                      .action = (uint8_t)sqlite3_column_int(stmt, 2),
                                      .expires_s = sqlite3_column_int64(stmt, 3)};
        err = sek__policydb_tell(db, false, sqlite3_column_blob(stmt, 0),
                                 (size_t)sqlite3_column_bytes(stmt, 0), &rule,
                                 (const char *)sqlite3_column_text(stmt, 4), diag);
        if (db->full_due && !db->watch) /* nothing is noted any more */
            break;
    }
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err list_delete(struct sek_policydb *db, uint16_t id, struct sek_diag *diag)
{
    static const char *const deletes[] = {"DELETE FROM entry WHERE list = ?1",
                                          "DELETE FROM list WHERE id = ?1"};
    enum sek_err err = entries_tell(db, id, diag);
    for (size_t i = 0; !err && i < sizeof deletes / sizeof *deletes; i++) {
        sqlite3_stmt *stmt;
        err = sek_sql_prepare(db->db, deletes[i], &stmt, diag);
        if (err)
            return err;
        sqlite3_bind_int(stmt, 1, id);
        err = sek__policydb_do(db, stmt, diag);
        sqlite3_finalize(stmt);
    }
    return err;
}

struct steps {
    sek_progress_fn *progress;
    void *arg;
};

static int step(void *arg)
{
    const struct steps *s = arg;
    s->progress(s->arg, 1001);
    return 0; /* goes on */
}

enum sek_err sek_policydb_list_remove(struct sek_policydb *db, uint16_t id,
                                      sek_progress_fn *progress, void *arg, struct sek_diag *diag)
{
    struct steps steps = {progress, arg};
    enum sek_err err = builtin_check(db, id, diag);
    if (!err)
        err = group_check(db, id, diag);
    if (err)
        return err;
    sqlite3_progress_handler(db->db, STEPS, progress ? step : NULL, &steps);
    err = list_delete(db, id, diag);
    sqlite3_progress_handler(db->db, 0, NULL, NULL);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such list");
    if (!err)
        db->changed = true;
    return err;
}

enum sek_err sek_policydb_lists(struct sek_policydb *db, sek_list_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    struct sek_buf rows;
    enum sek_err err =
        sek_sql_prepare(db->db, "SELECT " LIST_COLUMNS " FROM list ORDER BY name", &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    err = sek__policydb_rows(db, stmt, sizeof(struct sek_list_row), row_read, &rows, diag);
    const struct sek_list_row *row = (const void *)rows.data;
    for (size_t n = err ? 0 : rows.len / sizeof *row; n && fn(arg, row); n--)
        row++;
    sek_buf_fini(&rows);
    return err;
}
