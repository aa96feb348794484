/* SPDX-License-Identifier: BSD-3-Clause */
/* The seed of random tests. Every run is the same one unless SEK_TEST_SEED says otherwise: a
 * number, or "time" to explore; it is printed, so that a failure can be had again. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

#define TEST_SEED 20250101U

static inline uint64_t test_seed(void)
{
    const char *wanted = getenv("SEK_TEST_SEED");
    uint64_t seed = TEST_SEED;

    if (wanted)
        seed = strcmp(wanted, "time") == 0 ? (uint64_t)time(NULL) : strtoull(wanted, NULL, 0);
    print_message("SEK_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}
