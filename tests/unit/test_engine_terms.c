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

/* A rule for some endpoints, whoever asks: it ranks as one for groups does, and of anybody a block
 * counts and an exception does not. */
static void test_endpoints(void **state)
{
    static const struct {
        const char *label, *endpoint; /* NULL: anybody; "-": of no network */
        struct text_rule rules[2];
        uint16_t list;
    } rows[] = {
#define BLOCK {1, "evil.example"}
#define PASS                                                                                       \
    {                                                                                              \
        2, "evil.example", .terms = "endpoint=192.0.2.7,2001:db8::/64"                             \
    }
#define MINE                                                                                       \
    {                                                                                              \
        1, "evil.example", .terms = "endpoint=192.0.2.7"                                           \
    }
        {"the exception's", "192.0.2.7", {BLOCK, PASS}, 2},
        {"in its network", "2001:db8::9", {BLOCK, PASS}, 2},
        {"another's", "192.0.2.8", {BLOCK, PASS}, 1},
        {"anybody's", NULL, {BLOCK, PASS}, 1},
        {"outside", "-", {BLOCK, PASS}, 1},
        {"a block's", "192.0.2.7", {MINE}, 1},
        {"not the block's", "192.0.2.8", {MINE}, 0},
        {"a block of anybody", NULL, {MINE}, 1},
        {"a block outside", "-", {MINE}, 0},
        {"an exception for everybody gives way", "192.0.2.7", {MINE, {2, "evil.example"}}, 1},
        {"to its endpoint only", "192.0.2.8", {MINE, {2, "evil.example"}}, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_policy *p = policy_of(rows[i].rules, rows[i].rules[1].list ? 2 : 1);
        struct sek_name name = name_of("a.evil.example");
        struct sek_engine engine = {.policy = p};
        struct sek_addr from;
        struct sek_verdict v;
        engine.asking.outside = rows[i].endpoint && *rows[i].endpoint == '-';
        if (rows[i].endpoint && !engine.asking.outside) {
            assert_int_equal(sek_addr_from_text(rows[i].endpoint, &from, NULL), SEK_OK);
            engine.asking.endpoint = &from;
        }
        assert_true(sek_engine_looks(&engine) & SEK_LOOKS_ENDPOINTS);
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        if (v.list != rows[i].list)
            fail_msg("%s: list %u", rows[i].label, v.list);
        engine.plain = true;
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        assert_true(v.list != 2 || !rows[i].rules[1].terms);
        sek_policy_close(p);
    }
}

/* An alias to the very name that is judged lets it pass, and that one only. */
static void test_alias_to_itself(void **state)
{
    static const struct {
        const char *label, *override, *name;
        struct text_rule rules[2];
        enum sek_action action, would;
        uint16_t list;
    } rows[] = {
#define SAFE {1, "evil.example", 0, SEK_ACTION_DATA, "data=\"CNAME Safe.Evil.example\""}
        {"the target",
         NULL,
         "safe.evil.example",
         {SAFE},
         SEK_ACTION_PASSTHRU,
         SEK_ACTION_PASSTHRU,
         1},
        {"below it", NULL, "a.safe.evil.example", {SAFE}, SEK_ACTION_DATA, SEK_ACTION_DATA, 1},
        {"beside it", NULL, "b.evil.example", {SAFE}, SEK_ACTION_DATA, SEK_ACTION_DATA, 1},
        {"the nearer rule decides",
         NULL,
         "safe.evil.example",
         {SAFE, {6, "safe.evil.example"}},
         SEK_ACTION_NODATA,
         SEK_ACTION_NODATA,
         6},
        {"where an exception would not",
         NULL,
         "safe.evil.example",
         {SAFE, {6, "evil.example"}},
         SEK_ACTION_NODATA,
         SEK_ACTION_NODATA,
         6},
        {"nothing to record",
         NULL,
         "safe.evil.example",
         {{3, "evil.example", 0, SEK_ACTION_DATA, "data=\"CNAME safe.evil.example\""}},
         SEK_ACTION_PASSTHRU,
         SEK_ACTION_PASSTHRU,
         0},
        {"an override",
         "cname safe.evil.example",
         "safe.evil.example",
         {{1, "evil.example"}},
         SEK_ACTION_PASSTHRU,
         SEK_ACTION_PASSTHRU,
         1},
        {"another override",
         "cname safe.evil.example",
         "b.evil.example",
         {{1, "evil.example"}},
         SEK_ACTION_DATA,
         SEK_ACTION_DATA,
         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        overrides[0] = rows[i].override;
        struct sek_policy *p = policy_of(rows[i].rules, rows[i].rules[1].rule ? 2 : 1);
        struct sek_name name = name_of(rows[i].name);
        struct sek_verdict v;
        sek_engine_decide(&(struct sek_engine){.policy = p, .asking.qtype = 1}, &name, NOW,
                          SEK_TRIGGER_QNAME, &v, NULL, NULL);
        if (v.action != rows[i].action || v.would != rows[i].would || v.list != rows[i].list)
            fail_msg("%s: %d, would %d, list %u", rows[i].label, (int)v.action, (int)v.would,
                     v.list);
        sek_policy_close(p);
    }
    overrides[0] = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_alias_to_itself),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_endpoints),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
