/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/duration.h"
#include "name/special.h"
#include "name/text.h"
#include "observe/intake.h"
#include "runtime/parts.h"
#include "watch/detector.h"
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
#define WATCH_MOST 1000 /* queries of a row that are passed on, so that a flood drowns no other */
#define WATCH_OCTETS_RARE 8
#define WATCH_OCTETS 24 /* left of a domain that many ask for: such names may carry data */

struct sek_observer {
    struct sek_runtime *rt;
    struct sek_ring *ring; /* from the collector, who must not wait for a disk or for us */
    pthread_t thread;
    bool runs;
    sem_t stop; /* posted once, to end the thread */
    struct sek_detectors *detectors;
    int64_t synced_ms;
    bool sync_failing;
    struct sek_intake intake;
    struct sek_dynamic_row *blocked; /* all blocks, room for SEK_DYNAMIC_MAX */
    unsigned n_blocked;
};

/* An event's registered domain. */
struct domain {
    const uint8_t *octets;
    size_t len;
};

static struct domain domain_of(const struct sek_event *e)
{
    const uint8_t *at = sek_name_skip(e->names, e->domain_labels);
    return (struct domain){at, (size_t)(e->name_len - (at - e->names))};
}

/* --- blocks that findings ask for --------------------------------------------------------------
 */

/* Hand a new set to the keeper. Out of memory: the next finding tries again. */
static void blocked_publish(struct sek_observer *o)
{
    struct sek_dynamic *set;
    if (sek_dynamic_new(o->blocked, o->n_blocked, &set) == SEK_OK)
        sek_dynamic_free(atomic_exchange(&o->rt->fresh_dynamic, set));
}

/* Without what has ended, and without this domain. */
static void blocked_drop(struct sek_observer *o, const struct sek_name *domain, int64_t now_s)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < o->n_blocked; i++) {
        const struct sek_dynamic_row *row = &o->blocked[i];
        if (row->until_s > now_s &&
            !sek_name_equal(row->domain, row->len, domain->octets, domain->len))
            o->blocked[kept++] = *row;
    }
    o->n_blocked = kept;
}

static void blocked_add(struct sek_observer *o, const struct sek_name *domain, enum sek_detector by,
                        int64_t until_s, int64_t now_s)
{
    blocked_drop(o, domain, now_s);
    if (o->n_blocked == SEK_DYNAMIC_MAX)
        memmove(o->blocked, o->blocked + 1, --o->n_blocked * sizeof *o->blocked);
    sek_dynamic_row_set(&o->blocked[o->n_blocked++], domain,
                        sek_lookup_name(sek_detector_names, (int)by), until_s);
    blocked_publish(o);
}

/* May the domain that a finding suspects be blocked for everybody? Only what this site has seen
 * little of, and what nobody protects. An exception wins in any case. */
static bool may_block(const struct sek_observer *o, const struct sek_name *domain, int64_t now_s)
{
    const struct sek_runtime *rt = o->rt;
    struct sek_domain_seen seen;
    if (!rt->domains || !rt->never ||
        sek_domains_since_s(rt->domains) > now_s - rt->conf.domains.warm_up_s)
        return false;
    if (sek_domains_find(rt->domains, domain->octets, domain->len, &seen) &&
        seen.endpoints > rt->conf.domains.rare)
        return false;
    return sek_never_check(rt->never, domain, SEK_SCOPE_SUBTREE, SEK_ACTION_SINKHOLE, false,
                           NULL) == SEK_OK;
}

/* --- what detectors say ------------------------------------------------------------------------
 */

static void found(void *arg, const struct sek_sign *s, const struct sek_observation *seen)
{
    struct sek_observer *o = arg;
    struct sek_finding f = s->finding;
    struct sek_name domain;
    int64_t now_s = f.end_ms / 1000;
    char endpoint[SEK_ADDR_TEXT_MAX], text[SEK_NAME_TEXT_MAX] = "";
    (void)seen;
    f.mode = sek_detector_mode(&o->rt->conf, f.detector);
    if (f.domain_len && sek_name_from_wire(f.domain, f.domain_len, &domain) == SEK_OK) {
        sek_name_to_text(f.domain, text);
        if (s->may_block && f.mode == SEK_MODE_BLOCK && may_block(o, &domain, now_s))
            f.blocked_until_s = now_s + sek_detector_lifetime_s(&o->rt->conf, f.detector);
    }
    sek_recorder_finding(o->rt->recorder, &f);
    if (f.blocked_until_s)
        blocked_add(o, &domain, f.detector, f.blocked_until_s, now_s);
    if (s->is_new)
        sek__runtime_say(o->rt, false, "finding %s: endpoint %s %s%s%s%s",
                         sek_lookup_name(sek_detector_names, (int)f.detector),
                         sek_addr_to_text(&f.endpoint, endpoint), s->what,
                         *text ? "; suspected: " : "", text, f.blocked_until_s ? ", blocked" : "");
}

