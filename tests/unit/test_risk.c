/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights and scores, and the ranking of endpoints out of a real events.db. */
#include "base/buf.h"
#include "event/finding.h"
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/report_endpoints.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define DAY 86400
#define SAMPLE_S (SAMPLE_MS / 1000)

static char dir[] = "/tmp/sek-risk-XXXXXX";
static char path[64];
static struct sek_report *report;
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}, {.id = 8, .name = "eight"}};

static void near(double value, double expected)
{
    if (fabs(value - expected) > 0.005)
        fail_msg("%.4f, expected %.4f", value, expected);
}

/* By hand: 100 (1 - exp(-60 / 50)) = 69.88, 6 log2(1 + 3) = 12, … */
static void test_vectors(void **state)
{
    (void)state;
    near(sek_risk_score(0), 0);
    near(sek_risk_score(-5), 0);
    near(sek_risk_score(60), 69.88);
    near(sek_risk_score(34.66), 50);
    near(sek_risk_score(1e9), 100);
    near(sek_risk_decay(0, DAY), 1);
    near(sek_risk_decay(-DAY, DAY), 1);
    near(sek_risk_decay(DAY, DAY), 0.5);
    near(sek_risk_decay(3 * DAY, DAY), 0.125);
    near(sek_risk_finding(SEK_DETECTOR_TUNNEL, 1), 60);
    near(sek_risk_finding(SEK_DETECTOR_DGA, 0.5), 30);
    near(sek_risk_finding(SEK_DETECTOR_BEACON, 1), 34);
    near(sek_risk_finding(SEK_DETECTOR_NXBURST, 2), 25);
    near(sek_risk_finding(999, 1), 30);
    near(sek_risk_finding(SEK_DETECTOR_DGA, -1), 0);
    near(sek_risk_finding(SEK_DETECTOR_DGA, (double)NAN), 0);
    near(sek_risk_many(SEK_RISK_BLOCKED, 3), 12);
    near(sek_risk_many(SEK_RISK_BLOCKED, 1e12), 40);
    near(sek_risk_many(SEK_RISK_MONITORED, 7), 9);
    near(sek_risk_many(SEK_RISK_DGA, 1), 4);
    near(sek_risk_many(SEK_RISK_NOD, 1), 2);
    near(sek_risk_many(SEK_RISK_NEW, 10), 2);
    near(sek_risk_many(SEK_RISK_NEW, 0), 0);
    near(sek_risk_many(SEK_RISK_NEW, (double)NAN), 0);
    /* what the header promises */
    assert_true(sek_risk_score(sek_risk_finding(SEK_DETECTOR_DGA, 1)) > 65);
    assert_true(sek_risk_score(sek_risk_finding(SEK_DETECTOR_BEACON, 1)) < 50);
    near(sek_risk_score(sek_risk_most(SEK_RISK_BLOCKED)), 55.07);
}

/* --- a database --------------------------------------------------------------------------------
 */

static void store_hits(struct sek_eventsdb *db, const struct sek_event *events, size_t n)
{
    struct sek_tally *t;
    struct sek_tally_batch *b;
    uint64_t written;
    assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(sek_tally_add(t, &events[i]));
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &written, NULL), SEK_OK);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

static void store_finding(struct sek_eventsdb *db, enum sek_detector by, const char *endpoint,
                          const char *domain, float confidence, int64_t end_ms)
{
    struct sek_finding f = {.detector = by,
                            .start_ms = end_ms - 1000,
                            .end_ms = end_ms,
                            .confidence = confidence,
                            .mode = SEK_MODE_MONITOR,
                            .technique = "T1071",
                            .evidence = "{}"};
    struct sek_findings_stored stored;
    struct sek_name name;
    assert_int_equal(sek_addr_from_text(endpoint, &f.endpoint, NULL), SEK_OK);
    if (domain) {
        assert_int_equal(sek_name_from_text(domain, strlen(domain), &name, NULL), SEK_OK);
        f.domain_len = name.len;
        memcpy(f.domain, name.octets, name.len);
    }
    assert_int_equal(sek_eventsdb_store_findings(db, &f, 1, &stored, NULL), SEK_OK);
}

