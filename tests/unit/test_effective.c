/* SPDX-License-Identifier: BSD-3-Clause */
/* The effective policy against the engine: random policies are cut down to places, written as the
 * records of a response policy zone, and looked up as three kinds of readers do it; each must say
 * of any name what the engine decides. And a table of cases of which records are needed. */
#include "policy_fixture.h"
#include "name/text.h"
#include "policy/compile.h"
#include "verdict/canary.h"
#include "verdict/effective.h"

#define NOW_S 500
#define N_RULES 120
#define N_NAMES 1200
#define N_ROUNDS 150

/* --- a zone, as records in canonical order ------------------------------------------------------
 */

struct record {
    struct sek_name owner; /* with its star */
    bool star;
    enum sek_action action;
};

struct zone {
    size_t n;
    struct record records[4000];
};

static void zone_put(struct zone *z, const struct sek_name *name, bool star, enum sek_action action)
{
    struct record r = {.owner = *name, .star = star, .action = action};
    assert_true(z->n < sizeof z->records / sizeof z->records[0]);
    if (star)
        test_name_prepend(&r.owner, 1, '*');
    z->records[z->n++] = r;
}

static bool rpz_fits(void *arg, const struct sek_name *name, bool below)
{
    (void)arg;
    if (name->n_labels == 0)
        return below;
    for (unsigned i = 0; i < name->n_labels; i++)
        if (memcmp(name->octets + name->offset[i], "\1*", 2) == 0)
            return false;
    return name->len + (below ? 2 : 0) <= SEK_NAME_MAX;
}

static void rpz_place(void *arg, const struct sek_effective_place *p)
{
    struct zone *z = arg;
    if (!p->changes)
        return;
    if (p->exact != SEK_ACTION_DEFAULT && p->name->n_labels > 0)
        zone_put(z, p->name, false, p->exact);
    if (p->below != SEK_ACTION_DEFAULT && rpz_fits(NULL, p->name, true))
        zone_put(z, p->name, true, p->below);
}

static int by_owner(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return sek_name_compare(&x->owner, &y->owner);
}

static const struct record *find_exact(const struct zone *z, const struct sek_name *name)
{
    struct record key = {.owner = *name};
    return bsearch(&key, z->records, z->n, sizeof key, by_owner);
}

/* The star below a name. */
static const struct record *find_star(const struct zone *z, const struct sek_name *name)
{
    struct sek_name star = *name;
    if (star.len + 2 > SEK_NAME_MAX)
        return NULL;
    test_name_prepend(&star, 1, '*');
    return find_exact(z, &star);
}

/* --- the three readers --------------------------------------------------------------------------
 */

typedef enum sek_action reader_fn(const struct zone *z, const struct sek_name *name);

static enum sek_action said(const struct record *r)
{
    return r ? r->action : SEK_ACTION_DEFAULT;
}

/* The name, else the longest wildcard: what the drafts of RPZ say, and PowerDNS does. */
static enum sek_action by_longest(const struct zone *z, const struct sek_name *name)
{
    const struct record *r = find_exact(z, name);
    for (unsigned up = 1; !r && up <= name->n_labels; up++) {
        struct sek_name parent;
        sek_name_parent(name, up, &parent);
        r = find_star(z, &parent);
    }
    return said(r);
}

static bool exists(const struct zone *z, const struct sek_name *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (sek_name_is_at_or_below(&z->records[i].owner, name))
            return true;
    return false;
}

/* RFC 4592, as BIND: the wildcard at the closest name that exists, be it without records. */
static enum sek_action by_encloser(const struct zone *z, const struct sek_name *name)
{
    if (exists(z, name))
        return said(find_exact(z, name));
    for (unsigned up = 1; up <= name->n_labels; up++) {
        struct sek_name parent;
        sek_name_parent(name, up, &parent);
        if (parent.n_labels == 0 || exists(z, &parent))
            return said(find_star(z, &parent));
    }
    return SEK_ACTION_DEFAULT;
}

/* Unbound's services/rpz.c, rpz_find_zone: the wildcard at what the name shares with the record
 * before it. */
