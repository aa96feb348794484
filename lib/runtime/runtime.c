/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/parts.h"
#include "verdict/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define STOP_DEADLINE_MS 3000 /* how long a stop waits for a database that is away */

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
        sek__runtime_say(rt, true, "%s; `sekisho status` will see nothing of this resolver",
                         why.text);
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
    sek__runtime_say(rt, true, "%s; traffic is counted by full name", why.text);
    rt->suffix = NULL;
}

enum sek_err sek__parts_start(struct sek_runtime *rt, struct sek_diag *diag)
{
    enum sek_err err = page_new(rt, rt->unbound, diag);
    if (err)
        return err;
    suffix_load(rt);
    err = sek_recorder_start(&rt->conf, rt->rings, rt->n_workers, rt->page, rt->suffix,
                             sek__runtime_say_line, rt, &rt->recorder, diag);
    if (!err)
        err = sek__review_start(rt, diag);
    if (err)
        return err;
    sek__detectors_start(rt);
    sek_keeper_first(rt);
    sek__detectors_ready(rt);
    return SEK_OK;
}

void sek__parts_stop(struct sek_runtime *rt)
{
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
    rt->unbound = unbound;
    rt->n_workers = n_workers ? n_workers : 1;
    rt->looks = sek_engine_looks(&(struct sek_engine){.rebinding = rt->conf.rebinding.mode});
    sek_tell_init(&rt->tell);
    enum sek_err err = workers_new(rt, diag);
    if (err == SEK_OK)
        err = sek_keeper_start(rt, diag);
    sek_runtime_tell(rt);
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
    sek_runtime_tell(rt);
    sek_tell_fini(&rt->tell);
    for (unsigned i = 0; rt->rings && i < rt->n_workers; i++)
        sek_ring_free(rt->rings[i]);
    free(rt->rings);
    free(rt->slots);
    free(rt->workers);
    sek_conf_fini(&rt->conf);
    free(rt);
}

void sek_runtime_tell(struct sek_runtime *rt)
{
    if (sek_tell_waits(&rt->tell))
        sek_tell_all(&rt->tell, rt->hooks.say, rt->hooks.arg);
}

const struct sek_conf *sek_runtime_conf(const struct sek_runtime *rt)
{
    return &rt->conf;
}

struct sek_engine sek__engine_of(struct sek_runtime *rt)
{
    return (struct sek_engine){.policy = atomic_load(&rt->policy),
                               .dynamic = atomic_load(&rt->dynamic),
                               .own = rt->never,
                               .geo = rt->geo,
                               .canary = rt->conf.bypass.canary,
                               .rebinding = rt->conf.rebinding.mode,
                               .rebinding_exclude = rt->rebinding_exclude};
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

void sek_worker_decide(struct sek_runtime *rt, unsigned worker, const struct sek_asking *asking,
                       const struct sek_name *name, enum sek_trigger trigger, int64_t now_s,
                       struct sek_verdict *out)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking = *asking;
    sek__decide(rt, &engine, name, now_s, trigger, out);
    sek_epoch_leave(slot);
}

void sek_worker_decide_address(struct sek_runtime *rt, unsigned worker,
                               const struct sek_asking *asking, const struct sek_name *question,
                               enum sek_trigger trigger, const struct sek_addr *addr, int64_t now_s,
                               struct sek_verdict *out, struct sek_name *out_matched)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking = *asking;
    sek_engine_decide_address(&engine, question, trigger, addr, now_s, out, out_matched, NULL,
                              NULL);
    sek_epoch_leave(slot);
}

void sek_worker_decide_server(struct sek_runtime *rt, unsigned worker,
                              const struct sek_asking *asking, const struct sek_name *question,
                              const struct sek_name *server, int64_t now_s, struct sek_verdict *out,
                              struct sek_name *out_matched)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking = *asking;
    sek_engine_decide_server(&engine, question, server, now_s, out, out_matched, NULL, NULL);
    sek_epoch_leave(slot);
}

bool sek_worker_pattern(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                        struct sek_name *out)
{
    if (verdict->pattern == 0)
        return false;
    struct sek_epoch_slot *slot = &rt->slots[worker];
    sek_epoch_enter(&rt->epoch, slot);
    const struct sek_policy *policy = atomic_load(&rt->policy);
    bool known = policy && sek_policy_generation(policy) == verdict->generation &&
                 sek_policy_pattern(policy, verdict->pattern, out);
    sek_epoch_leave(slot);
    return known;
}

/* The terms of the rule that decided; NULL for none, or when another policy is in force. */
static const struct sek_terms *terms_of(const struct sek_runtime *rt,
                                        const struct sek_verdict *verdict,
                                        const struct sek_termset **out_set)
{
    const struct sek_policy *policy = atomic_load(&rt->policy);
    if (!policy || sek_policy_generation(policy) != verdict->generation)
        return NULL;
    *out_set = verdict->terms_new ? sek_policy_terms(policy) : sek_policy_terms_below(policy);
    return sek_termset_get(*out_set, verdict->terms);
}

const char *sek_worker_ede_text(struct sek_runtime *rt, unsigned worker,
                                const struct sek_verdict *verdict, char out[SEK_TERMS_EDE_TEXT_MAX])
{
    out[0] = '\0';
    if (!verdict->terms)
        return out;
    struct sek_epoch_slot *slot = &rt->slots[worker];
    const struct sek_termset *set;
    sek_epoch_enter(&rt->epoch, slot);
    const struct sek_terms *terms = terms_of(rt, verdict, &set);
    if (terms)
        snprintf(out, SEK_TERMS_EDE_TEXT_MAX, "%s", sek_termset_ede_text(set, terms));
    sek_epoch_leave(slot);
    return out;
}

