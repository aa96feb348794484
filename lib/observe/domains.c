/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include <string.h>
#include "base/banned.h"

#define LOOKS_MAX 64
#define SPREAD_BITS 30

static inline void facts_get(const _Atomic uint32_t *record, struct sek_dom_facts *out)
{
    out->first_s = sek__dom_get(&record[SEK_DOM_W_FIRST]);
    out->last_s = sek__dom_get(&record[SEK_DOM_W_LAST]);
    out->spread = sek__dom_get(&record[SEK_DOM_W_SPREAD]);
}

static bool find(const struct sek_domains *d, const struct sek_dom_key *key,
                 struct sek_domain_seen *out)
{
    struct sek_dom_facts facts = {0};
    bool found = false;

    for (int i = 0; i < LOOKS_MAX; i++) {
        uint64_t version = atomic_load_explicit(&d->version, memory_order_acquire);
        uint32_t at = sek__dom_index_find(d, key);

        found = at != 0;
        if (found)
            facts_get(sek__dom_record(d, at), &facts);
        /* a dead record was moved or forgotten just now */
        if (atomic_load_explicit(&d->version, memory_order_acquire) == version &&
            (!found || facts.last_s != 0))
            break;
    }
    if (found && out)
        sek__dom_seen(&facts, out);
    return found;
}

bool sek_domains_find(const struct sek_domains *d, const uint8_t *domain, size_t len,
                      struct sek_domain_seen *out)
{
    struct sek_dom_name name;
    struct sek_dom_key key;

    if (!sek__dom_key_make(d, domain, len, &name, &key))
        return false;
    return d->read_only ? sek__dom_scan_find(d, &key, out) : find(d, &key, out);
}

void sek_domains_ask_begin(const struct sek_domains *d, const uint8_t *domain, size_t len,
                           struct sek_domains_ask *out)
{
    struct sek_dom_key key;

    out->of = NULL;
    if (!sek__dom_key_make(d, domain, len, &out->name, &key))
        return;
    out->of = d;
    out->hash = key.hash;
    out->n_words = key.n_words;
    if (!d->read_only)
        sek__dom_index_prefetch(d, key.hash);
}

static struct sek_dom_key key_of(const struct sek_domains_ask *ask)
{
    return (struct sek_dom_key){ask->hash, ask->name.w, ask->n_words};
}

void sek_domains_ask_ahead(const struct sek_domains_ask *ask)
{
    if (!ask->of || ask->of->read_only)
        return;
    struct sek_dom_key key = key_of(ask);
    sek__dom_index_prefetch_record(ask->of, &key);
}

bool sek_domains_ask_end(const struct sek_domains_ask *ask, struct sek_domain_seen *out)
{
    if (!ask->of)
        return false;
    struct sek_dom_key key = key_of(ask);
    return ask->of->read_only ? sek__dom_scan_find(ask->of, &key, out) : find(ask->of, &key, out);
}

/* --- notes -------------------------------------------------------------------------------------
 */

static uint32_t clamp_time(int64_t time_s)
{
    return time_s < 1 ? 1 : time_s > UINT32_MAX ? UINT32_MAX : (uint32_t)time_s;
}

static uint32_t spread_bit(const struct sek_domains *d, const struct sek_addr *endpoint)
{
    if (!endpoint)
        return 0;
    return 1u << sek_hash(&d->spread_key, endpoint->octets, sizeof(endpoint->octets)) % SPREAD_BITS;
}

static void merge(struct sek_dom_facts *into, const struct sek_dom_facts *note)
{
    if (note->first_s < into->first_s)
        into->first_s = note->first_s;
    if (note->last_s > into->last_s)
        into->last_s = note->last_s;
    into->spread |= note->spread & SEK_DOM_SPREAD;
}

