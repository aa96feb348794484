/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/risk_sums.h"
#include "verdict/verdict.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

void sek__risk_sums_init(struct sek__risk_sums *s)
{
    *s = (struct sek__risk_sums){0};
    sek_buf_init(&s->tenancies, SIZE_MAX);
    sek_buf_init(&s->sums, SIZE_MAX);
}

void sek__risk_sums_fini(struct sek__risk_sums *s)
{
    sek_buf_fini(&s->tenancies);
    sek_buf_fini(&s->sums);
}

void sek__risk_sums_reset(struct sek__risk_sums *s)
{
    sek_buf_reset(&s->tenancies);
    sek_buf_reset(&s->sums);
}

static struct sek__risk_tenancy *tenancy_at(const struct sek__risk_sums *s, size_t i)
{
    return (struct sek__risk_tenancy *)(void *)s->tenancies.data + i;
}

static size_t count_tenancies(const struct sek__risk_sums *s)
{
    return s->tenancies.len / sizeof(struct sek__risk_tenancy);
}

static struct sek__risk_sum *sum_at(const struct sek__risk_sums *s, size_t i)
{
    return (struct sek__risk_sum *)(void *)s->sums.data + i;
}

/* --- adding ------------------------------------------------------------------------------------
 */

/* The sum of this kind among those from `first` on, a new one if need be; NULL: out of memory. */
static struct sek__risk_sum *sum_of(struct sek__risk_sums *s, size_t first,
                                    const struct sek__risk_record *r, const char *texts)
{
    const char *domain = texts + r->domain; /* offset 0 holds "" */
    size_t n = s->sums.len / sizeof(struct sek__risk_sum);
    for (size_t i = first; i < n; i++) {
        struct sek__risk_sum *sum = sum_at(s, i);
        if (sum->key == r->key && sum->part == r->part &&
            (r->domain == 0 ? !*sum->domain : strcmp(sum->domain, domain) == 0))
            return sum;
    }
    const struct sek__risk_sum fresh = {
        .domain = domain, .key = r->key, .part = (enum sek_risk_part)r->part};
    sek_buf_add(&s->sums, &fresh, sizeof fresh);
    return s->sums.failed ? NULL : sum_at(s, n);
}

static void add_record(struct sek__risk_sum *sum, const struct sek_risk_query *q,
                       const struct sek__risk_record *r)
{
    double left = sek_risk_decay(q->now_s - r->last_ms / 1000, q->half_life_s);
    if (sum->part == SEK_RISK_FINDING) {
        double points = sek_risk_finding(r->key, (double)r->weight) * left;
        if (points > sum->n || sum->count == 0) {
            sum->n = points;
            sum->confidence = (double)r->weight;
        }
    } else {
        sum->n += (double)r->weight * left;
    }
    sum->count += r->count;
    if (r->last_ms > sum->last_ms)
        sum->last_ms = r->last_ms;
}

static double points_of(const struct sek__risk_sum *s)
{
    return s->part == SEK_RISK_FINDING ? s->n : sek_risk_many(s->part, s->n);
}

/* All of a part together have a most. */
static void end_tenancy(struct sek__risk_sums *s, struct sek__risk_tenancy *t)
{
    double parts[SEK_N_RISK_PARTS] = {0};
    t->n = (uint32_t)(s->sums.len / sizeof(struct sek__risk_sum)) - t->first;
    for (uint32_t i = t->first; i < t->first + t->n; i++) {
        const struct sek__risk_sum *sum = sum_at(s, i);
        parts[sum->part] += points_of(sum);
        if (sum->last_ms > t->last_ms)
            t->last_ms = sum->last_ms;
    }
    for (int i = 1; i < SEK_N_RISK_PARTS; i++) {
        double most = sek_risk_most((enum sek_risk_part)i);
        t->points += parts[i] < most ? parts[i] : most;
    }
    sek_buf_add(&s->tenancies, t, sizeof *t);
}

static bool is_within(const struct sek__risk_record *r, const struct sek__risk_tenancy *t)
{
    return t->from_s <= r->last_ms / 1000 && r->last_ms / 1000 < t->until_s;
}

/* The first record that no tenancy since `begin` covers; n: none. */
static size_t next_open(const struct sek__risk_sums *s, size_t begin, size_t from,
                        const struct sek__risk_record *records, size_t n)
{
    for (; from < n; from++) {
        bool covered = false;
        for (size_t i = begin; i < count_tenancies(s) && !covered; i++)
            covered = is_within(&records[from], tenancy_at(s, i));
        if (!covered)
            break;
    }
    return from;
}

