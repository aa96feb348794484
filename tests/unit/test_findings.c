/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings, and hits that no list decided, from the writer to the reports; and a database of
 * version 1 on its way to the present one. */
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/report.h"
#include "store/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

#define SAMPLE_S (SAMPLE_MS / 1000)

static char dir[] = "/tmp/sek-findings-XXXXXX";
static char path[64];
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}};

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return mkdir(dir, 0700);
}

static struct sek_eventsdb *open_db(void)
{
    struct sek_eventsdb *db = NULL;
    struct sek_diag diag = {0};
    char aside[SEK_ASIDE_MAX];
    if (sek_eventsdb_open(path, SAMPLE_S, &db, aside, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(aside, "");
    return db;
}

static struct sek_report *open_report(void)
{
    struct sek_report *r = NULL;
    struct sek_diag diag = {0};
    if (sek_report_open(path, &r, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return r;
}

static int64_t ask(const char *sql)
{
    sqlite3 *db;
    int64_t n = -1;
    struct sek_diag diag = {0};
    if (sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &db, &diag) ||
        sek_sql_int(db, sql, &n, &diag))
        fail_msg("%s: %s", sql, diag.text);
    sek_sql_close(db);
    return n;
}

/* domain NULL: none stands out. */
static struct sek_finding finding(const char *endpoint, int64_t start_ms, const char *domain)
{
    struct sek_finding f;
    struct sek_name name;
    memset(&f, 0xa5, sizeof f); /* unused octets must not matter */
    f.detector = SEK_DETECTOR_DGA;
    f.start_ms = start_ms;
    f.end_ms = start_ms + 60000;
    f.confidence = 0.75f;
    f.mode = SEK_MODE_MONITOR;
    f.blocked_until_s = 0;
    f.domain_len = 0;
    snprintf(f.technique, sizeof f.technique, "T1568.002");
    snprintf(f.evidence, sizeof f.evidence, "{\"kind\":\"hex\",\"names\":23}");
    if (sek_addr_from_text(endpoint, &f.endpoint, NULL))
        abort();
    if (domain) {
        if (sek_name_from_text(domain, strlen(domain), &name, NULL))
            abort();
        f.domain_len = name.len;
        memcpy(f.domain, name.octets, name.len);
    }
    return f;
}

static struct sek_findings_stored store(struct sek_eventsdb *db, const struct sek_finding *all,
                                        unsigned n)
{
    struct sek_findings_stored stored;
    struct sek_diag diag = {0};
    if (sek_eventsdb_store_findings(db, all, n, &stored, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return stored;
}

static void store_event(struct sek_eventsdb *db, struct sek_event e)
{
    struct sek_tally *t;
    struct sek_tally_batch *b;
    uint64_t rows;
    assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
    assert_true(sek_tally_add(t, &e));
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 1, &rows, NULL), SEK_OK);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

/* --- the schema --------------------------------------------------------------------------------
 */

/* A file as version 1 left it. */
static void make_version_1(void)
{
    const char *const steps[] = {sek_events_schema.steps[0], NULL};
    const struct sek_sql_schema old = {steps, sek_events_schema.what, sek_events_schema.app_id};
    sqlite3 *sql;
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &old, &sql, NULL), SEK_OK);
    assert_int_equal(
        sek_sql_run(sql,
                    "INSERT INTO endpoint VALUES(1, '192.0.2.1', 0, 0);"
                    "INSERT INTO name VALUES(1, 'evil.example', 'example.evil', 0);"
                    "INSERT INTO list VALUES(7, 'seven');"
                    "INSERT INTO hit VALUES(5, 28333334, 1, 1, 1, 1, 7, 3, 3, 1, 0, 2, 1, 1, 9, 1);"
                    "INSERT INTO hit_sum VALUES(5, 1700000040000, 1700000041000, 2);",
                    NULL),
        SEK_OK);
    sek_sql_close(sql);
}

static bool see_old(void *arg, const struct sek_hit *hit)
{
    assert_int_equal(hit->id, 5);
    assert_int_equal(hit->count, 2);
    assert_int_equal(hit->score, SEK_SCORE_UNKNOWN);
    assert_string_equal(hit->list, "seven");
    *(int *)arg += 1;
    return true;
}

static void test_migration(void **state)
{
    (void)state;
    struct sek_report *r = NULL;
    struct sek_diag diag = {0};
    int n = 0;
    make_version_1();
    assert_int_equal(sek_report_open(path, &r, &diag), SEK_E_VERSION);
    assert_non_null(strstr(diag.text, "has version 1, this program needs "));
    struct sek_eventsdb *db = open_db();
    store_event(db, sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + 60000));
    struct sek_finding f = finding("192.0.2.1", SAMPLE_MS, NULL);
    assert_int_equal(store(db, &f, 1).n_new, 1);
    assert_true(ask("PRAGMA user_version") >= 8);
    assert_int_equal(ask("SELECT count(*) FROM answer"), 0);
    assert_int_equal(ask("SELECT count(*) FROM hits WHERE score IS NULL AND list = 'seven'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 2);
    r = open_report();
    const struct sek_hit_filter old = {.until_s = SAMPLE_S + 60};
    assert_int_equal(sek_report_hits(r, &old, see_old, &n, NULL), SEK_OK);
    assert_int_equal(n, 1);
    sek_report_close(r);
    sek_eventsdb_close(db);
    db = open_db(); /* and once more: nothing is left to do */
    sek_eventsdb_close(db);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 2);
}

/* The view's words are those of the code's tables. */
static void test_view(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (int mode = SEK_MODE_OFF; mode <= SEK_MODE_BLOCK; mode++) {
        struct sek_finding f = finding("2001:db8::1", SAMPLE_MS + mode, "c2.evil.example");
        f.mode = (enum sek_mode)mode;
        f.blocked_until_s = mode == SEK_MODE_BLOCK ? SAMPLE_S + 3600 : 0;
        store(db, &f, 1);
    }
    sek_eventsdb_close(db);
    sqlite3 *sql;
    sqlite3_stmt *stmt;
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &sql, NULL), SEK_OK);
    assert_int_equal(sek_sql_prepare(sql,
                                     "SELECT detector, first_seen, last_seen, endpoint, domain,"
                                     " confidence, mode, blocked_until, technique, evidence"
                                     " FROM findings ORDER BY id",
                                     &stmt, NULL),
                     SEK_OK);
    for (int mode = SEK_MODE_OFF; mode <= SEK_MODE_BLOCK; mode++) {
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(stmt, 0), sek_detector_names[0].name);
        assert_string_equal(sqlite3_column_text(stmt, 3), "2001:db8::1");
        assert_string_equal(sqlite3_column_text(stmt, 4), "c2.evil.example");
        assert_true(sqlite3_column_double(stmt, 5) == 0.75);
        assert_string_equal(sqlite3_column_text(stmt, 6), sek_lookup_name(sek_mode_names, mode));
        assert_string_equal(sqlite3_column_text(stmt, 8), "T1568.002");
    }
    assert_string_equal(sqlite3_column_text(stmt, 1), "2023-11-14T22:14:00.002Z");
    assert_string_equal(sqlite3_column_text(stmt, 2), "2023-11-14T22:15:00.002Z");
    assert_string_equal(sqlite3_column_text(stmt, 7), "2023-11-14T23:14:00Z");
    assert_string_equal(sqlite3_column_text(stmt, 9), "{\"kind\":\"hex\",\"names\":23}");
    sek_sql_close(sql);
}

