/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/raw.h"
#include "name/text.h"
#include <stdio.h>
#include <string.h>

static void test_names(void **state)
{
    static const struct {
        const char *text, *expected; /* NULL: refused */
        enum sek_raw how;
    } cases[] = {
        {"", NULL, SEK_RAW_DECIMAL},
        {".", ".", SEK_RAW_DECIMAL},
        {"<Root>", ".", SEK_RAW_OCTAL},
        {"..", NULL, SEK_RAW_DECIMAL},
        {".a", NULL, SEK_RAW_DECIMAL},
        {"a..b", NULL, SEK_RAW_DECIMAL},
        {"WWW.Example.com", "www.example.com", SEK_RAW_DECIMAL},
        {"a.b.", "a.b", SEK_RAW_DECIMAL},
        {"My Printer._ipp", "my\\032printer._ipp", SEK_RAW_DECIMAL},
        {"a\\032b", "a\\032b", SEK_RAW_DECIMAL},
        {"a\\040b", "a\\032b", SEK_RAW_OCTAL},
        {"a\\x20b", "a\\032b", SEK_RAW_DECIMAL},
        {"a\\x2", "ax2", SEK_RAW_DECIMAL},
        {"a\\.b", "a\\.b", SEK_RAW_DECIMAL},
        {"a\\999", "a999", SEK_RAW_DECIMAL},
        {"a\\", "a\\092", SEK_RAW_DECIMAL},
        {"\xc3\xbc", "\\195\\188", SEK_RAW_DECIMAL},
        {"a\xef\xbf\xbd", "a\\063", SEK_RAW_OCTAL},
        {"a\xef\xbf\xbd", "a\\239\\191\\189", SEK_RAW_DECIMAL},
        {"xn--a", "xn--a", SEK_RAW_DECIMAL},
    };
    struct sek_name name, same;
    char text[SEK_NAME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool ok = sek_name_from_raw(cases[i].text, strlen(cases[i].text), cases[i].how, &name);
        if (ok != (cases[i].expected != NULL))
            fail_msg("'%s'", cases[i].text);
        if (!ok)
            continue;
        sek_name_to_text(name.octets, text);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(sek_name_from_wire(name.octets, name.len, &same), SEK_OK);
        assert_int_equal(same.len, name.len);
        assert_int_equal(same.n_labels, name.n_labels);
        assert_memory_equal(same.offset, name.offset, name.n_labels + 1U);
    }
}

/* Labels of 63 octets, names of 255, and one more. */
static void test_sizes(void **state)
{
    char text[300];
    struct sek_name name;

    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(sek_name_from_raw(text, 63, SEK_RAW_DECIMAL, &name));
    assert_false(sek_name_from_raw(text, 64, SEK_RAW_DECIMAL, &name));
    for (int i = 1; i < 4; i++)
        text[i * 64 - 1] = '.';
    assert_true(sek_name_from_raw(text, 253, SEK_RAW_DECIMAL, &name));
    assert_int_equal(name.len, 255);
    assert_false(sek_name_from_raw(text, 254, SEK_RAW_DECIMAL, &name));
    text[253] = '.';
    assert_true(sek_name_from_raw(text, 254, SEK_RAW_DECIMAL, &name));
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? '.' : 'b';
    assert_true(sek_name_from_raw(text, 254, SEK_RAW_DECIMAL, &name));
    assert_int_equal(name.n_labels, 127);
    assert_false(sek_name_from_raw(text, 256, SEK_RAW_DECIMAL, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
