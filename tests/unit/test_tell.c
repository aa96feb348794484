/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/tell.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct told {
    unsigned n, troubles;
    char last[SEK_TELL_LINE_MAX];
};

static void on_line(void *arg, bool trouble, const char *text)
{
    struct told *t = arg;
    t->n++;
    t->troubles += trouble;
    snprintf(t->last, sizeof t->last, "%s", text);
}

static void test_lines_wait_and_are_told_once(void **state)
{
    (void)state;
    static struct sek_tell t;
    struct told told = {0};
    sek_tell_init(&t);
    assert_false(sek_tell_waits(&t));
    sek_tell_put(&t, true, "one");
    sek_tell_put(&t, false, "two");
    assert_true(sek_tell_waits(&t));
    sek_tell_all(&t, on_line, &told);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.troubles, 1);
    assert_string_equal(told.last, "two");
    assert_false(sek_tell_waits(&t));
    sek_tell_all(&t, on_line, &told);
    assert_int_equal(told.n, 2);
    sek_tell_fini(&t);
}

static void test_too_many_are_counted(void **state)
{
    (void)state;
    static struct sek_tell t;
    struct told told = {0};
    sek_tell_init(&t);
    for (unsigned i = 0; i < SEK_TELL_LINES + 5; i++)
        sek_tell_put(&t, false, "line");
    sek_tell_all(&t, on_line, &told);
    assert_int_equal(told.n, SEK_TELL_LINES + 1);
    assert_string_equal(told.last, "5 further lines were not kept");
    sek_tell_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_wait_and_are_told_once),
                                       cmocka_unit_test(test_too_many_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
