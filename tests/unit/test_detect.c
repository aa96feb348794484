/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "verdict/detect.h"
#include "verdict/engine.h"
#include <stdio.h>
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
    conf.nod.mode = SEK_NOD_OFF;
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

    sek_detect_question(d, NULL, &name, NOW, &v, why);
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
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_QNAME);
    assert_true(v.score == SEK_CLASSIFY_NONE);
    v = blocked;
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.action, SEK_ACTION_NXDOMAIN);
    v = recorded;
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_CLASSIFIER);
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    d.mode = SEK_MODE_MONITOR;
    v = recorded;
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
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

/* --- newly observed domains --------------------------------------------------------------------
 */

#define HOLD_S 3600

/* The classifier is off, NOD in this mode. */
static struct sek_detect nod_of(enum sek_nod_mode mode)
{
    struct sek_detect d = detect_of();

    d.mode = SEK_MODE_OFF;
    d.nod_mode = mode;
    d.hold_s = HOLD_S;
    d.new_s = 2 * HOLD_S;
    return d;
}

static void test_nod_modes(void **state)
{
    static const struct {
        const char *label;
        enum sek_nod_mode mode;
        int64_t age_s; /* since the first query; -1: never asked for */
        bool hit, holds;
        int64_t left_s;
    } cases[] = {
        {"off", SEK_NOD_OFF, -1, false, false, 0},
        {"monitor, first query", SEK_NOD_MONITOR, -1, true, false, 2 * HOLD_S},
        {"monitor, new", SEK_NOD_MONITOR, HOLD_S, true, false, HOLD_S},
        {"monitor, new for the last second", SEK_NOD_MONITOR, 2 * HOLD_S - 1, true, false, 1},
        {"monitor, old", SEK_NOD_MONITOR, 2 * HOLD_S, false, false, 0},
        {"hold, first query", SEK_NOD_HOLD, -1, true, true, HOLD_S},
        {"hold, held", SEK_NOD_HOLD, HOLD_S - 1, true, true, 1},
        {"hold, released", SEK_NOD_HOLD, HOLD_S, false, false, 0},
        {"block, first query", SEK_NOD_BLOCK, -1, true, true, 2 * HOLD_S},
        {"block, new", SEK_NOD_BLOCK, HOLD_S, true, true, HOLD_S},
        {"block, old", SEK_NOD_BLOCK, 2 * HOLD_S, false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_detect d = nod_of(cases[i].mode);
        struct sek_detect_why why;
        char domain[32], name[40];
        snprintf(domain, sizeof domain, "nod-modes-%zu.net", i);
        snprintf(name, sizeof name, "a.b.%s", domain);
        if (cases[i].age_s >= 0)
            note(domain, 1, NOW - cases[i].age_s);
        struct sek_verdict v = ask(&d, name, &why);
        bool hit = v.trigger == SEK_TRIGGER_NOD;
        bool holds = v.action == SEK_ACTION_SINKHOLE;
        if (hit != cases[i].hit || holds != cases[i].holds ||
            v.until_s != (hit ? NOW + cases[i].left_s : 0))
            fail_msg("%s: %s", cases[i].label, why.nod_because);
        if (!hit)
            continue;
        assert_int_equal(v.monitor, !holds);
        assert_int_equal(v.would, SEK_ACTION_SINKHOLE);
        assert_int_equal(v.depth, 2);
        assert_string_equal(v.list_name, "nod");
    }
}

/* Each alone keeps a new domain from being held, and from being recorded. */
static void test_nod_spared(void **state)
{
    static char *zones[] = {"nod-excluded.net", "=nod-host.net"};
    static const char *const names[] = {
        "nod.test",
        "nod",
        "com",
        ".",
        "5.2.0.192.in-addr.arpa",
        "a.qwxzkjvbpt.net",
        "pool.ntp.org",
        "nod-excluded.net",
        "a.nod-excluded.net",
        "nod-host.net",
    };
    struct sek_detect d = nod_of(SEK_NOD_HOLD);
    struct sek_detect_why why;
    struct sek_never *exclude;
    _Atomic int64_t full_s = NOW - 3599;

    (void)state;
    assert_int_equal(sek_never_new(zones, 2, suffix, &exclude, NULL), SEK_OK);
    d.nod_exclude = exclude;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (ask(&d, names[i], &why).trigger != SEK_TRIGGER_NONE)
            fail_msg("%s: %s", names[i], why.nod_because);
    assert_int_equal(ask(&d, "a.nod-host.net", &why).action, SEK_ACTION_SINKHOLE);
    sek_never_free(exclude);
    d.nod_exclude = NULL;

    d.warm_up_s = 31 * DAY_S;
    assert_int_equal(ask(&d, "nod-spared.net", &why).trigger, SEK_TRIGGER_NONE);
    assert_non_null(strstr(why.nod_because, "too young"));
    d = nod_of(SEK_NOD_HOLD);

    d.full_s = &full_s;
    assert_int_equal(ask(&d, "nod-spared.net", &why).trigger, SEK_TRIGGER_NONE);
    assert_non_null(strstr(why.nod_because, "no room"));
    full_s = NOW - 3600;
    assert_int_equal(ask(&d, "nod-spared.net", &why).trigger, SEK_TRIGGER_NOD);
    d = nod_of(SEK_NOD_HOLD);

    d.domains = NULL;
    assert_int_equal(ask(&d, "nod-spared.net", &why).trigger, SEK_TRIGGER_NONE);
    d = nod_of(SEK_NOD_HOLD);

    for (unsigned i = 1; i <= 20; i++)
        note("nod-popular.net", i, NOW - 60);
    d.popular = 10;
    assert_int_equal(ask(&d, "nod-popular.net", &why).trigger, SEK_TRIGGER_NONE);
    assert_non_null(strstr(why.nod_because, "many endpoints"));
    d.popular = 0;
    assert_int_equal(ask(&d, "nod-popular.net", &why).trigger, SEK_TRIGGER_NOD);
}

/* Rules come first, then the classifier; what they only record gives way to a hold. */
static void test_nod_last(void **state)
{
    struct sek_detect d = nod_of(SEK_NOD_HOLD);
    struct sek_name name = name_of("nod-last.net");
    struct sek_verdict v;

    (void)state;
    v = undecided;
    v.trigger = SEK_TRIGGER_QNAME; /* an exception */
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_QNAME);
    v = undecided;
    v.trigger = SEK_TRIGGER_QNAME;
    v.would = SEK_ACTION_NXDOMAIN;
    v.monitor = true;
    d.nod_mode = SEK_NOD_MONITOR;
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_QNAME);
    d.nod_mode = SEK_NOD_HOLD;
    sek_detect_question(&d, NULL, &name, NOW, &v, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NOD);
    assert_false(v.monitor);

    d.mode = SEK_MODE_MONITOR; /* the classifier records, NOD holds; its score stays */
    v = ask(&d, ODD, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NOD);
    assert_true(v.score > 0);
    d.nod_mode = SEK_NOD_MONITOR;
    assert_int_equal(ask(&d, ODD, NULL).trigger, SEK_TRIGGER_CLASSIFIER);
    d.mode = SEK_MODE_BLOCK;
    d.nod_mode = SEK_NOD_HOLD;
    assert_int_equal(ask(&d, ODD, NULL).trigger, SEK_TRIGGER_CLASSIFIER);
    d.classify = NULL; /* no model */
    assert_int_equal(ask(&d, ODD, NULL).trigger, SEK_TRIGGER_NOD);
}

