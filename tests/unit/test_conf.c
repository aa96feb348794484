/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "conf/conf.h"
#include "base/file.h"
#include "conf/options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N(table) (sizeof(table) / sizeof((table)[0]))
#define L50 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define PATH255 "/" L50 L50 L50 L50 L50 "ffff"
#define TEXT120 L50 L50 "ffffffffffgggggggggg"

/* Allocation number `fail_at` from now fails (the test is linked with --wrap); 0: none does. */
static unsigned fail_at;

static int fails_now(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}

/* Parse "text" and say what `key` is afterwards; the error's text if it fails. */
static const char *parse_and_get(const char *text, size_t len, const char *key)
{
    static char answer[1024];
    struct sek_conf conf, empty;
    struct sek_diag diag = {0};
    struct sek_buf value;

    if (sek_conf_parse(text, len, "f", &conf, &diag) != SEK_OK) {
        memset(&empty, 0, sizeof(empty));
        assert_memory_equal(&conf, &empty, sizeof(conf)); /* nothing is left of a failure */
        sek_conf_fini(&conf);
        return strcpy(answer, diag.text);
    }
    sek_buf_init(&value, 0);
    assert_int_equal(sek_conf_get(&conf, key, &value), SEK_OK);
    snprintf(answer, sizeof(answer), "%s", value.data ? value.data : "");
    sek_buf_fini(&value);
    sek_conf_fini(&conf);
    return answer;
}

