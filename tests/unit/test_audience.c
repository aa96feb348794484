/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom rules concern, in the order of decisions: random policies with groups against the documented
 * order, followed step by step without any thought of speed; and that an answer which anybody may
 * share is one that nobody may not have. */
#include "policy/groups_write.h"
#include "policy_fixture.h"
#include "verdict/engine.h"

#define NOW 1000
#define ROUNDS 150
#define N_RULES 24
#define QUESTIONS 40

enum { G_QUARANTINE = SEK_GROUP_QUARANTINE_ID, G_KIDS, G_KIOSK, N_GROUPS = G_KIOSK };
#define BIT(g) ((uint64_t)1 << ((g)-1)) /* sek_group_bit, as a constant */

/* THE lists: whom they are for, and what they do. Those of groups have the groups' ids. */
static const struct {
    struct sek_audience audience;
    enum sek_action action;
    int32_t priority;
} lists[] = {
    {{.only = BIT(G_QUARANTINE)}, SEK_ACTION_PASSTHRU, 0},
    {{.only = BIT(G_KIDS)}, SEK_ACTION_PASSTHRU, 0},
    {{.only = BIT(G_KIOSK)}, SEK_ACTION_PASSTHRU, 0},
    {{0}, SEK_ACTION_NXDOMAIN, 5},
    {{.only = BIT(G_KIDS)}, SEK_ACTION_SINKHOLE, -1},
    {{.except = BIT(G_KIDS) | BIT(G_QUARANTINE)}, SEK_ACTION_REFUSED, 9},
    {{.only = BIT(G_KIDS) | BIT(G_KIOSK)}, SEK_ACTION_LOG, 0},
    {{0}, SEK_ACTION_PASSTHRU, 0},
    {{.except = BIT(G_KIOSK)}, SEK_ACTION_PASSTHRU, 0},
};
#define N_LISTS (sizeof lists / sizeof *lists)

/* Endpoints: which groups each is in. */
static const uint64_t endpoints[] = {
    0,
    BIT(G_KIDS),
    BIT(G_KIOSK),
    BIT(G_KIDS) | BIT(G_KIOSK),
    BIT(G_QUARANTINE),
    BIT(G_QUARANTINE) | BIT(G_KIDS) | BIT(G_KIOSK),
};
#define N_ENDPOINTS (sizeof endpoints / sizeof *endpoints)

struct rule {
    struct sek_name owner;
    enum sek_scope scope;
    unsigned list; /* index */
    int64_t expires_s;
};

struct world {
    struct rule rules[N_RULES];
    unsigned n;
    enum sek_mode mode[N_GROUPS + 1];
    struct sek_policy *policy;
};

static struct sek_addr address_of(size_t endpoint)
{
    struct sek_addr a = {{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2}};
    a.octets[15] = (uint8_t)(1 + endpoint);
    return a;
}

static struct sek_name random_name(uint64_t *random)
{
    struct sek_name name = test_name("");
    for (unsigned n = 1 + (unsigned)(test_random(random) % 3); n > 0; n--)
        test_name_prepend(&name, 1, (uint8_t)('a' + test_random(random) % 2));
    return name;
}

static void groups_make(struct world *w, struct sek_compile *c, uint64_t *random)
{
    struct sek_groups_writer *groups = sek_compile_groups(c);
    for (unsigned g = 1; g <= N_GROUPS; g++) {
        w->mode[g] = g == G_QUARANTINE ? SEK_MODE_BLOCK : (enum sek_mode)(test_random(random) % 3);
        struct sek_client_group group = {.id = (uint8_t)g,
                                         .mode = (uint8_t)w->mode[g],
                                         .action = SEK_ACTION_NODATA,
                                         .list = (uint16_t)g};
        snprintf(group.name, sizeof group.name, "list-%u", g);
        assert_int_equal(sek_groups_writer_add(groups, &group, NULL), SEK_OK);
        for (size_t e = 0; e < N_ENDPOINTS; e++) {
            const struct sek_net net = {.addr = address_of(e), .bits = 128};
            if (endpoints[e] & BIT(g))
                assert_int_equal(sek_groups_writer_member(groups, g, &net, 0, NULL), SEK_OK);
        }
    }
}

static void lists_make(struct sek_compile *c)
{
    for (size_t i = 0; i < N_LISTS; i++) {
        struct sek_list list = test_list((uint16_t)(i + 1));
        list.action = (uint8_t)lists[i].action;
        list.priority = lists[i].priority;
        assert_int_equal(sek_groups_writer_audience(sek_compile_groups(c), &lists[i].audience,
                                                    &list.audience, NULL),
                         SEK_OK);
        assert_int_equal(sek_compile_list(c, &list, NULL), SEK_OK);
    }
}

