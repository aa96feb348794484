/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/views/why.h"
#include "name/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_text(void **state)
{
    static const struct {
        const char *label, *name;
        struct sek_why why;
        const char *expected;
    } cases[] = {
        {"two kinds",
         "xkqz.top",
         {.score = {.llr = 3.5f, .length = 4},
          .grams = 3.14f,
          .suffix = 0.42f,
          .length = 0.04f,
          .kinds = {{"necurs", 0.6f}, {"locky", 0.2f}, {"words", 0.04f}}},
         "97 % machine-made: n-grams +3.1, suffix .top +0.4; like necurs 60 %, locky 20 %"},
        {"network, a suffix of two labels",
         "www.xkqz.co.uk",
         {.score = {.llr = 0.1f, .label = 1, .length = 4, .by_network = true},
          .grams = -3,
          .suffix = -1,
          .length = 1,
          .network = 2,
          .kinds = {{"hex", 1}}},
         "52 % machine-made: n-grams -3.0, suffix .co.uk -1.0, length +1.0, network +2.0; like hex "
         "100 %"},
        {"benign: like nothing",
         "google.com",
         {.score = {.llr = -1, .length = 6}, .grams = -2.7f, .kinds = {{"words", 1}}},
         "27 % machine-made: n-grams -2.7"},
        {"certain", "a.com", {.score = {.llr = 20, .length = 4}}, "over 99 % machine-made"},
        {"certainly not", "a.com", {.score = {.llr = -20, .length = 4}}, "under 1 % machine-made"},
        {"without a suffix",
         "xkqz",
         {.score = {.llr = 1, .length = 4}, .suffix = 1},
         "73 % machine-made: suffix . +1.0"},
        {"nothing to judge", "com", {.score = {.llr = -10}}, "no label to judge"},
    };
    struct sek_buf b;
    (void)state;
    sek_buf_init(&b, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_name name;
        sek_buf_reset(&b);
        assert_int_equal(sek_name_from_text(cases[i].name, strlen(cases[i].name), &name, NULL),
                         SEK_OK);
        sek_why_text(&name, &cases[i].why, &b);
        if (strcmp(b.data, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].label, b.data);
    }
    sek_buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
