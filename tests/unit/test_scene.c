/* SPDX-License-Identifier: BSD-3-Clause */
/* Which counted queries are seen, and what comes of them. */
#include "event/tally.h"
#include "name/suffix.h"
#include "watch/scene.h"
#include "watch_samples.h"
#include <stdlib.h>

#define DAY_S 86400

static struct fixture {
    struct sek_conf conf;
    struct sek_suffix *suffix;
    struct sek_never *never;
    struct sek_domains *domains;
    struct sek_tally *tally;
    struct sek_scene *scene;
    _Atomic int64_t full_s;
    unsigned n_findings, n_firsts, n_lines;
    struct sek_finding finding;
    bool may_block;
    char line[600];
    struct sek_dynamic *blocked;
} f;

static void on_finding(void *arg, const struct sek_finding *finding, bool may_block)
{
    assert_ptr_equal(arg, &f);
    f.n_findings++;
    f.finding = *finding;
    f.may_block = may_block;
}

static void on_first(void *arg, const struct sek_event *e)
{
    assert_ptr_equal(arg, &f);
    assert_true(e->name_len > 0);
    f.n_firsts++;
}

static void on_blocked(void *arg, struct sek_dynamic *set)
{
    assert_ptr_equal(arg, &f);
    sek_dynamic_free(f.blocked);
    f.blocked = set;
}

static void on_line(void *arg, const char *line)
{
    assert_ptr_equal(arg, &f);
    f.n_lines++;
    snprintf(f.line, sizeof f.line, "%s", line);
}

/* since_s: begin of the history; 0: there is none. */
static void begin(const char *text, int64_t since_s)
{
    struct sek_diag diag = {0};
    char aside[SEK_DOMAINS_ASIDE_MAX];

    settings(&f.conf, text);
    assert_int_equal(sek_suffix_open(NULL, &f.suffix, &diag), SEK_OK);
    assert_int_equal(sek_never_new(NULL, 0, f.suffix, &f.never, &diag), SEK_OK);
    assert_int_equal(sek_tally_new(1 << 22, f.suffix, &f.tally), SEK_OK);
    const struct sek_scene_site site = {
        .conf = &f.conf, .never = f.never, .full_s = &f.full_s, .key = KEY};
    const struct sek_scene_hooks hooks = {&f, on_finding, on_first, on_blocked, on_line};
    assert_int_equal(sek_scene_new(&site, &hooks, &f.scene, &diag), SEK_OK);
    if (!since_s)
        return;
    const struct sek_domains_conf conf = {
        .max_octets = 1 << 20, .max_absent = 1000, .psl_version = "1"};
    assert_int_equal(sek_domains_open(&conf, since_s, &f.domains, aside, &diag), SEK_OK);
    sek_scene_history(f.scene, f.domains);
}

static int teardown(void **state)
{
    (void)state;
    sek_scene_free(f.scene);
    sek_tally_free(f.tally);
    sek_domains_close(f.domains);
    sek_never_free(f.never);
    sek_suffix_close(f.suffix);
    sek_dynamic_free(f.blocked);
    sek_conf_fini(&f.conf);
    memset(&f, 0, sizeof f);
    return 0;
}

static struct sek_event event(const char *text, int64_t time_ms, enum sek_outcome outcome)
{
    struct sek_name name;
    struct sek_event e = {.time_ms = time_ms, .outcome = (uint8_t)outcome, .qtype = 1};

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    e.endpoint = (struct sek_addr){.octets = {[10] = 0xff, 0xff, 10, 0, 0, 1}};
    e.existence = outcome == SEK_OUTCOME_NXDOMAIN ? SEK_EXISTENCE_ABSENT
                  : outcome == SEK_OUTCOME_PASSED || outcome == SEK_OUTCOME_CACHED
                      ? SEK_EXISTENCE_EXISTS
                      : SEK_EXISTENCE_UNKNOWN;
    e.name_len = name.len;
    memcpy(e.names, name.octets, name.len);
    e.size = sek_event_size(e.name_len, 0);
    return e;
}

static enum sek_scene_want show_event(struct sek_event *e)
{
    const struct sek_event *const events[] = {e};
    struct sek_tally_note note;

    sek_tally_add_all(f.tally, events, 1, &note);
    enum sek_scene_want want = sek_scene_wants(f.scene, e, &note);
    e->domain_labels = note.domain_labels;
    e->repeat = want == SEK_SCENE_REPEAT;
    if (want != SEK_SCENE_NO)
        sek_scene_see(f.scene, e, NULL, NULL);
    return want;
}

static enum sek_scene_want show(const char *text, int64_t time_ms, enum sek_outcome outcome)
{
    struct sek_event e = event(text, time_ms, outcome);

    return show_event(&e);
}

