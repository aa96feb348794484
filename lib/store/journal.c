/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/journal.h"
#include "policy/groups.h"
#include "store/rowsums.h"
#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define LISTS_MAX 65536

/* A value kept from the image before. */
struct kept {
    struct sek__cell cell;
    uint8_t *room;
    uint32_t size;
};

struct sek_journal {
    sqlite3 *db;
    bool paused, failed, kept;
    size_t max_octets;
    struct sek_buf part; /* being filled */
    struct sek_buf data; /* parts that are complete */
    struct sek_buf ends; /* size_t each */
    EVP_MD_CTX *digest;
    uint64_t n, n_old, n_new;
    uint32_t tables;
    uint64_t lists[LISTS_MAX / 64]; /* whose entries changed, by id */
    uint64_t groups;                /* whose members changed: sek_group_bit */
    struct sek__rowsums rows;
    struct kept before[SEK_JOURNAL_TABLES][SEK_JOURNAL_COLUMNS];
};

/* --- packing -----------------------------------------------------------------------------------
 */

static void put_number(struct sek_buf *b, uint64_t n)
{
    uint8_t octets[10];
    size_t len = 0;
    for (; n >= 0x80; n >>= 7)
        octets[len++] = (uint8_t)(n | 0x80);
    octets[len++] = (uint8_t)n;
    sek_buf_add(b, octets, len);
}

static bool is_same(const struct sek__cell *a, const struct sek__cell *b)
{
    return a->type == b->type && a->n == b->n && a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void put_cell(struct sek_buf *b, const struct sek__cell *cell,
                     const struct sek__cell *before)
{
    uint32_t shared = 0;
    sek_buf_add(b, &cell->type, 1);
    if (cell->type == SEK_CELL_NULL)
        return;
    if (cell->type == SEK_CELL_INT) {
        put_number(b, (uint64_t)cell->n << 1 ^ (uint64_t)(cell->n >> 63));
        return;
    }
    while (shared < cell->len && shared < before->len && cell->data[shared] == before->data[shared])
        shared++;
    put_number(b, shared);
    put_number(b, cell->len - shared);
    sek_buf_add(b, cell->data + shared, cell->len - shared);
}

static void keep(struct sek_journal *j, struct kept *k, const struct sek__cell *cell)
{
    if (cell->len > k->size) {
        uint32_t size = cell->len < 64 ? 64 : cell->len * 2;
        uint8_t *room = realloc(k->room, size);
        if (!room) {
            j->failed = true;
            return;
        }
        k->room = room;
        k->size = size;
    }
    k->cell = *cell;
    k->cell.data = k->room;
    if (cell->len)
        memcpy(k->room, cell->data, cell->len);
}

static bool is_empty_text(const struct sek__cell *c)
{
    return c->type == SEK_CELL_TEXT && c->len == 0;
}

/* A bit a column: it is as in the image before and left out; for a late one: it is not left out. */
static void put_image(struct sek_journal *j, const struct sek__journal_table *t,
                      const struct sek__cell *row, unsigned n)
{
    struct kept *before = j->before[t->id];
    uint64_t bits = 0;
    for (unsigned i = 0; i < n; i++)
        if (sek__journal_is_late(t, i) ? !is_empty_text(&row[i])
                                       : is_same(&row[i], &before[i].cell))
            bits |= 1ULL << i;
    put_number(&j->part, bits);
    for (unsigned i = 0; i < n; i++)
        if ((bits >> i & 1) == sek__journal_is_late(t, i)) {
            put_cell(&j->part, &row[i], &before[i].cell);
            keep(j, &before[i], &row[i]);
        }
}

static void begin_part(struct sek_journal *j)
{
    sek_buf_reset(&j->part);
    for (int t = 0; t < SEK_JOURNAL_TABLES; t++)
        for (int i = 0; i < SEK_JOURNAL_COLUMNS; i++)
            j->before[t][i].cell = (struct sek__cell){0};
}

/* Digest what is complete, and keep it if there is room. The first part is kept in any case: it
 * tells what the change is about. */
static void end_part(struct sek_journal *j)
{
    uint64_t len = htobe64(j->part.len);
    if (j->part.len == 0)
        return;
    if (!EVP_DigestUpdate(j->digest, &len, sizeof len) ||
        !EVP_DigestUpdate(j->digest, j->part.data, j->part.len))
        j->failed = true;
    j->kept = j->kept && j->data.len + j->part.len <= j->max_octets;
    if (j->kept || j->ends.len == 0) {
        sek_buf_add(&j->data, j->part.data, j->part.len);
        sek_buf_add(&j->ends, &j->data.len, sizeof j->data.len);
    }
    j->failed |= j->part.failed || j->data.failed || j->ends.failed;
    begin_part(j);
}

static void put_head(struct sek_journal *j, uint8_t op, unsigned id)
{
    sek_buf_add(&j->part, &op, 1);
    put_number(&j->part, id);
}

/* Its name is to be told. */
static void list_note(struct sek_journal *j, int64_t id)
{
    if (id >= 0 && id < LISTS_MAX)
        j->lists[id / 64] |= 1ULL << (id % 64);
}

static void note(struct sek_journal *j, uint8_t op, const struct sek__journal_table *t,
                 const struct sek__cell *old, const struct sek__cell *fresh)
{
    unsigned n = sek__journal_n_columns(t);
    put_head(j, op, t->id);
    if (old)
        put_image(j, t, old, n);
    if (fresh)
        put_image(j, t, fresh, n);
    j->n++;
    j->n_old += old != NULL;
    j->n_new += fresh != NULL;
    j->tables |= 1U << t->id;
    const struct sek__cell *row = fresh ? fresh : old;
    if (t->id == SEK_JOURNAL_ENTRY || t->id == SEK_JOURNAL_FEED)
        list_note(j, row[0].n);
    else if (t->id == SEK_JOURNAL_GROUP)
        list_note(j, row[1].n);
    else if (t->id == SEK_JOURNAL_MEMBER && row[0].n > 0 && row[0].n <= SEK_GROUPS_MAX)
        j->groups |= sek_group_bit((unsigned)row[0].n);
    if (j->part.len >= SEK_JOURNAL_PART)
        end_part(j);
}

/* --- the triggers' function --------------------------------------------------------------------
 */

struct sek__cell sek__cell_of(sqlite3_value *v)
{
    struct sek__cell c = {0};
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        c.type = SEK_CELL_INT;
        c.n = sqlite3_value_int64(v);
        break;
    case SQLITE_TEXT:
        c.type = SEK_CELL_TEXT;
        c.data = sqlite3_value_text(v);
        c.len = (uint32_t)sqlite3_value_bytes(v);
        break;
    case SQLITE_BLOB:
        c.type = SEK_CELL_BLOB;
        c.data = sqlite3_value_blob(v);
        c.len = (uint32_t)sqlite3_value_bytes(v);
        break;
    default: /* NULL; no table has floats */
        break;
    }
    return c;
}

