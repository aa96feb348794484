/* SPDX-License-Identifier: BSD-3-Clause */
#include "export.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Kept-out names with their sums. */
struct point {
    int32_t sum[2];
    float weight; /* of its side; both sides add up to 1 */
    bool generated, passes;
    uint32_t item;
};

static int by_sum1(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    return x->sum[0] < y->sum[0] ? -1 : x->sum[0] > y->sum[0];
}

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return x < y ? -1 : x > y;
}

/* Families weigh by the square root of their size: no one of them is what is out there. */
static uint32_t collect(const struct data *d, const struct sek_model *m, struct point *points)
{
    static float count[FAMILIES_MAX + 1], total[2];
    uint32_t n = 0;

    memset(count, 0, sizeof count);
    for (uint32_t i = 0; i < d->n; i++) {
        const struct item *it = &d->items[i];
        struct sek_net_work work;
        struct sek_unit u;

        if (!data_measures(d, it) || it->n < SEK_CLASSIFY_UNIT_MIN)
            continue;
        item_unit(it, &u);
        int32_t sum1 = sek_stage1(m, &u);
        points[n] = (struct point){.sum = {sum1, sek__joint(m, sum1, sek_stage2(m, &u, &work))},
                                   .generated = it->family != BENIGN,
                                   .item = i};
        count[it->family + 1]++;
        n++;
    }
    total[0] = total[1] = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct point *p = &points[i];

        p->weight = p->generated ? 1 / sqrtf(count[d->items[p->item].family + 1]) : 1;
        total[p->generated] += p->weight;
    }
    for (uint32_t i = 0; i < n; i++)
        points[i].weight /= total[points[i].generated];
    return n;
}

/* Pool neighbours until the ratio ascends (pair-adjacent violators). */
static void ascend(double side[SEK_KNOTS][2], float *out)
{
    double pos[SEK_KNOTS], neg[SEK_KNOTS];
    int width[SEK_KNOTS], n = 0, at = 0;

    for (int k = 0; k < SEK_KNOTS; k++) {
        pos[n] = side[k][1];
        neg[n] = side[k][0];
        width[n++] = 1;
        while (n > 1 && pos[n - 1] * neg[n - 2] <= pos[n - 2] * neg[n - 1]) {
            pos[n - 2] += pos[n - 1];
            neg[n - 2] += neg[n - 1];
            width[n - 2] += width[n - 1];
            n--;
        }
    }
    for (int b = 0; b < n; b++)
        for (int k = 0; k < width[b]; k++)
            out[at++] = (float)log(pos[b] / neg[b]);
}

/* Densities by a triangle around each knot, a little of everything everywhere, then smoothed, so
 * that no two sums get the same ratio. */
static void fit(struct sek_curve *c, const struct point *points, uint32_t n, int stage)
{
    double side[SEK_KNOTS][2];
    float raw[SEK_KNOTS];
    int64_t lo = INT32_MAX, hi = INT32_MIN;

    for (uint32_t i = 0; i < n; i++)
        if (points[i].passes == (stage == 1)) {
            lo = points[i].sum[stage] < lo ? points[i].sum[stage] : lo;
            hi = points[i].sum[stage] > hi ? points[i].sum[stage] : hi;
        }
    c->first = (int32_t)lo;
    c->step = (int32_t)((hi - lo) / (SEK_KNOTS - 1) + 1);
    for (int k = 0; k < SEK_KNOTS; k++)
        side[k][0] = side[k][1] = 3e-6;
    for (uint32_t i = 0; i < n; i++)
        if (points[i].passes == (stage == 1)) {
            double at = (double)(points[i].sum[stage] - lo) / c->step;
            int k = (int)at;

            side[k][points[i].generated] += points[i].weight * (1 - (at - k));
            if (k + 1 < SEK_KNOTS)
                side[k + 1][points[i].generated] += points[i].weight * (at - k);
        }
    ascend(side, raw);
    for (int k = 0; k < SEK_KNOTS; k++) {
        float a = raw[k > 0 ? k - 1 : 0], b = raw[k + 1 < SEK_KNOTS ? k + 1 : k];

        c->at[k] = (a + 2 * raw[k] + b) / 4 + 0.01f * (float)k;
    }
}

static int32_t quantile_of_benign(struct point *points, uint32_t n, float share)
{
    float sum = 0;

    qsort(points, n, sizeof *points, by_sum1);
    for (uint32_t i = n; i-- > 0;)
        if (!points[i].generated && (sum += points[i].weight) >= share)
            return points[i].sum[0];
    return INT32_MIN;
}

static void set_thresholds(const struct data *d, struct sek_model_head *head, const float *scores)
{
    float *neg = malloc(d->n * sizeof *neg);
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->n; i++)
        if (d->items[i].family == BENIGN && data_measures(d, &d->items[i]))
            neg[n++] = scores[i];
    qsort(neg, n, sizeof *neg, by_float);
    head->monitor = neg[n - 1 - n / 1000];
    head->block = neg[n - 1 - n / 10000];
    printf("thresholds: 1e-3 %.3f, 1e-4 %.3f\n", (double)head->monitor, (double)head->block);
    free(neg);
}

void export_calibrate(const struct data *d, struct image *im, float pass, float *scores)
{
    struct sek_model_head *head = (void *)im->octets;
    struct point *points = malloc(d->n * sizeof *points);
    uint32_t n = collect(d, &im->model, points);
    double passing[2] = {0, 0};

    head->gate = quantile_of_benign(points, n, pass);
    for (uint32_t i = 0; i < n; i++) {
        points[i].passes = points[i].sum[0] >= head->gate;
        passing[points[i].generated] += points[i].passes ? (double)points[i].weight : 0;
    }
    printf("gate %d: passes %.4f of benign, %.4f of generated names\n", head->gate, passing[0],
           passing[1]);
    fit(&head->curve[0], points, n, 0);
    fit(&head->curve[1], points, n, 1);
    for (uint32_t i = 0; i < d->n; i++)
        scores[i] = SEK_CLASSIFY_NONE;
    for (uint32_t i = 0; i < n; i++)
        scores[points[i].item] =
            sek__curve_at(&head->curve[points[i].passes], points[i].sum[points[i].passes]);
    set_thresholds(d, head, scores);
    free(points);
}
