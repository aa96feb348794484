/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 with AVX2. Products of 16-bit neighbours are added in 32-bit lanes, which wrap. */
#include "classify/stages.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#include "base/banned.h"

#define AVX2 __attribute__((target("avx2")))
#define FIRST 2

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

/* Pairs of a row that are not zero, one bit each. */
AVX2 static inline uint32_t pairs_in_use(const int16_t *row)
{
    uint32_t zero = 0;

    for (unsigned i = 0; i < SEK_CH / 2; i += 8)
        zero |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(
                    _mm256_cmpeq_epi32(load(row + 2 * i), _mm256_setzero_si256())))
                << i;
    return ~zero;
}

/* Eight sums of 64 channels: named, so that they stay in registers. */
#define EACH_SUM(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define START_SUM(t)                                                                               \
    __m256i s##t = load(conv->bias + 8 * (t));                                                     \
    if (residual)                                                                                  \
        s##t = _mm256_add_epi32(                                                                   \
            s##t, _mm256_sll_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128(                          \
                                       (const __m128i *)(const void *)(in[r] + 8 * (t)))),         \
                                   by));
#define ADD_TO_SUM(t)                                                                              \
    s##t = _mm256_add_epi32(s##t, _mm256_madd_epi16(v, load(weights[i][8 * (t)])));                \
    __asm__("" : "+x"(s##t)); /* else the compiler moves sums around between registers */
#define STORE_SUMS(t, u) store(&out[r][8 * (t)], narrow(s##t, s##u, by, half));

/* One row. About three quarters of what the first layer gives are zero, and nine tenths of what the
 * second does: pairs of zeros are left out, which changes no sum. */
AVX2 static inline void convolve_row(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                                     bool residual, const int16_t (*in)[SEK_CH],
                                     int16_t (*out)[SEK_CH], const uint32_t *in_use, unsigned r)
{
    const __m256i half = _mm256_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)shift);

    EACH_SUM(START_SUM)
    for (unsigned k = 0; k < 3; k++) {
        const unsigned from = r + k * spread - spread;
        const int16_t(*weights)[SEK_CH][2] = conv->w[k];

        for (uint32_t left = in_use[from]; left != 0; left &= left - 1) {
            const unsigned i = (unsigned)__builtin_ctz(left);
            const __m256i v = _mm256_set1_epi32(pair_at(in[from] + 2 * i));

            EACH_SUM(ADD_TO_SUM)
        }
    }
    STORE_SUMS(0, 1)
    STORE_SUMS(2, 3)
    STORE_SUMS(4, 5)
    STORE_SUMS(6, 7)
}

AVX2 static void convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                          bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                          unsigned n)
{
    uint32_t in_use[SEK_ROWS] = {0};

    for (unsigned r = FIRST; r < FIRST + n; r++)
        in_use[r] = pairs_in_use(in[r]);
    for (unsigned r = FIRST; r < FIRST + n; r++)
        convolve_row(conv, shift, spread, residual, in, out, in_use, r);
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

AVX2 static int32_t top(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w)
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
    return top(m, u, w);
}
#endif
