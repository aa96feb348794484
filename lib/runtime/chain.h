/* SPDX-License-Identifier: BSD-3-Clause */
/* What policy says of a question and of the names on the way to its answer, judged one after the
 * other: first the question, then owner and target of each CNAME and DNAME record. An exception on
 * the question covers the whole chain; a name that only records never hides one further on that
 * blocks. Worker's thread; lives on its stack. */
#pragma once
#include "runtime/runtime.h"

struct sek_chain {
    struct sek_runtime *rt;
    unsigned worker;
    int64_t now_s;
    struct sek_verdict verdict; /* what decided so far */
    bool by_alias;              /* a name other than the question decided: `matched` */
    struct sek_name matched;    /* set when by_alias */
};

/* Judge the question. Unless this is OPEN it is final. Needs no zeroed memory. */
enum sek_judgement sek_chain_begin(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_name *question, int64_t now_s);

/* The same for a question whose verdict is remembered (runtime.h). */
enum sek_judgement sek_chain_again(struct sek_chain *chain, struct sek_runtime *rt, unsigned worker,
                                   const struct sek_name *question, int64_t now_s,
                                   struct sek_judged *judged);

/* Judge the next name. arg: the chain. Returns false when it blocks: that is final. */
bool sek_chain_next(void *arg, const struct sek_name *name);

/* The name other than the question that decided, or NULL. Borrowed from the chain. */
static inline const struct sek_name *sek_chain_matched(const struct sek_chain *chain)
{
    return chain->by_alias ? &chain->matched : NULL;
}
