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

/* "time_ms source>destination:port name action", and the outcome if it is another than connected;
 * or "0", or the complaint. */
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
    snprintf(out, sizeof out, "%lld %s>%s:%u %s %s%s%s", (long long)l.time_ms,
             l.has_source ? sek_addr_to_text(&l.source, from) : l.source_name, to, l.port,
             *l.name ? l.name : "-", l.action, l.outcome ? " " : "",
             l.outcome ? sek_lookup_name(sek_logoutcome_keys, (int)l.outcome) : "");
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
         "1795168800000 10.0.0.7>2001:db8::1:0 - TCP_DENIED/403 denied"},
        {"squid", "1795168800 95 10.0.0.7 TCP_DENIED/403 0 GET http://192.0.2.1/ - HIER_NONE/- -",
         "1795168800000 10.0.0.7>192.0.2.1:0 - TCP_DENIED/403 denied"},
        {"squid", "1795168800 95 10.0.0.7 NONE/400 0 NONE error:invalid-request - HIER_NONE/- -",
         "bad: has no destination: neither address nor name"},
        {"squid", "1795168800 95 - X 0 GET http://a.example/ - HIER_NONE/- -",
         "bad: source: nothing in column 3"},
        {"iptables",
         "Nov 20 09:00:05 gw kernel: [1.2] a: IN=eth1 OUT=eth0 MAC= SRC=10.0.0.7 DST=192.0.2.80 "
         "PROTO=TCP SPT=5 DPT=443 [SRC=9.9.9.9 DST=8.8.8.8]",
         "1795165205000 10.0.0.7>192.0.2.80:443 - TCP attempted"},
        {"iptables",
         "<134>Nov 20 09:00:05 gw kernel: IN=eth1 SRC=10.0.0.7 DST=192.0.2.80 PROTO=ICMP",
         "1795165205000 10.0.0.7>192.0.2.80:0 - ICMP attempted"},
        {"iptables",
         "<134>1 2026-11-20T10:00:05.5+09:00 gw kernel - - - SRC=10.0.0.7 DST=192.0.2.80 "
         "DPT=99999999",
         "1795136405500 10.0.0.7>192.0.2.80:0 -  attempted"},
        {"iptables", "Nov 20 09:00:05 gw sshd: hello", "0"},
        {"iptables", "SRC=10.0.0.7 DST=192.0.2.80",
         "bad: time: \"SRC=10.0.0.7 DST=192.0.2.80\" is none"},
        {"zeek-conn",
         "{\"ts\":1795168800.5,\"id.orig_h\":\"10.0.0.7\",\"id.resp_h\":\"192.0.2.80\",\"id.resp_"
         "p\":443,\"conn_state\":\"SF\"}",
         "1795168800500 10.0.0.7>192.0.2.80:443 - SF"},
        {"zeek-conn",
         "{\"ts\":\"2026-11-20T10:00:00.000000Z\",\"id\":{\"orig_h\":\"10.0.0.7\",\"resp_h\":\"192."
         "0.2.80\"}}",
         "1795168800000 10.0.0.7>192.0.2.80:0 -  attempted"},
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
         "1795168800000 PC7.corp.example>-:0 evil.example  asked"},
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
          "1795165200000 10.0.0.7>192.0.2.80:443 - a;\"b attempted");
    check("short", &m, "x;192.0.2.80",
          "bad: time: none of time, timestamp, date, start, @timestamp, Timestamp [UTC] is there");
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
          "1795168800250 10.0.0.7>192.0.2.80:53 - S0 attempted");
    check("other head", &m, "#fields\tts\tuid", "0");
    check("of another log", &m, "192.0.2.80\t1795168800.25\t10.0.0.7\t53\tS0",
          "bad: source: the head line has none of id.orig_h, orig_h");
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
            snprintf(expected, sizeof expected,
                     *cases[i].time ? "bad: time: \"%s\" is none"
                                    : "bad: time: nothing in column 1",
                     cases[i].time);
        check("time", &m, line, expected);
    }
}

