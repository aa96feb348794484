/* SPDX-License-Identifier: BSD-3-Clause */
/* Why a name has its score. Slower than scoring; for people, not for the answer path. */
#pragma once
#include "classify/classify.h"

#define SEK_WHY_GRAMS 4
#define SEK_WHY_KINDS 3

/* Stage 1's parts in units of its sum, above 0 = machine-made. */
struct sek_why_gram {
    char text[8]; /* '^' and '$' are the label's edges */
    float weight;
};

/* A family or a kind of generators. */
struct sek_why_kind {
    const char *name; /* valid while the model is open */
    float share;      /* of what speaks for any of them, 0..1 */
};

struct sek_why {
    struct sek_score score;
    char unit[64 + 1]; /* the judged label as the model reads it; '?' = another character */
    float grams, suffix, length, bias;      /* stage 1's sum, natural logarithms */
    float network;                          /* stage 2's sum; 0 unless score.by_network */
    struct sek_why_gram odd[SEK_WHY_GRAMS]; /* what speaks most for machine-made; weight 0 ends */
    struct sek_why_gram common[SEK_WHY_GRAMS]; /* what speaks most for benign */
    struct sek_why_kind kinds[SEK_WHY_KINDS];  /* nearest first; name NULL ends */
};

void sek_classify_explain(const struct sek_classify *c, const struct sek_name *name,
                          struct sek_why *out);
