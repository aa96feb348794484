/* SPDX-License-Identifier: BSD-3-Clause */
/* Signatures against those that dnspython makes for the same key, time and messages; a change of
 * any octet is seen. */
#include "transfer/tsig.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOW 1700000000
#define SECRET "c2VjcmV0c2VjcmV0c2VjcmV0MTIzNA=="
/* "rpz.test. SOA?", ID 0x1234 */
#define QUESTION "1234000000010000000000000372707a04746573740000060001"
/* what signing it gives, from behind the header: question and the owner of the signature */
#define SIGNED                                                                                     \
    "1234000000010000000000010372707a047465737400000600010466656564036b6579"                       \
    "0000fa00ff00000000"

static size_t octets_of(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        assert_int_equal(1, sscanf(hex + 2 * i, "%2x", &v));
        out[i] = (uint8_t)v;
    }
    return n;
}

static struct sek_tsig_key key_of(const char *spec, const char *secret)
{
    struct sek_tsig_key key = {0};
    struct sek_diag diag = {0};
    if (sek_tsig_key_from_text(spec, strlen(spec), &key, &diag) ||
        sek_tsig_secret_from_text(secret, strlen(secret), &key, &diag))
        fail_msg("%s", diag.text);
    return key;
}

static void test_requests(void **state)
{
    static const struct {
        const char *spec, *wire;
    } cases[] = {
        {"feed.key:hmac-sha1", SIGNED
         "002f09686d61632d736861310000006553f100012c0014d56e2cbb6eb187d0a151d201e6db16084817a0"
         "7f123400000000"},
        {"feed.key:hmac-sha224", SIGNED
         "00390b686d61632d7368613232340000006553f100012c001c4a135e07cc9dcf29d8a30076e489d384bc"
         "70c2d960d9327530a2c2bf123400000000"},
        {"Feed.KEY.:HMAC-SHA256", SIGNED
         "003d0b686d61632d7368613235360000006553f100012c0020e44ac4e2114415ba8b1398c9871fa94ada"
         "ac9b413c3412f47a84c3ebec45a883123400000000"},
        {"feed.key:hmac-sha384",
         SIGNED "004d0b686d61632d7368613338340000006553f100012c00300208c208e0f7b8f55fbca43521472791"
                "707c9d4d0ee13a98d9af0cf492b94d7727debbf0b76dd26e69325bdf7e8e854c123400000000"},
        {"feed.key:hmac-sha512",
         SIGNED "005d0b686d61632d7368613531320000006553f100012c0040b1bf9094359690a531e9b2367b9db39b"
                "c65bc9e0a845cb9f07be70a63cfd0119b43fd8e0f6844a34c1c531ba218786a636f9d3e0f113822deb"
                "9d3646912225d0123400000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sek_tsig_key key = key_of(cases[i].spec, SECRET);
        uint8_t msg[512 + SEK_TSIG_RR_MAX], expected[1024];
        size_t n = octets_of(QUESTION, msg);
        struct sek_tsig *t = NULL;
        assert_int_equal(SEK_OK, sek_tsig_new(&key, &t));
        assert_int_equal(SEK_OK, sek_tsig_sign(t, msg, &n, NOW, NULL));
        if (n != octets_of(cases[i].wire, expected) || memcmp(msg, expected, n) != 0)
            fail_msg("%s: another signature", cases[i].spec);
        sek_tsig_free(t);
    }
}

/* The answer to the request above by hmac-sha256: signed, not signed, signed. */
static const char *const answers[] = {
    "1234800000010000000000010372707a047465737400000600010466656564036b65790000fa00ff00000000003d0b"
    "686d61632d7368613235360000006553f100012c002005437e6bebaaa09b8a0480b37c32f66c2c14b58c46386bca18"
    "e38014d60301b3123400000000",
    "123484000000000000000000",
    "1234800000010000000000010372707a047465737400000600010466656564036b65790000fa00ff00000000003d0b"
    "686d61632d7368613235360000006553f100012c0020fee61a46f5343e2f713595f309f8a113b6415e10526e8616ed"
    "7762382b573892123400000000",
};
#define TSIG_AT 26 /* in the signed ones */

/* Returns the first error, the number of the message in *out_at. bad: message and octet that is
 * changed; < 0: none. */
static enum sek_err stream(const char *secret, int bad_message, int bad_octet, int64_t now_s,
                           bool *out_complete, struct sek_diag *diag)
{
    const struct sek_tsig_key key = key_of("feed.key:hmac-sha256", secret);
    uint8_t msg[512 + SEK_TSIG_RR_MAX];
    size_t n = octets_of(QUESTION, msg);
    struct sek_tsig *t = NULL;
    assert_int_equal(SEK_OK, sek_tsig_new(&key, &t));
    assert_int_equal(SEK_OK, sek_tsig_sign(t, msg, &n, NOW, NULL));
    enum sek_err err = SEK_OK;
    for (int i = 0; !err && i < 3; i++) {
        n = octets_of(answers[i], msg);
        if (i == bad_message)
            msg[bad_octet] ^= 1;
        err = sek_tsig_check(t, msg, n, i == 1 ? 0 : TSIG_AT, now_s, diag);
        *out_complete = sek_tsig_is_complete(t);
        if (!err)
            assert_int_equal(i != 1, *out_complete);
    }
    sek_tsig_free(t);
    return err;
}

static void test_answers(void **state)
{
    (void)state;
    struct sek_diag diag = {0};
    bool complete;
    if (stream(SECRET, -1, 0, NOW, &complete, &diag))
        fail_msg("%s", diag.text);
    assert_true(complete);
    assert_int_equal(SEK_OK, stream(SECRET, -1, 0, NOW + 300, &complete, &diag));
    assert_int_equal(SEK_E_REFUSED, stream(SECRET, -1, 0, NOW + 301, &complete, &diag));
    assert_non_null(strstr(diag.text, "clocks"));
    assert_int_equal(SEK_E_REFUSED, stream(SECRET, -1, 0, NOW - 301, &complete, &diag));
    assert_int_equal(SEK_E_REFUSED, stream("b3RoZXI=", -1, 0, NOW, &complete, &diag));
    assert_non_null(strstr(diag.text, "signature is wrong"));
}

/* Not one octet may be another, but for the ID, which the signature holds itself. */
static void test_every_octet(void **state)
{
    (void)state;
    uint8_t msg[512];
    bool complete;
    for (int m = 0; m < 3; m++) {
        int n = (int)octets_of(answers[m], msg);
        for (int at = 2; at < n; at++) {
            struct sek_diag diag;
            if (stream(SECRET, m, at, NOW, &complete, &diag) != SEK_E_REFUSED)
                fail_msg("message %d, octet %d: the change was not seen", m, at);
        }
    }
}

/* RFC 8945 §5.3.1: 99 may be unsigned, the first never. */
static void test_unsigned(void **state)
{
    (void)state;
    const struct sek_tsig_key key = key_of("feed.key:hmac-sha256", SECRET);
    uint8_t msg[512 + SEK_TSIG_RR_MAX];
    size_t n = octets_of(QUESTION, msg);
    struct sek_tsig *t = NULL;
    struct sek_diag diag;
    assert_int_equal(SEK_OK, sek_tsig_new(&key, &t));
    assert_int_equal(SEK_OK, sek_tsig_sign(t, msg, &n, NOW, NULL));
    n = octets_of(answers[1], msg);
    assert_int_equal(SEK_E_REFUSED, sek_tsig_check(t, msg, n, 0, NOW, &diag));
    assert_false(sek_tsig_is_complete(t));
    n = octets_of(answers[0], msg);
    assert_int_equal(SEK_OK, sek_tsig_check(t, msg, n, TSIG_AT, NOW, &diag));
    n = octets_of(answers[1], msg);
    for (int i = 0; i < 99; i++)
        assert_int_equal(SEK_OK, sek_tsig_check(t, msg, n, 0, NOW, &diag));
    assert_int_equal(SEK_E_REFUSED, sek_tsig_check(t, msg, n, 0, NOW, &diag));
    sek_tsig_free(t);
}

static void test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *label, *spec, *secret;
        bool good;
    } cases[] = {
        {"alone", "k:hmac-sha256", "c2VjcmV0", true},
        {"with blanks and a newline", "k:hmac-sha256", "  c2VjcmV0 \r\n", true},
        {"as BIND writes it", "k:hmac-sha256",
         "key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n", true},
        {"padded once", "k:hmac-sha1", "c2VjcmU=", true},
        {"no algorithm", "k", "c2VjcmV0", false},
        {"an unknown one", "k:hmac-md5", "c2VjcmV0", false},
        {"half of one", "k:hmac-sha", "c2VjcmV0", false},
        {"no name", ":hmac-sha256", "c2VjcmV0", false},
        {"empty", "k:hmac-sha256", "", false},
        {"blank", "k:hmac-sha256", " \n", false},
        {"no base64", "k:hmac-sha256", "!!!!", false},
        {"cut base64", "k:hmac-sha256", "c2VjcmV", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_tsig_key key = {0};
        struct sek_diag diag = {0};
        enum sek_err err =
            sek_tsig_key_from_text(cases[i].spec, strlen(cases[i].spec), &key, &diag);
        if (!err)
            err = sek_tsig_secret_from_text(cases[i].secret, strlen(cases[i].secret), &key, &diag);
        if ((err == SEK_OK) != cases[i].good)
            fail_msg("%s: %s", cases[i].label, diag.text);
        if (err && strstr(diag.text, cases[i].secret) && strlen(cases[i].secret) > 2)
            fail_msg("%s: the secret is told: %s", cases[i].label, diag.text);
        if (!err)
            assert_memory_equal(key.secret, "secre", 5);
    }
    char longest[1024];
    struct sek_tsig_key key;
    memset(longest, 'A', sizeof longest); /* 768 octets */
    assert_int_not_equal(SEK_OK, sek_tsig_secret_from_text(longest, 1024, &key, NULL));
    assert_int_equal(SEK_OK, sek_tsig_secret_from_text(longest, 168, &key, NULL)); /* 126 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_every_octet), cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
