/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/idmap.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS_MIN 64

struct sek_idmap_slot {
    struct sek_idmap_key key; /* both 0 = empty */
    int64_t value;
};

void sek_idmap_init(struct sek_idmap *m, size_t max)
{
    *m = (struct sek_idmap){.max = max};
}

static void table_fini(struct sek_idmap_table *t)
{
    free(t->slots);
    *t = (struct sek_idmap_table){0};
}

void sek_idmap_fini(struct sek_idmap *m)
{
    table_fini(&m->young);
    table_fini(&m->old);
}

/* Keys may be small numbers: spread them (the finisher of MurmurHash3, Appleby, public domain). */
static size_t place(struct sek_idmap_key key, size_t n_slots)
{
    uint64_t h = key.a ^ key.b * SEK_HASH_GOLDEN;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return (size_t)(h ^ h >> 33) & (n_slots - 1);
}

/* The key's slot, or the empty one where it belongs; NULL without a table. */
static struct sek_idmap_slot *find(const struct sek_idmap_table *t, struct sek_idmap_key key)
{
    if (!t->slots)
        return NULL;
    size_t at = place(key, t->n_slots);
    for (;; at = (at + 1) & (t->n_slots - 1)) {
        struct sek_idmap_slot *s = &t->slots[at];
        if ((s->key.a == key.a && s->key.b == key.b) || (s->key.a == 0 && s->key.b == 0))
            return s;
    }
}

static bool grow(struct sek_idmap_table *t)
{
    size_t n_slots = t->n_slots ? t->n_slots * 2 : SLOTS_MIN;
    struct sek_idmap_table bigger = {calloc(n_slots, sizeof *bigger.slots), n_slots, t->n};
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i].key.a || t->slots[i].key.b)
            *find(&bigger, t->slots[i].key) = t->slots[i];
    free(t->slots);
    *t = bigger;
    return true;
}

bool sek_idmap_get(struct sek_idmap *m, struct sek_idmap_key key, int64_t *out)
{
    const struct sek_idmap_slot *s = find(&m->young, key);
    if (s && (s->key.a || s->key.b)) {
        *out = s->value;
        return true;
    }
    s = find(&m->old, key);
    if (!s || !(s->key.a || s->key.b))
        return false;
    *out = s->value;
    sek_idmap_put(m, key, *out);
    return true;
}

bool sek_idmap_put(struct sek_idmap *m, struct sek_idmap_key key, int64_t value)
{
    struct sek_idmap_slot *s = find(&m->young, key);
    if (!s || !(s->key.a || s->key.b)) {
        if (m->young.n >= m->max)
            sek_idmap_turn(m);
        if (m->young.n >= m->young.n_slots / 4 * 3 && !grow(&m->young)) {
            sek_idmap_clear(m);
            return false;
        }
        s = find(&m->young, key);
        m->young.n++;
    }
    *s = (struct sek_idmap_slot){key, value};
    return true;
}

void sek_idmap_turn(struct sek_idmap *m)
{
    table_fini(&m->old);
    m->old = m->young;
    m->young = (struct sek_idmap_table){0};
}

void sek_idmap_clear(struct sek_idmap *m)
{
    sek_idmap_fini(m);
}