static int make_db(void **state)
{
    struct sek_eventsdb *db;
    char aside[SEK_ASIDE_MAX];
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    if (sek_eventsdb_open(path, 0, &db, aside, NULL))
        return -1;
    struct sek_event e[8];
    for (int i = 0; i < 3; i++) /* three rows of list 7, one a minute */
        e[i] = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + i * 60000);
    e[3] = e[2]; /* again in that minute: a query more, no row */
    e[4] = sample_hit("192.0.2.2", "evil.example", SAMPLE_MS - 7LL * DAY * 1000);
    e[5] = sample_hit("192.0.2.2", "watched.example", SAMPLE_MS);
    e[5].list = 8;
    e[5].monitor = 1;
    e[5].action = SEK_ACTION_PASSTHRU;
    e[6] = sample_hit("192.0.2.3", "xkqzvbwpjt.example", SAMPLE_MS);
    e[6].list = 0;
    e[6].trigger = SEK_TRIGGER_CLASSIFIER;
    e[6].score = sek_score_of(0);
    e[7] = sample_hit("192.0.2.4", "evil.example", SAMPLE_MS - 100LL * DAY * 1000);
    store_hits(db, e, 8);
    store_finding(db, SEK_DETECTOR_TUNNEL, "192.0.2.2", "drop.example", 0.9f, SAMPLE_MS);
    store_finding(db, SEK_DETECTOR_TUNNEL, "192.0.2.2", "drop.example", 0.5f, SAMPLE_MS - 5000);
    store_finding(db, SEK_DETECTOR_NXBURST, "192.0.2.5", NULL, 0.8f, SAMPLE_MS);
    sek_eventsdb_close(db);
    return sek_report_open(path, &report, NULL);
}

static int remove_db(void **state)
{
    (void)state;
    sek_report_close(report);
    sample_remove_dir(dir);
    return 0;
}

/* "address points: part what n, …" a line. */
static bool join_risk(void *arg, const struct sek_risk *r)
{
    struct sek_buf *b = arg;
    near(r->score, sek_risk_score(r->points));
    sek_buf_add_fmt(b, "%s %.2f:", r->endpoint, r->points);
    for (unsigned i = 0; i < r->n_reasons; i++)
        sek_buf_add_fmt(
            b, " %s %s%s%s %u,", sek_lookup_name(sek_risk_part_names, (int)r->reasons[i].part),
            r->reasons[i].detector ? sek_lookup_name(sek_detector_names, r->reasons[i].detector)
                                   : r->reasons[i].what,
            *r->reasons[i].domain ? "/" : "", r->reasons[i].domain, (unsigned)r->reasons[i].n);
    sek_buf_add_text(b, "\n");
    return true;
}

static void check(const struct sek_risk_query *q, const char *expected)
{
    struct sek_buf b;
    struct sek_diag diag = {0};
    sek_buf_init(&b, 0);
    if (sek_report_risk(report, q, join_risk, &b, &diag))
        fail_msg("%s", diag.text);
    assert_string_equal(b.data ? b.data : "", expected);
    sek_buf_fini(&b);
}

#define FIRST                                                                                      \
    "192.0.2.2 60.51: finding tunnel/drop.example 2, blocked seven 1, monitored eight 1,\n"

static void test_ranking(void **state)
{
    struct sek_risk_query q = {.now_s = SAMPLE_S, .half_life_s = 7 * DAY};
    (void)state;
    /* 0.9 · 60 + 6 log2(1 + 1/2) + 3 log2(1 + 1); 0.8 · 25; 6 log2(1 + 3); 4 log2(1 + 0.5) */
    check(&q, FIRST "192.0.2.5 20.00: finding nxdomain-burst 1,\n"
                    "192.0.2.1 12.00: blocked seven 4,\n192.0.2.3 2.34: dga classifier 1,\n");
    q.limit = 1;
    check(&q, FIRST);
    q.limit = 0;
    q.endpoints = (const char *const[]){"192.0.2.3"};
    q.n_endpoints = 1;
    check(&q, "192.0.2.3 2.34: dga classifier 1,\n");
    q.endpoints = (const char *const[]){"192.0.2.99"};
    check(&q, "");
    /* a week on, half is left, and what was a week old is a quarter */
    q.endpoints = (const char *const[]){"192.0.2.1"};
    q.now_s = SAMPLE_S + 7 * DAY + 60;
    check(&q, "192.0.2.1 7.93: blocked seven 4,\n");
    q.now_s = SAMPLE_S + 100 * DAY;
    check(&q, "");
}

