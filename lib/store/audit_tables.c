/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tables hold, held against the trail. Sums tell whether anything differs, and in which
 * part of which table; the data behind undo has rows as the last change left them, by which those
 * that differ are found. What is left of the difference then may be just the sum of rows that no
 * change made. */
#include "store/audit_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define TOLD_MAX 20 /* rows of a part that are told one by one */

struct part {
    unsigned table;
    int64_t part;
    struct sek__rowsum rest; /* by how much more it holds than the trail says, as far as it is not
                                explained */
    int64_t n_is, n_left;    /* rows */
    unsigned n_told;
};

struct walk {
    struct sek_policydb *db;
    sek_audit_problem_fn *fn;
    void *arg;
    struct sek_diag *diag;
    const struct sek_buf *told;
    int64_t state;        /* row of the trail that the sums are of */
    int64_t number;       /* row that is read */
    struct sek_buf parts; /* struct part: those that differ, sorted */
    struct sek__list_names *names;
    struct sek__row_getters now;
    struct sek__rowsums one; /* to compute the sum of a row */
    struct sek_hash_key key;
    uint64_t *seen; /* rows that the trail told of: a table with open addressing; 0: free */
    size_t n_seen, room;
};

/* An exception that is told by itself needs no more words. */
static bool is_told(const struct walk *w, const struct part *p)
{
    const int64_t *all = (const void *)w->told->data;
    if (p->table != SEK_JOURNAL_EXCEPTION && p->table != SEK_JOURNAL_STEP)
        return false;
    for (size_t i = 0; i < w->told->len / sizeof *all; i++)
        if (all[i] == p->part)
            return true;
    return false;
}

