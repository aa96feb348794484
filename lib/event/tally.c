/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/tally.h"
#include "base/hash.h"
#include "base/hot.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define CHUNK_OCTETS ((size_t)64 << 10)
#define SLOTS_MIN 256
#define MEMO_WAYS 4
#define MEMO_OCTETS_MAX ((size_t)1 << 20) /* 65,536 names */
#define BATCH 32                          /* events whose memory is fetched together */
#define MINUTE_MS 60000
#define NO_DOMAIN                                                                                  \
    0x7f /* in place of a number of labels, of which a name has at most 126 below one */

struct sek_tally_chunk {
    struct sek_tally_chunk *next;
    size_t used, size; /* of octets[] */
    _Alignas(8) uint8_t octets[];
};

/* Freed by the thread that stores, spent by the one that counts. */
struct sek_tally_budget {
    _Atomic size_t octets;
    size_t max;
};

struct slot {
    uint64_t hash;
    void *entry; /* NULL = empty */
};

/* Open addressing; entries live in chunks and are never removed one by one. */
struct table {
    struct slot *slots;
    size_t n_slots, n; /* n_slots: a power of two */
    size_t limit;      /* octets in use up to which this table may take more */
    uint64_t sum;      /* events */
    struct sek_tally_chunk *chunks;
    void *first, *last;
};

/* Registered domains of names seen lately, because asking libpsl costs more than all the rest: sets
 * of four in one cache line. The name itself is not kept. A name is taken for another only if both
 * have the same keyed 56-bit hash; the worst that follows is a count under a wrong parent of that
 * very name. The row that the name was last counted in spares a second search, when it fits. */
struct memo {
    uint64_t tag;                  /* hash of the name, low 7 bits: labels to remove; 0 = empty */
    struct sek_tally_traffic *row; /* NULL = none */
};

struct sek_tally {
    struct sek_tally_budget budget;
    const struct sek_suffix *suffix;
    struct sek_hash_key key; /* random: outsiders choose the names */
    struct memo *memo;
    size_t n_memo_sets; /* a power of two */
    struct table hits, traffic;
    uint64_t lost_hits, lost_traffic;
};

static bool spend(struct sek_tally_budget *b, size_t octets, size_t limit)
{
    size_t before = atomic_fetch_add_explicit(&b->octets, octets, memory_order_relaxed);
    if (before + octets <= limit)
        return true;
    atomic_fetch_sub_explicit(&b->octets, octets, memory_order_relaxed);
    return false;
}

static void give_back(struct sek_tally_budget *b, size_t octets)
{
    atomic_fetch_sub_explicit(&b->octets, octets, memory_order_relaxed);
}

static void free_chunks(struct sek_tally_budget *b, struct sek_tally_chunk *c)
{
    while (c) {
        struct sek_tally_chunk *next = c->next;
        give_back(b, sizeof *c + c->size);
        free(c);
        c = next;
    }
}

/* --- tables ------------------------------------------------------------------------------------
 */

