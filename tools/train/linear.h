/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 1: logistic regression on hashed n-grams, suffix class and length. */
#pragma once
#include "sampler.h"

struct linear {
    float gram[1 << SEK_GRAM_BITS];
    float class_w[CLASSES_MAX];
    float len_w[SEK_LABEL_MAX + 1];
    float bias;
};

void linear_train(struct linear *l, struct sampler *s, uint64_t n_names);
float linear_score(const struct linear *l, const uint8_t *sym, unsigned n, unsigned class_id);
