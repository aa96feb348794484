/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_neighbours.h"
#include "name/text.h"
#include "store/report_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static void read_address(sqlite3_stmt *stmt, int column, struct sek_addr *out)
{
    const uint8_t *octets = sqlite3_column_blob(stmt, column);
    size_t n = (size_t)sqlite3_column_bytes(stmt, column);
    memset(out, 0, sizeof *out);
    if (octets && n == 16)
        memcpy(out->octets, octets, 16);
    else if (octets && n == 4) {
        out->octets[10] = out->octets[11] = 0xff;
        memcpy(out->octets + 12, octets, 4);
    }
}

/* A path is the name with its labels turned round. False: it is none. */
static bool read_path(sqlite3_stmt *stmt, int column, char out[SEK_NAME_TEXT_MAX])
{
    const char *path = (const char *)sqlite3_column_text(stmt, column);
    struct sek_name name;
    if (!path || sek_name_from_text(path, strlen(path), &name, NULL))
        return false;
    sek_name_to_path(name.octets, out);
    return true;
}

/* ?1 the domain's path, ?2 since, ?3 limit */
static enum sek_err prepare(struct sek_report *r, const char *sql, const char *path,
                            int64_t since_day, unsigned limit, sqlite3_stmt **out,
                            struct sek_diag *diag)
{
    enum sek_err err = sek_sql_prepare(r->sql, sql, out, diag);
    if (err)
        return err;
    sqlite3_bind_text(*out, 1, path, -1, SQLITE_STATIC);
    sqlite3_bind_int64(*out, 2, since_day);
    sqlite3_bind_int64(*out, 3, limit ? (int64_t)limit : -1);
    return SEK_OK;
}

