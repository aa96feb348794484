/* SPDX-License-Identifier: BSD-3-Clause */
/* Overrides of a list's actions: their text, and what becomes of a list's rules. */
#include "engine_fixture.h"
#include "policy/nets_write.h"
#include "policy/records.h"

static void test_text(void **state)
{
    static const struct {
        const char *text;
        enum sek_err err;
        enum sek_action action;
        const char *canonical, *terms;
    } rows[] = {
        {"", SEK_OK, SEK_ACTION_DEFAULT, "", ""},
        {"given", SEK_OK, SEK_ACTION_DEFAULT, "", ""},
        {"passthru", SEK_OK, SEK_ACTION_PASSTHRU, "passthru", ""},
        {"tcp-only", SEK_OK, SEK_ACTION_TCP_ONLY, "tcp-only", ""},
        {"cname Garden.Example.", SEK_OK, SEK_ACTION_DATA, "cname garden.example",
         "data=\"CNAME garden.example.\""},
        {"cname *.garden.example", SEK_OK, SEK_ACTION_DATA, "cname *.garden.example",
         "data=\"CNAME *.garden.example.\""},
        {"cname m\xc3\xbcll.example", SEK_OK, SEK_ACTION_DATA, "cname xn--mll-hoa.example",
         "data=\"CNAME xn--mll-hoa.example.\""},
        {"local-data", SEK_E_INVALID}, /* which records? */
        {"NXDOMAIN", SEK_E_INVALID},
        {"disabled", SEK_E_INVALID},
        {"cname", SEK_E_INVALID},
        {"cname ", SEK_E_NAME},
        {"cname .", SEK_E_INVALID},
        {"cname *.", SEK_E_NAME},
        {"cname a..b", SEK_E_NAME},
        {"cname a b", SEK_E_NAME},
        {"cname a\" ttl=5", SEK_E_NAME},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sek_override_spec spec = {.text = "untouched"};
        struct sek_diag diag = {0};
        enum sek_err err = sek_override_from_text(rows[i].text, &spec, &diag);
        if (err != rows[i].err || (err && (!diag.text[0] || strcmp(spec.text, "untouched"))))
            fail_msg("\"%s\": %s %s", rows[i].text, sek_err_text(err), diag.text);
        if (err)
            continue;
        if (spec.action != rows[i].action || strcmp(spec.text, rows[i].canonical) != 0 ||
            strcmp(spec.terms, rows[i].terms) != 0)
            fail_msg("\"%s\": \"%s\" %s", rows[i].text, spec.text, spec.terms);
        assert_int_equal(sek_override_action(spec.text), spec.action);
    }
}

/* All rules of the list do the same; what they cover, when, and those of others stay. */
static void test_rules(void **state)
{
    static const struct {
        const char *override;
        const struct text_rule rule;
        enum sek_action action, would;
    } rows[] = {
        {NULL, {1, "evil.example", 0, SEK_ACTION_DROP}, SEK_ACTION_DROP, SEK_ACTION_DROP},
        {"nodata", {1, "evil.example", 0, SEK_ACTION_DROP}, SEK_ACTION_NODATA, SEK_ACTION_NODATA},
        {"nodata", {1, "evil.example"}, SEK_ACTION_NODATA, SEK_ACTION_NODATA},
        {"nodata", {1, "evil.example", NOW}, SEK_ACTION_PASSTHRU, SEK_ACTION_PASSTHRU},
        {"nodata", {1, "=evil.example"}, SEK_ACTION_PASSTHRU, SEK_ACTION_PASSTHRU},
        {"nodata", {1, "evil.example", 0, 0, "type=TXT"}, SEK_ACTION_PASSTHRU, SEK_ACTION_PASSTHRU},
        {"nodata",
         {1, "evil.example", 0, SEK_ACTION_DATA, "data=\"A 192.0.2.1\""},
         SEK_ACTION_NODATA,
         SEK_ACTION_NODATA},
        {"nodata",
         {1, "evil.example", 0, SEK_ACTION_PASSTHRU},
         SEK_ACTION_NODATA,
         SEK_ACTION_NODATA},
        {"passthru",
         {1, "evil.example", 0, SEK_ACTION_DROP},
         SEK_ACTION_PASSTHRU,
         SEK_ACTION_PASSTHRU},
        {"log", {1, "evil.example", 0, SEK_ACTION_DROP}, SEK_ACTION_PASSTHRU, SEK_ACTION_LOG},
        {"cname garden.test", {1, "evil.example"}, SEK_ACTION_DATA, SEK_ACTION_DATA},
        {"cname garden.test",
         {1, "evil.example", 0, 0, "type=A ttl=7"},
         SEK_ACTION_DATA,
         SEK_ACTION_DATA},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        overrides[0] = rows[i].override;
        overrides[5] = "drop"; /* another list, without rules */
        struct sek_policy *p = policy_of(&rows[i].rule, 1);
        struct sek_name name = name_of("www.evil.example");
        struct sek_verdict v;
        sek_engine_decide(&(struct sek_engine){.policy = p, .asking.qtype = 1}, &name, NOW,
                          SEK_TRIGGER_QNAME, &v, NULL, NULL);
        if (v.action != rows[i].action || v.would != rows[i].would)
            fail_msg("row %zu: %d would %d", i, (int)v.action, (int)v.would);
        if (v.action == SEK_ACTION_DATA) {
            size_t n;
            const struct sek_termset *set =
                v.terms_new ? sek_policy_terms(p) : sek_policy_terms_below(p);
            const struct sek_terms *t = sek_termset_get(set, v.terms);
            assert_non_null(t);
            const uint8_t *data = sek_termset_data(set, t, &n);
            static const char target[] = "\0\5\0\015\6garden\4test";
            assert_int_equal(n, 4 + 13);
            assert_memory_equal(data, target, n);
            assert_int_equal(v.ttl_s, rows[i].rule.terms ? 7 : SEK_TTL_OF_SETTINGS);
        }
        sek_policy_close(p);
    }
    memset(overrides, 0, sizeof overrides);
}

