/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/exclude.h"
#include "watch/places.h"
#include "base/sketch.h"

struct thing {
    struct sek_place place;
    int value;
};

static void test_places(void **state)
{
    struct sek_places p;
    struct thing *t;
    bool fresh;

    (void)state;
    assert_int_equal(sek_places_init(&p, 3, sizeof *t, 1000), SEK_OK); /* eight at least */
    assert_int_equal(sek_places_octets(&p), 8 * (sizeof *t + 8));
    assert_null(sek_places_find(&p, 0));
    for (unsigned i = 0; i < 8; i++) {
        t = sek_places_take(&p, i, 100 + i, &fresh); /* 0 stands for 1 */
        assert_true(fresh == (i != 1));
        t->place.worth = 10 + i;
        t->value = (int)i;
    }
    t = sek_places_take(&p, 8, 200, &fresh);
    assert_true(fresh && t->value == 0 && t->place.last_ms == 200 && p.evicted == 0);
    t->place.worth = 1;
    /* full: the least worth goes, again and again */
    t = sek_places_take(&p, 9, 201, &fresh);
    assert_true(fresh && p.evicted == 1);
    assert_null(sek_places_find(&p, 8));
    assert_non_null(sek_places_find(&p, 7));
    /* what was silent for long is worth nothing */
    t->place.worth = 100;
    t->place.last_ms = 5000;
    sek_places_take(&p, 10, 5000, &fresh);
    assert_non_null(sek_places_find(&p, 9));
    assert_int_equal(p.evicted, 1);
    sek_places_fini(&p);
}

/* Each place by its number, and back. */
static void test_numbers(void **state)
{
    struct sek_places p;
    bool fresh;

    (void)state;
    assert_int_equal(sek_places_init(&p, 24, 2 * sizeof(struct sek_place), 1000), SEK_OK);
    size_t n = p.n_sets * SEK_PLACES_WAYS;
    assert_int_equal(n, 24);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sek_places_index(&p, sek_places_at(&p, i)), i);
    struct sek_place *at = sek_places_take(&p, 0x500000007, 1, &fresh);
    assert_ptr_equal(sek_places_at(&p, sek_places_index(&p, at)), at);
    sek_places_fini(&p);
}

static void test_sketch(void **state)
{
    enum { N = 64 };
    struct sek_sketch s = {0};
    uint8_t bits[SEK_SKETCH_OCTETS(N)] = {0};
    struct sek_hash_key key = KEY;
    unsigned missed = 0, forgotten = 0, asked = 0;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        uint64_t hash = sek_hash(&key, &i, sizeof i);
        missed += sek_sketch_knows(&s, bits, N, hash, true);
        assert_true(sek_sketch_knows(&s, bits, N, hash, false));
        for (uint32_t old = i > N - 10 ? i - (N - 10) : 0; old < i; old += 7, asked++)
            forgotten += !sek_sketch_knows(&s, bits, N, sek_hash(&key, &old, sizeof old), false);
    }
    assert_true(missed < 480);
    assert_true(forgotten < asked / 50); /* those that were taken for known, and so not kept */
}

static void test_exclude(void **state)
{
    static const char *const shipped[] = {"shipped.com", "=only.com", NULL};
    static const struct {
        const char *name;
        bool covered;
    } cases[] = {
        {"shipped.com", true},
        {"a.b.shipped.com", true},
        {"xshipped.com", false},
        {"only.com", true},
        {"a.only.com", false},
        {"below.org", false},
        {"a.below.org", true},
        {"own.org", true},
        {"x.own.org", true},
        {"com", false},
        {".", false},
        {"a.b.c.d.e.f.g.own.org", true},
    };
    struct sek_conf conf;
    struct sek_exclude *e;

    (void)state;
    settings(&conf, "tunnel: {exclude: [own.org, \"*.below.org\"]}");
    const struct sek_conf_names *lists[] = {&conf.tunnel.exclude, NULL};
    assert_int_equal(sek_exclude_new(lists, 2, shipped, sizeof shipped[0], &e, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_name name;
        sek_name_from_text(cases[i].name, strlen(cases[i].name), &name, NULL);
        if (sek_exclude_covers(e, &name) != cases[i].covered)
            fail_msg("%s", cases[i].name);
    }
    sek_exclude_free(e);
    assert_int_equal(sek_exclude_new(NULL, 0, NULL, 0, &e, NULL), SEK_OK);
    struct sek_name name;
    sek_name_from_text("a.com", 5, &name, NULL);
    assert_false(sek_exclude_covers(e, &name));
    sek_exclude_free(e);
    sek_exclude_free(NULL);
    sek_conf_fini(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sketch),
        cmocka_unit_test(test_exclude),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
