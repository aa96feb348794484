/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of decisions where rules have terms. */
#include "engine_fixture.h"

static void test_terms(void **state)
{
    static const struct {
        const char *label;
        struct text_rule rules[3];
        uint16_t qtype;
        uint16_t list; /* that decides; 0: none */
        uint16_t ede;
        uint32_t ttl_s;
    } rows[] = {
        {"of its type", {{1, "evil.example", .terms = "type=A"}}, 1, 1, 15, SEK_TTL_OF_SETTINGS},
        {"of another type", {{1, "evil.example", .terms = "type=A"}}, 28, 0, 0, 0},
        {"all but", {{1, "evil.example", .terms = "type=!A"}}, 28, 1, 15, SEK_TTL_OF_SETTINGS},
        {"but", {{1, "evil.example", .terms = "type=!A"}}, 1, 0, 0, 0},
        {"any type: a block for some",
         {{1, "evil.example", .terms = "type=!A"}},
         0,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"any type: an exception for some does not pass all",
         {{1, "evil.example"}, {2, "evil.example", .terms = "type=A"}},
         0,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"an exception of its type",
         {{1, "evil.example"}, {2, "evil.example", .terms = "type=A"}},
         1,
         2,
         0,
         SEK_TTL_OF_SETTINGS},
        {"ANY asks for all",
         {{1, "evil.example", .terms = "type=TXT"}},
         255,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"begins now",
         {{1, "evil.example", .terms = "start=" NOW_TEXT}},
         1,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"begins later", {{1, "evil.example", .terms = "start=" LATER_TEXT}}, 1, 0, 0, 0},
        {"in its hours",
         {{1, "evil.example", .terms = "schedule=\"mon 13:00-13:47 UTC\""}},
         1,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"after them",
         {{1, "evil.example", .terms = "schedule=\"mon 13:00-13:46 UTC\""}},
         1,
         0,
         0,
         0},
        {"by another clock",
         {{1, "evil.example", .terms = "schedule=\"tue 00:00-00:47 Asia/Vladivostok\""}},
         1,
         0,
         0,
         0},
        {"its own priority wins",
         {{6, "evil.example"}, {1, "evil.example", .terms = "priority=11"}},
         1,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"and loses",
         {{6, "evil.example", .terms = "priority=-1"}, {1, "evil.example"}},
         1,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"specific beats its own priority",
         {{6, "evil.example", .terms = "priority=99"}, {1, "=a.evil.example"}},
         1,
         1,
         15,
         SEK_TTL_OF_SETTINGS},
        {"manner", {{1, "evil.example", .terms = "ede=17 ttl=7 log=none"}}, 1, 1, 17, 7},
        {"the next rule where one takes no part",
         {{1, "=a.evil.example", .terms = "type=TXT"}, {6, "evil.example"}},
         1,
         6,
         17,
         SEK_TTL_OF_SETTINGS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = 0;
        while (n < 3 && rows[i].rules[n].list)
            n++;
        struct sek_policy *p = policy_of(rows[i].rules, n);
        struct sek_name name = name_of("a.evil.example");
        struct sek_verdict v;
        const struct sek_engine engine = {.policy = p, .asking.qtype = rows[i].qtype};
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        if (v.list != rows[i].list || (v.list && v.ede != rows[i].ede))
            fail_msg("%s: list %u, ede %u", rows[i].label, v.list, v.ede);
        if (v.list && v.ttl_s != rows[i].ttl_s)
            fail_msg("%s: ttl %u", rows[i].label, v.ttl_s);
        sek_policy_close(p);
    }
}

/* What formats without conditions can say. */
static void test_plain(void **state)
{
    (void)state;
    const struct text_rule rules[] = {{1, "=a.evil.example", .terms = "type=TXT"},
                                      {6, "evil.example", .terms = "ttl=9"}};
    struct sek_policy *p = policy_of(rules, 2);
    struct sek_name name = name_of("a.evil.example");
    struct sek_engine engine = {.policy = p, .asking.qtype = 16};
    struct sek_verdict v;
    sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    assert_int_equal(v.list, 1);
    engine.plain = true;
    sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    assert_int_equal(v.list, 6);
    sek_policy_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
