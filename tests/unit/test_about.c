/* SPDX-License-Identifier: BSD-3-Clause */
/* Owner names of rules that are not about names, and how they are written. */
#include "name/text.h"
#include "policy_fixture.h"
#include "policy/about.h"

static const struct {
    const char *text, *owner, *back; /* back NULL: the same text */
} good[] = {
    {"response-ip:192.0.2.0/24", "24.0.2.0.192.rpz-ip", NULL},
    {"response-ip:192.0.2.7", "32.7.2.0.192.rpz-ip", NULL},
    {"response-ip:0.0.0.0/0", "0.0.0.0.0.rpz-ip", NULL},
    {"client-ip:10.0.0.0/8", "8.0.0.0.10.rpz-client-ip", NULL},
    {"nsip:2001:db8::/32", "32.zz.db8.2001.rpz-nsip", NULL},
    {"response-ip:2001:db8::1", "128.1.zz.db8.2001.rpz-ip", NULL},
    {"response-ip:::/0", "0.zz.rpz-ip", NULL},
    {"response-ip:::1", "128.1.zz.rpz-ip", NULL},
    {"response-ip:1:2:3:4:5:6:7:8", "128.8.7.6.5.4.3.2.1.rpz-ip", NULL},
    {"response-ip:1:0:0:2:0:0:0:3", "128.3.zz.2.0.0.1.rpz-ip", "response-ip:1:0:0:2::3"},
    {"response-ip:1:0:2:3:4:5:6:7", "128.7.6.5.4.3.2.0.1.rpz-ip", NULL},
    {"response-ip:::ffff:192.0.2.1", "32.1.2.0.192.rpz-ip", "response-ip:192.0.2.1"},
    {"sinkholed:198.51.100.1", "32.1.100.51.198.rpz-sinkholed", NULL},
    {"nsdname:ns.evil.example", "ns.evil.example.rpz-nsdname", NULL},
    {"nsdname:=ns.evil.example", "ns.evil.example.rpz-nsdname", NULL},
    {"nsdname:*.evil.example", "evil.example.rpz-nsdname", NULL},
    {"asn:64496", "64496.rpz-asn", NULL},
    {"asn:AS4294967295", "4294967295.rpz-asn", "asn:4294967295"},
    {"country:KP", "kp.rpz-country", NULL},
    {"country:kp", "kp.rpz-country", "country:KP"},
    {"64496.rpz-asn", "64496.rpz-asn", "asn:64496"},
    {"regex:ads", "ads.rpz-regex", NULL},
    {"/ads/", "ads.rpz-regex", "regex:ads"},
    {"regex:^A\\.", "\\094\\001a\\092\\..rpz-regex", NULL},
    {"24.0.2.0.192.rpz-ip", "24.0.2.0.192.rpz-ip", "response-ip:192.0.2.0/24"},
    {"=24.0.2.0.192.RPZ-IP", "24.0.2.0.192.rpz-ip", "response-ip:192.0.2.0/24"},
    {"128.1.0.0.0.0.0.db8.2001.rpz-ip", "128.1.zz.db8.2001.rpz-ip", "response-ip:2001:db8::1"},
};

static void owners_and_notation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        enum sek_scope scope;
        struct sek_name owner;
        struct sek_diag diag = {0};
        char text[SEK_NAME_TEXT_MAX + 2];
        if (sek_rule_from_text(good[i].text, strlen(good[i].text), &scope, &owner, &diag) != SEK_OK)
            fail_msg("%s: %s", good[i].text, diag.text);
        sek_name_to_text(owner.octets, text);
        assert_string_equal(text, good[i].owner);
        sek_rule_to_text(scope, owner.octets, text);
        assert_string_equal(text, good[i].back ? good[i].back : good[i].text);
    }
}

