/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/distinct.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS_FIRST 64

/* Where it is, or would be. */
static uint64_t *slot_of(uint64_t *slots, size_t n_slots, uint64_t hash)
{
    size_t at = hash & (n_slots - 1);
    while (slots[at] && slots[at] != hash)
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static bool grow(struct sek_distinct *d)
{
    size_t n = d->n_slots ? d->n_slots * 2 : SLOTS_FIRST;
    uint64_t *slots = n / 2 > SEK_DISTINCT_MAX ? NULL : calloc(n, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < d->n_slots; i++)
        if (d->slots[i])
            *slot_of(slots, n, d->slots[i]) = d->slots[i];
    free(d->slots);
    d->slots = slots;
    d->n_slots = n;
    return true;
}

bool sek_distinct_add(struct sek_distinct *d, uint64_t hash)
{
    hash = hash ? hash : 1;
    uint64_t *slot = d->slots ? slot_of(d->slots, d->n_slots, hash) : NULL;
    if (slot && *slot)
        return false;
    if (d->n >= d->n_slots / 2) {
        if (!grow(d)) {
            d->more = true;
            return true;
        }
        slot = slot_of(d->slots, d->n_slots, hash);
    }
    *slot = hash;
    d->n++;
    return true;
}

void sek_distinct_clear(struct sek_distinct *d)
{
    if (d->slots)
        memset(d->slots, 0, d->n_slots * sizeof *d->slots);
    d->n = 0;
    d->more = false;
}

void sek_distinct_fini(struct sek_distinct *d)
{
    free(d->slots);
    *d = (struct sek_distinct){0};
}