/* --- the writer --------------------------------------------------------------------------------
 */

static void test_renewal(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    struct sek_finding all[] = {
        finding("192.0.2.1", SAMPLE_MS, NULL), finding("192.0.2.2", SAMPLE_MS, NULL),
        finding("192.0.2.1", SAMPLE_MS + 1, NULL), finding("192.0.2.1", SAMPLE_MS, "evil.example")};
    all[3].end_ms += 7000;
    all[3].confidence = 0.5f;
    all[3].mode = SEK_MODE_BLOCK;
    all[3].blocked_until_s = SAMPLE_S;
    snprintf(all[3].evidence, sizeof all[3].evidence, "{}");
    struct sek_findings_stored s = store(db, all, 4);
    assert_int_equal(s.n_new, 3);
    assert_int_equal(s.n_renewed, 1);
    assert_int_equal(s.n_refused, 0);
    assert_int_equal(ask("SELECT count(*) FROM finding"), 3);
    assert_int_equal(ask("SELECT id FROM finding WHERE end_ms - start_ms = 67000"
                         " AND confidence = 0.5 AND mode = 2 AND domain_path = 'example.evil'"
                         " AND blocked_until_s > 0 AND evidence = '{}'"),
                     1);
    assert_int_equal(store(db, all, 0).n_new, 0);
    sek_eventsdb_close(db);
    db = open_db(); /* a new process knows it again, too */
    assert_int_equal(store(db, &all[0], 1).n_renewed, 1);
    assert_int_equal(ask("SELECT count(*) FROM finding WHERE domain = ''"), 3);
    sek_eventsdb_close(db);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const evidence[] = {"", "{", "[1]", "3", "{\"a\":\"\n\"}", "{\"a\":1} x"};
    struct sek_eventsdb *db = open_db();
    struct sek_finding all[8];
    for (unsigned i = 0; i < 8; i++) {
        all[i] = finding("192.0.2.1", SAMPLE_MS + i, "evil.example");
        if (i < 6)
            snprintf(all[i].evidence, sizeof all[i].evidence, "%s", evidence[i]);
    }
    all[6].domain[0] = 64; /* no label is that long */
    struct sek_findings_stored s = store(db, all, 8);
    assert_int_equal(s.n_refused, 7);
    assert_int_equal(s.n_new, 1);
    /* a renewal is refused, and leaves the row as it was */
    snprintf(all[7].evidence, sizeof all[7].evidence, "{");
    assert_int_equal(store(db, &all[7], 1).n_refused, 1);
    assert_int_equal(ask("SELECT count(*) FROM finding WHERE json_valid(evidence)"), 1);
    sek_eventsdb_close(db);
}

