/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the trail are made here, and hashed. */
#include "base/utf8.h"
#include "store/audit_parts.h"
#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define HASHED_MAX (64U << 20) /* octets of one row: far beyond what a command line holds */
#define TEXT_OCTETS_MAX 32768  /* of one text in a row */
#define PRUNE_EVERY 64         /* rows: small ones need no look at the size after each */

const char sek__audit_genesis[SEK_AUDIT_HASH_MAX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* --- hashes ------------------------------------------------------------------------------------
 */

void sek__audit_hex(const uint8_t *octets, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[octets[i] >> 4];
        out[2 * i + 1] = digits[octets[i] & 15];
    }
    out[2 * n] = '\0';
}

static enum sek_err no_memory(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the audit trail");
}

/* Numbers come as SQLite writes them: in decimal. */
static void put_field(struct sek_buf *b, const void *data, size_t len)
{
    sek_buf_add_fmt(b, "%zu:", len);
    if (len)
        sek_buf_add(b, data, len);
    sek_buf_add_text(b, ",");
}

enum sek_err sek__audit_hash(sqlite3_stmt *stmt, char out[SEK_AUDIT_HASH_MAX],
                             struct sek_diag *diag)
{
    static const char heads[][16] = {"sekisho.audit/1", "sekisho.audit/2"};
    static const int order[] = {
        SEK_AUDIT_PREVIOUS, SEK_AUDIT_NUMBER,    SEK_AUDIT_TIME,    SEK_AUDIT_USER,
        SEK_AUDIT_UID,      SEK_AUDIT_ORIGIN,    SEK_AUDIT_COMMAND, SEK_AUDIT_VERB,
        SEK_AUDIT_OBJECT,   SEK_AUDIT_BEFORE,    SEK_AUDIT_AFTER,   SEK_AUDIT_REASON,
        SEK_AUDIT_UNDOES,   SEK_AUDIT_N_CHANGES, SEK_AUDIT_CHANGES, SEK_AUDIT_STATE};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct sek_buf b;
    sek_buf_init(&b, HASHED_MAX);
    bool has_state = sqlite3_column_bytes(stmt, SEK_AUDIT_STATE) > 0;
    put_field(&b, heads[has_state], strlen(heads[has_state]));
    for (size_t i = 0; i < sizeof order / sizeof *order - !has_state; i++) {
        const unsigned char *text = sqlite3_column_text(stmt, order[i]);
        put_field(&b, text, (size_t)sqlite3_column_bytes(stmt, order[i]));
    }
    bool done = !b.failed && EVP_Digest(b.data, b.len, digest, &n, EVP_sha256(), NULL);
    sek_buf_fini(&b);
    if (!done)
        return no_memory(diag);
    sek__audit_hex(digest, n, out);
    return SEK_OK;
}

enum sek_err sek__audit_state_text(const struct sek__rowsum *total, char out[SEK_AUDIT_HASH_MAX],
                                   struct sek_diag *diag)
{
    uint64_t words[1 + SEK_ROWSUM_WORDS] = {htobe64((uint64_t)total->n)};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    for (int i = 0; i < SEK_ROWSUM_WORDS; i++)
        words[1 + i] = htobe64(total->word[SEK_ROWSUM_WORDS - 1 - i]);
    if (!EVP_Digest(words, sizeof words, digest, &n, EVP_sha256(), NULL))
        return no_memory(diag);
    sek__audit_hex(digest, n, out);
    return SEK_OK;
}

/* --- data for undo -----------------------------------------------------------------------------
 */

/* The next part into `out`, and its number; NOTFOUND (without a diagnosis) behind the last. */
static enum sek_err next_part(struct sek_policydb *db, sqlite3_stmt *stmt, int64_t number,
                              int64_t *io_part, struct sek_buf *out, struct sek_diag *diag)
{
    sqlite3_bind_int64(stmt, 1, number);
    sqlite3_bind_int64(stmt, 2, *io_part);
    int rc = sqlite3_step(stmt);
    enum sek_err err = rc == SQLITE_ROW    ? SEK_OK
                       : rc == SQLITE_DONE ? SEK_E_NOTFOUND
                                           : sek__policydb_fail(db, rc, diag);
    if (!err) {
        sek_buf_reset(out);
        *io_part = sqlite3_column_int64(stmt, 0);
        const void *part = sqlite3_column_blob(stmt, 1);
        sek_buf_add(out, part ? part : "", (size_t)sqlite3_column_bytes(stmt, 1));
        err = out->failed ? no_memory(diag) : SEK_OK;
    }
    sqlite3_reset(stmt);
    return err;
}

