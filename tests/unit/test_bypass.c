/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch_samples.h"
#include "watch/bypass.h"
#include "watch/bypass_list.h"
#include <stdlib.h>
#include <unistd.h>

static struct sek_conf conf;
static struct sek_sign sign;
static void *bypass;

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_bypass_free(bypass);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_bypass_new(&conf, KEY, &bypass, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    bypass = NULL;
    memset(&conf, 0, sizeof conf);
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_bypass_free(bypass);
    sek_conf_fini(&conf);
    return 0;
}

static bool ask(const char *name, unsigned endpoint, int64_t time_ms)
{
    const struct question q = {name, endpoint, time_ms, .existence = SEK_EXISTENCE_EXISTS};
    struct sek_name wire;
    struct sek_observation o = observe(&q, &wire);

    return sek_bypass_see(bypass, &o, &sign);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static enum sek_bypass_kind kind_of(const struct sek_bypass_list *l, const char *text)
{
    struct sek_name name;
    unsigned labels;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return sek_bypass_list_find(l, &name, &labels);
}

static void test_built_in(void **state)
{
    static const struct {
        const char *name;
        enum sek_bypass_kind kind;
    } cases[] = {
        {"dns.google", SEK_BYPASS_DOH},
        {"mozilla.cloudflare-dns.com", SEK_BYPASS_DOH},
        {"ab12cd.dns.nextdns.io", SEK_BYPASS_DOH},
        {"nextdns.io", SEK_BYPASS_NONE},
        {"dot.libredns.gr", SEK_BYPASS_DOT},
        {"mask.icloud.com", SEK_BYPASS_RELAY},
        {"www.icloud.com", SEK_BYPASS_NONE},
        {"icloud.com", SEK_BYPASS_NONE},
        {"api.nordvpn.com", SEK_BYPASS_VPN},
        {"www.torproject.org", SEK_BYPASS_TOR},
        {"www.croxyproxy.com", SEK_BYPASS_PROXY},
        {"my-nas.duckdns.org", SEK_BYPASS_DYNAMIC},
        {"example.com", SEK_BYPASS_NONE},
        {"com", SEK_BYPASS_NONE},
        {".", SEK_BYPASS_NONE},
    };
    unsigned per_kind[SEK_BYPASS_DYNAMIC + 1] = {0};
    struct sek_bypass_list *l;
    struct sek_diag diag = {0};
    unsigned n = 0;

    (void)state;
    if (sek_bypass_list_open("", &l, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (kind_of(l, cases[i].name) != cases[i].kind)
            fail_msg("%s: kind %d", cases[i].name, kind_of(l, cases[i].name));
    for (const struct sek_bypass_row *row = sek_bypass_rows; row->name; row++, n++) {
        per_kind[kind_of(l, row->name)]++;
        for (const struct sek_bypass_row *p = sek_bypass_rows; p != row; p++)
            if (strcmp(p->name, row->name) == 0)
                fail_msg("%s: twice", row->name);
    }
    assert_int_equal(sek_bypass_list_rows(l), n);
    assert_true(n >= 150);
    for (int kind = SEK_BYPASS_DOH; kind <= SEK_BYPASS_DYNAMIC; kind++)
        assert_true(per_kind[kind] >= 5);
    assert_int_equal(per_kind[SEK_BYPASS_NONE], 0);
    sek_bypass_list_close(l);
}

/* Write a table; what opening it says, "" when all is well. */
static const char *open_text(const char *text, struct sek_bypass_list **out)
{
    static struct sek_diag diag;
    char path[] = "/tmp/sek-bypass-XXXXXX";
    int fd = mkstemp(path);

    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    diag.text[0] = '\0';
    enum sek_err err = sek_bypass_list_open(path, out, &diag);
    unlink(path);
    assert_true((err == SEK_OK) == (diag.text[0] == '\0'));
    return diag.text;
}

static void test_own_table(void **state)
{
    static const struct {
        const char *text, *said; /* NULL: it is fine */
    } cases[] = {
        {"# mine\n\nresolver.example\tDoH\thttps://example.org/\t2026-01-01\n", NULL},
        {"resolver.example\tDoH\r\n=host.example\tVPN", NULL},
        {"", "it has no name"},
        {"# nothing\n", "it has no name"},
        {"resolver.example DoH\n", "line 1: not \"name<TAB>kind\""},
        {"a.example\tDoH\nb.example\tDoX\n", "line 2: \"DoX\" is no kind"},
        {"com\tVPN\n", "covers a whole top-level domain"},
        {"..\tVPN\n", "line 1: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_bypass_list *l = NULL;
        const char *said = open_text(cases[i].text, &l);
        if (cases[i].said ? !strstr(said, cases[i].said) : *said != '\0')
            fail_msg("%zu: %s", i, said);
        if (l && i == 1) {
            assert_int_equal(kind_of(l, "host.example"), SEK_BYPASS_VPN);
            assert_int_equal(kind_of(l, "a.host.example"), SEK_BYPASS_NONE);
            assert_int_equal(kind_of(l, "a.resolver.example"), SEK_BYPASS_DOH);
        }
        sek_bypass_list_close(l);
    }
    struct sek_bypass_list *none;
    struct sek_diag diag = {0};
    assert_int_equal(sek_bypass_list_open("/nonexistent/table", &none, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/table"));
}

static void test_many_rows(void **state)
{
    struct sek_buf text;
    struct sek_bypass_list *l;

    (void)state;
    sek_buf_init(&text, 0);
    for (unsigned i = 0; i < 20000; i++)
        sek_buf_add_fmt(&text, "host%u.zone%u.example\tproxy\n", i, i / 10);
    assert_string_equal(open_text(text.data, &l), "");
    assert_int_equal(sek_bypass_list_rows(l), 20000);
    assert_int_equal(kind_of(l, "a.host19999.zone1999.example"), SEK_BYPASS_PROXY);
    assert_int_equal(kind_of(l, "host19999.zone1998.example"), SEK_BYPASS_NONE);
    assert_true(sek_bypass_list_octets(l) < 4 << 20);
    sek_bypass_list_close(l);
    sek_buf_fini(&text);
}

/* --- the detector ------------------------------------------------------------------------------
 */

static void test_found(void **state)
{
    (void)state;
    assert_false(ask("www.example.com", 1, T0_MS));
    assert_true(ask("dns.google", 1, T0_MS));
    assert_true(sign.is_new);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_BYPASS);
    assert_string_equal(sign.finding.technique, "T1572");
    assert_int_equal(sign.finding.domain_len, 0);
    assert_false(sign.may_block);
    assert_string_equal(sign.what, "asks for a resolver over HTTPS: dns.google");
    assert_string_equal(sign.finding.evidence, "{\"kind\":\"DoH\",\"names\":1,\"queries\":1,"
                                               "\"examples\":[\"dns.google\"]}");
    /* once a minute, and told when there is something new */
    assert_false(ask("dns.google", 1, T0_MS + 1000));
    assert_true(ask("dns.quad9.net", 1, T0_MS + 2000));
    assert_false(sign.is_new);
    assert_in_range(sign.finding.start_ms, T0_MS - 20, T0_MS);
    int64_t start_ms = sign.finding.start_ms;
    assert_non_null(strstr(sign.finding.evidence, "\"names\":2,\"queries\":2"));
    assert_false(ask("dns.google", 1, T0_MS + 61000));
    assert_true(ask("dns.google", 1, T0_MS + 130000)); /* doubled */
    /* kinds and endpoints apart */
    assert_true(ask("mask.icloud.com", 1, T0_MS) && sign.is_new);
    assert_int_not_equal(sign.finding.start_ms, start_ms); /* else one took the other's place */
    assert_string_equal(sign.finding.technique, "T1090");
    assert_true(ask("home.dyndns.org", 1, T0_MS) && sign.is_new);
    assert_string_equal(sign.finding.technique, "T1568");
    assert_true(ask("dns.google", 2, T0_MS) && sign.is_new);
    /* after a day another finding */
    assert_true(ask("dns.google", 1, T0_MS + 2 * 86400000LL) && sign.is_new);
}

static void test_settings(void **state)
{
    (void)state;
    renew("bypass: {queries: 3, exclude: [dns.google, \"=vpn.ivpn.net\"]}");
    for (unsigned i = 0; i < 10; i++)
        assert_false(ask("dns.google", 1, T0_MS + i * 60000LL));
    assert_false(ask("vpn.ivpn.net", 1, T0_MS));
    assert_false(ask("www.ivpn.net", 1, T0_MS));
    assert_false(ask("www.mullvad.net", 1, T0_MS));
    assert_true(ask("am.i.mullvad.net", 1, T0_MS));
}

static bool wants(const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    return sek_bypass_wants(bypass, name.octets, name.len);
}

/* Where only some names of a domain are listed each query of it matters. */
static void test_wants(void **state)
{
    (void)state;
    assert_true(wants("icloud.com"));
    assert_true(wants("quad9.net"));
    assert_false(wants("nordvpn.com"));
    assert_false(wants("example.com"));
    assert_false(wants("."));
}

static void test_adversary(void **state)
{
    unsigned signs = 0;

    (void)state;
    renew("bypass: {endpoints: 64}");
    size_t octets = sek_bypass_octets(bypass);
    for (unsigned i = 0; i < 5000; i++) {
        char name[300];
        snprintf(name, sizeof name, "\\%03u\\000\\255%055u.%063u.duckdns.org", i % 256, i, i);
        signs += ask(name, 1, T0_MS - i); /* back, and a name each time */
        ask("dns.google", 100 + i, T0_MS);
    }
    assert_true(signs < 64);
    assert_true(strlen(sign.finding.evidence) < sizeof sign.finding.evidence - 1);
    assert_int_equal(sek_bypass_octets(bypass), octets);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_own_table),
        cmocka_unit_test(test_many_rows),
        CASE(test_found),
        CASE(test_settings),
        CASE(test_wants),
        CASE(test_adversary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
