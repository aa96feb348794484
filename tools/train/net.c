/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define GAP 2    /* empty rows between names: the reach of the widest layer */
#define MICRO 64 /* names of one pass */
#define STEP 512 /* names of one step of the optimiser */
#define ROWS (MICRO * (NET_SPAN + 2 + GAP) + 2 * GAP + 4)

/* One pass. Row r of the layers is row GAP + r of the arrays. */
struct pass {
    int n, rows;
    struct sample x[MICRO];
    int first[MICRO], len[MICRO];
    uint8_t sym[ROWS + 8];
    _Alignas(64) float h1[ROWS][CH], h2[ROWS][CH], h3[ROWS][CH];
    float g1[ROWS][CH], g2[ROWS][CH], g3[ROWS][CH];
    _Alignas(64) float feats[MICRO][NET_FEATS], g_feats[MICRO][NET_FEATS];
    uint8_t keep[MICRO][NET_FEATS];
    int arg3[MICRO][CH], arg2[MICRO][CH];
    _Alignas(64) float hid[MICRO][CH], g_hid[MICRO][CH];
    float z[MICRO];
    _Alignas(64) float back2[3][CH][CH], back3[3][CH][CH],
        back_dense[3][CH][CH]; /* transposed weights */
};

static void *zeroed(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

    if (!p)
        abort();
    return memset(p, 0, size);
}

static void transpose(float out[CH][CH], const float in[CH][CH])
{
    for (int i = 0; i < CH; i++)
        for (int j = 0; j < CH; j++)
            out[i][j] = in[j][i];
}

void net_init(struct net *n, uint64_t seed)
{
    struct rng r;
    float *w = (float *)n;

    memset(n, 0, sizeof *n);
    rng_seed(&r, seed);
#define FILL(array, scale)                                                                         \
    for (size_t i = 0, at = (size_t)((float *)(array)-w); i < sizeof(array) / sizeof(float); i++)  \
        w[at + i] = (rng_unit(&r) * 2 - 1) * (scale);
    FILL(n->uni, 0.25f)
    FILL(n->pair, 0.05f)
    FILL(n->triple, 0.05f)
    FILL(n->w2, 0.12f)
    FILL(n->w3, 0.1f)
    FILL(n->dense, 0.12f)
    FILL(n->class_w, 0.02f)
    FILL(n->out, 0.2f)
    FILL(n->head, 0.1f)
}

/* --- forward --- */

static void lay_out(struct pass *p)
{
    int row = GAP;

    memset(p->sym, SEK_SYM_PAD, sizeof p->sym);
    for (int i = 0; i < p->n; i++) {
        int n = p->x[i].n < NET_SPAN ? p->x[i].n : NET_SPAN;

        p->first[i] = row;
        p->len[i] = n + 2;
        p->sym[row] = SEK_SYM_EDGE;
        memcpy(p->sym + row + 1, p->x[i].sym, (size_t)n);
        p->sym[row + n + 1] = SEK_SYM_EDGE;
        row += n + 2 + GAP;
    }
    p->rows = (row - GAP + 3) & ~3;
}

static void embed(const struct net *n, struct pass *p)
{
    memset(p->h1, 0, sizeof(float) * CH * (size_t)(p->rows + 2 * GAP + 4));
    for (int i = 0; i < p->n; i++)
        for (int r = p->first[i]; r < p->first[i] + p->len[i]; r++) {
            const uint8_t *s = p->sym + r;
            const float *rows[7] = {n->uni[0][s[-2]],
                                    n->uni[1][s[-1]],
                                    n->uni[2][s[0]],
                                    n->uni[3][s[1]],
                                    n->uni[4][s[2]],
                                    n->pair[s[0] * SEK_N_SYMS + s[1]],
                                    n->triple[sek_triple_index(s[-1], s[0], s[1])]};

            for (int c = 0; c < CH; c++) {
                float v = n->b1[c];

                for (int k = 0; k < 7; k++)
                    v += rows[k][c];
                p->h1[r][c] = v > 0 ? v : 0;
            }
        }
}

static void convolve(struct pass *p, const float (*in)[CH], float (*out)[CH],
                     const float w[3][CH][CH], const float *bias, int spread, bool residual)
{
    for (int r = 0; r < p->rows + 2 * GAP; r++)
        for (int c = 0; c < CH; c++)
            out[r][c] = bias[c] + (residual ? in[r][c] : 0);
    for (int k = 0; k < 3; k++)
        gemm_add(out[GAP], in[GAP + (k - 1) * spread], CH, 1, w[k][0], p->rows, CH);
    for (int r = 0; r < p->rows + 2 * GAP; r++) {
        if (p->sym[r] == SEK_SYM_PAD)
            memset(out[r], 0, sizeof out[r]);
        for (int c = 0; c < CH; c++)
            out[r][c] = out[r][c] > 0 ? out[r][c] : 0;
    }
}

