/* SPDX-License-Identifier: BSD-3-Clause */
/* What scoring and explaining share. Private to lib/classify and tools/train. */
#pragma once
#include "classify/classify.h"
#include "classify/stages.h"

struct sek_classify {
    struct sek_model model;
};

/* Both stages' sums as one, for names that pass the gate. Wraps. */
static inline int32_t sek__joint(const struct sek_model *m, int32_t sum1, int32_t sum2)
{
    return (int32_t)((uint32_t)sum2 + (uint32_t)m->head->carry * (uint32_t)sum1);
}

/* One stage's sum as a ratio. */
float sek__curve_at(const struct sek_curve *curve, int32_t sum);
/* Score a unit. */
struct sek_score sek__classify_unit(const struct sek_model *m, const struct sek_unit *u);
/* sek_classify_open with `verify` of sek_model_map. */
enum sek_err sek__classify_open(const char *path, bool verify, struct sek_classify **out,
                                struct sek_diag *diag);
