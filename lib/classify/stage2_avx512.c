/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 with AVX-512 and its instruction that multiplies 16-bit neighbours and adds them to a sum
 * (VNNI, the form that wraps). Convolutions and top only: the rest waits for memory. */
#include "classify/stages.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#include "base/banned.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define FIRST 2

bool sek__stage2_avx512_usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

AVX512 static inline __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* Sixteen sums to activations. */
AVX512 static inline void finish(int16_t *to, __m512i sum, __m128i by, __m512i half)
{
    sum = _mm512_sra_epi32(_mm512_add_epi32(sum, half), by);
    sum = _mm512_min_epi32(_mm512_max_epi32(sum, _mm512_setzero_si512()),
                           _mm512_set1_epi32(SEK_ACT_MAX));
    _mm256_storeu_si256((__m256i *)(void *)to, _mm512_cvtepi32_epi16(sum));
}

AVX512 static inline int pair_at(const int16_t *p)
{
    int v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Pairs of a row that are not zero, one bit each. */
AVX512 static inline uint32_t pairs_in_use(const int16_t *row)
{
    const __m512i a = load(row), b = load(row + SEK_CH / 2);

    return _mm512_test_epi32_mask(a, a) | (uint32_t)_mm512_test_epi32_mask(b, b) << 16;
}

AVX512 static inline __m512i sums_of(const int16_t *activations, __m128i by)
{
    return _mm512_sll_epi32(
        _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)activations)), by);
}

/* The sums of 64 channels are four registers. Each input row adds to three rows of sums, `a` before
 * it, `b` its own and `c` behind: twelve registers, of which none waits for another. */
#define EACH_SUM(X) X(0) X(1) X(2) X(3)

#define START_SUM(t) __m512i a##t = load(conv->bias + 16 * (t)), b##t = a##t, c##t = a##t;
#define ADD_TO_SUMS(t)                                                                             \
    a##t = _mm512_dpwssd_epi32(a##t, v, load(conv->w[2][i][16 * (t)]));                            \
    b##t = _mm512_dpwssd_epi32(b##t, v, load(conv->w[1][i][16 * (t)]));                            \
    c##t = _mm512_dpwssd_epi32(c##t, v, load(conv->w[0][i][16 * (t)]));
#define FINISH_SUM(t)                                                                              \
    if (residual)                                                                                  \
        a##t = _mm512_add_epi32(a##t, sums_of(&in[done][16 * (t)], by));                           \
    finish(&out[done][16 * (t)], a##t, by, half);
#define NEXT_SUM(t)                                                                                \
    a##t = b##t;                                                                                   \
    b##t = c##t;                                                                                   \
    c##t = load(conv->bias + 16 * (t));

/* Rows `first`, `first + spread`, … below `end`, which have nothing to do with those between. Pairs
 * of zeros are left out, which changes no sum (see stage2_avx2.c). */
AVX512 static inline void convolve_rows(const struct sek_conv *conv, uint32_t shift,
                                        unsigned spread, bool residual, const int16_t (*in)[SEK_CH],
                                        int16_t (*out)[SEK_CH], unsigned first, unsigned end)
{
    const __m512i half = _mm512_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)shift);

    EACH_SUM(START_SUM)
    for (unsigned r = first; r < end + spread; r += spread) {
        const unsigned done = r - spread;

        for (uint32_t left = r < end ? pairs_in_use(in[r]) : 0; left != 0; left &= left - 1) {
            const unsigned i = (unsigned)__builtin_ctz(left);
            const __m512i v = _mm512_set1_epi32(pair_at(in[r] + 2 * i));

            EACH_SUM(ADD_TO_SUMS)
        }
        if (r > first) {
            EACH_SUM(FINISH_SUM)
        }
        EACH_SUM(NEXT_SUM)
    }
}

AVX512 static void convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                            bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                            unsigned n)
{
    for (unsigned first = FIRST; first < FIRST + spread; first++)
        convolve_rows(conv, shift, spread, residual, in, out, first, FIRST + n);
}

#define START_HIDDEN(t)                                                                            \
    __m512i s##t = hidden_start(m, u, 16 * (t), by), o##t = _mm512_setzero_si512();
#define ADD_TO_HIDDEN(t) s##t = _mm512_dpwssd_epi32(s##t, v, load(m->dense[f][16 * (t)]));
#define ADD_TO_OTHER_HIDDEN(t)                                                                     \
    o##t = _mm512_dpwssd_epi32(o##t, next, load(m->dense[f + 1][16 * (t)]));
#define FINISH_HIDDEN(t) finish(w->hidden + 16 * (t), _mm512_add_epi32(s##t, o##t), by, half);

/* Sixteen channels of the hidden layer from `c`, before the features: bias, class and length. */
AVX512 static inline __m512i hidden_start(const struct sek_model *m, const struct sek_unit *u,
                                          unsigned c, __m128i by)
{
    const int16_t *const bias[] = {m->dense_b + c, m->class2[u->class_id] + c, m->len2[u->n] + c};
    __m512i sum = _mm512_setzero_si512();

    for (unsigned i = 0; i < 3; i++)
        sum = _mm512_add_epi32(
            sum, _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)bias[i])));
    return _mm512_sll_epi32(sum, by);
}

AVX512 static int32_t top(const struct sek_model *m, const struct sek_unit *u,
                          struct sek_net_work *w)
{
    const __m512i half = _mm512_set1_epi32(1 << (m->head->dense_shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)m->head->dense_shift);
    uint32_t z = (uint32_t)m->head->out_bias;

    EACH_SUM(START_HIDDEN)
    for (unsigned f = 0; f < SEK_FEATS / 2; f += 2) {
        const __m512i v = _mm512_set1_epi32(pair_at(w->feats + 2 * f));
        const __m512i next = _mm512_set1_epi32(pair_at(w->feats + 2 * f + 2));

        EACH_SUM(ADD_TO_HIDDEN)
        EACH_SUM(ADD_TO_OTHER_HIDDEN)
    }
    EACH_SUM(FINISH_HIDDEN)
    for (unsigned c = 0; c < SEK_CH; c++)
        z += (uint32_t)(m->out[c] * w->hidden[c]);
    return (int32_t)z;
}

AVX512 int32_t sek__stage2_avx512(const struct sek_model *m, const struct sek_unit *u,
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