/* The short way past the suffix list says the same. */
static void test_nod_short_way(void **state)
{
    static const struct {
        const char *name;
        bool hit;
    } cases[] = {
        {"www.short-old.net", false},
        {"short-old.net", false},
        {"a.b.c.d.short-old.net", false},
        {"www.short-old.co.uk", false},
        {"short-old.co.uk", false},
        {"www.short-new.net", true},
        {"short-new.co.uk", true},
        {"short-none.co.uk", true},
        {"a.b.short-none.org", true},
        {"co.uk", false},
        {"net", false},
        {".", false},
    };
    struct sek_detect d = nod_of(SEK_NOD_MONITOR);

    (void)state;
    note("short-old.net", 1, NOW - 2 * HOLD_S);
    note("short-old.co.uk", 1, NOW - 2 * HOLD_S);
    note("short-new.net", 1, NOW - 1);
    note("short-new.co.uk", 1, NOW - 1);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        d.same_list = i % 2;
        bool hit = ask(&d, cases[i / 2].name, NULL).trigger == SEK_TRIGGER_NOD;
        if (hit != cases[i / 2].hit)
            fail_msg("%s", cases[i / 2].name);
    }
    d.domains = NULL;
    d.same_list = true;
    assert_int_equal(ask(&d, "short-none.org", NULL).trigger, SEK_TRIGGER_NONE);
}

static void test_nod_text(void **state)
{
    struct sek_verdict v = {.trigger = SEK_TRIGGER_NOD, .until_s = 1795000000};
    char text[SEK_VERDICT_BY_MAX];

    (void)state;
    assert_string_equal(sek_verdict_by(&v, text, sizeof text),
                        "newly observed domain, until 2026-11-18T11:06:40Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict_new_and_rare_is_blocked),
        cmocka_unit_test(test_spared),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_after_rules),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_nod_modes),
        cmocka_unit_test(test_nod_spared),
        cmocka_unit_test(test_nod_last),
        cmocka_unit_test(test_nod_short_way),
        cmocka_unit_test(test_nod_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
