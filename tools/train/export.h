/* SPDX-License-Identifier: BSD-3-Clause */
/* From trained floats to the integers of a model file, and from sums to calibrated ratios. */
#pragma once
#include "classify/classify_parts.h"
#include "linear.h"
#include "net.h"

#define CONV_SHIFT 11
#define HEAD_SHIFT 11
#define TABLE_SHIFT 3
#define STAGE1_UNIT 40 /* int8 holds ±3.2 */

/* A model file in memory, and a view of it as scoring has it. */
struct image {
    uint8_t *octets;
    size_t size;
    struct sek_model model;
};

/* Quantise; the gate is open and the calibration a straight line. */
void export_model(const struct data *d, const struct linear *l, const struct net *n,
                  struct image *out);
/* Set gate (share of kept-out benign names that pass it), curves and thresholds from kept-out
 * names; scores[i] gets the final ratio of each kept-out item. */
void export_calibrate(const struct data *d, struct image *image, float pass, float *scores);
/* A model file as an image, to be measured or calibrated anew, with the suffixes as they are now;
 * exits when it cannot. */
void export_read(const struct data *d, const char *path, struct image *out);
void export_write(struct image *image, const char *about, int64_t made_s, const char *path);
/* Back from integers to floats, to go on training. What the model has no row for stays as it is. */
void import_model(const struct data *d, const struct image *im, struct linear *l, struct net *n);
