/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rule.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Texts, their scope and their notation; expect NULL: refused, and `why` stands in the reason. */
struct row {
    const char *label, *text, *expect, *why;
    int scope;
};

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define L61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"
#define N253 L63 "." L63 "." L63 "." L61
#define N254 L63 "." L63 "." L63 "." L61 "x"

static const struct row rows[] = {
    {"subtree", "evil.example", "evil.example", NULL, SEK_SCOPE_SUBTREE},
    {"exact", "=www.evil.example", "=www.evil.example", NULL, SEK_SCOPE_EXACT},
    {"below", "*.evil.example", "*.evil.example", NULL, SEK_SCOPE_BELOW},
    {"case", "EVIL.Example", "evil.example", NULL, SEK_SCOPE_SUBTREE},
    {"trailing dot", "=evil.example.", "=evil.example", NULL, SEK_SCOPE_EXACT},
    {"single label", "example", "example", NULL, SEK_SCOPE_SUBTREE},
    {"root", ".", ".", NULL, SEK_SCOPE_SUBTREE},
    {"root exactly", "=.", "=.", NULL, SEK_SCOPE_EXACT},
    {"all below the root", "*.", "*.", NULL, SEK_SCOPE_BELOW},
    {"underscore", "_dmarc.example", "_dmarc.example", NULL, SEK_SCOPE_SUBTREE},
    {"U-label", "bücher.example", "xn--bcher-kva.example", NULL, SEK_SCOPE_SUBTREE},
    {"U-label below", "*.bücher.example", "*.xn--bcher-kva.example", NULL, SEK_SCOPE_BELOW},
    {"A-label", "XN--BCHER-KVA.example", "xn--bcher-kva.example", NULL, SEK_SCOPE_SUBTREE},
    {"dot in a label", "a\\.b.example", "a\\.b.example", NULL, SEK_SCOPE_SUBTREE},
    {"NUL in a label", "a\\000b.example", "a\\000b.example", NULL, SEK_SCOPE_SUBTREE},
    {"octet 255", "\\255.example", "\\255.example", NULL, SEK_SCOPE_SUBTREE},
    {"escaped star is a label", "\\042.example", "\\042.example", NULL, SEK_SCOPE_SUBTREE},
    {"escaped star below", "*.\\*.example", "*.\\042.example", NULL, SEK_SCOPE_BELOW},
    {"escaped equals", "\\=a.example", "\\061a.example", NULL, SEK_SCOPE_SUBTREE},
    {"reverse tree", "2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa", NULL, SEK_SCOPE_SUBTREE},
    {"digits in front", "1.2.3.example", "1.2.3.example", NULL, SEK_SCOPE_SUBTREE},
    {"longest name", N253, N253, NULL, SEK_SCOPE_SUBTREE},
    {"longest name exactly", "=" N253, "=" N253, NULL, SEK_SCOPE_EXACT},
    {"one more", N254, NULL, "longer than 255", 0},
    {"long label", L63 "x.example", NULL, "63", 0},
    {"empty", "", NULL, "empty", 0},
    {"only =", "=", NULL, "empty", 0},
    {"only *", "*", NULL, "'*'", 0},
    {"two dots after *", "*..", NULL, "empty label", 0},
    {"star twice", "*.*.example", NULL, "'*'", 0},
    {"star inside", "ev*l.example", NULL, "'*'", 0},
    {"star of another program", "*evil.example", NULL, "'*'", 0},
    {"exact star", "=*.example", NULL, "'*'", 0},
    {"equals twice", "==evil.example", NULL, "'='", 0},
    {"leading dot", ".evil.example", NULL, "empty label", 0},
    {"empty label", "a..example", NULL, "empty label", 0},
    {"blank", "a b.example", NULL, "blank", 0},
    {"URL", "https://evil.example/x", NULL, "URL", 0},
    {"path", "evil.example/x", NULL, "URL", 0},
    {"port", "evil.example:80", NULL, "URL", 0},
    {"IPv4", "192.0.2.1", NULL, "IP address", 0},
    {"IPv6", "2001:db8::1", NULL, "IP address", 0},
    {"mail address", "a@evil.example", NULL, "\\DDD", 0},
    {"control", "a\x01.example", NULL, "\\DDD", 0},
    {"escape sequence", "\x1b[31m.example", NULL, "\\DDD", 0},
    {"bad escape", "a\\999.example", NULL, "escape", 0},
    {"escape at the end", "example\\", NULL, "escape", 0},
    {"invalid UTF-8", "\xff\xfe.example", NULL, "UTF-8", 0},
    {"invalid punycode", "xn--\x7a\x7a\x7a\x7a\x7a\x7a\x7a\x7a.example", NULL, "xn--", 0},
};

