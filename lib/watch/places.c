/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/places.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WAYS SEK_PLACES_WAYS

enum sek_err sek_places_init(struct sek_places *p, size_t n, size_t stride, int64_t silent_ms)
{
    size_t n_sets = n / WAYS ? n / WAYS : 1;
    uint8_t *octets = calloc(n_sets * WAYS, stride);
    if (!octets)
        return SEK_E_NOMEM;
    *p = (struct sek_places){octets, stride, n_sets, silent_ms, 0};
    return SEK_OK;
}

void sek_places_fini(struct sek_places *p)
{
    free(p->octets);
    p->octets = NULL;
}

size_t sek_places_octets(const struct sek_places *p)
{
    return p->n_sets * WAYS * p->stride;
}

void *sek_places_at(const struct sek_places *p, size_t i)
{
    return p->octets + i * p->stride;
}

size_t sek_places_index(const struct sek_places *p, const void *at)
{
    return (size_t)((const uint8_t *)at - p->octets) / p->stride;
}

static struct sek_place *place(const struct sek_places *p, uint64_t tag, unsigned way)
{
    /* the high half chooses the set: what the low half tells apart stays in one */
    return (struct sek_place *)(p->octets + ((tag >> 32) % p->n_sets * WAYS + way) * p->stride);
}

void *sek_places_find(const struct sek_places *p, uint64_t tag)
{
    tag = tag ? tag : 1;
    for (unsigned way = 0; way < WAYS; way++)
        if (place(p, tag, way)->tag == tag)
            return place(p, tag, way);
    return NULL;
}

static bool is_silent(const struct sek_places *p, const struct sek_place *at, int64_t now_ms)
{
    return now_ms > at->last_ms && now_ms - at->last_ms > p->silent_ms;
}

/* Is a the better one to give up? */
static bool is_less(const struct sek_places *p, const struct sek_place *a,
                    const struct sek_place *b, int64_t now_ms)
{
    uint64_t worth_a = is_silent(p, a, now_ms) ? 0 : a->worth;
    uint64_t worth_b = is_silent(p, b, now_ms) ? 0 : b->worth;
    if (!a->tag || !b->tag)
        return !a->tag && b->tag;
    return worth_a < worth_b || (worth_a == worth_b && a->last_ms < b->last_ms);
}

void *sek_places_take(struct sek_places *p, uint64_t tag, int64_t now_ms, bool *out_fresh)
{
    struct sek_place *at = sek_places_find(p, tag);
    *out_fresh = !at;
    if (at)
        return at;
    at = place(p, tag, 0);
    for (unsigned way = 1; way < WAYS; way++)
        if (is_less(p, place(p, tag, way), at, now_ms))
            at = place(p, tag, way);
    p->evicted += at->tag && !is_silent(p, at, now_ms);
    memset(at, 0, p->stride);
    at->tag = tag ? tag : 1;
    at->last_ms = now_ms;
    return at;
}
