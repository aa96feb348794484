/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions held against what the trail says of them. The data of the last change of a row has the
 * row as that change left it, and the rows of the trail, which are kept for ever, tell it in words
 * (store/audit_tell.c): what is different now was changed by something else. */
#include "base/duration.h"
#include "store/audit_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define TOLD_MAX 3 /* columns of a row */

struct seen {
    unsigned table;
    int64_t key[2];
};

struct walk {
    struct sek_policydb *db;
    sek_audit_exception_fn *fn;
    void *arg;
    struct sek_diag *diag;
    struct sek_buf seen; /* struct seen */
    struct sek__row_getters now;
    int64_t number;   /* of the row that is read */
    bool is_undo;     /* it is one of undo: puts old numbers back */
    bool forgotten;   /* forget ran after it */
    int64_t first_id; /* of the exceptions made in these rows the oldest; INT64_MAX: none */
};

/* Rows that can have changed exceptions, the newest first. Those of one list, which may be large,
 * cannot. */
static const char rows_text[] =
    "SELECT number, undoes, EXISTS (SELECT 1 FROM main.audit_data WHERE audit = number)"
    " FROM main.audit WHERE changes <> '' AND (verb LIKE 'exception%' OR verb IN ('undo', 'forget')"
    " OR object LIKE '%exception%' OR object LIKE '% changes' OR object LIKE '% rows of %')"
    " ORDER BY number DESC";

static bool take_note(struct walk *w, unsigned table, const struct sek__cell *key)
{
    const struct seen one = {table, {key[0].n, table == SEK_JOURNAL_STEP ? key[1].n : 0}};
    const struct seen *all = (const void *)w->seen.data;
    for (size_t i = 0; i < w->seen.len / sizeof *all; i++)
        if (all[i].table == table && all[i].key[0] == one.key[0] && all[i].key[1] == one.key[1])
            return false;
    sek_buf_add(&w->seen, &one, sizeof one);
    return true;
}

/* --- one row -----------------------------------------------------------------------------------
 */

static void name_row(unsigned table, const struct sek__cell *key, struct sek_buf *out)
{
    if (table == SEK_JOURNAL_STEP)
        sek_buf_add_fmt(out, "step %" PRId64 " of ", key[1].n);
    sek_buf_add_fmt(out, "exception %" PRId64, key[0].n);
}

/* The word for a number; NULL: it is none that has one. */
static const char *word_of(const char *column, int64_t n)
{
    if (n < 0 || n > 255)
        return NULL;
    if (strcmp(column, "mode") == 0)
        return sek_lookup_name(sek_mode_names, (int)n);
    if (strcmp(column, "action") != 0)
        return NULL;
    return n == SEK_ACTION_DEFAULT ? "as list" : sek_lookup_name(sek_action_names, (int)n);
}

static void add_value(struct sek_buf *out, const char *column, const struct sek__cell *cell)
{
    char text[32];
    const char *word = cell->type == SEK_CELL_INT ? word_of(column, cell->n) : NULL;
    size_t n = strlen(column);
    bool is_time = n > 2 && strcmp(column + n - 2, "_s") == 0 && strcmp(column, "lifetime_s") != 0;
    if (cell->type == SEK_CELL_TEXT)
        sek_buf_add_fmt(out, "\"%.*s\"", cell->len > 40 ? 40 : (int)cell->len,
                        cell->len ? (const char *)cell->data : "");
    else if (cell->type != SEK_CELL_INT)
        sek_buf_add_text(out, "another");
    else if (word)
        sek_buf_add_text(out, word);
    else if (is_time && cell->n)
        sek_buf_add_text(out, sek_time_to_text(cell->n, text, sizeof text));
    else
        sek_buf_add_fmt(out, "%" PRId64, cell->n);
}

