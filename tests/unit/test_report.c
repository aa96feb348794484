/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SAMPLE_S (SAMPLE_MS / 1000)

static char dir[] = "/tmp/sek-report-XXXXXX";
static char path[64];
static struct sek_report *report;
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}, {.id = 8, .name = "eight"}};

/* The rows every question is asked of; the id is the place here. One minute apart. */
static const struct {
    const char *endpoint, *name, *matched;
    uint16_t list, qtype;
    uint8_t scope, depth, action, monitor;
    unsigned count;
} rows[] = {
    {"192.0.2.1", "evil.example", NULL, 7, 1, SEK_SCOPE_SUBTREE, 0, SEK_ACTION_SINKHOLE, 0, 5},
    {"192.0.2.1", "www.evil.example", NULL, 7, 28, SEK_SCOPE_SUBTREE, 1, SEK_ACTION_SINKHOLE, 0, 3},
    {"192.0.2.2", "notevil.example", NULL, 8, 1, SEK_SCOPE_EXACT, 0, SEK_ACTION_PASSTHRU, 1, 2},
    {"2001:db8::1", "x.y.evil.example", NULL, 8, 1, SEK_SCOPE_BELOW, 2, SEK_ACTION_NXDOMAIN, 0, 1},
    {"192.0.2.2", "www.good.test", "cdn.evil.example", 7, 1, SEK_SCOPE_SUBTREE, 1,
     SEK_ACTION_SINKHOLE, 0, 4},
    {"192.0.2.2", "evil\\.example", NULL, 7, 1, SEK_SCOPE_EXACT, 0, SEK_ACTION_LOG, 0, 1},
    {"192.0.2.3", "a\\.evil.example", NULL, 7, 1, SEK_SCOPE_EXACT, 0, SEK_ACTION_SINKHOLE, 0, 1},
    {"192.0.2.3", ".", NULL, 7, 2, SEK_SCOPE_EXACT, 0, SEK_ACTION_SINKHOLE, 0, 1},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static int make_db(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_eventsdb *db;
    char aside[SEK_ASIDE_MAX];
    uint64_t written;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    if (sek_tally_new(0, NULL, &t) || sek_eventsdb_open(path, 0, &db, aside, NULL))
        return -1;
    for (size_t i = 0; i < N_ROWS; i++) {
        struct sek_tally_batch *b;
        struct sek_event e = sample_event(rows[i].endpoint, rows[i].name, rows[i].matched,
                                          SEK_OUTCOME_HIT, SAMPLE_MS + (int64_t)i * 60000);
        e.list = rows[i].list;
        e.qtype = rows[i].qtype;
        e.scope = rows[i].scope;
        e.depth = rows[i].depth;
        e.would = rows[i].action; /* that of a rule that only logs resolves, as in the engine */
        e.action = rows[i].action == SEK_ACTION_LOG ? SEK_ACTION_PASSTHRU : rows[i].action;
        e.monitor = rows[i].monitor;
        for (unsigned n = 0; n < rows[i].count; n++) {
            sek_tally_add(t, &e);
            e.time_ms += 1000;
        }
        struct sek_event ok = sample_event(rows[i].endpoint, "good.test", NULL, SEK_OUTCOME_CACHED,
                                           SAMPLE_MS + (int64_t)i * 60000);
        sek_tally_add(t, &ok);
        if (sek_tally_take(t, true, &b) || sek_eventsdb_store(db, b, lists, 2, &written, NULL))
            return -1;
        sek_tally_batch_free(b);
    }
    sek_eventsdb_close(db);
    sek_tally_free(t);
    return sek_report_open(path, &report, NULL);
}

static int remove_db(void **state)
{
    (void)state;
    sek_report_close(report);
    sample_remove_dir(dir);
    return 0;
}

/* Ids in the order they came, "3 2 1". */
struct seen {
    char text[256];
    unsigned n, stop_after;
};

static bool see_hit(void *arg, const struct sek_hit *hit)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%lld", len ? " " : "",
             (long long)hit->id);
    return ++seen->n != seen->stop_after;
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct sek_hit_filter f;
        const char *expected;
    } cases[] = {
        {"all, newest first", {0}, "8 7 6 5 4 3 2 1"},
        {"limit", {.limit = 2}, "8 7"},
        {"after, oldest first", {.after_id = 5}, "6 7 8"},
        {"after and limit", {.after_id = 2, .limit = 2}, "3 4"},
        {"after the last", {.after_id = 8}, ""},
        {"endpoint", {.endpoint = "192.0.2.1"}, "2 1"},
        {"endpoint, other spelling", {.endpoint = "2001:DB8:0::1"}, "4"},
        {"endpoint, mapped", {.endpoint = "::ffff:192.0.2.1"}, "2 1"},
        {"endpoint unknown", {.endpoint = "192.0.2.99"}, ""},
        {"at or below", {.name = "evil.example"}, "4 2 1"},
        {"at or below, upper case, dot", {.name = "EVIL.example."}, "4 2 1"},
        {"below", {.name = "*.evil.example"}, "4 2"},
        {"exact", {.name = "=evil.example"}, "1"},
        {"exact unknown", {.name = "=nothing.example"}, ""},
        {"unknown", {.name = "nothing.example"}, ""},
        {"a top-level domain", {.name = "example"}, "7 4 3 2 1"},
        {"a dot in a label", {.name = "evil\\.example"}, "6"},
        {"all below the root", {.name = "*."}, "8 7 6 5 4 3 2 1"},
        {"the root", {.name = "=."}, "8"},
        {"list", {.list = "eight"}, "4 3"},
        {"list unknown", {.list = "'; DROP TABLE hit; --"}, ""},
        {"action", {.action = SEK_ACTION_NXDOMAIN}, "4"},
        {"action log", {.action = SEK_ACTION_LOG}, "6"},
        {"action passthru", {.action = SEK_ACTION_PASSTHRU}, "3"},
        {"type", {.qtype = 28}, "2"},
        {"monitored", {.monitor_only = true}, "6 3"},
        {"blocked", {.blocked_only = true}, "8 7 5 4 2 1"},
        {"since", {.since_s = SAMPLE_S + 360}, "8 7"},
        {"since, inside a row", {.since_s = SAMPLE_S + 4}, "8 7 6 5 4 3 2 1"},
        {"since, behind a row's end", {.since_s = SAMPLE_S + 5}, "8 7 6 5 4 3 2"},
        {"until", {.until_s = SAMPLE_S + 120}, "2 1"},
        {"until, one second later", {.until_s = SAMPLE_S + 121}, "3 2 1"},
        {"before all", {.until_s = SAMPLE_S}, ""},
        {"several",
         {.endpoint = "192.0.2.1", .name = "evil.example", .qtype = 1, .list = "seven"},
         "1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct sek_diag diag = {0};
        if (sek_report_hits(report, &cases[i].f, see_hit, &seen, &diag) != SEK_OK)
            fail_msg("%s: %s", cases[i].label, diag.text);
        if (strcmp(seen.text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].label, seen.text, cases[i].expected);
    }
}

