/* SPDX-License-Identifier: BSD-3-Clause */
/* The two stages of scoring, in integers. Private to lib/classify. Any thread, no allocation. */
#pragma once
#include "classify/model.h"

/* Stage 1: hashed n-grams, suffix class and length; about 0.1 µs. */
int32_t sek_stage1(const struct sek_model *m, const struct sek_unit *u);
/* What one n-gram adds: the n symbols that end at place `end` of the label with its edges, 0 being
 * the edge in front. n <= end + 1. */
int32_t sek_stage1_gram(const struct sek_model *m, const struct sek_unit *u, unsigned end,
                        unsigned n);

/* What stage 2 works on: rows of channels with two empty rows before and at least two behind. */
#define SEK_ROWS (SEK_SPAN + 2 + 6)
struct sek_net_work {
    _Alignas(32) int16_t a[SEK_ROWS][SEK_CH], b[SEK_ROWS][SEK_CH];
    _Alignas(32) int16_t feats[SEK_FEATS], hidden[SEK_CH];
    uint8_t sym[SEK_ROWS + 8];
    unsigned n; /* rows in use, edges included */
};

/* Stage 2: the network; some µs. Its sum, and in w->hidden what the kinds are told by. The
 * processor's best way; all ways give the same. */
int32_t sek_stage2(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w);

/* Ways of computing stage 2. */
struct sek_stage2_way {
    const char *name;
    bool (*usable)(void);
    int32_t (*run)(const struct sek_model *m, const struct sek_unit *u, struct sek_net_work *w);
};
extern const struct sek_stage2_way sek_stage2_ways[]; /* best first; ends with name NULL */

/* Symbols laid out for the first layer. */
void sek__stage2_lay_out(const struct sek_unit *u, struct sek_net_work *w);
bool sek__stage2_avx2_usable(void);
int32_t sek__stage2_avx2(const struct sek_model *m, const struct sek_unit *u,
                         struct sek_net_work *w);
bool sek__stage2_avx512_usable(void);
int32_t sek__stage2_avx512(const struct sek_model *m, const struct sek_unit *u,
                           struct sek_net_work *w);
/* Parts of the way by AVX2 that the one by AVX-512 shares. */
void sek__stage2_avx2_embed(const struct sek_model *m, struct sek_net_work *w);
void sek__stage2_avx2_pool(const int16_t (*rows)[SEK_CH], unsigned n, int16_t *max, int16_t *mean);
/* By NEON: what stage2.c's own convolution does. */
void sek__stage2_neon_convolve(const struct sek_conv *conv, uint32_t shift, unsigned spread,
                               bool residual, const int16_t (*in)[SEK_CH], int16_t (*out)[SEK_CH],
                               unsigned n);
