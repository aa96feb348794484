/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include <sys/mman.h>
#include "base/banned.h"

/* The layout of a bucket is that of F14 (Bronson and Shi, "Open-sourcing F14", 2019): tags decide
 * in one cache line whether a record is worth a look, and the count of records pushed on makes
 * deletion possible without tombstones. */

#define FULL_PERCENT 85 /* of a segment's slots: then it grows */
#define ONES UINT64_C(0x0101010101010101)
#define LOW7 UINT64_C(0x7f7f7f7f7f7f7f7f)

struct table {
    struct sek_dom_bucket *buckets;
    uint32_t n;
};

static inline uint32_t buckets_of(unsigned rank)
{
    return 5u << rank;
}

static inline uint32_t segment_of(uint64_t hash)
{
    return (uint32_t)(hash >> 54);
}

static inline uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;

    return tag ? tag : 1;
}

static inline uint32_t home_of(uint64_t hash, uint32_t n_buckets)
{
    return (uint32_t)(((hash >> 8 & 0xffffffff) * n_buckets) >> 32);
}

static inline struct table table_of(const struct sek_domains *d, uint32_t segment)
{
    unsigned rank = atomic_load_explicit(&d->index.rank_of[segment], memory_order_acquire);
    uint32_t n = buckets_of(rank);

    return (struct table){d->index.region[rank] + (size_t)segment * n, n};
}

/* The top bit of each octet that is zero; exact, so that a free slot is never taken for one in use.
 */
static inline uint64_t zero_octets(uint64_t x)
{
    return ~(((x & LOW7) + LOW7) | x | LOW7);
}

static inline uint64_t tags_low(const struct sek_dom_bucket *b)
{
    return atomic_load_explicit(&b->tags_low, memory_order_acquire);
}

/* As an octet each, the four that do not exist set to a tag that none has. */
static inline uint64_t tags_high(const struct sek_dom_bucket *b, uint64_t filler)
{
    return sek__dom_get(&b->tags_high) | filler << 32;
}

/* The slots of `match` whose record has the key: the slot's number, or SEK_DOM_SLOTS. */
static inline unsigned compare(const struct sek_domains *d, const struct sek_dom_bucket *b,
                               uint64_t match, unsigned first, const struct sek_dom_key *key)
{
    for (; match; match &= match - 1) {
        unsigned slot = first + (unsigned)__builtin_ctzll(match) / 8;
        const _Atomic uint32_t *record = sek__dom_record(d, sek__dom_get(&b->at[slot]));

        /* its times and the end of its name may lie in two lines: fetched at once */
        __builtin_prefetch(record);
        __builtin_prefetch(record + SEK_DOM_FIXED + key->n_words - 1);
        if (sek__dom_is(record, key))
            return slot;
    }
    return SEK_DOM_SLOTS;
}

/* Bucket and slot of a key. At most one round through its segment. */
static inline struct sek_dom_bucket *search(const struct sek_domains *d,
                                            const struct sek_dom_key *key, unsigned *out_slot)
{
    struct table t = table_of(d, segment_of(key->hash));
    uint64_t tags = tag_of(key->hash) * ONES;
    uint32_t at = home_of(key->hash, t.n);

    for (uint32_t i = 0; i < t.n; i++) {
        struct sek_dom_bucket *b = &t.buckets[at];
        unsigned slot = compare(d, b, zero_octets(tags_low(b) ^ tags), 0, key);

        if (slot == SEK_DOM_SLOTS)
            slot = compare(d, b, zero_octets(tags_high(b, 0) ^ tags) & 0xffffffff, 8, key);
        if (slot < SEK_DOM_SLOTS) {
            *out_slot = slot;
            return b;
        }
        if (sek__dom_get(&b->n_beyond) == 0)
            return NULL;
        at = at + 1 < t.n ? at + 1 : 0;
    }
    return NULL;
}

uint32_t sek__dom_index_find(const struct sek_domains *d, const struct sek_dom_key *key)
{
    unsigned slot;
    const struct sek_dom_bucket *b = search(d, key, &slot);

    return b ? sek__dom_get(&b->at[slot]) : 0;
}

_Atomic uint32_t *sek__dom_index_slot(struct sek_domains *d, const struct sek_dom_key *key)
{
    unsigned slot;
    struct sek_dom_bucket *b = search(d, key, &slot);

    return b ? &b->at[slot] : NULL;
}

