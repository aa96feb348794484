/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass over the hits of the time, one over findings and one over first queries, each row added
 * to a sum in memory: an index cannot help, as all of it counts. */
#include "store/report_endpoints.h"
#include "base/hash.h"
#include "classify/classify.h"
#include "store/report_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define HALF_LIVES 8 /* after so many 0.4 % are left */
#define NO_SLOT UINT32_MAX

/* --- sums --------------------------------------------------------------------------------------
 */

/* From a number to a place; a number is there once. */
struct map {
    uint64_t *keys; /* 0: free */
    uint32_t *places;
    size_t n_slots, n;
};

struct endpoint {
    size_t address;   /* in texts */
    uint32_t tenancy; /* its first; NO_SLOT: none yet */
};

struct tenancy {
    uint32_t endpoint, next; /* of this endpoint */
    uint32_t sums;           /* its first */
    int64_t from_s, until_s, last_ms;
    double points;
};

/* What becomes a reason. */
struct sum {
    uint32_t tenancy, next; /* of this tenancy */
    enum sek_risk_part part;
    int key;  /* list, or detector */
    double n; /* decayed; of findings: points of the strongest */
    double confidence;
    uint64_t count;
    int64_t last_ms;
    size_t domain; /* in texts; 0 = none */
};

struct work {
    struct sek_report *r;
    const struct sek_risk_query *q;
    int64_t since_s;
    struct sek_hash_key key;
    struct map by_id, by_address, by_sum; /* ids of rows, hashes of addresses, keys of sums */
    struct sek_buf endpoints, tenancies, sums, texts;
};

static struct endpoint *endpoint_at(const struct work *w, uint32_t i)
{
    return (struct endpoint *)(void *)w->endpoints.data + i;
}

static struct tenancy *tenancy_at(const struct work *w, uint32_t i)
{
    return (struct tenancy *)(void *)w->tenancies.data + i;
}

static struct sum *sum_at(const struct work *w, uint32_t i)
{
    return (struct sum *)(void *)w->sums.data + i;
}

static size_t map_slot(const struct map *m, uint64_t key)
{
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15U >> 20) & (m->n_slots - 1);

    while (m->keys[at] && m->keys[at] != key)
        at = (at + 1) & (m->n_slots - 1);
    return at;
}

static bool map_grow(struct map *m)
{
    struct map more = {.n_slots = m->n_slots ? 2 * m->n_slots : 1024, .n = m->n};

    more.keys = calloc(more.n_slots, sizeof *more.keys);
    more.places = calloc(more.n_slots, sizeof *more.places);
    if (!more.keys || !more.places) {
        free(more.keys);
        free(more.places);
        return false;
    }
    for (size_t i = 0; i < m->n_slots; i++) {
        size_t at = m->keys[i] ? map_slot(&more, m->keys[i]) : 0;
        if (m->keys[i]) {
            more.keys[at] = m->keys[i];
            more.places[at] = m->places[i];
        }
    }
    free(m->keys);
    free(m->places);
    *m = more;
    return true;
}

/* The place of a key (not 0), NO_SLOT in a new one; NULL: out of memory. */
static uint32_t *map_get(struct map *m, uint64_t key)
{
    if (2 * m->n >= m->n_slots && !map_grow(m))
        return NULL;
    size_t at = map_slot(m, key);
    if (!m->keys[at]) {
        m->keys[at] = key;
        m->places[at] = NO_SLOT;
        m->n++;
    }
    return &m->places[at];
}

static size_t keep_text(struct work *w, const char *text)
{
    size_t at = w->texts.len;
    sek_buf_add(&w->texts, text, strlen(text) + 1);
    return at;
}

/* --- endpoints and tenancies -------------------------------------------------------------------
 */

static uint32_t endpoint_of(struct work *w, const char *address)
{
    uint64_t hash = sek_hash(&w->key, address, strlen(address)) | 1;
    uint32_t *place = map_get(&w->by_address, hash);
    if (!place || *place != NO_SLOT)
        return place ? *place : NO_SLOT;
    struct endpoint e = {.address = keep_text(w, address), .tenancy = NO_SLOT};
    *place = (uint32_t)(w->endpoints.len / sizeof e);
    sek_buf_add(&w->endpoints, &e, sizeof e);
    return w->endpoints.failed || w->texts.failed ? NO_SLOT : *place;
}

