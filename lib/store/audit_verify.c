/* SPDX-License-Identifier: BSD-3-Clause */
/* The chain computed anew. A row says three things that must agree: its number, its own hash, and
 * the hash of the row before; which of them do not tells what was done. */
#include "store/audit_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define FEW_CHANGES "100" /* rows: their data has less than any audit.undo-size */
/* Too young for any audit.undo (an hour at least), with next to nothing behind it that could have
 * taken its room, and not removed by forget. */
#define FRESH                                                                                      \
    "time_ms > (SELECT max(time_ms) FROM main.audit) - 3600000"                                    \
    " AND (SELECT coalesce(sum(length(data)), 0) FROM main.audit_data) < 524288"                   \
    " AND NOT EXISTS (SELECT 1 FROM main.audit f WHERE f.number > a.number AND f.verb = 'forget')"

struct walk {
    struct sek_policydb *db;
    sek_audit_problem_fn *fn;
    void *arg;
    const struct sek_audit_anchor *anchors;
    unsigned n_anchors;
    struct sek_audit_verdict *out;
    char stored[SEK_AUDIT_HASH_MAX], computed[SEK_AUDIT_HASH_MAX]; /* of the row before */
    bool altered;        /* the row before is known to be */
    struct sek_buf told; /* int64_t: exceptions */
    struct sek_diag *diag;
};

static void tell_fault(struct walk *w, enum sek_audit_fault fault, int64_t number, const char *text)
{
    w->out->n_problems++;
    w->out->n_of[fault]++;
    w->fn(w->arg, fault, number, text);
}

/* Of the trail itself. */
static void tell(struct walk *w, int64_t number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct walk *w, int64_t number, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tell_fault(w, SEK_AUDIT_TRAIL, number, text);
}

static void tell_gap(struct walk *w, int64_t first, int64_t last)
{
    if (first == last)
        tell(w, first, "row %" PRId64 " is missing: it was removed", first);
    else
        tell(w, first, "rows %" PRId64 " to %" PRId64 " are missing: they were removed", first,
             last);
}

