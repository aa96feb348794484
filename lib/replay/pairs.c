/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/pairs.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define FIRST_SIZE 1024 /* slots; doubled while more wait */
#define LOOK_MAX 64     /* slots of one key that are looked at: more is no traffic of people */

/* Slots are numbered in the order of their coming; number n lies at n mod size. */
struct slot {
    uint64_t key;
    uint64_t before; /* number + 1 of the one before it in its bucket; 0: none */
    bool is_done;    /* waits for nothing */
    bool was_asked;  /* it has a key */
    bool had_query;
    struct sek_event event;
};

struct sek_pairs {
    struct sek_hash_key hash;
    struct slot *slots;
    uint64_t *buckets; /* number + 1 of the latest; as many as slots */
    size_t size, limit;
    uint64_t oldest, next, end; /* remembered from; leaves next; behind the last */
    uint64_t given_up;          /* those before it wait no longer */
    int64_t now_ms;
};

static struct slot *slot_of(const struct sek_pairs *p, uint64_t number)
{
    return &p->slots[number & (p->size - 1)];
}

struct sek_pairs *sek_pairs_new(void)
{
    struct sek_pairs *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->hash = sek_hash_key_random();
    p->size = FIRST_SIZE;
    p->limit = SEK_PAIRS_MAX;
    p->slots = calloc(p->size, sizeof *p->slots);
    p->buckets = calloc(p->size, sizeof *p->buckets);
    p->now_ms = INT64_MIN / 2;
    if (p->slots && p->buckets)
        return p;
    sek_pairs_free(p);
    return NULL;
}

void sek_pairs_free(struct sek_pairs *p)
{
    if (!p)
        return;
    free(p->slots);
    free(p->buckets);
    free(p);
}

uint64_t sek_pairs_key(const struct sek_pairs *p, const struct sek_pair *pair)
{
    struct {
        struct sek_addr client, server;
        uint16_t client_port, server_port, id, qtype;
        uint8_t name[SEK_NAME_MAX];
    } k = {pair->client, pair->server, pair->client_port, pair->server_port, pair->id,
           pair->qtype,  {0}};
    memcpy(k.name, pair->name->octets, pair->name->len);
    size_t head = (size_t)((const uint8_t *)k.name - (const uint8_t *)&k);
    return sek_hash(&p->hash, &k, head + pair->name->len);
}

/* --- the queue ---------------------------------------------------------------------------------
 */

static void link_slot(struct sek_pairs *p, uint64_t number)
{
    struct slot *s = slot_of(p, number);
    uint64_t *bucket = &p->buckets[s->key & (p->size - 1)];

    s->before = *bucket;
    *bucket = number + 1;
}

/* Twice the room. False: there is no memory, or it is as large as it may be. */
static bool grow(struct sek_pairs *p)
{
    struct sek_pairs larger = *p;

    if (p->size >= p->limit)
        return false;
    larger.size = p->size * 2;
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    larger.buckets = calloc(larger.size, sizeof *larger.buckets);
    if (!larger.slots || !larger.buckets) {
        free(larger.slots);
        free(larger.buckets);
        return false;
    }
    for (uint64_t n = p->oldest; n < p->end; n++) {
        const struct slot *from = slot_of(p, n);
        memcpy(slot_of(&larger, n), from, offsetof(struct slot, event) + from->event.size);
        if (from->was_asked)
            link_slot(&larger, n);
    }
    free(p->slots);
    free(p->buckets);
    *p = larger;
    return true;
}

/* The latest time, unless it goes back so far that other records begin. */
static void note_time(struct sek_pairs *p, int64_t time_ms)
{
    if (time_ms > p->now_ms || p->now_ms - time_ms > SEK_PAIRS_BACK_MS)
        p->now_ms = time_ms;
}

/* Waits for nothing. Time alone decides only when some more have come: captures that were put
 * together out of order jump to and fro. */
static bool is_over(const struct sek_pairs *p, uint64_t number)
{
    const struct slot *s = slot_of(p, number);
    int64_t age_ms = p->now_ms - s->event.time_ms;

    return s->is_done || number < p->given_up ||
           (p->end - number > SEK_PAIRS_MORE &&
            (age_ms > SEK_PAIRS_WAIT_MS || age_ms < -SEK_PAIRS_BACK_MS));
}

/* A slot for one more event, which is in it. */
static struct slot *add(struct sek_pairs *p, const struct sek_event *e)
{
    if (p->end - p->oldest == p->size && p->oldest < p->next)
        p->oldest++;
    if (p->end - p->oldest == p->size && !grow(p)) {
        p->limit = p->size;
        return NULL;
    }
    struct slot *s = slot_of(p, p->end++);
    s->is_done = true;
    s->was_asked = s->had_query = false;
    memcpy(&s->event, e, e->size);
    return s;
}

