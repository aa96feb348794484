/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way of computing stage 2 gives the same, also for weights whose sums wrap. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "model_fixture.h"

#ifdef __SANITIZE_THREAD__ /* one thread, and each unit takes 20 ms */
#define N_UNITS 50
#else
#define N_UNITS 500
#endif

static char path[] = "/tmp/sek-test-stages-XXXXXX";

static struct sek_unit random_unit(uint64_t *state)
{
    struct sek_unit u = {0};

    u.n = (uint8_t)(1 + test_random(state) % SEK_LABEL_MAX);
    u.class_id = (uint8_t)(test_random(state) % MODEL_CLASSES);
    for (unsigned i = 0; i < u.n; i++)
        u.sym[i] = (uint8_t)(SEK_SYM_A + test_random(state) % SEK_SYM_OTHER);
    return u;
}

static void compare_ways(const struct sek_model *m, const struct sek_unit *u)
{
    const struct sek_stage2_way *way = sek_stage2_ways;
    struct sek_net_work first, work;
    int32_t sum;

    while (!way->usable())
        way++;
    sum = way->run(m, u, &first);
    for (way++; way->name; way++) {
        if (!way->usable())
            continue;
        if (way->run(m, u, &work) != sum)
            fail_msg("%s differs at length %u", way->name, u->n);
        assert_memory_equal(first.hidden, work.hidden, sizeof(work.hidden));
        assert_memory_equal(first.feats, work.feats, sizeof(work.feats));
    }
}

static void each_model(uint64_t seed, bool small)
{
    struct sek_model m;
    size_t n;
    uint8_t *octets = model_make(seed, small, &n);

    model_write(octets, n, true, path);
    assert_int_equal(sek_model_map(path, true, &m, NULL), SEK_OK);
    for (int i = 0; i < N_UNITS; i++) {
        struct sek_unit u = random_unit(&seed);

        compare_ways(&m, &u);
    }
    for (uint8_t len = 0; len <= SEK_LABEL_MAX; len++) {
        struct sek_unit u = {.n = len};

        memset(u.sym, SEK_SYM_A, len);
        compare_ways(&m, &u);
    }
    sek_model_unmap(&m);
    free(octets);
}

static void test_ways_agree(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        each_model(seed, true);
        each_model(seed, false);
    }
}

/* The parts that explanations show add up to the sum. */
static void test_grams_add_up(void **state)
{
    struct sek_model m;
    size_t n;
    uint64_t seed = 9;
    uint8_t *octets = model_make(seed, true, &n);

    (void)state;
    model_write(octets, n, true, path);
    assert_int_equal(sek_model_map(path, true, &m, NULL), SEK_OK);
    for (int i = 0; i < 200; i++) {
        struct sek_unit u = random_unit(&seed);
        int32_t sum = m.head->bias + m.class1[u.class_id] + m.len1[u.n];

        for (unsigned end = 0; end < u.n + 2u; end++)
            for (unsigned g = 1; g <= SEK_GRAM_MAX && g <= end + 1; g++)
                sum += sek_stage1_gram(&m, &u, end, g);
        assert_int_equal(sum, sek_stage1(&m, &u));
    }
    sek_model_unmap(&m);
    free(octets);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_agree),
        cmocka_unit_test(test_grams_add_up),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
