/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/waits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SLACK_DS 10     /* tenths: caches count in whole seconds … */
#define SLACK_SHARE 100 /* … and their clocks differ by up to this part of the TTL */
#define FAR_MEDIANS 4   /* longer waits are left out */
#define GRAIN_S 1.0     /* waits are known no better */
#define N_MIN 8
/* Limits: gini at most GINI_MEAN - GINI_SPREAD / √n; entropy at least the greater of these. */
#define GINI_MEAN 0.455
#define GINI_SPREAD 1.05
#define ENTROPY_FEW 18.0 /* / n */
#define ENTROPY_MANY 3.0 /* / √n */

static unsigned place_of(const struct sek_told *t, uint32_t hash)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < SEK_WAITS_NAMES; i++) {
        if (t->hash[i] == hash)
            return i;
        if (t->hash[i] == 0 || (t->hash[oldest] != 0 && t->until_ds[i] < t->until_ds[oldest]))
            oldest = i;
    }
    return oldest;
}

static uint16_t wait_of(uint32_t until_ds, int64_t since_ms, int64_t ttl_ds)
{
    int64_t wait_ms = since_ms - (int64_t)until_ds * 100;
    int64_t slack_ms = (SLACK_DS + ttl_ds / SLACK_SHARE) * 100;
    if (wait_ms < -slack_ms)
        return SEK_WAIT_EARLY;
    int64_t wait = wait_ms < 0 ? 0 : wait_ms * SEK_WAITS_A_SECOND / 1000;
    return wait < SEK_WAIT_MAX ? (uint16_t)wait : SEK_WAIT_MAX;
}

uint16_t sek_told_ask(struct sek_told *t, uint32_t hash, int64_t since_ms, uint32_t ttl_s)
{
    uint32_t key = hash ? hash : 1;
    uint16_t wait = SEK_WAIT_UNKNOWN;
    unsigned i = place_of(t, key);
    if (since_ms < 0)
        since_ms = 0;
    if (t->hash[i] == key)
        wait = wait_of(t->until_ds[i], since_ms, (int64_t)ttl_s * 10);
    int64_t until_ds = since_ms / 100 + (int64_t)ttl_s * 10;
    if (ttl_s == 0 || until_ds > UINT32_MAX) {
        if (t->hash[i] == key)
            t->hash[i] = 0;
        return wait;
    }
    t->hash[i] = key;
    t->until_ds[i] = (uint32_t)until_ds;
    return wait;
}

void sek_waits_add(struct sek_waits_log *log, uint16_t wait)
{
    log->wait[log->next] = wait;
    log->next = (uint8_t)((log->next + 1) % SEK_WAITS_MAX);
    log->n = (uint8_t)(log->n + (log->n < SEK_WAITS_MAX));
}

/* --- what they say -----------------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double mean_of(const double *x, unsigned n)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += x[i];
    return sum / n;
}

/* Half the mean difference of two as a share of the mean. */
static double gini_of(const double *sorted, unsigned n)
{
    double sum = 0, mean = mean_of(sorted, n);
    for (unsigned i = 0; i < n; i++)
        sum += (2.0 * i - n + 1) * sorted[i];
    return mean > 0 ? sum / (mean * n * (n - 1)) : 1;
}

/* 1 + ln(mean), the entropy of exponential ones, less that of these. */
static double entropy_lack(const double *sorted, unsigned n)
{
    unsigned m = (unsigned)(sqrt(n) / 2 + 0.5);
    double sum = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned from = i < m ? 0 : i - m, to = i + m < n ? i + m : n - 1;
        double apart = fmax(sorted[to] - sorted[from], GRAIN_S);
        sum += log(apart * n / (to - from));
    }
    return 1 + log(mean_of(sorted, n)) - sum / n;
}

static void judge(const double *sorted, unsigned n, double least_s, struct sek_waits *out)
{
    while (n > 2 && sorted[n - 1] > FAR_MEDIANS * out->median_s)
        n--;
    if (n < N_MIN || mean_of(sorted, n) < least_s)
        return;
    out->gini = gini_of(sorted, n);
    out->entropy = entropy_lack(sorted, n);
    double root = sqrt(n);
    out->is_timer = out->gini <= GINI_MEAN - GINI_SPREAD / root ||
                    out->entropy >= fmax(ENTROPY_FEW / n, ENTROPY_MANY / root);
}

void sek_waits_of(const struct sek_waits_log *log, double least_s, struct sek_waits *out)
{
    double known[SEK_WAITS_MAX];
    unsigned k = 0;
    *out = (struct sek_waits){.gini = 1};
    for (unsigned i = 0; i < log->n; i++) {
        uint16_t wait = log->wait[i];
        out->n_early += wait == SEK_WAIT_EARLY;
        out->n_unknown += wait == SEK_WAIT_UNKNOWN;
        if (wait != SEK_WAIT_UNKNOWN)
            known[k++] = wait == SEK_WAIT_EARLY ? 0 : (double)wait / SEK_WAITS_A_SECOND;
    }
    out->n = k - out->n_early;
    if (k == 0)
        return;
    qsort(known, k, sizeof *known, compare);
    out->median_s = k % 2 ? known[k / 2] : (known[k / 2] + known[k / 2 - 1]) / 2;
    judge(known, k, least_s, out);
}

bool sek_waits_tell(const struct sek_waits *w)
{
    return w->n + w->n_early >= w->n_unknown;
}

bool sek_waits_heedless(const struct sek_waits *w)
{
    return w->n_early >= SEK_WAITS_EARLY_MIN &&
           w->n_early > SEK_WAITS_EARLY_SHARE * (w->n + w->n_early);
}
