/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over a period: steps, groups, times without queries, new domains. The rows are written as
 * the recorder does, but by plain SQL: what counts here is how they are read. */
#include "store/eventsdb.h"
#include "store/report_period.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define DAY 86400LL
#define BEGIN (20000 * DAY) /* a midnight */

static char dir[] = "/tmp/sek-period-XXXXXX";
static char path[64];

static int make(void **state)
{
    struct sek_eventsdb *db;
    char aside[SEK_ASIDE_MAX];
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/events.db", dir);
    if (sek_eventsdb_open(path, BEGIN, &db, aside, NULL))
        return -1;
    sek_eventsdb_checkpoint(db, true);
    sek_eventsdb_close(db);
    return 0;
}

static int clear(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static void run(const char *text, int64_t a, int64_t b, int64_t c)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, a);
    sqlite3_bind_int64(stmt, 2, b);
    sqlite3_bind_int64(stmt, 3, c);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void empty(void)
{
    static const char *const tables[] = {"DELETE FROM hit",  "DELETE FROM traffic",
                                         "DELETE FROM name", "DELETE FROM endpoint",
                                         "DELETE FROM list", "DELETE FROM domain"};
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++)
        run(tables[i], 0, 0, 0);
}

/* A hit of endpoint and domain `who`, decided by `list` (0: the classifier), `count` times. */
static void hit(int64_t at_s, int64_t who, int64_t list, int64_t count, bool blocked)
{
    run("INSERT OR IGNORE INTO endpoint VALUES (?1, '192.0.2.' || ?1, 0, 0)", who, 0, 0);
    run("INSERT OR IGNORE INTO name VALUES (?1, 'd' || ?1, 'd' || ?1, 0)", who, 0, 0);
    run("INSERT OR IGNORE INTO list VALUES (?1, 'list-' || ?1)", list, 0, 0);
    run(blocked ? "INSERT INTO hit SELECT coalesce(max(id), 0) + 1, ?1 / 60, ?2, ?2, ?2, 1, ?3, 5,"
                  " 5, iif(?3, 1, 4), 0, 2, 1, 1, 1, 7, -32768 FROM hit"
                : "INSERT INTO hit SELECT coalesce(max(id), 0) + 1, ?1 / 60, ?2, ?2, ?2, 1, ?3, 1,"
                  " 5, iif(?3, 1, 4), 1, 2, 1, 1, 1, 7, -32768 FROM hit",
        at_s, who, list);
    run("INSERT INTO hit_sum SELECT max(id), ?1 * 1000, ?1 * 1000 + 5, ?2 FROM hit", at_s, count,
        0);
}

static void queries(int64_t at_s, int64_t n)
{
    run("INSERT INTO traffic VALUES (?1 / 60, 1, 1, 0, ?2, 0, 1, 0, 0)", at_s, n - 1, 0);
}

static struct sek_report *open_report(void)
{
    struct sek_report *r = NULL;
    struct sek_diag diag;
    if (sek_report_open(path, &r, &diag))
        fail_msg("%s", diag.text);
    return r;
}

static struct sek_period *read_period(struct sek_report *r, int64_t since, int64_t until,
                                      int64_t step)
{
    struct sek_period *p = NULL;
    struct sek_diag diag = {0};
    if (sek_period_read(r, since, until, step, &p, &diag))
        fail_msg("%s", diag.text);
    return p;
}

struct seen {
    char text[512];
};

static bool see(void *arg, const struct sek_period_group *g)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof seen->text - n, "%s%s=%d/%d/%d/%d", n ? " " : "", g->key,
             (int)g->hits, (int)g->blocked, (int)g->monitored, (int)g->n_partners);
    return true;
}

static void groups_are(struct sek_report *r, struct sek_period *p, enum sek_period_by by,
                       size_t limit, const char *expected)
{
    struct seen seen = {{0}};
    assert_int_equal(sek_period_groups(r, p, by, limit, see, &seen, NULL), SEK_OK);
    assert_string_equal(seen.text, expected);
}

static void test_sums(void **state)
{
    (void)state;
    size_t n;
    empty();
    hit(BEGIN - 60, 1, 1, 100, true);      /* before */
    hit(BEGIN + 2 * DAY, 1, 1, 100, true); /* behind */
    hit(BEGIN, 1, 1, 3, true);
    hit(BEGIN + DAY - 60, 2, 1, 2, false);
    hit(BEGIN + DAY, 1, 0, 5, true);
    hit(BEGIN + 2 * DAY - 1, 1, 2, 1, true);
    queries(BEGIN - 60, 1000);
    queries(BEGIN, 10);
    queries(BEGIN + 2 * DAY - 60, 7);
    queries(BEGIN + 2 * DAY, 1000);
    struct sek_report *r = open_report();
    struct sek_period *p = read_period(r, BEGIN, BEGIN + 2 * DAY, DAY);
    const struct sek_period_step *steps = sek_period_steps(p, &n);
    assert_int_equal(n, 2);
    assert_true(steps[0].from_s == BEGIN && steps[1].from_s == BEGIN + DAY);
    assert_int_equal(steps[0].hits, 5);
    assert_int_equal(steps[0].blocked, 3);
    assert_int_equal(steps[0].monitored, 2);
    assert_int_equal(steps[0].queries, 10);
    assert_int_equal(steps[1].hits, 6);
    assert_int_equal(steps[1].queries, 7);
    const struct sek_period_total *t = sek_period_total(p);
    assert_int_equal(t->hits, 11);
    assert_int_equal(t->blocked, 9);
    assert_int_equal(t->queries, 17);
    assert_int_equal(t->n_endpoints, 2);
    assert_int_equal(t->n_domains, 2);
    groups_are(r, p, SEK_PERIOD_ENDPOINT, 0, "192.0.2.1=9/9/0/1 192.0.2.2=2/0/2/1");
    groups_are(r, p, SEK_PERIOD_DECIDER, 0, "classifier=5/5/0/1 list-1=5/3/2/2 list-2=1/1/0/1");
    groups_are(r, p, SEK_PERIOD_DOMAIN, 1, "d1=9/9/0/1");
    sek_period_free(p);
    /* steps longer than what is read at once, and a last one that is cut */
    p = read_period(r, BEGIN, BEGIN + 2 * DAY + 60, 30 * DAY);
    assert_int_equal(sek_period_steps(p, &n)[0].hits, 111);
    assert_int_equal(n, 1);
    sek_period_free(p);
    p = read_period(r, BEGIN, BEGIN + DAY + 60, DAY);
    assert_int_equal(sek_period_steps(p, &n)[1].hits, 5);
    assert_int_equal(n, 2);
    sek_period_free(p);
    sek_report_close(r);
}

