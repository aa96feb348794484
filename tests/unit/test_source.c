/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "traffic_samples.h"

#define TAB "\t"
#define ZEEK_HEAD                                                                                  \
    "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.resp_p\tquery\tqtype\trcode"    \
    "\tanswers\tTTLs\n"
#define HEAD "ts\tsrc\tdst\tqname\tqtype\trcode\tis_response\tancount\ta\tttl\tcname\tframelen\n"
#define C1 "10.0.0.1\t10.0.0.53\t"
#define S1 "10.0.0.53\t10.0.0.1\t"

static const struct {
    const char *label, *text, *told;
} cases[] = {
    {"nothing", "", ""},
    {"Unbound, queries",
     "[1795168800] unbound[1:0] notice: init module 0: dynlib\n"
     "[1795168800] unbound[1:0] info: 192.0.2.1 a.com. A IN\n"
     "[1795168801] unbound[1:0] info: 192.0.2.1 a.com. A IN\n",
     "0 192.0.2.1 a.com 1 passed 0 0\n1000 192.0.2.1 a.com 1 passed 0 0\n"},
    {"Unbound, queries and replies",
     "[1795168800] unbound[1:0] query: 192.0.2.1 a.com. A IN\n"
     "[1795168800] unbound[1:0] query: 192.0.2.1 b.com. MX IN\n"
     "[1795168801] unbound[1:0] reply: 192.0.2.1 b.com. MX IN NXDOMAIN 0.1 0 60\n"
     "[1795168801] unbound[1:0] reply: 192.0.2.2 b.com. MX IN SERVFAIL 0.1 0 60\n"
     "[1795168801] unbound[1:0] reply: 192.0.2.1 a.com. A IN NOERROR 0.1 0 60\n",
     "0 192.0.2.1 a.com 1 passed 0 0\n0 192.0.2.1 b.com 15 nxdomain 0 0\n"
     "1000 192.0.2.2 b.com 15 failed 0 0\n"},
    {"BIND", "20-Nov-2026 10:00:00.123 client 192.0.2.1#53 (a.com): query: a.com IN TXT +\n",
     "123 192.0.2.1 a.com 16 passed 0 0\n"},
    {"dnsmasq",
     "Nov 20 10:00:00 dnsmasq[1]: query[A] a.com from 192.0.2.1\n"
     "Nov 20 10:00:00 dnsmasq[1]: query[AAAA] a.com from 192.0.2.1\n"
     "Nov 20 10:00:00 dnsmasq[1]: forwarded a.com to 192.0.2.53\n"
     "Nov 20 10:00:00 dnsmasq[1]: reply a.com is 198.51.100.1\n"
     "Nov 20 10:00:00 dnsmasq[1]: reply a.com is 2001:db8::9\n"
     "Nov 20 10:00:01 dnsmasq[1]: query[A] b.com from 192.0.2.1\n"
     "Nov 20 10:00:01 dnsmasq[1]: reply b.com is NXDOMAIN\n",
     "0 192.0.2.1 a.com 1 passed 0 0 198.51.100.1\n0 192.0.2.1 a.com 28 passed 0 0 2001:db8::9\n"
     "1000 192.0.2.1 b.com 1 nxdomain 0 0\n"},
    {"plain, and what is bad", "a.com 1795168800\nb.com\n\nc.com 1795168801\n",
     "0 :: a.com 0 passed 0 0\n! :2: no time, and --date gives none\n"
     "1000 :: c.com 0 passed 0 0\n"},
    {"Zeek",
     ZEEK_HEAD "1795168800.001\tC\t192.0.2.1\t53\ta.com\t1\t0\tb.com,198.51.100.1\t9.0,8.0\n"
               "1795168800.002\tC\t192.0.2.1\t53\tc.com\t1\t3\t-\t-\n"
               "1795168800.003\tC\t192.0.2.1\t53\td.com\t1\t-\t-\t-\n"
               "1795168800.003\tC\t192.0.2.1\t5353\td.local\t1\t-\t-\t-\n"
               "#close\t2026-11-20\n" ZEEK_HEAD
               "1795168800.004\tC\t192.0.2.1\t53\ta\\x20b.com\t16\t0\tTXT 3 abc\t9.0\n",
     "1 192.0.2.1 a.com 1 passed 8 5 198.51.100.1\n2 192.0.2.1 c.com 1 nxdomain 0 0\n"
     "3 192.0.2.1 d.com 1 failed 0 0\n4 192.0.2.1 a\\032b.com 16 passed 9 9\n"},
    {"Zeek's JSON",
     "{\"ts\":1795168800.5,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.1\",\"query\":\"a.com\",\"qtype\":"
     "1,\"rcode\":0,\"answers\":[\"198.51.100.1\"],\"TTLs\":[7.0]}\n",
     "500 192.0.2.1 a.com 1 passed 7 0 198.51.100.1\n"},
    {"table",
     HEAD "1795168800.001\t" C1 "A.com\t1\t\t0\t0\t\t\t\t70\n"
          "1795168800.002\t" C1 "b.com\t28\t\t0\t0\t\t\t\t70\n"
          "1795168800.003\t" S1 "b.com\t28\t3\t1\t0\t\t\t\t70\n"
          "1795168800.004\t" S1
          "a.com\t1\t0\t1\t3\t198.51.100.1,198.51.100.2\t60,9\tcdn.example\t120\n"
          "1795168800.005\t" C1 "\t\t\t0\t0\t\t\t\t70\n"
          "later\t" C1 "c.com\t1\t\t0\t0\t\t\t\t70\n"
          "1795168800.006\t" C1 "c..com\t1\t\t0\t0\t\t\t\t70\n"
          "1795168800.007\t" C1 "t.com\t16\t\t0\t0\t\t\t\t70\n"
          "1795168800.008\t" S1 "t.com\t16\t0\t1\t1\t\t5\t\t177\n",
     "1 10.0.0.1 a.com 1 passed 9 11 198.51.100.1 198.51.100.2\n"
     "2 10.0.0.1 b.com 28 nxdomain 0 0\n"
     "! :7: has no time\n! :8: the name that is asked for is malformed\n"
     "7 10.0.0.1 t.com 16 passed 5 100\n"},
    {"tshark's names",
     "frame.time_epoch\tip.src\tipv6.src\tip.dst\tipv6.dst\tudp.srcport\tudp.dstport\tdns.id\t"
     "dns.qry.name\tdns.qry.type\tdns.flags.response\tdns.flags.rcode\tdns.a\tdns.aaaa\tdns.resp."
     "ttl\tdns.cname\r\n"
     "1795168800.1\t\t2001:db8::1\t\t2001:db8::53\t4000\t53\t0x00ff\ta.com\t1\tFalse\t\t\t\t\t\r\n"
     "1795168800.2\t\t2001:db8::1\t\t2001:db8::53\t4000\t53\t0x00fe\ta.com\t1\tFalse\t\t\t\t\t\r\n"
     "1795168800.3\t\t2001:db8::53\t\t2001:db8::1\t53\t4000\t0x00fe\ta.com\t1\tTrue\t0\t\t2001:db8:"
     ":7\t30\t\r\n",
     "100 2001:db8::1 a.com 1 failed 0 0\n200 2001:db8::1 a.com 1 passed 30 0 2001:db8::7\n"},
    {"a table of queries", "ts\tclient\tqname\n1795168800.1\tx\ta.com\n",
     "100 :: a.com 0 passed 0 0\n"},
    {"a page", "<html>\n",
     "!! : no format that is known: captures (pcap, pcapng), dnstap, Zeek's "
     "dns.log, query logs, tables with a head line\n"},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_told(cases[i].label, cases[i].text, strlen(cases[i].text), false, cases[i].told);
        expect_told(cases[i].label, cases[i].text, strlen(cases[i].text), true, cases[i].told);
    }
}

