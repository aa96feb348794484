/* SPDX-License-Identifier: BSD-3-Clause */
/* Address hints of SVCB and HTTPS records, whole and broken. */
#include "name/svcb.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct got {
    char text[256];
    unsigned n, stop_at;
};

static bool note(void *arg, const struct sek_addr *addr)
{
    struct got *got = arg;
    char text[SEK_ADDR_TEXT_MAX];
    strcat(got->text, got->n ? " " : "");
    strcat(got->text, sek_addr_to_text(addr, text));
    return ++got->n != got->stop_at;
}

#define ROW(label, octets, expected)                                                               \
    {                                                                                              \
        label, octets, sizeof(octets) - 1, expected                                                \
    }
#define V4 "\0\4\0\4\300\0\2\1"
#define V6 "\0\6\0\20\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7"

static const struct {
    const char *label, *octets;
    size_t len;
    const char *expected;
} rows[] = {
    ROW("empty", "", ""),
    ROW("priority alone", "\0\1", ""),
    ROW("alias", "\0\0\1a\7example\0", ""),
    ROW("no parameters", "\0\1\0", ""),
    ROW("one", "\0\1\0" V4, "192.0.2.1"),
    ROW("two in one", "\0\1\0\0\4\0\10\300\0\2\1\300\0\2\2", "192.0.2.1 192.0.2.2"),
    ROW("both", "\0\1\1a\0" V4 V6, "192.0.2.1 2001:db8::7"),
    ROW("after alpn", "\0\1\0\0\1\0\3\2h2" V4, "192.0.2.1"),
    ROW("wrong order all the same", "\0\1\0" V6 V4, "2001:db8::7 192.0.2.1"),
    ROW("value cut", "\0\1\0\0\4\0\4\300\0\2", ""),
    ROW("length cut", "\0\1\0" V4 "\0\6\0", "192.0.2.1"),
    ROW("length beyond the end", "\0\1\0" V4 "\0\6\377\377\0", "192.0.2.1"),
    ROW("not a whole address behind a whole one", "\0\1\0\0\4\0\6\300\0\2\1\300\0", "192.0.2.1"),
    ROW("empty hint", "\0\1\0\0\4\0\0" V6, "2001:db8::7"),
    ROW("name cut", "\0\1\7exam", ""),
    ROW("compressed name", "\0\1\300\14" V4, ""),
};

static void hints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct got got = {.n = 0};
        /* in memory of its own, so that a sanitizer sees what is read behind it */
        uint8_t *own = malloc(rows[i].len + 1);
        memcpy(own, rows[i].octets, rows[i].len);
        own = realloc(own, rows[i].len ? rows[i].len : 1);
        assert_true(sek_svcb_hints(own, rows[i].len, note, &got));
        if (strcmp(got.text, rows[i].expected) != 0)
            fail_msg("%s: %s", rows[i].label, got.text);
        free(own);
    }
}

static void stops(void **state)
{
    (void)state;
    static const char octets[] = "\0\1\0" V4 V6;
    struct got got = {.stop_at = 1};
    assert_false(sek_svcb_hints((const uint8_t *)octets, sizeof octets - 1, note, &got));
    assert_int_equal(got.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hints), cmocka_unit_test(stops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
