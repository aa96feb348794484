/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/utf8.h"
#include "tools/print/out.h"
#include "tools/print/safe.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "seed.h"

enum { TEXT, NAME, UINT, INT, TIME, TIME_MS, DURATION, OCTETS, FLAG, N };
static const struct sek_col all_cols[] = {
    [TEXT] = {"text", "Text", SEK_COL_TEXT},
    [NAME] = {"name", "Name", SEK_COL_NAME},
    [UINT] = {"uint", "Uint", SEK_COL_UINT},
    [INT] = {"int", "Int", SEK_COL_INT},
    [TIME] = {"time", "Time", SEK_COL_TIME, "never"},
    [TIME_MS] = {"time_ms", "Time", SEK_COL_TIME_MS},
    [DURATION] = {"duration_s", "Duration", SEK_COL_DURATION},
    [OCTETS] = {"octets", "Octets", SEK_COL_OCTETS},
    [FLAG] = {"flag", "Flag", SEK_COL_FLAG},
};

struct sink {
    char *text;
    size_t size;
    FILE *file;
    struct sek_out *out;
};

static void sink_open(struct sink *s, enum sek_out_format format, bool color, unsigned width)
{
    struct sek_out_style style = {format, color, width, NULL};
    s->file = open_memstream(&s->text, &s->size);
    assert_int_equal(sek_out_new(s->file, &style, &s->out), SEK_OK);
}

static const char *sink_end(struct sink *s)
{
    struct sek_diag diag = {0};
    if (sek_out_end(s->out, &diag))
        fail_msg("%s", diag.text);
    sek_out_free(s->out);
    fclose(s->file);
    return s->text;
}

static void full_row(struct sek_out *o)
{
    sek_out_text(o, TEXT, "a, \"b\"");
    sek_out_text(o, NAME, "xn--bcher-kva.example");
    sek_out_uint(o, UINT, UINT64_MAX);
    sek_out_int(o, INT, INT64_MIN);
    sek_out_int(o, TIME, 0);
    sek_out_int(o, TIME_MS, -1);
    sek_out_int(o, DURATION, 93784);
    sek_out_uint(o, OCTETS, 1536);
    sek_out_flag(o, FLAG, true);
}

/* --- formats -----------------------------------------------------------------------------------
 */

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum sek_out_format format;
        const char *expected;
    } cases[] = {
        {"json", SEK_OUT_JSON,
         "{\"schema\":\"sekisho.test/1\",\"rows\":[\n"
         "{\"text\":\"a, \\\"b\\\"\",\"name\":\"xn--bcher-kva.example\","
         "\"uint\":18446744073709551615,\"int\":-9223372036854775808,"
         "\"time\":\"1970-01-01T00:00:00Z\",\"time_ms\":\"1969-12-31T23:59:59.999Z\","
         "\"duration_s\":93784,\"octets\":1536,\"flag\":true},\n"
         "{\"text\":null,\"name\":null,\"uint\":null,\"int\":null,\"time\":null,\"time_ms\":null,"
         "\"duration_s\":null,\"octets\":null,\"flag\":null}\n]}\n"},
        {"jsonl", SEK_OUT_JSONL,
         "{\"schema\":\"sekisho.test/1\",\"text\":\"a, \\\"b\\\"\","
         "\"name\":\"xn--bcher-kva.example\","
         "\"uint\":18446744073709551615,\"int\":-9223372036854775808,"
         "\"time\":\"1970-01-01T00:00:00Z\",\"time_ms\":\"1969-12-31T23:59:59.999Z\","
         "\"duration_s\":93784,\"octets\":1536,\"flag\":true}\n"
         "{\"schema\":\"sekisho.test/1\",\"text\":null,\"name\":null,\"uint\":null,\"int\":null,"
         "\"time\":null,\"time_ms\":null,\"duration_s\":null,\"octets\":null,\"flag\":null}\n"},
        {"csv", SEK_OUT_CSV,
         "text,name,uint,int,time,time_ms,duration_s,octets,flag\r\n"
         "\"a, \"\"b\"\"\",xn--bcher-kva.example,18446744073709551615,-9223372036854775808,"
         "1970-01-01T00:00:00Z,1969-12-31T23:59:59.999Z,93784,1536,true\r\n,,,,,,,,\r\n"},
        {"table", SEK_OUT_TABLE,
         "Text    Name                                                    Uint"
         "                   Int  Time                  Time                  Duration   Octets"
         "  Flag\n"
         "a, \"b\"  xn--bcher-kva.example (bücher.example)  18446744073709551615"
         "  -9223372036854775808  1970-01-01T00:00:00Z  1969-12-31T23:59:59Z      1d2h  1.5 KiB"
         "  yes\n"
         "-       -                                                          -"
         "                     -  never                 -                            -        -"
         "  -\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink s;
        sink_open(&s, cases[i].format, false, 0);
        sek_out_begin(s.out, "sekisho.test/1", all_cols, N, SEK_OUT_ROWS);
        full_row(s.out);
        assert_true(sek_out_row(s.out));
        assert_true(sek_out_row(s.out));
        if (strcmp(sink_end(&s), cases[i].expected) != 0)
            fail_msg("%s:\n%s", cases[i].label, s.text);
        free(s.text);
    }
}

