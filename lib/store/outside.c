/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/outside.h"
#include "store/sql.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define CACHE_KIB "65536" /* memory; the rest lies on disk */

static const char schema[] =
    "PRAGMA cache_size = -" CACHE_KIB ";"
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
    "CREATE TABLE conn(id INTEGER PRIMARY KEY, endpoint BLOB NOT NULL, first_ms INTEGER NOT NULL,"
    " minute INTEGER NOT NULL, address BLOB, name TEXT NOT NULL, port INTEGER NOT NULL,"
    " action TEXT NOT NULL, outcome INTEGER NOT NULL, last_ms INTEGER NOT NULL, n INTEGER NOT NULL,"
    " verdict INTEGER NOT NULL DEFAULT 0, follows INTEGER NOT NULL DEFAULT 0,"
    " domain TEXT NOT NULL DEFAULT '');"
    "CREATE UNIQUE INDEX conn_key ON conn(endpoint, minute, coalesce(address, x''), name, port,"
    " outcome);"
    "CREATE TABLE hit(id INTEGER PRIMARY KEY, endpoint BLOB NOT NULL, first_ms INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, domain TEXT NOT NULL,"
    " list TEXT NOT NULL, action INTEGER NOT NULL, monitor INTEGER NOT NULL,"
    " decision INTEGER NOT NULL, came INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX hit_order ON hit(endpoint, first_ms);";

#define HIT_COLUMNS                                                                                \
    "id, endpoint, first_ms, last_ms, n, name, domain, list, action, monitor, decision, came"
#define CONN_COLUMNS                                                                               \
    "id, endpoint, first_ms, last_ms, n, name, domain, action, address, port, verdict, follows, "  \
    "outcome"

/* THE statements. */
#define STATEMENTS(X)                                                                              \
    X(ADD_CONN,                                                                                    \
      "INSERT INTO conn(endpoint, first_ms, minute, address, name, port, action, last_ms, n,"      \
      " outcome) VALUES (?1, ?2, ?2 / 60000, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"                          \
      " ON CONFLICT DO UPDATE SET n = n + excluded.n,"                                             \
      " first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)")    \
    X(ADD_HIT,                                                                                     \
      "INSERT INTO hit(endpoint, first_ms, last_ms, n, name, domain, list, action, monitor,"       \
      " decision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")                               \
    X(HAS, "SELECT EXISTS(SELECT 1 FROM conn WHERE endpoint = ?1)")                                \
    X(HITS, "SELECT " HIT_COLUMNS " FROM hit ORDER BY endpoint, first_ms")                         \
    X(AFTER,                                                                                       \
      "SELECT " CONN_COLUMNS " FROM conn WHERE endpoint = ?1 AND minute >= ?2 / 60000"             \
      " AND minute <= ?3 / 60000 AND first_ms <= ?3 AND last_ms >= ?2 ORDER BY first_ms, id")      \
    X(OPEN, "SELECT " CONN_COLUMNS " FROM conn WHERE verdict = 0")                                 \
    X(SET_AS, "UPDATE conn SET verdict = ?2, domain = ?3 WHERE id = ?1")                           \
    X(SET_CAME, "UPDATE hit SET came = ?2 WHERE id = ?1")                                          \
    X(SET_FOLLOWS, "UPDATE conn SET follows = ?2 WHERE id = ?1 AND follows = 0")                   \
    X(LINES, "SELECT 0 AS kind, " HIT_COLUMNS ", 0 FROM hit UNION ALL"                             \
             " SELECT 1, " CONN_COLUMNS " FROM conn"                                               \
             " WHERE ?1 OR follows <> 0 OR verdict IN (2, 3, 7, 8)"                                \
             " ORDER BY 3, 4, 1, 2")                                                               \
    X(SUMS, "SELECT endpoint, 0, came, sum(n) FROM hit GROUP BY endpoint, came UNION ALL"          \
            " SELECT endpoint, 1, verdict, sum(n) FROM conn WHERE verdict <> 9 GROUP BY "          \
            "endpoint, verdict ORDER BY "                                                          \
            "1, 2, 3")
enum statement {
#define X(id, text) S_##id,
    STATEMENTS(X)
#undef X
        N_STATEMENTS
};
static const char *const texts[] = {
#define X(id, text) [S_##id] = text,
    STATEMENTS(X)
#undef X
};

struct sek_outside {
    sqlite3 *db;
    sqlite3_stmt *stmt[N_STATEMENTS];
};

static enum sek_err fail(struct sek_outside *o, int rc, struct sek_diag *diag)
{
    return sek_sql_fail(o->db, rc, "work with outside logs", diag);
}

