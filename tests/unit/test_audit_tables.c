/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tables hold, held against the trail: a tamper test for each kind of row. */
#include "audit_fixture.h"
#include "store/policydb_parts.h"
#include "store/rowsums.h"

/* One row of each table, as the library of the connection notes it, whoever writes. */
static const char fill_text[] =
    "INSERT INTO list (id, name, mode, action, priority, ede, source, comment, who, created_s,"
    " changed_s) VALUES (3, 'ads', 2, 5, 0, 15, 'x', '', 'a', 1, 1), (4, 'floor', 2, 1, 0, 15,"
    " 'local', '', 'a', 1, 1);"
    "INSERT INTO entry VALUES (3, x'6100', 2, 0, 0, 1, 'a', '', ''), (3, x'6200', 2, 0, 0, 1, 'a',"
    " '', ''), (3, x'6300', 2, 0, 0, 1, 'a', '', '');"
    "UPDATE list SET n_entries = 3 WHERE id = 3;"
    "INSERT INTO client_group VALUES (1, 4, 0, 3);"
    "INSERT INTO member VALUES (1, x'00000000000000000000ffffc0000209', 128, 0, 1, 'a', 'q');"
    "INSERT INTO feed (list, kind, source, zone, tsig, user, format, refresh_s, retry_s, expire_s,"
    " on_expiry, timeout_s, max_octets, added_s) VALUES (3, 1, '/srv/x', '', '', '', 0, 0, 0, 0, 0,"
    " 0, 0, 1);"
    "INSERT INTO dismissal VALUES ('beacon', '192.0.2.9', 'a.example', 1, 7, 'a', 'ours');"
    "INSERT INTO triage VALUES ('a.example', '*', 1, 1, 'a', '');"
    "INSERT INTO incident VALUES (1, 1, 'odd', 1, 'a', 0, '', '');"
    "INSERT INTO incident_subject VALUES (1, 1, '192.0.2.9', 1, 'a');"
    "INSERT INTO incident_note VALUES (1, 1, 1, 'a', 'seen');"
    "INSERT INTO endpoint_span VALUES (x'00000000000000000000ffffc0000209', 1, 2, 0, 1, '', 'pc9',"
    " '', '', 1);";

static void fill(void)
{
    struct sek_policydb *db = db_audited();
    AUDITED(db, "fill", 0, OK(sek_sql_run(db->db, fill_text, &diag)));
    AUDITED(db, "list mode", 0,
            OK(sek_sql_run(db->db, "UPDATE list SET mode = 1 WHERE id = 3", &diag)));
    sek_policydb_close(db);
}