static void test_bad_filters(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct sek_hit_filter f;
    } cases[] = {
        {"no address", {.endpoint = "printer"}},
        {"empty address", {.endpoint = ""}},
        {"bad name", {.name = "a..b"}},
        {"empty name", {.name = ""}},
        {"short decision", {.decision = "1234567"}},
        {"not hexadecimal", {.decision = "1234567g"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct sek_diag diag = {0};
        if (sek_report_hits(report, &cases[i].f, see_hit, &seen, &diag) == SEK_OK || !diag.text[0])
            fail_msg("%s", cases[i].label);
        assert_int_equal(seen.n, 0);
    }
}

static bool see_row(void *arg, const struct sek_hit *hit)
{
    size_t i = (size_t)hit->id - 1;
    static const char *const rules[N_ROWS] = {
        "evil.example", "evil.example",    "=notevil.example",  "*.evil.example",
        "evil.example", "=evil\\.example", "=a\\.evil.example", "=."};
    struct sek_event e = sample_hit(rows[i].endpoint, rows[i].name, 0);
    assert_string_equal(hit->endpoint, rows[i].endpoint);
    assert_string_equal(hit->name, rows[i].name);
    assert_string_equal(hit->matched, rows[i].matched ? rows[i].matched : rows[i].name);
    assert_string_equal(hit->rule, rules[i]);
    assert_string_equal(hit->list, rows[i].list == 7 ? "seven" : "eight");
    assert_int_equal(hit->count, rows[i].count);
    assert_int_equal(hit->action, rows[i].action);
    assert_int_equal(hit->monitor, rows[i].monitor);
    assert_int_equal(hit->qtype, rows[i].qtype);
    assert_int_equal(hit->trigger, rows[i].matched ? SEK_TRIGGER_CNAME : SEK_TRIGGER_QNAME);
    assert_int_equal(hit->first_ms, SAMPLE_MS + (int64_t)i * 60000);
    assert_int_equal(hit->last_ms - hit->first_ms, (rows[i].count - 1) * 1000);
    assert_int_equal(hit->generation, 3);
    assert_int_equal(hit->decision,
                     sek_event_decision_id(&e.endpoint, e.names, e.name_len, rows[i].qtype,
                                           rows[i].list, SAMPLE_MS / 60000 + (int64_t)i));
    ((struct seen *)arg)->n++;
    return true;
}

static void test_row_content(void **state)
{
    (void)state;
    struct seen seen = {0};
    char text[16];
    assert_int_equal(sek_report_hits(report, &(struct sek_hit_filter){0}, see_row, &seen, NULL),
                     SEK_OK);
    assert_int_equal(seen.n, N_ROWS);
    /* the id that a user reads out leads to the row */
    struct sek_event e = sample_hit(rows[3].endpoint, rows[3].name, 0);
    snprintf(text, sizeof text, "%08X",
             sek_event_decision_id(&e.endpoint, e.names, e.name_len, rows[3].qtype, rows[3].list,
                                   SAMPLE_MS / 60000 + 3));
    struct seen one = {0};
    assert_int_equal(
        sek_report_hits(report, &(struct sek_hit_filter){.decision = text}, see_hit, &one, NULL),
        SEK_OK);
    assert_string_equal(one.text, "4");
}

static void test_stop(void **state)
{
    (void)state;
    struct seen seen = {.stop_after = 3};
    assert_int_equal(sek_report_hits(report, &(struct sek_hit_filter){0}, see_hit, &seen, NULL),
                     SEK_OK);
    assert_string_equal(seen.text, "8 7 6");
}

/* "key=count/endpoints/names/blocked/monitored" */
static bool see_group(void *arg, const struct sek_hit_group *g)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%s=%llu/%llu/%llu/%llu/%llu",
             len ? " " : "", g->key, (unsigned long long)g->count,
             (unsigned long long)g->n_endpoints, (unsigned long long)g->n_names,
             (unsigned long long)g->blocked, (unsigned long long)g->monitored);
    assert_true(g->first_ms <= g->last_ms && g->first_ms >= SAMPLE_MS);
    return ++seen->n != seen->stop_after;
}