void sek__risk_sums_add(struct sek__risk_sums *s, const struct sek_risk_query *q,
                        const char *address, const char *texts,
                        const struct sek__risk_record *records, size_t n)
{
    size_t begin = count_tenancies(s);
    for (size_t at = 0; at < n; at = next_open(s, begin, at + 1, records, n)) {
        struct sek__risk_tenancy t = {.address = address,
                                      .from_s = INT64_MIN,
                                      .until_s = INT64_MAX,
                                      .first =
                                          (uint32_t)(s->sums.len / sizeof(struct sek__risk_sum))};
        int64_t time_s = records[at].last_ms / 1000;
        if (q->tenancy)
            q->tenancy(q->tenancy_arg, address, time_s, &t.from_s, &t.until_s);
        for (size_t i = at; i < n; i++) {
            struct sek__risk_sum *sum = NULL;
            if (i != at && !is_within(&records[i], &t))
                continue;
            if (!(sum = sum_of(s, t.first, &records[i], texts)))
                break;
            add_record(sum, q, &records[i]);
        }
        end_tenancy(s, &t);
        if (s->sums.failed || s->tenancies.failed)
            break;
    }
}

/* --- telling -----------------------------------------------------------------------------------
 */

double sek__risk_sums_points(const struct sek__risk_sums *s)
{
    double points = 0;
    for (size_t i = 0; i < count_tenancies(s); i++)
        points += tenancy_at(s, i)->points;
    return points;
}

bool sek__risk_sums_are_above(const struct sek__risk_sums *s, unsigned n, double points)
{
    size_t all = count_tenancies(s);
    unsigned n_above = 0;
    if (all < n)
        return false;
    for (size_t i = 0; i < all; i++)
        n_above += tenancy_at(s, i)->points >= points;
    return n_above >= n;
}

static int by_points(const void *a, const void *b)
{
    const struct sek__risk_tenancy *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    if (x->last_ms != y->last_ms)
        return x->last_ms < y->last_ms ? 1 : -1;
    return strcmp(x->address, y->address);
}

static int by_reason(const void *a, const void *b)
{
    const struct sek_risk_reason *x = a, *y = b;
    if (x->points != y->points)
        return x->points < y->points ? 1 : -1;
    return (int)x->part - (int)y->part;
}

static struct sek_risk_reason reason_of(const struct sek__risk_sum *s, const char *texts,
                                        const size_t *lists)
{
    struct sek_risk_reason r = {.part = s->part,
                                .points = points_of(s),
                                .n = s->count,
                                .confidence = s->confidence,
                                .what = "",
                                .domain = s->domain,
                                .last_ms = s->last_ms};
    if (s->part == SEK_RISK_FINDING)
        r.detector = s->key;
    else if (s->key)
        r.what = texts + lists[s->key];
    else if (s->part == SEK_RISK_BLOCKED || s->part == SEK_RISK_MONITORED)
        r.what = sek_lookup_name(sek_trigger_names, SEK_TRIGGER_FINDING);
    return r;
}

static bool tell_one(const struct sek__risk_sums *s, const struct sek__risk_tenancy *t,
                     const char *texts, const size_t *lists, struct sek_buf *reasons,
                     sek_risk_fn *fn, void *arg)
{
    sek_buf_reset(reasons);
    for (uint32_t i = t->first; i < t->first + t->n; i++) {
        struct sek_risk_reason r = reason_of(sum_at(s, i), texts, lists);
        sek_buf_add(reasons, &r, sizeof r);
    }
    if (reasons->failed)
        return false;
    qsort(reasons->data, t->n, sizeof(struct sek_risk_reason), by_reason);
    const struct sek_risk out = {.endpoint = t->address,
                                 .from_s = t->from_s,
                                 .until_s = t->until_s,
                                 .points = t->points,
                                 .score = sek_risk_score(t->points),
                                 .last_ms = t->last_ms,
                                 .reasons = (const void *)reasons->data,
                                 .n_reasons = t->n};
    return fn(arg, &out);
}

bool sek__risk_sums_tell(struct sek__risk_sums *s, unsigned limit, const char *texts,
                         const size_t *lists, sek_risk_fn *fn, void *arg)
{
    size_t n = count_tenancies(s);
    struct sek_buf reasons;
    if (s->sums.failed || s->tenancies.failed)
        return false;
    if (n)
        qsort(s->tenancies.data, n, sizeof(struct sek__risk_tenancy), by_points);
    sek_buf_init(&reasons, 0);
    for (size_t i = 0; i < n && !(limit && i >= limit) && tenancy_at(s, i)->points > 0; i++)
        if (!tell_one(s, tenancy_at(s, i), texts, lists, &reasons, fn, arg))
            break;
    bool failed = reasons.failed;
    sek_buf_fini(&reasons);
    return !failed;
}
