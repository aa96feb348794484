/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/forget.h"
#include "base/file.h"
#include "store/eventsdb_parts.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define LOOK_MS 1000
#define SETTLE_MS 7000 /* traffic waits in memory for five seconds at most, then for a commit */
#define RETRY_MS 10000
#define SLICE_ROWS 2000
#define FILE_MAX 65536

const char *sek_forget_path(const char *db, char out[SEK_FORGET_PATH_MAX])
{
    snprintf(out, SEK_FORGET_PATH_MAX, "%s.forget", db);
    return out;
}

#define OF_ENDPOINT "(SELECT id FROM endpoint WHERE address = ?1)"
static const char *const statements[] = {
    "DELETE FROM hit WHERE id IN (SELECT id FROM hit WHERE endpoint = " OF_ENDPOINT " LIMIT ?2)",
    "DELETE FROM traffic WHERE (minute, endpoint, domain) IN (SELECT minute, endpoint, domain"
    " FROM traffic WHERE endpoint = " OF_ENDPOINT " LIMIT ?2)",
    "DELETE FROM finding WHERE id IN (SELECT id FROM finding WHERE endpoint = ?1 LIMIT ?2)",
    "UPDATE finding SET evidence = replace(evidence, '\"' || ?1 || '\"', '\"::\"')"
    " WHERE id IN (SELECT id FROM finding WHERE instr(evidence, '\"' || ?1 || '\"') LIMIT ?2)",
    "UPDATE domain SET endpoint = '::', qname = name"
    " WHERE name IN (SELECT name FROM domain WHERE endpoint = ?1 LIMIT ?2)",
    "UPDATE response SET endpoint = '::' WHERE (path, address) IN"
    " (SELECT path, address FROM response WHERE endpoint = ?1 LIMIT ?2)",
};
static const char last[] = "DELETE FROM endpoint WHERE address = ?1 AND ?2";

static enum sek_err run(struct sek_eventsdb *db, const char *text, const char *address,
                        unsigned max_rows, uint64_t *out_rows, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(db->sql, text, &stmt, diag);
    if (err)
        return err;
    sqlite3_bind_text(stmt, 1, address, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, max_rows);
    int rc = sqlite3_step(stmt);
    *out_rows = (uint64_t)sqlite3_changes(db->sql);
    if (rc != SQLITE_DONE)
        err = sek__eventsdb_fail(db, rc, diag);
    sqlite3_finalize(stmt);
    return err;
}

/* One table after the other, as long as there is room in the slice. */
static enum sek_err slice(struct sek_eventsdb *db, const char *address, unsigned max_rows,
                          uint64_t *out_rows, struct sek_diag *diag)
{
    enum sek_err err = sek__eventsdb_keep_numbers(db, diag);
    uint64_t sum = 0, n = 0;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && !err && sum < max_rows; i++) {
        err = run(db, statements[i], address, max_rows - (unsigned)sum, &n, diag);
        sum += n;
    }
    if (!err && sum < max_rows)
        err = run(db, last, address, 1, &n, diag);
    *out_rows = sum;
    return err;
}

enum sek_err sek_eventsdb_forget(struct sek_eventsdb *db, const struct sek_addr *endpoint,
                                 unsigned max_rows, bool *out_more, uint64_t *io_rows,
                                 struct sek_diag *diag)
{
    char address[SEK_ADDR_TEXT_MAX];
    uint64_t n = 0;
    sek_addr_to_text(endpoint, address);
    enum sek_err err = sek_sql_run(db->sql, "PRAGMA secure_delete=ON", diag);
    if (!err)
        err = sek__eventsdb_begin(db, diag);
    if (err)
        return err;
    /* both may name what goes now */
    sek_idmap_clear(&db->rows);
    sek_idmap_clear(&db->endpoints);
    err = sek__eventsdb_end(db, slice(db, address, max_rows, &n, diag), diag);
    sek_sql_run(db->sql, "PRAGMA secure_delete=OFF", NULL);
    if (err)
        return err;
    *out_more = n >= max_rows;
    *io_rows += n;
    sek_eventsdb_checkpoint(db, !*out_more); /* the log has copies */
    return SEK_OK;
}

/* --- asked for by a file -----------------------------------------------------------------------
 */

/* A slice for the first endpoint that has one left. */
static enum sek_err work(struct sek_eventsdb *db, char *lines, bool *out_more)
{
    uint64_t n = 0;
    *out_more = false;
    for (char *line = lines, *end; *line && !*out_more; line = end) {
        struct sek_addr endpoint;
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (sek_addr_from_text(line, &endpoint, NULL) != SEK_OK)
            continue;
        enum sek_err err = sek_eventsdb_forget(db, &endpoint, SLICE_ROWS, out_more, &n, NULL);
        if (err)
            return err;
    }
    return SEK_OK;
}

void sek_forget_step(struct sek_forget *f, struct sek_eventsdb *db, const char *path,
                     int64_t now_ms)
{
    char request[SEK_FORGET_PATH_MAX];
    struct sek_buf lines;
    bool more = false;
    int fd;
    if (now_ms < f->next_ms)
        return;
    f->next_ms = now_ms + LOOK_MS;
    if (sek_file_open_regular(sek_forget_path(path, request), &fd, NULL) != SEK_OK) {
        f->begin_ms = 0;
        return;
    }
    if (!f->begin_ms)
        f->begin_ms = now_ms + SETTLE_MS;
    sek_buf_init(&lines, FILE_MAX);
    enum sek_err err = SEK_OK;
    if (now_ms >= f->begin_ms) {
        err = sek_file_read(fd, &lines, NULL);
        if (!err && lines.data)
            err = work(db, lines.data, &more);
        if (!err && !more && unlink(request) == 0)
            f->begin_ms = 0;
        f->next_ms = now_ms + (err ? RETRY_MS : more ? 20 : LOOK_MS);
    }
    sek_buf_fini(&lines);
    close(fd);
}
