/* SPDX-License-Identifier: BSD-3-Clause */
/* Figures by the usual definitions: thresholds from benign registered names that were kept out. */
#pragma once
#include "data.h"

/* scores[i] belongs to items[i]; only kept-out ones are looked at. Prints two lines, of the
 * families trained on and of those kept out, and each of the latter with `detail`. */
void measure(const struct data *d, const float *scores, const char *title, bool detail);
