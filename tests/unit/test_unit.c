/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/punycode.h"
#include "model_fixture.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

static struct sek_suffixes suffixes;
static uint8_t *octets;

static int setup(void **state)
{
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];
    size_t n;

    (void)state;
    octets = model_make(1, true, &n);
    sek__model_layout((const void *)octets, at);
    suffixes.slots = (const void *)(octets + at[SEK__MODEL_SLOTS]);
    suffixes.mask = MODEL_SLOTS - 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(octets);
    return 0;
}

static struct sek_name name_of(const char *text)
{
    struct sek_name n;
    struct sek_diag diag;

    if (sek_name_from_text(text, strlen(text), &n, &diag) != SEK_OK)
        fail_msg("%s: %s", text, diag.text);
    return n;
}

static void unit_text(const struct sek_unit *u, char *out)
{
    for (unsigned i = 0; i < u->n; i++)
        out[i] = ".abcdefghijklmnopqrstuvwxyz0123456789-?."[u->sym[i]];
    out[u->n] = '\0';
}

static void test_units(void **state)
{
    static const struct {
        const char *name, *unit;
        unsigned label, class_id;
        bool dynamic;
    } cases[] = {
        {".", "", 0, 0, false},
        {"com", "", 0, 1, false},
        {"unlisted", "", 0, 0, false},
        {"co.uk", "", 0, 2, false},
        {"ab.ck", "", 0, 0, false},
        {"dyn.com", "", 0, 1, true},
        {"example.com", "example", 0, 1, false},
        {"a.b.c.Example.COM", "example", 3, 1, false},
        {"example.unlisted", "example", 0, 0, false},
        {"example.co.uk", "example", 0, 2, false},
        {"x.example.uk", "example", 1, 2, false},
        {"x.y.ck", "x", 0, 0, false},
        {"www.ck", "www", 0, 0, false},
        {"x.www.ck", "www", 1, 0, false},
        {"host.dyn.com", "host", 0, 1, true},
        {"x.host.dyn.com", "host", 1, 1, true},
        {"below.org", "below", 0, 0, false},
        {"x.below.org", "below", 1, 0, false},
        {"x.far.below.org", "x", 0, 0, false},
        {"a-1_2.com", "a-1?2", 0, 1, false},
        {"xn--bcher-kva.com", "bucher", 0, 1, false},
        {"xn--e1afmkfd.com", "??????", 0, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name name = name_of(cases[i].name);
        struct sek_unit u;
        char text[65];

        sek_unit_of_name(&suffixes, &name, &u);
        unit_text(&u, text);
        if (strcmp(text, cases[i].unit) != 0 || u.class_id != cases[i].class_id ||
            u.label != cases[i].label || u.dynamic != cases[i].dynamic)
            fail_msg("%s: \"%s\" label %u class %u dynamic %d", cases[i].name, text, u.label,
                     u.class_id, u.dynamic);
    }
}

static void test_label(void **state)
{
    struct sek_name name = name_of("one.two.example.co.uk");
    struct sek_unit u;
    char text[65];

    (void)state;
    sek_unit_of_label(&suffixes, &name, 1, &u);
    unit_text(&u, text);
    assert_string_equal(text, "two");
    assert_int_equal(u.class_id, 2);
    assert_int_equal(u.label, 1);
}

/* Every octet in a label: a symbol of the alphabet, never padding or an edge. */
static void test_every_octet(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t wire[] = {3, 'x', (uint8_t)c, 'y', 3, 'c', 'o', 'm', 0};
        struct sek_name name;
        struct sek_unit u;

        assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &name), SEK_OK);
        sek_unit_of_name(&suffixes, &name, &u);
        assert_int_equal(u.n, 3);
        assert_in_range(u.sym[1], SEK_SYM_A, SEK_SYM_OTHER);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    for (uint8_t len = 1; len <= SEK_LABEL_MAX; len++) {
        uint8_t wire[80] = {len};
        struct sek_name name;
        struct sek_unit u;

        memset(wire + 1, 'a', len);
        memcpy(wire + 1 + len, "\3com", 5);
        assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &name), SEK_OK);
        sek_unit_of_name(&suffixes, &name, &u);
        assert_int_equal(u.n, len);
    }
}

static void test_many_labels(void **state)
{
    struct sek_name name;
    struct sek_unit u;
    uint8_t wire[SEK_NAME_MAX];

    (void)state;
    for (int i = 0; i < 254; i += 2) {
        wire[i] = 1;
        wire[i + 1] = 'a';
    }
    wire[254] = 0;
    assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &name), SEK_OK);
    sek_unit_of_name(&suffixes, &name, &u);
    assert_int_equal(u.n, 1);
    assert_int_equal(u.label, 125);
}

/* RFC 3492 §7.1, and what must be refused. */
static void test_punycode(void **state)
{
    static const struct {
        const char *text;
        unsigned n;
        uint32_t points[8];
    } cases[] = {
        {"bcher-kva", 6, {'b', 0xfc, 'c', 'h', 'e', 'r'}},
        {"e1afmkfd", 6, {0x43f, 0x440, 0x438, 0x43c, 0x435, 0x440}},
        {"abc-", 3, {'a', 'b', 'c'}},
        {"", 0, {0}},
        {"!", 0, {0}},
        {"99999999", 0, {0}},
        {"ab-zzzzzzz9", 0, {0}},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        uint32_t points[SEK_LABEL_MAX];
        unsigned n = sek_punycode_decode((const uint8_t *)cases[i].text,
                                         (unsigned)strlen(cases[i].text), points, SEK_LABEL_MAX);

        if (n != cases[i].n || memcmp(points, cases[i].points, n * sizeof(points[0])) != 0)
            fail_msg("%s: %u points", cases[i].text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),       cmocka_unit_test(test_label),
        cmocka_unit_test(test_every_octet), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_many_labels), cmocka_unit_test(test_punycode),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
