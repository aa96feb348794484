/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/eventsdb_parts.h"
#include "base/duration.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define IDS_MAX 65536         /* names remembered a generation */
#define ROWS_MAX 131072       /* hit rows remembered a generation: two minutes' */
#define CHECK_MAX_MS 2000     /* for quick_check after a kill: the events must flow again soon */
#define CHECK_STEP_OPS 100000 /* SQLite's machine operations between two looks at the clock */
#define WAL_PAGES_CHECKPOINT 2000 /* 8 MiB */
#define HELD_MAX 128              /* transactions that sek_eventsdb_hurry makes one */
#define HURRY_PRAGMAS "PRAGMA cache_size=-262144; PRAGMA synchronous=OFF" /* KiB */
#define WAL_PAGES_TRUNCATE 16384 /* 64 MiB: a reader has been in the way for long */

static const char *const statements[SEK_N_ST] = {
#define X(id, text) text,
    SEK_EVENT_STATEMENTS(X)
#undef X
};

/* --- statements --------------------------------------------------------------------------------
 */

enum sek_err sek__eventsdb_fail(struct sek_eventsdb *db, int rc, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_fail(db->sql, rc, db->path, diag);
    if (err == SEK_E_CORRUPT)
        db->damaged = true;
    return err;
}

static enum sek_err look(struct sek_eventsdb *db, struct sek_diag *diag)
{
    static const char magic[16] = "SQLite format 3"; /* sqlite.org/fileformat2.html §1.2 */
    char seen[sizeof magic];
    if (db->fd < 0 || (pread(db->fd, seen, sizeof seen, 0) == sizeof seen &&
                       memcmp(seen, magic, sizeof magic) == 0))
        return SEK_OK;
    db->damaged = true;
    return sek_diag_set(diag, SEK_E_CORRUPT, "%s: overwritten while in use", db->path);
}

enum sek_err sek__eventsdb_run(struct sek_eventsdb *db, enum sek_event_statement st,
                               const int64_t *values, int n, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = db->st[st];
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(stmt, i + 1, values[i]);
    int rc = sqlite3_step(stmt);
    enum sek_err err = rc == SQLITE_DONE ? SEK_OK : sek__eventsdb_fail(db, rc, diag);
    sqlite3_reset(stmt);
    return err;
}

enum sek_err sek__eventsdb_ask(struct sek_eventsdb *db, enum sek_event_statement st,
                               const int64_t *values, int n, int64_t *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = db->st[st];
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(stmt, i + 1, values[i]);
    int rc = sqlite3_step(stmt);
    enum sek_err err = SEK_OK;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        err = sek__eventsdb_fail(db, rc, diag);
    else if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return err;
}

enum sek_err sek__eventsdb_begin(struct sek_eventsdb *db, struct sek_diag *diag)
{
    enum sek_err err = look(db, diag);
    bool begun = db->hurry && !sqlite3_get_autocommit(db->sql);
    return err || begun ? err : sek__eventsdb_run(db, SEK_ST_BEGIN, NULL, 0, diag);
}

enum sek_err sek__eventsdb_end(struct sek_eventsdb *db, enum sek_err err, struct sek_diag *diag)
{
    if (!err && db->hurry && ++db->n_held < HELD_MAX)
        return SEK_OK;
    db->n_held = 0;
    if (!err)
        err = sek__eventsdb_run(db, SEK_ST_COMMIT, NULL, 0, diag);
    if (!err)
        return SEK_OK;
    /* some errors roll back by themselves */
    if (!sqlite3_get_autocommit(db->sql))
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    sek_idmap_clear(&db->names);
    sek_idmap_clear(&db->endpoints);
    sek_idmap_clear(&db->rows);
    db->lists_seen = 0;
    return err;
}

enum sek_err sek_eventsdb_hurry(struct sek_eventsdb *db, struct sek_diag *diag)
{
    enum sek_err err = sek_sql_run(db->sql, HURRY_PRAGMAS, diag);
    db->hurry = !err;
    return err;
}

enum sek_err sek_eventsdb_commit(struct sek_eventsdb *db, struct sek_diag *diag)
{
    if (sqlite3_get_autocommit(db->sql))
        return SEK_OK;
    db->n_held = HELD_MAX - 1;
    return sek__eventsdb_end(db, SEK_OK, diag);
}

/* --- numbers of rows ---------------------------------------------------------------------------
 */

