/* SPDX-License-Identifier: BSD-3-Clause */
/* What answers carry: addresses, servers, and who asks by address, on real compiled policies. */
#include "name/text.h"
#include "policy/compile.h"
#include "policy/groups_write.h"
#include "policy/nets_write.h"
#include "mmdb_samples.h"
#include "policy_fixture.h"
#include "verdict/engine.h"

#define NOW 1000000

static char dir[] = "/tmp/sek-response-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    unlink(path);
    return rmdir(dir);
}

#define KIDS 2
static const struct sek_list lists[] = {
    {.id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15, .name = "block"},
    {.id = 2, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_PASSTHRU, .name = "allow"},
    {.id = 3, .mode = SEK_MODE_MONITOR, .action = SEK_ACTION_NXDOMAIN, .name = "monitor"},
    {.id = 4, .mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN, .name = "off"},
    {.id = 5, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_LOG, .name = "log"},
    {.id = 6, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_NODATA, .priority = 10, .name = "prior"},
    {.id = 7, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_DROP, .audience = 1, .name = "kids"},
};
#define N_LISTS (sizeof lists / sizeof *lists)

struct text_rule {
    uint16_t list;
    const char *rule;
    int64_t expires_s;
};

static void rule_add(struct sek_compile *c, const struct text_rule *r)
{
    enum sek_scope scope;
    struct sek_name owner;
    struct sek_diag diag = {0};
    if (sek_rule_from_text(r->rule, strlen(r->rule), &scope, &owner, &diag) != SEK_OK)
        fail_msg("%s: %s", r->rule, diag.text);
    const struct sek_rule rule = {
        .list = r->list, .scope = (uint8_t)scope, .expires_s = r->expires_s};
    sek_compile_place(c, &owner);
    if (sek_about_is_net(sek_about_of(&owner)) || sek_about_of(&owner) == SEK_ABOUT_NSDNAME)
        assert_int_equal(sek_nets_writer_add(sek_compile_nets(c), &owner, &rule, NULL), SEK_OK);
    if (!sek_about_is_net(sek_about_of(&owner)))
        assert_int_equal(sek_compile_rule(c, owner.octets, owner.len, &rule, NULL), SEK_OK);
}

static struct sek_policy *policy_of(const struct text_rule *rules, size_t n)
{
    struct sek_compile *c;
    struct sek_diag diag = {0};
    char path[64];
    uint16_t index;
    struct sek_net net;
    const struct sek_client_group kids = {
        .id = KIDS, .action = SEK_ACTION_NXDOMAIN, .list = 2, .name = "kids"};
    const struct sek_audience only = {.only = sek_group_bit(KIDS)};
    assert_int_equal(sek_compile_new(0, &c, &diag), SEK_OK);
    assert_int_equal(sek_groups_writer_add(sek_compile_groups(c), &kids, &diag), SEK_OK);
    assert_int_equal(sek_groups_writer_audience(sek_compile_groups(c), &only, &index, &diag),
                     SEK_OK);
    assert_int_equal(sek_net_from_text("10.0.1.0/24", &net, NULL), SEK_OK);
    assert_int_equal(sek_groups_writer_member(sek_compile_groups(c), KIDS, &net, 0, &diag), SEK_OK);
    for (size_t i = 0; i < N_LISTS; i++)
        assert_int_equal(sek_compile_list(c, &lists[i], &diag), SEK_OK);
    for (size_t i = 0; i < n && rules[i].list; i++)
        rule_add(c, &rules[i]);
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    struct sek_image_info info = {.generation = 7};
    if (sek_compile_write(c, path, &info, NULL, NULL, &diag) != SEK_OK)
        fail_msg("compile: %s", diag.text);
    sek_compile_free(c);
    struct sek_policy *p;
    if (sek_policy_open(dir, &p, &diag) != SEK_OK)
        fail_msg("open: %s", diag.text);
    return p;
}

static struct sek_addr addr_of(const char *text)
{
    struct sek_addr addr;
    assert_int_equal(sek_addr_from_text(text, &addr, NULL), SEK_OK);
    return addr;
}

/* What is judged: an address of the answer, of a server ("nsip"), a server's name, or the endpoint
 * itself. */
