/* SPDX-License-Identifier: BSD-3-Clause */
/* All parts in one process: workers decide and record while policies are swapped, broken and
 * mended. Built with -DSANITIZER=thread this is the race test of the answer path. */
#include "name/text.h"
#include "observe/domains.h"
#include "policy/compile.h"
#include "policy/policy.h"
#include "runtime/runtime.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define N_WORKERS 3
#define MAIN N_WORKERS /* the slot that the test itself decides in */
#define N_SWAPS 12
#define DEADLINE_MS 10000

struct fixture {
    char dir[40];
    char page_path[80], store[80];
    struct sek_runtime *rt;
    const struct sek_status_page *page;
    _Atomic unsigned purges, troubles;
};

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t on_purge(void *arg, struct sek_runtime *rt)
{
    struct fixture *f = arg;
    struct sek_name name;
    assert_int_equal(sek_name_from_text("www.bad.example", 15, &name, NULL), SEK_OK);
    sek_runtime_judge(rt, &name, 1, SEK_TRIGGER_QNAME);
    atomic_fetch_add(&f->purges, 1);
    return 0;
}

static void on_say(void *arg, bool trouble, const char *text)
{
    struct fixture *f = arg;
    (void)text;
    if (trouble)
        atomic_fetch_add(&f->troubles, 1);
}

/* A policy of one list with one subtree rule on `name`. */
static void publish_mode(struct fixture *f, const char *name, uint64_t generation,
                         enum sek_mode mode)
{
    struct sek_compile *c;
    struct sek_name wire;
    struct sek_image_info info = {.generation = generation, .made_s = now_ms() / 1000};
    const struct sek_list list = {
        .id = 1, .mode = (uint8_t)mode, .action = SEK_ACTION_NXDOMAIN, .name = "one"};
    const struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};
    char path[80];
    snprintf(path, sizeof path, "%s/%s", f->dir, SEK_POLICY_IMAGE);
    assert_int_equal(sek_compile_new(0, &c, NULL), SEK_OK);
    assert_int_equal(sek_compile_list(c, &list, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text(name, strlen(name), &wire, NULL), SEK_OK);
    assert_int_equal(sek_compile_rule(c, wire.octets, wire.len, &rule, NULL), SEK_OK);
    assert_int_equal(sek_compile_write(c, path, &info, NULL, NULL, NULL), SEK_OK);
    sek_compile_free(c);
}

static void publish(struct fixture *f, const char *name, uint64_t generation)
{
    publish_mode(f, name, generation, SEK_MODE_BLOCK);
}

