/* SPDX-License-Identifier: BSD-3-Clause */
/* What policy says of answers that came from the cache. They cannot be changed any more, and nearly
 * all are of names that no list has, so they are judged behind the ring: no query waits for it, and
 * the memory that one name needs comes while others are looked at. */
#include "runtime/parts.h"
#include <stdlib.h>
#include "base/banned.h"

#define AT_ONCE 16 /* names whose memory is asked for before the first is looked up */

struct sek_review {
    struct sek_runtime *rt;
    struct sek_epoch_slot *slot;
    struct sek_worker *counters;
    struct sek_name names[AT_ONCE];
    struct sek_event hits[SEK_RECORDER_BATCH]; /* in place of those in the ring */
};

/* NULL: the event stands as it is. */
static const struct sek_event *judge(struct sek_review *v, const struct sek_engine *engine,
                                     const struct sek_event *e, const struct sek_name *name,
                                     struct sek_event *hit)
{
    struct sek_verdict verdict;
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
    return hit;
}

static void review_some(struct sek_review *v, const struct sek_engine *engine,
                        const struct sek_event **events, unsigned n, struct sek_event *hits)
{
    bool ask[AT_ONCE];
    for (unsigned i = 0; i < n; i++) {
        const struct sek_event *e = events[i];
        ask[i] = e->unjudged && sek_name_from_wire(e->names, e->name_len, &v->names[i]) == SEK_OK;
        if (ask[i] && engine->policy)
            sek_policy_prefetch(engine->policy, &v->names[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct sek_event *hit =
            ask[i] ? judge(v, engine, events[i], &v->names[i], &hits[i]) : NULL;
        if (hit)
            events[i] = hit;
        if (ask[i])
            sek__count_outcome(v->counters, events[i]);
    }
}

static void review(void *arg, const struct sek_event **events, unsigned n)
{
    struct sek_review *v = arg;
    sek_epoch_enter(&v->rt->epoch, v->slot);
    const struct sek_engine engine = sek__engine_of(v->rt);
    for (unsigned i = 0; i < n; i += AT_ONCE)
        review_some(v, &engine, events + i, n - i < AT_ONCE ? n - i : AT_ONCE, v->hits + i);
    sek_epoch_leave(v->slot);
}

enum sek_err sek__review_start(struct sek_runtime *rt, struct sek_diag *diag)
{
    struct sek_review *v = calloc(1, sizeof *v);
    if (!v)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the judge of cached answers");
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
