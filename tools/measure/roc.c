/* SPDX-License-Identifier: BSD-3-Clause */
#include "roc.h"
#include <math.h>
#include <stdlib.h>
#include "base/banned.h"

/* Highest score first; of equal ones benign names, so that the order is always the same. */
static int by_score(const void *a, const void *b)
{
    const struct sek_roc_sample *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->family < y->family) - (x->family > y->family);
}

void sek_roc_init(struct sek_roc *r, struct sek_roc_sample *samples, size_t n,
                  struct sek_roc_family *families, size_t n_families)
{
    *r = (struct sek_roc){samples, n, 0, families, n_families, 0};
    if (n > 0)
        qsort(samples, n, sizeof(*samples), by_score);
    for (size_t f = 0; f < n_families; f++)
        families[f] = (struct sek_roc_family){0};
    for (size_t i = 0; i < n; i++)
        if (samples[i].family == SEK_ROC_BENIGN)
            r->n_benign++;
        else
            families[samples[i].family].n++;
    for (size_t f = 0; f < n_families; f++)
        r->n_large += families[f].n >= SEK_ROC_FAMILY_MIN;
}

double sek_roc_auc(const struct sek_roc *r)
{
    double n_dga = (double)(r->n - r->n_benign), n_benign = (double)r->n_benign;
    double won = 0, above = 0; /* pairs; machine-made names with a higher score */

    if (n_dga == 0 || n_benign == 0)
        return NAN;
    for (size_t i = 0, j; i < r->n; i = j) {
        double dga = 0, benign = 0;

        for (j = i; j < r->n && r->samples[j].score == r->samples[i].score; j++)
            if (r->samples[j].family == SEK_ROC_BENIGN)
                benign++;
            else
                dga++;
        won += benign * (above + dga / 2);
        above += dga;
    }
    return won / (n_dga * n_benign);
}

/* The sweep goes down the samples once, for all rates. */
struct sweep {
    size_t next_benign, n_benign; /* samples passed in search of thresholds; benign ones of them */
    size_t next;                  /* samples above the threshold */
    uint64_t n_false, n_detected;
    double macro_sum; /* of the large families' detected shares */
};

/* The score of benign name number k, highest first. */
static float benign_score(const struct sek_roc *r, struct sweep *s, size_t k)
{
    while (s->n_benign <= k)
        s->n_benign += r->samples[s->next_benign++].family == SEK_ROC_BENIGN;
    return r->samples[s->next_benign - 1].score;
}

static void pass(struct sek_roc *r, struct sweep *s, const struct sek_roc_sample *sample)
{
    if (sample->family == SEK_ROC_BENIGN) {
        s->n_false++;
        return;
    }
    struct sek_roc_family *f = &r->families[sample->family];
    f->n_above++;
    s->n_detected++;
    if (f->n >= SEK_ROC_FAMILY_MIN)
        s->macro_sum += 1 / (double)f->n;
}

static struct sek_roc_point point_at(struct sek_roc *r, struct sweep *s, double rate)
{
    size_t k = (size_t)(rate * (double)r->n_benign + 1e-9); /* 0.29 * 100 is 28.999… */
    size_t last = r->n_benign - 1, n_dga = r->n - r->n_benign;
    float threshold = benign_score(r, s, k < last ? k : last);

    while (s->next < r->n && r->samples[s->next].score > threshold)
        pass(r, s, &r->samples[s->next++]);
    return (struct sek_roc_point){threshold, s->n_false, rate,
                                  n_dga ? (double)s->n_detected / (double)n_dga : NAN,
                                  r->n_large ? s->macro_sum / (double)r->n_large : NAN};
}

void sek_roc_sweep(struct sek_roc *r, const double *rates, size_t n_rates,
                   struct sek_roc_point *out)
{
    struct sweep s = {0};

    for (size_t f = 0; f < r->n_families; f++)
        r->families[f].n_above = 0;
    for (size_t i = 0; i < n_rates; i++)
        out[i] = r->n_benign ? point_at(r, &s, rates[i])
                             : (struct sek_roc_point){NAN, 0, rates[i], NAN, NAN};
}
