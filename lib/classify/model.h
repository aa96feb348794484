/* SPDX-License-Identifier: BSD-3-Clause */
/* A model file copied into memory and checked. Private to lib/classify. Immutable once open: any
 * thread may read it. */
#pragma once
#include "base/err.h"
#include "classify/model_format.h"
#include "classify/unit.h"
#include <stdbool.h>

struct sek_model {
    const struct sek_model_head *head; /* the copy of the file */
    size_t size;
    struct sek_suffixes suffixes;
    const int8_t *grams;
    const int16_t *class1, *len1;
    const int16_t (*uni)[SEK_N_SYMS][SEK_CH];
    const int8_t (*pair)[SEK_CH], (*triple)[SEK_CH];
    const struct sek_conv *conv2, *conv3;
    const int16_t (*dense)[SEK_CH][2];
    const int16_t *dense_b;
    const int16_t (*class2)[SEK_CH], (*len2)[SEK_CH];
    const int16_t *out;
    const struct sek_kind_row *kinds;
};

/* Copy the file (sek_file_copy says why it is not mapped itself) and check all of it. verify: its
 * checksum, too (1 ms); fuzzing leaves it out. On failure the text names the path and the fault.
 * Caller: sek_model_unmap. */
enum sek_err sek_model_map(const char *path, bool verify, struct sek_model *out,
                           struct sek_diag *diag);
void sek_model_unmap(struct sek_model *m);

/* Point at the sections that m->head, whose counts are set, describes. For who writes a model. */
void sek_model_sections(struct sek_model *m);

/* The sum that the head of a file should have. */
uint64_t sek_model_sum(const struct sek_model_head *head, size_t size);
