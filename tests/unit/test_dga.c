/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/dga.h"
#include "name/text.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kind)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
