/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/report_domains.h"
#include "store/report_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_first_reader {
    struct sek_report *report; /* borrowed */
    sqlite3_stmt *stmt;
};

enum sek_err sek_first_reader_open(struct sek_report *r, struct sek_first_reader **out,
                                   struct sek_diag *diag)
{
    struct sek_first_reader *f = calloc(1, sizeof *f);
    struct sek_buf text;
    if (!f)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    f->report = r;
    sek_buf_init(&text, 0);
    sek_buf_add_text(&text, "SELECT first_ms, endpoint, qname, qtype, address, ttl_s,"
                            " coalesce(ttl_min_s, ttl_s), queries, refused FROM domain"
                            " WHERE name = :name");
    enum sek_err err = sek__report_prepare(r, &text, &f->stmt, diag);
    sek_buf_fini(&text);
    if (err) {
        free(f);
        return err;
    }
    *out = f;
    return SEK_OK;
}

void sek_first_reader_close(struct sek_first_reader *f)
{
    if (!f)
        return;
    sqlite3_finalize(f->stmt);
    free(f);
}

static void copy_column(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    size_t len = text ? strnlen(text, size - 1) : 0;
    memcpy(out, text ? text : "", len);
    out[len] = '\0';
}

enum sek_err sek_first_reader_get(struct sek_first_reader *f, const char *domain,
                                  struct sek_first_row *out, struct sek_diag *diag)
{
    sqlite3_bind_text(f->stmt, 1, domain, -1, SQLITE_STATIC);
    int rc = sqlite3_step(f->stmt);
    if (rc == SQLITE_ROW) {
        out->first_ms = sqlite3_column_int64(f->stmt, 0);
        copy_column(f->stmt, 1, out->endpoint, sizeof out->endpoint);
        copy_column(f->stmt, 2, out->name, sizeof out->name);
        out->qtype = sqlite3_column_int(f->stmt, 3);
        copy_column(f->stmt, 4, out->address, sizeof out->address);
        out->ttl_s = sqlite3_column_int64(f->stmt, 5);
        out->has_ttl = sqlite3_column_type(f->stmt, 6) != SQLITE_NULL;
        out->ttl_min_s = sqlite3_column_int64(f->stmt, 6);
        out->queries = sqlite3_column_int64(f->stmt, 7);
        out->refused = sqlite3_column_int(f->stmt, 8) != 0;
    }
    sqlite3_reset(f->stmt);
    if (rc == SQLITE_ROW)
        return SEK_OK;
    return rc == SQLITE_DONE ? SEK_E_NOTFOUND : sek__report_fail(f->report, rc, diag);
}

enum sek_err sek_report_first_asked(struct sek_report *r, const char *endpoint, int64_t since_s,
                                    int64_t until_s, unsigned limit, sek_first_asked_fn *fn,
                                    void *arg, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc;
    enum sek_err err =
        sek_sql_prepare(r->sql,
                        "SELECT first_ms, name, qname, qtype FROM domain NOT INDEXED"
                        " WHERE endpoint = :endpoint AND first_ms >= :since * 1000"
                        " AND first_ms < :until * 1000 ORDER BY first_ms DESC LIMIT :limit",
                        &stmt, diag);
    if (err)
        return err;
    sek__report_bind_text(stmt, ":endpoint", endpoint);
    sek__report_bind_int(stmt, ":since", since_s);
    sek__report_bind_int(stmt, ":until",
                         until_s && until_s < INT64_MAX / 1000 ? until_s : INT64_MAX / 1000);
    sek__report_bind_int(stmt, ":limit", limit ? (int64_t)limit : -1);
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_first_asked f = {.first_ms = sqlite3_column_int64(stmt, 0),
                                    .domain = (const char *)sqlite3_column_text(stmt, 1),
                                    .name = (const char *)sqlite3_column_text(stmt, 2),
                                    .qtype = sqlite3_column_int(stmt, 3)};
        if (!f.domain || !f.name || !fn(arg, &f))
            break;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}
