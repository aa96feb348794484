/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/memo.h"
#include "classify/classify_parts.h"
#include <stdlib.h>
#include "base/banned.h"

#define PLACES 8192 /* a power of two */

struct place {
    uint64_t tag; /* 0: free */
    float llr;
    bool by_network;
};

struct sek_memo {
    struct sek_hash_key key;
    struct place places[PLACES];
};

_Static_assert(sizeof(struct sek_memo) - sizeof(struct sek_hash_key) == SEK_MEMO_OCTETS,
               "what the header says");

struct sek_memo *sek_memo_new(struct sek_hash_key key)
{
    struct sek_memo *m = calloc(1, sizeof(*m));

    if (m)
        m->key = key;
    return m;
}

void sek_memo_free(struct sek_memo *m)
{
    free(m);
}

/* Of all that a score depends on: the model, the label, the class of its suffix. */
static uint64_t tag_of(const struct sek_memo *m, const struct sek_classify *c,
                       const struct sek_unit *u)
{
    struct sek_hash_key key = {m->key.k0 ^ c->model.head->sum, m->key.k1 ^ u->class_id};

    return sek_hash(&key, u->sym, u->n) | 1;
}

struct sek_score sek_memo_score(struct sek_memo *m, const struct sek_classify *c,
                                const struct sek_name *name)
{
    struct sek_score s;
    struct sek_unit u;

    sek_unit_of_name(&c->model.suffixes, name, &u);
    if (!m || u.n < SEK_CLASSIFY_UNIT_MIN)
        return sek__classify_unit(&c->model, &u);
    uint64_t tag = tag_of(m, c, &u);
    struct place *p = &m->places[tag >> 8 & (PLACES - 1)];
    if (p->tag == tag)
        return (struct sek_score){p->llr, u.label, u.n, u.dynamic, p->by_network};
    s = sek__classify_unit(&c->model, &u);
    *p = (struct place){tag, s.llr, s.by_network};
    return s;
}