/* --- outcomes ----------------------------------------------------------------------------------
 */

static void outcomes(void **state)
{
#define FW(prefix)                                                                                 \
    "Nov 20 09:00:05 gw kernel: [1.2] " prefix "IN=e OUT= SRC=10.0.0.7 DST=192.0.2.80"
#define EVE(more)                                                                                  \
    "{\"timestamp\":\"2026-11-20T10:00:00.5+0000\",\"src_ip\":\"10.0.0.7\",\"dest_ip\":\"192.0.2." \
    "80\"," more "}"
#define MDE(type)                                                                                  \
    "{\"Timestamp\":\"2026-11-20T10:00:00Z\",\"LocalIP\":\"10.0.0.7\",\"RemoteIP\":\"192.0.2."     \
    "80\",\"ActionType\":\"" type "\"}"
#define WFP(id)                                                                                    \
    "{\"@timestamp\":\"2026-11-20T10:00:00Z\",\"winlog\":{\"event_id\":" id                        \
    ",\"event_data\":{\"SourceAddress\":\"10.0.0.7\",\"DestAddress\":\"192.0.2.80\"}}}"
#define SQUID(code, by) "1795168800 9 10.0.0.7 " code " 5 CONNECT a.example:443 - " by " -"
#define FORTI(action)                                                                              \
    "<189>date=2026-11-20 time=19:00:05 devname=\"FG\" eventtime=1795168805000000000 "             \
    "srcip=10.0.0.7 dstip=192.0.2.80 dstport=443 action=\"" action "\""
#define ZEEK(s)                                                                                    \
    "{\"ts\":1795168800,\"id.orig_h\":\"10.0.0.7\",\"id.resp_h\":\"192.0.2.80\",\"conn_state\":"   \
    "\"" s "\"}"
    static const struct {
        const char *map, *line;
        int outcome; /* -1: about something else */
    } cases[] = {
        {"iptables", FW("[UFW BLOCK] "), SEK_OUTSIDE_DENIED},
        {"iptables", FW("[UFW ALLOW] "), SEK_OUTSIDE_CONNECTED},
        {"iptables", FW("[UFW AUDIT] "), SEK_OUTSIDE_ATTEMPTED},
        {"iptables", FW("fw-drop "), SEK_OUTSIDE_DENIED},
        {"iptables", FW("DROP"), SEK_OUTSIDE_DENIED}, /* no blank behind the prefix */
        {"iptables", FW("Shorewall:net-fw:REJECT:"), SEK_OUTSIDE_DENIED},
        {"iptables", FW("FINAL_REJECT: "), SEK_OUTSIDE_DENIED},
        {"iptables", FW("iptables denied: "), SEK_OUTSIDE_DENIED},
        {"iptables", FW("droplet "), SEK_OUTSIDE_ATTEMPTED},
        {"iptables", FW(""), SEK_OUTSIDE_ATTEMPTED},
        /* a machine's name says nothing */
        {"iptables", "2026-11-20T10:00:00Z drop-gw kernel: IN=e SRC=10.0.0.7 DST=192.0.2.80",
         SEK_OUTSIDE_ATTEMPTED},
        {"squid", SQUID("TCP_TUNNEL/200", "HIER_DIRECT/192.0.2.80"), SEK_OUTSIDE_CONNECTED},
        {"squid", SQUID("TCP_DENIED/403", "HIER_NONE/-"), SEK_OUTSIDE_DENIED},
        {"squid", SQUID("TCP_MEM_HIT/200", "HIER_NONE/-"), SEK_OUTSIDE_CONNECTED},
        {"squid", SQUID("NONE_NONE/503", "HIER_NONE/-"), SEK_OUTSIDE_FAILED},
        {"squid", SQUID("TCP_MISS/503", "HIER_DIRECT/2001:db8::503"), SEK_OUTSIDE_ATTEMPTED},
        {"squid", SQUID("TCP_MISS/200", "HIER_DIRECT/2001:db8::503"), SEK_OUTSIDE_CONNECTED},
        {"squid-combined",
         "10.0.0.7 - bob [20/Nov/2026:10:00:00 +0000] \"GET http://a.example/x HTTP/1.1\" 200 5 "
         "\"-\" \"Mozilla/5.0 (X11; a)\" TCP_MISS:HIER_DIRECT",
         SEK_OUTSIDE_CONNECTED},
        {"squid-combined",
         "10.0.0.7 - - [20/Nov/2026:10:00:00 +0000] \"CONNECT a.example:443 HTTP/1.1\" 403 5 \"-\" "
         "\"-\" TCP_DENIED:HIER_NONE",
         SEK_OUTSIDE_DENIED},
        {"edr-network", WFP("5156"), SEK_OUTSIDE_CONNECTED},
        {"edr-network", WFP("5157"), SEK_OUTSIDE_DENIED},
        {"edr-network", WFP("\"5152\""), SEK_OUTSIDE_DENIED},
        {"edr-network", MDE("ConnectionSuccess"), SEK_OUTSIDE_CONNECTED},
        {"edr-network", MDE("ConnectionFailed"), SEK_OUTSIDE_FAILED},
        {"edr-network", MDE("ConnectionAttempt"), SEK_OUTSIDE_ATTEMPTED},
        {"edr-network", MDE("ConnectionRequest"), SEK_OUTSIDE_ATTEMPTED},
        {"edr-network", MDE("DnsConnectionInspected"), -1},
        {"edr-network", MDE("InboundConnectionAccepted"), -1},
        {"zeek-conn", ZEEK("SF"), SEK_OUTSIDE_CONNECTED},
        {"zeek-conn", ZEEK("S1"), SEK_OUTSIDE_CONNECTED},
        {"zeek-conn", ZEEK("S0"), SEK_OUTSIDE_ATTEMPTED},
        {"zeek-conn", ZEEK("REJ"), SEK_OUTSIDE_FAILED},
        {"zeek-conn", ZEEK("RSTO"), SEK_OUTSIDE_CONNECTED},
        {"zeek-conn", ZEEK("RSTOS0"), SEK_OUTSIDE_ATTEMPTED},
        {"suricata", EVE("\"event_type\":\"flow\",\"flow\":{\"state\":\"established\"}"),
         SEK_OUTSIDE_CONNECTED},
        {"suricata", EVE("\"event_type\":\"flow\",\"flow\":{\"state\":\"new\"}"),
         SEK_OUTSIDE_ATTEMPTED},
        {"suricata", EVE("\"event_type\":\"drop\""), SEK_OUTSIDE_DENIED},
        {"suricata", EVE("\"event_type\":\"dns\""), -1},
        {"fortigate", FORTI("accept"), SEK_OUTSIDE_CONNECTED},
        {"fortigate", FORTI("deny"), SEK_OUTSIDE_DENIED},
        {"fortigate", FORTI("ip-conn"), SEK_OUTSIDE_FAILED},
        {"fortigate", FORTI("dns\" subtype=\"dns"), -1},
        {"firewall-json", EVE("\"oob.prefix\":\"fw drop: \""), SEK_OUTSIDE_DENIED},
        {"firewall-json", EVE("\"action\":\"allowed\""), SEK_OUTSIDE_CONNECTED},
        {"firewall-json", EVE("\"oob.prefix\":\"\""), SEK_OUTSIDE_ATTEMPTED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512], line[1000];
        struct sek_logmap m;
        struct sek_log_line out;
        struct sek_diag diag = {0};
        snprintf(path, sizeof path, SEK_SOURCE_DIR "/policy/correlate/%s.yaml", cases[i].map);
        snprintf(line, sizeof line, "%s", cases[i].line);
        if (sek_logmap_load(path, &m, &diag))
            fail_msg("%s", diag.text);
        int got = sek_logmap_line(&m, line, NOW_S, &out, &diag);
        if (got != (cases[i].outcome >= 0) || (got == 1 && (int)out.outcome != cases[i].outcome))
            fail_msg("%s %s: %d, outcome %d %s", cases[i].map, cases[i].line, got, (int)out.outcome,
                     diag.text);
        assert_int_equal(m.n_else, cases[i].outcome < 0);
    }
}

