/* SPDX-License-Identifier: BSD-3-Clause */
/* One pass over the hits of the time, one over findings and one over first queries, as all of it
 * counts: an index cannot help. Rows become small records, which are sorted by endpoint (a counting
 * sort) and summed up an endpoint at a time, so that the sums stay in the processor's cache: half
 * the time of a table of all sums. */
#include "store/report_endpoints.h"
#include "base/hash.h"
#include "classify/classify.h"
#include "store/report_parts.h"
#include "store/risk_sums.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define HALF_LIVES 8 /* after so many 0.4 % are left */
#define NOBODY UINT32_MAX

/* From a number, not 0, to a place. */
struct map {
    uint64_t *keys; /* 0: free */
    uint32_t *places;
    size_t n_slots, n;
};

struct work {
    struct sek_report *r;
    const struct sek_risk_query *q;
    int64_t since_s;
    struct sek_hash_key key;
    struct map by_id, by_address; /* ids of rows and hashes of addresses, to endpoints */
    struct sek_buf addresses;     /* size_t an endpoint: where its text is */
    struct sek_buf records, texts;
};

/* --- endpoints ---------------------------------------------------------------------------------
 */

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

/* The place of a key, NOBODY in a new one; NULL: out of memory. */
static uint32_t *map_get(struct map *m, uint64_t key)
{
    if (2 * m->n >= m->n_slots && !map_grow(m))
        return NULL;
    size_t at = map_slot(m, key);
    if (!m->keys[at]) {
        m->keys[at] = key;
        m->places[at] = NOBODY;
        m->n++;
    }
    return &m->places[at];
}

static void map_fini(struct map *m)
{
    free(m->keys);
    free(m->places);
}

static size_t keep_text(struct work *w, const char *text)
{
    size_t at = w->texts.len;
    sek_buf_add(&w->texts, text, strlen(text) + 1);
    return at;
}

static uint32_t endpoint_of(struct work *w, const char *address)
{
    uint64_t hash = sek_hash(&w->key, address, strlen(address)) | 1;
    uint32_t *place = map_get(&w->by_address, hash);
    if (!place || *place != NOBODY)
        return place ? *place : NOBODY;
    size_t text = keep_text(w, address);
    *place = (uint32_t)(w->addresses.len / sizeof text);
    sek_buf_add(&w->addresses, &text, sizeof text);
    return w->addresses.failed || w->texts.failed ? NOBODY : *place;
}

static const char *address_of(const struct work *w, uint32_t endpoint)
{
    return w->texts.data + ((const size_t *)(const void *)w->addresses.data)[endpoint];
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

static bool add_record(struct work *w, const struct sek__risk_record *record)
{
    sek_buf_add(&w->records, record, sizeof *record);
    return !w->records.failed && !w->texts.failed;
}

/* Columns: endpoint, list, trigger, action, monitor, score, last_ms, count. */
static bool add_hit(struct work *w, sqlite3_stmt *stmt)
{
    uint32_t *endpoint = map_get(&w->by_id, (uint64_t)sqlite3_column_int64(stmt, 0));
    int trigger = sqlite3_column_int(stmt, 2), score = sqlite3_column_int(stmt, 5);
    if (!endpoint)
        return false;
    if (*endpoint == NOBODY || trigger == SEK_TRIGGER_STRICT)
        return true; /* a row that refers to nobody; or the policy's fault */
    struct sek__risk_record record = {.last_ms = sqlite3_column_int64(stmt, 6),
                                      .endpoint = *endpoint,
                                      .count = (uint32_t)sqlite3_column_int64(stmt, 7),
                                      .weight = 1,
                                      .key = (uint16_t)sqlite3_column_int(stmt, 1),
                                      .part = (uint8_t)part_of(trigger, sqlite3_column_int(stmt, 3),
                                                               sqlite3_column_int(stmt, 4) != 0)};
    if (record.part == SEK_RISK_DGA && score != SEK_SCORE_UNKNOWN)
        record.weight = (float)sek_classify_probability((float)score / 100);
    return add_record(w, &record);
}

/* Columns: endpoint, detector, domain, confidence, end_ms. */
static bool add_finding(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 0);
    const char *domain = (const char *)sqlite3_column_text(stmt, 2);
    struct sek__risk_record record = {.last_ms = sqlite3_column_int64(stmt, 4),
                                      .count = 1,
                                      .weight = (float)sqlite3_column_double(stmt, 3),
                                      .key = (uint16_t)sqlite3_column_int(stmt, 1),
                                      .part = SEK_RISK_FINDING};
    if (!address || !domain)
        return false;
    record.endpoint = endpoint_of(w, address);
    record.domain = *domain ? (uint32_t)keep_text(w, domain) : 0;
    return record.endpoint != NOBODY && add_record(w, &record);
}