static bool is_there(const struct world *w, const struct rule *r)
{
    for (unsigned i = 0; i < w->n; i++)
        if (w->rules[i].list == r->list && w->rules[i].scope == r->scope &&
            test_name_same(&w->rules[i].owner, &r->owner))
            return true;
    return false;
}

static void rules_make(struct world *w, struct sek_compile *c, uint64_t *random)
{
    for (w->n = 0; w->n < N_RULES;) {
        struct rule *r = &w->rules[w->n];
        *r = (struct rule){.owner = random_name(random),
                           .scope = (enum sek_scope)(1 + test_random(random) % 3),
                           .list = (unsigned)(test_random(random) % N_LISTS),
                           .expires_s = test_random(random) % 5 ? 0 : NOW};
        if (is_there(w, r))
            continue;
        const struct sek_rule rule = {
            .list = (uint16_t)(r->list + 1), .scope = (uint8_t)r->scope, .expires_s = r->expires_s};
        assert_int_equal(sek_compile_rule(c, r->owner.octets, r->owner.len, &rule, NULL), SEK_OK);
        w->n++;
    }
}

static void world_make(struct world *w, uint64_t *random)
{
    struct sek_image_info info = {.generation = 1};
    struct sek_compile *c;
    struct sek_diag diag;
    test_ok(sek_compile_new(0, &c, &diag), &diag);
    groups_make(w, c, random);
    lists_make(c);
    rules_make(w, c, random);
    test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    test_ok(sek_policy_open(test_folder, &w->policy, &diag), &diag);
}

/* --- the documented order ------------------------------------------------------------------------
 */

/* -1: the rule does not cover the question; else labels between. */
static int depth_of(const struct rule *r, const struct sek_name *question)
{
    if (!sek_name_is_at_or_below(question, &r->owner))
        return -1;
    int depth = question->n_labels - r->owner.n_labels;
    bool covers = r->scope == SEK_SCOPE_SUBTREE || (r->scope == SEK_SCOPE_EXACT) == (depth == 0);
    return covers ? depth : -1;
}

static unsigned width_of(unsigned list)
{
    return lists[list].audience.only ? 0 : lists[list].audience.except ? 1 : 2;
}

/* Most specific, narrowest, highest priority, lowest id, exact first. */
static bool is_before(const struct rule *a, int depth_a, const struct rule *b, int depth_b)
{
    if (depth_a != depth_b)
        return depth_a < depth_b;
    if (width_of(a->list) != width_of(b->list))
        return width_of(a->list) < width_of(b->list);
    if (lists[a->list].priority != lists[b->list].priority)
        return lists[a->list].priority > lists[b->list].priority;
    if (a->list != b->list)
        return a->list < b->list;
    return a->scope < b->scope;
}

enum sort { SORT_EXCEPTION, SORT_BLOCK, SORT_RECORD };

static enum sort sort_of(const struct rule *r)
{
    enum sek_action action = lists[r->list].action;
    return action == SEK_ACTION_PASSTHRU ? SORT_EXCEPTION
           : sek_action_blocks(action)   ? SORT_BLOCK
                                         : SORT_RECORD;
}

/* The first rule of a sort that is for these groups; only: and meant for one of those. */
static const struct rule *first_of(const struct world *w, const struct sek_name *question,
                                   uint64_t groups, enum sort sort, uint64_t only, int *out_depth)
{
    const struct rule *best = NULL;
    for (unsigned i = 0; i < w->n; i++) {
        const struct rule *r = &w->rules[i];
        const struct sek_audience *a = &lists[r->list].audience;
        int depth = depth_of(r, question);
        bool is_for = (!a->only || (a->only & groups)) && !(a->except & groups);
        if (depth < 0 || r->expires_s || !is_for || sort_of(r) != sort ||
            (only && !(a->only & only)))
            continue;
        if (!best || is_before(r, depth, best, *out_depth)) {
            best = r;
            *out_depth = depth;
        }
    }
    return best;
}

struct expected {
    unsigned list; /* id; 0: none */
    enum sek_action action;
    bool restricted;
};

static struct expected by_rule(const struct rule *r)
{
    if (!r)
        return (struct expected){0, SEK_ACTION_PASSTHRU, false};
    enum sek_action action = lists[r->list].action;
    return (struct expected){r->list + 1, sek_action_blocks(action) ? action : SEK_ACTION_PASSTHRU,
                             false};
}

