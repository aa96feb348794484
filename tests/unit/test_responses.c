/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of tracked names: from the queue into events.db, kept over its end, and out again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "event_samples.h"
#include "store/report_responses.h"
#include "store/responses.h"

#define DAY (SAMPLE_MS / 86400000)
#define READ_MAX 64

static char dir[64], path[96];
static struct sek_eventsdb *db;
static struct sek_responses *queue;

static void open_db(void)
{
    char aside[SEK_ASIDE_MAX];

    sek_eventsdb_close(db);
    db = NULL;
    assert_int_equal(sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL), SEK_OK);
    assert_string_equal(aside, "");
}

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sek-responses.XXXXXX");
    if (!mkdtemp(dir) || sek_responses_new(&queue))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    open_db();
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    sek_responses_free(queue);
    sek_eventsdb_close(db);
    db = NULL;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static struct sek_response response(const char *name, const char *address, int64_t first_ms,
                                    int64_t last_day, enum sek_news news)
{
    struct sek_response r = {.first_ms = first_ms, .last_day = last_day, .news = news};
    struct sek_name wire;

    assert_int_equal(sek_name_from_text(name, strlen(name), &wire, NULL), SEK_OK);
    assert_int_equal(sek_addr_from_text(address, &r.address, NULL), SEK_OK);
    assert_int_equal(sek_addr_from_text("192.0.2.7", &r.endpoint, NULL), SEK_OK);
    r.name_len = wire.len;
    memcpy(r.name, wire.octets, wire.len);
    return r;
}

static void put(struct sek_response r)
{
    assert_true(sek_responses_push(queue, &r));
}

static struct sek_response got[READ_MAX];
static unsigned n_got;

static bool take(void *arg, const struct sek_response *one)
{
    (void)arg;
    assert_true(n_got < READ_MAX);
    got[n_got++] = *one;
    return true;
}

static unsigned read_below(const char *text, int64_t since_ms, enum sek_news least)
{
    struct sek_report *report;
    struct sek_name name;

    n_got = 0;
    if (text)
        assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(
        sek_report_responses(report, text ? &name : NULL, since_ms, least, take, NULL, NULL),
        SEK_OK);
    sek_report_close(report);
    return n_got;
}

static unsigned read_latest(uint64_t most)
{
    struct sek_report *report;

    n_got = 0;
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_report_responses_latest(report, most, take, NULL, NULL), SEK_OK);
    sek_report_close(report);
    return n_got;
}

static void same(const struct sek_response *a, const struct sek_response *b)
{
    assert_int_equal(a->name_len, b->name_len);
    assert_memory_equal(a->name, b->name, a->name_len);
    assert_true(sek_addr_equal(&a->address, &b->address));
    assert_true(sek_addr_equal(&a->endpoint, &b->endpoint));
    assert_int_equal(a->first_ms, b->first_ms);
    assert_int_equal(a->last_day, b->last_day);
    assert_int_equal(a->news, b->news);
}

/* Every name and address as it was, IPv4 and IPv6, with odd octets, after another open. */
static void test_over_restart(void **state)
{
    const struct sek_response all[] = {
        response("portal.bank.com", "198.51.100.7", SAMPLE_MS, DAY + 2, SEK_NEWS_LEARNED),
        response("portal.bank.com", "2001:db8::7", SAMPLE_MS + 5, DAY + 1, SEK_NEWS_COUNTRY),
        response("odd\\.\\009x.corp.com", "203.0.113.9", SAMPLE_MS, DAY, SEK_NEWS_NETWORK),
    };

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        put(all[i]);
    assert_int_equal(sek_responses_waiting(queue), 3);
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    assert_int_equal(sek_responses_waiting(queue), 0);
    open_db();
    assert_int_equal(read_latest(100), 3);
    for (unsigned i = 0; i < 3; i++)
        same(&got[i], &all[i]);
    assert_int_equal(read_latest(2), 2);
}

/* The same again: the earlier time, the later day; what was new and who got it first stay. */
static void test_renewed(void **state)
{
    (void)state;
    put(response("corp.com", "192.0.2.1", SAMPLE_MS, DAY, SEK_NEWS_NETWORK));
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    struct sek_response later =
        response("corp.com", "192.0.2.1", SAMPLE_MS + 9, DAY + 3, SEK_NEWS_LEARNED);
    assert_int_equal(sek_addr_from_text("192.0.2.8", &later.endpoint, NULL), SEK_OK);
    put(later);
    put(response("corp.com", "192.0.2.1", SAMPLE_MS - 7, DAY - 3, SEK_NEWS_LEARNED));
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    assert_int_equal(read_latest(100), 1);
    const struct sek_response expected =
        response("corp.com", "192.0.2.1", SAMPLE_MS - 7, DAY + 3, SEK_NEWS_NETWORK);
    same(&got[0], &expected);
}

static void test_asked_for(void **state)
{
    (void)state;
    put(response("corp.com", "192.0.2.1", SAMPLE_MS, DAY, SEK_NEWS_LEARNED));
    put(response("www.corp.com", "192.0.2.2", SAMPLE_MS + 1, DAY, SEK_NEWS_ADDRESS));
    put(response("www.corp.com", "192.0.2.3", SAMPLE_MS + 2, DAY, SEK_NEWS_COUNTRY));
    put(response("notcorp.com", "192.0.2.4", SAMPLE_MS + 3, DAY, SEK_NEWS_NETWORK));
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    assert_int_equal(read_below(NULL, 0, SEK_NEWS_LEARNED), 4);
    assert_int_equal(read_below("corp.com", 0, SEK_NEWS_LEARNED), 3);
    assert_int_equal(read_below("www.corp.com", 0, SEK_NEWS_LEARNED), 2);
    assert_int_equal(got[0].news, SEK_NEWS_COUNTRY); /* the newest first */
    assert_int_equal(read_below("com", 0, SEK_NEWS_NETWORK), 2);
    assert_int_equal(read_below("corp.com", SAMPLE_MS + 2, SEK_NEWS_LEARNED), 1);
    assert_int_equal(read_below("x.corp.com", 0, SEK_NEWS_LEARNED), 0);
}

/* What nobody was given for long goes, and what is too much: the longest not given. */
static void test_retention(void **state)
{
    char text[32];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "192.0.2.%u", i);
        put(response("corp.com", text, SAMPLE_MS, DAY + i, SEK_NEWS_LEARNED));
    }
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_retain_responses(db, (DAY + 5) * 86400, 1000, 100, NULL), SEK_OK);
    assert_int_equal(read_latest(100), 15);
    assert_int_equal(sek_eventsdb_retain_responses(db, 0, 10, 3, NULL), SEK_OK);
    assert_int_equal(read_latest(100), 12);
    assert_int_equal(sek_eventsdb_retain_responses(db, 0, 10, 100, NULL), SEK_OK);
    assert_int_equal(read_latest(100), 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(got[i].last_day, DAY + 19 - i);
}

/* A database that is away: what finds no room is refused, the rest stays for later. */
static void test_bounded(void **state)
{
    struct sek_response r = response("corp.com", "192.0.2.1", SAMPLE_MS, DAY, SEK_NEWS_LEARNED);

    (void)state;
    for (unsigned i = 0; i < SEK_RESPONSES_MAX; i++)
        put(r);
    assert_false(sek_responses_push(queue, &r));
    assert_int_equal(sek_responses_waiting(queue), SEK_RESPONSES_MAX);
    assert_int_equal(sek_responses_store(queue, db, NULL), SEK_OK);
    assert_true(sek_responses_push(queue, &r));
    assert_int_equal(read_latest(100), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_over_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
