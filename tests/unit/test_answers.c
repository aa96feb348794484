/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of answers: from events into events.db and out again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "event_samples.h"
#include "name/text.h"
#include "store/answers.h"
#include "store/report_answers.h"

#define DAY_MS 86400000LL
#define DAY (SAMPLE_MS / DAY_MS)

static char dir[64], path[96];
static struct sek_eventsdb *db;
static struct sek_answers *answers;
static struct sek_tally *tally;

static int setup(void **state)
{
    char aside[SEK_ASIDE_MAX];

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sek-answers.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    return sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL) ||
                   sek_answers_new(&answers) || sek_tally_new(1 << 20, NULL, &tally)
               ? -1
               : 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    sek_answers_free(answers);
    sek_tally_free(tally);
    sek_eventsdb_close(db);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static struct sek_addr addr(const char *text)
{
    struct sek_addr a;

    assert_int_equal(sek_addr_from_text(text, &a, NULL), SEK_OK);
    return a;
}

static struct sek_event answered(const char *endpoint, const char *name, int64_t time_ms)
{
    return sample_event(endpoint, name, NULL, SEK_OUTCOME_PASSED, time_ms);
}

/* A query of the endpoint, counted, whose answer has these addresses. */
static unsigned ask(const char *endpoint, const char *name, int64_t time_ms, const char *first,
                    const char *second)
{
    struct sek_event e = answered(endpoint, name, time_ms);
    struct sek_tally_note note;
    const struct sek_event *const all[] = {&e};

    for (unsigned i = 0; i < 2; i++)
        if ((i ? second : first)) {
            struct sek_addr a = addr(i ? second : first);
            sek_event_add_addr(&e, &a);
        }
    sek_tally_add_all(tally, all, 1, &note);
    return sek_answers_note_all(answers, all, &note, 1);
}

static void store(void)
{
    struct sek_tally_batch *batch = NULL;
    uint64_t rows;

    assert_int_equal(sek_answers_store(answers, db, NULL), SEK_OK);
    assert_int_equal(sek_tally_take(tally, true, &batch), SEK_OK);
    if (batch)
        assert_int_equal(sek_eventsdb_store(db, batch, NULL, 0, &rows, NULL), SEK_OK);
    sek_tally_batch_free(batch);
}

struct seen {
    unsigned n;
    char text[1000];
};

static bool see(void *arg, const struct sek_answer_row *row)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);

    s->n++;
    snprintf(s->text + at, sizeof s->text - at, "%d %s %s %d; ", (int)(row->day - DAY), row->domain,
             row->endpoint ? row->endpoint : "-", (int)row->queries);
    return true;
}

static const char *answers_of(const char *address, const char *endpoint, int64_t since_s)
{
    static struct seen s;
    struct sek_report *report;
    struct sek_addr a = addr(address);

    s = (struct seen){0};
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_report_answers(report, &a, endpoint, since_s, see, &s, NULL), SEK_OK);
    sek_report_close(report);
    return s.text;
}

