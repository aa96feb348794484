/* SPDX-License-Identifier: BSD-3-Clause */
/* The inventory of endpoints in a real policy.db. */
#include "policydb_fixture.h"
#include "store/inventory.h"
#include <inttypes.h>

/* "address from until end mac|name|owner|group", as test_leases prints it, times from NOW. */
static struct sek_lease lease_of(const char *text)
{
    struct sek_lease l = {.has_addr = true};
    char addr[SEK_ADDR_TEXT_MAX], from[24], until[24], end, parts[400] = "";
    char *field[4] = {l.machine.mac, l.machine.name, l.machine.owner, l.machine.group}, *p = parts;
    assert_true(sscanf(text, "%45s %23s %23s %c %399[^\n]", addr, from, until, &end, parts) >= 4);
    l.has_addr = strcmp(addr, "-") != 0;
    if (l.has_addr)
        assert_int_equal(sek_addr_from_text(addr, &l.addr, NULL), SEK_OK);
    l.from_s = strcmp(from, "-") == 0 ? SEK_LEASE_UNDATED : NOW + atoll(from);
    l.until_s = strcmp(until, "*") == 0 ? SEK_LEASE_OPEN_S : NOW + atoll(until);
    l.end = end == 'e' ? SEK_LEASE_EXPECTED : end == 'E' ? SEK_LEASE_ENDED : SEK_LEASE_GONE;
    for (int i = 0; i < 4; i++) {
        size_t n = strcspn(p, "|");
        memcpy(field[i], p, n);
        p += n + (p[n] == '|');
    }
    return l;
}

/* Import statements, a line each, as of NOW + at_s; dated: that time was named. */
static struct sek_inventory_stats import_at(struct sek_policydb *db, int64_t at_s, bool dated,
                                            const char *lines)
{
    struct sek_inventory_import imp = {.time_s = NOW + at_s, .dated = dated};
    OK(sek_policydb_begin(db, &diag));
    OK(sek_inventory_begin(&imp, db, "alice", "/a/file", NOW, &diag));
    for (const char *p = lines; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        struct sek_lease l = lease_of(p);
        OK(sek_inventory_put(&imp, &l, &diag));
    }
    OK(sek_inventory_end(&imp, "csv", &diag));
    OK(sek_policydb_commit(db, &diag));
    return imp.stats;
}

static const char *time_text(int64_t t, char out[24])
{
    if (t == SEK_LEASE_OPEN_S)
        snprintf(out, 24, "*");
    else if (t == 0)
        snprintf(out, 24, "0");
    else
        snprintf(out, 24, "%+" PRId64, t - NOW);
    return out;
}

static bool join_span(void *arg, const struct sek_span *s)
{
    char *to = (char *)arg + strlen(arg), addr[SEK_ADDR_TEXT_MAX], from[24], until[24];
    snprintf(to, 1000, "%s %s %s %s|%s|%s|%s\n", sek_addr_to_text(&s->addr, addr),
             time_text(s->from_s, from), time_text(s->until_s, until), s->machine.mac,
             s->machine.name, s->machine.owner, s->machine.group);
    return strlen(arg) < 3000;
}

static void check_history(struct sek_policydb *db, const char *what, const char *expected)
{
    char seen[8192] = "";
    struct sek_diag diag = {0};
    enum sek_err err = sek_inventory_find(db, what, NOW, 1000, join_span, seen, &diag);
    if (err != SEK_OK && err != SEK_E_NOTFOUND)
        fail_msg("%s", diag.text);
    if (strcmp(seen, expected) != 0)
        fail_msg("%s:\n%s\nexpected:\n%s", what, seen, expected);
}

