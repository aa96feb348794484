/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix product for 64 columns, with the compiler's vectors. */
#pragma once
#include <stdint.h>

#define CH 64 /* channels everywhere, so that one kernel does */

/* Columns at a time, so that the sums of four rows stay in registers. */
#if defined(__AVX512F__)
#define GEMM_COLUMNS 64
#define GEMM_REGISTER(v) "+v"(v)
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
#elif defined(__AVX__)
#define GEMM_COLUMNS 16
#define GEMM_REGISTER(v) "+x"(v)
typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));
#else
#define GEMM_COLUMNS 8
#define GEMM_REGISTER(v) "+g"(v)
typedef float vec __attribute__((vector_size(16), aligned(4), may_alias));
#endif
#define GEMM_VECS (GEMM_COLUMNS * 4 / (int)sizeof(vec))

/* Four rows of C, GEMM_COLUMNS columns. */
static inline void gemm_tile(float *c, const float *a, long a_row, long a_col, const float *b,
                             int k)
{
    vec acc[4][GEMM_VECS];

#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
#pragma GCC unroll 4
        for (int j = 0; j < GEMM_VECS; j++)
            acc[r][j] = ((const vec *)(c + r * CH))[j];
    for (int t = 0; t < k; t++, a += a_col, b += CH) {
        vec part[GEMM_VECS];

#pragma GCC unroll 4
        for (int j = 0; j < GEMM_VECS; j++)
            part[j] = ((const vec *)b)[j];
            /* in registers: else each of the products loads them again */
#pragma GCC unroll 4
        for (int j = 0; j < GEMM_VECS; j++)
            __asm__("" : GEMM_REGISTER(part[j]));
#pragma GCC unroll 4
        for (int r = 0; r < 4; r++)
#pragma GCC unroll 4
            for (int j = 0; j < GEMM_VECS; j++)
                acc[r][j] += a[r * a_row] * part[j];
    }
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
#pragma GCC unroll 4
        for (int j = 0; j < GEMM_VECS; j++)
            ((vec *)(c + r * CH))[j] = acc[r][j];
}

/* C[m][0..63] += sum over k of A[m * a_row + k * a_col] * B[k * 64 + 0..63]; m a multiple of 4. */
static inline void gemm_add(float *c, const float *a, long a_row, long a_col, const float *b, int m,
                            int k)
{
    for (int j = 0; j < CH; j += GEMM_COLUMNS)
        for (int i = 0; i < m; i += 4)
            gemm_tile(c + i * CH + j, a + i * a_row, a_row, a_col, b + j, k);
}

/* Where the numbers of a row of 64 are not 0: behind rectifiers few are. */
struct filled {
    uint8_t n, at[CH];
};

static inline void filled_find(struct filled *f, const float *row)
{
    unsigned n = 0;

    for (unsigned i = 0; i < CH; i++) {
        f->at[n & (CH - 1)] = (uint8_t)i;
        n += row[i] != 0;
    }
    f->n = (uint8_t)n;
}

#define ROW_VECS (CH * 4 / (int)sizeof(vec))

/* c[0..63] += sum over the filled i of in[i] * w[i][0..63]. */
static inline void row_times(float *c, const float *in, const struct filled *f,
                             const float w[CH][CH])
{
    vec acc[ROW_VECS];

#pragma GCC unroll 16
    for (int j = 0; j < ROW_VECS; j++)
        acc[j] = ((const vec *)c)[j];
    for (unsigned t = 0; t < f->n; t++) {
        const unsigned i = f->at[t];
        const vec *b = (const vec *)w[i];

#pragma GCC unroll 16
        for (int j = 0; j < ROW_VECS; j++)
            acc[j] += in[i] * b[j];
    }
#pragma GCC unroll 16
    for (int j = 0; j < ROW_VECS; j++)
        ((vec *)c)[j] = acc[j];
}

/* w[i][0..63] += in[i] * g[0..63] for the filled i. */
static inline void outer_add(float w[CH][CH], const float *in, const struct filled *f,
                             const float *g)
{
    vec part[ROW_VECS];

#pragma GCC unroll 16
    for (int j = 0; j < ROW_VECS; j++)
        part[j] = ((const vec *)g)[j];
    for (unsigned t = 0; t < f->n; t++) {
        const unsigned i = f->at[t];
        vec *to = (vec *)w[i];

#pragma GCC unroll 16
        for (int j = 0; j < ROW_VECS; j++)
            to[j] += in[i] * part[j];
    }
}