enum sek_err sek__eventsdb_keep_numbers(struct sek_eventsdb *db, struct sek_diag *diag)
{
    return sek__eventsdb_run(db, SEK_ST_NUMBERS_KEEP,
                             (int64_t[]){db->last_hit, db->last_finding, db->last_change}, 3, diag);
}

/* Of the rows there are, and of those that were deleted. */
static enum sek_err learn_numbers(struct sek_eventsdb *db, struct sek_diag *diag)
{
#define LAST(column, table, key)                                                                   \
    "SELECT max(coalesce((SELECT max(" column ") FROM " table "), 0),"                             \
    " coalesce((SELECT value FROM state WHERE key = '" key "'), 0))"
    enum sek_err err = sek_sql_int(db->sql, LAST("id", "hit", "last_hit"), &db->last_hit, diag);
    if (!err)
        err = sek_sql_int(db->sql, LAST("id", "finding", "last_finding"), &db->last_finding, diag);
    if (!err)
        err =
            sek_sql_int(db->sql, LAST("change", "finding", "last_change"), &db->last_change, diag);
    return err;
}

/* --- checkpoints -------------------------------------------------------------------------------
 */

static int on_commit(void *arg, sqlite3 *sql, const char *name, int n_pages)
{
    (void)sql, (void)name;
    ((struct sek_eventsdb *)arg)->wal_pages = n_pages;
    return SQLITE_OK;
}

void sek_eventsdb_checkpoint(struct sek_eventsdb *db, bool truncate)
{
    if (truncate || db->wal_pages > WAL_PAGES_TRUNCATE)
        sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    else if (db->wal_pages > WAL_PAGES_CHECKPOINT)
        sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* --- damaged files -----------------------------------------------------------------------------
 */

/* Never over a file that is there. */
static int move(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS) /* file systems that know no flags */
        return -1;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

enum sek_err sek_eventsdb_put_aside(const char *path, int64_t now_s, char out_aside[SEK_ASIDE_MAX],
                                    struct sek_diag *diag)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    char from[SEK_ASIDE_MAX], to[SEK_ASIDE_MAX + 8], iso[32], stamp[32];
    size_t n = 0;
    sek_time_to_text(now_s, iso, sizeof iso);
    for (const char *c = iso; *c; c++)
        if (*c != '-' && *c != ':')
            stamp[n++] = *c;
    stamp[n] = '\0';
    for (int attempt = 0; attempt < 100; attempt++) {
        char extra[8] = "";
        if (attempt)
            snprintf(extra, sizeof extra, "-%d", attempt);
        int len = snprintf(to, SEK_ASIDE_MAX - 4, "%s.corrupt-%s%s", path, stamp, extra);
        if (len < 0 || len >= SEK_ASIDE_MAX - 4)
            return sek_diag_set(diag, SEK_E_LIMIT, "%s: path too long to put it aside", path);
        if (access(to, F_OK) == 0)
            continue;
        /* the log first: left beside a new database it would be taken for that one's */
        for (unsigned i = 0; i < 3; i++) {
            snprintf(from, sizeof from, "%s%s", path, ends[i]);
            snprintf(to + len, sizeof to - (size_t)len, "%s", ends[i]);
            if (move(from, to) != 0 && errno != ENOENT)
                return sek_diag_set(diag, sek_err_from_errno(errno),
                                    "%s is damaged and cannot be put aside: %s", from,
                                    sek_err_text(sek_err_from_errno(errno)));
        }
        memcpy(out_aside, to, SEK_ASIDE_MAX); /* the last end is empty: it fits */
        return SEK_OK;
    }
    return sek_diag_set(diag, SEK_E_EXISTS, "%s: too many damaged files put aside", path);
}

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int is_late(void *deadline_ms)
{
    return monotonic_ms() > *(int64_t *)deadline_ms;
}

/* A kill does no harm to a WAL database; a crashed machine or a bad disk may. A check cut short
 * counts as good: what it did not reach shows when it is read. */
