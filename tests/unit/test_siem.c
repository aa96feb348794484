/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/siem/format.h"
#include "base/utf8.h"
#include "policy/rule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct sek_siem_source source = {.host = "ns1", .version = "1.0", .identity = 7};

static struct sek_hit hit_of(const char *name)
{
    return (struct sek_hit){.id = 5,
                            .first_ms = 1795168800123,
                            .last_ms = 1795168859999,
                            .count = 2,
                            .endpoint = "192.0.2.7",
                            .name = name,
                            .matched = name,
                            .rule = name,
                            .list = name,
                            .qtype = 1,
                            .action = SEK_ACTION_NXDOMAIN,
                            .would = SEK_ACTION_NXDOMAIN,
                            .trigger = SEK_TRIGGER_QNAME,
                            .score = SEK_SCORE_UNKNOWN,
                            .decision = 0xabc};
}

/* As text; freed by the caller. */
static char *line_of(enum sek_siem_format format, const struct sek_siem_event *e)
{
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_siem_add(format, e, &b);
    assert_false(b.failed);
    return sek_buf_take(&b);
}

static void test_escapes(void **state)
{
    static const struct {
        const char *text, *head, *extension, *param;
    } rows[] = {
        {"", "", "", ""},
        {"plain", "plain", "plain", "plain"},
        {"a|b", "a\\|b", "a|b", "a|b"},
        {"a=b", "a=b", "a\\=b", "a=b"},
        {"a\\b", "a\\\\b", "a\\\\b", "a\\\\b"},
        {"a\"b]c[d", "a\"b]c[d", "a\"b]c[d", "a\\\"b\\]c[d"},
        {"a\nb\rc\td", "a\\\\x0ab\\\\x0dc\\\\x09d", "a\\\\x0ab\\\\x0dc\\\\x09d",
         "a\\\\x0ab\\\\x0dc\\\\x09d"},
        {"b\xc3\xbc\xff", "b\xc3\xbc\\\\xff", "b\xc3\xbc\\\\xff", "b\xc3\xbc\\\\xff"},
        {"\xe2\x80\xae", "\\\\u{202e}", "\\\\u{202e}", "\\\\u{202e}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_buf b[3];
        for (int k = 0; k < 3; k++)
            sek_buf_init(&b[k], 0);
        sek_siem_add_cef(&b[0], rows[i].text, true);
        sek_siem_add_cef(&b[1], rows[i].text, false);
        sek_siem_add_param(&b[2], rows[i].text);
        const char *const expected[] = {rows[i].head, rows[i].extension, rows[i].param};
        for (int k = 0; k < 3; k++) {
            assert_string_equal(b[k].data ? b[k].data : "", expected[k]);
            sek_buf_fini(&b[k]);
        }
    }
}

/* Whatever a name holds, an event is one line of valid UTF-8 without a control. */
static void test_hostile(void **state)
{
    static const char *const names[] = {
        "",
        "\n",
        "a\r\n<13>1 - - - - - - forged",
        "x|y=z\\\"]",
        "\xff\xfe\x80",
        "\xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf",
        "\033[2J\007",
        "CEF:0|a|b|c|d|e|10|",
    };
    char longest[1100];
    (void)state;
    memset(longest, '"', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    struct sek_siem_event e;
    sek_siem_init(&e);
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        struct sek_hit hit = hit_of(i < sizeof names / sizeof *names ? names[i] : longest);
        struct sek_siem_source s = source;
        s.host = hit.name;
        assert_int_equal(sek_siem_of_hit(&e, &s, &hit), SEK_OK);
        for (int f = 0; f < SEK_N_SIEM_FORMATS; f++) {
            char *line = line_of((enum sek_siem_format)f, &e);
            size_t n = strlen(line);
            assert_true(n > 1 && line[n - 1] == '\n' && !memchr(line, '\n', n - 1));
            assert_true(sek_utf8_is_valid(line, n));
            for (size_t k = 0; k + 1 < n; k++)
                assert_true((unsigned char)line[k] >= ' ' && line[k] != 0x7f);
            free(line);
        }
    }
    sek_siem_fini(&e);
}

/* The same row has the same id, and no other row has it. */
static void test_ids(void **state)
{
    struct sek_siem_source other = source;
    struct sek_hit hit = hit_of("a.example");
    struct sek_finding_row row = {.id = 5,
                                  .start_ms = 1,
                                  .end_ms = 2,
                                  .detector = 1,
                                  .endpoint = "192.0.2.7",
                                  .domain = "",
                                  .technique = "",
                                  .evidence = "{}"};
    char ids[6][40];
    struct sek_siem_event e;
    (void)state;
    other.identity = 8;
    sek_siem_init(&e);
#define TAKE(i, call)                                                                              \
    do {                                                                                           \
        assert_int_equal(call, SEK_OK);                                                            \
        snprintf(ids[i], sizeof ids[i], "%s", e.value[SEK_FIELD_ID].text);                         \
    } while (0)
    TAKE(0, sek_siem_of_hit(&e, &source, &hit));
    hit.count = 9; /* not what names it */
    TAKE(1, sek_siem_of_hit(&e, &source, &hit));
    assert_string_equal(ids[0], ids[1]);
    TAKE(1, sek_siem_of_hit(&e, &other, &hit));
    hit.decision++;
    TAKE(2, sek_siem_of_hit(&e, &source, &hit));
    TAKE(3, sek_siem_of_finding(&e, &source, &row, true));
    row.end_ms = row.change = 77; /* it grew */
    TAKE(4, sek_siem_of_finding(&e, &source, &row, false));
    assert_string_equal(ids[3], ids[4]);
    row.start_ms++;
    TAKE(4, sek_siem_of_finding(&e, &source, &row, false));
    hit.id++;
    TAKE(5, sek_siem_of_hit(&e, &source, &hit));
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    sek_siem_fini(&e);
}

static void test_severity(void **state)
{
    static const struct {
        const char *label;
        int action, trigger;
        bool monitor;
        int64_t severity, ocsf, action_id, disposition;
    } rows[] = {
        {"exception", SEK_ACTION_PASSTHRU, SEK_TRIGGER_QNAME, false, 1, 1, 1, 1},
        {"monitor", SEK_ACTION_PASSTHRU, SEK_TRIGGER_QNAME, true, 3, 2, 1, 17},
        {"log", SEK_ACTION_LOG, SEK_TRIGGER_QNAME, false, 3, 2, 1, 17},
        {"blocked", SEK_ACTION_SINKHOLE, SEK_TRIGGER_QNAME, false, 5, 3, 2, 2},
        {"dropped", SEK_ACTION_DROP, SEK_TRIGGER_QNAME, false, 5, 3, 2, 6},
        {"infected", SEK_ACTION_SINKHOLE, SEK_TRIGGER_SINKHOLED, false, 8, 4, 2, 2},
    };
    struct sek_siem_event e;
    (void)state;
    sek_siem_init(&e);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_hit hit = hit_of("a.example");
        hit.action = rows[i].action;
        hit.trigger = rows[i].trigger;
        hit.monitor = rows[i].monitor;
        print_message("%s\n", rows[i].label);
        assert_int_equal(sek_siem_of_hit(&e, &source, &hit), SEK_OK);
        assert_int_equal(e.value[SEK_FIELD_SEVERITY].n, rows[i].severity);
        assert_int_equal(e.value[SEK_FIELD_SEVERITY_ID].n, rows[i].ocsf);
        assert_int_equal(e.value[SEK_FIELD_ACTION_ID].n, rows[i].action_id);
        assert_int_equal(e.value[SEK_FIELD_DISPOSITION].n, rows[i].disposition);
    }
    sek_siem_fini(&e);
}

