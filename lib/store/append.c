/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb_parts.h"
#include <string.h>
#include "base/banned.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static struct sek_idmap_key hash_of(const struct sek_eventsdb *db, const void *data, size_t len)
{
    return (struct sek_idmap_key){sek_hash(&db->key_a, data, len),
                                  sek_hash(&db->key_b, data, len) | 1};
}

/* Ids in memory count as used in db->hour. A row of a later hour, or of one well before (the clock
 * was set back), starts anew; a straggler of the hour before does not. */
static void set_time(struct sek_eventsdb *db, int64_t minute)
{
    int64_t hour = floor_div(minute, 60);
    if (hour > db->hour || hour < db->hour - 1) {
        sek_idmap_clear(&db->names);
        sek_idmap_clear(&db->endpoints);
        db->hour = hour;
    }
    if (minute > db->minute || minute < db->minute - 1) {
        sek_idmap_turn(&db->rows);
        db->minute = minute;
    }
}

/* --- ids ---------------------------------------------------------------------------------------
 */

/* The three statements of a table of texts: SELECT id, used; INSERT; UPDATE used. */
struct intern {
    enum sek_event_statement get, use;
};

/* Look a text up. *out_id 0: not there. */
static enum sek_err find_text(struct sek_eventsdb *db, const struct intern *in, const char *text,
                              size_t len, int64_t *out_id, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = db->st[in->get];
    int64_t used = 0;
    enum sek_err err = SEK_OK;
    *out_id = 0;
    sqlite3_bind_text(stmt, 1, text, (int)len, SQLITE_STATIC);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *out_id = sqlite3_column_int64(stmt, 0);
        used = sqlite3_column_int64(stmt, 1);
    } else if (rc != SQLITE_DONE) {
        err = sek__eventsdb_fail(db, rc, diag);
    }
    sqlite3_reset(stmt);
    if (!err && *out_id && used < db->hour)
        err = sek__eventsdb_run(db, in->use, (int64_t[]){*out_id, db->hour}, 2, diag);
    return err;
}

static enum sek_err name_id(struct sek_eventsdb *db, const uint8_t *wire, size_t len, int64_t *out,
                            struct sek_diag *diag)
{
    static const struct intern in = {SEK_ST_NAME_GET, SEK_ST_NAME_USE};
    char text[SEK_NAME_TEXT_MAX], path[SEK_NAME_TEXT_MAX];
    struct sek_idmap_key key = hash_of(db, wire, len);
    if (sek_idmap_get(&db->names, key, out))
        return SEK_OK;
    size_t n_path = sek_name_to_path(wire, path);
    enum sek_err err = find_text(db, &in, path, n_path, out, diag);
    if (!err && *out == 0) {
        size_t n_text = sek_name_to_text(wire, text);
        sqlite3_bind_text(db->st[SEK_ST_NAME_PUT], 1, text, (int)n_text, SQLITE_STATIC);
        sqlite3_bind_text(db->st[SEK_ST_NAME_PUT], 2, path, (int)n_path, SQLITE_STATIC);
        sqlite3_bind_int64(db->st[SEK_ST_NAME_PUT], 3, db->hour);
        err = sek__eventsdb_run(db, SEK_ST_NAME_PUT, NULL, 0, diag);
        *out = sqlite3_last_insert_rowid(db->sql);
    }
    if (!err)
        sek_idmap_put(&db->names, key, *out);
    return err;
}

