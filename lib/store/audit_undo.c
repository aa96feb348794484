/* SPDX-License-Identifier: BSD-3-Clause */
/* Undo: the changes of a row are taken back one by one, the last one first, each by one statement
 * made from the table of store/journal.h. What is taken back is itself a change that triggers note,
 * so that undo can be undone. */
#include "base/hash.h"
#include "store/audit_parts.h"
#include "store/feeds_parts.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PROGRESS_STEPS 4096

struct undo {
    struct sek_policydb *db;
    int64_t number, now_s;
    bool force;
    sek_progress_fn *progress;
    void *progress_arg;
    uint64_t n_steps, n_all;
    struct sek_hash_key key; /* of the objects below */
    uint64_t *objects;       /* hashes of the row's objects, sorted; 0 is none of them */
    size_t n_objects, room;
    struct sek__row_getters now;
    sqlite3_stmt *put[SEK_JOURNAL_TABLES], *del[SEK_JOURNAL_TABLES];
    uint16_t list; /* whose count of entries is to be corrected by `count` */
    int64_t count;
    uint16_t feed;   /* whose source or format comes back, by its list; 0: none */
    bool feed_moved; /* the source */
    int64_t later;   /* the last row that touched one of the objects */
    struct sek_buf object;
};

static void step(struct undo *u)
{
    if (u->progress && ++u->n_steps % PROGRESS_STEPS == 0)
        u->progress(u->progress_arg, u->n_all ? (unsigned)(u->n_steps * 1000 / u->n_all) : 1001);
}

/* --- objects -----------------------------------------------------------------------------------
 */

static uint64_t object_of(const struct undo *u, const struct sek__journal_table *t,
                          const struct sek__cell *row, unsigned n_key)
{
    return sek__audit_object(&u->key, t, row, n_key);
}

/* A list that the row made is touched by entries that others put into it: its removal would take
 * them along. */
static uint64_t content_of_list(const struct undo *u, const struct sek__cell *list_id)
{
    return object_of(u, sek__journal_table(SEK_JOURNAL_ENTRY), list_id, 1);
}

static enum sek_err object_add(struct undo *u, uint64_t object, struct sek_diag *diag)
{
    if (u->n_objects == u->room) {
        size_t room = u->room ? 2 * u->room : 256;
        uint64_t *all = reallocarray(u->objects, room, sizeof *all);
        if (!all)
            return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for so many changes");
        u->objects = all;
        u->room = room;
    }
    u->objects[u->n_objects++] = object;
    return SEK_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_ours(const struct undo *u, uint64_t object)
{
    return bsearch(&object, u->objects, u->n_objects, sizeof object, compare) != NULL;
}

static enum sek_err collect(void *arg, const uint8_t *part, size_t len, struct sek_diag *diag)
{
    struct undo *u = arg;
    struct sek__changes c;
    enum sek_err err = sek__changes_read(part, len, &c, diag);
    for (size_t i = 0; !err && i < c.n; i++) {
        const struct sek__change *change = &c.all[i];
        const struct sek__cell *row = change->fresh ? change->fresh : change->old;
        if (change->op == 'n')
            continue;
        u->n_all++;
        err = object_add(u, object_of(u, change->table, row, change->table->n_key), diag);
        if (!err && change->table->id == SEK_JOURNAL_LIST && change->op == 'i')
            err = object_add(u, content_of_list(u, &row[0]), diag);
    }
    sek__changes_free(&c);
    return err;
}

/* --- what came later ---------------------------------------------------------------------------
 */

struct later {
    struct undo *u;
    bool found;
};

static enum sek_err look_for_ours(void *arg, const uint8_t *part, size_t len, struct sek_diag *diag)
{
    struct later *l = arg;
    struct sek__changes c;
    enum sek_err err = sek__changes_read(part, len, &c, diag);
    for (size_t i = 0; !err && i < c.n && !l->found; i++) {
        const struct sek__change *change = &c.all[i];
        const struct sek__cell *row = change->fresh ? change->fresh : change->old;
        if (change->op == 'n')
            continue;
        l->found =
            is_ours(l->u, object_of(l->u, change->table, row, change->table->n_key)) ||
            (change->table->id == SEK_JOURNAL_ENTRY && is_ours(l->u, content_of_list(l->u, row)));
        if (l->found) {
            sek_buf_reset(&l->u->object);
            struct sek__list_names *names = NULL;
            sek__list_names_add(&names, &c);
            change->table->object(row, names, &l->u->object);
            sek__list_names_free(names);
        }
    }
    sek__changes_free(&c);
    return err;
}

/* A later row counts unless it was taken back, and unless it took back a later one. */
static enum sek_err counts(struct undo *u, int64_t number, int64_t undoes, bool *out,
                           struct sek_diag *diag)
{
    int64_t by = 0;
    enum sek_err err = sek__audit_undone_by(u->db, number, &by, diag);
    *out = !by && !(undoes > u->number);
    return err;
}

static enum sek_err find_later(struct undo *u, struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        u->db->db, "SELECT number, undoes FROM main.audit WHERE number > ?1 ORDER BY number DESC",
        &stmt, diag);
    if (err)
        return err;
    int rc;
    sqlite3_bind_int64(stmt, 1, u->number);
    while (!err && !u->later && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
        struct later l = {.u = u};
        unsigned n;
        bool does;
        if (rc != SQLITE_ROW) {
            err = sek__policydb_fail(u->db, rc, diag);
            break;
        }
        int64_t number = sqlite3_column_int64(stmt, 0);
        err = counts(u, number, sqlite3_column_int64(stmt, 1), &does, diag);
        if (!err && does)
            err = sek__audit_parts(u->db, number, false, look_for_ours, &l, &n, diag);
        if (l.found)
            u->later = number;
    }
    sqlite3_finalize(stmt);
    return err;
}

