/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/parts.h"
#include "verdict/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define STOP_DEADLINE_MS 3000 /* how long a stop waits for a database that is away */

static void say(struct sek_runtime *rt, bool trouble, const char *text)
{
    if (rt->hooks.say)
        rt->hooks.say(rt->hooks.arg, trouble, text);
}

static enum sek_err workers_new(struct sek_runtime *rt, struct sek_diag *diag)
{
    unsigned n = rt->n_workers, n_counters = n + 1, n_slots = n + 2;
    rt->workers = aligned_alloc(_Alignof(struct sek_worker), n_counters * sizeof *rt->workers);
    rt->slots = aligned_alloc(_Alignof(struct sek_epoch_slot), n_slots * sizeof *rt->slots);
    rt->rings = calloc(n, sizeof(struct sek_ring *));
    if (!rt->workers || !rt->slots || !rt->rings)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for %u workers", n);
    memset(rt->workers, 0, n_counters * sizeof *rt->workers);
    memset(rt->slots, 0, n_slots * sizeof *rt->slots);
    sek_epoch_init(&rt->epoch, rt->slots, n_slots);
    for (unsigned i = 0; i < n; i++) {
        if (sek_ring_new(rt->conf.events.ring_octets, &rt->rings[i]) != SEK_OK)
            return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the event rings");
        rt->workers[i].ring = rt->rings[i];
    }
    return SEK_OK;
}

/* The status page, or a private one where the file cannot be made: counting goes on all the same.
 */
static enum sek_err page_new(struct sek_runtime *rt, const char *unbound, struct sek_diag *diag)
{
    struct sek_diag why = {0};
    if (sek_status_create(rt->conf.status.path, &rt->page, &why) == SEK_OK) {
        rt->page_is_file = true;
    } else {
        char line[600];
        snprintf(line, sizeof line, "%s; `sekisho status` will see nothing of this resolver",
                 why.text);
        say(rt, true, line);
        rt->page = calloc(1, sizeof *rt->page);
        if (!rt->page)
            return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the status page");
    }
    snprintf(rt->page->unbound, sizeof rt->page->unbound, "%s", unbound);
    atomic_store(&rt->page->n_threads, rt->n_workers);
    atomic_store(&rt->page->strict, rt->conf.policy.strict);
    atomic_store(&rt->page->started_ms, sek_keeper_now_ms());
    atomic_store(&rt->page->heartbeat_ms, sek_keeper_now_ms());
    return SEK_OK;
}

static void suffix_load(struct sek_runtime *rt)
{
    struct sek_diag why = {0};
    const char *path = rt->conf.suffix.list[0] ? rt->conf.suffix.list : NULL;
    if (sek_suffix_open(path, &rt->suffix, &why) == SEK_OK)
        return;
    char line[600];
    snprintf(line, sizeof line, "%s; traffic is counted by full name", why.text);
    say(rt, true, line);
    rt->suffix = NULL;
}

enum sek_err sek_runtime_start(struct sek_conf *conf, unsigned n_workers, const char *unbound,
                               const struct sek_runtime_hooks *hooks, struct sek_runtime **out,
                               struct sek_diag *diag)
{
    struct sek_runtime *rt = calloc(1, sizeof *rt);
    if (!rt) {
        sek_conf_fini(conf);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    }
    rt->conf = *conf;
    memset(conf, 0, sizeof *conf);
    rt->hooks = *hooks;
    rt->n_workers = n_workers ? n_workers : 1;

    enum sek_err err = workers_new(rt, diag);
    if (err == SEK_OK)
        err = page_new(rt, unbound, diag);
    if (err == SEK_OK) {
        suffix_load(rt);
        err = sek_recorder_start(&rt->conf, rt->rings, rt->n_workers, rt->page, rt->suffix,
                                 hooks->say, hooks->arg, &rt->recorder, diag);
    }
    if (err == SEK_OK)
        err = sek__review_start(rt, diag);
    if (err == SEK_OK) {
        sek__detectors_start(rt);
        sek_keeper_first(rt);
        err = sek_keeper_start(rt, diag);
    }
    if (err != SEK_OK) {
        sek_runtime_stop(rt);
        return err;
    }
    *out = rt;
    return SEK_OK;
}

void sek_runtime_stop(struct sek_runtime *rt)
{
    if (!rt)
        return;
    sek_keeper_stop(rt);
    sek__observer_stop(rt->observer);
    if (rt->recorder)
        sek_recorder_stop(rt->recorder, STOP_DEADLINE_MS);
    sek__review_free(rt->review);
    sek__detectors_stop(rt);
    sek_policy_close(atomic_load(&rt->policy));
    sek_suffix_close(rt->suffix);
    if (rt->page_is_file)
        sek_status_destroy(rt->conf.status.path, rt->page);
    else
        free(rt->page);
    for (unsigned i = 0; rt->rings && i < rt->n_workers; i++)
        sek_ring_free(rt->rings[i]);
    free(rt->rings);
    free(rt->slots);
    free(rt->workers);
    sek_conf_fini(&rt->conf);
    free(rt);
}

const struct sek_conf *sek_runtime_conf(const struct sek_runtime *rt)
{
    return &rt->conf;
}

struct sek_engine sek__engine_of(struct sek_runtime *rt)
{
    return (struct sek_engine){.policy = atomic_load(&rt->policy),
                               .dynamic = atomic_load(&rt->dynamic),
                               .canary = rt->conf.bypass.canary};
}

