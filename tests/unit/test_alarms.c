/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/measure/alarms.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        float scores[6];
        size_t n;
        double days, per_day, threshold;
        size_t alarms;
    } cases[] = {
        {"none", {0}, 0, 1, 10, 0, 0},
        {"one, and one is wanted", {2.5f}, 1, 1, 1, 2.498, 1},
        {"one, and less is wanted", {2.5f}, 1, 1, 0.9, 2.5, 0},
        {"two a day", {5, 4, 3, 2, 1}, 5, 1, 2, 3, 2},
        {"one a day, two days", {5, 4, 3, 2, 1}, 5, 2, 1, 3, 2},
        {"a tenth a day, ten days", {5, 4, 3, 2, 1}, 5, 10, 0.1, 4, 1},
        {"half an alarm is none", {5, 4, 3, 2, 1}, 5, 1, 0.5, 5, 0},
        {"equal ones: fewer", {5, 4, 4, 4, 1}, 5, 1, 2, 4, 1},
        {"all equal", {4, 4, 4}, 3, 1, 2, 4, 0},
        {"all are wanted", {5, 4, 3}, 3, 1, 3, 2.998, 3},
        {"more than there are", {5, 4, -3}, 3, 1, 100, -3.002, 3},
        {"written with three decimals, rounded up", {5, 1.23456f, 1}, 3, 1, 1, 1.235, 1},
        {"rounded up below 0", {5, -1.23456f, -2}, 3, 1, 1, -1.234, 1},
        {"rounding costs an alarm", {5, 1.2345f, 1.2344f, 1}, 4, 1, 2, 1.235, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sek_alarms a =
            sek_alarms_for_rate(cases[i].scores, cases[i].n, cases[i].days, cases[i].per_day);

        if (a.n != cases[i].alarms || fabs(a.threshold - cases[i].threshold) > 1e-9)
            fail_msg("%s: %d above %.9f", cases[i].label, (int)a.n, a.threshold);
        if (fabs(a.mean - (double)a.n / cases[i].days) > 1e-9 || a.low > a.mean || a.high < a.mean)
            fail_msg("%s: %f to %f", cases[i].label, a.low, a.high);
    }
}

/* The same by quantiles of chi-square (Garwood, 1936). */
static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t k;
        double lower, upper, error; /* of the lower, absolute */
    } cases[] = {
        {0, 0, 3.689, 0},          {1, 0.0253, 5.572, 0.02},     {8, 3.454, 15.763, 0.02},
        {10, 4.795, 18.390, 0.02}, {100, 81.364, 121.627, 0.02},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double lower = sek_alarms_lower(cases[i].k), upper = sek_alarms_upper(cases[i].k);

        if (fabs(lower - cases[i].lower) > cases[i].error ||
            fabs(upper - cases[i].upper) > 0.01 * cases[i].upper)
            fail_msg("%d: %f to %f", (int)cases[i].k, lower, upper);
    }
}

/* Eight alarms bound the rate to twice what was seen; seven do not. */
static void test_days_wanted(void **state)
{
    (void)state;
    assert_true(sek_alarms_days_wanted(10) == 1);
    assert_true(sek_alarms_days_wanted(1) == 8);
    assert_true(sek_alarms_days_wanted(0.1) == 80);
    assert_true(sek_alarms_upper(8) < 16);
    assert_true(sek_alarms_upper(7) > 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_days_wanted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
