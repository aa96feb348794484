/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/inventory.h"
#include "store/inventory_parts.h"
#include <string.h>
#include "base/banned.h"

/* KiB: a large import stays out of the file until it is committed. One that overflows locks readers
 * out from then on. */
#define CACHE_PRAGMA "PRAGMA cache_size = -131072"

/* --- records of imports ------------------------------------------------------------------------
 */

static enum sek_err run(struct sek_policydb *db, const char *text, const int64_t *numbers, int n,
                        const char *word, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(db->db, text, &stmt, diag);
    if (err)
        return err;
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(stmt, i + 1, numbers[i]);
    if (word)
        sqlite3_bind_text(stmt, n + 1, word, -1, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_inventory_begin(struct sek_inventory_import *imp, struct sek_policydb *db,
                                 const char *who, const char *source, int64_t now_s,
                                 struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_run(db->db, CACHE_PRAGMA, diag);
    if (err)
        return err;
    err = sek_sql_prepare(db->db,
                          "INSERT INTO endpoint_import (time_s, who, source) VALUES (?1,"
                          " substr(?2, 1, 63), substr(?3, 1, 511))",
                          &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, now_s);
    sqlite3_bind_text(stmt, 2, who, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, source, -1, SQLITE_STATIC);
    err = sek__policydb_do(db, stmt, diag);
    sqlite3_finalize(stmt);
    imp->db = db;
    imp->id = sqlite3_last_insert_rowid(db->db);
    imp->stats = (struct sek_inventory_stats){0};
    return err;
}

/* Room is made by what ended first. */
static enum sek_err make_room(struct sek_inventory_import *imp, struct sek_diag *diag)
{
    int64_t n = 0;
    enum sek_err err = sek_sql_int(imp->db->db, "SELECT count(*) FROM endpoint_span", &n, diag);
    if (err || n <= SEK_INVENTORY_MAX)
        return err;
    imp->stats.n_dropped = (uint64_t)(n - SEK_INVENTORY_MAX);
    return run(imp->db,
               "DELETE FROM endpoint_span WHERE (subject, from_s) IN (SELECT subject, from_s"
               " FROM endpoint_span ORDER BY until_s, from_s LIMIT ?1)",
               (int64_t[]){n - SEK_INVENTORY_MAX}, 1, NULL, diag);
}

enum sek_err sek_inventory_end(struct sek_inventory_import *imp, const char *format,
                               struct sek_diag *diag)
{
    const struct sek_inventory_stats *s = &imp->stats;
    enum sek_err err = s->n_added ? make_room(imp, diag) : SEK_OK;
    if (err)
        return err;
    if (!s->n_added && !s->n_changed)
        return run(imp->db, "DELETE FROM endpoint_import WHERE id = ?1", &imp->id, 1, NULL, diag);
    return run(imp->db,
               "UPDATE endpoint_import SET n_added = ?2, n_changed = ?3, format = ?4"
               " WHERE id = ?1",
               (int64_t[]){imp->id, (int64_t)s->n_added, (int64_t)s->n_changed}, 3, format, diag);
}

/* --- statements --------------------------------------------------------------------------------
 */

void sek__inventory_row(sqlite3_stmt *stmt, int at, struct sek__span_row *out)
{
    out->from_s = sqlite3_column_int64(stmt, at);
    out->until_s = sqlite3_column_int64(stmt, at + 1);
    out->ended = sqlite3_column_int(stmt, at + 2) != 0;
    sek__policydb_text(stmt, at + 3, out->machine.mac, sizeof out->machine.mac);
    sek__policydb_text(stmt, at + 4, out->machine.name, sizeof out->machine.name);
    sek__policydb_text(stmt, at + 5, out->machine.owner, sizeof out->machine.owner);
    sek__policydb_text(stmt, at + 6, out->machine.group, sizeof out->machine.group);
}

enum sek_err sek__inventory_before(struct sek_policydb *db, const struct sek__subject *subject,
                                   int64_t time_s, struct sek__span_row *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(db, SEK_POLICY_SQL_SPAN_BEFORE, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, subject->octets, (int)subject->len, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, time_s);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        sek__inventory_row(stmt, 0, out);
        out->seen_s = sqlite3_column_int64(stmt, 7);
    }
    err = rc == SQLITE_ROW    ? SEK_OK
          : rc == SQLITE_DONE ? SEK_E_NOTFOUND
                              : sek__policydb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

void sek__subject_of_addr(const struct sek_addr *addr, struct sek__subject *out)
{
    out->len = sizeof addr->octets;
    memcpy(out->octets, addr->octets, sizeof addr->octets);
}

/* 'm' and the text without colons: of another length than an address. */
void sek__subject_of_mac(const char *mac, struct sek__subject *out)
{
    out->octets[0] = 'm';
    out->len = 1;
    for (; *mac && out->len < sizeof out->octets; mac++)
        if (*mac != ':')
            out->octets[out->len++] = (uint8_t)*mac;
}

static enum sek_err write_row(struct sek_inventory_import *imp, enum sek_policy_sql sql,
                              const struct sek__subject *subject, const struct sek__span_row *row,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek__policydb_stmt(imp->db, sql, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_blob(stmt, 1, subject->octets, (int)subject->len, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, row->from_s);
    sqlite3_bind_int64(stmt, 3, row->until_s);
    sqlite3_bind_int(stmt, 4, row->ended);
    sqlite3_bind_text(stmt, 5, row->machine.mac, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 6, row->machine.name, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 7, row->machine.owner, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, row->machine.group, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 9, imp->id);
    sqlite3_bind_int64(stmt, 10, row->seen_s);
    return sek__policydb_do(imp->db, stmt, diag);
}

static bool differ(const char *a, const char *b)
{
    return *a && *b && strcmp(a, b) != 0;
}

static bool agree(const char *a, const char *b)
{
    return *a && strcmp(a, b) == 0;
}

static bool is_same(const struct sek_machine *a, const struct sek_machine *b)
{
    bool both_named = *a->name && *b->name;
    if (differ(a->mac, b->mac) || differ(a->owner, b->owner) || differ(a->group, b->group) ||
        (both_named && !sek_machine_name_is_like(a->name, b->name)))
        return false;
    if (agree(a->mac, b->mac) || both_named)
        return true;
    bool nameless = !(*a->mac || *a->name) || !(*b->mac || *b->name);
    return nameless && (agree(a->owner, b->owner) || agree(a->group, b->group));
}

static bool fill(char *to, const char *from, size_t size)
{
    bool fills = !*to && *from;
    if (fills)
        memcpy(to, from, size);
    return fills;
}

bool sek__machine_fill(struct sek_machine *to, const struct sek_machine *from)
{
    bool filled = fill(to->mac, from->mac, sizeof to->mac);
    filled |= fill(to->name, from->name, sizeof to->name);
    filled |= fill(to->owner, from->owner, sizeof to->owner);
    filled |= fill(to->group, from->group, sizeof to->group);
    return filled;
}

enum step { NOTHING, NOTE, CHANGE, ADD }; /* NOTE: that it still lasts, no more */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A statement of the machine that row is about, from within row's time or its very end. */
static enum step join(struct sek__span_row *row, const struct sek__span_row *s)
{
    struct sek__span_row old = *row;
    bool begins = s->from_s == row->from_s;
    if (!begins && s->ended && row->ended && s->until_s > row->until_s)
        return ADD;
    if (!begins && !s->ended && row->ended && s->from_s == row->until_s)
        return ADD;
    if (s->ended && (begins || (!row->ended && s->until_s > row->seen_s))) {
        row->until_s = s->until_s;
        row->ended = true;
    } else if (!s->ended && !row->ended) {
        row->until_s = later(row->until_s, s->until_s);
        row->seen_s = later(row->seen_s, s->seen_s);
    }
    bool filled = sek__machine_fill(&row->machine, &s->machine);
    if (filled || row->until_s != old.until_s || row->ended != old.ended)
        return CHANGE;
    return row->seen_s != old.seen_s ? NOTE : NOTHING;
}

/* It is over: row ends at s->until_s, if it does not before. */
static enum step end_row(struct sek__span_row *row, const struct sek__span_row *s)
{
    if (!is_same(&row->machine, &s->machine) || s->from_s >= row->until_s ||
        s->until_s >= row->until_s || s->until_s <= row->seen_s)
        return NOTHING;
    row->until_s = later(s->until_s, row->from_s + 1);
    row->ended = true;
    return CHANGE;
}

/* What a statement does; row: the last one at or before its begin, changed for CHANGE. */
static enum step decide(struct sek__span_row *row, const struct sek__span_row *s)
{
    if (is_same(&row->machine, &s->machine) && s->from_s <= row->until_s)
        return join(row, s);
    if (row->from_s != s->from_s)
        return ADD;
    *row = *s; /* two of the same begin: who comes later is right */
    return CHANGE;
}

static enum sek_err subject_put(struct sek_inventory_import *imp,
                                const struct sek__subject *subject, const struct sek_lease *lease,
                                struct sek_diag *diag)
{
    struct sek__span_row row = {0}, s = {.from_s = lease->from_s,
                                         .until_s = lease->until_s,
                                         .ended = lease->end == SEK_LEASE_ENDED,
                                         .machine = lease->machine};
    bool undated = s.from_s == SEK_LEASE_UNDATED;
    if (undated)
        s.from_s = imp->time_s;
    s.seen_s = s.from_s;
    enum sek_err err = sek__inventory_before(imp->db, subject, s.from_s, &row, diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    if (undated && err && !imp->dated)
        s.from_s = 0;
    if (s.until_s <= s.from_s)
        return SEK_OK; /* over before the file was true: that it began is known by others, if at all
                        */
    enum step step = err ? ADD : decide(&row, &s);
    if (lease->end == SEK_LEASE_GONE)
        step = err ? NOTHING : end_row(&row, &s);
    imp->stats.n_added += step == ADD;
    imp->stats.n_changed += step == CHANGE;
    if (step == NOTHING)
        return SEK_OK;
    return write_row(imp, step == ADD ? SEK_POLICY_SQL_SPAN_ADD : SEK_POLICY_SQL_SPAN_SET, subject,
                     step == ADD ? &s : &row, diag);
}

enum sek_err sek_inventory_put(struct sek_inventory_import *imp, const struct sek_lease *lease,
                               struct sek_diag *diag)
{
    const struct sek_machine *m = &lease->machine;
    struct sek__subject subject;
    enum sek_err err = SEK_OK;
    imp->stats.n_stated++;
    if (lease->has_addr) {
        sek__subject_of_addr(&lease->addr, &subject);
        err = subject_put(imp, &subject, lease, diag);
    }
    if (!err && *m->mac && lease->end != SEK_LEASE_GONE &&
        (!lease->has_addr || *m->owner || *m->group)) {
        sek__subject_of_mac(m->mac, &subject);
        err = subject_put(imp, &subject, lease, diag);
    }
    return err;
}
