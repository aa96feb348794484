/* SPDX-License-Identifier: BSD-3-Clause */
/* Domains that are thrown away, and the benign ones that look like them: people who visit a site
 * once, services that are renamed, names that are mistyped. */
#include "watch_samples.h"
#include "watch/shortlived.h"

#define MINUTE_MS 60000LL
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static struct sek_conf conf;
static struct sek_sign sign;
static void *detector;
static unsigned n_signs;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_shortlived_free(detector);
    sek_conf_fini(&conf);
    settings(&conf, text);
    n_signs = 0;
    if (sek_shortlived_new(&conf, KEY, &detector, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    detector = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_shortlived_free(detector);
    sek_conf_fini(&conf);
    return 0;
}

/* --- a domain's life ---------------------------------------------------------------------------
 */

static struct {
    const char *name;
    int64_t first_ms, now_ms;
    unsigned ttl_s, endpoints, address; /* address: number of the host that serves it */
    bool old;
} it;

static void born(const char *name)
{
    it.name = name;
    it.first_ms = it.now_ms = T0_MS;
    it.ttl_s = 120;
    it.endpoints = 1;
    it.address = 1;
    it.old = false;
}

static bool ask(const char *name, enum sek_existence existence, bool cached)
{
    struct sek_name wire;
    struct question q = {name, 7, it.now_ms, .existence = existence, .endpoints = it.endpoints};
    struct sek_observation o = observe(&q, &wire);
    struct sek_addr at = {{[10] = 0xff, 0xff, 60, (uint8_t)it.address, 1, 1}};
    bool exists = existence == SEK_EXISTENCE_EXISTS;

    o.age_s = it.old ? SEK_AGE_OLD : (it.now_ms - it.first_ms) / 1000;
    o.resolved = it.now_ms > it.first_ms;
    o.cached = cached;
    o.ttl_s = exists ? it.ttl_s : 0;
    o.addrs = &at;
    o.n_addrs = exists && !cached;
    bool signs = sek_shortlived_see(detector, &o, &sign);
    n_signs += signs;
    return signs;
}

static bool exists(void)
{
    return ask(it.name, SEK_EXISTENCE_EXISTS, false);
}

static bool absent(const char *name)
{
    return ask(name, SEK_EXISTENCE_ABSENT, false);
}

/* n visits with so much time after each; the host changes with each `move`th. */
static void visits(unsigned n, int64_t pause_ms, unsigned move)
{
    for (unsigned i = 0; i < n; i++) {
        exists();
        it.now_ms += pause_ms;
        it.address += move && i % move == move - 1;
    }
}

/* Others are asked for, so that time passes: all places are looked at. */
static void others(int64_t for_ms)
{
    struct sek_name wire;
    unsigned n = (unsigned)(conf.shortlived.n_domains / 64 + 1);
    int64_t end_ms = it.now_ms + for_ms;

    for (unsigned i = 0; i <= n; i++) {
        struct question q = {
            "www.known.net", 9, end_ms, .existence = SEK_EXISTENCE_EXISTS, .age_s = SEK_AGE_OLD,
            .endpoints = 50};
        struct sek_observation o = observe(&q, &wire);
        n_signs += sek_shortlived_see(detector, &o, &sign);
    }
    it.now_ms = end_ms;
}

/* --- what is found -----------------------------------------------------------------------------
 */

static void test_gone(void **state)
{
    static const char *const parts[] = {
        "{\"kind\":\"gone\",\"basis\":\"answers\",\"ended\":\"NXDOMAIN\",",
        "\"first_seen\":\"2026-09-21T",
        "\"last_seen\":\"2026-09-21T",
        "\"absent_since\":\"2026-09-21T",
        "\"lifetime_s\":3000,",
        "\"lifetime_max_s\":259200,",
        "\"silent_s\":1200,",
        "\"ttl_s\":120,\"ttl_max_s\":600,",
        "\"visits\":6,\"queries\":6,\"names\":1,\"endpoints\":1,",
        "\"addresses\":1,",
        "\"networks\":1}",
    };

    (void)state;
    born("www.gone.com");
    visits(6, 10 * MINUTE_MS, 0);
    assert_false(absent("gone.com"));
    it.now_ms += 5 * MINUTE_MS;
    assert_false(absent("gone.com")); /* not sure yet */
    it.now_ms += 5 * MINUTE_MS;
    assert_true(absent("gone.com"));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(sign.finding.evidence, parts[i]))
            fail_msg("%s\n%s", parts[i], sign.finding.evidence);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_SHORTLIVED);
    assert_string_equal(sign.finding.technique, "T1568");
    assert_memory_equal(sign.finding.domain, "\4gone\3com", 10);
    assert_int_equal(sign.finding.domain_len, 10);
    assert_int_equal(sign.finding.endpoint.octets[15], 7);
    assert_int_equal(sign.finding.start_ms, T0_MS);
    assert_true(sign.is_new && sign.may_block && sign.finding.confidence >= 0.6f);
    /* told once */
    it.now_ms += HOUR_MS;
    assert_false(absent("gone.com"));
    others(DAY_MS);
    assert_int_equal(n_signs, 1);
}

