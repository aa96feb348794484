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

AVX2 void sek__stage2_avx2_embed(const struct sek_model *m, struct sek_net_work *w)
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

/* What a tile's sums start from: bias, and with a residual layer what comes in. */
AVX2 static inline __m256i start(const struct sek_conv *conv, unsigned c, bool residual,
                                 const int16_t *old, __m128i by)
{
    __m256i sum = load(conv->bias + c);

    if (!residual)
        return sum;
    return _mm256_add_epi32(sum, _mm256_sll_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128(
                                                      (const __m128i *)(const void *)(old + c))),
                                                  by));
}

/* One input pair of row t, times the weights of 16 channels. */
#define ADD_ROW(t)                                                                                 \
    v = _mm256_set1_epi32(pair_at(x + (t)*SEK_CH));                                                \
    lo##t = _mm256_add_epi32(lo##t, _mm256_madd_epi16(v, w0));                                     \
    hi##t = _mm256_add_epi32(hi##t, _mm256_madd_epi16(v, w1));
#define START_ROW(t)                                                                               \
    __m256i lo##t = start(conv, c, residual, in[r + (t)], by);                                     \
    __m256i hi##t = start(conv, c + 8, residual, in[r + (t)], by);
#define STORE_ROW(t) store(&out[r + (t)][c], narrow(lo##t, hi##t, by, half));

/* Four rows from `r`, 16 channels from `c`. Written out, so that the sums stay in registers. */
AVX2 static inline void tile(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                             bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                             unsigned r, unsigned c)
{
    const __m256i half = _mm256_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)shift);

    START_ROW(0)
    START_ROW(1)
    START_ROW(2)
    START_ROW(3)
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < SEK_CH / 2; i++) {
            const int16_t *x = &in[r + k * spread - spread][2 * i];
            const __m256i w0 = load(conv->w[k][i][c]), w1 = load(conv->w[k][i][c + 8]);
            __m256i v;

            ADD_ROW(0)
            ADD_ROW(1)
            ADD_ROW(2)
            ADD_ROW(3)
        }
    STORE_ROW(0)
    STORE_ROW(1)
    STORE_ROW(2)
    STORE_ROW(3)
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

AVX2 void sek__stage2_avx2_pool(const int16_t (*rows)[SEK_CH], unsigned n, int16_t *max,
                                int16_t *mean)
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

/* Eight channels of the hidden layer from `c`: bias, class and length, then all features. */
AVX2 static inline __m256i dense(const struct sek_model *m, const struct sek_unit *u,
                                 const struct sek_net_work *w, unsigned c, __m128i by)
{
    const int16_t *const bias[] = {m->dense_b + c, m->class2[u->class_id] + c, m->len2[u->n] + c};
    __m256i even = _mm256_setzero_si256(), odd = even;

    for (unsigned i = 0; i < 3; i++)
        even = _mm256_add_epi32(
            even, _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)bias[i])));
    even = _mm256_sll_epi32(even, by);
    for (unsigned f = 0; f < SEK_FEATS / 2; f += 2) {
        const __m256i v = _mm256_set1_epi32(pair_at(w->feats + 2 * f));
        const __m256i next = _mm256_set1_epi32(pair_at(w->feats + 2 * f + 2));

        even = _mm256_add_epi32(even, _mm256_madd_epi16(v, load(m->dense[f][c])));
        odd = _mm256_add_epi32(odd, _mm256_madd_epi16(next, load(m->dense[f + 1][c])));
    }
    return _mm256_add_epi32(even, odd);
}

AVX2 int32_t sek__stage2_avx2_top(const struct sek_model *m, const struct sek_unit *u,
                                  struct sek_net_work *w)
{
    const __m128i by = _mm_cvtsi32_si128((int)m->head->dense_shift);
    const __m256i half = _mm256_set1_epi32(1 << (m->head->dense_shift - 1));
    uint32_t z = (uint32_t)m->head->out_bias;

    for (unsigned c = 0; c < SEK_CH; c += 16)
        store(w->hidden + c, narrow(dense(m, u, w, c, by), dense(m, u, w, c + 8, by), by, half));
    for (unsigned c = 0; c < SEK_CH; c++)
        z += (uint32_t)(m->out[c] * w->hidden[c]);
    return (int32_t)z;
}

AVX2 int32_t sek__stage2_avx2(const struct sek_model *m, const struct sek_unit *u,
                              struct sek_net_work *w)
{
    const struct sek_model_head *head = m->head;

    sek__stage2_lay_out(u, w);
    sek__stage2_avx2_embed(m, w);
    convolve(m->conv2, head->conv2_shift, 1, false, (const int16_t(*)[SEK_CH])w->a, w->b, w->n);
    sek__stage2_avx2_pool((const int16_t(*)[SEK_CH])w->b, w->n, w->feats + 2 * SEK_CH, NULL);
    convolve(m->conv3, head->conv3_shift, 2, true, (const int16_t(*)[SEK_CH])w->b, w->a, w->n);
    sek__stage2_avx2_pool((const int16_t(*)[SEK_CH])w->a, w->n, w->feats, w->feats + SEK_CH);
    return sek__stage2_avx2_top(m, u, w);
}
#endif
