/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/addr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static void test_text(void **state)
{
    static const struct {
        const char *text, *expected; /* NULL: refused */
        bool v4;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"0.0.0.0", "0.0.0.0", true},
        {"255.255.255.255", "255.255.255.255", true},
        {"::ffff:192.0.2.1", "192.0.2.1", true}, /* the same endpoint */
        {"::ffff:c000:201", "192.0.2.1", true},
        {"::", "::", false},
        {"::1", "::1", false},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", false},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         false},
        {"", NULL, false},
        {"256.0.0.1", NULL, false},
        {"192.0.2", NULL, false},
        {"192.0.2.1.", NULL, false},
        {"192.0.2.01", NULL, false},
        {" 192.0.2.1", NULL, false},
        {"192.0.2.1/32", NULL, false},
        {"fe80::1%eth0", NULL, false},
        {"1::2::3", NULL, false},
        {"2001:db8::1\n", NULL, false},
        {"12345::", NULL, false},
        {"例え", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[SEK_ADDR_TEXT_MAX];
        struct sek_addr a = {{7}}, untouched = {{7}};
        struct sek_diag diag = {0};
        enum sek_err err = sek_addr_from_text(cases[i].text, &a, &diag);

        if (!cases[i].expected) {
            if (err != SEK_E_INVALID || !sek_addr_equal(&a, &untouched) || !*diag.text)
                fail_msg("'%s' was taken", cases[i].text);
        } else if (err != SEK_OK || strcmp(sek_addr_to_text(&a, out), cases[i].expected) != 0 ||
                   sek_addr_is_v4(&a) != cases[i].v4)
            fail_msg("'%s': %d '%s'", cases[i].text, err, out);
    }
}

static void test_sockaddr(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_scope_id = 3};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    struct sek_addr a, b, none = {{0}};
    char text[SEK_ADDR_TEXT_MAX];

    (void)state;
    inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
    a = sek_addr_from_sockaddr((struct sockaddr *)&in);
    assert_string_equal(sek_addr_to_text(&a, text), "192.0.2.7");
    inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
    b = sek_addr_from_sockaddr((struct sockaddr *)&in6);
    assert_true(sek_addr_equal(&a, &b));
    inet_pton(AF_INET6, "2001:db8::7", &in6.sin6_addr);
    b = sek_addr_from_sockaddr((struct sockaddr *)&in6);
    assert_false(sek_addr_equal(&a, &b));
    assert_false(sek_addr_is_v4(&b));
    assert_string_equal(sek_addr_to_text(&b, text), "2001:db8::7");
    a = sek_addr_from_sockaddr((struct sockaddr *)&un);
    assert_true(sek_addr_equal(&a, &none));
}

static void test_global(void **state)
{
    static const struct {
        const char *text;
        bool global;
    } cases[] = {
        {"8.8.8.8", true},
        {"1.0.0.0", true},
        {"0.255.255.255", false},
        {"9.255.255.255", true},
        {"10.0.0.0", false},
        {"10.255.255.255", false},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.64.0.0", false},
        {"100.127.255.255", false},
        {"100.128.0.0", true},
        {"127.0.0.1", false},
        {"169.254.1.1", false},
        {"169.253.1.1", true},
        {"172.15.255.255", true},
        {"172.16.0.0", false},
        {"172.31.255.255", false},
        {"172.32.0.0", true},
        {"192.167.1.1", true},
        {"192.168.1.1", false},
        {"198.17.1.1", true},
        {"198.18.0.1", false},
        {"198.19.255.255", false},
        {"198.20.0.0", true},
        {"223.255.255.255", true},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"2000::", true},
        {"3fff::1", true},
        {"4000::", false},
        {"1fff::", false},
        {"::1", false},
        {"fe80::1", false},
        {"fd00::1", false},
        {"::", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sek_addr a;
        assert_int_equal(sek_addr_from_text(cases[i].text, &a, NULL), SEK_OK);
        if (sek_addr_is_global(&a) != cases[i].global)
            fail_msg("%s", cases[i].text);
    }
}

/* What a network is that an address lies in, at octets' ends and within them. */
static void test_around(void **state)
{
    static const struct {
        const char *addr;
        unsigned bits;
        const char *net;
    } rows[] = {
        {"2001:db8:ffff::1", 0, "::/0"},
        {"2001:db8:ffff::1", 33, "2001:db8:8000::/33"},
        {"2001:db8:ffff::1", 48, "2001:db8:ffff::/48"},
        {"2001:db8:ffff::1", 128, "2001:db8:ffff::1"},
        {"192.0.2.255", 96 + 25, "192.0.2.128/25"},
        {"192.0.2.255", 96 + 24, "192.0.2.0/24"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_addr a;
        struct sek_net net;
        assert_int_equal(sek_addr_from_text(rows[i].addr, &a, NULL), SEK_OK);
        assert_int_equal(sek_net_from_text(rows[i].net, &net, NULL), SEK_OK);
        struct sek_net around = sek_net_around(&a, rows[i].bits);
        assert_true(sek_net_equal(&around, &net));
        assert_true(sek_net_has(&around, &a));
        net.bits ^= 1;
        assert_false(sek_net_equal(&around, &net));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_global),
        cmocka_unit_test(test_sockaddr),
        cmocka_unit_test(test_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
