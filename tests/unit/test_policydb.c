/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.db in a real file: lists, entries, and what may go wrong. */
#include "policydb_fixture.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- lists -------------------------------------------------------------------------------------
 */

static bool names_join(void *arg, const struct sek_list_row *row)
{
    size_t used = strlen(arg);
    snprintf((char *)arg + used, 256 - used, "%s ", row->list.name);
    return strcmp(row->list.name, "stop") != 0;
}

static void test_lists(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_list_row row, back;
    char names[256] = "";
    assert_int_equal(generation_of(db), 1);
    OK(sek_policydb_list_get(db, SEK_LIST_LOCAL_BLOCK, &row, &diag));
    assert_int_equal(row.list.action, SEK_ACTION_SINKHOLE);
    assert_int_equal(row.list.mode, SEK_MODE_BLOCK);
    assert_int_equal(row.list.priority, 1000);
    OK(sek_policydb_list_get(db, SEK_LIST_LOCAL_ALLOW, &row, &diag));
    assert_int_equal(row.list.action, SEK_ACTION_PASSTHRU);

    OK(sek_policydb_begin(db, &diag));
    uint16_t id = list_new(db, "feed");
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(generation_of(db), 2);
    OK(sek_policydb_list_get(db, "feed", &row, &diag));
    assert_int_equal(row.list.id, id);
    row.list.mode = SEK_MODE_OFF;
    row.list.priority = -5;
    row.list.ede = 17;
    snprintf(row.comment, sizeof row.comment, "%s", "caf\xc3\xa9 '); DROP TABLE list; --");
    row.changed_s = NOW + 1;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_list_set(db, &row, &diag));
    OK(sek_policydb_commit(db, &diag));
    OK(sek_policydb_list_get(db, "feed", &back, &diag));
    assert_memory_equal(&row, &back, sizeof row);

    OK(sek_policydb_begin(db, &diag));
    list_new(db, "stop");
    list_new(db, "zone");
    OK(sek_policydb_lists(db, names_join, names, &diag));
    assert_string_equal(names, "feed local-allow local-block stop ");
    sek_policydb_rollback(db);
    assert_int_equal(sek_policydb_list_get(db, "stop", &row, NULL), SEK_E_NOTFOUND);
    assert_int_equal(generation_of(db), 3);
    sek_policydb_close(db);
}

static void test_list_values(void **state)
{
    (void)state;
    static const char long_name[] =
        "a23456789012345678901234567890123456789012345678901234567890123"; /* 63 */
    static const struct {
        const char *label, *name;
        int mode, action;
        enum sek_err expected;
    } cases[] = {
        {"one character", "a", 2, 3, SEK_OK},
        {"all characters", "0az.9_-", 0, 7, SEK_OK},
        {"longest", long_name, 1, 1, SEK_OK},
        {"twice", "a", 2, 3, SEK_E_EXISTS},
        {"built in", SEK_LIST_LOCAL_BLOCK, 2, 3, SEK_E_EXISTS},
        {"empty", "", 2, 3, SEK_E_INVALID},
        {"upper case", "Abc", 2, 3, SEK_E_INVALID},
        {"begins with a dot", ".a", 2, 3, SEK_E_INVALID},
        {"begins with a dash", "-a", 2, 3, SEK_E_INVALID},
        {"a slash", "../a", 2, 3, SEK_E_INVALID},
        {"a blank", "a b", 2, 3, SEK_E_INVALID},
        {"not ASCII",
         "b\xc3\xbc"
         "cher",
         2, 3, SEK_E_INVALID},
        {"no such mode", "b", 3, 3, SEK_E_INVALID},
        {"action default", "b", 2, 0, SEK_E_INVALID},
        {"records are of entries", "b", 2, SEK_ACTION_DATA, SEK_E_INVALID},
        {"no such action", "b", 2, SEK_ACTION_MAX + 1, SEK_E_INVALID},
    };
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_list_row row = {
            .list = {.mode = (uint8_t)cases[i].mode, .action = (uint8_t)cases[i].action}};
        snprintf(row.list.name, sizeof row.list.name, "%s", cases[i].name);
        struct sek_diag diag = {0};
        if (sek_policydb_list_add(db, &row, &diag) != cases[i].expected)
            fail_msg("%s: %s", cases[i].label, diag.text);
    }
    struct sek_list_row row = {.list = {.mode = 2, .action = 3}};
    memset(row.list.name, 'a', sizeof row.list.name); /* one more than the longest, no end */
    assert_int_equal(sek_policydb_list_add(db, &row, NULL), SEK_E_INVALID);
    sek_policydb_close(db);
}