static void test_values(void **state)
{
    static const struct {
        const char *key, *text, *expected; /* what it is then, or part of the error */
    } cases[] = {
        {"policy.shrink-percent", "0", "0"},
        {"policy.shrink-percent", "100", "100"},
        {"policy.shrink-percent", "\"7\"", "7"}, /* quotes change nothing */
        {"policy.shrink-percent", "101",
         "f:2: policy.shrink-percent: '101' does not fit; allowed: 0 to "
         "100 percent"},
        {"policy.shrink-percent", "-1", "'-1' does not fit"},
        {"policy.shrink-percent", "+1", "'+1' does not fit"},
        {"policy.shrink-percent", "1.5", "'1.5' does not fit"},
        {"policy.shrink-percent", "0x10", "'0x10' does not fit"},
        {"policy.shrink-percent", "fifty", "'fifty' does not fit"},
        {"policy.shrink-percent", "18446744073709551616", "does not fit"},
        {"policy.shrink-percent", "", "'' does not fit"},
        {"policy.strict", "yes", "yes"},
        {"policy.strict", "true", "yes"},
        {"policy.strict", "on", "yes"},
        {"policy.strict", "no", "no"},
        {"policy.strict", "off", "no"},
        {"policy.strict", "false", "no"},
        {"policy.strict", "1", "f:2: policy.strict: '1' does not fit; allowed: yes or no"},
        {"policy.strict", "Yes", "'Yes' does not fit"},
        {"answer.ttl", "1s", "1s"},
        {"answer.ttl", "60m", "1h"},
        {"answer.ttl", "3599s", "59m59s"},
        {"answer.ttl", "0s", "f:2: answer.ttl: '0s' does not fit; allowed: 1s to 1h"},
        {"answer.ttl", "3601s", "allowed: 1s to 1h"},
        {"answer.ttl", "30", "allowed: 1s to 1h"},
        {"events.ring", "64k", "64k"},
        {"events.ring", "1GiB", "1g"},
        {"events.ring", "65535", "f:2: events.ring: '65535' does not fit; allowed: 64k to 1g"},
        {"events.ring", "1025m", "allowed: 64k to 1g"},
        {"events.ring", "65537", "65537"},
        {"answer.ipv4", "192.0.2.1", "192.0.2.1"},
        {"answer.ipv4", "::1", "allowed: an IPv4 address"},
        {"answer.ipv4", "192.0.2.0/24", "allowed: an IPv4 address"},
        {"answer.ipv6", "\"::\"", "::"},
        {"answer.ipv6", "2001:db8::1", "2001:db8::1"},
        {"answer.ipv6", "192.0.2.1", "allowed: an IPv6 address"},
        {"answer.ipv6", "\"::ffff:192.0.2.1\"", "allowed: an IPv6 address"}, /* is an IPv4 one */
        {"policy.db", "/a/b.db", "/a/b.db"},
        {"policy.db", PATH255, PATH255},
        {"policy.db", PATH255 "g", "allowed: an absolute path of up to 255 octets"},
        {"policy.db", "a/b.db", "f:2: policy.db: 'a/b.db' does not fit; allowed: an absolute path"},
        {"policy.db", "\"\"", "'' does not fit"},
        {"suffix.list", "\"\"", ""},
        {"suffix.list", "", ""},
        {"answer.contact", "help desk 1234", "help desk 1234"},
        {"answer.contact", "\"a: \\\"b\\\" \\\\ # c\"", "a: \"b\" \\ # c"},
        {"answer.contact", "Störung: 例え", "f:2: "},
        {"answer.contact", "'Störung: 例え'", "Störung: 例え"},
        {"answer.contact", TEXT120, TEXT120},
        {"answer.contact", TEXT120 "h", "allowed: a text of up to 120 octets"},
        {"answer.contact", "\"a\\nb\"", "f:2: answer.contact: has control or invisible characters"},
        {"answer.contact", "\"a\\0b\"", "f:2: NUL"},
        {"answer.contact", "\"a\\u202eb\"", "has control or invisible characters"},
        {"answer.contact", "yes", "yes"},
        {"answer.soa-mname", "ns.example.", "ns.example."},
        {"answer.soa-mname", "a b", "allowed: a domain name"},
        {"answer.soa-mname", "\"\"", "allowed: a domain name"},
        {"events.flush-ms", "10", "10"},
        {"events.flush-ms", "9", "allowed: 10 to 60000 milliseconds"},
        {"events.retention", "93784s", "93784s"}, /* exact, where the form for people rounds */
        {"events.retention", "3660d", "3660d"},
        {"events.retention", "3661d", "allowed: 1h to 3660d"},
        {"classify.mode", "off", "off"},
        {"classify.mode", "block", "block"},
        {"classify.mode", "no",
         "f:2: classify.mode: 'no' does not fit; allowed: off, monitor or block"},
        {"classify.block-ratio", "5.25", "5.25"},
        {"classify.block-ratio", "0.00001", "1e-05"},
        {"classify.block-ratio", "1e-05", "1e-05"},
        {"classify.block-ratio", "100.1", "allowed: a number, 0 to 100"},
        {"classify.block-ratio", "-0.5", "allowed: a number, 0 to 100"},
        {"classify.block-ratio", "nan", "'nan' does not fit"},
        {"classify.block-ratio", "1.2.3", "'1.2.3' does not fit"},
        {"policy.db", "[/a]", "f:2: policy.db: is a list; allowed: an absolute path"},
        {"policy.db", "{a: b}", "f:2: policy.db: is a group of settings; allowed: "},
        {"policy.never-block", "[]", ""},
        {"policy.never-block", "", ""},
        {"policy.never-block", "[corp.example, =host.example, \"*.lab.example\", bücher.example]",
         "corp.example\n=host.example\n*.lab.example\nbücher.example"},
        {"policy.never-block", "corp.example",
         "f:2: policy.never-block: is a single value; allowed: a list of up to 1024 names"},
        {"policy.never-block", "[a..b]",
         "f:2: policy.never-block: name 'a..b': has an empty label"},
        {"policy.never-block", "[192.0.2.1]",
         "f:2: policy.never-block: '192.0.2.1' is an IP address, not a name"},
        {"policy.never-block", "[a.example, \"=192.0.2.1\"]", "is an IP address"},
        {"policy.never-block", "[\"2001:db8::1\"]", "is an IP address"},
        {"policy.never-block", "[1.in-addr.arpa, 192.0.2.1.example]",
         "1.in-addr.arpa\n192.0.2.1.example"},
        {"policy.never-block", "[.]", "'.' would cover every name"},
        {"policy.never-block", "[\"*.\"]", "the name is empty"},
        {"policy.never-block", "[=]", "the name is empty"},
        {"policy.never-block", "[\"\"]", "the name is empty"},
        {"policy.never-block", "[xn--99999999999]", "does not decode"},
        {"policy.never-block", "[[a]]", "f:2: a list has single values only"},
        {"policy.never-block", "[{a: b}]", "f:2: a list has single values only"},
        {"policy.never-block", "[*.corp.example]", "quote what begins with *"},
        {"policy.never-block", "[*corp]", "quote a text that begins with *"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        char text[2048];
        const char *dot = strchr(cases[i].key, '.'), *got;
        bool is_error = strchr(cases[i].expected, ' ') && !strstr(cases[i].text, cases[i].expected);
        int n = snprintf(text, sizeof(text), "%.*s:\n  %s: %s\n", (int)(dot - cases[i].key),
                         cases[i].key, dot + 1, cases[i].text);

        got = parse_and_get(text, (size_t)n, cases[i].key);
        if (is_error ? !strstr(got, cases[i].expected) : strcmp(got, cases[i].expected) != 0)
            fail_msg("%s: %s gives '%s', not '%s'", cases[i].key, cases[i].text, got,
                     cases[i].expected);
    }
}

#define FILE_TEXT(s) s, sizeof(s) - 1

static void test_files(void **state)
{
    static const struct {
        const char *label, *text;
        size_t len;
        const char *expected; /* answer.ttl, or part of the error */
    } cases[] = {
        {"empty", FILE_TEXT(""), "30s"},
        {"comments only", FILE_TEXT("# nothing\n\n#"), "30s"},
        {"document mark only", FILE_TEXT("---\n"), "30s"},
        {"null document", FILE_TEXT("~"), "must stand here"},
        {"empty group", FILE_TEXT("answer:\npolicy:\n"), "30s"},
        {"byte order mark",
         FILE_TEXT("\xef\xbb\xbf"
                   "answer:\n  ttl: 5s\n"),
         "5s"},
        {"CRLF", FILE_TEXT("answer:\r\n  ttl: 5s\r\n"), "5s"},
        {"flow style", FILE_TEXT("{answer: {ttl: 5s}}"), "5s"},
        {"no newline at the end", FILE_TEXT("answer:\n  ttl: 5s"), "5s"},
        {"comment behind", FILE_TEXT("answer: # x\n  ttl: 5s # y\n"), "5s"},
        {"scalar", FILE_TEXT("hello"),
         "f:1: a group of settings such as \"policy:\" must stand here"},
        {"list", FILE_TEXT("- a\n"), "must stand here"},
        {"unknown group", FILE_TEXT("\n\nreplies:\n  ttl: 5s\n"),
         "f:3: replies: unknown setting; known here: policy, feeds, exceptions, roles, audit, "
         "answer, events, privacy, "
         "classify, "
         "dga, beacon, tunnel, nxburst, fastflux, shortlived, surge, newrate, bypass, sinkholed, "
         "udr, "
         "rebinding, domains, "
         "answers, "
         "nod, risk, geo, incident, status, suffix"},
        {"part of a group's name", FILE_TEXT("answ:\n  ttl: 5s\n"), "f:1: answ: unknown setting"},
        {"empty group name", FILE_TEXT("\"\":\n  ttl: 5s\n"), "f:1: : unknown setting"},
        {"dotted key", FILE_TEXT("answer.ttl: 5s\n"), "f:1: answer.ttl: unknown setting"},
        {"unknown key", FILE_TEXT("answer:\n  ipv4: 192.0.2.1\n  tll: 5s\n"),
         "f:3: answer.tll: unknown setting; known here: ipv4, ipv6, ttl,"},
        {"key of another group", FILE_TEXT("answer:\n  ring: 2m\n"), "f:2: answer.ring: unknown"},
        {"merge key", FILE_TEXT("answer:\n  <<: {ttl: 5s}\n"), "f:2: answer.<<: unknown setting"},
        {"very long key", FILE_TEXT("answer:\n  " L50 L50 ": 5s\n"), "unknown setting"},
        {"very long group", FILE_TEXT(L50 L50 ":\n  ttl: 5s\n"), "unknown setting"},
        {"key twice", FILE_TEXT("answer:\n  ttl: 5s\n  ede: no\n  ttl: 5s\n"),
         "f:4: answer.ttl: set twice, first in line 2"},
        {"group twice", FILE_TEXT("answer:\n  ttl: 5s\npolicy:\nanswer:\n  ede: no\n"),
         "f:4: answer: set twice, first in line 1"},
        {"group is a text", FILE_TEXT("answer: 5s\n"),
         "f:1: answer: is a group; write its settings"},
        {"group is a list", FILE_TEXT("answer:\n  - ttl\n"), "f:2: answer: is a group"},
        {"key is a list", FILE_TEXT("answer:\n  ? [a]\n  : 5s\n"), "must be a single word"},
        {"group name is a list", FILE_TEXT("? [a]\n: 5s\n"), "must be a single word"},
        {"anchor", FILE_TEXT("answer:\n  ttl: &a 5s\n"), "f:2: anchors"},
        {"anchored group", FILE_TEXT("answer: &a\n  ttl: 5s\n"), "anchors"},
        {"alias", FILE_TEXT("answer:\n  ttl: *a\n"), "f:2: aliases"},
        {"alias bomb", FILE_TEXT("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\n"),
         "f:1: a: unknown"},
        {"tag", FILE_TEXT("answer:\n  ttl: !!str 5s\n"), "f:2: tags"},
        {"deep nesting", FILE_TEXT("answer: {ttl: {a: {b: {c: {d: 1}}}}}\n"),
         "answer.ttl: is a group"},
        {"two documents", FILE_TEXT("answer:\n  ttl: 5s\n---\nanswer:\n"),
         "f:3: a second document"},
        {"tab", FILE_TEXT("answer:\n\tttl: 5s\n"), "f:2: "},
        {"cut off", FILE_TEXT("answer: {ttl: "), "did not find expected node content"},
        {"unclosed quote", FILE_TEXT("answer:\n  ttl: \"5s\n"), "f:"},
        {"no UTF-8", FILE_TEXT("answer:\n  contact: a\xff\n"), "f:2: invalid leading UTF-8 octet"},
        {"NUL", FILE_TEXT("answer:\n  ttl: 5s\0\n"), "f:2: control characters are not allowed"},
        {"NUL in a key", FILE_TEXT("answer:\n  \"ttl\\0\": 5s\n"), "f:2: NUL"},
        {"UTF-16",
         FILE_TEXT("\xff\xfe"
                   "a\0"),
         "f:1: "},
        {"binary", FILE_TEXT("\177ELF\2\1\1\0"), "f:1: "},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        const char *got = parse_and_get(cases[i].text, cases[i].len, "answer.ttl");

        if (!strstr(got, cases[i].expected))
            fail_msg("%s: '%s'", cases[i].label, got);
    }
}

static void test_many_names(void **state)
{
    struct sek_conf conf;
    struct sek_diag diag;

    (void)state;
    for (unsigned n = SEK_CONF_NAMES_MAX; n <= SEK_CONF_NAMES_MAX + 1; n++) {
        struct sek_buf text;
        enum sek_err err;

        sek_buf_init(&text, 0);
        sek_buf_add_text(&text, "policy:\n  never-block:\n");
        for (unsigned i = 0; i < n; i++)
            sek_buf_add_fmt(&text, "  - z%u.example\n", i);
        err = sek_conf_parse(text.data, text.len, "f", &conf, &diag);
        sek_buf_fini(&text);
        if (n <= SEK_CONF_NAMES_MAX) {
            assert_int_equal(err, SEK_OK);
            assert_int_equal(conf.policy.never_block.n, n);
            assert_string_equal(conf.policy.never_block.items[n - 1], "z1023.example");
        } else {
            assert_int_equal(err, SEK_E_LIMIT);
            assert_string_equal(diag.text,
                                "f:1027: policy.never-block: has more than 1024 entries");
        }
        sek_conf_fini(&conf);
    }
}

/* Memory that runs out at any point: an error, nothing kept (the sanitizer sees leaks). */
static void test_no_memory(void **state)
{
    static const char text[] = "policy:\n  never-block: [a.example, b.example, c.example]\n";
    unsigned n_failed = 0;
    enum sek_err err = SEK_E_NOMEM;

    (void)state;
    for (unsigned at = 1; err != SEK_OK; at++) {
        struct sek_conf conf;
        struct sek_diag diag = {0};

        fail_at = at;
        err = sek_conf_parse(text, sizeof(text) - 1, "f", &conf, &diag);
        fail_at = 0;
        if (err != SEK_OK) {
            assert_int_equal(err, SEK_E_NOMEM);
            assert_int_equal(diag.code, SEK_E_NOMEM);
            assert_null(conf.policy.never_block.items);
            n_failed++;
        }
        sek_conf_fini(&conf);
        assert_true(at < 100);
    }
    assert_int_equal(n_failed, 6); /* an entry and the longer list, three times */
}

/* A hostile file costs no more time than its size. */
static void test_deep_brackets(void **state)
{
    const size_t len = SEK_CONF_FILE_MAX;
    char *text = malloc(len);
    struct sek_conf conf;

    (void)state;
    for (const char *c = "[{-?&*!\"'"; *c; c++) {
        memset(text, *c, len);
        assert_int_equal(sek_conf_parse(text, len, "f", &conf, NULL), SEK_E_INVALID);
    }
    free(text);
}

static void test_domains_file(void **state)
{
    static const struct {
        const char *text, *path, *detectors;
    } cases[] = {
        {"", "/var/lib/sekisho/events/domains.seen", "/var/lib/sekisho/events/detectors.state"},
        {"events: {db: /x/y/e.db}\n", "/x/y/domains.seen", "/x/y/detectors.state"},
        {"events: {db: /e.db}\n", "/domains.seen", "/detectors.state"},
        {"domains: {file: /z/d}\n", "/z/d", "/var/lib/sekisho/events/detectors.state"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sek_conf conf;
        char path[SEK_CONF_PATH_MAX];

        assert_int_equal(sek_conf_parse(cases[i].text, strlen(cases[i].text), "f", &conf, NULL),
                         SEK_OK);
        assert_string_equal(sek_conf_domains_file(&conf, path), cases[i].path);
        assert_string_equal(sek_conf_detectors_file(&conf, path), cases[i].detectors);
        sek_conf_fini(&conf);
    }
}

/* Every field at a value that is not the default, printed and read again. */
static void test_print_reads_back(void **state)
{
    static const char text[] =
        "policy: {db: /x/p.db, dir: /x, never-block: [a.example, \"*.b.example\", =c.example,"
        " \"\\\\042.d\"], strict: yes, shrink-percent: 1, garbage-percent: 2,\n"
        "  versions: 3}\naudit: {undo: 2d, undo-size: 3m}\nfeeds: {user: fetcher}\n"
        "exceptions: {lifetime: 6d, lifetime-max: 80d, warn: 1d, unused: 9d, four-eyes: wide,"
        " required: yes}\n"
        "roles: {viewer: v, operator: o, approver: p, admin: a}\n"
        "answer: {ipv4: 192.0.2.1, ipv6: \"2001:db8::1\", ttl: 3599s, soa-mname: ns.example,"
        " soa-rname: 'a\\.b.example', ede: no, contact: \"-a: \\\"q\\\" \\\\ #é\"}\n"
        "events: {db: /x/e.db, ring: 65537, memory: 1m, flush-ms: 11, retention: 93784s,"
        " retention-hits: 2h, retention-traffic: 3h, retention-findings: 4h, size: 17m}\n"
        "privacy: {groups: guests, key: /x/k}\n"
        "classify: {mode: block, model: /x/m, monitor-ratio: 4.25, block-ratio: 1e-05}\n"
        "dga: {mode: off, names-per-alarm: 101, fade: 61s, endpoints: 9, lifetime: 62s}\n"
        "beacon: {mode: block, samples: 7, period-min: 2s, span: 67s, regularity: 0.75, new: 3d, "
        "pairs: 10,"
        " lifetime: 64s, exclude: [u.example]}\n"
        "tunnel: {mode: off, minute: 101, hour: 102, day: 103, pairs: 11, lifetime: 65s,"
        " exclude: [=v.example]}\n"
        "nxburst: {mode: off, names: 12, fade: 66s, endpoints: 13}\n"
        "surge: {mode: off, z: 7, floor: 9.5, learn: 2d, endpoints: 14}\n"
        "newrate: {mode: off, z: 8, floor: 6, learn: 3d, endpoints: 15}\n"
        "bypass: {mode: off, list: /etc/own.tsv, queries: 2, silent: 2h, endpoints: 16,\n"
        "  canary: nodata, exclude: [vpn.example]}\n"
        "sinkholed: {mode: block, list: /etc/holes.tsv, silent: 2h, endpoints: 17,\n"
        "  lifetime: 2d, exclude: [holes.example]}\n"
        "rebinding: {mode: block, exclude: [nas.example]}\n"
        "domains: {file: /x/d, memory: 2m, retention: 2d, warm-up: 1s, new: 63s, rare: 4}\n"
        "answers: {mode: no, retention: 3d, rows: 1001}\n"
        "nod: {mode: hold, hold: 2s, popular: 0, exclude: [n.example]}\n"
        "risk: {half-life: 3d, alert: 40, quarantine: 90, automatic: yes}\n"
        "fastflux: {mode: block, score: 100, asns: 6, countries: 4, entropy: 1.5, "
        "turnover: 0.25, ttl: 67s, window: 2d, new: 3d, popular: 7, domains: 64, lifetime: 2d, "
        "exclude: [p.example]}\n"
        "shortlived: {mode: block, new: 2d, life: 2d, ttl: 67s, silence: 2h, visits: 7, "
        "domains: 64, lifetime: 2d, exclude: [q.example]}\n"
        "udr: {mode: block, domains: [t.example], exclude: [u.example], learn: 2d, "
        "report: country, addresses: 64, retention: 2d, lifetime: 2d}\n"
        "geo: {asn: /a.mmdb, country: /c.mmdb}\n"
        "incident: {packets: '/x/{a,b}*.pcap'}\n"
        "status: {path: /x/s}\nsuffix: {list: /x/l}\n";
    struct sek_conf first, second, defaults;
    struct sek_diag diag = {0};

    (void)state;
    if (sek_conf_parse(text, sizeof(text) - 1, "f", &first, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_int_equal(sek_conf_init(&defaults, NULL), SEK_OK);
    for (int with_help = 0; with_help < 2; with_help++) {
        struct sek_buf printed, a, b, c;

        sek_buf_init(&printed, 0);
        sek_conf_print(&first, with_help, &printed);
        assert_false(printed.failed);
        if (sek_conf_parse(printed.data, printed.len, "f", &second, &diag) != SEK_OK)
            fail_msg("%s\n%s", diag.text, printed.data);
        for (const struct sek_option *o = sek_options; o->key; o++) {
            sek_buf_init(&a, 0);
            sek_buf_init(&b, 0);
            sek_buf_init(&c, 0);
            sek_conf_get(&first, o->key, &a);
            sek_conf_get(&second, o->key, &b);
            sek_conf_get(&defaults, o->key, &c);
            assert_string_equal(a.data, b.data);
            if (c.data && strcmp(a.data, c.data) == 0) /* or the test shows nothing */
                fail_msg("%s has its default", o->key);
            sek_buf_fini(&a);
            sek_buf_fini(&b);
            sek_buf_fini(&c);
        }
        sek_buf_fini(&printed);
        sek_conf_fini(&second);
    }
    assert_int_equal(first.events.retention_s, 93784);
    assert_string_equal(first.answer.contact, "-a: \"q\" \\ #é");
    sek_conf_fini(&first);
    sek_conf_fini(&defaults);
}

/* The shipped sample is what the table prints. */
static void test_sample_file(void **state)
{
    static const char path[] = SEK_SOURCE_DIR "/policy/default.yaml";
    struct sek_conf conf;
    struct sek_diag diag = {0};
    struct sek_buf printed, shipped;
    int fd;

    (void)state;
    sek_buf_init(&printed, 0);
    sek_buf_init(&shipped, 0);
    assert_int_equal(sek_conf_init(&conf, &diag), SEK_OK);
    sek_conf_print(&conf, true, &printed);
    sek_conf_fini(&conf);
    assert_int_equal(sek_file_open_regular(path, &fd, &diag), SEK_OK);
    assert_int_equal(sek_file_read(fd, &shipped, &diag), SEK_OK);
    close(fd);
    assert_string_equal(shipped.data, printed.data);
    if (sek_conf_load(path, &conf, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    sek_conf_fini(&conf);
    sek_buf_fini(&printed);
    sek_buf_fini(&shipped);
}

static void test_load(void **state)
{
    char path[] = "/tmp/sek-test-conf-XXXXXX", link[64];
    struct sek_conf conf;
    struct sek_diag diag = {0};
    struct sek_buf value;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(sek_file_write(fd, "answer:\n  ttl: 7s\n", 18, NULL), SEK_OK);
    snprintf(link, sizeof(link), "%s.link", path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(sek_conf_load(link, &conf, &diag), SEK_OK);
    assert_int_equal(conf.answer.ttl_s, 7);
    assert_string_equal(conf.policy.dir, "/var/lib/sekisho/policy");
    sek_buf_init(&value, 0);
    assert_int_equal(sek_conf_get(&conf, "answer.none", &value), SEK_E_NOTFOUND);
    assert_int_equal(sek_conf_get(&conf, "", &value), SEK_E_NOTFOUND);
    assert_int_equal(value.len, 0);
    sek_conf_fini(&conf);
    sek_conf_fini(&conf); /* twice is allowed */
    assert_int_equal(ftruncate(fd, SEK_CONF_FILE_MAX + 1), 0);
    assert_int_equal(sek_conf_load(path, &conf, &diag), SEK_E_LIMIT);
    assert_non_null(strstr(diag.text, path));
    assert_int_equal(sek_conf_load("/nonexistent/x", &conf, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_conf_load("/tmp", &conf, &diag), SEK_E_INVALID);
    sek_conf_fini(&conf);
    close(fd);
    unlink(path);
    unlink(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_deep_brackets),
        cmocka_unit_test(test_domains_file),
        cmocka_unit_test(test_print_reads_back),
        cmocka_unit_test(test_sample_file),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
