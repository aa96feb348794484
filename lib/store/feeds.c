/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/feeds.h"
#include "base/buf.h"
#include "base/lookup.h"
#include "store/packed.h"
#include "store/feeds_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_feed_kind_names[] = {{SEK_FEED_FILE, "file"},
                                                 {SEK_FEED_TRANSFER, "transfer"},
                                                 {SEK_FEED_COMMAND, "command"},
                                                 {SEK_FEED_INPUT, "input"},
                                                 {0, NULL}};
const struct sek_lookup sek_feed_expiry_names[] = {
    {SEK_FEED_KEEP, "keep"}, {SEK_FEED_OPEN, "open"}, {0, NULL}};
const struct sek_lookup sek_feed_outcome_names[] = {
    {SEK_FEED_NEVER, "never tried"},   {SEK_FEED_UPDATED, "updated"},
    {SEK_FEED_UNCHANGED, "unchanged"}, {SEK_FEED_FAILED, "failed"},
    {SEK_FEED_REFUSED, "refused"},     {0, NULL}};

#define COLUMNS                                                                                    \
    "f.kind, f.source, f.zone, f.tsig, f.user, f.format, f.refresh_s, f.retry_s, f.expire_s,"      \
    " f.on_expiry, f.timeout_s, f.max_octets, f.added_s, f.outcome, f.error, f.tried_s, f.good_s," \
    " f.changed_s, f.serial, f.n_octets, f.n_added, f.n_removed, f.took_ms, f.soa_refresh_s,"      \
    " f.soa_retry_s, f.soa_expire_s, f.mode_before, f.digest, l.name"

static enum sek_err row_read(struct sek_policydb *db, sqlite3_stmt *s, struct sek_feed_row *out,
                             struct sek_diag *diag)
{
    char name[SEK_LIST_NAME_MAX];
    int i = 0;
    memset(out, 0, sizeof *out);
    out->kind = (enum sek_feed_kind)sqlite3_column_int(s, i++);
    sek__policydb_text(s, i++, out->source, sizeof out->source);
    sek__policydb_text(s, i++, out->zone, sizeof out->zone);
    sek__policydb_text(s, i++, out->tsig, sizeof out->tsig);
    sek__policydb_text(s, i++, out->user, sizeof out->user);
    out->format = sqlite3_column_int(s, i++);
    out->refresh_s = sqlite3_column_int64(s, i++);
    out->retry_s = sqlite3_column_int64(s, i++);
    out->expire_s = sqlite3_column_int64(s, i++);
    out->on_expiry = sqlite3_column_int(s, i++);
    out->timeout_s = sqlite3_column_int64(s, i++);
    out->max_octets = (uint64_t)sqlite3_column_int64(s, i++);
    out->added_s = sqlite3_column_int64(s, i++);
    out->outcome = sqlite3_column_int(s, i++);
    sek__policydb_text(s, i++, out->error, sizeof out->error);
    out->tried_s = sqlite3_column_int64(s, i++);
    out->good_s = sqlite3_column_int64(s, i++);
    out->changed_s = sqlite3_column_int64(s, i++);
    out->serial = sqlite3_column_int64(s, i++);
    out->n_octets = (uint64_t)sqlite3_column_int64(s, i++);
    out->n_added = (uint64_t)sqlite3_column_int64(s, i++);
    out->n_removed = (uint64_t)sqlite3_column_int64(s, i++);
    out->took_ms = (uint64_t)sqlite3_column_int64(s, i++);
    out->soa_refresh_s = sqlite3_column_int64(s, i++);
    out->soa_retry_s = sqlite3_column_int64(s, i++);
    out->soa_expire_s = sqlite3_column_int64(s, i++);
    out->mode_before = sqlite3_column_int(s, i++);
    if (sqlite3_column_bytes(s, i) == (int)sizeof out->digest)
        memcpy(out->digest, sqlite3_column_blob(s, i), sizeof out->digest);
    sek__policydb_text(s, i + 1, name, sizeof name);
    return sek_policydb_list_get(db, name, &out->list, diag);
}

