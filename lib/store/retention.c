/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb_parts.h"
#include "base/banned.h"

#define FINDINGS_STEP 16 /* deleted at once when only findings are left: each may be the last */

static int64_t before(int64_t now_s, int64_t own_s, int64_t retention_s)
{
    return now_s ? now_s - (own_s < retention_s ? own_s : retention_s) : 0;
}

struct sek_oldest sek_oldest_of(const struct sek_conf *conf, int64_t now_s)
{
    int64_t retention_s = conf->events.retention_s;
    return (struct sek_oldest){before(now_s, conf->events.hits_s, retention_s),
                               before(now_s, conf->events.traffic_s, retention_s),
                               before(now_s, conf->events.findings_s, retention_s)};
}

/* What is left in the tables: the oldest minute of each, or a finding's oldest end (Unix
 * milliseconds); INT64_MAX where there is none. */
struct extent {
    int64_t hit, traffic, finding_ms;
};

static int64_t oldest_of(const struct extent *x)
{
    return x->hit < x->traffic ? x->hit : x->traffic;
}

static enum sek_err look(struct sek_eventsdb *db, struct extent *out, struct sek_diag *diag)
{
    *out = (struct extent){INT64_MAX, INT64_MAX, INT64_MAX};
    enum sek_err err = sek__eventsdb_ask(db, SEK_ST_HIT_OLDEST, NULL, 0, &out->hit, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_TRAFFIC_OLDEST, NULL, 0, &out->traffic, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_FINDING_OLDEST, NULL, 0, &out->finding_ms, diag);
    return err;
}

/* Pages that deleted rows left behind are used again, so they do not count. */
static enum sek_err octets_in_use(struct sek_eventsdb *db, uint64_t *out, struct sek_diag *diag)
{
    int64_t n_pages, n_free, page_octets;
    enum sek_err err = sek_sql_int(db->sql, "PRAGMA page_count", &n_pages, diag);
    if (!err)
        err = sek_sql_int(db->sql, "PRAGMA freelist_count", &n_free, diag);
    if (!err)
        err = sek_sql_int(db->sql, "PRAGMA page_size", &page_octets, diag);
    if (!err)
        *out = (uint64_t)((n_pages - n_free) * page_octets);
    return err;
}

/* Names and endpoints last used before `hour`, max_rows a call, in the order of their ids. */
static enum sek_err sweep(struct sek_eventsdb *db, int64_t hour, unsigned max_rows,
                          struct sek_diag *diag)
{
    int64_t name_to = 0, endpoint_to = 0;
    enum sek_err err = sek__eventsdb_ask(db, SEK_ST_NAME_STEP,
                                         (int64_t[]){db->name_cursor, max_rows}, 2, &name_to, diag);
    if (!err && name_to)
        err = sek__eventsdb_run(db, SEK_ST_NAME_DELETE, (int64_t[]){db->name_cursor, name_to, hour},
                                3, diag);
    if (!err)
        err = sek__eventsdb_ask(db, SEK_ST_ENDPOINT_STEP,
                                (int64_t[]){db->endpoint_cursor, max_rows}, 2, &endpoint_to, diag);
    if (!err && endpoint_to)
        err = sek__eventsdb_run(db, SEK_ST_ENDPOINT_DELETE,
                                (int64_t[]){db->endpoint_cursor, endpoint_to, hour}, 3, diag);
    if (err)
        return err;
    if (hour > db->hour) { /* what is in memory may be gone */
        sek_idmap_clear(&db->names);
        sek_idmap_clear(&db->endpoints);
    }
    db->name_cursor = name_to ? name_to : db->name_cursor;
    db->endpoint_cursor = endpoint_to ? endpoint_to : db->endpoint_cursor;
    if (!name_to && !endpoint_to) {
        db->swept_hour = hour;
        db->name_cursor = db->endpoint_cursor = 0;
    }
    return SEK_OK;
}

static enum sek_err delete_before(struct sek_eventsdb *db, int64_t hit_minute,
                                  int64_t traffic_minute, unsigned max_rows, struct sek_diag *diag)
{
    sek_idmap_clear(&db->rows); /* may name what goes now */
    enum sek_err err = sek__eventsdb_keep_numbers(db, diag);
    if (!err)
        err = sek__eventsdb_run(db, SEK_ST_HIT_DELETE, (int64_t[]){hit_minute, max_rows}, 2, diag);
    return err ? err
               : sek__eventsdb_run(db, SEK_ST_TRAFFIC_DELETE, (int64_t[]){traffic_minute, max_rows},
                                   2, diag);
}

static enum sek_err delete_findings(struct sek_eventsdb *db, int64_t end_ms, unsigned max_rows,
                                    struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_keep_numbers(db, diag);
    return err ? err
               : sek__eventsdb_run(db, SEK_ST_FINDING_DELETE, (int64_t[]){end_ms, max_rows}, 2,
                                   diag);
}

/* The first thing that there is to do. */
static enum sek_err retain_step(struct sek_eventsdb *db, const struct sek_oldest *o,
                                uint64_t max_octets, unsigned max_rows, bool *out_more,
                                struct sek_diag *diag)
{
    const int64_t hits = o->hits_s / 60, traffic = o->traffic_s / 60; /* minutes before go */
    struct extent x;
    uint64_t octets = 0;
    enum sek_err err = look(db, &x, diag);
    if (!err)
        err = octets_in_use(db, &octets, diag);
    if (err)
        return err;
    int64_t oldest = oldest_of(&x);
    bool empty = oldest == INT64_MAX;
    /* without rows nothing is needed, but what is in use this hour will be again */
    int64_t hour = empty ? db->hour : oldest / 60;
    *out_more = true;
    if (x.hit < hits || x.traffic < traffic)
        return delete_before(db, hits, traffic, max_rows, diag);
    if (x.finding_ms < o->findings_s * 1000)
        return delete_findings(db, o->findings_s * 1000, max_rows, diag);
    if (hour > db->swept_hour)
        return sweep(db, hour, max_rows, diag);
    if (octets > max_octets && !empty)
        /* names of deleted rows are swept before more rows go */
        return delete_before(db, oldest + 1, oldest + 1, max_rows, diag);
    if (octets > max_octets && x.finding_ms != INT64_MAX)
        return delete_findings(db, INT64_MAX, FINDINGS_STEP, diag);
    *out_more = false;
    return SEK_OK;
}

enum sek_err sek_eventsdb_retain(struct sek_eventsdb *db, const struct sek_oldest *oldest,
                                 uint64_t max_octets, unsigned max_rows, bool *out_more,
                                 struct sek_diag *diag)
{
    bool more = true;
    enum sek_err err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    err = retain_step(db, oldest, max_octets, max_rows, &more, diag);
    err = sek__eventsdb_end(db, err, diag);
    if (err)
        return err;
    *out_more = more;
    sek_eventsdb_checkpoint(db, false);
    return SEK_OK;
}
