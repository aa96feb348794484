/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/tally.h"
#include "event_samples.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct sek_suffix *suffix;

static int open_suffix(void **state)
{
    (void)state;
    return sek_suffix_open(NULL, &suffix, NULL);
}

static int close_suffix(void **state)
{
    (void)state;
    sek_suffix_close(suffix);
    return 0;
}

static struct sek_tally_batch *take(struct sek_tally *t, bool traffic)
{
    struct sek_tally_batch *b = NULL;
    assert_int_equal(sek_tally_take(t, traffic, &b), SEK_OK);
    return b;
}

/* Each part of a hit's key makes a row of its own; what is no part does not. */
static void test_hit_keys(void **state)
{
    (void)state;
    const struct sek_event base =
        sample_event("192.0.2.1", "a.evil.example", "b.evil.example", SEK_OUTCOME_HIT, SAMPLE_MS);
    static const char *const labels[] = {"same",   "generation", "time",    "score", "endpoint",
                                         "name",   "matched",    "type",    "list",  "action",
                                         "would",  "trigger",    "monitor", "scope", "depth",
                                         "minute", NULL};
    for (int i = 0; labels[i]; i++) {
        struct sek_tally *t;
        struct sek_event e = base;
        if (i == 1)
            e.generation++;
        if (i == 2)
            e.time_ms += 59999;
        if (i == 3) {
            e.score = 5;
            e.existence = SEK_EXISTENCE_EXISTS;
        }
        if (i == 4)
            e = sample_event("192.0.2.2", "a.evil.example", "b.evil.example", SEK_OUTCOME_HIT,
                             SAMPLE_MS);
        if (i == 5)
            e = sample_event("192.0.2.1", "c.evil.example", "b.evil.example", SEK_OUTCOME_HIT,
                             SAMPLE_MS);
        if (i == 6)
            e = sample_event("192.0.2.1", "a.evil.example", "c.evil.example", SEK_OUTCOME_HIT,
                             SAMPLE_MS);
        e.qtype = (uint16_t)(e.qtype + (i == 7));
        e.list = (uint16_t)(e.list + (i == 8));
        e.action = (uint8_t)(e.action + (i == 9));
        e.would = (uint8_t)(e.would + (i == 10));
        e.trigger = (uint8_t)(e.trigger + (i == 11));
        e.monitor = i == 12;
        e.scope = (uint8_t)(e.scope + (i == 13));
        e.depth = (uint8_t)(e.depth + (i == 14));
        if (i == 15)
            e.time_ms += 60000;
        assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
        assert_true(sek_tally_add(t, &base));
        assert_true(sek_tally_add(t, &e));
        struct sek_tally_batch *b = take(t, false);
        if (b->n_hits != (i < 4 ? 1u : 2u))
            fail_msg("%s: %llu rows", labels[i], (unsigned long long)b->n_hits);
        assert_int_equal(b->sum_hits, 2);
        assert_int_equal(b->hits->count, i < 4 ? 2 : 1);
        assert_int_equal(b->hits->last_ms, SAMPLE_MS + (i == 2 ? 59999 : 0));
        sek_tally_batch_free(b);
        sek_tally_free(t);
    }
}

/* Order of names, where one ends and the next begins, belongs to the key, too. */
static void test_names_do_not_run_together(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_event a = sample_event("192.0.2.1", "aa.b", "c.d", SEK_OUTCOME_HIT, SAMPLE_MS);
    struct sek_event b = sample_event("192.0.2.1", "c.d", "aa.b", SEK_OUTCOME_HIT, SAMPLE_MS);
    assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
    assert_true(sek_tally_add(t, &a));
    assert_true(sek_tally_add(t, &b));
    struct sek_tally_batch *batch = take(t, false);
    assert_int_equal(batch->n_hits, 2);
    sek_tally_batch_free(batch);
    sek_tally_free(t);
}