/* No statement is open while fn has a part: it may print, and wait for its reader. */
enum sek_err sek__audit_parts(struct sek_policydb *db, int64_t number, bool backward,
                              sek__part_fn *fn, void *arg, unsigned *out_n, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    struct sek_buf part;
    int64_t at = backward ? INT64_MAX : INT64_MIN;
    enum sek_err err =
        sek_sql_prepare(db->db,
                        backward ? "SELECT part, data FROM main.audit_data WHERE audit = ?1 AND"
                                   " part < ?2 ORDER BY part DESC LIMIT 1"
                                 : "SELECT part, data FROM main.audit_data WHERE audit = ?1 AND"
                                   " part > ?2 ORDER BY part LIMIT 1",
                        &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&part, 0);
    *out_n = 0;
    while (!err && !(err = next_part(db, stmt, number, &at, &part, diag))) {
        ++*out_n;
        err = fn(arg, (const uint8_t *)part.data, part.len, diag);
    }
    sqlite3_finalize(stmt);
    sek_buf_fini(&part);
    return err == SEK_E_NOTFOUND ? SEK_OK : err;
}

static enum sek_err digest_part(void *arg, const uint8_t *part, size_t len, struct sek_diag *diag)
{
    uint8_t head[8];
    for (int i = 0; i < 8; i++)
        head[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    bool done =
        EVP_DigestUpdate(arg, head, sizeof head) && (!len || EVP_DigestUpdate(arg, part, len));
    return done ? SEK_OK : no_memory(diag);
}

enum sek_err sek__audit_digest(struct sek_policydb *db, int64_t number,
                               char out[SEK_AUDIT_HASH_MAX], unsigned *out_n, struct sek_diag *diag)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(context);
        return no_memory(diag);
    }
    enum sek_err err = sek__audit_parts(db, number, false, digest_part, context, out_n, diag);
    if (!err && !EVP_DigestFinal_ex(context, digest, &n))
        err = no_memory(diag);
    EVP_MD_CTX_free(context);
    if (!err)
        sek__audit_hex(digest, n, out);
    return err;
}

static enum sek_err parts_store(struct sek_policydb *db, int64_t number,
                                const struct sek__journal_sum *sum, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    size_t at = 0;
    enum sek_err err = sek_sql_prepare(
        db->db, "INSERT INTO main.audit_data (audit, part, data) VALUES (?1, ?2, ?3)", &stmt, diag);
    if (err)
        return err;
    for (size_t i = 0; !err && i < sum->n_parts; i++) {
        sqlite3_bind_int64(stmt, 1, number);
        sqlite3_bind_int64(stmt, 2, (int64_t)i);
        sqlite3_bind_blob(stmt, 3, sum->data + at, (int)(sum->part_end[i] - at), SQLITE_STATIC);
        err = sek__policydb_do(db, stmt, diag);
        at = sum->part_end[i];
    }
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err run_one(struct sek_policydb *db, const char *text, int64_t number,
                            struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, number);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* What goes is always the oldest: of two changes of an object, the later one's data is there as
 * long as the earlier one's. */
static enum sek_err prune(struct sek_policydb *db, int64_t before_ms, uint64_t octets,
                          struct sek_diag *diag)
{
    enum sek_err err = run_one(db,
                               "DELETE FROM main.audit_data WHERE audit <="
                               " (SELECT max(number) FROM main.audit WHERE time_ms < ?1)",
                               before_ms, diag);
    if (err)
        return err;
    return run_one(db,
                   "DELETE FROM main.audit_data WHERE audit <= (SELECT max(audit) FROM (SELECT"
                   " audit, sum(length(data)) OVER (ORDER BY audit DESC) AS octets"
                   " FROM main.audit_data) WHERE octets > ?1)",
                   octets > INT64_MAX ? INT64_MAX : (int64_t)octets, diag);
}

/* --- rows --------------------------------------------------------------------------------------
 */

enum sek_err sek_audit_begin(struct sek_policydb *db, uint64_t undo_octets, struct sek_diag *diag)
{
    if (db->journal)
        return SEK_OK;
    return sek__journal_new(db->db, undo_octets > SIZE_MAX / 4 ? SIZE_MAX / 4 : (size_t)undo_octets,
                            &db->journal, diag);
}

bool sek_audit_touched(const struct sek_policydb *db, const char *table)
{
    uint32_t changed = sek__journal_tables_changed(db->journal);
    for (const struct sek__journal_table *t = sek__journal_tables; t->name; t++)
        if (table && strcmp(t->name, table) == 0)
            return changed >> t->id & 1;
    return !table && changed;
}

/* Into text that any reader of JSON gets back as it was. What is longer than anybody reads ends in
 * "…"; whole characters stay. */
void sek__audit_clean(const char *text, struct sek_buf *out)
{
    sek_buf_reset(out);
    sek_buf_add_text(out, "");
    for (size_t n = text ? strlen(text) : 0, len; n; text += len, n -= len) {
        uint32_t c;
        if (out->len > TEXT_OCTETS_MAX) {
            sek_buf_add_text(out, "…");
            return;
        }
        len = sek_utf8_next(text, n, &c);
        if (len) {
            sek_buf_add(out, text, len);
        } else {
            len = 1;
            sek_buf_add_fmt(out, "\\x%02x", (unsigned char)*text);
        }
    }
}

/* The row's texts, by column. */
struct texts {
    struct sek_buf at[SEK_AUDIT_N_COLUMNS];
};

static void texts_fill(struct texts *t, const struct sek_audit_act *act)
{
    const char *const given[SEK_AUDIT_N_COLUMNS] = {
        [SEK_AUDIT_USER] = act->user,       [SEK_AUDIT_ORIGIN] = act->origin,
        [SEK_AUDIT_COMMAND] = act->command, [SEK_AUDIT_VERB] = act->verb,
        [SEK_AUDIT_OBJECT] = act->object,   [SEK_AUDIT_BEFORE] = act->before,
        [SEK_AUDIT_AFTER] = act->after,     [SEK_AUDIT_REASON] = act->reason};
    for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++)
        sek__audit_clean(given[i], &t->at[i]);
}

