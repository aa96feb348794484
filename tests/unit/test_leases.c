/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"
#include "observe/leases.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1795773600 /* 2026-11-27T10:00:00Z */

/* What was read, a statement or complaint a line: "address from until end mac|name|owner|group",
 * "!line why". A time of -1 is "-", no end "*". */
struct seen {
    char text[8192];
    uint64_t n_leases, n_bad;
    enum sek_err stop;
};

static void add(struct seen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct seen *s, const char *fmt, ...)
{
    size_t n = strlen(s->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->text + n, sizeof s->text - n, fmt, args);
    va_end(args);
}

static const char *time_text(int64_t t, char out[24])
{
    if (t == SEK_LEASE_OPEN_S)
        snprintf(out, 24, "*");
    else if (t == SEK_LEASE_UNDATED)
        snprintf(out, 24, "-");
    else
        snprintf(out, 24, "%+" PRId64, t - NOW);
    return out;
}

static enum sek_err on_lease(void *arg, const struct sek_lease *l)
{
    static const char ends[] = {
        [SEK_LEASE_EXPECTED] = 'e', [SEK_LEASE_ENDED] = 'E', [SEK_LEASE_GONE] = 'g'};
    struct seen *s = arg;
    char addr[SEK_ADDR_TEXT_MAX] = "-", from[24], until[24];
    assert_true(l->until_s > l->from_s);
    if (l->has_addr)
        sek_addr_to_text(&l->addr, addr);
    add(s, "%s %s %s %c %s|%s|%s|%s\n", addr, time_text(l->from_s, from),
        time_text(l->until_s, until), ends[l->end], l->machine.mac, l->machine.name,
        l->machine.owner, l->machine.group);
    s->n_leases++;
    return s->stop;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
    struct seen *s = arg;
    add(s, "!%" PRIu64 " %s\n", line, why);
    s->n_bad++;
}

/* Read a text in pieces of so many octets. Returns what the reading returned. */
static enum sek_err read_text(const char *text, size_t len, size_t piece, enum sek_lease_format as,
                              enum sek_lease_format *out_format, struct seen *s)
{
    const struct sek_lease_sink sink = {on_lease, on_bad, s};
    struct sek_diag diag = {0};
    struct sek_leases *l;
    enum sek_err err = SEK_OK;
    assert_int_equal(sek_leases_new(as, NOW, &sink, &l), SEK_OK);
    for (size_t at = 0; at < len && !err; at += piece)
        err = sek_leases_feed(l, text + at, len - at < piece ? len - at : piece, &diag);
    if (!err)
        err = sek_leases_end(l, &diag);
    *out_format = sek_leases_format(l);
    sek_leases_free(l);
    return err;
}

/* The same whatever the pieces, the line ends and a byte order mark. */
static void check(const char *label, const char *text, enum sek_lease_format format,
                  const char *expected)
{
    static const size_t pieces[] = {1, 3, 7, 64, 100000};
    char *crlf = malloc(2 * strlen(text) + 4), *to = crlf;
    to += sprintf(to, "\xef\xbb\xbf");
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            *to++ = '\r';
        *to++ = *p;
    }
    *to = '\0';
    for (size_t i = 0; i < 2 * sizeof pieces / sizeof pieces[0]; i++) {
        struct seen s = {0};
        enum sek_lease_format told;
        const char *form = i % 2 ? crlf : text;
        assert_int_equal(read_text(form, strlen(form), pieces[i / 2], 0, &told, &s), SEK_OK);
        if (strcmp(s.text, expected) != 0)
            fail_msg("%s, pieces of %zu:\n%s\nexpected:\n%s", label, pieces[i / 2], s.text,
                     expected);
        assert_int_equal(told, format);
    }
    free(crlf);
}

