/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_period.h"
#include "store/report_parts.h"
#include "store/sums.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PIECE_S 86400 /* read in one transaction */
#define STEPS_MAX 10000

enum { BLOCKED, MONITORED };

struct sek_period {
    int64_t since_s, step_s;
    struct sek_period_step *steps;
    size_t n_steps;
    struct sek_period_total total;
    struct sek__sums by[SEK_N_PERIOD_BY];
    struct sek_period_gaps gaps;
};

static enum sek_err out_of_memory(const struct sek_report *r, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
}

static struct sek_period_step *step_at(struct sek_period *p, int64_t time_s)
{
    size_t i = (size_t)((time_s - p->since_s) / p->step_s);
    return &p->steps[i < p->n_steps ? i : p->n_steps - 1];
}

/* --- hits --------------------------------------------------------------------------------------
 */

#define HITS                                                                                       \
    "SELECT h.minute, s.count, s.last_ms, h.endpoint, h.domain, h.action,"                         \
    " iif(h.list = 0, -h.trigger, h.list) FROM hit h CROSS JOIN hit_sum s ON s.id = h.id"          \
    " WHERE h.minute >= ?1 AND h.minute < ?2"

struct hit {
    int64_t last_ms, id[SEK_N_PERIOD_BY];
    uint64_t count;
    bool blocked, monitored;
};

static void add_to(struct sek__sums *g, const struct hit *hit, enum sek_period_by by)
{
    struct sek__sum *sum = sek__sums_of(g, hit->id[by]);
    if (!sum)
        return;
    sum->count += hit->count;
    sum->sums[BLOCKED] += hit->blocked ? hit->count : 0;
    sum->sums[MONITORED] += hit->monitored ? hit->count : 0;
    sek__sum_widen(sum, hit->last_ms, hit->last_ms);
    sek__sums_partner(g, sum, 0,
                      hit->id[by == SEK_PERIOD_ENDPOINT ? SEK_PERIOD_DOMAIN : SEK_PERIOD_ENDPOINT]);
}

static void add_hit(struct sek_period *p, sqlite3_stmt *stmt)
{
    struct hit hit = {
        .count = (uint64_t)sqlite3_column_int64(stmt, 1),
        .last_ms = sqlite3_column_int64(stmt, 2),
        .id = {[SEK_PERIOD_ENDPOINT] = sqlite3_column_int64(stmt, 3),
               [SEK_PERIOD_DOMAIN] = sqlite3_column_int64(stmt, 4),
               [SEK_PERIOD_DECIDER] = sqlite3_column_int64(stmt, 6)},
        .blocked = sek_action_blocks((enum sek_action)sqlite3_column_int(stmt, 5)),
    };
    hit.monitored = !hit.blocked;
    struct sek_period_step *step = step_at(p, sqlite3_column_int64(stmt, 0) * 60);
    step->hits += hit.count;
    step->blocked += hit.blocked ? hit.count : 0;
    step->monitored += hit.monitored ? hit.count : 0;
    for (int by = 0; by < SEK_N_PERIOD_BY; by++)
        add_to(&p->by[by], &hit, (enum sek_period_by)by);
}

/* --- queries -----------------------------------------------------------------------------------
 */

/* Rows of a minute lie together: nothing is sorted. Behind them, what waits to be counted. */
#define QUERIES                                                                                    \
    "SELECT minute, sum(hits + cached + passed + nxdomain + failed + local) FROM traffic"          \
    " WHERE minute >= ?1 AND minute < ?2 GROUP BY minute"                                          \
    " UNION ALL SELECT minute, sum(" SEK__UNCOUNTED ") FROM (SELECT minute, endpoint, domain,"     \
    " sum(s.count) AS n FROM hit h CROSS JOIN hit_sum s ON s.id = h.id"                            \
    " WHERE minute >= ?1 AND minute < ?2 AND " SEK__UNCOUNTED_MINUTES                              \
    " GROUP BY minute, endpoint, domain) x GROUP BY minute"

/* Of more gaps than are kept, the shortest goes. */
static void add_gap(struct sek_period_gaps *g, int64_t from_s, int64_t until_s)
{
    unsigned at = g->n_kept;
    g->n++;
    g->total_s += until_s - from_s;
    if (at == SEK_PERIOD_GAPS) {
        at = 0;
        for (unsigned i = 1; i < SEK_PERIOD_GAPS; i++)
            if (g->until_s[i] - g->from_s[i] < g->until_s[at] - g->from_s[at])
                at = i;
        if (until_s - from_s <= g->until_s[at] - g->from_s[at])
            return;
        memmove(g->from_s + at, g->from_s + at + 1, (SEK_PERIOD_GAPS - 1 - at) * sizeof *g->from_s);
        memmove(g->until_s + at, g->until_s + at + 1,
                (SEK_PERIOD_GAPS - 1 - at) * sizeof *g->until_s);
        at = SEK_PERIOD_GAPS - 1;
    } else {
        g->n_kept++;
    }
    g->from_s[at] = from_s;
    g->until_s[at] = until_s;
}

