/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "name/text.h"
#include "observe/querylog.h"
#include <stdio.h>
#include <string.h>

#define NOW 1795784400 /* 2026-11-27T13:00:00Z */
#define AT 1795168800  /* 2026-11-20T10:00:00Z */

/* What a line tells: "format name time endpoint exists", "-" for nothing, "!" for a bad line. */
static const char *told(struct sek_querylog *log, const char *line, char *out, size_t size)
{
    char copy[512], name[SEK_NAME_TEXT_MAX], addr[SEK_ADDR_TEXT_MAX] = "-";
    struct sek_query_seen q;
    struct sek_diag diag = {0};

    snprintf(copy, sizeof copy, "%s", line);
    int is = sek_querylog_line(log, copy, &q, &diag);
    if (is <= 0) {
        assert_true(is == 0 || diag.text[0]);
        return is ? "!" : "-";
    }
    sek_name_to_text(q.seen.domain.octets, name);
    if (q.seen.n_addrs)
        sek_addr_to_text(&q.seen.addrs[0], addr);
    snprintf(out, size, "%s %s %+lld %s %s", sek_lookup_name(sek_querylog_names, (int)q.format),
             name, (long long)(q.seen.first_s - AT), addr,
             !q.says_exists    ? "?"
             : q.seen.resolved ? "yes"
                               : "no");
    return out;
}

