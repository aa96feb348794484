/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/parts.h"
#include "base/descriptors.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define TICK_MS 100 /* a changed policy is noticed within this; one stat() pair a tick */

/* After a swap the cache is walked once at once and again on the next ticks: a query that was
 * judged by the old policy and stored its answer between the swap and the first walk's visit of its
 * bin is caught by the second (its own review with the new policy comes after the store). */
#define WALKS_AFTER_SWAP 2

#define CLOCK_JUMP_MS (3600 * 1000) /* wall clock against monotonic clock, told in the log */

int64_t sek_keeper_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sek__runtime_say_line(void *arg, bool trouble, const char *text)
{
    struct sek_runtime *rt = arg;
    if (rt->apart)
        sek_tell_put(&rt->tell, trouble, text);
    else if (rt->hooks.say)
        rt->hooks.say(rt->hooks.arg, trouble, text);
}

void sek__runtime_say(struct sek_runtime *rt, bool trouble, const char *fmt, ...)
{
    char line[SEK_TELL_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    sek__runtime_say_line(rt, trouble, line);
}

struct sek_file_mark sek__file_mark(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct sek_file_mark){.there = false};
    return (struct sek_file_mark){
        .there = true, .inode = st.st_ino, .size = st.st_size, .changed = st.st_mtim};
}