static struct part *part_find(const struct walk *w, unsigned table, int64_t id)
{
    struct part *all = (void *)w->parts.data;
    size_t low = 0, high = w->parts.len / sizeof *all;
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct part *p = &all[middle];
        if (p->table == table && p->part == id)
            return p;
        if (p->table < table || (p->table == table && p->part < id))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- rows that were seen -----------------------------------------------------------------------
 */

static uint64_t *seen_place(uint64_t *table, size_t room, uint64_t object)
{
    size_t at = object & (room - 1);
    while (table[at] && table[at] != object)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static bool is_seen(const struct walk *w, uint64_t object)
{
    return w->room && *seen_place(w->seen, w->room, object);
}

static enum sek_err seen_grow(struct walk *w)
{
    size_t room = w->room ? 2 * w->room : 1024;
    uint64_t *table = calloc(room, sizeof *table);
    if (!table)
        return sek_diag_set(w->diag, SEK_E_NOMEM, "out of memory for so many changes");
    for (size_t i = 0; i < w->room; i++)
        if (w->seen[i])
            *seen_place(table, room, w->seen[i]) = w->seen[i];
    free(w->seen);
    w->seen = table;
    w->room = room;
    return SEK_OK;
}

/* *out: not seen before. */
static enum sek_err see(struct walk *w, uint64_t object, bool *out)
{
    enum sek_err err = w->n_seen >= w->room / 2 ? seen_grow(w) : SEK_OK;
    if (err)
        return err;
    uint64_t *place = seen_place(w->seen, w->room, object);
    *out = *place == 0;
    w->n_seen += *out;
    *place = object;
    return SEK_OK;
}

/* --- in words ----------------------------------------------------------------------------------
 */

static void tell(struct walk *w, int64_t number, const struct sek_buf *text)
{
    if (!text->failed)
        w->fn(w->arg, SEK_AUDIT_TABLES, number, text->data);
}

/* name: NULL: nobody knows it any more, its id stands in its place. */
static void add_named(const char *what, const char *name, int64_t id, struct sek_buf *out)
{
    if (name)
        sek_buf_add_fmt(out, "%s %s", what, name);
    else
        sek_buf_add_fmt(out, "%s %" PRId64, what, id);
}

static void name_list(const struct walk *w, const char *what, int64_t list, struct sek_buf *out)
{
    add_named(what, sek__list_name(w->names, list), list, out);
}

static void name_group(const struct walk *w, const char *what, int64_t group, struct sek_buf *out)
{
    add_named(what, sek__group_name(w->names, group), group, out);
}

static void name_part(const struct walk *w, const struct part *p, struct sek_buf *out)
{
    if (p->table == SEK_JOURNAL_LIST)
        name_list(w, "list", p->part, out);
    else if (p->table == SEK_JOURNAL_ENTRY)
        name_list(w, "what is in list", p->part, out);
    else if (p->table == SEK_JOURNAL_FEED)
        name_list(w, "the feed of list", p->part, out);
    else if (p->table == SEK_JOURNAL_GROUP)
        name_group(w, "group", p->part, out);
    else if (p->table == SEK_JOURNAL_MEMBER)
        name_group(w, "the members of group", p->part, out);
    else if (p->part)
        sek_buf_add_fmt(out, "%s %" PRId64, sek__journal_table(p->table)->name, p->part);
    else
        sek_buf_add_fmt(out, "the table %s", sek__journal_table(p->table)->name);
}

static void tell_part(struct walk *w, const struct part *p)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    name_part(w, p, &text);
    sek_buf_add_fmt(&text, " was changed outside of the command since row %" PRId64 ": ", w->state);
    if (p->n_is == p->n_left)
        sek_buf_add_fmt(&text, "%" PRId64 " row%s, as the trail says, but not those that it says",
                        p->n_is, p->n_is == 1 ? "" : "s");
    else
        sek_buf_add_fmt(&text, "%" PRId64 " row%s, %" PRId64 " by the trail", p->n_is,
                        p->n_is == 1 ? "" : "s", p->n_left);
    tell(w, w->state, &text);
    sek_buf_fini(&text);
}

static void row_sum(struct walk *w, const struct sek__journal_table *t, const struct sek__cell *row,
                    struct sek__rowsum *out)
{
    sek__rowsums_reset(&w->one);
    sek__rowsums_row(&w->one, t, row, false);
    *out = w->one.total;
}

/* left: as the trail says; NULL: it was removed. */
static enum sek_err hold(struct walk *w, struct part *p, const struct sek__journal_table *t,
                         const struct sek__cell *key, const struct sek__cell *left)
{
    struct sek__cell now[SEK_JOURNAL_COLUMNS];
    struct sek__rowsum sum;
    struct sek_buf text;
    bool there = false;
    enum sek_err err = sek__audit_row_now(w->db, &w->now, t, key, now, &there, w->diag);
    if (err || (there == (left != NULL) &&
                (!there || sek__cells_equal(now, left, sek__journal_n_columns(t)))))
        return err;
    sek_buf_init(&text, 0);
    t->object(key, w->names, &text);
    if (there && left)
        sek__audit_differs(t, now, left, w->number, &text);
    else
        sek_buf_add_fmt(&text, " was %s outside of the command: row %" PRId64 " left it %s",
                        there ? "put back" : "removed", w->number, there ? "removed" : "there");
    if (p->n_told++ < TOLD_MAX)
        tell(w, w->number, &text);
    sek_buf_fini(&text);
    if (there) {
        row_sum(w, t, now, &sum);
        sek__rowsum_add(&p->rest, &sum, true);
    }
    if (left) {
        row_sum(w, t, left, &sum);
        sek__rowsum_add(&p->rest, &sum, false);
    }
    return SEK_OK;
}

/* --- what the trail tells of them --------------------------------------------------------------
 */

static enum sek_err take_part(void *arg, const uint8_t *octets, size_t len, struct sek_diag *diag)
{
    struct walk *w = arg;
    struct sek__changes c;
    enum sek_err err = sek__changes_read(octets, len, &c, diag);
    if (!err && sek__list_names_add(&w->names, &c))
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (size_t i = c.n; !err && i > 0; i--) {
        const struct sek__change *change = &c.all[i - 1];
        const struct sek__cell *key = change->fresh ? change->fresh : change->old;
        struct part *p =
            change->op == 'n' ? NULL : part_find(w, change->table->id, sek__rowsum_part_of(key));
        bool fresh = false;
        if (p && !is_told(w, p))
            err = see(w, sek__audit_object(&w->key, change->table, key, change->table->n_key),
                      &fresh);
        if (!err && fresh)
            err = hold(w, p, change->table, key, change->fresh);
    }
    sek__changes_free(&c);
    return err;
}

/* The next row back; 0: none, or none whose data is kept: what it changed is not known, so what was
 * before it may have been changed by it. */
static enum sek_err row_before(struct walk *w, int64_t *io_number)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(w->db->db,
                        "SELECT number, EXISTS (SELECT 1 FROM main.audit_data WHERE audit = number)"
                        " FROM main.audit WHERE number < ?1 AND changes <> '' ORDER BY number DESC"
                        " LIMIT 1",
                        &stmt, w->diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, *io_number);
    int rc = sqlite3_step(stmt);
    *io_number =
        rc == SQLITE_ROW && sqlite3_column_int(stmt, 1) ? sqlite3_column_int64(stmt, 0) : 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err take_rows(struct walk *w)
{
    unsigned n;
    w->number = INT64_MAX;
    enum sek_err err = row_before(w, &w->number);
    while (!err && w->number) {
        err = sek__audit_parts(w->db, w->number, true, take_part, w, &n, w->diag);
        if (!err)
            err = row_before(w, &w->number);
    }
    return err == SEK_E_CORRUPT ? SEK_OK : err; /* altered data is told elsewhere */
}

/* --- what it does not tell of ------------------------------------------------------------------
 */

static void tell_put(struct walk *w, const struct sek__journal_table *t,
                     const struct sek__cell *row)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    t->object(row, w->names, &text);
    sek_buf_add_text(&text, " was put there outside of the command: no row of the trail has it");
    tell(w, 0, &text);
    sek_buf_fini(&text);
}

