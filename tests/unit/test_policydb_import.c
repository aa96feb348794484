/* SPDX-License-Identifier: BSD-3-Clause */
/* Imports into policy.db against a plain model, and which names are noted for the next delta. */
#include "policydb_fixture.h"
#include "seed.h"

/* --- import ------------------------------------------------------------------------------------
 */

#define N_MODEL 400

/* Names n0 … n399; per name and scope whether a rule is there, its action and its end. */
struct model {
    struct {
        bool there;
        uint8_t action;
        int64_t expires_s, created_s;
    } rule[N_MODEL][4];
};

static bool model_check_one(void *arg, const struct sek_entry *e)
{
    struct model *m = arg;
    char text[SEK_NAME_TEXT_MAX];
    sek_name_to_text(e->name.octets, text);
    unsigned n = (unsigned)strtoul(text + 1, NULL, 10);
    if (n >= N_MODEL || !m->rule[n][e->rule.scope].there)
        fail_msg("%s is there, but should not", text);
    assert_int_equal(m->rule[n][e->rule.scope].action, e->rule.action);
    assert_int_equal(m->rule[n][e->rule.scope].expires_s, e->rule.expires_s);
    assert_int_equal(m->rule[n][e->rule.scope].created_s, e->created_s);
    m->rule[n][e->rule.scope].there = false;
    return true;
}

static void model_check(struct sek_policydb *db, uint16_t list, const struct model *m)
{
    struct model left = *m;
    OK(sek_policydb_entries(db, list, model_check_one, &left, &diag));
    for (unsigned n = 0; n < N_MODEL; n++)
        for (int s = 1; s <= 3; s++)
            if (left.rule[n][s].there)
                fail_msg("n%u (scope %d) is missing", n, s);
}

struct changes {
    uint64_t n_added, n_removed;
};

static void changes_count(void *arg, bool added, const struct sek_name *name,
                          const struct sek_rule *rule, const char *terms)
{
    struct changes *c = arg;
    (void)name;
    (void)rule;
    (void)terms;
    *(added ? &c->n_added : &c->n_removed) += 1;
}

/* What an import of `fed` must make of `m`. */
static void model_import(struct model *m, const struct model *fed, bool append, int64_t now_s,
                         struct sek_import_stats *st)
{
    for (unsigned n = 0; n < N_MODEL; n++) {
        for (int s = 1; s <= 3; s++) {
            bool was = m->rule[n][s].there, is = fed->rule[n][s].there;
            st->n_before += was;
            if (was && is && append && m->rule[n][s].expires_s > now_s) {
                st->n_ending++;
            } else if (was && is) {
                st->n_changed +=
                    m->rule[n][s].action != fed->rule[n][s].action || m->rule[n][s].expires_s != 0;
                m->rule[n][s].action = fed->rule[n][s].action;
                m->rule[n][s].expires_s = 0;
            } else if (is) {
                st->n_added++;
                m->rule[n][s] = fed->rule[n][s];
                m->rule[n][s].created_s = now_s;
            } else if (was && !append) {
                st->n_removed++;
                m->rule[n][s].there = false;
            }
            st->n_after += m->rule[n][s].there;
        }
    }
}

static void feed_random(struct sek_policydb *db, struct model *fed, struct sek_import_stats *st)
{
    unsigned share = (unsigned)(random() % 3) * 600;
    for (unsigned i = 0; i < share; i++) {
        unsigned n = (unsigned)random() % N_MODEL;
        uint8_t scope = (uint8_t)(1 + random() % 3), action = (uint8_t)(random() % 3);
        char text[32];
        snprintf(text, sizeof text, "n%u.example", n);
        struct sek_name name = name_of(text);
        bool there = fed->rule[n][scope].there;
        uint8_t before = fed->rule[n][scope].action;
        st->n_duplicate += there && before == action;
        st->n_contrary += there && before != action;
        fed->rule[n][scope].there = true;
        if (!there || before != SEK_ACTION_PASSTHRU)
            fed->rule[n][scope].action = action;
        OK(sek_policydb_import_rule(db, &name, scope, action, NULL, &diag));
    }
}