static void add_minute(struct sek_period *p, sqlite3_stmt *stmt)
{
    int64_t at_s = sqlite3_column_int64(stmt, 0) * 60;
    step_at(p, at_s)->queries += (uint64_t)sqlite3_column_int64(stmt, 1);
    if (p->gaps.first_s && at_s - p->gaps.last_s - 60 >= SEK_PERIOD_GAP_S)
        add_gap(&p->gaps, p->gaps.last_s + 60, at_s);
    if (!p->gaps.first_s)
        p->gaps.first_s = at_s;
    p->gaps.last_s = at_s;
}

/* --- both, in pieces ---------------------------------------------------------------------------
 */

static enum sek_err read_pieces(struct sek_report *r, struct sek_period *p, int64_t until_s,
                                const char *sql, void (*add)(struct sek_period *, sqlite3_stmt *),
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(r->sql, sql, &stmt, diag);
    for (int64_t from = p->since_s; !err && from < until_s; from += PIECE_S) {
        int64_t to = until_s - from > PIECE_S ? from + PIECE_S : until_s;
        int rc;
        sqlite3_bind_int64(stmt, 1, from / 60);
        sqlite3_bind_int64(stmt, 2, (to + 59) / 60);
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
            add(p, stmt);
        sqlite3_reset(stmt); /* here the transaction ends */
        if (rc != SQLITE_DONE)
            err = sek__report_fail(r, rc, diag);
    }
    sqlite3_finalize(stmt);
    return err;
}

static enum sek_err make_steps(const struct sek_report *r, struct sek_period *p, int64_t until_s,
                               struct sek_diag *diag)
{
    p->n_steps = (size_t)((until_s - p->since_s + p->step_s - 1) / p->step_s);
    p->steps = calloc(p->n_steps, sizeof *p->steps);
    if (!p->steps)
        return out_of_memory(r, diag);
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].from_s = p->since_s + (int64_t)i * p->step_s;
    return SEK_OK;
}

static enum sek_err sum_up(const struct sek_report *r, struct sek_period *p, struct sek_diag *diag)
{
    for (int by = 0; by < SEK_N_PERIOD_BY; by++) {
        sek__sums_count_partners(&p->by[by]);
        if (p->by[by].failed)
            return out_of_memory(r, diag);
        if (p->by[by].n)
            qsort(p->by[by].all, p->by[by].n, sizeof *p->by[by].all, sek__sums_by_count);
    }
    for (size_t i = 0; i < p->n_steps; i++) {
        p->total.hits += p->steps[i].hits;
        p->total.blocked += p->steps[i].blocked;
        p->total.monitored += p->steps[i].monitored;
        p->total.queries += p->steps[i].queries;
    }
    p->total.n_endpoints = p->by[SEK_PERIOD_ENDPOINT].n;
    p->total.n_domains = p->by[SEK_PERIOD_DOMAIN].n;
    return SEK_OK;
}

enum sek_err sek_period_read(struct sek_report *r, int64_t since_s, int64_t until_s, int64_t step_s,
                             struct sek_period **out, struct sek_diag *diag)
{
    if (since_s < 0 || since_s >= until_s || step_s < 60 || step_s % 60 ||
        (until_s - since_s) / step_s >= STEPS_MAX)
        return sek_diag_set(diag, SEK_E_INVALID, "no period to report on");
    struct sek_period *p = calloc(1, sizeof *p);
    if (!p)
        return out_of_memory(r, diag);
    p->since_s = since_s - since_s % 60;
    p->step_s = step_s;
    for (int by = 0; by < SEK_N_PERIOD_BY; by++)
        sek__sums_init(&p->by[by]);
    enum sek_err err = make_steps(r, p, until_s, diag);
    if (!err)
        err = read_pieces(r, p, until_s, HITS, add_hit, diag);
    if (!err)
        err = read_pieces(r, p, until_s, QUERIES, add_minute, diag);
    if (!err)
        err = sum_up(r, p, diag);
    if (err) {
        sek_period_free(p);
        return err;
    }
    *out = p;
    return SEK_OK;
}

