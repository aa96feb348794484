/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/answers.h"
#include "base/hash.h"
#include "base/hot.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WAYS 4
#define DAY_MS 86400000LL

/* What was offered, with the life times so far: none while the lowest is above the highest. */
struct known {
    uint64_t hash; /* 0: free */
    uint32_t ttl_min_s, ttl_max_s;
};

struct batch {
    unsigned n;
    struct sek_answer all[SEK_ANSWERS_MAX];
};

struct sek_answers {
    pthread_mutex_t lock; /* guards which batch is which, and `waiting` */
    struct batch *waiting, *held;
    struct batch batches[2];
    /* the producer's */
    struct sek_hash_key key;
    struct known *known; /* sets of four, the latest first */
    _Atomic bool forget;
};

enum sek_err sek_answers_new(struct sek_answers **out)
{
    struct sek_answers *a = calloc(1, sizeof *a);
    if (!a)
        return SEK_E_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
    a->known = sek_hot_alloc(SEK_ANSWERS_KNOWN * sizeof *a->known);
    if (!a->known) {
        sek_answers_free(a);
        return SEK_E_NOMEM;
    }
    a->key = sek_hash_key_random();
    a->waiting = &a->batches[0];
    a->held = &a->batches[1];
    *out = a;
    return SEK_OK;
}

void sek_answers_free(struct sek_answers *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->known);
    free(a);
}

/* --- producer ----------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct sek_answers *a, const struct sek_answer *row)
{
    uint8_t text[sizeof row->day + sizeof row->address + 2 * (SEK_NAME_MAX + 1)];
    size_t n = sizeof row->day + sizeof row->address;
    memcpy(text, &row->day, sizeof row->day);
    memcpy(text + sizeof row->day, &row->address, sizeof row->address);
    memcpy(text + n, row->domain, row->domain_len);
    n += row->domain_len;
    memcpy(text + n, row->server, row->server_len);
    uint64_t hash = sek_hash(&a->key, text, n + row->server_len);
    return hash ? hash : 1;
}

/* Finding it makes it the latest. NULL: not known. */
static struct known *find(struct sek_answers *a, uint64_t hash)
{
    struct known *set = &a->known[hash % (SEK_ANSWERS_KNOWN / WAYS) * WAYS];
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].hash == hash) {
            struct known found = set[i];
            memmove(set + 1, set, i * sizeof *set);
            set[0] = found;
            return set;
        }
    return NULL;
}

static void remember(struct sek_answers *a, uint64_t hash, const struct known *ttl)
{
    struct known *set = &a->known[hash % (SEK_ANSWERS_KNOWN / WAYS) * WAYS];
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = (struct known){hash, ttl->ttl_min_s, ttl->ttl_max_s};
}

static bool push(struct sek_answers *a, const struct sek_answer *row)
{
    pthread_mutex_lock(&a->lock);
    bool room = a->waiting->n < SEK_ANSWERS_MAX;
    if (room)
        memcpy(&a->waiting->all[a->waiting->n++], row,
               row->server_len ? sizeof *row
                               : offsetof(struct sek_answer, domain) + row->domain_len);
    pthread_mutex_unlock(&a->lock);
    return room;
}

/* False: it found no room. */
static bool offer(struct sek_answers *a, const struct sek_answer *row)
{
    uint64_t hash = hash_of(a, row);
    const struct known ttl = {hash, row->has_ttl ? row->ttl_min_s : UINT32_MAX,
                              row->has_ttl ? row->ttl_max_s : 0};
    struct known *known = find(a, hash);
    if (known && ttl.ttl_min_s >= known->ttl_min_s && ttl.ttl_max_s <= known->ttl_max_s)
        return true;
    if (!push(a, row))
        return false;
    if (!known)
        remember(a, hash, &ttl);
    else {
        known->ttl_min_s = ttl.ttl_min_s < known->ttl_min_s ? ttl.ttl_min_s : known->ttl_min_s;
        known->ttl_max_s = ttl.ttl_max_s > known->ttl_max_s ? ttl.ttl_max_s : known->ttl_max_s;
    }
    return true;
}

static unsigned note_addresses(struct sek_answers *a, const struct sek_event *e,
                               struct sek_answer *row)
{
    const struct sek_addr *addrs = sek_event_addrs(e);
    unsigned lost = 0;
    row->has_ttl = !e->cached; /* else it is what is left of it */
    row->ttl_min_s = row->ttl_max_s = row->has_ttl ? e->ttl_s : 0;
    for (unsigned i = 0; i < e->n_addrs; i++) {
        row->address = addrs[i];
        lost += !offer(a, row);
    }
    return lost;
}

/* Those of the registered domain, and of zones below it. */
static unsigned note_servers(struct sek_answers *a, const struct sek_event *e,
                             uint8_t domain_labels, struct sek_answer *row)
{
    const uint8_t *name;
    size_t at = 0, len;
    uint8_t labels;
    unsigned lost = 0;
    row->has_ttl = false;
    row->ttl_min_s = row->ttl_max_s = 0;
    row->address = (struct sek_addr){{0}};
    while ((at = sek_event_server(e, at, &labels, &name, &len)) != 0) {
        if (labels > domain_labels)
            continue;
        row->server_len = (uint8_t)len;
        memcpy(row->server, name, len);
        lost += !offer(a, row);
    }
    return lost;
}

static unsigned note(struct sek_answers *a, const struct sek_event *e,
                     const struct sek_tally_note *n)
{
    struct sek_answer row; /* half a KiB: only what is used is set */
    row.day = e->time_ms / DAY_MS;
    row.domain_len = n->row->domain_len;
    row.server_len = 0;
    memcpy(row.domain, n->row->domain, n->row->domain_len);
    unsigned lost = note_addresses(a, e, &row);
    return n->has_domain ? lost + note_servers(a, e, n->domain_labels, &row) : lost;
}

unsigned sek_answers_note_all(struct sek_answers *a, const struct sek_event *const *events,
                              const struct sek_tally_note *notes, unsigned n)
{
    unsigned lost = 0;
    if (!a)
        return 0;
    if (atomic_exchange_explicit(&a->forget, false, memory_order_acquire))
        memset(a->known, 0, SEK_ANSWERS_KNOWN * sizeof *a->known);
    for (unsigned i = 0; i < n; i++)
        if ((events[i]->n_addrs || events[i]->servers_octets) && notes[i].row)
            lost += note(a, events[i], &notes[i]);
    return lost;
}

/* --- consumer ----------------------------------------------------------------------------------
 */

enum sek_err sek_answers_store(struct sek_answers *a, struct sek_eventsdb *db,
                               struct sek_diag *diag)
{
    if (!a)
        return SEK_OK;
    if (a->held->n == 0) {
        pthread_mutex_lock(&a->lock);
        struct batch *empty = a->held;
        a->held = a->waiting;
        a->waiting = empty;
        pthread_mutex_unlock(&a->lock);
    }
    if (a->held->n == 0)
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_answers(db, a->held->all, a->held->n, diag);
    if (!err)
        a->held->n = 0;
    return err;
}

void sek_answers_forget(struct sek_answers *a)
{
    if (a)
        atomic_store_explicit(&a->forget, true, memory_order_release);
}

unsigned sek_answers_waiting(struct sek_answers *a)
{
    if (!a)
        return 0;
    pthread_mutex_lock(&a->lock);
    unsigned n = a->waiting->n + a->held->n;
    pthread_mutex_unlock(&a->lock);
    return n;
}
