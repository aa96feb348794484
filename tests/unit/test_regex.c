/* SPDX-License-Identifier: BSD-3-Clause */
/* What regular expressions decide, on real compiled policies, with deltas. */
#include "name/text.h"
#include "policy/compile.h"
#include "policy/patterns_write.h"
#include "policy_fixture.h"
#include "verdict/engine.h"

#define NOW 1000000

struct text_rule {
    uint16_t list;
    const char *rule; /* list notation */
    int64_t expires_s;
    bool removed; /* by the delta */
};

static const struct sek_list lists[] = {
    {.id = 1, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15, .name = "block"},
    {.id = 2, .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_PASSTHRU, .name = "allow"},
    {.id = 3, .mode = SEK_MODE_MONITOR, .action = SEK_ACTION_NXDOMAIN, .name = "monitor"},
    {.id = 4,
     .mode = SEK_MODE_BLOCK,
     .action = SEK_ACTION_REFUSED,
     .priority = 10,
     .name = "prior"},
};

static uint64_t rules_write(const struct text_rule *rules, size_t n, uint64_t base_id,
                            uint64_t generation)
{
    struct sek_compile *c;
    struct sek_diag diag = {0};
    test_ok(sek_compile_new(0, &c, &diag), &diag);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        test_ok(sek_compile_list(c, &lists[i], &diag), &diag);
    for (size_t i = 0; i < n && rules[i].list; i++) {
        enum sek_scope scope;
        struct sek_name owner;
        test_ok(sek_rule_from_text(rules[i].rule, strlen(rules[i].rule), &scope, &owner, &diag),
                &diag);
        const struct sek_rule rule = {
            .list = rules[i].list, .scope = (uint8_t)scope, .expires_s = rules[i].expires_s};
        if (base_id) /* as the publisher does for each changed name */
            test_ok(sek_compile_removed(c, owner.octets, owner.len, &diag), &diag);
        if (rules[i].removed)
            continue;
        if (sek_about_of(&owner) == SEK_ABOUT_REGEX)
            test_ok(sek_patterns_writer_add(sek_compile_patterns(c), &owner, &diag), &diag);
        test_ok(sek_compile_rule(c, owner.octets, owner.len, &rule, &diag), &diag);
    }
    struct sek_image_info info = {.base_id = base_id, .generation = generation};
    test_ok(sek_compile_write(c, test_path(base_id ? SEK_POLICY_DELTA : SEK_POLICY_IMAGE), &info,
                              NULL, NULL, &diag),
            &diag);
    sek_compile_free(c);
    return info.id;
}

static struct sek_policy *policy_of(const struct text_rule *rules, const struct text_rule *delta)
{
    struct sek_policy *p;
    struct sek_diag diag = {0};
    uint64_t id = rules_write(rules, 6, 0, 1);
    if (delta && delta->list)
        rules_write(delta, 4, id, 2);
    else
        unlink(test_path(SEK_POLICY_DELTA));
    test_ok(sek_policy_open(test_folder, &p, &diag), &diag);
    assert_string_equal(sek_policy_trouble(p), "");
    return p;
}