/* --- statements --------------------------------------------------------------------------------
 */

static enum sek_err statement(struct undo *u, sqlite3_stmt **stmt,
                              const struct sek__journal_table *t, char kind, struct sek_diag *diag)
{
    struct sek_buf b;
    if (*stmt) {
        sqlite3_reset(*stmt);
        return SEK_OK;
    }
    sek_buf_init(&b, 0);
    sek__journal_sql(t, kind, &b);
    enum sek_err err = b.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                                : sek_sql_prepare(u->db->db, b.data, stmt, diag);
    sek_buf_fini(&b);
    return err;
}

/* --- taking back -------------------------------------------------------------------------------
 */

static enum sek_err count_flush(struct undo *u, struct sek_diag *diag)
{
    enum sek_err err = u->count ? sek__policydb_count(u->db, u->list, u->count, diag) : SEK_OK;
    u->count = 0;
    return err;
}

static enum sek_err tell_rule(struct undo *u, bool added, const struct sek__cell *key,
                              const struct sek__cell *row, struct sek_diag *diag)
{
    const struct sek_rule rule = {.list = (uint16_t)key[0].n,
                                  .scope = (uint8_t)key[2].n,
                                  .action = (uint8_t)row[3].n,
                                  .expires_s = row[4].n};
    return sek__policydb_tell(u->db, added, key[1].len ? key[1].data : (const uint8_t *)"",
                              key[1].len, &rule, "", diag);
}

/* What was fetched is of the source, and read in the format, that the feed had until now. Done at
 * the end: it writes to the row, which older changes must find as they left it. */
static enum sek_err feed_flush(struct undo *u, struct sek_diag *diag)
{
    uint16_t feed = u->feed;
    u->feed = 0;
    if (!feed)
        return SEK_OK;
    return u->feed_moved ? sek__feed_moved(u->db, feed, u->now_s, diag)
                         : sek__feed_reread(u->db, feed, diag);
}

static enum sek_err follow_feed(struct undo *u, const struct sek__cell *was,
                                const struct sek__cell *is, struct sek_diag *diag)
{
    uint16_t feed = (uint16_t)is[0].n;
    bool moved = !sek__cells_equal(was + SEK_JOURNAL_SOURCE, is + SEK_JOURNAL_SOURCE, 3);
    enum sek_err err = SEK_OK;
    if (!moved && sek__cells_equal(was + SEK_JOURNAL_FORMAT, is + SEK_JOURNAL_FORMAT, 1))
        return SEK_OK;
    if (feed != u->feed) {
        err = feed_flush(u, diag);
        u->feed_moved = false;
    }
    u->feed = feed;
    u->feed_moved |= moved;
    return err;
}

