/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/surge.h"

#define START_MIN (1790553600LL / 60) /* a Monday, in minutes */
#define WEEK_MIN 10080

static struct sek_conf conf;
static struct sek_sign sign;
static void *surge, *newrate;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_surge_free(surge);
    sek_surge_free(newrate);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_surge_new(&conf, KEY, &surge, &diag) != SEK_OK ||
        sek_newrate_new(&conf, KEY, &newrate, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    surge = newrate = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_surge_free(surge);
    sek_surge_free(newrate);
    sek_conf_fini(&conf);
    return 0;
}

static bool count(const char *domain, unsigned endpoint, int64_t minute, uint32_t n)
{
    union {
        struct sek_tally_traffic row;
        uint8_t octets[sizeof(struct sek_tally_traffic) + SEK_NAME_MAX];
    } r = {.row = {.minute = minute}};
    struct sek_name name;
    const struct question q = {domain, endpoint, 0};

    r.row.endpoint = observe(&q, &name).endpoint;
    r.row.domain_len = name.len;
    memcpy(r.row.domain, name.octets, name.len);
    r.row.count[SEK_OUTCOME_CACHED] = n;
    return sek_surge_count(surge, &r.row, n, &sign);
}

/* Three weeks of so many a minute, without a sign. */
static void live(unsigned endpoint, unsigned n)
{
    for (int64_t m = 0; m < 3 * WEEK_MIN; m++)
        assert_false(count("usual.com", endpoint, START_MIN + m, n));
}

static void test_found(void **state)
{
    unsigned news = 0, signs = 0;
    bool by_hour = false;
    int64_t at = START_MIN + 3 * WEEK_MIN;

    (void)state;
    live(1, 4);
    for (unsigned m = 0; m < 5; m++) {
        count("usual.com", 1, at + m, 4);
        for (unsigned k = 0; k < 4; k++) {
            bool found = count("odd.net", 1, at + m, 10);
            signs += found;
            news += found && sign.is_new;
            by_hour |= found && strstr(sign.finding.evidence, "\"this hour of the week\"");
        }
    }
    assert_int_equal(news, 1);
    assert_in_range(signs, 1, 4);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_SURGE);
    assert_string_equal(sign.finding.technique, "T1071.004");
    assert_int_equal(sign.finding.domain_len, 0);
    assert_false(sign.may_block);
    assert_in_range(sign.finding.start_ms, at * 60000, (at + 4) * 60000);
    assert_true(sign.finding.end_ms >= sign.finding.start_ms);
    assert_true(sign.finding.confidence > 0.3f && sign.finding.confidence < 0.95f);
    assert_non_null(strstr(sign.finding.evidence, "\"kind\":\"query rate\""));
    assert_non_null(strstr(sign.finding.evidence, "\"examples\":[\"odd.net\",\"usual.com\"]"));
    assert_true(by_hour);
}

/* One episode is one finding; after a pause there is another. */
static void test_episodes(void **state)
{
    unsigned news = 0;
    int64_t at = START_MIN + 3 * WEEK_MIN, start;

    (void)state;
    live(1, 4);
    for (unsigned m = 0; m < 60; m++)
        news += count("odd.net", 1, at + m, 500) && sign.is_new;
    assert_int_equal(news, 1);
    start = sign.finding.start_ms;
    assert_true(sign.finding.end_ms - start > 20 * 60000);
    for (unsigned m = 60; m < 180; m++)
        assert_false(count("usual.com", 1, at + m, 4) && (sign.is_new || m > 65));
    for (unsigned m = 180; m < 190; m++)
        news += count("odd.net", 1, at + m, 5000) && sign.is_new;
    assert_int_equal(news, 2);
    assert_true(sign.finding.start_ms > start);
}