static bool table_resize(struct sek_tally *t, struct table *table, size_t n_slots)
{
    if (!spend(&t->budget, n_slots * sizeof *table->slots, table->limit))
        return false;
    struct slot *slots = calloc(n_slots, sizeof *slots);
    if (!slots) {
        give_back(&t->budget, n_slots * sizeof *slots);
        return false;
    }
    for (size_t i = 0; i < table->n_slots; i++) {
        if (!table->slots[i].entry)
            continue;
        size_t at = table->slots[i].hash & (n_slots - 1);
        while (slots[at].entry)
            at = (at + 1) & (n_slots - 1);
        slots[at] = table->slots[i];
    }
    give_back(&t->budget, table->n_slots * sizeof *slots);
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

/* Room for one more entry of `octets`: zeroed memory in *slot, linked by the caller. */
static void *table_add(struct sek_tally *t, struct table *table, struct slot *slot, uint64_t hash,
                       size_t octets)
{
    octets = (octets + 7) & ~(size_t)7;
    struct sek_tally_chunk *c = table->chunks;
    if (!c || c->size - c->used < octets) {
        size_t size = CHUNK_OCTETS - sizeof *c;
        if (!spend(&t->budget, sizeof *c + size, table->limit))
            return NULL;
        c = malloc(sizeof *c + size);
        if (!c) {
            give_back(&t->budget, sizeof *c + size);
            return NULL;
        }
        *c = (struct sek_tally_chunk){.next = table->chunks, .size = size};
        table->chunks = c;
    }
    void *entry = c->octets + c->used;
    c->used += octets;
    *slot = (struct slot){hash, entry};
    table->n++;
    return entry;
}

/* Before a search that may add: keep the table at most half full, or at most 7/8 when memory is
 * out. */
static bool table_has_room(struct sek_tally *t, struct table *table)
{
    if (table->n < table->n_slots / 2 || table_resize(t, table, table->n_slots * 2))
        return true;
    return table->n < table->n_slots / 8 * 7;
}

static enum sek_err table_init(struct sek_tally *t, struct table *table, size_t limit)
{
    table->limit = limit;
    return table_resize(t, table, SLOTS_MIN) ? SEK_OK : SEK_E_NOMEM;
}

/* Empty after its entries went into a batch. */
static void table_reset(struct sek_tally *t, struct table *table)
{
    size_t n = table->n;
    table->n = 0;
    table->sum = 0;
    table->chunks = NULL;
    table->first = table->last = NULL;
    memset(table->slots, 0, table->n_slots * sizeof *table->slots);
    /* after a flood become small again, step by step */
    if (table->n_slots > SLOTS_MIN && n < table->n_slots / 8)
        table_resize(t, table, table->n_slots / 2);
}

/* --- life --------------------------------------------------------------------------------------
 */

enum sek_err sek_tally_new(uint64_t max_octets, const struct sek_suffix *suffix,
                           struct sek_tally **out)
{
    struct sek_tally *t = calloc(1, sizeof *t);
    if (!t)
        return SEK_E_NOMEM;
    size_t max = max_octets < SEK_TALLY_OCTETS_MIN ? SEK_TALLY_OCTETS_MIN : max_octets;
    t->budget.max = max;
    t->suffix = suffix;
    t->key = sek_hash_key_random();
    size_t memo_octets = MEMO_WAYS * sizeof *t->memo;
    while (memo_octets * 2 <= MEMO_OCTETS_MAX && memo_octets * 2 <= max / 16)
        memo_octets *= 2;
    t->n_memo_sets = memo_octets / (MEMO_WAYS * sizeof *t->memo);
    spend(&t->budget, memo_octets, max);
    t->memo = sek_hot_alloc(memo_octets);
    enum sek_err err = t->memo ? table_init(t, &t->hits, max) : SEK_E_NOMEM;
    if (!err)
        err = table_init(t, &t->traffic, max - max / 4);
    if (err) {
        sek_tally_free(t);
        return err;
    }
    *out = t;
    return SEK_OK;
}

void sek_tally_free(struct sek_tally *t)
{
    if (!t)
        return;
    free_chunks(&t->budget, t->hits.chunks);
    free_chunks(&t->budget, t->traffic.chunks);
    free(t->hits.slots);
    free(t->traffic.slots);
    free(t->memo);
    free(t);
}

/* --- adding ------------------------------------------------------------------------------------
 */

/* Where the registered domain starts in the event's name. */
struct domain {
    const uint8_t *octets;
    uint8_t len;
};

/* Labels to remove from a name to reach its registered domain, or NO_DOMAIN. */
static uint8_t ask_suffix(const struct sek_tally *t, const uint8_t *wire, size_t len)
{
    struct sek_name name;
    if (!t->suffix || sek_name_from_wire(wire, len, &name) != SEK_OK)
        return NO_DOMAIN;
    int labels = sek_suffix_registered(t->suffix, &name);
    return labels < 0 ? NO_DOMAIN : (uint8_t)labels;
}

/* A name in an event, or the one above it. */
struct span {
    const uint8_t *octets;
    size_t len;
    uint64_t hash;
};

static struct span own_name(const struct sek_tally *t, const struct sek_event *e)
{
    return (struct span){e->names, e->name_len,
                         sek_hash(&t->key, e->names, e->name_len) | 0x80}; /* no tag is 0 */
}

/* Of the root the root itself. */
static struct span parent_name(const struct sek_tally *t, const struct sek_event *e)
{
    size_t skip = e->names[0] ? (size_t)e->names[0] + 1 : 0;
    const uint8_t *octets = e->names + skip;
    size_t len = e->name_len - skip;
    return (struct span){octets, len, sek_hash(&t->key, octets, len) | 0x80};
}

static struct memo *memo_set(const struct sek_tally *t, uint64_t hash)
{
    return t->memo + (hash >> 8 & (t->n_memo_sets - 1)) * MEMO_WAYS;
}

static struct memo *memo_find(const struct sek_tally *t, uint64_t hash)
{
    struct memo *set = memo_set(t, hash);
    for (unsigned way = 0; way < MEMO_WAYS; way++)
        if ((set[way].tag ^ hash) >> 7 == 0)
            return &set[way];
    return NULL;
}

static uint8_t memo_labels(const struct memo *m)
{
    return m->tag & 0x7f;
}

/* The name's place in the memory of names, made if it is not there. */
static struct memo *recall(struct sek_tally *t, const struct span *name)
{
    struct memo *found = memo_find(t, name->hash), *set = memo_set(t, name->hash);
    if (found)
        return found;
    memmove(set + 1, set, (MEMO_WAYS - 1) * sizeof *set); /* the oldest leaves */
    set[0] = (struct memo){(name->hash & ~(uint64_t)0x7f) | ask_suffix(t, name->octets, name->len),
                           NULL};
    return &set[0];
}

/* What is remembered about an event's name. Names have the registered domain of the name above
 * them, if that has one: so names that are new every time, as in most traffic, are remembered all
 * the same, by what they have in common. Others are remembered by themselves. */
static struct memo *recall_event(struct sek_tally *t, const struct sek_event *e,
                                 const struct span *parent, struct sek_tally_note *note)
{
    struct memo *m = recall(t, parent);
    note->domain_labels = (uint8_t)(memo_labels(m) + 1);
    note->has_domain = memo_labels(m) != NO_DOMAIN && e->names[0];
    if (note->has_domain)
        return m;
    struct span own = own_name(t, e);
    m = recall(t, &own);
    note->has_domain = memo_labels(m) != NO_DOMAIN;
    note->domain_labels = note->has_domain ? memo_labels(m) : 0;
    return m;
}

static bool is_row(const struct sek_tally_traffic *row, const struct sek_event *e, int64_t minute,
                   const struct domain *d)
{
    return row->minute == minute && row->domain_len == d->len &&
           memcmp(&row->endpoint, &e->endpoint, sizeof row->endpoint) == 0 &&
           memcmp(row->domain, d->octets, d->len) == 0;
}

/* *out_first: it was made, or there was no room to make it. */
static struct sek_tally_traffic *find_row(struct sek_tally *t, const struct sek_event *e,
                                          int64_t minute, const struct domain *d, bool *out_first)
{
    struct table *table = &t->traffic;
    uint64_t hash = sek_hash(&t->key, d->octets, d->len) ^
                    sek_hash(&t->key, &e->endpoint, sizeof e->endpoint) * SEK_HASH_GOLDEN ^
                    (uint64_t)minute * SEK_HASH_GOLDEN;
    bool room = table_has_room(t, table);
    size_t at = hash & (table->n_slots - 1);
    struct sek_tally_traffic *row;
    for (; (row = table->slots[at].entry); at = (at + 1) & (table->n_slots - 1))
        if (table->slots[at].hash == hash && is_row(row, e, minute, d))
            return row;
    *out_first = true;
    row = room ? table_add(t, table, &table->slots[at], hash, sizeof *row + d->len) : NULL;
    if (!row)
        return NULL;
    *row = (struct sek_tally_traffic){.minute = minute,
                                      .endpoint = e->endpoint,
                                      .ttl_min_s = SEK_TALLY_NO_TTL,
                                      .domain_len = d->len};
    memcpy(row->domain, d->octets, d->len);
    if (table->last)
        ((struct sek_tally_traffic *)table->last)->next = row;
    else
        table->first = row;
    table->last = row;
    return row;
}

/* A page takes a dozen names of its domain, and a site meets thousands of new domains a day: that
 * one is newly observed, and resolves, is told by the first hit. Others count as what became of
 * them. */
static bool is_repeated(const struct sek_event *e, const struct sek_tally_note *note)
{
    return e->outcome == SEK_OUTCOME_HIT && e->trigger == SEK_TRIGGER_NOD && e->monitor &&
           !note->first;
}

static enum sek_outcome counts_as(const struct sek_event *e, const struct sek_tally_note *note)
{
    if (!is_repeated(e, note))
        return e->outcome < SEK_N_OUTCOMES ? (enum sek_outcome)e->outcome : SEK_OUTCOME_FAILED;
    return e->existence == SEK_EXISTENCE_EXISTS   ? SEK_OUTCOME_PASSED
           : e->existence == SEK_EXISTENCE_ABSENT ? SEK_OUTCOME_NXDOMAIN
                                                  : SEK_OUTCOME_FAILED;
}

/* What is left of a cached answer's life is no TTL, and a negative answer's is the zone's. */
static bool has_ttl(const struct sek_event *e)
{
    return e->existence == SEK_EXISTENCE_EXISTS && e->outcome != SEK_OUTCOME_CACHED && !e->cached &&
           (e->n_addrs > 0 || e->answer_octets > 0);
}

static bool add_traffic(struct sek_tally *t, const struct sek_event *e, const struct span *parent,
                        int64_t minute, struct sek_tally_note *note)
{
    struct domain d;
    struct memo *m = recall_event(t, e, parent, note);
    d.octets = sek_name_skip(e->names, note->domain_labels);
    d.len = (uint8_t)(e->name_len - (d.octets - e->names));
    note->first = false;
    if (!m->row || !is_row(m->row, e, minute, &d))
        m->row = find_row(t, e, minute, &d, &note->first);
    note->row = m->row;
    if (!m->row) {
        t->lost_traffic++;
        return false;
    }
    m->row->count[counts_as(e, note)]++;
    if (has_ttl(e) && e->ttl_s < m->row->ttl_min_s)
        m->row->ttl_min_s = e->ttl_s;
    t->traffic.sum++;
    return true;
}

static struct sek_tally_hit *new_hit(struct sek_tally *t, struct slot *slot, uint64_t hash,
                                     const struct sek_event *e, int64_t minute, uint8_t labels)
{
    struct table *table = &t->hits;
    struct sek_tally_hit *hit =
        table_add(t, table, slot, hash, offsetof(struct sek_tally_hit, event) + e->size);
    if (!hit)
        return NULL;
    hit->next = NULL;
    hit->count = 0;
    hit->first_ms = hit->last_ms = e->time_ms;
    hit->minute = minute;
    hit->domain_labels = labels;
    memcpy(&hit->event, e, e->size);
    if (table->last)
        ((struct sek_tally_hit *)table->last)->next = hit;
    else
        table->first = hit;
    table->last = hit;
    return hit;
}

static uint64_t hit_hash(const struct sek_tally *t, const struct sek_event *e, int64_t minute)
{
    return sek_hash(&t->key, (const uint8_t *)e + SEK_EVENT_KEY_AT, sek_event_key_len(e)) +
           (uint64_t)minute * SEK_HASH_GOLDEN;
}

static bool add_hit(struct sek_tally *t, const struct sek_event *e, uint64_t hash, int64_t minute,
                    uint8_t labels)
{
    struct table *table = &t->hits;
    size_t n_key = sek_event_key_len(e);
    bool room = table_has_room(t, table);
    size_t at = hash & (table->n_slots - 1);
    struct sek_tally_hit *hit;
    for (; (hit = table->slots[at].entry); at = (at + 1) & (table->n_slots - 1)) {
        if (table->slots[at].hash == hash && hit->minute == minute &&
            sek_event_key_len(&hit->event) == n_key &&
            memcmp((const uint8_t *)&hit->event + SEK_EVENT_KEY_AT,
                   (const uint8_t *)e + SEK_EVENT_KEY_AT, n_key) == 0)
            break;
    }
    if (!hit)
        hit = room ? new_hit(t, &table->slots[at], hash, e, minute, labels) : NULL;
    if (!hit) {
        t->lost_hits++;
        return false;
    }
    hit->count++;
    if (e->time_ms < hit->first_ms) /* workers' clocks are read at different moments */
        hit->first_ms = e->time_ms;
    if (e->time_ms > hit->last_ms)
        hit->last_ms = e->time_ms;
    table->sum++;
    return true;
}

static int64_t minute_of(const struct sek_event *e)
{
    return e->time_ms / MINUTE_MS - (e->time_ms % MINUTE_MS < 0);
}

/* Memory is what all this waits for, so each pass asks for what the next one needs: the place in
 * the memory of names and of the hit, then the row. False if one found no room. */
static bool add_batch(struct sek_tally *t, const struct sek_event *const *events, unsigned n,
                      struct sek_tally_note *notes)
{
    struct span parent[BATCH];
    uint64_t hit[BATCH]; /* hashes, of hits only */
    for (unsigned i = 0; i < n; i++) {
        parent[i] = parent_name(t, events[i]);
        __builtin_prefetch(memo_set(t, parent[i].hash));
        hit[i] = 0;
        if (events[i]->outcome == SEK_OUTCOME_HIT) {
            hit[i] = hit_hash(t, events[i], minute_of(events[i]));
            __builtin_prefetch(&t->hits.slots[hit[i] & (t->hits.n_slots - 1)]);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        const struct memo *m = memo_find(t, parent[i].hash);
        if (m && m->row)
            __builtin_prefetch(m->row, 1);
        if (events[i]->outcome == SEK_OUTCOME_HIT)
            __builtin_prefetch(t->hits.slots[hit[i] & (t->hits.n_slots - 1)].entry, 1);
    }
    bool room = true;
    for (unsigned i = 0; i < n; i++) {
        struct sek_tally_note note;
        int64_t minute = minute_of(events[i]);
        bool counted = add_traffic(t, events[i], &parent[i], minute, &note);
        if (events[i]->outcome == SEK_OUTCOME_HIT && !is_repeated(events[i], &note))
            counted = add_hit(t, events[i], hit[i], minute, note.domain_labels);
        room &= counted;
        if (notes)
            notes[i] = note;
    }
    return room;
}

bool sek_tally_add(struct sek_tally *t, const struct sek_event *e)
{
    return add_batch(t, &e, 1, NULL);
}

void sek_tally_add_all(struct sek_tally *t, const struct sek_event *const *events, unsigned n,
                       struct sek_tally_note *notes)
{
    for (unsigned i = 0; i < n; i += BATCH)
        add_batch(t, events + i, n - i < BATCH ? n - i : BATCH, notes ? notes + i : NULL);
}

uint64_t sek_tally_sum(const struct sek_tally_traffic *row)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < SEK_N_OUTCOMES; i++)
        n += row->count[i];
    return n;
}