size_t sek_worker_data(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       uint8_t out[SEK_TERMS_DATA_MAX])
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    const struct sek_termset *set;
    size_t n = 0;
    sek_epoch_enter(&rt->epoch, slot);
    const struct sek_terms *terms = terms_of(rt, verdict, &set);
    const uint8_t *data = terms ? sek_termset_data(set, terms, &n) : NULL;
    if (data)
        memcpy(out, data, n);
    sek_epoch_leave(slot);
    return n;
}

unsigned sek_runtime_looks(const struct sek_runtime *rt)
{
    return atomic_load_explicit(&rt->looks, memory_order_relaxed);
}

bool sek_runtime_has_groups(const struct sek_runtime *rt)
{
    return sek_runtime_looks(rt) & SEK_LOOKS_ENDPOINTS;
}

/* May the verdict differ from the remembered one? epoch: read before the policy, so that the note
 * is never newer than the verdict. */
static bool is_due(struct sek_judged *judged, uint64_t epoch, int64_t now_s)
{
    bool due = judged->epoch != epoch || judged->now_s != now_s;
    judged->epoch = epoch;
    judged->now_s = now_s;
    return due;
}

void sek_worker_decide_once(struct sek_runtime *rt, unsigned worker,
                            const struct sek_asking *asking, const struct sek_name *question,
                            int64_t now_s, struct sek_judged *judged)
{
    if (is_due(judged, sek_epoch_now(&rt->epoch), now_s))
        sek_worker_decide(rt, worker, asking, question, SEK_TRIGGER_QNAME, now_s, &judged->verdict);
}

/* A counter has one writer, so load and store suffice: no locked instruction. */
static void count(struct sek_worker *w, enum sek_counter c)
{
    uint64_t n = atomic_load_explicit(&w->counter[c], memory_order_relaxed);
    atomic_store_explicit(&w->counter[c], n + 1, memory_order_relaxed);
}

void sek_worker_question(struct sek_runtime *rt, unsigned worker, const struct sek_asking *asking,
                         const struct sek_name *question, int64_t now_s, struct sek_judged *judged,
                         struct sek_verdict *out)
{
    struct sek_epoch_slot *slot = &rt->slots[worker];
    struct sek_detect_begun begun;
    bool due = is_due(judged, sek_epoch_now(&rt->epoch), now_s);
    sek_epoch_enter(&rt->epoch, slot);
    const struct sek_detect *detect = atomic_load(&rt->detect);
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking = *asking;
    if (detect)
        sek_detect_begin(detect, question, now_s, &begun);
    if (due)
        sek__decide(rt, &engine, question, now_s, SEK_TRIGGER_QNAME, &judged->verdict);
    *out = judged->verdict;
    if (detect)
        sek_detect_end(detect, rt->workers[worker].memo, question, now_s, &begun, out, NULL);
    sek_epoch_leave(slot);
    if (out->score > SEK_CLASSIFY_NONE)
        count(&rt->workers[worker], SEK_COUNTER_SCORED);
    if (out->trigger == SEK_TRIGGER_CLASSIFIER)
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

bool sek_worker_tracks(const struct sek_runtime *rt, const struct sek_name *name)
{
    return rt->tracked && sek_udr_names_cover(rt->tracked, name);
}

void sek_worker_record(struct sek_runtime *rt, unsigned worker, const struct sek_event *event)
{
    struct sek_worker *w = &rt->workers[worker];
    count(w, SEK_COUNTER_QUERIES);
    if (!event->unjudged)
        sek__count_outcome(w, event);
    if (!event->quiet)
        sek_ring_push(w->ring, event);
    sek_runtime_tell(rt);
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

enum sek_judgement sek_runtime_judge(struct sek_runtime *rt, const struct sek_name *name,
                                     uint16_t qtype, enum sek_trigger trigger)
{
    struct sek_verdict v;
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking.qtype = qtype;
    sek__decide(rt, &engine, name, sek_keeper_now_ms() / 1000, trigger, &v);
    return sek_judgement_of(&v);
}

enum sek_judgement sek_runtime_judge_address(struct sek_runtime *rt,
                                             const struct sek_name *question, uint16_t qtype,
                                             enum sek_trigger trigger, const struct sek_addr *addr)
{
    struct sek_verdict v;
    struct sek_name matched;
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking.qtype = qtype;
    sek_engine_decide_address(&engine, question, trigger, addr, sek_keeper_now_ms() / 1000, &v,
                              &matched, NULL, NULL);
    return sek_action_blocks(v.action) ? SEK_JUDGED_BLOCKED : SEK_JUDGED_OPEN;
}

enum sek_judgement sek_runtime_judge_server(struct sek_runtime *rt, const struct sek_name *question,
                                            uint16_t qtype, const struct sek_name *server)
{
    struct sek_verdict v;
    struct sek_name matched;
    struct sek_engine engine = sek__engine_of(rt);
    engine.asking.qtype = qtype;
    sek_engine_decide_server(&engine, question, server, sek_keeper_now_ms() / 1000, &v, &matched,
                             NULL, NULL);
    return sek_action_blocks(v.action) ? SEK_JUDGED_BLOCKED : SEK_JUDGED_OPEN;
}
