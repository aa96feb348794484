/* SPDX-License-Identifier: BSD-3-Clause */
#include "audit_fixture.h"
#include "store/policydb_parts.h"
#include <openssl/evp.h>
#include <sys/wait.h>

#define ROWS 6

/* Six rows, of all kinds that there are: a rule, many, one removed, a list, a change outside of the
 * database, a dismissal. */
static void fill(void)
{
    struct sek_policydb *db = db_audited();
    struct sek_dismissal one = {.detector = SEK_DETECTOR_DGA, .everybody = true, .why = "ours"};
    struct sek_dismissed set = {.all = &one, .n = 1};
    int64_t number;
    AUDITED(db, "block", 0, put(db, 1, "evil.example", SEK_ACTION_DEFAULT, "x"));
    AUDITED(
        db, "block", 0, for (int i = 0; i < 100; i++) {
            char name[32];
            snprintf(name, sizeof name, "n%d.example", i);
            put(db, 1, name, SEK_ACTION_DEFAULT, "many");
        });
    AUDITED(db, "unblock", 0, take(db, 1, "evil.example"));
    AUDITED(db, "list add", 0, list_new(db, "feed"));
    const struct sek_audit_act act = {.time_ms = clock_ms++,
                                      .user = "bob",
                                      .verb = "quarantine",
                                      .object = "192.0.2.7",
                                      .before = "",
                                      .after = "until noon \xff"};
    OK(sek_policydb_begin(db, &diag));
    OK(sek_audit_add(db, &act, KEEP_S, KEEP_OCTETS, &number, &diag));
    assert_int_equal(number, 5);
    OK(sek_policydb_commit(db, &diag));
    AUDITED(db, "findings dismiss", 0, OK(sek_dismissaldb_write(db, &set, &diag)));
    sek_policydb_close(db);
    assert_int_equal(number_of("SELECT count(*) FROM audit"), ROWS);
}

static char *file_read(size_t *out_len)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *out_len = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*out_len);
    assert_int_equal(fread(data, 1, *out_len, f), *out_len);
    fclose(f);
    return data;
}

static void file_write(const char *data, size_t len)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(ftruncate(fileno(f), (off_t)len), 0);
    fclose(f);
}