/* --- the order of policy zones -------------------------------------------------------------------
 */

/* Lists that are policy zones: 1, 6 (before the others) and 3 (only monitored). */
static void test_zone(void **state)
{
    static const struct {
        const char *label;
        struct text_rule rules[4];
        const char *name;
        enum sek_action action;
        uint16_t list;
    } rows[] = {
        {"the narrower block of a zone comes before its wider exception",
         {{1, "*.evil.example", 0, SEK_ACTION_PASSTHRU}, {1, "=a.evil.example"}},
         "a.evil.example",
         SEK_ACTION_SINKHOLE,
         1},
        {"and the narrower exception before its wider block",
         {{1, "*.evil.example"}, {1, "=a.evil.example", 0, SEK_ACTION_PASSTHRU}},
         "a.evil.example",
         SEK_ACTION_PASSTHRU,
         1},
        {"the longest wildcard",
         {{1, "*.evil.example", 0, SEK_ACTION_PASSTHRU},
          {1, "*.b.evil.example"},
          {1, "*.example", 0, SEK_ACTION_DROP}},
         "a.b.evil.example",
         SEK_ACTION_SINKHOLE,
         1},
        {"a narrower rule that has ended does not count",
         {{1, "*.evil.example", 0, SEK_ACTION_PASSTHRU}, {1, "=a.evil.example", NOW}},
         "a.evil.example",
         SEK_ACTION_PASSTHRU,
         1},
        {"exceptions of other lists come first as ever",
         {{2, "example"}, {1, "=a.evil.example"}},
         "a.evil.example",
         SEK_ACTION_PASSTHRU,
         2},
        {"whatever is said of a name by a later zone, an earlier one decides",
         {{1, "*.evil.example", 0, SEK_ACTION_PASSTHRU},
          {1, "=a.evil.example"},
          {6, "=b.evil.example"}},
         "b.evil.example",
         SEK_ACTION_NODATA,
         6},
        {"an earlier zone comes before a more specific rule of a later one",
         {{1, "=a.evil.example"}, {6, "*.example"}},
         "a.evil.example",
         SEK_ACTION_NODATA,
         6},
        {"also before its exception",
         {{1, "=a.evil.example", 0, SEK_ACTION_PASSTHRU}, {6, "*.example"}},
         "a.evil.example",
         SEK_ACTION_NODATA,
         6},
        {"a zone that is monitored would let pass what it excepts",
         {{3, "*.evil.example"}, {3, "=a.evil.example", 0, SEK_ACTION_PASSTHRU}},
         "a.evil.example",
         SEK_ACTION_PASSTHRU,
         0},
    };
    (void)state;
    zones[0] = zones[2] = zones[5] = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = 0;
        while (n < 4 && rows[i].rules[n].list)
            n++;
        struct sek_policy *p = policy_of(rows[i].rules, n);
        struct sek_name name = name_of(rows[i].name);
        struct sek_verdict v;
        sek_engine_decide(&(struct sek_engine){.policy = p}, &name, NOW, SEK_TRIGGER_QNAME, &v,
                          NULL, NULL);
        if (v.action != rows[i].action || v.list != rows[i].list)
            fail_msg("%s: action %d of list %u", rows[i].label, (int)v.action, v.list);
        sek_policy_close(p);
    }
    memset(zones, 0, sizeof zones);
}

