/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/measure/units.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void add(struct sek_units *u, const char *text, uint8_t label, float llr)
{
    struct sek_score score = {.llr = llr, .label = label, .length = 4};
    struct sek_name name;

    assert_int_equal(sek_name_from_text(text, strlen(text), &name, NULL), SEK_OK);
    assert_int_equal(sek_units_add(u, &name, &score, NULL), SEK_OK);
}

static void test_distinct(void **state)
{
    (void)state;
    static const char *const wanted[] = {"aaaa.example", "bbbb.example", "aaaa.net", "\\000.test"};
    const struct sek_unit_row *rows;
    struct sek_units u;
    char text[SEK_NAME_TEXT_MAX];

    sek_units_init(&u);
    add(&u, "www.aaaa.example", 1, 3);
    add(&u, "AAAA.example", 0, 3);
    add(&u, "a.b.c.aaaa.example", 3, 3);
    add(&u, "aaaa.net", 0, 1); /* another suffix: another domain */
    add(&u, "\\000.test", 0, -1);
    add(&u, "x.\\000.test", 1, -1);
    add(&u, "bbbb.example", 0, 3);
    assert_int_equal(sek_units_n(&u), 4);
    rows = sek_units_sort(&u);
    for (int i = 0; i < 4; i++) {
        sek_name_to_text(sek_units_name(&u, &rows[i]), text);
        assert_string_equal(text, wanted[i]);
    }
    sek_units_fini(&u);
}

static void test_empty(void **state)
{
    (void)state;
    struct sek_units u;

    sek_units_init(&u);
    assert_int_equal(sek_units_n(&u), 0);
    sek_units_sort(&u);
    sek_units_fini(&u);
}

/* Through several sizes of its table. */
static void test_many(void **state)
{
    (void)state;
    struct sek_units u;
    char text[64];

    sek_units_init(&u);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            snprintf(text, sizeof(text), "name%d.example", i);
            add(&u, text, 0, (float)i);
        }
    assert_int_equal(sek_units_n(&u), 20000);
    const struct sek_unit_row *rows = sek_units_sort(&u);
    for (int i = 0; i < 20000; i++)
        assert_true(rows[i].llr == (float)(19999 - i));
    sek_units_fini(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
