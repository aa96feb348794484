/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/stages.h"
#include "base/banned.h"

static uint64_t edge_or(const struct sek_unit *u, unsigned at)
{
    return at == 0 || at > u->n ? (uint64_t)SEK_SYM_EDGE : u->sym[at - 1];
}

int32_t sek_stage1(const struct sek_model *m, const struct sek_unit *u)
{
    int32_t sum = m->head->bias + m->class1[u->class_id] + m->len1[u->n];
    uint64_t run = SEK_SYM_EDGE;

    sum += m->grams[sek_gram_index(run, 1)];
    for (unsigned i = 1; i < u->n + 2u; i++) {
        unsigned longest = i + 1 < SEK_GRAM_MAX ? i + 1 : SEK_GRAM_MAX;

        run = run << 6 | edge_or(u, i);
        for (unsigned n = 1; n <= longest; n++)
            sum += m->grams[sek_gram_index(run, n)];
    }
    return sum;
}

int32_t sek_stage1_gram(const struct sek_model *m, const struct sek_unit *u, unsigned end,
                        unsigned n)
{
    uint64_t run = 0;

    for (unsigned i = end + 1 - n; i <= end; i++)
        run = run << 6 | edge_or(u, i);
    return m->grams[sek_gram_index(run, n)];
}
