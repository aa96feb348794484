/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/args.h"
#include "tools/command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct sek_lookup colors[] = {{1, "red"}, {2, "green"}, {0, NULL}};

enum { QUICK, NAME, LIMIT, PRIORITY, LIFETIME, SINCE, COLOR, SEED, N };
static const struct sek_arg rows[] = {
    [QUICK] = {"quick", 'q', SEK_ARG_FLAG, NULL, "flag"},
    [NAME] = {"name", 'n', SEK_ARG_TEXT, "NAME", "text"},
    [LIMIT] = {"limit", 'l', SEK_ARG_NUMBER, "N", "number", NULL, 0, 100},
    [PRIORITY] = {"priority", 0, SEK_ARG_NUMBER, "N", "signed", NULL, -5, 5},
    [LIFETIME] = {"lifetime", 0, SEK_ARG_DURATION, "TIME", "duration"},
    [SINCE] = {"since", 0, SEK_ARG_TIME, "TIME", "time"},
    [COLOR] = {"color", 0, SEK_ARG_CHOICE, NULL, "choice", colors},
    [SEED] = {"seed", 's', SEK_ARG_TEXTS, "FILE", "texts"},
    [N] = {0},
};
static const struct sek_arg more_rows[] = {{"verbose", 'v', SEK_ARG_FLAG, NULL, "flag"}, {0}};

#define NOW 1795392000 /* 2026-11-23T00:00:00Z */

struct parsed {
    enum sek_err err;
    struct sek_diag diag;
    struct sek_arg_value v[N], more[1];
    char *argv[16];
    int n;
    char room[512];
};