static void test_groups(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct sek_hit_filter f;
        enum sek_group by;
        const char *expected;
    } cases[] = {
        {"endpoint",
         {0},
         SEK_GROUP_ENDPOINT,
         "192.0.2.1=8/1/2/8/0 192.0.2.2=7/1/3/4/3 192.0.2.3=2/1/2/2/0 2001:db8::1=1/1/1/1/0"},
        {"list", {0}, SEK_GROUP_LIST, "seven=15/3/6/14/1 eight=3/2/2/1/2"},
        {"name, limit", {.limit = 1}, SEK_GROUP_NAME, "evil.example=5/1/1/5/0"},
        {"domain, filter",
         {.name = "*.evil.example"},
         SEK_GROUP_DOMAIN,
         "www.evil.example=3/1/1/3/0 x.y.evil.example=1/1/1/1/0"},
        {"endpoint of a name",
         {.name = "evil.example"},
         SEK_GROUP_ENDPOINT,
         "192.0.2.1=8/1/2/8/0 2001:db8::1=1/1/1/1/0"},
        {"nobody", {.endpoint = "192.0.2.99"}, SEK_GROUP_NAME, ""},
        {"since", {.since_s = SAMPLE_S + 360}, SEK_GROUP_LIST, "seven=2/1/2/2/0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct sek_diag diag = {0};
        if (sek_report_hit_groups(report, &cases[i].f, cases[i].by, see_group, &seen, &diag))
            fail_msg("%s: %s", cases[i].label, diag.text);
        if (strcmp(seen.text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].label, seen.text, cases[i].expected);
    }
    struct seen seen = {0};
    assert_int_equal(sek_report_hit_groups(report, &(struct sek_hit_filter){0}, (enum sek_group)0,
                                           see_group, &seen, NULL),
                     SEK_E_INVALID);
    assert_int_equal(sek_report_hit_groups(report, &(struct sek_hit_filter){0}, (enum sek_group)10,
                                           see_group, &seen, NULL),
                     SEK_E_INVALID);
}

