/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/sql.h"
#include "event_samples.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

static char dir[] = "/tmp/sek-sql-XXXXXX";
static char path[64];
static const char *const one[] = {"CREATE TABLE t(a INTEGER UNIQUE) STRICT", NULL};
static const char *const two[] = {"CREATE TABLE t(a INTEGER UNIQUE) STRICT",
                                  "ALTER TABLE t ADD COLUMN b INTEGER; INSERT INTO t VALUES(1, 2)",
                                  NULL};
static const char *const broken[] = {"CREATE TABLE t(a INTEGER UNIQUE) STRICT",
                                     "CREATE TABLE u(a); CREATE TABLE t(a)", NULL};
static const struct sek_sql_schema v1 = {one, "test.db", 77}, v2 = {two, "test.db", 77},
                                   bad = {broken, "test.db", 77}, other = {one, "other.db", 78};

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/test.db", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    sample_remove_dir(dir);
    return mkdir(dir, 0700);
}

static enum sek_err try_open(enum sek_sql_use use, const struct sek_sql_schema *schema,
                             struct sek_diag *diag)
{
    sqlite3 *db = NULL;
    enum sek_err err = sek_sql_open(path, use, schema, &db, diag);
    if (!err)
        sek_sql_close(db);
    return err;
}

static void put_file(const char *content, size_t len)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_int_equal(write(fd, content, len), len);
    close(fd);
}

static void test_create(void **state)
{
    (void)state;
    struct stat st;
    static const struct {
        const char *label;
        enum sek_sql_use use;
        const char *journal;
        mode_t mode;
    } cases[] = {{"policy", SEK_SQL_POLICY, "delete", 0600},
                 {"events", SEK_SQL_EVENTS, "wal", 0640}};
    for (size_t i = 0; i < 2; i++) {
        sqlite3 *db;
        sqlite3_stmt *stmt;
        clean(NULL);
        mode_t before = umask(077);
        assert_int_equal(sek_sql_open(path, cases[i].use, &v1, &db, NULL), SEK_OK);
        umask(before);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, cases[i].mode);
        assert_int_equal(sek_sql_prepare(db, "PRAGMA journal_mode", &stmt, NULL), SEK_OK);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        if (strcmp((const char *)sqlite3_column_text(stmt, 0), cases[i].journal) != 0)
            fail_msg("%s: %s", cases[i].label, (const char *)sqlite3_column_text(stmt, 0));
        sek_sql_close(db); /* ends the statement, too */
        assert_int_equal(try_open(SEK_SQL_READER, &v1, NULL), SEK_OK);
    }
    sek_sql_close(NULL);
}

static void test_reader(void **state)
{
    (void)state;
    sqlite3 *db;
    struct sek_diag diag;
    assert_int_equal(try_open(SEK_SQL_READER, &v1, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, path));
    assert_int_equal(access(path, F_OK), -1); /* reading creates nothing */
    put_file("", 0);
    assert_int_equal(try_open(SEK_SQL_READER, &v1, NULL), SEK_E_NOTFOUND);
    assert_int_equal(try_open(SEK_SQL_POLICY, &v1, NULL), SEK_OK);
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &v1, &db, NULL), SEK_OK);
    assert_int_equal(sek_sql_run(db, "INSERT INTO t VALUES(1)", NULL), SEK_E_DENIED);
    sek_sql_close(db);
}

static void test_versions(void **state)
{
    (void)state;
    sqlite3 *db;
    int64_t n;
    struct sek_diag diag;
    assert_int_equal(try_open(SEK_SQL_EVENTS, &v1, NULL), SEK_OK);
    /* a reader cannot migrate */
    assert_int_equal(try_open(SEK_SQL_READER, &v2, NULL), SEK_E_VERSION);
    /* a step that fails leaves the old version whole */
    assert_int_not_equal(try_open(SEK_SQL_EVENTS, &bad, &diag), SEK_OK);
    assert_non_null(strstr(diag.text, "version 2"));
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &v1, &db, NULL), SEK_OK);
    assert_int_equal(
        sek_sql_int(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'", &n, NULL), SEK_OK);
    assert_int_equal(n, 0);
    sek_sql_close(db);
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &v2, &db, NULL), SEK_OK);
    assert_int_equal(sek_sql_int(db, "SELECT b FROM t", &n, NULL), SEK_OK);
    assert_int_equal(n, 2);
    sek_sql_close(db);
    /* newer than we know: refused by everybody */
    for (int use = SEK_SQL_POLICY; use <= SEK_SQL_READER; use++)
        assert_int_equal(try_open((enum sek_sql_use)use, &v1, &diag), SEK_E_VERSION);
    assert_non_null(strstr(diag.text, "newer"));
}

