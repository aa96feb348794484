/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_samples.h"
#include "store/eventsdb_parts.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#define NOW_S 1795414620 /* 2026-11-23T06:17:00Z */

static char dir[] = "/tmp/sek-eventsdb-XXXXXX";
static char path[64];
static struct sek_tally *tally;
static const struct sek_list lists[] = {{.id = 7, .name = "seven"}, {.id = 8, .name = "eight"}};

static int make_dir(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN); /* the recorder's threads block it */
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
    return mkdir(dir, 0700) || sek_tally_new(64 << 20, NULL, &tally) != SEK_OK;
}

static int teardown(void **state)
{
    (void)state;
    sek_tally_free(tally);
    return 0;
}

static struct sek_eventsdb *open_db(void)
{
    struct sek_eventsdb *db = NULL;
    struct sek_diag diag = {0};
    char aside[SEK_ASIDE_MAX];
    if (sek_eventsdb_open(path, NOW_S, &db, aside, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(aside, "");
    return db;
}

static void add(struct sek_event e)
{
    assert_true(sek_tally_add(tally, &e));
}

static struct sek_tally_batch *take(void)
{
    struct sek_tally_batch *b;
    assert_int_equal(sek_tally_take(tally, true, &b), SEK_OK);
    assert_non_null(b);
    return b;
}

static void store(struct sek_eventsdb *db)
{
    struct sek_diag diag = {0};
    struct sek_tally_batch *b = take();
    uint64_t rows;
    if (sek_eventsdb_store(db, b, lists, 2, &rows, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(rows, b->n_hits + b->n_traffic);
    sek_tally_batch_free(b);
}

/* What another process sees. */
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

static void check_integrity(void)
{
    assert_int_equal(
        ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

static void test_sums_in_place(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (int i = 0; i < 3; i++) {
        add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + i * 1000));
        add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + i * 1000));
        add(sample_hit("192.0.2.2", "evil.example", SAMPLE_MS));
        add(sample_event("192.0.2.1", "good.example", NULL, SEK_OUTCOME_CACHED, SAMPLE_MS));
        store(db);
    }
    assert_int_equal(ask("SELECT count(*) FROM hit"), 2);
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 9);
    assert_int_equal(ask("SELECT max(last_ms) - min(first_ms) FROM hit_sum"), 2000);
    assert_int_equal(ask("SELECT count(*) FROM traffic"), 3);
    assert_int_equal(ask("SELECT sum(cached) * 100 + sum(hits) FROM traffic"), 309);
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + 60000));
    store(db);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 3);
    /* the last minute's stragglers still find their row */
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
    store(db);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 3);
    /* a new process does not know the rows: it adds one, and no count is lost */
    sek_eventsdb_close(db);
    db = open_db();
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + 60000));
    store(db);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 4);
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 12);
    assert_int_equal(ask("SELECT count(*) FROM traffic"), 4);
    assert_int_equal(ask("SELECT sum(hits) FROM traffic"), 12);
    assert_int_equal(ask("SELECT count(*) FROM name"), 2);
    sek_eventsdb_close(db);
    check_integrity();
}

/* A clock set back by days: rows of both times, all counted. */
static void test_clock_back(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    static const int64_t days[] = {0, 3, -400, 0, 3, -400};
    for (int i = 0; i < 6; i++) {
        add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS + days[i] * 86400000));
        store(db);
    }
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 6);
    assert_int_equal(ask("SELECT count(*) FROM traffic"), 3);
    assert_int_equal(ask("SELECT sum(hits) FROM traffic"), 6);
    sek_eventsdb_close(db);
}