/* sek_journal('i' | 'd' | 'u', table, old and new values) */
static void on_change(sqlite3_context *context, int n_args, sqlite3_value **args)
{
    struct sek_journal *j = sqlite3_user_data(context);
    struct sek__cell cells[2 * SEK_JOURNAL_COLUMNS];
    const struct sek__journal_table *t = sek__journal_table((unsigned)sqlite3_value_int(args[1]));
    int op = sqlite3_value_int(args[0]), n = n_args - 2;
    if (!t || n > (int)(sizeof cells / sizeof *cells)) {
        j->failed = true;
        return;
    }
    for (int i = 0; i < n; i++)
        cells[i] = sek__cell_of(args[2 + i]);
    if (op != 'i')
        sek__rowsums_row(&j->rows, t, cells, true);
    if (op != 'd')
        sek__rowsums_row(&j->rows, t, op == 'u' ? cells + n / 2 : cells, false);
    if (j->paused)
        return;
    if (op == 'u')
        note(j, 'u', t, cells, cells + n / 2);
    else if (op == 'd')
        note(j, 'd', t, cells, NULL);
    else
        note(j, 'i', t, NULL, cells);
}

static void put_columns(struct sek_buf *b, const struct sek__journal_table *t, const char *before)
{
    for (unsigned i = 0; t->columns[i]; i++)
        sek_buf_add_fmt(b, ", %s%s", before, t->columns[i]);
}

/* One that is TEMP belongs to the connection: it may call the connection's functions, and who opens
 * the file by other means is not in its way. */
static void put_trigger(struct sek_buf *b, const struct sek__journal_table *t, const char *event,
                        char op)
{
    sek_buf_add_fmt(b, "CREATE TEMP TRIGGER sek_%s_%c AFTER %s", t->name, op, event);
    for (unsigned i = 0; op == 'u' && t->columns[i]; i++)
        sek_buf_add_fmt(b, "%s%s", i ? ", " : " OF ", t->columns[i]);
    sek_buf_add_fmt(b, " ON main.%s BEGIN SELECT sek_journal(%d, %u", t->name, op, t->id);
    if (op != 'i')
        put_columns(b, t, "OLD.");
    if (op != 'd')
        put_columns(b, t, "NEW.");
    sek_buf_add_text(b, "); END;\n");
}