/* Files that are not ours stay as they are, to the last octet. */
static void test_foreign(void **state)
{
    (void)state;
    struct sek_diag diag;
    struct stat before, after;
    char garbage[8192];
    memset(garbage, 'g', sizeof garbage);
    assert_int_equal(try_open(SEK_SQL_POLICY, &other, NULL), SEK_OK);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(try_open(SEK_SQL_EVENTS, &v1, &diag), SEK_E_INVALID);
    assert_non_null(strstr(diag.text, "not test.db"));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(before.st_size, after.st_size);
    put_file(garbage, sizeof garbage);
    for (int use = SEK_SQL_POLICY; use <= SEK_SQL_READER; use++)
        assert_int_equal(try_open((enum sek_sql_use)use, &v1, NULL), SEK_E_CORRUPT);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(try_open(SEK_SQL_EVENTS, &v1, NULL), SEK_E_INVALID);
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(try_open(SEK_SQL_EVENTS, &v1, NULL), SEK_E_INVALID);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(try_open(SEK_SQL_READER, &v1, NULL), SEK_E_INVALID);
    assert_int_equal(try_open(SEK_SQL_EVENTS, &v1, NULL), SEK_E_INVALID);
    unlink(path);
    sqlite3 *db;
    assert_int_equal(sek_sql_open("/nonexistent/x.db", SEK_SQL_EVENTS, &v1, &db, NULL),
                     SEK_E_NOTFOUND);
}

static void test_codes(void **state)
{
    (void)state;
    sqlite3 *db, *second;
    struct sek_diag diag;
    int64_t n;
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &v1, &db, NULL), SEK_OK);
    assert_int_equal(sek_sql_open(path, SEK_SQL_EVENTS, &v1, &second, NULL), SEK_OK);
    assert_int_equal(sek_sql_run(db, "INSERT INTO t VALUES(1)", NULL), SEK_OK);
    assert_int_equal(sek_sql_run(db, "INSERT INTO t VALUES(1)", NULL), SEK_E_EXISTS);
    assert_int_equal(sek_sql_run(db, "INSERT INTO t VALUES('x')", NULL), SEK_E_INVALID);
    assert_int_equal(sek_sql_run(db, "nonsense", &diag), SEK_E_IO);
    assert_non_null(strstr(diag.text, "nonsense"));
    assert_int_equal(sek_sql_int(db, "SELECT a FROM t WHERE a = 5", &n, NULL), SEK_E_NOTFOUND);
    assert_int_equal(sek_sql_int(db, "SELECT \"a\" || 'text' FROM nowhere", &n, NULL), SEK_E_IO);
    assert_int_equal(sek_sql_run(db, "BEGIN IMMEDIATE", NULL), SEK_OK);
    assert_int_equal(sek_sql_run(second, "BEGIN IMMEDIATE", NULL), SEK_E_BUSY);
    assert_int_equal(sek_sql_run(db, "ROLLBACK; PRAGMA max_page_count=1", NULL), SEK_OK);
    assert_int_equal(sek_sql_run(db,
                                 "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
                                 " LIMIT 9999) INSERT INTO t SELECT i FROM n",
                                 NULL),
                     SEK_E_FULL);
    sek_sql_close(second);
    sek_sql_close(db);
}

/* A writer killed in the middle leaves a journal; the next reader sees the state before. */
static void test_reader_after_kill(void **state)
{
    (void)state;
    sqlite3 *db;
    int64_t n = -1;
    assert_int_equal(try_open(SEK_SQL_POLICY, &v1, NULL), SEK_OK);
    pid_t child = fork();
    if (child == 0) {
        if (sek_sql_open(path, SEK_SQL_POLICY, &v1, &db, NULL) == SEK_OK) {
            sek_sql_run(db,
                        "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN IMMEDIATE;"
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                        " LIMIT 99999) INSERT INTO t SELECT i FROM n",
                        NULL);
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    char journal[80];
    snprintf(journal, sizeof journal, "%s-journal", path);
    assert_int_equal(access(journal, F_OK), 0); /* else this test shows nothing */
    assert_int_equal(sek_sql_open(path, SEK_SQL_READER, &v1, &db, NULL), SEK_OK);
    assert_int_equal(sek_sql_int(db, "SELECT count(*) FROM t", &n, NULL), SEK_OK);
    assert_int_equal(n, 0);
    sek_sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_create, clean),
        cmocka_unit_test_setup(test_reader, clean),
        cmocka_unit_test_setup(test_versions, clean),
        cmocka_unit_test_setup(test_foreign, clean),
        cmocka_unit_test_setup(test_codes, clean),
        cmocka_unit_test_setup(test_reader_after_kill, clean),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