static const struct {
    const char *sql, *says; /* the first problem */
    int64_t row;
    const char *says_without; /* when no data for undo is kept; NULL: the same */
} cases[] = {
    {"UPDATE list SET mode = 0 WHERE id = 3",
     "list ads was changed outside of the command: mode is off, row 2 left monitor", 2,
     "list ads was changed outside of the command since row 2: 1 row, as the trail says, but"},
    {"UPDATE list SET except_groups = 1 WHERE id = 3", "except_groups is 1, row 2 left 0", 2,
     "list ads was changed"},
    {"UPDATE list SET mode = 0 WHERE id = 1", /* made with the file: no row has it */
     "list local-block was changed outside of the command since row 2: 1 row, as the trail", 2,
     NULL},
    {"UPDATE entry SET action = 1 WHERE name = x'6200'",
     "ads b was changed outside of the command: action is passthru, row 1 left as list", 1,
     "what is in list ads was changed outside of the command since row 2: 3 rows, as"},
    {"DELETE FROM entry WHERE name = x'6200'",
     "ads b was removed outside of the command: row 1 left it there", 1,
     "what is in list ads was changed outside of the command since row 2: 2 rows, 3 by the trail"},
    {"INSERT INTO entry VALUES (3, x'6400', 2, 1, 0, 1, 'a', '', '')",
     "ads d was put there outside of the command: no row of the trail has it", 0, NULL},
    {"INSERT INTO entry VALUES (1, x'6400', 2, 1, 0, 1, 'a', '', '')",
     "local-block d was put there outside of the command", 0, NULL},
    {"INSERT INTO entry VALUES (3, x'6400', 2, 1, 0, 1, 'a', '', ''), (3, x'6500', 2, 1, 0, 1, 'a',"
     " '', '')",
     "ads d was put there outside of the command", 0,
     "what is in list ads was changed outside of the command since row 2: 5 rows, 3 by the trail"},
    {"UPDATE entry SET list = 1 WHERE name = x'6200'", "ads b was removed outside", 1,
     "local-block b was put there"},
    {"UPDATE client_group SET mode = 2", "group floor was changed outside of the command: mode is",
     1, "group floor was changed outside of the command since row 2"},
    {"DELETE FROM member", "member 192.0.2.9 of group floor was removed outside", 1,
     "the members of group floor was changed outside of the command since row 2: 0 rows, 1 by"},
    {"UPDATE member SET bits = 96", "member 192.0.2.9 of group floor was removed outside", 1,
     "the members of group floor"},
    {"INSERT INTO member VALUES (1, x'00000000000000000000ffffc0000208', 128, 0, 1, 'a', '')",
     "member 192.0.2.8 of group floor was put there outside", 0, NULL},
    {"UPDATE feed SET source = '/tmp/mine'",
     "feed ads was changed outside of the command: source is \"/tmp/mine\", row 1 left \"/srv/x\"",
     1, "the feed of list ads was changed outside"},
    {"DELETE FROM dismissal", "dismissal beacon 192.0.2.9 a.example was removed outside", 1,
     "the table dismissal was changed outside of the command since row 2: 0 rows, 1 by the trail"},
    {"INSERT INTO dismissal VALUES ('tunnel', '*', 'b.example', 1, 7, 'a', '')",
     "dismissal tunnel * b.example was put there outside", 0, NULL},
    {"UPDATE triage SET state = 2", " was changed outside of the command: state is", 1,
     "the table triage was changed"},
    {"UPDATE incident SET state = 3, closed_by = 'b'", "incident 1 was changed outside", 1, NULL},
    {"DELETE FROM incident_subject", "incident 1 about endpoint 192.0.2.9 was removed", 1,
     "incident_subject 1 was changed outside"},
    {"UPDATE incident_note SET text = ''", "incident 1 note 1 was changed outside", 1,
     "incident_note 1 was changed outside"},
    {"UPDATE endpoint_span SET name = 'pc1'", "endpoint 192.0.2.9 from", 1,
     "the table endpoint_span was changed outside"},
    {"DELETE FROM audit_sum WHERE tbl = 2", "the sums kept of what the tables hold", 0, NULL},
    {"UPDATE audit_sum SET sum = zeroblob(64) WHERE tbl = 0", "the sums kept of what the tables", 0,
     NULL},
    {"DROP TABLE audit_sum", "the table audit_sum was removed", 0, NULL},
    /* what follows from the others, or is the result of a fetch, is nobody's change */
    {"UPDATE feed SET tried_s = 7, error = 'x'; UPDATE list SET n_entries = 7", NULL, 0, NULL},
};

static void check_case(size_t i, bool kept)
{
    const char *says = !kept && cases[i].says_without ? cases[i].says_without : cases[i].says;
    fill();
    if (!kept)
        run_sql("DELETE FROM audit_data; UPDATE audit SET n_changes = n_changes"); /* by age */
    run_sql(cases[i].sql);
    struct problems p = verify(NULL);
    if (says ? p.n == 0 || !strstr(p.text, says) : p.n > 0)
        fail_msg("%s, %s: %u problems, row %lld: %s", cases[i].sql, kept ? "data" : "no data", p.n,
                 (long long)p.first, p.text);
    if (kept && says)
        assert_int_equal(p.first, cases[i].row);
}

