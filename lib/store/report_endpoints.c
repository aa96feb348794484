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
    size_t at = (size_t)(key * SEK_HASH_GOLDEN >> 20) & (m->n_slots - 1);

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

/* NOBODY: no evidence has it. */
static uint32_t endpoint_known(const struct work *w, const char *address)
{
    const struct map *m = &w->by_address;
    size_t at = m->n_slots ? map_slot(m, sek_hash(&w->key, address, strlen(address)) | 1) : 0;
    return m->n_slots && m->keys[at] ? m->places[at] : NOBODY;
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

/* A list, or counted from the last id down a trigger that decides alone: lists are numbered from 1
 * on, and nobody has that many. */
static uint16_t decider_of(int list, int trigger)
{
    return (uint16_t)(list ? list : -trigger);
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
                                      .key = decider_of(sqlite3_column_int(stmt, 1), trigger),
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

/* endpoint NULL: of all. */
static enum sek_err read_rows(struct work *w, const char *sql, const char *endpoint,
                              bool (*add)(struct work *, sqlite3_stmt *), struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(w->r->sql, sql, &stmt, diag);
    if (err)
        return err;
    sek__report_bind_int(stmt, ":since", w->since_s);
    sek__report_bind_text(stmt, ":endpoint", endpoint);
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
/* Those that a rule refused are among its hits. */
#define FIRSTS                                                                                     \
    "SELECT endpoint, first_ms FROM domain NOT INDEXED WHERE first_ms >= :since * 1000"            \
    " AND refused = 0"

static enum sek_err read_all(struct work *w, struct sek_diag *diag)
{
    enum sek_err err = read_rows(w, "SELECT id, address FROM endpoint", NULL, add_endpoint, diag);
    /* in the order of the rows, in which both tables lie; older rows cost little, and to find where
     * they end as much */
    if (!err)
        err = read_rows(w, HITS " NOT INDEXED" SUMS, NULL, add_hit, diag);
    if (!err)
        err = read_rows(w, FINDINGS, NULL, add_finding, diag);
    if (!err)
        err = read_rows(w, FIRSTS, NULL, add_first, diag);
    return err;
}

static enum sek_err read_one(struct work *w, const char *endpoint, struct sek_diag *diag)
{
    enum sek_err err = read_rows(w, "SELECT id, address FROM endpoint WHERE address = :endpoint",
                                 endpoint, add_endpoint, diag);
    if (!err)
        err = read_rows(
            w, HITS SUMS " AND h.endpoint = (SELECT id FROM endpoint WHERE address = :endpoint)",
            endpoint, add_hit, diag);
    if (!err)
        err = read_rows(w, FINDINGS " AND endpoint = :endpoint", endpoint, add_finding, diag);
    if (!err)
        err = read_rows(w, FIRSTS " AND endpoint = :endpoint", endpoint, add_first, diag);
    return err;
}

static enum sek_err read_evidence(struct work *w, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    if (w->q->n_endpoints == 0)
        return read_all(w, diag);
    for (unsigned i = 0; i < w->q->n_endpoints && !err; i++)
        err = read_one(w, w->q->endpoints[i], diag);
    return err;
}

/* --- ranking -----------------------------------------------------------------------------------
 */

/* Where an endpoint's records are. */
struct rank {
    uint32_t endpoint, first, n;
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

static struct sek__risk_source source_of(const struct work *w, const struct rank *rank)
{
    const struct sek__risk_record *all = (const void *)w->records.data; /* NULL: nobody has any */
    return (struct sek__risk_source){address_of(w, rank->endpoint),
                                     rank->n ? all + rank->first : NULL, rank->n};
}

/* Addresses that may be of one machine: members[first] and n behind it, numbers of ranks. */
struct group {
    double points; /* as if they were one machine: none of theirs has more */
    uint32_t first, n;
};

struct groups {
    struct group *all;
    uint32_t *members;
    size_t n;
};

static int by_points(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

struct tying {
    struct work *w;
    struct sek__risk_kin *kin;
};

static bool tie(void *arg, const struct sek_addr *addr, const char *mac, const char *name)
{
    struct tying *t = arg;
    char text[SEK_ADDR_TEXT_MAX];
    uint32_t endpoint = addr ? endpoint_known(t->w, sek_addr_to_text(addr, text)) : NOBODY;
    if (endpoint != NOBODY || !addr)
        sek__risk_kin_add(t->kin, endpoint, mac, name);
    return !t->kin->ties.failed;
}

/* Without an inventory each address is a group. False: out of memory. */
static bool make_groups(struct sek__risk_kin *kin, size_t n, struct groups *out)
{
    uint32_t at = 0;
    *out = (struct groups){calloc(n + 1, sizeof *out->all), calloc(n + 1, sizeof *out->members), n};
    if (!out->all || !out->members)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        out->all[sek__risk_kin_of(kin, i)].n++;
    }
    for (size_t i = 0; i < n; i++) {
        out->all[i].first = at;
        at += out->all[i].n;
        out->all[i].n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct group *g = &out->all[sek__risk_kin_of(kin, i)];
        out->members[g->first + g->n++] = i;
    }
    return true;
}

static enum sek_err find_groups(struct work *w, size_t n, struct groups *out, struct sek_diag *diag)
{
    struct sek__risk_kin kin;
    struct tying t = {w, &kin};
    enum sek_err err = SEK_OK;
    sek__risk_kin_init(&kin, (uint32_t)n);
    if (w->q->ties)
        err = w->q->ties(w->q->inventory, w->since_s - 60, tie, &t, diag);
    if (!err && (!sek__risk_kin_end(&kin) || !make_groups(&kin, n, out)))
        err = no_memory(w, diag);
    sek__risk_kin_fini(&kin);
    return err;
}

/* Add the evidence of a group. False: out of memory. */
static bool add_group(const struct work *w, const struct rank *ranks, const struct groups *groups,
                      const struct group *g, const struct sek_risk_query *q,
                      struct sek_buf *sources, struct sek__risk_sums *sums)
{
    sek_buf_reset(sources);
    for (uint32_t k = g->first; k < g->first + g->n; k++) {
        struct sek__risk_source source = source_of(w, &ranks[groups->members[k]]);
        if (source.n)
            sek_buf_add(sources, &source, sizeof source);
    }
    if (sources->failed)
        return false;
    sek__risk_sums_add(sums, q, (const void *)sources->data,
                       sources->len / sizeof(struct sek__risk_source), w->texts.data);
    return true;
}

/* Groups are taken apart from the highest down only until the places that are asked for hold more
 * than any that follow. */
static bool rank_groups(const struct work *w, const struct rank *ranks, struct groups *groups,
                        struct sek_buf *sources, struct sek__risk_sums *sums)
{
    struct sek_risk_query whole = *w->q;
    bool good = true;
    whole.tenancy = NULL;
    for (size_t i = 0; i < groups->n && good; i++) {
        sek__risk_sums_reset(sums);
        good = add_group(w, ranks, groups, &groups->all[i], &whole, sources, sums);
        groups->all[i].points = sek__risk_sums_points(sums);
    }
    sek__risk_sums_reset(sums);
    qsort(groups->all, groups->n, sizeof *groups->all, by_points);
    for (size_t i = 0; i < groups->n && groups->all[i].points > 0 && good; i++) {
        if (w->q->limit && sek__risk_sums_are_above(sums, w->q->limit, groups->all[i].points))
            break;
        good = add_group(w, ranks, groups, &groups->all[i], w->q, sources, sums);
    }
    return good;
}

static enum sek_err rank_all(struct work *w, struct sek__risk_sums *sums, struct sek_diag *diag)
{
    size_t n = w->addresses.len / sizeof(size_t);
    struct rank *ranks = calloc(n + 1, sizeof *ranks);
    struct groups groups = {0};
    struct sek_buf sources;
    if (!ranks || w->records.len / sizeof(struct sek__risk_record) > UINT32_MAX / 2 ||
        !sort_records(w, ranks, n)) {
        free(ranks);
        return no_memory(w, diag);
    }
    sek_buf_init(&sources, SIZE_MAX);
    enum sek_err err = find_groups(w, n, &groups, diag);
    if (!err && !rank_groups(w, ranks, &groups, &sources, sums))
        err = no_memory(w, diag);
    sek_buf_fini(&sources);
    free(groups.all);
    free(groups.members);
    free(ranks);
    return err;
}

/* Names of deciders; lists that are gone have "". They lie in texts, which grow no more after. */
static enum sek_err read_lists(struct work *w, size_t at[65536], struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(w->r->sql, "SELECT id, name FROM list", &stmt, diag);
    if (err)
        return err;
    for (const struct sek_lookup *t = sek_trigger_names; t->name; t++)
        at[decider_of(0, t->id)] = keep_text(w, sek_trigger_decider(t->id));
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

/* One evening of many. */
struct then {
    sek_risk_then_fn *fn;
    void *arg;
    int64_t moment_s;
    bool told, more;
};

static bool tell_then(void *arg, const struct sek_risk *risk)
{
    struct then *t = arg;
    t->told = true;
    t->more = t->fn(t->arg, t->moment_s, risk);
    return false;
}

static enum sek_err rank_and_tell(struct work *w, const size_t *lists, sek_risk_fn *fn, void *arg,
                                  struct sek_diag *diag)
{
    struct sek__risk_sums sums;
    sek__risk_sums_init(&sums);
    enum sek_err err = rank_all(w, &sums, diag);
    if (!err && !sek__risk_sums_tell(&sums, w->q->limit, w->texts.data, lists, fn, arg))
        err = no_memory(w, diag);
    sek__risk_sums_fini(&sums);
    return err;
}

struct sek_risk_evidence {
    struct work w;
    struct sek_risk_query q;
    size_t lists[65536]; /* where their names are, by id */
};

void sek_risk_evidence_free(struct sek_risk_evidence *e)
{
    if (!e)
        return;
    map_fini(&e->w.by_id);
    map_fini(&e->w.by_address);
    sek_buf_fini(&e->w.addresses);
    sek_buf_fini(&e->w.records);
    sek_buf_fini(&e->w.texts);
    free(e);
}

enum sek_err sek_risk_evidence_read(struct sek_report *r, const struct sek_risk_query *q,
                                    int64_t oldest_s, struct sek_risk_evidence **out,
                                    struct sek_diag *diag)
{
    struct sek_risk_evidence *e = calloc(1, sizeof *e);
    if (!e)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    e->q = *q;
    e->w = (struct work){.r = r,
                         .q = &e->q,
                         .since_s = oldest_s - SEK_RISK_HALF_LIVES * q->half_life_s,
                         .key = sek_hash_key_random()};
    sek_buf_init(&e->w.addresses, SIZE_MAX);
    sek_buf_init(&e->w.records, SIZE_MAX);
    sek_buf_init(&e->w.texts, UINT32_MAX);
    sek_buf_add(&e->w.texts, "", 1); /* so that no text has offset 0 */
    enum sek_err err = read_lists(&e->w, e->lists, diag);
    if (!err)
        err = read_evidence(&e->w, diag);
    if (err)
        sek_risk_evidence_free(e);
    else
        *out = e;
    return err;
}

enum sek_err sek_risk_evidence_rank(struct sek_risk_evidence *e, sek_risk_fn *fn, void *arg,
                                    struct sek_diag *diag)
{
    return rank_and_tell(&e->w, e->lists, fn, arg, diag);
}

/* What is too old or too late for a moment is left out of its sums. */
enum sek_err sek_risk_evidence_then(struct sek_risk_evidence *e, const int64_t *moments, unsigned n,
                                    sek_risk_then_fn *fn, void *arg, struct sek_diag *diag)
{
    struct then t = {.fn = fn, .arg = arg, .more = true};
    struct sek_risk_query at = e->q;
    enum sek_err err = SEK_OK;
    at.limit = 1;
    at.as_of = true;
    e->w.q = &at;
    for (unsigned i = 0; i < n && !err && t.more; i++) {
        at.now_s = t.moment_s = moments[i];
        t.told = false;
        err = rank_and_tell(&e->w, e->lists, tell_then, &t, diag);
        if (!err && !t.told)
            t.more = fn(arg, moments[i], NULL);
    }
    e->w.q = &e->q;
    return err;
}

enum sek_err sek_report_risk(struct sek_report *r, const struct sek_risk_query *q, sek_risk_fn *fn,
                             void *arg, struct sek_diag *diag)
{
    struct sek_risk_evidence *e = NULL;
    enum sek_err err = sek_risk_evidence_read(r, q, q->now_s, &e, diag);
    if (!err)
        err = sek_risk_evidence_rank(e, fn, arg, diag);
    sek_risk_evidence_free(e);
    return err;
}
