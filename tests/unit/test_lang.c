/* SPDX-License-Identifier: BSD-3-Clause */
/* Catalogues: all languages say the same things, with the same places; forms, numbers, times. */
#include "bulletin/lang.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct sek_lang *open_lang(const char *code)
{
    struct sek_lang *l = NULL;
    struct sek_diag diag = {0};
    if (sek_lang_open(code, &l, &diag))
        fail_msg("%s", diag.text);
    return l;
}

/* The key without its form: "hits.n.one" → "hits.n"; false: it has none. */
static bool has_form(const char *key, char base[96])
{
    static const char *const forms[] = {".one", ".few", ".other"};
    size_t len = strlen(key);
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strlen(forms[i]);
        if (len > n && strcmp(key + len - n, forms[i]) == 0) {
            snprintf(base, 96, "%.*s", (int)(len - n), key);
            return true;
        }
    }
    snprintf(base, 96, "%s", key);
    return false;
}

/* Does b have the places of a? */
static bool has_places_of(const char *a, const char *b)
{
    for (const char *p = a; (p = strchr(p, '{')) != NULL; p++) {
        char place[64];
        snprintf(place, sizeof place, "%.*s}", (int)strcspn(p, "}"), p);
        if (!strstr(b, place))
            return false;
    }
    return true;
}

/* Formats of dates and hours are free to leave parts out. */
static bool is_pattern(const char *key)
{
    return strcmp(key, "date") == 0 || strncmp(key, "date.", 5) == 0 || strcmp(key, "time") == 0 ||
           strncmp(key, "step.", 5) == 0;
}

static void compare(const struct sek_lang *a, const struct sek_lang *b)
{
    for (size_t i = 0; sek_lang_key(a, i); i++) {
        const char *key = sek_lang_key(a, i);
        char base[96], other[112];
        bool form = has_form(key, base);
        snprintf(other, sizeof other, form ? "%s.other" : "%s", base);
        const char *text = sek_lang_find(b, other);
        if (!text)
            fail_msg("%s: %s has no %s", sek_lang_code(a), sek_lang_code(b), other);
        if (!is_pattern(key) && !has_places_of(sek_lang_text(a, key), text))
            fail_msg("%s: places of %s differ in %s", key, sek_lang_code(a), sek_lang_code(b));
    }
}

static void test_same_keys(void **state)
{
    (void)state;
    unsigned n = 0;
    for (const struct sek_lookup *l = sek_lang_names; l->name; l++, n++) {
        struct sek_lang *en = open_lang("en"), *other = open_lang(l->name);
        compare(en, other);
        compare(other, en);
        sek_lang_close(en);
        sek_lang_close(other);
    }
    assert_true(n >= 2);
}

/* Each form that the language's rule may ask for is there. */
static void test_forms_are_there(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 2, 5, 11, 21, 22, 100};
    for (const struct sek_lookup *code = sek_lang_names; code->name; code++) {
        struct sek_lang *l = open_lang(code->name);
        for (size_t i = 0; sek_lang_key(l, i); i++) {
            char base[96], key[112];
            if (!has_form(sek_lang_key(l, i), base))
                continue;
            for (unsigned k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
                snprintf(key, sizeof key, "%s.%s", base, sek_lang_form(l, numbers[k]));
                if (!sek_lang_find(l, key))
                    fail_msg("%s: no %s", code->name, key);
            }
        }
        sek_lang_close(l);
    }
}

static void is_text(struct sek_buf *b, const char *expected)
{
    assert_string_equal(b->data ? b->data : "", expected);
    sek_buf_reset(b);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } numbers[] = {{0, "0"},
                   {999, "999"},
                   {1000, "1,000"},
                   {1234567, "1,234,567"},
                   {UINT64_MAX, "18,446,744,073,709,551,615"}};
    static const struct {
        double share;
        const char *text;
    } shares[] = {{0, "0%"},        {0.0004, "0.0%"}, {0.017, "1.7%"},
                  {0.0994, "9.9%"}, {0.0996, "10%"},  {0.5, "50%"},
                  {1, "100%"},      {7.4, "740%"},    {1e30, "1000000000000%"}};
    char out[SEK_LANG_NUMBER_MAX];
    struct sek_lang *l = open_lang("en");
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_string_equal(sek_lang_number(l, numbers[i].n, out), numbers[i].text);
    for (unsigned i = 0; i < sizeof shares / sizeof shares[0]; i++)
        assert_string_equal(sek_lang_percent(l, shares[i].share, out), shares[i].text);
    sek_lang_close(l);
}

static void test_sentences(void **state)
{
    (void)state;
    struct sek_lang *en = open_lang("en"), *ja = open_lang("ja");
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_lang_count(en, &b, "hits.n", 1);
    is_text(&b, "1 query");
    sek_lang_count(en, &b, "hits.n", 0);
    is_text(&b, "0 queries");
    sek_lang_count(ja, &b, "hits.n", 1);
    is_text(&b, "1 件のクエリー");
    SEK_SAY(en, &b, "period", {"until", "{from}"}, {"from", "a"}); /* what is put in is not read */
    is_text(&b, "a – {from}");
    SEK_SAY(en, &b, "period", {"from", "a"});
    is_text(&b, "a – {until}");
    SEK_SAY(en, &b, "no such key", {"from", "a"});
    is_text(&b, "no such key");
    sek_buf_fini(&b);
    sek_lang_close(en);
    sek_lang_close(ja);
}

static void test_times(void **state)
{
    (void)state;
    struct sek_lang *en = open_lang("en"), *ja = open_lang("ja");
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_lang_time(en, &b, "date", 1795168800);
    is_text(&b, "Fri, 20 Nov 2026");
    sek_lang_time(en, &b, "date", 0);
    is_text(&b, "Thu, 1 Jan 1970");
    sek_lang_time(en, &b, "time", 1795168800);
    is_text(&b, "2026-11-20 10:00");
    sek_lang_time(en, &b, "step.hour", 1795168800);
    is_text(&b, "10:00");
    sek_lang_time(ja, &b, "date", 1709164800);
    is_text(&b, "2024年2月29日（木）");
    sek_buf_fini(&b);
    sek_lang_close(en);
    sek_lang_close(ja);
}

static void test_unknown(void **state)
{
    (void)state;
    struct sek_lang *l = NULL;
    struct sek_diag diag;
    assert_int_equal(sek_lang_open("tlh", &l, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_lang_open("", &l, NULL), SEK_E_NOTFOUND);
    assert_null(l);
    sek_lang_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_keys), cmocka_unit_test(test_forms_are_there),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_times),     cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
