/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix product for 64 columns, with the compiler's vectors. */
#pragma once

#define CH 64 /* channels everywhere, so that one kernel does */

typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));

/* C[m][0..63] += sum over k of A[m * a_row + k * a_col] * B[k * 64 + 0..63]; m a multiple of 4. */
static inline void gemm_add(float *c, const float *a, long a_row, long a_col, const float *b, int m,
                            int k)
{
    for (int i = 0; i < m; i += 4) {
        vec acc[4][4];
        const float *p = a + i * a_row;

        for (int r = 0; r < 4; r++)
            for (int j = 0; j < 4; j++)
                acc[r][j] = *(const vec *)(c + (i + r) * CH + j * 16);
        for (int t = 0; t < k; t++, p += a_col) {
            vec b0 = *(const vec *)(b + t * CH), b1 = *(const vec *)(b + t * CH + 16);
            vec b2 = *(const vec *)(b + t * CH + 32), b3 = *(const vec *)(b + t * CH + 48);

#ifdef __AVX512F__ /* in registers: else each of the products loads them again */
            __asm__("" : "+v"(b0), "+v"(b1), "+v"(b2), "+v"(b3));
#endif
#pragma GCC unroll 4
            for (int r = 0; r < 4; r++) {
                const float x = p[r * a_row];

                acc[r][0] += x * b0;
                acc[r][1] += x * b1;
                acc[r][2] += x * b2;
                acc[r][3] += x * b3;
            }
        }
        for (int r = 0; r < 4; r++)
            for (int j = 0; j < 4; j++)
                *(vec *)(c + (i + r) * CH + j * 16) = acc[r][j];
    }
}
