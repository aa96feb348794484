/* SPDX-License-Identifier: BSD-3-Clause */
/* Which names were seen lately, in fixed memory: two Bloom filters, the older one forgotten when
 * the younger is full. Up to 2.4 % of new names pass for known by one filter, 4.8 % by both; a
 * known one passes for new only when so many others came between. Plain data; zeroed is empty. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Bits of one filter of `n` names. */
#define SEK_SKETCH_BITS(n) ((n)*8)
#define SEK_SKETCH_OCTETS(n) (2 * SEK_SKETCH_BITS(n) / 8)

struct sek_sketch {
    uint16_t n, young;
};

/* bits: SEK_SKETCH_OCTETS(n_names) octets beside it; n_names: a power of two. hash: keyed. True if
 * it was seen before; else it is remembered, if `remember`. */
bool sek_sketch_knows(struct sek_sketch *s, uint8_t *bits, unsigned n_names, uint64_t hash,
                      bool remember);
/* Can it be one of n_names? For what was read from a file. */
static inline bool sek_sketch_is_sound(const struct sek_sketch *s, unsigned n_names)
{
    return s->n <= n_names && s->young <= 1;
}
