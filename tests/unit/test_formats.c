/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/formats.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* rules: what the lines give, in list notation with the action where it is not the list's, joined
 * by blanks. why: part of the reason of the last bad line; NULL: no line is bad. */
struct row {
    const char *lines, *rules, *why;
};

struct seen {
    char rules[512];
    char why[512];
};

static enum sek_err see_rule(void *arg, const struct sek_read_rule *rule)
{
    struct seen *seen = arg;
    char text[SEK_NAME_TEXT_MAX + 2];
    size_t n = strlen(seen->rules);
    sek_rule_to_text(rule->scope, rule->name.octets, text);
    n += (size_t)snprintf(seen->rules + n, sizeof(seen->rules) - n, "%s%s", n ? " " : "", text);
    if (rule->action != SEK_ACTION_DEFAULT)
        n += (size_t)snprintf(seen->rules + n, sizeof(seen->rules) - n, ":%s",
                              sek_lookup_name(sek_action_names, (int)rule->action));
    if ((rule->terms && rule->action != SEK_ACTION_DATA) || rule->withdrawn)
        snprintf(seen->rules + n, sizeof(seen->rules) - n, "{%s}",
                 rule->withdrawn ? "withdrawn" : rule->terms);
    return SEK_OK;
}

static void see_bad(void *arg, uint64_t line, const char *why)
{
    struct seen *seen = arg;
    (void)line;
    snprintf(seen->why, sizeof(seen->why), "%s", why);
}

static const struct sek_format_row *row_of(enum sek_format format)
{
    const struct sek_format_row *row = sek_formats;
    while (row->id != format)
        row++;
    return row;
}

static void check(enum sek_format format, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct seen seen = {"", ""};
        struct sek_read_stats stats = {0};
        struct sek_addr sinkhole;
        sek_addr_from_text("192.0.2.66", &sinkhole, NULL);
        const struct sek_reader_hooks hooks = {.sinkhole = &sinkhole,
                                               .n_sinkhole = 1,
                                               .arg = &seen,
                                               .rule = see_rule,
                                               .bad = see_bad,
                                               .progress = NULL};
        struct sek_feed feed = {.hooks = &hooks, .stats = &stats};
        const char *at = rows[i].lines;
        for (;;) {
            size_t len = strcspn(at, "\n");
            row_of(format)->line(&feed, at, len);
            if (at[len] == '\0')
                break;
            at += len + 1;
        }
        bool why_fits = rows[i].why ? strstr(seen.why, rows[i].why) != NULL
                                    : stats.n_bad + stats.n_unsupported == 0;
        if (strcmp(seen.rules, rows[i].rules) != 0 || !why_fits)
            fail_msg("'%s': rules '%s', reason '%s'", rows[i].lines, seen.rules, seen.why);
    }
}
#define CHECK(format, rows) check(format, rows, sizeof(rows) / sizeof((rows)[0]))

