/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rulesets.h"
#include "policy_fixture.h"

static void test_interning(void **state)
{
    static const struct sek_rule rules[] = {
        {.list = 1, .scope = SEK_SCOPE_SUBTREE},
        {.list = 1, .scope = SEK_SCOPE_EXACT},
        {.list = 2, .scope = SEK_SCOPE_SUBTREE},
        {.list = 1, .scope = SEK_SCOPE_SUBTREE, .action = SEK_ACTION_LOG},
        {.list = 1, .scope = SEK_SCOPE_SUBTREE, .expires_s = 1},
    };
    static const struct {
        const char *label;
        unsigned first, n;
        uint32_t index, id; /* expected; id: by falling use, then by first use */
    } cases[] = {
        {"first", 0, 1, 0, 1},        {"none", 0, 0, 1, 2},         {"other scope", 1, 1, 2, 3},
        {"other list", 2, 1, 3, 0},   {"again", 2, 1, 3, 0},        {"again", 2, 1, 3, 0},
        {"other action", 3, 1, 4, 4}, {"other expiry", 4, 1, 5, 5}, {"two", 0, 2, 6, 6},
        {"none again", 0, 0, 1, 2},   {"first again", 0, 1, 0, 1},
    };
    struct sek_rulesets *sets;
    uint32_t index;
    unsigned n;

    (void)state;
    assert_int_equal(sek_rulesets_new(&sets, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(sek_rulesets_add(sets, rules + cases[i].first, cases[i].n, &index, NULL),
                         SEK_OK);
        if (index != cases[i].index)
            fail_msg("%s: index %u", cases[i].label, index);
    }
    assert_int_equal(sek_rulesets_n(sets), 7);
    assert_int_equal(sek_rulesets_n_rules(sets), 7);
    assert_int_equal(sek_rulesets_rank(sets, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (sek_rulesets_id(sets, cases[i].index) != cases[i].id)
            fail_msg("%s: id %u", cases[i].label, sek_rulesets_id(sets, cases[i].index));
        const struct sek_rule *got = sek_rulesets_get(sets, cases[i].id, &n);
        assert_int_equal(n, cases[i].n);
        if (n > 0)
            assert_memory_equal(got, rules + cases[i].first, n * sizeof(*got));
    }
    sek_rulesets_free(sets);
}

static void test_many(void **state)
{
    enum { N = 5000 };
    struct sek_rulesets *sets;
    uint32_t index;

    (void)state;
    assert_int_equal(sek_rulesets_new(&sets, NULL), SEK_OK);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < N; i++) {
            struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_EXACT, .expires_s = 1 + i};
            assert_int_equal(sek_rulesets_add(sets, &rule, 1, &index, NULL), SEK_OK);
            assert_int_equal(index, i);
        }
    assert_int_equal(sek_rulesets_n(sets), N);
    sek_rulesets_free(sets);
}

static void test_empty(void **state)
{
    struct sek_rulesets *sets;

    (void)state;
    sek_rulesets_free(NULL);
    assert_int_equal(sek_rulesets_new(&sets, NULL), SEK_OK);
    assert_int_equal(sek_rulesets_rank(sets, NULL), SEK_OK);
    assert_int_equal(sek_rulesets_n(sets), 0);
    sek_rulesets_free(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interning),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