static void test_list_limit(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    struct sek_list_row row = {.list = {.mode = 2, .action = 3}};
    for (int i = 2; i < SEK_LISTS_MAX; i++) {
        snprintf(row.list.name, sizeof row.list.name, "l%d", i);
        OK(sek_policydb_list_add(db, &row, &diag));
    }
    snprintf(row.list.name, sizeof row.list.name, "more");
    assert_int_equal(sek_policydb_list_add(db, &row, NULL), SEK_E_LIMIT);
    sek_policydb_close(db);
}

static void test_list_remove(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_list_row row;
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    uint16_t id = list_new(db, "feed");
    struct sek_entry e = entry_of(id, "evil.example", SEK_SCOPE_SUBTREE);
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    OK(sek_policydb_commit(db, &diag));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_list_remove(db, id, NULL, NULL, &diag));
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 1);

    OK(sek_policydb_begin(db, &diag));
    assert_int_equal(sek_policydb_list_remove(db, id, NULL, NULL, NULL), SEK_E_NOTFOUND);
    sek_policydb_rollback(db);
    OK(sek_policydb_begin(db, &diag));
    assert_true(list_new(db, "feed") > id); /* events.db may still name the old one */
    OK(sek_policydb_list_get(db, SEK_LIST_LOCAL_ALLOW, &row, &diag));
    assert_int_equal(sek_policydb_list_remove(db, row.list.id, NULL, NULL, NULL), SEK_E_REFUSED);
    row.list.id = 999;
    assert_int_equal(sek_policydb_list_set(db, &row, NULL), SEK_E_NOTFOUND);
    sek_policydb_close(db);
}

static void steps_count(void *arg, unsigned permille)
{
    (void)permille;
    ++*(unsigned *)arg;
}

static void test_list_remove_progress(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    unsigned n = 0;
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    uint16_t id = list_new(db, "feed");
    for (int i = 0; i < 5000; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%d.example", i);
        struct sek_entry e = entry_of(id, text, SEK_SCOPE_SUBTREE);
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    }
    OK(sek_policydb_list_remove(db, id, steps_count, &n, &diag));
    assert_true(n > 0);
    n = 0;
    list_new(db, "later"); /* nobody is told of what comes after */
    assert_int_equal(n, 0);
    sek_policydb_close(db);
}

/* --- entries -----------------------------------------------------------------------------------
 */

static void test_entries(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    bool changed = false;
    OK(sek_policydb_begin(db, &diag));
    uint16_t id = list_new(db, "feed");
    struct sek_entry e = entry_of(id, "evil.example", SEK_SCOPE_SUBTREE);
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_true(changed);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(generation_of(db), 2);

    OK(sek_policydb_begin(db, &diag));
    snprintf(e.comment, sizeof e.comment, "another reason");
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_false(changed);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(generation_of(db), 2); /* no rule differs */
    assert_int_equal(number_of("SELECT count(*) FROM entry WHERE comment = 'another reason'"), 1);

    OK(sek_policydb_begin(db, &diag));
    e.comment[0] = '\0'; /* says nothing new: reason and author stay */
    snprintf(e.who, sizeof e.who, "somebody else");
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_false(changed);
    snprintf(e.comment, sizeof e.comment, "another reason");
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_false(changed);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(number_of("SELECT count(*) FROM entry WHERE comment = 'another reason'"
                               " AND who = 'tester'"),
                     1);

    OK(sek_policydb_begin(db, &diag));
    e.rule.expires_s = NOW + 60;
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_true(changed);
    e.rule.scope = SEK_SCOPE_EXACT; /* a rule of its own */
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_true(changed);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(n_entries_of(db, "feed"), 2);

    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_entry_remove(db, id, &e.name, SEK_SCOPE_EXACT, &diag));
    assert_int_equal(sek_policydb_entry_remove(db, id, &e.name, SEK_SCOPE_EXACT, NULL),
                     SEK_E_NOTFOUND);
    assert_int_equal(sek_policydb_entry_remove(db, id, &e.name, SEK_SCOPE_BELOW, NULL),
                     SEK_E_NOTFOUND);
    e.rule.list = 999;
    assert_int_equal(sek_policydb_entry_put(db, &e, &changed, NULL), SEK_E_NOTFOUND);
    sek_policydb_rollback(db);
    assert_int_equal(n_entries_of(db, "feed"), 2);
    sek_policydb_close(db);
}

