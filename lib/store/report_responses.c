/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_responses.h"
#include "name/text.h"
#include "store/report_parts.h"
#include <string.h>
#include "base/banned.h"

#define COLUMNS "SELECT path, address, first_ms, last_day, news, endpoint FROM response"

/* A path is a name whose labels are turned round. */
static bool name_of(const char *path, struct sek_response *out)
{
    struct sek_name turned, name;
    char text[SEK_NAME_TEXT_MAX];
    if (!path || sek_name_from_text(path, strlen(path), &turned, NULL) != SEK_OK)
        return false;
    sek_name_to_path(turned.octets, text);
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        return false;
    out->name_len = name.len;
    memcpy(out->name, name.octets, name.len);
    return true;
}

static bool address_of(sqlite3_stmt *stmt, int column, struct sek_addr *out)
{
    const void *octets = sqlite3_column_blob(stmt, column);
    int len = sqlite3_column_bytes(stmt, column);
    *out = (struct sek_addr){.octets = {[10] = 0xff, [11] = 0xff}};
    if (len != 4 && len != 16)
        return false;
    memcpy(out->octets + (len == 4 ? 12 : 0), octets, (size_t)len);
    return true;
}

/* A row that is none of ours is passed over. */
static bool hand_out(sqlite3_stmt *stmt, sek_response_fn *fn, void *arg)
{
    struct sek_response r = {0};
    const char *endpoint = (const char *)sqlite3_column_text(stmt, 5);
    if (!name_of((const char *)sqlite3_column_text(stmt, 0), &r) ||
        !address_of(stmt, 1, &r.address) || !endpoint ||
        sek_addr_from_text(endpoint, &r.endpoint, NULL) != SEK_OK)
        return true;
    r.first_ms = sqlite3_column_int64(stmt, 2);
    r.last_day = sqlite3_column_int64(stmt, 3);
    r.news = (enum sek_news)sqlite3_column_int(stmt, 4);
    return fn(arg, &r);
}

static enum sek_err run(struct sek_report *r, sqlite3_stmt *stmt, sek_response_fn *fn, void *arg,
                        struct sek_diag *diag)
{
    int rc;
    enum sek_err err = SEK_OK;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!hand_out(stmt, fn, arg))
            break;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

enum sek_err sek_report_responses_latest(struct sek_report *r, uint64_t most, sek_response_fn *fn,
                                         void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(
        r->sql, COLUMNS " ORDER BY last_day DESC, first_ms DESC LIMIT ?1", &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, most < INT64_MAX ? (int64_t)most : INT64_MAX);
    return run(r, stmt, fn, arg, diag);
}

enum sek_err sek_report_responses(struct sek_report *r, const struct sek_name *name,
                                  int64_t since_ms, enum sek_news least, sek_response_fn *fn,
                                  void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    char path[SEK_NAME_TEXT_MAX], from[SEK_NAME_TEXT_MAX + 1], to[SEK_NAME_TEXT_MAX + 1];
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        name ? COLUMNS " WHERE first_ms >= ?1 AND news >= ?2 AND (path = ?3 OR"
                                       " (path >= ?4 AND path < ?5))"
                                       " ORDER BY path, first_ms DESC, address"
                             : COLUMNS " WHERE first_ms >= ?1 AND news >= ?2"
                                       " ORDER BY path, first_ms DESC, address",
                        &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_int64(stmt, 1, since_ms);
    sqlite3_bind_int(stmt, 2, (int)least);
    if (name) {
        sek__report_below(path, sek_name_to_path(name->octets, path), from, to);
        sqlite3_bind_text(stmt, 3, path, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 4, from, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 5, to, -1, SQLITE_STATIC);
    }
    return run(r, stmt, fn, arg, diag);
}