void sek_period_free(struct sek_period *p)
{
    if (!p)
        return;
    for (int by = 0; by < SEK_N_PERIOD_BY; by++)
        sek__sums_fini(&p->by[by]);
    free(p->steps);
    free(p);
}

const struct sek_period_total *sek_period_total(const struct sek_period *p)
{
    return &p->total;
}

const struct sek_period_step *sek_period_steps(const struct sek_period *p, size_t *out_n)
{
    *out_n = p->n_steps;
    return p->steps;
}

const struct sek_period_gaps *sek_period_gaps(const struct sek_period *p)
{
    return &p->gaps;
}

/* --- groups ------------------------------------------------------------------------------------
 */

/* The text behind an id, copied: fn may take its time. */
static enum sek_err key_of(struct sek_report *r, sqlite3_stmt *stmt, int64_t id,
                           struct sek_buf *text, struct sek_diag *diag)
{
    sek_buf_reset(text);
    if (id < 0) {
        sek_buf_add_text(text, sek_trigger_decider((int)-id));
        return SEK_OK;
    }
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        sek_buf_add_text(text, (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SEK_OK : sek__report_fail(r, rc, diag);
}

enum sek_err sek_period_groups(struct sek_report *r, struct sek_period *p, enum sek_period_by by,
                               size_t limit, sek_period_fn *fn, void *arg, struct sek_diag *diag)
{
    static const char *const keys[] = {
        [SEK_PERIOD_ENDPOINT] = "SELECT address FROM endpoint WHERE id = ?1",
        [SEK_PERIOD_DECIDER] = "SELECT name FROM list WHERE id = ?1",
        [SEK_PERIOD_DOMAIN] = "SELECT text FROM name WHERE id = ?1",
    };
    const struct sek__sums *g = &p->by[by];
    sqlite3_stmt *stmt = NULL;
    struct sek_buf text;
    enum sek_err err = sek_sql_prepare(r->sql, keys[by], &stmt, diag);
    if (err)
        return err;
    sek_buf_init(&text, 0);
    for (size_t i = 0; i < g->n && (!limit || i < limit) && !err; i++) {
        const struct sek__sum *x = &g->all[i];
        err = key_of(r, stmt, x->id, &text, diag);
        const struct sek_period_group out = {.key = text.data ? text.data : "",
                                             .hits = x->count,
                                             .blocked = x->sums[BLOCKED],
                                             .monitored = x->sums[MONITORED],
                                             .n_partners = x->n_partners[0],
                                             .last_ms = x->last_ms};
        if (!err && !fn(arg, &out))
            break;
    }
    sqlite3_finalize(stmt);
    sek_buf_fini(&text);
    return err;
}

/* --- new domains -------------------------------------------------------------------------------
 */

static enum sek_err count_new(struct sek_report *r, int64_t since_s, int64_t until_s, uint64_t *out,
                              struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(
        r->sql, "SELECT count(*) FROM domain WHERE first_ms >= ?1 AND first_ms < ?2", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, since_s * 1000);
    sqlite3_bind_int64(stmt, 2, until_s * 1000);
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_report_new_domains(struct sek_report *r, int64_t since_s, int64_t until_s,
                                    unsigned limit, uint64_t *out_n, sek_new_domain_fn *fn,
                                    void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc = SQLITE_DONE;
    enum sek_err err = count_new(r, since_s, until_s, out_n, diag);
    if (!err && limit)
        err = sek_sql_prepare(r->sql,
                              "SELECT name, endpoint, first_ms, queries FROM domain"
                              " WHERE first_ms >= ?1 AND first_ms < ?2"
                              " ORDER BY queries DESC, first_ms DESC, name LIMIT ?3",
                              &stmt, diag);
    if (err || !limit)
        return err;
    sqlite3_bind_int64(stmt, 1, since_s * 1000);
    sqlite3_bind_int64(stmt, 2, until_s * 1000);
    sqlite3_bind_int64(stmt, 3, limit);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *domain = (const char *)sqlite3_column_text(stmt, 0);
        const char *endpoint = (const char *)sqlite3_column_text(stmt, 1);
        const struct sek_new_domain one = {.domain = domain ? domain : "",
                                           .endpoint = endpoint ? endpoint : "",
                                           .first_ms = sqlite3_column_int64(stmt, 2),
                                           .queries = (uint64_t)sqlite3_column_int64(stmt, 3)};
        if (!fn(arg, &one))
            break;
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
