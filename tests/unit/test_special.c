/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/special.h"
#include "name/text.h"
#include <string.h>

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool special;
    } cases[] = {
        {".", true},
        {"printer", true}, /* one label: a search list's, or nobody's */
        {"com", true},
        {"a.example", true},
        {"example.com", true},
        {"a.b.EXAMPLE.net", true},
        {"myexample.com", false},
        {"example.com.evil.net", false},
        {"example.co.uk", false},
        {"1.2.0.192.in-addr.arpa", true},
        {"x.home.arpa", true},
        {"host.local", true},
        {"host.locale", false},
        {"facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion", true},
        {"a.localhost", true},
        {"www.internal", true},
        {"internal.com", false},
        {"test.com", false},
        {"a.test", true},
        {"a.invalid", true},
        {"a.alt", true},
        {"kq3v9z7.net", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_name name;

        assert_int_equal(sek_name_from_text(cases[i].name, strlen(cases[i].name), &name, NULL),
                         SEK_OK);
        if (sek_name_is_special(&name) != cases[i].special)
            fail_msg("%s", cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
