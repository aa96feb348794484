/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/sql.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

/* Who asked for what is private: owner writes, group reads, others nothing. Of policy.db the group
 * (the resolver's) has nothing either: a reader's lock keeps writers out, and people must be able
 * to block names whatever a broken-into resolver does. */
static const mode_t file_modes[] = {[SEK_SQL_POLICY] = 0600, [SEK_SQL_EVENTS] = 0640};

/* Readers and people wait for each other; the events writer has its own back-off and must stay
 * quick to stop. */
static const int busy_ms[] = {
    [SEK_SQL_POLICY] = 10000, [SEK_SQL_EVENTS] = 100, [SEK_SQL_READER] = 3000};

/* No mmap anywhere: a truncated file would be a SIGBUS inside the resolver. */
#define CAREFUL "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
#define POLICY "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
#define EVENTS                                                                                     \
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"             \
    "PRAGMA journal_size_limit=16777216; PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;"
#define READER "PRAGMA query_only=ON; PRAGMA cache_size=-65536;"
static const char *const pragmas[] = {
    [SEK_SQL_POLICY] = CAREFUL POLICY,
    [SEK_SQL_EVENTS] = CAREFUL EVENTS,
    [SEK_SQL_READER] = CAREFUL READER,
};

static enum sek_err code_of(sqlite3 *db, int rc)
{
    int errnum = db ? sqlite3_system_errno(db) : 0;
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return SEK_E_NOMEM;
    case SQLITE_FULL:
        return SEK_E_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return SEK_E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return SEK_E_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return SEK_E_DENIED;
    case SQLITE_TOOBIG:
        return SEK_E_LIMIT;
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ? SEK_E_EXISTS
                                                                                    : SEK_E_INVALID;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        /* a quota or a file size limit is the same trouble as a full disk */
        if (errnum == EDQUOT || errnum == EFBIG)
            return SEK_E_FULL;
        return errnum ? sek_err_from_errno(errnum) : SEK_E_IO;
    default:
        return SEK_E_IO;
    }
}

enum sek_err sek_sql_fail(sqlite3 *db, int rc, const char *what, struct sek_diag *diag)
{
    enum sek_err code = code_of(db, rc);
    int errnum = db ? sqlite3_system_errno(db) : 0;
    bool has_errno = errnum && ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_IOERR);
    char reason[128] = "";
    /* strerror() is not thread-safe; this is the GNU strerror_r */
    const char *why = has_errno ? strerror_r(errnum, reason, sizeof reason) : "";
    const char *text =
        db && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    return sek_diag_set(diag, code, "%s%s%s%s%s", what ? what : "", what ? ": " : "", text,
                        has_errno ? ": " : "", why);
}

enum sek_err sek_sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out,
                             struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc != SQLITE_OK)
        return sek_sql_fail(db, rc, NULL, diag);
    *out = stmt;
    return SEK_OK;
}

enum sek_err sek_sql_run(sqlite3 *db, const char *text, struct sek_diag *diag)
{
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SEK_OK : sek_sql_fail(db, rc, NULL, diag);
}

enum sek_err sek_sql_int(sqlite3 *db, const char *text, int64_t *out, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    enum sek_err err = sek_sql_prepare(db, text, &stmt, diag);
    if (err)
        return err;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    else
        err = rc == SQLITE_DONE ? sek_diag_set(diag, SEK_E_NOTFOUND, "no row")
                                : sek_sql_fail(db, rc, NULL, diag);
    sqlite3_finalize(stmt);
    return err;
}

void sek_sql_close(sqlite3 *db)
{
    if (!db)
        return;
    sqlite3_stmt *stmt;
    while ((stmt = sqlite3_next_stmt(db, NULL)))
        sqlite3_finalize(stmt);
    sqlite3_close(db);
}

/* Never opens a file that exists: closing any descriptor of a database drops this process's locks
 * on it (fcntl locks, POSIX.1), also those of another connection. */
static enum sek_err prepare_file(const char *path, enum sek_sql_use use, struct sek_diag *diag)
{
    if (use != SEK_SQL_READER) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_modes[use]);
        if (fd >= 0) {
            int rc =
                fchmod(fd, file_modes[use]); /* a umask of 077 would lock the readers' group out */
            close(fd);
            return rc == 0 ? SEK_OK
                           : sek_diag_set(diag, SEK_E_IO, "cannot set the mode of the new file");
        }
        if (errno != EEXIST)
            return sek_diag_set(diag, sek_err_from_errno(errno), "cannot create the file: %s",
                                sek_err_text(sek_err_from_errno(errno)));
    }
    struct stat st;
    if (lstat(path, &st) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s",
                            sek_err_text(sek_err_from_errno(errno)));
    if (!S_ISREG(st.st_mode))
        return sek_diag_set(diag, SEK_E_INVALID, "not a regular file");
    return SEK_OK;
}