static void test_each_kind(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(i, true);
        teardown(state);
        setup(state);
    }
}

/* Tables and sums changed together: the row of the trail says that neither is as it was. */
static void test_sums_to_match(void **state)
{
    (void)state;
    struct sek__rowsums all;
    struct sek_policydb *db;
    fill();
    run_sql("UPDATE list SET mode = 0 WHERE id = 3");
    db = db_open();
    sek__rowsums_init(&all);
    OK(sek__rowsums_scan(db->db, &all, &diag));
    sek__rowsums_sort(&all);
    OK(sek__rowsums_replace(db->db, &all, &diag));
    sek__rowsums_fini(&all);
    sek_policydb_close(db);
    struct problems p = verify(NULL);
    assert_int_equal(p.n, 2);
    assert_non_null(strstr(p.text, "since row 2, and the sums kept of them"));
}

/* What was changed by hand stays told through later changes, until it is as it was, or accepted. */
static void test_stays_told(void **state)
{
    (void)state;
    fill();
    run_sql("UPDATE list SET mode = 0 WHERE id = 3");
    struct sek_policydb *db = db_audited();
    AUDITED(db, "block", 0, put(db, 1, "z.example", SEK_ACTION_DEFAULT, ""));
    assert_int_equal(verify(NULL).n, 1);
    AUDITED(db, "list mode", 0,
            OK(sek_sql_run(db->db, "UPDATE list SET mode = 1 WHERE id = 3", &diag)));
    assert_non_null(strstr(verify(NULL).text, "list ads was changed outside of the command since"));
    const struct sek_audit_act act = {.verb = "x", .before = "b", .after = "a", .as_is = true};
    OK(sek_policydb_begin(db, &diag));
    OK(sek_audit_add(db, &act, KEEP_S, KEEP_OCTETS, NULL, &diag));
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(verify(NULL).n, 0);
    run_sql("UPDATE list SET mode = 0 WHERE id = 3");
    assert_int_equal(verify(NULL).n, 1);
    run_sql("UPDATE list SET mode = 1 WHERE id = 3");
    assert_int_equal(verify(NULL).n, 0);
    sek_policydb_close(db);
}

/* The sums follow every way of changing rows: undo, replaced rows, removed lists. */
static void test_followed(void **state)
{
    (void)state;
    fill();
    struct sek_policydb *db = db_audited();
    AUDITED(db, "undo", 2, OK(sek_audit_undo(db, 2, false, NOW, NULL, NULL, &diag)));
    assert_int_equal(verify(NULL).n, 0);
    AUDITED(db, "x", 0,
            OK(sek_sql_run(db->db,
                           "INSERT OR REPLACE INTO entry VALUES (3, x'6100', 2, 1, 0, 1, 'b', '',"
                           " 'qtype=A'); DELETE FROM list WHERE id = 9; DELETE FROM member",
                           &diag)));
    assert_int_equal(verify(NULL).n, 0);
    AUDITED(db, "undo", 1, OK(sek_audit_undo(db, 1, true, NOW, NULL, NULL, &diag)));
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

/* Rows from before there were sums: the first change takes the tables as they are. */
static void test_first(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    OK(sek_sql_run(db->db, fill_text, &diag));
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
    run_sql("UPDATE list SET mode = 0 WHERE id = 3");
    assert_int_equal(verify(NULL).n, 0);
    db = db_audited();
    AUDITED(db, "block", 0, put(db, 1, "z.example", SEK_ACTION_DEFAULT, ""));
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
    run_sql("UPDATE list SET mode = 1 WHERE id = 3");
    assert_int_equal(verify(NULL).n, 1);
}

#define ON_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(test_each_kind), ON_FILE(test_sums_to_match), ON_FILE(test_stays_told),
        ON_FILE(test_followed),  ON_FILE(test_first),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
