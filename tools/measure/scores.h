/* SPDX-License-Identifier: BSD-3-Clause */
/* Scores of many names, fast: all processors at once (inorder.h). */
#pragma once
#include "classify/classify.h"
#include <stdio.h>

/* One line `name<TAB>score` for each line of the descriptor `in`, in order. Score: the probability
 * at even odds with nine digits; 0 for a line that is no name. */
enum sek_err sek_scores_print(const struct sek_classify *c, int in, FILE *out,
                              struct sek_diag *diag);
