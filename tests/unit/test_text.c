/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "seed.h"
#include "name/text.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) s, sizeof(s) - 1
#define N(table) (sizeof(table) / sizeof((table)[0]))
#define TEN "aaaaaaaaaa"
#define L60 TEN TEN TEN TEN TEN TEN
#define L63 L60 "aaa"

static void test_from_text(void **state)
{
    static const struct {
        const char *label, *text;
        size_t len;
        const char *expected; /* as text; NULL: refused */
    } cases[] = {
        {"empty", TEXT(""), NULL},
        {"root", TEXT("."), "."},
        {"two dots", TEXT(".."), NULL},
        {"plain", TEXT("example.com"), "example.com"},
        {"trailing dot", TEXT("example.com."), "example.com"},
        {"two trailing dots", TEXT("example.com.."), NULL},
        {"leading dot", TEXT(".example.com"), NULL},
        {"empty label", TEXT("a..b"), NULL},
        {"any case", TEXT("ExAmPlE.CoM"), "example.com"},
        {"single octet", TEXT("a"), "a"},
        {"underscores", TEXT("_dmarc._x.example"), "_dmarc._x.example"},
        {"hyphens at the ends, and two inside", TEXT("-a-.r3---sn-x.example"),
         "-a-.r3---sn-x.example"},
        {"digits", TEXT("1.0.0.127"), "1.0.0.127"},
        {"escaped dot", TEXT("a\\.b.com"), "a\\.b.com"},
        {"escaped dot by number", TEXT("a\\046b.com"), "a\\.b.com"},
        {"NUL by number", TEXT("a\\000b.com"), "a\\000b.com"},
        {"high octets by number", TEXT("\\128\\255.com"), "\\128\\255.com"},
        {"escaped upper case folds", TEXT("\\065.com"), "a.com"},
        {"escaped backslash", TEXT("a\\\\b"), "a\\092b"},
        {"escaped blank", TEXT("a\\ b"), "a\\032b"},
        {"escaped star", TEXT("\\*.com"), "\\042.com"},
        {"dot escaped at the end", TEXT("a\\."), "a\\."},
        {"above 255", TEXT("a\\256"), NULL},
        {"two digits", TEXT("a\\25"), NULL},
        {"two digits and a letter", TEXT("a\\25b"), NULL},
        {"backslash at the end", TEXT("a\\"), NULL},
        {"backslash and control", TEXT("a\\\n"), NULL},
        {"backslash and UTF-8", TEXT("a\\ü"), NULL},
        {"NUL", TEXT("a\0b"), NULL},
        {"blank", TEXT("a b"), NULL},
        {"leading blank", TEXT(" a"), NULL},
        {"newline", TEXT("a\n"), NULL},
        {"star", TEXT("*.com"), NULL},
        {"URL", TEXT("http://example.com/"), NULL},
        {"mail", TEXT("a@example.com"), NULL},
        {"DEL", TEXT("a\177"), NULL},
        {"no UTF-8", TEXT("a\xff.com"), NULL},
        {"Latin-1",
         TEXT("b\xfc"
              "cher.com"),
         NULL},
        {"cut UTF-8", TEXT("b\xc3"), NULL},
        {"63-octet label", TEXT(L63 ".com"), L63 ".com"},
        {"64-octet label", TEXT(L63 "a.com"), NULL},
        {"255 octets", TEXT(L63 "." L63 "." L63 "." L60 "a"), L63 "." L63 "." L63 "." L60 "a"},
        {"255 octets, trailing dot", TEXT(L63 "." L63 "." L63 "." L60 "a."),
         L63 "." L63 "." L63 "." L60 "a"},
        {"256 octets", TEXT(L63 "." L63 "." L63 "." L60 "aa"), NULL},
        {"far too long", TEXT(L63 "." L63 "." L63 "." L63 "." L63 "." L63 "." L63), NULL},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name n = {.len = 99};
        struct sek_diag diag = {0};
        char text[SEK_NAME_TEXT_MAX] = "";
        enum sek_err err = sek_name_from_text(cases[i].text, cases[i].len, &n, &diag);

        if (!cases[i].expected) {
            if (err != SEK_E_NAME || diag.code != SEK_E_NAME || n.len != 99 || !*diag.text)
                fail_msg("%s: taken", cases[i].label);
            continue;
        }
        if (err != SEK_OK || sek_name_to_text(n.octets, text) != strlen(text) ||
            strcmp(text, cases[i].expected) != 0)
            fail_msg("%s: %d '%s' %s", cases[i].label, err, text, diag.text);
    }
}