/* Columns: endpoint, first_ms. */
static bool add_first(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 0);
    struct sek__risk_record record = {
        .last_ms = sqlite3_column_int64(stmt, 1), .count = 1, .weight = 1, .part = SEK_RISK_NEW};
    if (!address)
        return false;
    record.endpoint = endpoint_of(w, address);
    return record.endpoint != NOBODY && add_record(w, &record);
}

/* Columns: id, address. */
static bool add_endpoint(struct work *w, sqlite3_stmt *stmt)
{
    const char *address = (const char *)sqlite3_column_text(stmt, 1);
    uint32_t endpoint = address ? endpoint_of(w, address) : NOBODY;
    uint32_t *place = map_get(&w->by_id, (uint64_t)sqlite3_column_int64(stmt, 0));
    if (!place || endpoint == NOBODY)
        return false;
    *place = endpoint;
    return true;
}

static enum sek_err no_memory(const struct work *w, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", w->r->path);
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
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !err)
        err = add(w, stmt) ? SEK_OK : no_memory(w, diag);
    if (!err && rc != SQLITE_DONE)
        err = sek__report_fail(w->r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

#define HITS                                                                                       \
    "SELECT h.endpoint, h.list, h.trigger, h.action, h.monitor, h.score, s.last_ms, s.count"       \
    " FROM hit h"
#define SUMS " CROSS JOIN hit_sum s ON s.id = h.id WHERE h.minute >= :since / 60"
#define FINDINGS                                                                                   \
    "SELECT endpoint, detector, domain, confidence, end_ms FROM finding"                           \
    " WHERE end_ms >= :since * 1000"
#define FIRSTS "SELECT endpoint, first_ms FROM domain NOT INDEXED WHERE first_ms >= :since * 1000"

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
        err = read_rows(w, FINDINGS, FINDINGS " AND endpoint = :endpoint", add_finding, diag);
    if (!err)
        err = read_rows(w, FIRSTS, FIRSTS " AND endpoint = :endpoint", add_first, diag);
    return err;
}

/* --- ranking -----------------------------------------------------------------------------------
 */

/* Where an endpoint's records are, and what they come to, whoever had the address. */
struct rank {
    uint32_t endpoint, first, n;
    double points;
};

/* Records by endpoint. */
static bool sort_records(struct work *w, struct rank *ranks, size_t n_endpoints)
{
    const struct sek__risk_record *from = (const void *)w->records.data;
    size_t n = w->records.len / sizeof *from;
    struct sek__risk_record *to = malloc((n + 1) * sizeof *to);
    if (!to)
        return false;
    for (size_t i = 0; i < n; i++)
        ranks[from[i].endpoint].n++;
    for (size_t i = 0, at = 0; i < n_endpoints; i++) {
        ranks[i].endpoint = (uint32_t)i;
        ranks[i].first = (uint32_t)at;
        at += ranks[i].n;
        ranks[i].n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct rank *rank = &ranks[from[i].endpoint];
        to[rank->first + rank->n++] = from[i];
    }
    if (n)
        memcpy(w->records.data, to, n * sizeof *to);
    free(to);
    return true;
}

static int by_rank(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    return (x->endpoint > y->endpoint) - (x->endpoint < y->endpoint);
}

