/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounded map from a 128-bit key (exact, or a keyed hash of something longer) to a number. It keeps
 * two generations: when the younger is full, or the owner turns, the older is forgotten; a key that
 * is looked up moves to the younger. Plain data, one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sek_idmap_key {
    uint64_t a, b; /* not both 0 */
};

struct sek_idmap_table {
    struct sek_idmap_slot *slots; /* open addressing */
    size_t n_slots, n;            /* n_slots: 0 or a power of two */
};

struct sek_idmap {
    struct sek_idmap_table young, old;
    size_t max; /* keys a generation */
};

/* Allocates nothing yet. */
void sek_idmap_init(struct sek_idmap *m, size_t max);
void sek_idmap_fini(struct sek_idmap *m);
bool sek_idmap_get(struct sek_idmap *m, struct sek_idmap_key key, int64_t *out);
/* Insert or replace. False: out of memory, and all keys are forgotten. */
bool sek_idmap_put(struct sek_idmap *m, struct sek_idmap_key key, int64_t value);
/* Forget the older generation; the younger becomes the older. */
void sek_idmap_turn(struct sek_idmap *m);
/* Forget all. */
void sek_idmap_clear(struct sek_idmap *m);