/* Packet filters by journalctl -o json: pairs in a member of an object. */
static void within_a_member(void **state)
{
    struct sek_logmap m;
    (void)state;
    assert_int_equal(
        sek_logmap_load(SEK_SOURCE_DIR "/policy/correlate/iptables-journal.yaml", &m, NULL), 0);
    check("dropped", &m,
          "{\"__REALTIME_TIMESTAMP\": \"1795168800250000\", \"MESSAGE\": \"drop IN=eth1 "
          "SRC=10.0.0.7 DST=192.0.2.80 PROTO=TCP DPT=443 \", \"_HOSTNAME\": \"gw\"}",
          "1795168800250 10.0.0.7>192.0.2.80:443 - TCP denied");
    check("the kernel's own time", &m,
          "{\"_SOURCE_REALTIME_TIMESTAMP\":\"1795168800000001\",\"__REALTIME_TIMESTAMP\":"
          "\"1795168900000000\",\"MESSAGE\":\"SRC=10.0.0.7 DST=192.0.2.80\"}",
          "1795168800000 10.0.0.7>192.0.2.80:0 -  attempted");
    check("another message", &m, "{\"MESSAGE\":\"hello\"}", "0");
    check("no object", &m, "SRC=10.0.0.7", "bad: is no JSON object");
    check("no time", &m, "{\"MESSAGE\":\"SRC=10.0.0.7 DST=192.0.2.80\"}",
          "bad: time: none of _SOURCE_REALTIME_TIMESTAMP, __REALTIME_TIMESTAMP is there");
    check("no source", &m, "{\"__REALTIME_TIMESTAMP\":\"1795168800250000\",\"MESSAGE\":\"SRC=-\"}",
          "bad: source: no SRC");
}

