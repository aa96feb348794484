/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/err.h"
#include "base/lookup.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(sek_err_text(SEK_OK), "no error");
    assert_string_equal(sek_err_text(SEK_E_NOMEM), "out of memory");
    assert_string_equal(sek_err_text(SEK_E_FULL), "no space left");
    assert_string_equal(sek_err_text((enum sek_err)1), "unknown error");
    assert_string_equal(sek_err_text((enum sek_err)(-1 - SEK_N_ERRORS)), "unknown error");
    assert_int_equal(SEK_E_NOMEM, -1);
    for (int i = 0; i < SEK_N_ERRORS; i++)
        assert_true(strlen(sek_err_text((enum sek_err)(-1 - i))) > 0);
}

static void test_from_errno(void **state)
{
    static const struct {
        int errnum;
        enum sek_err expected;
    } cases[] = {
        {ENOSPC, SEK_E_FULL},      {EDQUOT, SEK_E_FULL},  {EACCES, SEK_E_DENIED},
        {EPERM, SEK_E_DENIED},     {EROFS, SEK_E_DENIED}, {ENOENT, SEK_E_NOTFOUND},
        {ENOTDIR, SEK_E_NOTFOUND}, {ENOMEM, SEK_E_NOMEM}, {EEXIST, SEK_E_EXISTS},
        {EIO, SEK_E_IO},           {0, SEK_E_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(sek_err_from_errno(cases[i].errnum), cases[i].expected);
}

static void test_set_and_wrap(void **state)
{
    struct sek_diag diag = {0};

    (void)state;
    assert_int_equal(sek_diag_set(&diag, SEK_E_IO, "line %d", 7), SEK_E_IO);
    assert_int_equal(diag.code, SEK_E_IO);
    assert_string_equal(diag.text, "line 7");
    assert_int_equal(sek_diag_wrap(&diag, "policy %s", "a.txt"), SEK_E_IO);
    assert_string_equal(diag.text, "policy a.txt: line 7");
    /* its own text as an argument */
    sek_diag_set(&diag, SEK_E_NAME, "again: %s", diag.text);
    assert_string_equal(diag.text, "again: policy a.txt: line 7");
    sek_diag_set(&diag, SEK_E_NAME, "%s", "");
    assert_string_equal(diag.text, "");
    assert_int_equal(sek_diag_set(NULL, SEK_E_LIMIT, "nobody listens"), SEK_E_LIMIT);
    assert_int_equal(sek_diag_wrap(NULL, "nobody"), SEK_OK);
}

static void test_one_safe_line(void **state)
{
    static const struct {
        const char *label, *input, *expected;
    } cases[] = {
        {"newline", "a\nb\r\n", "a?b??"},
        {"escape sequence", "\033[31mred", "?[31mred"},
        {"DEL", "a\177b", "a?b"},
        {"text of people stays", "bücher 例え", "bücher 例え"},
        {"C1 control",
         "a\xc2\x9b"
         "31m",
         "a?31m"},
        {"right-to-left override", "a\u202eb", "a?b"},
        {"no UTF-8", "\xff\xfe", "??"},
        {"cut character", "a\xc3", "a?"},
    };
    struct sek_diag diag;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sek_diag_set(&diag, SEK_E_IO, "%s", cases[i].input);
        if (strcmp(diag.text, cases[i].expected) != 0)
            fail_msg("%s: '%s'", cases[i].label, diag.text);
    }
}

static void test_long_text(void **state)
{
    struct sek_diag diag;
    char text[2000];
    const size_t max = sizeof(diag.text) - 1;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[max] = '\0'; /* fits exactly */
    sek_diag_set(&diag, SEK_E_IO, "%s", text);
    assert_string_equal(diag.text, text);
    text[max] = 'a';
    text[max + 1] = '\0'; /* one too long */
    sek_diag_set(&diag, SEK_E_IO, "%s", text);
    assert_int_equal(strlen(diag.text), max);
    assert_string_equal(diag.text + max - 3, "…");
    /* cut between characters: é is two octets; both parities */
    for (size_t first = 0; first < 2; first++) {
        memset(text, 'b', first);
        for (size_t i = first; i + 2 < 1000; i += 2)
            memcpy(text + i, "é", 3);
        sek_diag_set(&diag, SEK_E_IO, "%s", text);
        assert_true(strlen(diag.text) <= max);
        assert_null(strchr(diag.text, '?'));
        assert_string_equal(diag.text + strlen(diag.text) - 3, "…");
    }
    /* wrapping a full text keeps the new front */
    sek_diag_wrap(&diag, "front");
    assert_memory_equal(diag.text, "front: ", 7);
    assert_string_equal(diag.text + strlen(diag.text) - 3, "…");
}

static void test_lookup(void **state)
{
    static const struct sek_lookup table[] = {{3, "three"}, {0, "zero"}, {0, NULL}};

    (void)state;
    assert_string_equal(sek_lookup_name(table, 3), "three");
    assert_string_equal(sek_lookup_name(table, 0), "zero");
    assert_string_equal(sek_lookup_name(table, 7), "?");
    assert_int_equal(sek_lookup_id(table, "zero"), 0);
    assert_int_equal(sek_lookup_id(table, "Zero"), -1);
    assert_int_equal(sek_lookup_id(table, ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),        cmocka_unit_test(test_from_errno),
        cmocka_unit_test(test_set_and_wrap), cmocka_unit_test(test_one_safe_line),
        cmocka_unit_test(test_long_text),    cmocka_unit_test(test_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