static void test_views(void **state)
{
    (void)state;
    static const struct {
        const char *label, *name, *matched, *view_name, *rule;
        uint8_t scope, depth;
    } cases[] = {
        {"exact", "evil.example", NULL, "evil.example", "=evil.example", SEK_SCOPE_EXACT, 0},
        {"subtree", "a.b.evil.example", NULL, "a.b.evil.example", "evil.example", SEK_SCOPE_SUBTREE,
         2},
        {"below", "x.evil.example", NULL, "x.evil.example", "*.evil.example", SEK_SCOPE_BELOW, 1},
        {"cname", "www.good.example", "cdn.evil.example", "www.good.example", "evil.example",
         SEK_SCOPE_SUBTREE, 1},
        {"hostile", "a\\.b\\000\\027\\0912j\\255\\039.example", NULL,
         "a\\.b\\000\\027\\0912j\\255\\039.example", "example", SEK_SCOPE_SUBTREE, 1},
        {"root", ".", NULL, ".", "=.", SEK_SCOPE_EXACT, 0},
    };
    struct sek_eventsdb *db = open_db();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_event e = sample_event("2001:db8::1", cases[i].name, cases[i].matched,
                                          SEK_OUTCOME_HIT, SAMPLE_MS + (int64_t)i);
        e.scope = cases[i].scope;
        e.depth = cases[i].depth;
        e.qtype = (uint16_t)(i == 0 ? 65 : 65400);
        add(e);
    }
    store(db);
    sqlite3 *sql;
    sqlite3_stmt *stmt;
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &sql, NULL), SEK_OK);
    assert_int_equal(sek_sql_prepare(sql,
                                     "SELECT name, rule, matched, endpoint, list, action, trigger,"
                                     " type, first_seen FROM hits ORDER BY id",
                                     &stmt, NULL),
                     SEK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *rule = (const char *)sqlite3_column_text(stmt, 1);
        if (strcmp(name, cases[i].view_name) != 0 || strcmp(rule, cases[i].rule) != 0)
            fail_msg("%s: %s, %s", cases[i].label, name, rule);
        assert_string_equal(sqlite3_column_text(stmt, 2),
                            cases[i].matched ? cases[i].matched : cases[i].view_name);
        assert_string_equal(sqlite3_column_text(stmt, 3), "2001:db8::1");
        assert_string_equal(sqlite3_column_text(stmt, 4), "seven");
        assert_string_equal(sqlite3_column_text(stmt, 5), "sinkhole");
        assert_string_equal(sqlite3_column_text(stmt, 6), cases[i].matched ? "cname" : "qname");
        assert_string_equal(sqlite3_column_text(stmt, 7), i == 0 ? "HTTPS" : "TYPE65400");
        if (i == 0)
            assert_string_equal(sqlite3_column_text(stmt, 8), "2023-11-14T22:14:00.000Z");
    }
    sek_sql_close(sql);
    sek_eventsdb_close(db);
    assert_int_equal(ask("SELECT count(*) FROM traffic_by_minute WHERE queries = hits"), 6);
    assert_int_equal(ask("SELECT count(*) FROM endpoints WHERE endpoint = '2001:db8::1'"), 1);
}

/* The views' words are those of the code's tables. */
static void test_view_words(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    for (int i = SEK_ACTION_PASSTHRU; i <= SEK_ACTION_DROP; i++) {
        struct sek_event e = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS);
        e.action = e.would = (uint8_t)i;
        e.trigger = (uint8_t)(i % 7);
        e.list = e.trigger < SEK_TRIGGER_CLASSIFIER ? 7 : 0;
        e.score = i == SEK_ACTION_DROP ? SEK_SCORE_UNKNOWN : (int16_t)(-150 * i);
        add(e);
    }
    store(db);
    sek_eventsdb_close(db);
    sqlite3 *sql;
    sqlite3_stmt *stmt;
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &sql, NULL), SEK_OK);
    assert_int_equal(
        sek_sql_prepare(sql, "SELECT action, would, trigger, list, score FROM hits ORDER BY id",
                        &stmt, NULL),
        SEK_OK);
    for (int i = SEK_ACTION_PASSTHRU; i <= SEK_ACTION_DROP; i++) {
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(stmt, 0), sek_lookup_name(sek_action_names, i));
        assert_string_equal(sqlite3_column_text(stmt, 1), sek_lookup_name(sek_action_names, i));
        assert_string_equal(sqlite3_column_text(stmt, 2),
                            sek_lookup_name(sek_trigger_names, i % 7));
        assert_string_equal(
            sqlite3_column_text(stmt, 3),
            i % 7 < SEK_TRIGGER_CLASSIFIER ? "seven" : sek_lookup_name(sek_trigger_names, i % 7));
        if (i == SEK_ACTION_DROP)
            assert_int_equal(sqlite3_column_type(stmt, 4), SQLITE_NULL);
        else
            assert_true(sqlite3_column_double(stmt, 4) == -1.5 * i);
    }
    sek_sql_close(sql);
}

