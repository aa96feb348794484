/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/recorder.h"
#include "store/forget.h"
#include "store/health.h"
#include "store/notes.h"
#include "store/pace.h"
#include "store/trust.h"
#include "store/waiting.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define TRAFFIC_MS 5000
#define SHOW_MS 2000 /* a finding by counts is to be seen within five seconds of its queries */
#define RETAIN_MS 60000
#define RETAIN_NEXT_MS 20
#define RETAIN_ROWS 2000
#define WRITER_NICE 5 /* on a shared core the resolver goes first; the tally waits */

struct sek_recorder {
    const struct sek_conf *conf;
    struct sek_ring *const *rings;
    unsigned n_rings;
    struct sek_status_page *status, own_status;
    pid_t pid;
    pthread_t collector, writer;
    struct sek_tally *tally; /* the collector's, then the writer's */
    uint64_t ring_octets;

    struct sek_recorder_reviewer reviewer; /* the collector's; functions are NULL without one */
    struct sek_recorder_observer observer; /* the same */
    struct sek_waiting findings[2];        /* what `found` and `held_found` point to */
    struct sek_notes notes;

    _Atomic int64_t store_ms; /* the last commit took so long */
    pthread_mutex_t lock;     /* guards all from here to `deadline_ms` */
    pthread_cond_t wake_collector, wake_writer;
    struct sek_tally_batch *batch;             /* on its way to the writer */
    struct sek_recorder_reviewer new_reviewer; /* for the collector to take */
    struct sek_recorder_observer new_observer; /* the same */
    struct sek_list *lists;
    unsigned n_lists;
    bool lists_changed;
    struct sek_waiting *found; /* on their way to the writer */
    int64_t found_ms;          /* monotonic: they are to be stored by then */
    bool stop_collector, stop_writer;
    int64_t deadline_ms;

