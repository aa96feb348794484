/* SPDX-License-Identifier: BSD-3-Clause */
/* What a training step sees: a mixture of benign names, names of known families and synthetic ones.
 */
#pragma once
#include "fit.h"
#include "kinds.h"

struct mix {
    float benign, synthetic; /* shares; the rest are known families */
    float flatness;          /* a family's weight is its size to this power */
    float class_drop;        /* share of generated names whose suffix is drawn anew */
    float fresh;             /* share of names of families with a letter model that it makes */
};

struct sample {
    uint8_t n, class_id;
    uint8_t sym[SEK_LABEL_MAX + 1];
    int16_t target; /* -1 benign, else family, or FAMILIES_MAX + kind */
};

struct sampler {
    const struct data *data;
    struct kinds *kinds;
    const struct fits *fits; /* or NULL */
    struct mix mix;
    struct rng rng;
    float family_use[FAMILIES_MAX]; /* cumulative */
    uint64_t n_synthetic;
};

void sampler_init(struct sampler *s, const struct data *d, struct kinds *k, const struct mix *mix,
                  uint64_t seed);
void sampler_next(struct sampler *s, struct sample *out);
