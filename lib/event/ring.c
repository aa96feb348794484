/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/ring.h"
#include "base/hot.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define OCTETS_MIN ((size_t)64 << 10)
#define OCTETS_MAX ((size_t)1 << 30)
#define HOT_OCTETS ((uint64_t)64 << 10) /* a ring that is taken empty begins anew behind this */
#define LINE 64 /* octets of a cache line: producer and consumer write to different ones */

/* head and tail only grow; the place in the ring is their value modulo the size. A record never
 * wraps: one that does not fit before the end leaves a marker (size 0) there and starts at the
 * beginning. Each side keeps a copy of the other's position and looks at the original only when the
 * copy says "full" or "empty", so that the line is not moved between cores for every record. */
struct sek_ring {
    _Alignas(LINE) _Atomic uint64_t head; /* written by the producer */
    uint64_t tail_seen;
    _Atomic uint64_t dropped;
    _Alignas(LINE) _Atomic uint64_t tail; /* written by the consumer, and see begin_anew() */
    uint64_t head_seen, peeked;   /* peeked: the tail after the next pop; 0: nothing to pop */
    _Alignas(LINE) uint64_t size; /* a power of two; constant, as is octets */
    uint8_t *octets;
};

enum sek_err sek_ring_new(size_t octets, struct sek_ring **out)
{
    size_t size = OCTETS_MIN;
    if (octets > OCTETS_MAX)
        return SEK_E_LIMIT;
    while (size < octets)
        size *= 2;
    struct sek_ring *r = aligned_alloc(LINE, sizeof *r);
    if (!r)
        return SEK_E_NOMEM;
    memset(r, 0, sizeof *r);
    r->octets = sek_hot_alloc(size);
    if (!r->octets) {
        free(r);
        return SEK_E_NOMEM;
    }
    r->size = size;
    *out = r;
    return SEK_OK;
}

void sek_ring_free(struct sek_ring *r)
{
    if (r)
        free(r->octets);
    free(r);
}

static bool drop(struct sek_ring *r)
{
    /* one writer: no need for an atomic addition */
    uint64_t n = atomic_load_explicit(&r->dropped, memory_order_relaxed);
    atomic_store_explicit(&r->dropped, n + 1, memory_order_relaxed);
    return false;
}

/* Once everything was taken, begin at the ring's start again: the next events are written to memory
 * that the processor still has at hand, and not through the whole ring, which would push the host's
 * own out. The consumer has nothing to take meanwhile and writes no tail; it sees the new one
 * before it can see a new head. Returns the head. */
static uint64_t begin_anew(struct sek_ring *r, uint64_t head)
{
    uint64_t at = head & (r->size - 1);
    if (at < HOT_OCTETS || atomic_load_explicit(&r->tail, memory_order_acquire) != head)
        return head;
    head += r->size - at;
    r->tail_seen = head;
    atomic_store_explicit(&r->tail, head, memory_order_relaxed);
    atomic_store_explicit(&r->head, head, memory_order_release);
    return head;
}

bool sek_ring_push(struct sek_ring *r, const struct sek_event *e)
{
    uint64_t need = e->size;
    if (need < offsetof(struct sek_event, names) || need > SEK_EVENT_MAX || need % 8)
        return drop(r);
    uint64_t head = begin_anew(r, atomic_load_explicit(&r->head, memory_order_relaxed));
    uint64_t at = head & (r->size - 1);
    uint64_t pad = r->size - at < need ? r->size - at : 0;
    if (head + pad + need - r->tail_seen > r->size) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head + pad + need - r->tail_seen > r->size)
            return drop(r);
    }
    if (pad) {
        ((struct sek_event *)(r->octets + at))->size = 0;
        at = 0;
    }
    memcpy(r->octets + at, e, need);
    atomic_store_explicit(&r->head, head + pad + need, memory_order_release);
    return true;
}

/* The record at a position that holds one, past the marker at the ring's end if there is one: what
 * is behind a marker was published together with it. */
static const struct sek_event *record_at(const struct sek_ring *r, uint64_t *position)
{
    const struct sek_event *e = (const struct sek_event *)(r->octets + (*position & (r->size - 1)));
    if (e->size != 0)
        return e;
    *position = (*position | (r->size - 1)) + 1;
    return (const struct sek_event *)r->octets;
}

unsigned sek_ring_peek(struct sek_ring *r, const struct sek_event **out, unsigned max)
{
    uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);
    unsigned n = 0;
    if (at >= r->head_seen) { /* above: the producer has begun anew since */
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        at = atomic_load_explicit(&r->tail, memory_order_relaxed);
    }
    while (n < max && at < r->head_seen) {
        out[n] = record_at(r, &at);
        at += out[n++]->size;
    }
    r->peeked = n ? at : 0;
    return n;
}

void sek_ring_pop(struct sek_ring *r)
{
    if (r->peeked)
        atomic_store_explicit(&r->tail, r->peeked, memory_order_release);
    r->peeked = 0; /* a second pop must not undo a new beginning */
}

uint64_t sek_ring_dropped(const struct sek_ring *r)
{
    return atomic_load_explicit(&r->dropped, memory_order_relaxed);
}
