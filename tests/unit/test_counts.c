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

static void see(void *arg, const struct sek_tally_traffic *row, uint32_t n)
{
    struct seen *s = arg;
    if (s->rows++ == 0) {
        s->endpoint = row->endpoint;
        sek_name_to_text(row->domain, s->domain);
    }
    s->queries += n;
}

static struct sek_tally *tally_new(void)
{
    struct sek_tally *t;
    assert_int_equal(sek_tally_new(256u << 20, NULL, &t), SEK_OK);
    return t;
}

/* One query each for so many domains. */
static void ask(struct sek_tally *t, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char name[80];
        snprintf(name, sizeof name, "a-label-that-makes-the-row-longer-than-others.d%u.example", i);
        struct sek_event e =
            sample_event("192.0.2.1", name, NULL, i % 2 ? SEK_OUTCOME_PASSED : SEK_OUTCOME_CACHED,
                         SAMPLE_MS + i % 3);
        assert_true(sek_tally_add(t, &e));
    }
}

static struct seen take(struct sek_counts *c)
{
    struct seen seen = {0};
    sek_counts_take(c, see, &seen);
    return seen;
}

static void test_way(void **state)
{
    struct sek_counts c = {.lost = 0};
    struct sek_addr endpoint;
    (void)state;
    struct sek_tally *t = tally_new();
    sek_counts_put(&c, sek_tally_rows(t), false);
    assert_int_equal(take(&c).rows, 0);
    ask(t, 1);
    ask(t, 1);
    ask(t, 1000);
    sek_counts_put(&c, sek_tally_rows(t), true);
    sek_tally_free(t); /* it is a copy */
    struct seen seen = take(&c);
    assert_int_equal(seen.rows, 1000);
    assert_int_equal(seen.queries, 1002);
    assert_int_equal(sek_addr_from_text("192.0.2.1", &endpoint, NULL), SEK_OK);
    assert_memory_equal(&seen.endpoint, &endpoint, sizeof endpoint);
    assert_string_equal(seen.domain, "a-label-that-makes-the-row-longer-than-others.d0.example");
    assert_int_equal(take(&c).rows, 0);
    assert_int_equal(c.lost, 0);
    sek_counts_fini(&c);
}

/* While rows grow only what is new is told, whatever was told before; nothing twice. */
static void test_news(void **state)
{
    struct sek_counts c = {.lost = 0};
    struct sek_tally *t = tally_new();
    (void)state;
    ask(t, 10);
    sek_counts_put(&c, sek_tally_rows(t), false);
    ask(t, 3);
    sek_counts_put(&c, sek_tally_rows(t), false); /* the observer is late: no harm */
    struct seen seen = take(&c);
    assert_int_equal(seen.rows, 10);
    assert_int_equal(seen.queries, 10);
    ask(t, 2);
    sek_counts_put(&c, sek_tally_rows(t), false);
    seen = take(&c);
    assert_int_equal(seen.rows, 3);
    assert_int_equal(seen.queries, 5);
    sek_counts_put(&c, sek_tally_rows(t), true);
    assert_int_equal(take(&c).rows, 0);
    assert_int_equal(c.lost, 0);
    sek_counts_fini(&c);
    sek_tally_free(t);
}

/* A flood, and an observer that is late: what has no room is counted once it is lost, and nothing
 * grows. */
static void test_lost(void **state)
{
    struct sek_counts c = {.lost = 0};
    (void)state;
    struct sek_tally *flood = tally_new(), *more = tally_new();
    ask(flood, 100000);
    ask(more, 10);
    sek_counts_put(&c, sek_tally_rows(flood), false);
    assert_int_equal(c.lost, 0);
    struct seen first = take(&c);
    assert_in_range(first.rows, 1, 99999);
    sek_counts_put(&c, sek_tally_rows(flood), true); /* the rest has room now */
    assert_int_equal(c.lost, 0);
    sek_counts_put(&c, sek_tally_rows(more), true);
    assert_int_equal(c.lost, 10);
    assert_int_equal(first.rows + take(&c).rows, 100000);
    ask(flood, 100000);
    sek_counts_put(&c, sek_tally_rows(flood), true);
    assert_in_range(c.lost, 11, 100009);
    sek_counts_fini(&c); /* with a packet that nobody took */
    sek_tally_free(flood);
    sek_tally_free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way),
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
