/* SPDX-License-Identifier: BSD-3-Clause */
/* Of two verdicts on one query, which stands. */
#include "verdict/verdict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* What the answer carries against what was said before: which of the two stands. */
static void test_taking_over(void **state)
{
    (void)state;
#define PASS                                                                                       \
    {                                                                                              \
        .action = SEK_ACTION_PASSTHRU, .would = SEK_ACTION_PASSTHRU                                \
    }
#define BLOCK                                                                                      \
    .trigger = SEK_TRIGGER_RESPONSE_IP, .action = SEK_ACTION_DROP, .would = SEK_ACTION_DROP
#define RECORD                                                                                     \
    .trigger = SEK_TRIGGER_QNAME, .action = SEK_ACTION_PASSTHRU, .would = SEK_ACTION_DROP,         \
    .monitor = true
    static const struct {
        const char *label;
        struct sek_verdict before, v;
        bool settled, takes;
    } rows[] = {
        {"nothing, nothing", PASS, PASS, false, false},
        {"nothing, a block", PASS, {BLOCK}, false, true},
        {"nothing, a record", PASS, {RECORD}, false, true},
        {"a record, a record", {RECORD}, {RECORD}, false, false},
        {"a record, a block", {RECORD}, {BLOCK}, false, true},
        {"a block, a block", {BLOCK}, {BLOCK}, true, false},
        {"a zone's block, an earlier zone's",
         {BLOCK, .order = SEK_ORDER_WAITS, .priority = 1},
         {BLOCK, .order = SEK_ORDER_WAITS, .priority = 2},
         false,
         true},
        {"a zone's block, a later zone's",
         {BLOCK, .order = SEK_ORDER_WAITS, .priority = 2},
         {BLOCK, .order = SEK_ORDER_WAITS, .priority = 1},
         false,
         false},
        {"a zone's block, an earlier zone's record",
         {BLOCK, .order = SEK_ORDER_WAITS, .priority = 1},
         {RECORD, .order = SEK_ORDER_WAITS, .priority = 2},
         false,
         false},
        {"an exception on an address, before nothing",
         PASS,
         {.trigger = SEK_TRIGGER_RESPONSE_IP,
          .action = SEK_ACTION_PASSTHRU,
          .would = SEK_ACTION_PASSTHRU},
         false,
         false},
        {"an exception on the question",
         {.trigger = SEK_TRIGGER_QNAME,
          .action = SEK_ACTION_PASSTHRU,
          .would = SEK_ACTION_PASSTHRU},
         PASS,
         true,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (sek_verdict_is_settled(&rows[i].before) != rows[i].settled ||
            sek_verdict_takes_over(&rows[i].v, &rows[i].before) != rows[i].takes)
            fail_msg("%s", rows[i].label);

    const struct sek_verdict detected = {.trigger = SEK_TRIGGER_NOD, .score = 3};
    struct sek_verdict none = PASS, rule = {RECORD};
    sek_verdict_add_detected(&none, &detected);
    sek_verdict_add_detected(&rule, &detected);
    assert_int_equal(none.trigger, SEK_TRIGGER_NOD);
    assert_int_equal(rule.trigger, SEK_TRIGGER_QNAME);
    assert_true(none.score == 3 && rule.score == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taking_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
