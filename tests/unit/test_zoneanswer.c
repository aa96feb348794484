/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of records in answers (RFC 5936 §2.2, RFC 1995 §4), message by message. Live tests have
 * real primaries; here stands every turn that the order can take. */
#include "transfer/zoneanswer.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ID 0x4321

static uint8_t *put16(uint8_t *at, unsigned v)
{
    *at++ = (uint8_t)(v >> 8);
    *at++ = (uint8_t)v;
    return at;
}

static uint8_t *put_name(uint8_t *at, const char *text)
{
    struct sek_name name;
    assert_int_equal(SEK_OK, sek_name_from_text(text, strlen(text), &name, NULL));
    memcpy(at, name.octets, name.len);
    return at + name.len;
}

/* "S5": the SOA with serial 5; "=a.z": a CNAME record at that name; "!a.z": the same in class CH.
 */
static uint8_t *put_record(uint8_t *at, const char *word)
{
    bool is_soa = *word == 'S';
    at = put_name(at, is_soa ? "z" : word + 1);
    at = put16(put16(at, is_soa ? 6 : 5), *word == '!' ? 3 : 1);
    at = put16(put16(at, 0), 60);
    if (!is_soa) {
        at = put16(at, 1);
        *at++ = 0;
        return at;
    }
    unsigned long serial = strtoul(word + 1, NULL, 10);
    at = put16(at, 22);
    *at++ = 0;
    *at++ = 0;
    at = put16(put16(at, (unsigned)(serial >> 16)), serial & 0xffff);
    for (int i = 1; i <= 4; i++)
        at = put16(put16(at, 0), (unsigned)i * 100);
    return at;
}

static size_t message_of(char *words, enum sek_zone_question q, uint8_t *msg)
{
    uint8_t *at = msg + 12;
    unsigned n = 0;
    char *word;
    at = put16(put16(put_name(at, "z"), q), 1);
    while ((word = strsep(&words, " "))) {
        if (*word) {
            at = put_record(at, word);
            n++;
        }
    }
    put16(put16(put16(put16(put16(put16(msg, ID), 0x8400), 1), n), 0), 0);
    return (size_t)(at - msg);
}

/* Feed messages, "|" between two. Returns the first error. */
static enum sek_err feed(struct sek_zoneanswer *a, enum sek_zone_question q, const char *messages,
                         struct sek_diag *diag)
{
    char copy[512], *rest = copy, *one;
    uint8_t msg[2048];
    size_t tsig;
    enum sek_err err = SEK_OK;
    snprintf(copy, sizeof copy, "%s", messages);
    while (!err && (one = strsep(&rest, "|"))) {
        size_t n = message_of(one, q, msg);
        err = sek_zoneanswer_message(a, ID, msg, n, &tsig, diag);
        assert_int_equal(0, tsig);
    }
    return err;
}