void sek__audit_differs(const struct sek__journal_table *t, const struct sek__cell *now,
                        const struct sek__cell *left, int64_t number, struct sek_buf *out)
{
    unsigned n = 0;
    sek_buf_add_text(out, " was changed outside of the command: ");
    for (unsigned i = 0; t->columns[i]; i++) {
        if (sek__cells_equal(&now[i], &left[i], 1) || n++ >= TOLD_MAX)
            continue;
        sek_buf_add_fmt(out, "%s%s is ", n > 1 ? "; " : "", t->columns[i]);
        add_value(out, t->columns[i], &now[i]);
        sek_buf_add_fmt(out, ", row %" PRId64 " left ", number);
        add_value(out, t->columns[i], &left[i]);
    }
}

static void tell(struct walk *w, const struct sek__cell *key, int64_t number,
                 const struct sek_buf *text)
{
    if (!text->failed)
        w->fn(w->arg, key[0].n, number, text->data);
}

/* left: as the trail says; NULL: it was removed. */
static enum sek_err hold(struct walk *w, const struct sek__journal_table *t,
                         const struct sek__cell *key, const struct sek__cell *left)
{
    struct sek__cell now[SEK_JOURNAL_COLUMNS];
    struct sek_buf text;
    bool there = false;
    enum sek_err err = sek__audit_row_now(w->db, &w->now, t, key, now, &there, w->diag);
    if (err)
        return err;
    bool same = there == (left != NULL) &&
                (!there || sek__cells_equal(now, left, sek__journal_n_columns(t)));
    sek_buf_init(&text, 0);
    name_row(t->id, key, &text);
    if (there && left)
        sek__audit_differs(t, now, left, w->number, &text);
    else
        sek_buf_add_fmt(&text, " was %s outside of the command: row %" PRId64 " left it %s",
                        there ? "put back" : "removed", w->number, there ? "removed" : "there");
    if (!same)
        tell(w, key, w->number, &text);
    sek_buf_fini(&text);
    return SEK_OK;
}

/* --- in words ----------------------------------------------------------------------------------
 */