static void test_wanted(void **state)
{
    static const struct {
        const char *name;
        enum sek_outcome outcome;
        enum sek_scene_want want;
    } rows[] = {
        {"www.shop-one.com", SEK_OUTCOME_PASSED, SEK_SCENE_YES},
        {"www.shop-one.com", SEK_OUTCOME_CACHED, SEK_SCENE_NO}, /* in the same minute */
        {"gone.shop-one.com", SEK_OUTCOME_NXDOMAIN, SEK_SCENE_YES},
        {"gone.shop-one.com", SEK_OUTCOME_NXDOMAIN, SEK_SCENE_YES}, /* always */
        {"away.shop-two.net", SEK_OUTCOME_FAILED, SEK_SCENE_NO},
        {"com", SEK_OUTCOME_PASSED, SEK_SCENE_NO}, /* no registered domain */
        {"1.0.0.10.in-addr.arpa", SEK_OUTCOME_LOCAL, SEK_SCENE_NO},
        {"abcdefghijklmnopqrstuvwxyz.shop-three.org", SEK_OUTCOME_PASSED, SEK_SCENE_YES},
        {"abcdefghijklmnopqrstuvwxyz.shop-three.org", SEK_OUTCOME_PASSED, SEK_SCENE_REPEAT},
        {"zyxwvutsrqponmlkjihgfedcba.shop-three.org", SEK_OUTCOME_FAILED, SEK_SCENE_REPEAT},
        {"zyxwvutsrqponmlkjihgfedcba.shop-three.org", SEK_OUTCOME_LOCAL, SEK_SCENE_NO},
    };

    (void)state;
    begin("", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (show(rows[i].name, T0_MS, rows[i].outcome) != rows[i].want)
            fail_msg("row %zu", i);
    /* once the next minute begins a query counts again */
    assert_int_equal(show("www.shop-one.com", T0_MS + 60000, SEK_OUTCOME_CACHED), SEK_SCENE_YES);
    assert_int_equal(f.n_firsts, 0); /* without a history nothing is a first */
}

static void test_held_is_wanted(void **state)
{
    struct sek_event e = event("held.net", T0_MS, SEK_OUTCOME_HIT);

    (void)state;
    begin("", T0_MS / 1000);
    e.trigger = SEK_TRIGGER_QNAME;
    assert_int_equal(show_event(&e), SEK_SCENE_NO);
    e = event("other.net", T0_MS, SEK_OUTCOME_HIT);
    e.trigger = SEK_TRIGGER_NOD;
    assert_int_equal(show_event(&e), SEK_SCENE_YES);
    assert_int_equal(f.n_firsts, 1);
}

/* What is only recorded leaves the resolver, whether an answer comes or not; what is blocked stays.
 */
static void test_hits_are_asked(void **state)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz.shop-one.com";

    (void)state;
    begin("", 0);
    assert_int_equal(show(name, T0_MS, SEK_OUTCOME_PASSED), SEK_SCENE_YES);
    struct sek_event e = event(name, T0_MS, SEK_OUTCOME_HIT);
    e.trigger = SEK_TRIGGER_QNAME;
    e.action = SEK_ACTION_SINKHOLE;
    assert_int_equal(show_event(&e), SEK_SCENE_NO);
    e.action = SEK_ACTION_PASSTHRU;
    assert_int_equal(show_event(&e), SEK_SCENE_REPEAT);
}

/* Once the history can tell: each query for a domain that few ask for, so many of a row. */
static void test_rare_is_watched(void **state)
{
    unsigned n = 0;

    (void)state;
    begin("", T0_MS / 1000 - 30 * DAY_S);
    for (int i = 0; i < 1200; i++)
        n += show("shop-one.com", T0_MS + i, SEK_OUTCOME_CACHED) == SEK_SCENE_REPEAT;
    assert_int_equal(n, 999); /* and the first */
}

static void test_firsts(void **state)
{
    (void)state;
    begin("", T0_MS / 1000 - 30 * DAY_S);
    show("a.shop-one.com", T0_MS, SEK_OUTCOME_NXDOMAIN);
    assert_int_equal(f.n_firsts, 0);
    show("b.shop-one.com", T0_MS + 60000, SEK_OUTCOME_PASSED); /* never resolved before */
    assert_int_equal(f.n_firsts, 1);
    show("c.shop-one.com", T0_MS + 120000, SEK_OUTCOME_PASSED);
    assert_int_equal(f.n_firsts, 1);
    assert_int_equal(f.full_s, 0);
}

/* Who asked first for what a rule refuses is told once; the history and detectors do not learn of
 * it. */
