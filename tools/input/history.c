/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLOTS_FIRST (1u << 12)

struct entry {
    size_t name_at;
    int64_t first_s, last_s;
    struct sek_addr *addrs;
    uint8_t len, endpoints, n_addrs, room;
    bool exists, absent; /* some line says so */
};

struct sek_history {
    struct sek_hash_key key;
    struct sek_buf entries, names;
    uint32_t *slots; /* places in `entries`, from 1; 0: free */
    size_t n_slots, n;
    int64_t oldest_s; /* what was last asked for before is left out */
};

struct sek_history *sek_history_new(void)
{
    struct sek_history *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->key = sek_hash_key_random();
    sek_buf_init(&h->entries, SIZE_MAX);
    sek_buf_init(&h->names, SIZE_MAX);
    h->n_slots = SLOTS_FIRST;
    h->slots = calloc(h->n_slots, sizeof *h->slots);
    if (!h->slots) {
        free(h);
        return NULL;
    }
    return h;
}

static struct entry *entry_at(const struct sek_history *h, size_t i)
{
    return (struct entry *)(void *)h->entries.data + i;
}

void sek_history_free(struct sek_history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++)
        free(entry_at(h, i)->addrs);
    sek_buf_fini(&h->entries);
    sek_buf_fini(&h->names);
    free(h->slots);
    free(h);
}

static size_t slot_of(const struct sek_history *h, const uint8_t *domain, size_t len)
{
    size_t at = sek_hash(&h->key, domain, len) & (h->n_slots - 1);
    for (; h->slots[at]; at = (at + 1) & (h->n_slots - 1)) {
        const struct entry *e = entry_at(h, h->slots[at] - 1);
        if (e->len == len && memcmp(h->names.data + e->name_at, domain, len) == 0)
            break;
    }
    return at;
}

/* Twice the room, once half of it is taken. */
static bool make_room(struct sek_history *h)
{
    if (h->n < h->n_slots / 2)
        return true;
    uint32_t *old = h->slots, *slots = calloc(h->n_slots * 2, sizeof *slots);
    if (!slots)
        return false;
    h->slots = slots;
    h->n_slots *= 2;
    for (size_t i = 0; i < h->n; i++) {
        const struct entry *e = entry_at(h, i);
        h->slots[slot_of(h, (const uint8_t *)h->names.data + e->name_at, e->len)] =
            (uint32_t)(i + 1);
    }
    free(old);
    return true;
}

static struct entry *take_entry(struct sek_history *h, const uint8_t *domain, size_t len,
                                const struct sek_sighting *s)
{
    size_t at = slot_of(h, domain, len);
    struct entry fresh = {
        .name_at = h->names.len, .first_s = s->first_s, .last_s = s->last_s, .len = (uint8_t)len};
    if (h->slots[at])
        return entry_at(h, h->slots[at] - 1);
    sek_buf_add(&h->names, domain, len);
    sek_buf_add(&h->entries, &fresh, sizeof fresh);
    if (h->names.failed || h->entries.failed)
        return NULL;
    h->slots[at] = (uint32_t)++h->n;
    return entry_at(h, h->n - 1);
}

/* Endpoints past the last that are told apart are left out; out of memory likewise. */
static void add_endpoint(struct entry *e, const struct sek_addr *addr)
{
    for (unsigned i = 0; i < e->n_addrs; i++)
        if (sek_addr_equal(&e->addrs[i], addr))
            return;
    if (e->n_addrs == SEK_SIGHTING_ADDRS)
        return;
    if (e->n_addrs == e->room) {
        unsigned room = e->room ? 2u * e->room : 1;
        struct sek_addr *more = realloc(e->addrs, room * sizeof *more);
        if (!more)
            return;
        e->addrs = more;
        e->room = (uint8_t)room;
    }
    e->addrs[e->n_addrs++] = *addr;
}

enum sek_err sek_history_add(struct sek_history *h, const uint8_t *domain, size_t len,
                             const struct sek_query_seen *seen, struct sek_diag *diag)
{
    const struct sek_sighting *s = &seen->seen;
    if (h->n >= SEK_HISTORY_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d domains", SEK_HISTORY_MAX);
    struct entry *e = make_room(h) ? take_entry(h, domain, len, s) : NULL;
    if (!e)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for more domains");
    e->first_s = s->first_s < e->first_s ? s->first_s : e->first_s;
    e->last_s = s->last_s > e->last_s ? s->last_s : e->last_s;
    e->exists |= seen->says_exists && s->resolved;
    e->absent |= seen->says_exists && !s->resolved;
    for (unsigned i = 0; i < s->n_addrs; i++)
        add_endpoint(e, &s->addrs[i]);
    if (s->endpoints > e->endpoints)
        e->endpoints = (uint8_t)s->endpoints;
    return SEK_OK;
}

uint64_t sek_history_count(const struct sek_history *h)
{
    return h->n;
}

enum sek_err sek_history_each(const struct sek_history *h, sek_history_fn *fn, void *arg)
{
    struct sek_sighting s;
    enum sek_err err = SEK_OK;
    for (size_t i = 0; i < h->n && !err; i++) {
        const struct entry *e = entry_at(h, i);
        if (e->last_s < h->oldest_s)
            continue;
        s.first_s = e->first_s;
        s.last_s = e->last_s;
        s.resolved = e->exists || !e->absent;
        s.n_addrs = e->n_addrs;
        s.endpoints = e->endpoints > e->n_addrs ? e->endpoints : e->n_addrs;
        if (e->n_addrs)
            memcpy(s.addrs, e->addrs, e->n_addrs * sizeof *s.addrs);
        err = sek_name_from_wire((const uint8_t *)h->names.data + e->name_at, e->len, &s.domain);
        if (!err)
            err = fn(arg, &s);
    }
    return err;
}

uint64_t sek_history_drop(struct sek_history *h, int64_t oldest_s)
{
    uint64_t n = 0;
    h->oldest_s = oldest_s;
    for (size_t i = 0; i < h->n; i++)
        n += entry_at(h, i)->last_s < oldest_s;
    return n;
}
