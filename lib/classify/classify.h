/* SPDX-License-Identifier: BSD-3-Clause */
/* How machine-made a name looks: the classifier for names of domain generation algorithms. Two
 * stages: hashed n-grams for every name, a small network for the few that stage 1 cannot rule out.
 * A struct sek_classify is immutable once open; any thread may score with it. Scoring allocates
 * nothing, calls nothing outside, and its time has a bound for every input (tests/bench). */
#pragma once
#include "base/err.h"
#include "name/name.h"

struct sek_classify;

/* Load and check a model file (policy/model/README.md) into read-only memory of our own.
 * SEK_E_CORRUPT, SEK_E_VERSION and the like with a text that names file and fault. Replaced like a
 * policy: open the new one, swap, close. */
enum sek_err sek_classify_open(const char *path, struct sek_classify **out, struct sek_diag *diag);
void sek_classify_close(struct sek_classify *c);

#define SEK_CLASSIFY_UNIT_MIN 4  /* shorter labels are not judged: no information */
#define SEK_CLASSIFY_NONE -10.0f /* the ratio of names without a label to judge */

/* llr: natural logarithm of P(such a label | machine-made) / P(such a label | benign registered
 * domain). Evidence of several names adds up; at even odds beforehand the probability is
 * sek_classify_probability(llr). */
struct sek_score {
    float llr;
    uint8_t label;   /* which label was judged, 0 = the first */
    uint8_t length;  /* its symbols; 0: there was nothing to judge */
    bool dynamic;    /* it stands below a dynamic-DNS provider's suffix */
    bool by_network; /* stage 2 decided */
};

/* The label left of the public suffix, or of a dynamic-DNS provider's. */
struct sek_score sek_classify_name(const struct sek_classify *c, const struct sek_name *name);
/* Label `k` < name->n_labels, as if it were registered: for names below registered domains. No
 * threshold of registered domains holds for it: hosts of clouds are random by nature. */
struct sek_score sek_classify_label(const struct sek_classify *c, const struct sek_name *name,
                                    unsigned k);

/* Probability at even odds, 0..1. */
double sek_classify_probability(float llr);

/* The ratios that 1 of 10,000 (for blocking) and 1 of 1,000 (for watching) benign registered
 * domains exceed, as measured in training. */
float sek_classify_block_llr(const struct sek_classify *c);
float sek_classify_monitor_llr(const struct sek_classify *c);
/* The model's line about itself, and the day it was made (Unix seconds). Valid while open. */
const char *sek_classify_about(const struct sek_classify *c, int64_t *out_made_s);
