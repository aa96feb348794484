/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of struct sek_eventsdb, shared by eventsdb.c (life), append.c (store),
 * append_findings.c, append_firsts.c, append_answers.c and retention.c. */
#pragma once
#include "base/hash.h"
#include "store/eventsdb.h"
#include "store/idmap.h"
#include "store/schema.h"
#include <sys/stat.h>

/* id, text: every statement of the writer */
/* A sum is added by one statement for 64 rows: its start and end cost as much as three rows. */
#define SEK_SUM_ROWS 64
#define SEK_SUM_COLUMNS 4
#define SEK_SUM_INSERT "INSERT INTO hit_sum(id, count, first_ms, last_ms) VALUES"
#define SEK_SUM_VALUES "(?, ?, ?, ?)"
#define SEK_SUM_VALUES_4 SEK_SUM_VALUES "," SEK_SUM_VALUES "," SEK_SUM_VALUES "," SEK_SUM_VALUES
#define SEK_SUM_VALUES_16                                                                          \
    SEK_SUM_VALUES_4 "," SEK_SUM_VALUES_4 "," SEK_SUM_VALUES_4 "," SEK_SUM_VALUES_4
#define SEK_SUM_VALUES_64                                                                          \
    SEK_SUM_VALUES_16 "," SEK_SUM_VALUES_16 "," SEK_SUM_VALUES_16 "," SEK_SUM_VALUES_16
#define SEK_SUM_ADDED                                                                              \
    " ON CONFLICT(id) DO UPDATE SET count = count + excluded.count,"                               \
    " first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)"

/* True for a text that is a JSON object; json_type alone fails on one that is no JSON. */
#define SEK_IS_OBJECT(text)                                                                        \
    "CASE WHEN json_valid(" text ") THEN json_type(" text ") = 'object' ELSE 0 END"

