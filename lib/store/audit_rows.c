/* SPDX-License-Identifier: BSD-3-Clause */
/* The trail read: rows, what they changed, its head. */
#include "store/audit_parts.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PAGE_ROWS 64

enum sek_err sek_audit_head(struct sek_policydb *db, struct sek_audit_anchor *out,
                            struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT number, hash FROM main.audit ORDER BY number DESC LIMIT 1", &stmt, diag);
    if (err)
        return err;
    int rc = sqlite3_step(stmt);
    *out = (struct sek_audit_anchor){0};
    if (rc == SQLITE_ROW) {
        out->number = sqlite3_column_int64(stmt, 0);
        sek__policydb_text(stmt, 1, out->hash, sizeof out->hash);
    } else if (rc == SQLITE_DONE) {
        memcpy(out->hash, sek__audit_genesis, sizeof out->hash);
    } else {
        err = sek__policydb_fail(db, rc, diag);
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_audit_anchor_read(const char *text, struct sek_audit_anchor *out,
                                   struct sek_diag *diag)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)*text) || end - text > 18 || *end != ':' ||
        strlen(end + 1) != SEK_AUDIT_HASH_MAX - 1 ||
        strspn(end + 1, "0123456789abcdefABCDEF") != SEK_AUDIT_HASH_MAX - 1)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.100s\" is no anchor: a row's number, \":\" and 64 hexadecimal "
                            "digits, as sekisho audit seal prints it",
                            text);
    out->number = number;
    for (int i = 0; i < SEK_AUDIT_HASH_MAX; i++)
        out->hash[i] = (char)tolower((unsigned char)end[1 + i]);
    return SEK_OK;
}

enum sek_err sek__audit_state_last(struct sek_policydb *db, int64_t *out_number,
                                   char out[SEK_AUDIT_HASH_MAX], struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "SELECT number, state FROM main.audit WHERE state <> '' ORDER BY number DESC LIMIT 1",
        &stmt, diag);
    if (err)
        return err;
    int rc = sqlite3_step(stmt);
    *out_number = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    *out = '\0';
    if (rc == SQLITE_ROW)
        sek__policydb_text(stmt, 1, out, SEK_AUDIT_HASH_MAX);
    else if (rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* --- what was changed --------------------------------------------------------------------------
 */

struct telling {
    struct sek__list_names *lists;
    sek_audit_item_fn *fn;
    void *arg;
    bool objects; /* what is said of them is not asked for */
    struct sek_buf object, before, after;
    bool stopped;
};

static enum sek_err names_of_part(struct telling *t, const void *part, size_t len,
                                  struct sek_diag *diag)
{
    struct sek__changes c;
    enum sek_err err = sek__changes_read(part, len, &c, diag);
    if (!err && sek__list_names_add(&t->lists, &c))
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek__changes_free(&c);
    return err;
}

/* The lists and groups there are. */
enum sek_err sek__audit_names_now(struct sek_policydb *db, struct sek__list_names **names,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "SELECT id, name, ?1 FROM main.list UNION ALL"
                                       " SELECT id, list, ?2 FROM main.client_group",
                                       &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, SEK_JOURNAL_LIST);
    sqlite3_bind_int(stmt, 2, SEK_JOURNAL_GROUP);
    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        const struct sek__cell row[2] = {sek__cell_of(sqlite3_column_value(stmt, 0)),
                                         sek__cell_of(sqlite3_column_value(stmt, 1))};
        struct sek__change one = {.op = 'n',
                                  .table =
                                      sek__journal_table((unsigned)sqlite3_column_int(stmt, 2)),
                                  .fresh = row};
        if (sek__list_names_add(names, &(struct sek__changes){.all = &one, .n = 1}))
            err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    sqlite3_finalize(stmt);
    return err;
}

/* Lists that are gone: a row's data names them at its end, or where it made or removed them, which
 * is at either end. */
