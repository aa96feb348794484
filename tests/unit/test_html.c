/* SPDX-License-Identifier: BSD-3-Clause */
/* What is hostile stays text; charts fit. */
#include "bulletin/html.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_escape(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"plain bücher 週次", "plain bücher 週次"},
        {"<script>", "&#60;script&#62;"},
        {"a&b \"c\" 'd'", "a&#38;b &#34;c&#34; &#39;d&#39;"},
        {"&lt;", "&#38;lt;"},
        {"\x1b[2J\r\n\t", "\\x1b[2J\\x0d\\x0a\\x09"},
        {"a\xe2\x80\xae"
         "b",
         "a\\u{202e}b"},                          /* right-to-left override */
        {"\xef\xbb\xbf", "\\u{feff}"},            /* byte order mark */
        {"\xff\xc0\xaf", "\\xff\\xc0\\xaf"},      /* no UTF-8; an overlong "/" */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},      /* a surrogate */
        {"\xc2\x85\x7f", "\\u{85}\\x7f"},         /* C1, DEL */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, /* above U+FFFF */
        {"\xe2\x80", "\\xe2\\x80"},               /* cut off */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_buf b;
        sek_buf_init(&b, 0);
        sek_html_add(&b, cases[i].text);
        if (strcmp(b.data ? b.data : "", cases[i].expected) != 0)
            fail_msg("%zu: %s", i, b.data);
        sek_buf_fini(&b);
    }
}

static void test_top(void **state)
{
    (void)state;
    static const struct {
        uint64_t most, top;
    } cases[] = {{0, 1},   {1, 1},   {2, 2},    {3, 4},       {5, 6},       {9, 10},
                 {10, 10}, {11, 20}, {99, 100}, {5366, 6000}, {6001, 8000}, {1000000, 1000000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(sek_chart_top(cases[i].most), cases[i].top);
    for (int bits = 0; bits < 64; bits++)
        assert_true(sek_chart_top(UINT64_MAX >> bits) >= UINT64_MAX >> bits);
}

static void test_bar(void **state)
{
    (void)state;
    static const struct {
        double share, blocked;
        const char *expected; /* within the drawing */
    } cases[] = {
        {0, 0, "true\"></svg>"},
        {0.5, 0, "true\"><rect class=\"let\" x=\"0.0\" width=\"50.0\" height=\"10\"/></svg>"},
        {0.5, 0.5, "true\"><rect class=\"blocked\" width=\"50.0\" height=\"10\"/></svg>"},
        {1, 0.25,
         "<rect class=\"blocked\" width=\"25.0\" height=\"10\"/>"
         "<rect class=\"let\" x=\"25.0\" width=\"75.0\" height=\"10\"/>"},
        {7, 7, "<rect class=\"blocked\" width=\"100.0\" height=\"10\"/></svg>"},
        {-1, -1, "true\"></svg>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_buf b;
        sek_buf_init(&b, 0);
        sek_chart_bar(&b, cases[i].share, cases[i].blocked);
        if (!strstr(b.data, cases[i].expected))
            fail_msg("%zu: %s", i, b.data);
        sek_buf_fini(&b);
    }
}

/* All bars and the line stay within the drawing, which is as high as the label at its top says. */
static void test_steps(void **state)
{
    (void)state;
    struct sek_lang *lang = NULL;
    struct sek_paper p;
    struct sek_buf b;
    struct sek_bulletin *in = calloc(1, sizeof *in);
    assert_int_equal(sek_lang_open("en", &lang, NULL), SEK_OK);
    assert_non_null(in);
    *in = (struct sek_bulletin){.step_s = 86400, .n_steps = 2, .has_before = true};
    in->steps[0] = (struct sek_period_step){.from_s = 1794787200, .hits = 4, .blocked = 1};
    in->steps[1] = (struct sek_period_step){.from_s = 1794873600};
    in->steps_before[1] = 2;
    p = (struct sek_paper){.lang = lang, .b = in};
    sek_buf_init(&b, 0);
    sek_chart_steps(&p, &b);
    static const char *const parts[] = {
        "<span>4</span><span>2</span><span>0</span>", /* the axis */
        "<rect class=\"blocked\" x=\"45.0\" y=\"150.0\" width=\"410.0\" height=\"50.0\"/>",
        "<rect class=\"let\" x=\"45.0\" y=\"0.0\" width=\"410.0\" height=\"150.0\"/>",
        "<polyline class=\"before\" points=\"250.0,200.0 750.0,100.0\"/>",
        "<span>Mon 16</span><span>Tue 17</span>",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(b.data, parts[i]))
            fail_msg("no %s in %s", parts[i], b.data);
    sek_buf_fini(&b);
    sek_lang_close(lang);
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_bar),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
