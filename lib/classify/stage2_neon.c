/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2 with NEON, which every 64-bit Arm has. The convolutions, where the time goes; the rest is
 * the plain way's. */
#include "classify/stages.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>
#include "base/banned.h"

#define FIRST 2
#define TILE 2 /* rows at a time */

/* One input pair of row t, times the weights of 8 channels: w.val[0] for the even inputs. */
#define ADD_ROW(t)                                                                                 \
    lo##t = vmlal_n_s16(lo##t, vget_low_s16(w.val[0]), x[(t)*SEK_CH]);                             \
    lo##t = vmlal_n_s16(lo##t, vget_low_s16(w.val[1]), x[(t)*SEK_CH + 1]);                         \
    hi##t = vmlal_n_s16(hi##t, vget_high_s16(w.val[0]), x[(t)*SEK_CH]);                            \
    hi##t = vmlal_n_s16(hi##t, vget_high_s16(w.val[1]), x[(t)*SEK_CH + 1]);

static inline int32x4_t start(const int32_t *bias, bool residual, const int16_t *old, int32x4_t by)
{
    int32x4_t sum = vld1q_s32(bias);

    return residual ? vaddq_s32(sum, vshlq_s32(vmovl_s16(vld1_s16(old)), by)) : sum;
}

static inline void finish(int16_t *to, int32x4_t lo, int32x4_t hi, int32x4_t half, int32x4_t back)
{
    int16x8_t v = vcombine_s16(vqmovn_s32(vshlq_s32(vaddq_s32(lo, half), back)),
                               vqmovn_s32(vshlq_s32(vaddq_s32(hi, half), back)));

    vst1q_s16(to, vminq_s16(vmaxq_s16(v, vdupq_n_s16(0)), vdupq_n_s16(SEK_ACT_MAX)));
}

static inline void tile(const struct sek_conv *conv, uint32_t shift, unsigned spread, bool residual,
                        const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH], unsigned r, unsigned c)
{
    const int32x4_t by = vdupq_n_s32((int32_t)shift), back = vdupq_n_s32(-(int32_t)shift);
    const int32x4_t half = vdupq_n_s32(1 << (shift - 1));
    int32x4_t lo0 = start(conv->bias + c, residual, in[r] + c, by);
    int32x4_t hi0 = start(conv->bias + c + 4, residual, in[r] + c + 4, by);
    int32x4_t lo1 = start(conv->bias + c, residual, in[r + 1] + c, by);
    int32x4_t hi1 = start(conv->bias + c + 4, residual, in[r + 1] + c + 4, by);

    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < SEK_CH / 2; i++) {
            const int16_t *x = &in[r + k * spread - spread][2 * i];
            const int16x8x2_t w = vld2q_s16(conv->w[k][i][c]);

            ADD_ROW(0)
            ADD_ROW(1)
        }
    finish(&out[r][c], lo0, hi0, half, back);
    finish(&out[r + 1][c], lo1, hi1, half, back);
}

void sek__stage2_neon_convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                               bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                               unsigned n)
{
    memset(out, 0, sizeof(*out) * FIRST);
    for (unsigned r = FIRST; r < FIRST + n; r += TILE)
        for (unsigned c = 0; c < SEK_CH; c += 8)
            tile(conv, shift, spread, residual, in, out, r, c);
    memset(out + FIRST + n, 0, sizeof(*out) * (SEK_ROWS - FIRST - n)); /* the last tile's surplus */
}
#endif
