/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/jsonscan.h"
#include <stdio.h>
#include <string.h>

static void test_members(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"{}", ""},
        {"{\"a\":1}", "a=1;"},
        {"{\"a\":1.5,\"b\":\"x\",\"c\":true , \"d\" : null}", "a=1.5;b=x;c=true;d=null;"},
        {"{\"id\":{\"orig_h\":\"::1\",\"p\":53},\"q\":\"n\"}", "orig_h=::1;p=53;q=n;"},
        {"{\"answers\":[\"a\",\"b\",1],\"q\":\"n\"}", "answers=a;answers=b;answers=1;q=n;"},
        {"{\"a\":[],\"b\":[[1,\"x\"],2],\"q\":[ 3 ]}", "q=3;"},
        {"{\"a\":[1}", "a=1;"},
        {"{\"a\":[}", ""},
        {"{\"a\":[1,{\"b\":2},3]", "a=1;b=2;"},
        {"{\"a\":[1,", "a=1;"},
        {"{\"l\":[{\"x\":1}],\"q\":\"n\"}", "x=1;q=n;"},
        {"{\"a\\\"b\":\"c\\\\d\\/e\\u0041\\u00e9\\t\"}", "a\"b=c\\d/eA\xc3\xa9\t;"},
        {"{\"a\":\"\\ud83d\\ude00\\u20ac\"}", "a=\xf0\x9f\x98\x80\xe2\x82\xac;"},
        {"{\"a\":\"\\ud83dx\\ude00\\u0000\\ud83d\\u0041\"}", "a=?x???A;"},
        {"{\"a\":\"\"}", "a=;"},
        {"{\"a\":\"x", "a=x;"},
        {"{\"a\":\"x\\", "a=x?;"},
        {"{\"a\":\"x\\u12\"}", "a=x?;"},
        {"{\"a\":", ""},
        {"{\"a\"", ""},
        {"{\"a", ""},
        {"no JSON", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_jsonscan s = {.at = cases[i].text};
        char seen[256] = "";
        while (sek_jsonscan_next(&s))
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.60s=%.60s;", s.key,
                     s.value);
        assert_string_equal(seen, cases[i].expected);
    }
}

/* Cut off, never beyond. */
static void test_long(void **state)
{
    static char text[8192];
    struct sek_jsonscan s = {.at = text};

    (void)state;
    memset(text, 'k', sizeof text);
    text[0] = '"';
    memcpy(text + 2000, "\":\"", 3);
    memcpy(text + 6000, "\",\"b\":1", 8);
    assert_true(sek_jsonscan_next(&s));
    assert_int_equal(strlen(s.key), SEK_JSONSCAN_KEY - 1);
    assert_int_equal(strlen(s.value), SEK_JSONSCAN_VALUE - 1);
    assert_true(sek_jsonscan_next(&s));
    assert_string_equal(s.value, "1");
    assert_false(sek_jsonscan_next(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
