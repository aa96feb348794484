/* SPDX-License-Identifier: BSD-3-Clause */
#include "fit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define ORDERS 5         /* 0..4 are compared */
#define TABLE (1u << 20) /* counts by hash of letters before and the letter */
#define CLEARLY 0.01     /* bits a letter by which a longer memory must be better */
#define FEW 1000         /* names, from which words cannot be told from letters … */
#define EVENLY 0.15      /* … unless these are as likely as one another: bits a letter */

struct counts {
    uint32_t pair[ORDERS][TABLE], before[ORDERS][TABLE];
};

static uint32_t slot(unsigned order, const uint8_t *sym, unsigned at, bool with)
{
    uint64_t key = order + 1;

    for (unsigned k = order; k > 0; k--)
        key = key << 6 | (at >= k ? sym[at - k] : SEK_SYM_EDGE);
    if (with)
        key = key << 6 | sym[at];
    return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 44);
}

static bool is_asked(uint32_t i)
{
    return i % 5 == 0;
}

static void count(struct counts *c, const struct data *d, const struct family *f)
{
    memset(c, 0, sizeof *c);
    for (uint32_t i = 0; i < f->n_train; i++) {
        const struct item *it = &d->items[f->train[i]];

        if (is_asked(i))
            continue;
        for (unsigned o = 0; o < ORDERS; o++)
            for (unsigned at = 0; at < it->n; at++) {
                c->pair[o][slot(o, it->sym, at, true)]++;
                c->before[o][slot(o, it->sym, at, false)]++;
            }
    }
}

/* Bits a letter for names not learned: orders from 0 to `o` mixed, each by how much it has seen. */
static double foretell(const struct counts *c, const uint8_t *sym, unsigned at, unsigned o)
{
    double p = 1.0 / 37;

    for (unsigned k = 0; k <= o; k++) {
        double n = c->before[k][slot(k, sym, at, false)];

        p = (c->pair[k][slot(k, sym, at, true)] + 4 * p) / (n + 4);
    }
    return -log2(p);
}

/* Bits a letter if all letters that occur were as likely. */
static double bits_of_alphabet(const struct data *d, const struct family *f)
{
    uint64_t used = 0;

    for (uint32_t i = 0; i < f->n_train; i++)
        for (unsigned at = 0; at < d->items[f->train[i]].n; at++)
            used |= 1ull << d->items[f->train[i]].sym[at];
    return log2((double)__builtin_popcountll(used));
}

/* ORDERS if none can be told. */
static int best_order(const struct counts *c, const struct data *d, const struct family *f)
{
    double bits[ORDERS] = {0}, n = 0;
    int best = 0;

    for (uint32_t i = 0; i < f->n_train; i++) {
        const struct item *it = &d->items[f->train[i]];

        if (!is_asked(i))
            continue;
        n += it->n;
        for (unsigned o = 0; o < ORDERS; o++)
            for (unsigned at = 0; at < it->n; at++)
                bits[o] += foretell(c, it->sym, at, o);
    }
    for (int o = 1; o < ORDERS; o++)
        if (bits[o] < bits[best] - CLEARLY * n)
            best = o;
    if (f->n_train < FEW && bits[best] / n < bits_of_alphabet(d, f) - EVENLY)
        return ORDERS;
    return best;
}

static unsigned state_of(const struct fit *f, const struct item *it, unsigned at)
{
    unsigned a = at >= 2 ? it->sym[at - 2] : SEK_SYM_EDGE;
    unsigned b = at >= 1 ? it->sym[at - 1] : SEK_SYM_EDGE;

    return f->order == 0 ? 0 : f->order == 1 ? b : a * SEK_N_SYMS + b;
}

static void learn(struct fit *f, const struct data *d, const struct family *family)
{
    float(*n)[SEK_N_SYMS] = calloc(SEK_PAIRS, sizeof *n);

    f->chain = calloc(SEK_PAIRS, sizeof *f->chain);
    for (uint32_t i = 0; i < family->n_train; i++) {
        const struct item *it = &d->items[family->train[i]];

        for (unsigned at = 0; at < it->n; at++)
            n[state_of(f, it, at)][it->sym[at]]++;
    }
    for (unsigned s = 0; s < SEK_PAIRS; s++) {
        float total = 0, sum = 0;

        for (unsigned k = 0; k < SEK_N_SYMS; k++)
            total += n[s][k];
        for (unsigned k = 0; k < SEK_N_SYMS; k++) {
            sum += n[s][k];
            f->chain[s][k] = (uint16_t)(total > 0 ? sum / total * 60000 : 0);
        }
    }
    free(n);
}

void fits_learn(struct fits *f, const struct data *d)
{
    struct counts *c = malloc(sizeof *c);

    memset(f, 0, sizeof *f);
    for (int i = 0; i < d->n_families; i++) {
        const struct family *family = &d->families[i];
        int order;

        if (family->n_train < FIT_NAMES_MIN)
            continue;
        count(c, d, family);
        order = best_order(c, d, family);
        printf("%-24s %6u names: letters depend on %d before%s\n", family->name, family->n_train,
               order, order > FIT_ORDER_MAX ? ": no model" : "");
        if (order > FIT_ORDER_MAX)
            continue;
        f->family[i].good = true;
        f->family[i].order = (uint8_t)order;
        f->n_good++;
        learn(&f->family[i], d, family);
    }
    free(c);
}

void fits_name(const struct fit *f, struct rng *r, struct item *it)
{
    for (unsigned at = 0; at < it->n; at++) {
        const uint16_t *c = f->chain[state_of(f, it, at)];
        uint32_t total = c[SEK_N_SYMS - 1], draw, s = 0;

        if (total == 0) { /* nobody went on from here */
            it->sym[at] = (uint8_t)(SEK_SYM_A + rng_below(r, 26));
            continue;
        }
        draw = rng_below(r, total);
        while (c[s] <= draw)
            s++;
        it->sym[at] = (uint8_t)s;
    }
}
