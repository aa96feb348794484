/* SPDX-License-Identifier: BSD-3-Clause */
/* The detectors at work in the runtime: a model that is replaced, and a series of machine-made
 * names that ends in a block of the one that exists. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "runtime/runtime.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MODEL SEK_SOURCE_DIR "/policy/model/dga.model"
#define CANDIDATE "xqjzkvwpqhgtdbnfr.com"
#define DEADLINE_MS 10000

struct fixture {
    char dir[64], page_path[80], model_path[80];
    struct sek_runtime *rt;
    const struct sek_status_page *page;
    _Atomic uint64_t n_purges;
    int64_t opened_ms; /* the history was there then */
};

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t on_purge(void *arg, struct sek_runtime *rt)
{
    struct fixture *f = arg;

    (void)rt;
    f->n_purges++;
    return 0;
}

static void sh(const char *fmt, const char *a, const char *b)
{
    char command[400];

    snprintf(command, sizeof command, fmt, a, b);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/sek-detectors-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->page_path, sizeof f->page_path, "%s/status", f->dir);
    snprintf(f->model_path, sizeof f->model_path, "%s/model", f->dir);
    sh("cp %s %s", MODEL, f->model_path);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sek_runtime_stop(f->rt);
    if (f->page)
        sek_status_close(f->page);
    sh("rm -rf %s%s", f->dir, "");
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *modes)
{
    char text[900];
    struct sek_conf conf;
    struct sek_diag diag = {0};
    const struct sek_runtime_hooks hooks = {.arg = f, .purge = on_purge};

    snprintf(text, sizeof text,
             "policy: {dir: %s, db: %s/policy.db}\nevents: {db: %s/events.db, flush-ms: 20}\n"
             "status: {path: %s}\ndomains: {file: %s/domains, warm-up: 1s}\n%s%s",
             f->dir, f->dir, f->dir, f->page_path, f->dir, modes,
             strstr(modes, "nod:") ? "" : "nod: {mode: off}\n");
    if (sek_conf_parse(text, strlen(text), "test", &conf, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    if (sek_runtime_start(&conf, 1, "test", &hooks, &f->rt, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(sek_status_open(f->page_path, &f->page, NULL), SEK_OK);
    /* the history is opened meanwhile, where one is wanted */
    for (int64_t end = now_ms() + DEADLINE_MS;
         !f->page->domains_state && !strstr(modes, "nxburst: {mode: off}"); nap())
        if (now_ms() > end)
            fail_msg("no history");
    f->opened_ms = now_ms();
}

static void again(struct fixture *f, const char *modes)
{
    sek_runtime_stop(f->rt);
    sek_status_close(f->page);
    start(f, modes);
}

static struct sek_verdict question(struct fixture *f, const char *text)
{
    struct sek_name name;
    struct sek_judged judged = {0};
    struct sek_verdict v;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    sek_worker_question(f->rt, 0, &(struct sek_asking){.qtype = 1}, &name, now_ms() / 1000, &judged,
                        &v);
    return v;
}

static void wait_for_action(struct fixture *f, const char *name, enum sek_action action)
{
    for (int64_t end = now_ms() + DEADLINE_MS; question(f, name).action != action; nap())
        if (now_ms() > end)
            fail_msg("%s is not %s", name, sek_lookup_name(sek_action_names, (int)action));
}

static void wait_for_state(struct fixture *f, enum sek_part_state state)
{
    for (int64_t end = now_ms() + DEADLINE_MS; f->page->classifier_state != state; nap())
        if (now_ms() > end)
            fail_msg("classifier state %u", f->page->classifier_state);
}

/* An endpoint's query, as the module records it. */
static void record_at(struct fixture *f, const char *text, unsigned endpoint, bool exists,
                      int64_t time_ms)
{
    struct sek_name name;
    struct sek_event e = {.score = SEK_SCORE_UNKNOWN, .time_ms = time_ms, .qtype = 1};

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    e.outcome = exists ? SEK_OUTCOME_PASSED : SEK_OUTCOME_NXDOMAIN;
    e.existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT;
    e.endpoint = (struct sek_addr){.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)endpoint}};
    e.name_len = name.len;
    memcpy(e.names, name.octets, name.len);
    e.size = sek_event_size(e.name_len, 0);
    sek_worker_record(f->rt, 0, &e);
}

static void record(struct fixture *f, const char *text, unsigned endpoint, bool exists)
{
    record_at(f, text, endpoint, exists, now_ms());
}

/* The same, blocked by one of ours. */
static void record_hit(struct fixture *f, const char *text, unsigned endpoint,
                       enum sek_trigger trigger, enum sek_action action)
{
    struct sek_name name;
    struct sek_event e = {.score = SEK_SCORE_UNKNOWN,
                          .time_ms = now_ms(),
                          .qtype = 1,
                          .outcome = SEK_OUTCOME_HIT,
                          .action = (uint8_t)action,
                          .would = (uint8_t)action,
                          .trigger = (uint8_t)trigger};

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    e.endpoint = (struct sek_addr){.octets = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)endpoint}};
    e.name_len = name.len;
    memcpy(e.names, name.octets, name.len);
    e.size = sek_event_size(e.name_len, 0);
    sek_worker_record(f->rt, 0, &e);
}

