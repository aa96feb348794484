/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of outside logs by maps: every form, every kind of time, and what is refused. */
#include "tools/input/logmap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOW_S 1795168800 /* 2026-11-20T10:00:00Z */

static struct sek_logmap map_of(const char *yaml)
{
    struct sek_logmap m;
    struct sek_diag diag = {0};
    if (sek_logmap_parse(yaml, strlen(yaml), "map", &m, &diag))
        fail_msg("%s", diag.text);
    return m;
}

/* "time_ms source>destination:port name action", or "0", or the complaint. */
static const char *read_line(struct sek_logmap *m, const char *text)
{
    static char out[2000];
    char line[4000], from[SEK_ADDR_TEXT_MAX], to[SEK_ADDR_TEXT_MAX] = "-";
    struct sek_log_line l;
    struct sek_diag diag = {0};
    snprintf(line, sizeof line, "%s", text);
    int got = sek_logmap_line(m, line, NOW_S, &l, &diag);
    if (got < 0)
        snprintf(out, sizeof out, "bad: %s", diag.text);
    if (got == 0)
        snprintf(out, sizeof out, "0");
    if (got != 1)
        return out;
    if (l.has_destination)
        sek_addr_to_text(&l.destination, to);
    snprintf(out, sizeof out, "%lld %s>%s:%u %s %s", (long long)l.time_ms,
             l.has_source ? sek_addr_to_text(&l.source, from) : l.source_name, to, l.port,
             *l.name ? l.name : "-", l.action);
    return out;
}

static void check(const char *label, struct sek_logmap *m, const char *line, const char *expected)
{
    const char *got = read_line(m, line);
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s\nexpected %s\ngot      %s", label, line, expected, got);
}

/* --- the installed maps ------------------------------------------------------------------------
 */

