/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of decisions, on real compiled policies: a table of cases, and random policies against
 * a slow reference that looks at every rule. */
#include "engine_fixture.h"

struct engine_case {
    const char *label;
    struct text_rule rules[4];
    const char *name;
    enum sek_action action, would;
    uint16_t list;
};

static const struct engine_case cases[] = {
    {"no rules", {{0}}, "a.example", SEK_ACTION_PASSTHRU, SEK_ACTION_PASSTHRU, 0},
    {"subtree covers itself",
     {{1, "evil.example"}},
     "evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"subtree covers below",
     {{1, "evil.example"}},
     "a.b.evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"label boundary",
     {{1, "evil.example"}},
     "notevil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
    {"exact does not cover below",
     {{1, "=evil.example"}},
     "www.evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
    {"below does not cover itself",
     {{1, "*.evil.example"}},
     "evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
    {"below covers below",
     {{1, "*.evil.example"}},
     "x.evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"exception beats a more specific block",
     {{1, "=www.evil.example"}, {2, "evil.example"}},
     "www.evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     2},
    {"exception that ended does not count",
     {{1, "evil.example"}, {2, "evil.example", NOW}},
     "evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"exception to the second counts",
     {{1, "evil.example"}, {2, "evil.example", NOW + 1}},
     "evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     2},
    {"block that ended does not count",
     {{1, "evil.example", NOW - 1}},
     "evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
    {"monitor records",
     {{3, "evil.example"}},
     "evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_NXDOMAIN,
     3},
    {"block beats a more specific monitor",
     {{3, "=a.evil.example"}, {1, "evil.example"}},
     "a.evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"log records and does not shadow a block",
     {{5, "=a.evil.example"}, {1, "evil.example"}},
     "a.evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"log alone", {{5, "evil.example"}}, "evil.example", SEK_ACTION_PASSTHRU, SEK_ACTION_LOG, 5},
    {"list that is off",
     {{4, "evil.example"}},
     "evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
    {"priority decides at the same name",
     {{1, "evil.example"}, {6, "evil.example"}},
     "evil.example",
     SEK_ACTION_NODATA,
     SEK_ACTION_NODATA,
     6},
    {"specific beats priority",
     {{1, "a.evil.example"}, {6, "evil.example"}},
     "a.evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"entry's own action",
     {{1, "evil.example", 0, SEK_ACTION_DROP}},
     "evil.example",
     SEK_ACTION_DROP,
     SEK_ACTION_DROP,
     1},
    {"entry may be an exception inside a block list",
     {{1, "evil.example"}, {1, "=ok.evil.example", 0, SEK_ACTION_PASSTHRU}},
     "ok.evil.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     1},
    {"monitored exception has no effect",
     {{1, "evil.example"}, {7, "evil.example"}},
     "evil.example",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"the root covers everything",
     {{1, "."}},
     "a.b.c",
     SEK_ACTION_SINKHOLE,
     SEK_ACTION_SINKHOLE,
     1},
    {"the root itself, exactly", {{1, "=."}}, ".", SEK_ACTION_SINKHOLE, SEK_ACTION_SINKHOLE, 1},
    {"a top-level domain exactly",
     {{1, "=example"}},
     "a.example",
     SEK_ACTION_PASSTHRU,
     SEK_ACTION_PASSTHRU,
     0},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct engine_case *t = &cases[i];
        size_t n = 0;
        while (n < 4 && t->rules[n].list)
            n++;
        struct sek_policy *p = policy_of(t->rules, n);
        struct sek_name name = name_of(t->name);
        struct sek_verdict v;
        sek_engine_decide(&(struct sek_engine){.policy = p}, &name, NOW, SEK_TRIGGER_QNAME, &v,
                          NULL, NULL);
        if (v.action != t->action || v.would != t->would || v.list != t->list)
            fail_msg("%s: got action %s would %s list %u", t->label,
                     sek_lookup_name(sek_action_names, (int)v.action),
                     sek_lookup_name(sek_action_names, (int)v.would), v.list);
        assert_int_equal(v.trigger, t->list ? SEK_TRIGGER_QNAME : SEK_TRIGGER_NONE);
        assert_int_equal(v.generation, 7);
        sek_policy_close(p);
    }
}

static void test_without_policy(void **state)
{
    (void)state;
    struct sek_name name = name_of("a.example");
    struct sek_verdict v;
    sek_engine_decide(&(struct sek_engine){0}, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    assert_int_equal(v.action, SEK_ACTION_PASSTHRU);
    assert_int_equal(v.trigger, SEK_TRIGGER_NONE);
    assert_false(sek_verdict_is_hit(&v));
}

static void count_steps(void *arg, const struct sek_step *step)
{
    unsigned *n = arg;
    n[0]++;
    n[1] += step->decides;
    assert_non_null(step->because);
    assert_non_null(step->list);
}

static void test_walk_tells_of_every_rule(void **state)
{
    (void)state;
    const struct text_rule rules[] = {
        {1, "evil.example"}, {2, "=www.evil.example"}, {4, "example"}, {3, "*.www.evil.example"}};
    struct sek_policy *p = policy_of(rules, 4);
    struct sek_name name = name_of("www.evil.example");
    struct sek_verdict v;
    unsigned n[2] = {0};
    sek_engine_decide(&(struct sek_engine){.policy = p}, &name, NOW, SEK_TRIGGER_QNAME, &v,
                      count_steps, n);
    assert_int_equal(n[0], 4);
    assert_int_equal(n[1], 1);
    assert_int_equal(v.list, 2);
    sek_policy_close(p);
}

/* --- random policies against the reference
 * -------------------------------------------------------- */

#define N_RANDOM_RULES 40

static unsigned seed;

static unsigned pick(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

/* Names of 1..4 labels out of {a, b}, so that they meet each other often. */
static void random_name(char *out)
{
    unsigned n = 1 + pick(4);
    for (unsigned i = 0; i < n; i++)
        out += sprintf(out, i ? ".%c" : "%c", 'a' + (int)pick(2));
}

/* What the terms mean that the rules are given. */
static const struct known_terms {
    const char *text;
    uint16_t type;
    bool all_but, now;
    long priority; /* 0: the list's */
} terms_known[] = {
    {"type=A", 1, false, true, 0},
    {"type=!A", 1, true, true, 0},
    {"type=TXT priority=5", 16, false, true, 5},
    {"priority=20", 0, false, true, 20},
    {"start=" NOW_TEXT, 0, false, true, 0},
    {"start=" LATER_TEXT, 0, false, false, 0},
    {"schedule=\"mon 13:00-14:00 UTC\"", 0, false, true, 0},
    {"schedule=\"tue-sun UTC\"", 0, false, false, 0},
    {"type=!TXT schedule=\"sun 22:00-14:00 mon 13:30-13:50 UTC\"", 16, true, true, 0},
    {"ede=17 ttl=5", 0, false, true, 0},
};
#define N_KNOWN (sizeof terms_known / sizeof *terms_known)

/* The rank of a rule for a question, higher is better; -1 when it takes no part. Written from the
 * documented order, without looking at the engine. */
static long reference_rank(const struct text_rule *r, const struct sek_name *question,
                           uint16_t qtype, enum sek_action *out_action, bool *out_acts)
{
    const struct sek_list *list = &lists[r->list - 1];
    enum sek_scope scope;
    struct sek_name owner;
    sek_rule_from_text(r->rule, strlen(r->rule), &scope, &owner, NULL);
    if (!sek_name_is_at_or_below(question, &owner))
        return -1;
    unsigned depth = (unsigned)(question->n_labels - owner.n_labels);
    bool covers = scope == SEK_SCOPE_SUBTREE || (scope == SEK_SCOPE_EXACT ? depth == 0 : depth > 0);
    if (!covers || list->mode == SEK_MODE_OFF || (r->expires_s && r->expires_s <= NOW))
        return -1;
    enum sek_action action = r->action ? r->action : list->action;
    if (overrides[r->list - 1])
        action = sek_override_action(overrides[r->list - 1]);
    long pass, priority = list->priority;
    if (r->terms) {
        const struct known_terms *k = terms_known;
        while (strcmp(k->text, r->terms) != 0)
            k++;
        bool exception = action == SEK_ACTION_PASSTHRU;
        bool by_type = !k->type                     ? true
                       : qtype == 0 || qtype == 255 ? !exception
                                                    : (qtype == k->type) != k->all_but;
        if (!k->now || !by_type)
            return -1;
        if (k->priority)
            priority = k->priority;
    }
    if (action == SEK_ACTION_PASSTHRU)
        pass = list->mode == SEK_MODE_BLOCK ? 3 : 0;
    else
        pass = list->mode == SEK_MODE_BLOCK && action >= SEK_ACTION_NXDOMAIN ? 2 : 1;
    if (pass == 0)
        return -1;
    *out_action = action;
    *out_acts = pass == 2;
    /* pass, then depth, then priority, then lowest list id, then exact first */
    return (((pass * 200 + (199 - (long)depth)) * 100 + priority + 10) * 100 + (99 - list->id)) *
               4 +
           (3 - (long)scope);
}

/* The same list, name and scope twice: the compiler merges them (later expiry, last action). */
static bool duplicate(const struct text_rule *rules, size_t n, const struct text_rule *r)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].list == r->list && strcmp(rules[i].rule, r->rule) == 0)
            return true;
    return false;
}

static void test_random_against_reference(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    seed = env ? (unsigned)strtoul(env, NULL, 10) : (unsigned)getpid();
    print_message("seed %u\n", seed);
    static const enum sek_action actions[] = {SEK_ACTION_DEFAULT, SEK_ACTION_DEFAULT,
                                              SEK_ACTION_PASSTHRU, SEK_ACTION_DROP, SEK_ACTION_LOG};
    static const char *const overriding[] = {"nxdomain", "passthru", "log", "cname garden.test"};
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < N_LISTS; i++) /* in every second policy */
            overrides[i] = round % 2 && pick(3) == 0 ? overriding[pick(4)] : NULL;
        struct text_rule rules[N_RANDOM_RULES];
        char texts[N_RANDOM_RULES][32];
        size_t n = 0;
        while (n < N_RANDOM_RULES) {
            char name[24];
            random_name(name);
            snprintf(texts[n], sizeof texts[n], "%s%s",
                     (const char *const[]){"", "=", "*."}[pick(3)], name);
            rules[n] = (struct text_rule){(uint16_t)(1 + pick(N_LISTS)), texts[n],
                                          pick(4) ? 0 : NOW - 1 + pick(3), actions[pick(5)],
                                          pick(2) ? NULL : terms_known[pick(N_KNOWN)].text};
            if (!duplicate(rules, n, &rules[n]))
                n++;
        }
        struct sek_policy *p = policy_of(rules, n);
        for (int question = 0; question < 60; question++) {
            char text[24];
            random_name(text);
            struct sek_name name = name_of(text);
            const uint16_t qtype = (const uint16_t[]){1, 16, 28, 0, 255}[pick(5)];
            long best = -1;
            enum sek_action would = SEK_ACTION_PASSTHRU, action = SEK_ACTION_PASSTHRU;
            bool acts = false, best_acts = false;
            uint16_t list = 0;
            for (size_t i = 0; i < n; i++) {
                long rank = reference_rank(&rules[i], &name, qtype, &action, &acts);
                if (rank > best) {
                    best = rank;
                    would = action;
                    best_acts = acts;
                    list = rules[i].list;
                }
            }
            struct sek_verdict v;
            const struct sek_engine engine = {.policy = p, .asking.qtype = qtype};
            sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
            assert_true(v.trigger == SEK_TRIGGER_NONE || !sek_engine_is_blank(&engine, &name));
            if (v.list != list || v.would != would ||
                v.action != (best_acts ? would : SEK_ACTION_PASSTHRU))
                fail_msg("round %d, %s type %u: list %u (want %u), would %d (want %d)", round, text,
                         qtype, v.list, list, (int)v.would, (int)would);
        }
        struct sek_name other = name_of("www.nobody.invalid");
        assert_true(sek_engine_is_blank(&(struct sek_engine){.policy = p}, &other));
        sek_policy_close(p);
    }
    memset(overrides, 0, sizeof overrides);
}

/* Canary names: as configured, only as a question, only the very names; exceptions and block rules
 * come first, what only records does not. */
static void test_canary(void **state)
{
    static const struct {
        const char *label, *name;
        struct text_rule rule;
        int canary;
        enum sek_trigger trigger;
        enum sek_action action;
        bool hit;
    } rows[] = {
        {"off",
         "use-application-dns.net",
         {0},
         SEK_CANARY_OFF,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_PASSTHRU,
         false},
        {"Firefox",
         "use-application-dns.net",
         {0},
         SEK_CANARY_NXDOMAIN,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_NXDOMAIN,
         true},
        {"Apple",
         "mask.icloud.com",
         {0},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_NODATA,
         true},
        {"Apple, HTTP/2",
         "mask-h2.icloud.com",
         {0},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_NODATA,
         true},
        {"on the way",
         "mask.icloud.com",
         {0},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_CNAME,
         SEK_ACTION_PASSTHRU,
         false},
        {"below",
         "a.mask.icloud.com",
         {0},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_PASSTHRU,
         false},
        {"above",
         "icloud.com",
         {0},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_PASSTHRU,
         false},
        {"excepted",
         "mask.icloud.com",
         {2, "icloud.com"},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_PASSTHRU,
         false},
        {"blocked",
         "mask.icloud.com",
         {1, "icloud.com"},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_SINKHOLE,
         true},
        {"recorded",
         "mask.icloud.com",
         {3, "icloud.com"},
         SEK_CANARY_NODATA,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_NODATA,
         true},
        {"off list",
         "mask.icloud.com",
         {4, "icloud.com"},
         SEK_CANARY_NXDOMAIN,
         SEK_TRIGGER_QNAME,
         SEK_ACTION_NXDOMAIN,
         true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sek_policy *p = rows[i].rule.list ? policy_of(&rows[i].rule, 1) : NULL;
        const struct sek_engine engine = {.policy = p, .canary = rows[i].canary};
        struct sek_name name = name_of(rows[i].name);
        struct sek_verdict v;
        char by[SEK_VERDICT_BY_MAX];
        sek_engine_decide(&engine, &name, NOW, rows[i].trigger, &v, NULL, NULL);
        assert_true(v.trigger == SEK_TRIGGER_NONE || !sek_engine_is_blank(&engine, &name));
        bool by_canary = v.trigger == SEK_TRIGGER_CANARY;
        if (v.action != rows[i].action || sek_verdict_is_hit(&v) != rows[i].hit ||
            (by_canary && v.list != 0))
            fail_msg("%s: action %d", rows[i].label, (int)v.action);
        if (by_canary) {
            assert_string_equal(v.list_name, "canary");
            assert_string_equal(sek_verdict_by(&v, by, sizeof by),
                                "canary name, as bypass.canary says");
            assert_int_equal(v.would, v.action);
            assert_false(v.monitor);
        }
        sek_policy_close(p);
    }
}

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_taking_over),
        cmocka_unit_test(test_without_policy),
        cmocka_unit_test(test_walk_tells_of_every_rule),
        cmocka_unit_test(test_random_against_reference),
        cmocka_unit_test(test_canary),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
