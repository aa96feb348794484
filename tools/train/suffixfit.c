/* SPDX-License-Identifier: BSD-3-Clause */
#include "suffixfit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define ROUNDS 40
#define RIDGE 1.0 /* benign names' worth of doubt that a suffix says something new */

/* A suffix that no family has used may be the next one's, so that it may speak for a name by at
 * most so much more than before. */
#define FALL_MAX 1.0

struct point {
    double sum; /* of stage 1, as a logit */
    double weight;
    int class_id, family;
};

/* What is fitted: logit = scale × sum + bias + add[class]. */
struct logit {
    double scale, bias, add[CLASSES_MAX];
};

/* Both sides weigh the same, families by the square root of their size. */
static void weigh(struct point *points, uint32_t n)
{
    uint32_t count[FAMILIES_MAX] = {0}, n_benign = 0;
    double total = 0;

    for (uint32_t i = 0; i < n; i++)
        if (points[i].family == BENIGN)
            n_benign++;
        else
            count[points[i].family]++;
    for (uint32_t i = 0; i < n; i++) {
        struct point *p = &points[i];

        p->weight = p->family == BENIGN ? 1 : 1 / sqrt(count[p->family]);
        total += p->family == BENIGN ? 0 : p->weight;
    }
    for (uint32_t i = 0; i < n; i++)
        if (points[i].family != BENIGN)
            points[i].weight *= n_benign / total;
}

static uint32_t collect(const struct data *d, const struct sek_model *m, struct point *points)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < d->n; i++) {
        const struct item *it = &d->items[i];
        struct sek_unit u;

        if (!data_adjusts(d, it) || it->n < SEK_CLASSIFY_UNIT_MIN)
            continue;
        item_unit(it, &u);
        points[n++] = (struct point){.sum = (double)sek_stage1(m, &u) / m->head->stage1_unit,
                                     .class_id = it->class_id,
                                     .family = it->family};
    }
    weigh(points, n);
    return n;
}

/* Slope and curvature of a point's loss over its logit. */
static void loss_of(const struct logit *f, const struct point *p, double *slope, double *curve)
{
    double z = f->scale * p->sum + f->bias + f->add[p->class_id], is = 1 / (1 + exp(-z));

    *slope = p->weight * (is - (p->family != BENIGN));
    *curve = p->weight * is * (1 - is);
}

/* Newton's step for scale and bias. */
static void step_line(struct logit *f, const struct point *points, uint32_t n)
{
    double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0, det;

    for (uint32_t i = 0; i < n; i++) {
        double x = points[i].sum, g, h;

        loss_of(f, &points[i], &g, &h);
        g0 += g;
        g1 += g * x;
        h00 += h;
        h01 += h * x;
        h11 += h * x * x;
    }
    det = h00 * h11 - h01 * h01;
    f->bias -= (g0 * h11 - g1 * h01) / det;
    f->scale -= (g1 * h00 - g0 * h01) / det;
}

/* Newton's step for each class by itself. */
static void step_classes(struct logit *f, const struct point *points, uint32_t n)
{
    double slope[CLASSES_MAX], curve[CLASSES_MAX], g, h;

    for (int c = 0; c < CLASSES_MAX; c++) {
        slope[c] = RIDGE * f->add[c];
        curve[c] = RIDGE;
    }
    for (uint32_t i = 0; i < n; i++) {
        loss_of(f, &points[i], &g, &h);
        slope[points[i].class_id] += g;
        curve[points[i].class_id] += h;
    }
    for (int c = 0; c < CLASSES_MAX; c++)
        f->add[c] -= slope[c] / curve[c];
}

/* What the fit adds to all suffixes alike says nothing: an average benign name keeps its sum. */
static void centre(struct logit *f, const struct point *points, uint32_t n)
{
    double total = 0;
    uint32_t n_benign = 0;

    for (uint32_t i = 0; i < n; i++)
        if (points[i].family == BENIGN) {
            total += f->add[points[i].class_id];
            n_benign++;
        }
    for (int c = 0; c < CLASSES_MAX; c++)
        f->add[c] -= total / n_benign;
}

void suffixfit(const struct data *d, struct image *im)
{
    const struct sek_model_head *head = im->model.head;
    struct point *points = malloc(d->n * sizeof *points);
    int16_t *class1 = (int16_t *)im->model.class1;
    uint32_t n = collect(d, &im->model, points);
    struct logit f = {.scale = 1};
    double most = 0;

    for (int round = 0; round < ROUNDS; round++) {
        step_line(&f, points, n);
        step_classes(&f, points, n);
    }
    centre(&f, points, n);
    for (uint32_t c = 0; c < head->n_classes; c++) {
        double add = fmax(f.add[c] / f.scale, -FALL_MAX);

        most = fabs(add) > most ? fabs(add) : most;
        class1[c] = (int16_t)(class1[c] + lround(add * head->stage1_unit));
    }
    printf("suffixes: fitted on %u names, the most by %.1f\n", n, most);
    free(points);
}
