/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_samples.h"
#include "store/eventsdb.h"
#include "store/report_position.h"
#include "store/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-position.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return mkdir(dir, 0700);
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static struct sek_eventsdb *open_db(void)
{
    struct sek_eventsdb *db = NULL;
    char aside[SEK_ASIDE_MAX];
    assert_int_equal(sek_eventsdb_open(path, SAMPLE_MS / 1000, &db, aside, NULL), SEK_OK);
    return db;
}

static struct sek_finding finding(const char *endpoint)
{
    struct sek_finding f;
    memset(&f, 0, sizeof f);
    f.detector = SEK_DETECTOR_DGA;
    f.start_ms = SAMPLE_MS;
    f.end_ms = SAMPLE_MS + 60000;
    f.confidence = 0.75f;
    f.mode = SEK_MODE_MONITOR;
    snprintf(f.technique, sizeof f.technique, "T1568.002");
    snprintf(f.evidence, sizeof f.evidence, "{}");
    assert_int_equal(sek_addr_from_text(endpoint, &f.endpoint, NULL), SEK_OK);
    return f;
}

static void store(struct sek_eventsdb *db, const struct sek_finding *f)
{
    struct sek_findings_stored stored;
    assert_int_equal(sek_eventsdb_store_findings(db, f, 1, &stored, NULL), SEK_OK);
}

static const struct sek_list lists[] = {{.id = 7, .name = "seven"}};

static void store_hit(struct sek_eventsdb *db, int64_t time_ms)
{
    struct sek_tally *t;
    struct sek_tally_batch *b;
    struct sek_event e = sample_hit("192.0.2.1", "evil.example", time_ms);
    uint64_t rows;
    assert_int_equal(sek_tally_new(64 << 20, NULL, &t), SEK_OK);
    assert_true(sek_tally_add(t, &e));
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 1, &rows, NULL), SEK_OK);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

static int64_t ask(const char *sql)
{
    sqlite3 *db;
    int64_t n = -1;
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &db, NULL), SEK_OK);
    assert_int_equal(sek_sql_int(db, sql, &n, NULL), SEK_OK);
    sek_sql_close(db);
    return n;
}

/* All of it. */
static void retain(struct sek_eventsdb *db)
{
    const int64_t late_s = SAMPLE_MS / 1000 + 86400;
    const struct sek_oldest late = {late_s, late_s, late_s};
    bool more = true;
    while (more)
        assert_int_equal(sek_eventsdb_retain(db, &late, UINT64_MAX, 10, &more, NULL), SEK_OK);
}

/* Once a minute is over for a while its rows stay as they are: what comes then makes others. */
static void test_rows_close(void **state)
{
    static const struct {
        const char *label;
        int64_t now_ms;
        int rows, count;
    } steps[] = {
        {"within the minute", SAMPLE_MS + 500, 1, 1},
        {"still open", SAMPLE_MS + 60000 + SEK_HIT_CLOSED_MS - 1, 1, 2},
        {"closed", SAMPLE_MS + 60000 + SEK_HIT_CLOSED_MS, 2, 2},
        {"once more", SAMPLE_MS + 3600000, 3, 2},
        {"the clock was set back", SAMPLE_MS + 1000, 3, 3},
    };
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        print_message("%s\n", steps[i].label);
        sek_eventsdb_set_time(db, steps[i].now_ms);
        store_hit(db, SAMPLE_MS);
        assert_int_equal(ask("SELECT count(*) FROM hit"), steps[i].rows);
        assert_int_equal(ask("SELECT count FROM hit_sum WHERE id = 1"), steps[i].count);
    }
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 5);
    sek_eventsdb_close(db);
    assert_true(SEK_HIT_FINAL_MS > SEK_HIT_CLOSED_MS);
}

/* Numbers of rows that were deleted are not given again, also after a restart. */
static void test_numbers_stay(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (int i = 0; i < 3; i++) {
        store_hit(db, SAMPLE_MS + i * 60000);
    }
    assert_int_equal(ask("SELECT max(id) FROM hit"), 3);
    retain(db);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 0);
    sek_eventsdb_close(db);
    db = open_db();
    store_hit(db, SAMPLE_MS + 180000);
    assert_int_equal(ask("SELECT id FROM hit"), 4);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 1); /* its sum is there */
    sek_eventsdb_close(db);
}

struct seen_changes {
    int64_t id[8], change[8];
    int n;
};

static bool see_change(void *arg, const struct sek_finding_row *row)
{
    struct seen_changes *seen = arg;
    seen->id[seen->n] = row->id;
    seen->change[seen->n++] = row->change;
    return true;
}

static struct seen_changes changes_after(int64_t change)
{
    struct sek_report *r;
    struct seen_changes seen = {.n = 0};
    struct sek_finding_filter f = {.by_change = true, .after_change = change};
    assert_int_equal(sek_report_open(path, &r, NULL), SEK_OK);
    assert_int_equal(sek_report_findings(r, &f, see_change, &seen, NULL), SEK_OK);
    sek_report_close(r);
    return seen;
}

/* Whoever takes what changed since the last time gets each finding that is new or grew, once. */
static void test_changes(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    struct sek_position at;
    struct sek_report *r;
    struct sek_finding a = finding("192.0.2.1"), b = finding("192.0.2.2");
    store(db, &a);
    store(db, &b);
    struct seen_changes seen = changes_after(0);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.change[1], 2);
    store(db, &a);
    seen = changes_after(2);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.id[0], 1);
    assert_int_equal(seen.change[0], 3);
    assert_int_equal(changes_after(3).n, 0);
    /* neither number comes back */
    retain(db);
    sek_eventsdb_close(db);
    db = open_db();
    store(db, &b);
    seen = changes_after(3);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.id[0], 3);
    assert_int_equal(seen.change[0], 4);
    sek_eventsdb_close(db);
    assert_int_equal(sek_report_open(path, &r, NULL), SEK_OK);
    assert_int_equal(sek_report_position(r, &at, NULL), SEK_OK);
    assert_int_equal(at.change, 4);
    assert_int_equal(at.hit, 0);
    assert_int_not_equal(at.identity, 0);
    sek_report_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_rows_close, setup),
                                       cmocka_unit_test_setup(test_numbers_stay, setup),
                                       cmocka_unit_test_setup(test_changes, setup)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
