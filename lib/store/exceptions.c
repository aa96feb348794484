/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/exceptions.h"
#include <stdio.h>
#include <string.h>
#include "store/policydb_parts.h"
#include "base/banned.h"

/* --- rows ----------------------------------------------------------------------------------------
 */

#define COLUMNS                                                                                    \
    "id, name, scope, client_groups, endpoints, terms, reason, ticket, condition, answers, owner," \
    " start_s, lifetime_s, end_s, review_s"
#define STEP_COLUMNS "act, time_s, uid, who, note"

static enum sek_err row_read(sqlite3_stmt *stmt, struct sek_exception *out, struct sek_diag *diag)
{
    memset(out, 0, sizeof *out);
    out->id = sqlite3_column_int64(stmt, 0);
    out->scope = (uint8_t)sqlite3_column_int(stmt, 2);
    sek__policydb_text(stmt, 3, out->groups, sizeof out->groups);
    sek__policydb_text(stmt, 4, out->endpoints, sizeof out->endpoints);
    sek__policydb_text(stmt, 5, out->terms, sizeof out->terms);
    sek__policydb_text(stmt, 6, out->reason, sizeof out->reason);
    sek__policydb_text(stmt, 7, out->ticket, sizeof out->ticket);
    sek__policydb_text(stmt, 8, out->condition, sizeof out->condition);
    sek__policydb_text(stmt, 9, out->answers, sizeof out->answers);
    sek__policydb_text(stmt, 10, out->owner, sizeof out->owner);
    out->start_s = sqlite3_column_int64(stmt, 11);
    out->lifetime_s = sqlite3_column_int64(stmt, 12);
    out->end_s = sqlite3_column_int64(stmt, 13);
    out->review_s = sqlite3_column_int64(stmt, 14);
    return sek__policydb_name(stmt, 1, &out->name, diag);
}

static void step_read(sqlite3_stmt *stmt, void *row)
{
    struct sek_exception_step *s = row;
    memset(s, 0, sizeof *s);
    s->act = (uint8_t)sqlite3_column_int(stmt, 0);
    s->time_s = sqlite3_column_int64(stmt, 1);
    s->uid = sqlite3_column_int64(stmt, 2);
    sek__policydb_text(stmt, 3, s->who, sizeof s->who);
    sek__policydb_text(stmt, 4, s->note, sizeof s->note);
}

static void follow(struct sek_exception *e, const struct sek_exception_step *s)
{
    switch (s->act) {
    case SEK_EXCEPTION_REQUEST:
        e->requested = *s;
        break;
    case SEK_EXCEPTION_APPROVE:
    case SEK_EXCEPTION_REJECT:
    case SEK_EXCEPTION_EMERGENCY:
        e->decided = *s;
        break;
    case SEK_EXCEPTION_REVOKE:
        e->revoked = *s;
        break;
    case SEK_EXCEPTION_REVIEW:
        e->reviewed = *s;
        break;
    case SEK_EXCEPTION_ARCHIVE:
        e->archived = *s;
        break;
    default:
        break;
    }
}

static enum sek_err steps_read(struct sek_policydb *db, int64_t id, struct sek_buf *out,
                               struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT " STEP_COLUMNS " FROM exception_step WHERE exception = ?1 ORDER BY number",
        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, id);
    return sek__policydb_rows(db, stmt, sizeof(struct sek_exception_step), step_read, out, diag);
}

static enum sek_err follow_all(struct sek_policydb *db, struct sek_exception *e,
                               struct sek_diag *diag)
{
    struct sek_buf steps;
    sek_buf_init(&steps, 0);
    enum sek_err err = steps_read(db, e->id, &steps, diag);
    const struct sek_exception_step *s = (const void *)steps.data;
    for (size_t i = 0; !err && i < steps.len / sizeof *s; i++)
        follow(e, &s[i]);
    sek_buf_fini(&steps);
    return err;
}

/* --- reading -------------------------------------------------------------------------------------
 */

