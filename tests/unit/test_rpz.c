/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rpz.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HEAD "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n NS localhost.\n"
#define ZONE "$ORIGIN rpz.example.\n" HEAD

/* rules: "line:notation:action" joined by blanks; bad: "line" of each bad line; why: part of the
 * last reason. */
struct row {
    const char *label, *text, *rules, *bad, *why;
    bool open_end; /* the text ends within a record */
};

static const struct row rows[] = {
    {"nxdomain", ZONE "evil.test CNAME .\n", "5:=evil.test:nxdomain", "", NULL, false},
    {"nodata", ZONE "evil.test CNAME *.\n", "5:=evil.test:nodata", "", NULL, false},
    {"passthru", ZONE "good.test CNAME rpz-passthru.\n", "5:=good.test:passthru", "", NULL, false},
    {"drop", ZONE "evil.test CNAME rpz-drop.\n", "5:=evil.test:drop", "", NULL, false},
    {"passthru of the first drafts", ZONE "good.test CNAME good.test.\n", "5:=good.test:passthru",
     "", NULL, false},
    {"passthru of the first drafts, below", ZONE "*.old.test CNAME *.old.test.\n",
     "5:*.old.test:passthru", "", NULL, false},
    {"rewritten to the name above", ZONE "*.evil.test CNAME evil.test.\n",
     "5:*.evil.test:local-data ttl=60 data=\"CNAME evil.test.\"", "", NULL, false},
    {"rewritten to what is below", ZONE "evil.test CNAME *.evil.test.\n",
     "5:=evil.test:local-data ttl=60 data=\"CNAME *.evil.test.\"", "", NULL, false},
    {"nowhere",
     ZONE "evil.test A 0.0.0.0\n*.evil.test A 127.0.0.1\nb.test AAAA ::\nc.test AAAA ::1\n",
     "5:=evil.test:local-data ttl=60 data=\"A 0.0.0.0\" 6:*.evil.test:local-data ttl=60 data=\"A "
     "127.0.0.1\""
     " 7:=b.test:local-data ttl=60 data=\"AAAA ::\" 8:=c.test:local-data ttl=60 data=\"AAAA ::1\"",
     "", NULL, false},
    {"passthru of the first drafts, address", ZONE "24.0.2.0.192.rpz-ip CNAME 24.0.2.0.192.\n",
     "5:response-ip:192.0.2.0/24:passthru", "", NULL, false},
    {"our sinkhole", ZONE "evil.test A 192.0.2.66\nevil.test AAAA 2001:db8::66\n",
     "5:=evil.test:sinkhole", "", NULL, false},
    {"another sinkhole", ZONE "evil.test AAAA 2001:db8::67\n",
     "5:=evil.test:local-data ttl=60 data=\"AAAA 2001:db8::67\"", "", NULL, false},
    {"both again", ZONE "a.test A 192.0.2.66\nb.test A 192.0.2.66\na.test CNAME .\n",
     "5:=a.test:sinkhole 6:=b.test:sinkhole 7:=a.test:nxdomain", "", NULL, false},
    {"below", ZONE "*.evil.test CNAME .\n", "5:*.evil.test:nxdomain", "", NULL, false},
    {"root wildcard", ZONE "* CNAME .\n", "5:*.:nxdomain", "", NULL, false},
    {"TTL and class", ZONE "evil.test 30 IN CNAME .\n", "5:=evil.test:nxdomain", "", NULL, false},
    {"class before TTL",
     ZONE "a.test IN 30 CNAME .\nb.test in 1h CNAME .\nc.test IN 1D30M CNAME *.\n",
     "5:=a.test:nxdomain 6:=b.test:nxdomain 7:=c.test:nodata", "", NULL, false},
    {"TTL of the record", ZONE "a.test 77 A 192.0.2.1\n IN 1m30s TXT x\nb.test CNAME c.\n",
     "5:=a.test:local-data ttl=77 data=\"A 192.0.2.1\" 6:=a.test:local-data ttl=90 data=\"TXT "
     "\\\"x\\\"\""
     " 7:=b.test:local-data ttl=60 data=\"CNAME c.\"",
     "", NULL, false},
    {"TTL of the record before",
     "@ SOA a. b. 1 2 3 4 9\na.test A 192.0.2.1\nb.test 8 A 192.0.2.1\n"
     "c.test A 192.0.2.1\n",
     "2:=a.test:local-data ttl=9 data=\"A 192.0.2.1\" 3:=b.test:local-data ttl=8 data=\"A "
     "192.0.2.1\""
     " 4:=c.test:local-data ttl=8 data=\"A 192.0.2.1\"",
     "", NULL, false},
    {"TTL not known", "a.test A 192.0.2.1\n", "1:=a.test:local-data data=\"A 192.0.2.1\"", "", NULL,
     false},
    {"TTL too long", ZONE "a.test 20w A 192.0.2.1\n",
     "5:=a.test:local-data ttl=604800 data=\"A 192.0.2.1\"", "", NULL, false},
    {"TTL of our sinkhole",
     ZONE "a.test A 192.0.2.66\nb.test 30 A 192.0.2.66\n 30 AAAA 2001:db8::66\n",
     "5:=a.test:sinkhole 6:=b.test:sinkhole ttl=30", "", NULL, false},
    {"malformed TTL", ZONE "$TTL 1x\na.test A 192.0.2.1\n",
     "6:=a.test:local-data ttl=60 data=\"A 192.0.2.1\"", "5", "malformed $TTL", false},
    {"owner of a skipped record", ZONE "a.test CNAME\n CNAME .\nb.test TYPE\n CNAME *.\n",
     "6:=a.test:nxdomain 8:=b.test:nodata", "5 7", NULL, false},
    {"owner after the zone's", ZONE "b.test CNAME .\n@ NS a.\n TXT x\n", "5:=b.test:nxdomain", "",
     NULL, false},
    {"mixed case", ZONE "EVIL.Test.RPZ.Example. cname RPZ-PassThru.\n", "5:=evil.test:passthru", "",
     NULL, false},
    {"absolute owner", ZONE "evil.test.rpz.example. CNAME .\n", "5:=evil.test:nxdomain", "", NULL,
     false},
    {"zone from the SOA", "rpz.example. 60 SOA a. b. 1 2 3 4 5\nevil.test.rpz.example. CNAME .\n",
     "2:=evil.test:nxdomain", "", NULL, false},
    {"zone unnamed", HEAD "evil.test CNAME .\n", "4:=evil.test:nxdomain", "", NULL, false},
    {"no SOA", "evil.test CNAME .\n", "1:=evil.test:nxdomain", "", NULL, false},
    {"origin below the zone", ZONE "$ORIGIN test.rpz.example.\nevil CNAME .\n",
     "6:=evil.test:nxdomain", "", NULL, false},
    {"relative origin", ZONE "$ORIGIN test\nevil CNAME .\n", "6:=evil.test:nxdomain", "", NULL,
     false},
    {"escaped dot", ZONE "a\\.b.test CNAME .\n", "5:=a\\.b.test:nxdomain", "", NULL, false},
    {"NUL in a label", ZONE "a\\000b.test CNAME .\n", "5:=a\\000b.test:nxdomain", "", NULL, false},
    {"comment", ZONE "; evil.test CNAME .\nevil.test CNAME . ; why\n", "6:=evil.test:nxdomain", "",
     NULL, false},
    {"same owner again", ZONE "evil.test CNAME .\n CNAME *.\n",
     "5:=evil.test:nxdomain 6:=evil.test:nodata", "", NULL, false},
    {"parentheses",
     "$ORIGIN rpz.example.\n@ SOA a. b. (\n 1 ; serial\n2 3\n4 5 )\nevil.test CNAME (\n. )\n",
     "6:=evil.test:nxdomain", "", NULL, false},
    {"address trigger", ZONE "32.1.2.0.192.rpz-ip CNAME .\n", "5:response-ip:192.0.2.1:nxdomain",
     "", NULL, false},
    {"address trigger, IPv6", ZONE "32.zz.db8.2001.rpz-ip CNAME *.\n",
     "5:response-ip:2001:db8::/32:nodata", "", NULL, false},
    {"client trigger", ZONE "24.0.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
     "5:client-ip:192.0.2.0/24:passthru", "", NULL, false},
    {"nsip trigger", ZONE "32.1.2.0.192.RPZ-NSIP CNAME rpz-drop.\n", "5:nsip:192.0.2.1:drop", "",
     NULL, false},
    {"nsdname trigger", ZONE "ns.evil.test.rpz-nsdname CNAME .\n",
     "5:nsdname:=ns.evil.test:nxdomain", "", NULL, false},
    {"nsdname triggers", ZONE "*.evil.test.rpz-nsdname CNAME .\n", "5:nsdname:*.evil.test:nxdomain",
     "", NULL, false},
    {"bits behind the prefix", ZONE "24.1.2.0.192.rpz-ip CNAME .\n", "", "5", "behind its prefix",
     false},
    {"no address", ZONE "a.rpz-ip CNAME .\n", "", "5", "RPZ's form", false},
    {"star before an address", ZONE "*.24.0.2.0.192.rpz-ip CNAME .\n", "", "5", "no '*'", false},
    {"unknown trigger", ZONE "a.rpz-new CNAME .\n", "", "5", "rpz-new", false},
    {"not RPZ's", ZONE "32.1.2.0.192.rpz-sinkholed CNAME .\n", "", "5", "not known", false},
    {"trigger's word elsewhere", ZONE "rpz-ip.test CNAME .\n", "5:=rpz-ip.test:nxdomain", "", NULL,
     false},
    {"local data A", ZONE "evil.test A 192.0.2.1\n",
     "5:=evil.test:local-data ttl=60 data=\"A 192.0.2.1\"", "", NULL, false},
    {"TCP only", ZONE "evil.test CNAME rpz-tcp-only.\n", "5:=evil.test:tcp-only", "", NULL, false},
    {"nobody answers with it", ZONE "evil.test DNAME garden.example.\n", "", "5", "nobody", false},
    {"local data CNAME", ZONE "evil.test CNAME garden.example.\n",
     "5:=evil.test:local-data ttl=60 data=\"CNAME garden.example.\"", "", NULL, false},
    {"local data wildcard", ZONE "evil.test CNAME *.garden.example.\n",
     "5:=evil.test:local-data ttl=60 data=\"CNAME *.garden.example.\"", "", NULL, false},
    {"local data TXT", ZONE "evil.test TXT \"a;b(\"\nb.test CNAME .\n",
     "5:=evil.test:local-data ttl=60 data=\"TXT \\\"a;b(\\\"\" 6:=b.test:nxdomain", "", NULL,
     false},
    {"the zone's own", ZONE "@ TXT \"about\"\n@ A 192.0.2.1\nns NS a.\n", "", "", NULL, false},
    {"SOA again", ZONE "evil.test CNAME .\n@ SOA a. b. 1 2 3 4 5\n", "5:=evil.test:nxdomain", "",
     NULL, false},
    {"SOA of another zone", ZONE "b.example. SOA a. b. 1 2 3 4 5\nevil.test CNAME .\n",
     "6:=evil.test:nxdomain", "5", "another zone", false},
    {"out of zone", ZONE "evil.test. CNAME .\nb.test CNAME .\n", "6:=b.test:nxdomain", "5",
     "outside of the zone rpz.example", false},
    {"not below at a label", ZONE "evilrpz.example. CNAME .\n", "", "5", "outside", false},
    {"class CH", ZONE "evil.test CH CNAME .\n", "", "5", "class", false},
    {"bad line among good", ZONE "a.test CNAME .\nb.test CNAME\nc.test CNAME .\n",
     "5:=a.test:nxdomain 7:=c.test:nxdomain", "6", "", false},
    {"garbage", ZONE "<html>\n", "", "5", "", false},
    {"after a bad owner", ZONE "a.test CNAME .\nb..test CNAME .\n CNAME *.\n", "5:=a.test:nxdomain",
     "6 7", "no owner", false},
    {"no owner at all", " CNAME .\n", "", "1", "no owner", false},
    {"bad origin", ZONE "$ORIGIN a..b.\na.test CNAME .\n$ORIGIN rpz.example.\nb.test CNAME .\n",
     "8:=b.test:nxdomain", "5 6", "after a malformed", false},
    {"empty origin", ZONE "$ORIGIN\n", "", "5", "malformed", false},
    {"include without a file", ZONE "$INCLUDE\n", "", "5", "wants a file", false},
    {"another directive", ZONE "$DATE 1\n", "", "5", "$GENERATE", false},
    {"generate", ZONE "$GENERATE 1-3/2 a$.test 30 IN CNAME .\n CNAME *.\n",
     "5:=a1.test:nxdomain 5:=a3.test:nxdomain 6:=a3.test:nodata", "", NULL, false},
    {"generate nothing", ZONE "$GENERATE 3-1 a$ CNAME .\nb.test CNAME .\n", "6:=b.test:nxdomain",
     "5", "range", false},
    {"U-labels",
     ZONE "b\xc3\xbc"
          "cher.test CNAME *.m\xc3\xbcll.example.\n*.\xc3\xb6.test TXT \"\xc3\xb6\"\n",
     "5:=xn--bcher-kva.test:local-data ttl=60 data=\"CNAME *.xn--mll-hoa.example.\""
     " 6:*.xn--nda.test:local-data ttl=60 data=\"TXT \\\"\\\\195\\\\182\\\"\"",
     "", NULL, false},
    {"no U-label", ZONE "a.test CNAME .\n\xff.test CNAME .\n CNAME *.\n", "5:=a.test:nxdomain",
     "6 7", "no owner", false},
    {"closing alone", ZONE "evil.test CNAME . )\nb.test CNAME .\n", "6:=b.test:nxdomain", "5",
     "without '('", false},
    {"open quotation", ZONE "evil.test TXT \"a\nb.test CNAME .\n", "6:=b.test:nxdomain", "5",
     "quotation", false},
    {"open at the end", ZONE "evil.test CNAME (\n.\n", "", "5", "ends within", true},
    {"long label",
     ZONE "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.t CNAME .\n", "", "5",
     "", false},
    {"empty", "", "", "", NULL, false},
    {"blank lines", "\n \n\t\n", "", "", NULL, false},
};

