/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asked first for a domain: from the queue into events.db and out again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "event_samples.h"
#include "store/firsts.h"
#include "store/report_domains.h"

static char dir[64], path[96];
static struct sek_eventsdb *db;
static struct sek_firsts *firsts;

static int setup(void **state)
{
    char aside[SEK_ASIDE_MAX];

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sek-firsts.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    return sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL) || sek_firsts_new(&firsts)
               ? -1
               : 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    sek_firsts_free(firsts);
    sek_eventsdb_close(db);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static bool push(const char *endpoint, const char *name, unsigned labels, int64_t time_ms)
{
    struct sek_event e = sample_event(endpoint, name, NULL, SEK_OUTCOME_PASSED, time_ms);

    e.domain_labels = (uint8_t)labels;
    e.qtype = 28;
    return sek_firsts_push(firsts, &e);
}

static bool get(const char *domain, struct sek_first_row *out)
{
    struct sek_report *report;
    struct sek_first_reader *reader;

    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_first_reader_open(report, &reader, NULL), SEK_OK);
    enum sek_err err = sek_first_reader_get(reader, domain, out, NULL);
    assert_true(err == SEK_OK || err == SEK_E_NOTFOUND);
    sek_first_reader_close(reader);
    sek_report_close(report);
    return err == SEK_OK;
}

static void test_stored(void **state)
{
    struct sek_first_row row;

    (void)state;
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK); /* nothing */
    assert_true(push("192.0.2.1", "www.example.com", 1, SAMPLE_MS + 1));
    assert_true(push("2001:db8::1", "odd\\.\\009.example.net", 1, SAMPLE_MS + 2));
    assert_true(push("192.0.2.3", "example.org", 0, SAMPLE_MS + 3));
    assert_true(push("192.0.2.3", "no.domain", 3, SAMPLE_MS + 3)); /* left out */
    assert_int_equal(sek_firsts_waiting(firsts), 4);
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_int_equal(sek_firsts_waiting(firsts), 0);
    assert_true(push("192.0.2.9", "later.example.com", 1, SAMPLE_MS + 9));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(get("example.com", &row));
    assert_string_equal(row.endpoint, "192.0.2.1");
    assert_string_equal(row.name, "www.example.com");
    assert_int_equal(row.qtype, 28);
    assert_int_equal(row.first_ms, SAMPLE_MS + 1);
    assert_true(get("example.net", &row));
    assert_string_equal(row.name, "odd\\.\\009.example.net");
    assert_true(get("example.org", &row));
    assert_string_equal(row.name, "example.org");
    assert_false(get("www.example.com", &row));
    assert_false(get("no.domain", &row));
}