static void test_no_rows(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [SEK_OUT_TABLE] = "",
        [SEK_OUT_JSON] = "{\"schema\":\"sekisho.test/1\",\"rows\":[]}\n",
        [SEK_OUT_JSONL] = "",
        [SEK_OUT_CSV] = "text,name\r\n",
    };
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        struct sink s;
        sink_open(&s, (enum sek_out_format)f, true, 80);
        sek_out_begin(s.out, "sekisho.test/1", all_cols, 2, SEK_OUT_ROWS);
        assert_string_equal(sink_end(&s), expected[f]);
        free(s.text);
    }
}

/* A negative number is no formula in CSV, and no text in JSON; what is no number is null. */
static void test_real(void **state)
{
    (void)state;
    static const struct sek_col cols[] = {{"x", "X", SEK_COL_REAL}, {"y", "Y", SEK_COL_REAL}};
    static const char *const expected[] = {
        [SEK_OUT_TABLE] = "    X   Y\n-1.50  10\n    -   -\n",
        [SEK_OUT_JSON] = "{\"schema\":\"t/1\",\"rows\":[\n{\"x\":-1.50,\"y\":10},\n"
                         "{\"x\":null,\"y\":null}\n]}\n",
        [SEK_OUT_JSONL] = "{\"schema\":\"t/1\",\"x\":-1.50,\"y\":10}\n"
                          "{\"schema\":\"t/1\",\"x\":null,\"y\":null}\n",
        [SEK_OUT_CSV] = "x,y\r\n-1.50,10\r\n,\r\n",
    };
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        struct sink s;
        sink_open(&s, (enum sek_out_format)f, false, 0);
        sek_out_begin(s.out, "t/1", cols, 2, SEK_OUT_ROWS);
        sek_out_real(s.out, 0, -1.5, 2);
        sek_out_real(s.out, 1, 9.6, 0);
        sek_out_row(s.out);
        sek_out_real(s.out, 0, (double)NAN, 2);
        sek_out_real(s.out, 1, -HUGE_VAL, 2);
        sek_out_row(s.out);
        assert_string_equal(sink_end(&s), expected[f]);
        free(s.text);
    }
}

static void two_parts(struct sink *s)
{
    sek_out_begin(s->out, "sekisho.test/1", all_cols, 1, SEK_OUT_RECORD);
    sek_out_text(s->out, 0, "one");
    sek_out_row(s->out);
    sek_out_part(s->out, "steps", all_cols, 1, SEK_OUT_ROWS);
    sek_out_text(s->out, 0, "two");
    sek_out_row(s->out);
    sek_out_part(s->out, "end", all_cols, 1, SEK_OUT_RECORD);
    sek_out_row(s->out);
}

