/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/idmap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sek_idmap_key key(uint64_t n)
{
    return (struct sek_idmap_key){n << 40, n}; /* keys that differ in few bits */
}

static void test_put_get(void **state)
{
    (void)state;
    struct sek_idmap m;
    int64_t value = -1;
    sek_idmap_init(&m, 100000);
    assert_false(sek_idmap_get(&m, key(1), &value));
    for (uint64_t i = 1; i <= 50000; i++)
        assert_true(sek_idmap_put(&m, key(i), (int64_t)i * 3));
    assert_true(sek_idmap_put(&m, key(7), 5)); /* replaces */
    for (uint64_t i = 1; i <= 50000; i++) {
        assert_true(sek_idmap_get(&m, key(i), &value));
        assert_int_equal(value, i == 7 ? 5 : i * 3);
    }
    assert_false(sek_idmap_get(&m, key(50001), &value));
    assert_false(sek_idmap_get(&m, (struct sek_idmap_key){1ULL << 40, 2}, &value));
    sek_idmap_clear(&m);
    assert_false(sek_idmap_get(&m, key(1), &value));
    sek_idmap_fini(&m);
}

/* Two generations: what is asked for stays, the rest goes, memory is bounded. */
static void test_generations(void **state)
{
    (void)state;
    struct sek_idmap m;
    int64_t value;
    sek_idmap_init(&m, 100);
    for (uint64_t i = 1; i <= 10000; i++) {
        sek_idmap_put(&m, key(i), (int64_t)i);
        assert_true(sek_idmap_get(&m, key(1), &value)); /* in use all the time */
        assert_true(m.young.n <= 100 && m.old.n <= 100);
    }
    assert_true(sek_idmap_get(&m, key(10000), &value));
    assert_false(sek_idmap_get(&m, key(5000), &value));
    sek_idmap_turn(&m);
    assert_true(sek_idmap_get(&m, key(10000), &value));
    sek_idmap_turn(&m);
    sek_idmap_turn(&m);
    assert_false(sek_idmap_get(&m, key(10000), &value));
    sek_idmap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get),
        cmocka_unit_test(test_generations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