static void by_installed_map(void **state)
{
    static const struct {
        const char *map, *line, *expected;
    } cases[] = {
        {"squid",
         "1795168800.123 95 10.0.0.7 TCP_TUNNEL/200 5 CONNECT evil.example:443 - "
         "HIER_DIRECT/192.0.2.80 -",
         "1795168800123 10.0.0.7>192.0.2.80:0 evil.example TCP_TUNNEL/200"},
        {"squid",
         "1795168800.1    95 2001:db8::7 TCP_MISS/200 5 GET "
         "https://user@EVIL.example:8443/a?b=://c - HIER_DIRECT/2001:db8::80 text/html",
         "1795168800100 2001:db8::7>2001:db8::80:0 evil.example TCP_MISS/200"},
        {"squid",
         "1795168800 95 10.0.0.7 TCP_DENIED/403 0 GET http://[2001:db8::1]:80/ - HIER_NONE/- -",
         "1795168800000 10.0.0.7>2001:db8::1:0 - TCP_DENIED/403"},
        {"squid", "1795168800 95 10.0.0.7 TCP_DENIED/403 0 GET http://192.0.2.1/ - HIER_NONE/- -",
         "1795168800000 10.0.0.7>192.0.2.1:0 - TCP_DENIED/403"},
        {"squid", "1795168800 95 10.0.0.7 NONE/400 0 NONE error:invalid-request - HIER_NONE/- -",
         "bad: has no destination: neither address nor name"},
        {"squid", "1795168800 95 - X 0 GET http://a.example/ - HIER_NONE/- -",
         "bad: has no source"},
        {"iptables",
         "Nov 20 09:00:05 gw kernel: [1.2] a: IN=eth1 OUT=eth0 MAC= SRC=10.0.0.7 DST=192.0.2.80 "
         "PROTO=TCP SPT=5 DPT=443 [SRC=9.9.9.9 DST=8.8.8.8]",
         "1795165205000 10.0.0.7>192.0.2.80:443 - TCP"},
        {"iptables",
         "<134>Nov 20 09:00:05 gw kernel: IN=eth1 SRC=10.0.0.7 DST=192.0.2.80 PROTO=ICMP",
         "1795165205000 10.0.0.7>192.0.2.80:0 - ICMP"},
        {"iptables",
         "<134>1 2026-11-20T10:00:05.5+09:00 gw kernel - - - SRC=10.0.0.7 DST=192.0.2.80 "
         "DPT=99999999",
         "1795136405500 10.0.0.7>192.0.2.80:0 - "},
        {"iptables", "Nov 20 09:00:05 gw sshd: hello", "0"},
        {"iptables", "SRC=10.0.0.7 DST=192.0.2.80",
         "bad: \"SRC=10.0.0.7 DST=192.0.2.80\" is no time"},
        {"zeek-conn",
         "{\"ts\":1795168800.5,\"id.orig_h\":\"10.0.0.7\",\"id.resp_h\":\"192.0.2.80\",\"id.resp_"
         "p\":443,\"conn_state\":\"SF\"}",
         "1795168800500 10.0.0.7>192.0.2.80:443 - SF"},
        {"zeek-conn",
         "{\"ts\":\"2026-11-20T10:00:00.000000Z\",\"id\":{\"orig_h\":\"10.0.0.7\",\"resp_h\":\"192."
         "0.2.80\"}}",
         "1795168800000 10.0.0.7>192.0.2.80:0 - "},
        {"zeek-conn", "1795168800.5\tC1\t10.0.0.7", "bad: no #fields line yet, and no JSON"},
        {"zeek-conn", "{", "bad: is no JSON object"},
        {"edr-network",
         "{\"@timestamp\":\"2020-01-01T00:00:00Z\",\"winlog\":{\"event_data\":{\"UtcTime\":\"2026-"
         "11-20 "
         "10:00:00.250\",\"SourceIp\":\"10.0.0.7\",\"DestinationIp\":\"192.0.2.80\","
         "\"DestinationPort\":\"443\",\"Image\":\"C:\\\\x.exe\"}}}",
         "1795168800250 10.0.0.7>192.0.2.80:443 - C:\\x.exe"},
        {"edr-network",
         "{\"TimeCreated\":\"/Date(1795168800000)/"
         "\",\"SourceAddress\":\"::ffff:10.0.0.7\",\"DestAddress\":\"192.0.2.80\",\"DestPort\":80,"
         "\"Application\":null}",
         "1795168800000 10.0.0.7>192.0.2.80:80 - "},
        {"edr-network", "{\"EventID\":1,\"SourceIp\":\"10.0.0.7\"}", "0"},
        {"windows-dns",
         "{\"UtcTime\":\"2026-11-20 "
         "10:00:00\",\"Computer\":\"PC7.corp.example\",\"QueryName\":\"Evil.Example\"}",
         "1795168800000 PC7.corp.example>-:0 evil.example "},
        {"windows-dns",
         "{\"UtcTime\":\"2026-11-20 10:00:00\",\"Computer\":\"PC7\",\"QueryName\":\"not a name\"}",
         "bad: has no destination: neither address nor name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        struct sek_logmap m;
        struct sek_diag diag = {0};
        snprintf(path, sizeof path, SEK_SOURCE_DIR "/policy/correlate/%s.yaml", cases[i].map);
        if (sek_logmap_load(path, &m, &diag))
            fail_msg("%s", diag.text);
        check(cases[i].map, &m, cases[i].line, cases[i].expected);
    }
}

static void by_head_line(void **state)
{
    struct sek_logmap m;
    (void)state;
    assert_int_equal(sek_logmap_load(SEK_SOURCE_DIR "/policy/correlate/csv.yaml", &m, NULL), 0);
    check("no head", &m, "1795168800,10.0.0.7,192.0.2.80",
          "bad: no head line yet that names time, source and destination");
    check("head", &m,
          "\xef\xbb\xbf"
          "Action;DST_IP;\"src\";Timestamp",
          "0");
    check("row", &m, "\"a;\"\"b\";192.0.2.80:443;10.0.0.7;20/Nov/2026:10:00:00 +0100",
          "1795165200000 10.0.0.7>192.0.2.80:443 - a;\"b");
    check("short", &m, "x;192.0.2.80", "bad: \"\" is no time");
    check("empty", &m, "", "0");
    sek_logmap_begin(&m); /* another file begins without a head line */
    check("next file", &m, "x;192.0.2.80;10.0.0.7;1795168800",
          "bad: no head line yet that names time, source and destination");
}

static void by_zeek_head(void **state)
{
    struct sek_logmap m;
    (void)state;
    assert_int_equal(sek_logmap_load(SEK_SOURCE_DIR "/policy/correlate/zeek-conn.yaml", &m, NULL),
                     0);
    check("head", &m, "#fields\tid.resp_h\tts\tid.orig_h\tid.resp_p\tconn_state", "0");
    check("row", &m, "192.0.2.80\t1795168800.25\t10.0.0.7\t53\tS0",
          "1795168800250 10.0.0.7>192.0.2.80:53 - S0");
    check("other head", &m, "#fields\tts\tuid", "0");
    check("of another log", &m, "192.0.2.80\t1795168800.25\t10.0.0.7\t53\tS0",
          "bad: no #fields line yet, and no JSON");
}

/* --- times -------------------------------------------------------------------------------------
 */

static void times(void **state)
{
    static const struct {
        const char *time;
        int64_t ms; /* with the zone +09:00; -1: none */
    } cases[] = {
        {"1795168800", 1795168800000},
        {"1795168800.125", 1795168800125},
        {"1795168800125", 1795168800125},
        {"2026-11-20T10:00:00Z", 1795168800000},
        {"2026-11-20T10:00:00+01:00", 1795165200000},
        {"2026-11-20T10:00:00-0100", 1795172400000},
        {"2026-11-20 19:00:00", 1795168800000},
        {"2026-11-20", 1795100400000},
        {"[20/Nov/2026:19:00:00 +0900]", 1795168800000},
        {"20/Nov/2026:10:00:00", 1795168800000}, /* web servers always say it: taken as UTC */
        {"Nov 20 18:59:59", 1795168799000},
        {"Dec 24 19:00:00", 1766570400000}, /* of last year: none lies in the future */
        {"20-Nov-2026 19:00:00.500", 1795168800500},
        {"32/Nov/2026:10:00:00 +0000", -1},
        {"20/Xyz/2026:10:00:00 +0000", -1},
        {"yesterday", -1},
        {"", -1},
        {"99999999999999999999", -1},
        {"2026-13-01T00:00:00Z", -1},
    };
    struct sek_logmap m = map_of(
        "kind: columns\nseparator: comma\ntime: 1\nsource: 2\ndestination: 3\nzone: '+09:00'\n");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200], expected[200];
        snprintf(line, sizeof line, "%s,10.0.0.7,192.0.2.80", cases[i].time);
        snprintf(expected, sizeof expected, "%lld 10.0.0.7>192.0.2.80:0 - ",
                 (long long)cases[i].ms);
        if (cases[i].ms < 0)
            snprintf(expected, sizeof expected, "bad: \"%s\" is no time", cases[i].time);
        check("time", &m, line, expected);
    }
}