static bool see_key(void *arg, const struct sek_hit_group *g)
{
    sek_buf_add_fmt(arg, "%s ", g->key);
    return true;
}

static void read_keys(struct sek_report *r, enum sek_group_sort sort, bool reverse, unsigned limit,
                      struct sek_buf *out)
{
    const struct sek_hit_filter f = {.order = {sort, reverse}, .limit = limit};
    sek_buf_reset(out);
    sek_buf_add_text(out, "");
    assert_int_equal(sek_report_hit_groups(r, &f, SEK_GROUP_NAME, see_key, out, NULL), SEK_OK);
}

/* The first groups of an order are those with which the whole order begins. */
static void test_first_groups(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_eventsdb *db;
    struct sek_report *r;
    struct sek_tally_batch *b;
    struct sek_buf all, some;
    char aside[SEK_ASIDE_MAX], other[80];
    uint64_t written;
    snprintf(other, sizeof other, "%s/groups.db", dir);
    assert_int_equal(sek_tally_new(64 << 20, NULL, &t), SEK_OK);
    assert_int_equal(sek_eventsdb_open(other, 0, &db, aside, NULL), SEK_OK);
    for (int i = 0; i < 2000; i++) {
        char name[64], endpoint[32];
        snprintf(name, sizeof name, "n%d.example", (i * 37 + i / 11) % 400);
        snprintf(endpoint, sizeof endpoint, "192.0.2.%d", i % 23);
        struct sek_event e = sample_hit(endpoint, name, SAMPLE_MS + (i * 7919) % 50000);
        e.action = i % 3 ? SEK_ACTION_SINKHOLE : SEK_ACTION_LOG;
        assert_true(sek_tally_add(t, &e));
    }
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &written, NULL), SEK_OK);
    sek_tally_batch_free(b);
    assert_int_equal(sek_report_open(other, &r, NULL), SEK_OK);
    sek_buf_init(&all, 0);
    sek_buf_init(&some, 0);
    for (int sort = SEK_SORT_DEFAULT; sort <= SEK_SORT_KEY; sort++)
        for (int reverse = 0; reverse < 2; reverse++) {
            static const unsigned limits[] = {1, 2, 7, 150, 399, 400, 5000};
            read_keys(r, (enum sek_group_sort)sort, reverse, 0, &all);
            for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
                read_keys(r, (enum sek_group_sort)sort, reverse, limits[i], &some);
                if (some.len == 0 || strncmp(all.data, some.data, some.len) != 0 ||
                    (limits[i] >= 400) != (some.len == all.len))
                    fail_msg("order %d%s, the first %u: \"%.100s\", not \"%.100s\"", sort,
                             reverse ? " reversed" : "", limits[i], some.data, all.data);
            }
        }
    sek_buf_fini(&all);
    sek_buf_fini(&some);
    sek_report_close(r);
    sek_eventsdb_close(db);
    sek_tally_free(t);
}

/* "key=queries/cached/hits/endpoints/domains" */
static bool see_traffic(void *arg, const struct sek_traffic_row *t)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%s=%llu/%llu/%llu/%llu/%llu",
             len ? " " : "", t->key, (unsigned long long)t->queries, (unsigned long long)t->cached,
             (unsigned long long)t->hits, (unsigned long long)t->n_endpoints,
             (unsigned long long)t->n_domains);
    return ++seen->n != seen->stop_after;
}

