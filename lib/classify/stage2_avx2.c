/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 with AVX2. Products of 16-bit neighbours are added in 32-bit lanes, which wrap. */
#include "classify/stages.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#include "base/banned.h"

#define AVX2 __attribute__((target("avx2")))
#define FIRST 2
#define TILE 4 /* rows at a time: a weight loaded once serves four */
#define LANES (SEK_CH / 16)

bool sek__stage2_avx2_usable(void)
{
    return __builtin_cpu_supports("avx2");
}

AVX2 static inline __m256i load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2 static inline __m256i load8(const int8_t *p)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
}

AVX2 static inline void store(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}

AVX2 static inline __m256i clip16(__m256i v)
{
    return _mm256_min_epi16(_mm256_max_epi16(v, _mm256_setzero_si256()),
                            _mm256_set1_epi16(SEK_ACT_MAX));
}

/* Two vectors of sums to one of activations, in order. */
AVX2 static inline __m256i narrow(__m256i lo, __m256i hi, __m128i shift, __m256i half)
{
    lo = _mm256_sra_epi32(_mm256_add_epi32(lo, half), shift);
    hi = _mm256_sra_epi32(_mm256_add_epi32(hi, half), shift);
    /* the pack saturates, which the clip would do in any case */
    return clip16(_mm256_permute4x64_epi64(_mm256_packs_epi32(lo, hi), 0xd8));
}

AVX2 static void embed(const struct sek_model *m, struct sek_net_work *w)
{
    const __m128i shift = _mm_cvtsi32_si128((int)m->head->table_shift);

    memset(w->a, 0, sizeof(w->a));
    for (unsigned r = FIRST; r < FIRST + w->n; r++) {
        const uint8_t *s = w->sym + r;
        const int8_t *pair = m->pair[s[0] * SEK_N_SYMS + s[1]];
        const int8_t *triple = m->triple[sek_triple_index(s[-1], s[0], s[1])];

        for (unsigned c = 0; c < SEK_CH; c += 16) {
            __m256i v = _mm256_add_epi16(load8(pair + c), load8(triple + c));

            v = _mm256_sll_epi16(v, shift);
            for (unsigned k = 0; k < SEK_AROUND; k++)
                v = _mm256_add_epi16(v, load(&m->uni[k][w->sym[r + k - 2]][c]));
            store(&w->a[r][c], clip16(v));
        }
    }
}

AVX2 static inline int pair_at(const int16_t *p)
{
    int v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Four rows from `r`, 16 channels from `c`. */
AVX2 static inline void tile(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                             bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                             unsigned r, unsigned c)
{
    const __m256i half = _mm256_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)shift);
    __m256i acc[TILE][2];

    for (unsigned t = 0; t < TILE; t++) {
        acc[t][0] = load(conv->bias + c);
        acc[t][1] = load(conv->bias + c + 8);
        if (residual) {
            __m256i old = load(&in[r + t][c]);

            acc[t][0] = _mm256_add_epi32(
                acc[t][0],
                _mm256_sll_epi32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(old)), by));
            acc[t][1] = _mm256_add_epi32(
                acc[t][1],
                _mm256_sll_epi32(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(old, 1)), by));
        }
    }
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < SEK_CH / 2; i++) {
            const int16_t *x = &in[r + k * spread - spread][2 * i];
            const __m256i w0 = load(conv->w[k][i][c]), w1 = load(conv->w[k][i][c + 8]);

            for (unsigned t = 0; t < TILE; t++) {
                const __m256i v = _mm256_set1_epi32(pair_at(x + t * SEK_CH));

                acc[t][0] = _mm256_add_epi32(acc[t][0], _mm256_madd_epi16(v, w0));
                acc[t][1] = _mm256_add_epi32(acc[t][1], _mm256_madd_epi16(v, w1));
            }
        }
    for (unsigned t = 0; t < TILE; t++)
        store(&out[r + t][c], narrow(acc[t][0], acc[t][1], by, half));
}