void sek_pairs_pass(struct sek_pairs *p, const struct sek_event *e)
{
    note_time(p, e->time_ms);
    (void)add(p, e);
}

bool sek_pairs_take(struct sek_pairs *p, struct sek_event *out)
{
    bool is_crowded = p->end - p->next > p->limit - p->limit / 16;

    if (p->next == p->end || (!is_over(p, p->next) && !is_crowded))
        return false;
    struct slot *s = slot_of(p, p->next);
    memcpy(out, &s->event, s->event.size);
    s->is_done = true;
    if (!s->was_asked && p->next + 1 == p->end)
        p->end--; /* nobody refers to it: the same memory for the next one */
    else
        p->next++;
    return true;
}

void sek_pairs_end(struct sek_pairs *p)
{
    p->given_up = p->end;
}

/* --- queries and responses ---------------------------------------------------------------------
 */

/* What is known of a key: the oldest that waits, and whether it needs no more. */
struct found {
    struct slot *waits;
    bool is_done;
};

static struct found find(const struct sek_pairs *p, uint64_t key, enum sek_repeat repeat,
                         int64_t time_ms)
{
    struct found f = {NULL, false};
    uint64_t at = p->buckets[key & (p->size - 1)];

    for (int i = 0; i < LOOK_MAX && at > p->oldest; i++) {
        struct slot *s = slot_of(p, at - 1);
        int64_t age_ms = time_ms - s->event.time_ms;
        bool is_near = age_ms <= SEK_PAIRS_WAIT_MS && age_ms >= -SEK_PAIRS_WAIT_MS;
        if (s->key == key && is_near && !is_over(p, at - 1))
            f.waits = s;
        else if (s->key == key && age_ms <= SEK_PAIRS_BACK_MS && age_ms >= -SEK_PAIRS_BACK_MS)
            f.is_done |= s->had_query || repeat == SEK_REPEAT_IS_SAME;
        at = s->before;
    }
    return f;
}

static void add_keyed(struct sek_pairs *p, uint64_t key, bool is_query, const struct sek_event *e)
{
    struct slot *s = add(p, e);

    if (!s)
        return;
    s->key = key;
    s->is_done = !is_query;
    s->was_asked = true;
    s->had_query = is_query;
    link_slot(p, p->end - 1);
}

void sek_pairs_ask(struct sek_pairs *p, uint64_t key, enum sek_repeat repeat,
                   const struct sek_event *e)
{
    note_time(p, e->time_ms);
    if (repeat != SEK_REPEAT_IS_SAME || !find(p, key, repeat, e->time_ms).waits)
        add_keyed(p, key, true, e);
}

static void add_addrs(struct sek_event *to, const struct sek_event *from)
{
    const struct sek_addr *addrs = sek_event_addrs(from);

    for (unsigned i = 0; i < from->n_addrs; i++)
        sek_event_add_addr(to, &addrs[i]);
    for (unsigned i = 0; i < from->n_ns_addrs; i++)
        sek_event_add_ns_addr(to, &addrs[from->n_addrs + i]);
}

void sek_pairs_answer(struct sek_pairs *p, uint64_t key, enum sek_repeat repeat,
                      const struct sek_event *e)
{
    note_time(p, e->time_ms);
    struct found f = find(p, key, repeat, e->time_ms);
    if (!f.waits) {
        if (!f.is_done)
            add_keyed(p, key, false, e);
        return;
    }
    struct sek_event *to = &f.waits->event;
    to->outcome = e->outcome;
    to->existence = e->existence;
    to->ttl_s = e->ttl_s;
    to->answer_octets = e->answer_octets;
    add_addrs(to, e);
    f.waits->is_done = true;
}

void sek_pairs_amend(struct sek_pairs *p, uint64_t key, const struct sek_event *e)
{
    uint64_t at = p->buckets[key & (p->size - 1)];

    note_time(p, e->time_ms);
    for (int i = 0; i < LOOK_MAX && at > p->next; i++) {
        struct slot *s = slot_of(p, at - 1);
        if (s->key == key && !is_over(p, at - 1)) {
            const struct sek_addr *addr = sek_event_addrs(e);
            if (e->existence == SEK_EXISTENCE_ABSENT) {
                s->event.outcome = e->outcome;
                s->event.existence = e->existence;
            }
            if (e->n_addrs && s->event.qtype == (sek_addr_is_v4(addr) ? 1 : 28))
                add_addrs(&s->event, e);
        }
        at = s->before;
    }
}
