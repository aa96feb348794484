/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/regularity.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Bins of the autocorrelation, in periods. */
#define NEAR_FROM 0.15
#define NEAR_TO 0.50
#define PEAK_FROM 0.65
#define PEAK_TO 1.35
#define LOST_FROM 1.6       /* periods: in a longer interval a visit was lost */
#define SKEW_SPREAD_MIN 0.1 /* of the median: below it the quartiles' skew is about rounding */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, between two of them in proportion. q: 0..1. */
static double quantile(const uint32_t *sorted, unsigned n, double q)
{
    double at = q * (n - 1);
    unsigned i = (unsigned)at;
    double next = i + 1 < n ? sorted[i + 1] : sorted[i];
    return sorted[i] + (next - sorted[i]) * (at - i);
}

/* Median distance from the median. */
static double spread(const uint32_t *sorted, unsigned n, double median)
{
    uint32_t away[SEK_REGULARITY_MAX];
    for (unsigned i = 0; i < n; i++)
        away[i] = (uint32_t)fabs(sorted[i] - median);
    qsort(away, n, sizeof *away, compare);
    return quantile(away, n, 0.5);
}

static double rhythm(const uint32_t *interval_ms, unsigned n, double period)
{
    double near = 0, peak = 0;
    for (unsigned i = 0; i < n; i++) {
        double apart = 0;
        for (unsigned k = i; k < n && apart < PEAK_TO * period; k++) {
            apart += interval_ms[k];
            near += apart >= NEAR_FROM * period && apart < NEAR_TO * period;
            peak += apart >= PEAK_FROM * period && apart < PEAK_TO * period;
        }
    }
    near /= NEAR_TO - NEAR_FROM; /* pairs per period of distance */
    peak /= PEAK_TO - PEAK_FROM;
    return peak > near ? (peak - near) / (peak + near) : 0;
}

/* Width and tail; intervals that hold a lost visit are left out. */
static void reach(const uint32_t *sorted, unsigned n, double period, struct sek_regularity *out)
{
    while (n > 2 && sorted[n - 1] > LOST_FROM * period)
        n--;
    double low = quantile(sorted, n, 0.1), middle = quantile(sorted, n, 0.5);
    double high = quantile(sorted, n, 0.9);
    out->least_s = sorted[0] / 1000.0;
    out->width = (high - low) / middle;
    out->tail = middle - low > 0 ? fmin((high - middle) / (middle - low), SEK_REGULARITY_TAIL_MAX)
                                 : SEK_REGULARITY_TAIL_MAX;
}

static double coverage(const uint32_t *interval_ms, unsigned n, double period)
{
    double all = 0, covered = 0;
    for (unsigned i = 0; i < n; i++) {
        all += interval_ms[i];
        covered += fmin(interval_ms[i], SEK_REGULARITY_GAP * period);
    }
    return all > 0 ? covered / all : 0;
}

void sek_regularity_of(const uint32_t *interval_ms, unsigned n, struct sek_regularity *out)
{
    uint32_t sorted[SEK_REGULARITY_MAX];
    *out = (struct sek_regularity){0};
    if (n < 2)
        return;
    n = n < SEK_REGULARITY_MAX ? n : SEK_REGULARITY_MAX;
    memcpy(sorted, interval_ms, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    double q1 = quantile(sorted, n, 0.25), q2 = quantile(sorted, n, 0.5);
    double q3 = quantile(sorted, n, 0.75), width = q3 - q1;
    if (q2 <= 0)
        return;
    out->period_s = q2 / 1000;
    out->jitter = width / q2;
    out->skew = width < SKEW_SPREAD_MIN * q2 ? 0 : (q1 + q3 - 2 * q2) / width;
    out->dispersion = fmax(0, 1 - spread(sorted, n, q2) / q2);
    out->rhythm = rhythm(interval_ms, n, q2);
    reach(sorted, n, q2, out);
    out->coverage = coverage(interval_ms, n, q2);
    out->score = SEK_REGULARITY_SKEW * (1 - fabs(out->skew)) +
                 SEK_REGULARITY_DISPERSION * out->dispersion + SEK_REGULARITY_RHYTHM * out->rhythm;
}
