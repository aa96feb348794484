/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"
#include "net_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

void *net__zeroed(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) & ~(size_t)63);

    if (!p)
        abort();
    return memset(p, 0, size);
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
static void lay_out(struct net_pass *p)
{
    int row = NET_GAP;

    memset(p->sym, SEK_SYM_PAD, sizeof p->sym);
    for (int i = 0; i < p->n; i++) {
        int n = p->x[i].n < NET_SPAN ? p->x[i].n : NET_SPAN;

        p->first[i] = row;
        p->len[i] = n + 2;
        p->sym[row] = SEK_SYM_EDGE;
        memcpy(p->sym + row + 1, p->x[i].sym, (size_t)n);
        p->sym[row + n + 1] = SEK_SYM_EDGE;
        row += n + 2 + NET_GAP;
    }
    p->rows = (row - NET_GAP + 3) & ~3;
}

static void embed(const struct net *n, struct net_pass *p)
{
    memset(p->h1, 0, sizeof(float) * CH * (size_t)(p->rows + 2 * NET_GAP + 4));
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

void net__fill(const struct net_pass *p, const float (*rows)[CH], struct filled *out)
{
    for (int r = 0; r < p->rows + 2 * NET_GAP; r++)
        filled_find(&out[r], rows[r]);
}

void net__convolve(const struct net_pass *p, const float (*in)[CH], const struct filled *filled,
                   float (*out)[CH], const float w[3][CH][CH], int spread)
{
    for (int k = 0; k < 3; k++) /* one place's weights fit the nearest cache */
        for (int r = NET_GAP; r < p->rows + NET_GAP; r++) {
            const int from = r + (k - 1) * spread;

            row_times(out[r], in[from], &filled[from], w[k]);
        }
}

static void convolve(struct net_pass *p, const float (*in)[CH], struct filled *filled,
                     float (*out)[CH], const float w[3][CH][CH], const float *bias, int spread,
                     bool residual)
{
    net__fill(p, in, filled);
    for (int r = 0; r < p->rows + 2 * NET_GAP; r++)
        for (int c = 0; c < CH; c++)
            out[r][c] = bias[c] + (residual ? in[r][c] : 0);
    net__convolve(p, in, filled, out, w, spread);
    for (int r = 0; r < p->rows + 2 * NET_GAP; r++) {
        if (p->sym[r] == SEK_SYM_PAD)
            memset(out[r], 0, sizeof out[r]);
        for (int c = 0; c < CH; c++)
            out[r][c] = out[r][c] > 0 ? out[r][c] : 0;
    }
}

static void pool(struct net_pass *p)
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

static void top(const struct net *n, struct net_pass *p)
{
    for (int i = 0; i < NET_MICRO; i++)
        for (int c = 0; c < CH; c++)
            p->hid[i][c] =
                n->dense_b[c] +
                (i < p->n ? n->class_w[p->x[i].class_id][c] + n->len_w[p->x[i].n][c] : 0);
    gemm_add(p->hid[0], p->feats[0], NET_FEATS, 1, n->dense[0], NET_MICRO, NET_FEATS);
    for (int i = 0; i < p->n; i++) {
        float z = n->out_b[0];

        for (int c = 0; c < CH; c++) {
            p->hid[i][c] = p->hid[i][c] > 0 ? p->hid[i][c] : 0;
            z += p->hid[i][c] * n->out[c];
        }
        p->z[i] = z;
    }
}

void net__forward(const struct net *n, struct net_pass *p, struct rng *r, float drop)
{
    lay_out(p);
    embed(n, p);
    convolve(p, (const float(*)[CH])p->h1, p->f1, p->h2, n->w2, n->b2, 1, false);
    convolve(p, (const float(*)[CH])p->h2, p->f2, p->h3, n->w3, n->b3, 2, true);
    pool(p);
    if (r && drop > 0)
        for (int i = 0; i < p->n; i++)
            for (int f = 0; f < NET_FEATS; f++) {
                p->keep[i][f] = rng_unit(r) >= drop;
                p->feats[i][f] *= p->keep[i][f] ? 1 / (1 - drop) : 0;
            }
    top(n, p);
}
void net_score(const struct net *n, const struct data *d, float *scores)
{
    struct net_pass *p = net__zeroed(sizeof *p);
    uint32_t at[NET_MICRO];

    for (uint32_t i = 0; i < d->n;) {
        for (p->n = 0; p->n < NET_MICRO && i < d->n; i++) {
            const struct item *it = &d->items[i];
            bool asked = it->test || (it->family != BENIGN && d->families[it->family].held);

            if (!asked)
                continue;
            at[p->n] = i;
            p->x[p->n].n = it->n;
            p->x[p->n].class_id = it->class_id;
            memcpy(p->x[p->n++].sym, it->sym, sizeof it->sym);
        }
        net__forward(n, p, NULL, 0);
        for (int k = 0; k < p->n; k++)
            scores[at[k]] = p->z[k];
    }
    free(p);
}
