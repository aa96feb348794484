/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/buf.h"
#include <stdlib.h>
#include <string.h>

/* Allocation number `fail_at` from now fails (the test is linked with --wrap); 0: none does. */
static unsigned fail_at;

static int fails_now(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

/* What must hold after every step. */
static void check(const struct sek_buf *b)
{
    assert_true(b->len <= b->cap);
    if (b->data) {
        assert_true(b->len < b->size);
        assert_int_equal(b->data[b->len], 0);
    } else
        assert_int_equal(b->len, 0);
}

static void test_append(void **state)
{
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 0);
    check(&b);
    sek_buf_add(&b, NULL, 0);
    check(&b);
    sek_buf_add_text(&b, "");
    sek_buf_add(&b, "a\0b", 3);
    check(&b);
    sek_buf_add_fmt(&b, "%d-%s", 42, "x");
    check(&b);
    sek_buf_add_fmt(&b, "%s", "");
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.data, "a\0b42-x", 8);
    sek_buf_reset(&b);
    check(&b);
    assert_non_null(b.data);
    assert_int_equal(b.len, 0);
    sek_buf_fini(&b);
    check(&b);
    sek_buf_fini(&b); /* twice is allowed */
}

static void test_growth(void **state)
{
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 0);
    for (int i = 0; i < 100000; i++) {
        sek_buf_add_fmt(&b, "%05d", i);
        if (i % 1000 == 0)
            check(&b);
    }
    assert_false(b.failed);
    assert_int_equal(b.len, 500000);
    assert_memory_equal(b.data + 499995, "99999", 6);
    sek_buf_fini(&b);
}

static void test_cap(void **state)
{
    static const size_t caps[] = {1, 5, 63, 64, 65, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct sek_buf b;

        sek_buf_init(&b, caps[i]);
        while (b.len < caps[i]) {
            sek_buf_add(&b, "x", 1);
            check(&b);
        }
        assert_false(b.failed); /* the cap itself fits */
        sek_buf_add(&b, "", 0);
        assert_false(b.failed);
        sek_buf_add(&b, "y", 1);
        assert_true(b.failed);
        check(&b);
        assert_int_equal(b.len, caps[i]);
        sek_buf_reset(&b);
        assert_false(b.failed);
        sek_buf_add_fmt(&b, "%*s", (int)caps[i] + 1, ""); /* one too long by format */
        assert_true(b.failed);
        assert_int_equal(b.len, 0);
        check(&b);
        sek_buf_fini(&b);
    }
}

static void test_failure_sticks(void **state)
{
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 4);
    sek_buf_add_text(&b, "12345");
    assert_true(b.failed);
    sek_buf_add_text(&b, "1"); /* would fit, but the text has a hole already */
    assert_int_equal(b.len, 0);
    assert_null(sek_buf_grow(&b, 1));
    assert_null(sek_buf_take(&b));
    check(&b);
    assert_false(b.failed); /* take leaves an empty buffer */
    sek_buf_add_text(&b, "1234");
    assert_string_equal(b.data, "1234");
    sek_buf_fini(&b);
    sek_buf_init(&b, 4);
    assert_null(sek_buf_grow(&b, SIZE_MAX));
    assert_true(b.failed);
    sek_buf_fini(&b);
}

static void test_grow_and_take(void **state)
{
    struct sek_buf b;
    char *text, *at;

    (void)state;
    sek_buf_init(&b, 0);
    sek_buf_add_text(&b, "ab");
    at = sek_buf_grow(&b, 2);
    assert_non_null(at);
    memcpy(at, "cd", 2);
    check(&b);
    assert_non_null(sek_buf_grow(&b, 0));
    text = sek_buf_take(&b);
    assert_string_equal(text, "abcd");
    check(&b);
    free(text);
    text = sek_buf_take(&b); /* nothing was added: an empty text, not NULL */
    assert_string_equal(text, "");
    free(text);
}

static void test_no_memory(void **state)
{
    struct sek_buf b;

    (void)state;
    sek_buf_init(&b, 0);
    fail_at = 1;
    sek_buf_add_text(&b, "a");
    assert_true(b.failed);
    check(&b);
    sek_buf_reset(&b);
    sek_buf_add_text(&b, "kept");
    fail_at = 1;
    sek_buf_add_fmt(&b, "%1000s", "");
    assert_true(b.failed);
    check(&b);
    assert_string_equal(b.data, "kept");
    sek_buf_fini(&b);
    fail_at = 1;
    assert_null(sek_buf_take(&b));
    check(&b);
    sek_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_cap),           cmocka_unit_test(test_failure_sticks),
        cmocka_unit_test(test_grow_and_take), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
