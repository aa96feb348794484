/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 with AVX-512 and its instruction that multiplies 16-bit neighbours and adds them to a sum
 * (VNNI, the form that wraps). The convolutions only: the rest is short. */
#include "classify/stages.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>
#include "base/banned.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define FIRST 2
#define TILE 4

bool sek__stage2_avx512_usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

AVX512 static inline __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

AVX512 static inline __m512i start(const struct sek_conv *conv, unsigned c, bool residual,
                                   const int16_t *old, __m128i by)
{
    __m512i sum = load(conv->bias + c);

    if (!residual)
        return sum;
    return _mm512_add_epi32(sum, _mm512_sll_epi32(_mm512_cvtepi16_epi32(_mm256_loadu_si256(
                                                      (const __m256i *)(const void *)(old + c))),
                                                  by));
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

/* One input pair of row t, times the weights of 32 channels. */
#define ADD_ROW(t)                                                                                 \
    v = _mm512_set1_epi32(pair_at(x + (t)*SEK_CH));                                                \
    lo##t = _mm512_dpwssd_epi32(lo##t, v, w0);                                                     \
    hi##t = _mm512_dpwssd_epi32(hi##t, v, w1);
#define START_ROW(t)                                                                               \
    __m512i lo##t = start(conv, c, residual, in[r + (t)], by);                                     \
    __m512i hi##t = start(conv, c + 16, residual, in[r + (t)], by);
#define FINISH_ROW(t)                                                                              \
    finish(&out[r + (t)][c], lo##t, by, half);                                                     \
    finish(&out[r + (t)][c + 16], hi##t, by, half);

/* Four rows from `r`, 32 channels from `c`. Written out, so that the sums stay in registers. */
AVX512 static inline void tile(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                               bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                               unsigned r, unsigned c)
{
    const __m512i half = _mm512_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128((int)shift);

    START_ROW(0)
    START_ROW(1)
    START_ROW(2)
    START_ROW(3)
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < SEK_CH / 2; i++) {
            const int16_t *x = &in[r + k * spread - spread][2 * i];
            const __m512i w0 = load(conv->w[k][i][c]), w1 = load(conv->w[k][i][c + 16]);
            __m512i v;

            ADD_ROW(0)
            ADD_ROW(1)
            ADD_ROW(2)
            ADD_ROW(3)
        }
    FINISH_ROW(0)
    FINISH_ROW(1)
    FINISH_ROW(2)
    FINISH_ROW(3)
}

AVX512 static void convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                            bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                            unsigned n)
{
    memset(out, 0, sizeof(*out) * FIRST);
    for (unsigned r = FIRST; r < FIRST + n; r += TILE)
        for (unsigned c = 0; c < SEK_CH; c += 32)
            tile(conv, shift, spread, residual, in, out, r, c);
    memset(out + FIRST + n, 0, sizeof(*out) * (SEK_ROWS - FIRST - n)); /* the last tile's surplus */
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
    return sek__stage2_avx2_top(m, u, w);
}
#endif