static void test_csv(void **state)
{
    (void)state;
    check("columns in any order",
          "Owner,group, NAME ,mac,address,colour\n"
          "Ann,Sales,pc1,00-11-22-AA-BB-CC,192.0.2.7,red\n"
          ",,srv,,2001:DB8::1\n"
          "\n"
          "# a comment\n"
          "\"O'Neil, \"\"Bo\"\"\",\"a\nb\",x,,192.0.2.8,\n"
          "Eve,,,0011.22aa.bbcd,,\n",
          SEK_LEASE_CSV,
          "192.0.2.7 - * e 00:11:22:aa:bb:cc|pc1|Ann|Sales\n"
          "2001:db8::1 - * e |srv||\n"
          "192.0.2.8 - * e |x|O'Neil, \"Bo\"|a b\n"
          "- - * e 00:11:22:aa:bb:cd||Eve|\n");
    check("times",
          "address;name;from;until\n"
          "192.0.2.7;a;2026-11-27T09:00:00Z;2026-11-27 11:00+01:00\n"
          "192.0.2.7;b;1795773600;\n"
          "192.0.2.7;c;;2026-11-28\n"
          "192.0.2.7;d;0;5\n",
          SEK_LEASE_CSV,
          "192.0.2.7 -3600 +0 E |a||\n"
          "192.0.2.7 +0 * E |b||\n"
          "192.0.2.7 - +50400 E |c||\n"
          "192.0.2.7 -1795773600 -1795773595 E |d||\n");
    check("bad lines",
          "address,mac,name,from,until\n"
          "192.0.2.256,,a,,\n"
          "192.0.2.1,00:11:22:33:44,a,,\n"
          "192.0.2.1,,,,\n"
          ",,a,,\n"
          "192.0.2.1,,a,yesterday,\n"
          "192.0.2.1,,a,200,100\n"
          "192.0.2.1,\"00\"x,a,,\n"
          "192.0.2.2,,fine,,\n"
          "192.0.2.3,\"never closed,,,\nnor here\n",
          SEK_LEASE_CSV,
          "!2 \"192.0.2.256\" is no IP address\n"
          "!3 \"00:11:22:33:44\" is no MAC address\n"
          "!4 says nothing of the machine\n"
          "!5 has neither address nor mac\n"
          "!6 \"yesterday\" is no time\n"
          "!7 ends before it begins\n"
          "!8 has text behind a closing quote\n"
          "192.0.2.2 - * e |fine||\n"
          "!10 has a quote that is not closed\n");
    check("tabs", "mac\towner\n001122334455\tAnn\n", SEK_LEASE_CSV,
          "- - * e 00:11:22:33:44:55||Ann|\n");
}

/* What would drive a terminal or deceive a reader does not come through. */
static void test_names(void **state)
{
    (void)state;
    check("control characters",
          "address,name\n"
          "192.0.2.1,\033[2J\x07pc\x7f\n"
          "192.0.2.2,\xe2\x80\xaegnp.exe\n"
          "192.0.2.3,\xff\xc3(\n"
          "192.0.2.4,b\xc3\xbc"
          "cher.\n"
          "192.0.2.5,*\n",
          SEK_LEASE_CSV,
          "192.0.2.1 - * e |?[2J?pc?||\n"
          "192.0.2.2 - * e |?gnp.exe||\n"
          "192.0.2.3 - * e |?"
          "?(||\n"
          "192.0.2.4 - * e |b\xc3\xbc"
          "cher||\n"
          "!6 says nothing of the machine\n");
    assert_true(sek_machine_name_is_like("pc1", "PC1.corp.example"));
    assert_true(sek_machine_name_is_like("PC1.corp.example", "pc1"));
    assert_true(sek_machine_name_is_like("a.b", "A.B"));
    assert_false(sek_machine_name_is_like("pc1", "pc10"));
    assert_false(sek_machine_name_is_like("pc1", "pc10.corp.example"));
    assert_false(sek_machine_name_is_like("a.b", "a.b.c"));
    assert_false(sek_machine_name_is_like("", ""));
    assert_false(sek_machine_name_is_like("", "a"));
}

static void test_macs(void **state)
{
    static const struct {
        const char *text, *mac;
    } cases[] = {
        {"00:11:22:33:44:55", "00:11:22:33:44:55"},
        {"00-11-22-AA-bb-CC", "00:11:22:aa:bb:cc"},
        {"0011.22aa.bbcc", "00:11:22:aa:bb:cc"},
        {"001122AABBCC", "00:11:22:aa:bb:cc"},
        {"0:1:2:a:bb:c", "00:01:02:0a:bb:0c"},
        {"00:11:22:33:44:55:66:77", "00:11:22:33:44:55:66:77"},
        {"00:11:22:33:44", NULL},
        {"00:11:22:33:44:55:", NULL},
        {"00:11:22:33:44:5g", NULL},
        {"00::11:22:33:44:55", NULL},
        {"", NULL},
        {"0", NULL},
        {"00112233445566778899aabbccddeeff0011223344", NULL},
    };
    char out[SEK_LEASE_MAC_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is = sek_mac_from_text(cases[i].text, out);
        if (is != (cases[i].mac != NULL) || (is && strcmp(out, cases[i].mac) != 0))
            fail_msg("%s: %s", cases[i].text, is ? out : "none");
    }
}