static void add_rank(const struct work *w, const struct rank *rank, const struct sek_risk_query *q,
                     struct sek__risk_sums *sums)
{
    sek__risk_sums_add(sums, q, address_of(w, rank->endpoint), w->texts.data,
                       (const struct sek__risk_record *)(const void *)w->records.data + rank->first,
                       rank->n);
}

/* A tenancy has part of its address's evidence and never more points. So addresses are taken apart
 * from the highest down only until the places that are asked for hold more than any that follow. */
static void take_apart(const struct work *w, const struct rank *ranks, size_t n,
                       struct sek__risk_sums *sums)
{
    for (size_t i = 0; i < n && ranks[i].points > 0; i++) {
        if (w->q->limit && sek__risk_sums_are_above(sums, w->q->limit, ranks[i].points))
            break;
        add_rank(w, &ranks[i], w->q, sums);
    }
}

static enum sek_err rank_all(struct work *w, struct sek__risk_sums *sums, struct sek_diag *diag)
{
    size_t n = w->addresses.len / sizeof(size_t);
    struct sek_risk_query whole = *w->q;
    struct rank *ranks = calloc(n + 1, sizeof *ranks);
    whole.tenancy = NULL;
    if (!ranks || w->records.len / sizeof(struct sek__risk_record) > UINT32_MAX / 2 ||
        !sort_records(w, ranks, n)) {
        free(ranks);
        return no_memory(w, diag);
    }
    for (size_t i = 0; i < n; i++) {
        sek__risk_sums_reset(sums);
        add_rank(w, &ranks[i], &whole, sums);
        ranks[i].points = sek__risk_sums_points(sums);
    }
    sek__risk_sums_reset(sums);
    qsort(ranks, n, sizeof *ranks, by_rank);
    take_apart(w, ranks, n, sums);
    free(ranks);
    return SEK_OK;
}

/* Names of lists, by id; those that are gone have "". They lie in texts, which grow no more after.
 */
static enum sek_err read_lists(struct work *w, size_t at[65536], struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(w->r->sql, "SELECT id, name FROM list", &stmt, diag);
    if (err)
        return err;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, 1);
        at[sqlite3_column_int64(stmt, 0) & 0xffff] = keep_text(w, name ? name : "");
    }
    if (rc != SQLITE_DONE)
        err = sek__report_fail(w->r, rc, diag);
    else if (w->texts.failed)
        err = no_memory(w, diag);
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err run(struct work *w, sek_risk_fn *fn, void *arg, struct sek_diag *diag)
{
    struct sek__risk_sums sums;
    size_t *lists = calloc(65536, sizeof *lists);
    enum sek_err err = lists ? read_lists(w, lists, diag) : no_memory(w, diag);
    sek__risk_sums_init(&sums);
    if (!err)
        err = read_all(w, diag);
    if (!err)
        err = rank_all(w, &sums, diag);
    if (!err && !sek__risk_sums_tell(&sums, w->q->limit, w->texts.data, lists, fn, arg))
        err = no_memory(w, diag);
    sek__risk_sums_fini(&sums);
    free(lists);
    return err;
}

enum sek_err sek_report_risk(struct sek_report *r, const struct sek_risk_query *q, sek_risk_fn *fn,
                             void *arg, struct sek_diag *diag)
{
    struct work w = {.r = r,
                     .q = q,
                     .since_s = q->now_s - HALF_LIVES * q->half_life_s,
                     .key = sek_hash_key_random()};
    sek_buf_init(&w.addresses, SIZE_MAX);
    sek_buf_init(&w.records, SIZE_MAX);
    sek_buf_init(&w.texts, UINT32_MAX);
    sek_buf_add(&w.texts, "", 1); /* so that no text has offset 0 */
    enum sek_err err = run(&w, fn, arg, diag);
    map_fini(&w.by_id);
    map_fini(&w.by_address);
    sek_buf_fini(&w.addresses);
    sek_buf_fini(&w.records);
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
