/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "verdict/detect.h"
#include "verdict/engine.h"
#include <string.h>

#define NOW ((int64_t)1795000000)
#define DAY_S 86400
#define ODD "xqjzkvwpqhgtdbnfr.com" /* machine-made beyond all thresholds */

static struct sek_classify *model;
static struct sek_suffix *suffix;
static struct sek_never *never;
static struct sek_domains *domains;
static struct sek_conf conf;

static struct sek_name name_of(const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return name;
}

static int setup(void **state)
{
    static char *zones[] = {"qwxzkjvbpt.net"};
    struct sek_domains_conf where = {.max_octets = 2 << 20, .max_absent = 100};
    char aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_diag diag = {0};

    (void)state;
    sek_conf_init(&conf, NULL);
    conf.classify.mode = SEK_MODE_BLOCK;
    if (sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &model, &diag) ||
        sek_suffix_open(NULL, &suffix, &diag) || sek_never_new(zones, 1, suffix, &never, &diag) ||
        sek_domains_open(&where, NOW - 30 * DAY_S, &domains, aside, &diag)) {
        print_error("%s\n", diag.text);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_domains_close(domains);
    sek_never_free(never);
    sek_suffix_close(suffix);
    sek_classify_close(model);
    sek_conf_fini(&conf);
    return 0;
}

static struct sek_detect detect_of(void)
{
    struct sek_detect d = {.domains = domains, .suffix = suffix, .never = never};

    sek_detect_configure(&d, &conf, model);
    return d;
}

static const struct sek_verdict undecided = {
    .action = SEK_ACTION_PASSTHRU, .would = SEK_ACTION_PASSTHRU, .score = SEK_CLASSIFY_NONE};

static struct sek_verdict ask(const struct sek_detect *d, const char *text,
                              struct sek_detect_why *why)
{
    struct sek_verdict v = undecided;
    struct sek_name name = name_of(text);

    sek_detect_question(d, &name, NOW, &v, why);
    return v;
}

static void note(const char *text, unsigned endpoint, int64_t time_s)
{
    struct sek_name name = name_of(text);
    struct sek_addr addr = {.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)endpoint}};

    sek_domains_note(domains, name.octets, name.len, &addr, time_s, true, NULL);
}

static void test_strict_new_and_rare_is_blocked(void **state)
{
    struct sek_detect d = detect_of();
    struct sek_detect_why why;
    struct sek_verdict v = ask(&d, "www." ODD, &why);

    (void)state;
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    assert_int_equal(v.trigger, SEK_TRIGGER_CLASSIFIER);
    assert_int_equal(v.depth, 1);
    assert_false(v.monitor);
    assert_string_equal(v.list_name, "classifier");
    assert_true(v.score >= d.block_llr);
    assert_false(why.known);
}

/* Each condition alone spares the name, which is then recorded only. */
static void test_spared(void **state)
{
    struct sek_detect d = detect_of();
    struct sek_detect_why why;
    struct sek_verdict v;

    (void)state;
    note("kqxvzjwpfbgtdhmnlr.biz", 1, NOW - 2 * DAY_S);
    v = ask(&d, "kqxvzjwpfbgtdhmnlr.biz", &why);
    assert_int_equal(v.action, SEK_ACTION_PASSTHRU);
    assert_true(v.monitor);
    assert_non_null(strstr(why.because, "not newly observed"));

    for (unsigned i = 1; i <= 8; i++)
        note("vqjxkzwpgbtdhfnmlc.biz", i, NOW - 60);
    v = ask(&d, "vqjxkzwpgbtdhfnmlc.biz", &why);
    assert_true(v.monitor);
    assert_non_null(strstr(why.because, "not rare"));

    for (unsigned i = 1; i <= 8; i++)
        note("bqjxkzwpgvtdhfnmlc.biz", i, NOW - 3 * DAY_S);
    v = ask(&d, "bqjxkzwpgvtdhfnmlc.biz", &why);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    assert_non_null(strstr(why.because, "popular"));

    d.warm_up_s = 31 * DAY_S;
    assert_true(ask(&d, ODD, &why).monitor);
    assert_non_null(strstr(why.because, "too young"));
    d = detect_of();

    d.domains = NULL;
    assert_true(ask(&d, ODD, &why).monitor);
    d = detect_of();

    d.mode = SEK_MODE_MONITOR;
    assert_true(ask(&d, ODD, &why).monitor);
    d = detect_of();

    d.block_llr = 99;
    assert_true(ask(&d, ODD, &why).monitor);
    assert_non_null(strstr(why.because, "below the threshold for blocking"));
}

/* What is never a hit of the classifier. */
static void test_not_asked(void **state)
{
    static const char *const names[] = {"xkqjzvwpqhgtd.test",
                                        "xkqjzvwpqhgtd",
                                        "xkqjzvwpqhgtd.local",
                                        "xkqjzvwpqhgtd.home.arpa",
                                        "a.qwxzkjvbpt.net",
                                        "wikipedia.org",
                                        "xkqjzvwpqhgtd.github.io",
                                        "com",
                                        ".",
                                        "xkqjzvwpqhgtd.onion",
                                        "5.2.0.192.in-addr.arpa"};
    struct sek_detect d = detect_of();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sek_verdict v = ask(&d, names[i], NULL);
        if (v.trigger != SEK_TRIGGER_NONE)
            fail_msg("%s", names[i]);
    }
    d.mode = SEK_MODE_OFF;
    assert_int_equal(ask(&d, ODD, NULL).trigger, SEK_TRIGGER_NONE);
    d = detect_of();
    d.classify = NULL;
    assert_int_equal(ask(&d, ODD, NULL).trigger, SEK_TRIGGER_NONE);
}

/* Rules come first; one that only records gives way to a block, but not to another record. */
static void test_after_rules(void **state)
{
    struct sek_detect d = detect_of();
    struct sek_name name = name_of(ODD);
    struct sek_verdict excepted = undecided, blocked = undecided, recorded = undecided, v;

    (void)state;
    excepted.trigger = blocked.trigger = recorded.trigger = SEK_TRIGGER_QNAME;
    blocked.action = blocked.would = SEK_ACTION_NXDOMAIN;
    recorded.would = SEK_ACTION_NXDOMAIN;
    recorded.monitor = true;
    v = excepted;
    sek_detect_question(&d, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_QNAME);
    assert_true(v.score == SEK_CLASSIFY_NONE);
    v = blocked;
    sek_detect_question(&d, &name, NOW, &v, NULL);
    assert_int_equal(v.action, SEK_ACTION_NXDOMAIN);
    v = recorded;
    sek_detect_question(&d, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_CLASSIFIER);
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    d.mode = SEK_MODE_MONITOR;
    v = recorded;
    sek_detect_question(&d, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_QNAME);
    assert_true(v.score > 0);
}

static void test_thresholds(void **state)
{
    struct sek_detect d = detect_of();

    (void)state;
    assert_true(d.monitor_llr == sek_classify_monitor_llr(model));
    assert_true(d.block_llr == sek_classify_block_llr(model));
    conf.classify.monitor_ratio = 9;
    conf.classify.block_ratio = 4; /* below the other: raised to it */
    d = detect_of();
    assert_true(d.monitor_llr == 9 && d.block_llr == 9);
    conf.classify.monitor_ratio = conf.classify.block_ratio = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict_new_and_rare_is_blocked),
        cmocka_unit_test(test_spared),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_after_rules),
        cmocka_unit_test(test_thresholds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