struct seen {
    char rules[512], bad[256], why[512];
};

static enum sek_err see_rule(void *arg, const struct sek_read_rule *rule)
{
    struct seen *seen = arg;
    char text[SEK_NAME_TEXT_MAX + 2];
    size_t n = strlen(seen->rules);
    sek_rule_to_text(rule->scope, rule->name.octets, text);
    snprintf(seen->rules + n, sizeof(seen->rules) - n, "%s%u:%s:%s%s%s", n ? " " : "",
             (unsigned)rule->line, text, sek_lookup_name(sek_action_names, (int)rule->action),
             rule->terms ? " " : "", rule->terms ? rule->terms : "");
    return SEK_OK;
}

static void see_bad(void *arg, uint64_t line, const char *why)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->bad);
    snprintf(seen->bad + n, sizeof(seen->bad) - n, "%s%u", n ? " " : "", (unsigned)line);
    snprintf(seen->why, sizeof(seen->why), "%s", why);
}

/* What a test feeds. */
struct run {
    struct seen seen;
    struct sek_read_stats stats;
    struct sek_reader_hooks hooks;
    struct sek_feed feed;
};

static void run_begin(struct run *r)
{
    static struct sek_addr sinkhole[2];
    sek_addr_from_text("192.0.2.66", &sinkhole[0], NULL);
    sek_addr_from_text("2001:db8::66", &sinkhole[1], NULL);
    *r = (struct run){.hooks = {.arg = &r->seen,
                                .rule = see_rule,
                                .bad = see_bad,
                                .sinkhole = sinkhole,
                                .n_sinkhole = 2,
                                .ttl_s = 60}};
    r->feed.hooks = &r->hooks;
    r->feed.stats = &r->stats;
    assert_int_equal(sek_rpz_new(&r->feed.rpz, NULL), SEK_OK);
}

