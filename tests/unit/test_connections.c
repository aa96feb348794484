/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of firewalls' logs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "tools/input/connections.h"
#include <stdio.h>
#include <string.h>

#define NOW_S 1795168800

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        unsigned time, source, destination;
        const char *expected; /* NULL: bad */
    } cases[] = {
        {"1795168800,192.0.2.1,198.51.100.1", 1, 2, 3, "1795168800 192.0.2.1 198.51.100.1"},
        {"1795168800.5\t192.0.2.1\t2001:db8::1", 1, 2, 3, "1795168800 192.0.2.1 2001:db8::1"},
        {"  1795168800   192.0.2.1  198.51.100.1  x", 1, 2, 3, "1795168800 192.0.2.1 198.51.100.1"},
        {"a;192.0.2.1:5;\"198.51.100.1:443\";2026-11-20T10:00:00Z", 4, 2, 3,
         "1795168800 192.0.2.1 198.51.100.1"},
        {"1795168800,[2001:db8::2]:99,fe80::1%eth0", 1, 2, 3, "1795168800 2001:db8::2 fe80::1"},
        {"1795168800,::ffff:192.0.2.1,198.51.100.1\r", 1, 2, 3,
         "1795168800 192.0.2.1 198.51.100.1"},
        {"1795168800,,192.0.2.1,198.51.100.1", 1, 3, 4, "1795168800 192.0.2.1 198.51.100.1"},
        {"1795168800,192.0.2.1", 1, 2, 3, NULL},
        {"1795168800,192.0.2.1,host.example", 1, 2, 3, NULL},
        {"1795168800,192.0.2.1,[", 1, 2, 3, NULL},
        {"1795168800,192.0.2.1,:", 1, 2, 3, NULL},
        {"time,source,destination", 1, 2, 3, NULL},
        {"", 1, 2, 3, NULL},
        {",,,", 1, 2, 3, NULL},
        {" ", 1, 2, 3, NULL},
        {"1795168800,192.0.2.1,198.51.100.1", 9, 2, 3, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_connection_columns columns = {cases[i].time, cases[i].source,
                                                 cases[i].destination};
        struct sek_connection c;
        struct sek_diag diag = {0};
        char line[200], text[200] = "", a[SEK_ADDR_TEXT_MAX], b[SEK_ADDR_TEXT_MAX];

        snprintf(line, sizeof line, "%s", cases[i].line);
        enum sek_err err = sek_connection_from_line(line, &columns, NOW_S, &c, &diag);
        if (err == SEK_OK)
            snprintf(text, sizeof text, "%lld %s %s", (long long)c.time_s,
                     sek_addr_to_text(&c.source, a), sek_addr_to_text(&c.destination, b));
        else
            assert_true(*diag.text);
        if (strcmp(text, cases[i].expected ? cases[i].expected : "") != 0)
            fail_msg("%s: %s (%s)", cases[i].line, text, diag.text);
    }
}

static void test_columns(void **state)
{
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {{"1,2,3", true},    {"64,1,1", true}, {"", false},       {"1,2", false},
                 {"1,2,3,4", false}, {"0,1,2", false}, {"65,1,2", false}, {"-1,2,3", false},
                 {"a,b,c", false},   {"1, 2,3", true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_connection_columns columns;
        if ((sek_connection_columns_from_text(cases[i].text, &columns, NULL) == SEK_OK) !=
            cases[i].fine)
            fail_msg("%s", cases[i].text);
    }
}

static void test_global(void **state)
{
    static const struct {
        const char *text;
        bool global;
    } cases[] = {
        {"8.8.8.8", true},
        {"10.0.0.0", false},
        {"11.0.0.0", true},
        {"100.64.0.1", false},
        {"100.63.255.255", true},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"127.0.0.1", false},
        {"172.15.0.1", true},
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"172.32.0.1", true},
        {"192.168.1.1", false},
        {"169.254.1.1", false},
        {"224.0.0.251", false},
        {"255.255.255.255", false},
        {"223.255.255.255", true},
        {"::1", false},
        {"::", false},
        {"2001:db8::1", true},
        {"fc00::1", false},
        {"fdff::1", false},
        {"fe80::1", false},
        {"febf::1", false},
        {"fec0::1", true},
        {"ff02::fb", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_addr a;
        assert_int_equal(sek_addr_from_text(cases[i].text, &a, NULL), SEK_OK);
        if (sek_connection_is_global(&a) != cases[i].global)
            fail_msg("%s", cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_global),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
