/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include "base/buf.h"
#include "store/policydb_parts.h"
#include "base/banned.h"

#define ENTRY_COLUMNS "list, name, scope, action, expires_s, created_s, who, comment, terms"
#define PAGE_ENTRIES 256 /* read at a time: some 700 KiB */

struct key {
    size_t len;
    uint8_t octets[SEK_NAMEKEY_MAX];
};

static void key_bind(sqlite3_stmt *stmt, uint16_t list, const struct key *key, enum sek_scope scope)
{
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_blob(stmt, 2, key->octets, (int)key->len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, (int)scope);
}

/* The rule as it is now: NOTFOUND (without a diagnosis) when there is none. */
static enum sek_err rule_get(struct sek_policydb *db, uint16_t list, const struct key *key,
                             enum sek_scope scope, struct sek_rule *out,
                             char out_terms[SEK_TERMS_TEXT_MAX], struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_ENTRY_GET, &stmt, diag);
    if (err)
        return err;
    key_bind(stmt, list, key, scope);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *out = (struct sek_rule){.list = list,
                                 .scope = (uint8_t)scope,
                                 .action = (uint8_t)sqlite3_column_int(stmt, 0),
                                 .expires_s = sqlite3_column_int64(stmt, 1)};
        sek__policydb_text(stmt, 2, out_terms, SEK_TERMS_TEXT_MAX);
    } else
        err = rc == SQLITE_DONE ? SEK_E_NOTFOUND : sek__policydb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

/* With ENTRY_PUT, or ENTRY_SAY for what is said about a rule that is there. */
static enum sek_err entry_write(struct sek_policydb *db, enum sek_policy_sql id,
                                const struct sek_entry *e, const struct key *key,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, id, &stmt, diag);
    if (err)
        return err;
    key_bind(stmt, e->rule.list, key, e->rule.scope);
    sqlite3_bind_int(stmt, 4, e->rule.action);
    sqlite3_bind_int64(stmt, 5, e->rule.expires_s);
    sqlite3_bind_int64(stmt, 6, e->created_s);
    sqlite3_bind_text(stmt, 7, e->who, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, e->comment, -1, SQLITE_STATIC);
    if (id == SEK_POLICY_SQL_ENTRY_PUT)
        sqlite3_bind_text(stmt, 9, e->terms, -1, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    if (err == SEK_E_INVALID)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "policy.db: no list %u, or no such action",
                            e->rule.list);
    return err;
}

enum sek_err sek_policydb_entry_put(struct sek_policydb *db, const struct sek_entry *e,
                                    bool *out_changed, struct sek_diag *diag)
{
    struct key key;
    struct sek_rule old;
    key.len = sek_namekey_from_name(&e->name, key.octets);
    char terms[SEK_TERMS_TEXT_MAX];
    enum sek_err err = rule_get(db, e->rule.list, &key, e->rule.scope, &old, terms, diag);
    bool there = err == SEK_OK;
    if (err && err != SEK_E_NOTFOUND)
        return err;
    bool same = there && strcmp(terms, e->terms) == 0 && old.action == e->rule.action &&
                old.expires_s == e->rule.expires_s;
    if (same) {
        *out_changed = false;
        return *e->comment ? entry_write(db, SEK_POLICY_SQL_ENTRY_SAY, e, &key, diag) : SEK_OK;
    }
    err = entry_write(db, SEK_POLICY_SQL_ENTRY_PUT, e, &key, diag);
    if (!err) {
        if (there)
            err = sek__policydb_tell(db, false, key.octets, key.len, &old, terms, diag);
        else
            err = sek__policydb_count(db, e->rule.list, 1, diag);
        if (!err)
            err = sek__policydb_tell(db, true, key.octets, key.len, &e->rule, e->terms, diag);
    }
    if (!err)
        *out_changed = true;
    return err;
}

static enum sek_err rule_delete(struct sek_policydb *db, const struct sek_rule *rule,
                                const struct key *key, const char *terms, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_ENTRY_DELETE, &stmt, diag);
    if (err)
        return err;
    key_bind(stmt, rule->list, key, rule->scope);
    err = sek__policydb_do(db, stmt, diag);
    if (!err)
        err = sek__policydb_count(db, rule->list, -1, diag);
    if (!err)
        err = sek__policydb_tell(db, false, key->octets, key->len, rule, terms, diag);
    return err;
}

enum sek_err sek_policydb_entry_remove(struct sek_policydb *db, uint16_t list,
                                       const struct sek_name *name, enum sek_scope scope,
                                       struct sek_diag *diag)
{
    struct key key;
    struct sek_rule old;
    char terms[SEK_TERMS_TEXT_MAX];
    key.len = sek_namekey_from_name(name, key.octets);
    enum sek_err err = rule_get(db, list, &key, scope, &old, terms, diag);
    if (err == SEK_E_NOTFOUND)
        return sek_diag_set(diag, err, "there is no such entry");
    return err ? err : rule_delete(db, &old, &key, terms, diag);
}

static enum sek_err entry_read(sqlite3_stmt *stmt, struct sek_entry *out, struct sek_diag *diag)
{
    memset(&out->rule, 0, sizeof out->rule);
    out->rule.list = (uint16_t)sqlite3_column_int(stmt, 0);
    out->rule.scope = (uint8_t)sqlite3_column_int(stmt, 2);
    out->rule.action = (uint8_t)sqlite3_column_int(stmt, 3);
    out->rule.expires_s = sqlite3_column_int64(stmt, 4);
    out->created_s = sqlite3_column_int64(stmt, 5);
    sek__policydb_text(stmt, 6, out->who, sizeof out->who);
    sek__policydb_text(stmt, 7, out->comment, sizeof out->comment);
    sek__policydb_text(stmt, 8, out->terms, sizeof out->terms);
    return sek__policydb_name(stmt, 1, &out->name, diag);
}

