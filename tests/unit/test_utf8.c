/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/utf8.h"
#include <string.h>

#define TEXT(s) s, sizeof(s) - 1

static void test_next(void **state)
{
    static const struct {
        const char *label, *text;
        size_t len, expected;
        uint32_t point;
    } cases[] = {
        {"empty", TEXT(""), 0, 0},
        {"NUL", TEXT("\0"), 1, 0},
        {"ASCII max", TEXT("\x7f"), 1, 0x7f},
        {"two, least", TEXT("\xc2\x80"), 2, 0x80},
        {"two, overlong", TEXT("\xc1\xbf"), 0, 0},
        {"two, most", TEXT("\xdf\xbf"), 2, 0x7ff},
        {"three, least", TEXT("\xe0\xa0\x80"), 3, 0x800},
        {"three, overlong", TEXT("\xe0\x9f\xbf"), 0, 0},
        {"last before surrogates", TEXT("\xed\x9f\xbf"), 3, 0xd7ff},
        {"surrogate", TEXT("\xed\xa0\x80"), 0, 0},
        {"last surrogate", TEXT("\xed\xbf\xbf"), 0, 0},
        {"four, least", TEXT("\xf0\x90\x80\x80"), 4, 0x10000},
        {"four, overlong", TEXT("\xf0\x8f\xbf\xbf"), 0, 0},
        {"last of all", TEXT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
        {"behind the last", TEXT("\xf4\x90\x80\x80"), 0, 0},
        {"five octets", TEXT("\xf8\x88\x80\x80\x80"), 0, 0},
        {"continuation alone", TEXT("\x80"), 0, 0},
        {"0xff", TEXT("\xff"), 0, 0},
        {"truncated", TEXT("\xe2\x82"), 0, 0},
        {"bad continuation", TEXT("\xe2\x82\x41"), 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t point = 0xdead;
        size_t n = sek_utf8_next(cases[i].text, cases[i].len, &point);

        if (n != cases[i].expected || (n > 0 && point != cases[i].point) ||
            (n == 0 && point != 0xdead))
            fail_msg("%s: length %zu, point %x", cases[i].label, n, point);
    }
}

static void test_every_point_round_trips(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char text[4];
        uint32_t back = 0;
        size_t n;

        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        n = sek_utf8_put(point, text);
        if (sek_utf8_next(text, n, &back) != n || back != point)
            fail_msg("U+%X", point);
    }
}

static void test_valid(void **state)
{
    (void)state;
    assert_true(sek_utf8_is_valid("", 0));
    assert_true(sek_utf8_is_valid(TEXT("bücher\0例え")));
    assert_false(sek_utf8_is_valid(TEXT("b\xfc"
                                        "cher")));
    assert_false(sek_utf8_is_valid("ü", 1));
}

static void test_deceptive(void **state)
{
    static const uint32_t bad[] = {0,      '\n',   0x1b,   0x7f,   0x80,    0x9f,    0xad,
                                   0x61c,  0x200b, 0x200e, 0x202e, 0x2066,  0x2069,  0xfeff,
                                   0xfffe, 0xffff, 0xfdd0, 0xfe0f, 0xe0001, 0x10ffff};
    static const uint32_t good[] = {' ', 'a', '~', 0xa0, 0xfc, 0x3042, 0x2070, 0x1f600, 0xfffd};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!sek_utf8_is_deceptive(bad[i]))
            fail_msg("U+%X taken", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (sek_utf8_is_deceptive(good[i]))
            fail_msg("U+%X refused", good[i]);
}

static void test_blank(void **state)
{
    (void)state;
    assert_true(sek_utf8_is_blank("", 0));
    assert_true(sek_utf8_is_blank(TEXT(" \t\n")));
    assert_true(sek_utf8_is_blank(TEXT("\u3000\u00a0\u2003\u200b")));
    assert_false(sek_utf8_is_blank(TEXT(" x ")));
    assert_false(sek_utf8_is_blank(TEXT("\u4f8b")));
    assert_false(sek_utf8_is_blank(TEXT(" \xff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),  cmocka_unit_test(test_every_point_round_trips),
        cmocka_unit_test(test_valid), cmocka_unit_test(test_deceptive),
        cmocka_unit_test(test_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