enum sek_err sek_exception_get(struct sek_policydb *db, int64_t id, struct sek_exception *out,
                               struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db, "SELECT " COLUMNS " FROM exception WHERE id = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        err = row_read(stmt, out, diag);
    else
        err = rc == SQLITE_DONE ? SEK_E_NOTFOUND : sek__policydb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err ? err : follow_all(db, out, diag);
}

/* The ids first, then one after the other: no statement is open while fn has one. */
static void id_read(sqlite3_stmt *stmt, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(stmt, 0);
}

static enum sek_err each(struct sek_policydb *db, sqlite3_stmt *stmt, sek_exception_fn *fn,
                         void *arg, struct sek_diag *diag)
{
    struct sek_buf ids;
    struct sek_exception e;
    sek_buf_init(&ids, 0);
    enum sek_err err = sek__policydb_rows(db, stmt, sizeof(int64_t), id_read, &ids, diag);
    const int64_t *id = (const void *)ids.data;
    for (size_t i = 0; !err && i < ids.len / sizeof *id; i++) {
        err = sek_exception_get(db, id[i], &e, diag);
        if (err == SEK_E_NOTFOUND) { /* undone meanwhile */
            err = SEK_OK;
            continue;
        }
        if (!err && !fn(arg, &e))
            break;
    }
    sek_buf_fini(&ids);
    return err;
}

#define IS_ARCHIVED "EXISTS (SELECT 1 FROM exception_step s WHERE s.exception = e.id AND s.act = 7)"

enum sek_err sek_exceptions(struct sek_policydb *db, bool archived, sek_exception_fn *fn, void *arg,
                            struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT id FROM exception e WHERE ?1 OR NOT " IS_ARCHIVED " ORDER BY id", &stmt,
        diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, archived);
    return each(db, stmt, fn, arg, diag);
}

enum sek_err sek_exceptions_at(struct sek_policydb *db, const struct sek_name *name,
                               sek_exception_fn *fn, void *arg, struct sek_diag *diag)
{
    uint8_t key[SEK_NAMEKEY_MAX];
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db, "SELECT id FROM exception e WHERE name = ?1 AND NOT " IS_ARCHIVED " ORDER BY id",
        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, key, (int)sek_namekey_from_name(name, key), SQLITE_TRANSIENT);
    return each(db, stmt, fn, arg, diag);
}