static void pool(struct pass *p)
{
    for (int i = 0; i < p->n; i++) {
        float *f = p->feats[i];
        int last = p->first[i] + p->len[i];

        for (int c = 0; c < CH; c++) {
            f[c] = f[2 * CH + c] = -1;
            f[CH + c] = 0;
        }
        for (int r = p->first[i]; r < last; r++)
            for (int c = 0; c < CH; c++) {
                if (p->h3[r][c] > f[c])
                    f[c] = p->h3[r][c], p->arg3[i][c] = r;
                f[CH + c] += p->h3[r][c];
                if (p->h2[r][c] > f[2 * CH + c])
                    f[2 * CH + c] = p->h2[r][c], p->arg2[i][c] = r;
            }
        for (int c = 0; c < CH; c++)
            f[CH + c] /= (float)p->len[i];
    }
}

static void top(const struct net *n, struct pass *p)
{
    for (int i = 0; i < MICRO; i++)
        for (int c = 0; c < CH; c++)
            p->hid[i][c] =
                n->dense_b[c] +
                (i < p->n ? n->class_w[p->x[i].class_id][c] + n->len_w[p->x[i].n][c] : 0);
    gemm_add(p->hid[0], p->feats[0], NET_FEATS, 1, n->dense[0], MICRO, NET_FEATS);
    for (int i = 0; i < p->n; i++) {
        float z = n->out_b[0];

        for (int c = 0; c < CH; c++) {
            p->hid[i][c] = p->hid[i][c] > 0 ? p->hid[i][c] : 0;
            z += p->hid[i][c] * n->out[c];
        }
        p->z[i] = z;
    }
}

static void forward(const struct net *n, struct pass *p, struct rng *r, float drop)
{
    lay_out(p);
    embed(n, p);
    convolve(p, (const float(*)[CH])p->h1, p->h2, n->w2, n->b2, 1, false);
    convolve(p, (const float(*)[CH])p->h2, p->h3, n->w3, n->b3, 2, true);
    pool(p);
    if (r && drop > 0)
        for (int i = 0; i < p->n; i++)
            for (int f = 0; f < NET_FEATS; f++) {
                p->keep[i][f] = rng_unit(r) >= drop;
                p->feats[i][f] *= p->keep[i][f] ? 1 / (1 - drop) : 0;
            }
    top(n, p);
}

/* --- backward --- */

/* Which family or kind: a second task that makes the features richer, and explanations possible. */
static float head_back(const struct net *n, struct net *g, struct pass *p, int i, float weight)
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

static double top_back(const struct net *n, struct net *g, struct pass *p,
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
    gemm_add(g->dense[0], p->feats[0], 1, NET_FEATS, p->g_hid[0], NET_FEATS, MICRO);
    memset(p->g_feats, 0, sizeof p->g_feats);
    for (int b = 0; b < 3; b++) { /* 64 features at a time: the kernel's columns */
        _Alignas(64) float part[MICRO][CH];

        memset(part, 0, sizeof part);
        gemm_add(part[0], p->g_hid[0], CH, 1, p->back_dense[b][0], MICRO, CH);
        for (int i = 0; i < MICRO; i++)
            memcpy(p->g_feats[i] + b * CH, part[i], sizeof part[i]);
    }
    return loss;
}