static void test_domains(void **state)
{
    (void)state;
    static const struct {
        const char *name, *domain;
    } cases[] = {
        {"www.example.com", "example.com"},
        {"example.com", "example.com"},
        {"a.b.c.example.co.uk", "example.co.uk"},
        {"co.uk", "co.uk"}, /* a public suffix has none: itself */
        {"com", "com"},
        {".", "."},
        {"localhost", "localhost"},
        {"evil\\.dot.example.com", "example.com"},
        {"\\000\\255.example.com", "example.com"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_tally *t;
        char text[SEK_NAME_TEXT_MAX];
        struct sek_event e =
            sample_event("2001:db8::1", cases[i].name, NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
        assert_int_equal(sek_tally_new(0, suffix, &t), SEK_OK);
        for (int n = 0; n < 3; n++) /* asked of libpsl, then from memory */
            assert_true(sek_tally_add(t, &e));
        assert_null(take(t, false));
        struct sek_tally_batch *b = take(t, true);
        sek_name_to_text(b->traffic->domain, text);
        if (strcmp(text, cases[i].domain) != 0)
            fail_msg("%s: %s, not %s", cases[i].name, text, cases[i].domain);
        assert_int_equal(b->n_traffic, 1);
        assert_int_equal(b->traffic->count[SEK_OUTCOME_PASSED], 3);
        assert_int_equal(b->traffic->minute, SAMPLE_MS / 60000);
        sek_tally_batch_free(b);
        sek_tally_free(t);
    }
}

/* Names of one domain meet in one row, whatever memory of names says. */
static void test_outcomes(void **state)
{
    (void)state;
    struct sek_tally *t;
    assert_int_equal(sek_tally_new(0, suffix, &t), SEK_OK);
    for (int i = 0; i < 6000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example.com", i % 1000);
        struct sek_event e =
            sample_event("192.0.2.1", name, NULL, (enum sek_outcome)(i / 1000), SAMPLE_MS + i);
        assert_true(sek_tally_add(t, &e));
    }
    struct sek_tally_batch *b = take(t, true);
    assert_int_equal(b->n_traffic, 1);
    for (int i = 0; i < SEK_N_OUTCOMES; i++)
        assert_int_equal(b->traffic->count[i], 1000);
    assert_int_equal(b->sum_traffic, 6000);
    assert_int_equal(b->n_hits, 1000);
    assert_int_equal(b->sum_hits, 1000);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

/* Of a newly observed domain that is only recorded one query of an endpoint is a hit; what is held
 * is one each time. */
static void test_new_domains(void **state)
{
    (void)state;
    struct sek_tally *t;
    assert_int_equal(sek_tally_new(0, suffix, &t), SEK_OK);
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.%s.com", i % 10, i < 20 ? "recorded" : "held");
        struct sek_event e = sample_hit(i % 2 ? "192.0.2.1" : "192.0.2.2", name, SAMPLE_MS + i);
        e.trigger = SEK_TRIGGER_NOD;
        e.monitor = i < 20;
        e.existence = (uint8_t)(i % 3);
        assert_true(sek_tally_add(t, &e));
    }
    struct sek_tally_batch *b = take(t, true);
    assert_int_equal(b->n_traffic, 4);
    assert_int_equal(b->sum_traffic, 40);
    assert_int_equal(b->sum_hits, 2 + 20);
    uint64_t n[SEK_N_OUTCOMES] = {0};
    for (const struct sek_tally_traffic *r = b->traffic; r; r = r->next)
        for (int i = 0; i < SEK_N_OUTCOMES; i++)
            n[i] += r->count[i];
    assert_int_equal(n[SEK_OUTCOME_HIT], 22);
    assert_int_equal(n[SEK_OUTCOME_PASSED], 6); /* of 7, one is the hit */
    assert_int_equal(n[SEK_OUTCOME_NXDOMAIN], 6);
    assert_int_equal(n[SEK_OUTCOME_FAILED], 6);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

static void test_times_before_1970(void **state)
{
    (void)state;
    struct sek_tally *t;
    struct sek_event e = sample_hit("192.0.2.1", "x.example", -1);
    assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
    assert_true(sek_tally_add(t, &e));
    struct sek_tally_batch *b = take(t, true);
    assert_int_equal(b->hits->minute, -1);
    sek_tally_batch_free(b);
    sek_tally_free(t);
}

/* The row's flag is false at first, stays as it was set, and ends with the row. */
static void test_watch(void **state)
{
    struct sek_tally *t;
    struct sek_tally_note notes[3];
    const struct sek_event a =
        sample_event("192.0.2.1", "a.x.example", NULL, SEK_OUTCOME_CACHED, SAMPLE_MS);
    const struct sek_event b =
        sample_event("192.0.2.1", "b.x.example", NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
    const struct sek_event other =
        sample_event("192.0.2.2", "b.x.example", NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
    const struct sek_event *events[] = {&a, &b, &other};

    (void)state;
    assert_int_equal(sek_tally_new(0, suffix, &t), SEK_OK);
    sek_tally_add_all(t, events, 3, notes);
    assert_true(notes[0].first && !notes[1].first && notes[2].first);
    assert_ptr_equal(notes[0].row, notes[1].row);
    assert_ptr_not_equal(notes[0].row, notes[2].row);
    assert_false(notes[0].row->watch || notes[2].row->watch);
    notes[0].row->watch = true;
    sek_tally_add_all(t, events, 3, notes);
    assert_true(notes[0].row->watch && notes[1].row->watch && !notes[2].row->watch);
    sek_tally_batch_free(take(t, true));
    sek_tally_add_all(t, events, 1, notes);
    assert_true(notes[0].first && !notes[0].row->watch);
    sek_tally_batch_free(take(t, true));
    sek_tally_free(t);
}

/* A flood fills the memory: traffic is refused first, then hits; sums are exact; all memory comes
 * back. */
static void test_bounded(void **state)
{
    (void)state;
    struct sek_tally *t;
    uint64_t lost_hits, lost_traffic, refused_hits = 0, refused_traffic = 0;
    assert_int_equal(sek_tally_new(1 << 20, NULL, &t), SEK_OK);
    uint64_t before = sek_tally_octets(t);
    for (int i = 0; i < 20000; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example", i);
        struct sek_event e = sample_event("192.0.2.1", name, NULL, SEK_OUTCOME_PASSED, SAMPLE_MS);
        refused_traffic += !sek_tally_add(t, &e);
        assert_true(sek_tally_octets(t) <= 1 << 20);
    }
    sek_tally_lost(t, &lost_hits, &lost_traffic);
    assert_true(refused_traffic > 0);
    assert_int_equal(lost_traffic, refused_traffic);
    assert_int_equal(lost_hits, 0);
    for (int i = 0; i < 20000; i++) {
        char name[64];
        snprintf(name, sizeof name, "h%d.example", i);
        struct sek_event e = sample_hit("192.0.2.1", name, SAMPLE_MS);
        bool stored = sek_tally_add(t, &e);
        if (i < 500)
            assert_true(stored); /* room is kept for hits */
        refused_hits += !stored;
        assert_true(sek_tally_octets(t) <= 1 << 20);
    }
    sek_tally_lost(t, &lost_hits, &lost_traffic);
    assert_true(refused_hits > 0);
    assert_int_equal(lost_hits, refused_hits);
    /* keys that are in still count */
    struct sek_event known = sample_hit("192.0.2.1", "h0.example", SAMPLE_MS);
    assert_true(sek_tally_add(t, &known));
    struct sek_tally_batch *b = take(t, true);
    uint64_t n = 0, sum = 0;
    for (const struct sek_tally_hit *h = b->hits; h; h = h->next) {
        n++;
        sum += h->count;
    }
    assert_int_equal(n, b->n_hits);
    assert_int_equal(sum, b->sum_hits);
    assert_int_equal(sum, 20000 - lost_hits + 1);
    assert_true(sek_tally_octets(t) > before); /* the batch still counts */
    sek_tally_batch_free(b);
    for (int i = 0; i < 20; i++) /* tables shrink step by step */
        sek_tally_batch_free((sek_tally_add(t, &known), take(t, true)));
    assert_true(sek_tally_octets(t) <= before);
    sek_tally_free(t);
}

static void test_empty(void **state)
{
    (void)state;
    struct sek_tally *t;
    assert_int_equal(sek_tally_new(0, NULL, &t), SEK_OK);
    assert_null(take(t, true));
    sek_tally_free(t);
    sek_tally_free(NULL);
    sek_tally_batch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_hit_keys),
        cmocka_unit_test(test_names_do_not_run_together),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_times_before_1970),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_new_domains),
    };
    return cmocka_run_group_tests(tests, open_suffix, close_suffix);
}
