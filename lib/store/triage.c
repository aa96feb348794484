/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/triage.h"
#include "store/policydb_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_triage_names[] = {{SEK_TRIAGE_NEW, "new"},
                                              {SEK_TRIAGE_IN_PROGRESS, "in-progress"},
                                              {SEK_TRIAGE_FALSE_POSITIVE, "false-positive"},
                                              {SEK_TRIAGE_CONTAINED, "contained"},
                                              {SEK_TRIAGE_CLOSED, "closed"},
                                              {0, NULL}};

/* --- one row -----------------------------------------------------------------------------------
 */

static enum sek_err run(struct sek_policydb *db, const char *text, const struct sek_triage *row,
                        bool *out_changed, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_text(stmt, 1, row->domain, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, row->endpoint, -1, SQLITE_STATIC);
    if (row->state != SEK_TRIAGE_NEW) {
        sqlite3_bind_int(stmt, 3, (int)row->state);
        sqlite3_bind_int64(stmt, 4, row->time_s);
        sqlite3_bind_text(stmt, 5, row->who, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 6, row->note, -1, SQLITE_STATIC);
    }
    err = sek__policydb_do(db, stmt, diag);
    if (!err && out_changed)
        *out_changed = sqlite3_changes(db->db) > 0;
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_triage_put(struct sek_policydb *db, const struct sek_triage *row,
                            bool *out_changed, struct sek_diag *diag)
{
    if (row->state == SEK_TRIAGE_NEW)
        return run(db, "DELETE FROM triage WHERE domain = ?1 AND endpoint = ?2", row, out_changed,
                   diag);
    return run(db,
               "INSERT INTO triage (domain, endpoint, state, time_s, who, note)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET state = ?3,"
               " time_s = ?4, who = ?5, note = ?6",
               row, out_changed, diag);
}

/* --- all of them -------------------------------------------------------------------------------
 */

struct sek_triage_set {
    struct sek_buf texts, rows; /* rows: struct sek_triage, whose texts lie in `texts` */
};

static size_t n_of(const struct sek_triage_set *set)
{
    return set ? set->rows.len / sizeof(struct sek_triage) : 0;
}

size_t sek_triage_n(const struct sek_triage_set *set)
{
    return n_of(set);
}

const struct sek_triage *sek_triage_at(const struct sek_triage_set *set, size_t i)
{
    return (const struct sek_triage *)(const void *)set->rows.data + i;
}

static void keep_text(struct sek_buf *texts, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    sek_buf_add_text(texts, text ? text : "");
    sek_buf_add(texts, "", 1);
}

/* The texts stand one behind the other, four a row: told apart when all are there and none moves
 * any more. */
static void settle(struct sek_triage_set *set)
{
    struct sek_triage *rows = (void *)set->rows.data;
    const char *text = set->texts.data;
    for (size_t i = 0; i < n_of(set); i++) {
        const char **const places[] = {&rows[i].domain, &rows[i].endpoint, &rows[i].who,
                                       &rows[i].note};
        for (unsigned k = 0; k < 4; k++) {
            *places[k] = text;
            text += strlen(text) + 1;
        }
    }
}

/* In the order of strcmp, SQLite's too, as find() searches. */
static enum sek_err read_rows(struct sek_policydb *db, struct sek_triage_set *set,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_DONE;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "SELECT domain, endpoint, state, time_s, who, note FROM triage ORDER BY domain, endpoint",
        &stmt, diag);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && n_of(set) < SEK_TRIAGE_MAX) {
        const struct sek_triage row = {.state = (enum sek_triage_state)sqlite3_column_int(stmt, 2),
                                       .time_s = sqlite3_column_int64(stmt, 3)};
        keep_text(&set->texts, stmt, 0);
        keep_text(&set->texts, stmt, 1);
        keep_text(&set->texts, stmt, 4);
        keep_text(&set->texts, stmt, 5);
        sek_buf_add(&set->rows, &row, sizeof row);
    }
    if (rc == SQLITE_ROW)
        err = sek_diag_set(diag, SEK_E_LIMIT, "policy.db: more than %d rows of triage",
                           SEK_TRIAGE_MAX);
    else if (rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    else if (set->texts.failed || set->rows.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_triage_load(struct sek_policydb *db, struct sek_triage_set **out,
                             struct sek_diag *diag)
{
    struct sek_triage_set *set = calloc(1, sizeof *set);
    if (!set)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek_buf_init(&set->texts, 0);
    sek_buf_init(&set->rows, 0);
    enum sek_err err = db ? read_rows(db, set, diag) : SEK_OK;
    if (err) {
        sek_triage_free(set);
        return err;
    }
    settle(set);
    *out = set;
    return SEK_OK;
}

void sek_triage_free(struct sek_triage_set *set)
{
    if (!set)
        return;
    sek_buf_fini(&set->texts);
    sek_buf_fini(&set->rows);
    free(set);
}

static int order(const void *a, const void *b)
{
    const struct sek_triage *x = a, *y = b;
    int by_domain = strcmp(x->domain, y->domain);
    return by_domain ? by_domain : strcmp(x->endpoint, y->endpoint);
}

static const struct sek_triage *exactly(const struct sek_triage_set *set, const char *domain,
                                        const char *endpoint)
{
    const struct sek_triage key = {.domain = domain, .endpoint = endpoint};
    return bsearch(&key, set->rows.data, n_of(set), sizeof key, order);
}

const struct sek_triage *sek_triage_find(const struct sek_triage_set *set, const char *domain,
                                         const char *endpoint)
{
    const struct sek_triage *row = NULL;
    if (n_of(set) == 0)
        return NULL;
    if (domain && endpoint)
        row = exactly(set, domain, endpoint);
    if (!row && domain)
        row = exactly(set, domain, SEK_TRIAGE_ANY);
    if (!row && endpoint)
        row = exactly(set, SEK_TRIAGE_ANY, endpoint);
    return row;
}

enum sek_triage_state sek_triage_of(const struct sek_triage *row, int64_t last_ms)
{
    if (!row || (row->state == SEK_TRIAGE_CLOSED && last_ms / 1000 > row->time_s))
        return SEK_TRIAGE_NEW;
    return row->state;
}