/* The hash as audit.h describes it, written down again from there. */
static void hash_of(sqlite3_stmt *row, char out[65])
{
    static const char *const fields[] = {
        "previous", "number", "time_ms", "user",   "uid",    "origin",    "command", "verb",
        "object",   "before", "after",   "reason", "undoes", "n_changes", "changes", "state"};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[32];
    char head[32];
    bool has_state = sqlite3_column_bytes(row, sqlite3_column_count(row) - 1) > 0;
    snprintf(head, sizeof head, "15:sekisho.audit/%d,", has_state ? 2 : 1);
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, head, strlen(head));
    for (size_t i = 0; i < sizeof fields / sizeof *fields - !has_state; i++) {
        int column = 0;
        while (strcmp(sqlite3_column_name(row, column), fields[i]) != 0)
            column++;
        const unsigned char *text = sqlite3_column_text(row, column);
        int n = sqlite3_column_bytes(row, column);
        snprintf(head, sizeof head, "%d:", n);
        EVP_DigestUpdate(context, head, strlen(head));
        EVP_DigestUpdate(context, text, (size_t)n);
        EVP_DigestUpdate(context, ",", 1);
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* What somebody does who knows how it works: all hashes from a row to another one computed anew. */
static void rehash(int from, int to)
{
    sqlite3 *raw;
    sqlite3_stmt *stmt, *set;
    char hash[65];
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    for (int i = from; i <= to; i++) {
        sqlite3_prepare_v2(raw, "SELECT * FROM audit WHERE number = ?1", -1, &stmt, NULL);
        sqlite3_bind_int(stmt, 1, i);
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        hash_of(stmt, hash);
        sqlite3_finalize(stmt);
        static const char *const sets[] = {"UPDATE audit SET hash = ?2 WHERE number = ?1",
                                           "UPDATE audit SET previous = ?2 WHERE number = ?1 + 1"};
        for (int k = 0; k < (i < to ? 2 : 1); k++) {
            sqlite3_prepare_v2(raw, sets[k], -1, &set, NULL);
            sqlite3_bind_int(set, 1, i);
            sqlite3_bind_text(set, 2, hash, -1, SQLITE_STATIC);
            assert_int_equal(sqlite3_step(set), SQLITE_DONE);
            sqlite3_finalize(set);
        }
    }
    sqlite3_close(raw);
}

static const char no_triggers[] = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"
                                  "DROP TRIGGER audit_in_order; DROP TRIGGER audit_data_no_update;";
static const char triggers[] =
    SEK_AUDIT_NO_UPDATE ";" SEK_AUDIT_NO_DELETE ";" SEK_AUDIT_IN_ORDER ";" SEK_AUDIT_DATA_NO_UPDATE;

#define COPY                                                                                       \
    "time_ms, user, uid, origin, command, verb, object, before, after, reason, undoes, n_changes," \
    " changes, previous, hash, state"

/* One row a kind of tampering: what is done, and which row the first problem names; 0: none. */
static const struct {
    const char *label, *sql;
    int64_t row;
    const char *says;
    unsigned n; /* problems; 0: any */
    int rehash_from, rehash_to;
} cases[] = {
    {"nothing", "SELECT 1", 0, NULL, 0, 0, 0},
    {"time", "UPDATE audit SET time_ms = time_ms + 1 WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"user", "UPDATE audit SET user = 'bob' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"uid", "UPDATE audit SET uid = 0 WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"origin", "UPDATE audit SET origin = '' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"command", "UPDATE audit SET command = 'x' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"verb", "UPDATE audit SET verb = 'allow' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"object", "UPDATE audit SET object = object || ' ' WHERE number = 3", 3, "was altered", 1, 0,
     0},
    {"before", "UPDATE audit SET before = '' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"after", "UPDATE audit SET after = 'y' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"reason", "UPDATE audit SET reason = '' WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"a NUL behind", "UPDATE audit SET reason = reason || char(0) || 'x' WHERE number = 3", 3,
     "was altered", 1, 0, 0},
    {"undoes", "UPDATE audit SET undoes = 1 WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"n_changes", "UPDATE audit SET n_changes = 2 WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"changes", "UPDATE audit SET changes = '' WHERE number = 3", 3, "was altered", 0, 0, 0},
    {"previous", "UPDATE audit SET previous = hash WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"hash", "UPDATE audit SET hash = upper(hash) WHERE number = 3", 3, "was altered", 1, 0, 0},
    {"from one field into the next",
     "UPDATE audit SET before = before || after, after = '' WHERE number = 1", 1, "was altered", 1,
     0, 0},
    {"the first row", "UPDATE audit SET user = 'x' WHERE number = 1", 1, "was altered", 1, 0, 0},
    {"the last row", "UPDATE audit SET user = 'x' WHERE number = 6", 6, "was altered", 1, 0, 0},
    {"first row removed", "DELETE FROM audit WHERE number = 1", 1, "is missing", 0, 0, 0},
    {"middle row removed", "DELETE FROM audit WHERE number = 4", 4, "is missing", 0, 0, 0},
    {"two removed", "DELETE FROM audit WHERE number IN (3, 4)", 3, "rows 3 to 4 are missing", 0, 0,
     0},
    {"last row removed", "DELETE FROM audit WHERE number = 6", 6, "is missing", 0, 0, 0},
    {"all rows removed", "DELETE FROM audit; DELETE FROM audit_data", 1, "rows 1 to 6 are missing",
     1, 0, 0},
    {"removed and closed up",
     "DELETE FROM audit WHERE number = 3; UPDATE audit SET number = number - 1 WHERE number > 3;"
     "UPDATE sqlite_sequence SET seq = 5; DELETE FROM audit_data",
     3, "was altered or moved", 0, 0, 0},
    {"removed, closed up, hashes computed of content",
     "DELETE FROM audit WHERE number = 3; UPDATE audit SET number = number - 1 WHERE number > 3;"
     "UPDATE sqlite_sequence SET seq = 5; DELETE FROM audit_data",
     2, "is not the one that row 3 was made after", 0, 3, 5},
    {"two rows swapped",
     "UPDATE audit SET number = 100 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 4;"
     "UPDATE audit SET number = 4 WHERE number = 100; DELETE FROM audit_data;"
     "UPDATE sqlite_sequence SET seq = 6",
     2, "it says that it follows row 3", 0, 0, 0},
    {"one put in at the end", "INSERT INTO audit SELECT 7, " COPY " FROM audit WHERE number = 6", 7,
     "was altered", 0, 0, 0},
    {"one put in between",
     "UPDATE audit SET number = number + 100 WHERE number > 3;"
     "UPDATE audit SET number = number - 99 WHERE number > 100;"
     "INSERT INTO audit SELECT 4, " COPY " FROM audit WHERE number = 3; DELETE FROM audit_data;"
     "UPDATE sqlite_sequence SET seq = 7",
     4, "was altered", 0, 0, 0},
    {"one put before the first",
     "PRAGMA ignore_check_constraints = ON;"
     "INSERT INTO audit SELECT 0, " COPY " FROM audit WHERE number = 1",
     0, "does not belong", 1, 0, 0},
    {"altered, its own hash computed anew", "UPDATE audit SET user = 'x' WHERE number = 3", 3,
     "is not the one that row 4 was made after", 1, 3, 3},
    {"data for undo altered",
     "UPDATE audit_data SET data = CAST(substr(data, 1, 20) || 'X' || substr(data, 22) AS BLOB)"
     " WHERE audit = 2 AND part = 0",
     2, "data for undo of row 2 was altered", 1, 0, 0},
    {"data for undo cut off", "UPDATE audit_data SET data = x'' WHERE audit = 1", 1,
     "data for undo of row 1 was altered", 1, 0, 0},
    {"data for undo added", "INSERT INTO audit_data VALUES (3, 1, x'00')", 3,
     "data for undo of row 3 was altered", 1, 0, 0},
    {"data for undo removed", "DELETE FROM audit_data", 1, "data for undo of row 1 was removed", 1,
     0, 0},
    {"data of one row removed", "DELETE FROM audit_data WHERE audit = 3", 3,
     "data for undo of row 3 was removed", 1, 0, 0},
    {"oldest data removed, long ago",
     "DELETE FROM audit_data WHERE audit < 4; UPDATE audit SET time_ms = time_ms - 3600001"
     " WHERE number < 4",
     0, NULL, 0, 1, 6},
};

static void test_tampering(void **state)
{
    (void)state;
    size_t len;
    fill();
    char *whole = file_read(&len);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write(whole, len);
        run_sql(no_triggers);
        run_sql(cases[i].sql);
        if (cases[i].rehash_from)
            rehash(cases[i].rehash_from, cases[i].rehash_to);
        run_sql(triggers);
        struct problems p = verify(NULL);
        bool expected = cases[i].says != NULL;
        if (expected != (p.n > 0) || (expected && p.first != cases[i].row) ||
            (expected && !strstr(p.text, cases[i].says)) || (cases[i].n && p.n != cases[i].n))
            fail_msg("%s: %u problems, row %lld: %s", cases[i].label, p.n, (long long)p.first,
                     p.text);
    }
    free(whole);
}

/* Nothing within the file shows it; what was noted elsewhere does. */
static void test_anchor(void **state)
{
    (void)state;
    struct sek_audit_anchor anchor[ROWS + 1], head;
    size_t len;
    fill();
    for (int i = 1; i <= ROWS; i++) {
        char sql[64], text[128];
        sqlite3 *raw;
        sqlite3_stmt *stmt;
        snprintf(sql, sizeof sql, "SELECT hash FROM audit WHERE number = %d", i);
        assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
        sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL);
        sqlite3_step(stmt);
        snprintf(text, sizeof text, "%d:%s", i, (const char *)sqlite3_column_text(stmt, 0));
        sqlite3_finalize(stmt);
        sqlite3_close(raw);
        OK(sek_audit_anchor_read(text, &anchor[i], &diag));
        assert_int_equal(verify(&anchor[i]).n, 0);
    }
    struct sek_policydb *db = db_open();
    OK(sek_audit_head(db, &head, &diag));
    sek_policydb_close(db);
    assert_int_equal(head.number, ROWS);
    assert_string_equal(head.hash, anchor[ROWS].hash);
    char *whole = file_read(&len);

    run_sql(no_triggers);
    run_sql("UPDATE audit SET user = 'mallory' WHERE number = 3");
    rehash(3, ROWS);
    run_sql(triggers);
    assert_int_equal(verify(NULL).n, 0);
    assert_int_equal(verify(&anchor[2]).n, 0); /* what was before is as it was */
    for (int i = 3; i <= ROWS; i++)
        assert_int_equal(verify(&anchor[i]).first, i);
    assert_non_null(strstr(verify(&anchor[6]).text, "is not the one of the anchor"));

    file_write(whole, len);
    run_sql(no_triggers);
    run_sql("DELETE FROM audit WHERE number > 4; DELETE FROM audit_data WHERE audit > 4;"
            "UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit'");
    run_sql(triggers);
    /* the last change is in the tables, and no row has it */
    assert_non_null(strstr(verify(NULL).text, "the tables were changed outside of the command"));
    assert_int_equal(verify(&anchor[4]).n, verify(NULL).n);
    assert_int_equal(verify(&anchor[6]).first, 5);
    assert_non_null(strstr(verify(&anchor[6]).text, "rows 5 to 6 are missing"));

    file_write(whole, len);
    run_sql("DROP TRIGGER audit_no_update");
    assert_non_null(strstr(verify(NULL).text, "trigger audit_no_update"));
    run_sql("CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END");
    assert_non_null(strstr(verify(NULL).text, "was replaced"));
    run_sql("DROP TABLE audit");
    assert_non_null(strstr(verify(NULL).text, "the table audit was removed"));
    free(whole);
}