static void test_gaps(void **state)
{
    (void)state;
    empty();
    struct sek_report *r = open_report();
    struct sek_period *p = read_period(r, BEGIN, BEGIN + DAY, DAY);
    assert_int_equal(sek_period_gaps(p)->n, 0);
    assert_int_equal(sek_period_gaps(p)->first_s, 0);
    sek_period_free(p);
    /* from minute to minute; 29 minutes are no gap, 30 are; one over midnight */
    static const int64_t minutes[] = {0, 1, 31, 62, 1430, 1470};
    for (unsigned i = 0; i < sizeof minutes / sizeof minutes[0]; i++)
        queries(BEGIN + minutes[i] * 60, 1);
    p = read_period(r, BEGIN, BEGIN + 2 * DAY, DAY);
    struct sek_period_gaps g = *sek_period_gaps(p);
    assert_true(g.first_s == BEGIN && g.last_s == BEGIN + 1470 * 60);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.n_kept, 3);
    assert_true(g.from_s[0] == BEGIN + 32 * 60 && g.until_s[0] == BEGIN + 62 * 60);
    assert_true(g.from_s[2] == BEGIN + 1431 * 60 && g.until_s[2] == BEGIN + 1470 * 60);
    assert_int_equal(g.total_s, (30 + 1367 + 39) * 60);
    sek_period_free(p);
    /* of many the longest are kept, in order of time */
    empty();
    int64_t at = 0;
    for (int i = 0; i < 12; i++, at += 60 + (i % 6) * 10)
        queries(BEGIN + at * 60, 1);
    p = read_period(r, BEGIN, BEGIN + 2 * DAY, DAY);
    g = *sek_period_gaps(p);
    assert_int_equal(g.n, 11);
    assert_int_equal(g.n_kept, SEK_PERIOD_GAPS);
    for (unsigned i = 1; i < SEK_PERIOD_GAPS; i++)
        assert_true(g.from_s[i] > g.from_s[i - 1]);
    for (unsigned i = 0; i < SEK_PERIOD_GAPS; i++)
        assert_true(g.until_s[i] - g.from_s[i] >= 69 * 60);
    sek_period_free(p);
    sek_report_close(r);
}

static bool see_new(void *arg, const struct sek_new_domain *one)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof seen->text - n, "%s%s/%s/%d", n ? " " : "", one->domain,
             one->endpoint, (int)one->queries);
    return true;
}

static void test_new_domains(void **state)
{
    (void)state;
    struct seen seen = {{0}};
    uint64_t n = 77;
    empty();
    for (int i = 0; i < 5; i++)
        run("INSERT INTO domain VALUES ('n' || ?1, ?2 * 1000, 'e' || ?1, 'x', 1, NULL, NULL, ?3,"
            " NULL, 0)",
            i, BEGIN + i * 60, i * 10);
    struct sek_report *r = open_report();
    assert_int_equal(
        sek_report_new_domains(r, BEGIN + 60, BEGIN + 4 * 60, 2, &n, see_new, &seen, NULL), SEK_OK);
    assert_int_equal(n, 3);
    assert_string_equal(seen.text, "n3/e3/30 n2/e2/20");
    assert_int_equal(sek_report_new_domains(r, 0, BEGIN, 0, &n, NULL, NULL, NULL), SEK_OK);
    assert_int_equal(n, 0);
    sek_report_close(r);
}

static void test_refused(void **state)
{
    (void)state;
    struct sek_period *p = NULL;
    struct sek_report *r = open_report();
    static const int64_t cases[][3] = {{10 * DAY, 10 * DAY, DAY},
                                       {10 * DAY, 9 * DAY, DAY},
                                       {-1, DAY, DAY},
                                       {0, DAY, 59},
                                       {0, DAY, 90},
                                       {0, 10001 * 60, 60}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(sek_period_read(r, cases[i][0], cases[i][1], cases[i][2], &p, NULL),
                         SEK_E_INVALID);
    sek_period_free(NULL);
    sek_report_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_new_domains),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make, clear);
}