static void test_stored(void **state)
{
    (void)state;
    assert_int_equal(sek_answers_store(answers, db, NULL), SEK_OK); /* nothing */
    assert_string_equal(answers_of("198.51.100.1", NULL, 0), "");
    ask("192.0.2.1", "www.example", SAMPLE_MS, "198.51.100.1", "198.51.100.2");
    ask("192.0.2.1", "www.example", SAMPLE_MS + 1, "198.51.100.1", NULL); /* known */
    assert_int_equal(sek_answers_waiting(answers), 2);
    ask("192.0.2.2", "www.example", SAMPLE_MS + 2, NULL, NULL); /* from the cache */
    ask("192.0.2.3", "odd\\.\\009.net", SAMPLE_MS, "2001:db8::1", "::ffff:198.51.100.1");
    ask("192.0.2.1", "www.example", SAMPLE_MS + DAY_MS, "198.51.100.1", NULL);
    store();
    assert_int_equal(sek_answers_waiting(answers), 0);
    assert_string_equal(answers_of("198.51.100.1", NULL, 0),
                        "1 www.example 192.0.2.1 1; 0 www.example 192.0.2.1 2; "
                        "0 www.example 192.0.2.2 1; 0 odd\\.\\009.net 192.0.2.3 1; ");
    assert_string_equal(answers_of("198.51.100.1", "192.0.2.3", 0),
                        "0 odd\\.\\009.net 192.0.2.3 1; ");
    assert_string_equal(answers_of("198.51.100.2", "192.0.2.2", 0), "0 www.example 192.0.2.2 1; ");
    assert_string_equal(answers_of("198.51.100.2", "192.0.2.9", 0), "");
    assert_string_equal(answers_of("2001:db8::1", NULL, 0), "0 odd\\.\\009.net 192.0.2.3 1; ");
    assert_string_equal(answers_of("198.51.100.1", NULL, (DAY + 1) * 86400),
                        "1 www.example 192.0.2.1 1; ");
    /* a new database knows nothing: all is offered again */
    ask("192.0.2.1", "www.example", SAMPLE_MS, "198.51.100.1", NULL);
    assert_int_equal(sek_answers_waiting(answers), 0);
    sek_answers_forget(answers);
    ask("192.0.2.1", "www.example", SAMPLE_MS, "198.51.100.1", NULL);
    assert_int_equal(sek_answers_waiting(answers), 1);
    store(); /* and is there once all the same */
    assert_string_equal(answers_of("198.51.100.2", "192.0.2.2", 0), "0 www.example 192.0.2.2 1; ");
}

static void test_connections(void **state)
{
    static const struct {
        const char *endpoint, *address;
        int64_t after_s;
        enum sek_given_as as;
        const char *domain;
    } cases[] = {
        {"192.0.2.1", "198.51.100.1", 5, SEK_GIVEN, ""},
        {"192.0.2.1", "198.51.100.1", 80000, SEK_GIVEN, ""},
        {"192.0.2.1", "198.51.100.1", 90000, SEK_GIVEN_TO_OTHERS, "a.example"},
        {"192.0.2.1", "198.51.100.1", -60, SEK_GIVEN, ""}, /* clocks differ */
        {"192.0.2.1", "198.51.100.1", -900, SEK_GIVEN_TO_OTHERS, "a.example"},
        {"192.0.2.1", "198.51.100.1", -3 * 86400, SEK_GIVEN_UNKNOWN, ""},
        {"192.0.2.1", "198.51.100.1", 5 * 86400, SEK_GIVEN_NEVER, ""},
        {"192.0.2.2", "198.51.100.1", 5, SEK_GIVEN_TO_OTHERS, "a.example"},
        {"192.0.2.2", "198.51.100.3", 5, SEK_GIVEN, ""}, /* the second domain that has it */
        {"192.0.2.4", "198.51.100.1", 5, SEK_GIVEN, ""}, /* from the cache */
        {"192.0.2.3", "198.51.100.1", 5, SEK_GIVEN_TO_OTHERS, "a.example"}, /* was blocked */
        {"192.0.2.1", "203.0.113.9", 5, SEK_GIVEN_NEVER, ""},
        {"192.0.2.1", "2001:db8::7", 5, SEK_GIVEN, ""},
        {"10.0.2.87", "198.51.100.5", 5, SEK_GIVEN, ""}, /* of very many */
        {"192.0.2.1", "198.51.100.5", 5, SEK_GIVEN_TO_OTHERS, "popular.example"},
    };
    struct sek_report *report;
    struct sek_given *given;
    struct sek_event hit = sample_event("192.0.2.3", "a.example", NULL, SEK_OUTCOME_HIT, SAMPLE_MS);

    (void)state;
    ask("192.0.2.1", "a.example", SAMPLE_MS, "198.51.100.1", "198.51.100.3");
    ask("192.0.2.1", "a.example", SAMPLE_MS, "2001:db8::7", NULL);
    ask("192.0.2.2", "b.example", SAMPLE_MS, "198.51.100.3", NULL);
    for (unsigned i = 0; i < 600; i++) {
        char endpoint[16];
        snprintf(endpoint, sizeof endpoint, "10.0.%u.%u", i / 256, i % 256);
        ask(endpoint, "popular.example", SAMPLE_MS, "198.51.100.5", NULL);
    }
    struct sek_event cached = answered("192.0.2.4", "a.example", SAMPLE_MS);
    cached.outcome = SEK_OUTCOME_CACHED;
    sek_tally_add(tally, &cached);
    sek_tally_add(tally, &hit);
    store();
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_given_open(report, 86400, &given, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_addr endpoint = addr(cases[i].endpoint), address = addr(cases[i].address);
        enum sek_given_as as = 0;
        char domain[SEK_NAME_TEXT_MAX];
        assert_int_equal(sek_given_ask(given, &endpoint, &address,
                                       SAMPLE_MS / 1000 + cases[i].after_s, &as, domain, NULL),
                         SEK_OK);
        if (as != cases[i].as || strcmp(domain, cases[i].domain) != 0)
            fail_msg("case %zu: %d %s", i, as, domain);
    }
    sek_given_close(given);
    sek_report_close(report);
}