static void heads_that_lack(void **state)
{
    struct sek_logmap m;
    (void)state;
    assert_int_equal(sek_logmap_load(SEK_SOURCE_DIR "/policy/correlate/csv.yaml", &m, NULL), 0);
    check("no source", &m, "time,target,dst",
          "bad: source: the head line has none of source, src, src_ip, srcip, source_ip, client, "
          "client_ip, LocalIP");
    check("Defender's", &m,
          "\xef\xbb\xbfTimestamp,DeviceName,ActionType,LocalIP,RemoteIP,RemotePort,RemoteUrl", "0");
    check("a row", &m,
          "\"2026-11-20T10:00:00.1234567Z\",pc,ConnectionFailed,10.0.0.7,192.0.2.80,443,"
          "\"https://a.example/x,y\"",
          "1795168800123 10.0.0.7>192.0.2.80:443 a.example ConnectionFailed failed");
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
        {"kind: json\ntime: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]\n",
         "at most 16 values"},
        {"kind: json\ntime: a\nsource: b\nname: c\ndenied: no\n", "outcome is missing"},
        {"kind: json\ntime: a\nsource: b\nname: c\nwithin: M\n", "within: is for pairs"},
        {"kind: json\notherwise: maybe\n", "map:2: otherwise: \"maybe\" is no outcome; allowed:"},
        {"kind: json\ndenied: ''\n", "must have 1 to 47 octets"},
        {"kind: columns\ntime: 1\nsource: 2\nname: 3\noutcome: line\n",
         "outcome: must be a column"},
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
        cmocka_unit_test(by_installed_map), cmocka_unit_test(by_head_line),
        cmocka_unit_test(by_zeek_head),     cmocka_unit_test(times),
        cmocka_unit_test(outcomes),         cmocka_unit_test(within_a_member),
        cmocka_unit_test(heads_that_lack),  cmocka_unit_test(maps_refused),
        cmocka_unit_test(odd_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
