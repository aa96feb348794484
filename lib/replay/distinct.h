/* SPDX-License-Identifier: BSD-3-Clause */
/* How many different things there were, told apart by hashes of 64 bits: exact, up to a bound that
 * keeps memory bounded. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_DISTINCT_MAX (1u << 23) /* 128 MiB */

struct sek_distinct {
    uint64_t *slots; /* 0: free; NULL: empty so far */
    size_t n_slots, n;
    bool more; /* than `n`: out of room */
};

/* Begin with all zero. Add one by its hash; what finds no room is left out (`more`). False: it was
 * there already. */
bool sek_distinct_add(struct sek_distinct *d, uint64_t hash);
/* Forget all; the memory stays. */
void sek_distinct_clear(struct sek_distinct *d);
void sek_distinct_fini(struct sek_distinct *d);
