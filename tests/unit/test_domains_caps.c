/* SPDX-License-Identifier: BSD-3-Clause */
#include "domains_samples.h"

/* --- caps --------------------------------------------------------------------------------------
 */

static void test_flood(void **state)
{
    struct sek_domains *d = open_memory(4 * MIB, 10000, 0);
    struct sek_domains_stats s;

    (void)state;
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(sample_note(d, i, "kept", NOW_S, true), SEK_DOMAINS_NEW);
    /* some names that never resolve are asked for again and again */
    for (uint32_t i = 0; i < N_FLOOD; i++) {
        assert_int_equal(sample_note(d, i, "flood", NOW_S, false), SEK_DOMAINS_NEW);
        if (i % 20 == 0)
            sample_note(d, i / 20 % 100, "often", NOW_S, false);
    }
    sek_domains_stats(d, &s);
    assert_int_equal(s.n_known, 20000);
    assert_true(s.n_absent > 5000 && s.n_absent < 15000);
    assert_int_equal(s.n_evicted + s.n_absent + s.n_known, N_FLOOD + 100 + 20000);
    assert_true(s.octets <= 4 * MIB);
    assert_int_equal(sample_count(d, 20000, "kept"), 20000);
    assert_int_equal(sample_count(d, 100, "often"), 100);
    assert_int_equal(sample_find(d, 0, "flood", NULL), false);
    assert_int_equal(sample_find(d, N_FLOOD - 1, "flood", NULL), true);
    sample_check(d);
    sek_domains_close(d);
}

static void test_absent_off(void **state)
{
    struct sek_domains *d = open_memory(MIB, 0, 0);

    (void)state;
    assert_int_equal(sample_note(d, 1, "x", NOW_S, false), SEK_DOMAINS_OVERFLOW);
    assert_int_equal(sample_note(d, 1, "x", NOW_S, true), SEK_DOMAINS_NEW);
    sek_domains_close(d);
}

static void test_full(void **state)
{
    struct sek_domains *d = open_memory(MIB, 1000, 0);
    struct sek_domains_stats s;
    uint32_t n = 0;

    (void)state;
    while (sample_note(d, n, "fill", NOW_S, true) == SEK_DOMAINS_NEW)
        n++;
    assert_true(n > 20000 && n < 50000);
    assert_int_equal(sample_count(d, n, "fill"), n);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(sample_note(d, i, "more", NOW_S, true), SEK_DOMAINS_OVERFLOW);
    assert_int_equal(sample_count(d, 1000, "more"), 0);
    /* known ones go on; one that never resolved stays as it is */
    assert_int_equal(sample_note(d, 5, "fill", NOW_S + 9, true), SEK_DOMAINS_KNOWN);
    assert_int_equal(sample_note(d, 5, "absent", NOW_S, false), SEK_DOMAINS_NEW);
    assert_int_equal(sample_note(d, 5, "absent", NOW_S, true), SEK_DOMAINS_OVERFLOW);
    assert_true(sample_find(d, 5, "absent", NULL));
    sek_domains_stats(d, &s);
    assert_int_equal(s.n_overflow, 1002);
    assert_true(s.octets <= MIB);
    sample_check(d);
    sek_domains_close(d);
}

/* --- forgetting --------------------------------------------------------------------------------
 */

/* Syncs of a clock that reaches NOW_S + after_s, long enough for all blocks. */
static void let_pass(struct sek_domains *d, int64_t from_s, int64_t after_s)
{
    for (int64_t at = from_s; at <= from_s + after_s; at += 60)
        assert_int_equal(sek_domains_sync(d, at, NULL), SEK_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(sek_domains_sync(d, from_s + after_s, NULL), SEK_OK);
}

static void test_retention(void **state)
{
    struct sek_domains *d = open_memory(MIB, 1000, 3600);
    uint32_t n = 0, m = 0;

    (void)state;
    while (sample_note(d, n, "old", NOW_S, true) == SEK_DOMAINS_NEW)
        n++;
    for (uint32_t i = 0; i < n; i += 3) /* a third is seen again */
        assert_int_equal(sample_note(d, i, "old", NOW_S + 2000, true), SEK_DOMAINS_KNOWN);
    let_pass(d, NOW_S, 3000);
    assert_int_equal(sample_count(d, n, "old"), n);
    let_pass(d, NOW_S + 3000, 1000);
    sample_check(d);
    assert_int_equal(sample_count(d, n, "old"), (n + 2) / 3);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(sample_find(d, i, "old", NULL), i % 3 == 0);
    /* what was forgotten made room */
    while (sample_note(d, m, "young", NOW_S + 4000, true) == SEK_DOMAINS_NEW)
        m++;
    assert_true(m > n / 2);
    assert_true(sek__dom_get(&d->n_blocks) <= d->max_blocks);
    assert_int_equal(d->n_expired, n - (n + 2) / 3);
    sample_check(d);
    sek_domains_close(d);
}

/* A clock that jumps ahead for a while forgets nothing. */
static void test_clock(void **state)
{
    struct sek_domains *d = open_memory(MIB, 1000, 30 * 86400);

    (void)state;
    assert_int_equal(sample_note(d, 1, "x", NOW_S, true), SEK_DOMAINS_NEW);
    for (int i = 0; i < 600; i++)
        sek_domains_sync(d, NOW_S + 10LL * 365 * 86400 + i, NULL);
    assert_true(sample_find(d, 1, "x", NULL));
    sek_domains_sync(d, NOW_S, NULL);
    assert_int_equal(d->expiry_s, NOW_S);
    sek_domains_close(d);
}

/* Many rounds of coming and going: nothing leaks, nothing is lost. */
static void test_churn(void **state)
{
    struct sek_domains *d = open_memory(MIB, 2000, 3600);
    int64_t now_s = NOW_S;

    (void)state;
    for (uint32_t round = 0; round < N_CHURN; round++) {
        for (uint32_t i = 0; i < 5000; i++)
            assert_int_equal(sample_note(d, round * 5000 + i, "churn", now_s, true),
                             SEK_DOMAINS_NEW);
        for (uint32_t i = 0; i < 1000; i++) {
            sample_note(d, round * 1000 + i, "nx", now_s, false);
            sample_note(d, i, "steady", now_s, true);
        }
        let_pass(d, now_s, 2000);
        now_s += 2000;
        sample_check(d);
        assert_int_equal(sample_count(d, 1000, "steady"), 1000);
        assert_true(sample_find(d, round * 5000 + 4999, "churn", NULL));
    }
    assert_int_equal(sample_find(d, 0, "churn", NULL), false);
    sek_domains_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood), cmocka_unit_test(test_absent_off),
        cmocka_unit_test(test_full),  cmocka_unit_test(test_retention),
        cmocka_unit_test(test_clock), cmocka_unit_test(test_churn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
