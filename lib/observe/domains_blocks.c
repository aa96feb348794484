/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/domains_parts.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/banned.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define COMMIT_BLOCKS 4096u /* made usable at a time: 16 MiB */

/* --- names -------------------------------------------------------------------------------------
 */

/* A-Z of eight octets to a-z (RFC 4343 §3). Length octets lie below 'A'. */
static inline uint64_t fold(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low7 = x & 0x7f * ones;
    uint64_t above_z = low7 + 0x25 * ones; /* top bit: > 'Z' */
    uint64_t from_a = low7 + 0x3f * ones;  /* top bit: >= 'A' */

    return x | (~x & (above_z ^ from_a) & 0x80 * ones) >> 2;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

/* Octets domain[8k-1 .. 8k+6] as a word; those before the name and from its end on are zero. No
 * octet outside the name is read. */
static inline uint64_t word_of(const uint8_t *domain, size_t len, size_t k)
{
    uint64_t x = 0;

    if (len < 8) {
        for (size_t i = 0; i < len; i++)
            x |= (uint64_t)domain[i] << (8 * i);
        return x << 8;
    }
    if (k == 0)
        return load64(domain) << 8;
    size_t start = 8 * k - 1;
    if (start + 8 <= len)
        return load64(domain + start);
    return load64(domain + len - 8) >> (8 * (start + 8 - len));
}

static inline bool is_name(const uint8_t *domain, size_t len)
{
    size_t at = 0;

    if (len < 2 || len > SEK_NAME_MAX)
        return false;
    while (at < len - 1 && domain[at] != 0 && domain[at] <= SEK_LABEL_MAX)
        at += 1 + (size_t)domain[at];
    return at == len - 1 && domain[at] == 0;
}

/* Word by word, and each word written once: octets written and read again as words of another size
 * would wait for all reads before them, among these the find before, which waits for memory. */
bool sek__dom_key_make(const struct sek_domains *d, const uint8_t *domain, size_t len,
                       struct sek_dom_name *name, struct sek_dom_key *out)
{
    uint64_t *words = (uint64_t *)(void *)name->w;
    size_t n = (len + 7) / 8;

    if (!is_name(domain, len))
        return false;
    words[0] = htole64(fold(word_of(domain, len, 0)) | (len - 1));
    for (size_t k = 1; k < n; k++)
        words[k] = htole64(fold(word_of(domain, len, k)));
    out->w = name->w;
    out->n_words = (unsigned)(len + 3) / 4;
    out->hash = sek_hash_words(&d->key, words, len);
    return true;
}

void sek__dom_key_of(const struct sek_domains *d, const _Atomic uint32_t *record,
                     struct sek_dom_key *out)
{
    const uint8_t *octets = (const uint8_t *)(const void *)(record + SEK_DOM_FIXED);

    out->w = (const uint32_t *)(const void *)octets;
    out->n_words = ((unsigned)octets[0] + 4) / 4;
    out->hash = sek_hash(&d->key, octets, (size_t)octets[0] + 1);
}

bool sek__dom_name_check(const uint32_t *name)
{
    const uint8_t *octets = (const uint8_t *)name;
    unsigned n = octets[0], n_words = (n + 4) / 4, at = 1;
    uint32_t first;

    memcpy(&first, octets, sizeof(first));
    ((uint8_t *)&first)[0] = 0;
    bool lower = fold(first) == first;
    for (unsigned i = 1; i < n_words; i++)
        lower = lower && fold(name[i]) == name[i];
    for (unsigned i = n + 1; i < 4 * n_words; i++)
        lower = lower && octets[i] == 0;
    while (at < n + 1 && octets[at] != 0 && octets[at] <= SEK_LABEL_MAX)
        at += 1 + (unsigned)octets[at];
    return lower && n > 0 && n < SEK_NAME_MAX && at == n + 1;
}

size_t sek__dom_name(const _Atomic uint32_t *record, uint8_t out[SEK_NAME_MAX])
{
    const uint8_t *name = (const uint8_t *)(const void *)(record + SEK_DOM_FIXED);

    memcpy(out, name + 1, name[0]);
    out[name[0]] = 0;
    return (size_t)name[0] + 1;
}

void sek__dom_seen(const struct sek_dom_facts *facts, struct sek_domain_seen *out)
{
    /* linear counting (Whang, Vander-Zanden and Taylor, 1990): 30 ln(30 / zero bits), rounded; the
     * last for no zero bit, as if half of one were left */
    static const uint8_t estimate[31] = {0,  1,  2,  3,  4,  5,  7,  8,   9,  11, 12,
                                         14, 15, 17, 19, 21, 23, 25, 27,  30, 33, 36,
                                         40, 44, 48, 54, 60, 69, 81, 102, 123};

    out->first_s = facts->first_s;
    out->last_s = facts->last_s;
    out->endpoints = estimate[__builtin_popcount(facts->spread & SEK_DOM_SPREAD)];
    out->resolved = !(facts->spread & SEK_DOM_NEVER);
}

/* --- memory ------------------------------------------------------------------------------------
 */

void *sek__dom_reserve(size_t size)
{
    size_t more = size + HUGE_PAGE;
    uint8_t *map = mmap(NULL, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - ((uintptr_t)map & (HUGE_PAGE - 1))) & (HUGE_PAGE - 1);
    size_t end = (before + size + 4095) & ~(size_t)4095;
    if (before > 0)
        munmap(map, before);
    if (more > end)
        munmap(map + end, more - end);
    /* what is looked up at random lies better in large pages; without them it is slower, no more */
    if (size >= 2 * HUGE_PAGE)
        madvise(map + before, end - before, MADV_HUGEPAGE);
    return map + before;
}

bool sek__dom_commit(struct sek_domains *d, uint32_t block)
{
    uint32_t n;

    /* one more than used: comparing a name may run past the end of a block that got a new meaning
     */
    if (block + 1 < d->n_usable)
        return true;
    if (block >= d->max_blocks)
        return false;
    n = d->n_usable + COMMIT_BLOCKS;
    while (n < block + 2)
        n += COMMIT_BLOCKS;
    if (n > d->max_blocks + 1)
        n = d->max_blocks + 1;
    if (mprotect(d->blocks + d->n_usable, (size_t)(n - d->n_usable) * SEK_DOM_BLOCK,
                 PROT_READ | PROT_WRITE) != 0)
        return false;
    d->n_usable = n;
    return true;
}

bool sek__dom_queue_push(struct sek_dom_queue *q, uint32_t id)
{
    if (q->n == q->size) {
        size_t size = q->size ? 2 * q->size : 64;
        uint32_t *ids = malloc(size * sizeof(*ids));

        if (!ids)
            return false;
        for (size_t i = 0; i < q->n; i++)
            ids[i] = q->id[(q->begin + i) % q->size];
        free(q->id);
        *q = (struct sek_dom_queue){ids, size, 0, q->n};
    }
    q->id[(q->begin + q->n++) % q->size] = id;
    return true;
}

uint32_t sek__dom_queue_pop(struct sek_dom_queue *q)
{
    uint32_t id;

    if (q->n == 0)
        return 0;
    id = q->id[q->begin];
    q->begin = (q->begin + 1) % q->size;
    q->n--;
    return id;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

void sek__dom_block_free(struct sek_domains *d, uint32_t id, struct sek_dom_queue *to)
{
    struct sek_dom_block *b = sek__dom_block(d, id);
    uint32_t kind = sek__dom_get(&b->w[SEK_DOM_W_KIND]);

    d->n_in[kind]--;
    d->live[id] = 0;
    d->dirty[id] = 1;
    sek__dom_put(&b->w[SEK_DOM_W_KIND], SEK_DOM_FREE);
    sek__dom_put(&b->w[SEK_DOM_W_USED], SEK_DOM_BEGIN);
    sek__dom_queue_push(to, id); /* without memory the block stays unused until the next start */
}

/* An empty block of a kind, or 0. */
static uint32_t block_take(struct sek_domains *d, enum sek_dom_kind kind)
{
    uint32_t n = atomic_load_explicit(&d->n_blocks, memory_order_relaxed);
    uint32_t id = sek__dom_queue_pop(&d->free);

    if (id) {
        /* before its first new word */
        atomic_fetch_add_explicit(&d->version, 1, memory_order_seq_cst);
    } else {
        if (!sek__dom_commit(d, n))
            return 0;
        id = n;
        atomic_store_explicit(&d->n_blocks, n + 1, memory_order_release);
    }
    struct sek_dom_block *b = sek__dom_block(d, id);
    sek__dom_put(&b->w[SEK_DOM_W_USED], SEK_DOM_BEGIN);
    sek__dom_put(&b->w[SEK_DOM_W_KIND], kind);
    d->n_in[kind]++;
    d->live[id] = 0;
    d->dirty[id] = 1;
    return id;
}

bool sek__dom_is_current(struct sek_domains *d, uint32_t at, struct sek_dom_key *out_key)
{
    const _Atomic uint32_t *record = sek__dom_record(d, at);

    if (sek__dom_get(&record[SEK_DOM_W_LAST]) == 0)
        return false;
    sek__dom_key_of(d, record, out_key);
    return sek__dom_index_find(d, out_key) == at;
}

static uint32_t append_to(struct sek_domains *d, uint32_t id, const struct sek_dom_key *key,
                          const struct sek_dom_facts *facts)
{
    struct sek_dom_block *b = sek__dom_block(d, id);
    uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]);
    uint32_t end = used + SEK_DOM_FIXED + key->n_words;

    if (end > SEK_DOM_WORDS)
        return 0;
    sek__dom_put(&b->w[used + SEK_DOM_W_FIRST], facts->first_s);
    sek__dom_put(&b->w[used + SEK_DOM_W_LAST], facts->last_s);
    sek__dom_put(&b->w[used + SEK_DOM_W_SPREAD], facts->spread);
    for (unsigned i = 0; i < key->n_words; i++)
        sek__dom_put(&b->w[used + SEK_DOM_FIXED + i], key->w[i]);
    sek__dom_put(&b->w[SEK_DOM_W_USED], end);
    d->live[id] = (uint16_t)(d->live[id] + end - used);
    d->dirty[id] = 1;
    return id * SEK_DOM_WORDS + used;
}