/* The row whose hash is `hash`, or 0. */
static int64_t row_of_hash(struct walk *w, const char *hash)
{
    sqlite3_stmt *stmt;
    int64_t number = 0;
    if (sek_sql_prepare(w->db->db, "SELECT number FROM main.audit WHERE hash = ?1", &stmt, NULL))
        return 0;
    sqlite3_bind_text(stmt, 1, hash, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return number;
}

/* Its own hash is not that of its content. */
static void tell_altered(struct walk *w, int64_t number, const char *previous, const char *stored,
                         const char *computed)
{
    int64_t before = row_of_hash(w, previous);
    if (strcmp(previous, w->stored) == 0 || strcmp(previous, w->computed) == 0)
        tell(w, number,
             "row %" PRId64 " was altered: its hash is %.16s…, that of its content %.16s…", number,
             stored, computed);
    else if (before)
        tell(w, number,
             "row %" PRId64 " was altered or moved: it says that it follows row %" PRId64, number,
             before);
    else
        tell(w, number,
             "row %" PRId64
             " was altered or moved: it says that it follows a row that is not there",
             number);
}

/* Its content is as it was hashed, but does it follow the row before? */
static void check_previous(struct walk *w, int64_t number, const char *previous)
{
    if (strcmp(previous, w->stored) == 0 || strcmp(previous, w->computed) == 0)
        return;
    int64_t before = row_of_hash(w, previous);
    if (number == 1)
        tell(w, number,
             "row 1 was made after another row: rows before it were removed, and those "
             "behind renumbered");
    else if (before && before != number - 1)
        tell(w, number, "row %" PRId64 " was moved: it was made after row %" PRId64, number,
             before);
    else if (!w->altered)
        tell(w, number - 1,
             "row %" PRId64 " is not the one that row %" PRId64
             " was made after: it was altered or put there, and its hash computed anew",
             number - 1, number);
}

static enum sek_err check_data(struct walk *w, int64_t number, const char *changes)
{
    char digest[SEK_AUDIT_HASH_MAX];
    unsigned n = 0;
    enum sek_err err = sek__audit_digest(w->db, number, digest, &n, w->diag);
    if (err)
        return err;
    if (n && strcmp(digest, changes) != 0)
        tell(w, number, "the data for undo of row %" PRId64 " was altered", number);
    return SEK_OK;
}

static void check_anchors(struct walk *w, int64_t number, const char *computed)
{
    for (unsigned i = 0; i < w->n_anchors; i++)
        if (w->anchors[i].number == number && strcmp(w->anchors[i].hash, computed) != 0)
            tell(w, number,
                 "row %" PRId64 " is not the one of the anchor: it or one before it was altered, "
                 "and the hashes computed anew",
                 number);
}

/* text: of a column, borrowed; never NULL. */
static const char *text_of(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? text : "";
}

static enum sek_err check_row(struct walk *w, sqlite3_stmt *stmt)
{
    int64_t number = sqlite3_column_int64(stmt, SEK_AUDIT_NUMBER);
    int64_t expected = w->out->head.number + 1;
    char computed[SEK_AUDIT_HASH_MAX];
    enum sek_err err = sek__audit_hash(stmt, computed, w->diag);
    if (err)
        return err;
    w->out->n_rows++;
    if (number < 1) {
        tell(w, number, "row %" PRId64 " does not belong here: numbers begin with 1", number);
        return SEK_OK;
    }
    if (number > expected)
        tell_gap(w, expected, number - 1);
    const char *previous = text_of(stmt, SEK_AUDIT_PREVIOUS);
    const char *stored = text_of(stmt, SEK_AUDIT_HASH);
    bool altered = strcmp(stored, computed) != 0;
    if (altered)
        tell_altered(w, number, previous, stored, computed);
    else if (number == expected)
        check_previous(w, number, previous);
    w->altered = altered;
    memcpy(w->computed, computed, sizeof computed);
    snprintf(w->stored, sizeof w->stored, "%s", stored);
    w->out->head.number = number;
    memcpy(w->out->head.hash, w->stored, sizeof w->stored);
    check_anchors(w, number, computed);
    return check_data(w, number, text_of(stmt, SEK_AUDIT_CHANGES));
}

static enum sek_err check_rows(struct walk *w)
{
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek_sql_prepare(
        w->db->db, "SELECT " SEK_AUDIT_COLUMNS " FROM main.audit ORDER BY number", &stmt, w->diag);
    if (err)
        return err;
    while (!err && (rc = sqlite3_step(stmt)) != SQLITE_DONE)
        err = rc == SQLITE_ROW ? check_row(w, stmt) : sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

/* Rows cut off at the end: SQLite's counter and the anchors remember them. */
static enum sek_err check_end(struct walk *w)
{
    int64_t last = 0, head = w->out->head.number;
    enum sek_err err = sek_sql_int(
        w->db->db, "SELECT seq FROM main.sqlite_sequence WHERE name = 'audit'", &last, w->diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    for (unsigned i = 0; i < w->n_anchors; i++)
        if (w->anchors[i].number > last)
            last = w->anchors[i].number;
    if (last > head)
        tell_gap(w, head + 1, last);
    return SEK_OK;
}

/* Data without a row. */
static enum sek_err check_loose_data(struct walk *w)
{
    int64_t number;
    enum sek_err err = sek_sql_int(w->db->db,
                                   "SELECT min(audit) FROM main.audit_data WHERE audit NOT IN"
                                   " (SELECT number FROM main.audit)",
                                   &number, w->diag);
    if (!err && number)
        tell(w, number, "there is data for undo of row %" PRId64 ", but not the row", number);
    return err;
}

/* Data that went by itself went with all that is older, or was more than is kept of one change. */
static enum sek_err check_missing_data(struct walk *w)
{
    int64_t number = 0;
    enum sek_err err =
        sek_sql_int(w->db->db,
                    "SELECT min(number) FROM main.audit a WHERE changes <> ''"
                    " AND n_changes <= " FEW_CHANGES " AND verb <> 'forget'"
                    " AND number NOT IN (SELECT audit FROM main.audit_data) AND ("
                    " number > (SELECT min(audit) FROM main.audit_data) OR (" FRESH "))",
                    &number, w->diag);
    if (!err && number)
        tell(w, number, "the data for undo of row %" PRId64 " was removed", number);
    return err;
}

/* Each of ours is there, and as it was made; others that somebody hung on the trail are told. */
static enum sek_err check_triggers(struct walk *w)
{
    static const struct {
        const char *name, *sql;
    } ours[] = {{"audit_no_update", SEK_AUDIT_NO_UPDATE},
                {"audit_no_delete", SEK_AUDIT_NO_DELETE},
                {"audit_in_order", SEK_AUDIT_IN_ORDER},
                {"audit_data_no_update", SEK_AUDIT_DATA_NO_UPDATE}};
    enum { N = sizeof ours / sizeof *ours };
    bool there[N] = {false};
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek_sql_prepare(w->db->db,
                                       "SELECT name, sql FROM main.sqlite_schema WHERE type ="
                                       " 'trigger' AND tbl_name IN ('audit', 'audit_data')"
                                       " ORDER BY name",
                                       &stmt, w->diag);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = text_of(stmt, 0);
        size_t i = 0;
        while (i < N && strcmp(ours[i].name, name) != 0)
            i++;
        if (i == N)
            tell(w, 0, "there is a trigger %.60s on the trail that was not made by sekisho", name);
        else if (strcmp(ours[i].sql, text_of(stmt, 1)) != 0)
            tell(w, 0, "the trigger %s, which refuses to change the trail, was replaced", name);
        if (i < N)
            there[i] = true;
    }
    err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    for (size_t i = 0; !err && i < N; i++)
        if (!there[i])
            tell(w, 0, "the trigger %s, which refuses to change the trail, was removed",
                 ours[i].name);
    return err;
}

static void keep_exception(void *arg, int64_t exception, int64_t number, const char *problem)
{
    struct walk *w = arg;
    sek_buf_add(&w->told, &exception, sizeof exception);
    tell_fault(w, SEK_AUDIT_EXCEPTION, number, problem);
}

static void keep_row(void *arg, enum sek_audit_fault fault, int64_t number, const char *problem)
{
    tell_fault(arg, fault, number, problem);
}

/* False: a table is gone, and nothing else can be held against it. */
static enum sek_err check_tables(struct walk *w, bool *out_there)
{
    static const char *const tables[] = {"audit", "audit_data", "audit_sum"};
    enum sek_err err = SEK_OK;
    *out_there = true;
    for (size_t i = 0; !err && i < sizeof tables / sizeof *tables; i++) {
        int64_t n = 0;
        char sql[120];
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = '%s'",
                 tables[i]);
        err = sek_sql_int(w->db->db, sql, &n, w->diag);
        if (err || n)
            continue;
        *out_there = false;
        tell(w, 0,
             "%.250s: the table %s was removed, with all that it told; put a copy of the file from "
             "before in its place",
             sqlite3_db_filename(w->db->db, "main"), tables[i]);
    }
    return err;
}

static enum sek_err check_all(struct walk *w)
{
    bool there = false;
    enum sek_err err = check_tables(w, &there);
    if (err || !there)
        return err;
    err = check_rows(w);
    if (!err)
        err = check_end(w);
    if (!err)
        err = check_loose_data(w);
    if (!err)
        err = check_missing_data(w);
    if (!err)
        err = check_triggers(w);
    if (!err)
        err = sek_audit_exceptions(w->db, keep_exception, w, w->diag);
    return err ? err : sek__audit_check_tables(w->db, &w->told, keep_row, w, w->diag);
}

enum sek_err sek_audit_verify(struct sek_policydb *db, const struct sek_audit_anchor *anchors,
                              unsigned n_anchors, sek_audit_problem_fn *fn, void *arg,
                              struct sek_audit_verdict *out, struct sek_diag *diag)
{
    struct walk w = {.db = db,
                     .fn = fn,
                     .arg = arg,
                     .anchors = anchors,
                     .n_anchors = n_anchors,
                     .out = out,
                     .diag = diag};
    *out = (struct sek_audit_verdict){0};
    memcpy(out->head.hash, sek__audit_genesis, sizeof out->head.hash);
    memcpy(w.stored, sek__audit_genesis, sizeof w.stored);
    memcpy(w.computed, sek__audit_genesis, sizeof w.computed);
    sek_buf_init(&w.told, 0);
    bool own = sqlite3_get_autocommit(db->db) != 0;
    enum sek_err err = own ? sek_sql_run(db->db, "BEGIN", diag) : SEK_OK;
    if (!err)
        err = check_all(&w);
    sek_buf_fini(&w.told);
    if (own && !sqlite3_get_autocommit(db->db))
        sek_sql_run(db->db, "COMMIT", NULL);
    return err;
}