static enum sek_err raw_open(const char *path, enum sek_sql_use use, sqlite3 **out,
                             struct sek_diag *diag)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (use == SEK_SQL_READER ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags, NULL);
    if (rc != SQLITE_OK) {
        enum sek_err err = sek_sql_fail(db, rc, "cannot open", diag);
        sqlite3_close(db);
        return err;
    }
    sqlite3_busy_timeout(db, busy_ms[use]);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, use == SEK_SQL_READER, NULL);
    if (use == SEK_SQL_EVENTS) {
        /* -wal and -shm stay after a clean stop: without them a reader that may not write into the
         * folder could not open the database */
        int on = 1;
        sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    }
    *out = db;
    return SEK_OK;
}

/* A killed writer leaves a journal that only a writable connection may roll back (policy.db; a WAL
 * never answers so). */
static enum sek_err roll_back(const char *path, struct sek_diag *diag)
{
    sqlite3 *db = NULL;
    int64_t n;
    enum sek_err err = raw_open(path, SEK_SQL_POLICY, &db, diag);
    if (!err)
        err = sek_sql_int(db, "SELECT count(*) FROM sqlite_schema", &n, diag);
    sek_sql_close(db);
    return err;
}

/* The first access: damage, locks and missing rights show here. */
static enum sek_err read_header(sqlite3 *db, const struct sek_sql_schema *schema, int n_steps,
                                int64_t *out_version, struct sek_diag *diag)
{
    int64_t n_tables = 0, app_id = 0, version = 0;
    enum sek_err err = sek_sql_int(db, "SELECT count(*) FROM sqlite_schema", &n_tables, diag);
    if (!err)
        err = sek_sql_int(db, "PRAGMA application_id", &app_id, diag);
    if (!err)
        err = sek_sql_int(db, "PRAGMA user_version", &version, diag);
    if (err)
        return err;
    if (n_tables == 0 && version == 0)
        app_id = schema->app_id; /* nothing in it: ours to fill */
    if (app_id != schema->app_id)
        return sek_diag_set(diag, SEK_E_INVALID, "is a database, but not %s", schema->what);
    if (version > n_steps)
        return sek_diag_set(
            diag, SEK_E_VERSION,
            "%s has version %lld, this program knows up to %d: use the newer program", schema->what,
            (long long)version, n_steps);
    *out_version = version;
    return SEK_OK;
}

static enum sek_err migrate(sqlite3 *db, const struct sek_sql_schema *schema, int n_steps,
                            struct sek_diag *diag)
{
    char text[96];
    int64_t version;
    enum sek_err err = sek_sql_run(db, "BEGIN IMMEDIATE", diag);
    if (err)
        return err;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL); /* a step may widen a CHECK */
    /* again, now that nobody else can migrate it */
    err = read_header(db, schema, n_steps, &version, diag);
    for (; !err && version < n_steps; version++)
        err = sek_sql_run(db, schema->steps[version], diag);
    if (!err) {
        snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 (int)schema->app_id, n_steps);
        err = sek_sql_run(db, text, diag);
    }
    if (!err)
        err = sek_sql_run(db, "COMMIT", diag);
    if (err) {
        sek_diag_wrap(diag, "bringing %s to version %d", schema->what, n_steps);
        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return err;
}

static enum sek_err check_version(sqlite3 *db, enum sek_sql_use use,
                                  const struct sek_sql_schema *schema, struct sek_diag *diag)
{
    int n_steps = 0;
    int64_t version;
    while (schema->steps[n_steps])
        n_steps++;
    enum sek_err err = read_header(db, schema, n_steps, &version, diag);
    if (err || version == n_steps)
        return err;
    if (use != SEK_SQL_READER)
        return migrate(db, schema, n_steps, diag);
    if (version == 0)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "%s is still empty", schema->what);
    return sek_diag_set(
        diag, SEK_E_VERSION,
        "%s has version %lld, this program needs %d: its writer has to open it first", schema->what,
        (long long)version, n_steps);
}

enum sek_err sek_sql_open(const char *path, enum sek_sql_use use,
                          const struct sek_sql_schema *schema, sqlite3 **out, struct sek_diag *diag)
{
    sqlite3 *db = NULL;
    int64_t n;
    enum sek_err err = path ? prepare_file(path, use, diag) : SEK_OK;
    if (!err)
        err = raw_open(path ? path : ":memory:", use, &db, diag);
    if (!err && use == SEK_SQL_READER && sek_sql_int(db, "PRAGMA schema_version", &n, NULL) &&
        sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK)
        err = roll_back(path, diag);
    /* the version first: journal_mode would already change a file that is not ours */
    if (!err)
        err = check_version(db, use, schema, diag);
    if (!err)
        err = sek_sql_run(db, pragmas[use], diag);
    if (err) {
        sek_sql_close(db);
        sek_diag_wrap(diag, "%s", path ? path : "in memory");
        return err;
    }
    *out = db;
    return SEK_OK;
}
