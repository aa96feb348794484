/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/firsts.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct batch {
    unsigned n;
    struct sek_first all[SEK_FIRSTS_MAX];
};

struct sek_firsts {
    pthread_mutex_t lock; /* guards which batch is which, and `waiting` */
    struct batch *waiting, *held;
    struct batch batches[2];
};

enum sek_err sek_firsts_new(struct sek_firsts **out)
{
    struct sek_firsts *f = calloc(1, sizeof *f);
    if (!f)
        return SEK_E_NOMEM;
    pthread_mutex_init(&f->lock, NULL);
    f->waiting = &f->batches[0];
    f->held = &f->batches[1];
    *out = f;
    return SEK_OK;
}

void sek_firsts_free(struct sek_firsts *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void sek_first_from_event(const struct sek_event *e, struct sek_first *out)
{
    out->time_ms = e->time_ms;
    out->endpoint = e->endpoint;
    out->qtype = e->qtype;
    out->domain_labels = e->domain_labels;
    out->name_len = e->name_len;
    memcpy(out->name, e->names, e->name_len);
    out->refused = e->outcome == SEK_OUTCOME_HIT && sek_action_blocks(e->action) &&
                   !sek_trigger_is_detector(e->trigger);
    out->ttl_s = e->ttl_s;
    out->has_address = e->n_addrs > 0;
    if (out->has_address)
        out->address = *sek_event_addrs(e);
}

bool sek_firsts_push(struct sek_firsts *f, const struct sek_event *e)
{
    pthread_mutex_lock(&f->lock);
    bool room = f->waiting->n < SEK_FIRSTS_MAX;
    if (room)
        sek_first_from_event(e, &f->waiting->all[f->waiting->n++]);
    pthread_mutex_unlock(&f->lock);
    return room;
}

enum sek_err sek_firsts_store(struct sek_firsts *f, struct sek_eventsdb *db, struct sek_diag *diag)
{
    if (f->held->n == 0) {
        pthread_mutex_lock(&f->lock);
        struct batch *empty = f->held;
        f->held = f->waiting;
        f->waiting = empty;
        pthread_mutex_unlock(&f->lock);
    }
    if (f->held->n == 0)
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_firsts(db, f->held->all, f->held->n, diag);
    if (!err)
        f->held->n = 0;
    return err;
}

unsigned sek_firsts_waiting(struct sek_firsts *f)
{
    pthread_mutex_lock(&f->lock);
    unsigned n = f->waiting->n + f->held->n;
    pthread_mutex_unlock(&f->lock);
    return n;
}