static enum sek_err names_of_ends(struct sek_policydb *db, int64_t number, struct telling *t,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db,
                        "SELECT data FROM main.audit_data WHERE audit = ?1 AND part IN (0, (SELECT"
                        " max(part) FROM main.audit_data WHERE audit = ?1))",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, number);
    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        const void *part = sqlite3_column_blob(stmt, 0);
        err = names_of_part(t, part, (size_t)sqlite3_column_bytes(stmt, 0), diag);
    }
    sqlite3_finalize(stmt);
    return err;
}

static const char *says(const struct telling *t, const struct sek__change *change,
                        const struct sek__cell *row, struct sek_buf *out)
{
    if (t->objects || !row)
        return "";
    sek_buf_reset(out);
    change->table->says(row, out);
    return out->data ? out->data : "";
}

static enum sek_err items_of_part(void *arg, const uint8_t *part, size_t len, struct sek_diag *diag)
{
    struct telling *t = arg;
    struct sek__changes c;
    enum sek_err err = t->stopped ? SEK_OK : sek__changes_read(part, len, &c, diag);
    if (t->stopped)
        return SEK_OK;
    for (size_t i = 0; !err && i < c.n && !t->stopped; i++) {
        const struct sek__change *change = &c.all[i];
        if (change->op == 'n')
            continue;
        sek_buf_reset(&t->object);
        change->table->object(change->fresh ? change->fresh : change->old, t->lists, &t->object);
        const struct sek_audit_item item = {.object = t->object.data ? t->object.data : "",
                                            .before = says(t, change, change->old, &t->before),
                                            .after = says(t, change, change->fresh, &t->after)};
        if (!t->objects && change->op == 'u' && strcmp(item.before, item.after) == 0)
            continue;
        t->stopped = !t->fn(t->arg, &item);
    }
    sek__changes_free(&c);
    return err;
}

/* The parts in memory, as if they stood in the database. */
static enum sek_err pending_parts(struct sek_policydb *db, struct telling *t, unsigned *out_n,
                                  struct sek_diag *diag)
{
    struct sek__journal_sum sum = {0};
    enum sek_err err = db->journal ? sek__journal_end(db->journal, &sum, diag) : SEK_OK;
    size_t at = 0;
    for (size_t i = 0; !err && i < sum.n_parts; i++) {
        if (i == 0 || i + 1 == sum.n_parts)
            err = names_of_part(t, sum.data + at, sum.part_end[i] - at, diag);
        at = sum.part_end[i];
    }
    at = 0;
    for (size_t i = 0; !err && i < sum.n_parts; i++) {
        err = items_of_part(t, sum.data + at, sum.part_end[i] - at, diag);
        at = sum.part_end[i];
    }
    *out_n = (unsigned)sum.n_parts;
    return err;
}

static enum sek_err items(struct sek_policydb *db, int64_t number, bool objects,
                          sek_audit_item_fn *fn, void *arg, struct sek_diag *diag)
{
    struct telling t = {.fn = fn, .arg = arg, .objects = objects};
    unsigned n = 0;
    sek_buf_init(&t.object, 0);
    sek_buf_init(&t.before, 0);
    sek_buf_init(&t.after, 0);
    enum sek_err err = number ? names_of_ends(db, number, &t, diag) : SEK_OK;
    if (!err)
        err = sek__audit_names_now(db, &t.lists, diag);
    if (!err && number)
        err = sek__audit_parts(db, number, false, items_of_part, &t, &n, diag);
    else if (!err)
        err = pending_parts(db, &t, &n, diag);
    if (!err && n == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "no data is kept of it");
    sek__list_names_free(t.lists);
    sek_buf_fini(&t.object);
    sek_buf_fini(&t.before);
    sek_buf_fini(&t.after);
    return err;
}

