/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "policy/about.h"
#include "watch/sinkhole_list.h"
#include "watch/sinkholed.h"
#include <stdlib.h>
#include <unistd.h>

static struct sek_conf conf;
static struct sek_sign sign;
static void *sinkholed;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_sinkholed_free(sinkholed);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_sinkholed_new(&conf, KEY, &sinkholed, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    sinkholed = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_sinkholed_free(sinkholed);
    sek_conf_fini(&conf);
    return 0;
}

static struct sek_addr addr(const char *text)
{
    struct sek_addr a;

    assert_int_equal(sek_addr_from_text(text, &a, NULL), SEK_OK);
    return a;
}

/* at: of the answer; NULL: from the cache. */
static bool ask_at(const char *name, unsigned endpoint, int64_t time_ms, const char *at)
{
    struct sek_addr a[2] = {addr("203.0.113.1"), addr(at ? at : "203.0.113.1")};
    const struct question q = {name,       endpoint,
                               time_ms,    .existence = SEK_EXISTENCE_EXISTS,
                               .addrs = a, .n_addrs = at ? 2 : 0};
    struct sek_name wire;
    struct sek_observation o = observe(&q, &wire);

    o.cached = !at;
    return sek_sinkholed_see(sinkholed, &o, &sign);
}

static const char *evidence(void)
{
    return sign.finding.evidence;
}

/* --- the table ---------------------------------------------------------------------------------
 */

static unsigned server_of(const struct sek_sinkholes *s, const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return sek_sinkholes_server(s, &name);
}

static const char *by_address(const struct sek_sinkholes *s, const char *text)
{
    struct sek_addr a = addr(text);

    return sek_sinkholes_operator(s, sek_sinkholes_address(s, &a));
}