AVX2 static void convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                          bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                          unsigned n)
{
    memset(out, 0, sizeof(*out) * FIRST);
    for (unsigned r = FIRST; r < FIRST + n; r += TILE)
        for (unsigned c = 0; c < SEK_CH; c += 16)
            tile(conv, shift, spread, residual, in, out, r, c);
    memset(out + FIRST + n, 0, sizeof(*out) * (SEK_ROWS - FIRST - n)); /* the last tile's surplus */
}

AVX2 static void pool(const int16_t (*rows)[SEK_CH], unsigned n, int16_t *max, int16_t *mean)
{
    for (unsigned c = 0; c < SEK_CH; c += 16) {
        __m256i most = _mm256_setzero_si256(), lo = most, hi = most;
        const __m256i part = _mm256_set1_epi32((int)(65536 / n));

        for (unsigned r = FIRST; r < FIRST + n; r++) {
            __m256i v = load(&rows[r][c]);

            most = _mm256_max_epi16(most, v);
            lo = _mm256_add_epi32(lo, _mm256_cvtepi16_epi32(_mm256_castsi256_si128(v)));
            hi = _mm256_add_epi32(hi, _mm256_cvtepi16_epi32(_mm256_extracti128_si256(v, 1)));
        }
        store(max + c, most);
        if (!mean)
            continue;
        lo = _mm256_srli_epi32(_mm256_mullo_epi32(lo, part), 16);
        hi = _mm256_srli_epi32(_mm256_mullo_epi32(hi, part), 16);
        store(mean + c, _mm256_permute4x64_epi64(_mm256_packus_epi32(lo, hi), 0xd8));
    }
}

/* Sixteen channels of the hidden layer from `c`. */
AVX2 static __m256i dense(const struct sek_model *m, const struct sek_unit *u,
                          const struct sek_net_work *w, unsigned c)
{
    const __m128i by = _mm_cvtsi32_si128((int)m->head->dense_shift);
    const __m256i half = _mm256_set1_epi32(1 << (m->head->dense_shift - 1));
    __m256i acc[2][2];

    for (unsigned h = 0; h < 2; h++) {
        unsigned at = c + 8 * h;
        __m256i sum = _mm256_setzero_si256();
        const int16_t *bias[] = {m->dense_b, m->class2[u->class_id], m->len2[u->n]};

        for (unsigned i = 0; i < 3; i++)
            sum = _mm256_add_epi32(
                sum,
                _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(bias[i] + at))));
        acc[h][0] = _mm256_sll_epi32(sum, by);
        acc[h][1] = _mm256_setzero_si256();
    }
    for (unsigned f = 0; f < SEK_FEATS; f += 2) {
        const __m256i v = _mm256_set1_epi32(pair_at(w->feats + f));

        for (unsigned h = 0; h < 2; h++)
            acc[h][f / 2 % 2] = _mm256_add_epi32(
                acc[h][f / 2 % 2], _mm256_madd_epi16(v, load(m->dense[f / 2][c + 8 * h])));
    }
    return narrow(_mm256_add_epi32(acc[0][0], acc[0][1]), _mm256_add_epi32(acc[1][0], acc[1][1]),
                  by, half);
}

AVX2 static int32_t top(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
{
    uint32_t z = (uint32_t)m->head->out_bias;

    for (unsigned c = 0; c < LANES; c++)
        store(w->hidden + c * 16, dense(m, u, w, c * 16));
    for (unsigned c = 0; c < SEK_CH; c++)
        z += (uint32_t)(m->out[c] * w->hidden[c]);
    return (int32_t)z;
}

AVX2 int32_t sek__stage2_avx2(const struct sek_model *m, const struct sek_unit *u,
                              struct sek_net_work *w)
{
    const struct sek_model_head *head = m->head;

    sek__stage2_lay_out(u, w);
    embed(m, w);
    convolve(m->conv2, head->conv2_shift, 1, false, (const int16_t(*)[SEK_CH])w->a, w->b, w->n);
    pool((const int16_t(*)[SEK_CH])w->b, w->n, w->feats + 2 * SEK_CH, NULL);
    convolve(m->conv3, head->conv3_shift, 2, true, (const int16_t(*)[SEK_CH])w->b, w->a, w->n);
    pool((const int16_t(*)[SEK_CH])w->a, w->n, w->feats, w->feats + SEK_CH);
    return top(m, u, w);
}
#endif