/* 192.0.2.2 changed hands a day before; others not. */
static bool join_then(void *arg, int64_t moment_s, const struct sek_risk *risk)
{
    struct sek_buf *b = arg;
    sek_buf_add_fmt(b, "%lld:", (long long)((moment_s * 1000 - SAMPLE_MS) / 1000 / DAY));
    for (unsigned i = 0; risk && i < risk->n_reasons; i++)
        sek_buf_add_fmt(b, " %d x%d", (int)risk->reasons[i].part, (int)risk->reasons[i].n);
    sek_buf_add_text(b, risk ? "; " : " none; ");
    return moment_s > SAMPLE_MS / 1000 - 100 * DAY;
}

/* Each evening as it looked then: what came later, and what was too old by then, is left out. */
static void test_then(void **state)
{
    static const char *const endpoint[] = {"192.0.2.2"};
    const struct sek_risk_query q = {
        .half_life_s = 2 * DAY, .endpoints = endpoint, .n_endpoints = 1};
    const int64_t now_s = SAMPLE_MS / 1000 + 60;
    const int64_t moments[] = {
        now_s, now_s - DAY, now_s - 8 * DAY, now_s + 12 * DAY, now_s + 20 * DAY, now_s - 101 * DAY,
        now_s};
    struct sek_risk_evidence *evidence;
    struct sek_buf b;
    (void)state;
    sek_buf_init(&b, 0);
    assert_int_equal(sek_risk_evidence_read(report, &q, now_s - 101 * DAY, &evidence, NULL),
                     SEK_OK);
    assert_int_equal(sek_risk_evidence_then(evidence, moments, 7, join_then, &b, NULL), SEK_OK);
    assert_string_equal(b.data, "0: 1 x2 3 x1 2 x1; 0: 2 x1; -7: none; 12: 1 x2 3 x1; 20: none; "
                                "-100: none; ");
    sek_buf_reset(&b);
    assert_int_equal(sek_risk_evidence_then(evidence, moments, 0, join_then, &b, NULL), SEK_OK);
    assert_int_equal(b.len, 0);
    sek_risk_evidence_free(evidence);
    sek_risk_evidence_free(NULL);
    sek_buf_fini(&b);
}

static void two_owners(void *arg, const char *address, int64_t time_s, struct sek_span *out)
{
    int64_t change = SAMPLE_S - DAY;
    ++*(unsigned *)arg;
    if (strcmp(address, "192.0.2.2") != 0)
        return;
    if (time_s < change)
        out->until_s = change;
    else
        out->from_s = change;
}

static void test_tenancies(void **state)
{
    unsigned n_asked = 0;
    struct sek_risk_query q = {
        .now_s = SAMPLE_S, .half_life_s = 7 * DAY, .tenancy = two_owners, .inventory = &n_asked};
    (void)state;
    check(&q, "192.0.2.2 57.00: finding tunnel/drop.example 2, monitored eight 1,\n"
              "192.0.2.5 20.00: finding nxdomain-burst 1,\n"
              "192.0.2.1 12.00: blocked seven 4,\n"
              "192.0.2.2 3.51: blocked seven 1,\n192.0.2.3 2.34: dga classifier 1,\n");
    assert_int_equal(n_asked, 5);
    /* of the first place only as many addresses are asked about as can have it */
    n_asked = 0;
    q.limit = 1;
    check(&q, "192.0.2.2 57.00: finding tunnel/drop.example 2, monitored eight 1,\n");
    assert_int_equal(n_asked, 2);
}

/* --- machines with several addresses -----------------------------------------------------------
 */

/* Who had what when; the time of a day before the samples, or since. */
static const struct place {
    const char *address;
    int64_t from_s, until_s;
    const char *mac, *name;
} * places;

static void tenant(void *arg, const char *address, int64_t time_s, struct sek_span *out)
{
    (void)arg;
    for (const struct place *p = places; p->address; p++)
        if (strcmp(p->address, address) == 0 && p->from_s <= time_s && time_s < p->until_s) {
            out->from_s = p->from_s;
            out->until_s = p->until_s;
            snprintf(out->machine.mac, sizeof out->machine.mac, "%s", p->mac);
            snprintf(out->machine.name, sizeof out->machine.name, "%s", p->name);
        }
}