/* One record of the oldest absent block: seen again, it gets another round as long as the new block
 * is less than half full. */
static void absent_evict(struct sek_domains *d, uint32_t at)
{
    struct sek_dom_key key;
    const _Atomic uint32_t *r = sek__dom_record(d, at);
    uint32_t head = d->head[SEK_DOM_ABSENT], to = 0;

    if (!sek__dom_is_current(d, at, &key))
        return;
    struct sek_dom_facts facts = {sek__dom_get(&r[SEK_DOM_W_FIRST]),
                                  sek__dom_get(&r[SEK_DOM_W_LAST]),
                                  sek__dom_get(&r[SEK_DOM_W_SPREAD]) & ~SEK_DOM_AGAIN};
    if (sek__dom_get(&r[SEK_DOM_W_SPREAD]) & SEK_DOM_AGAIN &&
        sek__dom_get(&sek__dom_block(d, head)->w[SEK_DOM_W_USED]) < SEK_DOM_WORDS / 2)
        to = append_to(d, head, &key, &facts);
    if (to) {
        sek__dom_put(sek__dom_index_slot(d, &key), to);
        return;
    }
    sek__dom_index_remove(d, &key);
    atomic_fetch_sub_explicit(&d->n_of[SEK_DOM_ABSENT], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&d->n_evicted, 1, memory_order_relaxed);
}

