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
#include "store/report_neighbours.h"

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
    const char *only; /* rows of this endpoint; NULL: all */
    char text[1000];
};

static bool see(void *arg, const struct sek_answer_row *row)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);

    if (s->only && (!row->endpoint || strcmp(s->only, row->endpoint) != 0))
        return true;
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

    s = (struct seen){.only = endpoint};
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_report_answers(report, &a, since_s, see, &s, NULL), SEK_OK);
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
        {"192.0.2.5", "198.51.100.1", 5, SEK_GIVEN, ""},                    /* would have been */
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
    struct sek_event monitored =
        sample_event("192.0.2.5", "a.example", NULL, SEK_OUTCOME_HIT, SAMPLE_MS);
    monitored.monitor = 1;
    monitored.action = SEK_ACTION_PASSTHRU;
    sek_tally_add(tally, &monitored);
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

static bool see_led(void *arg, const struct sek_led_row *row)
{
    struct seen *s = arg;
    char text[SEK_ADDR_TEXT_MAX];
    size_t at = strlen(s->text);

    snprintf(s->text + at, sizeof s->text - at, "%s %d..%d x%d; ",
             sek_addr_to_text(&row->address, text), (int)(row->first_day - DAY),
             (int)(row->last_day - DAY), (int)row->n_days);
    return ++s->n < 2;
}

static bool see_neighbour(void *arg, const struct sek_neighbour_row *row)
{
    struct seen *s = arg;
    char text[SEK_ADDR_TEXT_MAX];
    size_t at = strlen(s->text);

    snprintf(s->text + at, sizeof s->text - at, "%s %d by %s; ", row->domain, (int)row->n_addresses,
             sek_addr_to_text(&row->address, text));
    return ++s->n < 2;
}

/* Where a domain led, who leads there on the same day, and single questions about it. */
static void test_neighbours(void **state)
{
    static const struct {
        const char *domain, *address;
        int64_t from, until; /* days from the first */
        bool led;
    } asks[] = {
        {"a.example", "198.51.100.1", 0, 0, true},  {"a.example", "198.51.100.1", 1, 5, false},
        {"a.example", "2001:db8::1", -3, 9, true},  {"a.example", "198.51.100.3", 0, 0, false},
        {"b.example", "198.51.100.1", 0, 0, true},  {"example", "198.51.100.1", 0, 9, false},
        {"a.example", "198.51.100.1", 1, 0, false},
    };
    struct seen s = {0};
    struct sek_report *report;
    struct sek_led *led;
    struct sek_name a, odd;

    (void)state;
    ask("192.0.2.1", "a.example", SAMPLE_MS, "198.51.100.1", "198.51.100.2");
    ask("192.0.2.1", "a.example", SAMPLE_MS + 2 * DAY_MS, "2001:db8::1", "198.51.100.2");
    ask("192.0.2.1", "b.example", SAMPLE_MS, "198.51.100.1", "198.51.100.2");
    ask("192.0.2.1", "c.example", SAMPLE_MS, "198.51.100.2", NULL);
    ask("192.0.2.1", "d.example", SAMPLE_MS + DAY_MS, "198.51.100.1", NULL); /* another day */
    store();
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text("a.example", 9, &a, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text("nobody.example", 14, &odd, NULL), SEK_OK);
    assert_int_equal(sek_report_led(report, &a, 0, 0, see_led, &s, NULL), SEK_OK);
    assert_string_equal(s.text, "2001:db8::1 2..2 x1; 198.51.100.2 0..2 x2; ");
    s = (struct seen){0};
    assert_int_equal(sek_report_led(report, &a, DAY + 1, 1, see_led, &s, NULL), SEK_OK);
    assert_string_equal(s.text, "2001:db8::1 2..2 x1; ");
    s = (struct seen){0};
    assert_int_equal(sek_report_neighbours(report, &a, 0, 0, see_neighbour, &s, NULL), SEK_OK);
    assert_string_equal(s.text, "b.example 2 by 198.51.100.2; c.example 1 by 198.51.100.2; ");
    s = (struct seen){0};
    assert_int_equal(sek_report_neighbours(report, &odd, 0, 0, see_neighbour, &s, NULL), SEK_OK);
    assert_int_equal(sek_report_led(report, &odd, 0, 0, see_led, &s, NULL), SEK_OK);
    assert_string_equal(s.text, "");
    assert_int_equal(sek_led_open(report, &led, NULL), SEK_OK);
    sek_report_hold(report); /* answers are the same */
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct sek_name name;
        const struct sek_addr address = addr(asks[i].address);
        bool got = !asks[i].led;
        assert_int_equal(sek_name_from_text(asks[i].domain, strlen(asks[i].domain), &name, NULL),
                         SEK_OK);
        assert_int_equal(
            sek_led_ask(led, &name, &address, DAY + asks[i].from, DAY + asks[i].until, &got, NULL),
            SEK_OK);
        if (got != asks[i].led)
            fail_msg("case %zu", i);
    }
    sek_report_release(report);
    sek_report_release(report); /* nothing is held: no harm */
    sek_led_close(led);
    sek_report_close(report);
}

