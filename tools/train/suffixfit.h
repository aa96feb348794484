/* SPDX-License-Identifier: BSD-3-Clause */
/* What stage 1 makes of suffixes, from names that training has not seen. It learned n-grams and
 * suffixes together, and has seen the n-grams of every name that it learned from, so the suffix had
 * little left to tell; of a new name it tells more. */
#pragma once
#include "export.h"

/* Fit the weights of suffix classes in the image anew on the names kept out for adjusting. */
void suffixfit(const struct data *d, struct image *image);