/* Nobody asks again: others move the time on. */
static void test_swept(void **state)
{
    (void)state;
    born("www.swept.com");
    visits(3, 30 * MINUTE_MS, 0);
    assert_false(absent("www.swept.com"));
    others(9 * MINUTE_MS);
    assert_int_equal(n_signs, 0);
    others(MINUTE_MS);
    assert_int_equal(n_signs, 1);
    assert_memory_equal(sign.finding.domain, "\5swept\3com", 11);
    assert_int_equal(sign.finding.endpoint.octets[15], 7); /* not who moved the time on */
}

static void test_silent(void **state)
{
    (void)state;
    born("c.silent.com");
    visits(20, 15 * MINUTE_MS, 1); /* five hours */
    others(23 * HOUR_MS);
    assert_int_equal(n_signs, 0);
    others(HOUR_MS);
    assert_int_equal(n_signs, 1);
    assert_non_null(strstr(sign.finding.evidence, "\"ended\":\"silence\""));
    assert_true(!sign.may_block && sign.finding.confidence < 0.7f);
    /* it comes back: no second finding */
    visits(20, 15 * MINUTE_MS, 1);
    others(2 * DAY_MS);
    assert_int_equal(n_signs, 1);
}

/* After a restart only the history knows that it existed. */
static void test_history(void **state)
{
    (void)state;
    born("www.before.com");
    it.now_ms += 5 * HOUR_MS;
    assert_false(absent("www.before.com")); /* a name below says nothing */
    assert_false(absent("before.com"));
    it.now_ms += 11 * MINUTE_MS;
    assert_true(absent("before.com"));
    assert_non_null(
        strstr(sign.finding.evidence, "\"basis\":\"the history; answers were not seen\""));
    assert_null(strstr(sign.finding.evidence, "ttl_s\":"));
    assert_true(!sign.may_block && sign.finding.confidence <= 0.5f);
}

/* Several kinds of lives, with chance in them: at least 95 % are found. */
static void test_found(void **state)
{
    unsigned found = 0, all = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++, all++) {
        uint64_t chance = seed;
        renew("shortlived: {domains: 64}");
        born("x.thrown.net");
        it.ttl_s = 30 + (unsigned)(fraction(&chance) * 570);
        it.endpoints = 1 + (unsigned)(fraction(&chance) * 3);
        bool silent = seed % 4 == 0;
        unsigned n = silent ? 30 + (unsigned)(fraction(&chance) * 30)
                            : 2 + (unsigned)(fraction(&chance) * 40);
        for (unsigned i = 0; i < n; i++) {
            exists();
            it.now_ms += (int64_t)((10 + fraction(&chance) * 20) * (double)MINUTE_MS);
            it.address += fraction(&chance) < 0.5;
        }
        it.now_ms += (int64_t)(fraction(&chance) * 2 * (double)HOUR_MS);
        if (!silent)
            absent(seed % 4 == 1 ? "thrown.net" : "x.thrown.net");
        others(silent ? DAY_MS : 10 * MINUTE_MS);
        found += n_signs > 0;
        if (n_signs > 1)
            fail_msg("seed %u: %u signs", (unsigned)seed, n_signs);
    }
    print_message("%u of %u found\n", found, all);
    assert_true(found >= all * 0.95);
}