    /* the writer's */
    struct sek_eventsdb *db;
    struct sek_tally_batch *held;   /* being stored */
    struct sek_waiting *held_found; /* the same */
    struct sek_list *db_lists;
    unsigned n_db_lists;
    unsigned n_rows_stored; /* by the last commit */
    struct sek_health health;
    int64_t retain_ms;
    struct sek_forget forget;
    struct sek_trust trust;
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* With the lock held. */
static void wait_until(struct sek_recorder *r, pthread_cond_t *cond, int64_t at_ms)
{
    struct timespec t = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    pthread_cond_timedwait(cond, &r->lock, &t);
}

static void set_counter(struct sek_recorder *r, enum sek_counter c, uint64_t value)
{
    atomic_store_explicit(&r->status->counter[c], value, memory_order_relaxed);
}

static void add_counter(struct sek_recorder *r, enum sek_counter c, uint64_t n)
{
    atomic_fetch_add_explicit(&r->status->counter[c], n, memory_order_relaxed);
}

/* --- collector ---------------------------------------------------------------------------------
 */

/* At most one ring's content, so that a fast producer cannot hold us. Returns the octets. */
static uint64_t drain(struct sek_recorder *r, struct sek_ring *ring)
{
    uint64_t octets = 0;
    const struct sek_event *events[SEK_RECORDER_BATCH];
    struct sek_tally_note notes[SEK_RECORDER_BATCH];
    unsigned n;
    while (octets < r->ring_octets && (n = sek_ring_peek(ring, events, SEK_RECORDER_BATCH)) > 0) {
        for (unsigned i = 0; i < n; i++)
            octets += events[i]->size;
        if (r->reviewer.review)
            n = r->reviewer.review(r->reviewer.arg, events, n);
        sek_tally_add_all(r->tally, events, n, notes);
        unsigned lost = sek_answers_note_all(r->notes.answers, events, notes, n);
        if (lost)
            add_counter(r, SEK_COUNTER_ANSWERS_LOST, lost);
        if (r->observer.see)
            r->observer.see(r->observer.arg, events, notes, n);
        sek_ring_pop(ring);
    }
    return octets;
}

/* Returns the octets of the fullest ring. */
static uint64_t drain_all(struct sek_recorder *r)
{
    uint64_t most = 0, dropped = 0, hits, traffic;
    for (unsigned i = 0; i < r->n_rings; i++) {
        uint64_t octets = drain(r, r->rings[i]);
        most = octets > most ? octets : most;
        dropped += sek_ring_dropped(r->rings[i]);
    }
    sek_tally_lost(r->tally, &hits, &traffic);
    set_counter(r, SEK_COUNTER_RING_DROPPED, dropped);
    set_counter(r, SEK_COUNTER_TALLY_LOST_HITS, hits);
    set_counter(r, SEK_COUNTER_TALLY_LOST, traffic);
    return most;
}

static bool is_half_full(const struct sek_recorder *r)
{
    return sek_tally_octets(r->tally) > r->conf->events.memory_octets / 2;
}

static int64_t flush_pause_ms(struct sek_recorder *r)
{
    int64_t store_ms = atomic_load_explicit(&r->store_ms, memory_order_relaxed);
    return sek_pace_flush_ms((int64_t)r->conf->events.flush_ms, store_ms);
}

static void show(struct sek_recorder *r, bool last)
{
    struct sek_tally_traffic *rows = sek_tally_rows(r->tally);
    if (rows && r->observer.counted)
        r->observer.counted(r->observer.arg, rows, last);
}

/* With the lock held, which is let go meanwhile; nobody else sets r->batch. */
static void take(struct sek_recorder *r, bool traffic)
{
    struct sek_tally_batch *batch = NULL;
    pthread_mutex_unlock(&r->lock);
    if (traffic)
        show(r, true);
    if (sek_tally_take(r->tally, traffic, &batch) != SEK_OK)
        batch = NULL;
    pthread_mutex_lock(&r->lock);
    r->batch = batch;
    if (batch)
        pthread_cond_signal(&r->wake_writer);
}

static void *collect(void *arg)
{
    struct sek_recorder *r = arg;
    int64_t now = monotonic_ms(), last = now, flush = now + flush_pause_ms(r);
    int64_t flush_traffic = now + TRAFFIC_MS, shown = now + SHOW_MS;
    pthread_setname_np(pthread_self(), "sek-collect");
    pthread_mutex_lock(&r->lock);
    while (!r->stop_collector) {
        r->reviewer = r->new_reviewer;
        r->observer = r->new_observer;
        pthread_mutex_unlock(&r->lock);
        uint64_t octets = drain_all(r);
        now = monotonic_ms();
        if (now >= shown) {
            show(r, false);
            shown = now + SHOW_MS;
        }
        pthread_mutex_lock(&r->lock);
        if (now >= flush && !r->batch) {
            bool traffic = now >= flush_traffic || is_half_full(r);
            take(r, traffic);
            flush = now + flush_pause_ms(r);
            flush_traffic = traffic ? now + TRAFFIC_MS : flush_traffic;
        }
        int64_t pause = sek_pace_sleep_ms(r->ring_octets, octets, now - last);
        last = now;
        if (!r->stop_collector)
            wait_until(r, &r->wake_collector, now + pause);
    }
    pthread_mutex_unlock(&r->lock);
    while (drain_all(r) > 0)
        ;
    return NULL;
}

/* --- writer: work ------------------------------------------------------------------------------
 */

static void close_db(struct sek_recorder *r)
{
    sek_eventsdb_close(r->db);
    r->db = NULL;
}

static enum sek_err ensure_open(struct sek_recorder *r, struct sek_diag *diag)
{
    char aside[SEK_ASIDE_MAX];
    if (r->db && sek_eventsdb_is_moved(r->db))
        close_db(r);
    if (r->db)
        return SEK_OK;
    enum sek_err err =
        sek_eventsdb_open(r->conf->events.db, clock_ms(CLOCK_REALTIME) / 1000, &r->db, aside, diag);
    if (err)
        return err;
    sek_answers_forget(r->notes.answers);
    if (aside[0])
        sek_health_aside(&r->health, aside);
    else
        sek_health_opened(&r->health);
    return SEK_OK;
}

static void put_aside(struct sek_recorder *r, struct sek_diag *diag)
{
    char aside[SEK_ASIDE_MAX];
    close_db(r);
    if (sek_eventsdb_put_aside(r->conf->events.db, clock_ms(CLOCK_REALTIME) / 1000, aside, diag) ==
        SEK_OK)
        sek_health_aside(&r->health, aside);
}

static enum sek_err store_batch(struct sek_recorder *r, struct sek_diag *diag)
{
    uint64_t rows = 0;
    enum sek_err err = SEK_OK;
    sek_eventsdb_set_time(r->db, clock_ms(CLOCK_REALTIME));
    if (r->held)
        err = sek_eventsdb_store(r->db, r->held, r->db_lists, r->n_db_lists, &rows, diag);
    if (err)
        return err;
    if (r->held)
        sek_usage_add(r->notes.usage, r->db, r->held);
    sek_tally_batch_free(r->held);
    r->held = NULL;
    add_counter(r, SEK_COUNTER_ROWS, rows);
    r->n_rows_stored = rows < UINT32_MAX / 2 ? (unsigned)rows : UINT32_MAX / 2;
    return SEK_OK;
}

static enum sek_err store_findings(struct sek_recorder *r, struct sek_diag *diag)
{
    struct sek_waiting *f = r->held_found;
    struct sek_findings_stored stored;
    if (f->n == 0)
        return SEK_OK;
    enum sek_err err = sek_eventsdb_store_findings(r->db, f->all, f->n, &stored, diag);
    if (err)
        return err;
    f->n = 0;
    add_counter(r, SEK_COUNTER_FINDINGS, stored.n_new);
    add_counter(r, SEK_COUNTER_FINDINGS_LOST, stored.n_refused);
    return SEK_OK;
}

/* One attempt. */
static void store(struct sek_recorder *r)
{
    struct sek_diag diag = {0};
    int64_t begin = monotonic_ms();
    enum sek_err err = ensure_open(r, &diag);
    if (!err)
        err = store_batch(r, &diag);
    if (!err)
        err = store_findings(r, &diag);
    if (!err)
        err = sek_notes_store(&r->notes, r->db, begin, &diag);
    atomic_store_explicit(&r->store_ms, monotonic_ms() - begin, memory_order_relaxed);
    if (!err) {
        sek_health_stored(&r->health, monotonic_ms());
        return;
    }
    sek_health_failed(&r->health, &diag, monotonic_ms());
    if (!r->db)
        return;
    if (err == SEK_E_CORRUPT)
        put_aside(r, &diag);
    else if (err == SEK_E_FULL)
        sek_eventsdb_checkpoint(r->db, true); /* the log's room may be what is missing */
    else if (err != SEK_E_BUSY)
        close_db(r); /* begin again with new descriptors */
}

static void retain(struct sek_recorder *r, int64_t now)
{
    struct sek_diag diag = {0};
    bool more = false, jumped;
    /* under a flood delete faster than it adds */
    unsigned rows = r->n_rows_stored < RETAIN_ROWS ? RETAIN_ROWS : r->n_rows_stored * 2;
    const struct sek_conf *conf = r->conf;
    uint64_t size = conf->events.size_octets;
    int64_t now_s = sek_trust_now_s(&r->trust, clock_ms(CLOCK_REALTIME), now, &jumped);
    if (jumped)
        sek_health_say(&r->health, true, "the system clock jumped by more than an hour");
    const struct sek_oldest oldest = sek_oldest_of(conf, now_s);
    enum sek_err err = sek_eventsdb_retain(r->db, &oldest, size, rows, &more, &diag);
    if (!err)
        err = sek_notes_retain(r->db, conf, now_s, rows, &diag);
    r->retain_ms = now + (more ? RETAIN_NEXT_MS : RETAIN_MS);
    if (err == SEK_E_CORRUPT) {
        sek_health_failed(&r->health, &diag, monotonic_ms());
        put_aside(r, &diag);
    }
    /* other errors: the next commit meets them, too, and tells */
}

/* With the lock held: sleep until there is work. */
static void wait_for_work(struct sek_recorder *r)
{
    while (!r->stop_writer) {
        int64_t now = monotonic_ms();
        bool may_store = now >= r->health.retry_ms;
        bool found = r->held_found->n || (r->found->n && now >= r->found_ms);
        if (may_store && (r->batch || r->held || found || r->health.failing || !r->db))
            return;
        int64_t next = r->health.retry_ms;
        if (r->db && !r->health.failing)
            next = MIN(MIN(r->retain_ms, r->forget.next_ms), r->health.well_ms);
        if (now >= next)
            return;
        if (may_store && r->found->n)
            next = MIN(next, r->found_ms);
        wait_until(r, &r->wake_writer, next);
    }
}

/* With the lock held. */
static void take_work(struct sek_recorder *r)
{
    if (!r->held) {
        r->held = r->batch;
        r->batch = NULL;
    }
    if (!r->held_found->n) {
        struct sek_waiting *empty = r->held_found;
        r->held_found = r->found;
        r->found = empty;
    }
    if (r->lists_changed) {
        free(r->db_lists);
        r->db_lists = r->lists;
        r->n_db_lists = r->n_lists;
        r->lists = NULL;
        r->lists_changed = false;
    }
}

/* The collector has ended: all that is left, until the deadline. */
static void finish(struct sek_recorder *r)
{
    for (;;) {
        pthread_mutex_lock(&r->lock);
        take_work(r);
        int64_t deadline = r->deadline_ms;
        pthread_mutex_unlock(&r->lock);
        if (!r->held && sek_tally_take(r->tally, true, &r->held) != SEK_OK)
            return;
        if (!r->held && !r->held_found->n && !sek_notes_waiting(&r->notes))
            return;
        store(r);
        int64_t left = deadline - monotonic_ms();
        bool failed = r->held || r->held_found->n || sek_notes_waiting(&r->notes);
        if (failed && left <= 0)
            return;
        if (failed)
            nanosleep(&(struct timespec){.tv_nsec = (left < 50 ? left : 50) * 1000000}, NULL);
    }
}

static void count_unstored(struct sek_recorder *r)
{
    char text[128];
    uint64_t hits = 0, traffic = 0;
    struct sek_tally_batch *rest = NULL;
    sek_tally_take(r->tally, true, &rest);
    struct sek_tally_batch *const all[] = {r->held, r->batch, rest};
    for (unsigned i = 0; i < 3; i++) {
        hits += all[i] ? all[i]->sum_hits : 0;
        traffic += all[i] ? all[i]->sum_traffic : 0;
        sek_tally_batch_free(all[i]);
    }
    r->held = r->batch = NULL;
    unsigned found = r->found->n + r->held_found->n;
    if (hits + traffic + found == 0)
        return;
    add_counter(r, SEK_COUNTER_TALLY_LOST_HITS, hits);
    add_counter(r, SEK_COUNTER_TALLY_LOST, traffic);
    add_counter(r, SEK_COUNTER_FINDINGS_LOST, found);
    snprintf(text, sizeof text, "stopped without a database: %llu hits and %u findings lost",
             (unsigned long long)hits, found);
    sek_health_say(&r->health, true, text);
}

static void *write_out(void *arg)
{
    struct sek_recorder *r = arg;
    pthread_setname_np(pthread_self(), "sek-write");
    /* on Linux `0` is the calling thread alone; being refused does no harm */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WRITER_NICE);
    for (;;) {
        pthread_mutex_lock(&r->lock);
        wait_for_work(r);
        bool stop = r->stop_writer;
        if (!stop)
            take_work(r);
        pthread_mutex_unlock(&r->lock);
        if (stop)
            break;
        int64_t now = monotonic_ms();
        if (now >= r->health.retry_ms &&
            (r->held || r->held_found->n || r->health.failing || !r->db))
            store(r);
        if (r->db && !r->health.failing && now >= r->retain_ms)
            retain(r, now);
        if (r->db && !r->health.failing)
            sek_forget_step(&r->forget, r->db, r->conf->events.db, now);
        sek_health_tell(&r->health, now, false);
    }
    finish(r);
    sek_health_tell(&r->health, monotonic_ms(), true);
    sek_notes_finish(&r->notes, r->db);
    count_unstored(r);
    close_db(r);
    return NULL;
}