enum sek_err sek_report_led(struct sek_report *r, const struct sek_name *domain, int64_t since_day,
                            unsigned limit, sek_led_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    char path[SEK_NAME_TEXT_MAX];
    bool more = true;
    int rc;
    sek_name_to_path(domain->octets, path);
    enum sek_err err = prepare(r,
                               "SELECT address, min(day), max(day), count(*), min(ttl_min_s),"
                               " max(ttl_max_s) FROM answer"
                               " WHERE domain = ?1 AND day >= ?2 GROUP BY address"
                               " ORDER BY max(day) DESC, min(day) DESC, address LIMIT ?3",
                               path, since_day, limit, &stmt, diag);
    if (err)
        return err;
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_led_row row = {.first_day = sqlite3_column_int64(stmt, 1),
                                  .last_day = sqlite3_column_int64(stmt, 2),
                                  .n_days = (uint64_t)sqlite3_column_int64(stmt, 3),
                                  .has_ttl = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
                                  .ttl_min_s = (uint32_t)sqlite3_column_int64(stmt, 4),
                                  .ttl_max_s = (uint32_t)sqlite3_column_int64(stmt, 5)};
        read_address(stmt, 0, &row.address);
        more = fn(arg, &row);
    }
    if (more && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

#define NEIGHBOURS                                                                                 \
    "WITH own(day, address) AS (SELECT day, address FROM answer WHERE domain = ?1 AND day >= ?2"   \
    " ORDER BY day DESC LIMIT ?4)"                                                                 \
    " SELECT o.domain, o.address, min(o.day), max(o.day), count(DISTINCT o.address)"               \
    " FROM own CROSS JOIN answer o ON o.day = own.day AND o.address = own.address"                 \
    " WHERE o.domain <> ?1 GROUP BY o.domain"                                                      \
    " ORDER BY count(DISTINCT o.address) DESC, max(o.day) DESC, o.domain LIMIT ?3"

enum sek_err sek_report_neighbours(struct sek_report *r, const struct sek_name *domain,
                                   int64_t since_day, unsigned limit, sek_neighbour_fn *fn,
                                   void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    char path[SEK_NAME_TEXT_MAX], text[SEK_NAME_TEXT_MAX];
    bool more = true;
    int rc;
    sek_name_to_path(domain->octets, path);
    enum sek_err err = prepare(r, NEIGHBOURS, path, since_day, limit, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 4, SEK_NEIGHBOUR_PLACES);
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_neighbour_row row = {.domain = text,
                                        .first_day = sqlite3_column_int64(stmt, 2),
                                        .last_day = sqlite3_column_int64(stmt, 3),
                                        .n_addresses = (uint64_t)sqlite3_column_int64(stmt, 4)};
        if (!read_path(stmt, 0, text))
            continue;
        read_address(stmt, 1, &row.address);
        more = fn(arg, &row);
    }
    if (more && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* --- name servers ------------------------------------------------------------------------------
 */

#define SERVERS                                                                                    \
    "SELECT s.name, s.first_day, s.last_day,"                                                      \
    " (SELECT count(*) FROM server o WHERE o.name = s.name AND o.domain <> ?1)"                    \
    " FROM server s WHERE s.domain = ?1 AND s.last_day >= ?2"                                      \
    " ORDER BY s.last_day DESC, s.first_day DESC, s.name LIMIT ?3"

enum sek_err sek_report_servers(struct sek_report *r, const struct sek_name *domain, unsigned limit,
                                sek_server_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    char path[SEK_NAME_TEXT_MAX], name[SEK_NAME_TEXT_MAX];
    bool more = true;
    int rc;
    sek_name_to_path(domain->octets, path);
    enum sek_err err = prepare(r, SERVERS, path, 0, limit, &stmt, diag);
    if (err)
        return err;
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_server_row row = {.name = name,
                                     .first_day = sqlite3_column_int64(stmt, 1),
                                     .last_day = sqlite3_column_int64(stmt, 2),
                                     .n_domains = (uint64_t)sqlite3_column_int64(stmt, 3)};
        if (read_path(stmt, 0, name))
            more = fn(arg, &row);
    }
    if (more && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* Of the shared servers the one with the fewest: the least of its number and its name. */
#define SERVED                                                                                     \
    "WITH own(name, n) AS MATERIALIZED (SELECT s.name, (SELECT count(*) FROM"                      \
    " (SELECT 1 FROM server o WHERE o.name = s.name AND o.domain <> ?1 LIMIT ?4 + 1)) AS n"        \
    " FROM server s WHERE s.domain = ?1 AND s.last_day >= ?2)"                                     \
    " SELECT o.domain, substr(min(printf('%04d', own.n) || o.name), 5), min(o.first_day),"         \
    " max(o.last_day), count(*)"                                                                   \
    " FROM own CROSS JOIN server o ON o.name = own.name"                                           \
    " WHERE own.n <= ?4 AND o.domain <> ?1 GROUP BY o.domain"                                      \
    " ORDER BY count(*) DESC, max(o.last_day) DESC, o.domain LIMIT ?3"

enum sek_err sek_report_served(struct sek_report *r, const struct sek_name *domain, unsigned limit,
                               sek_served_fn *fn, void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    char path[SEK_NAME_TEXT_MAX], other[SEK_NAME_TEXT_MAX], server[SEK_NAME_TEXT_MAX];
    bool more = true;
    int rc;
    sek_name_to_path(domain->octets, path);
    enum sek_err err = prepare(r, SERVED, path, 0, limit, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 4, SEK_SERVER_FEW);
    while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_served_row row = {.domain = other,
                                     .server = server,
                                     .first_day = sqlite3_column_int64(stmt, 2),
                                     .last_day = sqlite3_column_int64(stmt, 3),
                                     .n_servers = (uint64_t)sqlite3_column_int64(stmt, 4)};
        if (read_path(stmt, 0, other) && read_path(stmt, 1, server))
            more = fn(arg, &row);
    }
    if (more && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* --- many questions ----------------------------------------------------------------------------
 */

struct sek_led {
    struct sek_report *report;
    sqlite3_stmt *stmt;
};

enum sek_err sek_led_open(struct sek_report *r, struct sek_led **out, struct sek_diag *diag)
{
    struct sek_led *l = calloc(1, sizeof *l);
    if (!l)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    l->report = r;
    enum sek_err err = sek_sql_prepare(
        r->sql, "SELECT 1 FROM answer WHERE day = ?1 AND address = ?2 AND domain = ?3", &l->stmt,
        diag);
    if (err) {
        free(l);
        return err;
    }
    *out = l;
    return SEK_OK;
}

void sek_led_close(struct sek_led *l)
{
    if (!l)
        return;
    sqlite3_finalize(l->stmt);
    free(l);
}

enum sek_err sek_led_ask(struct sek_led *l, const struct sek_name *domain,
                         const struct sek_addr *address, int64_t from_day, int64_t until_day,
                         bool *out, struct sek_diag *diag)
{
    char path[SEK_NAME_TEXT_MAX];
    bool v4 = sek_addr_is_v4(address);
    int rc = SQLITE_DONE;
    sek_name_to_path(domain->octets, path);
    sqlite3_bind_blob(l->stmt, 2, address->octets + (v4 ? 12 : 0), v4 ? 4 : 16, SQLITE_STATIC);
    sqlite3_bind_text(l->stmt, 3, path, -1, SQLITE_STATIC);
    for (int64_t day = from_day; day <= until_day && rc == SQLITE_DONE; day++) {
        sqlite3_bind_int64(l->stmt, 1, day);
        rc = sqlite3_step(l->stmt);
        sqlite3_reset(l->stmt);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sek__report_fail(l->report, rc, diag);
    *out = rc == SQLITE_ROW;
    return SEK_OK;
}