/* --- life times and name servers ---------------------------------------------------------------
 */

static void note_one(const struct sek_event *e)
{
    struct sek_tally_note note;
    sek_tally_add_all(tally, &e, 1, &note);
    note.has_domain = true;
    note.domain_labels = 1; /* without a list of suffixes the tally takes the whole name */
    assert_int_equal(sek_answers_note_all(answers, &e, &note, 1), 0);
}

static void ask_ttl(int64_t time_ms, uint32_t ttl_s, bool cached)
{
    struct sek_event e = answered("192.0.2.1", "a.example", time_ms);
    const struct sek_addr a = addr("198.51.100.1");
    e.ttl_s = ttl_s;
    e.cached = cached;
    sek_event_add_addr(&e, &a);
    note_one(&e);
}

static bool see_ttl(void *arg, const struct sek_led_row *row)
{
    snprintf(arg, 64, row->has_ttl ? "%u..%u" : "-", (unsigned)row->ttl_min_s,
             (unsigned)row->ttl_max_s);
    return true;
}

static const char *ttl_of(void)
{
    static char text[64];
    struct sek_report *report;
    struct sek_name a;
    text[0] = '\0';
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text("a.example", 9, &a, NULL), SEK_OK);
    assert_int_equal(sek_report_led(report, &a, 0, 0, see_ttl, text, NULL), SEK_OK);
    sek_report_close(report);
    return text;
}

/* The lowest and the highest over days and restarts; what the cache has left is none. */
static void test_life_times(void **state)
{
    (void)state;
    ask_ttl(SAMPLE_MS, 7, true);
    store();
    assert_string_equal(ttl_of(), "-");
    ask_ttl(SAMPLE_MS, 300, false);
    store();
    assert_string_equal(ttl_of(), "300..300");
    ask_ttl(SAMPLE_MS, 280, false);
    ask_ttl(SAMPLE_MS, 290, false); /* within: nothing to write */
    assert_int_equal(sek_answers_waiting(answers), 1);
    store();
    assert_string_equal(ttl_of(), "280..300");
    ask_ttl(SAMPLE_MS + DAY_MS, 0, false); /* may not be kept at all */
    ask_ttl(SAMPLE_MS + DAY_MS, 3600, false);
    store();
    assert_string_equal(ttl_of(), "0..3600");
    sek_answers_forget(answers);
    ask_ttl(SAMPLE_MS, 290, false);
    store(); /* nothing is narrowed */
    assert_string_equal(ttl_of(), "0..3600");
    assert_string_equal(answers_of("198.51.100.1", NULL, 0),
                        "1 a.example 192.0.2.1 2; 0 a.example 192.0.2.1 5; ");
}

/* A name one label below the domain, and the servers of its zone. */
static void ask_served(const char *name, uint8_t zone_labels, int64_t time_ms, const char *servers)
{
    struct sek_event e = answered("192.0.2.1", name, time_ms);
    char copy[1200], *rest = copy;
    struct sek_tally_note note;
    const struct sek_event *const all[] = {&e};
    snprintf(copy, sizeof copy, "%s", servers);
    for (char *at; (at = strsep(&rest, " ")) && *at;) {
        struct sek_name server;
        assert_int_equal(sek_name_from_text(at, strlen(at), &server, NULL), SEK_OK);
        sek_event_add_server(&e, zone_labels, &server);
    }
    sek_tally_add_all(tally, all, 1, &note);
    note.has_domain = true;
    assert_int_equal(sek_answers_note_all(answers, all, &note, 1), 0);
}

static bool see_server(void *arg, const struct sek_server_row *row)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s %d..%d x%d; ", row->name,
             (int)(row->first_day - DAY), (int)(row->last_day - DAY), (int)row->n_domains);
    return true;
}

static bool see_served(void *arg, const struct sek_served_row *row)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s %d by %s %d..%d; ", row->domain,
             (int)row->n_servers, row->server, (int)(row->first_day - DAY),
             (int)(row->last_day - DAY));
    return true;
}

