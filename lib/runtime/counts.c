/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/counts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_counts_packet {
    size_t len;
    /* each on a multiple of eight octets; `shown` of a copy is what is new in it */
    _Alignas(8) uint8_t rows[];
};

static size_t row_octets(const struct sek_tally_traffic *row)
{
    return (sizeof *row + row->domain_len + 7) & ~(size_t)7;
}

static uint32_t news_of(const struct sek_tally_traffic *row)
{
    uint64_t n = sek_tally_sum(row) - row->shown;
    return n < UINT32_MAX - row->shown ? (uint32_t)n : UINT32_MAX - row->shown;
}

/* Octets of all that is new, as far as there is room. */
static size_t octets_of(const struct sek_tally_traffic *row)
{
    size_t octets = 0;
    for (; row && octets < SEK_COUNTS_OCTETS; row = row->next)
        octets += news_of(row) ? row_octets(row) : 0;
    return octets < SEK_COUNTS_OCTETS ? octets : SEK_COUNTS_OCTETS;
}

/* In the order of their first query: so a flood pushes out none before it. NULL: nothing is new, or
 * out of memory. */
static struct sek_counts_packet *pack(struct sek_tally_traffic *row)
{
    size_t octets = octets_of(row);
    struct sek_counts_packet *p = octets ? malloc(sizeof *p + octets) : NULL;
    if (!p)
        return NULL;
    p->len = 0;
    for (; row; row = row->next) {
        uint32_t n = news_of(row);
        size_t size = n ? row_octets(row) : 0;
        if (size > octets - p->len)
            break;
        if (!n)
            continue;
        struct sek_tally_traffic *copy = (void *)(p->rows + p->len);
        memcpy(copy, row, sizeof *row + row->domain_len);
        copy->shown = n;
        row->shown += n;
        p->len += size;
    }
    return p;
}

void sek_counts_put(struct sek_counts *c, struct sek_tally_traffic *first, bool last)
{
    uint64_t n = 0;
    /* only we put one there, so an empty place stays empty */
    if (!atomic_load_explicit(&c->waiting, memory_order_acquire))
        atomic_store_explicit(&c->waiting, pack(first), memory_order_release);
    for (const struct sek_tally_traffic *row = last ? first : NULL; row; row = row->next)
        n += news_of(row) > 0;
    if (n)
        atomic_fetch_add_explicit(&c->lost, n, memory_order_relaxed);
}

void sek_counts_take(struct sek_counts *c, sek_counts_fn *fn, void *arg)
{
    struct sek_counts_packet *p = atomic_exchange(&c->waiting, NULL);
    for (size_t at = 0; p && at < p->len;) {
        const struct sek_tally_traffic *row = (const void *)(p->rows + at);
        fn(arg, row, row->shown);
        at += row_octets(row);
    }
    free(p);
}

void sek_counts_fini(struct sek_counts *c)
{
    free(atomic_exchange(&c->waiting, NULL));
}