/* Give some entries an end, as `block --lifetime` would. */
static void put_random(struct sek_policydb *db, uint16_t list, struct model *m)
{
    for (int i = 0; i < 10; i++) {
        unsigned n = (unsigned)random() % N_MODEL;
        bool changed;
        char text[32];
        snprintf(text, sizeof text, "n%u.example", n);
        struct sek_entry e = entry_of(list, text, SEK_SCOPE_SUBTREE);
        e.rule.expires_s = NOW + 1 + random() % 5;
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
        m->rule[n][SEK_SCOPE_SUBTREE].there = true;
        m->rule[n][SEK_SCOPE_SUBTREE].action = 0;
        m->rule[n][SEK_SCOPE_SUBTREE].expires_s = e.rule.expires_s;
        m->rule[n][SEK_SCOPE_SUBTREE].created_s = NOW;
    }
}

static void import_round(struct sek_policydb *db, uint16_t list, struct model *m, int round)
{
    static struct model fed;
    struct sek_import_stats expected = {0}, st;
    struct changes changes = {0};
    bool append = random() % 3 == 0, keep = random() % 5 != 0;
    memset(&fed, 0, sizeof fed);
    OK(sek_policydb_begin(db, &diag));
    put_random(db, list, m);
    OK(sek_policydb_commit(db, &diag));

    OK(sek_policydb_begin(db, &diag));
    sek_policydb_watch(db, changes_count, &changes);
    OK(sek_policydb_import_begin(db, list, "importer", NOW + round, &diag));
    feed_random(db, &fed, &expected);
    OK(sek_policydb_import_end(db, append, "here", NULL, NULL, &st, &diag));
    sek_policydb_watch(db, NULL, NULL);
    struct model after = *m;
    model_import(&after, &fed, append, NOW + round, &expected);
    assert_memory_equal(&st, &expected, sizeof st);
    assert_int_equal(changes.n_added, st.n_added + st.n_changed);
    assert_int_equal(changes.n_removed, st.n_removed + st.n_changed);
    model_check(db, list, &after);
    if (keep) {
        OK(sek_policydb_commit(db, &diag));
        *m = after;
    } else {
        sek_policydb_rollback(db);
    }
    model_check(db, list, m);
    uint32_t n = 0;
    for (unsigned i = 0; i < N_MODEL; i++)
        for (int s = 1; s <= 3; s++)
            n += m->rule[i][s].there;
    assert_int_equal(n_entries_of(db, "feed"), n);
}

static void test_import(void **state)
{
    (void)state;
    static struct model m;
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    uint16_t list = list_new(db, "feed");
    list_new(db, "other"); /* behind it: its rows must stay out of the merge */
    struct sek_entry e = entry_of((uint16_t)(list + 1), "n1.example", SEK_SCOPE_SUBTREE);
    bool changed;
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    OK(sek_policydb_commit(db, &diag));
    for (int round = 1; round <= 40; round++)
        import_round(db, list, &m, round);
    assert_int_equal(n_entries_of(db, "other"), 1);
    sek_policydb_close(db);
}

