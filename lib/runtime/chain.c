/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/chain.h"
#include "base/banned.h"

static void start(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker, int64_t now_s)
{
    chain->rt = rt;
    chain->worker = worker;
    chain->now_s = now_s;
    chain->by_alias = false;
}

enum sek_judgement sek_chain_begin(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_name *question, int64_t now_s)
{
    start(chain, rt, worker, now_s);
    sek_worker_decide(rt, worker, question, SEK_TRIGGER_QNAME, now_s, &chain->verdict);
    return sek_judgement_of(&chain->verdict);
}

enum sek_judgement sek_chain_again(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_name *question, int64_t now_s,
                                   struct sek_judged *judged)
{
    start(chain, rt, worker, now_s);
    sek_worker_decide_once(rt, worker, question, now_s, judged);
    chain->verdict = judged->verdict;
    return sek_judgement_of(&chain->verdict);
}

bool sek_chain_next(void *arg, const struct sek_name *name)
{
    struct sek_chain *chain = arg;
    struct sek_verdict v;
    sek_worker_decide(chain->rt, chain->worker, name, SEK_TRIGGER_CNAME, chain->now_s, &v);
    bool blocks = sek_action_blocks(v.action);
    if (blocks || (sek_verdict_is_hit(&v) && chain->verdict.trigger == SEK_TRIGGER_NONE)) {
        chain->verdict = v;
        chain->by_alias = true;
        chain->matched = *name;
    }
    return !blocks;
}