enum sek_err sek_outside_open(struct sek_outside **out, struct sek_diag *diag)
{
    struct sek_outside *o = calloc(1, sizeof *o);
    if (!o)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    int rc = sqlite3_open_v2("", &o->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    enum sek_err err = rc == SQLITE_OK ? sek_sql_run(o->db, schema, diag) : fail(o, rc, diag);
    if (!err)
        err = sek_sql_run(o->db, "BEGIN", diag);
    for (int i = 0; i < N_STATEMENTS && !err; i++)
        err = sek_sql_prepare(o->db, texts[i], &o->stmt[i], diag);
    if (err) {
        sek_outside_close(o);
        return err;
    }
    *out = o;
    return SEK_OK;
}

void sek_outside_close(struct sek_outside *o)
{
    if (!o)
        return;
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(o->stmt[i]);
    sqlite3_close(o->db);
    free(o);
}

static void bind_addr(sqlite3_stmt *stmt, int at, const struct sek_addr *a)
{
    sqlite3_bind_blob(stmt, at, a->octets, sizeof a->octets, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text ? text : "", -1, SQLITE_STATIC);
}

/* Of a statement without rows. */
static enum sek_err run(struct sek_outside *o, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? SEK_OK : fail(o, rc, diag);
}

enum sek_err sek_outside_add_conn(struct sek_outside *o, const struct sek_outside_conn *c,
                                  struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_ADD_CONN];
    bind_addr(stmt, 1, &c->endpoint);
    sqlite3_bind_int64(stmt, 2, c->first_ms);
    if (c->has_address)
        bind_addr(stmt, 3, &c->address);
    else
        sqlite3_bind_null(stmt, 3);
    bind_text(stmt, 4, c->name);
    sqlite3_bind_int64(stmt, 5, c->port);
    bind_text(stmt, 6, c->action);
    sqlite3_bind_int64(stmt, 7, c->last_ms);
    sqlite3_bind_int64(stmt, 8, (int64_t)c->n);
    sqlite3_bind_int(stmt, 9, c->outcome);
    return run(o, stmt, diag);
}

enum sek_err sek_outside_add_hit(struct sek_outside *o, const struct sek_outside_hit *h,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_ADD_HIT];
    bind_addr(stmt, 1, &h->endpoint);
    sqlite3_bind_int64(stmt, 2, h->first_ms);
    sqlite3_bind_int64(stmt, 3, h->last_ms);
    sqlite3_bind_int64(stmt, 4, (int64_t)h->n);
    bind_text(stmt, 5, h->name);
    bind_text(stmt, 6, h->domain);
    bind_text(stmt, 7, h->list);
    sqlite3_bind_int(stmt, 8, h->action);
    sqlite3_bind_int(stmt, 9, h->monitor);
    sqlite3_bind_int64(stmt, 10, h->decision);
    return run(o, stmt, diag);
}

enum sek_err sek_outside_has(struct sek_outside *o, const struct sek_addr *endpoint, bool *out,
                             struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_HAS];
    bind_addr(stmt, 1, endpoint);
    int rc = sqlite3_step(stmt);
    *out = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0);
    sqlite3_reset(stmt);
    return rc == SQLITE_ROW ? SEK_OK : fail(o, rc, diag);
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void read_addr(sqlite3_stmt *stmt, int at, struct sek_addr *out)
{
    memset(out, 0, sizeof *out);
    if (sqlite3_column_bytes(stmt, at) == (int)sizeof out->octets)
        memcpy(out->octets, sqlite3_column_blob(stmt, at), sizeof out->octets);
}

static const char *text_at(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    return text ? text : "";
}

/* at: the place of HIT_COLUMNS. */
static void read_hit(sqlite3_stmt *stmt, int at, struct sek_outside_hit *out)
{
    *out = (struct sek_outside_hit){.id = sqlite3_column_int64(stmt, at),
                                    .first_ms = sqlite3_column_int64(stmt, at + 2),
                                    .last_ms = sqlite3_column_int64(stmt, at + 3),
                                    .n = (uint64_t)sqlite3_column_int64(stmt, at + 4),
                                    .name = text_at(stmt, at + 5),
                                    .domain = text_at(stmt, at + 6),
                                    .list = text_at(stmt, at + 7),
                                    .action = sqlite3_column_int(stmt, at + 8),
                                    .monitor = sqlite3_column_int(stmt, at + 9) != 0,
                                    .decision = (uint32_t)sqlite3_column_int64(stmt, at + 10),
                                    .came = sqlite3_column_int(stmt, at + 11)};
    read_addr(stmt, at + 1, &out->endpoint);
}

static void read_conn(sqlite3_stmt *stmt, int at, struct sek_outside_conn *out)
{
    *out = (struct sek_outside_conn){.id = sqlite3_column_int64(stmt, at),
                                     .first_ms = sqlite3_column_int64(stmt, at + 2),
                                     .last_ms = sqlite3_column_int64(stmt, at + 3),
                                     .n = (uint64_t)sqlite3_column_int64(stmt, at + 4),
                                     .name = text_at(stmt, at + 5),
                                     .domain = text_at(stmt, at + 6),
                                     .action = text_at(stmt, at + 7),
                                     .port = (unsigned)sqlite3_column_int(stmt, at + 9),
                                     .as = sqlite3_column_int(stmt, at + 10),
                                     .follows = sqlite3_column_int64(stmt, at + 11),
                                     .outcome = sqlite3_column_int(stmt, at + 12)};
    out->has_address = sqlite3_column_type(stmt, at + 8) == SQLITE_BLOB;
    read_addr(stmt, at + 1, &out->endpoint);
    read_addr(stmt, at + 8, &out->address);
}

