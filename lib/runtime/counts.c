/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/counts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_counts_packet {
    size_t len;
    _Alignas(8) uint8_t rows[]; /* each on a multiple of eight octets */
};

static size_t row_octets(const struct sek_tally_traffic *row)
{
    return (sizeof *row + row->domain_len + 7) & ~(size_t)7;
}

/* Those that fit, in the order of their first query: so a flood pushes out none before it. */
static struct sek_counts_packet *pack(const struct sek_tally_batch *batch, uint64_t *out_n)
{
    size_t octets = 0;
    const struct sek_tally_traffic *row = batch->traffic;
    for (; row && octets < SEK_COUNTS_OCTETS; row = row->next)
        octets += row_octets(row);
    octets = octets < SEK_COUNTS_OCTETS ? octets : SEK_COUNTS_OCTETS;
    struct sek_counts_packet *p = malloc(sizeof *p + octets);
    *out_n = 0;
    if (!p)
        return NULL;
    p->len = 0;
    for (row = batch->traffic; row; row = row->next) {
        size_t size = row_octets(row);
        if (size > octets - p->len)
            break;
        memcpy(p->rows + p->len, row, sizeof *row + row->domain_len);
        p->len += size;
        ++*out_n;
    }
    return p;
}

void sek_counts_put(struct sek_counts *c, const struct sek_tally_batch *batch)
{
    uint64_t n = 0;
    /* only we put one there, so an empty place stays empty */
    if (!atomic_load_explicit(&c->waiting, memory_order_acquire)) {
        struct sek_counts_packet *p = pack(batch, &n);
        atomic_store_explicit(&c->waiting, p, memory_order_release);
    }
    atomic_fetch_add_explicit(&c->lost, batch->n_traffic - n, memory_order_relaxed);
}

void sek_counts_take(struct sek_counts *c, sek_counts_fn *fn, void *arg)
{
    struct sek_counts_packet *p = atomic_exchange(&c->waiting, NULL);
    for (size_t at = 0; p && at < p->len;) {
        const struct sek_tally_traffic *row = (const void *)(p->rows + at);
        fn(arg, row);
        at += row_octets(row);
    }
    free(p);
}

void sek_counts_fini(struct sek_counts *c)
{
    free(atomic_exchange(&c->waiting, NULL));
}
