/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/sketch.h"
#include <string.h>
#include "base/banned.h"

#define PROBES 4

static uint32_t bit_of(uint64_t hash, unsigned k, unsigned n_bits)
{
    return ((uint32_t)hash + k * ((uint32_t)(hash >> 32) | 1)) & (n_bits - 1);
}

bool sek_sketch_knows(struct sek_sketch *s, uint8_t *bits, unsigned n_names, uint64_t hash,
                      bool remember)
{
    unsigned n_bits = SEK_SKETCH_BITS(n_names), octets = n_bits / 8;
    bool known[2] = {true, true};
    for (unsigned k = 0; k < PROBES; k++) {
        uint32_t bit = bit_of(hash, k, n_bits);
        for (unsigned g = 0; g < 2; g++)
            known[g] = known[g] && bits[g * octets + bit / 8] >> bit % 8 & 1;
    }
    if (known[0] || known[1] || !remember)
        return known[0] || known[1];
    if (s->n == n_names) {
        s->young ^= 1;
        s->n = 0;
        memset(bits + s->young * octets, 0, octets);
    }
    for (unsigned k = 0; k < PROBES; k++) {
        uint32_t bit = bit_of(hash, k, n_bits);
        bits[s->young * octets + bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    s->n++;
    return false;
}
