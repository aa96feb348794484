/* SPDX-License-Identifier: BSD-3-Clause */
#include "audit_fixture.h"
#include "seed.h"
#include "store/inventory.h"

/* Undo row `number`, as the command does; the new row's number. */
static int64_t undo(struct sek_policydb *db, int64_t number, bool force)
{
    OK(sek_policydb_begin(db, &diag));
    OK(sek_audit_undo(db, number, force, clock_ms / 1000, NULL, NULL, &diag));
    int64_t row = add_row(db, "undo", number);
    OK(sek_policydb_commit(db, &diag));
    return row;
}

/* It is refused, and says so. */
static void refused(struct sek_policydb *db, int64_t number, const char *why)
{
    struct sek_diag said = {0};
    OK(sek_policydb_begin(db, &diag));
    if (sek_audit_undo(db, number, false, NOW, NULL, NULL, &said) != SEK_E_REFUSED ||
        !strstr(said.text, why))
        fail_msg("undo %lld: %s", (long long)number, said.text);
    sek_policydb_rollback(db);
}

static void is_dump(const char *label, const char *expected)
{
    char *now = dump();
    if (strcmp(now, expected) != 0)
        fail_msg("%s: expected\n%s\ngot\n%s", label, expected, now);
    free(now);
}

static void import(struct sek_policydb *db, uint16_t list, const char *names, bool append)
{
    struct sek_import_stats st;
    OK(sek_policydb_import_begin(db, list, "cron", clock_ms / 1000, &diag));
    for (const char *p = names; *p;) {
        char text[64];
        size_t n = strcspn(p, " ");
        snprintf(text, sizeof text, "%.*s.example", (int)n, p);
        struct sek_name name = name_of(text);
        OK(sek_policydb_import_rule(db, &name, SEK_SCOPE_SUBTREE, SEK_ACTION_DEFAULT, NULL, &diag));
        p += n;
        p += strspn(p, " ");
    }
    OK(sek_policydb_import_end(db, append, "/srv/feed", NULL, NULL, &st, &diag));
}

static void set_mode(struct sek_policydb *db, const char *name, int mode)
{
    struct sek_list_row row;
    OK(sek_policydb_list_get(db, name, &row, &diag));
    row.list.mode = (uint8_t)mode;
    row.changed_s = clock_ms / 1000;
    snprintf(row.who, sizeof row.who, "carol");
    OK(sek_policydb_list_set(db, &row, &diag));
}

static void lease(struct sek_policydb *db, const char *address, const char *machine, int64_t from_s,
                  int64_t until_s)
{
    struct sek_inventory_import imp = {.time_s = clock_ms / 1000};
    struct sek_lease l = {.has_addr = true, .from_s = from_s, .until_s = until_s};
    OK(sek_addr_from_text(address, &l.addr, &diag));
    snprintf(l.machine.mac, sizeof l.machine.mac, "%s", "00:11:22:33:44:55");
    snprintf(l.machine.name, sizeof l.machine.name, "%s", machine);
    OK(sek_inventory_begin(&imp, db, "alice", "/srv/leases", clock_ms / 1000, &diag));
    OK(sek_inventory_put(&imp, &l, &diag));
    OK(sek_inventory_end(&imp, "dhcpd", &diag));
}

static void dismiss(struct sek_policydb *db, const char *domain, bool on)
{
    struct sek_dismissed set;
    struct sek_name name = name_of(domain);
    struct sek_dismissal one = {.detector = SEK_DETECTOR_DGA,
                                .everybody = true,
                                .domain_len = name.len,
                                .time_s = clock_ms / 1000,
                                .finding = 7,
                                .who = "carol",
                                .why = "ours"};
    memcpy(one.domain, name.octets, name.len);
    OK(sek_dismissaldb_read(db, &set, &diag));
    if (on)
        OK(sek_dismissed_add(&set, &one, &diag));
    else
        set.n = 0;
    OK(sek_dismissaldb_write(db, &set, &diag));
    sek_dismissed_fini(&set);
}

/* Every kind of change, taken back the last one first: after each, all tables are as they were,
 * octet by octet, with who, when and why. */
