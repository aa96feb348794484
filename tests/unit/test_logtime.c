/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "observe/logtime.h"
#include <string.h>

#define NOW 1795784400 /* 2026-11-27T13:00:00Z */
#define NONE (-1)

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t time_s;
        const char *rest;
    } cases[] = {
        {"", NONE, ""},
        {"x", NONE, ""},
        {"1795168800", 1795168800, ""},
        {"1795168800.123456 x", 1795168800, " x"},
        {"1795168800]", 1795168800, "]"},
        {"1795168800.", 1795168800, "."},
        {"1795168800123", 1795168800, ""},
        {"12345678", NONE, ""},
        {"Nov 20 2026 10:00:00: %ASA", 1795168800, ": %ASA"},
        {"Feb 30 2026 10:00:00", NONE, ""},
        {"123456789012", NONE, ""},
        {"1795168800250", 1795168800, ""},
        {"1795168800250001 x", 1795168800, " x"},
        {"1795168800250001002", 1795168800, ""},
        {"17951688002500010029", NONE, ""},
        {"179516880025000", NONE, ""},
        {"2026-11-20", 1795132800, ""},
        {"2026-11-20 x", 1795132800, " x"},
        {"2026-11-20T10:00:00Z", 1795168800, ""},
        {"2026-11-20 10:00:00", 1795168800, ""},
        {"2026-11-20 10:00", 1795168800, ""},
        {"2026-11-20T10:00:00.123+00:00 y", 1795168800, " y"},
        {"2026-11-20T11:00:00,5+01:00", 1795168800, ""},
        {"2026-11-20T05:00:00-0500", 1795168800, ""},
        {"2026-11-20T10:00:00+1:00", NONE, ""},
        {"2026-11-20T10:00:00+99:00", NONE, ""},
        {"2026-11-20T24:00:00Z", 1795132800, "T24:00:00Z"},
        {"2026-13-20", NONE, ""},
        {"2026-02-29", NONE, ""},
        {"2024-02-29", 1709164800, ""},
        {"1969-12-31", NONE, ""},
        {"2026-11-200", NONE, ""},
        {"20-Nov-2026 10:00:00.123 q", 1795168800, " q"},
        {"1-Nov-2026 10:00:00", 1793527200, ""},
        {"20-Foo-2026 10:00:00", NONE, ""},
        {"20-Nov-2026", NONE, ""},
        {"Nov 20 10:00:00 host", 1795168800, " host"},
        {"Nov  1 10:00:00", 1793527200, ""},
        {"Nov 28 12:59:59", 1795870799, ""},
        {"Nov 28 13:00:01", 1764334801, ""}, /* a year ago */
        {"Feb 29 00:00:00", 1709164800, ""}, /* of 2024 */
        {"Feb 30 00:00:00", NONE, ""},
        {"Nov 20", NONE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *p = cases[i].text;
        int64_t time_s = NONE;
        bool is = sek_logtime_take(&p, NOW, &time_s);
        if (is != (cases[i].time_s != NONE) || (is && time_s != cases[i].time_s) ||
            strcmp(p, is ? cases[i].rest : cases[i].text) != 0)
            fail_msg("\"%s\": %lld, rest \"%s\"", cases[i].text, (long long)time_s, p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