/* "name" at a time, "" when nobody is known. */
static const char *name_at(struct sek_policydb *db, const char *address, int64_t at_s)
{
    static struct sek_span span;
    struct sek_addr addr;
    struct sek_diag diag = {0};
    assert_int_equal(sek_addr_from_text(address, &addr, NULL), SEK_OK);
    enum sek_err err = sek_inventory_at(db, &addr, NOW + at_s, &span, &diag);
    if (err != SEK_OK && err != SEK_E_NOTFOUND)
        fail_msg("%s", diag.text);
    assert_true(span.from_s <= NOW + at_s && NOW + at_s < span.until_s);
    return err ? "" : span.machine.name;
}

#define A "00:11:22:33:44:0a|a||"
#define B "00:11:22:33:44:0b|b||"

/* Each: what is stated, and the history that comes of it; all of it once more changes nothing. */
static void test_rules(void **state)
{
    static const struct {
        const char *label, *lines, *history;
    } cases[] = {
        {"a renewal extends", "192.0.2.1 +10 +20 e " A "\n192.0.2.1 +15 +25 e " A,
         "192.0.2.1 +10 +25 " A "\n"},
        {"an end closes",
         "192.0.2.1 +10 +20 e " A "\n192.0.2.1 +15 +25 e " A "\n192.0.2.1 +15 +17 E " A,
         "192.0.2.1 +10 +17 " A "\n"},
        {"another machine cuts", "192.0.2.1 +10 +30 e " A "\n192.0.2.1 +20 +25 e " B,
         "192.0.2.1 +20 +25 " B "\n192.0.2.1 +10 +20 " A "\n"},
        {"also when the older comes later", "192.0.2.1 +20 +25 e " B "\n192.0.2.1 +10 +30 e " A,
         "192.0.2.1 +20 +25 " B "\n192.0.2.1 +10 +20 " A "\n"},
        {"a new lease after the end", "192.0.2.1 +10 +20 E " A "\n192.0.2.1 +20 +30 e " A,
         "192.0.2.1 +20 +30 " A "\n192.0.2.1 +10 +20 " A "\n"},
        {"gone before it ran out", "192.0.2.1 +10 +90 e " A "\n192.0.2.1 +10 +40 g " A,
         "192.0.2.1 +10 +40 " A "\n"},
        {"gone what nobody had", "192.0.2.1 +10 +40 g " A, ""},
        {"gone is another", "192.0.2.1 +10 +90 e " A "\n192.0.2.1 +10 +40 g " B,
         "192.0.2.1 +10 +90 " A "\n"},
        {"what was not known is filled in",
         "192.0.2.1 +10 +20 e 00:11:22:33:44:0a|||\n192.0.2.1 +12 +22 e 00:11:22:33:44:0a|a|Ann|",
         "192.0.2.1 +10 +22 00:11:22:33:44:0a|a|Ann|\n"},
        {"a longer name is the same", "192.0.2.1 +10 +20 e |a||\n192.0.2.1 +12 +22 e |A.corp||",
         "192.0.2.1 +10 +22 |a||\n"},
        {"another owner", "192.0.2.1 +10 * E |a|Ann|\n192.0.2.1 +12 * E |a|Bob|",
         "192.0.2.1 +12 * |a|Bob|\n192.0.2.1 +10 +12 |a|Ann|\n"},
        {"nothing in common", "192.0.2.1 +10 +20 e |a||\n192.0.2.1 +12 +22 e 00:11:22:33:44:0b|||",
         "192.0.2.1 +12 +22 00:11:22:33:44:0b|||\n192.0.2.1 +10 +12 |a||\n"},
        {"undated: since ever", "192.0.2.1 - * e |a||", "192.0.2.1 0 * |a||\n"},
        {"undated behind a lease", "192.0.2.1 -50 -20 e " A "\n192.0.2.1 - * e |c||",
         "192.0.2.1 +0 * |c||\n192.0.2.1 -50 -20 " A "\n"},
        {"an older end is no end of it",
         "192.0.2.1 - * e " A "\n192.0.2.1 -50 -20 E " A "\n192.0.2.1 -50 -20 g " A,
         "192.0.2.1 0 * " A "\n"},
        {"a newer one is", "192.0.2.1 - * e " A "\n192.0.2.1 -50 +20 E " A,
         "192.0.2.1 0 +20 " A "\n"},
        {"undated, and the same", "192.0.2.1 -50 +20 e " A "\n192.0.2.1 - * e |a||",
         "192.0.2.1 -50 * " A "\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_policydb *db = NULL;
        struct sek_inventory_stats again;
        assert_int_equal(sek_policydb_open(NULL, true, &db, NULL), SEK_OK);
        import_at(db, 0, false, cases[i].lines);
        for (int k = 0; k < 2; k++) {
            char seen[8192] = "";
            sek_inventory_find(db, "192.0.2.1", NOW, 1000, join_span, seen, NULL);
            if (strcmp(seen, cases[i].history) != 0)
                fail_msg("%s:\n%s\nexpected:\n%s", cases[i].label, seen, cases[i].history);
            again = import_at(db, 0, false, cases[i].lines);
            if (again.n_added || again.n_changed)
                fail_msg("%s: again: %" PRIu64 " added, %" PRIu64 " changed", cases[i].label,
                         again.n_added, again.n_changed);
        }
        sek_policydb_close(db);
    }
}

/* A list of today, another one of tomorrow, and the first once more. */
static void test_snapshots(void **state)
{
    struct sek_policydb *db = db_open();
    struct sek_inventory_stats s;
    (void)state;
    s = import_at(db, 0, false, "192.0.2.1 - * e |a|Ann|\n192.0.2.2 - * e |b||");
    assert_int_equal(s.n_added, 2);
    s = import_at(db, 50, false, "192.0.2.1 - * e |a|Ann|\n192.0.2.2 - * e |b||");
    assert_int_equal(s.n_added + s.n_changed, 0);
    s = import_at(db, 100, false, "192.0.2.1 - * e |a|Bob|");
    assert_int_equal(s.n_added, 1);
    check_history(db, "192.0.2.1", "192.0.2.1 +100 * |a|Bob|\n192.0.2.1 0 +100 |a|Ann|\n");
    import_at(db, 200, true, "2001:db8::1 - * e |new||");
    assert_string_equal(name_at(db, "2001:db8::1", 199), "");
    assert_string_equal(name_at(db, "2001:db8::1", 200), "new");
    assert_string_equal(name_at(db, "192.0.2.2", -1000000), "b");
    assert_string_equal(name_at(db, "192.0.2.3", 0), "");
    sek_policydb_close(db);
}

/* Leases know the MAC, a list by MAC the rest. */
static void test_by_mac(void **state)
{
    struct sek_policydb *db = db_open();
    (void)state;
    import_at(db, 0, false,
              "- - * e 00:11:22:33:44:0a|laptop|Ann|Sales\n"
              "192.0.2.1 -90 -10 e 00:11:22:33:44:0a|||\n"
              "192.0.2.2 -10 +90 e 00:11:22:33:44:0a|DESKTOP-1||\n"
              "192.0.2.1 -10 +90 e 00:11:22:33:44:0b|||\n");
    check_history(db, "192.0.2.1",
                  "192.0.2.1 -10 +90 00:11:22:33:44:0b|||\n"
                  "192.0.2.1 -90 -10 00:11:22:33:44:0a|laptop|Ann|Sales\n");
    check_history(db, "00-11-22-33-44-0A",
                  "192.0.2.2 -10 +90 00:11:22:33:44:0a|DESKTOP-1|Ann|Sales\n"
                  "192.0.2.1 -90 -10 00:11:22:33:44:0a|laptop|Ann|Sales\n");
    check_history(db, "LAPTOP", "192.0.2.1 -90 -10 00:11:22:33:44:0a|laptop|Ann|Sales\n");
    check_history(db, "desktop-1.corp.example",
                  "192.0.2.2 -10 +90 00:11:22:33:44:0a|DESKTOP-1|Ann|Sales\n");
    check_history(db, "nobody", "");
    import_at(db, 0, false, "192.0.2.9 -10 +90 e |0011223344ff||");
    check_history(db, "0011223344FF", "192.0.2.9 -10 +90 |0011223344ff||\n");
    check_history(db, "", "");
    check_history(db, "'; DROP TABLE endpoint_span; --", "");
    /* it changes hands */
    import_at(db, 50, false, "- - * e 00:11:22:33:44:0a|laptop|Bob|Sales");
    struct sek_addr addr;
    struct sek_span span;
    assert_int_equal(sek_addr_from_text("192.0.2.2", &addr, NULL), SEK_OK);
    assert_int_equal(sek_inventory_at(db, &addr, NOW + 49, &span, NULL), SEK_OK);
    assert_string_equal(span.machine.owner, "Ann");
    assert_int_equal(span.until_s, NOW + 50);
    assert_int_equal(sek_inventory_at(db, &addr, NOW + 50, &span, NULL), SEK_OK);
    assert_string_equal(span.machine.owner, "Bob");
    assert_int_equal(span.from_s, NOW + 50);
    assert_int_equal(span.until_s, NOW + 90);
    sek_policydb_close(db);
}

static void test_now(void **state)
{
    struct sek_policydb *db = db_open();
    char seen[8192] = "";
    bool empty;
    (void)state;
    assert_int_equal(sek_inventory_is_empty(db, &empty, NULL), SEK_OK);
    assert_true(empty);
    import_at(db, 0, false,
              "192.0.2.2 -10 +90 e " A "\n192.0.2.1 -90 -10 e " A "\n192.0.2.3 -90 +90 e " A
              "\n192.0.2.3 -80 -70 e " B "\n192.0.2.4 - * e |d||\n- - * e 00:11:22:33:44:0a|x||");
    assert_int_equal(sek_inventory_is_empty(db, &empty, NULL), SEK_OK);
    assert_false(empty);
    assert_int_equal(sek_inventory_now(db, NOW, 100, join_span, seen, NULL), SEK_OK);
    assert_string_equal(seen, "192.0.2.2 -10 +90 " A "\n192.0.2.4 0 * |d||\n");
    sek_policydb_close(db);
}

/* Any statements twice are the statements once; of a log, the later win. */
static void test_random(void **state)
{
    unsigned seed = 20261127;
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct sek_policydb *db = NULL;
        char lines[8192] = "";
        int from[40], until[40], who[40];
        bool ended[40];
        assert_int_equal(sek_policydb_open(NULL, true, &db, NULL), SEK_OK);
        for (int i = 0; i < 40; i++) {
            /* in order of time, as a log is; two never begin at the same */
            seed = seed * 1103515245 + 12345;
            who[i] = (int)(seed >> 16 & 3);
            from[i] = i * (1 + round % 7) + who[i] % (1 + round % 7);
            until[i] = from[i] + 1 + (int)(seed >> 20 & 31);
            ended[i] = (seed >> 27 & 7) == 0;
            snprintf(lines + strlen(lines), 100, "192.0.2.1 +%d +%d %c 00:11:22:33:44:0%d|m%d||\n",
                     from[i], until[i], ended[i] ? 'E' : 'e', who[i], who[i]);
        }
        import_at(db, 0, false, lines);
        for (int t = 0; t < 300; t++) {
            int last = -1;
            for (int i = 0; i < 40; i++)
                if (from[i] <= t && (last < 0 || from[i] > from[last]))
                    last = i;
            const char *name = name_at(db, "192.0.2.1", t);
            if (*name) { /* nobody but who had it last */
                assert_true(last >= 0);
                assert_int_equal(atoi(name + 1), who[last]);
            }
        }
        struct sek_inventory_stats again = import_at(db, 0, false, lines);
        if (again.n_added || again.n_changed)
            fail_msg("round %d: %" PRIu64 " added, %" PRIu64 " changed\n%s", round, again.n_added,
                     again.n_changed, lines);
        sek_policydb_close(db);
    }
}