/* All rows of a bound statement, into an emptied buffer of struct sek_entry. */
static enum sek_err rows_read(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_buf *rows,
                              struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    int rc = SQLITE_DONE;
    sek_buf_reset(rows);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_entry *e = sek_buf_grow(rows, sizeof *e);
        err = e ? entry_read(stmt, e, diag)
                : sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    if (!err && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

/* Hand rows out, and tell the number of them. False: it was enough. */
static bool rows_give(const struct sek_buf *rows, sek_entry_fn *fn, void *arg, size_t *out_n)
{
    const struct sek_entry *e = (const void *)rows->data;
    size_t n = rows->len / sizeof *e, i = 0;
    while (i < n && fn(arg, &e[i]))
        i++;
    *out_n = n;
    return i == n;
}

/* A page of a list, behind the last entry of the page before, which `rows` still has. */
static enum sek_err page_read(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_buf *rows,
                              struct sek_diag *diag)
{
    struct key key = {0};
    int scope = 0;
    if (rows->len) {
        const struct sek_entry *last = (const void *)(rows->data + rows->len - sizeof *last);
        key.len = sek_namekey_from_name(&last->name, key.octets);
        scope = last->rule.scope;
    }
    sqlite3_bind_blob(stmt, 2, key.octets, (int)key.len, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 3, scope);
    return rows_read(db, stmt, rows, diag);
}

/* A page at a time, and no statement is open while fn has them: whoever prints may wait for a
 * reader of his, and the lock of an open statement would keep every writer from its commit. */
enum sek_err sek_policydb_entries(struct sek_policydb *db, uint16_t list, sek_entry_fn *fn,
                                  void *arg, struct sek_diag *diag)
{
    static const char text[] = "SELECT " ENTRY_COLUMNS " FROM entry WHERE list = ?1"
                               " AND (name, scope) > (?2, ?3) ORDER BY name, scope LIMIT ?4";
    struct sek_buf rows;
    sqlite3_stmt *stmt;
    size_t n = PAGE_ENTRIES;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_int(stmt, 4, PAGE_ENTRIES);
    for (bool more = true; !err && more && n == PAGE_ENTRIES;) {
        err = page_read(db, stmt, &rows, diag);
        more = !err && rows_give(&rows, fn, arg, &n);
    }
    sqlite3_finalize(stmt);
    sek_buf_fini(&rows);
    return err;
}

enum sek_err sek_policydb_entries_at(struct sek_policydb *db, const struct sek_name *name,
                                     sek_entry_fn *fn, void *arg, struct sek_diag *diag)
{
    /* CROSS JOIN keeps the order: one search of the primary key a list */
    static const char text[] =
        "SELECT " ENTRY_COLUMNS " FROM (SELECT id FROM list WHERE n_entries > 0) CROSS JOIN entry"
        " ON entry.list = id AND entry.name = ?1 ORDER BY list, scope";
    struct key key;
    struct sek_buf rows;
    sqlite3_stmt *stmt;
    size_t n;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    key.len = sek_namekey_from_name(name, key.octets);
    sqlite3_bind_blob(stmt, 1, key.octets, (int)key.len, SQLITE_STATIC);
    err = rows_read(db, stmt, &rows, diag);
    sqlite3_finalize(stmt);
    if (!err)
        rows_give(&rows, fn, arg, &n);
    sek_buf_fini(&rows);
    return err;
}

/* One that ended, by the index of ends; NOTFOUND (without a diagnosis) when none is left. */
static enum sek_err ended_get(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_rule *out,
                              struct key *out_key, char out_terms[SEK_TERMS_TEXT_MAX],
                              struct sek_diag *diag)
{
    int rc = sqlite3_step(stmt);
    enum sek_err err = SEK_OK;
    if (rc == SQLITE_ROW) {
        out->list = (uint16_t)sqlite3_column_int(stmt, 0);
        out->scope = (uint8_t)sqlite3_column_int(stmt, 2);
        out->action = (uint8_t)sqlite3_column_int(stmt, 3);
        out->expires_s = sqlite3_column_int64(stmt, 4);
        sek__policydb_text(stmt, 8, out_terms, SEK_TERMS_TEXT_MAX);
        out_key->len = (size_t)sqlite3_column_bytes(stmt, 1);
        if (out_key->len > sizeof out_key->octets)
            err = sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
        else if (out_key->len)
            memcpy(out_key->octets, sqlite3_column_blob(stmt, 1), out_key->len);
    } else {
        err = rc == SQLITE_DONE ? SEK_E_NOTFOUND : sek__policydb_fail(db, rc, diag);
    }
    sqlite3_reset(stmt);
    return err;
}

enum sek_err sek_policydb_expire(struct sek_policydb *db, int64_t before_s, uint64_t *out_removed,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "SELECT " ENTRY_COLUMNS " FROM entry WHERE expires_s > 0 AND"
                                       " expires_s <= ?1 LIMIT 1",
                                       &stmt, diag);
    if (err)
        return err;
    struct sek_rule rule = {0};
    struct key key;
    char terms[SEK_TERMS_TEXT_MAX];
    uint64_t n = 0;
    sqlite3_bind_int64(stmt, 1, before_s);
    sek__journal_pause(db->journal, true); /* they were out of force: this changes nothing */
    while (!(err = ended_get(db, stmt, &rule, &key, terms, diag)) &&
           !(err = rule_delete(db, &rule, &key, terms, diag)))
        n++;
    sek__journal_pause(db->journal, false);
    sqlite3_finalize(stmt);
    if (err != SEK_E_NOTFOUND)
        return err;
    *out_removed = n;
    return SEK_OK;
}