#define N_ZONES 4

struct zones {
    struct sek_list list[N_ZONES];
    bool zone[N_ZONES], answers[N_ZONES];
    enum sek_action name[N_ZONES], client[N_ZONES]; /* what their rules do; DEFAULT: no rule */
};

static unsigned seed;

static unsigned pick(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

static void random_zones(struct zones *z)
{
    static const enum sek_action actions[] = {SEK_ACTION_DEFAULT,  SEK_ACTION_DEFAULT,
                                              SEK_ACTION_NXDOMAIN, SEK_ACTION_DROP,
                                              SEK_ACTION_PASSTHRU, SEK_ACTION_LOG};
    for (unsigned i = 0; i < N_ZONES; i++) {
        z->list[i] = (struct sek_list){.id = (uint16_t)(i + 1),
                                       .mode = pick(4) ? SEK_MODE_BLOCK : SEK_MODE_MONITOR,
                                       .action = SEK_ACTION_SINKHOLE,
                                       .priority = (int32_t)pick(3)};
        snprintf(z->list[i].name, sizeof z->list[i].name, "z%u", i);
        z->zone[i] = pick(4) > 0;
        z->answers[i] = pick(2);
        z->name[i] = actions[pick(6)];
        z->client[i] = pick(3) ? SEK_ACTION_DEFAULT : actions[pick(6)];
    }
}

static struct sek_policy *policy_of_zones(const struct zones *z)
{
    struct sek_compile *c;
    struct sek_image_info info = {.generation = 7};
    struct sek_diag diag = {0};
    struct sek_policy *p = NULL;
    char path[64];
    assert_int_equal(sek_compile_new(0, &c, &diag), SEK_OK);
    for (unsigned i = 0; i < N_ZONES; i++) {
        struct sek_name name;
        struct sek_rule rule = {.list = z->list[i].id, .scope = SEK_SCOPE_EXACT};
        enum sek_scope scope;
        assert_int_equal(sek_compile_list(c, &z->list[i], &diag), SEK_OK);
        if (z->zone[i])
            assert_int_equal(sek_compile_override(c, z->list[i].id, NULL, true, &diag), SEK_OK);
        if (z->answers[i])
            sek_compile_answers(c, z->list[i].id);
        rule.action = (uint8_t)z->name[i];
        if (z->name[i]) {
            name = name_of("evil.example");
            assert_int_equal(sek_compile_rule(c, name.octets, name.len, &rule, &diag), SEK_OK);
        }
        static const char client[] = "client-ip:192.0.2.1";
        assert_int_equal(sek_rule_from_text(client, strlen(client), &scope, &name, NULL), SEK_OK);
        rule.action = (uint8_t)z->client[i];
        if (z->client[i])
            assert_int_equal(sek_nets_writer_add(sek_compile_nets(c), &name, &rule, &diag), SEK_OK);
    }
    snprintf(path, sizeof path, "%s/%s", dir, SEK_POLICY_IMAGE);
    assert_int_equal(sek_compile_write(c, path, &info, NULL, NULL, &diag), SEK_OK);
    sek_compile_free(c);
    if (sek_policy_open(dir, &p, &diag) != SEK_OK)
        fail_msg("open: %s", diag.text);
    return p;
}

static bool reference_is_final(const struct zones *z, const enum sek_action *action, int i)
{
    return i >= 0 && z->list[i].mode == SEK_MODE_BLOCK && action[i] != SEK_ACTION_LOG &&
           action[i] != SEK_ACTION_DEFAULT;
}

static bool reference_is_preceded(const struct zones *z, const enum sek_action *action, int i)
{
    for (int j = 0; j < N_ZONES; j++)
        if (z->zone[i] && z->zone[j] && reference_is_final(z, action, j) &&
            z->list[j].priority > z->list[i].priority)
            return true;
    return false;
}

/* The rule of one kind that comes first, by what is documented; -1: none. */
static int reference_first(const struct zones *z, const enum sek_action action[N_ZONES])
{
    int best = -1;
    long best_rank = -1;
    for (int i = 0; i < N_ZONES; i++) {
        bool acts = z->list[i].mode == SEK_MODE_BLOCK;
        long pass = action[i] == SEK_ACTION_DEFAULT       ? -1
                    : action[i] == SEK_ACTION_PASSTHRU    ? (acts ? 3 : -1)
                    : acts && action[i] != SEK_ACTION_LOG ? 2
                                                          : 1;
        long rank = pass * 1000 + z->list[i].priority * 10 + (N_ZONES - i);
        if (pass > 0 && rank > best_rank && !reference_is_preceded(z, action, i)) {
            best_rank = rank;
            best = i;
        }
    }
    return best;
}

/* Who decides, and whether that waits for the answer. */
static int reference(const struct zones *z, bool *out_waits)
{
    int client = reference_first(z, z->client), name = reference_first(z, z->name);
    bool by_client = reference_is_final(z, z->client, client);
    if (by_client && reference_is_final(z, z->name, name) && z->zone[client] && z->zone[name] &&
        z->list[name].priority > z->list[client].priority)
        by_client = false;
    int winner = by_client ? client : name;
    const enum sek_action *action = by_client ? z->client : z->name;
    *out_waits = false;
    if (!reference_is_final(z, action, winner) || action[winner] == SEK_ACTION_PASSTHRU)
        return reference_is_final(z, action, winner) ? winner : -1;
    for (int i = 0; i < N_ZONES; i++)
        *out_waits |= z->zone[winner] && z->zone[i] && z->answers[i] &&
                      z->list[i].mode == SEK_MODE_BLOCK &&
                      z->list[i].priority > z->list[winner].priority;
    return winner;
}

static void test_order(void **state)
{
    const char *env = getenv("SEED");
    const struct sek_addr client = {
        .octets = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1}};
    struct sek_name name = name_of("evil.example");
    unsigned n_waits = 0;
    (void)state;
    seed = env ? (unsigned)strtoul(env, NULL, 10) : (unsigned)getpid();
    print_message("seed %u\n", seed);
    for (unsigned round = 0; round < 400; round++) {
        struct zones z;
        struct sek_verdict v;
        bool waits;
        random_zones(&z);
        struct sek_policy *p = policy_of_zones(&z);
        const struct sek_engine engine = {.policy = p, .asking = {.endpoint = &client, .qtype = 1}};
        int wanted = reference(&z, &waits);
        sek_engine_decide(&engine, &name, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        bool final = v.trigger != SEK_TRIGGER_NONE &&
                     (sek_action_blocks(v.action) || !sek_verdict_is_hit(&v));
        if ((final ? v.list - 1 : -1) != wanted || (final && sek_verdict_waits(&v) != waits))
            fail_msg("round %u: list %u, want %d; waits %d, want %d", round, v.list, wanted + 1,
                     sek_verdict_waits(&v), waits);
        n_waits += waits;
        sek_policy_close(p);
    }
    assert_true(n_waits > 3);
}

static void test_damage(void **state)
{
    static const struct {
        const char *label;
        struct sek_override item[2];
        size_t size;
        bool good;
    } rows[] = {
        {"good", {{1, SEK_ACTION_DROP, 0, 0}, {2, SEK_ACTION_DATA, 0, 3}}, 16, true},
        {"cut", {{1, SEK_ACTION_DROP, 0, 0}}, 7, false},
        {"no action", {{1, SEK_ACTION_DEFAULT, 0, 0}}, 8, false},
        {"order alone", {{1, SEK_ACTION_DEFAULT, SEK_ORDER_ZONE, 0}}, 8, true},
        {"unknown order", {{1, SEK_ACTION_DROP, 4, 0}}, 8, false},
        {"unknown action", {{1, SEK_ACTION_MAX + 1, 0, 0}}, 8, false},
        {"order", {{2, SEK_ACTION_DROP, 0, 0}, {1, SEK_ACTION_DROP, 0, 0}}, 16, false},
        {"twice", {{2, SEK_ACTION_DROP, 0, 0}, {2, SEK_ACTION_DROP, 0, 0}}, 16, false},
        {"no such terms", {{1, SEK_ACTION_DATA, 0, 4}}, 8, false},
        {"no terms", {{1, SEK_ACTION_DATA, 0, 0}}, 8, false},
        {"terms of nothing", {{1, SEK_ACTION_DROP, 0, 1}}, 8, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((sek_overrides_check(rows[i].item, rows[i].size, 3, NULL) == SEK_OK) != rows[i].good)
            fail_msg("%s", rows[i].label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),  cmocka_unit_test(test_rules),  cmocka_unit_test(test_zone),
        cmocka_unit_test(test_order), cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