/* Where the answer to the first question led, and for how long; nothing where there was none. */
static void test_answer(void **state)
{
    struct sek_first_row row;
    struct sek_event e =
        sample_event("192.0.2.1", "www.led.com", NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
    struct sek_addr address;

    (void)state;
    assert_int_equal(sek_addr_from_text("2001:db8::7", &address, NULL), SEK_OK);
    sek_event_add_addr(&e, &address);
    assert_int_equal(sek_addr_from_text("192.0.2.200", &address, NULL), SEK_OK);
    sek_event_add_addr(&e, &address);
    e.ttl_s = 120;
    e.domain_labels = 1;
    assert_true(sek_firsts_push(firsts, &e));
    assert_true(push("192.0.2.1", "www.nowhere.com", 1, SAMPLE_MS));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(get("led.com", &row));
    assert_string_equal(row.address, "2001:db8::7");
    assert_int_equal(row.ttl_s, 120);
    assert_true(get("nowhere.com", &row));
    assert_string_equal(row.address, "");
    assert_int_equal(row.ttl_s, 0);
}

/* A rule refused the first one: who asked stays, and the first answer is a later query's. */
static void test_refused(void **state)
{
    struct sek_first_row row;
    struct sek_event e = sample_hit("192.0.2.1", "www.evil.com", SAMPLE_MS);
    struct sek_event later =
        sample_event("192.0.2.2", "evil.com", NULL, SEK_OUTCOME_PASSED, SAMPLE_MS + 5000);
    struct sek_addr address;

    (void)state;
    e.domain_labels = 1;
    later.domain_labels = 0;
    later.ttl_s = 60;
    assert_int_equal(sek_addr_from_text("192.0.2.200", &address, NULL), SEK_OK);
    sek_event_add_addr(&later, &address);
    assert_true(sek_firsts_push(firsts, &e));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(get("evil.com", &row));
    assert_true(row.refused);
    assert_string_equal(row.address, "");
    for (int i = 0; i < 2; i++, later.ttl_s = 30) {
        assert_true(sek_firsts_push(firsts, &later));
        assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
        assert_true(get("evil.com", &row));
        assert_true(row.refused);
        assert_string_equal(row.endpoint, "192.0.2.1");
        assert_int_equal(row.first_ms, SAMPLE_MS);
        assert_string_equal(row.address, "192.0.2.200");
        assert_int_equal(row.ttl_s, 60);
    }
}

/* A slow database: what finds no room is refused, the rest stays for later. */
static void test_bounded(void **state)
{
    struct sek_first_row row;
    unsigned n = 0;
    char name[32];

    (void)state;
    for (; n < 2 * SEK_FIRSTS_MAX; n++) {
        snprintf(name, sizeof name, "d%u.com", n);
        if (!push("192.0.2.1", name, 0, SAMPLE_MS))
            break;
    }
    assert_int_equal(n, SEK_FIRSTS_MAX);
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(push("192.0.2.1", "behind.com", 0, SAMPLE_MS));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(get("d0.com", &row) && get("d8191.com", &row) && get("behind.com", &row));
    assert_false(get("d8192.com", &row));
}

/* By age, and by number: the oldest go. */
static void test_retention(void **state)
{
    struct sek_first_row row;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "d%u.com", i);
        assert_true(push("192.0.2.1", name, 0, SAMPLE_MS + i * 1000));
    }
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_retain_firsts(db, 0, 16 << 20, 1000, NULL), SEK_OK);
    assert_true(get("d0.com", &row));
    assert_int_equal(sek_eventsdb_retain_firsts(db, SAMPLE_MS / 1000 + 10, 16 << 20, 1000, NULL),
                     SEK_OK);
    assert_false(get("d9.com", &row));
    assert_true(get("d10.com", &row));
    assert_int_equal(sek_eventsdb_retain_firsts(db, 0, 50 * 1200, 30, NULL), SEK_OK);
    assert_false(get("d39.com", &row)); /* 30 of the 40 that are too many */
    assert_true(get("d40.com", &row));
    assert_int_equal(sek_eventsdb_retain_firsts(db, 0, 50 * 1200, 30, NULL), SEK_OK);
    assert_false(get("d49.com", &row));
    assert_true(get("d50.com", &row));
}

/* In a hurry many calls are one transaction: others see it by commit, or when there were enough. */
static void test_hurry(void **state)
{
    struct sek_first_row row;

    (void)state;
    assert_int_equal(sek_eventsdb_hurry(db, NULL), SEK_OK);
    assert_true(push("192.0.2.1", "one.example.com", 1, SAMPLE_MS));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_true(push("192.0.2.2", "two.example.net", 1, SAMPLE_MS));
    assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    assert_false(get("example.com", &row));
    assert_int_equal(sek_eventsdb_commit(db, NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_commit(db, NULL), SEK_OK); /* nothing */
    assert_true(get("example.com", &row));
    assert_true(get("example.net", &row));
    for (int i = 0; i < 1000; i++) {
        char name[64];
        snprintf(name, sizeof name, "www.site-%d.org", i);
        assert_true(push("192.0.2.3", name, 1, SAMPLE_MS + i));
        assert_int_equal(sek_firsts_store(firsts, db, NULL), SEK_OK);
    }
    assert_true(get("site-0.org", &row));
    assert_false(get("site-999.org", &row));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_stored),  CASE(test_answer),    CASE(test_refused),
        CASE(test_bounded), CASE(test_retention), CASE(test_hurry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
