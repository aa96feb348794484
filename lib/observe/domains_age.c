/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include "base/banned.h"

/* Kill what is too old in a block. Its records stay where they are. */
static void expire_block(struct sek_domains *d, uint32_t id, uint32_t cutoff_s)
{
    struct sek_dom_block *b = sek__dom_block(d, id);
    uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]), n;
    struct sek_dom_key key;

    for (uint32_t w = SEK_DOM_BEGIN; w < used; w += n) {
        uint32_t last_s = sek__dom_get(&b->w[w + SEK_DOM_W_LAST]);
        enum sek_dom_kind kind = sek__dom_get(&b->w[w + SEK_DOM_W_SPREAD]) & SEK_DOM_NEVER
                                     ? SEK_DOM_ABSENT
                                     : SEK_DOM_KNOWN;

        n = sek__dom_record_words(sek__dom_get(&b->w[w + SEK_DOM_FIXED]));
        if (last_s == 0 || last_s >= cutoff_s ||
            !sek__dom_is_current(d, id * SEK_DOM_WORDS + w, &key))
            continue;
        sek__dom_index_remove(d, &key);
        sek__dom_put(&b->w[w + SEK_DOM_W_LAST], 0);
        d->live[id] = (uint16_t)(d->live[id] - n);
        d->dirty[id] = 1;
        atomic_fetch_sub_explicit(&d->n_of[kind], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&d->n_expired, 1, memory_order_relaxed);
    }
}

/* Move what lives in a block of known domains to the head block, and free it. */
static void close_up(struct sek_domains *d, uint32_t id)
{
    struct sek_dom_block *b = sek__dom_block(d, id);
    uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]), n;
    struct sek_dom_key key;

    for (uint32_t w = SEK_DOM_BEGIN; w < used; w += n) {
        _Atomic uint32_t *r = &b->w[w];

        n = sek__dom_record_words(sek__dom_get(&r[SEK_DOM_FIXED]));
        if (!sek__dom_is_current(d, id * SEK_DOM_WORDS + w, &key))
            continue;
        struct sek_dom_facts facts = {sek__dom_get(&r[SEK_DOM_W_FIRST]),
                                      sek__dom_get(&r[SEK_DOM_W_LAST]),
                                      sek__dom_get(&r[SEK_DOM_W_SPREAD])};
        uint32_t to = sek__dom_append(d, SEK_DOM_KNOWN, &key, &facts, true);
        if (to == 0) /* out of memory: the rest stays */
            return;
        sek__dom_put(sek__dom_index_slot(d, &key), to);
    }
    sek__dom_block_free(d, id, &d->left);
}

void sek__dom_age(struct sek_domains *d, uint32_t n_blocks)
{
    uint32_t end = atomic_load_explicit(&d->n_blocks, memory_order_relaxed);
    int64_t cutoff_s = d->expiry_s - d->retention_s;

    if (d->retention_s == 0 || cutoff_s <= 0)
        return;
    for (; n_blocks > 0 && end > SEK_DOM_HEADS; n_blocks--) {
        uint32_t id = d->hand < SEK_DOM_HEADS || d->hand >= end ? SEK_DOM_HEADS : d->hand;
        const struct sek_dom_block *b = sek__dom_block(d, id);
        uint32_t kind = sek__dom_get(&b->w[SEK_DOM_W_KIND]);

        d->hand = id + 1;
        if (kind == SEK_DOM_FREE)
            continue;
        expire_block(d, id, cutoff_s > UINT32_MAX ? UINT32_MAX : (uint32_t)cutoff_s);
        /* a quarter of holes is worth the moving */
        uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]) - SEK_DOM_BEGIN;
        if (kind == SEK_DOM_KNOWN && id != d->head[kind] && (used - d->live[id]) * 4u > used)
            close_up(d, id);
    }
}
