/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_answers.h"
#include "name/text.h"
#include "store/report_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DAY_S 86400
#define FEW                                                                                        \
    500 /* rows of a domain that are looked through; of one asked for more, the endpoint's */
#define LATE_S 300 /* clocks of resolver and firewall differ; rows tell minutes */

const struct sek_lookup sek_given_names[] = {{SEK_GIVEN, "yes"},
                                             {SEK_GIVEN_TO_OTHERS, "to others"},
                                             {SEK_GIVEN_NEVER, "never"},
                                             {SEK_GIVEN_UNKNOWN, "not known"},
                                             {0, NULL}};

static void bind_address(sqlite3_stmt *stmt, int at, const struct sek_addr *a)
{
    bool v4 = sek_addr_is_v4(a);
    sqlite3_bind_blob(stmt, at, a->octets + (v4 ? 12 : 0), v4 ? 4 : 16, SQLITE_STATIC);
}

/* The domain of a path: turning the labels round once more. */
static void domain_of(const char *path, char out[SEK_NAME_TEXT_MAX])
{
    struct sek_name name;
    out[0] = '\0';
    if (path && sek_name_from_text(path, strlen(path), &name, NULL) == SEK_OK)
        sek_name_to_path(name.octets, out);
}

/* --- one address -------------------------------------------------------------------------------
 */

/* The days one by one, as the table's key begins with them. */
#define ANSWERS                                                                                    \
    "WITH RECURSIVE d(day) AS (SELECT max(?1, (SELECT min(day) FROM answer)) UNION ALL"            \
    " SELECT day + 1 FROM d WHERE day < (SELECT max(day) FROM answer))"                            \
    " SELECT a.day, a.domain, e.address, min(t.minute) * 60, max(t.minute) * 60,"                  \
    " sum(t.hits + t.cached + t.passed + t.nxdomain + t.failed + t.local)"                         \
    " FROM d CROSS JOIN answer a ON a.day = d.day AND a.address = ?2"                              \
    " LEFT JOIN name n ON n.path = a.domain"                                                       \
    " LEFT JOIN traffic t ON t.domain = n.id AND t.minute >= a.day * 1440"                         \
    " AND t.minute < (a.day + 1) * 1440"                                                           \
    " LEFT JOIN endpoint e ON e.id = t.endpoint"                                                   \
    " GROUP BY a.day, a.domain, t.endpoint ORDER BY a.day DESC, a.domain, e.address"

static bool hand_out(sqlite3_stmt *stmt, sek_answer_fn *fn, void *arg)
{
    char domain[SEK_NAME_TEXT_MAX];
    domain_of((const char *)sqlite3_column_text(stmt, 1), domain);
    const struct sek_answer_row row = {
        .day = sqlite3_column_int64(stmt, 0),
        .domain = domain,
        .endpoint = (const char *)sqlite3_column_text(stmt, 2),
        .first_s = sqlite3_column_int64(stmt, 3),
        .last_s = sqlite3_column_int64(stmt, 4),
        .queries = (uint64_t)sqlite3_column_int64(stmt, 5),
    };
    return fn(arg, &row);
}

enum sek_err sek_report_answers(struct sek_report *r, const struct sek_addr *address,
                                int64_t since_s, sek_answer_fn *fn, void *arg,
                                struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err = sek_sql_prepare(r->sql, ANSWERS, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, since_s / DAY_S);
    bind_address(stmt, 2, address);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!hand_out(stmt, fn, arg))
            break;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

#define ASKED "domain = ?2 AND minute >= ?3 AND minute <= ?4 AND cached + passed + hits > 0"

/* --- connections -------------------------------------------------------------------------------
 */

struct sek_given {
    struct sek_report *report;
    sqlite3_stmt *domains, *few, *asked, *let_through, *endpoint;
    struct sek_addr latest; /* endpoint that was asked about last, and its id; 0: unknown */
    int64_t latest_id;
    int64_t grace_s, since_day; /* INT64_MAX: nothing is remembered */
};

enum sek_err sek_given_open(struct sek_report *report, int64_t grace_s, struct sek_given **out,
                            struct sek_diag *diag)
{
    struct sek_given *g = calloc(1, sizeof *g);
    if (!g)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    g->report = report;
    g->grace_s = grace_s;
    enum sek_err err =
        sek_sql_int(report->sql, "SELECT coalesce(min(day), 9223372036854775807) FROM answer",
                    &g->since_day, diag);
    if (!err)
        err = sek_sql_prepare(report->sql,
                              "SELECT a.domain, n.id FROM answer a"
                              " LEFT JOIN name n ON n.path = a.domain"
                              " WHERE a.day = ?1 AND a.address = ?2",
                              &g->domains, diag);
    if (!err)
        err = sek_sql_prepare(report->sql,
                              "SELECT sum(endpoint = ?1 AND got), count(*),"
                              " sum(endpoint = ?1 AND hits > 0)"
                              " FROM (SELECT endpoint, hits, cached + passed > 0 AS got"
                              " FROM traffic INDEXED BY traffic_domain WHERE " ASKED " LIMIT ?5)",
                              &g->few, diag);
    if (!err)
        err = sek_sql_prepare(report->sql,
                              "SELECT sum(cached + passed > 0), 0, sum(hits > 0) FROM traffic"
                              " INDEXED BY traffic_endpoint WHERE endpoint = ?1 AND " ASKED,
                              &g->asked, diag);
    if (!err)
        err = sek_sql_prepare(report->sql,
                              "SELECT count(*), 0, 0 FROM (SELECT 1 FROM hit"
                              " INDEXED BY hit_endpoint WHERE endpoint = ?1 AND domain = ?2"
                              " AND minute >= ?3 AND minute <= ?4 AND action IN (1, 2) LIMIT 1)",
                              &g->let_through, diag);
    if (!err)
        err = sek_sql_prepare(report->sql, "SELECT id FROM endpoint WHERE address = ?1",
                              &g->endpoint, diag);
    if (err) {
        sek_given_close(g);
        return err;
    }
    *out = g;
    return SEK_OK;
}

