/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/feed.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define BLOCKS 8
#define BAD_MAX 8 /* of a block: a file of nonsense is told in short blocks */

struct block {
    unsigned n, n_bad;
    bool last, scored;
    enum sek_err err; /* of reading; the last block only */
    struct sek_diag diag;
    uint64_t octets, size;
    struct sek_diag bad[BAD_MAX];
    struct sek_event *at[SEK_FEED_EVENTS]; /* events[] */
    struct sek_score scores[SEK_FEED_EVENTS];
    struct sek_event events[SEK_FEED_EVENTS];
};

struct feed {
    struct sek_source *source;
    const struct sek_feed_hooks *hooks;
    pthread_mutex_t lock; /* guards the next three */
    pthread_cond_t changed;
    unsigned n_filled, n_used; /* blocks, since the begin */
    bool stop;
    struct block blocks[BLOCKS];
};

/* --- the reader --------------------------------------------------------------------------------
 */

static void fill(struct feed *f, struct block *b)
{
    b->n = b->n_bad = 0;
    b->last = b->scored = false;
    b->err = SEK_OK;
    while (b->n < SEK_FEED_EVENTS && b->n_bad < BAD_MAX && !b->last) {
        int told = sek_source_next(f->source, &b->events[b->n], &b->diag);
        if (told > 0) {
            b->at[b->n] = &b->events[b->n];
            b->n++;
        } else if (told == 0 || told == SEK_E_IO || told == SEK_E_NOMEM) {
            b->last = true;
            b->err = (enum sek_err)told;
        } else {
            b->bad[b->n_bad++] = b->diag;
        }
    }
    b->octets = sek_source_octets(f->source, &b->size);
}

/* The block at hand is for later: the caller has more to do before than scoring it takes. */
static bool has_time(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    bool has = f->n_filled - f->n_used >= BLOCKS / 2;
    pthread_mutex_unlock(&f->lock);
    return has;
}

static void score(struct feed *f, struct block *b)
{
    if (b->n && f->hooks->score && has_time(f))
        b->scored = f->hooks->score(f->hooks->arg, b->at, b->n, b->scores);
}

/* Waits for a block that may be filled; NULL: stop. */
static struct block *block_to_fill(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->stop && f->n_filled - f->n_used == BLOCKS)
        pthread_cond_wait(&f->changed, &f->lock);
    struct block *b = f->stop ? NULL : &f->blocks[f->n_filled % BLOCKS];
    pthread_mutex_unlock(&f->lock);
    return b;
}

static void *read_ahead(void *arg)
{
    struct feed *f = arg;
    struct block *b;
    bool last = false;
    pthread_setname_np(pthread_self(), "sek-read");
    while (!last && (b = block_to_fill(f))) {
        fill(f, b);
        score(f, b);
        last = b->last;
        pthread_mutex_lock(&f->lock);
        f->n_filled++;
        pthread_cond_signal(&f->changed);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

/* --- the caller's side -------------------------------------------------------------------------
 */

static struct block *block_to_use(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->n_filled == f->n_used)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    return &f->blocks[f->n_used % BLOCKS];
}

/* The block may be filled again, if the reader is to go on. */
static void give_back(struct feed *f, bool stop)
{
    pthread_mutex_lock(&f->lock);
    f->n_used++;
    f->stop = stop;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static enum sek_err use(struct block *b, const struct sek_feed_hooks *hooks, bool *out_stop,
                        struct sek_diag *diag)
{
    const struct sek_score *scores = b->scored ? b->scores : NULL;
    enum sek_err err = b->n ? hooks->events(hooks->arg, b->at, scores, b->n, diag) : SEK_OK;
    for (unsigned i = 0; i < b->n_bad && hooks->unreadable; i++)
        hooks->unreadable(hooks->arg, &b->bad[i]);
    if (err == SEK_OK && b->err != SEK_OK) {
        err = b->err;
        if (diag)
            *diag = b->diag;
    }
    *out_stop = err != SEK_OK || b->last ||
                (hooks->goes_on && !hooks->goes_on(hooks->arg, b->octets, b->size));
    return err;
}

/* Signals belong to the caller's threads. */
static bool start(struct feed *f, pthread_t *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, read_ahead, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

enum sek_err sek_feed_run(struct sek_source *source, const struct sek_feed_hooks *hooks,
                          struct sek_diag *diag)
{
    struct feed *f = calloc(1, sizeof *f);
    pthread_t thread;
    bool stop = false;
    enum sek_err err = SEK_OK;
    if (!f)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    f->source = source;
    f->hooks = hooks;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    bool threaded = start(f, &thread); /* else all in turn: slower, no more */
    while (!stop) {
        if (!threaded)
            fill(f, &f->blocks[f->n_filled++ % BLOCKS]);
        err = use(block_to_use(f), hooks, &stop, diag);
        give_back(f, stop);
    }
    if (threaded)
        pthread_join(thread, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return err;
}