static void test_every_verb(void **state)
{
    (void)state;
    enum { N = 17 };
    char *before[N];
    struct sek_policydb *db = db_audited();
    uint16_t feed = 0;
    bool changed;
    for (int i = 0; i < N; i++) {
        before[i] = dump();
        clock_ms += 60000;
        OK(sek_policydb_begin(db, &diag));
        struct sek_entry e = entry_of(1, "evil.example", SEK_SCOPE_EXACT);
        e.rule.expires_s = NOW + 86400;
        switch (i) {
        case 0:
            put(db, 1, "evil.example", SEK_ACTION_DEFAULT, "phishing\033\xff");
            break;
        case 1:
            put(db, 1, "evil.example", SEK_ACTION_DROP, "worse");
            break; /* replaced */
        case 2:
            put(db, 1, "evil.example", SEK_ACTION_DROP, "other words");
            break;
        case 3:
            OK(sek_policydb_entry_put(db, &e, &changed, &diag));
            break;
        case 4:
            feed = list_new(db, "feed");
            break;
        case 5:
            import(db, feed, "a b c d e", false);
            break;
        case 6:
            import(db, feed, "c d f", false);
            break;
        case 7:
            import(db, feed, "g h", true);
            break;
        case 8:
            set_mode(db, "feed", SEK_MODE_MONITOR);
            break;
        case 9:
            take(db, 1, "evil.example");
            break;
        case 10:
            put(db, feed, "c.example", SEK_ACTION_LOG, "by hand");
            break;
        case 11:
            import(db, feed, "c", false);
            break; /* changes a rule back */
        case 12:
            OK(sek_policydb_list_remove(db, feed, NULL, NULL, &diag));
            break;
        case 13:
            dismiss(db, "ours.example", true);
            break;
        case 14:
            lease(db, "192.0.2.7", "pc1", NOW, NOW + 3600);
            break;
        case 15:
            lease(db, "192.0.2.7", "pc1", NOW + 1800, NOW + 9000);
            break;
        case 16:
            dismiss(db, "ours.example", false);
            break;
        }
        assert_int_equal(add_row(db, "verb", 0), i + 1);
        OK(sek_policydb_commit(db, &diag));
        char *after = dump();
        if (strcmp(after, before[i]) == 0)
            fail_msg("change %d changes nothing", i);
        free(after);
    }
    char *last = dump();
    int64_t rows[N];
    for (int i = N - 1; i >= 0; i--) {
        char label[32];
        snprintf(label, sizeof label, "change %d", i);
        uint64_t generation = generation_of(db);
        rows[i] = undo(db, i + 1, false);
        is_dump(label, before[i]);
        /* the resolver is told of what concerns it, and of nothing else */
        assert_int_equal(generation_of(db) - generation, i < 13 && i != 2);
    }
    for (int i = 0; i < N; i++) /* and undone again, the last one first again */
        undo(db, rows[i], false);
    is_dump("all again", last);
    sek_policydb_close(db);
    for (int i = 0; i < N; i++)
        free(before[i]);
    free(last);
    assert_int_equal(verify(NULL).n, 0);
    /* the lists' counts of entries are right */
    assert_int_equal(number_of("SELECT count(*) FROM list WHERE n_entries <>"
                               " (SELECT count(*) FROM entry WHERE list = id)"),
                     0);
}

static void test_refused(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    uint16_t feed = 0;
    AUDITED(db, "block", 0, put(db, 1, "a.example", SEK_ACTION_DEFAULT, "")); /* 1 */
    AUDITED(db, "block", 0, put(db, 1, "b.example", SEK_ACTION_DEFAULT, "")); /* 2 */
    AUDITED(db, "unblock", 0, take(db, 1, "a.example"));                      /* 3 */
    AUDITED(db, "block", 0, put(db, 1, "a.example", SEK_ACTION_DEFAULT, "")); /* 4: as it was */
    refused(db, 1, "row 4 (block by alice) changed local-block a.example later");
    refused(db, 3, "row 4 (block by alice) changed local-block a.example later");
    undo(db, 2, false); /* 5: another name */
    refused(db, 2, "row 2 was undone by row 5 already");
    undo(db, 4, false); /* 6 */
    undo(db, 3, false); /* 7 */
    undo(db, 1, false); /* 8: what came later was undone itself */
    refused(db, 4, "was undone by row 6 already");
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 0);
    AUDITED(db, "list add", 0, feed = list_new(db, "feed"));                     /* 9 */
    AUDITED(db, "list import", 0, import(db, feed, "a b c", false));             /* 10 */
    AUDITED(db, "block", 0, put(db, feed, "x.example", SEK_ACTION_DEFAULT, "")); /* 11 */
    AUDITED(db, "list import", 0, import(db, feed, "a b c d x", false));         /* 12 */
    refused(db, 10, "row 12 (list import by alice) changed list feed later");
    refused(db, 9, "row 12 (list import by alice) changed");
    undo(db, 12, false); /* 13 */
    refused(db, 9, "row 11 (block by alice) changed feed x.example later");
    undo(db, 10, false); /* 14: what was put in by hand stays */
    assert_int_equal(n_entries_of(db, "feed"), 1);
    refused(db, 9, "row 11 (block by alice) changed feed x.example later");
    undo(db, 9, true); /* 15: by force, with what others put into it */
    assert_int_equal(number_of("SELECT count(*) FROM list WHERE name = 'feed'"), 0);
    assert_int_equal(number_of("SELECT count(*) FROM entry"), 0);
    AUDITED(db, "list add", 0, list_new(db, "feed")); /* 16: of the same name */
    struct sek_diag why = {0};
    OK(sek_policydb_begin(db, &diag));
    assert_int_equal(sek_audit_undo(db, 15, true, NOW, NULL, NULL, &why), SEK_E_REFUSED);
    assert_non_null(strstr(why.text, "list feed cannot become again what it was"));
    assert_int_equal(sek_audit_undo(db, 99, true, NOW, NULL, NULL, &why), SEK_E_NOTFOUND);
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