static void test_import_facts(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_list_row row;
    struct sek_import_stats st;
    OK(sek_policydb_begin(db, &diag));
    uint16_t list = list_new(db, "feed");
    OK(sek_policydb_import_begin(db, list, "importer", NOW + 5, &diag));
    OK(sek_policydb_import_end(db, false, "/some/file", NULL, NULL, &st,
                               &diag)); /* nothing into nothing */
    assert_int_equal(st.n_after, 0);
    OK(sek_policydb_commit(db, &diag));
    OK(sek_policydb_list_get(db, "feed", &row, &diag));
    assert_string_equal(row.source, "/some/file");
    assert_string_equal(row.who, "importer");
    assert_int_equal(row.imported_s, NOW + 5);

    /* what is added to it does not make it another file's list */
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_import_begin(db, list, "adder", NOW + 9, &diag));
    OK(sek_policydb_import_end(db, true, "/other/file", NULL, NULL, &st, &diag));
    OK(sek_policydb_commit(db, &diag));
    OK(sek_policydb_list_get(db, "feed", &row, &diag));
    assert_string_equal(row.source, "/some/file");
    assert_string_equal(row.who, "adder");
    assert_int_equal(row.imported_s, NOW + 5);
    assert_int_equal(row.changed_s, NOW + 9);

    OK(sek_policydb_begin(db, &diag));
    list = list_new(db, "fresh"); /* but the first one does */
    OK(sek_policydb_import_begin(db, list, "adder", NOW + 9, &diag));
    OK(sek_policydb_import_end(db, true, "/other/file", NULL, NULL, &st, &diag));
    OK(sek_policydb_list_get(db, "fresh", &row, &diag));
    assert_string_equal(row.source, "/other/file");
    assert_int_equal(row.imported_s, NOW + 9);
    OK(sek_policydb_commit(db, &diag));

    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_import_begin(db, 999, "importer", NOW, &diag));
    assert_int_equal(sek_policydb_import_end(db, false, "x", NULL, NULL, &st, NULL),
                     SEK_E_NOTFOUND);
    sek_policydb_close(db);
}

/* --- names noted for the next delta -------------------------------------------------------------
 */

static void feed_many(struct sek_policydb *db, uint16_t list, unsigned from, unsigned n)
{
    struct sek_import_stats st;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_import_begin(db, list, "importer", NOW, &diag));
    for (unsigned i = from; i < from + n; i++) {
        char text[32];
        snprintf(text, sizeof text, "n%u.example", i);
        struct sek_name name = name_of(text);
        OK(sek_policydb_import_rule(db, &name, SEK_SCOPE_SUBTREE, 0, NULL, &diag));
    }
    OK(sek_policydb_import_end(db, true, "x", NULL, NULL, &st, &diag));
    OK(sek_policydb_commit(db, &diag));
}

static void test_dirty_threshold(void **state)
{
    (void)state;
    enum { MAX = 20000 };
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    uint16_t list = list_new(db, "feed");
    OK(sek_policydb_commit(db, &diag));
    feed_many(db, list, 0, MAX);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), MAX);
    assert_int_equal(number_of("SELECT full_due FROM state"), 0);
    struct sek_entry e = entry_of(list, "n7.example", SEK_SCOPE_EXACT); /* noted before */
    bool changed;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    OK(sek_policydb_commit(db, &diag));
    assert_int_equal(number_of("SELECT full_due FROM state"), 0);
    feed_many(db, list, MAX, 1000); /* a change of few names leaves it to others */
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), MAX + 1000);
    assert_int_equal(number_of("SELECT full_due FROM state"), 0);
    feed_many(db, list, MAX + 1000, 1001);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 0);
    assert_int_equal(number_of("SELECT full_due = generation FROM state"), 1);
    feed_many(db, list, MAX + 2001, 1); /* an image being built now would not have this one */
    assert_int_equal(number_of("SELECT full_due = generation FROM state"), 1);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 0);
    sek_policydb_close(db);
}

/* Even changes of few names do not go on for ever. */
static void test_dirty_few(void **state)
{
    (void)state;
    enum { MAX = 20000, FEW = 1000 };
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    uint16_t list = list_new(db, "feed");
    OK(sek_policydb_commit(db, &diag));
    for (unsigned n = 0; n < 2 * MAX; n += FEW)
        feed_many(db, list, n, FEW);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 2 * MAX);
    assert_int_equal(number_of("SELECT full_due FROM state"), 0);
    feed_many(db, list, 2 * MAX, 1);
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 0);
    assert_int_equal(number_of("SELECT full_due = generation FROM state"), 1);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILE(test_import),
        ON_FILE(test_import_facts),
        ON_FILE(test_dirty_threshold),
        ON_FILE(test_dirty_few),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
