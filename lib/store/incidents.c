/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/incidents.h"
#include "base/buf.h"
#include "store/policydb_parts.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_incident_state_names[] = {{SEK_INCIDENT_OPEN, "open"},
                                                      {SEK_INCIDENT_CONTAINED, "contained"},
                                                      {SEK_INCIDENT_CLOSED, "closed"},
                                                      {0, NULL}};
const struct sek_lookup sek_incident_kind_names[] = {
    {SEK_INCIDENT_ENDPOINT, "endpoint"}, {SEK_INCIDENT_DOMAIN, "domain"}, {0, NULL}};

/* Run a statement without rows; bind sets its values from what. */
static enum sek_err run(struct sek_policydb *db, const char *text,
                        void (*bind)(sqlite3_stmt *, const void *), const void *what,
                        struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    bind(stmt, what);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

/* --- incidents ---------------------------------------------------------------------------------
 */

static void bind_incident(sqlite3_stmt *stmt, const void *what)
{
    const struct sek_incident *i = what;
    sqlite3_bind_int(stmt, 1, (int)i->state);
    sqlite3_bind_int64(stmt, 2, i->closed_s);
    bind_text(stmt, 3, i->closed_by);
    bind_text(stmt, 4, i->reason);
    if (sqlite3_bind_parameter_count(stmt) == 5) {
        sqlite3_bind_int64(stmt, 5, i->id);
        return;
    }
    bind_text(stmt, 5, i->title);
    sqlite3_bind_int64(stmt, 6, i->opened_s);
    bind_text(stmt, 7, i->who);
}

enum sek_err sek_incident_add(struct sek_policydb *db, struct sek_incident *io,
                              struct sek_diag *diag)
{
    enum sek_err err = run(db,
                           "INSERT INTO incident (state, closed_s, closed_by, reason, title,"
                           " opened_s, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                           bind_incident, io, diag);
    if (!err)
        io->id = sqlite3_last_insert_rowid(db->db);
    return err;
}

enum sek_err sek_incident_set(struct sek_policydb *db, const struct sek_incident *i,
                              struct sek_diag *diag)
{
    return run(db,
               "UPDATE incident SET state = ?1, closed_s = ?2, closed_by = ?3, reason = ?4"
               " WHERE id = ?5",
               bind_incident, i, diag);
}

#define INCIDENTS                                                                                  \
    "SELECT id, state, title, opened_s, who, closed_s, closed_by, reason FROM incident"

static void read_incident(sqlite3_stmt *stmt, void *row)
{
    struct sek_incident *out = row;
    memset(out, 0, sizeof *out);
    out->id = sqlite3_column_int64(stmt, 0);
    out->state = (enum sek_incident_state)sqlite3_column_int(stmt, 1);
    sek__policydb_text(stmt, 2, out->title, sizeof out->title);
    out->opened_s = sqlite3_column_int64(stmt, 3);
    sek__policydb_text(stmt, 4, out->who, sizeof out->who);
    out->closed_s = sqlite3_column_int64(stmt, 5);
    sek__policydb_text(stmt, 6, out->closed_by, sizeof out->closed_by);
    sek__policydb_text(stmt, 7, out->reason, sizeof out->reason);
}

/* All rows of a query with the parameter ?1, if any. */
static enum sek_err read_rows(struct sek_policydb *db, const char *text, int64_t id, size_t size,
                              sek_row_read_fn *read, struct sek_buf *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    sek_buf_init(out, 0);
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    if (sqlite3_bind_parameter_count(stmt))
        sqlite3_bind_int64(stmt, 1, id);
    return sek__policydb_rows(db, stmt, size, read, out, diag);
}

enum sek_err sek_incident_get(struct sek_policydb *db, int64_t id, struct sek_incident *out,
                              struct sek_diag *diag)
{
    struct sek_buf rows;
    enum sek_err err =
        read_rows(db, INCIDENTS " WHERE id = ?1", id, sizeof *out, read_incident, &rows, diag);
    if (!err && rows.len < sizeof *out)
        err = sek_diag_set(diag, SEK_E_NOTFOUND,
                           "there is no incident %" PRId64 "; sekisho incident list --all names "
                           "those there are",
                           id);
    if (!err)
        memcpy(out, rows.data, sizeof *out);
    sek_buf_fini(&rows);
    return err;
}

enum sek_err sek_incidents(struct sek_policydb *db, sek_incident_fn *fn, void *arg,
                           struct sek_diag *diag)
{
    struct sek_buf rows;
    enum sek_err err = read_rows(db, INCIDENTS " ORDER BY id DESC", 0, sizeof(struct sek_incident),
                                 read_incident, &rows, diag);
    const struct sek_incident *all = (const void *)rows.data;
    for (size_t i = 0; !err && i < rows.len / sizeof *all; i++)
        if (!fn(arg, &all[i]))
            break;
    sek_buf_fini(&rows);
    return err;
}

/* --- subjects ----------------------------------------------------------------------------------
 */

static void bind_subject(sqlite3_stmt *stmt, const void *what)
{
    const struct sek_incident_subject *s = what;
    sqlite3_bind_int64(stmt, 1, s->incident);
    sqlite3_bind_int(stmt, 2, (int)s->kind);
    bind_text(stmt, 3, s->value);
    sqlite3_bind_int64(stmt, 4, s->added_s);
    bind_text(stmt, 5, s->who);
}

enum sek_err sek_incident_subject_add(struct sek_policydb *db, const struct sek_incident_subject *s,
                                      bool *out_added, struct sek_diag *diag)
{
    enum sek_err err = run(db,
                           "INSERT INTO incident_subject (incident, kind, value, added_s, who)"
                           " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                           bind_subject, s, diag);
    if (!err && out_added)
        *out_added = sqlite3_changes(db->db) > 0;
    return err;
}

static void read_subject(sqlite3_stmt *stmt, void *row)
{
    struct sek_incident_subject *out = row;
    memset(out, 0, sizeof *out);
    out->incident = sqlite3_column_int64(stmt, 0);
    out->kind = (enum sek_incident_kind)sqlite3_column_int(stmt, 1);
    sek__policydb_text(stmt, 2, out->value, sizeof out->value);
    out->added_s = sqlite3_column_int64(stmt, 3);
    sek__policydb_text(stmt, 4, out->who, sizeof out->who);
}

enum sek_err sek_incident_subjects(struct sek_policydb *db, int64_t incident,
                                   sek_incident_subject_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek_buf rows;
    enum sek_err err =
        read_rows(db,
                  "SELECT incident, kind, value, added_s, who FROM incident_subject"
                  " WHERE ?1 = 0 OR incident = ?1 ORDER BY incident, rowid",
                  incident, sizeof(struct sek_incident_subject), read_subject, &rows, diag);
    const struct sek_incident_subject *all = (const void *)rows.data;
    for (size_t i = 0; !err && i < rows.len / sizeof *all; i++)
        if (!fn(arg, &all[i]))
            break;
    sek_buf_fini(&rows);
    return err;
}

/* --- notes -------------------------------------------------------------------------------------
 */

static void bind_note(sqlite3_stmt *stmt, const void *what)
{
    const struct sek_incident_note *n = what;
    sqlite3_bind_int64(stmt, 1, n->incident);
    sqlite3_bind_int64(stmt, 2, n->time_s);
    bind_text(stmt, 3, n->who);
    bind_text(stmt, 4, n->text);
}

enum sek_err sek_incident_note_add(struct sek_policydb *db, const struct sek_incident_note *n,
                                   struct sek_diag *diag)
{
    return run(db,
               "INSERT INTO incident_note (incident, time_s, who, text) VALUES (?1, ?2, ?3, ?4)",
               bind_note, n, diag);
}

static void read_note(sqlite3_stmt *stmt, void *row)
{
    struct sek_incident_note *out = row;
    memset(out, 0, sizeof *out);
    out->id = sqlite3_column_int64(stmt, 0);
    out->incident = sqlite3_column_int64(stmt, 1);
    out->time_s = sqlite3_column_int64(stmt, 2);
    sek__policydb_text(stmt, 3, out->who, sizeof out->who);
    sek__policydb_text(stmt, 4, out->text, sizeof out->text);
}

enum sek_err sek_incident_notes(struct sek_policydb *db, int64_t incident, sek_incident_note_fn *fn,
                                void *arg, struct sek_diag *diag)
{
    struct sek_buf rows;
    enum sek_err err =
        read_rows(db,
                  "SELECT id, incident, time_s, who, text FROM incident_note"
                  " WHERE incident = ?1 ORDER BY id",
                  incident, sizeof(struct sek_incident_note), read_note, &rows, diag);
    const struct sek_incident_note *all = (const void *)rows.data;
    for (size_t i = 0; !err && i < rows.len / sizeof *all; i++)
        if (!fn(arg, &all[i]))
            break;
    sek_buf_fini(&rows);
    return err;
}
