/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/when.h"
#include <string.h>

#define DAY 86400LL
#define NOW 1795414620LL      /* Monday, 2026-11-23T06:17:00Z */
#define MIDNIGHT 1795392000LL /* of that day */
#define N(a) (sizeof(a) / sizeof((a)[0]))

static int32_t tokyo_at(const void *of, int64_t at_s)
{
    (void)of, (void)at_s;
    return 9 * 3600;
}
static const struct sek_zone tokyo[] = {{tokyo_at, NULL}};

/* One change of the clocks: on 2026-03-29 at 01:00 UTC from +01:00 to +02:00, back on 2026-10-25.
 */
static int32_t berlin_at(const void *of, int64_t at_s)
{
    (void)of;
    return at_s >= 1774746000 && at_s < 1792890000 ? 7200 : 3600;
}
static const struct sek_zone berlin[] = {{berlin_at, NULL}};

struct row {
    const char *text;
    int64_t expected; /* -1: refused */
};

static void check(const struct row *rows, size_t n, int64_t now_s, const struct sek_zone *zone)
{
    for (size_t i = 0; i < n; i++) {
        int64_t s = -77;
        struct sek_diag diag;
        enum sek_err err = sek_when_from_text(rows[i].text, now_s, zone, &s, &diag);
        if (rows[i].expected == -1 ? err != SEK_E_INVALID || s != -77
                                   : err != SEK_OK || s != rows[i].expected)
            fail_msg("'%s': %d, %lld", rows[i].text, err, (long long)s);
    }
}

static void test_words(void **state)
{
    static const struct row rows[] = {
        {"now", NOW},
        {" NOW ", NOW},
        {"today", MIDNIGHT},
        {"Today", MIDNIGHT},
        {"yesterday", MIDNIGHT - DAY},
        {"tomorrow 08:00", MIDNIGHT + DAY + 8 * 3600},
        {"2h", NOW - 7200},
        {"1d12h", NOW - 129600},
        {"1d 12h", NOW - 129600},
        {"2h ago", NOW - 7200},
        {"2h  ago", NOW - 7200},
        {"2 hours ago", NOW - 7200},
        {"2 hours", NOW - 7200},
        {"2Hours Ago", NOW - 7200},
        {"1 week ago", NOW - 7 * DAY},
        {"90 sec ago", NOW - 90},
        {"1 day 3 hours 5 minutes ago", NOW - DAY - 3 * 3600 - 300},
        {"-2h", NOW - 7200},
        {"- 2 hours", -1},
        {"-2h ago", -1},
        {"2 fortnights ago", -1},
        {"hours ago", -1},
        {"3 hours 1 day ago", -1}, /* long units first, as in life times */
        {"monday", MIDNIGHT},      /* that day */
        {"Mon", MIDNIGHT},
        {"monday 18:00", MIDNIGHT + 18 * 3600},
        {"last monday", MIDNIGHT - 7 * DAY},
        {"last  Monday", MIDNIGHT - 7 * DAY},
        {"last monday at 18:00", MIDNIGHT - 7 * DAY + 18 * 3600},
        {"sunday", MIDNIGHT - DAY},
        {"last sunday", MIDNIGHT - DAY},
        {"last tuesday", MIDNIGHT - 6 * DAY},
        {"this week", MIDNIGHT},
        {"last week", MIDNIGHT - 7 * DAY},
        {"this month", MIDNIGHT - 22 * DAY},
        {"last month", MIDNIGHT - (22 + 31) * DAY},
        {"yesterday 18:00", MIDNIGHT - 6 * 3600},
        {"yesterday 18:00:30.25", MIDNIGHT - 6 * 3600 + 30},
        {"yesterday 18:00Z", MIDNIGHT - 6 * 3600},
        {"yesterday 18:00 +09:00", MIDNIGHT - 15 * 3600},
        {"06:17", NOW},
        {"@1795414620", NOW},
        {"@1795414620.5", NOW},
        {"@0", 0},
        {"@", -1},
        {"@-1", -1},
        {"@1x", -1},
        {"@253402300800", -1},
        {"@99999999999999999999", -1},
        {"", -1},
        {" ", -1},
        {"this monday", -1},
        {"this", -1},
        {"last year", -1},
        {"last", -1},
        {"last ", -1},
        {" ago", -1},
        {"at 18:00", -1},
        {"today ago", -1},
        {"today 25:00", -1},
        {"today 18", -1},
        {"todays", -1},
        {"today tomorrow", -1},
        {"12345", -1},
        {"２h", -1},
        {"1111111111111111111111111111111111111111111111111111111111111111", -1},
        {"1 second 1 second 1 second 1 second 1 second 1 second 1 second", -1},
    };
    (void)state;
    check(rows, N(rows), NOW, NULL);
}

