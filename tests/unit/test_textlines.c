/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading lines; what is said of bad ones is in tests/cli. */
#include "tools/input/textlines.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/sek-textlines-XXXXXX";

struct seen {
    char text[256]; /* "<line>|" each; long ones as their length */
    size_t n;
    enum sek_err answer;
};

static enum sek_err take(void *arg, char *line, struct sek_diag *diag)
{
    struct seen *s = arg;
    size_t at = strlen(s->text), len = strlen(line);

    s->n++;
    if (len > 40)
        snprintf(s->text + at, sizeof(s->text) - at, "%zu|", len);
    else
        snprintf(s->text + at, sizeof(s->text) - at, "%s|", line);
    if (strcmp(line, "bad") == 0)
        return sek_diag_set(diag, SEK_E_NAME, "is bad");
    if (strcmp(line, "stop") == 0)
        return sek_diag_set(diag, s->answer, "enough");
    return SEK_OK;
}

static void put(const void *octets, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(octets, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *label, *input;
        size_t len;
        const char *seen;
        uint64_t n_bad;
    } cases[] = {
        {"empty", "", 0, "", 0},
        {"one", "a\n", 2, "a|", 0},
        {"no end of line", "a\nb", 3, "a|b|", 0},
        {"empty lines", "\n\na\n", 4, "||a|", 0},
        {"from Windows", "a\r\nb\r\n", 6, "a|b|", 0},
        {"NUL", "a\0b\nc\n", 6, "c|", 1},
        {"bad ones", "bad\na\nbad", 9, "bad|a|bad|", 2},
        {"not ASCII", "\xff\xfe\n", 3, "\xff\xfe|", 0},
    };
    struct sek_diag diag = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct seen s = {0};
        uint64_t n_bad = 99;

        put(cases[i].input, cases[i].len);
        assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, &diag), SEK_OK);
        if (strcmp(s.text, cases[i].seen) != 0 || n_bad != cases[i].n_bad)
            fail_msg("%s: \"%s\", %d bad", cases[i].label, s.text, (int)n_bad);
    }
}

/* At the limit, one more, and one that is longer than a window. */
static void test_long(void **state)
{
    (void)state;
    static const size_t lens[] = {SEK_TEXTLINE_MAX, SEK_TEXTLINE_MAX + 1, 200000};
    char *text = malloc(200002);
    struct sek_diag diag = {0};

    assert_non_null(text);
    for (int i = 0; i < 3; i++) {
        struct seen s = {0};
        uint64_t n_bad;

        memset(text, 'x', lens[i]);
        text[lens[i]] = '\n';
        text[lens[i] + 1] = 'y';
        put(text, lens[i] + 2);
        assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, &diag), SEK_OK);
        assert_int_equal(n_bad, i > 0);
        assert_string_equal(s.text, i > 0 ? "y|" : "16384|y|");
    }
    free(text);
}

/* More lines than a window holds. */
static void test_many(void **state)
{
    (void)state;
    FILE *f = fopen(path, "w");
    struct seen s = {0};
    uint64_t n_bad;

    assert_non_null(f);
    for (int i = 0; i < 50000; i++)
        fprintf(f, "%d\n", i);
    fclose(f);
    assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, NULL), SEK_OK);
    assert_int_equal(s.n, 50000);
}

static void test_errors(void **state)
{
    (void)state;
    /* gzip of "a\n", and its first half */
    static const unsigned char gz[] = {0x1f, 0x8b, 8, 0, 0,    0,    0,    0, 0, 3, 0x4b,
                                       0xe4, 2,    0, 7, 0xa1, 0xea, 0xdd, 2, 0, 0, 0};
    struct seen s = {.answer = SEK_E_LIMIT};
    struct sek_diag diag = {0};
    uint64_t n_bad;

    put(gz, sizeof(gz));
    assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, &diag), SEK_OK);
    assert_string_equal(s.text, "a|");
    put(gz, 14);
    assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, &diag), SEK_E_CORRUPT);
    put("a\nstop\nb\n", 9);
    memset(s.text, 0, sizeof(s.text));
    assert_int_equal(sek_textlines_read(path, take, &s, &n_bad, &diag), SEK_E_LIMIT);
    assert_string_equal(s.text, "a|stop|");
    assert_non_null(strstr(diag.text, ":2: enough"));
    assert_int_equal(sek_textlines_read("/nonexistent", take, &s, &n_bad, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_textlines_read("/", take, &s, &n_bad, &diag), SEK_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_errors),
    };
    int fd = mkstemp(path), failed;

    if (fd < 0)
        return 1;
    close(fd);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