/* --- what is not -------------------------------------------------------------------------------
 */

static void people_visit_once(uint64_t *chance)
{
    visits(1 + (unsigned)(fraction(chance) * 30), (int64_t)(3 * (double)MINUTE_MS), 2);
    others(5 * DAY_MS);
}

/* A day's work with a site on a content network of two address ranges. */
static void people_work_a_day(uint64_t *chance)
{
    for (unsigned i = 0; i < 40; i++) {
        it.address = 1 + (unsigned)(fraction(chance) * 3);
        visits(1, (int64_t)(fraction(chance) * 30 * (double)MINUTE_MS), 0);
    }
    others(5 * DAY_MS);
}

/* The same with four networks, by a machine: each quarter of an hour for half a day. */
static void busy_on_four_networks(uint64_t *chance)
{
    for (unsigned i = 0; i < 48; i++) {
        it.address = 1 + (unsigned)(fraction(chance) * 4);
        visits(1, 15 * MINUTE_MS, 0);
    }
    others(5 * DAY_MS);
}

static void mistyped(uint64_t *chance)
{
    (void)chance;
    for (unsigned i = 0; i < 5; i++, it.now_ms += 20 * MINUTE_MS) {
        absent("gogle.com");
        it.first_ms = it.now_ms + 20 * MINUTE_MS; /* never resolved */
    }
    others(DAY_MS);
}

static void one_host_is_renamed(uint64_t *chance)
{
    (void)chance;
    visits(10, 10 * MINUTE_MS, 0);
    for (unsigned i = 0; i < 6; i++, it.now_ms += 10 * MINUTE_MS) {
        exists();
        absent("old.stays.com");
    }
    others(DAY_MS);
}

static void one_time_names(uint64_t *chance)
{
    char name[40];

    (void)chance;
    for (unsigned i = 0; i < 30; i++, it.now_ms += 5 * MINUTE_MS) {
        snprintf(name, sizeof name, "job%u.lab.com", i);
        ask(name, SEK_EXISTENCE_EXISTS, false);
        it.now_ms += 5 * MINUTE_MS;
        absent(name);
    }
    ask("www.lab.com", SEK_EXISTENCE_EXISTS, false);
    others(DAY_MS);
}

static void kept_for_long(uint64_t *chance)
{
    (void)chance;
    it.ttl_s = 3600;
    visits(10, HOUR_MS, 0);
    absent("www.stays.com");
    others(DAY_MS);
}

static void flaps(uint64_t *chance)
{
    (void)chance;
    for (unsigned i = 0; i < 10; i++) {
        visits(2, 2 * MINUTE_MS, 0);
        absent("stays.com");
        it.now_ms += 5 * MINUTE_MS;
    }
    exists();
    others(DAY_MS);
}

static void lived_long(uint64_t *chance)
{
    (void)chance;
    visits(10, 10 * HOUR_MS, 0);
    absent("stays.com");
    others(DAY_MS);
}

static void many_ask(uint64_t *chance)
{
    (void)chance;
    it.endpoints = 4;
    visits(10, 10 * MINUTE_MS, 0);
    absent("stays.com");
    others(DAY_MS);
}

static void became_known(uint64_t *chance)
{
    visits(5, 10 * MINUTE_MS, 0);
    many_ask(chance);
}

static void is_old(uint64_t *chance)
{
    (void)chance;
    it.old = true;
    visits(20, 15 * MINUTE_MS, 1);
    absent("stays.com");
    others(2 * DAY_MS);
}

static void seen_once(uint64_t *chance)
{
    (void)chance;
    visits(1, MINUTE_MS, 0);
    absent("stays.com");
    others(DAY_MS);
}

static void each_morning(uint64_t *chance)
{
    (void)chance;
    for (unsigned i = 0; i < 3; i++) {
        visits(8, 5 * MINUTE_MS, 1);
        others(23 * HOUR_MS);
    }
    others(5 * DAY_MS);
}