static void bad_ones_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "response-ip:",
        "response-ip:192.0.2.1/24",
        "response-ip:192.0.2.0/33",
        "response-ip:192.0.2",
        "response-ip:evil.example",
        "nsip:2001:db8::/129",
        "asn:",
        "asn:0",
        "asn:4294967296",
        "asn:AS",
        "asn:-1",
        "*.64496.rpz-asn",
        "0.rpz-asn",
        "1.2.rpz-asn",
        "rpz-asn",
        "country:",
        "country:K",
        "country:KPX",
        "country:1P",
        "usa.rpz-country",
        "regex:",
        "*.x.rpz-regex",
        "rpz-regex",
        "client-ip:2001:db8::1/64",
        "nsdname:",
        "nsdname:192.0.2.1",
        "nsdname:nsdname:a.example",
        "other-ip:192.0.2.1",
        "24.1.2.0.192.rpz-ip",
        "33.0.2.0.192.rpz-ip",
        "24.0.2.0.256.rpz-ip",
        "024.0.2.0.192.rpz-ip",
        "24.0.2.0.rpz-ip",
        "*.24.0.2.0.192.rpz-ip",
        "128.1.zz.zz.rpz-ip",
        "128.1.zz.g.rpz-ip",
        "129.zz.rpz-ip",
        "rpz-ip",
        "zz.rpz-ip",
        "128.9.8.7.6.5.4.3.2.1.rpz-ip",
        "64.12345.zz.rpz-ip",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum sek_scope scope;
        struct sek_name owner;
        struct sek_diag diag = {0};
        if (sek_rule_from_text(bad[i], strlen(bad[i]), &scope, &owner, &diag) == SEK_OK)
            fail_msg("%s was taken", bad[i]);
        assert_true(diag.text[0] != '\0');
    }
}

/* Every network has one owner name, and that leads back to it. */
static void networks_and_owners(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    for (unsigned i = 0; i < 200000; i++) {
        struct sek_net net = {0}, back;
        struct sek_name owner;
        bool v4 = test_random(&random) & 1;
        for (unsigned j = 0; j < 16; j++)
            net.addr.octets[j] = test_random(&random) % 3 ? 0 : (uint8_t)test_random(&random);
        if (v4)
            memcpy(net.addr.octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
        net.bits = (uint8_t)(v4 ? 96 + test_random(&random) % 33 : test_random(&random) % 129);
        for (unsigned j = net.bits; j < 128; j++)
            net.addr.octets[j / 8] &= (uint8_t) ~(0x80U >> j % 8);
        sek_about_from_net(SEK_ABOUT_NSIP, &net, &owner);
        assert_int_equal(sek_about_of(&owner), SEK_ABOUT_NSIP);
        assert_int_equal(sek_about_to_net(&owner, &back, NULL), SEK_OK);
        assert_memory_equal(&back, &net, sizeof net);
    }
}

static void names_stay_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "rpz-ip.example", "24.0.2.0.192.rpz-ip.example", "x.rpz-other", "rpz", "a.rpz-", "example"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sek_name name = test_name(names[i]);
        assert_int_equal(sek_about_of(&name), SEK_ABOUT_NAME);
    }
}

static void servers_that_are_too_long(void **state)
{
    (void)state;
    uint8_t wire[SEK_NAME_MAX] = {0};
    struct sek_name server, owner, back;
    for (size_t len = 230; len <= 255; len++) {
        size_t at = 0, left = len - 1;
        while (left > 0) {
            size_t n = left > 64 ? (left - 64 == 1 ? 63 : 64) : left;
            wire[at] = (uint8_t)(n - 1);
            memset(wire + at + 1, 'a', n - 1);
            at += n;
            left -= n;
        }
        wire[at] = 0;
        test_name_wire(wire, len, &server);
        bool fits = sek_about_from_server(&server, &owner);
        assert_int_equal(fits, len + 12 <= SEK_NAME_MAX);
        if (!fits)
            continue;
        sek_about_to_server(&owner, &back);
        assert_true(sek_name_equal(back.octets, back.len, server.octets, server.len));
    }
}

static void what_met(void **state)
{
    (void)state;
    static const struct {
        const char *met, *text;
    } cases[] = {
        {"32.7.100.51.198.rpz-ip", "198.51.100.7"},
        {"24.0.100.51.198.rpz-ip", "198.51.100.0/24"},
        {"128.5.zz.bad.db8.2001.rpz-nsip", "2001:db8:bad::5"},
        {"32.9.100.51.198.rpz-sinkholed", "198.51.100.9"},
        {"ns1.evil.example.rpz-nsdname", "ns1.evil.example"},
        {"rpz-nsdname", "."},
        {"64496.rpz-asn", "asn:64496"},
        {"kp.rpz-country", "country:KP"},
        {"www.evil.example", "www.evil.example"},
        {"32.7.100.51.198.rpz-ip.example", "32.7.100.51.198.rpz-ip.example"},
        {"a.b.c.rpz-ip", "a.b.c.rpz-ip"},
        {"x\\.y.rpz-z", "x\\.y.rpz-z"},
        {".", "."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SEK_RULE_TEXT_MAX];
        assert_int_equal(sek_about_met_to_text(cases[i].met, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_and_notation),       cmocka_unit_test(bad_ones_are_refused),
        cmocka_unit_test(networks_and_owners),       cmocka_unit_test(names_stay_names),
        cmocka_unit_test(servers_that_are_too_long), cmocka_unit_test(what_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