/* A slow database, or very many: what finds no room is counted, and offered again. */
static void test_bounded(void **state)
{
    unsigned lost = 0;

    (void)state;
    for (unsigned i = 0; i < SEK_ANSWERS_MAX + 10; i++) {
        char address[32];
        snprintf(address, sizeof address, "198.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        lost += ask("192.0.2.1", "big.example", SAMPLE_MS, address, NULL);
    }
    assert_int_equal(lost, 10);
    assert_int_equal(sek_answers_waiting(answers), SEK_ANSWERS_MAX);
    store();
    assert_int_equal(ask("192.0.2.1", "big.example", SAMPLE_MS, "198.0.16.9", NULL), 0);
    store();
    assert_string_equal(answers_of("198.0.16.9", "192.0.2.1", 0), "0 big.example 192.0.2.1 4107; ");
}

/* Whole days go by age, the oldest rows by number. */
static void test_retention(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char address[32];
        snprintf(address, sizeof address, "198.51.100.%u", i);
        ask("192.0.2.1", "a.example", SAMPLE_MS + i / 10 * DAY_MS, address, NULL);
    }
    store();
    assert_int_equal(sek_eventsdb_retain_answers(db, DAY * 86400, 1000, 1 << 30, 1000, NULL),
                     SEK_OK);
    assert_string_not_equal(answers_of("198.51.100.0", NULL, 0), "");
    assert_int_equal(sek_eventsdb_retain_answers(db, (DAY + 3) * 86400, 1000, 1 << 30, 1000, NULL),
                     SEK_OK);
    assert_string_equal(answers_of("198.51.100.29", NULL, 0), "");
    assert_string_not_equal(answers_of("198.51.100.30", NULL, 0), "");
    assert_int_equal(sek_eventsdb_retain_answers(db, 0, 50, 1 << 30, 15, NULL), SEK_OK);
    assert_string_not_equal(answers_of("198.51.100.45", NULL, 0), "");
    assert_int_equal(sek_eventsdb_retain_answers(db, 0, 50, 1 << 30, 15, NULL), SEK_OK);
    assert_string_equal(answers_of("198.51.100.49", NULL, 0), "");
    assert_string_not_equal(answers_of("198.51.100.50", NULL, 0), "");
    assert_int_equal(sek_eventsdb_retain_answers(db, 0, 50, 10 * 8 * 60, 100, NULL), SEK_OK);
    assert_string_equal(answers_of("198.51.100.89", NULL, 0), "");
    assert_string_not_equal(answers_of("198.51.100.99", NULL, 0), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_stored),
        CASE(test_connections),
        CASE(test_bounded),
        CASE(test_retention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
