/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "seed.h"
#include "name/name.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIRE(s) (const uint8_t *)(s), sizeof(s) - 1 /* C adds no octet of its own */
#define N(table) (sizeof(table) / sizeof((table)[0]))

/* A wire name with labels of the given lengths, all of letter c. Returns its length. */
static size_t build(uint8_t *out, const unsigned *labels, unsigned n, char c)
{
    size_t at = 0;

    for (unsigned i = 0; i < n; i++) {
        out[at++] = (uint8_t)labels[i];
        memset(out + at, c, labels[i]);
        at += labels[i];
    }
    out[at++] = 0;
    return at;
}

static struct sek_name name(const char *text)
{
    struct sek_name n;
    struct sek_diag diag = {0};

    if (sek_name_from_text(text, strlen(text), &n, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return n;
}

static void test_from_wire(void **state)
{
    static const struct {
        const char *label;
        const uint8_t *wire;
        size_t size;
        unsigned len, n_labels; /* len 0: refused */
        const uint8_t *expected;
    } cases[] = {
        {"nothing", WIRE(""), 0, 0, NULL},
        {"root", WIRE("\0"), 1, 0, (const uint8_t *)"\0"},
        {"one label", WIRE("\1a\0"), 3, 1, (const uint8_t *)"\1a\0"},
        {"folds A-Z", WIRE("\4AZaz\3[@`\0"), 10, 2, (const uint8_t *)"\4azaz\3[@`\0"},
        {"any octet", WIRE("\5.\0\x80\xc0\xff\0"), 7, 1, (const uint8_t *)"\5.\0\x80\xc0\xff\0"},
        {"upper Latin-1 stays", WIRE("\2\xc4\xd6\0"), 4, 1, (const uint8_t *)"\2\xc4\xd6\0"},
        {"ends before size", WIRE("\1a\0rest"), 3, 1, (const uint8_t *)"\1a\0"},
        {"no root", WIRE("\1a"), 0, 0, NULL},
        {"label runs out", WIRE("\5ab"), 0, 0, NULL},
        {"label eats the end", WIRE("\2a\0"), 0, 0, NULL},
        {"compression pointer", WIRE("\1a\xc0\x0c"), 0, 0, NULL},
        {"pointer at once", WIRE("\xc0\x00"), 0, 0, NULL},
        {"reserved type 01",
         WIRE("\x40"
              "a\0"),
         0, 0, NULL},
        {"reserved type 10",
         WIRE("\x80"
              "a\0"),
         0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name n = {.len = 99};
        enum sek_err err = sek_name_from_wire(cases[i].wire, cases[i].size, &n);

        if (cases[i].len == 0) {
            if (err != SEK_E_NAME || n.len != 99)
                fail_msg("%s: %d", cases[i].label, err);
        } else if (err != SEK_OK || n.len != cases[i].len || n.n_labels != cases[i].n_labels ||
                   memcmp(n.octets, cases[i].expected, n.len) != 0 ||
                   n.octets[n.offset[n.n_labels]] != 0 ||
                   sek_name_wire_len(n.octets) != cases[i].len)
            fail_msg("%s: %d, len %u, %u labels", cases[i].label, err, n.len, n.n_labels);
    }
}

static void test_limits(void **state)
{
    static const struct {
        const char *label;
        unsigned labels[4];
        unsigned expected; /* total length; 0: refused */
    } cases[] = {
        {"63-octet label", {63, 0, 0, 0}, 65}, {"64-octet label", {64, 0, 0, 0}, 0},
        {"253 octets", {63, 63, 63, 59}, 253}, {"254 octets", {63, 63, 63, 60}, 254},
        {"255 octets", {63, 63, 63, 61}, 255}, {"256 octets", {63, 63, 63, 62}, 0},
        {"257 octets", {63, 63, 63, 63}, 0},
    };
    uint8_t wire[300];
    unsigned ones[128];
    struct sek_name n;
    size_t len;

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        len = build(wire, cases[i].labels, cases[i].labels[1] ? 4 : 1, 'Q');
        memset(wire + len, 0, sizeof(wire) - len);
        n.len = 0;
        if (sek_name_from_wire(wire, sizeof(wire), &n) !=
                (cases[i].expected ? SEK_OK : SEK_E_NAME) ||
            n.len != cases[i].expected)
            fail_msg("%s: %u", cases[i].label, n.len);
    }
    for (unsigned i = 0; i < 128; i++)
        ones[i] = 1;
    len = build(wire, ones, 127, 'x');
    assert_int_equal(len, 255);
    assert_int_equal(sek_name_from_wire(wire, len, &n), SEK_OK);
    assert_int_equal(n.n_labels, 127);
    assert_int_equal(n.offset[126], 252);
    assert_int_equal(n.offset[127], 254);
    assert_int_equal(sek_name_from_wire(wire, len - 1, &n), SEK_E_NAME);
    len = build(wire, ones, 128, 'x');
    assert_int_equal(sek_name_from_wire(wire, len, &n), SEK_E_NAME);
}

/* Every octet that may not be read lies behind the end of a heap block: the sanitizer sees a step
 * too far. */
static void test_never_reads_past_size(void **state)
{
    uint8_t whole[300];
    unsigned labels[4] = {63, 63, 63, 61};
    size_t len = build(whole, labels, 4, 'a');

    (void)state;
    for (size_t size = 0; size < len; size++) {
        uint8_t *wire = malloc(size ? size : 1);
        struct sek_name n;

        memcpy(wire, whole, size);
        assert_int_equal(sek_name_from_wire(wire, size, &n), SEK_E_NAME);
        free(wire);
    }
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(sek_name_equal(WIRE("\1a\1B\0"), WIRE("\1A\1b\0")));
    assert_false(sek_name_equal(WIRE("\1a\0"), WIRE("\1b\0")));
    assert_false(sek_name_equal(WIRE("\1a\0"), WIRE("\1a\1b\0")));
    assert_true(sek_name_equal(WIRE("\0"), WIRE("\0")));
    assert_false(sek_name_equal(WIRE("\1[\0"), WIRE("\1{\0"))); /* apart by 0x20, no letters */
    assert_false(sek_name_equal(WIRE("\1\xe4\0"), WIRE("\1\xc4\0")));
}

static void test_at_or_below(void **state)
{
    static const struct {
        const char *name, *parent;
        bool expected;
    } cases[] = {
        {"evil.com", "evil.com", true},
        {"a.evil.com", "EVIL.com", true},
        {"a.b.c.evil.com", "evil.com", true},
        {"notevil.com", "evil.com", false}, /* label boundary */
        {"com", "evil.com", false},
        {"evil.com", "a.evil.com", false},
        {"evil.com.net", "evil.com", false},
        {"evil.com", ".", true},
        {".", ".", true},
        {".", "com", false},
        {"a\\.b.com", "b.com", false}, /* the dot is part of a label */
        {"\\001b.com", "b.com", false},
        {"x\\003com", "com", false}, /* looks like the parent's wire form, inside a label */
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name a = name(cases[i].name), b = name(cases[i].parent);

        if (sek_name_is_at_or_below(&a, &b) != cases[i].expected)
            fail_msg("%s in %s", cases[i].name, cases[i].parent);
    }
}

/* The example of RFC 4034 §6.1, and the root before all. */
static void test_compare(void **state)
{
    static const char *const order[] = {
        ".",           "example",         "a.example",        "yljkjljk.a.example",
        "Z.a.example", "zABC.a.EXAMPLE",  "z.example",        "\\001.z.example",
        "*.z.example", "\\200.z.example", "\\200a.z.example",
    };
    struct sek_name a, b;

    (void)state;
    for (size_t i = 0; i < N(order); i++)
        for (size_t k = 0; k < N(order); k++) {
            char escaped[2][64];
            int diff;

            snprintf(escaped[0], 64, "%s%s", order[i][0] == '*' ? "\\" : "", order[i]);
            snprintf(escaped[1], 64, "%s%s", order[k][0] == '*' ? "\\" : "", order[k]);
            a = name(escaped[0]);
            b = name(escaped[1]);
            diff = sek_name_compare(&a, &b);
            if ((diff < 0) != (i < k) || (diff > 0) != (i > k))
                fail_msg("%s against %s: %d", order[i], order[k], diff);
        }
}

static void test_parent(void **state)
{
    struct sek_name n = name("a.bb.ccc.example"), up;
    char text[SEK_NAME_TEXT_MAX];

    (void)state;
    sek_name_parent(&n, 0, &up);
    assert_int_equal(sek_name_compare(&n, &up), 0);
    sek_name_parent(&n, 2, &up);
    sek_name_to_text(up.octets, text);
    assert_string_equal(text, "ccc.example");
    assert_int_equal(up.n_labels, 2);
    assert_int_equal(up.offset[0], 0);
    assert_int_equal(up.offset[1], 4);
    assert_int_equal(up.octets[up.offset[2]], 0);
    sek_name_parent(&n, 4, &up);
    assert_int_equal(up.len, 1);
    assert_int_equal(up.n_labels, 0);
    sek_name_parent(&n, 3, &n); /* onto itself */
    sek_name_to_text(n.octets, text);
    assert_string_equal(text, "example");
    assert_true(sek_name_is_at_or_below(&n, &up));
}

/* Random octets: never beyond size, and what is taken keeps its promises. */
static void test_random_wire(void **state)
{
    unsigned seed = (unsigned)test_seed();
    unsigned n_taken = 0;

    (void)state;
    srand(seed);
    for (int round = 0; round < 20000; round++) {
        uint8_t wire[300];
        size_t size = (size_t)(rand() % 300);
        struct sek_name n, again, up;

        for (size_t i = 0; i < size; i++)
            wire[i] = (uint8_t)(rand() % (round % 2 ? 8 : 70));
        if (sek_name_from_wire(wire, size, &n) != SEK_OK)
            continue;
        n_taken++;
        assert_true(n.len <= size);
        assert_int_equal(sek_name_wire_len(wire), n.len);
        assert_true(sek_name_equal(wire, n.len, n.octets, n.len));
        assert_int_equal(sek_name_from_wire(n.octets, n.len, &again), SEK_OK);
        assert_int_equal(sek_name_compare(&n, &again), 0);
        for (unsigned k = 0; k <= n.n_labels; k++) {
            sek_name_parent(&n, k, &up);
            assert_true(sek_name_is_at_or_below(&n, &up));
            assert_int_equal(
                sek_name_from_wire(n.octets + n.offset[k], n.len - n.offset[k], &again), SEK_OK);
            assert_int_equal(sek_name_compare(&up, &again), 0);
        }
    }
    assert_true(n_taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_wire),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_never_reads_past_size),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_at_or_below),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_parent),
        cmocka_unit_test(test_random_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
