/* SPDX-License-Identifier: BSD-3-Clause */
/* What people make of hits: kept, found by the more specific row, closed up to a time. */
#include "policydb_fixture.h"
#include "store/audit.h"
#include "store/triage.h"

static void put(struct sek_policydb *db, const char *domain, const char *endpoint,
                enum sek_triage_state state, const char *note, bool expected)
{
    const struct sek_triage row = {domain, endpoint, state, NOW, "alice", note};
    bool changed = !expected;
    OK(sek_triage_put(db, &row, &changed, &diag));
    assert_int_equal(changed, expected);
}

static struct sek_triage_set *load(struct sek_policydb *db)
{
    struct sek_triage_set *set = NULL;
    OK(sek_triage_load(db, &set, &diag));
    return set;
}

static void test_find(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *endpoint, *note; /* NULL: none */
    } cases[] = {
        {"evil.example", "192.0.2.7", "both"},
        {"evil.example", "192.0.2.8", "domain"}, /* before what all of the endpoint's are */
        {"evil.example", "192.0.2.9", "domain"},
        {"evil.example", NULL, "domain"},
        {"other.example", "192.0.2.8", "endpoint"},
        {NULL, "192.0.2.8", "endpoint"},
        {"other.example", "192.0.2.9", NULL},
        {NULL, "192.0.2.7", NULL},
        {"evil.exampl", NULL, NULL},
        {"", "", NULL},
    };
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    put(db, "evil.example", "192.0.2.7", SEK_TRIAGE_CLOSED, "both", true);
    put(db, "evil.example", SEK_TRIAGE_ANY, SEK_TRIAGE_IN_PROGRESS, "domain", true);
    put(db, SEK_TRIAGE_ANY, "192.0.2.8", SEK_TRIAGE_CONTAINED, "endpoint", true);
    OK(sek_policydb_commit(db, &diag));
    struct sek_triage_set *set = load(db);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sek_triage *row = sek_triage_find(set, cases[i].domain, cases[i].endpoint);
        const char *note = row ? row->note : NULL;
        if (!note != !cases[i].note || (note && strcmp(note, cases[i].note) != 0))
            fail_msg("%zu: %s", i, note ? note : "none");
    }
    assert_null(sek_triage_find(NULL, "evil.example", "192.0.2.7"));
    assert_int_equal(sek_triage_n(NULL), 0);
    sek_triage_free(set);
    sek_policydb_close(db);
}

static void test_states(void **state)
{
    (void)state;
    const struct sek_triage closed = {.state = SEK_TRIAGE_CLOSED, .time_s = NOW};
    const struct sek_triage contained = {.state = SEK_TRIAGE_CONTAINED, .time_s = NOW};
    assert_int_equal(sek_triage_of(NULL, 0), SEK_TRIAGE_NEW);
    assert_int_equal(sek_triage_of(&closed, NOW * 1000LL), SEK_TRIAGE_CLOSED);
    assert_int_equal(sek_triage_of(&closed, NOW * 1000LL + 999),
                     SEK_TRIAGE_CLOSED); /* that second */
    assert_int_equal(sek_triage_of(&closed, (NOW + 1) * 1000LL), SEK_TRIAGE_NEW);
    assert_int_equal(sek_triage_of(&contained, (NOW + 9999) * 1000LL), SEK_TRIAGE_CONTAINED);
}

static void test_put(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    put(db, "a.example", SEK_TRIAGE_ANY, SEK_TRIAGE_NEW, "", false); /* nothing to remove */
    put(db, "a.example", SEK_TRIAGE_ANY, SEK_TRIAGE_IN_PROGRESS, "it's \xff \"odd\"", true);
    put(db, "a.example", SEK_TRIAGE_ANY, SEK_TRIAGE_CONTAINED, "second", true);
    put(db, "b.example", SEK_TRIAGE_ANY, SEK_TRIAGE_CLOSED, "", true);
    put(db, "b.example", SEK_TRIAGE_ANY, SEK_TRIAGE_NEW, "", true);
    OK(sek_policydb_commit(db, &diag));
    struct sek_triage_set *set = load(db);
    assert_int_equal(sek_triage_n(set), 1);
    assert_string_equal(sek_triage_at(set, 0)->domain, "a.example");
    assert_string_equal(sek_triage_at(set, 0)->note, "second");
    assert_string_equal(sek_triage_at(set, 0)->who, "alice");
    assert_int_equal(sek_triage_at(set, 0)->state, SEK_TRIAGE_CONTAINED);
    sek_triage_free(set);
    /* all for all is nobody's state */
    const struct sek_triage all = {SEK_TRIAGE_ANY, SEK_TRIAGE_ANY, SEK_TRIAGE_CLOSED, NOW, "", ""};
    OK(sek_policydb_begin(db, &diag));
    assert_int_not_equal(sek_triage_put(db, &all, NULL, NULL), SEK_OK);
    sek_policydb_rollback(db);
    sek_policydb_close(db);
    OK(sek_triage_load(NULL, &set, &diag)); /* no database, no rows */
    assert_int_equal(sek_triage_n(set), 0);
    sek_triage_free(set);
}

/* It is a change like others: in the trail, and taken back by undo. No image is due for it. */
static void test_undo(void **state)
{
    (void)state;
    const struct sek_audit_act act = {
        .time_ms = NOW * 1000LL, .user = "alice", .verb = "triage set"};
    struct sek_policydb *db = db_open();
    uint64_t generation = generation_of(db);
    OK(sek_audit_begin(db, 1 << 20, &diag));
    OK(sek_policydb_begin(db, &diag));
    put(db, "a.example", "192.0.2.7", SEK_TRIAGE_CONTAINED, "x", true);
    OK(sek_audit_add(db, &act, 86400, 1 << 20, NULL, &diag));
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(generation_of(db), generation);
    OK(sek_policydb_begin(db, &diag));
    OK(sek_audit_undo(db, 1, false, NOW, NULL, NULL, &diag));
    OK(sek_policydb_commit(db, &diag));
    struct sek_triage_set *set = load(db);
    assert_int_equal(sek_triage_n(set), 0);
    sek_triage_free(set);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(test_find),
        cmocka_unit_test(test_states),
        ON_FILE(test_put),
        ON_FILE(test_undo),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