static void test_plain(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"evil.example", "evil.example", NULL},
        {"  EVIL.example.\t", "evil.example", NULL},
        {"*.evil.example", "*.evil.example", NULL},
        {"=evil.example", "=evil.example", NULL},
        {".evil.example", "evil.example", NULL},
        {"bücher.example", "xn--bcher-kva.example", NULL},
        {"evil.example # why", "evil.example", NULL},
        {"evil.example\t#why", "evil.example", NULL},
        {"evil.example type=A ttl=5", "evil.example{type=A ttl=5}", NULL},
        {"=evil.example ede-text=\"# no comment\" # one",
         "=evil.example{ede-text=\"# no comment\"}", NULL},
        {"evil.example data=\"A 192.0.2.1\" data=\"TXT x\"", "evil.example:local-data", NULL},
        {"evil.example data=\"CNAME a.\" data=\"A 192.0.2.1\"", "", "excludes all others"},
        {"evil.example data=\"A 300.0.2.1\"", "", "no record"},
        {"evil.example data=\"SOA a. b. 1 2 3 4 5\"", "", "nobody answers"},
        {"evil.example type=BOGUS", "", "BOGUS"},
        {"evil.example type=A rest", "", "should stand here"},
        {"", "", NULL},
        {" \t ", "", NULL},
        {"# evil.example", "", NULL},
        {"#", "", NULL},
        {"; evil.example", "", NULL},
        {"! evil.example", "", NULL},
        {"// evil.example", "", NULL},
        {"example", "example", NULL},
        {".", ".", NULL}, /* the reader reads; sek_never_check refuses */
        {"evil.example#why", "", "\\DDD"},
        {"..evil.example", "", "empty label"},
        {"evil.example other.example", "", "blank"},
        {"192.0.2.1", "", "IP address"},
        {"0.0.0.0 evil.example www.evil.example # why", "=evil.example =www.evil.example", NULL},
        {"192.0.2.1 evil.example", "", "real address"},
        {"||evil.example^", "evil.example", NULL},
        {"|evil.example^", "=evil.example", NULL},
        {"@@||good.example^", "good.example:passthru", NULL},
        {"||evil.example", "", "no '^'"},
        {"||evil.example^$script", "", "not supported"},
        {"http://evil.example/", "", "URL"},
        {"*", "", "'*'"},
        {"\xff.example", "", "UTF-8"},
        {"xn--zzzzzzzz.example", "", "xn--"},
    };
    CHECK(SEK_FORMAT_PLAIN, rows);
}

static void test_regex(void **state)
{
    (void)state;
    static const struct row rows[] = {
#ifdef SEK_HAVE_HYPERSCAN
        {"^ads?[0-9]*[_.-]", "regex:^ads?[0-9]*[_.-]", NULL},
        {"  (\\.|^)track\\.  # Pi-hole's", "regex:(\\.|^)track\\.", NULL},
        {"/^x/", "regex:^x", NULL},
        {"regex:^x", "regex:^x", NULL},
        {"^x;querytype=a,AAAA", "regex:^x{type=A,AAAA}", NULL},
        {"^x;?y;reply=NODATA;querytype=!A", "regex:^x;?y:nodata{type=!A}", NULL},
        {"^x;reply=refused # why", "regex:^x:refused", NULL},
        {"^x;reply=::;reply=IP", "regex:^x:sinkhole", NULL},
        {"^x;reply=192.0.2.1", "regex:^x:local-data", NULL},
        {"(x", "", "position 1"},
        {".*", "", "every name"},
#else
        {"^ads?[0-9]*[_.-]", "", "built without regular expressions"},
#endif
        {"# a comment", "", NULL},
        {"^x;invert", "", "inverted"},
        {"^x;INVERT;querytype=A", "", "inverted"},
        {"^x;querytype=", "", "missing"},
        {"^x;querytype=OTHER", "", "'OTHER' is not a type"},
        {"^x;reply=", "", "a reply is"},
        {"^x;reply=IP;reply=NONE", "", "more than one kind"},
        {"^x;reply=0.0.0.0;reply=192.0.2.1", "", "more than one kind"},
        {"^x;querytype=A;x", "", "not known"},
        {"^x;querytype=A;", "", "not known"},
        {";querytype=A", "", "empty"},
        {"^b\xc3\xbc", "", "ASCII"},
    };
    CHECK(SEK_FORMAT_REGEX, rows);
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0.0.0.0 evil.example", "=evil.example", NULL},
        {"127.0.0.1\tevil.example", "=evil.example", NULL},
        {":: evil.example", "=evil.example", NULL},
        {"::1 evil.example", "=evil.example", NULL},
        {"127.255.0.1 evil.example", "=evil.example", NULL},
        {"0.0.0.0 evil.example#why", "=evil.example", NULL},
        {"0.0.0.0 a.example #b.example # c.example", "=a.example", NULL},
        {"10.1.2.3 intranet.lan.example nas.lan.example", "", "'10.1.2.3': a real address"},
        {"192.0.2.7 localhost", "", NULL},
        {"::ffff:10.1.2.3 a.example", "", "real address"},
        {"::2 a.example", "", "real address"},
        {"fe80::1%lo0 localhost", "", NULL},
        {"fe80::1%lo0 evil.example", "", "real address"},
        {"192.0.2.66 evil.example", "=evil.example", NULL}, /* our sinkhole */
        {"::ffff:0.0.0.0 evil.example", "=evil.example", NULL},
        {" 0.0.0.0  a.example\tb.example  # c.example", "=a.example =b.example", NULL},
        {"0.0.0.0 Evil.Example.", "=evil.example", NULL},
        {"127.0.0.1 localhost LOCALHOST.localdomain", "", NULL},
        {"255.255.255.255 broadcasthost", "", NULL},
        {"ff02::1 ip6-allnodes", "", NULL},
        {"0.0.0.0 0.0.0.0", "", NULL},
        {"127.0.0.1 localhost evil.example", "=evil.example", NULL},
        {"# 0.0.0.0 evil.example", "", NULL},
        {"", "", NULL},
        {"0.0.0.0", "", "without a name"},
        {"0.0.0.0 # evil.example", "", "without a name"},
        {"evil.example", "", "IP address should stand"},
        {"0.0.0 evil.example", "", "IP address should stand"},
        {"0.0.0.0 a.example b/c d.example", "=a.example =d.example", "URL"},
        {"0.0.0.0 *.evil.example", "", "patterns"},
        {"0.0.0.0 =evil.example", "", "patterns"},
        {"0.0.0.0 192.0.2.1", "", "IP address"},
    };
    CHECK(SEK_FORMAT_HOSTS, rows);
}