static void test_order(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum sek_zone_question question;
        uint32_t held;
        const char *messages;
        enum sek_err err;
        bool done, is_delta;
        size_t n_lines;
    } cases[] = {
        {"soa", SEK_ZONE_SOA, 0, "S7", SEK_OK, true, false, 0},
        {"soa, none", SEK_ZONE_SOA, 0, "", SEK_E_CORRUPT, false, false, 0},
        {"soa, another record", SEK_ZONE_SOA, 0, "=a.z", SEK_E_CORRUPT, false, false, 0},
        {"whole", SEK_ZONE_AXFR, 0, "S7 =a.z =b.z S7", SEK_OK, true, false, 2},
        {"whole, in pieces", SEK_ZONE_AXFR, 0, "S7|=a.z|=b.z|S7", SEK_OK, true, false, 2},
        {"whole, empty", SEK_ZONE_AXFR, 0, "S7 S7", SEK_OK, true, false, 0},
        {"whole, not over", SEK_ZONE_AXFR, 0, "S7 =a.z", SEK_OK, false, false, 1},
        {"whole, changed meanwhile", SEK_ZONE_AXFR, 0, "S7 =a.z S8", SEK_E_CORRUPT, false, false,
         1},
        {"whole, more behind", SEK_ZONE_AXFR, 0, "S7 =a.z S7 =b.z", SEK_E_CORRUPT, true, false, 1},
        {"whole, a message behind", SEK_ZONE_AXFR, 0, "S7 S7|=b.z", SEK_E_CORRUPT, true, false, 0},
        {"whole, deltas in place of it", SEK_ZONE_AXFR, 1, "S7 S1 =a.z S7 S7", SEK_E_CORRUPT, false,
         false, 0},
        {"class", SEK_ZONE_AXFR, 0, "S7 !a.z S7", SEK_E_CORRUPT, false, false, 0},
        {"begins without", SEK_ZONE_AXFR, 0, "=a.z S7", SEK_E_CORRUPT, false, false, 0},
        {"an empty message", SEK_ZONE_AXFR, 0, "S7 =a.z||S7", SEK_E_CORRUPT, false, false, 1},
        {"nothing newer", SEK_ZONE_IXFR, 7, "S7", SEK_OK, true, false, 0},
        {"older", SEK_ZONE_IXFR, 7, "S6", SEK_OK, true, false, 0},
        {"delta", SEK_ZONE_IXFR, 1, "S2 S1 =a.z S2 =b.z =c.z S2", SEK_OK, true, true, 3},
        {"delta, in pieces", SEK_ZONE_IXFR, 1, "S2|S1|=a.z|S2|=b.z|S2", SEK_OK, true, true, 2},
        {"delta, nothing goes or comes", SEK_ZONE_IXFR, 1, "S2 S1 S2 S2", SEK_OK, true, true, 0},
        {"two deltas", SEK_ZONE_IXFR, 1, "S3 S1 =a.z S2 =b.z S2 =b.z S3 =c.z S3", SEK_OK, true,
         true, 4},
        {"over the end of serials", SEK_ZONE_IXFR, 4294967295,
         "S1 S4294967295 =a.z S0 S0 S1 =b.z S1", SEK_OK, true, true, 2},
        {"not the last one", SEK_ZONE_IXFR, 1, "S3 S1 =a.z S2 =b.z", SEK_OK, false, true, 2},
        {"from another serial", SEK_ZONE_IXFR, 1, "S3 S2 =a.z S3 S3", SEK_E_CORRUPT, false, false,
         0},
        {"a gap", SEK_ZONE_IXFR, 1, "S4 S1 S2 S3 S4 S4", SEK_E_CORRUPT, false, true, 0},
        {"backwards", SEK_ZONE_IXFR, 2, "S3 S2 S1 S3", SEK_E_CORRUPT, false, true, 0},
        {"whole in place of deltas", SEK_ZONE_IXFR, 1, "S3 =a.z S3", SEK_OK, true, false, 1},
        {"an empty zone in place of deltas", SEK_ZONE_IXFR, 1, "S3 S3", SEK_OK, true, false, 0},
    };
    struct sek_name zone;
    assert_int_equal(SEK_OK, sek_name_from_text("z", 1, &zone, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_zoneanswer *a = NULL;
        struct sek_diag diag = {0};
        assert_int_equal(SEK_OK,
                         sek_zoneanswer_new(cases[i].question, &zone, cases[i].held, 0, &a));
        enum sek_err err = feed(a, cases[i].question, cases[i].messages, &diag);
        if (err != cases[i].err || sek_zoneanswer_is_done(a) != cases[i].done ||
            sek_zoneanswer_is_delta(a) != cases[i].is_delta ||
            sek_lines_n(sek_zoneanswer_lines(a)) != cases[i].n_lines)
            fail_msg("%s: error %d (%s), done %d, delta %d, %zu lines", cases[i].label, err,
                     diag.text, sek_zoneanswer_is_done(a), sek_zoneanswer_is_delta(a),
                     sek_lines_n(sek_zoneanswer_lines(a)));
        sek_zoneanswer_free(a);
    }
}

