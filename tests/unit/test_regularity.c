/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/regularity.h"
#include <math.h>

static void test_known(void **state)
{
    static const struct {
        const char *label;
        unsigned n;
        uint32_t interval[SEK_REGULARITY_MAX];
        double period_s, skew, dispersion, rhythm, coverage;
    } cases[] = {
        {"none", 0, {0}, 0, 0, 0, 0, 0},
        {"one", 1, {5000}, 0, 0, 0, 0, 0},
        {"all zero", 4, {0, 0, 0, 0}, 0, 0, 0, 0, 0},
        {"clock", 4, {60000, 60000, 60000, 60000}, 60, 0, 1, 1, 1},
        /* quartiles 2, 3, 4; the distances from 3 are 2 1 0 1 2 */
        {"one to five", 5, {1000, 2000, 3000, 4000, 5000}, 3, 0, 1 - 1 / 3.0, -1, 1},
        /* quartiles 1, 1, 2 */
        {"skewed", 5, {1000, 1000, 1000, 2000, 3000}, 1, 1, 1, -1, 1},
        {"a gap", 4, {10000, 10000, 10000, 970000}, 10, -1, 1, 1, 0.06},
        {"largest", 3, {UINT32_MAX, UINT32_MAX, UINT32_MAX}, UINT32_MAX / 1000.0, 0, 1, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_regularity r;

        sek_regularity_of(cases[i].interval, cases[i].n, &r);
        if (fabs(r.period_s - cases[i].period_s) > 1e-6 ||
            (cases[i].skew >= 0 && fabs(r.skew - cases[i].skew) > 1e-6) ||
            fabs(r.dispersion - cases[i].dispersion) > 1e-6 ||
            (cases[i].rhythm >= 0 && fabs(r.rhythm - cases[i].rhythm) > 1e-6) ||
            fabs(r.coverage - cases[i].coverage) > 1e-6)
            fail_msg("%s: period %f skew %f dispersion %f rhythm %f coverage %f", cases[i].label,
                     r.period_s, r.skew, r.dispersion, r.rhythm, r.coverage);
    }
}

/* Timers with jitter and losses stand high, independent moments low, in nearly all series. */
static void test_kinds(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        int high = 0;
        for (int run = 0; run < 500; run++) {
            uint32_t interval[32];
            struct sek_regularity r;

            for (int i = 0; i < 32; i++) {
                double d = 0;
                do
                    d += kind == 2 ? -log(1 - fraction(&seed)) : 0.7 + 0.6 * fraction(&seed);
                while (kind == 1 && fraction(&seed) < 0.2);
                interval[i] = (uint32_t)(d * 60000);
            }
            sek_regularity_of(interval, 32, &r);
            assert_true(r.score >= 0 && r.score <= 1 && r.coverage >= 0 && r.coverage <= 1);
            high += r.score >= 0.8;
            if (kind == 0)
                assert_true(r.jitter > 0.1 && r.jitter < 0.6);
        }
        if (kind == 2 ? high > 0 : high < 425)
            fail_msg("kind %d: %d of 500 are high", kind, high);
    }
}

static void test_any_numbers(void **state)
{
    uint64_t seed = 8;

    (void)state;
    for (int run = 0; run < 2000; run++) {
        uint32_t interval[SEK_REGULARITY_MAX];
        struct sek_regularity r;
        unsigned n = (unsigned)(fraction(&seed) * (SEK_REGULARITY_MAX + 1));

        for (unsigned i = 0; i < n; i++)
            interval[i] = fraction(&seed) < 0.2
                              ? 0
                              : (uint32_t)exp2(fraction(&seed) * 31.99); /* all sizes alike */
        sek_regularity_of(interval, n, &r);
        assert_true(isfinite(r.score) && isfinite(r.jitter) && isfinite(r.tail));
        assert_true(r.score >= 0 && r.score <= 1 && r.tail >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_any_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