struct joined {
    char text[1024];
    unsigned limit;
};

static bool rules_join(void *arg, const struct sek_entry *e)
{
    struct joined *j = arg;
    char rule[SEK_NAME_TEXT_MAX + 2];
    size_t used = strlen(j->text);
    sek_rule_to_text(e->rule.scope, e->name.octets, rule);
    snprintf(j->text + used, sizeof j->text - used, "%u:%s ", e->rule.list, rule);
    return --j->limit > 0;
}

static void test_entries_each(void **state)
{
    (void)state;
    static const char *const names[] = {"b.example",      "example", "a.example",  "z.a.example",
                                        "a\\000.example", ".",       "a-b.example"};
    struct sek_policydb *db = db_open();
    struct joined j = {.limit = 100};
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    uint16_t first = list_new(db, "first"), second = list_new(db, "second");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sek_entry e = entry_of(first, names[i], SEK_SCOPE_SUBTREE);
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    }
    struct sek_entry e = entry_of(second, "a.example", SEK_SCOPE_BELOW);
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    e.rule.scope = SEK_SCOPE_EXACT;
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));

    OK(sek_policydb_entries(db, first, rules_join, &j, &diag));
    assert_string_equal(j.text, "3:. 3:example 3:a.example 3:z.a.example 3:a\\000.example "
                                "3:a-b.example 3:b.example ");
    j = (struct joined){.limit = 2};
    OK(sek_policydb_entries(db, first, rules_join, &j, &diag));
    assert_string_equal(j.text, "3:. 3:example ");
    j = (struct joined){.limit = 100};
    OK(sek_policydb_entries_at(db, &e.name, rules_join, &j, &diag));
    assert_string_equal(j.text, "3:a.example 4:=a.example 4:*.a.example ");
    j = (struct joined){.limit = 100};
    struct sek_name none = name_of("nothing.example");
    OK(sek_policydb_entries_at(db, &none, rules_join, &j, &diag));
    assert_string_equal(j.text, "");
    sek_policydb_close(db);
}

/* Whoever prints entries may wait for a reader of his (a pager) for hours: others go on writing. */
static void other_writes(void)
{
    static int n;
    char text[32];
    bool changed;
    struct sek_policydb *other = db_open();
    snprintf(text, sizeof text, "other%d.example", n++);
    struct sek_entry e = entry_of(2, text, SEK_SCOPE_SUBTREE);
    OK(sek_policydb_begin(other, &diag));
    OK(sek_policydb_entry_put(other, &e, &changed, &diag));
    OK(sek_policydb_commit(other, &diag));
    sek_policydb_close(other);
}

static bool entry_counts(void *arg, const struct sek_entry *e)
{
    unsigned *n = arg;
    if ((*n)++ % 1000 == 1)
        other_writes();
    return e->rule.list == 1;
}

static bool list_counts(void *arg, const struct sek_list_row *row)
{
    unsigned *n = arg;
    if ((*n)++ == 0)
        other_writes();
    return row->list.id != 0;
}

