/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/suffix.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* A list of our own, so that the expectations do not change with the distribution's. */
static const char rules[] = "// ===BEGIN ICANN DOMAINS===\n"
                            "com\n"
                            "co.uk\n"
                            "uk\n"
                            "*.ck\n"
                            "!www.ck\n"
                            "jp\n"
                            "*.kawasaki.jp\n"
                            "!city.kawasaki.jp\n"
                            "рф\n"
                            "// ===END ICANN DOMAINS===\n"
                            "// ===BEGIN PRIVATE DOMAINS===\n"
                            "blogspot.com\n"
                            "*.compute.amazonaws.com\n"
                            "// ===END PRIVATE DOMAINS===\n";
static char path[] = "/tmp/sek-test-suffix-XXXXXX";
static struct sek_suffix *list;

static struct sek_name name(const char *text)
{
    struct sek_name n;
    struct sek_diag diag = {0};

    if (sek_name_from_text(text, strlen(text), &n, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return n;
}

static int write_file(const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) == EOF)
        return -1;
    return fclose(f);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0)
        return -1;
    close(fd);
    return write_file(rules) != 0 || sek_suffix_open(path, &list, NULL) != SEK_OK ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_suffix_close(list);
    return unlink(path);
}

static void test_registered(void **state)
{
    static const struct {
        const char *name;
        int expected;
    } cases[] = {
        {".", -1},
        {"com", -1},
        {"unlisted", -1},
        {"example.com", 0},
        {"EXAMPLE.Com", 0},
        {"www.example.com", 1},
        {"a.b.c.example.com", 3},
        {"co.uk", -1},
        {"example.co.uk", 0},
        {"a.example.co.uk", 1},
        {"example.uk", 0},
        {"x.unlisted", 0},
        {"a.b.unlisted", 1},
        {"ck", -1},
        {"x.ck", -1},
        {"a.x.ck", 0},
        {"www.ck", 0}, /* exception */
        {"a.www.ck", 1},
        {"a.kawasaki.jp", -1},
        {"b.a.kawasaki.jp", 0},
        {"city.kawasaki.jp", 0},
        {"blogspot.com", -1}, /* private section */
        {"evil.blogspot.com", 0},
        {"amazonaws.com", 0},
        {"a.amazonaws.com", 1},
        {"eu.compute.amazonaws.com", -1},
        {"x.eu.compute.amazonaws.com", 0},
        {"пример.рф", 0},
        {"xn--e1afmkfd.xn--p1ai", 0},
        {"xn--p1ai", -1},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.example.co.uk", 13},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.co.uk", 15},
        /* odd octets split no label and match no rule */
        {"a\\.co.uk", 0},
        {"x.a\\.co.uk", 1},
        {"example\\.com", -1},
        {"a.example\\.com", 0},
        {"\\000.com", 0},
        {"\\255\\000.x.co.uk", 1},
        {"co\\000.uk", 0},
        {"!www.ck", -2}, /* not a name: must be escaped */
        {"\\!www.ck", -1},
        {"a.\\042.ck", 0},
        {"\\042.ck", -1},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name n;
        int got = -2;

        if (sek_name_from_text(cases[i].name, strlen(cases[i].name), &n, NULL) == SEK_OK)
            got = sek_suffix_registered(list, &n);
        if (got != cases[i].expected)
            fail_msg("%s: %d", cases[i].name, got);
    }
}

static void test_is_public(void **state)
{
    static const struct {
        const char *name;
        bool expected;
    } cases[] = {
        {".", true},
        {"com", true},
        {"unlisted", true},
        {"co.uk", true},
        {"example.com", false},
        {"blogspot.com", true},
        {"x.ck", true},
        {"www.ck", false},
        {"compute.amazonaws.com", true},
        {"x.compute.amazonaws.com", true},
        {"amazonaws.com", false},
        {"a\\.co.uk", false},
        {"example\\.com", true}, /* one label: a top-level domain */
        {"a.b.c.d.e.f.g.h.i.j.co.uk", false},
        {"рф", true},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name n = name(cases[i].name);

        if (sek_suffix_is_public(list, &n) != cases[i].expected)
            fail_msg("%s", cases[i].name);
    }
}

/* The longest names, and every octet in them. */
static void test_extremes(void **state)
{
    uint8_t wire[SEK_NAME_MAX];
    struct sek_name n;

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t i = 0; i < 254; i += 2) {
            wire[i] = 1;
            wire[i + 1] = (uint8_t)c;
        }
        wire[254] = 0;
        assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &n), SEK_OK);
        assert_int_equal(sek_suffix_registered(list, &n), 125); /* unlisted: the last two labels */
        assert_false(sek_suffix_is_public(list, &n));
    }
    memset(wire, 0xff, sizeof(wire));
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    wire[254] = 0;
    assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &n), SEK_OK);
    assert_int_equal(sek_suffix_registered(list, &n), 2);
}

static void test_open(void **state)
{
    struct sek_suffix *s = NULL;
    struct sek_diag diag = {0};
    struct sek_name n = name("a.example.co.uk");

    (void)state;
    assert_int_equal(sek_suffix_open("/nonexistent", &s, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_suffix_open("/dev/null", &s, &diag), SEK_E_INVALID);
    assert_int_equal(sek_suffix_open("/tmp", &s, &diag), SEK_E_INVALID);
    assert_int_equal(write_file(""), 0);
    assert_int_equal(sek_suffix_open(path, &s, &diag), SEK_E_CORRUPT);
    assert_non_null(strstr(diag.text, path));
    assert_int_equal(write_file("// only a comment\n"), 0);
    assert_int_equal(sek_suffix_open(path, &s, &diag), SEK_E_CORRUPT);
    assert_null(s);
    sek_suffix_close(NULL);

    assert_int_equal(sek_suffix_open(NULL, &s, &diag), SEK_OK); /* the system's */
    assert_int_equal(strlen(sek_suffix_version(s)), 10);
    assert_memory_equal(sek_suffix_version(s), "20", 2);
    assert_int_equal(sek_suffix_registered(s, &n), 1);
    sek_suffix_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered),
        cmocka_unit_test(test_is_public),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_open),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
