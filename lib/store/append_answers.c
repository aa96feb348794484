/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb_parts.h"
#include "base/banned.h"

#define OCTETS_A_ROW 60     /* on the disk; all rows together take … */
#define SHARE 8             /* … this part of events.size at most */
#define OCTETS_A_SERVER 160 /* with its places in three indexes */
#define SERVER_SHARE 16
#define UNCOUNTED (-1)

static enum sek_err run_answer(struct sek_eventsdb *db, enum sek_event_statement st,
                               const struct sek_answer *a, const char *path, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = db->st[st];
    bool v4 = sek_addr_is_v4(&a->address);
    sqlite3_bind_int64(stmt, 1, a->day);
    sqlite3_bind_blob(stmt, 2, a->address.octets + (v4 ? 12 : 0), v4 ? 4 : 16, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, path, -1, SQLITE_STATIC);
    sqlite3_bind_null(stmt, 4);
    sqlite3_bind_null(stmt, 5);
    if (a->has_ttl) {
        sqlite3_bind_int64(stmt, 4, a->ttl_min_s);
        sqlite3_bind_int64(stmt, 5, a->ttl_max_s);
    }
    return sek__eventsdb_run(db, st, NULL, 0, diag);
}

/* Two statements, because only new rows are to be counted. */
static enum sek_err put_address(struct sek_eventsdb *db, const struct sek_answer *a,
                                const char *path, struct sek_diag *diag)
{
    enum sek_err err = run_answer(db, SEK_ST_ANSWER_PUT, a, path, diag);
    int n_new = err ? 0 : sqlite3_changes(db->sql);
    if (db->n_answers != UNCOUNTED)
        db->n_answers += n_new;
    return err || n_new || !a->has_ttl ? err : run_answer(db, SEK_ST_ANSWER_WIDEN, a, path, diag);
}

static enum sek_err put_server(struct sek_eventsdb *db, const struct sek_answer *a,
                               const char *path, struct sek_diag *diag)
{
    char server_path[SEK_NAME_TEXT_MAX];
    struct sek_name server;
    sqlite3_stmt *stmt = db->st[SEK_ST_SERVER_PUT];
    if (sek_name_from_wire(a->server, a->server_len, &server))
        return SEK_OK;
    sek_name_to_path(server.octets, server_path);
    sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, server_path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, a->day);
    return sek__eventsdb_run(db, SEK_ST_SERVER_PUT, NULL, 0, diag);
}

static enum sek_err put_answer(struct sek_eventsdb *db, const struct sek_answer *a,
                               struct sek_diag *diag)
{
    char path[SEK_NAME_TEXT_MAX];
    struct sek_name name;
    if (sek_name_from_wire(a->domain, a->domain_len, &name))
        return SEK_OK; /* not an event of ours: nothing to write down */
    sek_name_to_path(name.octets, path);
    return a->server_len ? put_server(db, a, path, diag) : put_address(db, a, path, diag);
}

enum sek_err sek_eventsdb_store_answers(struct sek_eventsdb *db, const struct sek_answer *answers,
                                        unsigned n, struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = put_answer(db, &answers[i], diag);
    err = sek__eventsdb_end(db, err, diag);
    if (err)
        db->n_answers = UNCOUNTED;
    else
        sek_eventsdb_checkpoint(db, false);
    return err;
}

static enum sek_err drop(struct sek_eventsdb *db, int64_t before_day, int64_t n,
                         struct sek_diag *diag)
{
    enum sek_err err =
        sek__eventsdb_run(db, SEK_ST_ANSWER_DELETE, (int64_t[]){before_day, n}, 2, diag);
    if (!err)
        db->n_answers -= sqlite3_changes(db->sql);
    return err;
}

enum sek_err sek_eventsdb_retain_answers(struct sek_eventsdb *db, int64_t oldest_s,
                                         uint64_t max_rows, uint64_t max_octets, unsigned step,
                                         struct sek_diag *diag)
{
    uint64_t most = max_octets / SHARE / OCTETS_A_ROW;
    if (most > max_rows)
        most = max_rows;
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    if (db->n_answers == UNCOUNTED)
        err = sek__eventsdb_ask(db, SEK_ST_ANSWER_COUNT, NULL, 0, &db->n_answers, diag);
    if (!err)
        err = drop(db, oldest_s / 86400, step, diag);
    int64_t excess = db->n_answers - (int64_t)most;
    if (!err && excess > 0)
        err = drop(db, INT64_MAX, excess < step ? excess : step, diag);
    err = sek__eventsdb_end(db, err, diag);
    if (err)
        db->n_answers = UNCOUNTED;
    return err;
}

enum sek_err sek_eventsdb_retain_servers(struct sek_eventsdb *db, int64_t oldest_s,
                                         uint64_t max_rows, uint64_t max_octets, unsigned step,
                                         struct sek_diag *diag)
{
    uint64_t most = max_octets / SERVER_SHARE / OCTETS_A_SERVER;
    int64_t n_rows = 0;
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    err = sek__eventsdb_run(db, SEK_ST_SERVER_DELETE, (int64_t[]){oldest_s / 86400, step}, 2, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_SERVER_COUNT, NULL, 0, &n_rows, diag);
    int64_t excess = n_rows - (int64_t)(most < max_rows ? most : max_rows);
    if (!err && excess > 0)
        err = sek__eventsdb_run(db, SEK_ST_SERVER_DELETE,
                                (int64_t[]){INT64_MAX, excess < step ? excess : step}, 2, diag);
    return sek__eventsdb_end(db, err, diag);
}
