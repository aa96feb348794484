/* SPDX-License-Identifier: BSD-3-Clause */
/* A list's new content is fed into a temporary table, read back in canonical order (SQLite sorts
 * within its cache, beyond that through files) and merged with the entries that are there: what is
 * the same costs one comparison and no write. The difference waits in a second temporary table, as
 * the entries may not change under the cursor that reads them. */
#include <string.h>
#include "store/policydb_parts.h"
#include "base/banned.h"

#define CACHE_KIB "65536" /* each for the database and the temporary tables */

enum op {
    OP_ADD = 1,
    OP_REMOVE = 2,
    OP_CHANGE = 3,
};

/* A place in one of the two sorted inputs. */
struct cursor {
    sqlite3_stmt *stmt; /* name, scope, action, expires_s */
    bool end;
    size_t len;
    uint8_t key[SEK_NAMEKEY_MAX];
    int scope, action;
    int64_t expires_s;
};

struct diff {
    enum op op;
    const void *key;
    size_t len;
    int scope, action;
    int old_action;
    int64_t old_expires_s;
};

static const char setup[] =
    "PRAGMA main.cache_size = -" CACHE_KIB ";"
    "PRAGMA temp.cache_size = -" CACHE_KIB ";"
    "CREATE TEMP TABLE IF NOT EXISTS feed (name BLOB, scope INTEGER, action INTEGER);"
    "CREATE TEMP TABLE IF NOT EXISTS diff (op INTEGER, name BLOB, scope INTEGER, action INTEGER,"
    " old_action INTEGER, old_expires_s INTEGER);"
    "DELETE FROM temp.feed; DELETE FROM temp.diff;";

enum sek_err sek_policydb_import_begin(struct sek_policydb *db, uint16_t list, const char *who,
                                       int64_t now_s, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_run(db->db, setup, diag);
    if (err)
        return err;
    db->import_list = list;
    db->import_s = now_s;
    size_t n = strnlen(who, sizeof db->import_who - 1);
    memcpy(db->import_who, who, n);
    db->import_who[n] = '\0';
    return SEK_OK;
}

enum sek_err sek_policydb_import_rule(struct sek_policydb *db, const struct sek_name *name,
                                      enum sek_scope scope, enum sek_action action,
                                      struct sek_diag *diag)
{
    uint8_t key[SEK_NAMEKEY_MAX];
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_FEED_ADD, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, key, (int)sek_namekey_from_name(name, key), SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, (int)scope);
    sqlite3_bind_int(stmt, 3, (int)action);
    return sek__policydb_do(db, stmt, diag);
}

static enum sek_err cursor_next(struct sek_policydb *db, struct cursor *c, struct sek_diag *diag)
{
    int rc = sqlite3_step(c->stmt);
    if (rc != SQLITE_ROW) {
        c->end = true;
        return rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(db, rc, diag);
    }
    c->len = (size_t)sqlite3_column_bytes(c->stmt, 0);
    if (c->len > sizeof c->key)
        return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
    if (c->len)
        memcpy(c->key, sqlite3_column_blob(c->stmt, 0), c->len);
    c->scope = sqlite3_column_int(c->stmt, 1);
    c->action = sqlite3_column_int(c->stmt, 2);
    c->expires_s = sqlite3_column_int64(c->stmt, 3);
    return SEK_OK;
}

/* Order of (name, scope): <0, 0, >0. An ended cursor is behind everything. */
static int cursor_compare(const struct cursor *a, const struct cursor *b)
{
    if (a->end || b->end)
        return (int)a->end - (int)b->end;
    int order = memcmp(a->key, b->key, a->len < b->len ? a->len : b->len);
    if (order == 0)
        order = (a->len > b->len) - (a->len < b->len);
    return order ? order : a->scope - b->scope;
}

/* Put one difference into the entries. */
static enum sek_err diff_apply(struct sek_policydb *db, const struct diff *d, struct sek_diag *diag)
{
    static const enum sek_policy_sql sql[] = {[OP_ADD] = SEK_POLICY_SQL_ENTRY_PUT,
                                              [OP_REMOVE] = SEK_POLICY_SQL_ENTRY_DELETE,
                                              [OP_CHANGE] = SEK_POLICY_SQL_ENTRY_SET};
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, sql[d->op], &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, db->import_list);
    sqlite3_bind_blob(stmt, 2, d->key, (int)d->len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, d->scope);
    if (d->op != OP_REMOVE)
        sqlite3_bind_int(stmt, 4, d->action);
    if (d->op == OP_ADD) {
        sqlite3_bind_int64(stmt, 5, 0);
        sqlite3_bind_int64(stmt, 6, db->import_s);
        sqlite3_bind_text(stmt, 7, db->import_who, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 8, "", 0, SQLITE_STATIC);
    }
    err = sek__policydb_do(db, stmt, diag);
    struct sek_rule rule = {.list = db->import_list,
                            .scope = (uint8_t)d->scope,
                            .action = (uint8_t)d->old_action,
                            .expires_s = d->old_expires_s};
    if (!err && d->op != OP_ADD)
        err = sek__policydb_tell(db, false, d->key, d->len, &rule, diag);
    rule.action = (uint8_t)d->action;
    rule.expires_s = 0;
    if (!err && d->op != OP_REMOVE)
        err = sek__policydb_tell(db, true, d->key, d->len, &rule, diag);
    return err;
}

static enum sek_err diff_keep(struct sek_policydb *db, const struct diff *d, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_DIFF_ADD, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, (int)d->op);
    sqlite3_bind_blob(stmt, 2, d->key, (int)d->len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, d->scope);
    sqlite3_bind_int(stmt, 4, d->action);
    sqlite3_bind_int(stmt, 5, d->old_action);
    sqlite3_bind_int64(stmt, 6, d->old_expires_s);
    return sek__policydb_do(db, stmt, diag);
}

