/* SPDX-License-Identifier: BSD-3-Clause */
#include "linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define GRAMS_MAX ((SEK_LABEL_MAX + 2) * SEK_GRAM_MAX)

static unsigned grams_of(const uint8_t *sym, unsigned n, uint32_t *out)
{
    uint64_t run = 0;
    unsigned k = 0;

    for (unsigned i = 0; i < n + 2; i++) {
        run = run << 6 | (i == 0 || i == n + 1 ? SEK_SYM_EDGE : sym[i - 1]);
        for (unsigned g = 1; g <= SEK_GRAM_MAX && g <= i + 1; g++)
            out[k++] = sek_gram_index(run, g);
    }
    return k;
}

float linear_score(const struct linear *l, const uint8_t *sym, unsigned n, unsigned class_id)
{
    uint32_t at[GRAMS_MAX];
    unsigned k = grams_of(sym, n, at);
    float z = l->bias + l->class_w[class_id] + l->len_w[n];

    for (unsigned i = 0; i < k; i++)
        z += l->gram[at[i]];
    return z;
}

/* AdaGrad: rare n-grams learn as much as common ones. */
static void step(float *w, float *g2, float grad, float rate)
{
    grad += 2e-7f * *w;
    *g2 += grad * grad;
    *w -= rate * grad / sqrtf(*g2 + 1e-8f);
}

void linear_train(struct linear *l, struct sampler *s, uint64_t n_names)
{
    struct linear *g2 = calloc(1, sizeof *g2);
    struct sample x;
    uint32_t at[GRAMS_MAX];

    memset(l, 0, sizeof *l);
    for (uint64_t t = 0; t < n_names; t++) {
        float rate = 0.06f * (1.0f - 0.97f * (float)t / (float)n_names), grad;
        unsigned k;

        sampler_next(s, &x);
        k = grams_of(x.sym, x.n, at);
        float z = l->bias + l->class_w[x.class_id] + l->len_w[x.n];
        for (unsigned i = 0; i < k; i++)
            z += l->gram[at[i]];
        grad = 1.0f / (1.0f + expf(-z)) - (x.target >= 0 ? 1.0f : 0.0f);
        step(&l->bias, &g2->bias, grad, rate);
        step(&l->class_w[x.class_id], &g2->class_w[x.class_id], grad, rate);
        step(&l->len_w[x.n], &g2->len_w[x.n], grad, rate);
        for (unsigned i = 0; i < k; i++)
            step(&l->gram[at[i]], &g2->gram[at[i]], grad, rate);
    }
    free(g2);
}