/* A failed transaction stores nothing, and the same batch goes in later, once. */
static void test_locked_and_full(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    struct sek_tally_batch *b;
    sqlite3 *blocker;
    struct sek_diag diag;
    struct rlimit old, small;
    uint64_t rows;
    add(sample_hit("192.0.2.1", "first.example", SAMPLE_MS));
    store(db);
    for (int i = 0; i < 5000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example", i);
        add(sample_hit("192.0.2.1", name, SAMPLE_MS));
    }
    b = take();
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &sek_events_schema, &blocker, NULL),
                     SEK_OK);
    assert_int_equal(sek_sql_run(blocker, "BEGIN IMMEDIATE", NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &rows, &diag), SEK_E_BUSY);
    assert_int_equal(sek_sql_run(blocker, "ROLLBACK", NULL), SEK_OK);
    sek_sql_close(blocker);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){200000, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    enum sek_err first = sek_eventsdb_store(db, b, lists, 2, &rows, &diag);
    enum sek_err second = sek_eventsdb_store(db, b, lists, 2, &rows, &diag);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_not_equal(first, SEK_OK);
    assert_int_not_equal(second, SEK_OK);
    assert_int_equal(sek_sql_run(db->sql, "PRAGMA max_page_count=40", NULL), SEK_OK);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &rows, &diag), SEK_E_FULL);
    assert_int_equal(sek_sql_run(db->sql, "PRAGMA max_page_count=1000000", NULL), SEK_OK);
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 1);
    assert_int_equal(sek_eventsdb_store(db, b, lists, 2, &rows, &diag), SEK_OK);
    sek_tally_batch_free(b);
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 5001);
    assert_int_equal(ask("SELECT sum(hits) FROM traffic"), 5001);
    sek_eventsdb_close(db);
    check_integrity();
}

static void put_garbage(const char *file, off_t at, size_t len)
{
    char garbage[65536];
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    memset(garbage, 0x5a, sizeof garbage);
    assert_int_equal(pwrite(fd, garbage, len, at), len);
    close(fd);
}

static void test_garbage_is_put_aside(void **state)
{
    (void)state;
    char aside[SEK_ASIDE_MAX], expected[128], wal[80];
    struct sek_eventsdb *db;
    struct stat st;
    for (int i = 0; i < 3; i++) {
        snprintf(wal, sizeof wal, "%s-wal", path);
        put_garbage(path, 0, 5000);
        put_garbage(wal, 0, 700);
        assert_int_equal(sek_eventsdb_open(path, NOW_S, &db, aside, NULL), SEK_OK);
        snprintf(expected, sizeof expected, "%s.corrupt-20261123T061700Z%.*s", path, i ? 2 : 0,
                 i == 1 ? "-1" : "-2");
        assert_string_equal(aside, expected);
        assert_int_equal(stat(aside, &st), 0);
        assert_int_equal(st.st_size, 5000);
        strncat(expected, "-wal", 5);
        assert_int_equal(stat(expected, &st), 0);
        assert_int_equal(st.st_size, 700);
        add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
        store(db);
        sek_eventsdb_close(db);
        assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 1);
        unlink(path);
    }
}

/* Damage inside: found after a kill, by quick_check; and while it is in use. */
static void test_damage_inside(void **state)
{
    (void)state;
    char aside[SEK_ASIDE_MAX];
    struct sek_eventsdb *db = open_db();
    struct stat st;
    for (int i = 0; i < 3000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example", i);
        add(sample_hit("192.0.2.1", name, SAMPLE_MS));
    }
    store(db);
    sek_eventsdb_close(db);
    assert_int_equal(ask("SELECT value FROM state WHERE key = 'unclean'"), 0);
    pid_t child = fork();
    if (child == 0) {
        db = open_db();
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(ask("SELECT value FROM state WHERE key = 'unclean'"), 1);
    assert_int_equal(stat(path, &st), 0);
    put_garbage(path, st.st_size / 4096 / 2 * 4096, 8192);
    assert_int_equal(sek_eventsdb_open(path, NOW_S, &db, aside, NULL), SEK_OK);
    assert_string_not_equal(aside, "");
    sek_eventsdb_close(db);
    check_integrity();
}

/* What is not ours, or newer than we are, is never moved or changed. */
static void test_left_alone(void **state)
{
    (void)state;
    static const char *const marks[] = {"PRAGMA application_id=1", "PRAGMA user_version=999"};
    static const enum sek_err expected[] = {SEK_E_INVALID, SEK_E_VERSION};
    for (int i = 0; i < 2; i++) {
        struct sek_eventsdb *db = open_db();
        sqlite3 *sql;
        char aside[SEK_ASIDE_MAX];
        sek_eventsdb_close(db);
        assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &sek_events_schema, &sql, NULL),
                         SEK_OK);
        assert_int_equal(sek_sql_run(sql, marks[i], NULL), SEK_OK);
        sek_sql_close(sql);
        assert_int_equal(sek_eventsdb_open(path, NOW_S, &db, aside, NULL), expected[i]);
        assert_string_equal(aside, "");
        assert_int_equal(access(path, F_OK), 0);
        teardown(NULL);
        setup(NULL);
    }
}