static uint32_t tenancy_of(struct work *w, uint32_t endpoint, int64_t time_s)
{
    struct endpoint *e = endpoint_at(w, endpoint);
    for (uint32_t i = e->tenancy; i != NO_SLOT; i = tenancy_at(w, i)->next)
        if (tenancy_at(w, i)->from_s <= time_s && time_s < tenancy_at(w, i)->until_s)
            return i;
    struct tenancy t = {.endpoint = endpoint,
                        .next = e->tenancy,
                        .sums = NO_SLOT,
                        .from_s = INT64_MIN,
                        .until_s = INT64_MAX};
    if (w->q->tenancy)
        w->q->tenancy(w->q->tenancy_arg, w->texts.data + e->address, time_s, &t.from_s, &t.until_s);
    e->tenancy = (uint32_t)(w->tenancies.len / sizeof t);
    sek_buf_add(&w->tenancies, &t, sizeof t);
    return w->tenancies.failed ? NO_SLOT : e->tenancy;
}

/* The sum behind a key, a new one if need be; NULL: out of memory. */
static struct sum *sum_of(struct work *w, uint64_t hash, uint32_t tenancy, enum sek_risk_part part,
                          int key, const char *domain)
{
    uint32_t *place = map_get(&w->by_sum, hash);
    if (!place)
        return NULL;
    if (*place == NO_SLOT) {
        struct tenancy *t = tenancy_at(w, tenancy);
        struct sum s = {.tenancy = tenancy, .next = t->sums, .part = part, .key = key};
        s.domain = *domain ? keep_text(w, domain) : 0;
        t->sums = *place = (uint32_t)(w->sums.len / sizeof s);
        sek_buf_add(&w->sums, &s, sizeof s);
        if (w->sums.failed || w->texts.failed)
            return NULL;
    }
    return sum_at(w, *place);
}

static void add_last(struct work *w, struct sum *s, int64_t last_ms)
{
    struct tenancy *t = tenancy_at(w, s->tenancy);
    if (last_ms > s->last_ms)
        s->last_ms = last_ms;
    if (last_ms > t->last_ms)
        t->last_ms = last_ms;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static enum sek_risk_part part_of(int trigger, int action, bool monitor)
{
    if (trigger == SEK_TRIGGER_CLASSIFIER)
        return SEK_RISK_DGA;
    if (trigger == SEK_TRIGGER_NOD)
        return SEK_RISK_NOD;
    return !monitor && sek_action_blocks((enum sek_action)action) ? SEK_RISK_BLOCKED
                                                                  : SEK_RISK_MONITORED;
}

/* Columns: endpoint, minute, list, trigger, action, monitor, score, last_ms, count. */
static bool add_hit(struct work *w, sqlite3_stmt *stmt)
{
    uint32_t *endpoint = map_get(&w->by_id, (uint64_t)sqlite3_column_int64(stmt, 0));
    int64_t last_ms = sqlite3_column_int64(stmt, 7), score = sqlite3_column_int64(stmt, 6);
    int list = sqlite3_column_int(stmt, 2), trigger = sqlite3_column_int(stmt, 3);
    if (!endpoint)
        return false;
    if (*endpoint == NO_SLOT || trigger == SEK_TRIGGER_STRICT)
        return true; /* a row that refers to nobody; or the policy's fault */
    uint32_t tenancy = tenancy_of(w, *endpoint, last_ms / 1000);
    if (tenancy == NO_SLOT)
        return false;
    enum sek_risk_part part =
        part_of(trigger, sqlite3_column_int(stmt, 4), sqlite3_column_int(stmt, 5) != 0);
    struct sum *s = sum_of(w, ((uint64_t)tenancy + 1) << 24 | (uint64_t)part << 16 | (uint16_t)list,
                           tenancy, part, list, "");
    if (!s)
        return false;
    double part_of_one = 1;
    if (part == SEK_RISK_DGA && score != SEK_SCORE_UNKNOWN)
        part_of_one = sek_classify_probability((float)score / 100);
    s->n += part_of_one * sek_risk_decay(w->q->now_s - last_ms / 1000, w->q->half_life_s);
    s->count += (uint64_t)sqlite3_column_int64(stmt, 8);
    add_last(w, s, last_ms);
    return true;
}

/* Columns: endpoint, detector, domain, confidence, end_ms. */
static bool add_finding(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 0);
    const char *domain = (const char *)sqlite3_column_text(stmt, 2);
    int detector = sqlite3_column_int(stmt, 1);
    double confidence = sqlite3_column_double(stmt, 3);
    int64_t end_ms = sqlite3_column_int64(stmt, 4);
    uint32_t endpoint = address && domain ? endpoint_of(w, address) : NO_SLOT;
    uint32_t tenancy = endpoint == NO_SLOT ? NO_SLOT : tenancy_of(w, endpoint, end_ms / 1000);
    if (tenancy == NO_SLOT)
        return false;
    const struct sek_hash_key key = {w->key.k0 ^ tenancy, w->key.k1 ^ (uint64_t)detector};
    uint64_t hash = sek_hash(&key, domain, strlen(domain)) | 1ULL << 63; /* apart from hits */
    struct sum *s = sum_of(w, hash, tenancy, SEK_RISK_FINDING, detector, domain);
    if (!s)
        return false;
    double points = sek_risk_finding(detector, confidence) *
                    sek_risk_decay(w->q->now_s - end_ms / 1000, w->q->half_life_s);
    if (points > s->n) {
        s->n = points;
        s->confidence = confidence;
    }
    s->count++;
    add_last(w, s, end_ms);
    return true;
}