/* Nothing of a failed transaction is there. */
static void test_locked(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    struct sek_finding f = finding("192.0.2.1", SAMPLE_MS, NULL);
    struct sek_findings_stored s;
    sqlite3 *blocker;
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &sek_events_schema, &blocker, NULL),
                     SEK_OK);
    assert_int_equal(sek_sql_run(blocker, "BEGIN IMMEDIATE", NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_store_findings(db, &f, 1, &s, NULL), SEK_E_BUSY);
    assert_int_equal(sek_sql_run(blocker, "ROLLBACK", NULL), SEK_OK);
    sek_sql_close(blocker);
    assert_int_equal(store(db, &f, 1).n_new, 1);
    sek_eventsdb_close(db);
}

static void retain_all(struct sek_eventsdb *db, int64_t oldest_s, uint64_t max_octets)
{
    const struct sek_oldest o = {oldest_s, oldest_s, oldest_s};
    bool more = true;
    for (int i = 0; more; i++)
        if (i > 200 || sek_eventsdb_retain(db, &o, max_octets, 10, &more, NULL) != SEK_OK)
            fail_msg("step %d", i);
}

static void test_retention(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (int i = 0; i < 40; i++) {
        struct sek_finding f = finding("192.0.2.1", SAMPLE_MS + i * 60000, NULL);
        store(db, &f, 1);
    }
    retain_all(db, 0, UINT64_MAX); /* the clock is not trusted */
    assert_int_equal(ask("SELECT count(*) FROM finding"), 40);
    /* by the end, which is a minute after the start */
    retain_all(db, SAMPLE_S + 26 * 60, UINT64_MAX);
    assert_int_equal(ask("SELECT min(end_ms) FROM finding"), SAMPLE_MS + 26 * 60000);
    assert_int_equal(ask("SELECT count(*) FROM finding"), 15);
    /* for lack of room: after all else */
    store_event(db, sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + 86400000));
    bool more = true;
    for (int i = 0; ask("SELECT count(*) FROM hit") > 0; i++)
        assert_true(i < 10 && !sek_eventsdb_retain(db, &(struct sek_oldest){0}, 0, 10, &more, 0));
    assert_int_equal(ask("SELECT count(*) FROM finding"), 15);
    retain_all(db, 0, 0);
    assert_int_equal(ask("SELECT count(*) FROM finding"), 0);
    sek_eventsdb_close(db);
}