/* U-label in, A-label kept, U-label shown (unless NULL: the A-label). */
static void test_international(void **state)
{
    static const struct {
        const char *input, *ascii, *shown;
    } cases[] = {
        {"bücher.example", "xn--bcher-kva.example", "bücher.example"},
        {"BÜCHER.Example.", "xn--bcher-kva.example", "bücher.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example", "bücher.example"}, /* not NFC */
        {"faß.de", "xn--fa-hia.de", "faß.de"},       /* non-transitional */
        {"例え.jp", "xn--r8jz45g.jp", "例え.jp"},
        {"例え。jp", "xn--r8jz45g.jp", "例え.jp"}, /* ideographic full stop */
        {"例え．jp", "xn--r8jz45g.jp", "例え.jp"}, /* fullwidth full stop */
        {"_x._tcp.bücher.de", "_x._tcp.xn--bcher-kva.de", "_x._tcp.bücher.de"},
        {"a\\.b.bücher.de", "a\\.b.xn--bcher-kva.de", "a\\.b.bücher.de"},
        {"ａｂｃ.com", "abc.com", NULL}, /* fullwidth letters are letters */
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example", "bücher.example"},
        {"xn--i-7iq.ws", "xn--i-7iq.ws", NULL}, /* decodes, but IDNA2008 has no such label */
        {"xn--a", "xn--a", NULL},               /* decodes to a control character */
        {"\\120n--zzzzzzzz.x", "xn--zzzzzzzz.x", NULL}, /* escaped: raw octets */
        {"xn--zzzzzzzz\\046.x", "xn--zzzzzzzz\\..x", NULL},
        {"例え.xn--zckzah", "xn--r8jz45g.xn--zckzah", "例え.テスト"},
        {"bücher.xn--a", "xn--bcher-kva.xn--a", NULL}, /* all or nothing */
    };
    static const char *const refused[] = {
        "xn--.com",      "xn---.com",   "xn--99999999999.com", "XN--ZZZZZZZZ.com", "xn--ü.com",
        "\u202eabc.com", "ü\u200d.com", "\u00ad.com",          "ｘ／ｙ.com",       "⒈ü.com",
        "I♥NY.com",      "-ü.com",      "ü\\046.com",          "\\120ü.com",       "b ü.com",
        "אa1.com",
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct sek_name n;
        struct sek_diag diag = {0};
        char text[SEK_NAME_TEXT_MAX] = "", shown[SEK_NAME_TEXT_MAX] = "";
        const char *expected = cases[i].shown ? cases[i].shown : cases[i].ascii;

        if (sek_name_from_text(cases[i].input, strlen(cases[i].input), &n, &diag) != SEK_OK)
            fail_msg("%s: %s", cases[i].input, diag.text);
        sek_name_to_text(n.octets, text);
        if (sek_name_to_unicode(n.octets, shown) != strlen(shown) ||
            strcmp(text, cases[i].ascii) != 0 || strcmp(shown, expected) != 0)
            fail_msg("%s: '%s' '%s'", cases[i].input, text, shown);
    }
    for (size_t i = 0; i < N(refused); i++) {
        struct sek_name n;
        struct sek_diag diag = {0};

        if (sek_name_from_text(refused[i], strlen(refused[i]), &n, &diag) != SEK_E_NAME ||
            !*diag.text)
            fail_msg("%s: taken", refused[i]);
    }
}