static void test_adblock(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"||evil.example^", "evil.example", NULL},
        {"||EVIL.example^|", "evil.example", NULL},
        {"||*.evil.example^", "*.evil.example", NULL},
        {"|evil.example^", "=evil.example", NULL},
        {"evil.example", "=evil.example", NULL},
        {"@@||good.example^", "good.example:passthru", NULL},
        {"@@|good.example^|", "=good.example:passthru", NULL},
        {"@@good.example", "=good.example:passthru", NULL},
        {"||bücher.example^", "xn--bcher-kva.example", NULL},
        {"||evil.example^$important", "evil.example", NULL},
        {"||evil.example^$all", "evil.example", NULL},
        {"||evil.example^$document,IMPORTANT", "evil.example", NULL},
        {"@@||good.example^$important", "good.example:passthru", NULL},
        {"0.0.0.0 evil.example b.example", "=evil.example =b.example", NULL},
        {"||evil.example^ # why", "evil.example", NULL},
        {"! ||evil.example^", "", NULL},
        {"[Adblock Plus 2.0]", "", NULL},
        {"# ||evil.example^", "", NULL},
        {"## Section", "", NULL},
        {"##########", "", NULL},
        {"#", "", NULL},
        {"", "", NULL},
        {"##.banner", "", "page content"},
        {"###banner", "", "page content"},
        {"evil.example##.banner", "", "page content"},
        {"evil.example#@#.banner", "", "page content"},
        {"||evil.example^$third-party", "", "'third-party'"},
        {"||evil.example^$domain=a.example", "", "'domain=a.example'"},
        {"||evil.example^$client=192.0.2.1", "", "list audience"},
        {"||evil.example^$denyallow=a.example", "", "exception"},
        {"||evil.example^$important,dnstype=AAAA", "evil.example{type=AAAA}", NULL},
        {"||evil.example^$dnstype=aaaa|A", "evil.example{type=A,AAAA}", NULL},
        {"@@||evil.example^$dnstype=~CNAME|~TXT", "evil.example:passthru{type=!CNAME,TXT}", NULL},
        {"||evil.example^$dnstype=A|~TXT", "", "with and without '~'"},
        {"||evil.example^$dnstype", "", "not supported"},
        {"||evil.example^$dnstype=", "", "missing"},
        {"||evil.example^$dnstype=NONE", "", "'NONE' is not a type"},
        {"||evil.example^$badfilter", "evil.example{withdrawn}", NULL},
        {"@@||evil.example^$important,badfilter", "evil.example:passthru{withdrawn}", NULL},
        {"||evil.example^$badfilter,dnstype=A", "", "taken back"},
        {"||evil.example^$dnsrewrite=192.0.2.1", "", "data="},
        {"||evil.example^$", "", "not supported"},
        {"||evil.example", "", "no '^'"},
        {"|evil.example", "", "no '^'"},
        {"evil.example^", "", "no '||'"},
        {"||evil.example/ads^", "", "path"},
        {"|https://evil.example^", "", "path"},
        {"-banner-ad.", "", "part of URLs"},
        {"banner", "", "part of URLs"},
        {"&ad_box_", "", "\\DDD"},
        {"/banner/*/img", "", "a path or URL"},