static void pool_back(struct pass *p, float drop)
{
    size_t used = sizeof(float) * CH * (size_t)(p->rows + 2 * GAP + 4);

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

static void mask(const struct pass *p, float (*g)[CH], const float (*h)[CH], float *g_bias)
{
    for (int r = 0; r < p->rows + 2 * GAP; r++)
        for (int c = 0; c < CH; c++) {
            g[r][c] = h[r][c] > 0 ? g[r][c] : 0;
            g_bias[c] += g[r][c];
        }
}

static void convolve_back(const struct pass *p, const float (*in)[CH], float (*g_in)[CH],
                          const float (*g_out)[CH], const float back[3][CH][CH],
                          float g_w[3][CH][CH], int spread)
{
    for (int k = 0; k < 3; k++) {
        int shift = (k - 1) * spread;

        gemm_add(g_in[GAP], g_out[GAP - shift], CH, 1, back[k][0], p->rows, CH);
        for (int r = 0; r < p->rows; r += 128) {
            int rows = p->rows - r < 128 ? p->rows - r : 128;

            gemm_add(g_w[k][0], in[GAP + r + shift], 1, CH, g_out[GAP + r], CH, rows);
        }
    }
}

static void embed_back(struct net *g, const struct pass *p)
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

static double learn(const struct net *n, struct net *g, struct pass *p, const struct net_plan *plan,
                    struct rng *r)
{
    double loss;

    forward(n, p, r, plan->drop);
    loss = top_back(n, g, p, plan);
    pool_back(p, plan->drop);
    mask(p, p->g3, (const float(*)[CH])p->h3, g->b3);
    for (int row = 0; row < p->rows + 2 * GAP; row++) /* the residual path */
        for (int c = 0; c < CH; c++)
            p->g2[row][c] += p->g3[row][c];
    convolve_back(p, (const float(*)[CH])p->h2, p->g2, (const float(*)[CH])p->g3, p->back3, g->w3,
                  2);
    mask(p, p->g2, (const float(*)[CH])p->h2, g->b2);
    memset(p->g1, 0, sizeof(float) * CH * (size_t)(p->rows + 2 * GAP + 4));
    convolve_back(p, (const float(*)[CH])p->h1, p->g1, (const float(*)[CH])p->g2, p->back2, g->w2,
                  1);
    mask(p, p->g1, (const float(*)[CH])p->h1, g->b1);
    embed_back(g, p);
    return loss;
}

/* Adam (Kingma and Ba, 2015). */
static void adam(struct net *n, struct net *g, struct net *m, struct net *v, float rate, uint64_t t)
{
    float *w = (float *)n, *gw = (float *)g, *mw = (float *)m, *vw = (float *)v;
    const float b1 = 0.9f, b2 = 0.995f;
    float c1 = 1 - powf(b1, (float)t), c2 = 1 - powf(b2, (float)t);
    float scale = rate * sqrtf(c2) / c1, inv = 1.0f / STEP;

    for (size_t i = 0; i < NET_FLOATS; i++) {
        float x = gw[i] * inv;

        mw[i] = b1 * mw[i] + (1 - b1) * x;
        vw[i] = b2 * vw[i] + (1 - b2) * x * x;
        w[i] -= scale * mw[i] / (sqrtf(vw[i]) + 1e-7f) + rate * 1e-3f * w[i] * (mw[i] != 0);
        gw[i] = 0;
    }
}

static void turn_weights(const struct net *n, struct pass *p)
{
    for (int k = 0; k < 3; k++) {
        transpose(p->back2[k], n->w2[k]);
        transpose(p->back3[k], n->w3[k]);
        transpose(p->back_dense[k], n->dense + k * CH);
    }
}

void net_train(struct net *n, struct sampler *s, const struct net_plan *plan)
{
    struct pass *p = zeroed(sizeof *p);
    struct net *g = zeroed(sizeof *g), *m = zeroed(sizeof *m), *v = zeroed(sizeof *v);
    uint64_t steps = plan->n_names / STEP;
    double loss = 0;
    clock_t start = clock();

    for (uint64_t t = 1; t <= steps; t++) {
        float done = (float)t / (float)steps;
        float rate =
            plan->rate * (done < 0.02f ? done / 0.02f : 0.5f + 0.5f * cosf(3.14159f * done));

        turn_weights(n, p);
        for (int k = 0; k < STEP / MICRO; k++) {
            p->n = MICRO;
            for (int i = 0; i < MICRO; i++)
                sampler_next(s, &p->x[i]);
            loss += learn(n, g, p, plan, &s->rng);
        }
        adam(n, g, m, v, rate + 1e-6f, t);
        if (t % 4000 == 0) {
            fprintf(stderr, "%s: %5.1f %%, loss %.4f, %.0f names/s\n", plan->name,
                    (double)done * 100, loss / (4000.0 * STEP),
                    (double)t * STEP / ((double)(clock() - start) / CLOCKS_PER_SEC));
            loss = 0;
        }
    }
    free(g);
    free(m);
    free(v);
    free(p);
}

void net_score(const struct net *n, const struct data *d, float *scores)
{
    struct pass *p = zeroed(sizeof *p);
    uint32_t at[MICRO];

    for (uint32_t i = 0; i < d->n;) {
        for (p->n = 0; p->n < MICRO && i < d->n; i++) {
            const struct item *it = &d->items[i];
            bool asked = it->test || (it->family != BENIGN && d->families[it->family].held);

            if (!asked)
                continue;
            at[p->n] = i;
            p->x[p->n].n = it->n;
            p->x[p->n].class_id = it->class_id;
            memcpy(p->x[p->n++].sym, it->sym, sizeof it->sym);
        }
        forward(n, p, NULL, 0);
        for (int k = 0; k < p->n; k++)
            scores[at[k]] = p->z[k];
    }
    free(p);
}