/* --- the collector's side ----------------------------------------------------------------------
 */

/* Of an endpoint's many queries for one domain the first one of a minute counts; names that do not
 * exist count always, for it takes the domain itself to say that the domain does not exist. What
 * a detector holds back is noted, too: so its domain is new for a while only. */
static bool is_of_interest(const struct sek_event *e, const struct sek_tally_note *note)
{
    bool held = e->outcome == SEK_OUTCOME_HIT && sek_trigger_is_detector(e->trigger);
    return (note->first || e->existence == SEK_EXISTENCE_ABSENT) &&
           (e->existence != SEK_EXISTENCE_UNKNOWN || held);
}

static bool is_special(const struct sek_event *e)
{
    struct sek_name name;
    return sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK || sek_name_is_special(&name);
}

/* Does each query of the row matter, not only the first? Where names may carry much data; and, once
 * the history can tell, where few ask for the domain and it is new, or names may carry a little.
 * Asked once a row. */
static bool is_worth_watching(const struct sek_observer *o, const struct sek_event *e,
                              const struct sek_tally_traffic *row)
{
    const struct sek_conf *conf = &o->rt->conf;
    const struct sek_domains *domains = o->rt->domains;
    struct sek_domain_seen seen;
    int64_t now_s = e->time_ms / 1000;
    unsigned octets = (unsigned)(e->name_len - row->domain_len);
    if (is_special(e))
        return false;
    if (octets >= WATCH_OCTETS)
        return true;
    if (!domains || sek_domains_since_s(domains) > now_s - conf->domains.warm_up_s)
        return false;
    if (!sek_domains_find(domains, row->domain, row->domain_len, &seen))
        return true;
    if (conf->fastflux.mode != SEK_MODE_OFF && seen.endpoints <= conf->fastflux.popular &&
        seen.first_s > now_s - conf->fastflux.new_s)
        return true; /* each answer of it */
    return seen.endpoints <= conf->domains.rare &&
           (octets >= WATCH_OCTETS_RARE || seen.first_s > now_s - conf->beacon.new_s);
}

static bool is_flood(const struct sek_tally_traffic *row)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < SEK_N_OUTCOMES; i++)
        n += row->count[i];
    return n > WATCH_MOST;
}

/* Answered, or it failed for want of an answer: the question has left the resolver all the same. */
static bool is_asked(const struct sek_event *e)
{
    return e->outcome != SEK_OUTCOME_LOCAL &&
           (e->outcome != SEK_OUTCOME_HIT || e->existence != SEK_EXISTENCE_UNKNOWN);
}

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
        const struct sek_tally_note *note = &notes[i];
        if (!note->has_domain)
            continue;
        if (note->first && note->row)
            note->row->watch = is_worth_watching(o, events[i], note->row);
        bool interest = is_of_interest(events[i], note);
        if (interest ||
            (note->row && note->row->watch && is_asked(events[i]) && !is_flood(note->row)))
            pass_on(o, events[i], note, !interest);
    }
}

/* --- the observer's thread ---------------------------------------------------------------------
 */

/* True if the history knew the domain: *seen is what it knows of it then. A domain is written
 * down with who asked first for it once it is of interest: it resolved, or it was held back. Names
 * that do not exist are without number. */
static bool note_domain(struct sek_observer *o, const struct sek_event *e,
                        struct sek_domain_seen *seen)
{
    struct domain domain = domain_of(e);
    bool resolved = e->existence == SEK_EXISTENCE_EXISTS;
    bool known = sek_domains_find(o->rt->domains, domain.octets, domain.len, seen);
    if (e->repeat)
        return known;
    enum sek_domains_news news =
        sek_domains_note(o->rt->domains, domain.octets, domain.len, &e->endpoint, e->time_ms / 1000,
                         resolved, known ? seen : NULL);
    bool is_new = news == SEK_DOMAINS_NEW && e->existence != SEK_EXISTENCE_ABSENT;
    if (is_new || news == SEK_DOMAINS_RESOLVED_FIRST)
        sek_recorder_first(o->rt->recorder, e);
    if (news == SEK_DOMAINS_OVERFLOW)
        atomic_store_explicit(&o->rt->domains_full_s, e->time_ms / 1000, memory_order_relaxed);
    return known;
}

