/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/nxburst.h"

static struct sek_conf conf;
static struct sek_sign sign;
static void *burst;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_nxburst_free(burst);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_nxburst_new(&conf, KEY, &burst, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    burst = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_nxburst_free(burst);
    sek_conf_fini(&conf);
    return 0;
}

static bool show(const char *name, unsigned endpoint, bool exists, int64_t time_ms)
{
    const struct question q = {name, endpoint, time_ms,
                               .existence = exists ? SEK_EXISTENCE_EXISTS : SEK_EXISTENCE_ABSENT};
    struct sek_name wire;
    struct sek_observation o = observe(&q, &wire);

    return sek_nxburst_see(burst, &o, &sign);
}

/* Names by a format with a number, so many tenths of which exist. How many were asked for when
 * the first sign came, 0 for none. */
static unsigned run(const char *format, unsigned endpoint, unsigned n, unsigned tenths,
                    int64_t pause_ms)
{
    unsigned at = 0;

    for (unsigned i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, format, i);
        if (show(name, endpoint, i * 3 % 10 < tenths, T0_MS + i * pause_ms) && !at)
            at = i + 1;
    }
    return at;
}

static void test_found(void **state)
{
    (void)state;
    assert_int_equal(run("gone%u.com", 1, 30, 0, 1000), 10);
    assert_false(sign.is_new); /* the second, when the names had doubled */
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_NXBURST);
    assert_int_equal(sign.finding.domain_len, 0);
    assert_false(sign.may_block);
    assert_int_equal(sign.finding.start_ms, T0_MS);
    assert_non_null(strstr(sign.finding.evidence, "\"examples\":[\"gone0.com\",\"gone1.com\""));
    assert_non_null(strstr(sign.finding.evidence, "\"nxdomains_min\":10"));
}

static void test_cases(void **state)
{
    static const struct {
        const char *label, *settings, *format;
        unsigned n, tenths;
        int64_t pause_ms;
        bool found;
    } cases[] = {
        {"burst", "", "gone%u.com", 12, 0, 1000, true},
        {"nine", "", "gone%u.com", 9, 0, 1000, false},
        {"nine by the setting", "nxburst: {names: 9}", "gone%u.com", 9, 0, 1000, true},
        {"www", "", "www.gone%u.com", 12, 0, 1000, true},
        {"hosts", "", "h.gone%u.com", 50, 0, 1000, false},
        {"a search list", "", "www%u.corp.com", 50, 0, 1000, false},
        {"one domain", "", "gone.com", 50, 0, 1000, false},
        {"reverse", "", "%u.arpa", 50, 0, 1000, false},
        {"single labels", "", "gone%u", 50, 0, 1000, false},
        {"special", "", "gone%u.test", 50, 0, 1000, false},
        {"six of ten exist", "", "gone%u.com", 100, 6, 1000, false},
        {"four of ten exist", "", "gone%u.com", 100, 4, 1000, true},
        {"one in ten minutes", "", "gone%u.com", 100, 0, 600000, false},
        {"one in a minute", "", "gone%u.com", 100, 0, 60000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        renew(cases[i].settings);
        bool found = run(cases[i].format, 1, cases[i].n, cases[i].tenths, cases[i].pause_ms) > 0;
        if (found != cases[i].found)
            fail_msg("%s", cases[i].label);
    }
}

/* An endpoint whose domains fail to exist as often as others' do, over many names. */
static void test_usual_share(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char name[32];
        snprintf(name, sizeof name, "site%u.com", i);
        assert_false(show(name, 1, fraction(&seed) >= 0.1, T0_MS + i * 1000LL));
    }
}

static void test_adversary(void **state)
{
    unsigned found = 0;

    (void)state;
    renew("nxburst: {endpoints: 64}");
    size_t octets = sek_nxburst_octets(burst);
    for (unsigned i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "gone%u.com", i);
        found += show(name, 1, false, T0_MS - 1000LL * i); /* the clock goes back */
        for (unsigned k = 0; i > 2 && k < 1000; k++)
            show("other.com", 1000 + i * 1000 + k, false, T0_MS);
    }
    assert_int_equal(found, 1);
    /* long names, any octet: examples stay within bounds */
    for (unsigned i = 0; i < 200; i++) {
        char name[256];
        snprintf(name, sizeof name, "\\%03u\\000\\255%055u.%063u", i, i, i);
        show(name, 2, false, T0_MS + i);
    }
    assert_true(strlen(sign.finding.evidence) < sizeof sign.finding.evidence - 1);
    assert_int_equal(sek_nxburst_octets(burst), octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cases, setup, teardown),
        cmocka_unit_test_setup_teardown(test_usual_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adversary, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