static void test_iso(void **state)
{
    static const struct row rows[] = {
        {"2026-11-23", MIDNIGHT},
        {"2026-11-23T06:17", NOW},
        {"2026-11-23T06:17Z", NOW},
        {"2026-11-23T06:17:00", NOW},
        {"2026-11-23T06:17:00Z", NOW},
        {"2026-11-23 06:17:00", NOW},
        {"2026-11-23 06:17:00 UTC", NOW},
        {"2026-11-23t06:17:59z", NOW + 59},
        {"2026-11-23T06:17:00.000Z", NOW},
        {"2026-11-23T06:17:00.999Z", NOW},
        {"2026-11-23T06:17:00,5Z", NOW},
        {"2026-11-23T15:17+09:00", NOW},
        {"2026-11-23T15:17:00.5+0900", NOW},
        {"2026-11-23T15:17+09", NOW},
        {"2026-11-23T00:47:00-05:30", NOW},
        {"2026-11-23 15:17 +09:00", NOW},
        {"2024-02-29", 1709164800},
        {"1970-01-01", 0},
        {"2038-01-19T03:14:08Z", 2147483648LL},
        {"2026-02-29", -1},
        {"2026-13-01", -1},
        {"2026-00-10", -1},
        {"2026-11-31", -1},
        {"2026-11-00", -1},
        {"2026-11-23T24:00", -1},
        {"2026-11-23T23:60", -1},
        {"2026-11-23T23:59:60", -1},
        {"2026-11-23T23", -1},
        {"2026-11-23T", -1},
        {"2026-11-23Z", -1},
        {"2026-11-23T06:17:00.Z", -1},
        {"2026-11-23T06:17.5Z", -1},
        {"2026-11-23T06:17:00Zx", -1},
        {"2026-11-23T06:17+", -1},
        {"2026-11-23T06:17+9", NOW - 9 * 3600},
        {"2026-11-23T06:17+09:", -1},
        {"2026-11-23T06:17+09:0", -1},
        {"2026-11-23T06:17+09:60", -1},
        {"2026-11-23T06:17+14:00", NOW - 14 * 3600},
        {"2026-11-23T06:17+14:01", -1},
        {"2026-11-23T06:17+09:00x", -1},
        {"2026-1-1", -1},
        {"1969-12-31", -1},
        {"20261123", -1},
    };
    (void)state;
    check(rows, N(rows), NOW, NULL);
    for (size_t i = 0; i < N(rows); i++) { /* and nothing else: */
        int64_t s = -77;
        enum sek_err err = sek_when_from_iso(rows[i].text, NULL, &s, NULL);
        if (rows[i].expected == -1 ? err != SEK_E_INVALID || s != -77 : s != rows[i].expected)
            fail_msg("'%s': %d, %lld", rows[i].text, err, (long long)s);
    }
    int64_t s;
    assert_int_equal(sek_when_from_iso("today", NULL, &s, NULL), SEK_E_INVALID);
    assert_int_equal(sek_when_from_iso("2h", NULL, &s, NULL), SEK_E_INVALID);
}

/* What has no zone counts there; it is Monday, 15:17 in Tokyo. */
static void test_zone(void **state)
{
    static const struct row rows[] = {
        {"today", MIDNIGHT - 9 * 3600},
        {"monday", MIDNIGHT - 9 * 3600},
        {"last month", MIDNIGHT - (22 + 31) * DAY - 9 * 3600},
        {"today 15:17", NOW},
        {"today 15:17Z", NOW + 9 * 3600},
        {"2026-11-23T15:17", NOW},
        {"2026-11-23T06:17Z", NOW},
        {"2026-11-23T07:17+01:00", NOW},
        {"2026-11-24", MIDNIGHT + 15 * 3600},
        {"2h", NOW - 7200},
        {"@1795414620", NOW},
    };
    static const struct row late[] = {/* Tuesday there, Monday in UTC */
                                      {"today", MIDNIGHT + 15 * 3600},
                                      {"tuesday", MIDNIGHT + 15 * 3600},
                                      {"last monday", MIDNIGHT - 9 * 3600}};
    (void)state;
    check(rows, N(rows), NOW, tokyo);
    check(late, N(late), MIDNIGHT + 16 * 3600, tokyo);
}

/* Days of 23 and 25 hours. */
static void test_clock_changes(void **state)
{
    static const struct row rows[] = {
        {"2026-03-29", 1774738800},                                   /* 2026-03-28T23:00Z */
        {"2026-03-29 01:59", 1774745940},                             /* a minute before */
        {"2026-03-29 03:00", 1774746000}, {"2026-03-30", 1774821600}, /* 2026-03-29T22:00Z */
        {"2026-10-25", 1792879200},                                   /* 2026-10-24T22:00Z */
        {"2026-10-26", 1792969200},                                   /* 2026-10-25T23:00Z */
    };
    (void)state;
    check(rows, N(rows), NOW, berlin);
    assert_true(sek_when_midnight(1774746000, 0, berlin) == 1774738800);
    assert_true(sek_when_midnight(1774746000, 1, berlin) == 1774738800 + 23 * 3600);
    assert_true(sek_when_midnight(1792890000, 0, berlin) == 1792879200);
    assert_true(sek_when_midnight(1792890000, 1, berlin) == 1792879200 + 25 * 3600);
    assert_true(sek_when_midnight(1792890000, -1, berlin) == 1792879200 - DAY);
    assert_true(sek_when_midnight(NOW, 0, NULL) == MIDNIGHT);
    assert_int_equal(sek_when_weekday(NOW, NULL), 0);
    assert_int_equal(sek_when_weekday(0, NULL), 3);
    assert_int_equal(sek_when_weekday(MIDNIGHT + 15 * 3600, tokyo), 1);
}

/* A message has room for what it is about, whatever that holds. */
static void test_message(void **state)
{
    struct sek_diag diag;
    int64_t s;
    (void)state;
    assert_int_equal(sek_when_from_text("soon", NOW, NULL, &s, &diag), SEK_E_INVALID);
    assert_non_null(strstr(diag.text, "'soon' is not a time such as 2h"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_iso),
        cmocka_unit_test(test_zone),    cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