static void test_readers_let_write(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    unsigned n = 0;
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    for (int i = 0; i < 2000; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%d.example", i);
        struct sek_entry e = entry_of(1, text, (enum sek_scope)(1 + i % 3));
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
        if (i % 5 == 0) {
            e.rule.scope = (uint8_t)(1 + (i + 1) % 3);
            OK(sek_policydb_entry_put(db, &e, &changed, &diag));
        }
    }
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
    OK(sek_policydb_open(path, false, &db, &diag));
    OK(sek_policydb_entries(db, 1, entry_counts, &n, &diag));
    assert_int_equal(n, 2400); /* each once */
    struct sek_name name = name_of("n0.example");
    n = 1;
    OK(sek_policydb_entries_at(db, &name, entry_counts, &n, &diag));
    assert_int_equal(n, 3);
    n = 0;
    OK(sek_policydb_lists(db, list_counts, &n, &diag));
    assert_int_equal(n, 2);
    sek_policydb_close(db);
}

static void test_expire(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    uint64_t n = 99;
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    uint16_t id = list_new(db, "feed");
    for (int i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%d.example", i);
        struct sek_entry e = entry_of(id, text, SEK_SCOPE_SUBTREE);
        e.rule.expires_s = i == 4 ? 0 : NOW + i;
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    }
    OK(sek_policydb_expire(db, NOW - 1, &n, &diag));
    assert_int_equal(n, 0);
    OK(sek_policydb_expire(db, NOW + 2, &n, &diag));
    assert_int_equal(n, 3);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(n_entries_of(db, "feed"), 2);
    sek_policydb_close(db);
}

static void test_view(void **state)
{
    (void)state;
    static const char *const names[] = {"www.evil.example", "a\\001\\.b.example", "."};
    struct sek_policydb *db = db_open();
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    for (size_t i = 0; i < 3; i++) {
        struct sek_entry e = entry_of(1, names[i], (enum sek_scope)(1 + i));
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    }
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
    assert_int_equal(number_of("SELECT count(*) FROM entries WHERE list = 'local-block'"
                               " AND rule IN ('=www.evil.example', '\\x6101022E62.example', '*.')"
                               " AND who = 'tester' AND comment = 'why not'"),
                     3);
}

/* --- trouble ------------------------------------------------------------------------------------
 */

static void test_open_errors(void **state)
{
    (void)state;
    struct sek_policydb *db;
    char none[80];
    sqlite3 *raw;
    snprintf(none, sizeof none, "%s/none.db", dir);
    assert_int_equal(sek_policydb_open(none, false, &db, NULL), SEK_E_NOTFOUND);
    snprintf(none, sizeof none, "%s/no/such/folder.db", dir);
    assert_int_equal(sek_policydb_open(none, true, &db, NULL), SEK_E_NOTFOUND);

    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    assert_int_equal(sek_policydb_open(path, true, &db, NULL), SEK_E_VERSION);
    assert_int_equal(sek_policydb_open(path, false, &db, NULL), SEK_E_VERSION);
}

static void test_reader(void **state)
{
    (void)state;
    struct sek_policydb *db;
    struct sek_list_row row;
    OK(sek_policydb_open(path, false, &db, &diag));
    OK(sek_policydb_list_get(db, SEK_LIST_LOCAL_BLOCK, &row, &diag));
    assert_int_not_equal(sek_policydb_begin(db, NULL), SEK_OK);
    sek_policydb_close(db);
    sek_policydb_close(NULL);
}

/* Nobody waits for ten seconds here. */
static int busy_most_ms = 60000;
int __real_sqlite3_busy_timeout(sqlite3 *db, int ms);
int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms);
int __wrap_sqlite3_busy_timeout(sqlite3 *db, int ms)
{
    return __real_sqlite3_busy_timeout(db, ms < busy_most_ms ? ms : busy_most_ms);
}

