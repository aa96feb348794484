/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for the resolver, played here by a thread that keeps a status page. */
#include "tools/change/confirm.h"
#include "event/status.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-confirm-XXXXXX";
static struct sek_conf conf;

static int64_t now_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(conf.status.path, sizeof conf.status.path, "%s/status", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

static struct sek_status_page *page_new(void)
{
    struct sek_status_page *page = NULL;
    struct sek_diag diag = {0};
    if (sek_status_create(conf.status.path, &page, &diag))
        fail_msg("%s", diag.text);
    page->n_threads = 4;
    page->in_force = 5;
    page->heartbeat_ms = now_ms(CLOCK_REALTIME);
    return page;
}

static void test_not_running(void **state)
{
    (void)state;
    assert_int_equal(sek_confirm_wait(&conf, 6, true, NULL), SEK_OK); /* no page */
    struct sek_status_page *page = page_new();
    page->heartbeat_ms = now_ms(CLOCK_REALTIME) - 10 * SEK_STATUS_DEAD_MS;
    assert_int_equal(sek_confirm_wait(&conf, 6, true, NULL), SEK_OK); /* a dead one */
    sek_status_destroy(conf.status.path, page);
}

static void test_in_force_already(void **state)
{
    (void)state;
    struct sek_status_page *page = page_new();
    assert_int_equal(sek_confirm_wait(&conf, 5, true, NULL), SEK_OK);
    assert_int_equal(sek_confirm_wait(&conf, 4, true, NULL), SEK_OK);
    sek_status_destroy(conf.status.path, page);
}

static void test_seen(void **state)
{
    (void)state;
    assert_int_equal(sek_confirm_seen(&conf), 0); /* no page */
    struct sek_status_page *page = page_new();
    assert_int_equal(sek_confirm_seen(&conf), 5);
    page->generation = 6; /* mapped, not yet in force everywhere */
    assert_int_equal(sek_confirm_seen(&conf), 6);
    page->heartbeat_ms = now_ms(CLOCK_REALTIME) - 10 * SEK_STATUS_DEAD_MS;
    assert_int_equal(sek_confirm_seen(&conf), 0); /* it reads anew at its start */
    sek_status_destroy(conf.status.path, page);
}

static void *take_over_later(void *arg)
{
    struct sek_status_page *page = arg;
    const struct timespec pause = {.tv_nsec = 60 * 1000000};
    nanosleep(&pause, NULL);
    page->in_force = 6;
    return NULL;
}

static void test_waits(void **state)
{
    (void)state;
    pthread_t thread;
    struct sek_status_page *page = page_new();
    int64_t begun = now_ms(CLOCK_MONOTONIC);
    assert_int_equal(pthread_create(&thread, NULL, take_over_later, page), 0);
    assert_int_equal(sek_confirm_wait(&conf, 6, true, NULL), SEK_OK);
    assert_true(now_ms(CLOCK_MONOTONIC) - begun >= 60);
    pthread_join(thread, NULL);
    sek_status_destroy(conf.status.path, page);
}

struct stuck {
    struct sek_status_page *page;
    _Atomic int end;
};

/* Alive, but without any effect. */
static void *stay_alive(void *arg)
{
    struct stuck *s = arg;
    const struct timespec pause = {.tv_nsec = 100 * 1000000};
    while (!s->end) {
        s->page->heartbeat_ms = now_ms(CLOCK_REALTIME);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void test_stuck(void **state)
{
    (void)state;
    pthread_t thread;
    struct sek_diag diag = {0};
    struct stuck s = {.page = page_new()};
    sek_status_set_text(s.page, s.page->policy_text, "policy.img: damaged");
    assert_int_equal(pthread_create(&thread, NULL, stay_alive, &s), 0);
    int64_t begun = now_ms(CLOCK_MONOTONIC);
    assert_int_equal(sek_confirm_wait(&conf, 6, true, &diag), SEK_E_BUSY);
    assert_in_range(now_ms(CLOCK_MONOTONIC) - begun, SEK_CONFIRM_MS, 4 * SEK_CONFIRM_MS);
    assert_non_null(strstr(diag.text, "policy.img: damaged"));
    assert_non_null(strstr(diag.text, "generation 5, not 6"));
    s.end = 1;
    pthread_join(thread, NULL);
    sek_status_destroy(conf.status.path, s.page);
}

static void test_no_page(void **state)
{
    (void)state;
    struct sek_diag diag = {0};
    int fd = open(conf.status.path, O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(fd, "not a page", 10), 10);
    close(fd);
    assert_int_equal(sek_confirm_wait(&conf, 6, true, &diag), SEK_E_CORRUPT);
    unlink(conf.status.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_running), cmocka_unit_test(test_in_force_already),
        cmocka_unit_test(test_waits),       cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_no_page),     cmocka_unit_test(test_seen),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