/* --- reports -----------------------------------------------------------------------------------
 */

/* A minute apart; the id is the place here. Each lasts a minute. */
static const struct {
    const char *endpoint, *domain;
    int block_s; /* from SAMPLE_S */
} rows[] = {
    {"192.0.2.1", "evil.example", 100},   {"192.0.2.1", NULL, 0},
    {"2001:db8::1", "a.evil.example", 0}, {"192.0.2.2", "notevil.example", 200},
    {"192.0.2.3", "evil.example", 300},   {"192.0.2.3", "\\000\\.x.example", 300},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static void fill(void)
{
    struct sek_eventsdb *db = open_db();
    for (size_t i = 0; i < N_ROWS; i++) {
        struct sek_finding f =
            finding(rows[i].endpoint, SAMPLE_MS + (int64_t)i * 60000, rows[i].domain);
        f.mode = rows[i].block_s ? SEK_MODE_BLOCK : SEK_MODE_MONITOR;
        f.blocked_until_s = rows[i].block_s ? SAMPLE_S + rows[i].block_s : 0;
        assert_int_equal(store(db, &f, 1).n_new, 1);
    }
    sek_eventsdb_close(db);
}

/* Ids in the order they came, "3 2 1". */
struct seen {
    char text[256];
    unsigned n, stop_after;
};

static bool see_id(void *arg, const struct sek_finding_row *row)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%lld", len ? " " : "",
             (long long)row->id);
    return ++seen->n != seen->stop_after;
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct sek_finding_filter f;
        const char *expected;
    } cases[] = {
        {"all, newest first", {0}, "6 5 4 3 2 1"},
        {"limit", {.limit = 2}, "6 5"},
        {"id", {.id = 3}, "3"},
        {"id unknown", {.id = 7}, ""},
        {"endpoint", {.endpoint = "192.0.2.1"}, "2 1"},
        {"endpoint, other spelling", {.endpoint = "2001:DB8:0::1"}, "3"},
        {"endpoint unknown", {.endpoint = "192.0.2.99"}, ""},
        {"at or below", {.domain = "evil.example"}, "5 3 1"},
        {"upper case, dot", {.domain = "EVIL.example."}, "5 3 1"},
        {"below", {.domain = "*.evil.example"}, "3"},
        {"exact", {.domain = "=evil.example"}, "5 1"},
        {"a top-level domain", {.domain = "example"}, "6 5 4 3 1"},
        {"all below the root", {.domain = "*."}, "6 5 4 3 1"},
        {"octets", {.domain = "=\\000\\.x.example"}, "6"},
        {"detector", {.detector = SEK_DETECTOR_DGA}, "6 5 4 3 2 1"},
        {"another detector", {.detector = 99}, ""},
        {"blocked", {.blocked_at_s = SAMPLE_S + 199}, "6 5 4"},
        {"blocked, a second later", {.blocked_at_s = SAMPLE_S + 200}, "6 5"},
        {"since", {.since_s = SAMPLE_S + 240}, "6 5 4"},
        {"since, a second later", {.since_s = SAMPLE_S + 241}, "6 5"},
        {"until", {.until_s = SAMPLE_S + 120}, "2 1"},
        {"until, a second later", {.until_s = SAMPLE_S + 121}, "3 2 1"},
        {"several", {.endpoint = "192.0.2.3", .domain = "evil.example", .detector = 1}, "5"},
    };
    fill();
    struct sek_report *r = open_report();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct sek_diag diag = {0};
        if (sek_report_findings(r, &cases[i].f, see_id, &seen, &diag) != SEK_OK)
            fail_msg("%s: %s", cases[i].label, diag.text);
        if (strcmp(seen.text, cases[i].expected) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].label, seen.text, cases[i].expected);
    }
    struct seen few = {.stop_after = 2}, none = {0};
    assert_int_equal(sek_report_findings(r, &cases[0].f, see_id, &few, NULL), SEK_OK);
    assert_string_equal(few.text, "6 5");
    assert_int_not_equal(
        sek_report_findings(r, &(struct sek_finding_filter){.endpoint = "x"}, see_id, &none, NULL),
        SEK_OK);
    assert_int_not_equal(
        sek_report_findings(r, &(struct sek_finding_filter){.domain = "a..b"}, see_id, &none, NULL),
        SEK_OK);
    assert_int_equal(none.n, 0);
    sek_report_close(r);
}