static enum sek_action by_predecessor(const struct zone *z, const struct sek_name *name)
{
    const struct record *before = NULL;
    for (size_t i = 0; i < z->n && sek_name_compare(&z->records[i].owner, name) <= 0; i++)
        before = &z->records[i];
    if (!before || sek_name_compare(&before->owner, name) == 0)
        return said(before);
    for (unsigned up = 1; up <= name->n_labels; up++) {
        struct sek_name parent;
        sek_name_parent(name, up, &parent);
        if (sek_name_is_at_or_below(&before->owner, &parent))
            return said(find_star(z, &parent));
    }
    return SEK_ACTION_DEFAULT;
}

/* The names for which that is sound: a label before "*" finds a record before the wildcard. */
static bool follows_stars(const struct sek_name *name)
{
    for (unsigned i = 0; i < name->n_labels; i++)
        if (name->octets[name->offset[i] + 1] <= '*')
            return false;
    return true;
}

/* --- random policies ----------------------------------------------------------------------------
 */

#define ALL_SAID                                                                                   \
    {                                                                                              \
        [SEK_ACTION_PASSTHRU] = SEK_ACTION_PASSTHRU, [SEK_ACTION_NXDOMAIN] = SEK_ACTION_NXDOMAIN,  \
        [SEK_ACTION_NODATA] = SEK_ACTION_NODATA, [SEK_ACTION_SINKHOLE] = SEK_ACTION_SINKHOLE,      \
        [SEK_ACTION_REFUSED] = SEK_ACTION_REFUSED, [SEK_ACTION_DROP] = SEK_ACTION_DROP,            \
    }

/* What any reader is to say; DEFAULT also for what is recorded only. */
static enum sek_action decided(const struct sek_engine *engine, const struct sek_name *name)
{
    struct sek_verdict v;
    sek_engine_decide(engine, name, NOW_S, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    if (v.trigger == SEK_TRIGGER_NONE || (sek_verdict_is_hit(&v) && !sek_action_blocks(v.action)))
        return SEK_ACTION_DEFAULT;
    return v.action;
}

/* Few labels, so that rules nest; nothing that a zone cannot hold. */
static struct sek_name name_below(const struct sek_name *top, unsigned labels, uint64_t *random)
{
    struct sek_name name = *top;
    for (unsigned i = 0; i < labels; i++)
        test_name_prepend(&name, 1, (uint8_t)("abc-Z"[test_random(random) % 5]));
    return name;
}

struct world {
    struct sek_policy *policy;
    struct sek_dynamic *dynamic;
    struct sek_name names[N_NAMES];
    size_t n_names;
};

static void world_add(struct world *w, const struct sek_name *name)
{
    assert_true(w->n_names < N_NAMES);
    w->names[w->n_names++] = *name;
}

static int by_name(const void *a, const void *b)
{
    return sek_name_compare(a, b);
}

static void world_sort(struct world *w)
{
    size_t n = 0;
    qsort(w->names, w->n_names, sizeof *w->names, by_name);
    for (size_t i = 0; i < w->n_names; i++)
        if (n == 0 || !test_name_same(&w->names[n - 1], &w->names[i]))
            w->names[n++] = w->names[i];
    w->n_names = n;
}

static bool take_name(void *arg, const struct sek_name *name)
{
    world_add(arg, name);
    return true;
}

/* Lists of every mode, action and some priorities. */
static void add_lists(struct sek_compile *c, uint64_t *random)
{
    struct sek_diag diag;
    for (uint16_t id = 1; id <= 6; id++) {
        struct sek_list list = test_list(id);
        uint64_t r = test_random(random);
        list.mode = (uint8_t)(r % 4 == 0   ? SEK_MODE_OFF
                              : r % 4 == 1 ? SEK_MODE_MONITOR
                                           : SEK_MODE_BLOCK);
        list.action = (uint8_t)(SEK_ACTION_PASSTHRU + r / 8 % 7);
        list.priority = (int32_t)(r / 64 % 3);
        test_ok(sek_compile_list(c, &list, &diag), &diag);
    }
}

static void add_rules(struct sek_compile *c, size_t n, bool odd, uint64_t *random)
{
    struct sek_diag diag;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = test_random(random);
        struct sek_name root = test_name("");
        struct sek_name name =
            odd ? test_name_random(random) : name_below(&root, (unsigned)(r / 8 % 5), random);
        const struct sek_rule rule = {.list = (uint16_t)(1 + r / 64 % 6),
                                      .scope = (uint8_t)(1 + r / 512 % 3),
                                      .action = (uint8_t)(r / 4096 % 4 ? 0 : r / 16384 % 8),
                                      .expires_s =
                                          r / 131072 % 4 ? 0 : NOW_S + (int64_t)(r >> 60) - 8};
        test_ok(sek_compile_rule(c, name.octets, name.len, &rule, &diag), &diag);
    }
}

