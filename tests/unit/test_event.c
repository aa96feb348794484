/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_samples.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t name, matched, expected;
    } cases[] = {
        {"root", 1, 0, 56},
        {"fills its words", 8, 0, 56},
        {"one more", 9, 0, 64},
        {"with a matched name", 8, 8, 64},
        {"two names of 255 octets", 255, 255, 560},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = sek_event_size(cases[i].name, cases[i].matched);
        if (size != cases[i].expected)
            fail_msg("%s: %zu, not %zu", cases[i].label, size, cases[i].expected);
        assert_true(size <= SEK_EVENT_MAX && size % 8 == 0);
    }
}

static void test_outcome_names(void **state)
{
    (void)state;
    assert_string_equal(sek_lookup_name(sek_outcome_names, SEK_OUTCOME_HIT), "hit");
    assert_string_equal(sek_lookup_name(sek_outcome_names, SEK_OUTCOME_LOCAL), "local");
    assert_string_equal(sek_lookup_name(sek_outcome_names, 6), "?");
    assert_int_equal(sek_lookup_id(sek_outcome_names, "nxdomain"), SEK_OUTCOME_NXDOMAIN);
}

/* Same row, same id; each part of the row's key changes it. */
static void test_decision_id(void **state)
{
    (void)state;
    struct sek_event a = sample_hit("192.0.2.1", "evil.example", SAMPLE_MS);
    struct sek_event b = sample_hit("192.0.2.2", "evil.example", SAMPLE_MS);
    struct sek_event c = sample_hit("192.0.2.1", "evil2.example", SAMPLE_MS);
    uint32_t id = sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 100);
    const struct {
        const char *label;
        uint32_t id;
        bool same;
    } cases[] = {
        {"again", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 100), true},
        {"endpoint", sek_event_decision_id(&b.endpoint, a.names, a.name_len, 1, 7, 100), false},
        {"name", sek_event_decision_id(&a.endpoint, c.names, c.name_len, 1, 7, 100), false},
        {"root", sek_event_decision_id(&a.endpoint, (const uint8_t *)"", 1, 1, 7, 100), false},
        {"type", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 28, 7, 100), false},
        {"list", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 8, 100), false},
        {"minute", sek_event_decision_id(&a.endpoint, a.names, a.name_len, 1, 7, 101), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if ((cases[i].id == id) != cases[i].same)
            fail_msg("%s: %08x against %08x", cases[i].label, cases[i].id, id);
    /* users quote it from old records: it must not change between versions */
    assert_int_equal(id, 0xafc698bd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_outcome_names),
        cmocka_unit_test(test_decision_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
