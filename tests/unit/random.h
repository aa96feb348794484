/* SPDX-License-Identifier: BSD-3-Clause */
/* The random numbers of tests: SplitMix64 (Steele, Lea and Flood 2014). */
#pragma once
#include <stdint.h>

static inline uint64_t test_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15U;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}