static void world_make(struct world *w, bool odd, uint64_t *random)
{
    struct sek_compile *c;
    struct sek_image_info info = {.generation = 1};
    struct sek_diag diag;
    size_t n = 1 + test_random(random) % N_RULES;

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    add_lists(c, random);
    add_rules(c, n, odd, random);
    test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    unlink(test_path(SEK_POLICY_DELTA));
    if (test_random(random) % 2) { /* some names changed since, some are gone */
        struct sek_image_info delta = {.generation = 2, .base_id = info.id};
        test_ok(sek_compile_new(0, &c, &diag), &diag);
        add_lists(c, random);
        add_rules(c, n / 4, odd, random);
        for (unsigned i = 0; i < 6; i++) {
            struct sek_name root = test_name(""), name = name_below(&root, 1 + i % 3, random);
            test_ok(sek_compile_removed(c, name.octets, name.len, &diag), &diag);
        }
        test_ok(sek_compile_write(c, test_path(SEK_POLICY_DELTA), &delta, NULL, NULL, &diag),
                &diag);
        sek_compile_free(c);
    }
    test_ok(sek_policy_open(test_folder, &w->policy, &diag), &diag);
    w->n_names = 0;
    assert_true(sek_policy_names(w->policy, take_name, w));
    w->dynamic = NULL;
    if (test_random(random) % 2) {
        struct sek_dynamic_row rows[2];
        for (int i = 0; i < 2; i++) {
            struct sek_name root = test_name(""), name = name_below(&root, 2, random);
            sek_dynamic_row_set(&rows[i], &name, "dga", NOW_S + (i ? 10 : -10));
            world_add(w, &name);
        }
        test_ok(sek_dynamic_new(rows, 2, &w->dynamic), &diag);
    }
    for (unsigned i = 0; sek_canary_name(i, &w->names[w->n_names]); i++)
        w->n_names++;
    world_sort(w);
}

static void world_free(struct world *w)
{
    sek_policy_close(w->policy);
    sek_dynamic_free(w->dynamic);
}

static void fail_name(const char *reader, const struct sek_name *name, enum sek_action got,
                      enum sek_action wanted)
{
    char text[SEK_NAME_TEXT_MAX];
    sek_name_to_text(name->octets, text);
    fail_msg("%s says %s of %s, the engine %s", reader, sek_lookup_name(sek_action_names, (int)got),
             text, sek_lookup_name(sek_action_names, (int)wanted));
}

static void check_name(const struct zone *z, const struct sek_engine *engine,
                       const struct sek_effective_form *form, const struct sek_name *name)
{
    static const struct {
        const char *name;
        reader_fn *fn;
    } readers[] = {{"the longest wildcard", by_longest},
                   {"the closest encloser", by_encloser},
                   {"the predecessor", by_predecessor}};
    enum sek_action wanted = decided(engine, name);
    if (wanted != SEK_ACTION_DEFAULT && form->as[wanted] == SEK_ACTION_DEFAULT)
        return; /* it cannot be said; what is said above holds, which another case looks at */
    if (name->n_labels == 0 || !rpz_fits(NULL, name, false))
        return;
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (readers[i].fn == by_predecessor && !follows_stars(name))
            continue;
        enum sek_action got = readers[i].fn(z, name);
        if (got != wanted)
            fail_name(readers[i].name, name, got, wanted);
    }
}

/* Every name there is in a small world: to five labels of five letters, and the listed ones with
 * their neighbours. */
