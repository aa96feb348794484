/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "observe/domains_conf.h"
#include "observe/intake.h"
#include "runtime/counts.h"
#include "runtime/parts.h"
#include "watch/scene.h"
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define SYNC_MS 1000
#define PAUSE_MS 50             /* a series of names is looked at within this */
#define RING_OCTETS (1ul << 20) /* 10,000 events and more: 200,000 a second of interest */
#define BATCH 64

struct sek_observer {
    struct sek_runtime *rt;
    struct sek_ring *ring;    /* from the collector, who must not wait for a disk or for us */
    struct sek_counts counts; /* likewise */
    pthread_t thread;
    bool runs;
    sem_t stop; /* posted once, to end the thread */
    struct sek_scene *scene;
    struct sek_domains *domains; /* as in the runtime; NULL: none */
    int64_t synced_ms;
    bool sync_failing;
    struct sek_intake intake;
    struct sek_dismissals dismissals;
};

/* --- what comes of it --------------------------------------------------------------------------
 */

static void on_finding(void *arg, const struct sek_finding *f, bool may_block)
{
    struct sek_observer *o = arg;
    (void)may_block;
    sek_recorder_finding(o->rt->recorder, f);
}

static void on_first(void *arg, const struct sek_event *e)
{
    struct sek_observer *o = arg;
    sek_recorder_first(o->rt->recorder, e);
}

/* For the keeper to take. */
static void on_blocked(void *arg, struct sek_dynamic *set)
{
    struct sek_observer *o = arg;
    sek_dynamic_free(atomic_exchange(&o->rt->fresh_dynamic, set));
}

static void on_line(void *arg, const char *line)
{
    struct sek_observer *o = arg;
    sek__runtime_say(o->rt, false, "%s", line);
}

/* --- the collector's side ----------------------------------------------------------------------
 */

static void pass_on(struct sek_observer *o, const struct sek_event *e,
                    const struct sek_tally_note *note, bool repeat)
{
    struct sek_event copy;
    memcpy(&copy, e, e->size);
    copy.domain_labels = note->domain_labels;
    copy.repeat = repeat;
    sek_ring_push(o->ring, &copy);
}

static void see(void *arg, const struct sek_event *const *events,
                const struct sek_tally_note *notes, unsigned n)
{
    struct sek_observer *o = arg;
    for (unsigned i = 0; i < n; i++) {
        enum sek_scene_want want = sek_scene_wants(o->scene, events[i], &notes[i]);
        if (want != SEK_SCENE_NO)
            pass_on(o, events[i], &notes[i], want == SEK_SCENE_REPEAT);
    }
}

static void taken(void *arg, const struct sek_tally_batch *batch)
{
    struct sek_observer *o = arg;
    sek_counts_put(&o->counts, batch);
}

/* --- the observer's thread ---------------------------------------------------------------------
 */

static void count(void *arg, const struct sek_tally_traffic *row)
{
    struct sek_observer *o = arg;
    sek_scene_count(o->scene, row);
}

static void look_at_all(struct sek_observer *o)
{
    struct sek_epoch_slot *slot = &o->rt->slots[sek__observer_of(o->rt)];
    const struct sek_event *events[BATCH];
    unsigned n;
    while ((n = sek_ring_peek(o->ring, events, BATCH)) > 0) {
        sek_epoch_enter(&o->rt->epoch, slot);
        const struct sek_detect *d = atomic_load(&o->rt->detect);
        for (unsigned i = 0; i < n; i++)
            sek_scene_see(o->scene, events[i], d ? d->classify : NULL);
        sek_epoch_leave(slot);
        sek_ring_pop(o->ring);
    }
    sek_counts_take(&o->counts, count, o);
    atomic_store_explicit(&o->rt->page->counter[SEK_COUNTER_UNOBSERVED],
                          sek_ring_dropped(o->ring) + atomic_load(&o->counts.lost),
                          memory_order_relaxed);
}

/* For everybody: the history is there. */
static void publish(struct sek_observer *o)
{
    atomic_store(&o->rt->domains, o->domains);
    sek_scene_history(o->scene, o->domains);
}

static void open_domains(struct sek_observer *o)
{
    char aside[SEK_DOMAINS_ASIDE_MAX] = "", path[SEK_CONF_PATH_MAX];
    struct sek_runtime *rt = o->rt;
    struct sek_diag why = {0};
    struct sek_domains_conf conf = sek_domains_conf_from(&rt->conf, rt->suffix, path);
    enum sek_err err =
        sek_domains_open(&conf, sek_keeper_now_ms() / 1000, &o->domains, aside, &why);
    if (err != SEK_OK) {
        sek__runtime_say(rt, true, "%s; the history of domains begins anew, in memory only",
                         why.text);
        sek_status_set_text(rt->page, rt->page->domains_text, why.text);
        conf.path = NULL;
        if (sek_domains_open(&conf, sek_keeper_now_ms() / 1000, &o->domains, aside, NULL))
            o->domains = NULL;
    } else if (aside[0]) {
        sek__runtime_say(rt, true, "damaged history of domains put aside as %s", aside);
    }
    publish(o);
    atomic_store(&rt->page->domains_state, err == SEK_OK ? SEK_PART_OK : SEK_PART_FAILED);
}