static void start(struct fixture *f, bool strict)
{
    char text[600];
    struct sek_conf conf;
    struct sek_diag diag = {0};
    snprintf(text, sizeof text,
             "policy:\n  dir: %s\n  db: %s/policy.db\n  strict: %s\nevents:\n  db: %s/events.db\n"
             "status:\n  path: %s\n",
             f->dir, f->dir, strict ? "yes" : "no", f->dir, f->page_path);
    if (sek_conf_parse(text, strlen(text), "test", &conf, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    const struct sek_runtime_hooks hooks = {.arg = f, .purge = on_purge, .say = on_say};
    if (sek_runtime_start(&conf, N_WORKERS + 1, "test", &hooks, &f->rt, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(sek_status_open(f->page_path, &f->page, NULL), SEK_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/sek-runtime-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->page_path, sizeof f->page_path, "%s/status", f->dir);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[80];
    sek_runtime_stop(f->rt);
    if (f->page)
        sek_status_close(f->page);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    int rc = system(command);
    free(f);
    return rc;
}

static void wait_for(struct fixture *f, _Atomic uint64_t *value, uint64_t want)
{
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (atomic_load(value) < want && now_ms() < deadline)
        usleep(2000);
    if (atomic_load(value) < want)
        fail_msg("waited for %lu, have %lu", (unsigned long)want,
                 (unsigned long)atomic_load(value));
    (void)f;
}

static enum sek_action decide(struct fixture *f, unsigned worker, const char *text)
{
    struct sek_name name;
    struct sek_verdict v;
    sek_name_from_text(text, strlen(text), &name, NULL);
    sek_worker_decide(f->rt, worker, &(struct sek_asking){.qtype = 1}, &name, SEK_TRIGGER_QNAME,
                      now_ms() / 1000, &v);
    return v.action;
}

/* True if the remembered verdict was made again. */
static bool decide_once(struct fixture *f, int64_t now_s, struct sek_judged *judged)
{
    struct sek_name name;
    sek_name_from_text("bad.example", strlen("bad.example"), &name, NULL);
    judged->verdict.list = UINT16_MAX; /* no list has it */
    sek_worker_decide_once(f->rt, MAIN, &(struct sek_asking){.qtype = 1}, &name, now_s, judged);
    return judged->verdict.list != UINT16_MAX;
}

/* A policy that comes into force between a question and its answer is seen, within the same second
 * too, and even if it bears the same generation (a copy brought back). */
static void test_remembered_verdict(void **state)
{
    struct fixture *f = *state;
    struct sek_judged judged = {0};
    publish(f, "bad.example", 1);
    start(f, false);
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    assert_true(decide_once(f, 1000, &judged));
    assert_int_equal(judged.verdict.action, SEK_ACTION_NXDOMAIN);
    assert_false(decide_once(f, 1000, &judged));
    assert_true(decide_once(f, 1001, &judged));
    assert_true(decide_once(f, 1000, &judged)); /* the clock was set back */
    publish(f, "good.example", 2);
    wait_for(f, &page->in_force, 2);
    assert_true(decide_once(f, 1000, &judged));
    assert_int_equal(judged.verdict.action, SEK_ACTION_PASSTHRU);
    assert_false(decide_once(f, 1000, &judged));
    publish(f, "bad.example", 2);
    wait_for(f, &page->counter[SEK_COUNTER_RELOADS], 3);
    assert_true(decide_once(f, 1000, &judged));
    assert_int_equal(judged.verdict.action, SEK_ACTION_NXDOMAIN);
}

static enum sek_trigger asked(struct fixture *f, const char *text)
{
    struct sek_name name;
    struct sek_judged judged = {0};
    struct sek_verdict v;
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    sek_worker_question(f->rt, 0, &(struct sek_asking){.qtype = 1}, &name, now_ms() / 1000, &judged,
                        &v);
    return v.trigger;
}

/* The very first question behind a start knows the history: what is new is new at once, unless the
 * machine is so busy that the start does not wait for it. */
static void test_first_question(void **state)
{
    struct fixture *f = *state;
    const struct sek_domains_conf conf = {.path = f->store, .max_octets = 1 << 20};
    const int64_t begin_s = now_ms() / 1000 - 90 * 86400;
    struct sek_domains *domains;
    char aside[SEK_DOMAINS_ASIDE_MAX];
    snprintf(f->store, sizeof f->store, "%s/domains.seen", f->dir);
    assert_int_equal(sek_domains_open(&conf, begin_s, &domains, aside, NULL), SEK_OK);
    sek_domains_note(domains, (const uint8_t *)"\5known\3net", 11, NULL, begin_s, true, NULL);
    sek_domains_close(domains);
    for (int tries = 0; tries < 10; tries++) {
        start(f, false);
        if (asked(f, "www.fresh.net") == SEK_TRIGGER_NOD)
            break;
        sek_status_close(f->page);
        sek_runtime_stop(f->rt);
        f->rt = NULL;
        f->page = NULL;
    }
    assert_non_null(f->rt);
    assert_int_equal(asked(f, "www.known.net"), SEK_TRIGGER_NONE);
}

struct worker {
    struct fixture *f;
    unsigned index;
    _Atomic bool *stop;
    uint64_t recorded, wrong;
};

/* Decides without pause: "other.example" is in no policy, so any verdict on it is a torn one. */
static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct sek_event event;
    memset(&event, 0, sizeof event);
    event.outcome = SEK_OUTCOME_CACHED;
    event.name_len = 9;
    memcpy(event.names, "\7example", 9);
    event.size = sek_event_size(event.name_len, 0);
    event.qtype = 1;
    while (!atomic_load(w->stop)) {
        w->wrong += decide(w->f, w->index, "other.example") != SEK_ACTION_PASSTHRU;
        enum sek_action a = decide(w->f, w->index, "www.bad.example");
        w->wrong += a != SEK_ACTION_PASSTHRU && a != SEK_ACTION_NXDOMAIN;
        event.time_ms = now_ms();
        if (w->recorded < 20000) {
            sek_worker_record(w->f->rt, w->index, &event);
            w->recorded++;
        }
    }
    return NULL;
}

static void test_swaps_under_load(void **state)
{
    struct fixture *f = *state;
    publish(f, "bad.example", 1);
    start(f, false);
    assert_int_equal(atomic_load(&((struct sek_status_page *)f->page)->in_force), 1);
    pthread_t threads[N_WORKERS];
    struct worker workers[N_WORKERS];
    _Atomic bool stop = false;
    for (unsigned i = 0; i < N_WORKERS; i++) {
        workers[i] = (struct worker){.f = f, .index = i, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, worker_main, &workers[i]), 0);
    }
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    for (uint64_t g = 2; g < 2 + N_SWAPS; g++) {
        publish(f, g % 2 ? "bad.example" : "good.example", g);
        wait_for(f, &page->in_force, g);
        enum sek_action want = g % 2 ? SEK_ACTION_NXDOMAIN : SEK_ACTION_PASSTHRU;
        assert_int_equal(decide(f, MAIN, "a.bad.example"), want);
    }
    atomic_store(&stop, true);
    uint64_t recorded = 0;
    for (unsigned i = 0; i < N_WORKERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
        recorded += workers[i].recorded;
    }
    wait_for(f, &page->counter[SEK_COUNTER_QUERIES], recorded);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_QUERIES]), recorded);
    assert_true(atomic_load(&f->purges) >= N_SWAPS);
}