static void facts_set(struct sek_domains *d, uint32_t at, const struct sek_dom_facts *old,
                      const struct sek_dom_facts *new)
{
    _Atomic uint32_t *r = sek__dom_record(d, at);

    if (memcmp(old, new, sizeof(*old)) == 0)
        return;
    sek__dom_put(&r[SEK_DOM_W_FIRST], new->first_s);
    sek__dom_put(&r[SEK_DOM_W_LAST], new->last_s);
    sek__dom_put(&r[SEK_DOM_W_SPREAD], new->spread);
    d->dirty[at / SEK_DOM_WORDS] = 1;
}

static enum sek_domains_news overflow(struct sek_domains *d)
{
    atomic_fetch_add_explicit(&d->n_overflow, 1, memory_order_relaxed);
    return SEK_DOMAINS_OVERFLOW;
}

static inline void count(struct sek_domains *d, enum sek_dom_kind kind, uint64_t n)
{
    atomic_fetch_add_explicit(&d->n_of[kind], n, memory_order_relaxed);
}

/* A domain that was never seen, or is not remembered. */
static enum sek_domains_news note_new(struct sek_domains *d, const struct sek_dom_key *key,
                                      const struct sek_dom_facts *facts)
{
    enum sek_dom_kind kind = facts->spread & SEK_DOM_NEVER ? SEK_DOM_ABSENT : SEK_DOM_KNOWN;
    uint32_t at = sek__dom_append(d, kind, key, facts, false);

    if (at == 0)
        return overflow(d);
    if (!sek__dom_index_add(d, key, at)) {
        sek__dom_put(&sek__dom_record(d, at)[SEK_DOM_W_LAST], 0);
        return overflow(d);
    }
    count(d, kind, 1);
    return SEK_DOMAINS_NEW;
}

/* A name that never resolved did. Its slot is the one thing that changes for readers; the old
 * record dies after it. */
static enum sek_domains_news note_resolved(struct sek_domains *d, const struct sek_dom_key *key,
                                           _Atomic uint32_t *slot,
                                           const struct sek_dom_facts *facts)
{
    uint32_t old = sek__dom_get(slot);
    uint32_t at = sek__dom_append(d, SEK_DOM_KNOWN, key, facts, false);

    if (at == 0)
        return overflow(d);
    sek__dom_put(slot, at);
    sek__dom_put(&sek__dom_record(d, old)[SEK_DOM_W_LAST], 0);
    d->dirty[old / SEK_DOM_WORDS] = 1;
    count(d, SEK_DOM_KNOWN, 1);
    count(d, SEK_DOM_ABSENT, UINT64_MAX);
    return SEK_DOMAINS_RESOLVED_FIRST;
}

static enum sek_domains_news note_again(struct sek_domains *d, const struct sek_dom_key *key,
                                        _Atomic uint32_t *slot, const struct sek_dom_facts *note,
                                        struct sek_dom_facts *out)
{
    uint32_t at = sek__dom_get(slot);
    struct sek_dom_facts old;

    facts_get(sek__dom_record(d, at), &old);
    *out = old;
    merge(out, note);
    if (old.spread & SEK_DOM_NEVER && !(note->spread & SEK_DOM_NEVER)) {
        out->spread &= SEK_DOM_SPREAD;
        return note_resolved(d, key, slot, out);
    }
    if (old.spread & SEK_DOM_NEVER)
        out->spread |= SEK_DOM_AGAIN;
    facts_set(d, at, &old, out);
    return SEK_DOMAINS_KNOWN;
}

enum sek_domains_news sek_domains_note(struct sek_domains *d, const uint8_t *domain, size_t len,
                                       const struct sek_addr *endpoint, int64_t time_s,
                                       bool resolved, struct sek_domain_seen *out)
{
    uint32_t when_s = clamp_time(time_s);
    struct sek_dom_facts note = {when_s, when_s, 0}, now;
    struct sek_dom_name name;
    struct sek_dom_key key;
    enum sek_domains_news news = SEK_DOMAINS_OVERFLOW;

    if (out)
        memset(out, 0, sizeof(*out));
    if (d->read_only || !sek__dom_key_make(d, domain, len, &name, &key))
        return overflow(d);
    note.spread = spread_bit(d, endpoint) | (resolved ? 0 : SEK_DOM_NEVER);
    now = note;
    _Atomic uint32_t *slot = sek__dom_index_slot(d, &key);
    news = slot ? note_again(d, &key, slot, &note, &now) : note_new(d, &key, &note);
    if (out && news != SEK_DOMAINS_OVERFLOW)
        sek__dom_seen(&now, out);
    return news;
}