static bool see_members(void *arg, const struct sek_finding_row *row)
{
    static const char *const expected[] = {"hex \"x\"", "0.81",        "23", "2.5",
                                           NULL,        "a.com b.net", "",   NULL};
    for (int i = 0; i < 8; i++)
        if ((expected[i] == NULL) != (row->members[i] == NULL) ||
            (expected[i] && strcmp(expected[i], row->members[i]) != 0))
            fail_msg("member %d: %s", i, row->members[i] ? row->members[i] : "none");
    assert_null(strchr(row->evidence, '\n'));
    assert_non_null(strstr(row->evidence, "\"names\":23,"));
    assert_string_equal(row->domain, "");
    assert_string_equal(row->technique, "T1568.002");
    assert_int_equal(row->mode, SEK_MODE_MONITOR);
    assert_int_equal(row->end_ms - row->start_ms, 60000);
    *(int *)arg += 1;
    return true;
}

static void test_members(void **state)
{
    (void)state;
    static const char *const members[] = {"$.kind",        "$.share",    "$.names", "$.parts.names",
                                          "$.parts.words", "$.examples", "$.empty", "$.resolved"};
    struct sek_eventsdb *db = open_db();
    struct sek_finding f = finding("192.0.2.1", SAMPLE_MS, NULL);
    int n = 0;
    snprintf(f.evidence, sizeof f.evidence,
             "{\"kind\":\"hex \\\"x\\\"\",\n\"share\":0.81, \"names\" : 23,"
             "\"parts\":{\"names\":2.5},\"examples\":[\"a.com\",\"b.net\"],\"empty\":\"\","
             "\"resolved\":null}");
    store(db, &f, 1);
    sek_eventsdb_close(db);
    struct sek_report *r = open_report();
    assert_int_equal(
        sek_report_findings(r, &(struct sek_finding_filter){.members = members, .n_members = 8},
                            see_members, &n, NULL),
        SEK_OK);
    assert_int_equal(n, 1);
    sek_report_close(r);
}

/* More than one page, many with the same end. */
static void test_pages(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    static struct sek_finding all[600];
    for (unsigned i = 0; i < 600; i++) {
        all[i] = finding("192.0.2.1", SAMPLE_MS + i, NULL);
        all[i].end_ms = SAMPLE_MS + 1000 + i / 300;
    }
    assert_int_equal(store(db, all, 600).n_new, 600);
    sek_eventsdb_close(db);
    struct sek_report *r = open_report();
    struct seen seen = {0};
    assert_int_equal(sek_report_findings(r, &(struct sek_finding_filter){0}, see_id, &seen, NULL),
                     SEK_OK);
    assert_int_equal(seen.n, 600);
    assert_memory_equal(seen.text, "600 599 598 ", 12);
    seen = (struct seen){0};
    assert_int_equal(
        sek_report_findings(r, &(struct sek_finding_filter){.limit = 300}, see_id, &seen, NULL),
        SEK_OK);
    assert_int_equal(seen.n, 300);
    sek_report_close(r);
}

