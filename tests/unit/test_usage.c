/* SPDX-License-Identifier: BSD-3-Clause */
/* How often a domain is asked for, and its lowest TTL: counted by the tally, summed up, and added
 * to the row of who asked first. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "event_samples.h"
#include "store/firsts.h"
#include "store/report_domains.h"
#include "store/usage.h"

static char dir[64], path[96];
static struct sek_eventsdb *db;
static struct sek_tally *tally;
static struct sek_usage *usage;
static struct sek_suffix *suffix;

static int setup(void **state)
{
    char aside[SEK_ASIDE_MAX];

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sek-usage.XXXXXX");
    if (!mkdtemp(dir) || sek_suffix_open(NULL, &suffix, NULL) ||
        sek_tally_new(64 << 20, suffix, &tally) || sek_usage_new(&usage))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    return sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    sek_usage_free(usage);
    sek_tally_free(tally);
    sek_suffix_close(suffix);
    sek_eventsdb_close(db);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* ttl_s < 0: an answer without records. */
static void ask_as(const char *name, enum sek_outcome outcome, int64_t ttl_s, unsigned endpoint,
                   bool cached)
{
    char text[32];
    snprintf(text, sizeof text, "192.0.2.%u", endpoint);
    struct sek_event e = sample_event(text, name, NULL, outcome, SAMPLE_MS);

    e.existence = outcome == SEK_OUTCOME_NXDOMAIN ? SEK_EXISTENCE_ABSENT : SEK_EXISTENCE_EXISTS;
    e.cached = cached;
    e.unjudged = e.repeat = false;
    e.monitor = outcome == SEK_OUTCOME_HIT;
    e.ttl_s = ttl_s < 0 ? 5 : (uint32_t)ttl_s;
    e.answer_octets = ttl_s < 0 ? 0 : 12;
    assert_true(sek_tally_add(tally, &e));
}

static void ask(const char *name, enum sek_outcome outcome, int64_t ttl_s)
{
    ask_as(name, outcome, ttl_s, 1, outcome == SEK_OUTCOME_CACHED);
}

static void count(void)
{
    struct sek_tally_batch *batch = NULL;

    assert_int_equal(sek_tally_take(tally, true, &batch), SEK_OK);
    assert_non_null(batch);
    sek_usage_add(usage, db, batch);
    sek_tally_batch_free(batch);
}

static void store(void)
{
    assert_int_equal(sek_usage_store(usage, db, 0, true, NULL), SEK_OK);
}

/* Somebody asks first, with that TTL (0: not known). */
static void begin(const char *domain, uint32_t ttl_s)
{
    struct sek_event e = sample_event("192.0.2.1", domain, NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
    struct sek_first first;

    e.ttl_s = ttl_s;
    e.domain_labels = 0;
    sek_first_from_event(&e, &first);
    assert_int_equal(sek_eventsdb_store_firsts(db, &first, 1, NULL), SEK_OK);
}

/* queries 0: not counted; ttl_s < 0: none. */
static void is(const char *domain, int64_t queries, int64_t ttl_s)
{
    struct sek_first_row row;
    struct sek_report *report;
    struct sek_first_reader *reader;

    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_first_reader_open(report, &reader, NULL), SEK_OK);
    assert_int_equal(sek_first_reader_get(reader, domain, &row, NULL), SEK_OK);
    assert_int_equal(row.queries, queries);
    assert_int_equal(row.has_ttl, ttl_s >= 0);
    if (ttl_s >= 0)
        assert_int_equal(row.ttl_min_s, ttl_s);
    sek_first_reader_close(reader);
    sek_report_close(report);
}

static void test_counted(void **state)
{
    (void)state;
    begin("led.com", 300);
    is("led.com", 0, 300); /* the first one's, until there is a lower one */
    ask("www.led.com", SEK_OUTCOME_PASSED, 900);
    ask("mail.led.com", SEK_OUTCOME_PASSED, 600);
    ask_as("mail.led.com", SEK_OUTCOME_HIT, 700, 2, false);
    count();
    store();
    is("led.com", 3, 300);
    ask("www.led.com", SEK_OUTCOME_PASSED, 60);
    ask("no.led.com", SEK_OUTCOME_NXDOMAIN, 10); /* the zone's, not the domain's */
    ask("www.led.com", SEK_OUTCOME_PASSED, -1);  /* no record of that type: likewise */
    ask("www.led.com", SEK_OUTCOME_CACHED, 3);   /* what is left of its life */
    ask_as("www.led.com", SEK_OUTCOME_HIT, 2, 3, true);
    count();
    store();
    is("led.com", 8, 60);
    ask("www.led.com", SEK_OUTCOME_PASSED, 120);
    count();
    store();
    is("led.com", 9, 60);
    ask("www.led.com", SEK_OUTCOME_PASSED, 0); /* an answer that may not be kept */
    count();
    store();
    is("led.com", 10, 0);
}

static void test_first_without_ttl(void **state)
{
    (void)state;
    begin("late.com", 0);
    is("late.com", 0, -1);
    ask("late.com", SEK_OUTCOME_PASSED, 86400);
    count();
    store();
    is("late.com", 1, 86400);
}

/* Counts may be there before the row is: they wait for one more round, not for ever. */
static void test_row_on_its_way(void **state)
{
    (void)state;
    ask("way.com", SEK_OUTCOME_PASSED, 50);
    count();
    store();
    begin("way.com", 100);
    ask("way.com", SEK_OUTCOME_PASSED, 70);
    count();
    store();
    is("way.com", 2, 50);
    ask("never.com", SEK_OUTCOME_PASSED, 50);
    count();
    store();
    store();
    begin("never.com", 100);
    store();
    is("never.com", 0, 100);
}

/* Few are written at once, many after a minute; none is lost. */
static void test_pace(void **state)
{
    char name[32];

    (void)state;
    begin("pace.com", 100);
    ask("pace.com", SEK_OUTCOME_PASSED, 9);
    count();
    assert_int_equal(sek_usage_store(usage, db, 1000, false, NULL), SEK_OK);
    is("pace.com", 1, 9);
    for (unsigned i = 0; i <= SEK_USAGE_FEW; i++) {
        snprintf(name, sizeof name, "p%u.com", i);
        ask(name, SEK_OUTCOME_PASSED, 50);
    }
    ask("pace.com", SEK_OUTCOME_PASSED, 8);
    count();
    assert_int_equal(sek_usage_store(usage, db, 1000 + SEK_USAGE_MS - 1, false, NULL), SEK_OK);
    is("pace.com", 1, 9);
    assert_int_equal(sek_usage_store(usage, db, 1000 + SEK_USAGE_MS, false, NULL), SEK_OK);
    is("pace.com", 2, 8);
}

/* More domains than may wait are written on the way; a flood of names that do not exist only uses
 * the room that is left. */
static void test_many(void **state)
{
    char name[32];

    (void)state;
    begin("a0.com", 100);
    begin("b.com", 100);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SEK_USAGE_MAX + 500; i++) {
            snprintf(name, sizeof name, "a%u.com", i);
            ask(name, SEK_OUTCOME_PASSED, 50);
        }
        count();
    }
    store();
    is("a0.com", 2, 50);
    for (unsigned i = 0; i < 2 * SEK_USAGE_MAX; i++) {
        snprintf(name, sizeof name, "x%u.com", i);
        ask(name, SEK_OUTCOME_NXDOMAIN, 50);
    }
    ask("b.com", SEK_OUTCOME_PASSED, 50);
    count();
    store();
    is("b.com", 1, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_without_ttl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_row_on_its_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
