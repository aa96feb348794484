/* SPDX-License-Identifier: BSD-3-Clause */
/* `sekisho classify --calibrate`: the threshold that gives a chosen number of alarms a day on a
 * site's own traffic. One thread. */
#pragma once
#include "classify/classify.h"
#include "tools/context.h"

struct sek_calibration {
    const char *path; /* names, one a line; "-" = standard input */
    double per_day;   /* alarms wanted, > 0 */
    double days;      /* that the names cover, > 0 */
};

/* A decimal number above 0 and below 1e9: "10", "0.5". False for anything else. */
bool sek_calibrate_number(const char *text, double *out);

/* Print the thresholds and what would alarm. */
enum sek_err sek_calibrate_print(struct sek_context *c, const struct sek_classify *classify,
                                 const struct sek_calibration *wanted);