/* What else hangs on a row: the compiled policy, those who watch, counts of entries. was, is: NULL
 * for none; their numbers and terms are looked at, the other texts are those of key. */
static enum sek_err follow(struct undo *u, const struct sek__journal_table *t,
                           const struct sek__cell *key, const struct sek__cell *was,
                           const struct sek__cell *is, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    if (t->id == SEK_JOURNAL_LIST)
        u->db->changed = true;
    if (t->id == SEK_JOURNAL_FEED && was && is)
        return follow_feed(u, was, is, diag);
    if (t->id != SEK_JOURNAL_ENTRY)
        return SEK_OK;
    if ((uint16_t)key[0].n != u->list)
        err = count_flush(u, diag);
    u->list = (uint16_t)key[0].n;
    u->count += (is != NULL) - (was != NULL);
    if (was && is && was[3].n == is[3].n && was[4].n == is[4].n &&
        sek__cells_equal(&was[SEK_JOURNAL_TERMS], &is[SEK_JOURNAL_TERMS], 1))
        return err; /* the same rule: what is said of it differs */
    if (!err && was)
        err = tell_rule(u, false, key, was, diag);
    if (!err && is)
        err = tell_rule(u, true, key, is, diag);
    return err;
}

static enum sek_err not_as_left(struct undo *u, const struct sek__journal_table *t,
                                const struct sek__cell *row, struct sek_diag *diag)
{
    sek_buf_reset(&u->object);
    t->object(row, NULL, &u->object);
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "%s is not as row %" PRId64 " left it, and no later row tells who changed "
                        "it (--force takes back what the row changed all the same)",
                        u->object.data ? u->object.data : t->name, u->number);
}

/* Entries that ended are swept away after a while: that is nobody's change. */
static bool is_swept(const struct undo *u, const struct sek__journal_table *t,
                     const struct sek__cell *left, bool there)
{
    return t->id == SEK_JOURNAL_ENTRY && left && !there && left[4].n > 0 && left[4].n <= u->now_s;
}

/* The row as it is to be: as it was before, but for what only others changed since. */
static void restore(const struct sek__change *change, const struct sek__cell *now,
                    struct sek__cell *out)
{
    unsigned n = sek__journal_n_columns(change->table);
    for (unsigned i = 0; i < n; i++)
        out[i] = change->fresh && now && sek__cells_equal(&change->old[i], &change->fresh[i], 1)
                     ? now[i]
                     : change->old[i];
}

static enum sek_err write_row(struct undo *u, const struct sek__journal_table *t,
                              const struct sek__cell *key, const struct sek__cell *row,
                              struct sek_diag *diag)
{
    sqlite3_stmt **stmt = row ? &u->put[t->id] : &u->del[t->id];
    enum sek_err err = statement(u, stmt, t, row ? 'p' : 'd', diag);
    if (err)
        return err;
    sek__audit_bind(*stmt, row ? row : key, row ? sek__journal_n_columns(t) : t->n_key);
    err = sek__policydb_do(u->db, *stmt, diag);
    if (err == SEK_E_EXISTS || err == SEK_E_INVALID) {
        sek_buf_reset(&u->object);
        t->object(row ? row : key, NULL, &u->object);
        return sek_diag_set(
            diag, SEK_E_REFUSED,
            "%s cannot become again what it was: another one has its name or place, "
            "or what it belongs to is gone",
            u->object.data ? u->object.data : t->name);
    }
    return err;
}

