/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/origin.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NONE ((uid_t)-1)

static void test_user(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        uid_t uid, login, sudo, expected;
    } cases[] = {
        {"plain user", 1000, NONE, NONE, 1000},
        {"plain user with a login", 1000, 1000, NONE, 1000},
        {"root of a container", 0, NONE, NONE, 0},
        {"sudo, no login uid", 0, NONE, 1000, 1000},
        {"sudo, as the kernel says", 0, 1000, 1000, 1000},
        {"sudo, but the kernel knows better", 0, 1001, 1000, 1001},
        {"su", 0, 1000, NONE, 1000},
        {"a user who says that he is another one", 1000, NONE, 1001, 1000},
        {"a user who says that he is root", 1000, NONE, 0, 1000},
        {"root logged in", 0, 0, NONE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (sek_origin_user(cases[i].uid, cases[i].login, cases[i].sudo) != cases[i].expected)
            fail_msg("%s", cases[i].label);
}

static void test_tty(void **state)
{
    (void)state;
    static const struct {
        unsigned device;
        const char *expected;
    } cases[] = {{0, ""},
                 {136 << 8, "pts/0"},
                 {136 << 8 | 3, "pts/3"},
                 {136 << 8 | 1 << 20 | 1, "pts/257"},
                 {4 << 8 | 1, "tty1"},
                 {4 << 8 | 64, "ttyS0"},
                 {5 << 8 | 1, "terminal 5:1"}};
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(sek_origin_tty(cases[i].device, out, sizeof out), cases[i].expected);
}

static void test_ssh(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected; /* NULL: makes no sense */
    } cases[] = {
        {"192.0.2.9 50122 192.0.2.1 22", "192.0.2.9"},
        {"192.0.2.9 50122 22", "192.0.2.9"},
        {"2001:DB8::1 1 ::1 22", "2001:db8::1"},
        {"fe80::1%eth0 1 ::1 22", "fe80::1"},
        {"", NULL},
        {" 192.0.2.9", NULL},
        {"localhost 1 2 3", NULL},
        {"\033[2J 1 2 3", NULL},
        {"192.0.2.9.192.0.2.9.192.0.2.9.192.0.2.9.192.0.2.9.192.0.2.9.192.0.2.9.192", NULL}};
    char out[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ok = sek_origin_ssh(cases[i].text, out, sizeof out);
        if (ok != (cases[i].expected != NULL) || (ok && strcmp(out, cases[i].expected) != 0))
            fail_msg("%s: %s", cases[i].text, ok ? out : "nothing");
    }
}

static void test_command(void **state)
{
    (void)state;
    char *argv[] = {"/usr/sbin/sekisho",
                    "block",
                    "=a.example",
                    "",
                    "two words",
                    "it's",
                    "$(rm)",
                    "\033[2J\\",
                    "\xff",
                    "b\xc3\xbc.example",
                    "\xe2\x80\xae",
                    "a\nb"};
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_origin_command(argv, sizeof argv / sizeof *argv, &b);
    assert_string_equal(b.data, "sekisho block =a.example '' 'two words' $'it\\x27s' '$(rm)'"
                                " $'\\x1b[2J\\x5c' $'\\xff' 'b\xc3\xbc.example'"
                                " $'\\xe2\\x80\\xae' $'a\\x0ab'");
    sek_buf_fini(&b);
    /* very long: cut between words, and the rest counted */
    char *many[2000];
    for (int i = 0; i < 2000; i++)
        many[i] = "some.long.name.example";
    sek_buf_init(&b, 0);
    sek_origin_command(many, 2000, &b);
    assert_true(b.len < 17000);
    assert_non_null(strstr(b.data, " … (1287 more)"));
    sek_buf_fini(&b);
}

/* The whole, as far as it is the same everywhere. */
static void test_read(void **state)
{
    (void)state;
    struct sek_origin o;
    sek_origin_read(&o);
    assert_true(*o.user && *o.from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user),    cmocka_unit_test(test_tty),  cmocka_unit_test(test_ssh),
        cmocka_unit_test(test_command), cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