static void test_moved(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    char away[80];
    snprintf(away, sizeof away, "%s.away", path);
    assert_false(sek_eventsdb_is_moved(db));
    assert_int_equal(rename(path, away), 0);
    assert_true(sek_eventsdb_is_moved(db));
    put_garbage(path, 0, 100);
    assert_true(sek_eventsdb_is_moved(db));
    unlink(path);
    assert_int_equal(rename(away, path), 0);
    assert_false(sek_eventsdb_is_moved(db));
    sek_eventsdb_close(db);
}

static void retain_all(struct sek_eventsdb *db, int64_t oldest_s, uint64_t max_octets)
{
    struct sek_diag diag = {0};
    bool more = true;
    for (int i = 0; more; i++) {
        int64_t before = ask("SELECT count(*) FROM hit") + ask("SELECT count(*) FROM traffic");
        if (i > 2000 || sek_eventsdb_retain(db, &(struct sek_oldest){oldest_s, oldest_s, oldest_s},
                                            max_octets, 500, &more, &diag) != SEK_OK)
            fail_msg("step %d: %s", i, diag.text);
        int64_t after = ask("SELECT count(*) FROM hit") + ask("SELECT count(*) FROM traffic");
        assert_true(before - after <= 1000); /* small batches */
    }
}

/* 40 hours, 100 names each of its own; deleted rows take their names and endpoints with them. */
static void fill(struct sek_eventsdb *db)
{
    for (int hour = 0; hour < 40; hour++) {
        for (int i = 0; i < 100; i++) {
            char name[64], endpoint[32];
            snprintf(name, sizeof name, "h%d-%d.example", hour, i);
            snprintf(endpoint, sizeof endpoint, "10.0.%d.1", hour);
            add(sample_hit(endpoint, name, SAMPLE_MS + hour * 3600000LL));
            add(sample_event(endpoint, "always.example", NULL, SEK_OUTCOME_PASSED,
                             SAMPLE_MS + hour * 3600000LL));
        }
        store(db);
    }
}

static void test_retention_by_age(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    fill(db);
    assert_int_equal(ask("SELECT count(*) FROM name"), 4001);
    retain_all(db, SAMPLE_MS / 1000 + 30 * 3600, UINT64_MAX);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 1000);
    assert_int_equal(ask("SELECT count(DISTINCT minute) FROM traffic"), 10);
    assert_int_equal(ask("SELECT count(*) FROM name"), 1001);
    assert_int_equal(ask("SELECT count(*) FROM endpoint"), 10);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 1000); /* joins find all */
    /* everything: and the database still takes events */
    retain_all(db, SAMPLE_MS / 1000 + 1000 * 3600, UINT64_MAX);
    assert_int_equal(ask("SELECT count(*) FROM hit"), 0);
    add(sample_hit("10.0.39.1", "h39-1.example", SAMPLE_MS + 39 * 3600000LL));
    store(db);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 1);
    sek_eventsdb_close(db);
    check_integrity();
}

