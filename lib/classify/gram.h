/* SPDX-License-Identifier: BSD-3-Clause */
/* What trainer and scorer must do alike: the alphabet of labels and the hashing of their n-grams.
 * Private to lib/classify and tools/train. */
#pragma once
#include <stdint.h>

/* Symbols: what a label is made of for a model. */
enum {
    SEK_SYM_PAD,   /* outside of the label */
    SEK_SYM_A = 1, /* to z */
    SEK_SYM_0 = 27,
    SEK_SYM_HYPHEN = 37,
    SEK_SYM_OTHER, /* every other octet or character */
    SEK_SYM_EDGE,  /* in front of the first and behind the last */
    SEK_N_SYMS
};

#define SEK_GRAM_MAX 5   /* longest n-gram of stage 1 */
#define SEK_GRAM_BITS 18 /* 2^18 weights */
#define SEK_PAIRS (SEK_N_SYMS * SEK_N_SYMS)
#define SEK_TRIPLE_BITS 12 /* rows of stage 2's table of three symbols */

/* Weight index of the n-gram whose symbols are the n lowest groups of 6 bits of `run`. */
static inline uint32_t sek_gram_index(uint64_t run, unsigned n)
{
    uint64_t key = (run & ((1ull << 6 * n) - 1)) | 1ull << 6 * n;

    key *= 0x9e3779b97f4a7c15ull;
    return (uint32_t)(key >> (64 - SEK_GRAM_BITS));
}

static inline uint32_t sek_triple_index(unsigned a, unsigned b, unsigned c)
{
    uint32_t key = ((a * 64 + b) * 64 + c) * 0x9e3779b1u;

    return key >> (32 - SEK_TRIPLE_BITS);
}
