/* SPDX-License-Identifier: BSD-3-Clause */
/* Each detector finds the traffic made up for it, unless the settings forbid it. */
#include "replay/drill.h"
#include "watch_samples.h"
#include <stdlib.h>

static struct fixture {
    struct sek_conf conf;
    struct sek_suffix *suffix;
    struct sek_classify *classify;
    struct sek_never *never;
} f;

static void begin(const char *text)
{
    settings(&f.conf, text);
    assert_int_equal(sek_suffix_open(NULL, &f.suffix, NULL), SEK_OK);
    assert_int_equal(sek_never_new(NULL, 0, f.suffix, &f.never, NULL), SEK_OK);
    assert_int_equal(sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &f.classify, NULL),
                     SEK_OK);
}

static void end(void)
{
    sek_classify_close(f.classify);
    sek_never_free(f.never);
    sek_suffix_close(f.suffix);
    sek_conf_fini(&f.conf);
}

static struct sek_drill_result run(const struct sek_drill *drill)
{
    const struct sek_replay_site site = {
        .conf = &f.conf,
        .suffix = f.suffix,
        .classify = f.classify,
        .never = f.never,
        .nod_exclude = f.never,
    };
    struct sek_drill_result r;
    struct sek_diag diag = {0};

    if (sek_drill_run(drill, &site, &r, &diag) != SEK_OK)
        fail_msg("%s: %s", drill->detector, diag.text);
    return r;
}

static const struct sek_drill *drill_of(enum sek_detector id)
{
    for (const struct sek_drill *d = sek_drills; d->detector; d++)
        if (d->finding == id)
            return d;
    fail_msg("no drill for detector %d", (int)id);
    return NULL;
}

/* Under the name that reports use, and with the settings as they come. */
static void test_all_find(void **state)
{
    (void)state;
    begin("");
    for (const struct sek_detector_row *row = sek_detector_rows; row->id; row++)
        assert_string_equal(drill_of(row->id)->detector,
                            sek_lookup_name(sek_detector_names, (int)row->id));
    for (const struct sek_drill *d = sek_drills; d->detector; d++) {
        struct sek_drill_result r = run(d), again = run(d);
        if (!r.on || !r.found)
            fail_msg("%s is silent after %u queries", d->detector, (unsigned)r.n_queries);
        assert_int_equal(r.n_queries, again.n_queries);
        if (d->finding)
            assert_string_equal(r.finding.evidence, again.finding.evidence);
    }
    end();
}

/* Other settings that a site may have: the traffic follows them. */
static void test_follows_settings(void **state)
{
    (void)state;
    begin("beacon: {samples: 40, period-min: 20m, span: 12h}\n"
          "tunnel: {minute: 20000}\n"
          "nxburst: {names: 60}\n"
          "nod: {mode: \"off\"}\n");
    for (const struct sek_drill *d = sek_drills; d->detector; d++) {
        struct sek_drill_result r = run(d);
        if (r.on != (d->trigger != SEK_TRIGGER_NOD) || r.found != r.on)
            fail_msg("%s is silent after %u queries", d->detector, (unsigned)r.n_queries);
    }
    end();
}

static void test_silent(void **state)
{
    (void)state;
    begin("tunnel: {exclude: [drill-tunnel.com]}\nbeacon: {mode: off}\n");
    struct sek_drill_result r = run(drill_of(SEK_DETECTOR_TUNNEL));
    assert_true(r.on);
    assert_false(r.found);
    assert_true(r.n_queries > 10);
    r = run(drill_of(SEK_DETECTOR_BEACON));
    assert_false(r.on);
    assert_false(r.found);
    assert_int_equal(r.n_queries, 0);
    sek_classify_close(f.classify);
    f.classify = NULL;
    assert_false(run(drill_of(SEK_DETECTOR_DGA)).found);
    end();
}

/* Whether a name exists is not known where new ones are held, and series of them rest on that. */
static void test_held(void **state)
{
    (void)state;
    begin("nod: {mode: hold}\n");
    assert_false(run(drill_of(SEK_DETECTOR_DGA)).found);
    for (const struct sek_drill *d = sek_drills; d->detector; d++)
        if (d->trigger == SEK_TRIGGER_NOD || d->trigger == SEK_TRIGGER_CLASSIFIER)
            assert_true(run(d).found);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_find),
        cmocka_unit_test(test_follows_settings),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