/* What the act does not say the changes tell. */
static enum sek_err texts_tell(struct texts *t, const struct sek__journal_sum *sum,
                               const struct sek_audit_act *act, struct sek_diag *diag)
{
    struct sek_buf told[3],
        *cells[3] = {&t->at[SEK_AUDIT_OBJECT], &t->at[SEK_AUDIT_BEFORE], &t->at[SEK_AUDIT_AFTER]};
    const char *const given[3] = {act->object, act->before, act->after};
    for (int i = 0; i < 3; i++)
        sek_buf_init(&told[i], 0);
    enum sek_err err = sum->n ? sek__audit_tell(sum, &told[0], &told[1], &told[2], diag) : SEK_OK;
    for (int i = 0; i < 3; i++) {
        if (!err && !given[i] && told[i].data)
            sek__audit_clean(told[i].data, cells[i]);
        sek_buf_fini(&told[i]);
    }
    return err;
}

static enum sek_err head_read(struct sek_policydb *db, int64_t *out_number,
                              char out_hash[SEK_AUDIT_HASH_MAX], struct sek_diag *diag)
{
    struct sek_audit_anchor head;
    enum sek_err err = sek_audit_head(db, &head, diag);
    if (err)
        return err;
    memcpy(out_hash, head.hash, SEK_AUDIT_HASH_MAX);
    /* what SQLite counted: rows that somebody cut off leave a gap in the numbers */
    int64_t last = 0;
    err = sek_sql_int(db->db, "SELECT seq FROM main.sqlite_sequence WHERE name = 'audit'", &last,
                      diag);
    if (err == SEK_E_NOTFOUND)
        err = SEK_OK;
    *out_number = last > head.number ? last : head.number;
    return err;
}

struct hashes {
    char changes[SEK_AUDIT_HASH_MAX], previous[SEK_AUDIT_HASH_MAX], hash[SEK_AUDIT_HASH_MAX],
        state[SEK_AUDIT_HASH_MAX];
};

static void bind_all(sqlite3_stmt *stmt, const struct texts *t, const int64_t *numbers,
                     const struct hashes *h)
{
    for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++) {
        const struct sek_buf *text = &t->at[i];
        sqlite3_bind_text(stmt, i + 1, text->data ? text->data : "", (int)text->len, SQLITE_STATIC);
    }
    sqlite3_bind_int64(stmt, 1 + SEK_AUDIT_NUMBER, numbers[0]);
    sqlite3_bind_int64(stmt, 1 + SEK_AUDIT_TIME, numbers[1]);
    sqlite3_bind_int64(stmt, 1 + SEK_AUDIT_UID, numbers[2]);
    sqlite3_bind_int64(stmt, 1 + SEK_AUDIT_UNDOES, numbers[3]);
    sqlite3_bind_int64(stmt, 1 + SEK_AUDIT_N_CHANGES, numbers[4]);
    sqlite3_bind_text(stmt, 1 + SEK_AUDIT_CHANGES, h->changes, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 1 + SEK_AUDIT_PREVIOUS, h->previous, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 1 + SEK_AUDIT_HASH, h->hash, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 1 + SEK_AUDIT_STATE, h->state, -1, SQLITE_STATIC);
}