static void run_text(struct run *r, const char *at)
{
    while (*at) {
        size_t len = strcspn(at, "\n");
        r->feed.rule.line++;
        sek_rpz_line(&r->feed, at, len);
        at += len + (at[len] == '\n');
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct run r;
        run_begin(&r);
        run_text(&r, row->text);
        bool ended = sek_rpz_end(&r.feed);
        if (strcmp(r.seen.rules, row->rules) != 0 || strcmp(r.seen.bad, row->bad) != 0 ||
            (row->why && !strstr(r.seen.why, row->why)) || ended == row->open_end)
            fail_msg("%s: rules '%s', bad '%s', '%s', ended %d", row->label, r.seen.rules,
                     r.seen.bad, r.seen.why, ended);
        sek_rpz_free(r.feed.rpz);
    }
}

/* A parenthesis that nobody closes costs 64 lines, not the file. */
static void test_open_parenthesis(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    run_text(&r, ZONE "evil.test CNAME (\n");
    for (int i = 0; i < 63; i++)
        run_text(&r, "a.test CNAME .\n");
    assert_string_equal(r.seen.bad, "5");
    assert_non_null(strstr(r.seen.why, "64 lines"));
    run_text(&r, "b.test CNAME .\n");
    assert_string_equal(r.seen.rules, "69:=b.test:nxdomain");
    assert_true(sek_rpz_end(&r.feed));
    sek_rpz_free(r.feed.rpz);
}

