/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/chain.h"
#include "policy/about.h"
#include "base/banned.h"

static void start(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                  const struct sek_asking *asking, const struct sek_name *question, int64_t now_s)
{
    chain->rt = rt;
    chain->worker = worker;
    chain->asking = *asking;
    chain->question = question;
    chain->now_s = now_s;
    chain->by_other = false;
}

enum sek_judgement sek_chain_begin(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_asking *asking, const struct sek_name *question,
                                   int64_t now_s)
{
    start(chain, rt, worker, asking, question, now_s);
    sek_worker_decide(rt, worker, asking, question, SEK_TRIGGER_QNAME, now_s, &chain->verdict);
    return sek_judgement_of(&chain->verdict);
}

enum sek_judgement sek_chain_again(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_asking *asking, const struct sek_name *question,
                                   int64_t now_s, struct sek_judged *judged)
{
    start(chain, rt, worker, asking, question, now_s);
    sek_worker_decide_once(rt, worker, asking, question, now_s, judged);
    chain->verdict = judged->verdict;
    return sek_judgement_of(&chain->verdict);
}

static void take(struct sek_chain *chain, const struct sek_verdict *v,
                 const struct sek_name *matched, const struct sek_addr *address)
{
    if (!sek_verdict_takes_over(v, &chain->verdict))
        return;
    chain->verdict = *v;
    chain->by_other = true;
    chain->matched.name = *matched;
    chain->matched.has_address = address != NULL;
    if (address)
        chain->matched.address = *address;
}

bool sek_chain_is_final(const struct sek_chain *chain)
{
    return sek_verdict_is_settled(&chain->verdict);
}

const struct sek_name *sek_chain_position(const struct sek_chain *chain)
{
    return chain->by_other ? &chain->matched.name : chain->question;
}

bool sek_chain_next(void *arg, const struct sek_name *name)
{
    struct sek_chain *chain = arg;
    struct sek_verdict v;
    sek_worker_decide(chain->rt, chain->worker, &chain->asking, name, SEK_TRIGGER_CNAME,
                      chain->now_s, &v);
    take(chain, &v, name, NULL);
    return !sek_action_blocks(chain->verdict.action);
}

bool sek_chain_address(struct sek_chain *chain, enum sek_trigger trigger,
                       const struct sek_addr *addr)
{
    struct sek_verdict v;
    struct sek_name matched;
    sek_worker_decide_address(chain->rt, chain->worker, &chain->asking, chain->question, trigger,
                              addr, chain->now_s, &v, &matched);
    take(chain, &v, &matched, addr);
    return !sek_chain_is_final(chain);
}

bool sek_chain_server(struct sek_chain *chain, const struct sek_name *server)
{
    struct sek_verdict v;
    struct sek_name matched;
    sek_worker_decide_server(chain->rt, chain->worker, &chain->asking, chain->question, server,
                             chain->now_s, &v, &matched);
    take(chain, &v, &matched, NULL);
    return !sek_chain_is_final(chain);
}

void sek_chain_set_hit(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       const struct sek_matched *matched, struct sek_event *io)
{
    const struct sek_name *met = matched ? &matched->name : NULL;
    struct sek_name owner, address;
    sek_event_set_hit(io, verdict);
    if (sek_worker_pattern(rt, worker, verdict, &owner)) {
        sek_event_set_matched(io, met, &owner);
    } else if (matched && matched->has_address) {
        const struct sek_net net = {.addr = matched->address, .bits = 128};
        bool server = verdict->trigger == SEK_TRIGGER_NSIP;
        sek_about_from_net(server ? SEK_ABOUT_NSIP : SEK_ABOUT_RESPONSE_IP, &net, &address);
        sek_event_set_matched(io, &address, met);
    } else if (matched) {
        sek_event_set_matched(io, met, NULL);
    }
}
