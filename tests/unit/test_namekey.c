/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/text.h"
#include "store/namekey.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "seed.h"

static struct sek_name name_of(const char *text)
{
    struct sek_name name;
    if (sek_name_from_text(text, strlen(text), &name, NULL))
        fail_msg("no name: %s", text);
    return name;
}

static void test_known(void **state)
{
    (void)state;
    static const struct {
        const char *label, *name, *key;
        size_t len;
    } cases[] = {
        {"root", ".", "", 0},
        {"one label", "com", "com\0", 4},
        {"labels from the right", "www.example.com", "com\0example\0www\0", 16},
        {"octet 0", "a\\000b", "a\1\1b\0", 5},
        {"octet 1", "a\\001b", "a\1\2b\0", 5},
        {"octet 2 stays", "a\\002b", "a\2b\0", 4},
        {"a dot inside a label", "a\\.b.c", "c\0a.b\0", 6},
        {"high octet", "\\255", "\377\0", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t key[SEK_NAMEKEY_MAX];
        struct sek_name name = name_of(cases[i].name), back;
        size_t len = sek_namekey_from_name(&name, key);
        if (len != cases[i].len || memcmp(key, cases[i].key, len) != 0)
            fail_msg("%s: another key", cases[i].label);
        if (sek_namekey_to_name(key, len, &back) || back.len != name.len ||
            memcmp(back.octets, name.octets, name.len) != 0)
            fail_msg("%s: another name came back", cases[i].label);
    }
}

static void test_longest(void **state)
{
    (void)state;
    uint8_t wire[SEK_NAME_MAX], key[SEK_NAMEKEY_MAX];
    struct sek_name name, back;
    /* three labels of 63 and one of 61: 255 octets, each one escaped */
    memset(wire, 0, sizeof wire);
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    assert_int_equal(sek_name_from_wire(wire, sizeof wire, &name), SEK_OK);
    assert_int_equal(name.len, SEK_NAME_MAX);
    size_t len = sek_namekey_from_name(&name, key);
    assert_int_equal(len, 2 * 250 + 4);
    assert_int_equal(sek_namekey_to_name(key, len, &back), SEK_OK);
    assert_memory_equal(back.octets, wire, sizeof wire);
    /* 127 labels */
    for (int i = 0; i < 127; i++) {
        wire[2 * i] = 1;
        wire[2 * i + 1] = 'a';
    }
    wire[254] = 0;
    assert_int_equal(sek_name_from_wire(wire, sizeof wire, &name), SEK_OK);
    len = sek_namekey_from_name(&name, key);
    assert_int_equal(sek_namekey_to_name(key, len, &back), SEK_OK);
    assert_memory_equal(back.octets, wire, sizeof wire);
    /* one octet more */
    memcpy(key + len, "b", 2);
    assert_int_equal(sek_namekey_to_name(key, len + 2, &back), SEK_E_CORRUPT);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *label, *key;
        size_t len;
    } cases[] = {
        {"label without end", "com", 3},
        {"empty label", "\0", 1},
        {"second label empty", "com\0\0", 5},
        {"escape at the end", "com\1", 4},
        {"escape before the label's end", "com\1\0", 5},
        {"unknown escape", "com\1\3\0", 6},
        {"label of 64", "1234567890123456789012345678901234567890123456789012345678901234\0", 65},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_name name;
        if (sek_namekey_to_name(cases[i].key, cases[i].len, &name) != SEK_E_CORRUPT)
            fail_msg("%s: taken for a name", cases[i].label);
    }
}

/* Few different octets and labels, so that names share parents and prefixes. */
static struct sek_name random_name(void)
{
    static const uint8_t octets[] = {0, 1, 2, 'a', 'b', 255};
    uint8_t wire[64];
    size_t n = 0;
    struct sek_name name;
    for (long labels = random() % 5; labels > 0; labels--) {
        uint8_t len = (uint8_t)(1 + random() % 4);
        wire[n++] = len;
        while (len--)
            wire[n++] = octets[random() % (long)sizeof octets];
    }
    wire[n++] = 0;
    assert_int_equal(sek_name_from_wire(wire, n, &name), SEK_OK);
    return name;
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void test_order(void **state)
{
    (void)state;
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    for (int i = 0; i < 20000; i++) {
        struct sek_name a = random_name(), b = random_name(), back;
        uint8_t a_key[SEK_NAMEKEY_MAX], b_key[SEK_NAMEKEY_MAX];
        size_t a_len = sek_namekey_from_name(&a, a_key), b_len = sek_namekey_from_name(&b, b_key);
        int order = memcmp(a_key, b_key, a_len < b_len ? a_len : b_len);
        if (order == 0)
            order = (a_len > b_len) - (a_len < b_len);
        if (sign(order) != sign(sek_name_compare(&a, &b)))
            fail_msg("seed %u, round %d: not the canonical order", seed, i);
        bool prefix = b_len <= a_len && memcmp(a_key, b_key, b_len) == 0;
        if (prefix != sek_name_is_at_or_below(&a, &b))
            fail_msg("seed %u, round %d: names below are not a range", seed, i);
        if (sek_namekey_to_name(a_key, a_len, &back) || back.len != a.len ||
            memcmp(back.octets, a.octets, a.len) != 0)
            fail_msg("seed %u, round %d: another name came back", seed, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
