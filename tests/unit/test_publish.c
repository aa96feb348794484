/* SPDX-License-Identifier: BSD-3-Clause */
/* From policy.db to policy.img and policy.delta: whatever is done to the database, what readers
 * look up in the two files equals the database. */
#include "publish_fixture.h"
#include "seed.h"
#include <sys/stat.h>

/* --- tests ---------------------------------------------------------------------------------------
 */

static void test_image_then_deltas(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct stat st;
    struct sek_image_info first = publish(db, false);
    assert_int_equal(first.base_id, 0);
    assert_int_equal(first.generation, 1);
    assert_int_equal(first.made_s, NOW);
    assert_int_equal(stat(image, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    check_files(db);

    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, true, 0);
    struct sek_image_info second = publish(db, false);
    assert_int_equal(second.base_id, first.id);
    assert_int_equal(second.n_names, 1);
    check_files(db);

    struct sek_image_info same = publish(db, false); /* up to date: nothing is written */
    assert_int_equal(same.id, second.id);

    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, false, 0);
    struct sek_image_info third = publish(db, false);
    assert_int_equal(third.base_id, first.id);
    assert_int_equal(third.n_rules, 0);
    check_files(db);

    struct sek_image_info fourth = publish(db, true);
    assert_int_equal(fourth.base_id, 0);
    assert_false(exists(delta));
    assert_int_equal(number_of("SELECT count(*) FROM dirty"), 0);
    check_files(db);
    sek_policydb_close(db);
}

/* Rules about addresses stand in every file, those about servers with the names. */
static void test_what_is_not_about_names(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    const char *const net = "24.0.2.0.192.rpz-ip", *const later = "32.7.2.0.192.rpz-ip";
    const struct sek_addr addr = {{[10] = 0xff, 0xff, 192, 0, 2, 7}};
    struct sek_met met[SEK_NETS_MET_MAX], names[SEK_LABELS_MAX + 1];
    struct sek_policy *p;
    const struct sek_name server = name_of("ns.example.rpz-nsdname"), owner = name_of(net);
    for (unsigned step = 0; step < 5; step++) {
        static const unsigned n_met[] = {1, 2, 2, 1, 0};
        if (step == 0) {
            edit(db, 1, net, SEK_SCOPE_EXACT, true, 0);
            edit(db, 1, "ns.example.rpz-nsdname", SEK_SCOPE_EXACT, true, 0);
            edit(db, 1, "odd.rpz-ip", SEK_SCOPE_EXACT, true, 0); /* of an older version */
        } else if (step < 3) {
            edit(db, 1, later, SEK_SCOPE_EXACT, true, step == 1 ? NOW + 9 : 0);
        } else {
            edit(db, 1, step == 3 ? later : net, SEK_SCOPE_EXACT, false, 0);
        }
        struct sek_image_info info = publish(db, step == 2);
        assert_int_equal(info.base_id == 0, step == 0 || step == 2);
        OK(sek_policy_open(dir, &p, &diag));
        const struct sek_nets *nets = sek_policy_nets(p);
        assert_non_null(nets);
        assert_int_equal(sek_nets_lookup(nets, SEK_ABOUT_RESPONSE_IP, &addr, met), n_met[step]);
        assert_int_equal(sek_nets_count(nets, SEK_ABOUT_NSDNAME), 1);
        assert_int_equal(sek_policy_lookup(p, &server, names), 1);
        assert_int_equal(sek_policy_lookup(p, &owner, names), 0);
        assert_int_equal(sek_policy_next_change(p, NOW), step == 1 ? NOW + 9 : 0);
        sek_policy_close(p);
    }
    edit(db, 1, "ns.example.rpz-nsdname", SEK_SCOPE_EXACT, false, 0);
    edit(db, 1, "odd.rpz-ip", SEK_SCOPE_EXACT, false, 0);
    publish(db, false);
    OK(sek_policy_open(dir, &p, &diag));
    assert_null(sek_policy_nets(p));
    sek_policy_close(p);
    sek_policydb_close(db);
}

/* A list's mode changes everything, and costs a delta without names. */
static void test_mode_costs_a_delta(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_list_row row;
    edit(db, 1, numbered(3), SEK_SCOPE_SUBTREE, true, 0);
    struct sek_image_info full = publish(db, false);
    OK(sek_policydb_list_get(db, SEK_LIST_LOCAL_BLOCK, &row, &diag));
    row.list.mode = SEK_MODE_OFF;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_list_set(db, &row, &diag));
    OK(sek_policydb_commit(db, &diag));
    struct sek_image_info info = publish(db, false);
    assert_int_equal(info.base_id, full.id);
    assert_int_equal(info.n_names, 0);
    check_files(db); /* the rules of a list that is off stay, to come back as cheaply */
    sek_policydb_close(db);
}

static void test_expired_left_out(void **state)
{
    (void)state;
    for (int full = 0; full < 2; full++) {
        struct sek_policydb *db = db_open();
        publish(db, true);
        edit(db, 1, numbered(3), SEK_SCOPE_SUBTREE, true, NOW);
        edit(db, 1, numbered(4), SEK_SCOPE_SUBTREE, true, NOW + 1);
        edit(db, 1, numbered(5), SEK_SCOPE_SUBTREE, true, 1);
        assert_int_equal(publish(db, full).n_rules, 1);
        check_files(db);
        sek_policydb_close(db);
    }
}