static void test_cases(void **state)
{
    static const struct {
        const char *label, *settings;
        unsigned usual, then;
        int64_t weeks;
        bool found;
    } cases[] = {
        {"tenfold", "", 4, 40, 3, true},
        {"as usual", "", 40, 40, 3, false},
        {"double", "", 40, 80, 3, false},
        {"below the floor", "", 1, 24, 3, false},
        {"below a lower floor", "surge: {floor: 10}", 1, 24, 3, true},
        {"below a higher z", "surge: {z: 100}", 4, 40, 3, false},
        {"not learned", "surge: {learn: 60d}", 4, 400, 3, false},
        {"a stranger", "", 0, 4000, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool found = false;
        renew(cases[i].settings);
        int64_t m = START_MIN;
        for (; m < START_MIN + cases[i].weeks * WEEK_MIN; m++)
            found |= cases[i].usual && count("usual.com", 1, m, cases[i].usual);
        if (found)
            fail_msg("%s: found while it learned", cases[i].label);
        for (unsigned k = 0; k < 5; k++, m++)
            found |= count("odd.net", 1, m, cases[i].then);
        if (found != cases[i].found)
            fail_msg("%s: %s", cases[i].label, sign.finding.evidence);
    }
}

/* Clock steps, minutes out of order and in many rows, hostile numbers, more endpoints than room:
 * one that is learned stays, and is found. */
static void test_adversary(void **state)
{
    unsigned news = 0;
    uint64_t seed = 3;
    int64_t at = START_MIN + 3 * WEEK_MIN;

    (void)state;
    renew("surge: {endpoints: 256}");
    size_t octets = sek_surge_octets(surge);
    live(1, 4);
    for (unsigned i = 0; i < 20000; i++)
        count("flood.com", 1000 + i, at, 100000);
    for (unsigned i = 0; i < 2000; i++) /* late rows of minutes that were counted */
        assert_false(count("usual.com", 1, at - (int64_t)(fraction(&seed) * 50) - 6, 1));
    for (unsigned m = 0; m < 5; m++)
        for (unsigned k = 0; k < 40; k++)
            news += count("odd.net", 1, at + m, 1) && sign.is_new;
    assert_int_equal(news, 1);
    count("odd.net", 1, at - 10000000, UINT32_MAX);
    count("odd.net", 1, at + 10000000, UINT32_MAX);
    count("odd.net", 1, -1, UINT32_MAX);
    count(".", 1, at, 1);
    count("\\001\\255\\000.a-label-of-thirty-three-octets-is.a-label-of-thirty-three-octets-is", 1,
          at, 1);
    assert_true(strlen(sign.finding.evidence) < sizeof sign.finding.evidence - 1);
    assert_int_equal(sek_surge_octets(surge), octets);
}

/* --- domains never seen here -------------------------------------------------------------------
 */

static bool see(unsigned endpoint, int64_t minute, const char *name, int64_t age_s, bool young,
                enum sek_existence existence)
{
    const struct question q = {name,           endpoint,
                               minute * 60000, .existence = existence,
                               .age_s = age_s, .young_history = young};
    struct sek_name wire;
    struct sek_observation o = observe(&q, &wire);

    return sek_newrate_see(newrate, &o, &sign);
}

static void live_domains(unsigned endpoint)
{
    for (int64_t m = 0; m < 3 * WEEK_MIN; m += 10)
        assert_false(
            see(endpoint, START_MIN + m, "known.com", SEK_AGE_OLD, false, SEK_EXISTENCE_EXISTS));
}

/* A hundred new domains in ten minutes. */
static unsigned burst(unsigned endpoint, int64_t age_s, bool young, enum sek_existence existence)
{
    unsigned news = 0;
    int64_t at = START_MIN + 3 * WEEK_MIN;
    char name[32];

    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "new%u.com", i);
        news += see(endpoint, at + i / 10, name, age_s, young, existence) && sign.is_new;
    }
    return news;
}

static void test_new_domains(void **state)
{
    (void)state;
    live_domains(1);
    assert_int_equal(burst(1, 0, false, SEK_EXISTENCE_EXISTS), 1);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_NEWRATE);
    assert_string_equal(sign.finding.technique, "T1568");
    assert_non_null(strstr(sign.finding.evidence, "\"unit\":\"new domains an hour\""));
    assert_non_null(strstr(sign.finding.evidence, "\"examples\":[\"new"));
    live_domains(2);
    assert_int_equal(burst(2, 3600, false, SEK_EXISTENCE_EXISTS), 0); /* others met them before */
    live_domains(3);
    assert_int_equal(burst(3, 0, false, SEK_EXISTENCE_ABSENT), 0);
    live_domains(4);
    assert_int_equal(burst(4, 0, true, SEK_EXISTENCE_EXISTS), 0);  /* nobody can tell yet */
    assert_int_equal(burst(5, 0, false, SEK_EXISTENCE_EXISTS), 0); /* a stranger */
}

/* All that the table of detectors needs, at the default caps. */
static void test_memory(void **state)
{
    (void)state;
    size_t octets = sek_surge_octets(surge) + sek_surge_octets(newrate);
    assert_in_range(octets, 1 << 20, 41 << 20);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_found),     CASE(test_episodes),    CASE(test_cases),
        CASE(test_adversary), CASE(test_new_domains), CASE(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