/* Words separated by one blank; "~" stands for an empty word. */
static void parse(const char *line, bool stop, struct parsed *p)
{
    memset(p, 0, sizeof *p);
    snprintf(p->room, sizeof p->room, "%s", line);
    int argc = 0;
    char *rest = NULL;
    for (char *w = strtok_r(p->room, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        if (strcmp(w, "~") == 0)
            *w = '\0';
        p->argv[argc++] = w;
    }
    struct sek_arg_set sets[] = {{rows, p->v}, {more_rows, p->more}};
    p->err = sek_args_parse(p->argv, argc, sets, 2, NOW, stop, &p->n, &p->diag);
}

static void test_texts(void **state)
{
    struct parsed p;

    (void)state;
    parse("--seed a x -s b --seed=c y", false, &p);
    assert_int_equal(p.err, SEK_OK);
    assert_int_equal(p.n, 2);
    assert_true(p.v[SEED].given);
    assert_int_equal(p.v[SEED].number, 3);
    assert_string_equal(p.v[SEED].texts[0], "a");
    assert_string_equal(p.v[SEED].texts[1], "b");
    assert_string_equal(p.v[SEED].texts[2], "c");
    parse("x", false, &p);
    assert_false(p.v[SEED].given);
    assert_int_equal(p.v[SEED].number, 0);
    /* no more than there is room for */
    char *argv[SEK_ARG_REPEATS + 1], word[] = "-sf";
    struct sek_arg_value v[N] = {0};
    struct sek_arg_set set = {rows, v};
    struct sek_diag diag;
    int n;
    for (int i = 0; i <= SEK_ARG_REPEATS; i++)
        argv[i] = word;
    assert_int_equal(sek_args_parse(argv, SEK_ARG_REPEATS, &set, 1, NOW, false, &n, &diag), SEK_OK);
    memset(v, 0, sizeof v);
    assert_int_equal(sek_args_parse(argv, SEK_ARG_REPEATS + 1, &set, 1, NOW, false, &n, &diag),
                     SEK_E_INVALID);
}

/* --- values ------------------------------------------------------------------------------------
 */

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *label, *line;
        int option;
        int64_t number;
        const char *text;
    } cases[] = {
        {"flag, long", "--quick", QUICK, 1, NULL},
        {"flag, short", "-q", QUICK, 1, NULL},
        {"flag in a cluster", "-vq", QUICK, 1, NULL},
        {"text, next word", "--name x", NAME, 0, "x"},
        {"text, equals", "--name=x", NAME, 0, "x"},
        {"text, equals, empty", "--name=", NAME, 0, ""},
        {"text, equals in it", "--name==x=y", NAME, 0, "=x=y"},
        {"text that looks like an option", "--name --quick", NAME, 0, "--quick"},
        {"text that is empty", "--name ~", NAME, 0, ""},
        {"text, short, next word", "-n x", NAME, 0, "x"},
        {"text, short, joined", "-nx", NAME, 0, "x"},
        {"text after a flag in a cluster", "-qnx", NAME, 0, "x"},
        {"text, not ASCII", "--name bücher", NAME, 0, "bücher"},
        {"last one counts", "--name a --name b", NAME, 0, "b"},
        {"number, least", "--limit 0", LIMIT, 0, "0"},
        {"number, 1", "--limit 1", LIMIT, 1, "1"},
        {"number, most", "-l100", LIMIT, 100, "100"},
        {"negative number", "--priority -5", PRIORITY, -5, "-5"},
        {"duration", "--lifetime 8h", LIFETIME, 28800, "8h"},
        {"time ago", "--since 2h", SINCE, NOW - 7200, "2h"},
        {"time, date", "--since 2026-11-22", SINCE, NOW - 86400, "2026-11-22"},
        {"choice", "--color green", COLOR, 2, "green"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(cases[i].line, false, &p);
        const struct sek_arg_value *v = &p.v[cases[i].option];
        if (p.err || !v->given || v->number != cases[i].number || p.n != 0 ||
            (cases[i].text && strcmp(v->text, cases[i].text) != 0))
            fail_msg("%s: err %d (%s), given %d, number %lld, text %s, n %d", cases[i].label, p.err,
                     p.diag.text, v->given, (long long)v->number, v->text ? v->text : "NULL", p.n);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *label, *line, *says;
    } cases[] = {
        {"unknown", "--wrong", "unknown option --wrong"},
        {"unknown with value", "--wrong=5", "unknown option --wrong"},
        {"letters swapped", "--sicne 2h", "did you mean --since?"},
        {"letter missing", "--prority 1", "did you mean --priority?"},
        {"beginning of one", "--life 8h", "did you mean --lifetime?"},
        {"of the second set", "--verbos", "did you mean --verbose?"},
        {"far from all", "--zzzzzz", "unknown option --zzzzzz"},
        {"very long", "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "unknown"},
        {"unknown letter", "-x", "unknown option -x"},
        {"unknown letter in a cluster", "-qx", "unknown option -x"},
        {"value missing", "--name", "--name needs a value: NAME"},
        {"value missing, short", "-n", "-n needs a value"},
        {"value for a flag", "--quick=1", "--quick takes no value"},
        {"number, empty", "--limit ~", "not a whole number"},
        {"number, word", "--limit ten", "not a whole number"},
        {"number, tail", "--limit 10x", "not a whole number"},
        {"number, plus", "--limit +1", "not a whole number"},
        {"number, minus alone", "--priority -", "not a whole number"},
        {"number, fraction", "--limit 1.5", "not a whole number"},
        {"number, most + 1", "--limit 101", "outside 0 to 100"},
        {"number, least - 1", "--priority -6", "outside -5 to 5"},
        {"number, huge", "--limit 99999999999999999999", "outside"},
        {"duration without unit", "--lifetime 8", "--lifetime"},
        {"time", "--since yesterda", "--since"},
        {"choice", "--color blue", "none of: red, green"},
        {"choice, beginning", "--color re", "none of: red, green"},
        {"choice, case", "--color Red", "none of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(cases[i].line, false, &p);
        if (p.err != SEK_E_INVALID || !strstr(p.diag.text, cases[i].says))
            fail_msg("%s: err %d, \"%s\" lacks \"%s\"", cases[i].label, p.err, p.diag.text,
                     cases[i].says);
    }
}

static void test_no_wild_suggestion(void **state)
{
    (void)state;
    struct parsed p;
    parse("--zzzzzz", false, &p);
    assert_null(strstr(p.diag.text, "did you mean"));
}

/* --- arguments ---------------------------------------------------------------------------------
 */

static void test_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *label, *line;
        bool stop;
        int n;
        const char *first, *last;
    } cases[] = {
        {"none", "", false, 0, NULL, NULL},
        {"one", "a", false, 1, "a", "a"},
        {"around options", "a --quick b -n x c", false, 3, "a", "c"},
        {"standard input", "-q -", false, 1, "-", "-"},
        {"empty word", "~ b", false, 2, "", "b"},
        {"after the end of options", "a -- --quick -", false, 3, "a", "-"},
        {"second end of options", "-- --", false, 1, "--", "--"},
        {"stop at a word", "-q -n x a --since", true, 3, NULL, NULL},
        {"stop at the first word", "a --wrong", true, 0, NULL, NULL},
        {"stop after the end of options", "-q -- --wrong", true, 2, NULL, NULL},
        {"stop without a word", "-q", true, 1, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;
        parse(cases[i].line, cases[i].stop, &p);
        if (p.err || p.n != cases[i].n)
            fail_msg("%s: err %d (%s), n %d", cases[i].label, p.err, p.diag.text, p.n);
        if (cases[i].first &&
            (strcmp(p.argv[0], cases[i].first) != 0 || strcmp(p.argv[p.n - 1], cases[i].last) != 0))
            fail_msg("%s: %s … %s", cases[i].label, p.argv[0], p.argv[p.n - 1]);
    }
}

/* --- the table of commands ----------------------------------------------------------------------
 */

static void check_rows(const struct sek_command *c)
{
    unsigned n = sek_args_count(c->rows), g = sek_args_count(sek_global_args);
    assert_true(n <= SEK_ARGS_MAX);
    for (unsigned i = 0; i < n + g; i++) {
        const struct sek_arg *a = i < n ? &c->rows[i] : &sek_global_args[i - n];
        if (!a->help || !*a->help || (a->kind == SEK_ARG_CHOICE) != (a->choices != NULL))
            fail_msg("%s --%s: help or choices", c->words, a->name);
        for (unsigned j = 0; j < i; j++) {
            const struct sek_arg *b = j < n ? &c->rows[j] : &sek_global_args[j - n];
            if (strcmp(a->name, "format") == 0 && strcmp(b->name, "format") == 0)
                continue; /* a command's own formats come before those of reports */
            if (strcmp(a->name, b->name) == 0 || (a->letter && a->letter == b->letter))
                fail_msg("%s: --%s and --%s clash", c->words, a->name, b->name);
        }
    }
}

static void test_command_table(void **state)
{
    (void)state;
    for (const struct sek_command *c = sek_commands; c->words; c++) {
        if (!c->run || !c->rows || !*c->help || strchr(c->help, '\n') ||
            c->help[strlen(c->help) - 1] == '.' || (c->help[0] >= 'A' && c->help[0] <= 'Z'))
            fail_msg("%s: a row is complete; its help is one line, lower case, no full stop",
                     c->words);
        check_rows(c);
        for (const struct sek_command *d = sek_commands; d < c; d++)
            assert_string_not_equal(c->words, d->words);
    }
}

static void test_arity(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        int least, most;
    } cases[] = {
        {"", 0, 0},
        {"NAME", 1, 1},
        {"[NAME]", 0, 1},
        {"NAME...", 1, 1000},
        {"[NAME...]", 0, 1000},
        {"LIST NAME...", 2, 1000},
        {"LIST [FILE]", 1, 2},
        {"[get KEY]", 0, 2},
        {"[get KEY] NAME", 1, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_command c = {.words = "test", .args = cases[i].pattern};
        char *args[1001];
        for (int n = 0; n <= 1001 && n <= cases[i].most + 1; n++) {
            if (n > 0)
                args[n - 1] = "x";
            bool fits = n >= cases[i].least && n <= cases[i].most;
            if (cases[i].most == 1000)
                fits = n >= cases[i].least;
            if (n <= 1000 && (sek_command_check_args(&c, args, n, NULL) == SEK_OK) != fits)
                fail_msg("\"%s\" with %d arguments", cases[i].pattern, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_arguments),     cmocka_unit_test(test_no_wild_suggestion),
        cmocka_unit_test(test_command_table), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_arity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