/* Each kind by its own time. */
static void test_retention_by_kind(void **state)
{
    struct sek_diag diag = {0};
    bool more = true;
    (void)state;
    struct sek_eventsdb *db = open_db();
    fill(db);
    const struct sek_oldest oldest = {.hits_s = SAMPLE_MS / 1000 + 30 * 3600,
                                      .traffic_s = SAMPLE_MS / 1000 + 35 * 3600};
    while (more)
        assert_int_equal(sek_eventsdb_retain(db, &oldest, UINT64_MAX, 500, &more, &diag), SEK_OK);
    assert_int_equal(ask("SELECT count(DISTINCT minute) FROM hit"), 10);
    assert_int_equal(ask("SELECT count(DISTINCT minute) FROM traffic"), 5);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 1000); /* their names are there */
    sek_eventsdb_close(db);
}

static void test_oldest(void **state)
{
    struct sek_conf conf;
    (void)state;
    assert_int_equal(sek_conf_init(&conf, NULL), SEK_OK);
    conf.events.retention_s = 1000;
    conf.events.hits_s = 100;
    conf.events.traffic_s = 5000; /* no longer than the rest */
    conf.events.findings_s = 1000;
    struct sek_oldest o = sek_oldest_of(&conf, 10000);
    assert_int_equal(o.hits_s, 9900);
    assert_int_equal(o.traffic_s, 9000);
    assert_int_equal(o.findings_s, 9000);
    o = sek_oldest_of(&conf, 0); /* no clock to trust */
    assert_true(o.hits_s == 0 && o.traffic_s == 0 && o.findings_s == 0);
    sek_conf_fini(&conf);
}

static void test_retention_by_size(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    fill(db);
    const uint64_t cap = 400000;
    assert_true(ask("SELECT page_count * 4096 FROM pragma_page_count") > (int64_t)cap);
    retain_all(db, 0, cap);
    assert_true(ask("SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count,"
                    " pragma_freelist_count") <= (int64_t)cap);
    assert_true(ask("SELECT count(*) FROM hit") > 0);
    assert_int_equal(ask("SELECT count(*) FROM hits"), ask("SELECT count(*) FROM hit"));
    assert_int_equal(ask("SELECT max(minute) FROM hit"), SAMPLE_MS / 60000 + 39 * 60);
    assert_true(ask("SELECT min(minute) FROM hit") > SAMPLE_MS / 60000);
    retain_all(db, 0, 0); /* a cap that cannot be reached ends, too */
    assert_int_equal(ask("SELECT count(*) FROM hit"), 0);
    sek_eventsdb_close(db);
    check_integrity();
}

/* A row that clean-up deleted under the writer's memory of it comes back as a new one. */
static void test_row_deleted_meanwhile(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
    store(db);
    retain_all(db, 0, 0);
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
    store(db);
    assert_int_equal(ask("SELECT count(*) FROM hits"), 1);
    sek_eventsdb_close(db);
}

/* A reader with an open transaction neither stops the writer nor sees half a batch. */
static void test_reader_during_writes(void **state)
{
    (void)state;
    struct sek_eventsdb *db = open_db();
    sqlite3 *reader;
    int64_t n;
    add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
    store(db);
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &sek_events_schema, &reader, NULL), SEK_OK);
    assert_int_equal(sek_sql_run(reader, "BEGIN", NULL), SEK_OK);
    assert_int_equal(sek_sql_int(reader, "SELECT sum(count) FROM hit_sum", &n, NULL), SEK_OK);
    for (int i = 0; i < 10; i++) {
        add(sample_hit("192.0.2.1", "evil.example", SAMPLE_MS));
        store(db);
        sek_eventsdb_checkpoint(db, true);
    }
    assert_int_equal(sek_sql_int(reader, "SELECT sum(count) FROM hit_sum", &n, NULL), SEK_OK);
    assert_int_equal(n, 1);
    sek_sql_close(reader);
    sek_eventsdb_checkpoint(db, true);
    char wal[80];
    struct stat st;
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(ask("SELECT sum(count) FROM hit_sum"), 11);
    sek_eventsdb_close(db);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_sums_in_place),
        CASE(test_clock_back),
        CASE(test_views),
        CASE(test_view_words),
        CASE(test_locked_and_full),
        CASE(test_garbage_is_put_aside),
        CASE(test_damage_inside),
        CASE(test_left_alone),
        CASE(test_moved),
        CASE(test_retention_by_age),
        CASE(test_retention_by_kind),
        CASE(test_oldest),
        CASE(test_retention_by_size),
        CASE(test_row_deleted_meanwhile),
        CASE(test_reader_during_writes),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