/* --- taking out --------------------------------------------------------------------------------
 */

struct sek_tally_traffic *sek_tally_rows(const struct sek_tally *t)
{
    return t->traffic.first;
}

enum sek_err sek_tally_take(struct sek_tally *t, bool traffic, struct sek_tally_batch **out)
{
    traffic = traffic && t->traffic.n > 0;
    if (t->hits.n == 0 && !traffic) {
        *out = NULL;
        return SEK_OK;
    }
    struct sek_tally_batch *b = calloc(1, sizeof *b);
    if (!b)
        return SEK_E_NOMEM;
    b->budget = &t->budget;
    b->hits = t->hits.first;
    b->n_hits = t->hits.n;
    b->sum_hits = t->hits.sum;
    b->chunks = t->hits.chunks;
    table_reset(t, &t->hits);
    if (traffic) {
        b->traffic = t->traffic.first;
        b->n_traffic = t->traffic.n;
        b->sum_traffic = t->traffic.sum;
        struct sek_tally_chunk **end = &b->chunks;
        while (*end)
            end = &(*end)->next;
        *end = t->traffic.chunks;
        table_reset(t, &t->traffic);
        for (size_t i = 0; i < t->n_memo_sets * MEMO_WAYS; i++)
            t->memo[i].row = NULL; /* they belong to the batch now */
    }
    *out = b;
    return SEK_OK;
}

void sek_tally_batch_free(struct sek_tally_batch *b)
{
    if (!b)
        return;
    free_chunks(b->budget, b->chunks);
    free(b);
}

uint64_t sek_tally_octets(const struct sek_tally *t)
{
    return atomic_load_explicit(&t->budget.octets, memory_order_relaxed);
}

void sek_tally_lost(const struct sek_tally *t, uint64_t *out_hits, uint64_t *out_traffic)
{
    *out_hits = t->lost_hits;
    *out_traffic = t->lost_traffic;
}