static void broken_for_ipv6(uint64_t *chance)
{
    (void)chance;
    for (unsigned i = 0; i < 20; i++, it.now_ms += 5 * MINUTE_MS) {
        exists();
        absent("www.stays.com");
    }
    exists();
    others(DAY_MS);
}

static void test_benign(void **state)
{
    static void (*const kinds[])(uint64_t *) = {
        people_visit_once,   people_work_a_day, busy_on_four_networks, mistyped,
        one_host_is_renamed, one_time_names,    kept_for_long,         flaps,
        lived_long,          many_ask,          became_known,          is_old,
        seen_once,           each_morning,      broken_for_ipv6};
    unsigned all = 0;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (uint64_t seed = 1; seed <= 10; seed++, all++) {
            uint64_t chance = seed;
            renew("shortlived: {domains: 64}");
            born("www.stays.com");
            kinds[i](&chance);
            if (n_signs)
                fail_msg("kind %zu, seed %u: %s", i, (unsigned)seed, sign.finding.evidence);
        }
    print_message("0 of %u flagged\n", all);
}

static void test_settings(void **state)
{
    static const struct {
        const char *settings;
        bool found;
    } cases[] = {
        {"", true},
        {"shortlived: {ttl: 119s}", false},
        {"shortlived: {life: 1h}", false},
        {"shortlived: {exclude: [thrown.net]}", false},
        {"shortlived: {exclude: [thrown.org]}", true},
        {"policy: {never-block: [thrown.net]}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        renew(cases[i].settings);
        born("www.thrown.net");
        visits(10, 10 * MINUTE_MS, 0);
        absent("thrown.net");
        others(10 * MINUTE_MS);
        if (n_signs != cases[i].found)
            fail_msg("%s", cases[i].settings);
    }
}

/* A flood of domains seen once does not push out what was visited. */
static void test_flood(void **state)
{
    char name[32];

    (void)state;
    renew("shortlived: {domains: 64}");
    assert_true(sek_shortlived_octets(detector) < 300000);
    born("www.thrown.net");
    visits(10, 10 * MINUTE_MS, 0);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "www.d%u.com", i);
        ask(name, SEK_EXISTENCE_EXISTS, false);
    }
    absent("thrown.net");
    others(10 * MINUTE_MS);
    assert_int_equal(n_signs, 1);
    assert_memory_equal(sign.finding.domain, "\6thrown\3net", 12);
}

/* A clock that goes back, and the same told twice. */
static void test_order(void **state)
{
    (void)state;
    born("www.thrown.net");
    visits(10, 10 * MINUTE_MS, 0);
    int64_t then_ms = it.now_ms;
    absent("thrown.net");
    absent("thrown.net");
    it.now_ms -= 5 * DAY_MS;
    absent("thrown.net");
    assert_int_equal(n_signs, 0);
    it.now_ms = then_ms + 10 * MINUTE_MS;
    assert_true(absent("thrown.net"));
    assert_false(absent("thrown.net"));
}

/* Nobody asks for anything: what is over is told when its time has come, each once, not before. */
static void test_time_alone(void **state)
{
    static const char *const names[] = {"one.net", "two.net", "three.net"};
    int64_t over_ms = 0;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        born(names[i]);
        visits(10, 10 * MINUTE_MS, 0);
        it.now_ms += i * 1000;
        absent(names[i]);
        over_ms = it.now_ms + SEK_SHORTLIVED_GRACE_S * 1000;
    }
    assert_false(sek_shortlived_elapse(detector, over_ms - 2001, &sign));
    assert_true(sek_shortlived_elapse(detector, over_ms - 1, &sign));
    assert_true(sek_shortlived_elapse(detector, over_ms - 1, &sign));
    assert_false(sek_shortlived_elapse(detector, over_ms - 1, &sign));
    assert_false(sek_shortlived_elapse(detector, over_ms - DAY_MS, &sign)); /* a clock set back */
    assert_true(sek_shortlived_elapse(detector, over_ms, &sign));
    assert_memory_equal(sign.finding.domain, "\5three\3net", 11);
    assert_int_equal(sign.finding.end_ms, over_ms);
    assert_false(sek_shortlived_elapse(detector, over_ms + 30 * DAY_MS, &sign));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_benign, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_alone, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