static void test_parts(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [SEK_OUT_TABLE] = "Text  one\n\nText\ntwo\n\n",
        [SEK_OUT_JSON] = "{\"schema\":\"sekisho.test/1\",\"rows\":[\n{\"text\":\"one\"}\n],"
                         "\"steps\":[\n{\"text\":\"two\"}\n],\"end\":[\n{\"text\":null}\n]}\n",
        [SEK_OUT_JSONL] = "{\"schema\":\"sekisho.test/1\",\"text\":\"one\"}\n"
                          "{\"schema\":\"sekisho.test.steps/1\",\"text\":\"two\"}\n"
                          "{\"schema\":\"sekisho.test.end/1\",\"text\":null}\n",
        [SEK_OUT_CSV] = "text\r\none\r\n",
    };
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        struct sink s;
        sink_open(&s, (enum sek_out_format)f, false, 0);
        two_parts(&s);
        assert_string_equal(sink_end(&s), expected[f]);
        free(s.text);
    }
}

static void part_open(struct sink *s, enum sek_out_format format, const char *part)
{
    const struct sek_out_style style = {.format = format, .part = part};
    s->file = open_memstream(&s->text, &s->size);
    assert_int_equal(sek_out_new(s->file, &style, &s->out), SEK_OK);
}

static void test_one_part(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [SEK_OUT_TABLE] = "Text\ntwo\n",
        [SEK_OUT_JSON] = "{\"schema\":\"sekisho.test/1\",\"steps\":[\n{\"text\":\"two\"}\n]}\n",
        [SEK_OUT_JSONL] = "{\"schema\":\"sekisho.test.steps/1\",\"text\":\"two\"}\n",
        [SEK_OUT_CSV] = "text\r\ntwo\r\n",
    };
    struct sink s;
    struct sek_diag diag;
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        part_open(&s, (enum sek_out_format)f, "steps");
        two_parts(&s);
        assert_string_equal(sink_end(&s), expected[f]);
        free(s.text);
    }
    part_open(&s, SEK_OUT_CSV, "rows");
    two_parts(&s);
    assert_string_equal(sink_end(&s), "text\r\none\r\n");
    free(s.text);
    part_open(&s, SEK_OUT_JSON, "other");
    two_parts(&s);
    assert_int_equal(SEK_E_INVALID, sek_out_end(s.out, &diag));
    assert_true(sek_out_lacks_part(s.out));
    assert_string_equal(diag.text, "--part: \"other\" is none of this report's: rows, steps, end");
    sek_out_free(s.out);
    fclose(s.file);
    assert_string_equal(s.text, "{\"schema\":\"sekisho.test/1\"}\n");
    free(s.text);
}

static void test_places(void **state)
{
    (void)state;
    static const struct sek_col cols[] = {
        {"machine", "Machine", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
        {"people", "People", SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE},
        {"nowhere", "Nowhere", SEK_COL_TEXT, NULL, 0, SEK_COL_NOWHERE},
    };
    static const char *const expected[] = {
        [SEK_OUT_TABLE] = "People\nb\n",
        [SEK_OUT_JSON] = "{\"schema\":\"sekisho.test/1\",\"rows\":[\n{\"machine\":\"a\"}\n]}\n",
        [SEK_OUT_JSONL] = "{\"schema\":\"sekisho.test/1\",\"machine\":\"a\"}\n",
        [SEK_OUT_CSV] = "machine\r\na\r\n",
    };
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        struct sink s;
        sink_open(&s, (enum sek_out_format)f, false, 0);
        sek_out_begin(s.out, "sekisho.test/1", cols, 3, SEK_OUT_ROWS);
        sek_out_text(s.out, 0, "a");
        sek_out_text(s.out, 1, "b");
        sek_out_text(s.out, 2, "c");
        sek_out_row(s.out);
        assert_string_equal(sink_end(&s), expected[f]);
        free(s.text);
    }
}

