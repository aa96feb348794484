/* SPDX-License-Identifier: BSD-3-Clause */
#include "alarms.h"
#include <math.h>
#include "base/banned.h"

#define Z95 1.959964 /* normal quantile at 0.975 */
#define SURE 8       /* the lowest count whose upper bound is below twice the count: 15.8 */

double sek_alarms_lower(uint64_t k)
{
    double n = (double)k;
    double root = k ? 1 - 1 / (9 * n) - Z95 / (3 * sqrt(n)) : 0;

    return root > 0 ? n * root * root * root : 0;
}

double sek_alarms_upper(uint64_t k)
{
    double n = (double)k + 1;
    double root = 1 - 1 / (9 * n) + Z95 / (3 * sqrt(n));

    return n * root * root * root;
}

double sek_alarms_days_wanted(double per_day)
{
    return ceil(SURE / per_day);
}

/* The number of scores above it. */
static size_t n_above(const float *scores, size_t n, double threshold)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((double)scores[middle] > threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sek_alarms sek_alarms_at(const float *scores, size_t n, double days, double threshold)
{
    size_t k = n_above(scores, n, threshold);

    return (struct sek_alarms){threshold, k, sek_alarms_lower(k) / days, (double)k / days,
                               sek_alarms_upper(k) / days};
}

static double rounded_up(double v)
{
    double unit = pow(10, SEK_ALARMS_DECIMALS), up = ceil(v * unit) / unit;

    return up >= v ? up : up + 1 / unit;
}

struct sek_alarms sek_alarms_for_rate(const float *scores, size_t n, double days, double per_day)
{
    double allowed = floor(per_day * days + 1e-9), threshold = 0;

    if (n > 0 && allowed < (double)n)
        threshold = rounded_up((double)scores[(size_t)allowed]);
    else if (n > 0) /* below all */
        threshold = rounded_up((double)scores[n - 1]) - 2 / pow(10, SEK_ALARMS_DECIMALS);
    return sek_alarms_at(scores, n, days, threshold);
}
