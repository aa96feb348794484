/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/duration.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400LL
#define N(table) (sizeof(table) / sizeof((table)[0]))

static void test_duration_from_text(void **state)
{
    static const struct {
        const char *text;
        int64_t expected; /* 0: refused */
    } cases[] = {
        {"", 0},
        {"1s", 1},
        {"90s", 90},
        {"30m", 1800},
        {"8h", 8 * 3600},
        {"3d", 3 * DAY},
        {"2w", 14 * DAY},
        {"1d12h", 36 * 3600},
        {"1w1d1h1m1s", 8 * DAY + 3661},
        {"0s", 0},
        {"0d1s", 1},
        {"5", 0},
        {"5x", 0},
        {"s", 0},
        {"-5s", 0},
        {"+5s", 0},
        {" 5s", 0},
        {"5s ", 0},
        {"5 s", 0},
        {"1h1d", 0},
        {"1h1h", 0},
        {"1.5h", 0},
        {"5S", 0},
        {"1d12", 0},
        {"36600d", 36600 * DAY},
        {"36600d1s", 0},
        {"36601d", 0},
        {"99999999999999999999s", 0},
        {"9223372036854775807w", 0},
        {"5é", 0},
        {"٥s", 0},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_diag diag = {0};
        int64_t s = -7;
        enum sek_err err = sek_duration_from_text(cases[i].text, &s, &diag);

        if (cases[i].expected == 0 ? err != SEK_E_INVALID || s != -7 || !strstr(diag.text, "'")
                                   : err != SEK_OK || s != cases[i].expected)
            fail_msg("'%s': %d, %lld %s", cases[i].text, err, (long long)s, diag.text);
    }
}

static void test_duration_to_text(void **state)
{
    static const struct {
        int64_t s;
        const char *expected;
    } cases[] = {
        {0, "0s"},
        {1, "1s"},
        {59, "59s"},
        {60, "1m"},
        {90, "90s"},
        {99, "99s"},
        {100, "1m40s"},
        {3599, "59m59s"},
        {3600, "1h"},
        {3601, "1h"},
        {3660, "61m"},
        {93784, "1d2h"},
        {36 * 3600, "36h"},
        {DAY - 1, "1d"},
        {2 * DAY - 1, "2d"},
        {DAY + 61, "1d"},
        {7 * DAY, "1w"},
        {30 * DAY, "30d"},
        {365 * DAY, "365d"},
        {1000 * DAY, "1000d"},
        {9999999, "115d18h"},
        {-300, "-5m"},
        {-93784, "-1d2h"},
        {INT64_MAX, "106751991167300d16h"},
        {INT64_MIN, "-106751991167300d16h"},
    };
    char text[24];

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        sek_duration_to_text(cases[i].s, text, sizeof(text));
        if (strcmp(text, cases[i].expected) != 0)
            fail_msg("%lld: '%s'", (long long)cases[i].s, text);
    }
    assert_string_equal(sek_duration_to_text(93784, text, 3), "1d"); /* cut, not overrun */
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        uint64_t expected; /* UINT64_MAX - 1: refused */
    } cases[] = {
        {"0", 0},
        {"512", 512},
        {"512b", 512},
        {"64k", 65536},
        {"64K", 65536},
        {"64kb", 65536},
        {"64KiB", 65536},
        {"16m", 16777216},
        {"2g", 2147483648ULL},
        {"1t", 1ULL << 40},
        {"18446744073709551615", UINT64_MAX},
        {"", UINT64_MAX - 1},
        {"k", UINT64_MAX - 1},
        {"5ib", UINT64_MAX - 1},
        {"5x", UINT64_MAX - 1},
        {"-5", UINT64_MAX - 1},
        {"5 k", UINT64_MAX - 1},
        {"5kk", UINT64_MAX - 1},
        {"5ki", UINT64_MAX - 1},
        {"1.5g", UINT64_MAX - 1},
        {"5bb", UINT64_MAX - 1},
        {"0x5", UINT64_MAX - 1},
        {"5é", UINT64_MAX - 1},
        {"18446744073709551616", UINT64_MAX - 1},
        {"16777215t", 16777215ULL << 40},
        {"16777216t", UINT64_MAX - 1},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        uint64_t n = 77;
        enum sek_err err = sek_size_from_text(cases[i].text, &n, NULL);

        if (cases[i].expected == UINT64_MAX - 1 ? err != SEK_E_INVALID || n != 77
                                                : err != SEK_OK || n != cases[i].expected)
            fail_msg("'%s': %d, %llu", cases[i].text, err, (unsigned long long)n);
    }
}

static void test_size_round_trips(void **state)
{
    static const uint64_t sizes[] = {0,       1,          1000,       1023,       1024,       1025,
                                     2097152, 1ULL << 40, 1ULL << 50, UINT64_MAX, 5ULL << 30, 1536};
    char text[24];

    (void)state;
    for (size_t i = 0; i < N(sizes); i++) {
        uint64_t back = 0;

        assert_int_equal(
            sek_size_from_text(sek_size_to_text(sizes[i], text, sizeof(text)), &back, NULL),
            SEK_OK);
        assert_true(back == sizes[i]);
    }
    assert_string_equal(sek_size_to_text(2097152, text, sizeof(text)), "2m");
    assert_string_equal(sek_size_to_text(1536, text, sizeof(text)), "1536");
    assert_string_equal(sek_size_to_text(1ULL << 50, text, sizeof(text)), "1024t");
    assert_string_equal(sek_size_to_text(0, text, sizeof(text)), "0");
}

static void test_time_to_text(void **state)
{
    static const struct {
        int64_t s;
        const char *expected;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1795414620, "2026-11-23T06:17:00Z"},
        {2147483648LL, "2038-01-19T03:14:08Z"}, /* beyond 32 bits */
        {951782400, "2000-02-29T00:00:00Z"},
        {253402300799LL, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z"},
    };
    char text[21];

    (void)state;
    for (size_t i = 0; i < N(cases); i++)
        if (strcmp(sek_time_to_text(cases[i].s, text, sizeof(text)), cases[i].expected) != 0)
            fail_msg("%lld: '%s'", (long long)cases[i].s, text);
    assert_string_equal(sek_time_to_text(0, text, 11), "1970-01-01"); /* cut, not overrun */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration_from_text),
        cmocka_unit_test(test_duration_to_text),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_size_round_trips),
        cmocka_unit_test(test_time_to_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
