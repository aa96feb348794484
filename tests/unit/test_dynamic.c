/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "verdict/engine.h"
#include <stdio.h>
#include <string.h>

#define NOW 1000000

static struct sek_name name_of(const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return name;
}

static struct sek_dynamic_row row_of(const char *domain, int64_t until_s)
{
    struct sek_dynamic_row row;
    struct sek_name name = name_of(domain);

    sek_dynamic_row_set(&row, &name, "dga", until_s);
    return row;
}

static void test_find(void **state)
{
    static const struct {
        const char *name, *domain; /* NULL: none covers it */
        unsigned depth;
    } cases[] = {
        {"evil.net", "evil.net", 0},
        {"a.b.evil.net", "evil.net", 2},
        {"notevil.net", NULL, 0},
        {"evil.net.com", NULL, 0},
        {"net", NULL, 0},
        {".", NULL, 0},
        {"ended.org", NULL, 0},
        {"twice.org", "twice.org", 0},
        {"liev.net", NULL, 0},
        {"x.co.uk", "x.co.uk", 0},
        {"y.co.uk", NULL, 0},
    };
    struct sek_dynamic_row rows[] = {row_of("evil.net", NOW + 1), row_of("ended.org", NOW),
                                     row_of("twice.org", NOW - 5), row_of("twice.org", NOW + 5),
                                     row_of("x.co.uk", NOW + 9)};
    struct sek_dynamic *set;
    unsigned n;

    (void)state;
    assert_int_equal(sek_dynamic_new(rows, 5, &set), SEK_OK);
    assert_non_null(sek_dynamic_rows(set, &n));
    assert_int_equal(n, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_name name = name_of(cases[i].name);
        unsigned depth = 0;
        const struct sek_dynamic_row *row = sek_dynamic_find(set, &name, NOW, &depth);

        if (!row != !cases[i].domain)
            fail_msg("%s: %s", cases[i].name, row ? "found" : "not found");
        if (row) {
            struct sek_name domain = name_of(cases[i].domain);
            assert_int_equal(row->len, domain.len);
            assert_memory_equal(row->domain, domain.octets, domain.len);
            assert_int_equal(depth, cases[i].depth);
        }
    }
    sek_dynamic_free(set);
}

/* Thousands of rows: all are found, others are not; above the cap those that end last stay. */
static void test_many(void **state)
{
    enum { N = SEK_DYNAMIC_MAX + 100 };
    static struct sek_dynamic_row rows[N];
    struct sek_dynamic *set;
    unsigned depth, n;

    (void)state;
    for (int i = 0; i < N; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%d.example", i * 7);
        rows[i] = row_of(text, NOW + 1 + i);
    }
    assert_int_equal(sek_dynamic_new(rows, N, &set), SEK_OK);
    sek_dynamic_rows(set, &n);
    assert_int_equal(n, SEK_DYNAMIC_MAX);
    for (int i = 0; i < N * 7; i++) {
        char text[32];
        snprintf(text, sizeof text, "www.n%d.example", i);
        struct sek_name name = name_of(text);
        bool found = sek_dynamic_find(set, &name, NOW, &depth) != NULL;
        assert_int_equal(found, i % 7 == 0 && i / 7 >= 100);
    }
    sek_dynamic_free(set);
}

static void test_empty(void **state)
{
    struct sek_dynamic *set = (struct sek_dynamic *)1;
    struct sek_name name = name_of("a.net");
    unsigned n;

    (void)state;
    assert_int_equal(sek_dynamic_new(NULL, 0, &set), SEK_OK);
    assert_null(set);
    assert_null(sek_dynamic_find(NULL, &name, NOW, &n));
    assert_null(sek_dynamic_rows(NULL, &n));
    assert_int_equal(n, 0);
    sek_dynamic_free(NULL);
}

/* The engine without any policy: a finding blocks, for questions and aliases alike. */
static void test_engine(void **state)
{
    struct sek_dynamic_row row = row_of("evil.net", NOW + 1);
    struct sek_dynamic *set;
    struct sek_name name = name_of("www.evil.net");
    struct sek_verdict v;
    char by[64];

    (void)state;
    assert_int_equal(sek_dynamic_new(&row, 1, &set), SEK_OK);
    const struct sek_engine engine = {.dynamic = set};
    sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_CNAME, &v, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_FINDING);
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    assert_int_equal(v.depth, 1);
    assert_int_equal(v.ede, 15);
    assert_true(sek_verdict_is_hit(&v));
    assert_string_equal(sek_verdict_by(&v, by, sizeof by), "finding dga");
    sek_engine_decide(&engine, &name, NOW + 1, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    sek_dynamic_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_empty), cmocka_unit_test(test_engine)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