static bool see_blocked(void *arg, enum sek_detector by, const struct sek_name *domain,
                        int64_t until_s)
{
    struct seen *seen = arg;
    char text[SEK_NAME_TEXT_MAX];
    size_t len = strlen(seen->text);
    assert_int_equal(by, SEK_DETECTOR_DGA);
    sek_name_to_text(domain->octets, text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%s %lld", len ? ", " : "", text,
             (long long)(until_s - SAMPLE_S));
    return ++seen->n != seen->stop_after;
}

static void test_blocked_domains(void **state)
{
    (void)state;
    static const struct {
        int at_s;
        unsigned stop_after;
        const char *expected;
    } cases[] = {
        {0, 0, "\\000\\.x.example 300, evil.example 300, notevil.example 200"},
        {200, 0, "\\000\\.x.example 300, evil.example 300"},
        {0, 1, "\\000\\.x.example 300"},
        {300, 0, ""},
    };
    fill();
    struct sek_report *r = open_report();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.stop_after = cases[i].stop_after};
        assert_int_equal(
            sek_report_blocked_domains(r, SAMPLE_S + cases[i].at_s, NULL, see_blocked, &seen, NULL),
            SEK_OK);
        assert_string_equal(seen.text, cases[i].expected);
    }
    sek_report_close(r);
}

/* --- hits without a list -----------------------------------------------------------------------
 */

static bool see_list(void *arg, const struct sek_hit *hit)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%lld:%s", len ? " " : "",
             (long long)hit->id, hit->list);
    assert_int_equal(hit->score, hit->id == 1 ? SEK_SCORE_UNKNOWN : 351);
    return true;
}

static bool see_group(void *arg, const struct sek_hit_group *g)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%s%s=%llu", len ? " " : "", g->key,
             (unsigned long long)g->count);
    return true;
}

static void test_deciders(void **state)
{
    (void)state;
    static const uint8_t triggers[] = {SEK_TRIGGER_QNAME, SEK_TRIGGER_CLASSIFIER,
                                       SEK_TRIGGER_FINDING, SEK_TRIGGER_STRICT, SEK_TRIGGER_NOD};
    static const struct {
        const char *list, *expected;
    } cases[] = {
        {NULL, "5:nod 4:strict 3:finding 2:classifier 1:seven"},
        {"classifier", "2:classifier"},
        {"finding", "3:finding"},
        {"nod", "5:nod"},
        {"seven", "1:seven"},
        {"strict", "4:strict"},
        {"", ""},
    };
    struct sek_eventsdb *db = open_db();
    for (int i = 0; i < 5; i++) {
        struct sek_event e = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + i * 60000);
        e.trigger = triggers[i];
        e.list = i == 0 ? 7 : 0;
        e.score = i == 0 ? SEK_SCORE_UNKNOWN : sek_score_of(3.514f);
        store_event(db, e);
    }
    sek_eventsdb_close(db);
    struct sek_report *r = open_report();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        assert_int_equal(sek_report_hits(r, &(struct sek_hit_filter){.list = cases[i].list},
                                         see_list, &seen, NULL),
                         SEK_OK);
        assert_string_equal(seen.text, cases[i].expected);
    }
    struct seen groups = {0};
    assert_int_equal(sek_report_hit_groups(r, &(struct sek_hit_filter){0}, SEK_GROUP_LIST,
                                           see_group, &groups, NULL),
                     SEK_OK);
    assert_string_equal(groups.text, "nod=1 finding=1 classifier=1 strict=1 seven=1");
    sek_report_close(r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        CASE(test_migration), CASE(test_view),      CASE(test_renewal),         CASE(test_refused),
        CASE(test_locked),    CASE(test_retention), CASE(test_filters),         CASE(test_members),
        CASE(test_pages),     CASE(test_deciders),  CASE(test_blocked_domains),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