static enum sek_err triggers_make(sqlite3 *db, struct sek_diag *diag)
{
    struct sek_buf b;
    enum sek_err err = SEK_OK;
    sek_buf_init(&b, 0);
    /* a row that another one replaces is deleted: only so its trigger is called */
    sek_buf_add_text(&b, "PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON;");
    for (const struct sek__journal_table *t = sek__journal_tables; t->name; t++) {
        put_trigger(&b, t, "INSERT", 'i');
        put_trigger(&b, t, "DELETE", 'd');
        put_trigger(&b, t, "UPDATE", 'u');
    }
    err = b.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                   : sek_sql_run(db, b.data, diag);
    sek_buf_fini(&b);
    return err;
}

/* --- statements --------------------------------------------------------------------------------
 */

static void put_key(struct sek_buf *b, const struct sek__journal_table *t)
{
    for (unsigned i = 0; i < t->n_key; i++)
        sek_buf_add_fmt(b, "%s %s = ?%u", i ? " AND" : " WHERE", t->columns[i], i + 1);
}

static void put_names(struct sek_buf *b, const struct sek__journal_table *t)
{
    for (unsigned i = 0; t->columns[i]; i++)
        sek_buf_add_fmt(b, "%s%s", i ? ", " : "", t->columns[i]);
}

static void put_upsert(struct sek_buf *b, const struct sek__journal_table *t)
{
    sek_buf_add_fmt(b, "INSERT INTO main.%s (", t->name);
    put_names(b, t);
    sek_buf_add_text(b, ") VALUES (");
    for (unsigned i = 0; t->columns[i]; i++)
        sek_buf_add_fmt(b, "%s?%u", i ? ", " : "", i + 1);
    sek_buf_add_text(b, ") ON CONFLICT (");
    for (unsigned i = 0; i < t->n_key; i++)
        sek_buf_add_fmt(b, "%s%s", i ? ", " : "", t->columns[i]);
    sek_buf_add_text(b, ") DO UPDATE SET ");
    for (unsigned i = t->n_key; t->columns[i]; i++)
        sek_buf_add_fmt(b, "%s%s = excluded.%s", i > t->n_key ? ", " : "", t->columns[i],
                        t->columns[i]);
}

void sek__journal_sql(const struct sek__journal_table *t, char kind, struct sek_buf *out)
{
    if (kind == 'p') {
        put_upsert(out, t);
        return;
    }
    sek_buf_add_text(out, kind == 'g' ? "SELECT " : "DELETE");
    if (kind == 'g')
        put_names(out, t);
    sek_buf_add_fmt(out, " FROM main.%s", t->name);
    put_key(out, t);
}

/* --- life --------------------------------------------------------------------------------------
 */

enum sek_err sek__journal_new(sqlite3 *db, size_t max_octets, struct sek_journal **out,
                              struct sek_diag *diag)
{
    struct sek_journal *j = calloc(1, sizeof *j);
    if (!j)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    j->db = db;
    j->max_octets = max_octets;
    sek_buf_init(&j->part, 0);
    sek_buf_init(&j->data, 0);
    sek_buf_init(&j->ends, 0);
    j->digest = EVP_MD_CTX_new();
    sek__rowsums_init(&j->rows);
    sek__journal_reset(j);
    int rc = sqlite3_create_function_v2(db, "sek_journal", -1, SQLITE_UTF8, j, on_change, NULL,
                                        NULL, NULL);
    enum sek_err err = !j->digest ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                       : rc != SQLITE_OK ? sek_sql_fail(db, rc, "policy.db", diag)
                                         : triggers_make(db, diag);
    if (err) {
        sek__journal_free(j);
        return err;
    }
    *out = j;
    return SEK_OK;
}

void sek__journal_free(struct sek_journal *j)
{
    if (!j)
        return;
    for (int t = 0; t < SEK_JOURNAL_TABLES; t++)
        for (int i = 0; i < SEK_JOURNAL_COLUMNS; i++)
            free(j->before[t][i].room);
    EVP_MD_CTX_free(j->digest);
    sek__rowsums_fini(&j->rows);
    sek_buf_fini(&j->part);
    sek_buf_fini(&j->data);
    sek_buf_fini(&j->ends);
    free(j);
}