static enum sek_err diffs_apply(struct sek_policydb *db, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT op, name, scope, action, old_action, old_expires_s FROM temp.diff", &stmt,
        diag);
    int rc = SQLITE_DONE;
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct diff d = {.op = (enum op)sqlite3_column_int(stmt, 0),
                               .key = sqlite3_column_blob(stmt, 1),
                               .len = (size_t)sqlite3_column_bytes(stmt, 1),
                               .scope = sqlite3_column_int(stmt, 2),
                               .action = sqlite3_column_int(stmt, 3),
                               .old_action = sqlite3_column_int(stmt, 4),
                               .old_expires_s = sqlite3_column_int64(stmt, 5)};
        err = diff_apply(db, &d, diag);
    }
    if (!err && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

struct merge {
    struct cursor fed, ahead; /* what was fed; `ahead` is one row on */
    struct cursor old;        /* what is there */
    bool append;
    bool direct; /* the list was empty: no cursor is on the entries, and no second pass is needed */
    struct sek_import_stats stats;
};

/* What the places of `fed` and `old` mean. */
static enum sek_err merge_step(struct sek_policydb *db, struct merge *m, int order,
                               struct sek_diag *diag)
{
    const struct cursor *fed = &m->fed, *old = &m->old;
    struct sek_import_stats *st = &m->stats;
    const struct cursor *at = order <= 0 ? fed : old;
    struct diff d = {.key = at->key, .len = at->len, .scope = at->scope, .action = fed->action};
    if (order < 0) {
        d.op = OP_ADD;
        st->n_added++;
        st->n_after++;
        return m->direct ? diff_apply(db, &d, diag) : diff_keep(db, &d, diag);
    }
    d.old_action = old->action;
    d.old_expires_s = old->expires_s;
    bool stays = order == 0 || m->append;
    bool same = order > 0 || (fed->action == old->action && old->expires_s == 0);
    if (stays)
        st->n_after++;
    if (stays && same)
        return SEK_OK;
    d.op = stays ? OP_CHANGE : OP_REMOVE;
    *(stays ? &st->n_changed : &st->n_removed) += 1;
    return diff_keep(db, &d, diag);
}

static enum sek_err old_next(struct sek_policydb *db, struct merge *m, struct sek_diag *diag)
{
    enum sek_err err = cursor_next(db, &m->old, diag);
    if (!err && !m->old.end)
        m->stats.n_before++;
    return err;
}

/* The next (name, scope) of what was fed, with the action that came last. */
static enum sek_err fed_next(struct sek_policydb *db, struct merge *m, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    m->fed = m->ahead;
    while (!m->ahead.end && !(err = cursor_next(db, &m->ahead, diag)) && !m->ahead.end &&
           cursor_compare(&m->fed, &m->ahead) == 0) {
        m->fed.action = m->ahead.action;
        m->stats.n_duplicate++;
    }
    return err;
}

static enum sek_err merge_run(struct sek_policydb *db, struct merge *m, struct sek_diag *diag)
{
    enum sek_err err = cursor_next(db, &m->ahead, diag);
    if (!err)
        err = fed_next(db, m, diag);
    if (!err)
        err = old_next(db, m, diag);
    m->direct = m->old.end;
    while (!err && (!m->fed.end || !m->old.end)) {
        int order = cursor_compare(&m->fed, &m->old);
        err = merge_step(db, m, order, diag);
        if (!err && order >= 0)
            err = old_next(db, m, diag);
        if (!err && order <= 0)
            err = fed_next(db, m, diag);
    }
    return err;
}

static enum sek_err merge_open(struct sek_policydb *db, struct merge *m, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT name, scope, action, 0 FROM temp.feed ORDER BY name, scope, rowid",
        &m->ahead.stmt, diag);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "SELECT name, scope, action, expires_s FROM entry WHERE list = ?1"
                              " ORDER BY name, scope",
                              &m->old.stmt, diag);
    if (!err)
        sqlite3_bind_int(m->old.stmt, 1, db->import_list);
    return err;
}

static enum sek_err list_imported(struct sek_policydb *db, const char *source,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "UPDATE list SET imported_s = ?2, changed_s = ?2,"
                                       " source = ?3, who = ?4 WHERE id = ?1",
                                       &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, db->import_list);
    sqlite3_bind_int64(stmt, 2, db->import_s);
    sqlite3_bind_text(stmt, 3, source, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 4, db->import_who, -1, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such list");
    return err;
}

enum sek_err sek_policydb_import_end(struct sek_policydb *db, bool append, const char *source,
                                     struct sek_import_stats *out, struct sek_diag *diag)
{
    struct merge m = {.append = append};
    enum sek_err err = list_imported(db, source, diag);
    if (!err)
        err = merge_open(db, &m, diag);
    if (!err)
        err = merge_run(db, &m, diag);
    sqlite3_finalize(m.ahead.stmt);
    sqlite3_finalize(m.old.stmt);
    if (!err && !m.direct)
        err = diffs_apply(db, diag);
    if (!err)
        err = sek__policydb_count(db, db->import_list,
                                  (int64_t)m.stats.n_after - (int64_t)m.stats.n_before, diag);
    if (!err)
        err = sek_sql_run(db->db, "DELETE FROM temp.feed; DELETE FROM temp.diff;", diag);
    if (err)
        return err;
    db->import_list = 0;
    *out = m.stats;
    return SEK_OK;
}