static void random_import(struct sek_policydb *db, uint16_t list)
{
    struct sek_import_stats st;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_import_begin(db, list, "importer", NOW, &diag));
    for (long i = random() % 40; i > 0; i--) {
        struct sek_name name = name_of(numbered((unsigned)random() % N_NAMES));
        OK(sek_policydb_import_rule(db, &name, (enum sek_scope)(1 + random() % 3),
                                    (enum sek_action)(random() % 8), NULL, &diag));
    }
    OK(sek_policydb_import_end(db, random() % 2, "x", NULL, NULL, &st, &diag));
    OK(sek_policydb_commit(db, &diag));
}

static void random_put(struct sek_policydb *db, uint16_t list)
{
    static const int64_t ends[] = {0, NOW - 1, NOW, NOW + 1, NOW + 100};
    edit(db, list, numbered((unsigned)random() % N_NAMES), (enum sek_scope)(1 + random() % 3), true,
         ends[random() % 5]);
}

static bool entry_first(void *arg, const struct sek_entry *e)
{
    *(struct sek_entry *)arg = *e;
    return random() % 4 != 0;
}

static void random_remove(struct sek_policydb *db, uint16_t list)
{
    struct sek_entry e = {.rule = {.list = 0}};
    OK(sek_policydb_entries(db, list, entry_first, &e, &diag));
    if (e.rule.list == 0)
        return;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_entry_remove(db, list, &e.name, e.rule.scope, &diag));
    OK(sek_policydb_commit(db, &diag));
}

static void random_list(struct sek_policydb *db, uint16_t *list)
{
    struct sek_list_row row;
    OK(sek_policydb_begin(db, &diag));
    if (*list >= 3 && *list < N_CHECK_LISTS - 1 && random() % 2) {
        OK(sek_policydb_list_remove(db, *list, NULL, NULL, &diag));
        *list = list_new(db, "feed");
    } else {
        OK(sek_policydb_list_get(db, "feed", &row, &diag));
        row.list.mode = (uint8_t)(random() % 3);
        row.list.priority = (int32_t)(random() % 100);
        OK(sek_policydb_list_set(db, &row, &diag));
    }
    OK(sek_policydb_commit(db, &diag));
}

static void test_random_edits(void **state)
{
    (void)state;
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    uint16_t feed = list_new(db, "feed");
    OK(sek_policydb_commit(db, &diag));
    for (int round = 0; round < 300; round++) {
        uint16_t list = random() % 2 ? feed : (uint16_t)(1 + random() % 2);
        long what = random() % 100;
        if (what < 45)
            random_put(db, list);
        else if (what < 75)
            random_remove(db, list);
        else if (what < 90)
            random_import(db, list);
        else
            random_list(db, &feed);
        if (random() % 3 == 0)
            continue; /* several changes in one publication */
        publish(db, random() % 20 == 0);
        check_files(db);
    }
    sek_policydb_close(db);
}

/* Past the threshold an image is built by itself, and counting begins anew. */
static void test_many_changes(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_import_stats st;
    OK(sek_policydb_begin(db, &diag));
    uint16_t list = list_new(db, "feed");
    OK(sek_policydb_commit(db, &diag));
    publish(db, false);
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_import_begin(db, list, "importer", NOW, &diag));
    for (unsigned i = 0; i < 20001; i++) {
        char text[32];
        snprintf(text, sizeof text, "many%u.example", i);
        struct sek_name name = name_of(text);
        OK(sek_policydb_import_rule(db, &name, SEK_SCOPE_SUBTREE, 0, NULL, &diag));
    }
    OK(sek_policydb_import_end(db, false, "x", NULL, NULL, &st, &diag));
    OK(sek_policydb_commit(db, &diag));
    struct sek_image_info info = publish(db, false);
    assert_int_equal(info.base_id, 0);
    assert_int_equal(info.n_rules, 20001);
    assert_int_equal(number_of("SELECT full_due FROM state"), 0);
    edit(db, list, "many7.example", SEK_SCOPE_SUBTREE, false, 0);
    assert_int_equal(publish(db, false).base_id, info.id);
    sek_policydb_close(db);
}

static void progress_note(void *arg, unsigned permille)
{
    unsigned *last = arg;
    assert_in_range(permille, *last, 1000);
    *last = permille;
}

static void test_progress(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    unsigned last = 0;
    for (unsigned i = 0; i < N_NAMES; i++)
        edit(db, 1, numbered(i), SEK_SCOPE_SUBTREE, true, 0);
    OK(sek_policydb_compile(db, dir, NOW, true, progress_note, &last, NULL, &diag));
    assert_int_equal(last, 1000);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILES(test_image_then_deltas),  ON_FILES(test_what_is_not_about_names),
        ON_FILES(test_mode_costs_a_delta), ON_FILES(test_expired_left_out),
        ON_FILES(test_random_edits),       ON_FILES(test_many_changes),
        ON_FILES(test_progress),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
