/* SPDX-License-Identifier: BSD-3-Clause */
/* Letter models of known families, so that these give fresh names without end instead of the same
 * ones again and again: what is learned then is the family's habit, not its list of names. */
#pragma once
#include "data.h"

#define FIT_ORDER_MAX 2 /* letters before, that a letter depends on */
#define FIT_NAMES_MIN 60

/* One family's chain: cumulative counts of letters after 0, 1 or 2 others. */
struct fit {
    bool good;
    uint8_t order;
    uint16_t (*chain)[SEK_N_SYMS];
};

struct fits {
    struct fit family[FAMILIES_MAX];
    int n_good;
};

/* Of each family, the order that foretells a fifth of its names best after learning the others. If
 * orders above FIT_ORDER_MAX do better (words, fixed parts), the family has no model. */
void fits_learn(struct fits *f, const struct data *d);
/* Letters for a name of the length that it->n says. */
void fits_name(const struct fit *f, struct rng *r, struct item *it);