static void test_traffic(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        int64_t since_s, until_s;
        const char *endpoint, *domain;
        enum sek_traffic_by by;
        unsigned limit;
        const char *expected;
    } cases[] = {
        {"total", 0, 0, NULL, NULL, SEK_TRAFFIC_TOTAL, 0, "=26/8/18/4/9"},
        {"endpoint", 0, 0, NULL, NULL, SEK_TRAFFIC_ENDPOINT, 2,
         "192.0.2.1=10/2/8/1/3 192.0.2.2=10/3/7/1/4"},
        {"one endpoint's domains", 0, 0, "192.0.2.1", NULL, SEK_TRAFFIC_DOMAIN, 0,
         "evil.example=5/0/5/1/1 www.evil.example=3/0/3/1/1 good.test=2/2/0/1/1"},
        {"one domain's endpoints", 0, 0, NULL, "Good.test", SEK_TRAFFIC_ENDPOINT, 1,
         "192.0.2.2=3/3/0/1/1"},
        {"minutes", 0, SAMPLE_S + 120, NULL, NULL, SEK_TRAFFIC_MINUTE, 0,
         "2023-11-14T22:15:00Z=4/1/3/1/2 2023-11-14T22:14:00Z=6/1/5/1/2"},
        {"the last minute", 0, SAMPLE_S + 120, NULL, NULL, SEK_TRAFFIC_MINUTE, 1,
         "2023-11-14T22:15:00Z=4/1/3/1/2"},
        {"since", SAMPLE_S + 420, 0, NULL, NULL, SEK_TRAFFIC_TOTAL, 0, "=2/1/1/1/2"},
        {"nobody", 0, 0, "192.0.2.99", NULL, SEK_TRAFFIC_TOTAL, 0, ""},
        {"no such domain", 0, 0, NULL, "none.test", SEK_TRAFFIC_TOTAL, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct sek_diag diag = {0};
        if (sek_report_traffic(report, cases[i].since_s, cases[i].until_s, cases[i].endpoint,
                               cases[i].domain, cases[i].by, cases[i].limit, see_traffic, &seen,
                               &diag))
            fail_msg("%s: %s", cases[i].label, diag.text);
        if (strcmp(seen.text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].label, seen.text, cases[i].expected);
    }
}

/* Of a domain: two hits that were let through, one that was blocked, and a query that met no rule;
 * and a minute later two of each kind of hit, for which queries are not counted yet. */
static bool see_through(void *arg, const struct sek_traffic_row *t)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s %d/%d/%d from %lld to %lld; ", t->key,
             (int)t->queries, (int)t->hits, (int)t->let_through,
             (long long)(t->first_ms - SAMPLE_MS), (long long)(t->last_ms - SAMPLE_MS));
    return true;
}

static void add_through(struct sek_tally *t, int64_t time_ms, enum sek_outcome outcome,
                        bool blocked)
{
    struct sek_event e = sample_event("192.0.2.1", "evil.example", NULL, outcome, time_ms);
    e.action = blocked ? SEK_ACTION_SINKHOLE : SEK_ACTION_PASSTHRU;
    e.would = SEK_ACTION_SINKHOLE;
    e.monitor = !blocked;
    assert_true(sek_tally_add(t, &e));
}

