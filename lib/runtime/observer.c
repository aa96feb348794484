/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "observe/domains_conf.h"
#include "observe/intake.h"
#include "runtime/counts.h"
#include "runtime/parts.h"
#include "store/report_responses.h"
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
#define PAUSE_MS 100            /* a series of names is looked at within this */
#define SYNC_WELL_MS 10000      /* a failure's end is told after so long without one */
#define RING_OCTETS (1ul << 20) /* 10,000 events and more: 200,000 a second of interest */
#define BATCH 64
#define RECALLS_SAID 10 /* tries */
/* How long a start waits for the history, from when it begins to be read: that of a million domains
 * is there by then, of which most is read while the policy is loaded. */
#define OPEN_WAIT_MS 60

struct sek_observer {
    struct sek_runtime *rt;
    struct sek_ring *ring;    /* from the collector, who must not wait for a disk or for us */
    struct sek_counts counts; /* likewise */
    pthread_t thread;
    bool runs;
    sem_t stop;            /* posted once, to end the thread */
    sem_t opened;          /* posted once: the history is there, or there is none */
    struct timespec begun; /* monotonic */
    struct sek_scene *scene;
    struct sek_domains *domains; /* as in the runtime; NULL: none */
    int64_t synced_ms;
    bool sync_failing;      /* told, and not yet that it is over */
    int64_t sync_failed_ms; /* last */
    bool recalled;          /* what was written down of tracked names */
    unsigned n_recalls;     /* tries that failed */
    int64_t recall_ms;
    uint64_t n_refused; /* answers of tracked names, told so far */
    struct sek_intake intake;
    struct sek_recall recall;
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

static void on_response(void *arg, const struct sek_response *r)
{
    struct sek_observer *o = arg;
    sek_recorder_response(o->rt->recorder, r);
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

static void counted(void *arg, struct sek_tally_traffic *rows, bool last)
{
    struct sek_observer *o = arg;
    sek_counts_put(&o->counts, rows, last);
}

/* --- the observer's thread ---------------------------------------------------------------------
 */

static void count(void *arg, const struct sek_tally_traffic *row, uint32_t n)
{
    struct sek_observer *o = arg;
    o->recall.news = true;
    sek_scene_count(o->scene, row, n);
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
            sek_scene_see(o->scene, events[i], d ? d->classify : NULL, NULL);
        sek_epoch_leave(slot);
        sek_ring_pop(o->ring);
        o->recall.news = true;
    }
    sek_counts_take(&o->counts, count, o);
    sek_scene_elapse(o->scene, sek_keeper_now_ms());
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

static bool recall_one(void *arg, const struct sek_response *one)
{
    struct sek_observer *o = arg;
    sek_scene_recall(o->scene, one);
    return true;
}

/* What earlier lives wrote down of tracked names. The writer may have to bring the database up to
 * date or mend it first: once a second until it can be read. What came meanwhile was learned. */
static void recall(struct sek_observer *o, int64_t now_ms)
{
    struct sek_report *report = NULL;
    struct sek_diag why = {0};
    const struct sek_conf *conf = &o->rt->conf;
    if (!o->rt->tracked || o->recalled || llabs(now_ms - o->recall_ms) < SYNC_MS)
        return;
    o->recall_ms = now_ms;
    enum sek_err err = sek_report_open(conf->events.db, &report, &why);
    if (!err)
        err = sek_report_responses_latest(report, conf->udr.n_addresses, recall_one, o, &why);
    sek_report_close(report);
    o->recalled = !err || err == SEK_E_NOTFOUND;
    if (!o->recalled && ++o->n_recalls == RECALLS_SAID)
        sek__runtime_say(o->rt, true, "%s; tracked names are learned anew (udr.learn)", why.text);
}

/* Told once: from then on new names are not tracked. */
static void count_refused(struct sek_observer *o)
{
    uint64_t n = sek_scene_refused(o->scene);
    if (n == o->n_refused)
        return;
    if (o->n_refused == 0)
        sek__runtime_say(o->rt, true,
                         "the memory of tracked names is full (udr.addresses, %" PRIu64
                         "): new ones are not tracked",
                         o->rt->conf.udr.n_addresses);
    atomic_fetch_add_explicit(&o->rt->page->counter[SEK_COUNTER_RESPONSES_LOST], n - o->n_refused,
                              memory_order_relaxed);
    o->n_refused = n;
}

static void sync_domains(struct sek_observer *o, int64_t now_ms)
{
    struct sek_diag why = {0};
    if (!o->domains || llabs(now_ms - o->synced_ms) < SYNC_MS)
        return;
    o->synced_ms = now_ms;
    bool failed = sek_domains_sync(o->domains, now_ms / 1000, &why) != SEK_OK;
    sek_status_set_text(o->rt->page, o->rt->page->domains_text, why.text);
    atomic_store(&o->rt->page->domains_state, failed ? SEK_PART_FAILED : SEK_PART_OK);
    if (failed)
        o->sync_failed_ms = now_ms;
    if (failed == o->sync_failing || (!failed && llabs(now_ms - o->sync_failed_ms) < SYNC_WELL_MS))
        return;
    o->sync_failing = failed;
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
    if (!sek__dismissals_watch(o->rt, now_ms))
        return;
    struct sek_dynamic_row *rows = sek_scene_blocks(o->scene, &n_rows);
    sek__dismissals_apply(o->rt, rows, n_rows, now_ms / 1000);
    sek_scene_publish(o->scene);
}

/* Wait for a post until so long after `from`. False: there was none. */
static bool posted_within(sem_t *sem, struct timespec from, long ms)
{
    struct timespec until = sek__later(from, ms);
    while (sem_clockwait(sem, CLOCK_MONOTONIC, &until) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

/* Waits. */
static bool is_time_to_stop(struct sek_observer *o)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return posted_within(&o->stop, now, PAUSE_MS);
}

static void *observe(void *arg)
{
    struct sek_observer *o = arg;
    struct sek_detectors *detectors = sek_scene_detectors(o->scene);
    pthread_setname_np(pthread_self(), "sek-observe");
    open_domains(o);
    sem_post(&o->opened);
    sek__recall_load(o->rt, &o->recall, detectors, &o->stop);
    do {
        recall(o, sek_keeper_now_ms());
        sek__geo_tick(o->rt);
        look_at_all(o);
        count_refused(o);
        sync_domains(o, sek_keeper_now_ms());
        take_import(o, sek_keeper_now_ms() / 1000);
        take_dismissals(o, sek_keeper_now_ms());
        sek__recall_tick(o->rt, &o->recall, detectors);
    } while (!is_time_to_stop(o));
    look_at_all(o);
    sek__recall_end(o->rt, &o->recall, detectors);
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
    sek__recall_open(rt, &o->recall);
    const struct sek_scene_site site = {.conf = &rt->conf,
                                        .never = rt->never,
                                        .blocked = blocked,
                                        .geo = rt->geo,
                                        .dismissed = &rt->dismissals.set,
                                        .full_s = &rt->domains_full_s,
                                        .key = o->recall.key};
    const struct sek_scene_hooks on = {.arg = o,
                                       .finding = on_finding,
                                       .first = on_first,
                                       .response = on_response,
                                       .blocked = on_blocked,
                                       .say = on_line};
    o->rt = rt;
    sem_init(&o->stop, 0, 0);
    sem_init(&o->opened, 0, 0);
    clock_gettime(CLOCK_MONOTONIC, &o->begun);
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
    const struct sek_recorder_observer hooks = {.arg = o, .see = see, .counted = counted};
    sek_recorder_observe(rt->recorder, &hooks);
    return SEK_OK;
}

void sek__observer_await(struct sek_observer *o)
{
    if (o && o->runs)
        posted_within(&o->opened, o->begun, OPEN_WAIT_MS);
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
    sem_destroy(&o->opened);
    sek_scene_free(o->scene);
    sek_intake_fini(&o->intake);
    sek__recall_fini(&o->recall);
    sek_ring_free(o->ring);
    sek_counts_fini(&o->counts);
    free(o);
}