static void sync_domains(struct sek_observer *o, int64_t now_ms)
{
    struct sek_diag why = {0};
    if (!o->domains || llabs(now_ms - o->synced_ms) < SYNC_MS)
        return;
    o->synced_ms = now_ms;
    bool failed = sek_domains_sync(o->domains, now_ms / 1000, &why) != SEK_OK;
    if (failed == o->sync_failing)
        return;
    o->sync_failing = failed;
    sek_status_set_text(o->rt->page, o->rt->page->domains_text, why.text);
    atomic_store(&o->rt->page->domains_state, failed ? SEK_PART_FAILED : SEK_PART_OK);
    sek__runtime_say(o->rt, failed,
                     failed ? "the history of domains stays in memory: %s"
                            : "the history of domains is stored again%s",
                     why.text);
}

/* A part of what `nod import` wants taken over. */
static void take_import(struct sek_observer *o, int64_t now_s)
{
    struct sek_intake *in = &o->intake;
    struct sek_diag why = {0};
    char since[24];
    int done = o->domains ? sek_intake_step(in, o->domains, now_s, &why) : 0;
    if (done < 0)
        sek__runtime_say(o->rt, true, "import of domains: %s", why.text);
    if (done > 0)
        sek__runtime_say(o->rt, in->n_bad + in->n_overflow > 0,
                         "import of domains: %" PRIu64 " taken over, %" PRIu64
                         " without room, %" PRIu64 " bad lines; the history begins %s",
                         in->n, in->n_overflow, in->n_bad,
                         sek_time_to_text(sek_domains_since_s(o->domains), since, sizeof since));
}

static void take_dismissals(struct sek_observer *o, int64_t now_ms)
{
    unsigned *n_rows;
    if (!sek__dismissals_watch(o->rt, &o->dismissals, now_ms))
        return;
    struct sek_dynamic_row *rows = sek_scene_blocks(o->scene, &n_rows);
    sek__dismissals_apply(o->rt, &o->dismissals, rows, n_rows, now_ms / 1000);
    sek_scene_publish(o->scene);
}

/* Waits. */
static bool is_time_to_stop(struct sek_observer *o)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PAUSE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (sem_clockwait(&o->stop, CLOCK_MONOTONIC, &until) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

static void *observe(void *arg)
{
    struct sek_observer *o = arg;
    pthread_setname_np(pthread_self(), "sek-observe");
    open_domains(o);
    do {
        sek__geo_tick(o->rt);
        look_at_all(o);
        sync_domains(o, sek_keeper_now_ms());
        take_import(o, sek_keeper_now_ms() / 1000);
        take_dismissals(o, sek_keeper_now_ms());
    } while (!is_time_to_stop(o));
    look_at_all(o);
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------
 */

/* Signals belong to the host's threads. */
static enum sek_err thread_start(struct sek_observer *o, struct sek_diag *diag)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&o->thread, NULL, observe, o);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return sek_diag_set(diag, sek_err_from_errno(rc), "observer thread: %s", strerror(rc));
    o->runs = true;
    return SEK_OK;
}

enum sek_err sek__observer_start(struct sek_runtime *rt, const struct sek_dynamic *blocked,
                                 struct sek_diag *diag)
{
    char store[SEK_CONF_PATH_MAX];
    struct sek_observer *o = calloc(1, sizeof *o);
    if (!o)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the detectors");
    const struct sek_scene_site site = {.conf = &rt->conf,
                                        .never = rt->never,
                                        .blocked = blocked,
                                        .geo = rt->geo,
                                        .dismissed = &o->dismissals.set,
                                        .full_s = &rt->domains_full_s,
                                        .key = sek_hash_key_random()};
    const struct sek_scene_hooks on = {
        .arg = o, .finding = on_finding, .first = on_first, .blocked = on_blocked, .say = on_line};
    o->rt = rt;
    sek__dismissals_watch(rt, &o->dismissals, 0); /* before the first finding */
    sem_init(&o->stop, 0, 0);
    sek_intake_init(&o->intake, sek_conf_domains_file(&rt->conf, store));
    enum sek_err err = sek_scene_new(&site, &on, &o->scene, diag);
    if (err == SEK_OK && sek_ring_new(RING_OCTETS, &o->ring) != SEK_OK)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the detectors");
    if (err == SEK_OK)
        err = thread_start(o, diag);
    if (err != SEK_OK) {
        sek__observer_free(o);
        return err;
    }
    rt->observer = o;
    const struct sek_recorder_observer hooks = {.arg = o, .see = see, .taken = taken};
    sek_recorder_observe(rt->recorder, &hooks);
    return SEK_OK;
}

void sek__observer_stop(struct sek_observer *o)
{
    if (!o || !o->runs)
        return;
    sem_post(&o->stop);
    pthread_join(o->thread, NULL);
    o->runs = false;
}

void sek__observer_free(struct sek_observer *o)
{
    if (!o)
        return;
    sem_destroy(&o->stop);
    sek_scene_free(o->scene);
    sek_intake_fini(&o->intake);
    sek_dismissed_fini(&o->dismissals.set);
    sek_ring_free(o->ring);
    sek_counts_fini(&o->counts);
    free(o);
}
