/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/batch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "seed.h"

enum { WINS = 1 };

static void test_empty(void **state)
{
    (void)state;
    struct sek_batch *b;
    struct sek_batch_rule rule;
    struct sek_batch_again again = {0};
    assert_int_equal(sek_batch_new(&b), SEK_OK);
    sek_batch_sort(b);
    assert_false(sek_batch_next(b, (struct sek_batch_winner){.action = WINS}, &rule, &again));
    assert_false(sek_batch_next(b, (struct sek_batch_winner){.action = WINS}, &rule, &again));
    sek_batch_free(b);
    sek_batch_free(NULL);
}

struct row {
    const char *key;
    size_t len;
    uint8_t scope, action;
};

static void test_order_and_duplicates(void **state)
{
    (void)state;
    static const struct row added[] = {
        {"com\0b\0", 6, 2, 3},      {"com\0a\0", 6, 2, 0},    {"com\0a\0", 6, 1, 0},
        {"com\0", 4, 2, 0},         {NULL, 0, 2, 5},       /* the root */
        {"com\0b\0", 6, 2, 4},      {"com\0b\0", 6, 2, 6}, /* the last one's action counts */
        {"com\0d\0", 6, 2, 1},                             /* but for the one that wins: first, */
        {"com\0d\0", 6, 2, 0},      {"com\0e\0", 6, 2, 0}, /* in the middle, */
        {"com\0e\0", 6, 2, 1},      {"com\0e\0", 6, 2, 1},    {"com\0e\0", 6, 2, 0},
        {"com\0f\0", 6, 2, 0}, /* and last */
        {"com\0f\0", 6, 2, 0},      {"com\0f\0", 6, 2, 1},    {"com\0a\0c\0", 8, 2, 0},
        {"com\0wwwwx\0", 10, 2, 0}, /* the same in their first 8 octets */
        {"com\0wwwwa\0", 10, 2, 0}, {"com\0wwww\0", 9, 2, 0},
    };
    static const struct row sorted[] = {
        {"", 0, 2, 5},
        {"com\0", 4, 2, 0},
        {"com\0a\0", 6, 1, 0},
        {"com\0a\0", 6, 2, 0},
        {"com\0a\0c\0", 8, 2, 0},
        {"com\0b\0", 6, 2, 6},
        {"com\0d\0", 6, 2, 1},
        {"com\0e\0", 6, 2, 1},
        {"com\0f\0", 6, 2, 1},
        {"com\0wwww\0", 9, 2, 0},
        {"com\0wwwwa\0", 10, 2, 0},
        {"com\0wwwwx\0", 10, 2, 0},
    };
    struct sek_batch *b;
    struct sek_batch_rule rule;
    struct sek_batch_again again = {0};
    assert_int_equal(sek_batch_new(&b), SEK_OK);
    for (size_t i = 0; i < sizeof added / sizeof *added; i++)
        assert_int_equal(
            sek_batch_add(b, added[i].key, added[i].len, added[i].scope, added[i].action, ""),
            SEK_OK);
    sek_batch_sort(b);
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++) {
        assert_true(sek_batch_next(b, (struct sek_batch_winner){.action = WINS}, &rule, &again));
        if (rule.key_len != sorted[i].len || memcmp(rule.key, sorted[i].key, rule.key_len) != 0 ||
            rule.scope != sorted[i].scope || rule.action != sorted[i].action)
            fail_msg("place %zu holds another rule", i);
    }
    assert_false(sek_batch_next(b, (struct sek_batch_winner){.action = WINS}, &rule, &again));
    assert_int_equal(again.n_same, 2);
    assert_int_equal(again.n_other, 6);
    sek_batch_free(b);
}

/* What is withdrawn is gone, before and behind it, but not what is another action's or has terms.
 */
static void test_withdrawn(void **state)
{
    (void)state;
    struct sek_batch *b;
    struct sek_batch_rule rule;
    struct sek_batch_again again = {0};
    const struct sek_batch_winner winner = {.action = WINS};
    assert_int_equal(sek_batch_new(&b), SEK_OK);
    sek_batch_add(b, "a", 1, 2, 0, "");
    sek_batch_withdraw(b, "a", 1, 2, 0);
    sek_batch_add(b, "a", 1, 2, 0, "");
    sek_batch_add(b, "b", 1, 2, 0, "type=A");
    sek_batch_withdraw(b, "b", 1, 2, 0);
    sek_batch_add(b, "c", 1, 2, WINS, "");
    sek_batch_add(b, "c", 1, 2, 0, "");
    sek_batch_withdraw(b, "c", 1, 2, WINS);
    sek_batch_withdraw(b, "d", 1, 2, 0);
    sek_batch_add(b, "d", 1, 1, 0, "");
    assert_int_equal(sek_batch_sort(b), 3);
    for (const char *key = "bcd"; *key; key++) {
        assert_true(sek_batch_next(b, winner, &rule, &again));
        assert_int_equal(*rule.key, *key);
        assert_int_equal(rule.action, 0);
    }
    assert_false(sek_batch_next(b, winner, &rule, &again));
    assert_int_equal(again.n_same + again.n_other, 0);
    sek_batch_free(b);
}

/* More than one block of records, keys up to the longest. */
static void test_many(void **state)
{
    (void)state;
    enum { N = 30000 };
    unsigned seed = (unsigned)test_seed();
    srandom(seed);
    struct sek_batch *b;
    struct sek_batch_again again = {0};
    uint64_t n = 0;
    assert_int_equal(sek_batch_new(&b), SEK_OK);
    for (int i = 0; i < N; i++) {
        uint8_t key[510];
        size_t len = (size_t)(random() % 10 ? random() % 40 : random() % 511);
        for (size_t k = 0; k < len; k++)
            key[k] = (uint8_t)(random() % 3);
        assert_int_equal(sek_batch_add(b, key, len, (uint8_t)(1 + random() % 3), 0, ""), SEK_OK);
    }
    sek_batch_sort(b);
    struct sek_batch_rule rule, last = {.key = NULL};
    for (; sek_batch_next(b, (struct sek_batch_winner){.action = WINS}, &rule, &again);
         n++, last = rule) {
        if (!last.key)
            continue;
        size_t len = last.key_len < rule.key_len ? last.key_len : rule.key_len;
        int order = memcmp(last.key, rule.key, len);
        if (order == 0)
            order = (last.key_len > rule.key_len) - (last.key_len < rule.key_len);
        if (order > 0 || (order == 0 && last.scope >= rule.scope))
            fail_msg("seed %u: not in order", seed);
    }
    assert_int_equal(n + again.n_same + again.n_other, N);
    sek_batch_free(b);
}

static void test_limit(void **state)
{
    (void)state;
    struct sek_batch *b;
    assert_int_equal(sek_batch_new(&b), SEK_OK);
    assert_int_equal(sek_batch_add(b, "", 65536, 1, 0, ""), SEK_E_LIMIT);
    sek_batch_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_order_and_duplicates),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