static const char *served(const char *domain, bool neighbours, unsigned limit)
{
    static struct seen s;
    struct sek_report *report;
    struct sek_name a;
    s = (struct seen){0};
    assert_int_equal(sek_report_open(path, &report, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text(domain, strlen(domain), &a, NULL), SEK_OK);
    assert_int_equal(neighbours ? sek_report_served(report, &a, limit, see_served, &s, NULL)
                                : sek_report_servers(report, &a, limit, see_server, &s, NULL),
                     SEK_OK);
    sek_report_close(report);
    return s.text;
}

static void test_servers(void **state)
{
    (void)state;
    ask_served("a.example", 0, SAMPLE_MS, "ns1.a.example ns.hoster.example");
    ask_served("a.example", 0, SAMPLE_MS + 1, "ns1.a.example ns.hoster.example"); /* known */
    assert_int_equal(sek_answers_waiting(answers), 2);
    ask_served("a.example", 1, SAMPLE_MS, "ns.registry.example"); /* of the zone above */
    assert_int_equal(sek_answers_waiting(answers), 2);
    ask_served("a.example", 0, SAMPLE_MS + 3 * DAY_MS, "odd\\.\\009.net ns1.a.example");
    ask_served("b.example", 0, SAMPLE_MS + DAY_MS, "ns1.a.example odd\\.\\009.net");
    ask_served("c.example", 0, SAMPLE_MS, "ns1.a.example");
    store();
    assert_string_equal(served("a.example", false, 0),
                        "odd\\.\\009.net 3..3 x1; ns1.a.example 0..3 x2; "
                        "ns.hoster.example 0..0 x0; ");
    assert_string_equal(served("a.example", false, 1), "odd\\.\\009.net 3..3 x1; ");
    assert_string_equal(served("a.example", true, 0), "b.example 2 by odd\\.\\009.net 1..1; "
                                                      "c.example 1 by ns1.a.example 0..0; ");
    assert_string_equal(served("a.example", true, 1), "b.example 2 by odd\\.\\009.net 1..1; ");
    assert_string_equal(served("nobody.example", true, 0), "");
    assert_string_equal(served("nobody.example", false, 0), "");
}

/* A server of so many says nothing of them; one fewer does. */
static void test_hoster(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= SEK_SERVER_FEW; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%u.example", i);
        ask_served(name, 0, SAMPLE_MS, i ? "big.example few.example" : "big.example");
    }
    ask_served("a.example", 0, SAMPLE_MS, "big.example");
    ask_served("b.example", 0, SAMPLE_MS, "few.example");
    store();
    assert_string_equal(served("a.example", false, 0), "big.example 0..0 x33; ");
    assert_string_equal(served("a.example", true, 0), "");
    assert_string_equal(served("b.example", false, 0), "few.example 0..0 x32; ");
    assert_string_equal(served("b.example", true, 1), "n1.example 1 by few.example 0..0; ");
}

/* By age, by number and by size: the longest not seen go first. */
static void test_servers_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%u.example", i);
        ask_served(name, 0, SAMPLE_MS + i * DAY_MS, "ns.example");
    }
    store();
    assert_int_equal(sek_eventsdb_retain_servers(db, (DAY + 10) * 86400, 1000, 1 << 30, 1000, NULL),
                     SEK_OK);
    assert_string_equal(served("n9.example", false, 0), "");
    assert_string_equal(served("n10.example", false, 0), "ns.example 10..10 x29; ");
    assert_int_equal(sek_eventsdb_retain_servers(db, 0, 20, 1 << 30, 6, NULL), SEK_OK);
    assert_string_equal(served("n16.example", false, 0), "ns.example 16..16 x23; ");
    assert_int_equal(sek_eventsdb_retain_servers(db, 0, 20, 1 << 30, 6, NULL), SEK_OK);
    assert_string_equal(served("n20.example", false, 0), "ns.example 20..20 x19; ");
    assert_int_equal(sek_eventsdb_retain_servers(db, 0, 20, 16 * 160 * 5, 100, NULL), SEK_OK);
    assert_string_equal(served("n35.example", false, 0), "ns.example 35..35 x4; ");
    assert_string_equal(served("n34.example", false, 0), "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_stored),  CASE(test_connections), CASE(test_neighbours),
        CASE(test_bounded), CASE(test_retention),   CASE(test_life_times),
        CASE(test_servers), CASE(test_hoster),      CASE(test_servers_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