/* All or nothing, and no new policy by it. */
static void test_transaction(void **state)
{
    struct sek_policydb *db = db_open();
    struct sek_inventory_import imp = {.time_s = NOW};
    struct sek_lease l = lease_of("192.0.2.1 +0 +10 e " A);
    uint64_t before, after;
    (void)state;
    OK(sek_policydb_generation(db, &before, &diag));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_inventory_begin(&imp, db, "alice", "f", NOW, &diag));
    OK(sek_inventory_put(&imp, &l, &diag));
    sek_policydb_rollback(db);
    check_history(db, "192.0.2.1", "");
    import_at(db, 0, false, "192.0.2.1 +0 +10 e " A);
    import_at(db, 0, false, "192.0.2.1 +0 +10 e " A);
    OK(sek_policydb_generation(db, &after, &diag));
    assert_int_equal(before, after);
    sek_policydb_close(db);
    /* one record of who imported what: the second file changed nothing */
    sqlite3 *raw;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw,
                                        "SELECT count(*), max(who), max(source), max(format),"
                                        " max(n_added) FROM endpoint_import",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 1);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 1), "alice");
    assert_string_equal((const char *)sqlite3_column_text(stmt, 2), "/a/file");
    assert_string_equal((const char *)sqlite3_column_text(stmt, 3), "csv");
    assert_int_equal(sqlite3_column_int(stmt, 4), 1);
    sqlite3_finalize(stmt);
    sqlite3_close(raw);
}