static void zones(void **state)
{
    static const struct {
        const char *text;
        int64_t s; /* INT64_MIN: refused */
    } cases[] = {{"Z", 0},
                 {"UTC", 0},
                 {"+09:00", 32400},
                 {"-0530", -19800},
                 {"+14:00", 50400},
                 {"+15:00", INT64_MIN},
                 {"", INT64_MIN},
                 {"+", INT64_MIN},
                 {"+9:00", INT64_MIN},
                 {"0900", INT64_MIN},
                 {"+09:60", INT64_MIN},
                 {"+09:00x", INT64_MIN},
                 {"+090", INT64_MIN},
                 {"JST", INT64_MIN}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t s = INT64_MIN;
        enum sek_err e = sek_logmap_zone(cases[i].text, &s, NULL);
        if ((e == SEK_OK) != (cases[i].s != INT64_MIN) || s != cases[i].s)
            fail_msg("%s: %d %lld", cases[i].text, e, (long long)s);
    }
}

/* --- maps --------------------------------------------------------------------------------------
 */

static void maps_refused(void **state)
{
    static const struct {
        const char *yaml, *says;
    } cases[] = {
        {"", "kind is missing"},
        {"kind: columns\n", "time is missing"},
        {"kind: json\ntime: a\n", "source is missing"},
        {"kind: json\ntime: a\nsource: b\n", "destination or name is missing"},
        {"kind: xml\n", "map:1: kind: \"xml\" is no kind"},
        {"kind: json\nkind2: x\n", "map:2: kind2: unknown key"},
        {"kind: json\ntime: a\ntime: b\n", "map:3: time: set twice"},
        {"kind: columns\ntime: 0\nsource: 1\ndestination: 2\n", "must be a column, 1 to 128"},
        {"kind: columns\ntime: 129\nsource: 1\ndestination: 2\n", "must be a column, 1 to 128"},
        {"kind: json\ntime: ''\n", "must have 1 to 47 octets"},
        {"kind: json\ntime: [a, b, c, d, e, f, g, h, i]\n", "at most 8 values"},
        {"kind: json\nzone: nine\n", "no zone"},
        {"kind: json\nseparator: bar\n", "no separator"},
        {"kind: json\nname-form: uri\n", "no form"},
        {"kind: json\ndestination-after: '123456789'\n", "too long"},
        {"- kind\n", "map:1: lines such as"},
        {"kind: {a: b}\n", "map:1: a single value or a list"},
        {"kind: [[a]]\n", "map:1: a list has single values only"},
        {"kind: &x json\n", "map:1: only plain texts"},
        {"kind: *x\n", "map:1: only plain texts"},
        {"kind: json\n---\nkind: csv\n", "a second document"},
        {"kind: \"\\0\"\n", "only plain texts"},
        {"kind: 'json\n", "map:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_logmap m = {.kind = SEK_LOGMAP_CSV};
        struct sek_diag diag = {0};
        enum sek_err e = sek_logmap_parse(cases[i].yaml, strlen(cases[i].yaml), "map", &m, &diag);
        if (e != SEK_E_INVALID || !strstr(diag.text, cases[i].says) || m.kind != SEK_LOGMAP_CSV)
            fail_msg("%s: %d %s", cases[i].yaml, e, diag.text);
    }
}

/* Any octets at all: no line makes it read where there is nothing (run with sanitizers). */
static void odd_lines(void **state)
{
    static const char *const lines[] = {
        "\"",
        "\"\"",
        "\"a",
        "[",
        "[a",
        ",,,",
        ";;;;",
        "\t\t",
        "= = =",
        "a=\"",
        "a=\"b",
        "===",
        "{\"a\":",
        "{}",
        "{\"\":\"\"}",
        "<",
        "<1",
        "<134>1 ",
        "/Date(",
        "#fields\t",
        "#fields",
        "://",
        "http://",
        "http://@",
        "http://[",
        "http://[::1",
        "\xff\xfe",
        "1795168800,[",
        "1795168800,[1",
    };
    static const char *const kinds[] = {"columns", "csv", "json", "pairs", "zeek"};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char yaml[200];
        snprintf(yaml, sizeof yaml,
                 "kind: %s\ntime: 1\nsource: 2\ndestination: 3\nname: 2\nname-form: url\n"
                 "destination-after: '/'\n",
                 kinds[k]);
        struct sek_logmap m = map_of(yaml);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            const char *got = read_line(&m, lines[i]);
            assert_true(strcmp(got, "0") == 0 || strncmp(got, "bad: ", 5) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_installed_map),
        cmocka_unit_test(by_head_line),
        cmocka_unit_test(by_zeek_head),
        cmocka_unit_test(times),
        cmocka_unit_test(zones),
        cmocka_unit_test(maps_refused),
        cmocka_unit_test(odd_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