/* --- life --------------------------------------------------------------------------------------
 */

static void free_recorder(struct sek_recorder *r)
{
    sek_tally_free(r->tally);
    sek_notes_fini(&r->notes);
    free(r->lists);
    free(r->db_lists);
    pthread_cond_destroy(&r->wake_collector);
    pthread_cond_destroy(&r->wake_writer);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void join(struct sek_recorder *r, pthread_t thread, bool *stop, pthread_cond_t *cond)
{
    pthread_mutex_lock(&r->lock);
    *stop = true;
    pthread_cond_signal(cond);
    pthread_mutex_unlock(&r->lock);
    pthread_join(thread, NULL);
}

/* New threads inherit the mask: none of the resolver's signals may land on ours. */
static int start_threads(struct sek_recorder *r)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&r->collector, NULL, collect, r);
    if (rc == 0) {
        rc = pthread_create(&r->writer, NULL, write_out, r);
        if (rc != 0)
            join(r, r->collector, &r->stop_collector, &r->wake_collector);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

enum sek_err sek_recorder_start(const struct sek_conf *conf, struct sek_ring *const *rings,
                                unsigned n_rings, struct sek_status_page *status,
                                const struct sek_suffix *suffix, sek_say_fn *say, void *arg,
                                struct sek_recorder **out, struct sek_diag *diag)
{
    pthread_condattr_t attr;
    struct sek_recorder *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(diag, SEK_E_NOMEM, "recorder: out of memory");
    int64_t now = monotonic_ms();
    r->conf = conf;
    r->rings = rings;
    r->n_rings = n_rings;
    r->status = status ? status : &r->own_status;
    r->pid = getpid();
    r->ring_octets = conf->events.ring_octets;
    r->found = &r->findings[0];
    r->held_found = &r->findings[1];
    r->retain_ms = now;
    sek_trust_init(&r->trust, clock_ms(CLOCK_REALTIME), now);
    sek_health_init(&r->health, r->status, say, arg, now);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake_collector, &attr);
    pthread_cond_init(&r->wake_writer, &attr);
    pthread_condattr_destroy(&attr);
    enum sek_err err = sek_tally_new(conf->events.memory_octets, suffix, &r->tally);
    if (!err)
        err = sek_notes_init(&r->notes, conf);
    if (err)
        err = sek_diag_set(diag, err, "recorder: out of memory");
    else if (start_threads(r) != 0)
        err = sek_diag_set(diag, SEK_E_LIMIT, "recorder: cannot start a thread");
    if (err) {
        free_recorder(r);
        return err;
    }
    *out = r;
    return SEK_OK;
}