/* --- hostile text -------------------------------------------------------------------------------
 */

/* A column that is there only when some row fills it; machine formats always have it. */
static void test_filled(void **state)
{
    static const struct sek_col cols[] = {
        {"a", "A", SEK_COL_TEXT},
        {"b", "B", SEK_COL_REAL, NULL, 0, SEK_COL_FILLED},
        {"c", "C", SEK_COL_TEXT},
        {"d", "D", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    };
    static const struct {
        const char *label;
        enum sek_out_format format;
        enum sek_out_shape shape;
        int filled; /* row that fills b, or -1 */
        const char *expected;
    } cases[] = {
        {"none", SEK_OUT_TABLE, SEK_OUT_ROWS, -1, "A  C\nx  -\nx  -\n"},
        {"first", SEK_OUT_TABLE, SEK_OUT_ROWS, 0, "A    B  C\nx  0.5  -\nx       -\n"},
        {"last", SEK_OUT_TABLE, SEK_OUT_ROWS, 1, "A    B  C\nx       -\nx  0.5  -\n"},
        {"live", SEK_OUT_TABLE, SEK_OUT_LIVE, 0, "A  C\nx  -\nx  -\n"},
        {"record", SEK_OUT_TABLE, SEK_OUT_RECORD, 1, "A  x\nA  x\nB  0.5\n"},
        {"csv", SEK_OUT_CSV, SEK_OUT_ROWS, -1, "a,b,c,d\r\nx,,,\r\nx,,,\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink s;
        sink_open(&s, cases[i].format, false, 0);
        sek_out_begin(s.out, "test/1", cols, 4, cases[i].shape);
        for (int row = 0; row < 2; row++) {
            sek_out_text(s.out, 0, "x");
            if (row == cases[i].filled)
                sek_out_real(s.out, 1, 0.5, 1);
            sek_out_row(s.out);
        }
        if (strcmp(sink_end(&s), cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].label, s.text);
        free(s.text);
    }
}

/* A JSON value stays one in JSON, and is text elsewhere; what deceives is escaped all the same. */
static void test_json_cell(void **state)
{
    static const struct sek_col cols[] = {{"j", "J", SEK_COL_JSON}};
    static const struct {
        enum sek_out_format format;
        const char *value, *expected;
    } cases[] = {
        {SEK_OUT_JSONL, "{\"a\":[1,\"b\"]}", "{\"schema\":\"test/1\",\"j\":{\"a\":[1,\"b\"]}}\n"},
        {SEK_OUT_JSONL, NULL, "{\"schema\":\"test/1\",\"j\":null}\n"},
        {SEK_OUT_JSONL, "\"\xe2\x80\xae\xff\"",
         "{\"schema\":\"test/1\",\"j\":\"\\u202e\xef\xbf\xbd\"}\n"},
        {SEK_OUT_CSV, "{\"a\":1}", "j\r\n\"{\"\"a\"\":1}\"\r\n"},
        {SEK_OUT_TABLE, "{\"a\":\"\xe2\x80\xae\"}", "J\n{\"a\":\"\\u{202e}\"}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink s;
        sink_open(&s, cases[i].format, false, 0);
        sek_out_begin(s.out, "test/1", cols, 1, SEK_OUT_ROWS);
        sek_out_text(s.out, 0, cases[i].value);
        sek_out_row(s.out);
        assert_string_equal(sink_end(&s), cases[i].expected);
        free(s.text);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *table, *json, *csv;
    } cases[] = {
        {"empty", "", "-", "\"\"", ""},
        {"plain", "a", "a", "\"a\"", "a"},
        {"not ASCII", "bücher", "bücher", "\"bücher\"", "bücher"},
        {"line break", "a\nb", "a\\x0ab", "\"a\\u000ab\"", "a\\x0ab"},
        {"colour", "\033[31m", "\\x1b[31m", "\"\\u001b[31m\"", "\\x1b[31m"},
        {"DEL", "\177", "\\x7f", "\"\\u007f\"", "\\x7f"},
        {"C1", "\xc2\x9b", "\\u{9b}", "\"\\u009b\"", "\\u{9b}"},
        {"C1 octet, no UTF-8", "\x9b", "\\x9b", "\"\\\\x9b\"", "\\x9b"},
        {"right-to-left override", "\xe2\x80\xae", "\\u{202e}", "\"\\u202e\"", "\\u{202e}"},
        {"isolate", "\xe2\x81\xa6", "\\u{2066}", "\"\\u2066\"", "\\u{2066}"},
        {"line separator", "\xe2\x80\xa8", "\\u{2028}", "\"\\u2028\"", "\\u{2028}"},
        {"tag", "\xf3\xa0\x81\x81", "\\u{e0041}", "\"\\udb40\\udc41\"", "\\u{e0041}"},
        {"overlong", "\xc0\x80", "\\xc0\\x80", "\"\\\\xc0\\\\x80\"", "\\xc0\\x80"},
        {"cut off", "\xe2\x80", "\\xe2\\x80", "\"\\\\xe2\\\\x80\"", "\\xe2\\x80"},
        {"surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\\\xed\\\\xa0\\\\x80\"",
         "\\xed\\xa0\\x80"},
        {"quote", "\"", "\"", "\"\\\"\"", "\"\"\"\""},
        {"backslash", "\\", "\\", "\"\\\\\"", "\\"},
        {"comma", "a,b", "a,b", "\"a,b\"", "\"a,b\""},
        {"semicolon", "a;b", "a;b", "\"a;b\"", "\"a;b\""},
        {"blank in front", " a", " a", "\" a\"", "\" a\""},
        {"formula =", "=1+1", "=1+1", "\"=1+1\"", "'=1+1"},
        {"formula +", "+1", "+1", "\"+1\"", "'+1"},
        {"formula -", "-1", "-1", "\"-1\"", "'-1"},
        {"formula @", "@A1", "@A1", "\"@A1\"", "'@A1"},
        {"formula after a tab", "\t=1", "\\x09=1", "\"\\u0009=1\"", "'\\x09=1"},
        {"formula after CR", "\r=1", "\\x0d=1", "\"\\u000d=1\"", "'\\x0d=1"},
        {"formula with a comma", "=A1,B1", "=A1,B1", "\"=A1,B1\"", "\"'=A1,B1\""},
        {"formula inside", "a=1", "a=1", "\"a=1\"", "a=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *expected[] = {
            [SEK_OUT_TABLE] = cases[i].table,
            [SEK_OUT_JSON] = cases[i].json,
            [SEK_OUT_JSONL] = cases[i].json,
            [SEK_OUT_CSV] = cases[i].csv,
        };
        for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
            struct sink s;
            char want[128];
            sink_open(&s, (enum sek_out_format)f, false, 0);
            sek_out_begin(s.out, "t/1", all_cols, 1, SEK_OUT_ROWS);
            sek_out_text(s.out, TEXT, cases[i].text);
            sek_out_row(s.out);
            sink_end(&s);
            static const char *const frames[] = {
                [SEK_OUT_TABLE] = "Text\n%s\n",
                [SEK_OUT_JSON] = "{\"schema\":\"t/1\",\"rows\":[\n{\"text\":%s}\n]}\n",
                [SEK_OUT_JSONL] = "{\"schema\":\"t/1\",\"text\":%s}\n",
                [SEK_OUT_CSV] = "text\r\n%s\r\n",
            };
            snprintf(want, sizeof want, frames[f], expected[f]);
            if (strcmp(s.text, want) != 0)
                fail_msg("%s, format %d: %s", cases[i].label, f, s.text);
            free(s.text);
        }
    }
}

/* Whatever octets come: valid UTF-8 without controls but the format's own line ends. */
static void test_any_octets(void **state)
{
    (void)state;
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    for (int round = 0; round < 2000; round++) {
        char text[40];
        size_t n = (size_t)random() % (sizeof text - 1);
        for (size_t i = 0; i < n; i++)
            text[i] =
                (char)(random() % 3 ? random() % 255 + 1 : "\"\\=,\033\n\xe2\x80"[random() % 8]);
        text[n] = '\0';
        struct sink s;
        sink_open(&s, (enum sek_out_format)(round % 4), round % 8 > 3, (unsigned)(round % 3 * 10));
        sek_out_begin(s.out, "t/1", all_cols, 2, SEK_OUT_ROWS);
        sek_out_text(s.out, TEXT, text);
        sek_out_text(s.out, NAME, text);
        sek_out_row(s.out);
        sink_end(&s);
        assert_true(sek_utf8_is_valid(s.text, s.size));
        for (size_t i = 0, len; i < s.size; i += len) {
            uint32_t c = 0;
            len = sek_utf8_next(s.text + i, s.size - i, &c);
            bool own = c == '\n' || c == '\r' || (c == '\033' && round % 8 > 3 && round % 4 == 0);
            if (sek_utf8_is_deceptive(c) && !own)
                fail_msg("seed %u, round %d: U+%04X came through", seed, round, (unsigned)c);
        }
        free(s.text);
    }
}

/* --- tables -------------------------------------------------------------------------------------
 */

static void test_cut(void **state)
{
    (void)state;
    static const struct sek_col cols[] = {{"a", "A", SEK_COL_TEXT}, {"n", "Count", SEK_COL_UINT}};
    static const struct {
        const char *label;
        unsigned width;
        const char *text, *expected;
    } cases[] = {
        {"no terminal", 0, "0123456789abcdefghij",
         "A                     Count\n0123456789abcdefghij      7\n"},
        {"just fits", 27, "0123456789abcdefghij",
         "A                     Count\n0123456789abcdefghij      7\n"},
        {"one too many", 26, "0123456789abcdefghij",
         "A                    Count\n0123456789abcdefgh…      7\n"},
        {"never below the least", 1, "0123456789abcdefghij",
         "A                Count\n0123456789abcd…      7\n"},
        {"short enough", 1, "0123456789", "A           Count\n0123456789      7\n"},
        {"wide characters", 22, "漢字漢字漢字漢字漢字",
         "A                Count\n漢字漢字漢字漢…      7\n"},
        {"wide characters, one column left", 23, "漢字漢字漢字漢字漢字",
         "A                 Count\n漢字漢字漢字漢…       7\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink s;
        sink_open(&s, SEK_OUT_TABLE, false, cases[i].width);
        sek_out_begin(s.out, "t/1", cols, 2, SEK_OUT_ROWS);
        sek_out_text(s.out, 0, cases[i].text);
        sek_out_uint(s.out, 1, 7);
        sek_out_row(s.out);
        if (strcmp(sink_end(&s), cases[i].expected) != 0)
            fail_msg("%s:\n%s", cases[i].label, s.text);
        free(s.text);
    }
}

static void test_record_and_live(void **state)
{
    (void)state;
    static const struct sek_col cols[] = {{"a", "Short", SEK_COL_TEXT, NULL, 4},
                                          {"b", "Longer one", SEK_COL_UINT, "none", 12}};
    struct sink s;
    sink_open(&s, SEK_OUT_TABLE, true, 0);
    sek_out_begin(s.out, "t/1", cols, 2, SEK_OUT_RECORD);
    sek_out_row(s.out); /* what is not set, and says nothing instead, takes no line */
    assert_string_equal(sink_end(&s), "\033[1mLonger one\033[0m  none\n");
    free(s.text);

    sink_open(&s, SEK_OUT_TABLE, false, 10); /* too narrow: live rows are never cut */
    sek_out_begin(s.out, "t/1", cols, 2, SEK_OUT_LIVE);
    sek_out_text(s.out, 0, "first");
    sek_out_row(s.out);
    assert_string_equal(s.text, "Short    Longer one\nfirst          none\n");
    sek_out_text(s.out, 0, "much longer");
    sek_out_uint(s.out, 1, 1);
    sek_out_row(s.out);
    assert_string_equal(sink_end(&s),
                        "Short    Longer one\nfirst          none\nmuch longer             1\n");
    free(s.text);
}

static void test_colour(void **state)
{
    (void)state;
    struct sink s;
    for (int color = 0; color < 2; color++) {
        sink_open(&s, SEK_OUT_TABLE, color, 0);
        sek_out_begin(s.out, "t/1", all_cols, 1, SEK_OUT_ROWS);
        sek_out_text(s.out, 0, "x");
        sek_out_tint(s.out, 0, SEK_TINT_BAD);
        sek_out_row(s.out);
        sek_out_text(s.out, 0, "y"); /* a tint is one row's */
        sek_out_row(s.out);
        assert_string_equal(sink_end(&s),
                            color ? "\033[1mText\033[0m\n\033[31mx\033[0m\ny\n" : "Text\nx\ny\n");
        free(s.text);
    }
}

/* More than is looked at before widths are fixed: all rows come, in order. */
static void test_many_rows(void **state)
{
    (void)state;
    struct sink s;
    unsigned n = 60000;
    sink_open(&s, SEK_OUT_TABLE, false, 0);
    sek_out_begin(s.out, "t/1", &all_cols[UINT], 1, SEK_OUT_ROWS);
    for (unsigned i = 0; i < n; i++) {
        sek_out_uint(s.out, 0, i);
        assert_true(sek_out_row(s.out));
    }
    assert_int_equal(sek_out_n_rows(s.out), n);
    sink_end(&s);
    char *p = strchr(s.text, '\n') + 1;
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(strtoul(p, &p, 10), i);
        assert_int_equal(*p++, '\n');
    }
    assert_int_equal(*p, '\0');
    free(s.text);
}

/* --- writing fails ------------------------------------------------------------------------------
 */

static void test_write_errors(void **state)
{
    (void)state;
    for (int f = SEK_OUT_TABLE; f <= SEK_OUT_CSV; f++) {
        struct sek_out_style style = {(enum sek_out_format)f, false, 0};
        struct sek_out *o = NULL;
        struct sek_diag diag = {0};
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        setvbuf(full, NULL, _IONBF, 0);
        assert_int_equal(sek_out_new(full, &style, &o), SEK_OK);
        sek_out_begin(o, "t/1", all_cols, 1, SEK_OUT_LIVE);
        sek_out_text(o, 0, "x");
        assert_false(sek_out_row(o));
        assert_int_equal(sek_out_end(o, &diag), SEK_E_FULL);
        assert_non_null(strstr(diag.text, "No space left"));
        sek_out_free(o);
        fclose(full);
    }
}

static void test_reader_gone(void **state)
{
    (void)state;
    int ends[2];
    struct sek_out_style style = {SEK_OUT_JSONL, false, 0};
    struct sek_out *o = NULL;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    FILE *pipe_file = fdopen(ends[1], "w");
    assert_int_equal(sek_out_new(pipe_file, &style, &o), SEK_OK);
    sek_out_begin(o, "t/1", all_cols, 1, SEK_OUT_LIVE);
    sek_out_text(o, 0, "x");
    assert_false(sek_out_row(o));
    assert_int_equal(sek_out_end(o, NULL), SEK_OK);
    sek_out_free(o);
    fclose(pipe_file);
    sek_out_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),      cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_real),         cmocka_unit_test(test_parts),
        cmocka_unit_test(test_one_part),     cmocka_unit_test(test_places),
        cmocka_unit_test(test_filled),       cmocka_unit_test(test_json_cell),
        cmocka_unit_test(test_hostile),      cmocka_unit_test(test_any_octets),
        cmocka_unit_test(test_cut),          cmocka_unit_test(test_record_and_live),
        cmocka_unit_test(test_colour),       cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_write_errors), cmocka_unit_test(test_reader_gone),
    };
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
