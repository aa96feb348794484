/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/json.h"
#include <math.h>
#include <string.h>

static void test_text(void **state)
{
    static const struct {
        const char *label, *text, *expected;
    } cases[] = {
        {"empty", "", "\"\""},
        {"plain", "a.example", "\"a.example\""},
        {"quote and backslash", "\"\\", "\"\\\"\\\\\""},
        {"controls", "\n\033\177", "\"\\u000a\\u001b\\u007f\""},
        {"UTF-8 stays", "bücher", "\"bücher\""},
        {"override", "\xe2\x80\xae", "\"\\u202e\""},
        {"tag, a surrogate pair", "\xf3\xa0\x80\x81", "\"\\udb40\\udc01\""},
        {"no UTF-8", "\xff", "\"\\\\xff\""},
    };
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sek_buf_reset(&b);
        sek_json_add_text(&b, cases[i].text);
        if (strcmp(b.data, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].label, b.data);
    }
    sek_buf_fini(&b);
}

static void test_real(void **state)
{
    static const struct {
        double v;
        int decimals;
        const char *expected;
    } cases[] = {{0.805, 1, "0.8"}, {-3, 2, "-3.00"},      {1e6, 0, "1000000"},
                 {NAN, 1, "null"},  {INFINITY, 1, "null"}, {-INFINITY, 1, "null"}};
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sek_buf_reset(&b);
        sek_json_add_real(&b, cases[i].v, cases[i].decimals);
        assert_string_equal(b.data, cases[i].expected);
    }
    sek_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_real)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