/* A U-label whose A-label is 63 octets fits; one character more does not. */
static void test_long_international(void **state)
{
    char text[300] = "ü";
    struct sek_name n;

    (void)state;
    for (size_t len = 40; len < 70; len++) {
        struct sek_diag diag = {0};
        enum sek_err err;

        memset(text + 2, 'a', len);
        text[2 + len] = '\0';
        err = sek_name_from_text(text, strlen(text), &n, &diag);
        assert_true(err == SEK_OK ? n.octets[0] <= SEK_LABEL_MAX : len > 50);
        if (err == SEK_OK)
            assert_true(len < 60);
    }
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "ü", 3);
    assert_int_equal(sek_name_from_text(text, strlen(text), &n, NULL), SEK_E_NAME);
}

/* The longest forms fit into SEK_NAME_TEXT_MAX. */
static void test_longest_text(void **state)
{
    uint8_t wire[SEK_NAME_MAX];
    char text[SEK_NAME_TEXT_MAX];
    struct sek_name n;
    size_t at = 0;

    (void)state;
    for (unsigned len = 63; at < 254; at += 1 + len) {
        if (at + 1 + len > 254)
            len = (unsigned)(253 - at);
        wire[at] = (uint8_t)len;
        memset(wire + at + 1, 0, len);
    }
    wire[254] = 0;
    assert_int_equal(sek_name_wire_len(wire), 255);
    assert_int_equal(sek_name_to_text(wire, text), 4 * 250 + 3);
    assert_int_equal(sek_name_to_unicode(wire, text), 4 * 250 + 3);
    assert_int_equal(sek_name_from_text(text, strlen(text), &n, NULL), SEK_OK);
    assert_memory_equal(n.octets, wire, 255);
    assert_int_equal(sek_name_to_text((const uint8_t *)"\0", text), 1);
    assert_string_equal(text, ".");
}

/* Every octet at every place of a short label: text is printable ASCII, unique, and reads back. */
static void test_every_octet(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t wire[] = {3, 'x', (uint8_t)c, 'y', 1, (uint8_t)c, 0};
        char text[SEK_NAME_TEXT_MAX];
        struct sek_name n, back;

        assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &n), SEK_OK);
        sek_name_to_text(wire, text);
        for (const char *p = text; *p; p++)
            if (*p <= ' ' || *p > '~')
                fail_msg("octet %u: '%s'", c, text);
        assert_int_equal(sek_name_from_text(text, strlen(text), &back, NULL), SEK_OK);
        assert_int_equal(sek_name_compare(&n, &back), 0);
    }
}

/* Random labels, A-labels among them: what is shown is valid UTF-8 without anything deceptive, and,
 * when typed, the same name. */
static void test_random_shown(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    unsigned seed = (unsigned)test_seed(), n_unicode = 0;

    (void)state;
    srand(seed);
    for (int round = 0; round < 5000; round++) {
        uint8_t wire[40] = "\0xn--";
        char ascii[SEK_NAME_TEXT_MAX], shown[SEK_NAME_TEXT_MAX];
        size_t len = 5 + (size_t)(rand() % 8), n;
        struct sek_name first, back;

        wire[0] = (uint8_t)len;
        for (size_t i = 5; i <= len; i++)
            wire[i] = (uint8_t)letters[rand() % (int)(sizeof(letters) - 1)];
        wire[len + 1] = 0;
        assert_int_equal(sek_name_from_wire(wire, sizeof(wire), &first), SEK_OK);
        sek_name_to_text(wire, ascii);
        n = sek_name_to_unicode(wire, shown);
        assert_int_equal(n, strlen(shown));
        for (size_t i = 0, step; i < n; i += step) {
            uint32_t point = 0;

            step = sek_utf8_next(shown + i, n - i, &point);
            if (step == 0 || sek_utf8_is_deceptive(point))
                fail_msg("%s is shown badly", ascii);
        }
        if (strcmp(ascii, shown) == 0)
            continue;
        n_unicode++;
        if (sek_name_from_text(shown, n, &back, NULL) != SEK_OK ||
            sek_name_compare(&first, &back) != 0)
            fail_msg("%s is shown as %s, which is another name", ascii, shown);
    }
    assert_true(n_unicode > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_text),          cmocka_unit_test(test_international),
        cmocka_unit_test(test_long_international), cmocka_unit_test(test_longest_text),
        cmocka_unit_test(test_every_octet),        cmocka_unit_test(test_random_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
