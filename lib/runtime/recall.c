/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "runtime/parts.h"
#include "watch/memory.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/banned.h"

#define SAVE_MS 300000  /* what a killed process forgets */
#define LOAD_MS 3000    /* what is not taken up by then is forgotten */
#define STOP_MS 2000    /* a stop waits no longer; the file of some minutes ago stays */
#define STEPS_A_TICK 32 /* some milliseconds */

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A file that cannot be used is put aside for who wants to know why. */
static void refused(struct sek_runtime *rt, const struct sek_recall *r, const struct sek_diag *why)
{
    char aside[SEK_CONF_PATH_MAX + 8] = "";
    if (why->code == SEK_E_CORRUPT || why->code == SEK_E_VERSION) {
        snprintf(aside, sizeof aside, "%s.aside", r->path);
        if (rename(r->path, aside) != 0)
            aside[0] = '\0';
    }
    sek__runtime_say(rt, true, "%s; the detectors begin anew%s%s", why->text,
                     *aside ? ", it is put aside as " : "", aside);
}

void sek__recall_open(struct sek_runtime *rt, struct sek_recall *r)
{
    struct sek_diag why = {0};
    sek_conf_detectors_file(&rt->conf, r->path);
    r->key = sek_hash_key_random();
    enum sek_err err = sek_memory_open(r->path, &r->from, &why);
    if (err == SEK_OK)
        r->key = sek_memory_key(r->from);
    else if (err != SEK_E_NOTFOUND)
        refused(rt, r, &why);
}

/* --- at the start ------------------------------------------------------------------------------
 */

struct limit {
    int64_t until_ms;
    sem_t *stop;
};

static bool goes_on(void *arg)
{
    const struct limit *limit = arg;
    int stop;
    return monotonic_ms() < limit->until_ms && (sem_getvalue(limit->stop, &stop) != 0 || stop == 0);
}

static void tell(struct sek_runtime *rt, const struct sek_recall *r,
                 const struct sek_memory_sums *sums, bool whole)
{
    char since[24], left[64] = "", foreign[80] = "";
    sek_time_to_text(sek_memory_saved_ms(r->from) / 1000, since, sizeof since);
    if (sums->n_left)
        snprintf(left, sizeof left, "; %" PRIu64 " too old or not sound", sums->n_left);
    if (sums->n_foreign)
        snprintf(foreign, sizeof foreign, "; %" PRIu64 " of another version begin anew",
                 sums->n_foreign);
    sek__runtime_say(rt, sums->n_foreign > 0 || !whole,
                     "detectors: what they remembered %s is there again (%" PRIu64
                     " endpoints, pairs and domains%s%s%s)",
                     since, sums->n_taken, left, foreign,
                     whole ? "" : "; there was no time for the rest");
}

void sek__recall_load(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d,
                      sem_t *stop)
{
    struct limit limit = {monotonic_ms() + LOAD_MS, stop};
    struct sek_memory_sums sums;
    struct sek_diag why = {0};
    int stopped = 0;
    r->saved_ms = monotonic_ms();
    enum sek_err err =
        r->from ? sek_memory_load(r->from, d, sek_keeper_now_ms(), goes_on, &limit, &sums, &why)
                : SEK_E_NOTFOUND;
    if (err == SEK_E_BUSY)
        sem_getvalue(stop, &stopped);
    r->closed = stopped > 0; /* less than the file has must not take its place */
    if (err == SEK_OK || (err == SEK_E_BUSY && !stopped))
        tell(rt, r, &sums, err == SEK_OK);
    else if (err != SEK_E_NOTFOUND && err != SEK_E_BUSY)
        refused(rt, r, &why);
    sek_memory_close(r->from);
    r->from = NULL;
}

/* --- while it runs -----------------------------------------------------------------------------
 */

/* Told once, and once when it works again. */
static void result(struct sek_runtime *rt, struct sek_recall *r, enum sek_err err,
                   const struct sek_diag *why)
{
    bool failed = err != SEK_OK;
    if (failed == r->failing)
        return;
    r->failing = failed;
    if (failed)
        sek__runtime_say(rt, true, "%s; what the detectors remember would not outlive a restart",
                         why->text);
    else
        sek__runtime_say(rt, false, "%s is written again", r->path);
}

static void save_end(struct sek_recall *r)
{
    sek_memory_save_free(r->save);
    r->save = NULL;
    r->saved_ms = monotonic_ms();
}

static void save_begin(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d)
{
    struct sek_diag why = {0};
    r->news = false;
    enum sek_err err = sek_memory_save_new(r->path, d, r->key, sek_keeper_now_ms(), &r->save, &why);
    if (err == SEK_OK)
        return;
    result(rt, r, err, &why);
    save_end(r);
}

/* False: there is no more to do. */
static bool save_step(struct sek_runtime *rt, struct sek_recall *r)
{
    struct sek_diag why = {0};
    bool done;
    enum sek_err err = sek_memory_save_step(r->save, &done, &why);
    if (err == SEK_OK && !done)
        return true;
    result(rt, r, err, &why);
    save_end(r);
    return false;
}

void sek__recall_tick(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d)
{
    if (r->closed)
        return;
    if (!r->save && r->news && monotonic_ms() - r->saved_ms >= SAVE_MS)
        save_begin(rt, r, d);
    for (unsigned i = 0; r->save && i < STEPS_A_TICK; i++)
        if (!save_step(rt, r))
            break;
}

void sek__recall_end(struct sek_runtime *rt, struct sek_recall *r, struct sek_detectors *d)
{
    int64_t until_ms = monotonic_ms() + STOP_MS;
    bool news = r->news || r->save; /* one that has begun lacks what came since */
    sek_memory_save_free(r->save);
    r->save = NULL;
    if (r->closed || !news)
        return;
    save_begin(rt, r, d);
    while (r->save && save_step(rt, r))
        if (monotonic_ms() >= until_ms) {
            sek__runtime_say(rt, true, "%s: writing it takes longer than %d s; it stays as it was",
                             r->path, STOP_MS / 1000);
            save_end(r);
        }
}

void sek__recall_fini(struct sek_recall *r)
{
    sek_memory_close(r->from);
    sek_memory_save_free(r->save);
    *r = (struct sek_recall){0};
}