static enum sek_err ties(void *arg, int64_t since_s, sek_tie_fn *fn, void *fn_arg,
                         struct sek_diag *diag)
{
    struct sek_addr addr;
    (void)arg, (void)diag;
    for (const struct place *p = places; p->address; p++)
        if (p->until_s > since_s) {
            assert_int_equal(sek_addr_from_text(p->address, &addr, NULL), SEK_OK);
            fn(fn_arg, &addr, p->mac, p->name);
        }
    return SEK_OK;
}

#define EVER INT64_MIN, INT64_MAX
#define A "00:11:22:33:44:01"
#define B "00:11:22:33:44:02"
#define TWO "192.0.2.2 60.51: finding tunnel/drop.example 2, blocked seven 1, monitored eight 1,\n"
#define FIVE "192.0.2.5 20.00: finding nxdomain-burst 1,\n"
#define ONE "192.0.2.1 12.00: blocked seven 4,\n"
#define THREE "192.0.2.3 2.34: dga classifier 1,\n"

static void test_machines(void **state)
{
    static const struct {
        const char *label;
        struct place places[6];
        const char *expected; /* the first line, and more */
    } cases[] = {
        {"the same MAC",
         {{"192.0.2.1", EVER, A, ""}, {"192.0.2.2", EVER, A, ""}},
         /* 54 + 6 log2(1 + 3.5) + 3 */
         "192.0.2.1 70.02: finding tunnel/drop.example 2, blocked seven 5, monitored eight "
         "1,\n" FIVE THREE},
        {"the same MAC, other names",
         {{"192.0.2.1", EVER, A, "pc1"}, {"192.0.2.2", EVER, A, "pc2"}},
         "192.0.2.1 70.02: finding tunnel/drop.example 2, blocked seven 5, monitored eight "
         "1,\n" FIVE THREE},
        {"the same name, one MAC, in another case",
         {{"192.0.2.1", EVER, "", "PC1"}, {"192.0.2.2", EVER, A, "pc1"}},
         "192.0.2.1 70.02: finding tunnel/drop.example 2, blocked seven 5, monitored eight "
         "1,\n" FIVE THREE},
        {"the same name, no MAC",
         {{"192.0.2.5", EVER, "", "pc"}, {"192.0.2.3", EVER, "", "pc"}},
         TWO "192.0.2.3 22.34: finding nxdomain-burst 1, dga classifier 1,\n" ONE},
        {"the same name, two machines",
         {{"192.0.2.1", EVER, A, "iphone"},
          {"192.0.2.2", EVER, B, "iphone"},
          {"192.0.2.3", EVER, "", "iphone"}},
         TWO FIVE ONE THREE},
        {"three addresses, tied by MAC and name",
         {{"192.0.2.1", EVER, A, "pc"}, {"192.0.2.3", EVER, A, ""}, {"192.0.2.5", EVER, "", "pc"}},
         TWO "192.0.2.1 34.34: finding nxdomain-burst 1, blocked seven 4, dga classifier 1,\n"},
        {"nothing is known of them",
         {{"192.0.2.1", EVER, "", ""}, {"192.0.2.2", EVER, "", ""}},
         TWO FIVE ONE THREE},
        {"another machine then",
         {{"192.0.2.2", INT64_MIN, SAMPLE_S - DAY, A, ""},
          {"192.0.2.2", SAMPLE_S - DAY, INT64_MAX, B, ""},
          {"192.0.2.1", EVER, A, ""}},
         "192.0.2.2 57.00: finding tunnel/drop.example 2, monitored eight 1,\n" FIVE
         "192.0.2.1 13.02: blocked seven 5,\n" THREE},
        {"one address lost and had again",
         {{"192.0.2.2", INT64_MIN, SAMPLE_S - DAY, A, ""},
          {"192.0.2.2", SAMPLE_S - DAY, INT64_MAX, A, ""}},
         TWO FIVE ONE THREE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_risk_query q = {
            .now_s = SAMPLE_S, .half_life_s = 7 * DAY, .tenancy = tenant, .ties = ties};
        places = cases[i].places;
        check(&q, cases[i].expected);
        q.limit = 1; /* the first is the same whatever else is looked at */
        size_t n = strcspn(cases[i].expected, "\n") + 1;
        char first[200];
        snprintf(first, sizeof first, "%.*s", (int)n, cases[i].expected);
        check(&q, first);
    }
}

/* All addresses, and since when until when. */
static bool keep_addresses(void *arg, const struct sek_risk *r)
{
    struct sek_buf *b = arg;
    for (unsigned i = 0; i < r->n_addresses; i++)
        sek_buf_add_fmt(b, "%s %lld..%lld, ", r->addresses[i].text,
                        (long long)(r->addresses[i].from_s - SAMPLE_S),
                        (long long)(r->addresses[i].until_s - SAMPLE_S));
    sek_buf_add_fmt(b, "all %lld..%lld\n", (long long)(r->from_s - SAMPLE_S),
                    (long long)(r->until_s - SAMPLE_S));
    assert_string_equal(r->endpoint, r->addresses[0].text);
    return false;
}

static void test_addresses(void **state)
{
    static const struct place leases[] = {{"192.0.2.1", SAMPLE_S - 60, SAMPLE_S + 600, A, ""},
                                          {"192.0.2.2", SAMPLE_S - 8 * DAY, SAMPLE_S - DAY, A, ""},
                                          {"192.0.2.2", SAMPLE_S - DAY, SAMPLE_S + 60, A, ""},
                                          {0}};
    const struct sek_risk_query q = {
        .now_s = SAMPLE_S, .half_life_s = 7 * DAY, .tenancy = tenant, .ties = ties};
    struct sek_buf b;

    (void)state;
    places = leases;
    sek_buf_init(&b, 0);
    assert_int_equal(sek_report_risk(report, &q, keep_addresses, &b, NULL), SEK_OK);
    assert_string_equal(b.data, "192.0.2.1 -60..600, 192.0.2.2 -691200..60, all -691200..600\n");
    sek_buf_fini(&b);
}

/* --- filters by spans --------------------------------------------------------------------------
 */

static bool count_hit(void *arg, const struct sek_hit *hit)
{
    *(unsigned *)arg += (unsigned)hit->count;
    return true;
}

static bool count_finding(void *arg, const struct sek_finding_row *f)
{
    (void)f;
    ++*(unsigned *)arg;
    return true;
}

static bool sum_group(void *arg, const struct sek_hit_group *g)
{
    *(unsigned *)arg += (unsigned)g->count;
    return true;
}

static bool sum_traffic(void *arg, const struct sek_traffic_row *t)
{
    *(unsigned *)arg += (unsigned)t->queries;
    return true;
}

static void test_spans(void **state)
{
    struct sek_buf spans;
    unsigned n = 0;
    (void)state;
    sek_buf_init(&spans, 0);
    sek_report_add_span(&spans, "192.0.2.1", SAMPLE_S + 60, SAMPLE_S + 120);
    sek_report_add_span(&spans, "192.0.2.2", 0, SAMPLE_S);
    sek_report_add_span(&spans, "192.0.2.5", 0, INT64_MAX);
    sek_report_add_span(&spans, "192.0.2.77", 0, INT64_MAX);
    sek_report_end_spans(&spans);
    const struct sek_hit_filter hits = {.endpoint = spans.data};
    assert_int_equal(sek_report_hits(report, &hits, count_hit, &n, NULL), SEK_OK);
    assert_int_equal(n, 2); /* of .1 the second minute, of .2 the one of last week */
    n = 0;
    assert_int_equal(sek_report_hit_groups(report, &hits, SEK_GROUP_ENDPOINT, sum_group, &n, NULL),
                     SEK_OK);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(sek_report_traffic(report, 0, 0, spans.data, NULL, SEK_TRAFFIC_TOTAL, 0,
                                        sum_traffic, &n, NULL),
                     SEK_OK);
    assert_int_equal(n, 2);
    n = 0;
    const struct sek_finding_filter findings = {.endpoint = spans.data};
    assert_int_equal(sek_report_findings(report, &findings, count_finding, &n, NULL), SEK_OK);
    assert_int_equal(n, 2); /* of .5, and of .2 the one that ended before */
    sek_buf_reset(&spans);
    sek_report_end_spans(&spans); /* of nobody */
    n = 0;
    assert_int_equal(sek_report_hits(report, &hits, count_hit, &n, NULL), SEK_OK);
    assert_int_equal(n, 0);
    sek_buf_fini(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_ranking),
        cmocka_unit_test(test_then),     cmocka_unit_test(test_tenancies),
        cmocka_unit_test(test_machines), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, make_db, remove_db);
}
