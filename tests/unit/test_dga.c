/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/dga.h"
#include "name/text.h"
#include <math.h>
#include <string.h>

static void test_kind(void **state)
{
    static const char *const hex[] = {"0a1f9be27cd04563.net", "9e8d7c6b5a4f3021.net",
                                      "f00d1e2c3b4a5968.net"};
    struct sek_classify *c;
    struct sek_dga f;
    struct sek_name name;
    char kind[SEK_DGA_KIND];
    float share;

    (void)state;
    assert_int_equal(sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &c, NULL), SEK_OK);
    memset(&f, 0, sizeof(f));
    sek_dga_kind(&f, c, kind, &share); /* nothing tells */
    assert_string_equal(kind, "");
    assert_true(share == 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sek_name_from_text(hex[i], strlen(hex[i]), &name, NULL), SEK_OK);
        f.examples[i].len = name.len;
        memcpy(f.examples[i].octets, name.octets, name.len);
    }
    f.n_examples = 3;
    f.names = 14;
    sek_dga_kind(&f, c, kind, &share);
    assert_string_equal(kind, "hexadecimal");
    assert_true(share > 0.3f && share <= 1);
    f.words = 15; /* words tell more */
    sek_dga_kind(&f, c, kind, &share);
    assert_string_equal(kind, "word list");
    assert_true(share > 0.5f && share < 0.6f);
    f.words = 0;
    f.examples[1].len = 2; /* damaged: not read */
    sek_dga_kind(&f, c, kind, &share);
    assert_string_equal(kind, "hexadecimal");
    sek_classify_close(c);
}

static void put_name(struct sek_dga_name *out, const char *text)
{
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    out->len = name.len;
    memcpy(out->octets, name.octets, name.len);
}

static void test_evidence(void **state)
{
    struct sek_buf b;
    struct sek_dga f = {.episode = 1,
                        .n_names = 23,
                        .n_nxdomains = 21,
                        .score = 17.24f,
                        .alarm = 13.8f,
                        .names = 12.1f,
                        .words = 3,
                        .shape = NAN,
                        .n_examples = 3,
                        .resolved_llr = 6.1f};

    (void)state;
    put_name(&f.examples[0], "a.com");
    f.examples[1].len = 2; /* damaged: left out */
    f.examples[1].octets[0] = 5;
    put_name(&f.examples[2], "\\034\\092\\.\\010\\226\\128\\174.net");
    sek_buf_init(&b, 0);
    sek_dga_evidence(&f, "a \"kind\"", 0.806f, &b);
    assert_false(b.failed);
    assert_string_equal(b.data, "{\"kind\":\"a \\\"kind\\\"\",\"kind_share\":0.81,\"names\":23,"
                                "\"nxdomains\":21,\"score\":17.2,\"alarm\":13.8,"
                                "\"parts\":{\"names\":12.1,\"words\":3.0,\"shape\":null},"
                                "\"episode\":1,\"resolved\":null,\"resolved_ratio\":null,"
                                "\"examples\":[\"a.com\","
                                "\"\\\\034\\\\092\\\\.\\\\010\\\\226\\\\128\\\\174.net\"]}");
    sek_buf_reset(&b);
    f.n_examples = 0;
    put_name(&f.resolved, "b.net");
    sek_dga_evidence(&f, "", 0, &b);
    assert_non_null(
        strstr(b.data, ",\"resolved\":\"b.net\",\"resolved_ratio\":6.1,\"examples\":[]}"));
    sek_buf_fini(&b);
}

/* The longest names, of octets that are all escaped: as many as fit. */
static void test_evidence_bound(void **state)
{
    struct sek_buf b;
    struct sek_dga f = {.n_names = UINT32_MAX,
                        .n_nxdomains = UINT32_MAX,
                        .episode = UINT32_MAX,
                        .score = -1e30f,
                        .n_examples = SEK_DGA_EXAMPLES};
    uint8_t *o = f.resolved.octets;

    (void)state;
    memset(o, 1, sizeof(f.resolved.octets));
    o[0] = 63;
    o[64] = 30;
    o[95] = 0;
    f.resolved.len = 96;
    for (unsigned i = 0; i < SEK_DGA_EXAMPLES; i++)
        f.examples[i] = f.resolved;
    sek_buf_init(&b, 0);
    sek_dga_evidence(&f, "word list", 1, &b);
    assert_false(b.failed);
    assert_true(b.len <= SEK_DGA_EVIDENCE_MAX && b.len > SEK_DGA_EVIDENCE_MAX - 600);
    assert_string_equal(b.data + b.len - 3, "\"]}");
    sek_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kind), cmocka_unit_test(test_evidence),
                                       cmocka_unit_test(test_evidence_bound)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
