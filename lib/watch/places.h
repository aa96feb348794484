/* SPDX-License-Identifier: BSD-3-Clause */
/* Room for a fixed number of things that are known by a keyed 64-bit hash: sets of eight. When a
 * set is full, what was silent for long makes room, then what is worth least; so a flood of new
 * ones pushes out each other, not those that were seen often. One thread at a time; the memory is
 * all made at the start. */
#pragma once
#include "base/err.h"
#include "base/kept.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_PLACES_WAYS 8 /* of a set */

/* First member of every thing. */
struct sek_place {
    uint64_t tag; /* 0: free */
    int64_t last_ms;
    uint64_t worth; /* the owner's to raise */
};

struct sek_places {
    uint64_t *tags; /* of all, apart: those of a set lie in one line of the processor's cache */
    uint8_t *octets;
    size_t stride; /* octets of a thing */
    size_t n_sets;
    int64_t silent_ms; /* a thing silent for longer is worth nothing */
    uint64_t evicted;  /* things that made room before that */
};

/* n: things, rounded down to a multiple of eight, at least eight. NOMEM. */
enum sek_err sek_places_init(struct sek_places *p, size_t n, size_t stride, int64_t silent_ms);
void sek_places_fini(struct sek_places *p);
size_t sek_places_octets(const struct sek_places *p);
/* One of the places, free or not, by its number below n_sets · SEK_PLACES_WAYS; and back. */
void *sek_places_at(const struct sek_places *p, size_t i);
size_t sek_places_index(const struct sek_places *p, const void *at);
/* NULL: not there. tag 0 stands for 1. */
void *sek_places_find(const struct sek_places *p, uint64_t tag);
/* The thing with this tag, or a place for it, zeroed but for its head: then *out_fresh. Its last_ms
 * is the caller's to set; it is now_ms when fresh. Never NULL. */
void *sek_places_take(struct sek_places *p, uint64_t tag, int64_t now_ms, bool *out_fresh);
/* Put in a copy of a thing of other places with the same key and stride. False: it was silent for
 * too long, is there already, or has no sound head. */
bool sek_places_put(struct sek_places *p, const void *thing, const struct sek_lapse *lapse);
/* As a table that outlives a restart. */
struct sek_kept sek_places_kept(const struct sek_places *p, uint32_t layout,
                                bool (*take)(void *, void *, const struct sek_lapse *));
