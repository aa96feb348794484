/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/zonetext.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool is_text(struct sek_span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

static void test_head(void **state)
{
    static const struct {
        const char *line;
        bool good;
        const char *owner, *class, *type, *data;
        int64_t ttl_s; /* -1: none */
    } rows[] = {
        {"a CNAME .", true, "a", "", "CNAME", ".", -1},
        {"a 30 IN CNAME .", true, "a", "IN", "CNAME", ".", 30},
        {"a IN 30 CNAME .", true, "a", "IN", "CNAME", ".", 30},
        {"a in 1D30M\tcname  . ", true, "a", "in", "cname", ".", 88200},
        {"a CLASS1 A 192.0.2.1", true, "a", "CLASS1", "A", "192.0.2.1", -1},
        {"a CLASS A 192.0.2.1", true, "a", "", "CLASS", "A 192.0.2.1", -1},
        {"a 30 30 A", true, "a", "", "30", "A", 30},
        {" TXT \"a  b\" c", true, "", "", "TXT", "\"a  b\" c", -1},
        {"\t5 TXT x", true, "", "", "TXT", "x", 5},
        {"a\\ b A 1", true, "a\\ b", "", "A", "1", -1},
        {"a\\", false, "a\\", "", "", "", -1},
        {"in IN A 1", true, "in", "IN", "A", "1", -1},
        {"a IN 30", false, "a", "IN", "", "", 30},
        {"a", false, "a", "", "", "", -1},
        {"", false, "", "", "", "", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_zone_head h;
        bool good = sek_zone_head_read(rows[i].line, strlen(rows[i].line), &h);
        int64_t ttl_s = h.has_ttl ? (int64_t)h.ttl_s : -1;
        if (good != rows[i].good || !is_text(h.owner, rows[i].owner) ||
            !is_text(h.class, rows[i].class) || !is_text(h.type, rows[i].type) ||
            !is_text(h.data, rows[i].data) || ttl_s != rows[i].ttl_s)
            fail_msg("'%s'", rows[i].line);
    }
}

static void test_ttl(void **state)
{
    static const struct {
        const char *text;
        int64_t ttl_s; /* -1: none */
    } rows[] = {
        {"0", 0},           {"60", 60},
        {"1m", 60},         {"1W2d3H4m5s", 788645},
        {"1h30", 3630},     {"2147483647", 2147483647},
        {"2147483648", -1}, {"3551w", -1},
        {"", -1},           {"m", -1},
        {"1x", -1},         {"-1", -1},
        {"1.5", -1},        {"99999999999999999999", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t ttl_s = 0;
        bool good =
            sek_zone_ttl_read((struct sek_span){rows[i].text, strlen(rows[i].text)}, &ttl_s);
        if (good != (rows[i].ttl_s >= 0) || (good && ttl_s != rows[i].ttl_s))
            fail_msg("'%s': %d %u", rows[i].text, good, ttl_s);
    }
}

static void test_ascii(void **state)
{
    static const struct {
        const char *text, *ascii; /* NULL: no name */
    } rows[] = {
        {"b\xc3\xbc"
         "cher A 1",
         "xn--bcher-kva A 1"},
        {"*.\xc3\xb6.test. \"\xc3\xb6 \\\" x\" \xc3\xb6",
         "*.xn--nda.test. \"\\195\\182 \\\" x\" xn--nda"},
        {"a \"open", "a \"open"},
        {"a\\", "a\\"},
        {"  a\t", "  a\t"},
        {"\xff.test", NULL},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_buf out;
        struct sek_diag diag;
        sek_buf_init(&out, 0);
        enum sek_err err = sek_zone_ascii(rows[i].text, strlen(rows[i].text), &out, &diag);
        if ((err == SEK_OK) != (rows[i].ascii != NULL) ||
            (!err && strcmp(out.data ? out.data : "", rows[i].ascii) != 0))
            fail_msg("row %zu: %d '%s'", i, err, out.data);
        sek_buf_fini(&out);
    }
}

/* As BIND 9.18 expands it. */
static void test_generate(void **state)
{
    static const struct {
        const char *text, *records; /* joined by "|"; "": refused at once, "…|!": then */
    } rows[] = {
        {"1-3 a$ A 192.0.2.$", "a1 A 192.0.2.1|a2 A 192.0.2.2|a3 A 192.0.2.3"},
        {"0-4/2 $ PTR $$\\$", "0 PTR $$|2 PTR $$|4 PTR $$"},
        {"0-5/3 $", "0|3"},
        {"9-10 a${0,3} b${-9,2,d} c${246,4,x} d${246,0,X} e${0,4,o}",
         "a009 b00 c00ff dFF e0011|a010 b01 c0100 d100 e0012"},
        {"16-16 ${0,0,n} ${0,7,n} ${10,3,N}", "0.1 0.1.0.0 A.1"},
        {"1-1 \\${ x", "${ x"},
        {"5-5 a", "a"},
        {"1-1 ${1", "!"},
        {"1-1 ${x}", "!"},
        {"1-1 ${0,1,z}", "!"},
        {"1-1 ${0,1000}", "!"},
        {"1-2 ${-2}", "!"},
        {"2-1 a", ""},
        {"1-2/0 a", ""},
        {"1-2", ""},
        {"1 a", ""},
        {"-2 a", ""},
        {"0-65536 a$", ""},
        {"0-4294967296 a$", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_zone_generate g;
        struct sek_diag diag;
        struct sek_buf one;
        char all[512] = "";
        int more = 0;
        sek_buf_init(&one, 0);
        if (!sek_zone_generate_begin((struct sek_span){rows[i].text, strlen(rows[i].text)}, &g,
                                     &diag)) {
            while ((more = sek_zone_generate_next(&g, &one, &diag)) > 0)
                snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? "|" : "",
                         one.data);
            if (more < 0)
                snprintf(all + strlen(all), sizeof all - strlen(all), "!");
        }
        if (strcmp(all, rows[i].records) != 0)
            fail_msg("'%s': '%s'", rows[i].text, all);
        sek_buf_fini(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_generate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
