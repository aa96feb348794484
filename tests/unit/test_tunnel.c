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

/* --- what comes in
 * --------------------------------------------------------------------------------
 */

/* A flow of questions whose answers carry something. name: after `letters` random ones; without,
 * each # is the question's number. Addresses are of so many networks, 0: any. */
struct flow {
    const char *label, *name;
    unsigned letters;
    uint16_t qtype;
    uint16_t answer_octets;
    unsigned n, n_addrs, networks;
    int64_t pause_ms;
    bool found;
};

static struct sek_addr address(uint16_t qtype, unsigned networks, uint64_t *seed)
{
    struct sek_addr a = {.octets = {[10] = 0xff, [11] = 0xff}};
    for (unsigned i = qtype == 28 ? 0 : 12; i < 16; i++)
        a.octets[i] = (uint8_t)(fraction(seed) * 256);
    unsigned at = qtype == 28 ? 0 : 12;
    if (networks) {
        memset(a.octets + at, 0, qtype == 28 ? 4 : 2);
        a.octets[at] = (uint8_t)(10 + fraction(seed) * networks);
    }
    return a;
}

static void numbered(char *out, size_t size, const char *form, unsigned number)
{
    size_t before = strcspn(form, "#");
    snprintf(out, size, "%.*s", (int)before, form);
    if (form[before])
        snprintf(out + before, size - before, "%u%s", number, form + before + 1);
}

static unsigned run_flow(const struct flow *f, uint64_t seed)
{
    struct question q = plain;
    struct sek_addr addrs[SEK_EVENT_ADDRS];
    char text[256], letters[64];
    unsigned at = 0;

    for (unsigned i = 0; i < f->n; i++) {
        for (unsigned k = 0; k < f->letters; k++)
            letters[k] = "abcdefghijklmnopqrstuvwxyz234567"[(unsigned)(fraction(&seed) * 32)];
        letters[f->letters] = '\0';
        if (f->letters)
            snprintf(text, sizeof text, "%s%s", letters, f->name);
        else
            numbered(text, sizeof text, f->name, i);
        for (unsigned k = 0; k < f->n_addrs; k++)
            addrs[k] = address(f->qtype, f->networks, &seed);
        q.name = text;
        q.qtype = f->qtype;
        q.answer_octets = f->answer_octets;
        q.addrs = addrs;
        q.n_addrs = f->n_addrs;
        if (show(&q) && !at)
            at = i + 1;
        q.time_ms += f->pause_ms;
    }
    return at;
}

static void test_inbound(void **state)
{
    static const struct flow flows[] = {
        {"TXT polls", ".evil.com", 10, 16, 200, 60, .pause_ms = 1000, .found = true},
        {"NULL polls", ".evil.com", 8, 10, 400, 60, .pause_ms = 1000, .found = true},
        {"private type", ".evil.com", 8, 65399, 200, 60, .pause_ms = 1000, .found = true},
        {"SRV polls", ".evil.com", 12, 33, 150, 60, .pause_ms = 1000, .found = true},
        {"polls by the hour", ".evil.com", 10, 16, 200, 100, .pause_ms = 30000, .found = true},
        {"0.7 octets a second", ".evil.com", 8, 16, 200, 302, .pause_ms = 286000, .found = true},
        {"0.7, long answers", ".evil.com", 8, 16, 1000, 60, .pause_ms = 1428000, .found = true},
        {"0.7, AAAA", ".evil.com", 8, 28, 0, 3780, 1, .pause_ms = 22857, .found = true},
        {"addresses", ".evil.com", 8, 1, 0, 200, 2, .pause_ms = 200, .found = true},
        {"many addresses", ".evil.com", 6, 1, 0, 60, 12, .pause_ms = 500, .found = true},
        {"IPv6 addresses", ".evil.com", 6, 28, 0, 60, 4, .pause_ms = 500, .found = true},
        {"HTTPS only", ".evil.com", 8, 65, 300, 60, .pause_ms = 500, .found = true},
        /* harmless */
        {"SPF", "_spf#.mail.com", 0, 16, 400, 20, .pause_ms = 100},
        {"SPF without a mark", "spf#.mail.com", 0, 16, 400, 8, .pause_ms = 100},
        {"DKIM", "s#._domainkey.mail.com", 0, 16, 420, 60, .pause_ms = 2000},
        {"DMARC", "_dmarc.team#.mail.com", 0, 16, 90, 100, .pause_ms = 2000},
        {"a block list's reasons", "#.7.0.10.dnsbl.com", 0, 16, 70, 60, .pause_ms = 3000},
        {"a block list", "#.7.0.10.dnsbl.com", 0, 1, 0, 300, 1, 1, .pause_ms = 400},
        {"DNS-SD", "printer#._ipp._tcp.office.com", 0, 16, 400, 20, .pause_ms = 50},
        {"one TXT again and again", "key.office.com", 0, 16, 2000, 1000, .pause_ms = 50},
        {"a service's hosts", "host#.cdn.com", 0, 1, 60, 60, 4, 2, .pause_ms = 500},
        {"its IPv6 hosts", "host#.cdn.com", 0, 28, 60, 60, 4, 2, .pause_ms = 500},
        {"MX of a provider's customers", "firm#.mail.com", 0, 15, 40, 60, .pause_ms = 1000},
        {"DNSSEC keys", "zone#.mail.com", 0, 48, 600, 60, .pause_ms = 500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        renew("");
        unsigned at = run_flow(&flows[i], i + 1);
        if ((at > 0) != flows[i].found)
            fail_msg("%s: %u", flows[i].label, at);
        if (at)
            assert_non_null(strstr(sign.finding.evidence, "\"octets_in\":"));
    }
    renew("");
    unsigned at = run_flow(&flows[0], 1);
    assert_true(at >= 10 && at <= 20);
    assert_non_null(strstr(sign.what, " in; "));
}

/* A browser asks A, AAAA and HTTPS of each host; the answer of the last is long. */
static void test_browser(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        static const uint16_t types[] = {65, 1, 28};
        struct sek_addr addrs[2];
        char name[64];
        snprintf(name, sizeof name, "shop%u.site.com", i);
        for (unsigned k = 0; k < 3; k++) {
            struct question q = plain;
            q.name = name;
            q.qtype = types[k];
            q.time_ms += i * 500 + k;
            q.answer_octets = k ? 40 : 250;
            q.addrs = addrs;
            q.n_addrs = k ? 2 : 0;
            addrs[0] = address(types[k], 1, &seed);
            addrs[1] = address(types[k], 1, &seed);
            assert_false(show(&q));
        }
    }
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
        cmocka_unit_test_setup_teardown(test_inbound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_browser, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotating, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adversary, setup, teardown),
        cmocka_unit_test(test_shipped_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