/* Run a statement of one feed, and end it. */
static enum sek_err run(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    enum sek_err err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    if (!err && sqlite3_changes64(db->db) == 0)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such feed");
    return err;
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

/* ?1 to ?13 of a statement. */
static void bind_settings(sqlite3_stmt *s, const struct sek_feed_row *row)
{
    sqlite3_bind_int(s, 1, row->list.list.id);
    sqlite3_bind_int(s, 2, (int)row->kind);
    bind_text(s, 3, row->source);
    bind_text(s, 4, row->zone);
    bind_text(s, 5, row->tsig);
    bind_text(s, 6, row->user);
    sqlite3_bind_int(s, 7, row->format);
    sqlite3_bind_int64(s, 8, row->refresh_s);
    sqlite3_bind_int64(s, 9, row->retry_s);
    sqlite3_bind_int64(s, 10, row->expire_s);
    sqlite3_bind_int(s, 11, row->on_expiry);
    sqlite3_bind_int64(s, 12, row->timeout_s);
    sqlite3_bind_int64(s, 13, (int64_t)row->max_octets);
}

enum sek_err sek_feed_add(struct sek_policydb *db, const struct sek_feed_row *row,
                          struct sek_diag *diag)
{
    sqlite3_stmt *s;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "INSERT INTO feed (list, kind, source, zone, tsig, user, format, refresh_s, retry_s,"
        " expire_s, on_expiry, timeout_s, max_octets, added_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
        " ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        &s, diag);
    if (err)
        return err;
    bind_settings(s, row);
    sqlite3_bind_int64(s, 14, row->added_s);
    err = run(db, s, diag);
    if (err == SEK_E_EXISTS)
        sek_diag_set(diag, err, "list %s is a feed already; sekisho feed set changes it",
                     row->list.list.name);
    return err;
}

enum sek_err sek_feed_get(struct sek_policydb *db, const char *name, struct sek_feed_row *out,
                          struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT " COLUMNS " FROM feed f JOIN list l ON l.id = f.list WHERE l.name = ?1",
        &stmt, diag);
    if (err)
        return err;
    bind_text(stmt, 1, name);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        err = row_read(db, stmt, out, diag);
    else
        err = rc == SQLITE_DONE ? sek_diag_set(diag, SEK_E_NOTFOUND, "there is no such feed")
                                : sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

bool sek_feed_is_elsewhere(const struct sek_feed_row *a, const struct sek_feed_row *b)
{
    return a->kind != b->kind || strcmp(a->source, b->source) != 0 || strcmp(a->zone, b->zone) != 0;
}

/* A statement about one feed, whose ?1 is its list and ?2 a time. */
static enum sek_err run_of(struct sek_policydb *db, const char *sql, uint16_t list, int64_t now_s,
                           struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, sql, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    sqlite3_bind_int64(stmt, 2, now_s);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* As one never tried, added at that time. */
#define UNTRIED(now_s)                                                                             \
    "added_s = " now_s ", outcome = 0, error = '', tried_s = 0, good_s = 0, changed_s = 0,"        \
    " serial = -1, n_octets = 0, n_added = 0, n_removed = 0, took_ms = 0, soa_refresh_s = 0,"      \
    " soa_retry_s = 0, soa_expire_s = 0, digest = x''"

static enum sek_err zone_forget(struct sek_policydb *db, uint16_t list, struct sek_diag *diag)
{
    return run_of(db, "DELETE FROM feed_zone WHERE list = ?1 AND ?2", list, 1, diag);
}

enum sek_err sek__feed_moved(struct sek_policydb *db, uint16_t list, int64_t now_s,
                             struct sek_diag *diag)
{
    enum sek_err err =
        run_of(db, "UPDATE feed SET " UNTRIED("?2") " WHERE list = ?1", list, now_s, diag);
    return err ? err : zone_forget(db, list, diag);
}

enum sek_err sek__feed_reread(struct sek_policydb *db, uint16_t list, struct sek_diag *diag)
{
    return run_of(db, "UPDATE feed SET digest = x'' WHERE list = ?1 AND ?2", list, 1, diag);
}

#define SETTINGS                                                                                   \
    "kind = ?2, source = ?3, zone = ?4, tsig = ?5, user = ?6, format = ?7, refresh_s = ?8,"        \
    " retry_s = ?9, expire_s = ?10, on_expiry = ?11, timeout_s = ?12, max_octets = ?13"

/* In one statement: the trail tells each change of a row by itself. */
static enum sek_err settings_put(struct sek_policydb *db, const struct sek_feed_row *row,
                                 bool moved, int64_t now_s, struct sek_diag *diag)
{
    sqlite3_stmt *s;
    enum sek_err err =
        sek_sql_prepare(db->db,
                        moved ? "UPDATE feed SET " SETTINGS ", " UNTRIED("?14") " WHERE list = ?1"
                              : "UPDATE feed SET " SETTINGS " WHERE list = ?1",
                        &s, diag);
    if (err)
        return err;
    bind_settings(s, row);
    if (moved)
        sqlite3_bind_int64(s, 14, now_s);
    return run(db, s, diag);
}

enum sek_err sek_feed_set(struct sek_policydb *db, const struct sek_feed_row *row, int64_t now_s,
                          struct sek_diag *diag)
{
    struct sek_feed_row *old = malloc(sizeof *old);
    if (!old)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = sek_feed_get(db, row->list.list.name, old, diag);
    bool moved = !err && sek_feed_is_elsewhere(old, row);
    if (!err)
        err = settings_put(db, row, moved, now_s, diag);
    if (!err && moved)
        err = zone_forget(db, row->list.list.id, diag);
    else if (!err && old->format != row->format)
        err = sek__feed_reread(db, row->list.list.id, diag);
    free(old);
    return err;
}

enum sek_err sek_feed_remove(struct sek_policydb *db, uint16_t list, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, "DELETE FROM feed WHERE list = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    return run(db, stmt, diag);
}

enum sek_err sek_feed_note(struct sek_policydb *db, const struct sek_feed_row *row,
                           struct sek_diag *diag)
{
    sqlite3_stmt *s;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "UPDATE feed SET outcome = ?2, error = ?3, tried_s = ?4, good_s = ?5, changed_s = ?6,"
        " serial = ?7, n_octets = ?8, n_added = ?9, n_removed = ?10, took_ms = ?11,"
        " soa_refresh_s = ?12, soa_retry_s = ?13, soa_expire_s = ?14, mode_before = ?15,"
        " digest = ?16 WHERE list = ?1",
        &s, diag);
    if (err)
        return err;
    sqlite3_bind_int(s, 1, row->list.list.id);
    sqlite3_bind_int(s, 2, row->outcome);
    bind_text(s, 3, row->error);
    sqlite3_bind_int64(s, 4, row->tried_s);
    sqlite3_bind_int64(s, 5, row->good_s);
    sqlite3_bind_int64(s, 6, row->changed_s);
    sqlite3_bind_int64(s, 7, row->serial);
    sqlite3_bind_int64(s, 8, (int64_t)row->n_octets);
    sqlite3_bind_int64(s, 9, (int64_t)row->n_added);
    sqlite3_bind_int64(s, 10, (int64_t)row->n_removed);
    sqlite3_bind_int64(s, 11, (int64_t)row->took_ms);
    sqlite3_bind_int64(s, 12, row->soa_refresh_s);
    sqlite3_bind_int64(s, 13, row->soa_retry_s);
    sqlite3_bind_int64(s, 14, row->soa_expire_s);
    sqlite3_bind_int(s, 15, row->mode_before);
    sqlite3_bind_blob(s, 16, row->digest, sizeof row->digest, SQLITE_STATIC);
    return run(db, s, diag);
}

/* All of them are read first: see sek_policydb_entries. */
enum sek_err sek_feeds(struct sek_policydb *db, sek_feed_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    struct sek_buf rows;
    int rc = SQLITE_DONE;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT " COLUMNS " FROM feed f JOIN list l ON l.id = f.list ORDER BY l.name",
        &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&rows, 0);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_feed_row *row = sek_buf_grow(&rows, sizeof *row);
        err = row ? row_read(db, stmt, row, diag)
                  : sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    if (!err && rc != SQLITE_DONE)
        err = sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    const struct sek_feed_row *row = (const void *)rows.data;
    for (size_t n = err ? 0 : rows.len / sizeof *row; n && fn(arg, row); n--)
        row++;
    sek_buf_fini(&rows);
    return err;
}