static const char *format_of(const char *text)
{
    struct sek_source *s;
    char path[64];

    write_file(text, strlen(text), false, path);
    assert_int_equal(sek_source_open(path, AT_S, &s, NULL), SEK_OK);
    unlink(path);
    const char *format = sek_source_format(s);
    sek_source_close(s);
    return format;
}

static void test_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].label, "BIND") == 0)
            assert_string_equal(format_of(cases[i].text), "bind");
        if (strcmp(cases[i].label, "Unbound, queries") == 0)
            assert_string_equal(format_of(cases[i].text), "unbound");
        if (strcmp(cases[i].label, "table") == 0)
            assert_string_equal(format_of(cases[i].text), "table");
    }
    assert_string_equal(format_of(ZEEK_HEAD), "zeek");
    assert_string_equal(format_of(""), "log");
}

static void test_no_file(void **state)
{
    struct sek_source *s;
    struct sek_diag diag;

    (void)state;
    assert_int_equal(sek_source_open("/tmp/no/such", AT_S, &s, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/tmp/no/such"));
    assert_int_equal(sek_source_open("/tmp", AT_S, &s, &diag), SEK_E_INVALID);
}

/* Lines longer than the window, NUL octets: told, and the next line is read. */
static void test_odd_lines(void **state)
{
    const size_t size = 600000;
    static const char good[] = "b.com 1795168800\n";
    char *text = malloc(size + 200);

    (void)state;
    memset(text, 'a', size);
    memcpy(text, good, strlen(good));
    text[size] = '\n';
    memcpy(text + size + 1, good, strlen(good));
    expect_told("long", text, size + 1 + strlen(good), false,
                "0 :: b.com 0 passed 0 0\n! :2: longer than 262143 octets\n"
                "0 :: b.com 0 passed 0 0\n");
    for (size_t i = 0; i < 5000; i += 17)
        memcpy(text + i, good, strlen(good));
    text[4998] = '\0';
    text[5002] = '\n';
    memcpy(text + 5003, good, strlen(good));
    char path[64];
    struct sek_buf told;
    sek_buf_init(&told, 0);
    write_file(text, 5003 + strlen(good), false, path);
    read_path(path, &told);
    unlink(path);
    assert_non_null(strstr(told.data, "! :295: holds a NUL octet\n0 :: b.com"));
    sek_buf_fini(&told);
    free(text);
}

/* A gzip file that is cut off: what came before it is told, not the half line. */
static void test_cut_off(void **state)
{
    char path[64], text[200000];
    size_t n = 0;
    uint64_t size;
    struct sek_source *s;
    static struct sek_event e;
    struct sek_diag diag;
    int got, n_events = 0;

    (void)state;
    for (unsigned i = 0; n < sizeof text - 64; i++)
        n += (size_t)snprintf(text + n, 64, "n%u%u.com 1795168800\n", i, i * 2654435761U);
    write_file(text, n, true, path);
    assert_int_equal(sek_source_open(path, AT_S, &s, NULL), SEK_OK);
    sek_source_octets(s, &size);
    sek_source_close(s);
    assert_int_equal(truncate(path, (off_t)size / 2), 0);
    assert_int_equal(sek_source_open(path, AT_S, &s, NULL), SEK_OK);
    while ((got = sek_source_next(s, &e, &diag)) == 1)
        n_events++;
    assert_true(n_events > 1000);
    assert_int_equal(got, SEK_E_IO);
    assert_non_null(strstr(diag.text, "cut off"));
    assert_int_equal(sek_source_next(s, &e, &diag), 0);
    sek_source_close(s);
    unlink(path);
}

static void test_stdin(void **state)
{
    struct sek_source *s;
    static struct sek_event e;
    int ends[2], saved = dup(STDIN_FILENO);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a.com 1795168800\n", 17), 17);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    assert_int_equal(sek_source_open("-", AT_S, &s, NULL), SEK_OK);
    assert_int_equal(sek_source_next(s, &e, NULL), 1);
    assert_int_equal(sek_source_next(s, &e, NULL), 0);
    sek_source_close(s);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_formats),
        cmocka_unit_test(test_no_file), cmocka_unit_test(test_odd_lines),
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_stdin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