enum sek_err sek_exception_steps(struct sek_policydb *db, int64_t id, sek_exception_step_fn *fn,
                                 void *arg, struct sek_diag *diag)
{
    struct sek_buf steps;
    sek_buf_init(&steps, 0);
    enum sek_err err = steps_read(db, id, &steps, diag);
    const struct sek_exception_step *s = (const void *)steps.data;
    for (size_t i = 0; !err && i < steps.len / sizeof *s && fn(arg, &s[i]); i++)
        ;
    sek_buf_fini(&steps);
    return err;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static void times_bind(sqlite3_stmt *stmt, const struct sek_exception *e)
{
    sqlite3_bind_int64(stmt, 1, e->start_s);
    sqlite3_bind_int64(stmt, 2, e->lifetime_s);
    sqlite3_bind_int64(stmt, 3, e->end_s);
    sqlite3_bind_int64(stmt, 4, e->review_s);
    sqlite3_bind_text(stmt, 5, e->owner, -1, SQLITE_STATIC);
}

static enum sek_err finish(struct sek_policydb *db, sqlite3_stmt *stmt, struct sek_diag *diag)
{
    enum sek_err err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_exception_step(struct sek_policydb *db, struct sek_exception *e,
                                const struct sek_exception_step *step, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(db->db,
                        "INSERT INTO exception_step (exception, number, act, time_s, uid, who,"
                        " note) VALUES (?1, (SELECT coalesce(max(number), 0) + 1 FROM"
                        " exception_step WHERE exception = ?1), ?2, ?3, ?4, ?5, ?6)",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, e->id);
    sqlite3_bind_int(stmt, 2, step->act);
    sqlite3_bind_int64(stmt, 3, step->time_s);
    sqlite3_bind_int64(stmt, 4, step->uid);
    sqlite3_bind_text(stmt, 5, step->who, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 6, step->note, -1, SQLITE_STATIC);
    err = finish(db, stmt, diag);
    if (!err)
        follow(e, step);
    return err;
}

enum sek_err sek_exception_add(struct sek_policydb *db, struct sek_exception *e,
                               struct sek_diag *diag)
{
    uint8_t key[SEK_NAMEKEY_MAX];
    const char *const texts[] = {e->groups, e->endpoints, e->terms,  e->reason,
                                 e->ticket, e->condition, e->answers};
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        db->db,
        "INSERT INTO exception (start_s, lifetime_s, end_s, review_s, owner, name, scope,"
        " client_groups, endpoints, terms, reason, ticket, condition, answers)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        &stmt, diag);
    if (err)
        return err;
    times_bind(stmt, e);
    sqlite3_bind_blob(stmt, 6, key, (int)sek_namekey_from_name(&e->name, key), SQLITE_STATIC);
    sqlite3_bind_int(stmt, 7, e->scope);
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        sqlite3_bind_text(stmt, 8 + i, texts[i], -1, SQLITE_STATIC);
    err = finish(db, stmt, diag);
    if (err)
        return err;
    e->id = sqlite3_last_insert_rowid(db->db);
    const struct sek_exception_step first = e->requested, second = e->decided;
    err = sek_exception_step(db, e, &first, diag);
    return err || !second.act ? err : sek_exception_step(db, e, &second, diag);
}

enum sek_err sek_exception_set(struct sek_policydb *db, const struct sek_exception *e,
                               struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db,
                                       "UPDATE exception SET start_s = ?1, lifetime_s = ?2,"
                                       " end_s = ?3, review_s = ?4, owner = ?5 WHERE id = ?6",
                                       &stmt, diag);
    if (err)
        return err;
    times_bind(stmt, e);
    sqlite3_bind_int64(stmt, 6, e->id);
    return finish(db, stmt, diag);
}

/* --- sums ----------------------------------------------------------------------------------------
 */

struct summing {
    struct sek_exceptions_sum *out;
    int64_t now_s, warn_s;
};

static bool sum_add(void *arg, const struct sek_exception *e)
{
    struct summing *s = arg;
    struct sek_exceptions_sum *out = s->out;
    out->n[sek_exception_state(e, s->now_s, s->warn_s)]++;
    if (sek_exception_in_force(e, s->now_s)) {
        out->n_review_due += e->review_s && e->review_s <= s->now_s;
        if (e->end_s && (!out->next_end_s || e->end_s < out->next_end_s))
            out->next_end_s = e->end_s;
    }
    if (sek_exception_is_emergency_open(e)) {
        out->n_emergency_open++;
        out->emergency = e->id;
        out->emergency_in_force = sek_exception_in_force(e, s->now_s);
        sek_rule_to_text((enum sek_scope)e->scope, e->name.octets, out->emergency_rule);
    }
    return true;
}

enum sek_err sek_exceptions_sum(struct sek_policydb *db, int64_t now_s, int64_t warn_s,
                                struct sek_exceptions_sum *out, struct sek_diag *diag)
{
    struct summing s = {out, now_s, warn_s};
    memset(out, 0, sizeof *out);
    return sek_exceptions(db, false, sum_add, &s, diag);
}

enum sek_err sek_exceptions_emergencies(struct sek_policydb *db, int64_t now_s,
                                        struct sek_exceptions_sum *out, struct sek_diag *diag)
{
    struct summing s = {out, now_s, 0};
    sqlite3_stmt *stmt;
    memset(out, 0, sizeof *out);
    enum sek_err err =
        sek_sql_prepare(db->db,
                        "SELECT s.exception FROM exception_step s WHERE s.act = ?1 AND NOT EXISTS"
                        " (SELECT 1 FROM exception_step r WHERE r.exception = s.exception"
                        " AND r.act = ?2) ORDER BY s.exception",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int(stmt, 1, SEK_EXCEPTION_EMERGENCY);
    sqlite3_bind_int(stmt, 2, SEK_EXCEPTION_REVIEW);
    return each(db, stmt, sum_add, &s, diag);
}
