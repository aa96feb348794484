/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/counts.h"
#include "event_samples.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct seen {
    uint64_t rows, queries;
    struct sek_addr endpoint; /* of the first */
    char domain[SEK_NAME_TEXT_MAX];
};

static void see(void *arg, const struct sek_tally_traffic *row)
{
    struct seen *s = arg;
    if (s->rows++ == 0) {
        s->endpoint = row->endpoint;
        sek_name_to_text(row->domain, s->domain);
    }
    for (unsigned i = 0; i < SEK_N_OUTCOMES; i++)
        s->queries += row->count[i];
}

/* So many domains, one query each but the first, which has three. */
static struct sek_tally_batch *batch_of(struct sek_tally *t, unsigned n)
{
    struct sek_tally_batch *b = NULL;
    for (unsigned i = 0; i < n + 2; i++) {
        char name[80];
        snprintf(name, sizeof name, "a-label-that-makes-the-row-longer-than-others.d%u.example",
                 i < 2 ? 0 : i - 2);
        struct sek_event e =
            sample_event("192.0.2.1", name, NULL, SEK_OUTCOME_PASSED, SAMPLE_MS + i % 3);
        assert_true(sek_tally_add(t, &e));
    }
    assert_int_equal(sek_tally_take(t, true, &b), SEK_OK);
    assert_int_equal(b->n_traffic, n);
    return b;
}

static struct sek_tally *tally_new(void)
{
    struct sek_tally *t;
    assert_int_equal(sek_tally_new(256u << 20, NULL, &t), SEK_OK);
    return t;
}

static void test_way(void **state)
{
    struct sek_counts c = {.lost = 0};
    struct seen seen = {0};
    struct sek_addr endpoint;
    (void)state;
    sek_counts_take(&c, see, &seen);
    assert_int_equal(seen.rows, 0);
    struct sek_tally *t = tally_new();
    struct sek_tally_batch *b = batch_of(t, 1000);
    sek_counts_put(&c, b);
    sek_tally_batch_free(b); /* it is a copy */
    sek_counts_take(&c, see, &seen);
    assert_int_equal(seen.rows, 1000);
    assert_int_equal(seen.queries, 1002);
    assert_int_equal(sek_addr_from_text("192.0.2.1", &endpoint, NULL), SEK_OK);
    assert_memory_equal(&seen.endpoint, &endpoint, sizeof endpoint);
    assert_string_equal(seen.domain, "a-label-that-makes-the-row-longer-than-others.d0.example");
    sek_counts_take(&c, see, &seen);
    assert_int_equal(seen.rows, 1000);
    assert_int_equal(c.lost, 0);
    sek_counts_fini(&c);
    sek_tally_free(t);
}

/* A flood, and an observer that is late: what has no room is counted, and nothing grows. */
static void test_lost(void **state)
{
    struct sek_counts c = {.lost = 0};
    struct seen seen = {0};
    (void)state;
    struct sek_tally *t = tally_new();
    struct sek_tally_batch *flood = batch_of(t, 100000), *more = batch_of(t, 10);
    sek_counts_put(&c, flood);
    uint64_t lost = c.lost;
    assert_in_range(lost, 1, 99999);
    sek_counts_put(&c, more);
    assert_int_equal(c.lost, lost + 10);
    sek_counts_take(&c, see, &seen);
    assert_int_equal(seen.rows, 100000 - lost);
    sek_counts_put(&c, more);
    sek_counts_fini(&c); /* with one that nobody took */
    sek_tally_batch_free(flood);
    sek_tally_batch_free(more);
    sek_tally_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