static void test_from_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        enum sek_scope scope = 77;
        struct sek_name name;
        struct sek_diag diag = {0};
        char back[SEK_NAME_TEXT_MAX + 2] = "refused";
        enum sek_err err = sek_rule_from_text(r->text, strlen(r->text), &scope, &name, &diag);
        if (err == SEK_OK)
            sek_rule_to_text(scope, name.octets, back);
        if (!r->expect) {
            if (err != SEK_E_NAME || scope != 77 || !strstr(diag.text, r->why))
                fail_msg("%s: %d, %s, '%s'", r->label, err, back, diag.text);
        } else if (err != SEK_OK || (int)scope != r->scope || strcmp(back, r->expect) != 0) {
            fail_msg("%s: %d, scope %d, %s: %s", r->label, err, scope, back, diag.text);
        }
    }
}

/* What is printed reads as the same rule again. */
static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = rows[i].expect;
        if (!text)
            continue;
        enum sek_scope scope;
        struct sek_name name;
        char back[SEK_NAME_TEXT_MAX + 2];
        assert_int_equal(sek_rule_from_text(text, strlen(text), &scope, &name, NULL), SEK_OK);
        assert_int_equal(sek_rule_to_text(scope, name.octets, back), strlen(text));
        assert_string_equal(back, text);
    }
}

static void test_terminal(void **state)
{
    (void)state;
    struct sek_diag diag;
    enum sek_scope scope;
    struct sek_name name;
    const char hostile[] = "\x1b]0;title\x07.example";
    assert_int_equal(sek_rule_from_text(hostile, sizeof(hostile) - 1, &scope, &name, &diag),
                     SEK_E_NAME);
    for (const char *p = diag.text; *p; p++)
        assert_true(*p >= ' ' && *p != 0x7f);
}

/* A text is as long as it is told, not up to a terminator. */
static void test_length(void **state)
{
    (void)state;
    enum sek_scope scope;
    struct sek_name name;
    char text[SEK_NAME_TEXT_MAX];
    assert_int_equal(sek_rule_from_text("evil.example.org", 12, &scope, &name, NULL), SEK_OK);
    sek_name_to_text(name.octets, text);
    assert_string_equal(text, "evil.example");
    assert_int_equal(sek_rule_from_text("a\0b.example", 11, &scope, &name, NULL), SEK_E_NAME);
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(sek_lookup_id(sek_action_names, "nxdomain"), SEK_ACTION_NXDOMAIN);
    assert_int_equal(sek_lookup_id(sek_action_names, "default"), -1);
    assert_int_equal(sek_lookup_id(sek_action_names, ""), -1);
    assert_int_equal(sek_lookup_id(sek_action_names, "NXDOMAIN"), -1);
    for (int a = SEK_ACTION_PASSTHRU; a <= SEK_ACTION_DROP; a++)
        assert_int_equal(sek_lookup_id(sek_action_names, sek_lookup_name(sek_action_names, a)), a);
    assert_string_equal(sek_lookup_name(sek_action_names, SEK_ACTION_DEFAULT), "?");
    for (int s = SEK_SCOPE_EXACT; s <= SEK_SCOPE_BELOW; s++)
        assert_int_equal(sek_lookup_id(sek_scope_names, sek_lookup_name(sek_scope_names, s)), s);
    for (int m = SEK_MODE_OFF; m <= SEK_MODE_BLOCK; m++)
        assert_int_equal(sek_lookup_id(sek_mode_names, sek_lookup_name(sek_mode_names, m)), m);
}

static void test_covers(void **state)
{
    (void)state;
    assert_true(sek_scope_covers(SEK_SCOPE_EXACT, 0));
    assert_false(sek_scope_covers(SEK_SCOPE_EXACT, 1));
    assert_true(sek_scope_covers(SEK_SCOPE_SUBTREE, 0));
    assert_true(sek_scope_covers(SEK_SCOPE_SUBTREE, 127));
    assert_false(sek_scope_covers(SEK_SCOPE_BELOW, 0));
    assert_true(sek_scope_covers(SEK_SCOPE_BELOW, 1));
}

static void test_plain(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"=24.0.100.51.198.rpz-ip", "response-ip:198.51.100.0/24"},
        {"evil.example.rpz-nsdname", "nsdname:evil.example"},
        {"*.evil.example.rpz-nsdname", "nsdname:*.evil.example"},
        {"=64496.rpz-asn", "asn:64496"},
        {"*.evil.example", "*.evil.example"},
        {"=xn--bcher-kva.example", "=xn--bcher-kva.example"},
        {"*.24.0.100.51.198.rpz-ip", "*.24.0.100.51.198.rpz-ip"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SEK_RULE_TEXT_MAX];
        assert_int_equal(sek_rule_plain_text(cases[i][0], text), strlen(cases[i][1]));
        assert_string_equal(text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_text), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_terminal),  cmocka_unit_test(test_length),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_covers),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