static enum sek_err end_rows(struct sek_outside *o, sqlite3_stmt *stmt, enum sek_err err, int rc,
                             struct sek_diag *diag)
{
    if (!err && rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = fail(o, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

enum sek_err sek_outside_hits(struct sek_outside *o, sek_outside_hit_fn *fn, void *arg,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_HITS];
    struct sek_outside_hit hit;
    enum sek_err err = SEK_OK;
    int rc = SQLITE_DONE;
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        read_hit(stmt, 0, &hit);
        err = fn(arg, &hit);
    }
    return end_rows(o, stmt, err, rc, diag);
}

static enum sek_err each_conn(struct sek_outside *o, sqlite3_stmt *stmt, sek_outside_conn_fn *fn,
                              void *arg, struct sek_diag *diag)
{
    struct sek_outside_conn conn;
    enum sek_err err = SEK_OK;
    bool more = true;
    int rc = SQLITE_DONE;
    while (!err && more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        read_conn(stmt, 0, &conn);
        err = fn(arg, &conn, &more);
    }
    return end_rows(o, stmt, err, rc, diag);
}

enum sek_err sek_outside_after(struct sek_outside *o, const struct sek_addr *endpoint,
                               int64_t from_ms, int64_t until_ms, sek_outside_conn_fn *fn,
                               void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_AFTER];
    bind_addr(stmt, 1, endpoint);
    sqlite3_bind_int64(stmt, 2, from_ms);
    sqlite3_bind_int64(stmt, 3, until_ms);
    return each_conn(o, stmt, fn, arg, diag);
}

enum sek_err sek_outside_open_conns(struct sek_outside *o, sek_outside_conn_fn *fn, void *arg,
                                    struct sek_diag *diag)
{
    return each_conn(o, o->stmt[S_OPEN], fn, arg, diag);
}

enum sek_err sek_outside_set_as(struct sek_outside *o, int64_t conn, enum sek_outside_as as,
                                const char *domain, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_SET_AS];
    sqlite3_bind_int64(stmt, 1, conn);
    sqlite3_bind_int(stmt, 2, (int)as);
    bind_text(stmt, 3, domain);
    return run(o, stmt, diag);
}

enum sek_err sek_outside_set_follows(struct sek_outside *o, int64_t conn, int64_t hit,
                                     struct sek_diag *diag)
{
    sqlite3_bind_int64(o->stmt[S_SET_FOLLOWS], 1, conn);
    sqlite3_bind_int64(o->stmt[S_SET_FOLLOWS], 2, hit);
    return run(o, o->stmt[S_SET_FOLLOWS], diag);
}

enum sek_err sek_outside_set_came(struct sek_outside *o, int64_t hit, enum sek_outside_came came,
                                  struct sek_diag *diag)
{
    sqlite3_bind_int64(o->stmt[S_SET_CAME], 1, hit);
    sqlite3_bind_int(o->stmt[S_SET_CAME], 2, (int)came);
    return run(o, o->stmt[S_SET_CAME], diag);
}

enum sek_err sek_outside_lines(struct sek_outside *o, bool every, sek_outside_line_fn *fn,
                               void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_LINES];
    struct sek_outside_hit hit;
    struct sek_outside_conn conn;
    bool more = true;
    int rc = SQLITE_DONE;
    sqlite3_bind_int(stmt, 1, every);
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        bool is_conn = sqlite3_column_int(stmt, 0) != 0;
        if (is_conn)
            read_conn(stmt, 1, &conn);
        else
            read_hit(stmt, 1, &hit);
        more = is_conn ? fn(arg, NULL, &conn) : fn(arg, &hit, NULL);
    }
    return end_rows(o, stmt, SEK_OK, rc, diag);
}

enum sek_err sek_outside_sums(struct sek_outside *o, sek_outside_sum_fn *fn, void *arg,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = o->stmt[S_SUMS];
    struct sek_outside_sum sum = {.hits = 0};
    bool any = false, more = true;
    int rc = SQLITE_DONE;
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_addr endpoint;
        int what = sqlite3_column_int(stmt, 2);
        uint64_t n = (uint64_t)sqlite3_column_int64(stmt, 3);
        read_addr(stmt, 0, &endpoint);
        if (any && !sek_addr_equal(&endpoint, &sum.endpoint))
            more = fn(arg, &sum);
        if (!any || !sek_addr_equal(&endpoint, &sum.endpoint))
            sum = (struct sek_outside_sum){.endpoint = endpoint};
        any = true;
        if (sqlite3_column_int(stmt, 1) == 0) {
            sum.hits += n;
            sum.came[what] += n;
        } else {
            sum.conns += n;
            sum.as[what] += n;
        }
    }
    if (any && more)
        fn(arg, &sum);
    return end_rows(o, stmt, SEK_OK, rc, diag);
}