static bool looks_damaged(sqlite3 *sql)
{
    int64_t deadline_ms = monotonic_ms() + CHECK_MAX_MS;
    sqlite3_stmt *stmt = NULL;
    bool damaged = false;
    sqlite3_progress_handler(sql, CHECK_STEP_OPS, is_late, &deadline_ms);
    if (sqlite3_prepare_v2(sql, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK) {
        int rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW)
            damaged = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0;
        else
            damaged = (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
    }
    sqlite3_finalize(stmt);
    sqlite3_progress_handler(sql, 0, NULL, NULL);
    return damaged;
}

/* --- life --------------------------------------------------------------------------------------
 */

/* The schema's version is right, so a statement that cannot be prepared means damage. */
static enum sek_err prepare_all(struct sek_eventsdb *db, struct sek_diag *diag)
{
    for (int i = 0; i < SEK_N_ST; i++) {
        enum sek_err err = sek_sql_prepare(db->sql, statements[i], &db->st[i], diag);
        if (err)
            return err == SEK_E_IO
                       ? sek_diag_set(diag, SEK_E_CORRUPT, "%s: tables are missing", db->path)
                       : err;
    }
    return SEK_OK;
}

static void close_file(struct sek_eventsdb *db)
{
    sek_sql_close(db->sql);
    db->sql = NULL;
    if (db->fd >= 0)
        close(db->fd);
    db->fd = -1;
}

static enum sek_err open_once(struct sek_eventsdb *db, struct sek_diag *diag)
{
    int64_t unclean = 0;
    struct stat st;
    db->fd = -1;
    enum sek_err err = sek_sql_open(db->path, SEK_SQL_EVENTS, &sek_events_schema, &db->sql, diag);
    if (err)
        return err;
    db->fd = open(db->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (db->fd >= 0 && fstat(db->fd, &st) == 0) {
        db->dev = st.st_dev;
        db->ino = st.st_ino;
    }
    err = prepare_all(db, diag);
    if (!err)
        err = learn_numbers(db, diag);
    if (!err &&
        sek_sql_int(db->sql, "SELECT value FROM state WHERE key = 'unclean'", &unclean, NULL))
        unclean = 0;
    if (!err && unclean && looks_damaged(db->sql))
        err = sek_diag_set(diag, SEK_E_CORRUPT, "%s: quick_check found damage", db->path);
    if (!err &&
        (err = sek_sql_run(db->sql, "INSERT OR REPLACE INTO state(key, value) VALUES('unclean', 1)",
                           diag)))
        sek_diag_wrap(diag, "%s", db->path);
    sqlite3_wal_hook(db->sql, on_commit, db);
    if (err)
        close_file(db);
    return err;
}

enum sek_err sek_eventsdb_open(const char *path, int64_t now_s, struct sek_eventsdb **out,
                               char out_aside[SEK_ASIDE_MAX], struct sek_diag *diag)
{
    if (out_aside)
        out_aside[0] = '\0';
    if (strlen(path) >= sizeof((struct sek_eventsdb *)0)->path)
        return sek_diag_set(diag, SEK_E_LIMIT, "%s: path too long", path);
    struct sek_eventsdb *db = calloc(1, sizeof *db);
    if (!db)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", path);
    snprintf(db->path, sizeof db->path, "%s", path);
    db->key_a = sek_hash_key_random();
    db->key_b = sek_hash_key_random();
    db->swept_hour = INT64_MIN;
    db->hour = db->minute = INT64_MIN / 2;
    db->n_answers = -1;
    sek_idmap_init(&db->names, IDS_MAX);
    sek_idmap_init(&db->endpoints, IDS_MAX);
    sek_idmap_init(&db->rows, ROWS_MAX);
    enum sek_err err = open_once(db, diag);
    if (err == SEK_E_CORRUPT && out_aside) {
        err = sek_eventsdb_put_aside(path, now_s, out_aside, diag);
        if (!err)
            err = open_once(db, diag);
    }
    if (err) {
        free(db);
        return err;
    }
    *out = db;
    return SEK_OK;
}

void sek_eventsdb_close(struct sek_eventsdb *db)
{
    if (!db)
        return;
    if (!db->damaged) {
        sek_sql_run(db->sql, "UPDATE state SET value = 0 WHERE key = 'unclean'", NULL);
        sek_eventsdb_checkpoint(db, true);
    }
    close_file(db);
    sek_idmap_fini(&db->names);
    sek_idmap_fini(&db->endpoints);
    sek_idmap_fini(&db->rows);
    free(db);
}

bool sek_eventsdb_is_moved(const struct sek_eventsdb *db)
{
    struct stat st;
    if (lstat(db->path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR;
    return st.st_dev != db->dev || st.st_ino != db->ino;
}