enum what { ANSWER, SERVER_IP, SERVER, CLIENT };

/* clang-format off */
static const struct {
    const char *label;
    struct text_rule rules[4];
    enum what what;
    const char *about, *client; /* client NULL: anybody */
    enum sek_trigger trigger;
    enum sek_action action, would;
    uint16_t list;
    const char *matched; /* list notation */
} cases[] = {
    {"no rule", {{0}}, ANSWER, "192.0.2.1", NULL, 0, 1, 1, 0, NULL},
    {"an address", {{1, "response-ip:192.0.2.1"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.1"},
    {"beside it", {{1, "response-ip:192.0.2.1"}}, ANSWER, "192.0.2.2", NULL, 0, 1, 1, 0, NULL},
    {"a network", {{1, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.200", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.0/24"},
    {"IPv6", {{1, "response-ip:2001:db8::/32"}}, ANSWER, "2001:db8:1::2", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:2001:db8::/32"},
    {"all of IPv6 is not IPv4", {{1, "response-ip:::/0"}}, ANSWER, "192.0.2.1", NULL, 0, 1, 1, 0,
     NULL},
    {"within NAT64", {{1, "response-ip:192.0.2.0/24"}}, ANSWER, "64:ff9b::192.0.2.9", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.0/24"},
    {"the longest prefix wins, not the priority",
     {{1, "response-ip:192.0.2.0/24"}, {6, "response-ip:192.0.0.0/16"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.0/24"},
    {"equally long: priority",
     {{1, "response-ip:192.0.2.0/24"}, {6, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 4, 4, 6, "response-ip:192.0.2.0/24"},
    {"a wider exception beats a longer block",
     {{1, "response-ip:192.0.2.1"}, {2, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 1, 1, 2, "response-ip:192.0.2.0/24"},
    {"monitor", {{3, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 1, 3, 3, "response-ip:192.0.2.0/24"},
    {"log", {{5, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL, SEK_TRIGGER_RESPONSE_IP,
     1, 2, 5, "response-ip:192.0.2.0/24"},
    {"log does not hide a wider block",
     {{5, "response-ip:192.0.2.0/24"}, {1, "response-ip:192.0.0.0/16"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.0.0/16"},
    {"off", {{4, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL, 0, 1, 1, 0, NULL},
    {"over", {{1, "response-ip:192.0.2.0/24", NOW}}, ANSWER, "192.0.2.1", NULL, 0, 1, 1, 0, NULL},
    {"not over", {{1, "response-ip:192.0.2.0/24", NOW + 1}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.0/24"},
    {"for a group: one of it", {{7, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", "10.0.1.5",
     SEK_TRIGGER_RESPONSE_IP, 7, 7, 7, "response-ip:192.0.2.0/24"},
    {"for a group: others", {{7, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", "10.0.2.5", 0,
     1, 1, 0, NULL},
    {"for a group: anybody", {{7, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 7, 7, 7, "response-ip:192.0.2.0/24"},
    {"a server's rule is not about answers", {{1, "nsip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     0, 1, 1, 0, NULL},
    {"a foreign sinkhole", {{5, "sinkholed:192.0.2.1"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_SINKHOLED, 1, 2, 5, "sinkholed:192.0.2.1"},
    {"a foreign sinkhole that is blocked, too",
     {{5, "sinkholed:192.0.2.1"}, {1, "response-ip:192.0.2.0/24"}}, ANSWER, "192.0.2.1", NULL,
     SEK_TRIGGER_RESPONSE_IP, 5, 5, 1, "response-ip:192.0.2.0/24"},
    {"a server's address", {{1, "nsip:192.0.2.0/24"}}, SERVER_IP, "192.0.2.1", NULL,
     SEK_TRIGGER_NSIP, 5, 5, 1, "nsip:192.0.2.0/24"},
    {"an answer's rule is not about servers", {{1, "response-ip:192.0.2.0/24"}}, SERVER_IP,
     "192.0.2.1", NULL, 0, 1, 1, 0, NULL},
    {"a server", {{1, "nsdname:ns.evil.example"}}, SERVER, "ns.evil.example", NULL,
     SEK_TRIGGER_NSDNAME, 5, 5, 1, "nsdname:ns.evil.example"},
    {"a server below", {{1, "nsdname:evil.example"}}, SERVER, "ns.evil.example", NULL,
     SEK_TRIGGER_NSDNAME, 5, 5, 1, "nsdname:ns.evil.example"},
    {"exactly that server", {{1, "nsdname:=evil.example"}}, SERVER, "ns.evil.example", NULL, 0, 1,
     1, 0, NULL},
    {"servers below", {{1, "nsdname:*.evil.example"}}, SERVER, "evil.example", NULL, 0, 1, 1, 0,
     NULL},
    {"a name's rule is not about servers", {{1, "evil.example"}, {1, "nsdname:x.example"}}, SERVER,
     "evil.example", NULL, 0, 1, 1, 0, NULL},
    {"an excepted server", {{1, "nsdname:evil.example"}, {2, "nsdname:ns.evil.example"}}, SERVER,
     "ns.evil.example", NULL, SEK_TRIGGER_NSDNAME, 1, 1, 2, "nsdname:ns.evil.example"},
    {"a client", {{1, "client-ip:10.0.0.0/8"}}, CLIENT, "www.test", "10.9.9.9",
     SEK_TRIGGER_CLIENT_IP, 5, 5, 1, NULL},
    {"another client", {{1, "client-ip:10.0.0.0/8"}}, CLIENT, "www.test", "192.0.2.1", 0, 1, 1, 0,
     NULL},
    {"any client", {{1, "client-ip:10.0.0.0/8"}}, CLIENT, "www.test", NULL, SEK_TRIGGER_CLIENT_IP,
     5, 5, 1, NULL},
    {"any client when that is over", {{1, "client-ip:10.0.0.0/8", NOW - 1}}, CLIENT, "www.test",
     NULL, 0, 1, 1, 0, NULL},
    {"a client before names", {{1, "client-ip:10.0.0.0/8"}, {2, "www.test"}}, CLIENT, "www.test",
     "10.9.9.9", SEK_TRIGGER_CLIENT_IP, 5, 5, 1, NULL},
    {"an excepted client", {{2, "client-ip:10.9.9.9"}, {1, "www.test"}}, CLIENT, "www.test",
     "10.9.9.9", SEK_TRIGGER_CLIENT_IP, 1, 1, 2, NULL},
    {"an excepted client is not anybody", {{2, "client-ip:10.9.9.9"}, {1, "www.test"}}, CLIENT,
     "www.test", NULL, SEK_TRIGGER_QNAME, 5, 5, 1, NULL},
    {"a logged client, then names", {{5, "client-ip:10.9.9.9"}, {1, "www.test"}}, CLIENT,
     "www.test", "10.9.9.9", SEK_TRIGGER_QNAME, 5, 5, 1, NULL},
    {"a logged client", {{5, "client-ip:10.9.9.9"}}, CLIENT, "www.test", "10.9.9.9",
     SEK_TRIGGER_CLIENT_IP, 1, 2, 5, NULL},
};
/* clang-format on */

static void judge(size_t i, const struct sek_engine *engine, struct sek_verdict *v,
                  struct sek_name *matched)
{
    struct sek_name question = test_name("www.test"), server;
    struct sek_addr addr;
    switch (cases[i].what) {
    case ANSWER:
    case SERVER_IP:
        addr = addr_of(cases[i].about);
        sek_engine_decide_address(
            engine, &question, cases[i].what == ANSWER ? SEK_TRIGGER_RESPONSE_IP : SEK_TRIGGER_NSIP,
            &addr, NOW, v, matched, NULL, NULL);
        break;
    case SERVER:
        server = test_name(cases[i].about);
        sek_engine_decide_server(engine, &question, &server, NOW, v, matched, NULL, NULL);
        break;
    case CLIENT:
        sek_engine_decide(engine, &question, NOW, SEK_TRIGGER_QNAME, v, NULL, NULL);
        break;
    }
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_policy *p = policy_of(cases[i].rules, 4);
        struct sek_addr client = {{0}};
        struct sek_engine engine = {.policy = p};
        struct sek_verdict v;
        struct sek_name matched;
        char text[SEK_NAME_MAX * 4 + 8];
        if (cases[i].client) {
            client = addr_of(cases[i].client);
            engine.asking.endpoint = &client;
        }
        judge(i, &engine, &v, &matched);
        if (v.trigger != cases[i].trigger || v.action != cases[i].action ||
            v.would != cases[i].would || v.list != cases[i].list || v.generation != 7)
            fail_msg("%s: trigger %d action %d would %d list %u generation %u", cases[i].label,
                     v.trigger, v.action, v.would, v.list, (unsigned)v.generation);
        if (cases[i].matched) {
            sek_rule_to_text(SEK_SCOPE_SUBTREE, matched.octets, text);
            assert_string_equal(text, cases[i].matched);
            assert_true(v.depth < matched.n_labels);
        }
        sek_policy_close(p);
    }
}

static void own_zones_are_spared(void **state)
{
    (void)state;
    const struct text_rule rules[] = {{1, "response-ip:10.0.0.0/8"}, {1, "nsdname:ns.test"}};
    char zone[] = "corp.test", *zones[] = {zone};
    struct sek_never *own;
    assert_int_equal(sek_never_new(zones, 1, NULL, &own, NULL), SEK_OK);
    struct sek_policy *p = policy_of(rules, 2);
    const struct sek_engine engine = {.policy = p, .own = own, .rebinding = SEK_MODE_BLOCK};
    const struct sek_name inside = test_name("a.corp.test"), outside = test_name("a.other.test"),
                          server = test_name("ns.test");
    const struct sek_addr addr = addr_of("10.1.2.3"), other = addr_of("192.168.0.1");
    struct sek_verdict v;
    struct sek_name matched;
    sek_engine_decide_address(&engine, &inside, SEK_TRIGGER_RESPONSE_IP, &addr, NOW, &v, &matched,
                              NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    sek_engine_decide_address(&engine, &inside, SEK_TRIGGER_RESPONSE_IP, &other, NOW, &v, &matched,
                              NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    sek_engine_decide_server(&engine, &inside, &server, NOW, &v, &matched, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    sek_engine_decide_address(&engine, &outside, SEK_TRIGGER_RESPONSE_IP, &addr, NOW, &v, &matched,
                              NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_RESPONSE_IP);
    sek_engine_decide_server(&engine, &outside, &server, NOW, &v, &matched, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_NSDNAME);
    sek_policy_close(p);
    sek_never_free(own);
}

static void rebinding(void **state)
{
    (void)state;
    static const struct {
        const char *name, *addr;
        bool caught;
    } rows[] = {
        {"www.public.org", "10.0.0.1", true},
        {"www.public.org", "172.31.255.255", true},
        {"www.public.org", "172.32.0.0", false},
        {"www.public.org", "192.168.1.1", true},
        {"www.public.org", "127.0.0.1", true},
        {"www.public.org", "0.0.0.0", true},
        {"www.public.org", "169.254.169.254", true},
        {"www.public.org", "100.64.0.1", true},
        {"www.public.org", "100.128.0.1", false},
        {"www.public.org", "192.0.2.1", false},
        {"www.public.org", "::1", true},
        {"www.public.org", "::", true},
        {"www.public.org", "::2", false},
        {"www.public.org", "fd00::1", true},
        {"www.public.org", "fe80::1", true},
        {"www.public.org", "2001:db8::1", false},
        {"www.public.org", "64:ff9b::10.0.0.1", true},
        {"www.public.org", "224.0.0.1", false},
        {"nas.local", "10.0.0.1", false},
        {"x.home.arpa", "10.0.0.1", false},
        {"a.plex.org", "10.0.0.1", false},
    };
    char name[] = "plex.org", *names[] = {name};
    struct sek_never *exclude;
    assert_int_equal(sek_never_new(names, 1, NULL, &exclude, NULL), SEK_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int mode = SEK_MODE_OFF; mode <= SEK_MODE_BLOCK; mode++) {
            const struct sek_engine engine = {.rebinding = mode, .rebinding_exclude = exclude};
            const struct sek_name question = test_name(rows[i].name);
            const struct sek_addr addr = addr_of(rows[i].addr);
            struct sek_verdict v;
            struct sek_name matched;
            sek_engine_decide_address(&engine, &question, SEK_TRIGGER_RESPONSE_IP, &addr, NOW, &v,
                                      &matched, NULL, NULL);
            bool caught = rows[i].caught && mode != SEK_MODE_OFF;
            if ((v.trigger == SEK_TRIGGER_REBINDING) != caught ||
                sek_action_blocks(v.action) != (caught && mode == SEK_MODE_BLOCK))
                fail_msg("%s %s in mode %d: %d", rows[i].name, rows[i].addr, mode, v.trigger);
            assert_int_equal(v.monitor, caught && mode == SEK_MODE_MONITOR);
        }
    }
    sek_never_free(exclude);
}

/* --- places -------------------------------------------------------------------------------------
 */

static uint32_t place_put(struct mmdb_file *f, uint32_t asn, const char *country)
{
    uint32_t at = f->n;
    mmdb_map(f, 2);
    mmdb_text(f, "autonomous_system_number");
    mmdb_uint(f, 6, asn);
    mmdb_text(f, "country");
    mmdb_map(f, 1);
    mmdb_text_pair(f, "iso_code", country);
    return at;
}

static void geo_say(void *arg, bool trouble, const char *text)
{
    (void)arg;
    if (trouble)
        fail_msg("%s", text);
}

/* 192.0.2.0/24 is AS64496 in KP, 198.51.100.0/24 AS4200000000 in DE, 2001:db8::/32 AS64496 in DE.
 */
static struct sek_geo *geo_of(struct sek_conf *conf)
{
    struct mmdb_file *f = mmdb_begin(6, 28);
    struct sek_geo *geo;
    char path[64];
    mmdb_network(f, "192.0.2.0", 24, place_put(f, 64496, "KP"));
    mmdb_network(f, "198.51.100.0", 24, place_put(f, 4200000000u, "DE"));
    mmdb_network(f, "2001:db8::", 32, place_put(f, 64496, "DE"));
    mmdb_end(f, "Places");
    snprintf(path, sizeof path, "%s/places.mmdb", dir);
    mmdb_write(f, path);
    free(f);
    snprintf(conf->geo.asn, sizeof conf->geo.asn, "%s", path);
    assert_int_equal(sek_geo_new(conf, &geo, NULL), SEK_OK);
    assert_true(sek_geo_refresh(geo, NOW, geo_say, NULL));
    unlink(path);
    return geo;
}

static void places(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct text_rule rules[4];
        const char *answer, *client;
        enum sek_trigger trigger;
        enum sek_action action;
        const char *matched;
    } rows[] = {
        {"a network", {{1, "asn:64496"}}, "192.0.2.1", NULL, SEK_TRIGGER_ASN, 5, "asn:64496"},
        {"another", {{1, "asn:64496"}}, "198.51.100.1", NULL, 0, 1, NULL},
        {"of 32 bits",
         {{1, "asn:AS4200000000"}},
         "198.51.100.1",
         NULL,
         SEK_TRIGGER_ASN,
         5,
         "asn:4200000000"},
        {"IPv6", {{1, "asn:64496"}}, "2001:db8::1", NULL, SEK_TRIGGER_ASN, 5, "asn:64496"},
        {"unknown", {{1, "asn:64496"}}, "203.0.113.1", NULL, 0, 1, NULL},
        {"a country", {{1, "country:kp"}}, "192.0.2.1", NULL, SEK_TRIGGER_COUNTRY, 5, "country:KP"},
        {"NAT64",
         {{1, "country:KP"}},
         "64:ff9b::192.0.2.1",
         NULL,
         SEK_TRIGGER_COUNTRY,
         5,
         "country:KP"},
        {"a network beats a country",
         {{1, "country:KP"}, {6, "asn:64496"}},
         "192.0.2.1",
         NULL,
         SEK_TRIGGER_ASN,
         4,
         "asn:64496"},
        {"an address beats both",
         {{1, "asn:64496"}, {6, "response-ip:192.0.2.0/24"}},
         "192.0.2.1",
         NULL,
         SEK_TRIGGER_RESPONSE_IP,
         4,
         "response-ip:192.0.2.0/24"},
        {"an exception of an address",
         {{1, "country:KP"}, {2, "response-ip:192.0.2.1"}},
         "192.0.2.1",
         NULL,
         SEK_TRIGGER_RESPONSE_IP,
         1,
         "response-ip:192.0.2.1"},
        {"an exception of a network",
         {{1, "country:KP"}, {2, "asn:64496"}},
         "192.0.2.1",
         NULL,
         SEK_TRIGGER_ASN,
         1,
         "asn:64496"},
        {"monitor", {{3, "country:KP"}}, "192.0.2.1", NULL, SEK_TRIGGER_COUNTRY, 1, "country:KP"},
        {"ended", {{1, "asn:64496", NOW}}, "192.0.2.1", NULL, 0, 1, NULL},
        {"for kids, a kid",
         {{7, "asn:64496"}},
         "192.0.2.1",
         "10.0.1.1",
         SEK_TRIGGER_ASN,
         7,
         "asn:64496"},
        {"for kids, another", {{7, "asn:64496"}}, "192.0.2.1", "10.0.2.1", 0, 1, NULL},
        {"for kids, anybody",
         {{7, "asn:64496"}},
         "192.0.2.1",
         NULL,
         SEK_TRIGGER_ASN,
         7,
         "asn:64496"},
    };
    static struct sek_conf conf;
    struct sek_geo *geo = geo_of(&conf);
    const struct sek_name question = test_name("www.public.org");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_policy *p = policy_of(rows[i].rules, 4);
        const struct sek_addr answer = addr_of(rows[i].answer);
        struct sek_addr client = {0};
        struct sek_engine engine = {.policy = p, .geo = geo};
        struct sek_verdict v;
        struct sek_name matched;
        char text[SEK_NAME_TEXT_MAX + 2] = "";
        if (rows[i].client) {
            client = addr_of(rows[i].client);
            engine.asking.endpoint = &client;
        }
        sek_engine_decide_address(&engine, &question, SEK_TRIGGER_RESPONSE_IP, &answer, NOW, &v,
                                  &matched, NULL, NULL);
        if (v.trigger)
            sek_rule_to_text(SEK_SCOPE_EXACT, matched.octets, text);
        if (v.trigger != rows[i].trigger || v.action != rows[i].action ||
            strcmp(text, rows[i].matched ? rows[i].matched : "") != 0)
            fail_msg("%s: trigger %d action %d %s", rows[i].label, v.trigger, v.action, text);
        engine.geo = NULL; /* without a database such rules have no effect */
        sek_engine_decide_address(&engine, &question, SEK_TRIGGER_RESPONSE_IP, &answer, NOW, &v,
                                  &matched, NULL, NULL);
        assert_true(v.trigger != SEK_TRIGGER_ASN && v.trigger != SEK_TRIGGER_COUNTRY);
        sek_policy_close(p);
    }
    sek_geo_free(geo);
}

static void what_is_looked_at(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        unsigned looks;
    } rows[] = {
        {"www.public.org", 0},
        {"response-ip:192.0.2.1", SEK_LOOKS_ADDRESSES},
        {"sinkholed:192.0.2.1", SEK_LOOKS_ADDRESSES},
        {"client-ip:192.0.2.1", 0}, /* the groups of this policy say so already */
        {"nsip:192.0.2.1", SEK_LOOKS_SERVER_ADDRESSES},
        {"nsdname:ns.example", SEK_LOOKS_SERVERS},
        {"asn:64496", SEK_LOOKS_ADDRESSES},
        {"country:KP", SEK_LOOKS_ADDRESSES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text_rule rule = {1, rows[i].rule};
        struct sek_policy *p = policy_of(&rule, 1);
        const struct sek_engine engine = {.policy = p};
        assert_int_equal(sek_engine_looks(&engine), rows[i].looks | SEK_LOOKS_ENDPOINTS);
        sek_policy_close(p);
    }
    const struct sek_engine none = {0};
    assert_int_equal(sek_engine_looks(&none), 0);
    const struct sek_engine rebinding_only = {.rebinding = SEK_MODE_MONITOR};
    assert_int_equal(sek_engine_looks(&rebinding_only), SEK_LOOKS_ADDRESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(own_zones_are_spared),
        cmocka_unit_test(rebinding),
        cmocka_unit_test(places),
        cmocka_unit_test(what_is_looked_at),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