/* Zones */

static enum sek_err add_piece(void *arg, const char *data, size_t n, struct sek_diag *diag)
{
    struct sek_buf *out = arg;
    sek_buf_add(out, data, n);
    return out->failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory for a zone") : SEK_OK;
}

enum sek_err sek_feed_zone_get(struct sek_policydb *db, uint16_t list, struct sek_buf *out,
                               struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db, "SELECT records FROM feed_zone WHERE list = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, list);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        err = sek_packed_read(sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0),
                              add_piece, out, diag);
    else
        err = rc == SQLITE_DONE ? sek_diag_set(diag, SEK_E_NOTFOUND, "no zone is kept")
                                : sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_feed_zone_put(struct sek_policydb *db, uint16_t list, const char *text, size_t n,
                               struct sek_diag *diag)
{
    struct sek_packed *p = NULL;
    const void *octets;
    size_t n_octets;
    sqlite3_stmt *stmt;
    if (sek_packed_new(&p))
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    sek_packed_add(p, text, n);
    enum sek_err err = sek_packed_end(p, &octets, &n_octets, diag);
    if (!err)
        err = sek_sql_prepare(db->db,
                              "INSERT OR REPLACE INTO feed_zone (list, records) VALUES (?1, ?2)",
                              &stmt, diag);
    if (!err) {
        sqlite3_bind_int(stmt, 1, list);
        sqlite3_bind_blob64(stmt, 2, octets, n_octets, SQLITE_STATIC);
        err = run(db, stmt, diag);
    }
    sek_packed_free(p);
    return err;
}