#ifdef SEK_HAVE_HYPERSCAN
        {"/banner/", "regex:banner", NULL},
        {"/^ad[0-9]/", "regex:^ad[0-9]", NULL},
        {"@@/^ad/", "regex:^ad:passthru", NULL},
        {"/^ad/$important", "regex:^ad", NULL},
        {"/a\\/b/", "regex:a\\/b", NULL},
        {"/(?=x)y/", "", "Zero-width"},
        {"/[a/", "", "position 1"},
#endif
        {"/^ad/$client=10.0.0.1", "", "list audience"},
        {"/", "", "a path or URL"},
        {"//", "", "is a URL"},
        {"||ev*l.example^", "", "'*'"},
        {"||evil.*^", "", "'*'"},
        {"||192.0.2.1^", "", "IP address"},
        {"||^", "", "empty"},
        {"||", "", "no '^'"},
    };
    CHECK(SEK_FORMAT_ADBLOCK, rows);
}

static void test_dnsmasq(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"address=/evil.example/0.0.0.0", "evil.example", NULL},
        {"address=/evil.example/", "evil.example", NULL},
        {"address=/evil.example/#", "evil.example", NULL},
        {"address=/evil.example/::", "evil.example", NULL},
        {"address=/a.example/b.example/127.0.0.1", "a.example b.example", NULL},
        {"address=/.evil.example/0.0.0.0", "evil.example", NULL},
        {"server=/evil.example/", "evil.example", NULL},
        {"local=/evil.example/ # why", "evil.example", NULL},
        {"# local=/evil.example/", "", NULL},
        {"", "", NULL},
        {"server=/evil.example/192.0.2.1", "", "forwards"},
        {"server=/evil.example/#", "", "forwards"},
        {"local=/evil.example", "", "forwards"},
        {"server=192.0.2.1", "", "only address="},
        {"address=/#/0.0.0.0", "", "every name"},
        {"address=//0.0.0.0", "", "every name"},
        {"address=/", "", "no \"/name/\""},
        {"address=/printer.lan.example/10.1.1.1", "", "real address"},
        {"address=/evil.example/192.0.2.66", "evil.example", NULL},
        {"address=/evil.example/text", "", "IP address or '#'"},
        {"address=/*.evil.example/0.0.0.0", "", "patterns"},
        {"address=/a.example/b_!/c.example/#", "a.example c.example", "\\DDD"},
        {"cache-size=100", "", "only address="},
        {"evil.example", "", "only address="},
    };
    CHECK(SEK_FORMAT_DNSMASQ, rows);
}