#define SEK_EVENT_STATEMENTS(X)                                                                    \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(LIST_PUT, "INSERT INTO list(id, name) VALUES(?1, ?2)"                                        \
                " ON CONFLICT(id) DO UPDATE SET name = excluded.name")                             \
    X(NAME_GET, "SELECT id, used FROM name WHERE path = ?1")                                       \
    X(NAME_PUT, "INSERT INTO name(text, path, used) VALUES(?1, ?2, ?3)")                           \
    X(NAME_USE, "UPDATE name SET used = ?2 WHERE id = ?1")                                         \
    X(ENDPOINT_GET, "SELECT id, used FROM endpoint WHERE address = ?1")                            \
    X(ENDPOINT_PUT, "INSERT INTO endpoint(address, first_ms, used) VALUES(?1, ?2, ?3)")            \
    X(ENDPOINT_USE, "UPDATE endpoint SET used = ?2 WHERE id = ?1")                                 \
    X(HIT_PUT,                                                                                     \
      "INSERT INTO hit(minute, endpoint, name, domain, qtype, list, action, would,"                \
      " trigger, monitor, scope, owner, matched, generation, decision, score, id) VALUES(?1,"      \
      " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)")                  \
    X(SUM_ADD, SEK_SUM_INSERT SEK_SUM_VALUES SEK_SUM_ADDED)                                        \
    X(SUM_ADD_64, SEK_SUM_INSERT SEK_SUM_VALUES_64 SEK_SUM_ADDED)                                  \
    X(TRAFFIC_PUT, "INSERT INTO traffic(minute, endpoint, domain, hits, cached, passed, nxdomain," \
                   " failed, local) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"                    \
                   " ON CONFLICT(minute, endpoint, domain) DO UPDATE SET"                          \
                   " hits = hits + excluded.hits, cached = cached + excluded.cached,"              \
                   " passed = passed + excluded.passed, nxdomain = nxdomain + excluded.nxdomain,"  \
                   " failed = failed + excluded.failed, local = local + excluded.local")           \
    X(FINDING_RENEW,                                                                               \
      "UPDATE finding SET end_ms = ?4, confidence = ?5, mode = ?6,"                                \
      " blocked_until_s = ?7, technique = ?8, evidence = ?9, domain = ?10,"                        \
      " domain_path = ?11, change = ?12, may_block_s = coalesce(nullif(may_block_s, 0), ?13) "     \
      "WHERE detector = ?1 AND endpoint = ?2 AND start_ms = ?3"                                    \
      " AND " SEK_IS_OBJECT("?9"))                                                                 \
    X(FINDING_PUT,                                                                                 \
      "INSERT INTO finding(detector, endpoint, start_ms, end_ms, confidence, mode,"                \
      " blocked_until_s, technique, evidence, domain, domain_path, change, may_block_s, id)"       \
      " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14"                        \
      " WHERE " SEK_IS_OBJECT("?9"))                                                               \
    X(FIRST_PUT,                                                                                   \
      "INSERT INTO domain(name, first_ms, endpoint, qname, qtype, address, ttl_s, refused)"        \
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(name) DO UPDATE"                        \
      " SET address = excluded.address, ttl_s = excluded.ttl_s"                                    \
      " WHERE address IS NULL AND ttl_s IS NULL AND excluded.ttl_s IS NOT NULL")                   \
    X(FIRST_COUNT, "SELECT count(*) FROM domain")                                                  \
    X(FIRST_EXPIRE, "DELETE FROM domain WHERE name IN (SELECT name FROM domain"                    \
                    " WHERE first_ms < ?1 ORDER BY first_ms LIMIT ?2)")                            \
    X(FIRST_DROP, "DELETE FROM domain WHERE name IN"                                               \
                  " (SELECT name FROM domain ORDER BY first_ms LIMIT ?1)")                         \
    X(ANSWER_PUT, "INSERT INTO answer(day, address, domain, ttl_min_s, ttl_max_s)"                 \
                  " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")                            \
    X(ANSWER_WIDEN, "UPDATE answer SET ttl_min_s = min(coalesce(ttl_min_s, ?4), ?4),"              \
                    " ttl_max_s = max(coalesce(ttl_max_s, ?5), ?5)"                                \
                    " WHERE day = ?1 AND address = ?2 AND domain = ?3")                            \
    X(SERVER_PUT, "INSERT INTO server(domain, name, first_day, last_day) VALUES(?1, ?2, ?3, ?3)"   \
                  " ON CONFLICT DO UPDATE SET first_day = min(first_day, excluded.first_day),"     \
                  " last_day = max(last_day, excluded.last_day)")                                  \
    X(SERVER_COUNT, "SELECT count(*) FROM server")                                                 \
    X(SERVER_DELETE, "DELETE FROM server WHERE (domain, name) IN (SELECT domain, name"             \
                     " FROM server WHERE last_day < ?1 ORDER BY last_day LIMIT ?2)")               \
    X(ANSWER_COUNT, "SELECT count(*) FROM answer")                                                 \
    X(ANSWER_DELETE, "DELETE FROM answer WHERE (day, address, domain) IN (SELECT day, address,"    \
                     " domain FROM answer WHERE day < ?1 ORDER BY day, address, domain LIMIT ?2)") \
    X(RESPONSE_PUT, "INSERT INTO response(path, address, first_ms, last_day, news, endpoint)"      \
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(path, address) DO UPDATE SET"     \
                    " first_ms = min(first_ms, excluded.first_ms),"                                \
                    " last_day = max(last_day, excluded.last_day)")                                \
    X(RESPONSE_COUNT, "SELECT count(*) FROM response")                                             \
    X(RESPONSE_DELETE, "DELETE FROM response WHERE (path, address) IN (SELECT path, address"       \
                       " FROM response WHERE last_day < ?1 ORDER BY last_day LIMIT ?2)")           \
    X(USAGE_ADD, "UPDATE domain SET queries = queries + ?2, ttl_min_s = CASE WHEN ?3 IS NULL THEN" \
                 " ttl_min_s ELSE min(coalesce(ttl_min_s, ttl_s, ?3), ?3) END WHERE name = ?1")    \
    X(FINDING_OLDEST, "SELECT min(end_ms) FROM finding")                                           \
    X(FINDING_DELETE, "DELETE FROM finding WHERE id IN"                                            \
                      " (SELECT id FROM finding WHERE end_ms < ?1 ORDER BY end_ms LIMIT ?2)")      \
    X(NUMBERS_KEEP, "INSERT INTO state(key, value) VALUES('last_hit', ?1), ('last_finding', ?2),"  \
                    " ('last_change', ?3) ON CONFLICT(key) DO UPDATE SET"                          \
                    " value = max(value, excluded.value)")                                         \
    X(HIT_OLDEST, "SELECT min(minute) FROM hit")                                                   \
    X(TRAFFIC_OLDEST, "SELECT min(minute) FROM traffic")                                           \
    X(HIT_DELETE, "DELETE FROM hit WHERE id IN"                                                    \
                  " (SELECT id FROM hit WHERE minute < ?1 ORDER BY minute LIMIT ?2)")              \
    X(TRAFFIC_DELETE,                                                                              \
      "DELETE FROM traffic WHERE (minute, endpoint, domain) IN (SELECT minute,"                    \
      " endpoint, domain FROM traffic WHERE minute < ?1 ORDER BY minute LIMIT ?2)")                \
    X(NAME_STEP, "SELECT max(id) FROM (SELECT id FROM name WHERE id > ?1 ORDER BY id LIMIT ?2)")   \
    X(NAME_DELETE, "DELETE FROM name WHERE id > ?1 AND id <= ?2 AND used < ?3")                    \
    X(ENDPOINT_STEP, "SELECT max(id) FROM (SELECT id FROM endpoint WHERE id "                      \
                     "> ?1 ORDER BY id LIMIT ?2)")                                                 \
    X(ENDPOINT_DELETE, "DELETE FROM endpoint WHERE id > ?1 AND id <= ?2 AND used < ?3")

