/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings are renewed by UPDATE and else inserted: this is the only writer, and an upsert would
 * not tell which of the two it did. */
#include "store/eventsdb_parts.h"
#include <string.h>
#include "base/banned.h"

/* What both statements share; must live until they have run. */
struct texts {
    char endpoint[SEK_ADDR_TEXT_MAX];
    char domain[SEK_NAME_TEXT_MAX], path[SEK_NAME_TEXT_MAX];
};

/* False: the domain is no name. */
static bool texts_of(const struct sek_finding *f, struct texts *out)
{
    struct sek_name name;
    sek_addr_to_text(&f->endpoint, out->endpoint);
    out->domain[0] = out->path[0] = '\0';
    if (f->domain_len == 0)
        return true;
    if (sek_name_from_wire(f->domain, f->domain_len, &name))
        return false;
    sek_name_to_text(name.octets, out->domain);
    sek_name_to_path(name.octets, out->path);
    return true;
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text, size_t room)
{
    sqlite3_bind_text(stmt, at, text, (int)strnlen(text, room - 1), SQLITE_STATIC);
}

/* Run one of the two statements. */
static enum sek_err put(struct sek_eventsdb *db, enum sek_event_statement st,
                        const struct sek_finding *f, const struct texts *t, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = db->st[st];
    sqlite3_bind_int64(stmt, 1, f->detector);
    bind_text(stmt, 2, t->endpoint, sizeof t->endpoint);
    sqlite3_bind_int64(stmt, 3, f->start_ms);
    sqlite3_bind_int64(stmt, 4, f->end_ms);
    sqlite3_bind_double(stmt, 5, (double)f->confidence);
    sqlite3_bind_int64(stmt, 6, f->mode);
    sqlite3_bind_int64(stmt, 7, f->blocked_until_s);
    bind_text(stmt, 8, f->technique, sizeof f->technique);
    bind_text(stmt, 9, f->evidence, sizeof f->evidence);
    bind_text(stmt, 10, t->domain, sizeof t->domain);
    bind_text(stmt, 11, t->path, sizeof t->path);
    sqlite3_bind_int64(stmt, 12, db->last_change + 1);
    sqlite3_bind_int64(stmt, 13, f->may_block_s);
    if (st == SEK_ST_FINDING_PUT)
        sqlite3_bind_int64(stmt, 14, db->last_finding + 1);
    return sek__eventsdb_run(db, st, NULL, 0, diag);
}

static enum sek_err put_finding(struct sek_eventsdb *db, const struct sek_finding *f,
                                struct sek_findings_stored *out, struct sek_diag *diag)
{
    static const enum sek_event_statement in_turn[] = {SEK_ST_FINDING_RENEW, SEK_ST_FINDING_PUT};
    unsigned *const counts[] = {&out->n_renewed, &out->n_new};
    struct texts t;
    for (unsigned i = 0; i < 2 && texts_of(f, &t); i++) {
        enum sek_err err = put(db, in_turn[i], f, &t, diag);
        if (err)
            return err;
        if (sqlite3_changes(db->sql) > 0) {
            *counts[i] += 1;
            db->last_change++;
            db->last_finding += in_turn[i] == SEK_ST_FINDING_PUT;
            return SEK_OK;
        }
    }
    out->n_refused++;
    return SEK_OK;
}

enum sek_err sek_eventsdb_store_findings(struct sek_eventsdb *db,
                                         const struct sek_finding *findings, unsigned n,
                                         struct sek_findings_stored *out, struct sek_diag *diag)
{
    struct sek_findings_stored stored = {0};
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = put_finding(db, &findings[i], &stored, diag);
    err = sek__eventsdb_end(db, err, diag);
    if (err)
        return err;
    *out = stored;
    sek_eventsdb_checkpoint(db, false);
    return SEK_OK;
}