static void check_world(struct world *w, bool refused_is_said, bool odd, uint64_t *random)
{
    static struct zone z;
    const struct sek_engine engine = {
        .policy = w->policy, .dynamic = w->dynamic, .canary = SEK_CANARY_NXDOMAIN};
    struct sek_effective_form form = {
        .as = ALL_SAID, .fits = rpz_fits, .nodes = true, .place = rpz_place, .arg = &z};
    struct sek_effective e;
    if (!refused_is_said)
        form.as[SEK_ACTION_REFUSED] = SEK_ACTION_DEFAULT;
    z.n = 0;
    sek_effective_begin(&e, SEK_ABOUT_NAME, &engine, NOW_S, &form);
    for (size_t i = 0; i < w->n_names; i++)
        sek_effective_add(&e, &w->names[i]);
    qsort(z.records, z.n, sizeof z.records[0], by_owner);
    for (size_t i = 1; i < z.n; i++)
        if (by_owner(&z.records[i - 1], &z.records[i]) == 0)
            fail_name("a record given twice", &z.records[i].owner, 0, 0);

    for (size_t i = 0; i < w->n_names; i++) {
        struct sek_name name = w->names[i];
        check_name(&z, &engine, &form, &name);
        if (name.len + 4 <= SEK_NAME_MAX) {
            test_name_prepend(&name, 1, (uint8_t)("abcx"[test_random(random) % 4]));
            check_name(&z, &engine, &form, &name);
            test_name_prepend(&name, 1, 'a');
            check_name(&z, &engine, &form, &name);
        }
    }
    for (int i = 0; i < 1500; i++) {
        struct sek_name root = test_name(""), name;
        name = odd && i % 2 ? test_name_random(random)
                            : name_below(&root, 1 + (unsigned)i % 6, random);
        check_name(&z, &engine, &form, &name);
    }
}

static void test_random_policies(void **state)
{
    static struct world w;
    uint64_t random = test_seed();
    (void)state;
    for (int round = 0; round < N_ROUNDS; round++) {
        bool odd = round % 3 == 2;
        world_make(&w, odd, &random);
        check_world(&w, true, odd, &random);
        check_world(&w, false, odd, &random);
        world_free(&w);
    }
}

/* --- which records ------------------------------------------------------------------------------
 */

struct text {
    size_t len;
    char text[4096];
};

static void text_place(void *arg, const struct sek_effective_place *p)
{
    struct text *t = arg;
    char name[SEK_NAME_TEXT_MAX];
    const char *const words[] = {"-", "pass", "log", "nx", "nodata", "sink", "refused", "drop"};
    if (!p->changes && !p->unsaid && !p->recorded && !p->unfit)
        return;
    sek_name_to_text(p->name->octets, name);
    t->len += (size_t)snprintf(t->text + t->len, sizeof t->text - t->len, "%s%s %s/%s%s%s%s",
                               t->len ? "; " : "", name, words[p->exact], words[p->below],
                               p->unsaid ? " unsaid" : "", p->recorded ? " recorded" : "",
                               p->unfit ? " unfit" : "");
}

/* Lists: b blocks with NXDOMAIN, s with the sinkhole, r refuses, e excepts, l logs, m monitors. */
static const struct {
    const char *label;
    const char *rules; /* "list scope-and-name", canonical order of names is not needed */
    const char *places;
} cases[] = {
    {"nothing", "", ""},
    {"a subtree", "b example", "example nx/nx"},
    {"the very name", "b =example", "example nx/-"},
    {"only below", "b *.example", "example -/nx"},
    {"said above already", "b example b a.example b =b.a.example", "example nx/nx"},
    {"another action below", "b example s a.example", "example nx/nx; a.example sink/sink"},
    {"names between get what is said of them", "b example s =a.b.c.example",
     "example nx/nx; c.example nx/nx; b.c.example nx/nx; a.b.c.example sink/nx"},
    {"where nothing is said above nothing is between", "s =a.b.c.example", "a.b.c.example sink/-"},
    {"an exception within", "b example e a.example", "example nx/nx; a.example pass/pass"},
    {"a wide exception swallows blocks", "e example b a.example", "example pass/pass"},
    {"exception of the name alone", "b example e =example", "example pass/nx"},
    {"an exception where nothing blocks", "e a.example", "a.example pass/pass"},
    {"monitor is not exported", "m example", "example -/- recorded"},
    {"log is not exported", "l =example", "example -/- recorded"},
    {"refused holds what is above", "b example r a.example",
     "example nx/nx; a.example nx/nx unsaid"},
    {"refused alone", "r example", "example -/- unsaid"},
    {"a name with a star", "b =*.x.example s =y.example",
     "\\042.x.example -/- unfit; y.example sink/-"},
    {"the root", "b *. e ok", ". -/nx; ok pass/pass"},
};

