/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/responses.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/banned.h"

struct batch {
    unsigned n;
    struct sek_response all[SEK_RESPONSES_MAX];
};

struct sek_responses {
    pthread_mutex_t lock; /* guards which batch is which, and `waiting` */
    struct batch *waiting, *held;
    struct batch batches[2];
};

enum sek_err sek_responses_new(struct sek_responses **out)
{
    struct sek_responses *r = calloc(1, sizeof *r);
    if (!r)
        return SEK_E_NOMEM;
    pthread_mutex_init(&r->lock, NULL);
    r->waiting = &r->batches[0];
    r->held = &r->batches[1];
    *out = r;
    return SEK_OK;
}

void sek_responses_free(struct sek_responses *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

bool sek_responses_push(struct sek_responses *r, const struct sek_response *one)
{
    pthread_mutex_lock(&r->lock);
    bool room = r->waiting->n < SEK_RESPONSES_MAX;
    if (room)
        r->waiting->all[r->waiting->n++] = *one;
    pthread_mutex_unlock(&r->lock);
    return room;
}

enum sek_err sek_responses_store(struct sek_responses *r, struct sek_eventsdb *db,
                                 struct sek_diag *diag)
{
    if (r->held->n == 0) {
        pthread_mutex_lock(&r->lock);
        struct batch *empty = r->held;
        r->held = r->waiting;
        r->waiting = empty;
        pthread_mutex_unlock(&r->lock);
    }
    if (r->held->n == 0)
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_responses(db, r->held->all, r->held->n, diag);
    if (!err)
        r->held->n = 0;
    return err;
}

unsigned sek_responses_waiting(struct sek_responses *r)
{
    pthread_mutex_lock(&r->lock);
    unsigned n = r->waiting->n + r->held->n;
    pthread_mutex_unlock(&r->lock);
    return n;
}