static void test_anchor_text(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        ":",
        "12",
        "12:",
        "12:abc",
        "x:0000000000000000000000000000000000000000000000000000000000000000",
        "-1:0000000000000000000000000000000000000000000000000000000000000000",
        "1:g000000000000000000000000000000000000000000000000000000000000000",
        "1:00000000000000000000000000000000000000000000000000000000000000000",
        "99999999999999999999999:0000000000000000000000000000000000000000000000000000000000000000"};
    struct sek_audit_anchor a;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (sek_audit_anchor_read(bad[i], &a, NULL) != SEK_E_INVALID)
            fail_msg("taken: %s", bad[i]);
    OK(sek_audit_anchor_read("7:ABCDEF0000000000000000000000000000000000000000000000000000000000",
                             &a, &diag));
    assert_int_equal(a.number, 7);
    assert_memory_equal(a.hash, "abcdef", 6);
}

/* After the end was cut off, the next row leaves a gap for ever. */
static void test_cut_and_go_on(void **state)
{
    (void)state;
    fill();
    run_sql(no_triggers);
    run_sql("DELETE FROM audit WHERE number > 4; DELETE FROM audit_data WHERE audit > 4");
    run_sql(triggers);
    struct sek_policydb *db = db_audited();
    AUDITED(db, "block", 0, put(db, 1, "later.example", SEK_ACTION_DEFAULT, "x"));
    sek_policydb_close(db);
    assert_int_equal(number_of("SELECT max(number) FROM audit"), ROWS + 1);
    struct problems p = verify(NULL);
    assert_int_equal(p.n, 1);
    assert_non_null(strstr(p.text, "rows 5 to 6 are missing"));
}