static void record_series(struct fixture *f, unsigned endpoint)
{
    uint32_t seed = 77;

    for (int i = 0; i < 40; i++) {
        char text[32] = "";
        for (int k = 0; k < 15; k++) {
            seed = seed * 1664525 + 1013904223;
            text[k] = (char)('a' + (seed >> 16) % 26);
        }
        strcat(text, ".com");
        record(f, text, endpoint, false);
    }
    record(f, CANDIDATE, endpoint, true);
}

static void test_model_is_swapped(void **state)
{
    struct fixture *f = *state;
    char modes[200];

    snprintf(modes, sizeof modes, "classify: {model: %s}\n", f->model_path);
    start(f, modes);
    assert_int_equal(f->page->classifier_state, SEK_PART_OK);
    assert_true(question(f, CANDIDATE).monitor);
    /* overwritten in place, then cut off: what is in memory goes on */
    sh("dd if=/dev/zero of=%s bs=4096 count=100 conv=notrunc status=none%s", f->model_path, "");
    wait_for_state(f, SEK_PART_FAILED);
    sh(": > %s%s", f->model_path, "");
    assert_true(question(f, CANDIDATE).monitor);
    assert_non_null(strstr(f->page->classifier_text, f->model_path));
    sh("cp %s %s.new", MODEL, f->model_path);
    sh("mv %s.new %s", f->model_path, f->model_path);
    wait_for_state(f, SEK_PART_OK);
    assert_true(question(f, CANDIDATE).monitor);
    assert_int_equal(question(f, "wikipedia.org").trigger, SEK_TRIGGER_NONE);
}

static void test_without_model(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {model: /nonexistent/m}\n");
    assert_int_equal(f->page->classifier_state, SEK_PART_ABSENT);
    assert_int_equal(question(f, CANDIDATE).trigger, SEK_TRIGGER_NONE);
    record_series(f, 1);
}

static void test_off(void **state)
{
    struct fixture *f = *state;

    start(f,
          "classify: {mode: off}\ndga: {mode: off}\nbeacon: {mode: off}\ntunnel: {mode: off}\n"
          "nxburst: {mode: off}\nsurge: {mode: off}\nnewrate: {mode: off}\nbypass: {mode: off}\n");
    assert_int_equal(question(f, CANDIDATE).trigger, SEK_TRIGGER_NONE);
    record_series(f, 1);
}

