/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/answers.h"
#include "base/hash.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WAYS 4
#define DAY_MS 86400000LL

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
    uint64_t known[SEK_ANSWERS_KNOWN]; /* sets of four, the latest first; 0: free */
    _Atomic bool forget;
};

enum sek_err sek_answers_new(struct sek_answers **out)
{
    struct sek_answers *a = calloc(1, sizeof *a);
    if (!a)
        return SEK_E_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
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
    free(a);
}

/* --- producer ----------------------------------------------------------------------------------
 */

static uint64_t hash_of(const struct sek_answers *a, const struct sek_answer *row)
{
    uint8_t text[sizeof row->day + sizeof row->address + SEK_NAME_MAX + 1];
    memcpy(text, &row->day, sizeof row->day);
    memcpy(text + sizeof row->day, &row->address, sizeof row->address);
    memcpy(text + sizeof row->day + sizeof row->address, row->domain, row->domain_len);
    uint64_t hash =
        sek_hash(&a->key, text, sizeof row->day + sizeof row->address + row->domain_len);
    return hash ? hash : 1;
}

/* Finding it makes it the latest. */
static bool is_known(struct sek_answers *a, uint64_t hash)
{
    uint64_t *set = &a->known[hash % (SEK_ANSWERS_KNOWN / WAYS) * WAYS];
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i] == hash) {
            memmove(set + 1, set, i * sizeof *set);
            set[0] = hash;
            return true;
        }
    return false;
}

static void remember(struct sek_answers *a, uint64_t hash)
{
    uint64_t *set = &a->known[hash % (SEK_ANSWERS_KNOWN / WAYS) * WAYS];
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = hash;
}

static bool push(struct sek_answers *a, const struct sek_answer *row)
{
    pthread_mutex_lock(&a->lock);
    bool room = a->waiting->n < SEK_ANSWERS_MAX;
    if (room)
        memcpy(&a->waiting->all[a->waiting->n++], row,
               offsetof(struct sek_answer, domain) + row->domain_len);
    pthread_mutex_unlock(&a->lock);
    return room;
}

unsigned sek_answers_note(struct sek_answers *a, const struct sek_event *e, const uint8_t *domain,
                          size_t len)
{
    struct sek_answer row = {.day = e->time_ms / DAY_MS, .domain_len = (uint8_t)len};
    const struct sek_addr *addrs = sek_event_addrs(e);
    unsigned lost = 0;
    if (!a || len > sizeof row.domain)
        return 0;
    if (atomic_exchange_explicit(&a->forget, false, memory_order_acquire))
        memset(a->known, 0, sizeof a->known);
    memcpy(row.domain, domain, len);
    for (unsigned i = 0; i < e->n_addrs; i++) {
        row.address = addrs[i];
        uint64_t hash = hash_of(a, &row);
        if (is_known(a, hash))
            continue;
        if (push(a, &row))
            remember(a, hash);
        else
            lost++;
    }
    return lost;
}

unsigned sek_answers_note_all(struct sek_answers *a, const struct sek_event *const *events,
                              const struct sek_tally_note *notes, unsigned n)
{
    unsigned lost = 0;
    for (unsigned i = 0; a && i < n; i++)
        if (events[i]->n_addrs && notes[i].row)
            lost += sek_answers_note(a, events[i], notes[i].row->domain, notes[i].row->domain_len);
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