static void test_json(void **state)
{
    (void)state;
    check("an array",
          "[\n  {\n    \"address\": \"192.0.2.7\", \"name\": \"pc1\",\n    \"owner\": "
          "\"J\\u00fcrgen\","
          " \"group\": null,\n    \"from\": 1795773600, \"until\": null\n  },\n"
          "  {\"mac\":\"00:11:22:33:44:55\",\"name\":\"a}{\\\"\"}, {\"tags\":[\"x\",\"y\"],"
          "\"address\":\"2001:db8::1\",\"info\":{\"name\":\"z\"}}\n]\n",
          SEK_LEASE_JSON,
          "192.0.2.7 +0 * E |pc1|J\xc3\xbcrgen|\n"
          "- - * e 00:11:22:33:44:55|a}{\"||\n"
          "2001:db8::1 - * e |z||\n");
    check("lines",
          "{\"address\":\"192.0.2.1\",\"name\":\"\\u001b[2Ja\"}\n"
          "what?\n"
          "{\"address\":\"nowhere\"}\n"
          "{\"hosts\":[{\"address\":\"192.0.2.2\",\"name\":\"b\"}]}\n"
          "{\"address\":\"192.0.2.3\"",
          SEK_LEASE_JSON,
          "192.0.2.1 - * e |?[2Ja||\n"
          "!2 is no JSON object\n"
          "!3 \"nowhere\" is no IP address\n"
          "!4 the object holds an array of objects; give that array alone\n"
          "!5 the object does not end: the file is cut off\n");
}

static void test_dhcpd(void **state)
{
    (void)state;
    check("a log",
          "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
          "authoring-byte-order little-endian;\n"
          "server-duid \"\\000\\001{;\";\n"
          "\n"
          "lease 192.0.2.10 {\n"
          "  starts 5 2026/11/27 10:00:00;\n"
          "  ends 5 2026/11/27 22:00:00;\n"
          "  cltt 5 2026/11/27 10:00:00;\n"
          "  binding state active;\n"
          "  next binding state free;\n"
          "  hardware ethernet 00:11:22:33:44:55;\n"
          "  uid \"\\001\\000\\\"};{\";\n"
          "  set vendor-class-identifier = \"MSFT 5.0\";\n"
          "  option agent.circuit-id { 1; }\n"
          "  client-hostname \"pc\\\"1\\033[2J\";\n"
          "}\n"
          "host fixed { dynamic; hardware ethernet 00:11:22:33:44:99; }\n"
          "lease 192.0.2.11 { starts epoch 1795773660; # Fri Nov 27 10:01:00 2026\n"
          " ends never; hardware ethernet 0:1:2:3:4:5; }\n"
          "lease 192.0.2.12 {\n starts 5 2026/11/27 08:00:00;\n ends 5 2026/11/27 09:00:00;\n"
          " binding state free;\n hardware ethernet 00:11:22:33:44:56;\n}\n"
          "lease 192.0.2.13 {\n starts 5 2026/11/27 08:00:00;\n ends 5 2026/11/27 09:00:00;\n"
          " binding state free;\n}\n"
          "lease 192.0.2.14 {\n binding state abandoned;\n client-hostname \"gone\";\n}\n"
          "ia-na \"\\001\" {\n cltt 5 2026/11/27 08:00:00;\n iaaddr 2001:db8::1 {\n"
          " binding state active;\n ends 5 2026/11/27 09:00:00;\n }\n}\n",
          SEK_LEASE_DHCPD,
          "192.0.2.10 +0 +43200 e 00:11:22:33:44:55|pc\"1?[2J||\n"
          "192.0.2.11 +60 * e 00:01:02:03:04:05|||\n"
          "192.0.2.12 -7200 -3600 E 00:11:22:33:44:56|||\n");
    check("damage",
          "lease 192.0.2.1 {\n starts 5 2026/13/27 08:00:00;\n hardware ethernet "
          "00:11:22:33:44:55;\n}\n"
          "lease 192.0.2.999 {\n starts 5 2026/11/27 08:00:00;\n hardware ethernet "
          "00:11:22:33:44:55;\n}\n"
          "lease 192.0.2.2 {\n hardware ethernet 00:11:22:33:44:55;\n}\n"
          "lease 192.0.2.3 {\n starts 5 2026/11/27 08:00:00;\n"
          "lease 192.0.2.4 {\n starts 5 2026/11/27 10:00:00;\n client-hostname \"d\";\n}\n}\n"
          "lease 192.0.2.5 {\n starts 5 2026/11/27 10:00:00;\n client-hostname \"no end;\n}\n"
          "lease 192.0.2.6 {\n starts 5 2026/11/27 10:00:00;\n client-hostname \"f\";\n",
          SEK_LEASE_DHCPD,
          "!2 \"starts 5 2026/13/27 08:00:00\" has no time that is understood\n"
          "!5 \"192.0.2.999\" is no IP address\n"
          "!9 the lease does not say when it starts\n"
          "!12 the lease does not end\n"
          "192.0.2.4 +0 * e |d||\n"
          "!21 a quote is not closed\n"
          "!23 the lease does not end\n");
}