/* A file of version 1, as the program before wrote it: readers and writers bring it up to date. */
static void test_upgrade(void **state)
{
    (void)state;
    for (int write = 0; write < 2; write++) {
        struct sek_policydb *db = db_open();
        struct sek_list_row row;
        sqlite3 *raw;
        OK(sek_policydb_begin(db, &diag));
        row =
            (struct sek_list_row){.list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE}};
        snprintf(row.list.name, sizeof row.list.name, "old%d", write);
        OK(sek_policydb_list_add(db, &row, &diag));
        OK(sek_policydb_commit(db, &diag));
        sek_policydb_close(db);
        assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
        assert_int_equal(
            sqlite3_exec(raw,
                         "DROP TABLE endpoint_span; DROP TABLE endpoint_import;"
                         "DROP TABLE audit; DROP TABLE audit_data; DROP TABLE audit_sum;"
                         "DROP TABLE dismissal; DROP TABLE triage;"
                         "DROP TABLE incident_note; DROP TABLE incident_subject;"
                         "DROP TABLE incident;"
                         "DROP TABLE exception_step; DROP TABLE exception;"
                         "DROP TABLE feed_zone; DROP TABLE feed;"
                         "DROP TABLE list_version;"
                         "DROP TABLE member; DROP TABLE client_group;"
                         "ALTER TABLE list DROP COLUMN only_groups;"
                         "ALTER TABLE list DROP COLUMN except_groups;"
                         "ALTER TABLE entry DROP COLUMN terms;"
                         "ALTER TABLE list DROP COLUMN override;"
                         "ALTER TABLE list DROP COLUMN kind;"
                         "PRAGMA user_version = 1",
                         NULL, NULL, NULL),
            SQLITE_OK);
        sqlite3_close(raw);
        OK(sek_policydb_open(path, write, &db, &diag));
        OK(sek_policydb_list_get(db, row.list.name, &row, &diag));
        check_history(db, "192.0.2.1", "");
        sek_policydb_close(db);
        db = db_open();
        import_at(db, 0, false, "192.0.2.9 +0 +10 e " A);
        assert_string_equal(name_at(db, "192.0.2.9", 5), "a");
        sek_policydb_close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test_setup_teardown(test_snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_mac, setup, teardown),
        cmocka_unit_test_setup_teardown(test_now, setup, teardown),
        cmocka_unit_test(test_random),
        cmocka_unit_test_setup_teardown(test_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