/* Over its rows that were not seen. alone: tell the one whose sum is the rest; else all of them,
 * into out_all; or tell them. */
enum unseen { UNSEEN_ALONE, UNSEEN_SUM, UNSEEN_TELL };

static enum sek_err unseen(struct walk *w, struct part *p, enum unseen what,
                           struct sek__rowsum *out_all)
{
    const struct sek__journal_table *t = sek__journal_table(p->table);
    struct sek__cell row[SEK_JOURNAL_COLUMNS];
    struct sek__rowsum sum, rest = p->rest;
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek__audit_select(w->db, t, p->part ? 1 : 0, &stmt, w->diag);
    if (err)
        return err;
    if (p->part)
        sqlite3_bind_int64(stmt, 1, p->part);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        sek__audit_cells(stmt, t, row);
        if (is_seen(w, sek__audit_object(&w->key, t, row, t->n_key)))
            continue;
        row_sum(w, t, row, &sum);
        sek__rowsum_add(out_all, &sum, false);
        bool alone = what == UNSEEN_ALONE && sek__rowsum_equal(&sum, &rest);
        if (alone)
            p->rest = (struct sek__rowsum){0};
        if (alone || (what == UNSEEN_TELL && p->n_told++ < TOLD_MAX))
            tell_put(w, t, row);
    }
    err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(w->db, rc, w->diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err take_rest(struct walk *w, struct part *p)
{
    static const struct sek__rowsum none;
    struct sek__rowsum all = {0};
    if (is_told(w, p) || sek__rowsum_equal(&p->rest, &none))
        return SEK_OK;
    enum sek_err err = unseen(w, p, UNSEEN_ALONE, &all);
    if (err || sek__rowsum_equal(&p->rest, &none))
        return err;
    if (sek__rowsum_equal(&all, &p->rest))
        return unseen(w, p, UNSEEN_TELL, &all);
    tell_part(w, p);
    return SEK_OK;
}

/* --- sums --------------------------------------------------------------------------------------
 */

static void part_add(struct walk *w, const struct sek__rowsum_part *is,
                     const struct sek__rowsum_part *left)
{
    const struct sek__rowsum_part *one = is ? is : left;
    struct part p = {.table = one->table, .part = one->part};
    if (!sek__journal_table(p.table))
        return; /* of a row that somebody put into audit_sum */
    if (is)
        sek__rowsum_add(&p.rest, &is->sum, false);
    if (left)
        sek__rowsum_add(&p.rest, &left->sum, true);
    p.n_is = is ? is->sum.n : 0;
    p.n_left = left ? left->sum.n : 0;
    sek_buf_add(&w->parts, &p, sizeof p);
}

static int order(const struct sek__rowsum_part *a, const struct sek__rowsum_part *b)
{
    if (!a || !b)
        return a ? -1 : 1;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return a->part < b->part ? -1 : a->part > b->part;
}

/* Both are sorted. */
static void parts_compare(struct walk *w, const struct sek__rowsums *is,
                          const struct sek__rowsums *left)
{
    size_t i = 0, k = 0;
    while (i < is->n || k < left->n) {
        const struct sek__rowsum_part *a = i < is->n ? &is->all[i] : NULL;
        const struct sek__rowsum_part *b = k < left->n ? &left->all[k] : NULL;
        int o = order(a, b);
        if (o || !sek__rowsum_equal(&a->sum, &b->sum))
            part_add(w, o <= 0 ? a : NULL, o >= 0 ? b : NULL);
        i += o <= 0;
        k += o >= 0;
    }
}

static void tell_sums(struct walk *w, bool matched)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    if (matched)
        sek_buf_add_fmt(&text,
                        "the tables were changed outside of the command since row %" PRId64
                        ", and the sums kept of them (table audit_sum) to match",
                        w->state);
    else
        sek_buf_add_text(&text,
                         "the sums kept of what the tables hold (table audit_sum) were altered");
    tell(w, matched ? w->state : 0, &text);
    sek_buf_fini(&text);
}

