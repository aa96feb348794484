/* SPDX-License-Identifier: BSD-3-Clause */
/* The ROC curve as a picture: SVG 1.1 that stands alone, without scripts, styles or fonts of
 * others. The false-positive rate is logarithmic, since what matters lies far to the left. One
 * thread. */
#pragma once
#include "base/buf.h"
#include "roc.h"

#define SEK_ROCPLOT_DECADES 4 /* shown: 1e-4 to 1 */

struct sek_rocplot {
    const char *title; /* any text */
    double auc;
    const struct sek_roc_point *points; /* rates ascending; below 1e-4 they are left out */
    size_t n;
};

/* Append the document. */
void sek_rocplot_draw(struct sek_buf *out, const struct sek_rocplot *plot);
/* The same into a new file, which replaces one of that name. */
enum sek_err sek_rocplot_write(const char *path, const struct sek_rocplot *plot,
                               struct sek_diag *diag);
