/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/places.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WAYS SEK_PLACES_WAYS
#define LINE 64 /* octets that a processor's cache takes at once: the tags of a set */

enum sek_err sek_places_init(struct sek_places *p, size_t n, size_t stride, int64_t silent_ms)
{
    size_t n_sets = n / WAYS ? n / WAYS : 1;
    uint8_t *octets = calloc(n_sets * WAYS, stride);
    uint64_t *tags = aligned_alloc(LINE, n_sets * WAYS * sizeof *tags);
    if (!octets || !tags) {
        free(octets);
        free(tags);
        return SEK_E_NOMEM;
    }
    memset(tags, 0, n_sets * WAYS * sizeof *tags);
    *p = (struct sek_places){tags, octets, stride, n_sets, silent_ms, 0};
    return SEK_OK;
}

void sek_places_fini(struct sek_places *p)
{
    free(p->octets);
    free(p->tags);
    p->octets = NULL;
    p->tags = NULL;
}

size_t sek_places_octets(const struct sek_places *p)
{
    return p->n_sets * WAYS * (p->stride + sizeof *p->tags);
}

void *sek_places_at(const struct sek_places *p, size_t i)
{
    return p->octets + i * p->stride;
}

size_t sek_places_index(const struct sek_places *p, const void *at)
{
    return (size_t)((const uint8_t *)at - p->octets) / p->stride;
}

/* The first place of the set. The high half chooses it: what the low half tells apart stays in one.
 */
static size_t set_of(const struct sek_places *p, uint64_t tag)
{
    return (tag >> 32) % p->n_sets * WAYS;
}

static struct sek_place *place(const struct sek_places *p, size_t at)
{
    return (struct sek_place *)(p->octets + at * p->stride);
}

/* Its place within the set, or WAYS. */
static unsigned way_of(const uint64_t *tags, uint64_t tag)
{
    unsigned way = 0;
    while (way < WAYS && tags[way] != tag)
        way++;
    return way;
}

void *sek_places_find(const struct sek_places *p, uint64_t tag)
{
    tag = tag ? tag : 1;
    size_t set = set_of(p, tag);
    unsigned way = way_of(p->tags + set, tag);
    return way < WAYS ? place(p, set + way) : NULL;
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
    return worth_a < worth_b || (worth_a == worth_b && a->last_ms < b->last_ms);
}

/* A free one, else the one to give up. */
static unsigned way_to_take(struct sek_places *p, size_t set, int64_t now_ms)
{
    unsigned best = way_of(p->tags + set, 0);
    if (best < WAYS)
        return best;
    for (unsigned way = 0; way < WAYS; way++) /* wait for all at once */
        __builtin_prefetch(place(p, set + way));
    best = 0;
    for (unsigned way = 1; way < WAYS; way++)
        if (is_less(p, place(p, set + way), place(p, set + best), now_ms))
            best = way;
    p->evicted += !is_silent(p, place(p, set + best), now_ms);
    return best;
}

void *sek_places_take(struct sek_places *p, uint64_t tag, int64_t now_ms, bool *out_fresh)
{
    tag = tag ? tag : 1;
    size_t set = set_of(p, tag);
    unsigned way = way_of(p->tags + set, tag);
    *out_fresh = way == WAYS;
    if (way < WAYS)
        return place(p, set + way);
    way = way_to_take(p, set, now_ms);
    struct sek_place *at = place(p, set + way);
    memset(at, 0, p->stride);
    at->tag = p->tags[set + way] = tag;
    at->last_ms = now_ms;
    return at;
}

bool sek_places_put(struct sek_places *p, const void *thing, const struct sek_lapse *lapse)
{
    const struct sek_place *from = thing;
    bool fresh;
    if (from->tag == 0 || !sek_kept_time(from->last_ms, lapse) || !sek_kept_count(from->worth) ||
        is_silent(p, from, lapse->to_ms))
        return false;
    void *to = sek_places_take(p, from->tag, from->last_ms, &fresh);
    if (fresh)
        memcpy(to, thing, p->stride);
    return fresh;
}

struct sek_kept sek_places_kept(const struct sek_places *p, uint32_t layout,
                                bool (*take)(void *, void *, const struct sek_lapse *))
{
    return (struct sek_kept){layout, p->octets, p->tags, p->stride, p->n_sets * WAYS, take};
}
