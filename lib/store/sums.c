/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/sums.h"
#include <stdlib.h>
#include "base/banned.h"

void sek__sums_init(struct sek__sums *g)
{
    *g = (struct sek__sums){0};
    sek_idmap_init(&g->by_id, SIZE_MAX);
}

void sek__sums_fini(struct sek__sums *g)
{
    free(g->all);
    sek_idmap_fini(&g->by_id);
    free(g->partners[0].all);
    free(g->partners[1].all);
}

struct sek__sum *sek__sums_of(struct sek__sums *g, int64_t id)
{
    int64_t at;
    struct sek_idmap_key key = {(uint64_t)id, 1};
    if (g->n && g->all[g->last].id == id) /* rows of one come one after the other */
        return &g->all[g->last];
    if (sek_idmap_get(&g->by_id, key, &at))
        return &g->all[g->last = (size_t)at];
    if (g->n == g->size) {
        size_t size = g->size ? g->size * 2 : 64;
        struct sek__sum *all = realloc(g->all, size * sizeof *all);
        if (!all) {
            g->failed = true;
            return NULL;
        }
        g->all = all;
        g->size = size;
    }
    g->all[g->n] = (struct sek__sum){.id = id, .first_ms = INT64_MAX, .last_ms = INT64_MIN};
    g->failed |= !sek_idmap_put(&g->by_id, key, (int64_t)g->n);
    return &g->all[g->last = g->n++];
}

void sek__sums_partner(struct sek__sums *g, const struct sek__sum *group, unsigned kind, int64_t id)
{
    struct sek__sum_pairs *p = &g->partners[kind];
    if (g->single[kind])
        return;
    if (p->n == p->size) {
        size_t size = p->size ? p->size * 2 : 1024;
        uint64_t *all = realloc(p->all, size * sizeof *all);
        if (!all) {
            g->failed = true;
            return;
        }
        p->all = all;
        p->size = size;
    }
    p->all[p->n++] = (uint64_t)(group - g->all) << 32 | (uint32_t)id;
}

/* Radix sort, from the lowest octet up; octets that are the same everywhere cost one look. */
static bool sort_pairs(struct sek__sum_pairs *p)
{
    uint64_t *other = malloc(p->n * sizeof *other + 1);
    if (!other)
        return false;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[256] = {0}, at = 0;
        for (size_t i = 0; i < p->n; i++)
            starts[p->all[i] >> shift & 0xff]++;
        if (p->n && starts[p->all[0] >> shift & 0xff] == p->n)
            continue;
        for (unsigned i = 0; i < 256; i++) {
            size_t n = starts[i];
            starts[i] = at;
            at += n;
        }
        for (size_t i = 0; i < p->n; i++)
            other[starts[p->all[i] >> shift & 0xff]++] = p->all[i];
        uint64_t *sorted = other;
        other = p->all;
        p->all = sorted;
        p->size = p->n;
    }
    free(other);
    return true;
}

void sek__sums_count_partners(struct sek__sums *g)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct sek__sum_pairs *p = &g->partners[kind];
        if (!sort_pairs(p)) {
            g->failed = true;
            return;
        }
        for (size_t i = 0; i < p->n; i++)
            if (i == 0 || p->all[i] != p->all[i - 1])
                g->all[p->all[i] >> 32].n_partners[kind]++;
        for (size_t i = 0; g->single[kind] && i < g->n; i++)
            g->all[i].n_partners[kind] = 1;
    }
}

void sek__sum_widen(struct sek__sum *g, int64_t first_ms, int64_t last_ms)
{
    g->first_ms = first_ms < g->first_ms ? first_ms : g->first_ms;
    g->last_ms = last_ms > g->last_ms ? last_ms : g->last_ms;
}

int sek__sums_by_count(const void *a, const void *b)
{
    const struct sek__sum *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

int sek__sums_by_newest(const void *a, const void *b)
{
    const struct sek__sum *x = a, *y = b;
    return x->id > y->id ? -1 : x->id < y->id;
}