static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int minute;
        enum sek_trigger trigger;
        enum sek_action action;
        enum sek_scene_want want;
        unsigned firsts; /* so far */
    } cases[] = {
        {"a.shop-one.com", 0, SEK_TRIGGER_QNAME, SEK_ACTION_SINKHOLE, SEK_SCENE_YES, 1},
        {"a.shop-one.com", 0, SEK_TRIGGER_QNAME, SEK_ACTION_SINKHOLE, SEK_SCENE_NO, 1},
        {"b.shop-one.com", 1, SEK_TRIGGER_QNAME, SEK_ACTION_REFUSED, SEK_SCENE_YES, 1},
        {"shop-two.net", 1, SEK_TRIGGER_STRICT, SEK_ACTION_REFUSED, SEK_SCENE_YES, 2},
        {"shop-three.org", 1, SEK_TRIGGER_QNAME, SEK_ACTION_PASSTHRU, SEK_SCENE_REPEAT, 2},
        {"10.in-addr.arpa", 1, SEK_TRIGGER_QNAME, SEK_ACTION_NXDOMAIN, SEK_SCENE_YES, 2},
    };
    struct sek_domains_stats stats;
    begin("", T0_MS / 1000 - 30 * DAY_S);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_event e = event(cases[i].name, T0_MS + cases[i].minute * 60000, SEK_OUTCOME_HIT);
        e.trigger = (uint8_t)cases[i].trigger;
        e.action = (uint8_t)cases[i].action;
        if (show_event(&e) != cases[i].want || f.n_firsts != cases[i].firsts)
            fail_msg("%zu: %s, %u firsts", i, cases[i].name, f.n_firsts);
    }
    sek_domains_stats(f.domains, &stats);
    assert_int_equal(stats.n_known + stats.n_absent, 0);
    show("shop-one.com", T0_MS + 180000, SEK_OUTCOME_PASSED); /* new on the day it resolves */
    assert_int_equal(f.n_firsts, 3);
    struct sek_event known = event("c.shop-one.com", T0_MS + 240000, SEK_OUTCOME_HIT);
    known.action = SEK_ACTION_SINKHOLE;
    show_event(&known);
    assert_int_equal(f.n_firsts, 3);
}

static void tunnel(const char *domain)
{
    uint64_t seed = 1;

    for (int i = 0; i < 60; i++) {
        char text[80] = "";
        for (int k = 0; k < 40; k++)
            text[k] = "abcdefghijklmnopqrstuvwxyz234567"[(unsigned)(fraction(&seed) * 32)];
        snprintf(text + 40, sizeof text - 40, ".%s", domain);
        show(text, T0_MS + i * 100, SEK_OUTCOME_PASSED);
    }
}

/* Blocked only where the detector may, the history can tell, few ask for it and nobody guards it.
 */
static void test_finding_blocks(void **state)
{
    static const struct {
        const char *settings;
        int64_t age_s; /* of the history */
        bool may, blocks;
    } rows[] = {
        {"tunnel: {mode: block}\n", 30 * DAY_S, true, true},
        {"tunnel: {mode: monitor}\n", 30 * DAY_S, true, false},
        {"tunnel: {mode: block}\n", DAY_S, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].settings, T0_MS / 1000 - rows[i].age_s);
        tunnel("files-backup.net");
        assert_true(f.n_findings > 0);
        assert_int_equal(f.finding.detector, SEK_DETECTOR_TUNNEL);
        assert_int_equal(f.may_block, rows[i].may);
        assert_int_equal(f.finding.blocked_until_s > 0, rows[i].blocks);
        assert_int_equal(f.blocked != NULL, rows[i].blocks);
        assert_int_equal(f.n_lines, 1);
        assert_non_null(strstr(f.line, "finding tunnel: endpoint 10.0.0.1"));
        assert_non_null(strstr(f.line, "suspected: files-backup.net"));
        assert_int_equal(strstr(f.line, ", blocked") != NULL, rows[i].blocks);
        teardown(state);
    }
}

/* A store without room says so, and when. */
static void test_full(void **state)
{
    (void)state;
    begin("", T0_MS / 1000 - 30 * DAY_S);
    for (int i = 0; i < 60000 && f.full_s == 0; i++) {
        char text[64];
        snprintf(text, sizeof text, "a-rather-long-domain-name-%d.net", i);
        show(text, T0_MS + 5000, SEK_OUTCOME_PASSED);
    }
    assert_int_equal(f.full_s, T0_MS / 1000 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_wanted, teardown),
        cmocka_unit_test_teardown(test_held_is_wanted, teardown),
        cmocka_unit_test_teardown(test_hits_are_asked, teardown),
        cmocka_unit_test_teardown(test_rare_is_watched, teardown),
        cmocka_unit_test_teardown(test_firsts, teardown),
        cmocka_unit_test_teardown(test_refused, teardown),
        cmocka_unit_test_teardown(test_finding_blocks, teardown),
        cmocka_unit_test_teardown(test_full, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