static void test_lines(void **state)
{
    (void)state;
    struct sek_zoneanswer *a = NULL;
    struct sek_name zone;
    struct sek_buf out;
    char words[] = "S4294967295 =UPPER.z =\\000\\010.z =\\042.a\\059b.z S4294967295";
    assert_int_equal(SEK_OK, sek_name_from_text("z", 1, &zone, NULL));
    assert_int_equal(SEK_OK, sek_zoneanswer_new(SEK_ZONE_AXFR, &zone, 0, 0, &a));
    struct sek_diag diag = {0};
    if (feed(a, SEK_ZONE_AXFR, words, &diag))
        fail_msg("%s", diag.text);
    assert_string_equal("z. 60 SOA . . 4294967295 100 200 300 400", sek_zoneanswer_soa_line(a));
    assert_int_equal(4294967295, sek_zoneanswer_soa(a)->serial);
    assert_int_equal(300, sek_zoneanswer_soa(a)->expire_s);
    sek_buf_init(&out, 0);
    assert_int_equal(SEK_OK, sek_lines_sorted(sek_zoneanswer_lines(a), &out, NULL));
    assert_string_equal(
        "\\000\\010.z. 60 CNAME .\n\\042.a\\059b.z. 60 CNAME .\nupper.z. 60 CNAME .\n", out.data);
    sek_buf_fini(&out);
    sek_zoneanswer_free(a);
}

/* Headers that are no answer, cut messages, and what the primary says. */
static void test_headers(void **state)
{
    (void)state;
    struct sek_name zone;
    assert_int_equal(SEK_OK, sek_name_from_text("z", 1, &zone, NULL));
    static const struct {
        const char *label;
        int at;
        uint8_t value;
        enum sek_err err;
    } cases[] = {
        {"another ID", 0, 0, SEK_E_CORRUPT},       {"a query", 2, 0x04, SEK_E_CORRUPT},
        {"NOTIFY", 2, 0xa4, SEK_E_CORRUPT},        {"cut off", 2, 0x86, SEK_E_CORRUPT},
        {"REFUSED", 3, 5, SEK_E_DENIED},           {"an unknown RCODE", 3, 15, SEK_E_DENIED},
        {"two questions", 5, 2, SEK_E_CORRUPT},    {"another question", 16, 1, SEK_E_CORRUPT},
        {"too many records", 7, 9, SEK_E_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_zoneanswer *a = NULL;
        char words[] = "S7 =a.z S7";
        uint8_t msg[2048];
        size_t n = message_of(words, SEK_ZONE_AXFR, msg), tsig;
        msg[cases[i].at] = cases[i].value;
        assert_int_equal(SEK_OK, sek_zoneanswer_new(SEK_ZONE_AXFR, &zone, 0, 0, &a));
        enum sek_err err = sek_zoneanswer_message(a, ID, msg, n, &tsig, NULL);
        if (err != cases[i].err)
            fail_msg("%s: %d", cases[i].label, err);
        sek_zoneanswer_free(a);
    }
    char words[] = "S7 =a.z S7";
    uint8_t msg[2048];
    size_t n = message_of(words, SEK_ZONE_AXFR, msg), tsig;
    for (size_t len = 0; len < n; len++) {
        struct sek_zoneanswer *a = NULL;
        uint8_t *exact = malloc(len + 1); /* a read past the end is seen by the sanitizer */
        memcpy(exact, msg, len);
        assert_int_equal(SEK_OK, sek_zoneanswer_new(SEK_ZONE_AXFR, &zone, 0, 0, &a));
        assert_int_equal(SEK_E_CORRUPT, sek_zoneanswer_message(a, ID, exact, len, &tsig, NULL));
        sek_zoneanswer_free(a);
        free(exact);
    }
}

static void test_limit(void **state)
{
    (void)state;
    struct sek_zoneanswer *a = NULL;
    struct sek_name zone;
    char words[] = "S7 =a.z =b.z S7";
    assert_int_equal(SEK_OK, sek_name_from_text("z", 1, &zone, NULL));
    assert_int_equal(SEK_OK, sek_zoneanswer_new(SEK_ZONE_AXFR, &zone, 0, 20, &a));
    assert_int_equal(SEK_E_LIMIT, feed(a, SEK_ZONE_AXFR, words, NULL));
    sek_zoneanswer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_headers),
                                       cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