void sek_recorder_review(struct sek_recorder *r, const struct sek_recorder_reviewer *reviewer)
{
    pthread_mutex_lock(&r->lock);
    r->new_reviewer = *reviewer;
    pthread_mutex_unlock(&r->lock);
}

void sek_recorder_observe(struct sek_recorder *r, const struct sek_recorder_observer *observer)
{
    pthread_mutex_lock(&r->lock);
    r->new_observer = *observer;
    pthread_mutex_unlock(&r->lock);
}

void sek_recorder_lists(struct sek_recorder *r, const struct sek_list *lists, unsigned n)
{
    if (r->pid != getpid())
        return;
    struct sek_list *copy = malloc(n ? n * sizeof *copy : 1);
    if (!copy)
        return; /* names of new lists stay unknown until the next policy */
    if (n)
        memcpy(copy, lists, n * sizeof *copy);
    pthread_mutex_lock(&r->lock);
    free(r->lists);
    r->lists = copy;
    r->n_lists = n;
    r->lists_changed = true;
    pthread_mutex_unlock(&r->lock);
}

void sek_recorder_finding(struct sek_recorder *r, const struct sek_finding *f)
{
    if (r->pid != getpid())
        return;
    pthread_mutex_lock(&r->lock);
    bool first = r->found->n == 0;
    bool added = sek_waiting_add(r->found, f);
    if (first) {
        r->found_ms = monotonic_ms() + (int64_t)r->conf->events.flush_ms;
        pthread_cond_signal(&r->wake_writer);
    }
    pthread_mutex_unlock(&r->lock);
    if (!added)
        add_counter(r, SEK_COUNTER_FINDINGS_LOST, 1);
}

void sek_recorder_first(struct sek_recorder *r, const struct sek_event *e)
{
    if (r->pid == getpid() && !sek_firsts_push(r->notes.firsts, e))
        add_counter(r, SEK_COUNTER_FIRSTS_LOST, 1);
}

void sek_recorder_response(struct sek_recorder *r, const struct sek_response *one)
{
    if (r->pid == getpid() && !sek_responses_push(r->notes.responses, one))
        add_counter(r, SEK_COUNTER_RESPONSES_LOST, 1);
}

void sek_recorder_stop(struct sek_recorder *r, unsigned deadline_ms)
{
    if (!r || r->pid != getpid())
        return;
    join(r, r->collector, &r->stop_collector, &r->wake_collector);
    pthread_mutex_lock(&r->lock);
    r->deadline_ms = monotonic_ms() + deadline_ms;
    pthread_mutex_unlock(&r->lock);
    join(r, r->writer, &r->stop_writer, &r->wake_writer);
    free_recorder(r);
}
