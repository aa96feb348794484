/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of which somebody knows what they are, scored: lines `name<TAB>label`, where the label is
 * "benign" or "-", or the family of generators that made the name. One thread. */
#pragma once
#include "base/buf.h"
#include "classify/classify.h"
#include "roc.h"

#define SEK_LABELLED_FAMILIES_MAX 4096 /* more: the second column is something else */
#define SEK_LABELLED_LABEL_MAX 63      /* octets */

struct sek_labelled {
    struct sek_buf samples;  /* struct sek_roc_sample */
    struct sek_buf names;    /* the families' names, each with its NUL */
    struct sek_buf families; /* size_t: where each name starts */
    uint64_t n_bad;          /* lines that were skipped */
};

/* Read and score a file ("-" = standard input, gzip or not). Bad lines are named on standard error
 * and skipped. Refused is a file without a benign name, or with nothing else. Caller:
 * sek_labelled_fini, in every case. */
enum sek_err sek_labelled_read(const char *path, const struct sek_classify *classify,
                               struct sek_labelled *out, struct sek_diag *diag);
void sek_labelled_fini(struct sek_labelled *l);

size_t sek_labelled_n_samples(const struct sek_labelled *l);
size_t sek_labelled_n_families(const struct sek_labelled *l);
/* As the file has it, so not safe to print. Valid until sek_labelled_fini. */
const char *sek_labelled_family(const struct sek_labelled *l, size_t family);