/* --- looks -------------------------------------------------------------------------------------
 */

int64_t sek_domains_since_s(const struct sek_domains *d)
{
    return atomic_load_explicit(&d->since_s, memory_order_relaxed);
}

void sek_domains_set_since(struct sek_domains *d, int64_t since_s)
{
    if (since_s < sek_domains_since_s(d))
        atomic_store_explicit(&d->since_s, since_s, memory_order_relaxed);
}

void sek_domains_stats(const struct sek_domains *d, struct sek_domains_stats *out)
{
    if (d->read_only) {
        const struct sek_dom_head *h = &d->seen;

        *out = (struct sek_domains_stats){h->n_known,
                                          h->n_absent,
                                          h->n_overflow,
                                          h->n_evicted,
                                          h->n_expired,
                                          h->n_damaged,
                                          h->n_blocks * SEK_DOM_BLOCK,
                                          h->max_octets};
        memcpy(out->psl_first, h->psl_first, sizeof(out->psl_first));
        memcpy(out->psl_last, h->psl_last, sizeof(out->psl_last));
        return;
    }
    *out = (struct sek_domains_stats){
        .n_known = atomic_load_explicit(&d->n_of[SEK_DOM_KNOWN], memory_order_relaxed),
        .n_absent = atomic_load_explicit(&d->n_of[SEK_DOM_ABSENT], memory_order_relaxed),
        .n_overflow = atomic_load_explicit(&d->n_overflow, memory_order_relaxed),
        .n_evicted = atomic_load_explicit(&d->n_evicted, memory_order_relaxed),
        .n_expired = atomic_load_explicit(&d->n_expired, memory_order_relaxed),
        .n_damaged = atomic_load_explicit(&d->n_damaged, memory_order_relaxed),
        .octets =
            (uint64_t)atomic_load_explicit(&d->n_blocks, memory_order_relaxed) * SEK_DOM_BLOCK,
        .max_octets = d->max_octets,
    };
    memcpy(out->psl_first, d->psl_first, sizeof(out->psl_first));
    memcpy(out->psl_last, d->psl_last, sizeof(out->psl_last));
}

static bool each_in_block(struct sek_domains *d, uint32_t id, sek_domains_fn fn, void *arg)
{
    const struct sek_dom_block *b = sek__dom_block(d, id);
    uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]);
    uint8_t name[SEK_NAME_MAX];
    struct sek_dom_key key;
    struct sek_dom_facts facts;
    struct sek_domain_seen seen;

    if (sek__dom_get(&b->w[SEK_DOM_W_KIND]) == SEK_DOM_FREE)
        return true;
    for (uint32_t w = SEK_DOM_BEGIN; w < used;
         w += sek__dom_record_words(sek__dom_get(&b->w[w + SEK_DOM_FIXED]))) {
        if (!sek__dom_is_current(d, id * SEK_DOM_WORDS + w, &key))
            continue;
        facts_get(&b->w[w], &facts);
        sek__dom_seen(&facts, &seen);
        if (!fn(arg, name, sek__dom_name(&b->w[w], name), &seen))
            return false;
    }
    return true;
}

enum sek_err sek_domains_each(struct sek_domains *d, sek_domains_fn fn, void *arg,
                              struct sek_diag *diag)
{
    uint32_t n = atomic_load_explicit(&d->n_blocks, memory_order_relaxed);

    if (d->read_only)
        return sek__dom_scan_each(d, fn, arg, diag);
    for (uint32_t id = SEK_DOM_HEADS; id < n; id++)
        if (!each_in_block(d, id, fn, arg))
            break;
    return SEK_OK;
}
