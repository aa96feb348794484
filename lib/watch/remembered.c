/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/remembered.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define ONCE 4096 /* names seen once lately, when room gets scarce */
#define DAY_S 86400

struct sek_remembered {
    struct sek_hash_key key;
    size_t n, n_names, n_used; /* room for addresses, and as many names; in use */
    size_t mask;               /* of slots */
    struct sek_remembered_name *names;
    struct sek_remembered_address *all;
    uint32_t *slots; /* of names: place + 1, or 0; at most half are in use */
    uint64_t once[ONCE];
};

_Static_assert(sizeof(struct sek_remembered_name) + sizeof(struct sek_remembered_address) <=
                   SEK_REMEMBERED_OCTETS - 8,
               "the documented size holds, with an eighth of a slot to spare");

enum sek_err sek_remembered_new(size_t n, struct sek_hash_key key, struct sek_remembered **out)
{
    size_t slots = 16;
    n = n < 8 ? 8 : n;
    while (slots < 2 * n)
        slots *= 2;
    struct sek_remembered *r = calloc(1, sizeof *r);
    if (!r)
        return SEK_E_NOMEM;
    r->names = calloc(n, sizeof *r->names);
    r->all = calloc(n, sizeof *r->all);
    r->slots = calloc(slots, sizeof *r->slots);
    if (!r->names || !r->all || !r->slots) {
        sek_remembered_free(r);
        return SEK_E_NOMEM;
    }
    r->key = key;
    r->n = n;
    r->mask = slots - 1;
    *out = r;
    return SEK_OK;
}

void sek_remembered_free(struct sek_remembered *r)
{
    if (!r)
        return;
    free(r->names);
    free(r->all);
    free(r->slots);
    free(r);
}

size_t sek_remembered_octets(const struct sek_remembered *r)
{
    return sizeof *r + r->n * (sizeof *r->names + sizeof *r->all) +
           (r->mask + 1) * sizeof *r->slots;
}

bool sek_remembered_is_full(const struct sek_remembered *r)
{
    return r->n_used == r->n;
}

static uint64_t tag_of(const struct sek_remembered *r, const struct sek_name *name)
{
    uint64_t tag = sek_hash(&r->key, name->octets, name->len);
    return tag ? tag : 1;
}

/* The slot that leads to the name, or the free one where it belongs. */
static uint32_t *slot_of(const struct sek_remembered *r, uint64_t tag)
{
    size_t at = tag & r->mask;
    while (r->slots[at] && r->names[r->slots[at] - 1].tag != tag)
        at = (at + 1) & r->mask;
    return &r->slots[at];
}

struct sek_remembered_name *sek_remembered_find(const struct sek_remembered *r,
                                                const struct sek_name *name)
{
    const uint32_t *slot = slot_of(r, tag_of(r, name));
    return *slot ? &r->names[*slot - 1] : NULL;
}

/* True when it was here lately. */
static bool comes_back(struct sek_remembered *r, uint64_t tag)
{
    uint64_t *at = &r->once[(tag >> 32) % ONCE];
    bool back = *at == tag;
    *at = tag;
    return back;
}

struct sek_remembered_name *sek_remembered_begin(struct sek_remembered *r,
                                                 const struct sek_name *name, uint32_t now_s,
                                                 bool sure)
{
    uint64_t tag = tag_of(r, name);
    if (sek_remembered_is_full(r) || r->n_names == r->n ||
        (r->n_used >= r->n / 2 && !sure && !comes_back(r, tag)))
        return NULL;
    struct sek_remembered_name *n = &r->names[r->n_names++];
    *n = (struct sek_remembered_name){.tag = tag, .first_s = now_s};
    *slot_of(r, tag) = (uint32_t)r->n_names;
    return n;
}

static struct sek_remembered_address *at_of(const struct sek_remembered *r, uint32_t link)
{
    return link ? &r->all[link - 1] : NULL;
}

const struct sek_remembered_address *sek_remembered_next(const struct sek_remembered *r,
                                                         const struct sek_remembered_name *n,
                                                         const struct sek_remembered_address *a)
{
    return at_of(r, a ? a->next : n->head);
}

struct sek_remembered_address *sek_remembered_has(const struct sek_remembered *r,
                                                  const struct sek_remembered_name *n,
                                                  const struct sek_addr *a)
{
    struct sek_remembered_address *at = at_of(r, n->head);
    while (at && !sek_addr_equal(&at->address, a))
        at = at_of(r, at->next);
    return at;
}

/* Take the longest unseen out of the name's list; of several the oldest. NULL: it has none. */
static struct sek_remembered_address *give_way(struct sek_remembered *r,
                                               struct sek_remembered_name *n)
{
    uint32_t *longest = NULL;
    for (uint32_t *link = &n->head; *link; link = &r->all[*link - 1].next)
        if (!longest || r->all[*link - 1].last_day <= r->all[*longest - 1].last_day)
            longest = link;
    if (!longest)
        return NULL;
    struct sek_remembered_address *at = &r->all[*longest - 1];
    *longest = at->next;
    n->n--;
    return at;
}

struct sek_remembered_address *sek_remembered_add(struct sek_remembered *r,
                                                  struct sek_remembered_name *n,
                                                  const struct sek_addr *a, uint32_t now_s)
{
    bool room = !sek_remembered_is_full(r) && n->n < SEK_REMEMBERED_EACH;
    struct sek_remembered_address *at = room ? &r->all[r->n_used++] : give_way(r, n);
    if (!at)
        return NULL;
    *at = (struct sek_remembered_address){
        .address = *a, .first_s = now_s, .last_day = now_s / DAY_S, .next = n->head};
    n->head = (uint32_t)(at - r->all) + 1;
    n->n++;
    return at;
}