/* What we cannot do does not make a zone garbage. */
static void test_unsupported(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    run_text(&r, ZONE "32.1.2.0.192.rpz-new CNAME .\na.test DNAME x.\nb..test CNAME .\n");
    assert_int_equal(r.stats.n_unsupported, 2);
    assert_int_equal(r.stats.n_bad, 1);
    assert_string_equal(r.seen.bad, "5 6 7");
    sek_rpz_free(r.feed.rpz);
}

/* After a line that could not be read nothing takes over an owner, and a record is not pieced
 * together. */
static void test_gap(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    run_text(&r, ZONE "a.test CNAME .\n");
    sek_rpz_gap(r.feed.rpz);
    run_text(&r, " CNAME *.\nb.test CNAME (\n");
    sek_rpz_gap(r.feed.rpz);
    run_text(&r, ". )\nc.test CNAME .\n");
    assert_string_equal(r.seen.rules, "5:=a.test:nxdomain 9:=c.test:nxdomain");
    assert_string_equal(r.seen.bad, "6 7");
    sek_rpz_free(r.feed.rpz);
    sek_rpz_free(NULL);
}

static void test_recognise(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool sign, claims;
    } lines[] = {
        {"$TTL 60", true, false},
        {"$origin rpz.example.", true, false},
        {"@ SOA a. b. (", true, false},
        {"rpz.example. 60 IN SOA a. b. 1 2 3 4 5", true, false},
        {"  IN SOA a. b.", true, false},
        {"evil.test CNAME .", false, true},
        {"evil.test IN 30 cname .", false, true},
        {"evil.test 30 A 192.0.2.1", false, false},
        {"$TTLX 1", false, false},
        {"cname", false, false},
        {"soa.example", false, false},
        {"evil.test # CNAME", false, false},
        {"0.0.0.0 cname.example", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        size_t len = strlen(lines[i].line);
        if (sek_rpz_sign(lines[i].line, len) != lines[i].sign ||
            sek_rpz_claims(lines[i].line, len) != lines[i].claims)
            fail_msg("%s", lines[i].line);
    }
}

static void see_doubt(void *arg, uint64_t line, const char *why)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->why);
    snprintf(seen->why + n, sizeof(seen->why) - n, "%u:%.20s|", (unsigned)line, why);
}

/* What is taken as it stands, though somebody may have meant something else. */
static void test_doubts(void **state)
{
    (void)state;
    struct run r;
    run_begin(&r);
    r.hooks.doubt = see_doubt;
    run_text(&r, ZONE "a.test CNAME rpz-foo.\nb.test CNAME rpz-drop\nc.test CNAME rpz-drop.\n"
                      "d.test CNAME x.rpz-foo.\ne.test CNAME e.test.\nf.test CNAME rpz.example.\n");
    assert_string_equal(r.seen.why,
                        "5:CNAME rpz-foo. is no|6:CNAME rpz-drop.rpz.e|10:CNAME rpz.example. l|");
    assert_int_equal(r.stats.n_rules, 6);
    assert_int_equal(r.stats.n_bad, 0);
    sek_rpz_free(r.feed.rpz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_open_parenthesis),
        cmocka_unit_test(test_gap),       cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_recognise), cmocka_unit_test(test_doubts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
