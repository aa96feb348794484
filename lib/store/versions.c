/* SPDX-License-Identifier: BSD-3-Clause */
/* A version is text: one rule a line in list notation, in the order of entries, followed by a tab
 * and the number of its action if it has an own one, by a tab and its
 * end if it has one (0: none), and by a tab and its terms if it has any. */
#include "store/versions.h"
#include "name/text.h"
#include "store/packed.h"
#include "store/policydb_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_keeping {
    struct sek_packed *text;
    struct sek_version v; /* of what is replaced */
};

void sek_versions_keep(struct sek_policydb *db, unsigned n)
{
    db->keep_versions = n;
}

static enum sek_err list_look(struct sek_policydb *db, uint16_t list, struct sek_version *out,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db,
                        "SELECT iif(imported_s > 0, imported_s, changed_s), who, source, n_entries"
                        " FROM list WHERE id = ?1",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    int rc = sqlite3_step(stmt);
    *out = (struct sek_version){0};
    if (rc == SQLITE_ROW) {
        out->made_s = sqlite3_column_int64(stmt, 0);
        sek__policydb_text(stmt, 1, out->who, sizeof out->who);
        sek__policydb_text(stmt, 2, out->source, sizeof out->source);
        out->n_rules = (uint64_t)sqlite3_column_int64(stmt, 3);
    } else if (rc == SQLITE_DONE) {
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such list");
    } else {
        err = sek__policydb_fail(db, rc, diag);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_version_current(struct sek_policydb *db, uint16_t list, uint32_t *out,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT coalesce(max(number), 0) + 1 FROM list_version WHERE list = ?1", &stmt,
        diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = (uint32_t)sqlite3_column_int64(stmt, 0);
    else
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* Keeping */

enum sek_err sek__version_begin(struct sek_policydb *db, uint16_t list, struct sek_keeping **out,
                                struct sek_diag *diag)
{
    struct sek_keeping *k = calloc(1, sizeof *k);
    if (!k)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = list_look(db, list, &k->v, diag);
    if (!err && db->keep_versions)
        err = sek_packed_new(&k->text);
    if (err == SEK_E_NOMEM)
        sek_diag_set(diag, err, "%s", sek_err_text(err));
    if (err)
        sek__version_free(k);
    else
        *out = k;
    return err;
}

void sek__version_free(struct sek_keeping *k)
{
    if (k)
        sek_packed_free(k->text);
    free(k);
}

enum sek_err sek__version_add(struct sek_keeping *k, const uint8_t *key, size_t key_len,
                              const struct sek_rule *rule, const char *terms, struct sek_diag *diag)
{
    struct sek_name name;
    char line[SEK_NAME_TEXT_MAX + 64 + SEK_TERMS_TEXT_MAX];
    if (!k->text)
        return SEK_OK;
    if (sek_namekey_to_name(key, key_len, &name))
        return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
    size_t n = sek_rule_to_text((enum sek_scope)rule->scope, name.octets, line);
    if (rule->action != SEK_ACTION_DEFAULT || rule->expires_s || *terms)
        n += (size_t)snprintf(line + n, sizeof line - n, "\t%u", rule->action);
    if (rule->expires_s || *terms)
        n += (size_t)snprintf(line + n, sizeof line - n, "\t%" PRId64, rule->expires_s);
    if (*terms)
        n += (size_t)snprintf(line + n, sizeof line - n - 1, "\t%s", terms);
    line[n++] = '\n';
    sek_packed_add(k->text, line, n);
    return SEK_OK;
}

static enum sek_err prune(struct sek_policydb *db, uint16_t list, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "DELETE FROM list_version WHERE list = ?1 AND number NOT IN (SELECT number FROM"
        " list_version WHERE list = ?1 ORDER BY number DESC LIMIT ?2)",
        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_int64(stmt, 2, db->keep_versions);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek__version_end(struct sek_policydb *db, uint16_t list, struct sek_keeping *k,
                              struct sek_diag *diag)
{
    const void *text;
    size_t n;
    uint32_t number = 0;
    sqlite3_stmt *stmt;
    if (!k->text || k->v.n_rules == 0)
        return SEK_OK;
    enum sek_err err = sek_packed_end(k->text, &text, &n, diag);
    if (!err)
        err = sek_version_current(db, list, &number, diag);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "INSERT INTO list_version (list, number, made_s, replaced_s, who,"
                              " source, n_rules, rules) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                              &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_int64(stmt, 2, number);
    sqlite3_bind_int64(stmt, 3, k->v.made_s);
    sqlite3_bind_int64(stmt, 4, db->import_s);
    sqlite3_bind_text(stmt, 5, k->v.who, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 6, k->v.source, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 7, (int64_t)k->v.n_rules);
    sqlite3_bind_blob64(stmt, 8, text, n, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err ? err : prune(db, list, diag);
}

/* Reading */

static void version_read(sqlite3_stmt *stmt, void *row)
{
    struct sek_version *v = row;
    memset(v, 0, sizeof *v);
    v->number = (uint32_t)sqlite3_column_int64(stmt, 0);
    v->made_s = sqlite3_column_int64(stmt, 1);
    v->replaced_s = sqlite3_column_int64(stmt, 2);
    sek__policydb_text(stmt, 3, v->who, sizeof v->who);
    sek__policydb_text(stmt, 4, v->source, sizeof v->source);
    v->n_rules = (uint64_t)sqlite3_column_int64(stmt, 5);
    v->n_octets = (uint64_t)sqlite3_column_int64(stmt, 6);
}

enum sek_err sek_versions(struct sek_policydb *db, const struct sek_list_row *list,
                          sek_version_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek_buf rows;
    sqlite3_stmt *stmt;
    struct sek_version now;
    enum sek_err err = list_look(db, list->list.id, &now, diag);
    if (!err)
        err = sek_version_current(db, list->list.id, &now.number, diag);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "SELECT number, made_s, replaced_s, who, source, n_rules,"
                              " length(rules) FROM list_version WHERE list = ?1"
                              " ORDER BY number DESC",
                              &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    sqlite3_bind_int(stmt, 1, list->list.id);
    err = sek__policydb_rows(db, stmt, sizeof(struct sek_version), version_read, &rows, diag);
    const struct sek_version *v = (const void *)rows.data;
    size_t n = rows.len / sizeof *v;
    if (!err && fn(arg, &now))
        while (n-- && fn(arg, v))
            v++;
    sek_buf_fini(&rows);
    return err;
}

struct reading {
    sek_version_rule_fn *fn;
    void *arg;
    struct sek_buf line; /* what a piece ended in */
};

static enum sek_err line_take(struct reading *r, char *line, struct sek_diag *diag)
{
    struct sek_entry e = {0};
    enum sek_scope scope;
    unsigned action = 0;
    char *rest = strchr(line, '\t');
    if (rest) {
        *rest++ = '\0';
        char *terms = strchr(rest, '\t');
        terms = terms ? strchr(terms + 1, '\t') : NULL;
        if (terms)
            snprintf(e.terms, sizeof e.terms, "%s", terms + 1);
        if (sscanf(rest, "%u\t%" SCNd64, &action, &e.rule.expires_s) < 1 || action > SEK_ACTION_MAX)
            return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: a version of a list is damaged");
    }
    if (sek_rule_from_text(line, strlen(line), &scope, &e.name, NULL))
        return sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: a version of a list is damaged");
    e.rule.scope = (uint8_t)scope;
    e.rule.action = (uint8_t)action;
    return r->fn(r->arg, &e, diag);
}

static enum sek_err piece_take(void *arg, const char *data, size_t n, struct sek_diag *diag)
{
    struct reading *r = arg;
    enum sek_err err = SEK_OK;
    const char *end = data + n, *newline;
    while (!err && (newline = memchr(data, '\n', (size_t)(end - data)))) {
        sek_buf_add(&r->line, data, (size_t)(newline - data));
        if (r->line.failed)
            return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
        err = r->line.len ? line_take(r, r->line.data, diag) : SEK_OK;
        sek_buf_reset(&r->line);
        data = newline + 1;
    }
    sek_buf_add(&r->line, data, (size_t)(end - data));
    return err;
}

enum sek_err sek_version_rules(struct sek_policydb *db, uint16_t list, uint32_t number,
                               sek_version_rule_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT rules FROM list_version WHERE list = ?1 AND number = ?2", &stmt, diag);
    if (err)
        return err;
    struct reading r = {.fn = fn, .arg = arg};
    sek_buf_init(&r.line, SEK_NAME_TEXT_MAX + 64 + SEK_TERMS_TEXT_MAX);
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_int64(stmt, 2, number);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        err = sek_packed_read(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0),
                              piece_take, &r, diag);
    else if (rc == SQLITE_DONE)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "version %" PRIu32 " is not kept", number);
    else
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    sek_buf_fini(&r.line);
    return err;
}