static void add_case_rule(struct sek_compile *c, char list, const char *text)
{
    static const char ids[] = " bsrelm";
    struct sek_rule rule = {.list = (uint16_t)(strchr(ids, list) - ids)};
    enum sek_scope scope = SEK_SCOPE_SUBTREE;
    struct sek_name name;
    struct sek_diag diag;
    if (*text == '=') {
        scope = SEK_SCOPE_EXACT;
        text++;
    } else if (strncmp(text, "*.", 2) == 0) {
        scope = SEK_SCOPE_BELOW;
        text += 2;
    }
    name = test_name(text);
    rule.scope = (uint8_t)scope;
    test_ok(sek_compile_rule(c, name.octets, name.len, &rule, &diag), &diag);
}

static void test_cases(void **state)
{
    static const enum sek_action actions[] = {0,
                                              SEK_ACTION_NXDOMAIN,
                                              SEK_ACTION_SINKHOLE,
                                              SEK_ACTION_REFUSED,
                                              SEK_ACTION_PASSTHRU,
                                              SEK_ACTION_LOG,
                                              SEK_ACTION_NXDOMAIN};
    static struct world w;
    (void)state;
    unlink(test_path(SEK_POLICY_DELTA));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sek_compile *c;
        struct sek_image_info info = {.generation = 1};
        struct sek_diag diag;
        char rules[256], *save = NULL;
        test_ok(sek_compile_new(0, &c, &diag), &diag);
        for (uint16_t id = 1; id <= 6; id++) {
            struct sek_list list = test_list(id);
            list.action = (uint8_t)actions[id];
            list.mode = id == 6 ? SEK_MODE_MONITOR : SEK_MODE_BLOCK;
            test_ok(sek_compile_list(c, &list, &diag), &diag);
        }
        snprintf(rules, sizeof rules, "%s", cases[i].rules);
        for (char *list = strtok_r(rules, " ", &save); list; list = strtok_r(NULL, " ", &save))
            add_case_rule(c, *list, strtok_r(NULL, " ", &save));
        test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
        sek_compile_free(c);
        test_ok(sek_policy_open(test_folder, &w.policy, &diag), &diag);
        w.n_names = 0;
        assert_true(sek_policy_names(w.policy, take_name, &w));
        world_sort(&w);

        struct text text = {0};
        struct sek_effective_form form = {
            .as = ALL_SAID, .fits = rpz_fits, .nodes = true, .place = text_place, .arg = &text};
        const struct sek_engine engine = {.policy = w.policy};
        struct sek_effective e;
        form.as[SEK_ACTION_REFUSED] = SEK_ACTION_DEFAULT;
        sek_effective_begin(&e, SEK_ABOUT_NAME, &engine, NOW_S, &form);
        for (size_t k = 0; k < w.n_names; k++)
            sek_effective_add(&e, &w.names[k]);
        if (strcmp(text.text, cases[i].places) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].label, text.text, cases[i].places);
        sek_policy_close(w.policy);
    }
}

/* A name as long as names get has nothing below it, and no room for a wildcard. */
static void test_longest_names(void **state)
{
    static struct zone z;
    struct sek_compile *c;
    struct sek_image_info info = {.generation = 1};
    struct sek_diag diag;
    struct sek_list list = test_list(1);
    struct sek_name name = test_name_longest('x');
    const struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};
    struct sek_effective e;
    (void)state;
    test_ok(sek_compile_new(0, &c, &diag), &diag);
    test_ok(sek_compile_list(c, &list, &diag), &diag);
    test_ok(sek_compile_rule(c, name.octets, name.len, &rule, &diag), &diag);
    unlink(test_path(SEK_POLICY_DELTA));
    test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
    struct sek_engine engine = {0};
    struct sek_policy *policy;
    test_ok(sek_policy_open(test_folder, &policy, &diag), &diag);
    engine.policy = policy;
    const struct sek_effective_form form = {
        .as = ALL_SAID, .fits = rpz_fits, .nodes = true, .place = rpz_place, .arg = &z};
    z.n = 0;
    sek_effective_begin(&e, SEK_ABOUT_NAME, &engine, NOW_S, &form);
    sek_effective_add(&e, &name);
    assert_int_equal(z.n, 1);
    assert_true(test_name_same(&z.records[0].owner, &name));
    assert_int_equal(z.records[0].action, SEK_ACTION_NXDOMAIN);
    sek_policy_close(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_random_policies),
        cmocka_unit_test(test_longest_names),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
