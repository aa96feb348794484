/* SPDX-License-Identifier: BSD-3-Clause */
/* Learning: the chain rule layer by layer, and the optimiser. */
#include "net.h"
#include "net_parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define STEP 512 /* names of one step of the optimiser */
#define AVERAGE_EVERY 8

static void transpose(float out[CH][CH], const float in[CH][CH])
{
    for (int i = 0; i < CH; i++)
        for (int j = 0; j < CH; j++)
            out[i][j] = in[j][i];
}
/* Which family or kind: a second task that makes the features richer, and explanations possible. */
static float head_back(const struct net *n, struct net *g, struct net_pass *p, int i, float weight)
{
    float e[NET_HEADS], max = -1e9f, sum = 0;
    const float *h = p->hid[i];

    for (int k = 0; k < NET_HEADS; k++) {
        float v = n->head_b[k];

        for (int c = 0; c < CH; c++)
            v += h[c] * n->head[k][c];
        e[k] = v;
        max = v > max ? v : max;
    }
    for (int k = 0; k < NET_HEADS; k++)
        sum += e[k] = expf(e[k] - max);
    for (int k = 0; k < NET_HEADS; k++) {
        float d = weight * (e[k] / sum - (k == p->x[i].target ? 1.0f : 0.0f));

        g->head_b[k] += d;
        for (int c = 0; c < CH; c++) {
            g->head[k][c] += d * h[c];
            p->g_hid[i][c] += d * n->head[k][c];
        }
    }
    return -logf(e[p->x[i].target] / sum + 1e-9f);
}

static double top_back(const struct net *n, struct net *g, struct net_pass *p,
                       const struct net_plan *plan)
{
    double loss = 0;

    memset(p->g_hid, 0, sizeof p->g_hid);
    for (int i = 0; i < p->n; i++) {
        float q = 1 / (1 + expf(-p->z[i])), y = p->x[i].target >= 0 ? 1.0f : 0.0f, d = q - y;

        loss -= y > 0 ? logf(q + 1e-6f) : logf(1.000001f - q);
        if (y == 0 && plan->bound > 0 && 1 - q < plan->bound)
            d *= (1 - q) / plan->bound;
        g->out_b[0] += d;
        for (int c = 0; c < CH; c++) {
            g->out[c] += d * p->hid[i][c];
            p->g_hid[i][c] += d * n->out[c];
        }
        if (y > 0 && plan->head_weight > 0)
            head_back(n, g, p, i, plan->head_weight);
        for (int c = 0; c < CH; c++) {
            float d1 = p->hid[i][c] > 0 ? p->g_hid[i][c] : 0;

            p->g_hid[i][c] = d1;
            g->dense_b[c] += d1;
            g->class_w[p->x[i].class_id][c] += d1;
            g->len_w[p->x[i].n][c] += d1;
        }
    }
    gemm_add(g->dense[0], p->feats[0], 1, NET_FEATS, p->g_hid[0], NET_FEATS, NET_MICRO);
    memset(p->g_feats, 0, sizeof p->g_feats);
    for (int b = 0; b < 3; b++) { /* 64 features at a time: the kernel's columns */
        _Alignas(64) float part[NET_MICRO][CH];

        memset(part, 0, sizeof part);
        gemm_add(part[0], p->g_hid[0], CH, 1, p->back_dense[b][0], NET_MICRO, CH);
        for (int i = 0; i < NET_MICRO; i++)
            memcpy(p->g_feats[i] + b * CH, part[i], sizeof part[i]);
    }
    return loss;
}

static void pool_back(struct net_pass *p, float drop)
{
    size_t used = sizeof(float) * CH * (size_t)(p->rows + 2 * NET_GAP + 4);

    memset(p->g3, 0, used);
    memset(p->g2, 0, used);
    for (int i = 0; i < p->n; i++) {
        float *f = p->g_feats[i];

        if (drop > 0)
            for (int k = 0; k < NET_FEATS; k++)
                f[k] *= p->keep[i][k] ? 1 / (1 - drop) : 0;
        for (int r = p->first[i]; r < p->first[i] + p->len[i]; r++)
            for (int c = 0; c < CH; c++)
                p->g3[r][c] = f[CH + c] / (float)p->len[i];
        for (int c = 0; c < CH; c++) {
            p->g3[p->arg3[i][c]][c] += f[c];
            p->g2[p->arg2[i][c]][c] += f[2 * CH + c];
        }
    }
}

static void mask(const struct net_pass *p, float (*g)[CH], const float (*h)[CH], float *g_bias)
{
    for (int r = 0; r < p->rows + 2 * NET_GAP; r++)
        for (int c = 0; c < CH; c++) {
            g[r][c] = h[r][c] > 0 ? g[r][c] : 0;
            g_bias[c] += g[r][c];
        }
}

static void convolve_back(const struct net_pass *p, const float (*in)[CH],
                          const struct filled *f_in, float (*g_in)[CH], const float (*g_out)[CH],
                          struct filled *f_out, const float back[3][CH][CH], float g_w[3][CH][CH],
                          int spread)
{
    net__fill(p, g_out, f_out);
    net__convolve(p, g_out, f_out, g_in, back, -spread);
    for (int k = 0; k < 3; k++)
        for (int r = NET_GAP; r < p->rows + NET_GAP; r++) {
            const int from = r + (k - 1) * spread;

            if (f_out[r].n > 0)
                outer_add(g_w[k], in[from], &f_in[from], g_out[r]);
        }
}

