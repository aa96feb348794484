/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/rowsums.h"
#include <endian.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

void sek__rowsums_init(struct sek__rowsums *s)
{
    *s = (struct sek__rowsums){.digest = EVP_MD_CTX_new()};
    sek_buf_init(&s->row, 0);
    s->failed = !s->digest || !EVP_DigestInit_ex(s->digest, EVP_sha512(), NULL);
}

void sek__rowsums_fini(struct sek__rowsums *s)
{
    EVP_MD_CTX_free(s->digest);
    free(s->all);
    sek_buf_fini(&s->row);
    *s = (struct sek__rowsums){0};
}

void sek__rowsums_reset(struct sek__rowsums *s)
{
    s->n = 0;
    s->total = (struct sek__rowsum){0};
    s->failed = !s->digest;
}

/* --- sums --------------------------------------------------------------------------------------
 */

void sek__rowsum_add(struct sek__rowsum *to, const struct sek__rowsum *other, bool subtract)
{
    uint64_t carry = subtract; /* a - b is a + ~b + 1 */
    to->n += subtract ? -other->n : other->n;
    for (int i = 0; i < SEK_ROWSUM_WORDS; i++) {
        uint64_t b = subtract ? ~other->word[i] : other->word[i];
        uint64_t sum = to->word[i] + b, with = sum + carry;
        carry = (sum < b) | (with < sum);
        to->word[i] = with;
    }
}

bool sek__rowsum_equal(const struct sek__rowsum *a, const struct sek__rowsum *b)
{
    return a->n == b->n && memcmp(a->word, b->word, sizeof a->word) == 0;
}

/* Rows come part by part mostly: the last one is looked at first. */
static struct sek__rowsum *part_get(struct sek__rowsums *s, unsigned table, int64_t part)
{
    for (size_t i = s->n; i > 0; i--)
        if (s->all[i - 1].table == table && s->all[i - 1].part == part)
            return &s->all[i - 1].sum;
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct sek__rowsum_part *all = reallocarray(s->all, room, sizeof *all);
        if (!all)
            return NULL;
        s->all = all;
        s->room = room;
    }
    s->all[s->n] = (struct sek__rowsum_part){.table = table, .part = part};
    return &s->all[s->n++].sum;
}

/* --- rows --------------------------------------------------------------------------------------
 */

int64_t sek__rowsum_part_of(const struct sek__cell *row)
{
    return row[0].type == SEK_CELL_INT ? row[0].n : 0;
}

static void put_row(struct sek_buf *b, const struct sek__journal_table *t,
                    const struct sek__cell *row)
{
    uint8_t id = (uint8_t)t->id;
    sek_buf_reset(b);
    sek_buf_add(b, &id, 1);
    for (unsigned i = 0; t->columns[i]; i++) {
        const struct sek__cell *c = &row[i];
        if (sek__journal_is_late(t, i) && c->type == SEK_CELL_TEXT && c->len == 0)
            continue;
        uint8_t head[2] = {(uint8_t)i, c->type};
        uint64_t n = htobe64((uint64_t)c->n);
        uint32_t len = htobe32(c->len);
        sek_buf_add(b, head, sizeof head);
        if (c->type == SEK_CELL_INT)
            sek_buf_add(b, &n, sizeof n);
        else
            sek_buf_add(b, &len, sizeof len);
        if (c->len)
            sek_buf_add(b, c->data, c->len);
    }
}

void sek__rowsums_row(struct sek__rowsums *s, const struct sek__journal_table *t,
                      const struct sek__cell *row, bool removed)
{
    uint64_t digest[EVP_MAX_MD_SIZE / sizeof(uint64_t)];
    struct sek__rowsum one = {.n = 1};
    struct sek__rowsum *part = part_get(s, t->id, sek__rowsum_part_of(row));
    put_row(&s->row, t, row);
    if (!part || s->failed || s->row.failed || !EVP_DigestInit_ex(s->digest, NULL, NULL) ||
        !EVP_DigestUpdate(s->digest, s->row.data, s->row.len) ||
        !EVP_DigestFinal_ex(s->digest, (unsigned char *)digest, NULL)) {
        s->failed = true;
        return;
    }
    for (int i = 0; i < SEK_ROWSUM_WORDS; i++)
        one.word[i] = be64toh(digest[SEK_ROWSUM_WORDS - 1 - i]);
    sek__rowsum_add(part, &one, removed);
    sek__rowsum_add(&s->total, &one, removed);
}

static enum sek_err scan_table(sqlite3 *db, const struct sek__journal_table *t,
                               struct sek__rowsums *s, struct sek_diag *diag)
{
    struct sek__cell row[SEK_JOURNAL_COLUMNS];
    struct sek_buf sql;
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_DONE;
    sek_buf_init(&sql, 0);
    for (unsigned i = 0; t->columns[i]; i++)
        sek_buf_add_fmt(&sql, "%s%s", i ? ", " : "SELECT ", t->columns[i]);
    sek_buf_add_fmt(&sql, " FROM main.%s ORDER BY %s", t->name, t->columns[0]);
    enum sek_err err = sql.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                                  : sek_sql_prepare(db, sql.data, &stmt, diag);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (unsigned i = 0; t->columns[i]; i++)
            row[i] = sek__cell_of(sqlite3_column_value(stmt, (int)i));
        sek__rowsums_row(s, t, row, false);
    }
    if (!err && rc != SQLITE_DONE)
        err = sek_sql_fail(db, rc, NULL, diag);
    sqlite3_finalize(stmt);
    sek_buf_fini(&sql);
    return err;
}