/* Of each format: every place is of a field that its kinds have, and places of one object stand
 * together, or it would be opened twice. */
static void test_tables(void **state)
{
    (void)state;
    for (int f = SEK_SIEM_ECS; f <= SEK_SIEM_CEF; f++)
        for (const struct sek_siem_place *p = sek_siem_places((enum sek_siem_format)f); p->path;
             p++) {
            print_message("%s\n", p->path);
            if (p->field >= 0)
                assert_int_equal(p->kinds & ~sek_siem_fields[p->field].kinds, 0);
            for (const struct sek_siem_place *q = p + 1; q->path; q++)
                assert_false(strcmp(p->path, q->path) == 0 && (p->kinds & q->kinds));
        }
    for (unsigned f = 0; f < SEK_N_FIELDS; f++) {
        assert_true(strlen(sek_siem_fields[f].name) <= 32); /* SD-NAME, RFC 5424 §6.3.3 */
        for (const char *c = sek_siem_fields[f].name; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
    }
}

static const char *hide(void *arg, const char *address)
{
    (void)arg, (void)address;
    return "p-0123";
}

/* An endpoint without an address is in no place that must hold one. */
static void test_pseudonym(void **state)
{
    struct sek_siem_source s = source;
    struct sek_hit hit = hit_of("a.example");
    struct sek_siem_event e;
    (void)state;
    s.endpoint = hide;
    sek_siem_init(&e);
    assert_int_equal(sek_siem_of_hit(&e, &s, &hit), SEK_OK);
    for (int f = 0; f < SEK_N_SIEM_FORMATS; f++) {
        char *line = line_of((enum sek_siem_format)f, &e);
        assert_null(strstr(line, "192.0.2.7"));
        assert_non_null(strstr(line, "p-0123"));
        assert_null(strstr(line, "\"ip\""));
        assert_null(strstr(line, " src="));
        free(line);
    }
    sek_siem_fini(&e);
}

static const char *hide_met(void *arg, enum sek_veil_what what, const char *text)
{
    static char shown[64]; /* borrowed until the next call */
    const char *at = strstr(text, "198.51.100.7");
    (void)arg;
    assert_int_equal(what, SEK_VEIL_NAME);
    snprintf(shown, sizeof shown, "%.*s%s%s", (int)(at ? at - text : 0), text, at ? "p-0456" : text,
             at ? at + strlen("198.51.100.7") : "");
    return shown;
}

/* Neither has what met the rule, wherever it stands. */
static void test_met_pseudonym(void **state)
{
    struct sek_siem_source s = source;
    struct sek_hit hit = hit_of("a.example");
    struct sek_siem_event e;
    (void)state;
    s.cloak = hide_met;
    hit.rule = "response-ip:198.51.100.7";
    hit.trigger = SEK_TRIGGER_RESPONSE_IP;
    hit.matched = "198.51.100.7";
    sek_siem_init(&e);
    assert_int_equal(sek_siem_of_hit(&e, &s, &hit), SEK_OK);
    assert_string_equal(e.value[SEK_FIELD_RULE].text, "response-ip:p-0456");
    assert_string_equal(e.value[SEK_FIELD_MATCHED].text, "p-0456");
    assert_string_equal(e.value[SEK_FIELD_RELATED_IP].text, "[\"192.0.2.7\"]");
    assert_string_equal(e.value[SEK_FIELD_RELATED_HOSTS].text, "[\"a.example\"]");
    assert_false(e.value[SEK_FIELD_ANSWER_IP].set);
    for (int f = 0; f < SEK_N_SIEM_FORMATS; f++) {
        char *line = line_of((enum sek_siem_format)f, &e);
        assert_null(strstr(line, "198.51.100.7"));
        free(line);
    }
    hit.name = hit.rule = hit.matched = "198.51.100.7"; /* was asked for as a name */
    assert_int_equal(sek_siem_of_hit(&e, &s, &hit), SEK_OK);
    for (int f = 0; f < SEK_N_SIEM_FORMATS; f++) {
        char *line = line_of((enum sek_siem_format)f, &e);
        assert_null(strstr(line, "198.51.100.7"));
        free(line);
    }
    sek_siem_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),       cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_ids),           cmocka_unit_test(test_severity),
        cmocka_unit_test(test_tables),        cmocka_unit_test(test_pseudonym),
        cmocka_unit_test(test_met_pseudonym),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
