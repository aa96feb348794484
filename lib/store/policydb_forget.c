/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/policydb_forget.h"
#include "store/exceptions.h"
#include "store/policydb_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define OTHER_ADDRESS                                                                              \
    "EXISTS (SELECT 1 FROM endpoint_span o WHERE o.mac = endpoint_span.mac"                        \
    " AND length(o.subject) = 16 AND o.subject <> ?1)"

/* Subjects that are the endpoint, or a machine that had this address only. */
#define SUBJECTS                                                                                   \
    "kind = 1 AND (value = ?2 OR EXISTS (SELECT 1 FROM endpoint_span s WHERE s.subject = ?1"       \
    " AND ((s.mac <> '' AND value = s.mac COLLATE NOCASE) OR (s.name <> ''"                        \
    " AND (value = s.name COLLATE NOCASE"                                                          \
    " OR value || '.' = substr(s.name, 1, length(value) + 1) COLLATE NOCASE)))"                    \
    " AND NOT EXISTS (SELECT 1 FROM endpoint_span o WHERE length(o.subject) = 16"                  \
    " AND o.subject <> ?1 AND ((s.mac <> '' AND o.mac = s.mac)"                                    \
    " OR (s.name <> '' AND o.name = s.name COLLATE NOCASE)))))"

/* By what the inventory says, so before it goes. */
static const char rename_subjects[] =
    "UPDATE OR REPLACE incident_subject SET value = ?4 WHERE " SUBJECTS;

static const char *const removals[] = {
    "DELETE FROM endpoint_span WHERE length(subject) <> 16 AND mac IN"
    " (SELECT mac FROM endpoint_span WHERE subject = ?1 AND mac <> '') AND NOT " OTHER_ADDRESS,
    "DELETE FROM endpoint_span WHERE subject = ?1",
    "DELETE FROM dismissal WHERE endpoint = ?2",
    "DELETE FROM triage WHERE endpoint = ?2",
    "DELETE FROM member WHERE net = ?1 AND bits = 128 AND expires_s > 0 AND expires_s <= ?3",
};

struct forgetting {
    struct sek_policydb *db;
    const struct sek_addr *endpoint;
    const char *called;
    int64_t now_s;
    struct sek_forgotten *out;
    struct sek_diag *diag;
    enum sek_err err; /* of fn */
};

static enum sek_err prepare(struct sek_policydb *db, const char *text, char *address,
                            const struct sek_addr *endpoint, sqlite3_stmt **out,
                            struct sek_diag *diag)
{
    enum sek_err err = sek_sql_prepare(db->db, text, out, diag);
    if (err)
        return err;
    sqlite3_bind_blob(*out, 1, endpoint->octets, sizeof endpoint->octets, SQLITE_STATIC);
    sqlite3_bind_text(*out, 2, sek_addr_to_text(endpoint, address), -1, SQLITE_STATIC);
    return SEK_OK;
}

static enum sek_err run(struct forgetting *f, const char *text, int64_t number, const char *word,
                        uint64_t *io_rows)
{
    char address[SEK_ADDR_TEXT_MAX];
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = prepare(f->db, text, address, f->endpoint, &stmt, f->diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 3, number);
    sqlite3_bind_text(stmt, 4, word, -1, SQLITE_STATIC);
    err = sek__policydb_do(f->db, stmt, f->diag);
    *io_rows += (uint64_t)sqlite3_changes(f->db->db);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_called(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 sek_called_fn *fn, void *arg, struct sek_diag *diag)
{
    char address[SEK_ADDR_TEXT_MAX];
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_DONE;
    enum sek_err err = prepare(db, "SELECT DISTINCT value FROM incident_subject WHERE " SUBJECTS,
                               address, endpoint, &stmt, diag);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
           fn(arg, (const char *)sqlite3_column_text(stmt, 0)))
        ;
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* --- exceptions --------------------------------------------------------------------------------
 */

/* Its words with `called` in place of the address; false: it is not among them. */
static bool rename_words(const struct forgetting *f, const char *endpoints, struct sek_buf *out)
{
    char word[SEK_NET_TEXT_MAX + SEK_LIST_NAME_MAX];
    struct sek_net net;
    bool found = false;
    for (const char *at = endpoints; (at = sek_exception_word(at, word, sizeof word));) {
        bool it = sek_net_from_text(word, &net, NULL) == SEK_OK && net.bits == 128 &&
                  sek_addr_equal(&net.addr, f->endpoint);
        found = found || it;
        sek_buf_add_fmt(out, "%s%s", out->len ? " " : "", it ? f->called : word);
    }
    return found;
}

/* The rule of one that is over names its endpoints, too. */
static enum sek_err remove_rule(struct forgetting *f, int64_t id)
{
    struct sek_list_row list;
    struct sek_diag why;
    char name[SEK_LIST_NAME_MAX];
    snprintf(name, sizeof name, "exception-%" PRId64, id);
    enum sek_err err = sek_policydb_list_get(f->db, name, &list, &why);
    if (err == SEK_E_NOTFOUND || (!err && strcmp(list.source, SEK_EXCEPTIONS_SOURCE) != 0))
        return SEK_OK;
    if (!err)
        err = sek_policydb_list_remove(f->db, list.list.id, NULL, NULL, f->diag);
    f->out->rules_removed |= !err;
    return err;
}

static bool on_exception(void *arg, const struct sek_exception *e)
{
    struct forgetting *f = arg;
    struct sek_buf words;
    enum sek_exception_state state = sek_exception_state(e, f->now_s, 0);
    sek_buf_init(&words, 0);
    bool found = rename_words(f, e->endpoints, &words);
    if (found && state < SEK_EXCEPTION_EXPIRED)
        sek_buf_add_fmt(&f->out->standing, "%s%" PRId64, f->out->standing.len ? " " : "", e->id);
    else if (found && !words.failed)
        f->err = run(f, "UPDATE exception SET endpoints = ?4 WHERE id = ?3", e->id, words.data,
                     &f->out->n_renamed);
    if (found && state >= SEK_EXCEPTION_EXPIRED && !f->err)
        f->err = remove_rule(f, e->id);
    if (words.failed)
        f->err = sek_diag_set(f->diag, SEK_E_NOMEM, "out of memory");
    sek_buf_fini(&words);
    return !f->err;
}

static enum sek_err on_members(struct forgetting *f)
{
    char address[SEK_ADDR_TEXT_MAX];
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = prepare(f->db, "SELECT 1 FROM member WHERE net = ?1 AND bits = 128 LIMIT 1",
                               address, f->endpoint, &stmt, f->diag);
    f->out->is_member = !err && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_policydb_forget(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 const char *called, int64_t now_s, int64_t undo_until,
                                 struct sek_forgotten *out, struct sek_diag *diag)
{
    struct forgetting f = {db, endpoint, called, now_s, out, diag, SEK_OK};
    uint64_t undo = 0;
    enum sek_err err = sek_sql_run(db->db, "PRAGMA secure_delete=ON", diag);
    if (!err)
        err = run(&f, rename_subjects, 0, called, &out->n_renamed);
    if (!err)
        err = sek_exceptions(db, true, on_exception, &f, diag);
    err = err ? err : f.err;
    for (size_t i = 0; i < sizeof removals / sizeof *removals && !err; i++)
        err = run(&f, removals[i], now_s, "", &out->n_removed);
    if (!err && undo_until)
        err = run(&f, "DELETE FROM main.audit_data WHERE audit <= ?3", undo_until, "", &undo);
    return err ? err : on_members(&f);
}