static void embed_back(struct net *g, const struct net_pass *p)
{
    for (int i = 0; i < p->n; i++)
        for (int r = p->first[i]; r < p->first[i] + p->len[i]; r++) {
            const uint8_t *s = p->sym + r;
            float *rows[7] = {g->uni[0][s[-2]],
                              g->uni[1][s[-1]],
                              g->uni[2][s[0]],
                              g->uni[3][s[1]],
                              g->uni[4][s[2]],
                              g->pair[s[0] * SEK_N_SYMS + s[1]],
                              g->triple[sek_triple_index(s[-1], s[0], s[1])]};

            for (int k = 0; k < 7; k++)
                for (int c = 0; c < CH; c++)
                    rows[k][c] += p->g1[r][c];
        }
}

static double learn(const struct net *n, struct net *g, struct net_pass *p,
                    const struct net_plan *plan, struct rng *r)
{
    double loss;

    net__forward(n, p, r, plan->drop);
    loss = top_back(n, g, p, plan);
    if (plan->first >= NET_TOP)
        return loss;
    pool_back(p, plan->drop);
    mask(p, p->g3, (const float(*)[CH])p->h3, g->b3);
    for (int row = 0; row < p->rows + 2 * NET_GAP; row++) /* the residual path */
        for (int c = 0; c < CH; c++)
            p->g2[row][c] += p->g3[row][c];
    convolve_back(p, (const float(*)[CH])p->h2, p->f2, p->g2, (const float(*)[CH])p->g3, p->f_g3,
                  p->back3, g->w3, 2);
    mask(p, p->g2, (const float(*)[CH])p->h2, g->b2);
    memset(p->g1, 0, sizeof(float) * CH * (size_t)(p->rows + 2 * NET_GAP + 4));
    convolve_back(p, (const float(*)[CH])p->h1, p->f1, p->g1, (const float(*)[CH])p->g2, p->f_g2,
                  p->back2, g->w2, 1);
    mask(p, p->g1, (const float(*)[CH])p->h1, g->b1);
    embed_back(g, p);
    return loss;
}

/* Adam (Kingma and Ba, 2015). */
static void adam(struct net *n, struct net *g, struct net *m, struct net *v, float rate, uint64_t t,
                 size_t first)
{
    float *w = (float *)n, *gw = (float *)g, *mw = (float *)m, *vw = (float *)v;
    const float b1 = 0.9f, b2 = 0.995f;
    float c1 = 1 - powf(b1, (float)t), c2 = 1 - powf(b2, (float)t);
    float scale = rate * sqrtf(c2) / c1, inv = 1.0f / STEP;

    memset(gw, 0, first * sizeof *gw);
    for (size_t i = first; i < NET_FLOATS; i++) {
        float x = gw[i] * inv;

        mw[i] = b1 * mw[i] + (1 - b1) * x;
        vw[i] = b2 * vw[i] + (1 - b2) * x * x;
        /* 1e-20: fast square roots of AVX2 take numbers near 0 for 0 and give no number */
        w[i] -=
            scale * mw[i] / (sqrtf(vw[i] + 1e-20f) + 1e-7f) + rate * 1e-3f * w[i] * (mw[i] != 0);
        gw[i] = 0;
    }
}

static void turn_weights(const struct net *n, struct net_pass *p)
{
    for (int k = 0; k < 3; k++) {
        transpose(p->back2[k], n->w2[k]);
        transpose(p->back3[k], n->w3[k]);
        transpose(p->back_dense[k], n->dense + k * CH);
    }
}

/* With a rate that stays up the weights wander about a minimum; their mean lies nearer to it, and
 * in a flatter place, than where a falling rate leaves them (Izmailov et al., 2018). */
static void average(struct net *sum, const struct net *n, float share)
{
    float *to = (float *)sum;
    const float *w = (const float *)n;

    for (size_t i = 0; i < NET_FLOATS; i++)
        to[i] += share * (w[i] - to[i]);
}

static float rate_at(const struct net_plan *plan, float done)
{
    float part = done < 0.02f ? done / 0.02f : 0.5f + 0.5f * cosf(3.14159f * done);

    return plan->rate * (done < 0.02f || part > plan->floor ? part : plan->floor) + 1e-6f;
}

void net_train(struct net *n, struct sampler *s, const struct net_plan *plan)
{
    struct net_pass *p = net__zeroed(sizeof *p);
    struct net *g = net__zeroed(sizeof *g), *m = net__zeroed(sizeof *m),
               *v = net__zeroed(sizeof *v), *sum = net__zeroed(sizeof *sum);
    uint64_t steps = plan->n_names / STEP, n_averaged = 0;
    double loss = 0;
    clock_t start = clock();

    for (uint64_t t = 1; t <= steps; t++) {
        float done = (float)t / (float)steps;

        turn_weights(n, p);
        for (int k = 0; k < STEP / NET_MICRO; k++) {
            p->n = NET_MICRO;
            for (int i = 0; i < NET_MICRO; i++)
                sampler_next(s, &p->x[i]);
            loss += learn(n, g, p, plan, &s->rng);
        }
        adam(n, g, m, v, rate_at(plan, done), t, plan->first);
        if (done > 1 - plan->average && t % AVERAGE_EVERY == 0)
            average(sum, n, 1 / (float)++n_averaged);
        if (t % 1000 == 0) {
            fprintf(stderr, "%s: %5.1f %%, loss %.4f, %.0f names/s\n", plan->name,
                    (double)done * 100, loss / (1000.0 * STEP),
                    (double)t * STEP / ((double)(clock() - start) / CLOCKS_PER_SEC));
            loss = 0;
        }
    }
    if (n_averaged > 0)
        *n = *sum;
    free(sum);
    free(g);
    free(m);
    free(v);
    free(p);
}