/* The candidate is blocked, for everybody, and again after a restart; not in monitor mode. */
static void test_candidate_is_blocked(void **state)
{
    static const char block[] = "classify: {mode: off}\ndga: {mode: block}\n";
    static const char monitor[] = "classify: {mode: off}\ndga: {mode: monitor}\n";
    struct fixture *f = *state;

    start(f, block);
    while (now_ms() / 1000 < f->opened_ms / 1000 + 2) /* the warm-up */
        nap();
    record_series(f, 1);
    wait_for_action(f, "www." CANDIDATE, SEK_ACTION_SINKHOLE);
    assert_true(f->n_purges > 0);
    struct sek_verdict v = question(f, CANDIDATE);
    assert_int_equal(v.trigger, SEK_TRIGGER_FINDING);
    assert_int_equal(question(f, "wikipedia.org").action, SEK_ACTION_PASSTHRU);
    again(f, block);
    assert_int_equal(question(f, CANDIDATE).action, SEK_ACTION_SINKHOLE);
    again(f, monitor);
    assert_int_equal(question(f, CANDIDATE).action, SEK_ACTION_PASSTHRU);
}

/* What one detector found is blocked no longer when it may not block, though another may. */
static void test_block_by_detector(void **state)
{
    static const char block[] = "classify: {mode: off}\ntunnel: {mode: block}\n";
    static const char monitor[] = "classify: {mode: off}\ntunnel: {mode: monitor}\n"
                                  "dga: {mode: block}\n";
    struct fixture *f = *state;
    uint32_t seed = 5;

    start(f, block);
    while (now_ms() / 1000 < f->opened_ms / 1000 + 2) /* the warm-up */
        nap();
    for (int i = 0; i < 60; i++) {
        char text[64] = "";
        for (int k = 0; k < 40; k++) {
            seed = seed * 1664525 + 1013904223;
            text[k] = (char)('a' + (seed >> 16) % 26);
        }
        strcat(text, ".files-backup.net");
        record(f, text, 1, true);
    }
    wait_for_action(f, "www.files-backup.net", SEK_ACTION_SINKHOLE);
    again(f, block);
    assert_int_equal(question(f, "files-backup.net").action, SEK_ACTION_SINKHOLE);
    again(f, monitor);
    assert_int_equal(question(f, "files-backup.net").action, SEK_ACTION_PASSTHRU);
}

static void wait_for_findings(struct fixture *f, uint64_t n)
{
    for (int64_t end = now_ms() + DEADLINE_MS;
         f->page->counter[SEK_COUNTER_FINDINGS] < n && now_ms() < end;)
        nap();
    assert_int_equal(f->page->counter[SEK_COUNTER_FINDINGS], n);
}

/* What the tally counts reaches the detectors: three hours of an endpoint, then a surge, as if they
 * were of the last days. */
static void test_surge_is_counted(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {mode: off}\ndga: {mode: off}\nbeacon: {mode: off}\ntunnel: {mode: off}\n"
             "nxburst: {mode: off}\nsurge: {learn: 2h}\n");
    int64_t begin_ms = (now_ms() / 3600000 - 48) * 3600000;
    for (int64_t m = 0; m < 181; m++)
        record_at(f, "usual.com", 1, true, begin_ms + m * 60000);
    for (int i = 0; i < 1000; i++)
        record_at(f, "www.usual.com", 1, true, begin_ms + 181 * 60000 + i);
    for (int i = 0; i < 1000; i++) /* of one that nobody knows */
        record_at(f, "www.usual.com", 2, true, begin_ms + 181 * 60000 + i);
    wait_for_findings(f, 1);
    assert_int_equal(f->page->counter[SEK_COUNTER_UNOBSERVED], 0);
}

/* A table that cannot be read stops no detector: the built-in one counts. */
static void test_bypass_by_built_in_table(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {mode: off}\ndga: {mode: off}\nbypass: {list: /nonexistent/table}\n");
    record(f, "dns.google", 1, true);
    record(f, "www.example.com", 1, true);
    wait_for_findings(f, 1);
}