static void test_built_in(void **state)
{
    struct sek_sinkholes *s;
    struct sek_diag diag = {0};

    (void)state;
    if (sek_sinkholes_open("", &s, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(by_address(s, "148.81.111.111"), "CERT Polska");
    assert_string_equal(by_address(s, "199.2.137.0"), "Microsoft");
    assert_string_equal(by_address(s, "199.2.137.255"), "Microsoft");
    assert_string_equal(by_address(s, "199.2.138.0"), "");
    assert_string_equal(by_address(s, "195.22.26.191"), "");
    assert_string_equal(by_address(s, "195.22.26.192"), "AnubisNetworks");
    assert_string_equal(by_address(s, "::1"), "");
    assert_string_equal(sek_sinkholes_operator(s, server_of(s, "ns7.MicrosoftInternetSafety.net")),
                        "Microsoft");
    assert_string_equal(sek_sinkholes_operator(s, server_of(s, "sinkhole-00.shadowserver.org")),
                        "Shadowserver");
    assert_int_equal(server_of(s, "x.sinkhole-00.shadowserver.org"), 0); /* only itself */
    assert_int_equal(server_of(s, "www.shadowserver.org"), 0);
    assert_int_equal(server_of(s, "."), 0);
    assert_true(sek_sinkholes_rows(s) >= 10);
    assert_true(sek_sinkholes_have_servers(s));
    for (unsigned row = 1; row <= sek_sinkholes_rows(s); row++)
        assert_true(*sek_sinkholes_what(s, row) && *sek_sinkholes_operator(s, row));
    assert_string_equal(sek_sinkholes_what(s, 0), "");
    assert_string_equal(sek_sinkholes_operator(s, sek_sinkholes_rows(s) + 1), "");
    sek_sinkholes_close(s);
}

/* Write a table; what opening it says, "" when all is well. */
static const char *open_text(const char *text, char path[32], struct sek_sinkholes **out)
{
    static struct sek_diag diag;

    snprintf(path, 32, "/tmp/sek-sinkholes-XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    diag.text[0] = '\0';
    enum sek_err err = sek_sinkholes_open(path, out, &diag);
    assert_true((err == SEK_OK) == (diag.text[0] == '\0'));
    return diag.text;
}

static void test_own_table(void **state)
{
    static const struct {
        const char *text, *said; /* NULL: it is fine */
    } cases[] = {
        {"# mine\n\n192.0.2.1\tus\thttps://example.org/\t2026\n", NULL},
        {"2001:db8::/48\tus\r\nnsdname:*.ns.example\tthem", NULL},
        {"", "it has no sinkhole"},
        {"# nothing\n", "it has no sinkhole"},
        {"192.0.2.1 us\n", "line 1: not \"what<TAB>operator\""},
        {"192.0.2.1\tus\n192.0.2.1/24\tus\n", "line 2: "},
        {"192.0.2.300\tus\n", "line 1: "},
        {"2001:zz::\tus\n", "is neither an address, a network nor nsdname:NAME"},
        {"response-ip:192.0.2.1\tus\n", "is neither an address, a network nor nsdname:NAME"},
        {"nsdname:com\tus\n", "covers a whole top-level domain"},
        {"nsdname:\tus\n", "line 1: "},
        {"0.0.0.0/0\tus\n", "is too much of the Internet"},
        {"::/0\tus\n", "is too much of the Internet"},
        {"192.0.2.1\t\n", "the operator is no text"},
        {"192.0.2.1\t\xff\n", "the operator is no text"},
    };
    struct sek_sinkholes *s;
    char path[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *said = open_text(cases[i].text, path, &s);
        unlink(path);
        if (!cases[i].said ? *said != '\0' : !strstr(said, cases[i].said))
            fail_msg("%s: %s", cases[i].text, said);
        if (!cases[i].said)
            sek_sinkholes_close(s);
    }
    assert_string_not_equal(sek_sinkholes_open("/nonexistent/table", &s, NULL) ? "failed" : "", "");
}

/* The longest prefix, the most specific name; against a look at each row. */
static void test_most_specific(void **state)
{
    struct sek_buf text;
    struct sek_sinkholes *s;
    char path[32], said[200];
    uint64_t seed = 1;

    (void)state;
    sek_buf_init(&text, 0);
    struct sek_net nets[600];
    for (unsigned i = 0; i < 600; i++) {
        unsigned bits = 8 + (unsigned)(fraction(&seed) * 25), octets[4];
        for (unsigned j = 0; j < 4; j++)
            octets[j] = (unsigned)(fraction(&seed) * (j == 0 ? 2 : 4)) + (j == 0);
        uint32_t whole = octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3];
        whole &= 0xffffffffU << (32 - bits);
        char net[40];
        snprintf(net, sizeof net, "%u.%u.%u.%u/%u", whole >> 24, whole >> 16 & 255,
                 whole >> 8 & 255, whole & 255, bits);
        assert_int_equal(sek_net_from_text(net, &nets[i], NULL), SEK_OK);
        sek_buf_add_fmt(&text, "%s\tb%u\n", net, nets[i].bits);
    }
    sek_buf_add_text(&text, "nsdname:example.com\touter\nnsdname:=ns.example.com\texact\n"
                            "nsdname:ns.example.com\tsubtree\n");
    snprintf(said, sizeof said, "%s", open_text(text.data, path, &s));
    unlink(path);
    assert_string_equal(said, "");
    for (unsigned i = 0; i < 20000; i++) {
        struct sek_addr a = addr("0.0.0.0");
        unsigned most = 0;
        char expected[16] = "";
        a.octets[12] = (uint8_t)(1 + fraction(&seed) * 3);
        for (unsigned j = 13; j < 16; j++)
            a.octets[j] = (uint8_t)(fraction(&seed) * 5);
        for (unsigned j = 0; j < 600; j++)
            if (sek_net_has(&nets[j], &a) && nets[j].bits > most)
                most = nets[j].bits;
        if (most)
            snprintf(expected, sizeof expected, "b%u", most);
        assert_string_equal(sek_sinkholes_operator(s, sek_sinkholes_address(s, &a)), expected);
    }
    assert_string_equal(sek_sinkholes_operator(s, server_of(s, "x.example.com")), "outer");
    assert_string_equal(sek_sinkholes_operator(s, server_of(s, "x.ns.example.com")), "subtree");
    assert_true(*sek_sinkholes_operator(s, server_of(s, "ns.example.com")) != 'o');
    assert_int_equal(server_of(s, "example.org"), 0);
    sek_sinkholes_close(s);
    sek_buf_fini(&text);
}

/* --- findings ----------------------------------------------------------------------------------
 */

static void test_found(void **state)
{
    (void)state;
    assert_false(ask_at("www.fine.example", 1, T0_MS, "203.0.113.9"));
    assert_true(ask_at("www.sunk.example", 1, T0_MS, "199.2.137.20"));
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_SINKHOLED);
    assert_string_equal(sign.finding.technique, "T1071");
    assert_non_null(strstr(evidence(), "\"kind\":\"Microsoft\""));
    assert_non_null(strstr(evidence(), "\"sinkhole\":\"199.2.137.0/24\""));
    assert_non_null(strstr(evidence(), "\"address\":\"199.2.137.20\""));
    assert_non_null(strstr(evidence(), "www.sunk.example"));
    assert_non_null(strstr(sign.what, "the sinkhole of Microsoft"));
    assert_true(sign.is_new && sign.may_block && sign.is_chosen);
    assert_int_equal(sign.finding.domain_len, 14);
    assert_true(sign.finding.confidence > 0.69f && sign.finding.confidence < 0.71f);
    /* the same minute, the same finding; told again when it has doubled */
    assert_false(ask_at("www.sunk.example", 1, T0_MS + 1000, "199.2.137.20"));
    int64_t start_ms = sign.finding.start_ms;
    assert_true(ask_at("www.sunk.example", 1, T0_MS + 61000, "199.2.137.20"));
    assert_false(sign.is_new);
    assert_int_equal(sign.finding.start_ms, start_ms);
    assert_false(ask_at("www.sunk.example", 1, T0_MS + 122000, "199.2.137.20"));
    /* another domain at the same time is another finding with another name */
    assert_true(ask_at("www.other.example", 1, T0_MS, "148.81.111.111"));
    assert_true(sign.is_new && sign.finding.start_ms != start_ms);
    /* after a pause it is a new one */
    assert_true(ask_at("www.sunk.example", 1, T0_MS + 3 * 86400000LL, "199.2.137.20"));
    assert_true(sign.is_new);
}

/* What the cache answers has no addresses: the name is known. */
static void test_from_the_cache(void **state)
{
    (void)state;
    assert_false(ask_at("www.sunk.example", 2, T0_MS, NULL));
    assert_true(ask_at("www.sunk.example", 1, T0_MS, "199.2.137.20"));
    assert_true(ask_at("www.sunk.example", 2, T0_MS + 500, NULL));
    assert_non_null(strstr(evidence(), "\"address\":\"199.2.137.20\""));
    assert_false(ask_at("ftp.sunk.example", 3, T0_MS + 500, NULL));
    assert_false(ask_at("www.sunk.example", 4, T0_MS + 2 * 86400000LL, NULL));
    /* until it leads elsewhere */
    assert_false(ask_at("www.sunk.example", 1, T0_MS + 70000, "203.0.113.7"));
    assert_false(ask_at("www.sunk.example", 5, T0_MS + 70000, NULL));
}

static void test_by_server_and_rule(void **state)
{
    const struct question q = {"www.taken.example", 7, T0_MS, .existence = SEK_EXISTENCE_ABSENT};
    struct sek_name wire, rule;
    struct sek_observation o = observe(&q, &wire);
    struct sek_sinkholes *s;
    struct sek_net net;

    (void)state;
    assert_int_equal(sek_sinkholes_open("", &s, NULL), SEK_OK);
    o.sunk_server = server_of(s, "a.sinkhole.cert.pl");
    sek_sinkholes_close(s);
    assert_true(sek_sinkholed_see(sinkholed, &o, &sign));
    assert_non_null(strstr(evidence(), "\"kind\":\"CERT Polska\""));
    assert_non_null(strstr(evidence(), "\"sinkhole\":\"nsdname:sinkhole.cert.pl\""));
    assert_null(strstr(evidence(), "\"address\""));
    o.sunk_server = 60000; /* of another table, as while the file is changed */
    o.time_ms += 61000;
    assert_true(sek_sinkholed_see(sinkholed, &o, &sign));
    assert_non_null(strstr(evidence(), "\"kind\":\"unknown\""));

    const struct question r = {"x.ruled.example", 8, T0_MS, .existence = SEK_EXISTENCE_EXISTS};
    o = observe(&r, &wire);
    assert_int_equal(sek_net_from_text("198.51.100.7", &net, NULL), SEK_OK);
    sek_about_from_net(SEK_ABOUT_SINKHOLED, &net, &rule);
    o.sunk_rule = &rule;
    o.sunk_address = &net.addr;
    assert_true(sek_sinkholed_see(sinkholed, &o, &sign));
    assert_non_null(strstr(evidence(), "\"kind\":\"rule\",\"sinkhole\":\"sinkholed:198.51.100.7\","
                                       "\"address\":\"198.51.100.7\""));
    o.sunk_rule = NULL; /* a rule is asked each time: nothing is remembered of it */
    o.cached = true;
    o.endpoint.octets[15] = 9;
    assert_false(sek_sinkholed_see(sinkholed, &o, &sign));
}

static void test_left_out(void **state)
{
    (void)state;
    assert_false(ask_at("sinkhole.cert.pl", 1, T0_MS, "148.81.111.111")); /* its own name */
    renew("sinkholed: {exclude: [research.example]}\n");
    assert_false(ask_at("www.research.example", 1, T0_MS, "148.81.111.111"));
    assert_true(ask_at("www.search.example", 1, T0_MS, "148.81.111.111"));
}

static void test_wants(void **state)
{
    struct sek_event e = {.outcome = SEK_OUTCOME_PASSED, .name_len = 0};
    struct sek_addr fine = addr("203.0.113.7"), sunk = addr("199.2.137.1");

    (void)state;
    sek_event_add_addr(&e, &fine);
    assert_false(sek_sinkholed_wants(sinkholed, &e));
    sek_event_add_ns_addr(&e, &sunk);
    assert_true(sek_sinkholed_wants(sinkholed, &e));
    e.n_ns_addrs = 0;
    assert_false(sek_sinkholed_wants(sinkholed, &e));
    e.sunk_server = 1;
    assert_true(sek_sinkholed_wants(sinkholed, &e));
    e.sunk_server = 0;
    e.trigger = SEK_TRIGGER_SINKHOLED;
    assert_false(sek_sinkholed_wants(sinkholed, &e)); /* no hit */
    e.outcome = SEK_OUTCOME_HIT;
    assert_true(sek_sinkholed_wants(sinkholed, &e));
}

/* Hostile names and a flood of endpoints change neither memory nor the form of evidence. */
static void test_adversary(void **state)
{
    size_t octets = sek_sinkholed_octets(sinkholed);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char name[300];
        snprintf(name, sizeof name, "\\%03u\\000\\255%055u.%063u.sunk.example", i % 256, i, i);
        ask_at(name, i, T0_MS - i, "199.2.137.20");
        assert_int_equal(evidence()[0], '{');
        assert_int_equal(evidence()[strlen(evidence()) - 1], '}');
    }
    assert_int_equal(sek_sinkholed_octets(sinkholed), octets);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_own_table),
        cmocka_unit_test(test_most_specific),
        CASE(test_found),
        CASE(test_from_the_cache),
        CASE(test_by_server_and_rule),
        CASE(test_left_out),
        CASE(test_wants),
        CASE(test_adversary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
