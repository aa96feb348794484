/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/measure/roc.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define B SEK_ROC_BENIGN
#define MAX 128

struct set {
    struct sek_roc_sample samples[MAX];
    struct sek_roc_family families[4];
    struct sek_roc roc;
};

/* label_of: 'b' benign, '0'.. a family; scores count down, but for those after '=': as the one
 * before. "0=b": a tie. */
static void set_make(struct set *s, const char *text, size_t n_families)
{
    size_t n = 0;
    float score = 100;
    bool tie = false;

    for (; *text; text++) {
        if (*text == '=') {
            tie = true;
            continue;
        }
        score -= tie ? 0 : 1;
        tie = false;
        s->samples[n++] =
            (struct sek_roc_sample){score, *text == 'b' ? B : (uint32_t)(*text - '0')};
    }
    sek_roc_init(&s->roc, s->samples, n, s->families, n_families);
}

static void expect(const char *label, double got, double wanted)
{
    if (isnan(got) != isnan(wanted) || fabs(got - wanted) > 1e-9)
        fail_msg("%s: %.12f, not %.12f", label, got, wanted);
}

static void test_auc(void **state)
{
    (void)state;
    static const struct {
        const char *label, *samples;
        double auc;
    } cases[] = {
        {"empty", "", NAN},
        {"benign only", "bb", NAN},
        {"families only", "00", NAN},
        {"perfect", "0000bbb", 1},
        {"worst", "bb00", 0},
        {"one of each", "0b", 1},
        {"a tie counts half", "0=b", 0.5},
        {"all tie", "0=0=b=b=b", 0.5},
        {"three of four pairs", "0b0b", 0.75},
        {"a tie in the middle", "00=bb", 0.875},
        {"families do not matter", "01b2", 2.0 / 3},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct set s;

        set_make(&s, cases[i].samples, 3);
        expect(cases[i].label, sek_roc_auc(&s.roc), cases[i].auc);
    }
}

/* The order that samples come in does not matter. */
static void test_order(void **state)
{
    (void)state;
    struct sek_roc_sample samples[] = {{1, B}, {5, 0}, {3, B}, {3, 0}, {-2, 1}, {5, 0}};
    struct sek_roc_family families[2];
    struct sek_roc roc;

    sek_roc_init(&roc, samples, 6, families, 2);
    assert_int_equal(roc.n_benign, 2);
    assert_int_equal(families[0].n, 3);
    assert_int_equal(families[1].n, 1);
    assert_int_equal(roc.n_large, 0);
    for (int i = 1; i < 6; i++)
        assert_true(samples[i - 1].score >= samples[i].score);
    expect("auc", sek_roc_auc(&roc), (2 + 2 + 1 + 0.5) / 8);
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        const char *label, *samples;
        double rate, micro;
        uint64_t n_false;
    } cases[] = {
        {"no benign name", "00", 0.1, NAN, 0},
        {"no family", "bb", 0.5, NAN, 1},
        {"rate 0: above all benign ones", "0b0bb", 0, 0.5, 0},
        {"too few benign names for the rate", "0b0bb", 0.001, 0.5, 0},
        {"one of ten", "0b0bbbbbbbbb0", 0.1, 2.0 / 3, 1},
        {"just below one of ten", "0b0bbbbbbbbb0", 0.0999, 1.0 / 3, 0},
        {"equal to the threshold is not detected", "0b=0b", 0, 0.5, 0},
        {"ties of benign names alarm less", "b=b=b=b0b", 0.4, 0, 0},
        {"rate 1: the lowest benign name", "0b0b0", 1, 2.0 / 3, 1},
        {"all equal", "0=b=0=b", 0.5, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sek_roc_point p;
        struct set s;

        set_make(&s, cases[i].samples, 1);
        sek_roc_sweep(&s.roc, &cases[i].rate, 1, &p);
        expect(cases[i].label, p.micro, cases[i].micro);
        if (p.n_false != cases[i].n_false)
            fail_msg("%s: %d benign names above", cases[i].label, (int)p.n_false);
    }
}

/* 100 benign names; a family of 20 with 10 above all, one of 40 with none, one of 19 with all. */
static void test_macro(void **state)
{
    (void)state;
    const double rates[] = {0, 0.29, 1};
    struct sek_roc_point p[3];
    struct sek_roc_sample samples[200];
    struct sek_roc_family families[3];
    struct sek_roc roc;
    size_t n = 0;

    for (int i = 0; i < 20; i++)
        samples[n++] = (struct sek_roc_sample){i < 10 ? 1000 : -1000, 0};
    for (int i = 0; i < 40; i++)
        samples[n++] = (struct sek_roc_sample){-1000, 1};
    for (int i = 0; i < 19; i++)
        samples[n++] = (struct sek_roc_sample){1000, 2};
    for (int i = 0; i < 100; i++)
        samples[n++] = (struct sek_roc_sample){(float)i, B};
    sek_roc_init(&roc, samples, n, families, 3);
    assert_int_equal(roc.n_large, 2);
    sek_roc_sweep(&roc, rates, 3, p);
    for (int i = 0; i < 3; i++) {
        expect("micro", p[i].micro, 29.0 / 79);
        expect("macro", p[i].macro, 0.25);
    }
    assert_int_equal(p[0].n_false, 0);
    assert_int_equal(p[1].n_false, 29); /* 0.29 * 100 is a little less than 29 */
    assert_int_equal(p[2].n_false, 99);
    assert_int_equal(families[0].n_above, 10);
    assert_int_equal(families[1].n_above, 0);
    assert_int_equal(families[2].n_above, 19);
    sek_roc_sweep(&roc, rates, 1, p); /* counts start anew */
    assert_int_equal(families[2].n_above, 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auc),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_macro),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