enum sek_err sek_audit_items(struct sek_policydb *db, int64_t number, sek_audit_item_fn *fn,
                             void *arg, struct sek_diag *diag)
{
    return items(db, number, false, fn, arg, diag);
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* A row that is taken back, and not by one that is taken back itself: by which one; else 0. */
static enum sek_err undone_by(struct sek_policydb *db, sqlite3_stmt *stmt, int64_t number,
                              unsigned depth, int64_t *out, struct sek_diag *diag)
{
    int64_t by[16];
    unsigned n = 0;
    int rc;
    *out = 0;
    sqlite3_bind_int64(stmt, 1, number);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (n < sizeof by / sizeof *by)
            by[n++] = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    if (rc != SQLITE_DONE)
        return sek__policydb_fail(db, rc, diag);
    enum sek_err err = SEK_OK;
    for (unsigned i = 0; !err && i < n && !*out; i++) {
        int64_t again = 0;
        if (depth < 1000 && by[i] > number)
            err = undone_by(db, stmt, by[i], depth + 1, &again, diag);
        *out = again ? 0 : by[i];
    }
    return err;
}

enum sek_err sek__audit_undone_by(struct sek_policydb *db, int64_t number, int64_t *out,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "SELECT number FROM main.audit WHERE undoes = ?1 AND undoes > 0 ORDER BY number DESC",
        &stmt, diag);
    if (err)
        return err;
    err = undone_by(db, stmt, number, 0, out, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* A page of rows: their texts lie one behind the other in `texts`, each ended by a NUL. */
struct page {
    struct sek_audit_row row[PAGE_ROWS];
    size_t at[PAGE_ROWS][SEK_AUDIT_N_COLUMNS];
    unsigned n;
    struct sek_buf texts;
};

static void page_add(struct page *p, sqlite3_stmt *stmt)
{
    struct sek_audit_row *row = &p->row[p->n];
    for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, i);
        p->at[p->n][i] = p->texts.len;
        sek_buf_add(&p->texts, text ? text : "", text ? strlen(text) + 1 : 1);
    }
    *row = (struct sek_audit_row){.number = sqlite3_column_int64(stmt, SEK_AUDIT_NUMBER),
                                  .time_ms = sqlite3_column_int64(stmt, SEK_AUDIT_TIME),
                                  .uid = sqlite3_column_int64(stmt, SEK_AUDIT_UID),
                                  .undoes = sqlite3_column_int64(stmt, SEK_AUDIT_UNDOES),
                                  .n_changes = sqlite3_column_int64(stmt, SEK_AUDIT_N_CHANGES),
                                  .kept = sqlite3_column_int(stmt, SEK_AUDIT_N_COLUMNS) != 0};
    p->n++;
}

static void page_point(struct page *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct sek_audit_row *row = &p->row[i];
        const char **const texts[SEK_AUDIT_N_COLUMNS] = {
            [SEK_AUDIT_USER] = &row->user,       [SEK_AUDIT_ORIGIN] = &row->origin,
            [SEK_AUDIT_COMMAND] = &row->command, [SEK_AUDIT_VERB] = &row->verb,
            [SEK_AUDIT_OBJECT] = &row->object,   [SEK_AUDIT_BEFORE] = &row->before,
            [SEK_AUDIT_AFTER] = &row->after,     [SEK_AUDIT_REASON] = &row->reason,
            [SEK_AUDIT_CHANGES] = &row->changes, [SEK_AUDIT_PREVIOUS] = &row->previous,
            [SEK_AUDIT_HASH] = &row->hash,       [SEK_AUDIT_STATE] = &row->state};
        for (int k = 0; k < SEK_AUDIT_N_COLUMNS; k++)
            if (texts[k])
                *texts[k] = p->texts.data + p->at[i][k];
    }
}

