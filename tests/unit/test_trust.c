/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/trust.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define REAL 1790000000000LL
#define HOUR_MS 3600000LL

static void test_steps(void **state)
{
    static const struct {
        const char *label;
        int64_t mono_ms, real_ms;
        bool believed, jumped;
    } steps[] = {
        {"at the start", 1000, REAL + 1000, false, false},
        {"a minute on", 60000, REAL + 60000, true, false},
        {"half an hour ahead", 61000, REAL + 61000 + HOUR_MS / 2, true, false},
        {"and two hours more", 62000, REAL + 62000 + HOUR_MS * 5 / 2, false, true},
        {"still within a minute", 121000, REAL + 121000 + HOUR_MS * 5 / 2, false, false},
        {"it went on", 122000, REAL + 122000 + HOUR_MS * 5 / 2, true, false},
        {"back in time", 123000, REAL + 123000, false, true},
        {"it went on there", 183000, REAL + 183000, true, false},
    };
    struct sek_trust t;

    (void)state;
    sek_trust_init(&t, REAL, 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool jumped;
        int64_t now_s = sek_trust_now_s(&t, steps[i].real_ms, steps[i].mono_ms, &jumped);
        int64_t want_s = steps[i].believed ? steps[i].real_ms / 1000 : 0;
        if (now_s != want_s || jumped != steps[i].jumped)
            fail_msg("%s", steps[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
