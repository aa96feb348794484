/* SPDX-License-Identifier: BSD-3-Clause */
/* A large events.db, always the same but for its age, to time reports with:
 *     make_events FILE [HITS [TRAFFIC [DAYS]]]
 * 1,000,000 hits, 5,000,000 rows of traffic by default, over 30 days until now; 2,000 endpoints
 * (10.0.0.1 and on; the first asks for twenty times as much as the others), 50,000 names, 20,000
 * new domains, 200,000 answers, 2,000 findings. Written past the recorder, in the order in which
 * that would write. */
#include "base/err.h"
#include "store/eventsdb.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_ENDPOINTS "2000"
#define N_NAMES "50000"
#define N_LISTS "20"
/* From a row's number to a number without order. */
#define MIX(salt) "((i * 2654435761 + " salt ") % 4294967291)"
#define FAVOURS_1(mix) "iif(" mix " % 100 = 0, 1, 1 + (" mix " >> 4) % " N_ENDPOINTS ")"

static const char *const steps[] = {
    "BEGIN",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " N_ENDPOINTS ")"
    " INSERT INTO endpoint SELECT i, '10.0.' || (i / 250) || '.' || (i % 250 + 1), :begin * 60000,"
    " :end / 60 FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " N_NAMES ")"
    " INSERT INTO name SELECT i, 'name' || i || '.example', 'example.name' || i, :end / 60 FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " N_LISTS ")"
    " INSERT INTO list SELECT i, 'list' || i FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < :hits)"
    " INSERT INTO hit SELECT i, :begin + i * (:end - :begin) / :hits, " FAVOURS_1(
        MIX("1")) ", 1 + " MIX("7") " % " N_NAMES
                                    ", 1 + " MIX(
                                        "7") " % " N_NAMES ", 1, 1 + i % " N_LISTS
                                             ", iif(i % 3, 3, 1), 3, 1, i % 3 = 0, 2, 1 + " MIX(
                                                 "7") " % " N_NAMES
                                                      ", 1 + " MIX("7") " % " N_NAMES
                                                                        ", 1, i, -32768 FROM r",
    "INSERT INTO hit_sum SELECT id, minute * 60000 + id % 30000, minute * 60000 + 30000 + id % "
    "30000, 1 + id % 5 FROM hit",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < :traffic)"
    " INSERT OR IGNORE INTO traffic SELECT :begin + i * (:end - :begin) / :traffic, " FAVOURS_1(
        MIX("3")) ", 1 + " MIX("5") " % " N_NAMES ", 0, 1, 1, i % 2, 0, 0 FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 20000)"
    " INSERT INTO domain (name, first_ms, endpoint, qname, qtype) SELECT 'name' || i || '.example',"
    " (:begin + i * (:end - :begin) / 20000) * 60000, (SELECT address FROM endpoint WHERE id = 1 +"
    " i % " N_ENDPOINTS "), 'www.name' || i || '.example', 1 FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 200000)"
    " INSERT OR IGNORE INTO answer SELECT :end / 1440 - i % 30, unhex4(" MIX(
        "9") "),"
             " 'example.name' || (1 + i % " N_NAMES ") FROM r",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 2000)"
    " INSERT OR IGNORE INTO finding (detector, endpoint, domain, domain_path, start_ms, end_ms,"
    " confidence, mode, blocked_until_s, technique, evidence) SELECT 1 + i % 4,"
    " (SELECT address FROM endpoint WHERE id = 1 + i % 500), 'name' || i || '.example',"
    " 'example.name' || i, (:begin + i * (:end - :begin) / 2000) * 60000,"
    " (:begin + i * (:end - :begin) / 2000) * 60000 + 60000, 0.75, 1, 0, 'T1568', '{}' FROM r",
    "COMMIT",
    "ANALYZE",
};

/* SQLite 3.40 has no unhex(): a number's four octets. */
static void unhex4(sqlite3_context *ctx, int n, sqlite3_value **args)
{
    sqlite3_int64 v = sqlite3_value_int64(args[0]);
    unsigned char octets[4] = {93, (unsigned char)(v >> 16), (unsigned char)(v >> 8),
                               (unsigned char)v};
    (void)n;
    sqlite3_result_blob(ctx, octets, 4, SQLITE_TRANSIENT);
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "make_events: %s: %s\n", what, why);
    exit(1);
}

static void run(sqlite3 *db, const char *sql, const sqlite3_int64 *values)
{
    static const char *const names[] = {":begin", ":end", ":hits", ":traffic"};
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
        die(sql, sqlite3_errmsg(db));
    for (int i = 0; i < 4; i++)
        if (sqlite3_bind_parameter_index(stmt, names[i]))
            sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, names[i]), values[i]);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        ;
    if (sqlite3_finalize(stmt))
        die(sql, sqlite3_errmsg(db));
}

static long long number(int argc, char **argv, int at, long long usual)
{
    return argc > at ? strtoll(argv[at], NULL, 10) : usual;
}

int main(int argc, char **argv)
{
    struct sek_eventsdb *made;
    struct sek_diag diag = {0};
    char aside[SEK_ASIDE_MAX];
    sqlite3 *db;
    sqlite3_int64 end = (sqlite3_int64)time(NULL) / 60;
    if (argc < 2)
        die("usage", "make_events FILE [HITS [TRAFFIC [DAYS]]]");
    const sqlite3_int64 values[] = {end - number(argc, argv, 4, 30) * 1440, end,
                                    number(argc, argv, 2, 1000000), number(argc, argv, 3, 5000000)};
    if (sek_eventsdb_open(argv[1], (int64_t)end * 60, &made, aside, &diag))
        die(argv[1], diag.text);
    sek_eventsdb_close(made);
    if (sqlite3_open(argv[1], &db))
        die(argv[1], sqlite3_errmsg(db));
    sqlite3_create_function(db, "unhex4", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, unhex4, NULL,
                            NULL);
    run(db, "PRAGMA synchronous = OFF", values);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        run(db, steps[i], values);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)", values);
    sqlite3_close(db);
    return 0;
}