/* Columns: endpoint, first_ms. */
static bool add_first(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 0);
    int64_t first_ms = sqlite3_column_int64(stmt, 1);
    uint32_t endpoint = address ? endpoint_of(w, address) : NO_SLOT;
    uint32_t tenancy = endpoint == NO_SLOT ? NO_SLOT : tenancy_of(w, endpoint, first_ms / 1000);
    if (tenancy == NO_SLOT)
        return false;
    struct sum *s = sum_of(w, ((uint64_t)tenancy + 1) << 24 | (uint64_t)SEK_RISK_NEW << 16, tenancy,
                           SEK_RISK_NEW, 0, "");
    if (!s)
        return false;
    s->n += sek_risk_decay(w->q->now_s - first_ms / 1000, w->q->half_life_s);
    s->count++;
    add_last(w, s, first_ms);
    return true;
}

/* Columns: id, address. */
static bool add_endpoint(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 1);
    uint32_t endpoint = address ? endpoint_of(w, address) : NO_SLOT;
    uint32_t *place = map_get(&w->by_id, (uint64_t)sqlite3_column_int64(stmt, 0));
    if (!place || endpoint == NO_SLOT)
        return false;
    *place = endpoint;
    return true;
}

static enum sek_err read_rows(struct work *w, const char *all, const char *one,
                              bool (*add)(struct work *, sqlite3_stmt *), struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(w->r->sql, w->q->endpoint ? one : all, &stmt, diag);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", w->since_s);
    sek__report_bind_text(stmt, ":endpoint", w->q->endpoint);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!add(w, stmt)) {
            err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", w->r->path);
            break;
        }
    if (!err && rc != SQLITE_DONE)
        err = sek__report_fail(w->r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

#define HITS                                                                                       \
    "SELECT h.endpoint, h.minute, h.list, h.trigger, h.action, h.monitor, h.score, s.last_ms,"     \
    " s.count FROM hit h"
#define SUMS " CROSS JOIN hit_sum s ON s.id = h.id WHERE h.minute >= :since / 60"

static enum sek_err read_all(struct work *w, struct sek_diag *diag)
{
    enum sek_err err =
        read_rows(w, "SELECT id, address FROM endpoint",
                  "SELECT id, address FROM endpoint WHERE address = :endpoint", add_endpoint, diag);
    /* in the order of the rows, in which both tables lie */
    if (!err)
        err = read_rows(w, HITS " NOT INDEXED" SUMS,
                        HITS SUMS " AND h.endpoint = (SELECT id FROM endpoint"
                                  " WHERE address = :endpoint)",
                        add_hit, diag);
    if (!err)
        err = read_rows(w,
                        "SELECT endpoint, detector, domain, confidence, end_ms FROM finding"
                        " WHERE end_ms >= :since * 1000",
                        "SELECT endpoint, detector, domain, confidence, end_ms FROM finding"
                        " WHERE end_ms >= :since * 1000 AND endpoint = :endpoint",
                        add_finding, diag);
    if (!err)
        err = read_rows(w,
                        "SELECT endpoint, first_ms FROM domain NOT INDEXED"
                        " WHERE first_ms >= :since * 1000",
                        "SELECT endpoint, first_ms FROM domain NOT INDEXED"
                        " WHERE first_ms >= :since * 1000 AND endpoint = :endpoint",
                        add_first, diag);
    return err;
}

/* --- ranking -----------------------------------------------------------------------------------
 */

static double points_of(const struct sum *s)
{
    return s->part == SEK_RISK_FINDING ? s->n : sek_risk_many(s->part, s->n);
}

/* All of a part together have a most. */
static void add_points(struct work *w, struct tenancy *t)
{
    double parts[SEK_N_RISK_PARTS] = {0};
    for (uint32_t i = t->sums; i != NO_SLOT; i = sum_at(w, i)->next)
        parts[sum_at(w, i)->part] += points_of(sum_at(w, i));
    for (int i = 1; i < SEK_N_RISK_PARTS; i++) {
        double most = sek_risk_most((enum sek_risk_part)i);
        t->points += parts[i] < most ? parts[i] : most;
    }
}

static int by_points(const void *a, const void *b)
{
    const struct tenancy *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    if (x->last_ms != y->last_ms)
        return x->last_ms < y->last_ms ? 1 : -1;
    return (x->endpoint > y->endpoint) - (x->endpoint < y->endpoint);
}

static int by_reason(const void *a, const void *b)
{
    const struct sek_risk_reason *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    return (int)x->part - (int)y->part;
}

/* Names of lists, by id; those that are gone have "". */
static enum sek_err read_lists(struct work *w, const char ***out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    const char **names = calloc(65536, sizeof *names);
    size_t *at = calloc(65536, sizeof *at);
    int rc = SQLITE_DONE;
    enum sek_err err = names && at
                           ? sek_sql_prepare(w->r->sql, "SELECT id, name FROM list", &stmt, diag)
                           : sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", w->r->path);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 1);
        at[sqlite3_column_int64(stmt, 0) & 0xffff] = keep_text(w, name ? name : "");
    }
    if (!err && rc != SQLITE_DONE)
        err = sek__report_fail(w->r, rc, diag);
    if (!err && w->texts.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", w->r->path);
    for (int i = 0; !err && i < 65536; i++) /* the texts stay where they are from here on */
        names[i] = w->texts.data + at[i];
    sqlite3_finalize(stmt);
    free(at);
    if (err) {
        free(names);
        return err;
    }
    *out = names;
    return SEK_OK;
}

static struct sek_risk_reason reason_of(const struct work *w, const struct sum *s,
                                        const char *const *lists)
{
    struct sek_risk_reason r = {.part = s->part,
                                .points = points_of(s),
                                .n = s->count,
                                .confidence = s->confidence,
                                .what = "",
                                .domain = w->texts.data + s->domain,
                                .last_ms = s->last_ms};
    if (s->part == SEK_RISK_FINDING)
        r.detector = s->key;
    else if (s->key)
        r.what = lists[s->key & 0xffff];
    else if (s->part == SEK_RISK_BLOCKED || s->part == SEK_RISK_MONITORED)
        r.what = sek_lookup_name(sek_trigger_names, SEK_TRIGGER_FINDING);
    return r;
}

static bool hand_out_one(const struct work *w, const struct tenancy *t, const char *const *lists,
                         struct sek_buf *reasons, sek_risk_fn *fn, void *arg)
{
    sek_buf_reset(reasons);
    for (uint32_t i = t->sums; i != NO_SLOT; i = sum_at(w, i)->next) {
        struct sek_risk_reason r = reason_of(w, sum_at(w, i), lists);
        sek_buf_add(reasons, &r, sizeof r);
    }
    if (reasons->failed)
        return false;
    unsigned n = (unsigned)(reasons->len / sizeof(struct sek_risk_reason));
    qsort(reasons->data, n, sizeof(struct sek_risk_reason), by_reason);
    const struct sek_risk out = {.endpoint = w->texts.data + endpoint_at(w, t->endpoint)->address,
                                 .from_s = t->from_s,
                                 .until_s = t->until_s,
                                 .points = t->points,
                                 .score = sek_risk_score(t->points),
                                 .last_ms = t->last_ms,
                                 .reasons = (const void *)reasons->data,
                                 .n_reasons = n};
    return fn(arg, &out);
}

static enum sek_err rank(struct work *w, sek_risk_fn *fn, void *arg, struct sek_diag *diag)
{
    size_t n = w->tenancies.len / sizeof(struct tenancy);
    struct tenancy *all = n ? tenancy_at(w, 0) : NULL;
    const char **lists = NULL;
    struct sek_buf reasons;
    for (size_t i = 0; i < n; i++)
        add_points(w, &all[i]);
    if (n)
        qsort(all, n, sizeof *all, by_points);
    enum sek_err err = read_lists(w, &lists, diag);
    if (err)
        return err;
    sek_buf_init(&reasons, 0);
    for (size_t i = 0; i < n && !(w->q->limit && i >= w->q->limit) && all[i].points > 0; i++)
        if (!hand_out_one(w, &all[i], lists, &reasons, fn, arg))
            break;
    if (reasons.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", w->r->path);
    sek_buf_fini(&reasons);
    free(lists);
    return err;
}

static void map_fini(struct map *m)
{
    free(m->keys);
    free(m->places);
}

enum sek_err sek_report_risk(struct sek_report *r, const struct sek_risk_query *q, sek_risk_fn *fn,
                             void *arg, struct sek_diag *diag)
{
    struct work w = {.r = r,
                     .q = q,
                     .since_s = q->now_s - HALF_LIVES * q->half_life_s,
                     .key = sek_hash_key_random()};
    sek_buf_init(&w.endpoints, SIZE_MAX);
    sek_buf_init(&w.tenancies, SIZE_MAX);
    sek_buf_init(&w.sums, SIZE_MAX);
    sek_buf_init(&w.texts, SIZE_MAX);
    sek_buf_add(&w.texts, "", 1); /* so that no text has offset 0 */
    enum sek_err err = read_all(&w, diag);
    if (!err)
        err = rank(&w, fn, arg, diag);
    map_fini(&w.by_id);
    map_fini(&w.by_address);
    map_fini(&w.by_sum);
    sek_buf_fini(&w.endpoints);
    sek_buf_fini(&w.tenancies);
    sek_buf_fini(&w.sums);
    sek_buf_fini(&w.texts);
    return err;
}

/* --- domains -----------------------------------------------------------------------------------
 */

enum sek_err sek_report_first_asked(struct sek_report *r, const char *endpoint, int64_t since_s,
                                    int64_t until_s, unsigned limit, sek_first_asked_fn *fn,
                                    void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        "SELECT first_ms, name, qname, qtype FROM domain NOT INDEXED"
                        " WHERE endpoint = :endpoint AND first_ms >= :since * 1000"
                        " AND first_ms < :until * 1000 ORDER BY first_ms DESC LIMIT :limit",
                        &stmt, diag);
    if (err)
        return err;
    sek__report_bind_text(stmt, ":endpoint", endpoint);
    sek__report_bind_int(stmt, ":since", since_s);
    sek__report_bind_int(stmt, ":until",
                         until_s && until_s < INT64_MAX / 1000 ? until_s : INT64_MAX / 1000);
    sek__report_bind_int(stmt, ":limit", limit ? (int64_t)limit : -1);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_first_asked f = {.first_ms = sqlite3_column_int64(stmt, 0),
                                    .domain = (const char *)sqlite3_column_text(stmt, 1),
                                    .name = (const char *)sqlite3_column_text(stmt, 2),
                                    .qtype = sqlite3_column_int(stmt, 3)};
        if (!f.domain || !f.name || !fn(arg, &f))
            break;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