/* A new block for absent names; the oldest one goes when there are too many. */
static uint32_t absent_head(struct sek_domains *d)
{
    uint32_t id;

    if (d->cap[SEK_DOM_ABSENT] == 0 || (id = block_take(d, SEK_DOM_ABSENT)) == 0)
        return 0;
    if (!sek__dom_queue_push(&d->absent, id)) {
        sek__dom_block_free(d, id, &d->free);
        return 0;
    }
    d->head[SEK_DOM_ABSENT] = id;
    while (d->n_in[SEK_DOM_ABSENT] > d->cap[SEK_DOM_ABSENT]) {
        uint32_t old = sek__dom_queue_pop(&d->absent);
        const struct sek_dom_block *b = sek__dom_block(d, old);
        uint32_t used = sek__dom_get(&b->w[SEK_DOM_W_USED]);

        for (uint32_t w = SEK_DOM_BEGIN; w < used;
             w += sek__dom_record_words(sek__dom_get(&b->w[w + SEK_DOM_FIXED])))
            absent_evict(d, old * SEK_DOM_WORDS + w);
        sek__dom_block_free(d, old, &d->free);
    }
    return id;
}

uint32_t sek__dom_append(struct sek_domains *d, enum sek_dom_kind kind,
                         const struct sek_dom_key *key, const struct sek_dom_facts *facts,
                         bool beyond)
{
    uint32_t at = d->head[kind] ? append_to(d, d->head[kind], key, facts) : 0, id = 0;

    if (at)
        return at;
    if (kind == SEK_DOM_ABSENT)
        id = absent_head(d);
    else if (d->n_in[kind] < d->cap[kind] + beyond)
        id = block_take(d, kind);
    if (id == 0)
        return 0;
    d->head[kind] = id;
    return append_to(d, id, key, facts);
}