static void test_kea(void **state)
{
    (void)state;
    check("lease4",
          "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,"
          "state,user_context,pool_id\n"
          "192.0.2.1,00:11:22:33:44:55,,3600,1795777200,1,1,1,pc1.corp.example.,0,,0\n"
          "192.0.2.1,00:11:22:33:44:55,,0,1795773600,1,1,1,pc1.corp.example.,0,,0\n"
          "192.0.2.2,00:11:22:33:44:56,,3600,1795770000,1,0,0,a&#x2cb,2,"
          "{ \"x\": \"&#x2c\" },0\n"
          "192.0.2.3,,,86400,1795777200,1,0,0,,1,,0\n"
          "192.0.2.4,00:11:22:33:44:57,,4294967295,6090740895,1,0,0,,0,,0\n"
          "192.0.2.5,00:11:22:33:44:58,,7200,1795777200,1,0,0,,3,,0\n"
          "192.0.2.6,00:11:22:33:44:59,,x,1795777200,1,0,0,,0,,0\n",
          SEK_LEASE_KEA,
          "192.0.2.1 +0 +3600 e 00:11:22:33:44:55|pc1.corp.example||\n"
          "192.0.2.1 +0 +1 g 00:11:22:33:44:55|pc1.corp.example||\n"
          "192.0.2.2 -7200 -3600 E 00:11:22:33:44:56|a,b||\n"
          "192.0.2.4 +0 * e 00:11:22:33:44:57|||\n"
          "192.0.2.5 -3600 +0 g 00:11:22:33:44:58|||\n"
          "!8 \"x\" is no number\n");
    check("lease6",
          "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,"
          "fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
          "2001:db8::1,00:01:00:01:2a:2b:2c:2d:00:11:22:33:44:55,3600,1795777200,1,1800,0,7,128,0,"
          "0,,,0,,,,0\n"
          "2001:db8::2,00:03:00:01:00:11:22:33:44:56,3600,1795777200,1,1800,0,7,128,0,0,n,"
          "00:11:22:33:44:57,0,,1,0,0\n"
          "2001:db8:1::,00:03:00:01:00:11:22:33:44:56,3600,1795777200,1,1800,2,7,56,0,0,n,,0,,,,"
          "0\n",
          SEK_LEASE_KEA,
          "2001:db8::1 +0 +3600 e 00:11:22:33:44:55|||\n"
          "2001:db8::2 +0 +3600 e 00:11:22:33:44:57|n||\n");
}