enum sek_err sek__rowsums_scan(sqlite3 *db, struct sek__rowsums *s, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (const struct sek__journal_table *t = sek__journal_tables; !err && t->name; t++)
        err = scan_table(db, t, s, diag);
    if (!err && s->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return err;
}

static int compare(const void *a, const void *b)
{
    const struct sek__rowsum_part *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

void sek__rowsums_sort(struct sek__rowsums *s)
{
    static const struct sek__rowsum none;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!sek__rowsum_equal(&s->all[i].sum, &none))
            s->all[n++] = s->all[i];
    s->n = n;
    if (n)
        qsort(s->all, n, sizeof *s->all, compare);
}

/* --- kept --------------------------------------------------------------------------------------
 */

/* Somebody may have put anything there: what is none counts as 0. */
static struct sek__rowsum sum_read(sqlite3_stmt *stmt, int column)
{
    struct sek__rowsum sum = {.n = sqlite3_column_int64(stmt, column)};
    if (sqlite3_column_bytes(stmt, column + 1) == sizeof sum.word)
        memcpy(sum.word, sqlite3_column_blob(stmt, column + 1), sizeof sum.word);
    for (int i = 0; i < SEK_ROWSUM_WORDS; i++)
        sum.word[i] = le64toh(sum.word[i]);
    return sum;
}

enum sek_err sek__rowsums_load(sqlite3 *db, struct sek__rowsums *s, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    int rc;
    enum sek_err err = sek_sql_prepare(
        db, "SELECT tbl, part, n, sum FROM main.audit_sum WHERE tbl <> 0 OR part = 0", &stmt, diag);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        unsigned table = (unsigned)sqlite3_column_int(stmt, 0);
        struct sek__rowsum *to =
            table ? part_get(s, table, sqlite3_column_int64(stmt, 1)) : &s->total;
        if (to)
            *to = sum_read(stmt, 2);
        else
            s->failed = true;
    }
    if (rc != SQLITE_DONE)
        err = sek_sql_fail(db, rc, NULL, diag);
    else if (s->failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sqlite3_finalize(stmt);
    sek__rowsums_sort(s);
    return err;
}

struct keeping {
    sqlite3 *db;
    sqlite3_stmt *get, *put;
    struct sek_diag *diag;
};

static enum sek_err keep(struct keeping *k, unsigned table, int64_t part,
                         const struct sek__rowsum *sum)
{
    uint64_t words[SEK_ROWSUM_WORDS];
    for (int i = 0; i < SEK_ROWSUM_WORDS; i++)
        words[i] = htole64(sum->word[i]);
    sqlite3_bind_int64(k->put, 1, table);
    sqlite3_bind_int64(k->put, 2, part);
    sqlite3_bind_int64(k->put, 3, sum->n);
    sqlite3_bind_blob(k->put, 4, words, sizeof words, SQLITE_TRANSIENT);
    int rc = sqlite3_step(k->put);
    sqlite3_reset(k->put);
    return rc == SQLITE_DONE ? SEK_OK : sek_sql_fail(k->db, rc, NULL, k->diag);
}

static enum sek_err advance(struct keeping *k, unsigned table, int64_t part,
                            const struct sek__rowsum *by, struct sek__rowsum *out)
{
    *out = (struct sek__rowsum){0};
    sqlite3_bind_int64(k->get, 1, table);
    sqlite3_bind_int64(k->get, 2, part);
    int rc = sqlite3_step(k->get);
    if (rc == SQLITE_ROW)
        *out = sum_read(k->get, 0);
    sqlite3_reset(k->get);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sek_sql_fail(k->db, rc, NULL, k->diag);
    sek__rowsum_add(out, by, false);
    return keep(k, table, part, out);
}

static enum sek_err keeping_begin(struct keeping *k, sqlite3 *db, struct sek_diag *diag)
{
    *k = (struct keeping){.db = db, .diag = diag};
    enum sek_err err = sek_sql_prepare(
        db, "SELECT n, sum FROM main.audit_sum WHERE tbl = ?1 AND part = ?2", &k->get, diag);
    return err ? err
               : sek_sql_prepare(db,
                                 "INSERT OR REPLACE INTO main.audit_sum (tbl, part, n, sum)"
                                 " VALUES (?1, ?2, ?3, ?4)",
                                 &k->put, diag);
}

static void keeping_end(struct keeping *k)
{
    sqlite3_finalize(k->get);
    sqlite3_finalize(k->put);
}

enum sek_err sek__rowsums_replace(sqlite3 *db, const struct sek__rowsums *s, struct sek_diag *diag)
{
    struct keeping k;
    enum sek_err err = keeping_begin(&k, db, diag);
    if (!err)
        err = sek_sql_run(db, "DELETE FROM main.audit_sum", diag);
    for (size_t i = 0; !err && i < s->n; i++)
        err = keep(&k, s->all[i].table, s->all[i].part, &s->all[i].sum);
    if (!err)
        err = keep(&k, 0, 0, &s->total);
    keeping_end(&k);
    return err;
}

enum sek_err sek__rowsums_advance(sqlite3 *db, const struct sek__rowsums *s,
                                  struct sek__rowsum *out_total, struct sek_diag *diag)
{
    struct keeping k;
    struct sek__rowsum part;
    enum sek_err err = keeping_begin(&k, db, diag);
    for (size_t i = 0; !err && i < s->n; i++)
        err = advance(&k, s->all[i].table, s->all[i].part, &s->all[i].sum, &part);
    if (!err)
        err = advance(&k, 0, 0, &s->total, out_total);
    keeping_end(&k);
    return err;
}