static enum sek_err page_read(struct sek_policydb *db, sqlite3_stmt *stmt, struct page *p,
                              struct sek_diag *diag)
{
    int rc = SQLITE_DONE;
    p->n = 0;
    sek_buf_reset(&p->texts);
    while (p->n < PAGE_ROWS && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        page_add(p, stmt);
    enum sek_err err =
        rc != SQLITE_ROW && rc != SQLITE_DONE ? sek__policydb_fail(db, rc, diag) : SEK_OK;
    sqlite3_reset(stmt);
    if (!err && p->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    if (!err)
        page_point(p);
    return err;
}

/* --- filter ------------------------------------------------------------------------------------
 */

static bool mentions(void *arg, const struct sek_audit_item *item)
{
    const char **object = arg;
    if (!strcasestr(item->object, *object))
        return true;
    *object = NULL; /* found */
    return false;
}

static enum sek_err is_wanted(struct sek_policydb *db, const struct sek_audit_filter *f,
                              const struct sek_audit_row *row, bool *out, struct sek_diag *diag)
{
    const char *object = f->object;
    *out = (!f->since_ms || row->time_ms >= f->since_ms) &&
           (!f->until_ms || row->time_ms < f->until_ms) &&
           (!f->user || strcmp(row->user, f->user) == 0) &&
           (!f->verb || strcmp(row->verb, f->verb) == 0);
    if (!*out || !object || strcasestr(row->object, object) || strcasestr(row->before, object) ||
        strcasestr(row->after, object))
        return SEK_OK;
    *out = false;
    if (!row->kept || row->n_changes <= 1)
        return SEK_OK;
    enum sek_err err = items(db, row->number, true, mentions, &object, diag);
    *out = !err && object == NULL;
    return err == SEK_E_NOTFOUND || err == SEK_E_CORRUPT ? SEK_OK : err;
}

static enum sek_err page_give(struct sek_policydb *db, const struct sek_audit_filter *f,
                              struct page *p, sek_audit_row_fn *fn, void *arg, bool *io_more,
                              struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (unsigned i = 0; !err && i < p->n && *io_more; i++) {
        bool wanted;
        err = is_wanted(db, f, &p->row[i], &wanted, diag);
        if (!err && wanted)
            err = sek__audit_undone_by(db, p->row[i].number, &p->row[i].undone_by, diag);
        if (!err && wanted)
            *io_more = fn(arg, &p->row[i]);
    }
    return err;
}

#define ROWS                                                                                       \
    "SELECT " SEK_AUDIT_COLUMNS ", EXISTS (SELECT 1 FROM main.audit_data WHERE audit = number)"    \
    " FROM main.audit"

static enum sek_err pages(struct sek_policydb *db, const struct sek_audit_filter *f, struct page *p,
                          sek_audit_row_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    bool more = true;
    int64_t low = f->from > 0 ? f->from : 1, high = INT64_MAX;
    enum sek_err err = sek_sql_prepare(
        db->db,
        f->oldest_first ? ROWS " WHERE number BETWEEN ?1 AND ?2 ORDER BY number LIMIT ?3"
                        : ROWS " WHERE number BETWEEN ?1 AND ?2 ORDER BY number DESC LIMIT ?3",
        &stmt, diag);
    if (err)
        return err;
    if (f->number)
        low = high = f->number;
    while (!err && more) {
        sqlite3_bind_int64(stmt, 1, low);
        sqlite3_bind_int64(stmt, 2, high);
        sqlite3_bind_int(stmt, 3, PAGE_ROWS);
        err = page_read(db, stmt, p, diag);
        if (!err)
            err = page_give(db, f, p, fn, arg, &more, diag);
        more = more && p->n == PAGE_ROWS;
        if (more && f->oldest_first)
            low = p->row[p->n - 1].number + 1;
        else if (more)
            high = p->row[p->n - 1].number - 1;
    }
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_audit_rows(struct sek_policydb *db, const struct sek_audit_filter *filter,
                            sek_audit_row_fn *fn, void *arg, struct sek_diag *diag)
{
    struct page *p = calloc(1, sizeof *p);
    if (!p)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek_buf_init(&p->texts, 0);
    enum sek_err err = pages(db, filter, p, fn, arg, diag);
    sek_buf_fini(&p->texts);
    free(p);
    return err;
}