/* A cache hit of now, left to the collector to judge. */
static void served(struct fixture *f, const char *text, int64_t time_ms)
{
    struct sek_event event = {.outcome = SEK_OUTCOME_CACHED,
                              .existence = SEK_EXISTENCE_EXISTS,
                              .unjudged = true,
                              .time_ms = time_ms,
                              .qtype = 1};
    struct sek_name name;
    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    event.name_len = name.len;
    memcpy(event.names, name.octets, name.len);
    event.size = sek_event_size(name.len, 0);
    sek_worker_record(f->rt, MAIN, &event);
}

static void expect_counters(struct fixture *f, uint64_t queries, uint64_t cached,
                            uint64_t monitored, uint64_t leaked)
{
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    wait_for(f, &page->counter[SEK_COUNTER_QUERIES], queries);
    wait_for(f, &page->counter[SEK_COUNTER_CACHED], cached);
    wait_for(f, &page->counter[SEK_COUNTER_MONITORED], monitored);
    wait_for(f, &page->counter[SEK_COUNTER_LEAKED], leaked);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_QUERIES]), queries);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_CACHED]), cached);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_HITS]), monitored);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_MONITORED]), monitored);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_BLOCKED]), 0);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_LEAKED]), leaked);
}

/* What a list only watches is a hit also when the cache answers, and other names are none. */
static void test_served_from_the_cache(void **state)
{
    struct fixture *f = *state;
    publish_mode(f, "bad.example", 1, SEK_MODE_MONITOR);
    start(f, false);
    for (unsigned i = 0; i < 40; i++) /* more than are judged at once */
        served(f, i % 2 ? "www.bad.example" : "www.good.example", now_ms());
    expect_counters(f, 40, 20, 20, 0);
}

/* An answer that a block rule should have kept out of the cache is told, but not one that left
 * before the rule came into force, though it is judged after that. */
static void test_served_though_blocked(void **state)
{
    struct fixture *f = *state;
    start(f, false);
    int64_t before_ms = now_ms();
    publish(f, "bad.example", 1);
    wait_for(f, &((struct sek_status_page *)f->page)->in_force, 1);
    served(f, "www.bad.example", before_ms);
    expect_counters(f, 1, 0, 1, 0);
    /* not yet while the cache is still being walked after the change */
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    int64_t deadline = now_ms() + DEADLINE_MS;
    uint64_t n = 1;
    while (!atomic_load(&page->counter[SEK_COUNTER_LEAKED]) && now_ms() < deadline) {
        served(f, "www.bad.example", now_ms());
        n++;
        usleep(20000);
    }
    assert_true(atomic_load(&page->counter[SEK_COUNTER_LEAKED]) > 0);
    wait_for(f, &page->counter[SEK_COUNTER_MONITORED], n);
    unsigned walks = atomic_load(&f->purges);
    deadline = now_ms() + DEADLINE_MS;
    while (atomic_load(&f->purges) == walks && now_ms() < deadline) {
        served(f, "www.bad.example", now_ms()); /* counts between two looks at the clock only */
        usleep(20000);
    }
    assert_true(atomic_load(&f->purges) > walks); /* what leaked is removed */
}