static void test_triggers(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "UPDATE audit SET user = 'x'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE number = 6",
        "REPLACE INTO audit SELECT number, " COPY " FROM audit WHERE number = 3",
        "INSERT INTO audit SELECT 9, " COPY " FROM audit WHERE number = 3",
        "UPDATE audit_data SET part = 9",
    };
    sqlite3 *raw;
    fill();
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    for (int recursive = 0; recursive < 2; recursive++) {
        sqlite3_exec(raw,
                     recursive ? "PRAGMA recursive_triggers = 1" : "PRAGMA recursive_triggers = 0",
                     NULL, NULL, NULL);
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
            if (sqlite3_exec(raw, refused[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT)
                fail_msg("not refused: %s", refused[i]);
    }
    sqlite3_close(raw);
    assert_int_equal(verify(NULL).n, 0);
}

static bool keep_row(void *arg, const struct sek_audit_row *row)
{
    struct sek_buf *b = arg;
    sek_buf_add_fmt(b, "%lld %s|%s|%s|%s|%s\n", (long long)row->number, row->user, row->verb,
                    row->object, row->before, row->after);
    return true;
}

static void check_rows(const struct sek_audit_filter *filter, const char *expected)
{
    struct sek_buf b;
    struct sek_policydb *db = db_open();
    sek_buf_init(&b, 0);
    sek_buf_add_text(&b, "");
    OK(sek_audit_rows(db, filter, keep_row, &b, &diag));
    sek_policydb_close(db);
    if (strcmp(b.data ? b.data : "", expected) != 0)
        fail_msg("expected\n%sgot\n%s", expected, b.data);
    sek_buf_fini(&b);
}

static void test_rows(void **state)
{
    (void)state;
    fill();
    char many[256];
    sqlite3 *raw;
    sqlite3_stmt *stmt;
    sqlite3_open(path, &raw);
    sqlite3_prepare_v2(raw,
                       "SELECT '2 alice|block|list local-block||100 rows, in data with SHA-256 '"
                       " || changes || char(10) FROM audit WHERE number = 2",
                       -1, &stmt, NULL);
    sqlite3_step(stmt);
    snprintf(many, sizeof many, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(raw);
    check_rows(&(struct sek_audit_filter){.number = 1},
               "1 alice|block|local-block evil.example||action as list, by \"tester\", reason "
               "\"x\"\n");
    check_rows(&(struct sek_audit_filter){.number = 7}, "");
    check_rows(&(struct sek_audit_filter){.verb = "unblock"},
               "3 alice|unblock|local-block evil.example|action as list, by \"tester\", reason "
               "\"x\"|\n");
    check_rows(&(struct sek_audit_filter){.user = "bob"},
               "5 bob|quarantine|192.0.2.7||until noon \\xff\n");
    check_rows(&(struct sek_audit_filter){.object = "LIST FEED"},
               "4 alice|list add|list feed||mode block, action nxdomain, priority 0, ede 15\n");
    check_rows(&(struct sek_audit_filter){.object = "n77.example"}, many); /* by its data */
    check_rows(&(struct sek_audit_filter){.object = "dga"},
               "6 alice|findings dismiss|dismissal dga * -||finding 0, reason \"ours\"\n");
    check_rows(&(struct sek_audit_filter){.object = "nowhere"}, "");
    int64_t from = number_of("SELECT time_ms FROM audit WHERE number = 2");
    check_rows(&(struct sek_audit_filter){.since_ms = from, .until_ms = from + 1}, many);
}

/* More than a page, from both ends. */
static bool note_number(void *arg, const struct sek_audit_row *row)
{
    int64_t *at = arg;
    assert_int_equal(row->number, at[0]);
    at[0] += at[1];
    return row->number != at[2];
}

static void test_pages(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    for (int i = 0; i < 200; i++)
        AUDITED(db, "x", 0, put(db, 1, "a.example", i % 2 ? SEK_ACTION_DROP : SEK_ACTION_LOG, ""));
    int64_t down[3] = {200, -1, 0}, up[3] = {1, 1, 0}, part[3] = {130, 1, 140};
    OK(sek_audit_rows(db, &(struct sek_audit_filter){0}, note_number, down, &diag));
    OK(sek_audit_rows(db, &(struct sek_audit_filter){.oldest_first = true}, note_number, up,
                      &diag));
    OK(sek_audit_rows(db, &(struct sek_audit_filter){.oldest_first = true, .from = 130},
                      note_number, part, &diag));
    assert_int_equal(down[0], 0);
    assert_int_equal(up[0], 201);
    assert_int_equal(part[0], 141);
    sek_policydb_close(db);
}

static void test_nothing_changed(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    AUDITED(db, "block", 0, put(db, 1, "a.example", SEK_ACTION_DEFAULT, "why"));
    OK(sek_policydb_begin(db, &diag));
    put(db, 1, "a.example", SEK_ACTION_DEFAULT, "why");
    assert_int_equal(add_row(db, "block", 0), 0);
    OK(sek_policydb_commit(db, &diag));
    /* another reason is a change */
    AUDITED(db, "block", 0, put(db, 1, "a.example", SEK_ACTION_DEFAULT, "why not"));
    /* rolled back: neither the change nor the row */
    OK(sek_policydb_begin(db, &diag));
    put(db, 1, "b.example", SEK_ACTION_DEFAULT, "why");
    assert_int_equal(add_row(db, "block", 0), 3);
    sek_policydb_rollback(db);
    /* what ended long ago is swept away: that is no change of policy */
    struct sek_entry e = entry_of(1, "c.example", SEK_SCOPE_EXACT);
    bool changed;
    uint64_t n;
    e.rule.expires_s = NOW - 10;
    AUDITED(db, "block", 0, OK(sek_policydb_entry_put(db, &e, &changed, &diag)));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_expire(db, NOW, &n, &diag));
    assert_int_equal(n, 1);
    assert_int_equal(add_row(db, "x", 0), 0);
    put(db, 1, "d.example", SEK_ACTION_DEFAULT, ""); /* beside a change only, see verify */
    assert_int_equal(add_row(db, "x", 0), 4);
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
    assert_int_equal(number_of("SELECT count(*) FROM audit"), 4);
    assert_int_equal(number_of("SELECT n_changes FROM audit WHERE number = 4"), 1);
    assert_int_equal(verify(NULL).n, 0);
}

/* Eight processes at once: one chain, and every change has its row. */
static void test_processes(void **state)
{
    (void)state;
    pid_t pid[8];
    for (int p = 0; p < 8; p++) {
        pid[p] = fork();
        if (pid[p])
            continue;
        struct sek_policydb *db = db_audited();
        for (int i = 0; i < 12; i++) {
            char name[32];
            snprintf(name, sizeof name, "p%d-%d.example", p, i);
            AUDITED(db, "block", 0, put(db, 1, name, SEK_ACTION_DEFAULT, "x"));
        }
        sek_policydb_close(db);
        _exit(0);
    }
    for (int p = 0; p < 8; p++) {
        int status;
        assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 96);
    assert_int_equal(number_of("SELECT count(*) FROM audit"), 96);
    assert_int_equal(number_of("SELECT max(number) FROM audit"), 96);
    assert_int_equal(number_of("SELECT count(DISTINCT object) FROM audit"), 96);
    assert_int_equal(verify(NULL).n, 0);
}

/* Data for undo goes by age and by size, the oldest first; rows stay. */
static void test_retention(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    const struct sek_audit_act act = {.time_ms = NOW * 1000LL, .user = "a", .verb = "x"};
    for (int i = 1; i <= 64; i++) {
        struct sek_audit_act one = act;
        one.time_ms += i * 3600000LL; /* audit.undo is an hour at least */
        OK(sek_policydb_begin(db, &diag));
        put(db, 1, "a.example", i % 2 ? SEK_ACTION_DROP : SEK_ACTION_LOG, "");
        OK(sek_audit_add(db, &one, 36000, KEEP_OCTETS, NULL, &diag));
        OK(sek_policydb_commit(db, &diag));
    }
    assert_int_equal(number_of("SELECT min(audit) FROM audit_data"), 54);
    assert_int_equal(number_of("SELECT count(*) FROM audit"), 64);
    /* some 100,000 octets a change, room for three of them */
    struct sek_audit_act large = act;
    large.time_ms += 66 * 3600000LL;
    for (int i = 0; i < 6; i++) {
        OK(sek_policydb_begin(db, &diag));
        for (unsigned k = 0; k < 2000; k++) {
            char name[80];
            snprintf(name, sizeof name, "%08x-%08x-%08x-%08x.example", k * 2654435761U,
                     k * 40503U + 77777U * (unsigned)i, k * 99991U, i);
            put(db, 1, name, SEK_ACTION_DEFAULT, "");
        }
        OK(sek_audit_add(db, &large, KEEP_S, 300000, NULL, &diag));
        OK(sek_policydb_commit(db, &diag));
    }
    assert_true(number_of("SELECT sum(length(data)) FROM audit_data") <= 300000);
    assert_true(number_of("SELECT min(audit) FROM audit_data") > 65);
    assert_int_equal(number_of("SELECT max(audit) FROM audit_data"), 70);
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

/* More than may be kept of one change: its row has the digest, and undo says why it cannot. */
static void test_too_large(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_diag why;
    OK(sek_audit_begin(db, 100000, &diag));
    AUDITED(
        db, "list import", 0, for (unsigned k = 0; k < 5000; k++) {
            char name[80];
            snprintf(name, sizeof name, "%08x-%08x-%08x.example", k * 2654435761U, k * 40503U,
                     k * 99991U);
            put(db, 1, name, SEK_ACTION_DEFAULT, "");
        });
    assert_int_equal(number_of("SELECT count(*) FROM audit_data"), 0);
    assert_int_equal(number_of("SELECT n_changes FROM audit"), 5000);
    assert_int_equal(number_of("SELECT length(changes) FROM audit"), 64);
    OK(sek_policydb_begin(db, &diag));
    assert_int_equal(sek_audit_undo(db, 1, false, NOW, NULL, NULL, &why), SEK_E_REFUSED);
    assert_non_null(strstr(why.text, "is not kept"));
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(test_tampering),
        ON_FILE(test_anchor),
        cmocka_unit_test(test_anchor_text),
        ON_FILE(test_cut_and_go_on),
        ON_FILE(test_triggers),
        ON_FILE(test_rows),
        ON_FILE(test_pages),
        ON_FILE(test_nothing_changed),
        ON_FILE(test_processes),
        ON_FILE(test_retention),
        ON_FILE(test_too_large),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
