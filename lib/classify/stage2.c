/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 in plain C: what every other way must equal. Sums are unsigned, so that they wrap. */
#include "classify/stages.h"
#include <string.h>
#include "base/banned.h"

#define FIRST 2 /* row of the edge in front: two empty ones stand before it */

void sek__stage2_lay_out(const struct sek_unit *u, struct sek_net_work *w)
{
    unsigned n = u->n < SEK_SPAN ? u->n : SEK_SPAN;

    memset(w->sym, SEK_SYM_PAD, sizeof(w->sym));
    w->sym[FIRST] = SEK_SYM_EDGE;
    memcpy(w->sym + FIRST + 1, u->sym, n);
    w->sym[FIRST + 1 + n] = SEK_SYM_EDGE;
    w->n = n + 2;
}

static int16_t activation(int32_t v)
{
    return (int16_t)(v < 0 ? 0 : v > SEK_ACT_MAX ? SEK_ACT_MAX : v);
}

/* With `shift` more bits behind the point, rounded. */
static int16_t activation_of(uint32_t sum, uint32_t shift)
{
    return activation((int32_t)(sum + (1u << (shift - 1))) >> shift);
}

static void embed(const struct sek_model *m, struct sek_net_work *w)
{
    const int factor = 1 << m->head->table_shift;

    memset(w->a, 0, sizeof(w->a));
    for (unsigned r = FIRST; r < FIRST + w->n; r++) {
        const uint8_t *s = w->sym + r;
        const int8_t *pair = m->pair[s[0] * SEK_N_SYMS + s[1]];
        const int8_t *triple = m->triple[sek_triple_index(s[-1], s[0], s[1])];

        for (unsigned c = 0; c < SEK_CH; c++) {
            int v = m->uni[0][s[-2]][c] + m->uni[1][s[-1]][c] + m->uni[2][s[0]][c] +
                    m->uni[3][s[1]][c] + m->uni[4][s[2]][c] + (pair[c] + triple[c]) * factor;

            w->a[r][c] = activation((int16_t)v); /* wraps as 16-bit lanes do */
        }
    }
}

static void convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread, bool residual,
                     const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH], unsigned n)
{
    memset(out, 0, sizeof(*out) * SEK_ROWS);
    for (unsigned r = FIRST; r < FIRST + n; r++)
        for (unsigned c = 0; c < SEK_CH; c++) {
            uint32_t sum = (uint32_t)conv->bias[c];

            if (residual)
                sum += (uint32_t)in[r][c] << shift;
            for (unsigned k = 0; k < 3; k++)
                for (unsigned i = 0; i < SEK_CH; i++)
                    sum += (uint32_t)(conv->w[k][i / 2][c][i % 2] * in[r + k * spread - spread][i]);
            out[r][c] = activation_of(sum, shift);
        }
}

/* The largest and the mean of each channel, the latter over rows in use. */
static void pool(const int16_t (*rows)[SEK_CH], unsigned n, int16_t *max, int16_t *mean)
{
    for (unsigned c = 0; c < SEK_CH; c++) {
        int32_t sum = 0; /* of at most 42 activations */

        max[c] = 0;
        for (unsigned r = FIRST; r < FIRST + n; r++) {
            max[c] = rows[r][c] > max[c] ? rows[r][c] : max[c];
            sum += rows[r][c];
        }
        if (mean)
            mean[c] = (int16_t)(sum * (int32_t)(65536 / n) >> 16);
    }
}

static int32_t top(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
{
    const struct sek_model_head *head = m->head;
    uint32_t z = (uint32_t)head->out_bias;

    for (unsigned c = 0; c < SEK_CH; c++) {
        uint32_t sum = (uint32_t)(m->dense_b[c] + m->class2[u->class_id][c] + m->len2[u->n][c])
                       << head->dense_shift;

        for (unsigned f = 0; f < SEK_FEATS; f++)
            sum += (uint32_t)(m->dense[f / 2][c][f % 2] * w->feats[f]);
        w->hidden[c] = activation_of(sum, head->dense_shift);
        z += (uint32_t)(m->out[c] * w->hidden[c]);
    }
    return (int32_t)z;
}

typedef void convolve_fn(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                         bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                         unsigned n);

static inline int32_t run(const struct sek_model *m, const struct sek_unit *u,
                          struct sek_net_work *w, convolve_fn *conv)
{
    const struct sek_model_head *head = m->head;

    sek__stage2_lay_out(u, w);
    embed(m, w);
    conv(m->conv2, head->conv2_shift, 1, false, (const int16_t(*)[SEK_CH])w->a, w->b, w->n);
    pool((const int16_t(*)[SEK_CH])w->b, w->n, w->feats + 2 * SEK_CH, NULL);
    conv(m->conv3, head->conv3_shift, 2, true, (const int16_t(*)[SEK_CH])w->b, w->a, w->n);
    pool((const int16_t(*)[SEK_CH])w->a, w->n, w->feats, w->feats + SEK_CH);
    return top(m, u, w);
}

static int32_t plain(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
{
    return run(m, u, w, convolve);
}

#if defined(__aarch64__)
static int32_t neon(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
{
    return run(m, u, w, sek__stage2_neon_convolve);
}
#endif

static bool always(void)
{
    return true;
}

const struct sek_stage2_way sek_stage2_ways[] = {
#if defined(__x86_64__)
    {"avx512", sek__stage2_avx512_usable, sek__stage2_avx512},
    {"avx2", sek__stage2_avx2_usable, sek__stage2_avx2},
#endif
#if defined(__aarch64__)
    {"neon", always, neon},
#endif
    {"plain", always, plain},
    {0},
};

int32_t sek_stage2(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
{
    const struct sek_stage2_way *way = sek_stage2_ways;

    while (!way->usable())
        way++;
    return way->run(m, u, w);
}