static void test_let_through(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_eventsdb *db;
    struct sek_report *r;
    struct sek_tally_batch *b;
    char aside[SEK_ASIDE_MAX], other[80];
    uint64_t written;
    snprintf(other, sizeof other, "%s/through.db", dir);
    assert_int_equal(sek_tally_new(1 << 20, NULL, &t), SEK_OK);
    assert_int_equal(sek_eventsdb_open(other, 0, &db, aside, NULL), SEK_OK);
    for (int minute = 0; minute < 2; minute++) {
        for (int i = 0; i < 4; i++)
            add_through(t, SAMPLE_MS + minute * 60000 + 100 + i, SEK_OUTCOME_HIT, i > 1 - minute);
        if (minute == 0)
            add_through(t, SAMPLE_MS + 30000, SEK_OUTCOME_PASSED, false);
        assert_int_equal(sek_tally_take(t, minute == 0, &b), SEK_OK);
        assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &written, NULL), SEK_OK);
        sek_tally_batch_free(b);
    }
    assert_int_equal(sek_report_open(other, &r, NULL), SEK_OK);
    static const struct {
        const char *endpoint, *domain;
        int64_t since_s;
        enum sek_traffic_by by;
        const char *expected;
    } cases[] = {
        {NULL, "evil.example", 0, SEK_TRAFFIC_ENDPOINT, "192.0.2.1 9/8/3 from 0 to 60103; "},
        {"192.0.2.1", NULL, 0, SEK_TRAFFIC_DOMAIN, "evil.example 9/8/3 from 0 to 60103; "},
        {NULL, "evil.example", SAMPLE_S + 60, SEK_TRAFFIC_ENDPOINT,
         "192.0.2.1 4/4/1 from 60100 to 60103; "},
        {NULL, NULL, 0, SEK_TRAFFIC_ENDPOINT, "192.0.2.1 9/8/3 from 0 to 60103; "},
        {NULL, "good.test", 0, SEK_TRAFFIC_ENDPOINT, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        assert_int_equal(sek_report_traffic(r, cases[i].since_s, 0, cases[i].endpoint,
                                            cases[i].domain, cases[i].by, 0, see_through, &seen,
                                            NULL),
                         SEK_OK);
        assert_string_equal(seen.text, cases[i].expected);
    }
    sek_report_close(r);
    sek_eventsdb_close(db);
    sek_tally_free(t);
}

static void test_facts(void **state)
{
    (void)state;
    struct sek_eventsdb_facts facts;
    assert_int_equal(sek_report_facts(report, &facts, NULL), SEK_OK);
    assert_int_equal(facts.n_hit_rows, N_ROWS);
    assert_int_equal(facts.n_traffic_rows, 2 * N_ROWS);
    assert_int_equal(facts.oldest_ms, SAMPLE_MS);
    assert_int_equal(facts.newest_ms, SAMPLE_MS + 420000);
    assert_true(facts.size_octets > 4096);
}

/* More rows than one page, with many a minute: each once, in order. */
struct ordered {
    uint64_t n;
    int64_t last_id;
};

static bool see_order(void *arg, const struct sek_hit *hit)
{
    struct ordered *o = arg;
    assert_true(o->n == 0 || hit->id < o->last_id);
    o->last_id = hit->id;
    o->n++;
    return true;
}

static void test_pages(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_eventsdb *db;
    struct sek_report *r;
    struct sek_tally_batch *b;
    char aside[SEK_ASIDE_MAX], other[80];
    uint64_t written;
    snprintf(other, sizeof other, "%s/pages.db", dir);
    assert_int_equal(sek_report_open(other, &r, NULL), SEK_E_NOTFOUND);
    assert_int_equal(sek_tally_new(64 << 20, NULL, &t), SEK_OK);
    assert_int_equal(sek_eventsdb_open(other, 0, &db, aside, NULL), SEK_OK);
    for (int i = 0; i < 12000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.evil.example", i);
        struct sek_event e = sample_hit("192.0.2.1", name, SAMPLE_MS + i / 4000 * 60000);
        assert_true(sek_tally_add(t, &e));
    }
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &written, NULL), SEK_OK);
    sek_tally_batch_free(b);
    assert_int_equal(sek_report_open(other, &r, NULL), SEK_OK);
    static const struct {
        struct sek_hit_filter f;
        uint64_t expected;
    } cases[] = {
        {{0}, 12000},
        {{.limit = 7500}, 7500},
        {{.name = "evil.example"}, 12000}, /* more names than are looked up one by one */
        {{.endpoint = "192.0.2.1"}, 12000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ordered o = {0};
        assert_int_equal(sek_report_hits(r, &cases[i].f, see_order, &o, NULL), SEK_OK);
        assert_int_equal(o.n, cases[i].expected);
    }
    sek_report_close(r);
    sek_eventsdb_close(db);
    sek_tally_free(t);
    sek_report_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),      cmocka_unit_test(test_bad_filters),
        cmocka_unit_test(test_row_content),  cmocka_unit_test(test_stop),
        cmocka_unit_test(test_groups),       cmocka_unit_test(test_traffic),
        cmocka_unit_test(test_first_groups), cmocka_unit_test(test_facts),
        cmocka_unit_test(test_let_through),  cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, make_db, remove_db);
}