static struct sek_file_mark mark_of(const char *dir, const char *file)
{
    char path[SEK_CONF_TEXT_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return sek__file_mark(path);
}

bool sek__file_mark_equal(const struct sek_file_mark *a, const struct sek_file_mark *b)
{
    return a->there == b->there && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Note the policy files as they are now. True if they changed since the last call; *out_delta: of
 * both only the delta did. */
static bool files_changed(struct sek_runtime *rt, bool *out_delta)
{
    struct sek_file_mark image = mark_of(rt->conf.policy.dir, SEK_POLICY_IMAGE);
    struct sek_file_mark delta = mark_of(rt->conf.policy.dir, SEK_POLICY_DELTA);
    bool same_image = sek__file_mark_equal(&image, &rt->image_mark);
    *out_delta = same_image && !sek__file_mark_equal(&delta, &rt->delta_mark);
    rt->image_mark = image;
    rt->delta_mark = delta;
    return !same_image || *out_delta;
}

void sek_runtime_at_work(struct sek_runtime *rt)
{
    atomic_store_explicit(&rt->page->heartbeat_ms, sek_keeper_now_ms(), memory_order_relaxed);
}

static void walk_cache(struct sek_runtime *rt)
{
    if (!rt->hooks.purge)
        return;
    uint64_t removed = rt->hooks.purge(rt->hooks.arg, rt);
    atomic_fetch_add_explicit(&rt->page->last_purged, removed, memory_order_relaxed);
    atomic_fetch_add_explicit(&rt->page->counter[SEK_COUNTER_PURGED], removed,
                              memory_order_relaxed);
}

void sek__keeper_settle(struct sek_runtime *rt, bool walk)
{
    sek_epoch_wait(&rt->epoch);
    if (!walk)
        return;
    walk_cache(rt);
    rt->walks_due = WALKS_AFTER_SWAP;
    atomic_store_explicit(&rt->settled_ms, sek_keeper_now_ms(), memory_order_relaxed);
}

/* What of the policy in force has no effect, and why. */
static void notes_make(const struct sek_runtime *rt, const struct sek_policy *policy, char *out,
                       size_t size)
{
    const struct sek_image_places *places = sek_policy_places(policy);
    const char *set = NULL;
    if (places && places->n_asn && !sek_geo_has_asn(rt->geo))
        set = "geo.asn";
    else if (places && places->n_country && !sek_geo_has_asn(rt->geo) &&
             !sek_geo_has_country(rt->geo))
        set = "geo.country";
    snprintf(out, size, "%s", sek_policy_trouble(policy));
    if (!*out && set)
        snprintf(out, size, "rules %s have no effect: no database could be read (setting %s)",
                 strcmp(set, "geo.asn") == 0 ? "asn:…" : "country:…", set);
}

/* Tell it when it changes. */
static void notes_tell(struct sek_runtime *rt)
{
    const struct sek_policy *policy = atomic_load(&rt->policy);
    char now[sizeof rt->notes];
    if (!policy || atomic_load(&rt->page->policy_state) != SEK_PART_OK)
        return;
    notes_make(rt, policy, now, sizeof now);
    if (strcmp(now, rt->notes) == 0)
        return;
    snprintf(rt->notes, sizeof rt->notes, "%s", now);
    sek_status_set_text(rt->page, rt->page->policy_text, now);
    if (*now)
        sek__runtime_say(rt, true, "%s", now);
}

static void policy_in_force(struct sek_runtime *rt, struct sek_policy *fresh)
{
    uint64_t generation = sek_policy_generation(fresh);
    unsigned n_lists;
    const struct sek_list *lists = sek_policy_lists(fresh, &n_lists);
    /* the slots' threads, and this one */
    sek_policy_threads(fresh, sek__observer_of(rt) + 2, NULL);
    if (rt->recorder)
        sek_recorder_lists(rt->recorder, lists, n_lists);
    atomic_store(&rt->page->generation, generation);
    atomic_store(&rt->page->n_names, sek_policy_n_names(fresh));
    atomic_store(&rt->page->n_lists, n_lists);
    atomic_store(&rt->page->last_purged, 0);

    /* what the new one wants to know is asked before anybody can see it, and what only the old one
     * wanted until nobody can */
    unsigned looks = sek_engine_looks(
        &(struct sek_engine){.policy = fresh, .rebinding = rt->conf.rebinding.mode});
    atomic_fetch_or(&rt->looks, looks);
    struct sek_policy *old = atomic_exchange(&rt->policy, fresh);
    sek__keeper_settle(rt, true);
    atomic_store(&rt->looks, looks);
    sek_policy_close(old);

    bool recovered = atomic_load(&rt->page->policy_state) != SEK_PART_OK;
    rt->notes[0] = '\0';
    sek_status_set_text(rt->page, rt->page->policy_text, "");
    atomic_store(&rt->page->policy_state, SEK_PART_OK);
    notes_tell(rt);
    atomic_fetch_add(&rt->page->counter[SEK_COUNTER_RELOADS], 1);
    atomic_store(&rt->page->in_force_ms, sek_keeper_now_ms());
    atomic_store_explicit(&rt->page->in_force, generation, memory_order_release);
    if (recovered)
        sek__runtime_say(rt, false,
                         "policy generation %" PRIu64 " in force: %" PRIu64 " names in %u lists",
                         generation, sek_policy_n_names(fresh), n_lists);
}

/* What time may mend without a change of the files: memory, descriptors, rights. */
static bool may_pass(enum sek_err err)
{
    return err != SEK_E_CORRUPT && err != SEK_E_VERSION && err != SEK_E_NOTFOUND;
}

/* Nothing is in force yet and the files are damaged: what was in force before them, if that was
 * kept. A policy that somebody removed is meant to be none. */
static void policy_fall_back(struct sek_runtime *rt)
{
    struct sek_policy *kept = NULL;
    if (sek_policy_open_previous(rt->conf.policy.dir, &kept, NULL) == SEK_OK)
        policy_in_force(rt, kept);
}

static void policy_refused(struct sek_runtime *rt, const struct sek_diag *diag)
{
    if (may_pass(diag->code)) {
        rt->image_mark.inode = 0; /* the next tick tries again */
        if (strncmp(rt->page->policy_text, diag->text, sizeof rt->page->policy_text - 1) == 0)
            return; /* the same trouble, told already */
    }
    if (diag->code != SEK_E_NOTFOUND && !atomic_load(&rt->policy))
        policy_fall_back(rt);
    const struct sek_policy *old = atomic_load(&rt->policy);
    enum sek_part_state state =
        diag->code == SEK_E_NOTFOUND && !old ? SEK_PART_ABSENT : SEK_PART_FAILED;
    char goes_on[80];
    if (old)
        snprintf(goes_on, sizeof goes_on, "the previous policy goes on (generation %" PRIu64 ")",
                 sek_policy_generation(old));
    else
        snprintf(goes_on, sizeof goes_on, "every %s",
                 rt->conf.policy.strict ? "query gets SERVFAIL (policy.strict)"
                                        : "name resolves unfiltered");
    sek__runtime_say(rt, true, "%s; %s until `sekisho list publish` or an import mends it",
                     diag->text, goes_on);
    sek_status_set_text(rt->page, rt->page->policy_text, diag->text);
    atomic_store(&rt->page->policy_state, (uint32_t)state);
    if (state == SEK_PART_FAILED)
        atomic_fetch_add(&rt->page->counter[SEK_COUNTER_POLICY_ERRORS], 1);
}

/* Shared where the status page is: that folder is the resolver's own. over: the image's file is as
 * it was; it need not be read again if the policy in force was made of it. */
static enum sek_err policy_open(const struct sek_runtime *rt, bool over, struct sek_policy **out,
                                struct sek_diag *diag)
{
    char share[SEK_CONF_TEXT_MAX];
    const struct sek_policy *old = atomic_load(&rt->policy);
    if (over && old && atomic_load(&rt->page->policy_state) == SEK_PART_OK &&
        sek_policy_open_over(old, rt->conf.policy.dir, out, NULL) == SEK_OK)
        return SEK_OK;
    const char *page = rt->conf.status.path, *slash = strrchr(page, '/');
    if (!rt->page_is_file || !slash || slash == page)
        return sek_policy_open(rt->conf.policy.dir, out, diag);
    snprintf(share, sizeof share, "%.*s", (int)(slash - page), page);
    return sek_policy_open_shared(rt->conf.policy.dir, share, out, diag);
}

static void policy_load(struct sek_runtime *rt, bool over)
{
    struct sek_policy *fresh = NULL;
    struct sek_diag diag = {0};
    if (policy_open(rt, over, &fresh, &diag) == SEK_OK)
        policy_in_force(rt, fresh);
    else
        policy_refused(rt, &diag);
}

/* An exception that ended, or a block that began, leaves real answers of a blocked name in the
 * cache. */
static bool something_changed(struct sek_runtime *rt, int64_t now_s)
{
    const struct sek_policy *policy = atomic_load(&rt->policy);
    int64_t next = policy ? sek_policy_next_change(policy, rt->expiry_checked_s) : 0;
    rt->expiry_checked_s = now_s;
    return next != 0 && next <= now_s;
}

static void counters_publish(struct sek_runtime *rt)
{
    for (int c = 0; c <= SEK_COUNTER_LEAKED; c++) {
        uint64_t sum = 0;
        for (unsigned w = 0; w <= sek__collector_of(rt); w++)
            sum += atomic_load_explicit(&rt->workers[w].counter[c], memory_order_relaxed);
        atomic_store_explicit(&rt->page->counter[c], sum, memory_order_relaxed);
    }
}

static void clock_check(struct sek_runtime *rt, int64_t now_ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    int64_t offset = now_ms - ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
    int64_t jump = offset - rt->clock_offset_ms;
    if (rt->clock_offset_ms && (jump > CLOCK_JUMP_MS || jump < -CLOCK_JUMP_MS))
        sek__runtime_say(
            rt, true, "the clock jumped by %" PRId64 " s: life times of rules follow the new time",
            jump / 1000);
    rt->clock_offset_ms = offset;
}

static void tick(struct sek_runtime *rt)
{
    int64_t now_ms = sek_keeper_now_ms();
    bool over;
    if (files_changed(rt, &over))
        policy_load(rt, over);
    sek__detectors_tick(rt);
    if (!rt->observer)
        sek__geo_tick(rt);
    notes_tell(rt);
    bool leaked = atomic_exchange(&rt->leaked, false);
    /* once more after an end: a worker's clock may lag behind ours */
    if (something_changed(rt, now_ms / 1000))
        rt->walks_due = WALKS_AFTER_SWAP;
    if (leaked || rt->walks_due)
        walk_cache(rt);
    if (rt->walks_due) {
        rt->walks_due--;
        atomic_store_explicit(&rt->settled_ms, sek_keeper_now_ms(), memory_order_relaxed);
    }
    atomic_store_explicit(&rt->walked_s, now_ms / 1000, memory_order_relaxed);
    clock_check(rt, now_ms);
    counters_publish(rt);
    sek_runtime_at_work(rt);
}

/* Until it is stopped. */
static void tick_on(struct sek_runtime *rt)
{
    pthread_mutex_lock(&rt->lock);
    while (!rt->stop) {
        pthread_mutex_unlock(&rt->lock);
        tick(rt);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until = sek__later(until, TICK_MS);
        pthread_mutex_lock(&rt->lock);
        while (!rt->stop && pthread_cond_timedwait(&rt->wake, &rt->lock, &until) != ETIMEDOUT)
            ;
    }
    pthread_mutex_unlock(&rt->lock);
    counters_publish(rt);
}

static void *keeper_main(void *arg)
{
    struct sek_runtime *rt = arg;
    pthread_setname_np(pthread_self(), "sek-keeper");
    rt->apart = rt->hooks.own_descriptors && sek_descriptors_own();
    enum sek_err err = rt->begun_err = sek__parts_start(rt, rt->diag);
    sem_post(&rt->begun);
    if (err == SEK_OK)
        tick_on(rt);
    sek__parts_stop(rt);
    return NULL;
}

void sek_keeper_first(struct sek_runtime *rt)
{
    rt->expiry_checked_s = sek_keeper_now_ms() / 1000;
    bool over;
    files_changed(rt, &over);
    policy_load(rt, false);
    if (!atomic_load(&rt->policy) && rt->conf.policy.strict)
        walk_cache(rt); /* what a kept cache holds may not be served either */
}

static void waits_fini(struct sek_runtime *rt)
{
    sem_destroy(&rt->begun);
    pthread_cond_destroy(&rt->wake);
    pthread_mutex_destroy(&rt->lock);
}

enum sek_err sek_keeper_start(struct sek_runtime *rt, struct sek_diag *diag)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&rt->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&rt->lock, NULL);
    sem_init(&rt->begun, 0, 0);
    rt->diag = diag;

    sigset_t all, before; /* signals belong to the host's threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&rt->thread, NULL, keeper_main, rt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        waits_fini(rt);
        return sek_diag_set(diag, sek_err_from_errno(rc), "keeper thread: %s", strerror(rc));
    }
    rt->thread_runs = true;
    while (sem_wait(&rt->begun) != 0)
        ; /* a signal */
    return rt->begun_err;
}

void sek_keeper_stop(struct sek_runtime *rt)
{
    if (!rt->thread_runs)
        return;
    pthread_mutex_lock(&rt->lock);
    rt->stop = true;
    pthread_cond_signal(&rt->wake);
    pthread_mutex_unlock(&rt->lock);
    pthread_join(rt->thread, NULL);
    rt->thread_runs = false;
    waits_fini(rt);
}
