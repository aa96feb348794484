/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "conf/options.h"
#include <string.h>

/* The table holds together. */
static void test_rows(void **state)
{
    char allowed[SEK_OPTION_ALLOWED_MAX];
    unsigned n_groups = 0, n = 0;
    const char *groups[SEK_OPTIONS_MAX];

    (void)state;
    for (const struct sek_option *o = sek_options; o->key; o++, n++) {
        const char *dot = strchr(o->key, '.');
        size_t len;

        if (!dot || strchr(dot + 1, '.') || !dot[1])
            fail_msg("%s: not group.key", o->key);
        if (strspn(o->key, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(o->key))
            fail_msg("%s: odd characters", o->key);
        if (sek_option_find(o->key) != o)
            fail_msg("%s: twice", o->key);
        len = (size_t)(dot - o->key) + 1;
        if (n_groups == 0 || strncmp(groups[n_groups - 1], o->key, len) != 0) {
            for (unsigned g = 0; g < n_groups; g++)
                if (strncmp(groups[g], o->key, len) == 0)
                    fail_msg("%s: its group stands elsewhere", o->key);
            groups[n_groups++] = o->key;
        }
        sek_option_allowed(o, allowed, sizeof(allowed));
        if (strlen(allowed) < 5 || strlen(allowed) > sizeof(allowed) - 4)
            fail_msg("%s: allowed '%s'", o->key, allowed);
        if (!o->help || strlen(o->help) < 10 || strlen(o->help) > 94 ||
            o->help[strlen(o->help) - 1] == '.')
            fail_msg("%s: help is one short sentence without its full stop", o->key);
        if (!o->fallback || !o->unit || o->min > o->max)
            fail_msg("%s: row is not complete", o->key);
        if (o->offset >= sizeof(struct sek_conf))
            fail_msg("%s: place", o->key);
        for (const struct sek_option *p = sek_options; p != o; p++)
            if (p->offset == o->offset)
                fail_msg("%s and %s share a place", p->key, o->key);
    }
    assert_true(n >= 20);
}

static void test_find(void **state)
{
    (void)state;
    assert_non_null(sek_option_find("answer.ttl"));
    assert_null(sek_option_find("answer"));
    assert_null(sek_option_find(""));
    assert_null(sek_option_find("answer.ttl "));
    assert_null(sek_option_find("ANSWER.TTL"));
}

static void test_allowed(void **state)
{
    static const struct {
        const char *key, *expected;
    } cases[] = {
        {"policy.shrink-percent", "0 to 100 percent"},
        {"policy.strict", "yes or no"},
        {"answer.ttl", "1s to 1h"},
        {"answer.ipv4", "an IPv4 address"},
        {"answer.ipv6", "an IPv6 address"},
        {"answer.contact", "a text of up to 120 octets"},
        {"answer.soa-mname", "a domain name of up to 255 octets"},
        {"events.ring", "64k to 1g"},
        {"policy.never-block", "a list of up to 1024 names"},
        {"policy.db", "an absolute path of up to 255 octets"},
        {"suffix.list", "an absolute path of up to 255 octets, or empty"},
    };
    char text[SEK_OPTION_ALLOWED_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(sek_option_allowed(sek_option_find(cases[i].key), text, sizeof(text)),
                            cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