enum sek_event_statement {
#define X(id, text) SEK_ST_##id,
    SEK_EVENT_STATEMENTS(X)
#undef X
        SEK_N_ST
};

struct sek_eventsdb {
    sqlite3 *sql;
    sqlite3_stmt *st[SEK_N_ST];
    dev_t dev; /* the file that was opened */
    ino_t ino;
    int fd; /* of it, for a look at its header; closed after `sql`, whose locks would go with it */
    bool damaged;
    bool hurry;      /* sek_eventsdb_hurry */
    unsigned n_held; /* ended, but not committed */
    int wal_pages;
    uint64_t lists_seen; /* digest of the lists stored last; 0 = none */
    struct sek_hash_key key_a, key_b;
    struct sek_idmap names, endpoints;           /* hash of the octets → id; all used in `hour` */
    int64_t sums[SEK_SUM_ROWS][SEK_SUM_COLUMNS]; /* to be added to hit_sum */
    unsigned n_sums;
    struct sek_idmap rows;                       /* hash of a hit's key and minute → its row */
    int64_t hour, minute;                        /* of the newest row stored */
    int64_t now_ms;                              /* sek_eventsdb_set_time; 0: not known */
    int64_t last_hit, last_finding, last_change; /* numbers given away */
    int64_t n_answers;                           /* rows of table answer; -1: not counted */
    /* clean-up of names and endpoints: done up to this hour; a pass in progress is at these ids */
    int64_t swept_hour, name_cursor, endpoint_cursor;
    char path[512];
};

/* Bind all (int64) and run a statement that returns no row. */
enum sek_err sek__eventsdb_run(struct sek_eventsdb *db, enum sek_event_statement st,
                               const int64_t *values, int n, struct sek_diag *diag);
/* The same for one row of one number; *out is untouched when it is NULL. */
enum sek_err sek__eventsdb_ask(struct sek_eventsdb *db, enum sek_event_statement st,
                               const int64_t *values, int n, int64_t *out, struct sek_diag *diag);
enum sek_err sek__eventsdb_fail(struct sek_eventsdb *db, int rc, struct sek_diag *diag);
/* Before rows are deleted, within the transaction: their numbers never come back. */
enum sek_err sek__eventsdb_keep_numbers(struct sek_eventsdb *db, struct sek_diag *diag);
/* BEGIN. CORRUPT when somebody wrote over the file: SQLite itself would go on with what it has in
 * memory. */
enum sek_err sek__eventsdb_begin(struct sek_eventsdb *db, struct sek_diag *diag);
/* After BEGIN: commit if err is SEK_OK, else roll back and forget all ids. Returns err or what
 * commit said. */
enum sek_err sek__eventsdb_end(struct sek_eventsdb *db, enum sek_err err, struct sek_diag *diag);
