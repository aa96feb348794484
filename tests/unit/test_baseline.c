/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/baseline.h"
#include <math.h>
#include <stdlib.h>

/* As detector "surge" has it: minutes, five of them a window, hours of the week. */
static const struct sek_season hours = {
    .bin_s = 60, .n_bins = 5, .n_windows = 12, .learn = 24, .z = 6};
#define WEEK_S 604800
#define START_S 1790553600LL /* a Monday */

static struct sek_baseline *b;

static int setup(void **state)
{
    (void)state;
    b = calloc(1, sek_baseline_octets(&hours));
    return b ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(b);
    return 0;
}

/* So many a minute for hours; by day or night the same. */
static void steady(int64_t from_s, unsigned n_hours, unsigned n)
{
    for (unsigned m = 0; m < n_hours * 60; m++)
        assert_true(sek_baseline_add(&hours, b, from_s + m * 60, n));
}

static struct sek_level now(void)
{
    struct sek_level level;
    sek_baseline_judge(&hours, b, &level);
    return level;
}

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(sek_baseline_cells(&hours), 168 * 2 + 42);
    assert_true(sek_baseline_octets(&hours) <= 520);
    assert_int_equal(sek_baseline_octets(&hours) % 8, 0);
}

/* By hand: nothing is judged before 24 hours; then the mean is the window's and the deviation a
 * quarter of it. */
static void test_learns(void **state)
{
    (void)state;
    steady(START_S, 24, 10);
    assert_int_equal(now().by, SEK_BASELINE_NONE);
    assert_true(now().z == 0);
    steady(START_S + 24 * 3600, 2, 10);
    assert_int_equal(now().by, SEK_BASELINE_TOP);
    assert_true(fabs(now().mean - 50) < 0.5);
    assert_true(fabs(now().dev - 12.5) < 0.1); /* a quarter */
    assert_true(fabs(now().z) < 0.2);
    steady(START_S + 26 * 3600, 2 * 168, 10);
    assert_true(now().by == SEK_BASELINE_HOUR || now().by == SEK_BASELINE_LATE);
    assert_true(fabs(now().mean - 50) < 4); /* a cell's step is 6 % */
}

/* Day and night have levels of their own, each hour of the week. */
static void test_hours_of_the_week(void **state)
{
    (void)state;
    for (unsigned day = 0; day < 21; day++) {
        steady(START_S + day * 86400LL, 12, day % 7 < 5 ? 20 : 2);
        steady(START_S + day * 86400LL + 43200, 12, 2);
    }
    int64_t monday = START_S + 21 * 86400LL, saturday = monday + 5 * 86400LL;
    sek_baseline_add(&hours, b, monday + 6 * 3600, 0);
    assert_true(fabs(now().mean - 100) < 8);
    sek_baseline_add(&hours, b, monday + 18 * 3600, 0);
    assert_true(fabs(now().mean - 10) < 1.5);
    sek_baseline_add(&hours, b, saturday + 6 * 3600, 0);
    assert_true(fabs(now().mean - 10) < 1.5);
    /* tenfold on Saturday */
    for (unsigned m = 1; m <= 5; m++)
        sek_baseline_add(&hours, b, saturday + 6 * 3600 + m * 60, 20);
    assert_true(now().z > now().line);
    assert_true(now().z > 20);
}

/* What is above the line is learned as if it lay on it, and the next line is not lower. */
static void test_surge_teaches_little(void **state)
{
    (void)state;
    steady(START_S, 3 * 168, 2);
    int64_t at = START_S + 3 * WEEK_S;
    for (unsigned m = 0; m < 5; m++)
        sek_baseline_add(&hours, b, at + m * 60, 100000);
    struct sek_level high = now();
    assert_true(high.z > 100 * high.line);
    steady(at + 300, 48, 2);
    assert_true(now().mean < 3 * 10);
    assert_true(now().line <= 1.25 * high.line);
}

/* A machine that was off for weeks is as known as before. */
static void test_vacation(void **state)
{
    (void)state;
    steady(START_S, 4 * 168, 20);
    steady(START_S + 8 * WEEK_S, 2, 20);
    assert_int_equal(now().by, SEK_BASELINE_HOUR);
    assert_true(fabs(now().mean - 100) < 8);
    assert_true(now().z < 3);
}

static void test_clock(void **state)
{
    int64_t t = START_S + 3 * WEEK_S;
    (void)state;
    steady(START_S, 3 * 168, 10);
    for (unsigned m = 0; m < 10; m++)
        sek_baseline_add(&hours, b, t + m * 60, 10);
    t += 9 * 60;
    assert_true(now().window == 50);
    /* late minutes: within the window they count, before it they are left out */
    assert_true(sek_baseline_add(&hours, b, t - 4 * 60, 7));
    assert_true(now().window == 57);
    assert_false(sek_baseline_add(&hours, b, t - 5 * 60, 7));
    assert_false(sek_baseline_add(&hours, b, t - 3600, 7));
    assert_true(now().window == 57);
    /* a clock that was set back, and one far ahead: a new window, the same memory */
    unsigned learned = b->learned;
    assert_true(sek_baseline_add(&hours, b, t - 86400, 9));
    assert_true(now().window == 9);
    assert_true(sek_baseline_add(&hours, b, t + 100LL * 365 * 86400, 8));
    assert_true(now().window == 8);
    assert_true(sek_baseline_add(&hours, b, t, 7));
    assert_true(now().window == 7);
    assert_true(sek_baseline_add(&hours, b, -5, 1));
    assert_true(sek_baseline_add(&hours, b, t, UINT32_MAX));
    assert_true(sek_baseline_add(&hours, b, t, UINT32_MAX));
    assert_true(b->learned >= learned && b->learned <= learned + 3);
}

/* Any order of any times: numbers stay numbers. */
static void test_any_order(void **state)
{
    uint64_t seed = 5;
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        int64_t t =
            START_S + (int64_t)(fraction(&seed) * 1e5) * (fraction(&seed) < 0.01 ? 1000 : 1);
        sek_baseline_add(&hours, b, i % 3 ? START_S + i : t, (uint32_t)(fraction(&seed) * 1e6));
        struct sek_level level = now();
        assert_true(isfinite(level.z) && isfinite(level.mean) && isfinite(level.line));
        assert_true(!level.by || level.dev > 0);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_size),
        CASE(test_learns),
        CASE(test_hours_of_the_week),
        CASE(test_surge_teaches_little),
        CASE(test_vacation),
        CASE(test_clock),
        CASE(test_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
