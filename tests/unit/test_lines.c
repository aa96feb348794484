/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of lines and their changes, against a plain model; and the circle of serial numbers. */
#include "transfer/lines.h"
#include "transfer/serial.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_serials(void **state)
{
    (void)state;
    static const struct {
        uint32_t a, b;
        enum sek_serial_order order;
    } cases[] = {
        {1, 1, SEK_SERIAL_SAME},
        {2, 1, SEK_SERIAL_NEWER},
        {1, 2, SEK_SERIAL_OLDER},
        {0, 0xffffffff, SEK_SERIAL_NEWER}, /* RFC 1982 §5.2: over the end */
        {0xffffffff, 0, SEK_SERIAL_OLDER},
        {0x7fffffff, 0, SEK_SERIAL_NEWER}, /* the farthest */
        {0x80000001, 0, SEK_SERIAL_OLDER},
        {0x80000000, 0, SEK_SERIAL_UNKNOWN},
        {100, 100 + 0x80000000U, SEK_SERIAL_UNKNOWN},
        {2026112701, 2026112700, SEK_SERIAL_NEWER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (sek_serial_compare(cases[i].a, cases[i].b) != cases[i].order)
            fail_msg("%u against %u", cases[i].a, cases[i].b);
}

static void add(struct sek_lines *l, const char *line, bool added)
{
    assert_int_equal(SEK_OK, sek_lines_add(l, line, strlen(line), added, NULL));
}

static void test_sorted(void **state)
{
    (void)state;
    struct sek_lines l;
    struct sek_buf out;
    sek_lines_init(&l, 0);
    sek_buf_init(&out, 0);
    assert_int_equal(SEK_OK, sek_lines_sorted(&l, &out, NULL)); /* none */
    assert_int_equal(0, out.len);
    static const char *const lines[] = {"b", "ab", "a", "b", "", "abc", "a", "b"};
    for (size_t i = 0; i < 8; i++)
        add(&l, lines[i], true);
    assert_int_equal(SEK_OK, sek_lines_sorted(&l, &out, NULL));
    assert_string_equal("\na\nab\nabc\nb\n", out.data);
    assert_int_equal(8, sek_lines_n(&l));
    sek_lines_fini(&l);
    sek_buf_fini(&out);
}

/* changes: "+line" and "-line" with blanks between. Returns what comes of it, "" for CORRUPT. */
static const char *applied(const char *old, const char *changes, struct sek_lines_change *out)
{
    static char result[256];
    char copy[256], *rest = copy, *word;
    struct sek_lines l;
    struct sek_buf b;
    struct sek_diag diag = {0};
    sek_lines_init(&l, 0);
    sek_buf_init(&b, 0);
    snprintf(copy, sizeof copy, "%s", changes);
    while ((word = strsep(&rest, " ")))
        if (*word)
            add(&l, word + 1, *word == '+');
    enum sek_err err = sek_lines_apply(old, strlen(old), &l, &b, out, &diag);
    assert_true(err == SEK_OK || err == SEK_E_CORRUPT);
    snprintf(result, sizeof result, "%s", err ? "" : b.data ? b.data : "(empty)");
    sek_lines_fini(&l);
    sek_buf_fini(&b);
    return result;
}

static void test_apply(void **state)
{
    (void)state;
    static const struct {
        const char *label, *old, *changes, *expected;
        uint64_t n_added, n_removed;
    } cases[] = {
        {"nothing", "a\nb\n", "", "a\nb\n", 0, 0},
        {"both ends", "b\nc\n", "+a +d", "a\nb\nc\nd\n", 2, 0},
        {"all goes", "a\nb\n", "-a -b", "(empty)", 0, 2},
        {"into nothing", "", "+b +a", "a\nb\n", 2, 0},
        {"goes and comes", "a\n", "-a +a", "a\n", 0, 0},
        {"comes and goes", "a\n", "+b -b", "a\n", 0, 0},
        {"again and again", "a\n", "-a +b +a -b -a +b", "b\n", 1, 1},
        {"a prefix is another line", "ab\n", "+a -ab +abc", "a\nabc\n", 2, 1},
        {"there already", "a\n", "+a", "", 0, 0},
        {"twice", "", "+a +a", "", 0, 0},
        {"not there", "a\n", "-b", "", 0, 0},
        {"gone already", "a\n", "-a -a", "", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_lines_change c = {0};
        const char *got = applied(cases[i].old, cases[i].changes, &c);
        if (strcmp(got, cases[i].expected) != 0 || c.n_added != cases[i].n_added ||
            c.n_removed != cases[i].n_removed)
            fail_msg("%s: \"%s\", %d added, %d removed", cases[i].label, got, (int)c.n_added,
                     (int)c.n_removed);
    }
}

#define N 60 /* lines that may be there */

/* Random changes, as many as one likes, against a table of what is there. */
static void test_model(void **state)
{
    (void)state;
    unsigned seed = 20;
    for (int round = 0; round < 300; round++) {
        bool was[N], there[N];
        struct sek_buf old, out, expected;
        struct sek_lines l;
        struct sek_lines_change c, again;
        sek_buf_init(&old, 0);
        sek_buf_init(&out, 0);
        sek_buf_init(&expected, 0);
        sek_lines_init(&l, 0);
        for (int i = 0; i < N; i++) {
            was[i] = there[i] = rand_r(&seed) % 2;
            if (was[i])
                sek_buf_add_fmt(&old, "n%03d\n", i);
        }
        for (int k = rand_r(&seed) % 200; k > 0; k--) {
            char line[8];
            int i = rand_r(&seed) % N;
            there[i] = !there[i];
            snprintf(line, sizeof line, "n%03d", i);
            add(&l, line, there[i]);
        }
        uint64_t n_added = 0, n_removed = 0;
        for (int i = 0; i < N; i++) {
            n_added += there[i] && !was[i];
            n_removed += was[i] && !there[i];
            if (there[i])
                sek_buf_add_fmt(&expected, "n%03d\n", i);
        }
        sek_buf_add_text(&old, "");
        assert_int_equal(SEK_OK, sek_lines_apply(old.data, old.len, &l, &out, &c, NULL));
        assert_int_equal(expected.len, out.len);
        if (out.len)
            assert_memory_equal(expected.data, out.data, out.len);
        sek_lines_compare(old.data, old.len, out.data, out.len, &again);
        if (c.n_added != n_added || c.n_removed != n_removed || again.n_added != n_added ||
            again.n_removed != n_removed)
            fail_msg("round %d: wrong counts", round);
        sek_buf_fini(&old);
        sek_buf_fini(&out);
        sek_buf_fini(&expected);
        sek_lines_fini(&l);
    }
}

static void test_limit(void **state)
{
    (void)state;
    struct sek_lines l;
    enum sek_err err = SEK_OK;
    sek_lines_init(&l, 100);
    for (int i = 0; !err && i < 100; i++)
        err = sek_lines_add(&l, "0123456789", 10, true, NULL);
    assert_int_equal(SEK_E_LIMIT, err);
    sek_lines_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_serials),
                                       cmocka_unit_test(test_sorted), cmocka_unit_test(test_apply),
                                       cmocka_unit_test(test_model), cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
