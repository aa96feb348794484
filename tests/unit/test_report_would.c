/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/report_would.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SAMPLE_S (SAMPLE_MS / 1000)
#define MINUTE_MS 60000

static char dir[] = "/tmp/sek-would-XXXXXX";
static char path[64];
static struct sek_eventsdb *db;
static struct sek_report *report;
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}};

static void store_all(struct sek_tally *t)
{
    struct sek_tally_batch *b;
    uint64_t written;

    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 1, &written, NULL), SEK_OK);
    sek_tally_batch_free(b);
}

/* A query in each of the minutes from..to. */
static void ask(struct sek_tally *t, const char *endpoint, const char *name, int from, int to)
{
    for (int m = from; m <= to; m++) {
        struct sek_event e =
            sample_event(endpoint, name, NULL, SEK_OUTCOME_PASSED, SAMPLE_MS + m * MINUTE_MS);
        sek_tally_add(t, &e);
    }
}

/* A hit that was only recorded (monitor), or not. */
static void hit(struct sek_tally *t, const char *name, int trigger, bool monitor, int16_t score)
{
    struct sek_event e = sample_hit("192.0.2.9", name, SAMPLE_MS);

    e.trigger = (uint8_t)trigger;
    e.monitor = monitor;
    e.score = score;
    e.list = 0;
    e.action = monitor ? SEK_ACTION_PASSTHRU : SEK_ACTION_SINKHOLE;
    sek_tally_add(t, &e);
}

static void find(const char *endpoint, const char *domain, int start, int end, int may_block)
{
    struct sek_finding f = {.detector = SEK_DETECTOR_BEACON,
                            .start_ms = SAMPLE_MS + start * MINUTE_MS,
                            .end_ms = SAMPLE_MS + end * MINUTE_MS,
                            .confidence = 0.5f,
                            .mode = SEK_MODE_MONITOR,
                            .technique = "T1071",
                            .evidence = "{}",
                            .may_block_s = may_block < 0 ? 0 : SAMPLE_S + may_block * 60};
    struct sek_findings_stored stored;
    struct sek_name name;

    assert_int_equal(sek_addr_from_text(endpoint, &f.endpoint, NULL), SEK_OK);
    assert_int_equal(sek_name_from_text(domain, strlen(domain), &name, NULL), SEK_OK);
    f.domain_len = name.len;
    memcpy(f.domain, name.octets, name.len);
    assert_int_equal(sek_eventsdb_store_findings(db, &f, 1, &stored, NULL), SEK_OK);
}

static int make_db(void **state)
{
    char aside[SEK_ASIDE_MAX];
    struct sek_tally *t;

    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    if (sek_tally_new(0, NULL, &t) || sek_eventsdb_open(path, 0, &db, aside, NULL))
        return -1;
    ask(t, "192.0.2.1", "a.example", 0, 59);
    ask(t, "192.0.2.2", "a.example", 0, 4); /* before it would have been blocked */
    ask(t, "192.0.2.3", "a.example", 5, 6);
    ask(t, "192.0.2.1", "b.example", 0, 59); /* its finding blocks nothing */
    ask(t, "192.0.2.1", "c.example", 0, 59); /* no finding */
    hit(t, "x.example", SEK_TRIGGER_CLASSIFIER, true, 900);
    hit(t, "y.example", SEK_TRIGGER_CLASSIFIER, true, 700);
    hit(t, "z.example", SEK_TRIGGER_CLASSIFIER, false, 950);
    hit(t, "n.example", SEK_TRIGGER_NOD, true, SEK_SCORE_UNKNOWN);
    store_all(t);
    /* told first at minute 2, it would have blocked from 5 on; the later sign changes nothing */
    find("192.0.2.1", "a.example", 0, 2, -1);
    find("192.0.2.1", "a.example", 0, 5, 5);
    find("192.0.2.1", "a.example", 0, 20, 20);
    find("192.0.2.3", "a.example", 3, 6, 6); /* another endpoint's, later: counted once */
    find("192.0.2.1", "b.example", 1, 20, -1);
    sek_tally_free(t);
    return sek_report_open(path, &report, NULL);
}

static int remove_db(void **state)
{
    (void)state;
    sek_report_close(report);
    sek_eventsdb_close(db);
    sample_remove_dir(dir);
    return 0;
}

struct seen {
    char text[256];
};

static bool see(void *arg, const struct sek_past_row *row)
{
    struct seen *s = arg;
    size_t len = strlen(s->text);
    snprintf(s->text + len, sizeof s->text - len, "%s%s %s %llu", len ? "; " : "", row->name,
             row->endpoint, (unsigned long long)row->queries);
    return true;
}

static const char *findings(int detector, int64_t since_s, int64_t lifetime_s)
{
    static struct seen s;
    uint64_t unknown;

    s.text[0] = '\0';
    assert_int_equal(
        sek_report_would_findings(report, detector, since_s, lifetime_s, see, &s, &unknown, NULL),
        SEK_OK);
    assert_int_equal(unknown, 0);
    return s.text;
}

static const char *hits(int trigger, int16_t above)
{
    static struct seen s;

    s.text[0] = '\0';
    assert_int_equal(sek_report_would_hits(report, trigger, SAMPLE_S, above, see, &s, NULL),
                     SEK_OK);
    return s.text;
}

static void test_findings(void **state)
{
    (void)state;
    /* minutes 5 to 20, and ten more */
    assert_string_equal(findings(SEK_DETECTOR_BEACON, SAMPLE_S, 600),
                        "a.example 192.0.2.1 26; a.example 192.0.2.3 2");
    assert_string_equal(findings(SEK_DETECTOR_BEACON, SAMPLE_S, 86400),
                        "a.example 192.0.2.1 55; a.example 192.0.2.3 2");
    assert_string_equal(findings(SEK_DETECTOR_BEACON, SAMPLE_S + 15 * 60, 600),
                        "a.example 192.0.2.1 16");
    assert_string_equal(findings(SEK_DETECTOR_BEACON, SAMPLE_S + 3600, 600), "");
    assert_string_equal(findings(SEK_DETECTOR_TUNNEL, SAMPLE_S, 600), "");
}

static void test_hits(void **state)
{
    (void)state;
    assert_string_equal(hits(SEK_TRIGGER_CLASSIFIER, INT16_MIN),
                        "x.example 192.0.2.9 1; y.example 192.0.2.9 1");
    assert_string_equal(hits(SEK_TRIGGER_CLASSIFIER, 700), "x.example 192.0.2.9 1");
    assert_string_equal(hits(SEK_TRIGGER_CLASSIFIER, 900), "");
    assert_string_equal(hits(SEK_TRIGGER_NOD, INT16_MIN), "n.example 192.0.2.9 1");
    assert_string_equal(hits(SEK_TRIGGER_REBINDING, INT16_MIN), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_findings),
                                       cmocka_unit_test(test_hits)};

    return cmocka_run_group_tests(tests, make_db, remove_db);
}
