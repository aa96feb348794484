/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/reuse.h"
#include <math.h>
#include <string.h>

/* A name made of two parts; letters differ as those of other words do. */
static struct sek_reuse_unit unit(uint16_t head, uint16_t tail, uint8_t length, uint8_t suffix)
{
    uint32_t letters = (uint32_t)(head * 2654435761u) ^ (uint32_t)(tail * 40503u * 2246822519u);

    return (struct sek_reuse_unit){{head, tail}, letters & 0x3ffffff, length, suffix};
}

/* A site of many suffixes and lengths. */
static struct sek_site mixed_site(void)
{
    struct sek_site site = {{0}, {0}, 0};

    for (unsigned i = 0; i < 6400; i++) {
        struct sek_reuse_unit u = unit(1, 1, (uint8_t)(4 + i % 16), (uint8_t)(i % 64));
        sek_site_learn(&site, &u);
    }
    return site;
}

static struct sek_reuse run(unsigned n, unsigned heads, unsigned tails, bool one_shape)
{
    struct sek_site site = mixed_site();
    struct sek_reuse r = {0};

    for (unsigned i = 0; i < n; i++) {
        uint8_t length = (uint8_t)(one_shape ? 12 : 8 + i * 7 % 16);
        struct sek_reuse_unit u =
            unit((uint16_t)(1000 + i * 7 % heads), (uint16_t)(5000 + i * 11 % tails), length,
                 (uint8_t)(one_shape ? 3 : i * 5 % 64));
        sek_reuse_add(&r, &site, &u);
    }
    return r;
}

static void test_words(void **state)
{
    static const struct {
        const char *label;
        unsigned n, heads, tails;
        float min, max;
    } cases[] = {
        {"no name", 0, 1, 1, 0, 0},
        {"one name", 1, 1, 1, 0, 0},
        {"all different", 32, 1000, 1000, 0, 0},
        {"more than are remembered, all different", 200, 1000, 1000, 0, 0},
        {"one head in all: a brand", 32, 1, 1000, 0, 0.01f},
        {"one tail in all", 32, 1000, 1, 0, 0.01f},
        {"twelve heads, sorted or not", 32, 12, 1000, 4, SEK_REUSE_SIDE_MAX},
        {"twelve heads, thirteen tails", 32, 12, 13, 8, 2 * SEK_REUSE_SIDE_MAX},
        {"and after very many", 2000, 12, 13, 8, 2 * SEK_REUSE_SIDE_MAX},
    };
    (void)state;
    for (unsigned k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct sek_reuse r = run(cases[k].n, cases[k].heads, cases[k].tails, false);
        float got = sek_reuse_words(&r);

        if (!(got >= cases[k].min && got <= cases[k].max))
            fail_msg("%s: %g", cases[k].label, (double)got);
        assert_true(r.n <= SEK_REUSE_NAMES && r.next < SEK_REUSE_NAMES);
    }
}

static void test_shape(void **state)
{
    (void)state;
    struct sek_reuse same = run(20, 1000, 1000, true), mixed = run(20, 1000, 1000, false);
    struct sek_reuse brand = run(20, 1, 1000, true);

    assert_true(sek_reuse_shape(&same) == SEK_SHAPE_MAX);
    assert_true(sek_reuse_shape(&mixed) < 1);
    assert_true(sek_reuse_shape(&brand) == 0);
    /* what the whole site has is no shape */
    struct sek_site site = {{0}, {0}, 0};
    struct sek_reuse r = {0};
    for (unsigned i = 0; i < 1000; i++) {
        struct sek_reuse_unit u = unit((uint16_t)(i + 1), (uint16_t)(i + 1), 12, 3);
        sek_site_learn(&site, &u);
        if (i >= 980)
            sek_reuse_add(&r, &site, &u);
    }
    assert_true(sek_reuse_shape(&r) < 1);
}

/* The counters of a site are halved before they overflow, and shares stay what they are. */
static void test_site_full(void **state)
{
    struct sek_site site = {{0}, {0}, 0};

    (void)state;
    for (unsigned i = 0; i < 3u << 20; i++) {
        struct sek_reuse_unit u = unit(1, 1, (uint8_t)i, (uint8_t)(i % 4 ? 7 : 255));
        sek_site_learn(&site, &u);
    }
    assert_true(site.n <= 1u << 20);
    assert_true(fabsf((float)site.suffix[7] / (float)site.n - 0.75f) < 0.01f);
    assert_true(fabsf((float)site.suffix[63] / (float)site.n - 0.25f) < 0.01f);
}

static void test_kin_and_misspelt(void **state)
{
    struct sek_site site = mixed_site();
    struct sek_reuse r = {0};
    struct sek_reuse_unit a = unit(11, 12, 12, 1), b = unit(11, 14, 20, 1), c = unit(15, 12, 20, 1),
                          d = unit(12, 11, 12, 1), none = unit(0, 0, 5, 1);

    (void)state;
    assert_false(sek_reuse_is_kin(&r, &a));
    sek_reuse_add(&r, &site, &none);
    assert_false(sek_reuse_is_kin(&r, &none)); /* short names have no parts */
    sek_reuse_add(&r, &site, &a);
    assert_true(sek_reuse_is_kin(&r, &b));
    assert_true(sek_reuse_is_kin(&r, &c));
    assert_false(sek_reuse_is_kin(&r, &d)); /* head and tail are not the same thing */
    unsigned n = r.n;
    struct sek_reuse_unit typo = a;
    typo.part[0] = 99;
    typo.letters ^= 1;
    typo.length++;
    sek_reuse_add(&r, &site, &typo);
    assert_int_equal(r.n, n);
    typo.length += 2; /* too much for a slip */
    sek_reuse_add(&r, &site, &typo);
    assert_int_equal(r.n, n + 1);
}

static void test_decay(void **state)
{
    struct sek_reuse r = run(32, 12, 13, true);

    (void)state;
    sek_reuse_decay(&r, 0);
    assert_true(sek_reuse_words(&r) == 0);
    assert_true(sek_reuse_shape(&r) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),     cmocka_unit_test(test_shape),
        cmocka_unit_test(test_site_full), cmocka_unit_test(test_kin_and_misspelt),
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