void sek__decide(const struct sek_runtime *rt, const struct sek_engine *engine,
                 const struct sek_name *name, int64_t now_s, enum sek_trigger trigger,
                 struct sek_verdict *out)
{
    sek_engine_decide(engine, name, now_s, trigger, out, NULL, NULL);
    if (!engine->policy && rt->conf.policy.strict) {
        out->trigger = SEK_TRIGGER_STRICT;
        out->action = out->would = SEK_ACTION_REFUSED;
    }
}

void sek_worker_decide(struct sek_runtime *rt, unsigned worker, const struct sek_name *name,
                       enum sek_trigger trigger, int64_t now_s, struct sek_verdict *out)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    struct sek_engine engine = sek__engine_of(rt);
    sek__decide(rt, &engine, name, now_s, trigger, out);
    sek_epoch_leave(slot);
}

void sek_worker_decide_once(struct sek_runtime *rt, unsigned worker,
                            const struct sek_name *question, int64_t now_s,
                            struct sek_judged *judged)
{
    uint64_t epoch = sek_epoch_now(&rt->epoch); /* before the verdict: never newer than it */
    if (judged->epoch == epoch && judged->now_s == now_s)
        return;
    judged->epoch = epoch;
    judged->now_s = now_s;
    sek_worker_decide(rt, worker, question, SEK_TRIGGER_QNAME, now_s, &judged->verdict);
}

/* A counter has one writer, so load and store suffice: no locked instruction. */
static void count(struct sek_worker *w, enum sek_counter c)
{
    uint64_t n = atomic_load_explicit(&w->counter[c], memory_order_relaxed);
    atomic_store_explicit(&w->counter[c], n + 1, memory_order_relaxed);
}

void sek_worker_detect(struct sek_runtime *rt, unsigned worker, const struct sek_name *question,
                       int64_t now_s, struct sek_verdict *io)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    const struct sek_detect *detect = atomic_load(&rt->detect);
    if (detect)
        sek_detect_question(detect, rt->workers[worker].memo, question, now_s, io, NULL);
    sek_epoch_leave(slot);
    if (io->score > SEK_CLASSIFY_NONE)
        count(&rt->workers[worker], SEK_COUNTER_SCORED);
    if (io->trigger == SEK_TRIGGER_CLASSIFIER)
        count(&rt->workers[worker], SEK_COUNTER_SUSPECT);
}

void sek__count_outcome(struct sek_worker *w, const struct sek_event *event)
{
    switch ((enum sek_outcome)event->outcome) {
    case SEK_OUTCOME_HIT:
        count(w, SEK_COUNTER_HITS);
        count(w, sek_action_blocks(event->action) ? SEK_COUNTER_BLOCKED : SEK_COUNTER_MONITORED);
        break;
    case SEK_OUTCOME_CACHED:
        count(w, SEK_COUNTER_CACHED);
        break;
    case SEK_OUTCOME_FAILED:
        count(w, SEK_COUNTER_FAILED);
        break;
    case SEK_OUTCOME_LOCAL:
        count(w, SEK_COUNTER_LOCAL);
        break;
    case SEK_OUTCOME_PASSED:
    case SEK_OUTCOME_NXDOMAIN:
        break;
    }
}

void sek_worker_record(struct sek_runtime *rt, unsigned worker, const struct sek_event *event)
{
    struct sek_worker *w = &rt->workers[worker];
    count(w, SEK_COUNTER_QUERIES);
    if (!event->unjudged)
        sek__count_outcome(w, event);
    sek_ring_push(w->ring, event);
}

/* An event is older than its verdict, so it counts only if it came after the last change: the loads
 * stand in the order that makes settled_ms be of the change whose end they saw. */
void sek__leaked(struct sek_runtime *rt, struct sek_worker *w, const struct sek_verdict *verdict,
                 int64_t time_ms)
{
    if (verdict->generation != atomic_load_explicit(&rt->page->in_force, memory_order_acquire) ||
        atomic_load_explicit(&rt->unsettled, memory_order_acquire) ||
        time_ms <= atomic_load_explicit(&rt->settled_ms, memory_order_relaxed) ||
        time_ms / 1000 > atomic_load_explicit(&rt->walked_s, memory_order_relaxed))
        return;
    count(w, SEK_COUNTER_LEAKED);
    atomic_store_explicit(&rt->leaked, true, memory_order_relaxed);
}

void sek_worker_leaked(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       int64_t time_ms)
{
    sek__leaked(rt, &rt->workers[worker], verdict, time_ms);
}

enum sek_judgement sek_judgement_of(const struct sek_verdict *v)
{
    if (sek_action_blocks(v->action))
        return SEK_JUDGED_BLOCKED;
    if (v->trigger == SEK_TRIGGER_QNAME && v->would == SEK_ACTION_PASSTHRU)
        return SEK_JUDGED_EXEMPT;
    return SEK_JUDGED_OPEN;
}

enum sek_judgement sek_runtime_judge(struct sek_runtime *rt, const struct sek_name *name,
                                     enum sek_trigger trigger)
{
    struct sek_verdict v;
    struct sek_engine engine = sek__engine_of(rt);
    sek__decide(rt, &engine, name, sek_keeper_now_ms() / 1000, trigger, &v);
    return sek_judgement_of(&v);
}
