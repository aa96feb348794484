/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of tracked names, and what counts of a domain's queries. */
#include "store/eventsdb_parts.h"
#include "base/banned.h"

static enum sek_err end(struct sek_eventsdb *db, enum sek_err err, struct sek_diag *diag)
{
    err = sek__eventsdb_end(db, err, diag);
    if (!err)
        sek_eventsdb_checkpoint(db, false);
    return err;
}

/* --- addresses ---------------------------------------------------------------------------------
 */

static enum sek_err put_response(struct sek_eventsdb *db, const struct sek_response *r,
                                 struct sek_diag *diag)
{
    char path[SEK_NAME_TEXT_MAX], endpoint[SEK_ADDR_TEXT_MAX];
    struct sek_name name;
    bool v4 = sek_addr_is_v4(&r->address);
    if (sek_name_from_wire(r->name, r->name_len, &name))
        return SEK_OK; /* not of ours: nothing to write down */
    sqlite3_stmt *stmt = db->st[SEK_ST_RESPONSE_PUT];
    size_t len = sek_name_to_path(name.octets, path);
    sqlite3_bind_text(stmt, 1, path, (int)len, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, r->address.octets + (v4 ? 12 : 0), v4 ? 4 : 16, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, r->first_ms);
    sqlite3_bind_int64(stmt, 4, r->last_day);
    sqlite3_bind_int64(stmt, 5, r->news);
    sqlite3_bind_text(stmt, 6, sek_addr_to_text(&r->endpoint, endpoint), -1, SQLITE_STATIC);
    return sek__eventsdb_run(db, SEK_ST_RESPONSE_PUT, NULL, 0, diag);
}

enum sek_err sek_eventsdb_store_responses(struct sek_eventsdb *db,
                                          const struct sek_response *responses, unsigned n,
                                          struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = put_response(db, &responses[i], diag);
    return end(db, err, diag);
}

enum sek_err sek_eventsdb_retain_responses(struct sek_eventsdb *db, int64_t oldest_s,
                                           uint64_t max_rows, unsigned step, struct sek_diag *diag)
{
    int64_t n_rows = 0;
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    err =
        sek__eventsdb_run(db, SEK_ST_RESPONSE_DELETE, (int64_t[]){oldest_s / 86400, step}, 2, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_RESPONSE_COUNT, NULL, 0, &n_rows, diag);
    int64_t excess = n_rows - (int64_t)max_rows;
    if (!err && excess > 0)
        err = sek__eventsdb_run(db, SEK_ST_RESPONSE_DELETE,
                                (int64_t[]){INT64_MAX, excess < step ? excess : step}, 2, diag);
    return sek__eventsdb_end(db, err, diag);
}

/* --- domains -----------------------------------------------------------------------------------
 */

static enum sek_err add_usage(struct sek_eventsdb *db, struct sek_usage_row *row,
                              struct sek_diag *diag)
{
    struct sek_name name;
    char domain[SEK_NAME_TEXT_MAX];
    if (sek_name_from_wire(row->domain, row->domain_len, &name))
        return SEK_OK;
    sqlite3_stmt *stmt = db->st[SEK_ST_USAGE_ADD];
    sek_name_to_text(name.octets, domain);
    sqlite3_bind_text(stmt, 1, domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, (int64_t)row->queries);
    sqlite3_bind_null(stmt, 3);
    if (row->ttl_min_s != SEK_TALLY_NO_TTL)
        sqlite3_bind_int64(stmt, 3, row->ttl_min_s);
    enum sek_err err = sek__eventsdb_run(db, SEK_ST_USAGE_ADD, NULL, 0, diag);
    row->is_known = !err && sqlite3_changes(db->sql) > 0;
    return err;
}

enum sek_err sek_eventsdb_store_usage(struct sek_eventsdb *db, struct sek_usage_row *rows,
                                      unsigned n, struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = add_usage(db, &rows[i], diag);
    return end(db, err, diag);
}