/* That policy had nothing to say of a name is no longer true once it has. */
static void test_served_again_when_listed(void **state)
{
    struct fixture *f = *state;
    publish_mode(f, "other.example", 1, SEK_MODE_MONITOR);
    start(f, false);
    for (unsigned i = 0; i < 40; i++)
        served(f, "www.bad.example", now_ms());
    expect_counters(f, 40, 40, 0, 0);
    publish_mode(f, "bad.example", 2, SEK_MODE_MONITOR);
    wait_for(f, &((struct sek_status_page *)f->page)->in_force, 2);
    for (unsigned i = 0; i < 40; i++)
        served(f, "www.bad.example", now_ms());
    expect_counters(f, 80, 40, 40, 0);
}

static void put_garbage(struct fixture *f)
{
    char path[80], tmp[96];
    snprintf(path, sizeof path, "%s/%s", f->dir, SEK_POLICY_IMAGE);
    snprintf(tmp, sizeof tmp, "%s.new", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_int_equal(write(fd, "not an image", 12), 12);
    close(fd);
    assert_int_equal(rename(tmp, path), 0);
}

static void test_damaged_policy_keeps_the_last(void **state)
{
    struct fixture *f = *state;
    publish(f, "bad.example", 1);
    start(f, false);
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    put_garbage(f);
    wait_for(f, &page->counter[SEK_COUNTER_POLICY_ERRORS], 1);
    assert_int_equal(atomic_load(&page->policy_state), SEK_PART_FAILED);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_NXDOMAIN);
    assert_int_equal(atomic_load(&f->troubles), 1);
    publish(f, "good.example", 2);
    wait_for(f, &page->in_force, 2);
    assert_int_equal(atomic_load(&page->policy_state), SEK_PART_OK);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_PASSTHRU);
}

/* At the start there is no last one in memory: the one kept beside the files takes its place. */
static void test_damaged_at_the_start(void **state)
{
    struct fixture *f = *state;
    char image[80], prev[80];
    snprintf(image, sizeof image, "%s/%s", f->dir, SEK_POLICY_IMAGE);
    snprintf(prev, sizeof prev, "%s/%s", f->dir, SEK_POLICY_IMAGE_PREV);
    publish(f, "bad.example", 1);
    assert_int_equal(rename(image, prev), 0);
    put_garbage(f);
    start(f, false);
    struct sek_status_page *page = (struct sek_status_page *)f->page;
    assert_int_equal(atomic_load(&page->policy_state), SEK_PART_FAILED);
    assert_non_null(strstr(page->policy_text, SEK_POLICY_IMAGE ": "));
    assert_int_equal(atomic_load(&page->in_force), 1);
    assert_int_equal(atomic_load(&page->counter[SEK_COUNTER_POLICY_ERRORS]), 1);
    assert_int_equal(atomic_load(&f->troubles), 1);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_NXDOMAIN);
    publish(f, "good.example", 2);
    wait_for(f, &page->in_force, 2);
    assert_int_equal(atomic_load(&page->policy_state), SEK_PART_OK);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_PASSTHRU);
}

/* Removed on purpose: nothing of before comes back. */
static void test_removed_at_the_start(void **state)
{
    struct fixture *f = *state;
    char image[80], prev[80];
    snprintf(image, sizeof image, "%s/%s", f->dir, SEK_POLICY_IMAGE);
    snprintf(prev, sizeof prev, "%s/%s", f->dir, SEK_POLICY_IMAGE_PREV);
    publish(f, "bad.example", 1);
    assert_int_equal(rename(image, prev), 0);
    start(f, false);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_PASSTHRU);
}

static void test_no_policy_passes(void **state)
{
    struct fixture *f = *state;
    start(f, false);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_PASSTHRU);
    assert_int_equal(atomic_load(&((struct sek_status_page *)f->page)->policy_state),
                     SEK_PART_ABSENT);
}

static void test_no_policy_strict(void **state)
{
    struct fixture *f = *state;
    start(f, true);
    assert_int_equal(decide(f, MAIN, "bad.example"), SEK_ACTION_REFUSED);
    publish(f, "bad.example", 1);
    wait_for(f, &((struct sek_status_page *)f->page)->in_force, 1);
    assert_int_equal(decide(f, MAIN, "other.example"), SEK_ACTION_PASSTHRU);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_swaps_under_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_policy_keeps_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remembered_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_question, setup, teardown),
        cmocka_unit_test_setup_teardown(test_served_from_the_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(test_served_again_when_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_served_though_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_at_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_policy_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_policy_strict, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