static void test_unbound(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"local-zone: \"evil.example\" always_nxdomain", "evil.example:nxdomain", NULL},
        {"local-zone: evil.example. static", "evil.example:nxdomain", NULL},
        {"local-zone: 'evil.example' always_nodata", "evil.example:nodata", NULL},
        {"\tlocal-zone:\"evil.example\" refuse", "evil.example:refused", NULL},
        {"local-zone: evil.example always_refuse", "evil.example:refused", NULL},
        {"local-zone: evil.example deny", "evil.example:drop", NULL},
        {"local-zone: evil.example always_deny", "evil.example:drop", NULL},
        {"local-zone: evil.example inform_deny", "evil.example:drop", NULL},
        {"local-zone: evil.example always_null", "evil.example:sinkhole", NULL},
        {"local-zone: evil.example redirect", "evil.example:sinkhole", NULL},
        {"local-zone: evil.example inform_redirect", "evil.example:sinkhole", NULL},
        {"local-zone: evil.example inform", "evil.example:log", NULL},
        {"local-zone: \"evil.example\" \"static\" # why", "evil.example:nxdomain", NULL},
        {"local-zone: evil.example redirect\nlocal-data: \"EVIL.example A 192.0.2.1\"\n"
         "local-data: \"evil.example. 60 IN AAAA 2001:db8::1\"",
         "evil.example:sinkhole", NULL},
        {"local-data: \"evil.example A 0.0.0.0\"", "=evil.example:sinkhole", NULL},
        {"local-data: 'evil.example 60 IN AAAA ::'", "=evil.example:sinkhole", NULL},
        {"server:", "", NULL},
        {"  do-ip4: yes", "", NULL},
        {"# local-zone: evil.example static", "", NULL},
        {"", "", NULL},
        {"local-zone: evil.example transparent", "", "'transparent': this type does not block"},
        {"local-zone: evil.example typetransparent", "", "does not block"},
        {"local-zone: evil.example nodefault", "", "does not block"},
        {"local-zone: evil.example always_transparent", "", "does not block"},
        {"local-zone: evil.example nonsense", "", "does not block"},
        {"local-zone: evil.example", "", "needs a name and a type"},
        {"local-zone: \"evil.example", "", "needs a name and a type"},
        {"local-zone: *.evil.example static", "", "patterns"},
        {"local-data: \"evil.example A 192.0.2.1\"", "=evil.example:local-data", NULL},
        {"local-data: \"evil.example TXT text\"", "=evil.example:local-data", NULL},
        {"local-zone: evil.example redirect\nlocal-data: \"www.evil.example A 192.0.2.1\"",
         "evil.example:sinkhole =www.evil.example:local-data", NULL},
        {"local-zone: evil.example redirect\nlocal-data: \"evil.example TXT x\"",
         "evil.example:sinkhole =evil.example:local-data", NULL},
        {"local-data: \"evil.example\"", "", "needs a record"},
        {"local-data: \"\"", "", "needs a record"},
        {"include: /etc/passwd", "", "not read"},
        {"evil.example", "", "not a line"},
        {"Evil: 1", "", "not a line"},
        {": 1", "", "not a line"},
    };
    CHECK(SEK_FORMAT_UNBOUND, rows);
}

/* A reason that quotes a hostile line can be printed, and is cut. */
static void test_reasons_are_safe(void **state)
{
    (void)state;
    struct seen seen = {"", ""};
    struct sek_read_stats stats = {0};
    const struct sek_reader_hooks hooks = {
        .arg = &seen, .rule = see_rule, .bad = see_bad, .progress = NULL};
    struct sek_feed feed = {.hooks = &hooks, .stats = &stats};
    char line[SEK_LINE_MAX];
    memset(line, '\x1b', sizeof(line));
    for (const struct sek_format_row *row = sek_formats; row->line; row++) {
        if (row->id == SEK_FORMAT_RPZ)
            continue;
        seen.why[0] = '\0';
        row->line(&feed, line, sizeof(line));
        assert_true(strlen(seen.why) > 0 && strlen(seen.why) < 480);
        for (const char *p = seen.why; *p; p++)
            assert_true((uint8_t)*p >= ' ' && *p != 0x7f);
    }
}

/* While guessing nothing is passed on. */
static void test_without_hooks(void **state)
{
    (void)state;
    struct sek_read_stats stats = {0};
    struct sek_feed feed = {.stats = &stats};
    row_of(SEK_FORMAT_PLAIN)->line(&feed, "a.example", 9);
    row_of(SEK_FORMAT_PLAIN)->line(&feed, "a/example", 9);
    assert_int_equal(stats.n_rules, 1);
    assert_int_equal(stats.n_bad, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regex),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_adblock),
        cmocka_unit_test(test_dnsmasq),
        cmocka_unit_test(test_unbound),
        cmocka_unit_test(test_reasons_are_safe),
        cmocka_unit_test(test_without_hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
