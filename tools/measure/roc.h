/* SPDX-License-Identifier: BSD-3-Clause */
/* How well scores tell machine-made names from benign ones: the area under the ROC curve, and what
 * is detected at given false-positive rates. Detected is a score above the threshold; a threshold
 * is a benign score, so equal ones never count. Pure computing. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SEK_ROC_BENIGN UINT32_MAX
#define SEK_ROC_FAMILY_MIN 20 /* names; smaller families take no part in macro figures */

struct sek_roc_sample {
    float score;     /* higher = more machine-made */
    uint32_t family; /* 0..n_families-1, or SEK_ROC_BENIGN */
};

struct sek_roc_family {
    uint64_t n, n_above; /* names; those above the last threshold asked for */
};

struct sek_roc {
    const struct sek_roc_sample *samples; /* after sek_roc_init highest score first; borrowed */
    size_t n, n_benign;
    struct sek_roc_family *families; /* borrowed */
    size_t n_families, n_large;      /* large: SEK_ROC_FAMILY_MIN names and more */
};

/* What is seen at one threshold. */
struct sek_roc_point {
    float threshold;
    uint64_t n_false;    /* benign names above it */
    double fpr;          /* the rate asked for */
    double micro, macro; /* detected: of all names, mean over the large families; NaN = of none */
};

/* Sorts the samples, counts the families. */
void sek_roc_init(struct sek_roc *r, struct sek_roc_sample *samples, size_t n,
                  struct sek_roc_family *families, size_t n_families);
/* Probability that a machine-made name has a higher score than a benign one, ties counting half
 * (Mann and Whitney, 1947). NaN when a class is empty. */
double sek_roc_auc(const struct sek_roc *r);
/* Fill out[i] for rates[i], ascending, 0..1: of n benign scores, highest first, number
 * floor(rate * n) is the threshold. families[].n_above are those of the last rate. Nothing is
 * detected without benign names: fills NaN. */
void sek_roc_sweep(struct sek_roc *r, const double *rates, size_t n_rates,
                   struct sek_roc_point *out);