/* A list that goes takes along what others put into it since (only by force). */
static enum sek_err list_empty(struct undo *u, const struct sek__cell *key, struct sek_diag *diag)
{
    struct sek__cell row[SEK_JOURNAL_COLUMNS];
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(u->db->db,
                                       "SELECT list, name, scope, action, expires_s FROM main.entry"
                                       " WHERE list = ?1 LIMIT 1",
                                       &stmt, diag);
    if (err)
        return err;
    int rc;
    sqlite3_bind_int64(stmt, 1, key[0].n);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct sek__journal_table *t = sek__journal_table(SEK_JOURNAL_ENTRY);
        uint8_t name[SEK_NAMEKEY_MAX];
        for (int i = 0; i < 5; i++)
            row[i] = sek__cell_of(sqlite3_column_value(stmt, i));
        if (row[1].len > sizeof name) {
            err = sek_diag_set(diag, SEK_E_CORRUPT, "policy.db: an entry has no valid name");
            break;
        }
        if (row[1].len)
            memcpy(name, row[1].data, row[1].len);
        row[1].data = name;
        sqlite3_reset(stmt);
        err = write_row(u, t, row, NULL, diag);
        if (!err)
            err = follow(u, t, row, row, NULL, diag);
    }
    sqlite3_finalize(stmt);
    return err ? err : count_flush(u, diag);
}

/* What others wrote about an incident since would be left without it. What was written with it is
 * gone by now, as the last change is undone first. */
static enum sek_err incident_alone(struct undo *u, const struct sek__cell *key,
                                   struct sek_diag *diag)
{
    sqlite3_stmt *stmt;
    enum sek_err err =
        sek_sql_prepare(u->db->db,
                        "SELECT (SELECT count(*) FROM main.incident_note WHERE incident = ?1),"
                        " (SELECT count(*) FROM main.incident_subject WHERE incident = ?1)",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, key[0].n);
    int rc = sqlite3_step(stmt);
    int64_t notes = sqlite3_column_int64(stmt, 0), subjects = sqlite3_column_int64(stmt, 1);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW)
        return sek__policydb_fail(u->db, rc, diag);
    if (notes + subjects == 0)
        return SEK_OK;
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "incident %" PRId64 " has got %s since: undo what added them first, or "
                        "close it (sekisho incident close)",
                        key[0].n,
                        !subjects ? "notes"
                        : notes   ? "notes, endpoints or names"
                                  : "endpoints or names");
}

static enum sek_err take_back(struct undo *u, const struct sek__change *change,
                              struct sek_diag *diag)
{
    const struct sek__journal_table *t = change->table;
    const struct sek__cell *left = change->fresh, *key = left ? left : change->old;
    struct sek__cell now[SEK_JOURNAL_COLUMNS], back[SEK_JOURNAL_COLUMNS];
    unsigned n = sek__journal_n_columns(t);
    bool there;
    enum sek_err err = sek__audit_row_now(u->db, &u->now, t, key, now, &there, diag);
    if (err)
        return err;
    bool as_left = there == (left != NULL) && (!there || sek__cells_equal(now, left, n));
    if (!as_left && !u->force && !is_swept(u, t, left, there))
        return not_as_left(u, t, key, diag);
    if (change->old)
        restore(change, there ? now : NULL, back);
    if (!there && !change->old)
        return SEK_OK;
    if (!change->old && t->id == SEK_JOURNAL_LIST)
        err = list_empty(u, key, diag);
    if (!change->old && t->id == SEK_JOURNAL_INCIDENT)
        err = incident_alone(u, key, diag);
    if (!err)
        err = write_row(u, t, key, change->old ? back : NULL, diag);
    if (!err)
        err = follow(u, t, key, there ? now : NULL, change->old ? back : NULL, diag);
    sqlite3_reset(u->now.get[t->id]);
    return err;
}

static enum sek_err take_back_part(void *arg, const uint8_t *part, size_t len,
                                   struct sek_diag *diag)
{
    struct undo *u = arg;
    struct sek__changes c;
    enum sek_err err = sek__changes_read(part, len, &c, diag);
    for (size_t i = c.n; !err && i > 0; i--)
        if (c.all[i - 1].op != 'n') {
            err = take_back(u, &c.all[i - 1], diag);
            step(u);
        }
    sek__changes_free(&c);
    return err;
}

/* --- may it? -----------------------------------------------------------------------------------
 */

static enum sek_err refuse_later(struct undo *u, struct sek_diag *diag)
{
    char verb[64] = "", user[64] = "";
    sqlite3_stmt *stmt;
    enum sek_err err = sek_sql_prepare(
        u->db->db, "SELECT verb, user FROM main.audit WHERE number = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, u->later);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        sek__policydb_text(stmt, 0, verb, sizeof verb);
        sek__policydb_text(stmt, 1, user, sizeof user);
    }
    sqlite3_finalize(stmt);
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "row %" PRId64
                        " (%s by %s) changed %.200s later: undo that first, or --force",
                        u->later, verb, user, u->object.data ? u->object.data : "the same object");
}