/* Changed by other means than ours: no row tells, but it shows. */
static void test_changed_aside(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    AUDITED(db, "block", 0, put(db, 1, "a.example", SEK_ACTION_DEFAULT, ""));
    run_sql("UPDATE entry SET action = 7");
    refused(db, 1, "is not as row 1 left it");
    run_sql("DELETE FROM entry");
    refused(db, 1, "is not as row 1 left it");
    assert_int_equal(undo(db, 1, true), 0); /* there is nothing to take back any more */
    AUDITED(db, "block", 0, put(db, 1, "b.example", SEK_ACTION_DEFAULT, ""));
    run_sql("DROP TRIGGER audit_no_update; UPDATE audit SET reason = 'x' WHERE number = 2");
    refused(db, 2, "row 2 was altered");
    AUDITED(db, "block", 0, put(db, 1, "c.example", SEK_ACTION_DEFAULT, ""));
    run_sql("DROP TRIGGER audit_data_no_update;"
            "UPDATE audit_data SET data = CAST(data || 'x' AS BLOB) WHERE audit = 3");
    refused(db, 3, "data to undo row 3 was altered");
    OK(sek_policydb_begin(db, &diag));
    const struct sek_audit_act act = {.verb = "x", .object = "y", .before = "", .after = "z"};
    OK(sek_audit_add(db, &act, KEEP_S, KEEP_OCTETS, NULL, &diag));
    OK(sek_policydb_commit(db, &diag));
    refused(db, 4, "outside of policy.db");
    sek_policydb_close(db);
}

/* Force takes back what the row changed, and nothing that others changed since. */
static void test_force(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    struct sek_list_row row;
    uint16_t feed = list_new(db, "feed");
    AUDITED(db, "list mode", 0, set_mode(db, "feed", SEK_MODE_OFF));
    AUDITED(db, "list import", 0, import(db, feed, "a b", false));
    refused(db, 1, "row 2");
    undo(db, 1, true);
    OK(sek_policydb_list_get(db, "feed", &row, &diag));
    assert_int_equal(row.list.mode, SEK_MODE_BLOCK);
    assert_true(row.imported_s > 0);
    assert_string_equal(row.source, "/srv/feed");
    assert_int_equal(row.list.n_entries, 2);
    sek_policydb_close(db);
}

/* A block that ended, and was swept away, has nothing to take back but what it replaced. */
static void test_ended(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    struct sek_entry e = entry_of(1, "a.example", SEK_SCOPE_SUBTREE);
    bool changed;
    uint64_t n;
    e.rule.expires_s = NOW + 60;
    AUDITED(db, "block", 0, OK(sek_policydb_entry_put(db, &e, &changed, &diag)));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_expire(db, NOW + 100, &n, &diag));
    assert_int_equal(n, 1);
    OK(sek_policydb_commit(db, &diag));
    clock_ms += 200000;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_audit_undo(db, 1, false, clock_ms / 1000, NULL, NULL, &diag));
    assert_int_equal(add_row(db, "undo", 1), 0); /* nothing was changed */
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
}

/* Random changes of few names in few lists, in transactions of several: taken back one by one in
 * the order of the rows from the end, each leaves the tables as they were; names of odd octets and
 * all lengths among them. */