static uint64_t of_mode(const struct world *w, uint64_t groups, enum sek_mode mode)
{
    uint64_t found = 0;
    for (unsigned g = 1; g <= N_GROUPS; g++)
        if ((groups & BIT(g)) && w->mode[g] == mode)
            found |= BIT(g);
    return found;
}

static unsigned lowest(uint64_t groups)
{
    unsigned g = 1;
    while (!(groups & BIT(g)))
        g++;
    return g;
}

static struct expected follow(const struct world *w, const struct sek_name *question,
                              uint64_t groups)
{
    int depth = 0, exception_depth = 0, block_depth = 0;
    uint64_t restricting = of_mode(w, groups, SEK_MODE_BLOCK);
    if (restricting & BIT(G_QUARANTINE))
        restricting = BIT(G_QUARANTINE);
    if (restricting) {
        const struct rule *own = first_of(w, question, groups, SORT_EXCEPTION, restricting, &depth);
        if (own)
            return by_rule(own);
        return (struct expected){lowest(restricting), SEK_ACTION_NODATA, true};
    }
    const struct rule *exception =
        first_of(w, question, groups, SORT_EXCEPTION, 0, &exception_depth);
    const struct rule *block = first_of(w, question, groups, SORT_BLOCK, 0, &block_depth);
    bool gives_way = exception && block && !lists[exception->list].audience.only &&
                     lists[block->list].audience.only && block_depth <= exception_depth;
    if (exception && !gives_way)
        return by_rule(exception);
    if (block)
        return by_rule(block);
    const struct rule *record = first_of(w, question, groups, SORT_RECORD, 0, &depth);
    if (record)
        return by_rule(record);
    uint64_t watching = of_mode(w, groups, SEK_MODE_MONITOR);
    bool own = watching && first_of(w, question, groups, SORT_EXCEPTION, watching, &depth);
    if (watching && !own)
        return (struct expected){lowest(watching), SEK_ACTION_PASSTHRU, true};
    return by_rule(NULL);
}

/* --- tests ---------------------------------------------------------------------------------------
 */

static struct sek_verdict ask(const struct world *w, const struct sek_name *question,
                              const struct sek_addr *endpoint)
{
    struct sek_verdict v;
    const struct sek_engine engine = {.policy = w->policy, .asking.endpoint = endpoint};
    sek_engine_decide(&engine, question, NOW, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    assert_true(v.trigger == SEK_TRIGGER_NONE || !sek_engine_is_blank(&engine, question));
    return v;
}

static void check(const struct world *w, const struct sek_name *question, unsigned round)
{
    bool blocked = false;
    for (size_t e = 0; e < N_ENDPOINTS; e++) {
        struct sek_addr address = address_of(e);
        struct sek_verdict v = ask(w, question, &address);
        struct expected x = follow(w, question, endpoints[e]);
        if (v.list != x.list || v.action != x.action ||
            (v.trigger == SEK_TRIGGER_CLIENT_IP) != x.restricted)
            fail_msg("round %u, endpoint %zu: list %u action %d, wanted %u %d", round, e, v.list,
                     (int)v.action, x.list, (int)x.action);
        blocked |= sek_action_blocks(v.action);
    }
    struct sek_verdict anybody = ask(w, question, NULL);
    if (blocked && !sek_action_blocks(anybody.action))
        fail_msg("round %u: blocked for some, but not for anybody", round);
}

static void test_like_the_order(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    struct world w;
    for (unsigned round = 0; round < ROUNDS; round++) {
        world_make(&w, &random);
        for (unsigned i = 0; i < QUESTIONS; i++) {
            struct sek_name question = random_name(&random);
            check(&w, &question, round);
        }
        sek_policy_close(w.policy);
    }
}

/* Without groups nobody's answer differs, and nothing that all may have is kept from anybody. */
static void test_nobody_restricted(void **state)
{
    (void)state;
    struct sek_image_info info = {.generation = 1};
    struct sek_compile *c;
    struct sek_diag diag;
    struct world w = {0};
    struct sek_name name = test_name("a.b");
    struct sek_addr address = address_of(0);
    test_ok(sek_compile_new(0, &c, &diag), &diag);
    lists_make(c);
    test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    test_ok(sek_policy_open(test_folder, &w.policy, &diag), &diag);
    assert_int_equal(ask(&w, &name, NULL).trigger, SEK_TRIGGER_NONE);
    assert_int_equal(ask(&w, &name, &address).trigger, SEK_TRIGGER_NONE);
    sek_policy_close(w.policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_the_order),
        cmocka_unit_test(test_nobody_restricted),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
