/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/lookups.h"
#include "watch/tunnel.h"

static struct sek_conf conf;
static struct sek_sign sign;
static void *tunnel;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_tunnel_free(tunnel);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_tunnel_new(&conf, KEY, &tunnel, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    tunnel = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_tunnel_free(tunnel);
    sek_conf_fini(&conf);
    return 0;
}

static bool show(const struct question *q)
{
    struct sek_name name;
    struct sek_observation o = observe(q, &name);

    return sek_tunnel_see(tunnel, &o, &sign);
}

/* Names of `len` random base32 letters below a domain (with %u: one domain each), `pause_ms` apart.
 * Returns how many were asked for when the first sign came, 0 for none. */
static unsigned run(struct question q, const char *domain, unsigned n, unsigned len,
                    int64_t pause_ms, uint64_t seed)
{
    unsigned at = 0;

    for (unsigned i = 0; i < n; i++) {
        char text[256], label[64];
        for (unsigned k = 0; k < len; k++)
            label[k] = "abcdefghijklmnopqrstuvwxyz234567"[(unsigned)(fraction(&seed) * 32)];
        snprintf(text, sizeof text, "%.*s.", (int)len, label);
        snprintf(text + len + 1, sizeof text - len - 1, domain, i);
        q.name = text;
        if (show(&q) && !at)
            at = i + 1;
        q.time_ms += pause_ms;
    }
    return at;
}

static const struct question plain = {NULL, 1, T0_MS, .existence = SEK_EXISTENCE_EXISTS};

static void test_fast(void **state)
{
    struct question q = plain;

    (void)state;
    unsigned at = run(q, "address.com", 200, 40, 100, 1);
    assert_true(at >= 25 && at <= 35); /* 1000 octets; 40 of base32 weigh 0.85 to 0.95 */
    assert_non_null(strstr(sign.finding.evidence, "\"minute_alarm\":1000"));
    q.qtype = 16; /* half of it is enough */
    at = run(q, "evil.com", 200, 40, 100, 1);
    assert_true(at >= 13 && at <= 18);
    assert_false(sign.is_new);
    assert_true(sign.may_block);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_TUNNEL);
    assert_memory_equal(sign.finding.domain, "\4evil\3com", 10);
    assert_int_equal(sign.finding.start_ms, T0_MS);
    assert_string_equal(sign.finding.technique, SEK_TUNNEL_TECHNIQUE);
    assert_true(sign.finding.confidence > 0.9f);
    assert_non_null(strstr(sign.finding.evidence, "\"kind\":\"one domain\""));
    assert_non_null(strstr(sign.finding.evidence, "\"minute_alarm\":500"));
}

/* 0.7 octets a second: too slow for the minute and the hour. */
static void test_low_and_slow(void **state)
{
    (void)state;
    /* 32 letters carry 20 octets: one name in 28 s */
    unsigned at = run(plain, "evil.com", 86400 / 28, 32, 28000, 2);
    assert_true(at > 0);
    assert_non_null(strstr(sign.finding.evidence, "\"span\":\""));
    renew("");
    /* a tenth of it takes most of a day */
    at = run(plain, "evil.com", 86400 / 200, 32, 200000, 3);
    assert_true(at > 300 && at < 86400 / 200);
    assert_non_null(strstr(sign.finding.evidence, "\"span\":\"day\""));
    renew("");
    assert_int_equal(run(plain, "evil.com", 86400 / 400, 32, 400000, 3), 0);
}

static void test_left_out(void **state)
{
    static const struct {
        const char *label, *settings, *domain;
        unsigned endpoints, n, len;
        bool found;
    } cases[] = {
        {"found", "", "evil.com", 1, 100, 40, true},
        {"the domain itself", "", "com", 1, 100, 40, false},
        {"few", "", "evil.com", 1, 20, 40, false},
        {"many ask for it", "", "evil.com", 9, 100, 40, false},
        {"many ask, but so much", "", "evil.com", 9, 150, 60, true},
        {"excluded", "tunnel: {exclude: [evil.com]}", "evil.com", 1, 100, 40, false},
        {"never blocked", "policy: {never-block: [evil.com]}", "evil.com", 1, 100, 40, false},
        {"a block list", "", "zen.spamhaus.org", 1, 100, 40, false},
        {"antivirus", "", "sophosxl.net", 1, 100, 40, false},
        {"reverse", "", "2.in-addr.arpa", 1, 100, 40, false},
        {"less by the setting", "tunnel: {minute: 100}", "evil.com", 1, 5, 40, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct question q = plain;

        renew(cases[i].settings);
        q.endpoints = cases[i].endpoints;
        if ((run(q, cases[i].domain, cases[i].n, cases[i].len, 100, i) > 0) != cases[i].found)
            fail_msg("%s", cases[i].label);
    }
}

/* The same names again and again carry nothing. */
static void test_repeats(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 100; round++)
        assert_int_equal(run(plain, "evil.com", 20, 40, 10, 9), 0);
}

/* A fresh domain for each piece, from 20 on; not of old ones, nor under a young history. */
static void test_rotating(void **state)
{
    struct question q = plain;

    (void)state;
    assert_true(run(q, "evil%u.com", 150, 60, 400, 4) > 20);
    assert_int_equal(sign.finding.domain_len, 0);
    assert_false(sign.may_block);
    assert_non_null(strstr(sign.finding.evidence, "\"kind\":\"many domains\""));
    q.endpoint = 2;
    q.age_s = 90000;
    assert_int_equal(run(q, "old%u.com", 150, 60, 400, 5), 0);
    q.endpoint = 3;
    q.young_history = true;
    assert_int_equal(run(q, "young%u.com", 150, 60, 400, 6), 0);
    q = plain;
    q.endpoint = 4;
    assert_int_equal(run(q, "short%u.com", 150, 20, 400, 7), 0);
}

/* Any octet, a clock that goes back, a flood of other flows. */
static void test_adversary(void **state)
{
    uint64_t seed = 3;
    bool found = false;

    (void)state;
    renew("tunnel: {pairs: 64}");
    size_t octets = sek_tunnel_octets(tunnel);
    for (unsigned i = 0; i < 100; i++) {
        struct sek_name name;
        uint8_t wire[80] = {60};
        for (unsigned k = 1; k <= 60; k++)
            wire[k] = (uint8_t)(fraction(&seed) * 256);
        memcpy(wire + 61, "\4evil\3com", 10);
        assert_int_equal(sek_name_from_wire(wire, sizeof wire, &name), SEK_OK);
        struct sek_observation o = {.name = &name,
                                    .domain_labels = 1,
                                    .time_ms = T0_MS - 10000LL * i,
                                    .settled = true,
                                    .endpoints = 1};
        found |= sek_tunnel_see(tunnel, &o, &sign);
        for (unsigned k = 0; k < 100; k++) {
            char text[32];
            snprintf(text, sizeof text, "www.f%u.com", i * 100 + k);
            struct question q = plain;
            q.name = text;
            q.endpoint = 5 + k;
            assert_false(show(&q));
        }
    }
    assert_true(found);
    assert_int_equal(sek_tunnel_octets(tunnel), octets);
}

static void test_shipped_list(void **state)
{
    unsigned n = 0;

    (void)state;
    for (const struct sek_lookup_service *s = sek_lookup_services; s->name; s++, n++)
        assert_true(*s->name && *s->kind);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fast, setup, teardown),
        cmocka_unit_test_setup_teardown(test_low_and_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotating, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adversary, setup, teardown),
        cmocka_unit_test(test_shipped_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
