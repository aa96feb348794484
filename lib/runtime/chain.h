/* SPDX-License-Identifier: BSD-3-Clause */
/* What policy says of a question and of all that its answer carries, judged one after the other:
 * first the question, then owner and target of each CNAME and DNAME record, then addresses, then
 * the zone's servers. What a policy zone blocks an earlier zone may still decide, by what the
 * answer carries at that very name. An exception on the question covers everything; what only
 * records never hides what is further on and blocks. Worker's thread; lives on its stack. */
#pragma once
#include "runtime/runtime.h"

/* What other than the question decided. */
struct sek_matched {
    /* a name on the way, or an owner name of policy/about.h: of a server, or of the rule about: */
    struct sek_name name;
    struct sek_addr address; /* of the answer, or of a server, if has_address */
    bool has_address;
};

struct sek_chain {
    struct sek_runtime *rt;
    unsigned worker;
    struct sek_asking asking;        /* its endpoint is borrowed */
    const struct sek_name *question; /* borrowed */
    int64_t now_s;
    struct sek_verdict verdict; /* what decided so far */
    bool by_other;              /* not the question decided, but `matched` */
    struct sek_matched matched; /* set when by_other */
};

/* Judge the question. Unless this is OPEN it is final, but for a block that waits
 * (sek_verdict_waits): what the answer's addresses and the zone's servers are then judged for.
 * Needs no zeroed memory. */
enum sek_judgement sek_chain_begin(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_asking *asking, const struct sek_name *question,
                                   int64_t now_s);

/* The same for a question whose verdict is remembered (runtime.h). */
enum sek_judgement sek_chain_again(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_asking *asking, const struct sek_name *question,
                                   int64_t now_s, struct sek_judged *judged);

/* Judge the next name. arg: the chain. Returns false when it blocks: no further name is asked. */
bool sek_chain_next(void *arg, const struct sek_name *name);

/* Has nothing more a say? */
bool sek_chain_is_final(const struct sek_chain *chain);
/* The name at which it blocks. */
const struct sek_name *sek_chain_position(const struct sek_chain *chain);

/* False when it is final: for an address of the answer (trigger RESPONSE_IP) or of a server (NSIP),
 * and for the name of a server. To be called if sek_runtime_looks says so. */
bool sek_chain_address(struct sek_chain *chain, enum sek_trigger trigger,
                       const struct sek_addr *addr);
bool sek_chain_server(struct sek_chain *chain, const struct sek_name *server);

/* What other than the question decided, or NULL. Borrowed from the chain. */
static inline const struct sek_matched *sek_chain_matched(const struct sek_chain *chain)
{
    return chain->by_other ? &chain->matched : NULL;
}

/* Make an event, which has its question and nothing behind it, the hit of this verdict. matched:
 * what other than the question decided, or NULL. */
void sek_chain_set_hit(struct sek_runtime *rt, unsigned worker, const struct sek_verdict *verdict,
                       const struct sek_matched *matched, struct sek_event *io);