/* Times */

static int64_t time_of(int64_t own, int64_t zone, int64_t fallback)
{
    if (own > 0)
        return own;
    if (zone <= 0)
        return fallback;
    if (zone < SEK_FEED_SOA_MIN_S)
        return SEK_FEED_SOA_MIN_S;
    return zone < SEK_FEED_SOA_MAX_S ? zone : SEK_FEED_SOA_MAX_S;
}

int64_t sek_feed_refresh_s(const struct sek_feed_row *row)
{
    return time_of(row->refresh_s, row->soa_refresh_s, SEK_FEED_REFRESH_S);
}

int64_t sek_feed_retry_s(const struct sek_feed_row *row)
{
    int64_t refresh_s = sek_feed_refresh_s(row);
    return time_of(row->retry_s, row->soa_retry_s,
                   refresh_s < SEK_FEED_RETRY_S ? refresh_s : SEK_FEED_RETRY_S);
}

int64_t sek_feed_expire_s(const struct sek_feed_row *row)
{
    return time_of(row->expire_s, row->soa_expire_s, SEK_FEED_EXPIRE_S);
}

int64_t sek_feed_due_s(const struct sek_feed_row *row, int64_t now_s)
{
    if (row->kind == SEK_FEED_INPUT)
        return INT64_MAX;
    if (row->outcome == SEK_FEED_NEVER || row->tried_s > now_s)
        return 0;
    bool good = row->outcome == SEK_FEED_UPDATED || row->outcome == SEK_FEED_UNCHANGED;
    return row->tried_s + (good ? sek_feed_refresh_s(row) : sek_feed_retry_s(row));
}

int64_t sek_feed_expires_s(const struct sek_feed_row *row)
{
    return (row->good_s ? row->good_s : row->added_s) + sek_feed_expire_s(row);
}
