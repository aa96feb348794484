/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/beacon.h"
#include <math.h>

static struct sek_conf conf;
static struct sek_sign sign;
static void *beacon;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_beacon_free(beacon);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_beacon_new(&conf, KEY, &beacon, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    beacon = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_beacon_free(beacon);
    sek_conf_fini(&conf);
    return 0;
}

static bool show(const struct question *q)
{
    struct sek_name name;
    struct sek_observation o = observe(q, &name);

    return sek_beacon_see(beacon, &o, &sign);
}

/* How many signs n visits give. */
static unsigned run(struct question q, unsigned n, int64_t period_ms, double jitter, uint64_t seed)
{
    unsigned signs = 0;

    for (unsigned i = 0; i < n; i++) {
        signs += show(&q);
        struct question aaaa = q;
        aaaa.qtype = 28;
        aaaa.repeat = true;
        aaaa.time_ms += 20;
        signs += show(&aaaa);
        q.time_ms += (int64_t)((double)period_ms * (1 + jitter * (2 * fraction(&seed) - 1)));
    }
    return signs;
}

static const struct question plain = {"www.rare.com", 1, T0_MS, .existence = SEK_EXISTENCE_EXISTS};

static void test_found(void **state)
{
    (void)state;
    assert_int_equal(run(plain, 38, 60000, 0, 1), 1);
    assert_true(sign.is_new && sign.may_block);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_BEACON);
    assert_int_equal(sign.finding.start_ms, T0_MS);
    assert_memory_equal(sign.finding.domain, "\4rare\3com", 10);
    assert_string_equal(sign.finding.technique, SEK_BEACON_TECHNIQUE);
    assert_non_null(
        strstr(sign.finding.evidence, "\"kind\":\"every 60 s ±0 %\",\"period_s\":60.0"));
    assert_true(sign.finding.confidence > 0.7f && sign.finding.confidence <= 0.95f);
    /* it goes on: told again when the visits have doubled */
    struct question on = plain;
    on.time_ms += 38 * 60000;
    assert_int_equal(run(on, 60, 60000, 0, 1), 2);
    assert_false(sign.is_new);
    assert_int_equal(sign.finding.start_ms, T0_MS);
}

/* DNS itself carries it: names that change, or types that bring data. */
static void test_technique(void **state)
{
    struct question q = plain;

    (void)state;
    q.qtype = 16;
    assert_int_equal(run(q, 24, 60000, 0, 1), 1);
    assert_string_equal(sign.finding.technique, SEK_BEACON_TECHNIQUE_DNS);
}

static void test_left_out(void **state)
{
    static const struct {
        const char *label, *settings;
        struct question q;
        int64_t period_ms;
        unsigned signs;
    } cases[] = {
        {"found", "", {"rare.com", 1, T0_MS}, 60000, 1},
        {"fails each time",
         "",
         {"rare.com", 1, T0_MS, .existence = SEK_EXISTENCE_UNKNOWN},
         60000,
         1},
        {"not rare", "", {"rare.com", 1, T0_MS, .endpoints = 4}, 60000, 0},
        {"just rare", "", {"rare.com", 1, T0_MS, .endpoints = 3}, 60000, 1},
        {"old", "", {"rare.com", 1, T0_MS, .age_s = 31 * 86400}, 60000, 0},
        {"old by the setting",
         "beacon: {new: 1d}",
         {"rare.com", 1, T0_MS, .age_s = 90000},
         60000,
         0},
        {"the history is young", "", {"rare.com", 1, T0_MS, .young_history = true}, 60000, 0},
        {"excluded", "beacon: {exclude: [rare.com]}", {"www.rare.com", 1, T0_MS}, 60000, 0},
        {"only the name", "beacon: {exclude: [=rare.com]}", {"www.rare.com", 1, T0_MS}, 60000, 1},
        {"never blocked",
         "policy: {never-block: [rare.com]}",
         {"www.rare.com", 1, T0_MS},
         60000,
         0},
        {"time", "", {"2.debian.pool.ntp.org", 1, T0_MS}, 64000, 0},
        {"too fast", "", {"rare.com", 1, T0_MS}, 15000, 0},
        {"fast by the settings",
         "beacon: {period-min: 1s, span: 1s}",
         {"rare.com", 1, T0_MS},
         1000,
         1},
        {"too short", "beacon: {span: 1h}", {"rare.com", 1, T0_MS}, 60000, 0},
        {"one a day", "", {"rare.com", 1, T0_MS}, 86400000, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        renew(cases[i].settings);
        unsigned signs = run(cases[i].q, 26, cases[i].period_ms, 0.02, i);
        if (signs != cases[i].signs)
            fail_msg("%s: %u", cases[i].label, signs);
    }
}

/* Of a hundred each: timers with jitter are found, people are not. */
static void test_shares(void **state)
{
    uint64_t seed = 5;
    unsigned timers = 0, people = 0;

    (void)state;
    for (unsigned k = 0; k < 100; k++) {
        struct question q = plain;
        q.endpoint = 100 + k;
        timers += run(q, 64, 300000, 0.3, k) > 0;
        q.endpoint = 300 + k;
        bool found = false;
        for (unsigned i = 0; i < 200; i++) {
            found |= show(&q);
            q.time_ms += (int64_t)(-log(1 - fraction(&seed)) * 60000);
        }
        people += found;
    }
    assert_true(timers >= 93);
    assert_int_equal(people, 0);
}

/* People behind a cache of their own: once a TTL and a little later. */
static void test_cached_use(void **state)
{
    uint64_t seed = 6;
    unsigned found = 0;

    (void)state;
    for (unsigned k = 0; k < 100; k++) {
        struct question q = plain;
        bool one = false;
        q.endpoint = 100 + k;
        for (unsigned i = 0; i < 40; i++) {
            one |= show(&q);
            q.time_ms += 300000 + (int64_t)(-log(1 - fraction(&seed)) * 60000);
        }
        found += one;
    }
    assert_true(found <= 50);
}

/* A clock that goes back counts as no time; after a long silence a series begins anew. */
static void test_time(void **state)
{
    struct question q = plain;

    (void)state;
    assert_int_equal(run(q, 10, 60000, 0, 1), 0);
    q.time_ms -= 7200000;
    assert_int_equal(run(q, 30, 60000, 0, 1), 1);
    q.time_ms = T0_MS + 30LL * 86400000;
    assert_int_equal(run(q, 14, 60000, 0, 1), 0);
    assert_int_equal(run((struct question){"x.com", 9, INT64_MIN / 2}, 24, 60000, 0, 1), 1);
    assert_int_equal(run((struct question){"x.com", 9, INT64_MAX / 2}, 10, 60000, 0, 1), 0);
}

/* A flood of pairs pushes out each other, not the one that comes back. */
static void test_flood(void **state)
{
    struct question q = plain;
    unsigned signs = 0, other = 0;

    (void)state;
    renew("beacon: {pairs: 64}");
    size_t octets = sek_beacon_octets(beacon);
    for (unsigned i = 0; i < 30; i++) {
        signs += show(&q);
        q.time_ms += 60000;
        for (unsigned k = 0; i > 1 && k < 500; k++) {
            char name[32];
            snprintf(name, sizeof name, "f%u.com", i * 500 + k);
            other += show(&(struct question){name, k, q.time_ms - 100});
        }
    }
    assert_int_equal(signs, 1);
    assert_int_equal(other, 0);
    assert_int_equal(sek_beacon_octets(beacon), octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_technique, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cached_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