void sek__dom_index_prefetch(const struct sek_domains *d, uint64_t hash)
{
    struct table t = table_of(d, segment_of(hash));

    __builtin_prefetch(&t.buckets[home_of(hash, t.n)]);
}

void sek__dom_index_prefetch_record(const struct sek_domains *d, const struct sek_dom_key *key)
{
    struct table t = table_of(d, segment_of(key->hash));
    const struct sek_dom_bucket *b = &t.buckets[home_of(key->hash, t.n)];
    uint64_t tags = tag_of(key->hash) * ONES;
    uint64_t low = zero_octets(tags_low(b) ^ tags);
    uint64_t high = zero_octets(tags_high(b, 0) ^ tags) & 0xffffffff;
    unsigned slot;

    if (!low && !high)
        return;
    slot = (unsigned)(low ? __builtin_ctzll(low) : 64 + __builtin_ctzll(high)) / 8;
    const _Atomic uint32_t *record = sek__dom_record(d, sek__dom_get(&b->at[slot]));
    __builtin_prefetch(record);
    __builtin_prefetch(record + SEK_DOM_FIXED + key->n_words - 1);
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void set_tag(struct sek_dom_bucket *b, unsigned slot, uint8_t tag)
{
    if (slot < 8) {
        uint64_t tags = atomic_load_explicit(&b->tags_low, memory_order_relaxed);

        tags = (tags & ~((uint64_t)0xff << 8 * slot)) | (uint64_t)tag << 8 * slot;
        atomic_store_explicit(&b->tags_low, tags, memory_order_release);
    } else {
        uint32_t tags = atomic_load_explicit(&b->tags_high, memory_order_relaxed);
        unsigned shift = 8 * (slot - 8);

        sek__dom_put(&b->tags_high, (tags & ~((uint32_t)0xff << shift)) | (uint32_t)tag << shift);
    }
}

/* A free slot, or SEK_DOM_SLOTS. */
static unsigned free_slot(const struct sek_dom_bucket *b)
{
    uint64_t match = zero_octets(tags_low(b));

    if (match)
        return (unsigned)__builtin_ctzll(match) / 8;
    match = zero_octets(tags_high(b, 0xffffffff));
    return match ? 8 + (unsigned)__builtin_ctzll(match) / 8 : SEK_DOM_SLOTS;
}

/* The table has a free slot. The record becomes visible by its tag; one that is pushed on, by the
 * counts on the way there. */
static void place(struct table t, uint64_t hash, uint32_t record)
{
    uint32_t home = home_of(hash, t.n), at = home;
    unsigned slot;

    while ((slot = free_slot(&t.buckets[at])) == SEK_DOM_SLOTS)
        at = at + 1 < t.n ? at + 1 : 0;
    sek__dom_put(&t.buckets[at].at[slot], record);
    set_tag(&t.buckets[at], slot, tag_of(hash));
    for (; home != at; home = home + 1 < t.n ? home + 1 : 0) {
        _Atomic uint32_t *n = &t.buckets[home].n_beyond;

        sek__dom_put(n, atomic_load_explicit(n, memory_order_relaxed) + 1);
    }
}

/* All records of one bucket into another table. Their lines are fetched together: one after the
 * other they would cost a cache miss each. */
static void place_all(const struct sek_domains *d, const struct sek_dom_bucket *b, struct table to)
{
    uint32_t at[SEK_DOM_SLOTS];
    unsigned n = 0;

    for (unsigned slot = 0; slot < SEK_DOM_SLOTS; slot++) {
        uint64_t tag = slot < 8 ? tags_low(b) >> 8 * slot : tags_high(b, 0) >> 8 * (slot - 8);

        if ((tag & 0xff) == 0)
            continue;
        at[n] = sek__dom_get(&b->at[slot]);
        __builtin_prefetch(sek__dom_record(d, at[n++]) + SEK_DOM_FIXED);
    }
    for (unsigned i = 0; i < n; i++) {
        struct sek_dom_key key;

        sek__dom_key_of(d, sek__dom_record(d, at[i]), &key);
        place(to, key.hash, at[i]);
    }
}

/* The region of a rank, made when needed. */
static bool region_make(struct sek_dom_index *index, unsigned rank)
{
    size_t size = (size_t)SEK_DOM_SEGMENTS * buckets_of(rank) * sizeof(struct sek_dom_bucket);
    void *region;

    if (index->region[rank])
        return true;
    region = sek__dom_reserve(size);
    if (!region)
        return false;
    if (mprotect(region, size, PROT_READ | PROT_WRITE) != 0) {
        munmap(region, size);
        return false;
    }
    index->region[rank] = region;
    return true;
}

/* Its pages go back, its addresses stay: a reader that is still there finds empty buckets, and a
 * raised version. */
static void region_leave(struct sek_domains *d, unsigned rank)
{
    size_t size = (size_t)SEK_DOM_SEGMENTS * buckets_of(rank) * sizeof(struct sek_dom_bucket);

    if (--d->index.n_inside[rank] > 0)
        return;
    atomic_fetch_add_explicit(&d->version, 1, memory_order_seq_cst);
    madvise(d->index.region[rank], size, MADV_DONTNEED);
}

static bool grow(struct sek_domains *d, uint32_t segment)
{
    struct sek_dom_index *index = &d->index;
    struct table old = table_of(d, segment), new;
    unsigned rank = atomic_load_explicit(&index->rank_of[segment], memory_order_relaxed);

    if (rank + 1 >= SEK_DOM_RANKS || !region_make(index, rank + 1))
        return false;
    new.n = buckets_of(rank + 1);
    new.buckets = index->region[rank + 1] + (size_t)segment *new.n;
    for (uint32_t i = 0; i < old.n; i++) {
        if (i + 4 < old.n)
            __builtin_prefetch(&old.buckets[i + 4]);
        place_all(d, &old.buckets[i], new);
    }
    index->n_inside[rank + 1]++;
    atomic_store_explicit(&index->rank_of[segment], (uint8_t)(rank + 1), memory_order_release);
    region_leave(d, rank);
    return true;
}

bool sek__dom_index_add(struct sek_domains *d, const struct sek_dom_key *key, uint32_t at)
{
    uint32_t segment = segment_of(key->hash), *n = &d->index.n_used[segment];
    struct table t = table_of(d, segment);
    uint64_t slots = (uint64_t)t.n * SEK_DOM_SLOTS;

    /* without memory to grow it fills up to its last slot but one: search() ends at a count of 0 or
     * after a round */
    if ((uint64_t)(*n + 1) * 100 > slots * FULL_PERCENT && !grow(d, segment) && *n + 1 >= slots)
        return false;
    place(table_of(d, segment), key->hash, at);
    ++*n;
    return true;
}

void sek__dom_index_remove(struct sek_domains *d, const struct sek_dom_key *key)
{
    uint32_t segment = segment_of(key->hash);
    struct table t = table_of(d, segment);
    unsigned slot;
    struct sek_dom_bucket *b = search(d, key, &slot);

    if (!b)
        return;
    set_tag(b, slot, 0);
    for (uint32_t at = home_of(key->hash, t.n); &t.buckets[at] != b;
         at = at + 1 < t.n ? at + 1 : 0) {
        _Atomic uint32_t *n = &t.buckets[at].n_beyond;

        sek__dom_put(n, atomic_load_explicit(n, memory_order_relaxed) - 1);
    }
    d->index.n_used[segment]--;
}

bool sek__dom_index_init(struct sek_domains *d, uint64_t expected)
{
    unsigned rank = 0;

    /* a little less than the mark, for segments are not all equally full */
    while (rank + 1 < SEK_DOM_RANKS &&
           (uint64_t)SEK_DOM_SEGMENTS * buckets_of(rank) * SEK_DOM_SLOTS * (FULL_PERCENT - 3) <
               expected * 100)
        rank++;
    if (!region_make(&d->index, rank))
        return false;
    d->index.n_inside[rank] = SEK_DOM_SEGMENTS;
    for (uint32_t i = 0; i < SEK_DOM_SEGMENTS; i++) {
        d->index.n_used[i] = 0;
        atomic_store_explicit(&d->index.rank_of[i], (uint8_t)rank, memory_order_release);
    }
    return true;
}

void sek__dom_index_fini(struct sek_domains *d)
{
    for (unsigned rank = 0; rank < SEK_DOM_RANKS; rank++)
        if (d->index.region[rank])
            munmap(d->index.region[rank],
                   (size_t)SEK_DOM_SEGMENTS * buckets_of(rank) * sizeof(struct sek_dom_bucket));
}