void sek__journal_reset(struct sek_journal *j)
{
    if (!j)
        return;
    begin_part(j);
    sek_buf_reset(&j->data);
    sek_buf_reset(&j->ends);
    j->n = j->n_old = j->n_new = 0;
    j->tables = 0;
    memset(j->lists, 0, sizeof j->lists);
    j->groups = 0;
    sek__rowsums_reset(&j->rows);
    j->kept = true;
    j->paused = false;
    j->failed = !j->digest || !EVP_DigestInit_ex(j->digest, EVP_sha256(), NULL);
}

void sek__journal_pause(struct sek_journal *j, bool pause)
{
    if (j)
        j->paused = pause;
}

uint32_t sek__journal_tables_changed(const struct sek_journal *j)
{
    return j ? j->tables : 0;
}

/* Which list has the name of a group whose members changed. */
static enum sek_err groups_name(struct sek_journal *j, struct sek_diag *diag)
{
    struct sek__cell row[SEK_JOURNAL_COLUMNS] = {{.type = SEK_CELL_INT}, {.type = SEK_CELL_INT}};
    const struct sek__journal_table *t = sek__journal_table(SEK_JOURNAL_GROUP);
    sqlite3_stmt *stmt;
    if (!j->groups)
        return SEK_OK;
    enum sek_err err =
        sek_sql_prepare(j->db, "SELECT id, list FROM main.client_group", &stmt, diag);
    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        row[0].n = sqlite3_column_int64(stmt, 0);
        row[1].n = sqlite3_column_int64(stmt, 1);
        if (row[0].n <= 0 || row[0].n > SEK_GROUPS_MAX ||
            !(j->groups & sek_group_bit((unsigned)row[0].n)))
            continue;
        put_head(j, 'n', SEK_JOURNAL_GROUP);
        put_image(j, t, row, sek__journal_n_columns(t));
        list_note(j, row[1].n);
    }
    if (!err)
        sqlite3_finalize(stmt);
    j->groups = 0;
    return err;
}

/* What the lists are called whose entries or sources changed, for those who read it when they are
 * gone. One that goes with this very change has its own record. */
static enum sek_err lists_name(struct sek_journal *j, struct sek_diag *diag)
{
    struct sek__cell row[SEK_JOURNAL_COLUMNS] = {{.type = SEK_CELL_INT}, {.type = SEK_CELL_TEXT}};
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(j->db, "SELECT id, name FROM main.list WHERE id = ?1", &stmt, diag);
    for (int id = 0; !err && id < LISTS_MAX; id++) {
        if (!(j->lists[id / 64] >> (id % 64) & 1))
            continue;
        sqlite3_bind_int(stmt, 1, id);
        if (sqlite3_step(stmt) == SQLITE_ROW) {
            row[0].n = id;
            row[1].data = sqlite3_column_text(stmt, 1);
            row[1].len = (uint32_t)sqlite3_column_bytes(stmt, 1);
            put_head(j, 'n', SEK_JOURNAL_LIST);
            const struct sek__journal_table *t = sek__journal_table(SEK_JOURNAL_LIST);
            put_image(j, t, row, sek__journal_n_columns(t));
        }
        sqlite3_reset(stmt);
    }
    if (!err)
        sqlite3_finalize(stmt);
    memset(j->lists, 0, sizeof j->lists);
    return err;
}

enum sek_err sek__journal_end(struct sek_journal *j, struct sek__journal_sum *out,
                              struct sek_diag *diag)
{
    EVP_MD_CTX *copy = NULL;
    enum sek_err err = j->n ? groups_name(j, diag) : SEK_OK;
    if (!err && j->n)
        err = lists_name(j, diag);
    if (err)
        return err;
    end_part(j);
    *out = (struct sek__journal_sum){.n = j->n,
                                     .n_old = j->n_old,
                                     .n_new = j->n_new,
                                     .tables = j->tables,
                                     .kept = j->kept,
                                     .data = (const uint8_t *)j->data.data,
                                     .part_end = (const void *)j->ends.data,
                                     .n_parts = j->ends.len / sizeof(size_t),
                                     .rows = &j->rows};
    j->failed |= j->rows.failed;
    if (!j->failed && (copy = EVP_MD_CTX_new()))
        if (!EVP_MD_CTX_copy_ex(copy, j->digest) || !EVP_DigestFinal_ex(copy, out->digest, NULL))
            j->failed = true;
    if (!copy)
        j->failed = true;
    EVP_MD_CTX_free(copy);
    return j->failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the audit trail")
                     : SEK_OK;
}