/* The first of a minute is another name of the domain; and a canary name is blocked, yet told. */
static void test_bypass_sees_each_name(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {mode: off}\ndga: {mode: off}\nbypass: {canary: nodata}\n");
    struct sek_verdict v = question(f, "mask.icloud.com");
    assert_int_equal(v.trigger, SEK_TRIGGER_CANARY);
    assert_int_equal(v.action, SEK_ACTION_NODATA);
    assert_int_equal(question(f, "www.icloud.com").action, SEK_ACTION_PASSTHRU);
    record(f, "www.quad9.net", 1, true);
    record(f, "dns.quad9.net", 1, true);
    record(f, "www.icloud.com", 2, true);
    record_hit(f, "mask.icloud.com", 2, SEK_TRIGGER_CANARY, SEK_ACTION_NODATA);
    wait_for_findings(f, 2);
}

/* A candidate that many endpoints ask for is nobody's command and control. */
static void test_popular_is_not_blocked(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {mode: off}\ndga: {mode: block}\n");
    for (unsigned i = 10; i < 30; i++)
        record(f, CANDIDATE, i, true);
    while (now_ms() / 1000 < f->opened_ms / 1000 + 2)
        nap();
    record_series(f, 1);
    for (int64_t end = now_ms() + DEADLINE_MS;
         f->page->counter[SEK_COUNTER_FINDINGS] == 0 && now_ms() < end;)
        nap();
    assert_int_equal(f->page->counter[SEK_COUNTER_FINDINGS], 1);
    assert_int_equal(question(f, CANDIDATE).action, SEK_ACTION_PASSTHRU);
}

static void wait_warm(struct fixture *f)
{
    while (now_ms() / 1000 < f->opened_ms / 1000 + 2)
        nap();
}

/* A new domain is held, needs no model for it, and resolves by itself; the hold is noted. */
static void test_new_is_held_for_a_while(void **state)
{
    static const char hold[] = "classify: {mode: off}\ndga: {mode: off}\n"
                               "nod: {mode: hold, hold: 2s, exclude: [spared.net]}\n";
    struct fixture *f = *state;

    start(f, hold);
    assert_int_equal(question(f, "held.net").action, SEK_ACTION_PASSTHRU); /* warm-up */
    record(f, "old.net", 1, true);
    wait_warm(f);
    struct sek_verdict v = question(f, "www.held.net");
    assert_int_equal(v.trigger, SEK_TRIGGER_NOD);
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    assert_in_range(v.until_s, now_ms() / 1000 + 1, now_ms() / 1000 + 2);
    assert_int_equal(question(f, "spared.net").action, SEK_ACTION_PASSTHRU);
    record_hit(f, "www.held.net", 1, SEK_TRIGGER_NOD, SEK_ACTION_SINKHOLE);
    wait_for_action(f, "held.net", SEK_ACTION_PASSTHRU);
    assert_true(now_ms() / 1000 >= v.until_s);
    assert_int_equal(question(f, "other.net").action, SEK_ACTION_SINKHOLE);
}

/* What `nod import` puts there is known from then on. */
static void test_import_is_taken(void **state)
{
    struct fixture *f = *state;

    start(f, "classify: {mode: off}\ndga: {mode: off}\nnod: {mode: block}\n");
    wait_warm(f);
    assert_int_equal(question(f, "imported.net").action, SEK_ACTION_SINKHOLE);
    sh("printf 'imported.net 2026-01-01 2026-11-01 1 yes\\n' | tr ' ' '\\t' > %s/new%s", f->dir,
       "");
    sh("mv %s/new %s/domains.import", f->dir, f->dir);
    wait_for_action(f, "imported.net", SEK_ACTION_PASSTHRU);
    assert_int_equal(question(f, "other.net").action, SEK_ACTION_SINKHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model_is_swapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_candidate_is_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_block_by_detector, setup, teardown),
        cmocka_unit_test_setup_teardown(test_popular_is_not_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bypass_sees_each_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bypass_by_built_in_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_surge_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_is_held_for_a_while, setup, teardown),
        cmocka_unit_test_setup_teardown(test_import_is_taken, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
