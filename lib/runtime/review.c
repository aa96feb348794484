/* SPDX-License-Identifier: BSD-3-Clause */
/* What policy says of answers that came from the cache. They cannot be changed any more, and nearly
 * all are of names that no list has, so they are judged behind the ring: no query waits for it, and
 * the memory that one name needs comes while others are looked at. */
#include "base/hot.h"
#include "runtime/parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define AT_ONCE 16 /* names whose memory is asked for before the first is looked up */
#define BLANK_WAYS 4
#define BLANK_SETS 8192 /* 32,768 names, 256 KiB */

struct sek_review {
    /* Names that policy has nothing to say of, as most cached answers are of few names: keyed
     * hashes of them and of the epoch, in sets, the latest first; 0: free. */
    uint64_t blank[BLANK_SETS * BLANK_WAYS];
    struct sek_runtime *rt;
    struct sek_epoch_slot *slot;
    struct sek_worker *counters;
    struct sek_hash_key key;
    uint64_t epoch; /* multiplied by an odd number, so that all differ in all bits */
    struct sek_name names[AT_ONCE];
    struct sek_event hits[SEK_RECORDER_BATCH]; /* in place of those in the ring */
};

/* NULL: the event stands as it is. */
static const struct sek_event *judge(struct sek_review *v, struct sek_engine *engine,
                                     const struct sek_event *e, const struct sek_name *name,
                                     struct sek_event *hit)
{
    struct sek_verdict verdict;
    engine->asking = (struct sek_asking){.endpoint = &e->endpoint, .qtype = e->qtype};
    sek__decide(v->rt, engine, name, e->time_ms / 1000, SEK_TRIGGER_QNAME, &verdict);
    bool blocks = sek_action_blocks(verdict.action);
    if (!blocks && !sek_verdict_is_hit(&verdict))
        return NULL;
    if (blocks)
        sek__leaked(v->rt, v->counters, &verdict, e->time_ms);
    verdict.action = SEK_ACTION_PASSTHRU; /* it was served */
    memcpy(hit, e, e->size);
    hit->unjudged = false;
    sek_event_set_hit(hit, &verdict);
    struct sek_name pattern;
    if (verdict.pattern && sek_policy_pattern(engine->policy, verdict.pattern, &pattern))
        sek_event_set_matched(hit, NULL, &pattern);
    return hit;
}

static uint64_t *blank_set(struct sek_review *v, uint64_t hash)
{
    return v->blank + hash % BLANK_SETS * BLANK_WAYS;
}

static bool blank_known(struct sek_review *v, uint64_t hash)
{
    const uint64_t *set = blank_set(v, hash);
    for (unsigned way = 0; way < BLANK_WAYS; way++)
        if (set[way] == hash)
            return true;
    return false;
}

static void blank_add(struct sek_review *v, uint64_t hash)
{
    uint64_t *set = blank_set(v, hash);
    memmove(set + 1, set, (BLANK_WAYS - 1) * sizeof *set);
    set[0] = hash;
}

/* hashes: is 0 for those that are judged already, or known to be blank. */
static void sort_out(struct sek_review *v, const struct sek_event *const *events, unsigned n,
                     uint64_t *hashes)
{
    for (unsigned i = 0; i < n; i++) {
        const struct sek_event *e = events[i];
        hashes[i] = e->unjudged ? (sek_hash(&v->key, e->names, e->name_len) ^ v->epoch) | 1 : 0;
        __builtin_prefetch(blank_set(v, hashes[i]));
    }
    for (unsigned i = 0; i < n; i++)
        if (hashes[i] && blank_known(v, hashes[i]))
            hashes[i] = 0;
}

static void review_some(struct sek_review *v, struct sek_engine *engine,
                        const struct sek_event **events, unsigned n, struct sek_event *hits)
{
    uint64_t hashes[AT_ONCE];
    sort_out(v, events, n, hashes);
    for (unsigned i = 0; i < n; i++) {
        const struct sek_event *e = events[i];
        if (hashes[i] && sek_name_from_wire(e->names, e->name_len, &v->names[i]) != SEK_OK)
            hashes[i] = 0;
        if (hashes[i] && engine->policy)
            sek_policy_prefetch(engine->policy, &v->names[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct sek_event *hit = NULL;
        bool unjudged = events[i]->unjudged;
        if (hashes[i] && sek_engine_is_blank(engine, &v->names[i]))
            blank_add(v, hashes[i]);
        else if (hashes[i])
            hit = judge(v, engine, events[i], &v->names[i], &hits[i]);
        if (hit)
            events[i] = hit;
        if (unjudged)
            sek__count_outcome(v->counters, events[i]);
    }
}

/* Those that are to go nowhere are left out. Returns how many stay. */
static unsigned quiet_drop(const struct sek_event **events, unsigned n)
{
    unsigned n_left = 0;
    for (unsigned i = 0; i < n; i++)
        if (!events[i]->quiet)
            events[n_left++] = events[i];
    return n_left;
}

static unsigned review(void *arg, const struct sek_event **events, unsigned n)
{
    struct sek_review *v = arg;
    sek_epoch_enter(&v->rt->epoch, v->slot);
    /* before the engine: what is noted is never of an older policy than the epoch */
    v->epoch = sek_epoch_now(&v->rt->epoch) * SEK_HASH_GOLDEN;
    struct sek_engine engine = sek__engine_of(v->rt);
    for (unsigned i = 0; i < n; i += AT_ONCE)
        review_some(v, &engine, events + i, n - i < AT_ONCE ? n - i : AT_ONCE, v->hits + i);
    sek_epoch_leave(v->slot);
    return quiet_drop(events, n);
}

enum sek_err sek__review_start(struct sek_runtime *rt, struct sek_diag *diag)
{
    struct sek_review *v = sek_hot_alloc(sizeof *v);
    if (!v)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the judge of cached answers");
    v->key = sek_hash_key_random();
    v->rt = rt;
    v->slot = &rt->slots[sek__collector_of(rt)];
    v->counters = &rt->workers[sek__collector_of(rt)];
    rt->review = v;
    const struct sek_recorder_reviewer reviewer = {.arg = v, .review = review};
    sek_recorder_review(rt->recorder, &reviewer);
    return SEK_OK;
}

void sek__review_free(struct sek_review *v)
{
    free(v);
}