static void test_lines(void **state)
{
    static const struct {
        const char *line, *told;
    } cases[] = {
        {"", "-"},
        {"# comment", "-"},
        /* Unbound */
        {"[1795168800] unbound[12:0] info: 192.0.2.1 www.example.com. A IN",
         "unbound www.example.com +0 192.0.2.1 ?"},
        {"[1795168801] unbound[12:0] info: 2001:db8::1 www.example.com. A IN NOERROR 0.1 0 60",
         "unbound www.example.com +1 2001:db8::1 yes"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a.com. A IN NXDOMAIN 0.1 0 60",
         "unbound a.com +0 192.0.2.1 no"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a.com. A IN SERVFAIL 0.1 0 60",
         "unbound a.com +0 192.0.2.1 ?"},
        {"[1795168800] unbound[12:0] query: 192.0.2.1 a.com. A IN", "unbound a.com +0 192.0.2.1 ?"},
        {"[1795168800] unbound[12:0] reply: 192.0.2.1 a.com. A IN NOERROR 0.1 0 60",
         "unbound a.com +0 192.0.2.1 yes"},
        {"Nov 20 10:00:00 ns unbound[12]: [12:0] info: 192.0.2.1 a.com. A IN",
         "unbound a.com +0 192.0.2.1 ?"},
        {"2026-11-20T11:00:00.5+01:00 ns unbound[12]: [12:0] info: 192.0.2.1 a.com. A IN",
         "unbound a.com +0 192.0.2.1 ?"},
        {"[1795168800] unbound[12:0] info: start of service (unbound 1.17.1).", "-"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 version.bind. TXT CH", "-"},
        {"[1795168800] unbound[12:0] notice: init module 0: dynlib", "-"},
        {"x unbound[12:0] info: 192.0.2.1 a.com. A IN", "!"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a..com. A IN", "!"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a\\x20(b.c_d.com. A IN",
         "unbound a\\032\\040b.c_d.com +0 192.0.2.1 ?"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 com.(a) A IN", "-"},
        /* BIND */
        {"20-Nov-2026 10:00:00.123 client @0x7f01 192.0.2.1#53 (a.com): query: a.com IN A +E(0)K "
         "(192.0.2.53)",
         "bind a.com +0 192.0.2.1 ?"},
        {"20-Nov-2026 10:00:00.123 queries: info: client 2001:db8::1#53 (a.com): view x: query: "
         "a.com IN A +",
         "bind a.com +0 2001:db8::1 ?"},
        {"20-Nov-2026 10:00:00.123 client @0x7f01 192.0.2.1#53 (.): query: . IN NS +",
         "bind . +0 "
         "192.0.2.1 ?"},
        {"20-Nov-2026 10:00:00.123 client @0x7f 192.0.2.1#53: query: v.bind CH TXT +", "-"},
        {"20-Nov-2026 10:00:00.123 client @0x7f 192.0.2.1#53 (a.com): query failed (SERVFAIL)",
         "-"},
        /* dnsmasq */
        {"Nov 20 10:00:00 dnsmasq[12]: query[A] a.com from 192.0.2.1",
         "dnsmasq a.com +0 192.0.2.1 ?"},
        {"Nov 20 10:00:00 dnsmasq[12]: 5 192.0.2.1/4711 query[type=65] a.com from 192.0.2.1",
         "dnsmasq a.com +0 192.0.2.1 ?"},
        {"Nov 20 10:00:00 dnsmasq[12]: reply a.com is NXDOMAIN", "dnsmasq a.com +0 - no"},
        {"Nov 20 10:00:00 dnsmasq[12]: cached a.com is 192.0.2.9", "dnsmasq a.com +0 - yes"},
        {"Nov 20 10:00:00 dnsmasq[12]: 5 192.0.2.1/4711 reply a.com is <CNAME>",
         "dnsmasq a.com +0 - yes"},
        {"Nov 20 10:00:00 dnsmasq[12]: forwarded a.com to 192.0.2.53", "-"},
        {"Nov 20 10:00:00 dnsmasq[12]: gravity blocked a.com is 0.0.0.0", "-"},
        {"Nov 20 10:00:00 dnsmasq[12]: started, version 2.89", "-"},
        {"Nov 20 10:00:00 dnsmasq[12]:", "-"},
        /* Windows */
        {"20.11.2026 10:00:00 0E5C PACKET  0001 UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A "
         "(1)A(3)com(0)",
         "windows-dns a.com +0 192.0.2.1 ?"},
        {"11/20/2026 10:00:00 AM 0E5C PACKET  0001 TCP Snd 2001:db8::1 a1b2 R Q [8385 A DR "
         "NXDOMAIN] A (1)a(3)com(0)",
         "windows-dns a.com +0 2001:db8::1 no"},
        {"20261120 10:00:00 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] NS (0)",
         "windows-dns . +0 192.0.2.1 ?"},
        {"20.11.2026 10:00:00 0E5C PACKET UDP Snd 192.0.2.53 a1b2   Q [0001 D NOERROR] A "
         "(1)a(3)com(0)",
         "-"},
        {"20.11.2026 10:00:00 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   U [0028 NOERROR] SOA "
         "(1)a(3)com(0)",
         "-"},
        {"31.11.2026 10:00:00 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A "
         "(1)a(3)com(0)",
         "!"},
        {"11/20/2026 13:00:00 AM 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A "
         "(1)a(3)com(0)",
         "!"},
        {"20.11.2026 10:00:00 0E5C PACKET UDP Rcv nobody a1b2   Q [0001 D NOERROR] A (1)a(0)", "!"},
        {"20.11.2026 10:00:00 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A (2)a(0)",
         "!"},
        {"20.11.2026 10:00:00 0E5C PACKET UDP Rcv 192.0.2.1 a1b2   Q [0001 D NOERROR] A (1)a", "!"},
        {"DNS Server log file creation at 20.11.2026 10:00:00", "-"},
        /* Zeek's JSON */
        {"{\"ts\":1795168800.5,\"id.orig_h\":\"192.0.2.1\",\"query\":\"a.com\",\"rcode_name\":"
         "\"NXDOMAIN\"}",
         "json a.com +0 192.0.2.1 no"},
        {"{\"query\":\"a.com\",\"id\":{\"orig_h\":\"::1\"},\"ts\":\"2026-11-20T10:00:00.5Z\"}",
         "json a.com +0 ::1 ?"},
        {"{\"ts\":1795168800.5,\"id.orig_h\":\"192.0.2.1\"}", "-"},
        {"{\"query\":\"a.com\"}", "!"},
        {"{", "-"},
        /* ours */
        {"a.com\t2026-11-20T10:00:00Z\t1795168801\t3\tno", "export a.com +0 - no"},
        {"a.com\t2026-11-20T10:00:00Z\t1795168801\t3\tmaybe", "!"},
        {"{\"schema\":\"sekisho.nod.export/"
         "1\",\"domain\":\"a.com\",\"first\":\"2026-11-20T10:00:00Z"
         "\",\"last\":\"2026-11-21T10:00:00Z\",\"endpoints\":3,\"resolved\":true}",
         "export a.com +0 - yes"},
        /* plain */
        {"a.com 1795168800", "plain a.com +0 - ?"},
        {"a.com,2026-11-20T10:00:00Z", "plain a.com +0 - ?"},
        {"2026-11-20 10:00:00\ta.com", "plain a.com +0 - ?"},
        {"1795168800;a.com", "plain a.com +0 - ?"},
        {"123456789.com 1795168800", "plain 123456789.com +0 - ?"},
        {"a.com", "!"},
        {"a.com 2026-11-20 b", "!"},
        {"a.com yesterday", "!"},
        {"http://a.com/ 2026-11-20", "!"},
    };
    char text[SEK_NAME_TEXT_MAX + 100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_querylog log;
        sek_querylog_init(&log, NOW);
        const char *got = told(&log, cases[i].line, text, sizeof text);
        if (strcmp(got, cases[i].told) != 0)
            fail_msg("%s\n  told %s", cases[i].line, got);
    }
}

static void test_default_date(void **state)
{
    struct sek_querylog log;
    char text[200];

    (void)state;
    sek_querylog_init(&log, NOW);
    log.default_s = AT - 1;
    assert_string_equal(told(&log, "a.com", text, sizeof text), "plain a.com -1 - ?");
    assert_string_equal(told(&log, "a.com 1795168800", text, sizeof text), "plain a.com +0 - ?");
}

/* The head tells which column is which; behind the end of the log there is none. */
static void test_zeek(void **state)
{
    static const struct {
        const char *line, *told;
    } lines[] = {
        {"#separator \\x09", "-"},
        {"#fields\tts\tuid\tid.orig_h\tquery\trcode_name", "-"},
        {"#types\ttime\tstring\taddr\tstring\tstring", "-"},
        {"1795168800.25\tC1\t192.0.2.1\ta.com\tNOERROR", "zeek a.com +0 192.0.2.1 yes"},
        {"1795168800.25\tC1\t192.0.2.1\t-\t-", "-"},
        {"1795168800.25\tC1\t192.0.2.1\tMy Printer._ipp._tcp.local\t-",
         "zeek my\\032printer._ipp._tcp.local +0 192.0.2.1 ?"},
        {"1795168800.25\tC1", "-"},
        {"-\tC1\t192.0.2.1\ta.com\tNOERROR", "!"},
        {"#close\t2026-11-20", "-"},
        {"a.com 1795168800", "plain a.com +0 - ?"},
        {"#fields\tquery\tts", "-"},
        {"a.com\t1795168800", "zeek a.com +0 - ?"},
        {"#fields\tts\thost", "-"}, /* another log */
        {"1795168800\ta.com", "plain a.com +0 - ?"},
    };
    struct sek_querylog log;
    char text[SEK_NAME_TEXT_MAX + 100];

    (void)state;
    sek_querylog_init(&log, NOW);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *got = told(&log, lines[i].line, text, sizeof text);
        if (strcmp(got, lines[i].told) != 0)
            fail_msg("%s\n  told %s", lines[i].line, got);
    }
    assert_int_equal(log.since_s, 0);
    assert_string_equal(told(&log, "#since\t1795168800", text, sizeof text), "-");
    assert_int_equal(log.since_s, AT);
}

/* What a line tells of the answer: "part type rcode ttl octets addresses time_ms". */
static void test_answers(void **state)
{
    static const struct {
        const char *line, *told;
    } lines[] = {
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a.com. AAAA IN", "1 28 -1 0 0 - 0"},
        {"[1795168800] unbound[12:0] info: 192.0.2.1 a.com. TYPE65 IN SERVFAIL 0.1 0 60",
         "2 65 2 0 0 - 0"},
        {"20-Nov-2026 10:00:00.123 client @0x7f01 192.0.2.1#53 (a.com): query: a.com IN MX +E(0)K",
         "0 15 -1 0 0 - 123"},
        {"Nov 20 10:00:00 dnsmasq[12]: query[type=65] a.com from 192.0.2.1", "1 65 -1 0 0 - 0"},
        {"Nov 20 10:00:00 dnsmasq[12]: query[A] a.com from 192.0.2.1", "1 1 -1 0 0 - 0"},
        {"Nov 20 10:00:00 dnsmasq[12]: reply a.com is 192.0.2.9", "2 0 0 0 0 192.0.2.9 0"},
        {"Nov 20 10:00:00 dnsmasq[12]: reply a.com is <CNAME>", "2 0 0 0 0 - 0"},
        {"Nov 20 10:00:00 dnsmasq[12]: reply a.com is NODATA-IPv6", "2 0 0 0 0 - 0"},
        {"Nov 20 10:00:00 dnsmasq[12]: reply a.com is NXDOMAIN", "2 0 3 0 0 - 0"},
        {"{\"ts\":1795168800.987654,\"uid\":\"C\",\"id.orig_h\":\"192.0.2.1\",\"query\":\"a.com\","
         "\"qtype\":1,\"qtype_name\":\"A\",\"rcode\":0,\"rcode_name\":\"NOERROR\",\"answers\":[\"b."
         "com\",\"192.0.2.9\",\"2001:db8::9\"],\"TTLs\":[300.0,60.0,61.5],\"rejected\":false}",
         "0 1 0 60 5 192.0.2.9 987"},
        {"{\"ts\":29.5,\"uid\":\"C\",\"query\":\"a.com\",\"qtype\":16}", "0 16 -1! 0 0 - 500"},
        {"{\"ts\":29.5,\"query\":\"a.com\",\"qtype_name\":\"TXT\"}", "0 16 -1 0 0 - 500"},
        {"{\"ts\":29.5,\"query\":\"a.com\",\"id.resp_p\":5353}", "none"},
        {"#fields\tts\tid.orig_h\tid.resp_p\tquery\tqtype\tqtype_name\trcode\trcode_name\tanswers\t"
         "TTLs\trejected",
         "none"},
        {"1795168800.001\t192.0.2.1\t53\ta.com\t1\tA\t0\tNOERROR\tb.com,192.0.2.9\t5.0,60.0\tF",
         "0 1 0 5 5 192.0.2.9 1"},
        {"1795168800.001\t192.0.2.1\t53\ta.com\t28\tAAAA\t0\tNOERROR\t-\t-\tF", "0 28 0 0 0 - 1"},
        {"1795168800.001\t192.0.2.1\t53\ta.com\t28\tAAAA\t-\t-\t-\t-\tF", "0 28 -1! 0 0 - 1"},
        {"1795168800.001\t192.0.2.1\t53\ta.com\t28\tAAAA\t5\tREFUSED\t-\t-\tT", "0 28 5 0 0 - 1"},
        {"1795168800.001\t192.0.2.1\t5353\ta.local\t28\tAAAA\t-\t-\t-\t-\tF", "none"},
        {"1795168800.001\t192.0.2.1\t137\t*\t32\tNB\t-\t-\t-\t-\tF", "none"},
    };
    struct sek_querylog log;
    struct sek_query_seen q;
    char copy[512], text[200], addr[SEK_ADDR_TEXT_MAX];

    (void)state;
    sek_querylog_init(&log, NOW);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(copy, sizeof copy, "%s", lines[i].line);
        snprintf(text, sizeof text, "none");
        if (sek_querylog_line(&log, copy, &q, NULL) == 1)
            snprintf(text, sizeof text, "%d %u %d%s %u %u %s %lld", q.part, q.qtype, q.rcode,
                     q.unanswered ? "!" : "", q.ttl_s, q.answer_octets,
                     q.n_answers ? sek_addr_to_text(&q.answers[0], addr) : "-",
                     (long long)(q.time_ms - q.time_ms / 1000 * 1000));
        if (strcmp(text, lines[i].told) != 0)
            fail_msg("%s\n  told %s", lines[i].line, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_default_date),
        cmocka_unit_test(test_zeek),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