static void test_dnsmasq(void **state)
{
    (void)state;
    check("both parts",
          "1795784400 00:11:22:33:44:55 192.0.2.7 pc1 01:00:11:22:33:44:55\n"
          "0 06-00:11:22:33:44:56 192.0.2.8 * *\n"
          "1795770000 00:11:22:33:44:57 192.0.2.9 old *\n"
          "soon 00:11:22:33:44:57 192.0.2.9 old *\n"
          "1795784400 00:11:22:33:44:57\n"
          "1795784400 00:11:22:33:44:57 here old *\n"
          "duid 00:01:00:01:2a:2b:2c:2d:00:11:22:33:44:55\n"
          "1795784400 7602641 2001:db8::5 pc1 00:01:00:01:2a:2b:2c:2d:00:11:22:33:44:55\n"
          "1795784400 T760264 2001:db8::6 * 00:02:00:00:ab\n",
          SEK_LEASE_DNSMASQ,
          "192.0.2.7 +0 +10800 e 00:11:22:33:44:55|pc1||\n"
          "192.0.2.8 +0 * e 00:11:22:33:44:56|||\n"
          "192.0.2.9 -7200 -3600 e 00:11:22:33:44:57|old||\n"
          "!4 is no lease: expiry, MAC, address and name are due\n"
          "!5 is no lease: expiry, MAC, address and name are due\n"
          "!6 \"here\" is no IP address\n"
          "2001:db8::5 +0 +10800 e 00:11:22:33:44:55|pc1||\n");
}

static enum sek_err read_one(const char *text, size_t len, struct seen *s)
{
    enum sek_lease_format told;
    return read_text(text, len, 4096, 0, &told, s);
}

static void test_unknown(void **state)
{
    struct seen s = {0};
    (void)state;
    assert_int_equal(read_one("", 0, &s), SEK_OK);
    assert_int_equal(read_one("\n \n# nothing\n", 12, &s), SEK_OK);
    assert_int_equal(read_one("name,owner\npc,Ann\n", 18, &s), SEK_E_INVALID);
    assert_int_equal(read_one("%PDF-1.5\n", 9, &s), SEK_E_INVALID);
    assert_int_equal(s.n_leases + s.n_bad, 0);
    s.stop = SEK_E_FULL;
    assert_int_equal(read_one("address,name\n192.0.2.1,a\n192.0.2.2,b\n", 37, &s), SEK_E_FULL);
    assert_int_equal(s.n_leases, 1);
}

/* Lines, records and objects without end cost one complaint and no memory; what follows is read. */
static void test_huge(void **state)
{
    static char text[100000];
    struct seen s = {0};
    (void)state;
    size_t n = (size_t)sprintf(text, "address,name\n192.0.2.1,");
    memset(text + n, 'a', 50000);
    n += 50000;
    n += (size_t)sprintf(text + n, "\n192.0.2.2,b\n192.0.2.3,c%cd\n192.0.2.4,\"", 0);
    for (int i = 0; i < 1489; i++)
        n += (size_t)sprintf(text + n, "never shut\n");
    n += (size_t)sprintf(text + n, "192.0.2.9,z\n");
    assert_int_equal(read_one(text, n, &s), SEK_OK);
    assert_string_equal(s.text, "!2 longer than 16384 octets\n192.0.2.2 - * e |b||\n"
                                "!4 holds a NUL octet\n"
                                "!5 has a quote that is not closed within 16384 octets\n"
                                "192.0.2.9 - * e |z||\n");
    memset(&s, 0, sizeof s);
    n = (size_t)sprintf(text, "[{\"address\":\"192.0.2.1\",\"name\":\"");
    memset(text + n, 'a', 50000);
    n += 50000;
    n += (size_t)sprintf(text + n, "\"},{\"address\":\"192.0.2.2\",\"name\":\"");
    memset(text + n, 'a', 256);
    n += 256;
    n += (size_t)sprintf(text + n, "\"},{\"address\":\"192.0.2.3\",\"name\":\"c\"}]");
    assert_int_equal(read_one(text, n, &s), SEK_OK);
    assert_string_equal(s.text, "!1 the object is longer than 16384 octets\n"
                                "!1 name, owner or group is longer than 255 octets\n"
                                "192.0.2.3 - * e |c||\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),     cmocka_unit_test(test_names),   cmocka_unit_test(test_macs),
        cmocka_unit_test(test_json),    cmocka_unit_test(test_dhcpd),   cmocka_unit_test(test_kea),
        cmocka_unit_test(test_dnsmasq), cmocka_unit_test(test_unknown), cmocka_unit_test(test_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
