/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/banned.h"

#define FAMILY_MIN 20

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

/* P(at least 6 of 20 exceed) when each does with probability p. */
static double endpoint(double p)
{
    double below = 0, c = 1;

    for (int k = 0; k < 6; k++) {
        below += c * pow(p, k) * pow(1 - p, 20 - k);
        c = c * (20 - k) / (k + 1);
    }
    return 1 - below;
}

struct result {
    double auc, micro2, macro2, micro3, macro3, end;
    uint32_t n, families;
};

static uint32_t rank_of(const float *sorted, uint32_t n, float x) /* values below x */
{
    uint32_t lo = 0, hi = n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (sorted[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void add_family(const struct data *d, const float *scores, int f, const float *neg,
                       uint32_t n_neg, float t2, float t3, struct result *r, bool detail)
{
    uint32_t n = 0, over2 = 0, over3 = 0;
    double auc = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        const struct item *it = &d->items[i];

        if (it->family != f || !data_measures(d, it))
            continue;
        n++;
        over2 += scores[i] > t2;
        over3 += scores[i] > t3;
        auc += (double)rank_of(neg, n_neg, scores[i]) / n_neg;
    }
    r->n += n;
    r->auc += auc;
    r->micro2 += over2;
    r->micro3 += over3;
    if (n >= FAMILY_MIN) {
        r->families++;
        r->macro2 += (double)over2 / n;
        r->macro3 += (double)over3 / n;
        r->end += endpoint((double)over2 / n);
    }
    if (detail && n > 0)
        printf("    %-22s %6u  auc %.4f  @1e-2 %.3f  @1e-3 %.3f\n", d->families[f].name, n, auc / n,
               (double)over2 / n, (double)over3 / n);
}

static void print_result(const char *title, const char *which, const struct result *r)
{
    if (r->n == 0 || r->families == 0)
        return;
    printf("%s %s: AUC %.4f  @1e-2 %.3f/%.3f  @1e-3 %.3f/%.3f  endpoint %.3f  (%u families)\n",
           title, which, r->auc / r->n, r->micro2 / r->n, r->macro2 / r->families, r->micro3 / r->n,
           r->macro3 / r->families, r->end / r->families, r->families);
}

void measure(const struct data *d, const float *scores, const char *title, bool detail)
{
    float *neg = malloc(d->n * sizeof *neg), t2, t3;
    struct result seen = {0}, held = {0};
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->n; i++)
        if (d->items[i].family == BENIGN && data_measures(d, &d->items[i]))
            neg[n++] = scores[i];
    qsort(neg, n, sizeof *neg, by_value);
    t2 = neg[n - 1 - n / 100];
    t3 = neg[n - 1 - n / 1000];
    for (int f = 0; f < d->n_families; f++)
        add_family(d, scores, f, neg, n, t2, t3, d->families[f].held ? &held : &seen,
                   detail && (d->families[f].held || detail));
    print_result(title, "seen", &seen);
    print_result(title, "held", &held);
    fflush(stdout);
    free(neg);
}