static void look_at(struct sek_observer *o, const struct sek_event *e, const struct sek_detect *d)
{
    struct sek_domains *domains = o->rt->domains;
    struct sek_domain_seen seen = {0};
    struct sek_name name;
    /* special-use names, reverse lookups among them, tell nothing about domains */
    if (sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK || sek_name_is_special(&name))
        return;
    bool known = domains && note_domain(o, e, &seen);
    struct sek_observation seen_now = {
        .endpoint = e->endpoint,
        .name = &name,
        .domain_labels = e->domain_labels,
        .qtype = e->qtype,
        .existence = (enum sek_existence)e->existence,
        .cached = e->outcome == SEK_OUTCOME_CACHED,
        .repeat = e->repeat,
        .time_ms = e->time_ms,
        .ttl_s = e->ttl_s,
        .answer_octets = e->answer_octets,
        .addrs = sek_event_addrs(e),
        .n_addrs = e->n_addrs,
        .n_ns_addrs = e->n_ns_addrs,
        .classify = d ? d->classify : NULL,
        .geo = o->rt->geo,
    };
    sek_observation_date(&seen_now, &o->rt->conf, known, &seen,
                         domains ? sek_domains_since_s(domains) : INT64_MAX);
    sek_detectors_see(o->detectors, &seen_now, found, o);
}

static void look_at_all(struct sek_observer *o)
{
    struct sek_epoch_slot *slot = &o->rt->slots[o->rt->n_workers];
    const struct sek_event *events[BATCH];
    unsigned n;
    while ((n = sek_ring_peek(o->ring, events, BATCH)) > 0) {
        sek_epoch_enter(&o->rt->epoch, slot);
        const struct sek_detect *d = atomic_load(&o->rt->detect);
        for (unsigned i = 0; i < n; i++)
            look_at(o, events[i], d);
        sek_epoch_leave(slot);
        sek_ring_pop(o->ring);
    }
    atomic_store_explicit(&o->rt->page->counter[SEK_COUNTER_UNOBSERVED], sek_ring_dropped(o->ring),
                          memory_order_relaxed);
}

static void sync_domains(struct sek_observer *o, int64_t now_ms)
{
    struct sek_diag why = {0};
    if (!o->rt->domains || llabs(now_ms - o->synced_ms) < SYNC_MS)
        return;
    o->synced_ms = now_ms;
    bool failed = sek_domains_sync(o->rt->domains, now_ms / 1000, &why) != SEK_OK;
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
    int done = o->rt->domains ? sek_intake_step(in, o->rt->domains, now_s, &why) : 0;
    if (done < 0)
        sek__runtime_say(o->rt, true, "import of domains: %s", why.text);
    if (done > 0)
        sek__runtime_say(
            o->rt, in->n_bad + in->n_overflow > 0,
            "import of domains: %" PRIu64 " taken over, %" PRIu64 " without room, %" PRIu64
            " bad lines; the history begins %s",
            in->n, in->n_overflow, in->n_bad,
            sek_time_to_text(sek_domains_since_s(o->rt->domains), since, sizeof since));
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
    do {
        sek__geo_tick(o->rt);
        look_at_all(o);
        sync_domains(o, sek_keeper_now_ms());
        take_import(o, sek_keeper_now_ms() / 1000);
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
    struct sek_dynamic_row *rows = calloc(SEK_DYNAMIC_MAX, sizeof *rows);
    if (!o || !rows) {
        free(o);
        free(rows);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the detectors");
    }
    o->rt = rt;
    sem_init(&o->stop, 0, 0);
    sek_intake_init(&o->intake, sek_conf_domains_file(&rt->conf, store));
    o->blocked = rows;
    const struct sek_dynamic_row *old = sek_dynamic_rows(blocked, &o->n_blocked);
    if (old)
        memcpy(rows, old, o->n_blocked * sizeof *rows);
    enum sek_err err = sek_detectors_new(&rt->conf, sek_hash_key_random(), &o->detectors, diag);
    if (err == SEK_OK && sek_ring_new(RING_OCTETS, &o->ring) != SEK_OK)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the detectors");
    if (err == SEK_OK)
        err = thread_start(o, diag);
    if (err != SEK_OK) {
        sek__observer_free(o);
        return err;
    }
    rt->observer = o;
    const struct sek_recorder_observer hooks = {.arg = o, .see = see};
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
    sek_detectors_free(o->detectors);
    sek_intake_fini(&o->intake);
    sek_ring_free(o->ring);
    free(o->blocked);
    free(o);
}
