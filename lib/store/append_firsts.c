/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb_parts.h"
#include "base/banned.h"

#define FIRSTS_MAX 1000000 /* rows: 150 MB */
#define OCTETS_A_ROW 1200  /* of events.size: so all rows take an eighth of it */

static enum sek_err put_first(struct sek_eventsdb *db, const struct sek_first *f,
                              struct sek_diag *diag)
{
    struct sek_name name;
    char domain[SEK_NAME_TEXT_MAX], qname[SEK_NAME_TEXT_MAX];
    char endpoint[SEK_ADDR_TEXT_MAX], address[SEK_ADDR_TEXT_MAX];
    if (sek_name_from_wire(f->name, f->name_len, &name) || f->domain_labels >= name.n_labels)
        return SEK_OK; /* not an event of ours: nothing to write down */
    sqlite3_stmt *stmt = db->st[SEK_ST_FIRST_PUT];
    sek_name_to_text(name.octets + name.offset[f->domain_labels], domain);
    sek_name_to_text(name.octets, qname);
    sek_addr_to_text(&f->endpoint, endpoint);
    sqlite3_bind_text(stmt, 1, domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, f->time_ms);
    sqlite3_bind_text(stmt, 3, endpoint, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 4, qname, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 5, f->qtype);
    sqlite3_bind_null(stmt, 6);
    sqlite3_bind_null(stmt, 7);
    if (f->has_address)
        sqlite3_bind_text(stmt, 6, sek_addr_to_text(&f->address, address), -1, SQLITE_STATIC);
    if (f->ttl_s)
        sqlite3_bind_int64(stmt, 7, f->ttl_s);
    sqlite3_bind_int64(stmt, 8, f->refused);
    return sek__eventsdb_run(db, SEK_ST_FIRST_PUT, NULL, 0, diag);
}

enum sek_err sek_eventsdb_store_firsts(struct sek_eventsdb *db, const struct sek_first *firsts,
                                       unsigned n, struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = put_first(db, &firsts[i], diag);
    err = sek__eventsdb_end(db, err, diag);
    if (!err)
        sek_eventsdb_checkpoint(db, false);
    return err;
}

enum sek_err sek_eventsdb_retain_firsts(struct sek_eventsdb *db, int64_t oldest_s,
                                        uint64_t max_octets, unsigned max_rows,
                                        struct sek_diag *diag)
{
    uint64_t most = max_octets / OCTETS_A_ROW < FIRSTS_MAX ? max_octets / OCTETS_A_ROW : FIRSTS_MAX;
    int64_t n_rows = 0;
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    err =
        sek__eventsdb_run(db, SEK_ST_FIRST_EXPIRE, (int64_t[]){oldest_s * 1000, max_rows}, 2, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_FIRST_COUNT, NULL, 0, &n_rows, diag);
    int64_t excess = n_rows - (int64_t)most;
    if (!err && excess > 0)
        err = sek__eventsdb_run(db, SEK_ST_FIRST_DROP,
                                (int64_t[]){excess < max_rows ? excess : max_rows}, 1, diag);
    return sek__eventsdb_end(db, err, diag);
}