/* The next of the pieces between which "; " stands, outside of quotes; NULL: none. */
static const char *next_piece(const char *at, size_t *out_len)
{
    bool quoted = false;
    const char *p = at;
    if (!*at)
        return NULL;
    for (; *p && (quoted || p[0] != ';' || p[1] != ' '); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    *out_len = (size_t)(p - at);
    return *p ? p + 2 : p;
}

/* "exception 3: …" or "exception 3 step 2: …": its table and key; 0: something else. */
static unsigned piece_key(const char *piece, struct sek__cell key[2])
{
    static const char begin[] = "exception ", step[] = " step ";
    char *end;
    if (strncmp(piece, begin, strlen(begin)) != 0)
        return 0;
    key[0] =
        (struct sek__cell){.type = SEK_CELL_INT, .n = strtoll(piece + strlen(begin), &end, 10)};
    key[1] = (struct sek__cell){.type = SEK_CELL_INT};
    if (*end == ':')
        return SEK_JOURNAL_EXCEPTION;
    if (strncmp(end, step, strlen(step)) != 0)
        return 0;
    key[1].n = strtoll(end + strlen(step), &end, 10);
    return *end == ':' ? SEK_JOURNAL_STEP : 0;
}

/* Without the endpoints, which forget calls by a pseudonym once an exception is over. */
static void cut_endpoints(struct sek_buf *text)
{
    char *from = text->data ? strstr(text->data, ", endpoints \"") : NULL;
    char *to = from ? strchr(from + strlen(", endpoints \""), '"') : NULL;
    if (to)
        memmove(from, to + 1, strlen(to + 1) + 1);
}

/* piece: what a row said last of this exception or step. */
static enum sek_err hold_words(struct walk *w, unsigned table, const struct sek__cell *key,
                               const char *piece, size_t len)
{
    const struct sek__journal_table *t = sek__journal_table(table);
    struct sek__cell now[SEK_JOURNAL_COLUMNS];
    struct sek_buf said, is, clean, text;
    bool there = false;
    enum sek_err err = sek__audit_row_now(w->db, &w->now, t, key, now, &there, w->diag);
    if (err)
        return err;
    sek_buf_init(&said, 0);
    sek_buf_init(&is, 0);
    sek_buf_init(&clean, 0);
    sek_buf_init(&text, 0);
    name_row(table, key, &text);
    sek_buf_add(&said, piece, len);
    sek_buf_add(&said, "", 1);
    if (there) {
        t->object(now, NULL, &is);
        sek_buf_add_text(&is, ": ");
        t->says(now, &is);
        sek__audit_clean(is.data, &clean);
    }
    if (w->forgotten) {
        cut_endpoints(&said);
        cut_endpoints(&clean);
    }
    if (!there)
        sek_buf_add_fmt(&text, " was removed outside of the command: row %" PRId64 " left it there",
                        w->number);
    else
        sek_buf_add_fmt(&text,
                        " was changed outside of the command: it is \"%.120s\", row %" PRId64
                        " left \"%.120s\"",
                        clean.data ? clean.data : "", w->number, said.data ? said.data : "");
    if (!there || (clean.data && said.data && strcmp(clean.data, said.data) != 0))
        tell(w, key, w->number, &text);
    sek_buf_fini(&said);
    sek_buf_fini(&is);
    sek_buf_fini(&clean);
    sek_buf_fini(&text);
    return SEK_OK;
}

/* gone: what is named here is not there any more, or is named in `after` as well. */
static enum sek_err take_words(struct walk *w, const char *words, bool gone)
{
    size_t len;
    enum sek_err err = SEK_OK;
    for (const char *at = words, *next; !err && (next = next_piece(at, &len)); at = next) {
        struct sek__cell key[2];
        unsigned table = piece_key(at, key);
        if (table && take_note(w, table, key) && !gone)
            err = hold_words(w, table, key, at, len);
    }
    return err;
}

/* Too many to be told one by one: what was said before may not be so any more. */
static bool is_cut(const char *words)
{
    size_t n = strlen(words), n_end = strlen("…");
    return strstr(words, " in data with SHA-256 ") ||
           (n >= n_end && !strcmp(words + n - n_end, "…"));
}

static const char words_text[] =
    "SELECT number, before, after, verb = 'forget' FROM main.audit WHERE verb LIKE 'exception%'"
    " OR verb IN ('undo', 'forget') OR object LIKE '%exception%' OR object LIKE '% changes'"
    " OR object LIKE '% rows of %' ORDER BY number DESC";

static const char *column_text(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? text : "";
}

/* Those whose data is gone. */
static enum sek_err take_all_words(struct walk *w, bool *out_all)
{
    sqlite3_stmt *stmt;
    int rc = SQLITE_DONE;
    enum sek_err err = sek_sql_prepare(w->db->db, words_text, &stmt, w->diag);
    if (err)
        return err;
    *out_all = true;
    w->forgotten = false;
    bool cut = false;
    while (!err && !cut && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *before = column_text(stmt, 1), *after = column_text(stmt, 2);
        w->number = sqlite3_column_int64(stmt, 0);
        w->forgotten |= sqlite3_column_int(stmt, 3) != 0;
        *out_all &= !is_cut(before) && !is_cut(after);
        cut = is_cut(before) || (*before && is_cut(after)); /* else all that is new */
        if (!cut)
            err = take_words(w, after, false);
        if (!cut && !err)
            err = take_words(w, before, true);
    }
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static enum sek_err take_part(void *arg, const uint8_t *part, size_t len, struct sek_diag *diag)
{
    struct walk *w = arg;
    struct sek__changes c;
    enum sek_err err = sek__changes_read(part, len, &c, diag);
    for (size_t i = c.n; !err && i > 0; i--) {
        const struct sek__change *change = &c.all[i - 1];
        const struct sek__cell *key = change->fresh ? change->fresh : change->old;
        unsigned table = change->table->id;
        if (table != SEK_JOURNAL_EXCEPTION && table != SEK_JOURNAL_STEP)
            continue;
        if (table == SEK_JOURNAL_EXCEPTION && change->op == 'i' && !w->is_undo &&
            key[0].n < w->first_id)
            w->first_id = key[0].n;
        if (take_note(w, table, key))
            err = hold(w, change->table, key, change->fresh);
    }
    sek__changes_free(&c);
    return err;
}

struct row {
    int64_t number, undoes;
    bool kept;
};

static void row_read(sqlite3_stmt *stmt, void *row)
{
    *(struct row *)row = (struct row){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                      sqlite3_column_int(stmt, 2) != 0};
}

/* Back to the first row without data: what was before it may have been changed by that. */
static enum sek_err take_rows(struct walk *w, bool *out_all)
{
    struct sek_buf rows;
    sqlite3_stmt *stmt;
    unsigned n_parts;
    enum sek_err err = sek_sql_prepare(w->db->db, rows_text, &stmt, w->diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    err = sek__policydb_rows(w->db, stmt, sizeof(struct row), row_read, &rows, w->diag);
    const struct row *all = (const void *)rows.data;
    size_t i = 0, n = rows.len / sizeof *all;
    for (; !err && i < n && all[i].kept; i++) {
        w->number = all[i].number;
        w->is_undo = all[i].undoes != 0;
        err = sek__audit_parts(w->db, all[i].number, true, take_part, w, &n_parts, w->diag);
    }
    *out_all = i == n;
    sek_buf_fini(&rows);
    return err;
}

/* Rows that no change made: numbers grow, so one as new as those of the trail must be there. */
static enum sek_err take_unknown(struct walk *w, const char *sql, unsigned table)
{
    sqlite3_stmt *stmt;
    struct sek_buf text;
    int rc;
    enum sek_err err = sek_sql_prepare(w->db->db, sql, &stmt, w->diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, w->first_id);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct sek__cell key[2] = {
            {.type = SEK_CELL_INT, .n = sqlite3_column_int64(stmt, 0)},
            {.type = SEK_CELL_INT, .n = sqlite3_column_int64(stmt, 1)}};
        if (!take_note(w, table, key))
            continue;
        sek_buf_init(&text, 0);
        name_row(table, key, &text);
        sek_buf_add_text(&text,
                         " was put there outside of the command: no row of the trail has it");
        tell(w, key, 0, &text);
        sek_buf_fini(&text);
    }
    err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

/* A revocation alone is told as what was done, without the step's number: those before the data. */
static enum sek_err take_revoked(struct walk *w, int64_t before)
{
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek_sql_prepare(
        w->db->db,
        "SELECT e.id, a.number FROM main.audit a JOIN main.exception e ON a.object = 'exception '"
        " || e.id WHERE a.verb = 'exception revoke' AND a.after LIKE 'revoked%' AND a.number < ?1 "
        "AND NOT EXISTS (SELECT 1 FROM"
        " main.audit u WHERE u.undoes = a.number) AND NOT EXISTS (SELECT 1 FROM main.exception_step"
        " s WHERE s.exception = e.id AND s.act = 5)",
        &stmt, w->diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, before);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        char text[120];
        int64_t id = sqlite3_column_int64(stmt, 0), number = sqlite3_column_int64(stmt, 1);
        snprintf(text, sizeof text,
                 "that exception %" PRId64 " was revoked, by row %" PRId64
                 ", was removed outside of the command",
                 id, number);
        w->fn(w->arg, id, number, text);
    }
    err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_audit_exceptions(struct sek_policydb *db, sek_audit_exception_fn *fn, void *arg,
                                  struct sek_diag *diag)
{
    struct walk w = {.db = db, .fn = fn, .arg = arg, .diag = diag, .first_id = INT64_MAX};
    bool all = false;
    sek_buf_init(&w.seen, 0);
    enum sek_err err = take_rows(&w, &all);
    if (!err && !all)
        err = take_revoked(&w, w.number ? w.number : INT64_MAX);
    if (!err && !all)
        err = take_all_words(&w, &all);
    if (all)
        w.first_id = 0;
    if (!err)
        err = take_unknown(&w, "SELECT id, 0 FROM main.exception WHERE id >= ?1",
                           SEK_JOURNAL_EXCEPTION);
    if (!err)
        err = take_unknown(&w,
                           "SELECT exception, number FROM main.exception_step"
                           " WHERE exception >= ?1 AND act IN (2, 4)",
                           SEK_JOURNAL_STEP); /* approved, or an emergency */
    if (!err && w.seen.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    sek__audit_getters_fini(&w.now);
    sek_buf_fini(&w.seen);
    return err;
}