/* Somebody reads the file with a program of his own and does not end. */
static void test_locked(void **state)
{
    (void)state;
    struct sek_diag why = {0};
    sqlite3 *raw;
    bool changed;
    busy_most_ms = 20;
    struct sek_policydb *db = db_open();
    busy_most_ms = 60000;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "BEGIN; SELECT * FROM list", NULL, NULL, NULL), SQLITE_OK);
    struct sek_entry e = entry_of(1, "evil.example", SEK_SCOPE_SUBTREE);
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    assert_int_equal(sek_policydb_commit(db, &why), SEK_E_BUSY);
    assert_non_null(strstr(why.text, "policy.db is busy"));
    assert_int_equal(sqlite3_exec(raw, "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sek_policydb_begin(db, &why), SEK_E_BUSY);
    assert_non_null(strstr(why.text, "policy.db is busy"));
    sqlite3_close(raw);
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 0);
    OK(sek_policydb_begin(db, &diag));
    sek_policydb_close(db);
}

static void test_not_committed(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    list_new(db, "feed");
    sek_policydb_close(db); /* takes it back */
    assert_int_equal(number_of("SELECT count(*) FROM list WHERE name = 'feed'"), 0);
}

/* A second process adds names while this one does: both wait for each other, nothing is lost. */
static void add_names(const char *prefix, unsigned n)
{
    struct sek_policydb *db = db_open();
    for (unsigned i = 0; i < n; i++) {
        char text[32];
        bool changed;
        snprintf(text, sizeof text, "%s%u.example", prefix, i);
        struct sek_entry e = entry_of(1, text, SEK_SCOPE_SUBTREE);
        OK(sek_policydb_begin(db, &diag));
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
        OK(sek_policydb_commit(db, &diag));
    }
    sek_policydb_close(db);
}

static void test_two_processes(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        add_names("child", 20);
        _exit(0);
    }
    add_names("parent", 20);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 40);
    assert_int_equal(number_of("SELECT generation FROM state"), 41);
    assert_int_equal(number_of("SELECT n_entries FROM list WHERE id = 1"), 40);
}

/* Runs in a child: no file of this process may grow past the limit (as on a full disk). */
static void disk_full_child(void)
{
    struct sek_policydb *db = db_open();
    struct sek_import_stats st;
    struct sek_diag diag = {0};
    const struct rlimit limit = {200000, 200000};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        _exit(2);
    enum sek_err err = sek_policydb_begin(db, &diag);
    if (!err)
        err = sek_policydb_import_begin(db, 1, "importer", NOW, &diag);
    for (unsigned i = 0; !err && i < 20000; i++) {
        char text[64];
        snprintf(text, sizeof text, "a-name-that-takes-some-room-%u.example", i);
        struct sek_name name = name_of(text);
        err = sek_policydb_import_rule(db, &name, SEK_SCOPE_SUBTREE, 0, NULL, &diag);
    }
    if (!err)
        err = sek_policydb_import_end(db, false, "x", NULL, NULL, &st, &diag);
    if (!err)
        err = sek_policydb_commit(db, &diag);
    sek_policydb_close(db);
    /* SQLite keeps no errno for a commit that fails: a file size limit is then a plain IO */
    _exit(err == SEK_E_FULL || err == SEK_E_IO ? 0 : 3);
}

static void test_disk_full(void **state)
{
    (void)state;
    int status;
    add_names("before", 3);
    pid_t pid = fork();
    if (pid == 0)
        disk_full_child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 3);
    assert_int_equal(number_of("SELECT generation FROM state"), 4);
    add_names("after", 1);
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(test_lists),        ON_FILE(test_list_values),          ON_FILE(test_list_limit),
        ON_FILE(test_list_remove),  ON_FILE(test_list_remove_progress), ON_FILE(test_entries),
        ON_FILE(test_entries_each), ON_FILE(test_readers_let_write),    ON_FILE(test_expire),
        ON_FILE(test_view),         ON_FILE(test_open_errors),          ON_FILE(test_reader),
        ON_FILE(test_locked),       ON_FILE(test_not_committed),        ON_FILE(test_two_processes),
        ON_FILE(test_disk_full),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