void sek_given_close(struct sek_given *g)
{
    if (!g)
        return;
    sqlite3_finalize(g->domains);
    sqlite3_finalize(g->few);
    sqlite3_finalize(g->asked);
    sqlite3_finalize(g->let_through);
    sqlite3_finalize(g->endpoint);
    free(g);
}

/* What was counted; stmt: few, asked or let_through. */
static enum sek_err count(struct sek_given *g, sqlite3_stmt *stmt, int64_t endpoint_id,
                          int64_t domain_id, int64_t time_s, int64_t out[3], struct sek_diag *diag)
{
    sqlite3_bind_int64(stmt, 1, endpoint_id);
    sqlite3_bind_int64(stmt, 2, domain_id);
    sqlite3_bind_int64(stmt, 3, (time_s - g->grace_s) / 60);
    sqlite3_bind_int64(stmt, 4, (time_s + LATE_S) / 60);
    if (stmt == g->few)
        sqlite3_bind_int64(stmt, 5, FEW);
    int rc = sqlite3_step(stmt);
    for (int i = 0; i < 3; i++)
        out[i] = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, i) : 0;
    sqlite3_reset(stmt);
    return rc == SQLITE_ROW ? SEK_OK : sek__report_fail(g->report, rc, diag);
}

/* Traffic counts a query that a rule met as a hit, whatever came of it: where there are some, the
 * hits themselves tell whether one was let through. */
static enum sek_err has_asked(struct sek_given *g, int64_t endpoint_id, int64_t domain_id,
                              int64_t time_s, bool *out, struct sek_diag *diag)
{
    int64_t found[3];
    enum sek_err err = count(g, g->few, endpoint_id, domain_id, time_s, found, diag);
    if (!err && found[0] == 0 && found[1] == FEW)
        err = count(g, g->asked, endpoint_id, domain_id, time_s, found, diag);
    if (!err && found[0] == 0 && found[2] > 0)
        err = count(g, g->let_through, endpoint_id, domain_id, time_s, found, diag);
    if (!err)
        *out = found[0] > 0;
    return err;
}

/* All domains that had the address on that day, until one is found that the endpoint asked for. */
static enum sek_err ask_day(struct sek_given *g, int64_t endpoint_id,
                            const struct sek_addr *address, int64_t day, int64_t time_s,
                            enum sek_given_as *io, char out_domain[SEK_NAME_TEXT_MAX],
                            struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    bool asked = false;
    int rc;
    sqlite3_bind_int64(g->domains, 1, day);
    bind_address(g->domains, 2, address);
    while (!err && !asked && (rc = sqlite3_step(g->domains)) == SQLITE_ROW) {
        *io = SEK_GIVEN_TO_OTHERS;
        domain_of((const char *)sqlite3_column_text(g->domains, 0), out_domain);
        if (sqlite3_column_type(g->domains, 1) != SQLITE_NULL)
            err = has_asked(g, endpoint_id, sqlite3_column_int64(g->domains, 1), time_s, &asked,
                            diag);
    }
    if (!err && !asked && rc != SQLITE_DONE)
        err = sek__report_fail(g->report, rc, diag);
    sqlite3_reset(g->domains);
    if (asked)
        *io = SEK_GIVEN;
    return err;
}

static enum sek_err id_of(struct sek_given *g, const struct sek_addr *endpoint, int64_t *out,
                          struct sek_diag *diag)
{
    char text[SEK_ADDR_TEXT_MAX];
    if (g->latest_id == 0 || !sek_addr_equal(endpoint, &g->latest)) {
        sqlite3_bind_text(g->endpoint, 1, sek_addr_to_text(endpoint, text), -1, SQLITE_STATIC);
        int rc = sqlite3_step(g->endpoint);
        g->latest_id = rc == SQLITE_ROW ? sqlite3_column_int64(g->endpoint, 0) : 0;
        g->latest = *endpoint;
        sqlite3_reset(g->endpoint);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return sek__report_fail(g->report, rc, diag);
    }
    *out = g->latest_id;
    return SEK_OK;
}

enum sek_err sek_given_ask(struct sek_given *g, const struct sek_addr *endpoint,
                           const struct sek_addr *address, int64_t time_s, enum sek_given_as *out,
                           char out_domain[SEK_NAME_TEXT_MAX], struct sek_diag *diag)
{
    enum sek_given_as as = SEK_GIVEN_NEVER;
    enum sek_err err;
    int64_t endpoint_id = 0;
    int64_t last = (time_s + LATE_S) / DAY_S, first = (time_s - g->grace_s) / DAY_S;
    out_domain[0] = '\0';
    if (time_s / DAY_S < g->since_day) {
        *out = SEK_GIVEN_UNKNOWN;
        return SEK_OK;
    }
    err = id_of(g, endpoint, &endpoint_id, diag);
    for (int64_t day = last; !err && day >= first && as != SEK_GIVEN; day--)
        err = ask_day(g, endpoint_id, address, day, time_s, &as, out_domain, diag);
    if (as == SEK_GIVEN)
        out_domain[0] = '\0';
    if (!err)
        *out = as;
    return err;
}
