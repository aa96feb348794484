/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/risk_sums.h"
#include "verdict/verdict.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

void sek__risk_sums_init(struct sek__risk_sums *s)
{
    *s = (struct sek__risk_sums){0};
    sek_buf_init(&s->machines, SIZE_MAX);
    sek_buf_init(&s->sums, SIZE_MAX);
    sek_buf_init(&s->addresses, SIZE_MAX);
    sek_buf_init(&s->stays, SIZE_MAX);
}

void sek__risk_sums_fini(struct sek__risk_sums *s)
{
    sek_buf_fini(&s->machines);
    sek_buf_fini(&s->sums);
    sek_buf_fini(&s->addresses);
    sek_buf_fini(&s->stays);
}

void sek__risk_sums_reset(struct sek__risk_sums *s)
{
    sek_buf_reset(&s->machines);
    sek_buf_reset(&s->sums);
    sek_buf_reset(&s->addresses);
}

static struct sek__risk_machine *machine_at(const struct sek__risk_sums *s, size_t i)
{
    return (struct sek__risk_machine *)(void *)s->machines.data + i;
}

static size_t count_machines(const struct sek__risk_sums *s)
{
    return s->machines.len / sizeof(struct sek__risk_machine);
}

static struct sek_risk_address *address_at(const struct sek__risk_sums *s, size_t i)
{
    return (struct sek_risk_address *)(void *)s->addresses.data + i;
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

static bool is_within(const struct sek__risk_record *r, const struct sek__risk_stay *stay)
{
    return stay->from_s <= r->last_ms / 1000 && r->last_ms / 1000 < stay->until_s;
}

static bool counts_then(const struct sek_risk_query *q, const struct sek__risk_record *r)
{
    int64_t age_s = q->now_s - r->last_ms / 1000;
    return (!q->as_of || age_s >= 0) && age_s <= SEK_RISK_HALF_LIVES * q->half_life_s;
}

/* The records of a stay. */
static void add_stay(struct sek__risk_sums *s, const struct sek_risk_query *q,
                     const struct sek__risk_source *source, const struct sek__risk_stay *stay,
                     const char *texts, size_t first)
{
    struct sek_risk_address a = {source->address, stay->from_s, stay->until_s, INT64_MIN};
    for (size_t i = 0; i < source->n; i++) {
        const struct sek__risk_record *r = &source->records[i];
        struct sek__risk_sum *sum = NULL;
        if (!is_within(r, stay) || !counts_then(q, r))
            continue;
        if (!(sum = sum_of(s, first, r, texts)))
            return;
        add_record(sum, q, r);
        a.last_ms = r->last_ms > a.last_ms ? r->last_ms : a.last_ms;
    }
    sek_buf_add(&s->addresses, &a, sizeof a);
}

static int by_address(const void *a, const void *b)
{
    const struct sek_risk_address *x = a, *y = b;
    return strcmp(x->text, y->text);
}

static int by_last(const void *a, const void *b)
{
    const struct sek_risk_address *x = a, *y = b;
    if (x->last_ms != y->last_ms)
        return x->last_ms < y->last_ms ? 1 : -1;
    return by_address(a, b);
}

/* Each address once, the latest first. Returns how many. */
static uint32_t join_addresses(struct sek_risk_address *a, size_t n)
{
    size_t kept = 0;
    if (n > 1)
        qsort(a, n, sizeof *a, by_address);
    for (size_t i = 0; i < n; i++) {
        struct sek_risk_address *last = kept ? &a[kept - 1] : NULL;
        if (!last || strcmp(last->text, a[i].text) != 0) {
            a[kept++] = a[i];
            continue;
        }
        last->from_s = a[i].from_s < last->from_s ? a[i].from_s : last->from_s;
        last->until_s = a[i].until_s > last->until_s ? a[i].until_s : last->until_s;
        last->last_ms = a[i].last_ms > last->last_ms ? a[i].last_ms : last->last_ms;
    }
    if (kept > 1)
        qsort(a, kept, sizeof *a, by_last);
    return (uint32_t)kept;
}

/* All of a part together have a most. */
static double points_together(const struct sek__risk_sums *s, const struct sek__risk_machine *m)
{
    double parts[SEK_N_RISK_PARTS] = {0}, points = 0;
    for (uint32_t i = m->first; i < m->first + m->n; i++)
        parts[sum_at(s, i)->part] += points_of(sum_at(s, i));
    for (int i = 1; i < SEK_N_RISK_PARTS; i++) {
        double most = sek_risk_most((enum sek_risk_part)i);
        points += parts[i] < most ? parts[i] : most;
    }
    return points;
}

static void add_machine(struct sek__risk_sums *s, const struct sek_risk_query *q,
                        const struct sek__risk_source *sources, const struct sek__risk_stay *stays,
                        size_t n, const char *texts)
{
    struct sek__risk_machine m = {
        .from_s = INT64_MAX,
        .until_s = INT64_MIN,
        .last_ms = INT64_MIN,
        .first = (uint32_t)(s->sums.len / sizeof(struct sek__risk_sum)),
        .first_address = (uint32_t)(s->addresses.len / sizeof(struct sek_risk_address))};
    for (size_t i = 0; i < n; i++)
        add_stay(s, q, &sources[stays[i].source], &stays[i], texts, m.first);
    if (s->sums.failed || s->addresses.failed)
        return;
    struct sek_risk_address *a = address_at(s, m.first_address);
    m.n_addresses =
        join_addresses(a, s->addresses.len / sizeof(struct sek_risk_address) - m.first_address);
    s->addresses.len = (m.first_address + m.n_addresses) * sizeof *a;
    for (uint32_t i = 0; i < m.n_addresses; i++) {
        m.from_s = a[i].from_s < m.from_s ? a[i].from_s : m.from_s;
        m.until_s = a[i].until_s > m.until_s ? a[i].until_s : m.until_s;
    }
    m.last_ms = a[0].last_ms;
    m.address = a[0].text;
    m.n = (uint32_t)(s->sums.len / sizeof(struct sek__risk_sum)) - m.first;
    m.points = points_together(s, &m);
    sek_buf_add(&s->machines, &m, sizeof m);
}

static struct sek__risk_stay *stays_of(const struct sek__risk_sums *s)
{
    return (struct sek__risk_stay *)(void *)s->stays.data;
}

/* The stays at an address that its records are of. */
static void find_stays(struct sek__risk_sums *s, const struct sek_risk_query *q,
                       const struct sek__risk_source *source, uint32_t number)
{
    size_t begin = s->stays.len / sizeof(struct sek__risk_stay);
    for (size_t i = 0; i < source->n && !s->stays.failed; i++) {
        size_t end = s->stays.len / sizeof(struct sek__risk_stay), k = begin;
        while (k < end && !is_within(&source->records[i], &stays_of(s)[k]))
            k++;
        if (k < end)
            continue;
        struct sek_span span = {.from_s = INT64_MIN, .until_s = INT64_MAX};
        q->tenancy(q->inventory, source->address, source->records[i].last_ms / 1000, &span);
        struct sek__risk_stay stay = {
            .source = number, .from_s = span.from_s, .until_s = span.until_s};
        memcpy(stay.mac, span.machine.mac, sizeof stay.mac);
        memcpy(stay.name, span.machine.name, sizeof stay.name);
        sek_buf_add(&s->stays, &stay, sizeof stay);
    }
}

static void whole_stay(struct sek__risk_sums *s, uint32_t number)
{
    const struct sek__risk_stay whole = {
        .source = number, .from_s = INT64_MIN, .until_s = INT64_MAX};
    sek_buf_add(&s->stays, &whole, sizeof whole);
}

void sek__risk_sums_add(struct sek__risk_sums *s, const struct sek_risk_query *q,
                        const struct sek__risk_source *sources, size_t n, const char *texts)
{
    sek_buf_reset(&s->stays);
    for (size_t i = 0; i < n; i++)
        if (q->tenancy)
            find_stays(s, q, &sources[i], (uint32_t)i);
        else
            whole_stay(s, (uint32_t)i);
    size_t n_stays = s->stays.failed ? 0 : s->stays.len / sizeof(struct sek__risk_stay), end;
    const struct sek__risk_stay *stays = stays_of(s);
    if (q->tenancy)
        sek__risk_stays_identify(stays_of(s), n_stays);
    for (size_t i = 0; i < n_stays; i = end) {
        for (end = i + 1; end < n_stays && stays[end].machine == stays[i].machine;)
            end++;
        add_machine(s, q, sources, stays + i, end - i, texts);
    }
}

/* --- telling -----------------------------------------------------------------------------------
 */

double sek__risk_sums_points(const struct sek__risk_sums *s)
{
    double points = 0;
    for (size_t i = 0; i < count_machines(s); i++)
        points += machine_at(s, i)->points;
    return points;
}

bool sek__risk_sums_are_above(const struct sek__risk_sums *s, unsigned n, double points)
{
    size_t all = count_machines(s);
    unsigned n_above = 0;
    if (all < n)
        return false;
    for (size_t i = 0; i < all; i++)
        n_above += machine_at(s, i)->points >= points;
    return n_above >= n;
}

static int by_points(const void *a, const void *b)
{
    const struct sek__risk_machine *x = a, *y = b;
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
    else
        r.what = texts + lists[s->key];
    return r;
}

static bool tell_one(const struct sek__risk_sums *s, const struct sek__risk_machine *t,
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
                                 .addresses = address_at(s, t->first_address),
                                 .n_addresses = t->n_addresses,
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
    size_t n = count_machines(s);
    struct sek_buf reasons;
    if (s->sums.failed || s->machines.failed || s->addresses.failed || s->stays.failed)
        return false;
    if (n)
        qsort(s->machines.data, n, sizeof(struct sek__risk_machine), by_points);
    sek_buf_init(&reasons, 0);
    for (size_t i = 0; i < n && !(limit && i >= limit) && machine_at(s, i)->points > 0; i++)
        if (!tell_one(s, machine_at(s, i), texts, lists, &reasons, fn, arg))
            break;
    bool failed = reasons.failed;
    sek_buf_fini(&reasons);
    return !failed;
}