static enum sek_err look(struct walk *w, const struct sek__rowsums *is,
                         const struct sek__rowsums *left, const char *state)
{
    char now[SEK_AUDIT_HASH_MAX];
    enum sek_err err = sek__audit_state_text(&is->total, now, w->diag);
    if (err)
        return err;
    bool whole = strcmp(now, state) == 0;
    parts_compare(w, is, left);
    if (whole && (w->parts.len || !sek__rowsum_equal(&is->total, &left->total)))
        tell_sums(w, false);
    if (whole)
        return SEK_OK;
    bool matched = w->parts.len == 0;
    if (matched) {
        tell_sums(w, true);
        parts_compare(w, is, &(struct sek__rowsums){0});
    }
    err = w->parts.failed ? sek_diag_set(w->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                          : take_rows(w);
    struct part *all = (void *)w->parts.data;
    for (size_t i = 0; !err && !matched && i < w->parts.len / sizeof *all; i++)
        err = take_rest(w, &all[i]);
    return err;
}

enum sek_err sek__audit_check_tables(struct sek_policydb *db, const struct sek_buf *told,
                                     sek_audit_problem_fn *fn, void *arg, struct sek_diag *diag)
{
    char state[SEK_AUDIT_HASH_MAX];
    struct walk w = {.db = db, .fn = fn, .arg = arg, .told = told, .diag = diag};
    enum sek_err err = sek__audit_state_last(db, &w.state, state, diag);
    if (err || !w.state)
        return err;
    struct sek__rowsums is, left;
    w.key = sek_hash_key_random();
    sek_buf_init(&w.parts, 0);
    sek__rowsums_init(&w.one);
    sek__rowsums_init(&is);
    sek__rowsums_init(&left);
    err = sek__rowsums_scan(db->db, &is, diag);
    sek__rowsums_sort(&is);
    if (!err)
        err = sek__rowsums_load(db->db, &left, diag);
    if (!err)
        err = sek__audit_names_now(db, &w.names, diag);
    if (!err)
        err = look(&w, &is, &left, state);
    sek__rowsums_fini(&is);
    sek__rowsums_fini(&left);
    sek__rowsums_fini(&w.one);
    sek__audit_getters_fini(&w.now);
    sek__list_names_free(w.names);
    sek_buf_fini(&w.parts);
    free(w.seen);
    return err;
}
