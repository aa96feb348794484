/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of detectors, and the set that loops over it. */
#include "watch_samples.h"

static void test_rows(void **state)
{
    struct sek_conf conf;

    (void)state;
    settings(&conf, "");
    unsigned n = 0;
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++, n++) {
        assert_string_not_equal(sek_lookup_name(sek_detector_names, (int)row->id), "?");
        assert_int_equal(sek_detector_mode(&conf, row->id), SEK_MODE_MONITOR);
        assert_int_equal(sek_detector_lifetime_s(&conf, row->id), row->lifetime_at ? 86400 : 0);
    }
    for (const struct sek_lookup *name = sek_detector_names; name->name; name++)
        n--;
    assert_int_equal(n, 0); /* each that can be stored has a row */
    sek_conf_fini(&conf);
}

static void test_modes(void **state)
{
    static const struct {
        const char *settings;
        bool wanted, blocks;
    } cases[] = {
        {"", true, false},
        {"dga: {mode: off}\nbeacon: {mode: off}\ntunnel: {mode: off}\nnxburst: {mode: off}\n"
         "surge: {mode: off}\nnewrate: {mode: off}\nbypass: {mode: off}\nsinkholed: {mode: off}\n"
         "fastflux: {mode: off}\nshortlived: {mode: off}\nudr: {mode: off}",
         false, false},
        {"tunnel: {mode: block}", true, true},
        {"nxburst: {mode: block}", true, false}, /* it has no domain */
        {"dga: {mode: off}\nbeacon: {mode: off}\ntunnel: {mode: off}", true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_conf conf;
        struct sek_detectors *d;
        settings(&conf, cases[i].settings);
        if (sek_detectors_wanted(&conf) != cases[i].wanted ||
            sek_detectors_may_block(&conf) != cases[i].blocks)
            fail_msg("%s", cases[i].settings);
        assert_int_equal(sek_detectors_new(&conf, KEY, &d, NULL), SEK_OK);
        assert_true(sek_detectors_octets(d) < (160u << 20));
        sek_detectors_free(d);
        sek_conf_fini(&conf);
    }
    sek_detectors_free(NULL);
}

static void count(void *arg, const struct sek_sign *s, const struct sek_observation *o)
{
    unsigned *n = arg;

    (void)o;
    n[s->finding.detector]++;
}

/* One series, one detector: the others stay silent. */
static void test_see(void **state)
{
    struct sek_conf conf;
    struct sek_detectors *d;
    unsigned n[8] = {0};

    (void)state;
    settings(&conf, "");
    assert_int_equal(sek_detectors_new(&conf, KEY, &d, NULL), SEK_OK);
    for (unsigned i = 0; i < 20; i++) {
        char text[32];
        struct sek_name name;
        snprintf(text, sizeof text, "gone%u.com", i);
        const struct question q = {text, 1, T0_MS + i * 1000, .existence = SEK_EXISTENCE_ABSENT};
        struct sek_observation o = observe(&q, &name);
        sek_detectors_see(d, &o, count, n);
        assert_ptr_equal(o.others, d);
    }
    assert_int_equal(n[SEK_DETECTOR_NXBURST], 2);
    assert_int_equal(n[SEK_DETECTOR_BEACON] + n[SEK_DETECTOR_TUNNEL] + n[SEK_DETECTOR_DGA], 0);
    struct sek_addr a = {0};
    assert_false(sek_detectors_in_episode(d, SEK_DETECTOR_DGA, &a));
    assert_false(sek_detectors_in_episode(NULL, SEK_DETECTOR_DGA, &a));
    assert_false(sek_detectors_in_episode(d, SEK_DETECTOR_BEACON, &a));
    sek_detectors_free(d);
    sek_conf_fini(&conf);
}

/* What is new and what is old depends on how long the history can tell. */
static void test_dates(void **state)
{
    enum { DAY = 86400 };
    static const struct {
        const char *label;
        bool known;
        int64_t first, since; /* days before now */
        bool settled;
        int64_t age_s;
    } cases[] = {
        {"no history", false, 0, -1, false, SEK_AGE_OLD},
        {"young history", true, 1, 13, false, SEK_AGE_OLD},
        {"unknown", false, 0, 14, true, 0},
        {"seen in the warm-up", true, 30, 40, true, SEK_AGE_OLD},
        {"seen after it", true, 20, 40, true, 20LL * DAY},
        {"seen tomorrow", true, -1, 40, true, 0},
    };
    struct sek_conf conf;

    (void)state;
    settings(&conf, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_observation o = {.time_ms = T0_MS};
        struct sek_domain_seen seen = {.first_s = T0_MS / 1000 - cases[i].first * DAY,
                                       .endpoints = 7};
        sek_observation_date(&o, &conf, cases[i].known, &seen,
                             cases[i].since < 0 ? INT64_MAX : T0_MS / 1000 - cases[i].since * DAY);
        if (o.settled != cases[i].settled || o.age_s != cases[i].age_s ||
            o.endpoints != (cases[i].known ? 7u : 1u))
            fail_msg("%s: %d %lld", cases[i].label, o.settled, (long long)o.age_s);
    }
    sek_conf_fini(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_see),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