#define PLACES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17"

/* Hashed as the columns of a query, as whoever verifies it does. */
static enum sek_err row_put(struct sek_policydb *db, const struct texts *t, const int64_t *numbers,
                            struct hashes *h, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++)
        if (t->at[i].failed)
            return no_memory(diag);
    enum sek_err err = sek_sql_prepare(db->db, "SELECT " PLACES, &stmt, diag);
    if (err)
        return err;
    bind_all(stmt, t, numbers, h);
    int rc = sqlite3_step(stmt);
    err =
        rc == SQLITE_ROW ? sek__audit_hash(stmt, h->hash, diag) : sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "INSERT INTO main.audit (" SEK_AUDIT_COLUMNS ") VALUES (" PLACES ")",
                              &stmt, diag);
    if (err)
        return err;
    bind_all(stmt, t, numbers, h);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* The sums of what the tables hold, kept up to date, and bound to the row. The first row that has
 * them takes the tables as they are. out is "" where nothing changed. */
static enum sek_err state_follow(struct sek_policydb *db, const struct sek__rowsums *by, bool as_is,
                                 char out[SEK_AUDIT_HASH_MAX], struct sek_diag *diag)
{
    char last[SEK_AUDIT_HASH_MAX];
    struct sek__rowsum total;
    int64_t number = 0;
    if (!as_is && (!by || by->n == 0))
        return SEK_OK;
    enum sek_err err = sek__audit_state_last(db, &number, last, diag);
    if (err)
        return err;
    if (number && !as_is) {
        err = sek__rowsums_advance(db->db, by, &total, diag);
        return err ? err : sek__audit_state_text(&total, out, diag);
    }
    struct sek__rowsums all;
    sek__rowsums_init(&all);
    err = sek__rowsums_scan(db->db, &all, diag);
    sek__rowsums_sort(&all);
    if (!err)
        err = sek__rowsums_replace(db->db, &all, diag);
    if (!err)
        err = sek__audit_state_text(&all.total, out, diag);
    sek__rowsums_fini(&all);
    return err;
}

static enum sek_err row_make(struct sek_policydb *db, const struct sek_audit_act *act,
                             const struct sek__journal_sum *sum, struct texts *t,
                             int64_t *out_number, struct sek_diag *diag)
{
    struct hashes h = {0};
    int64_t number = 0;
    texts_fill(t, act);
    enum sek_err err = texts_tell(t, sum, act, diag);
    if (!err)
        err = head_read(db, &number, h.previous, diag);
    if (!err)
        err = state_follow(db, sum->rows, act->as_is, h.state, diag);
    if (err)
        return err;
    number++;
    if (sum->n)
        sek__audit_hex(sum->digest, sizeof sum->digest, h.changes);
    err = row_put(db, t, (int64_t[]){number, act->time_ms, act->uid, act->undoes, (int64_t)sum->n},
                  &h, diag);
    if (!err && sum->n && sum->kept)
        err = parts_store(db, number, sum, diag);
    *out_number = number;
    return err;
}

enum sek_err sek_audit_add(struct sek_policydb *db, const struct sek_audit_act *act, int64_t keep_s,
                           uint64_t keep_octets, int64_t *out_number, struct sek_diag *diag)
{
    struct sek__journal_sum sum = {0};
    struct texts texts;
    int64_t number = 0;
    enum sek_err err = db->journal ? sek__journal_end(db->journal, &sum, diag) : SEK_OK;
    if (err)
        return err;
    if (sum.n || act->before || act->after) {
        for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++)
            sek_buf_init(&texts.at[i], 0);
        err = row_make(db, act, &sum, &texts, &number, diag);
        for (int i = 0; i < SEK_AUDIT_N_COLUMNS; i++)
            sek_buf_fini(&texts.at[i]);
    }
    if (!err && number && (number % PRUNE_EVERY == 0 || sum.n_parts > 1))
        err = prune(db, act->time_ms - keep_s * 1000, keep_octets, diag);
    if (err || number)
        sek__journal_reset(db->journal); /* housekeeping goes into the next row */
    if (!err && out_number)
        *out_number = number;
    return err;
}
