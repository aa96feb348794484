/* SPDX-License-Identifier: BSD-3-Clause */
/* `sekisho classify --evaluate`: how well the model does on names of which it is known what they
 * are. One thread. */
#pragma once
#include "classify/classify.h"
#include "tools/context.h"

/* Print the report: summary, rates, families, and for programs the curve. svg: where to draw the
 * curve, or NULL. */
enum sek_err sek_evaluate_print(struct sek_context *c, const struct sek_classify *classify,
                                const char *path, const char *svg);