/* clang-format off */
static const struct {
    const char *label;
    struct text_rule rules[6], delta[4];
    const char *name;
    enum sek_trigger trigger;
    enum sek_action action;
    const char *by; /* list notation of the rule's owner; NULL: none */
} cases[] = {
    {"a match", {{1, "regex:^ads"}}, {{0}}, "ads.example", SEK_TRIGGER_REGEX, 5, "regex:^ads"},
    {"none", {{1, "regex:^ads"}}, {{0}}, "www.example", 0, 1, NULL},
    {"as AdGuard writes them", {{1, "/^ADS[0-9]/"}}, {{0}}, "ads1.example", SEK_TRIGGER_REGEX, 5,
     "regex:^ADS[0-9]"},
    {"a name is more specific", {{1, "regex:^ads"}, {4, "example"}}, {{0}}, "ads.example",
     SEK_TRIGGER_QNAME, 6, "example"},
    {"even without priority", {{4, "regex:^ads"}, {1, "example"}}, {{0}}, "ads.example",
     SEK_TRIGGER_QNAME, 5, "example"},
    {"even the root", {{4, "regex:^ads"}, {1, "."}}, {{0}}, "ads.example", SEK_TRIGGER_QNAME, 5, "."},
    {"priority between two", {{1, "regex:^ads"}, {4, "regex:ds.e"}}, {{0}}, "ads.example",
     SEK_TRIGGER_REGEX, 6, "regex:ds.e"},
    {"an exception of the name", {{1, "regex:^ads"}, {2, "ads.example"}}, {{0}}, "ads.example",
     SEK_TRIGGER_QNAME, 1, "ads.example"},
    {"an exception by regex", {{1, "=ads.example"}, {2, "regex:^ads"}}, {{0}}, "ads.example",
     SEK_TRIGGER_REGEX, 1, "regex:^ads"},
    {"a block below no scope", {{1, "*.ads.example"}, {1, "regex:^ads"}}, {{0}}, "ads.example",
     SEK_TRIGGER_REGEX, 5, "regex:^ads"},
    {"only recorded", {{3, "regex:^ads"}}, {{0}}, "ads.example", SEK_TRIGGER_REGEX, 1, "regex:^ads"},
    {"a block beside what records", {{3, "regex:^ads"}, {1, "regex:s\\.e"}}, {{0}}, "ads.example",
     SEK_TRIGGER_REGEX, 5, "regex:s\\.e"},
    {"ended", {{1, "regex:^ads", NOW}}, {{0}}, "ads.example", 0, 1, NULL},
    {"in two lists", {{1, "regex:^ads"}, {4, "regex:^ads"}}, {{0}}, "ads.example",
     SEK_TRIGGER_REGEX, 6, "regex:^ads"},
    {"odd octets", {{1, "regex:a\\\\032b"}}, {{0}}, "x.example", 0, 1, NULL},
    {"added", {{1, "x.example"}}, {{1, "regex:^ads"}}, "ads.example", SEK_TRIGGER_REGEX, 5,
     "regex:^ads"},
    {"added to others", {{1, "regex:^zzz"}}, {{1, "regex:^ads"}}, "ads.example", SEK_TRIGGER_REGEX,
     5, "regex:^ads"},
    {"others stay", {{1, "regex:^zzz"}}, {{1, "regex:^ads"}}, "zzz.example", SEK_TRIGGER_REGEX, 5,
     "regex:^zzz"},
    {"taken back", {{1, "regex:^ads"}}, {{1, "regex:^ads", 0, true}}, "ads.example", 0, 1, NULL},
    {"moved to another list", {{1, "regex:^ads"}}, {{4, "regex:^ads"}}, "ads.example",
     SEK_TRIGGER_REGEX, 6, "regex:^ads"},
    {"no rule of a name's", {{1, "regex:^ads"}, {1, "ads.rpz-regex.example"}}, {{0}}, "b.example",
     0, 1, NULL},
};
/* clang-format on */

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sek_policy *p = policy_of(cases[i].rules, cases[i].delta);
        const struct sek_engine engine = {.policy = p};
        const struct sek_name name = test_name(cases[i].name);
        struct sek_verdict v;
        struct sek_name owner;
        char text[SEK_NAME_TEXT_MAX + 2] = "";
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        assert_true(v.trigger == SEK_TRIGGER_NONE || !sek_engine_is_blank(&engine, &name));
        if (sek_engine_owner(&engine, &name, &v, &owner))
            sek_rule_to_text(SEK_SCOPE_SUBTREE, owner.octets, text);
        if (v.trigger != cases[i].trigger || v.action != cases[i].action ||
            strcmp(text, cases[i].by ? cases[i].by : "") != 0)
            fail_msg("%s: trigger %d, action %d, by '%s'", cases[i].label, v.trigger, v.action,
                     text);
        sek_policy_close(p);
    }
}

/* An exception of an alias does not cover what comes behind it. */
static void aliases(void **state)
{
    (void)state;
    static const struct text_rule rules[] = {
        {1, "regex:^ads"}, {2, "regex:^good"}, {0}, {0}, {0}, {0}};
    struct sek_policy *p = policy_of(rules, NULL);
    const struct sek_engine engine = {.policy = p};
    struct sek_name name = test_name("ads.example");
    struct sek_verdict v;
    sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_CNAME, &v, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_REGEX);
    assert_int_equal(v.action, SEK_ACTION_SINKHOLE);
    name = test_name("good.example");
    sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_CNAME, &v, NULL, NULL);
    assert_int_equal(v.trigger, SEK_TRIGGER_CNAME);
    assert_int_equal(v.would, SEK_ACTION_PASSTHRU);
    sek_policy_close(p);
}

static void count_step(void *arg, const struct sek_step *step)
{
    unsigned *n = arg;
    assert_true(step->because && *step->because);
    n[step->decides]++;
}

/* The company's own names, and those that everybody needs, are none of its business. */
static void own_are_spared(void **state)
{
    (void)state;
    static const struct text_rule rules[] = {
        {1, "regex:."}, {1, "www.own.example"}, {0}, {0}, {0}, {0}};
    static const struct {
        const char *name;
        bool blocked;
    } rows[] = {
        {"a.own.example", false},
        {"www.own.example", true}, /* by its name */
        {"other.example", true},
        {"a.root-servers.net", false},
    };
    char zone[] = "own.example", *zones[] = {zone};
    struct sek_never *own;
    assert_int_equal(sek_never_new(zones, 1, NULL, &own, NULL), SEK_OK);
    struct sek_policy *p = policy_of(rules, NULL);
    const struct sek_engine engine = {.policy = p, .own = own};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct sek_name name = test_name(rows[i].name);
        struct sek_verdict v;
        unsigned n[2] = {0};
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, count_step, n);
        if (sek_action_blocks(v.action) != rows[i].blocked)
            fail_msg("%s", rows[i].name);
        assert_int_equal(n[true], rows[i].blocked);
        assert_int_equal(n[false] + n[true], 1 + (strcmp(rows[i].name, "www.own.example") == 0));
    }
    sek_policy_close(p);
    sek_never_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(aliases),
        cmocka_unit_test(own_are_spared),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
