/* SPDX-License-Identifier: BSD-3-Clause */
/* Zones by name: offsets, and those of IANA with their changes. */
#include "tools/zone.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define T 1795168800 /* 2026-11-20T10:00:00 */

static int64_t utc(const struct sek_zone_changes *z, int64_t local_s)
{
    const struct sek_zone zone = sek_zone_of(z);
    return sek_when_utc(local_s, &zone);
}

static void offsets(void **state)
{
    static const struct {
        const char *text;
        int64_t s; /* INT64_MIN: refused */
    } cases[] = {{"Z", 0},
                 {"UTC", 0},
                 {"+09:00", 32400},
                 {"-0530", -19800},
                 {"+14:00", 50400},
                 {"-03", -10800},
                 {"Europe/Berlin", 3600},
                 {"Asia/Tokyo", 32400},
                 {"+15:00", INT64_MIN},
                 {"", INT64_MIN},
                 {"+", INT64_MIN},
                 {"+9:00", 32400},
                 {"UTC-3:30", -12600},
                 {"0900", INT64_MIN},
                 {"+09:60", INT64_MIN},
                 {"+09:00x", INT64_MIN},
                 {"+090", INT64_MIN},
                 {"../passwd", INT64_MIN},
                 {"Europe/Atlantis", INT64_MIN}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_zone_changes z = {.n = 0};
        enum sek_err e = sek_zone_from_text(cases[i].text, &z, NULL);
        if ((e == SEK_OK) != (cases[i].s != INT64_MIN) ||
            (e == SEK_OK && utc(&z, T) != T - cases[i].s))
            fail_msg("%s: %d %lld", cases[i].text, e, (long long)utc(&z, T));
    }
}

static void changes(void **state)
{
    struct sek_zone_changes z = {.n = 0};
    (void)state;
    assert_int_equal(utc(&z, T), T); /* none: UTC */
    assert_int_equal(sek_zone_from_text("Europe/Berlin", &z, NULL), SEK_OK);
    assert_int_equal(utc(&z, 1782900000), 1782892800); /* July: +02:00 */
    /* 2026-03-29 01:59:59 +01:00, and 03:00:00 +02:00 a second later */
    assert_int_equal(utc(&z, 1774749599), 1774745999);
    assert_int_equal(utc(&z, 1774753200), 1774746000);
    /* 2026-10-25 02:30:00 comes twice: the later one */
    assert_int_equal(utc(&z, 1792895400), 1792891800);
    assert_int_equal(utc(&z, 0), -3600); /* as in 2020 */
    /* 2026-11-01 01:30:00 likewise; 2026-03-08 02:30:00 never is: as long after the change */
    assert_int_equal(sek_zone_from_text("America/New_York", &z, NULL), SEK_OK);
    assert_int_equal(utc(&z, 1793496600), 1793514600);
    assert_int_equal(utc(&z, 1772937000), 1772955000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),
        cmocka_unit_test(changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