static enum sek_err endpoint_id(struct sek_eventsdb *db, const struct sek_addr *addr, int64_t at_ms,
                                int64_t *out, struct sek_diag *diag)
{
    static const struct intern in = {SEK_ST_ENDPOINT_GET, SEK_ST_ENDPOINT_USE};
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_idmap_key key = hash_of(db, addr, sizeof *addr);
    if (sek_idmap_get(&db->endpoints, key, out))
        return SEK_OK;
    size_t len = strlen(sek_addr_to_text(addr, text));
    enum sek_err err = find_text(db, &in, text, len, out, diag);
    if (!err && *out == 0) {
        sqlite3_bind_text(db->st[SEK_ST_ENDPOINT_PUT], 1, text, (int)len, SQLITE_STATIC);
        sqlite3_bind_int64(db->st[SEK_ST_ENDPOINT_PUT], 2, at_ms);
        sqlite3_bind_int64(db->st[SEK_ST_ENDPOINT_PUT], 3, db->hour);
        err = sek__eventsdb_run(db, SEK_ST_ENDPOINT_PUT, NULL, 0, diag);
        *out = sqlite3_last_insert_rowid(db->sql);
    }
    if (!err)
        sek_idmap_put(&db->endpoints, key, *out);
    return err;
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Add the sums that wait: all places filled in one statement, fewer one by one. */
static enum sek_err flush_sums(struct sek_eventsdb *db, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    if (db->n_sums == SEK_SUM_ROWS)
        err = sek__eventsdb_run(db, SEK_ST_SUM_ADD_64, db->sums[0], SEK_SUM_ROWS * SEK_SUM_COLUMNS,
                                diag);
    else
        for (unsigned i = 0; i < db->n_sums && !err; i++)
            err = sek__eventsdb_run(db, SEK_ST_SUM_ADD, db->sums[i], SEK_SUM_COLUMNS, diag);
    db->n_sums = 0;
    return err;
}

static enum sek_err add_sum(struct sek_eventsdb *db, int64_t row, const struct sek_tally_hit *hit,
                            struct sek_diag *diag)
{
    const int64_t values[SEK_SUM_COLUMNS] = {row, (int64_t)hit->count, hit->first_ms, hit->last_ms};
    memcpy(db->sums[db->n_sums++], values, sizeof values);
    return db->n_sums == SEK_SUM_ROWS ? flush_sums(db, diag) : SEK_OK;
}

static enum sek_err insert_hit(struct sek_eventsdb *db, const struct sek_tally_hit *hit,
                               int64_t *out_row, struct sek_diag *diag)
{
    const struct sek_event *e = &hit->event;
    const uint8_t *name = e->names, *end = name + e->name_len;
    const uint8_t *matched = e->matched_len ? end : name;
    const uint8_t *matched_end = end + e->matched_len;
    const uint8_t *owner = e->owner_len ? matched_end : sek_name_skip(matched, e->depth);
    const uint8_t *domain = sek_name_skip(name, hit->domain_labels);
    int64_t endpoint_no, name_no, domain_no, matched_no, owner_no;
    enum sek_err err = endpoint_id(db, &e->endpoint, hit->first_ms, &endpoint_no, diag);
    if (!err)
        err = name_id(db, name, e->name_len, &name_no, diag);
    if (!err)
        err = name_id(db, domain, (size_t)(end - domain), &domain_no, diag);
    if (!err)
        err = name_id(db, matched, (size_t)(matched_end - matched), &matched_no, diag);
    if (!err)
        err = name_id(db, owner, (size_t)(matched_end + e->owner_len - owner), &owner_no, diag);
    if (err)
        return err;
    uint32_t decision =
        sek_event_decision_id(&e->endpoint, name, e->name_len, e->qtype, e->list, hit->minute);
    const int64_t values[] = {hit->minute, endpoint_no,   name_no,    domain_no,     e->qtype,
                              e->list,     e->action,     e->would,   e->trigger,    e->monitor,
                              e->scope,    owner_no,      matched_no, e->generation, decision,
                              e->score,    ++db->last_hit};
    err = sek__eventsdb_run(db, SEK_ST_HIT_PUT, values, sizeof values / sizeof values[0], diag);
    if (err)
        return err;
    *out_row = db->last_hit;
    return SEK_OK;
}

/* The key of a hit's row is the tally's: what struct sek_event keeps together, and the minute. */
static struct sek_idmap_key hit_key(const struct sek_eventsdb *db, const struct sek_tally_hit *hit)
{
    const struct sek_event *e = &hit->event;
    struct sek_idmap_key key =
        hash_of(db, (const uint8_t *)e + SEK_EVENT_KEY_AT, sek_event_key_len(e));
    key.a += (uint64_t)hit->minute * SEK_HASH_GOLDEN;
    return key;
}

static enum sek_err put_hit(struct sek_eventsdb *db, const struct sek_tally_hit *hit,
                            struct sek_diag *diag)
{
    struct sek_idmap_key key = hit_key(db, hit);
    int64_t row;
    bool closed = (hit->minute + 1) * 60000 + SEK_HIT_CLOSED_MS <= db->now_ms;
    set_time(db, hit->minute);
    if (closed || !sek_idmap_get(&db->rows, key, &row)) {
        enum sek_err err = insert_hit(db, hit, &row, diag);
        if (err)
            return err;
        if (!closed)
            sek_idmap_put(&db->rows, key, row);
    }
    return add_sum(db, row, hit, diag);
}

static enum sek_err put_traffic(struct sek_eventsdb *db, const struct sek_tally_traffic *t,
                                struct sek_diag *diag)
{
    int64_t endpoint_no, domain_no;
    set_time(db, t->minute);
    enum sek_err err = endpoint_id(db, &t->endpoint, t->minute * 60000, &endpoint_no, diag);
    if (!err)
        err = name_id(db, t->domain, t->domain_len, &domain_no, diag);
    if (err)
        return err;
    const int64_t values[] = {t->minute,
                              endpoint_no,
                              domain_no,
                              (int64_t)t->count[SEK_OUTCOME_HIT],
                              (int64_t)t->count[SEK_OUTCOME_CACHED],
                              (int64_t)t->count[SEK_OUTCOME_PASSED],
                              (int64_t)t->count[SEK_OUTCOME_NXDOMAIN],
                              (int64_t)t->count[SEK_OUTCOME_FAILED],
                              (int64_t)t->count[SEK_OUTCOME_LOCAL]};
    return sek__eventsdb_run(db, SEK_ST_TRAFFIC_PUT, values, 9, diag);
}

/* Names of lists change seldom: written when a digest of all differs from the last stored one. */
static enum sek_err put_lists(struct sek_eventsdb *db, const struct sek_list *lists, unsigned n,
                              struct sek_diag *diag)
{
    uint64_t digest = 1;
    enum sek_err err = SEK_OK;
    for (unsigned i = 0; i < n; i++)
        digest = digest * SEK_HASH_GOLDEN + lists[i].id +
                 sek_hash(&db->key_a, lists[i].name, strnlen(lists[i].name, SEK_LIST_NAME_MAX));
    if (digest == db->lists_seen)
        return SEK_OK;
    sqlite3_stmt *stmt = db->st[SEK_ST_LIST_PUT];
    for (unsigned i = 0; i < n && !err; i++) {
        sqlite3_bind_int64(stmt, 1, lists[i].id);
        sqlite3_bind_text(stmt, 2, lists[i].name, (int)strnlen(lists[i].name, SEK_LIST_NAME_MAX),
                          SQLITE_STATIC);
        err = sek__eventsdb_run(db, SEK_ST_LIST_PUT, NULL, 0, diag);
    }
    if (!err)
        db->lists_seen = digest;
    return err;
}

void sek_eventsdb_set_time(struct sek_eventsdb *db, int64_t now_ms)
{
    db->now_ms = now_ms;
}

enum sek_err sek_eventsdb_store(struct sek_eventsdb *db, const struct sek_tally_batch *batch,
                                const struct sek_list *lists, unsigned n_lists, uint64_t *out_rows,
                                struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    db->n_sums = 0;
    err = put_lists(db, lists, n_lists, diag);
    for (const struct sek_tally_hit *h = batch->hits; h && !err; h = h->next)
        err = put_hit(db, h, diag);
    if (!err)
        err = flush_sums(db, diag);
    for (const struct sek_tally_traffic *t = batch->traffic; t && !err; t = t->next)
        err = put_traffic(db, t, diag);
    err = sek__eventsdb_end(db, err, diag);
    if (err)
        return err;
    *out_rows = batch->n_hits + batch->n_traffic;
    sek_eventsdb_checkpoint(db, false);
    return SEK_OK;
}