/* The row, its own hash and the digest of its data: undo does what the chain vouches for. */
static enum sek_err row_check(struct undo *u, struct sek_diag *diag)
{
    char hash[SEK_AUDIT_HASH_MAX], digest[SEK_AUDIT_HASH_MAX] = "";
    sqlite3_stmt *stmt;
    unsigned n = 0;
    int64_t by = 0;
    enum sek_err err = sek_sql_prepare(
        u->db->db, "SELECT " SEK_AUDIT_COLUMNS " FROM main.audit WHERE number = ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, u->number);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_DONE)
        err = sek_diag_set(diag, SEK_E_NOTFOUND, "the audit trail has no row %" PRId64, u->number);
    else if (rc != SQLITE_ROW)
        err = sek__policydb_fail(u->db, rc, diag);
    if (!err)
        err = sek__audit_hash(stmt, hash, diag);
    if (!err && strcmp(hash, (const char *)sqlite3_column_text(stmt, SEK_AUDIT_HASH)) != 0)
        err = sek_diag_set(diag, SEK_E_REFUSED,
                           "row %" PRId64 " was altered after it was written, see: sekisho audit "
                           "verify",
                           u->number);
    if (!err && sqlite3_column_bytes(stmt, SEK_AUDIT_CHANGES) == 0)
        err = sek_diag_set(diag, SEK_E_REFUSED,
                           "row %" PRId64 " tells of a change outside of policy.db: it cannot be "
                           "undone from here",
                           u->number);
    if (!err)
        err = sek__audit_digest(u->db, u->number, digest, &n, diag);
    if (!err && n == 0)
        err =
            sek_diag_set(diag, SEK_E_REFUSED,
                         "the data to undo row %" PRId64 " is not kept (any more): audit.undo and "
                         "audit.undo-size say for how long, and how much",
                         u->number);
    if (!err && strcmp(digest, (const char *)sqlite3_column_text(stmt, SEK_AUDIT_CHANGES)) != 0)
        err = sek_diag_set(
            diag, SEK_E_REFUSED,
            "the data to undo row %" PRId64 " was altered, see: sekisho audit verify", u->number);
    sqlite3_finalize(stmt);
    if (!err)
        err = sek__audit_undone_by(u->db, u->number, &by, diag);
    if (!err && by)
        err = sek_diag_set(diag, SEK_E_REFUSED,
                           "row %" PRId64 " was undone by row %" PRId64 " already", u->number, by);
    return err;
}

static enum sek_err run(struct undo *u, struct sek_diag *diag)
{
    unsigned n;
    enum sek_err err = row_check(u, diag);
    if (!err)
        err = sek__audit_parts(u->db, u->number, false, collect, u, &n, diag);
    if (err)
        return err;
    qsort(u->objects, u->n_objects, sizeof *u->objects, compare);
    if (!u->force)
        err = find_later(u, diag);
    if (!err && u->later)
        err = refuse_later(u, diag);
    if (!err)
        err = sek__audit_parts(u->db, u->number, true, take_back_part, u, &n, diag);
    if (!err)
        err = feed_flush(u, diag);
    return err ? err : count_flush(u, diag);
}

enum sek_err sek_audit_undo(struct sek_policydb *db, int64_t number, bool force, int64_t now_s,
                            sek_progress_fn *progress, void *arg, struct sek_diag *diag)
{
    struct undo u = {.db = db,
                     .number = number,
                     .force = force,
                     .now_s = now_s,
                     .progress = progress,
                     .progress_arg = arg,
                     .key = sek_hash_key_random()};
    sek_buf_init(&u.object, 0);
    enum sek_err err = run(&u, diag);
    for (int i = 0; i < SEK_JOURNAL_TABLES; i++) {
        sqlite3_finalize(u.put[i]);
        sqlite3_finalize(u.del[i]);
    }
    sek__audit_getters_fini(&u.now);
    free(u.objects);
    sek_buf_fini(&u.object);
    return err;
}