static void test_random(void **state)
{
    (void)state;
    enum { N = 120 };
    unsigned seed = (unsigned)test_seed();
    char *before[N];
    struct sek_policydb *db = db_audited();
    srand(seed);
    uint16_t lists[3] = {1, 2, list_new(db, "feed")};
    int made = 0;
    while (made < N) {
        before[made] = dump();
        clock_ms += 1000;
        OK(sek_policydb_begin(db, &diag));
        for (int k = rand() % 4 + 1; k > 0; k--) {
            char name[200], *p = name;
            uint16_t list = lists[rand() % 3];
            for (int labels = rand() % 4; labels > 0; labels--)
                p += snprintf(p, 64, "%s\\%03d%c.", rand() % 2 ? "long-label-of-no-use" : "",
                              rand() % 3, 'a' + rand() % 3);
            snprintf(p, 16, "%s", "example");
            struct sek_entry e = entry_of(list, name, (enum sek_scope)(rand() % 3 + 1));
            bool changed;
            e.rule.action = (uint8_t)(rand() % 3);
            e.rule.expires_s = rand() % 3 ? 0 : NOW + 1000000 + rand() % 3;
            e.created_s = clock_ms / 1000;
            snprintf(e.comment, sizeof e.comment, "%s", rand() % 2 ? "a" : "");
            switch (rand() % 8) {
            case 0:
                import(db, lists[2], rand() % 2 ? "a b c" : "b c d e", rand() % 2);
                break;
            case 1:
                set_mode(db, "feed", rand() % 3);
                break;
            case 2:
            case 3:
                sek_policydb_entry_remove(db, list, &e.name, e.rule.scope, NULL);
                break;
            default:
                OK(sek_policydb_entry_put(db, &e, &changed, &diag));
            }
        }
        int64_t row = add_row(db, "random", 0);
        OK(sek_policydb_commit(db, &diag));
        if (row)
            assert_int_equal(row, ++made);
        else
            free(before[made]);
    }
    for (int i = N - 1; i >= 0; i--) {
        char label[32];
        snprintf(label, sizeof label, "row %d, seed %u", i + 1, seed);
        undo(db, i + 1, false);
        is_dump(label, before[i]);
        free(before[i]);
    }
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

/* An import of many parts: back to the octet, and forth again. */
static void fed(struct sek_policydb *db, uint16_t list, int from, int to)
{
    struct sek_import_stats st;
    OK(sek_policydb_import_begin(db, list, "cron", clock_ms / 1000, &diag));
    for (int i = from; i < to; i++) {
        char text[64];
        snprintf(text, sizeof text, "%08x.many.example", (unsigned)i * 2654435761U);
        struct sek_name name = name_of(text);
        OK(sek_policydb_import_rule(db, &name, SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT, NULL, &diag));
    }
    OK(sek_policydb_import_end(db, false, "/srv/feed", NULL, NULL, &st, &diag));
}

static void test_large(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    uint16_t feed = list_new(db, "feed");
    AUDITED(db, "list import", 0, fed(db, feed, 0, 20000));
    char *first = dump();
    clock_ms += 5000;
    AUDITED(db, "list import", 0, fed(db, feed, 10000, 40000));
    char *second = dump();
    assert_true(number_of("SELECT count(*) FROM audit_data WHERE audit = 2") > 3);
    int64_t row = undo(db, 2, false);
    is_dump("back", first);
    undo(db, row, false);
    is_dump("forth", second);
    sek_policydb_close(db);
    free(first);
    free(second);
}

struct items {
    unsigned n;
    char text[600];
};

static bool note_item(void *arg, const struct sek_audit_item *item)
{
    struct items *i = arg;
    size_t at = strlen(i->text);
    snprintf(i->text + at, sizeof i->text - at, "%s: %s -> %s\n", item->object, item->before,
             item->after);
    i->n++;
    return true;
}

static void test_items(void **state)
{
    (void)state;
    struct sek_policydb *db = db_audited();
    struct items items = {0}, pending = {0};
    struct sek_diag why;
    uint16_t feed = 0;
    AUDITED(db, "list import", 0, feed = list_new(db, "feed"); import(db, feed, "a", false));
    AUDITED(db, "list remove", 0, OK(sek_policydb_list_remove(db, feed, NULL, NULL, &diag)));
    OK(sek_audit_items(db, 2, note_item, &items, &diag));
    assert_int_equal(items.n, 2);
    assert_string_equal(items.text, /* the list's name, though it is gone */
                        "feed a.example: action as list, by \"cron\" -> \n"
                        "list feed: mode block, action nxdomain, priority 0, ede 15, source "
                        "\"/srv/feed\", imported 2023-11-14T22:13:20Z -> \n");
    OK(sek_policydb_begin(db, &diag));
    put(db, 1, "b.example", SEK_ACTION_LOG, "r");
    OK(sek_audit_items(db, 0, note_item, &pending, &diag));
    assert_string_equal(pending.text,
                        "local-block b.example:  -> action log, by \"tester\", reason \"r\"\n");
    put(db, 1, "c.example", SEK_ACTION_LOG, "r"); /* looking at it ends nothing */
    assert_int_equal(add_row(db, "block", 0), 3);
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(number_of("SELECT n_changes FROM audit WHERE number = 3"), 2);
    assert_int_equal(sek_audit_items(db, 99, note_item, &items, &why), SEK_E_NOTFOUND);
    sek_policydb_close(db);
    assert_int_equal(verify(NULL).n, 0);
}

int main(void)
{
    clock_ms = NOW * 1000LL;
    const struct CMUnitTest tests[] = {
        ON_FILE(test_items),         ON_FILE(test_every_verb), ON_FILE(test_refused),
        ON_FILE(test_changed_aside), ON_FILE(test_force),      ON_FILE(test_ended),
        ON_FILE(test_random),        ON_FILE(test_large),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
