/* SPDX-License-Identifier: BSD-3-Clause */
/* For the tests of publication: what readers look up in policy.img and policy.delta, against what
 * policy.db says. */
#pragma once
#include "policydb_fixture.h"
#include "policy/policy.h"
#include <fcntl.h>

static char image[64], delta[64], lock[64];

static inline int setup_files(void **state)
{
    snprintf(image, sizeof image, "%s/" SEK_POLICY_IMAGE, dir);
    snprintf(delta, sizeof delta, "%s/" SEK_POLICY_DELTA, dir);
    snprintf(lock, sizeof lock, "%s/lock", dir);
    return setup(state);
}

static inline int teardown_files(void **state)
{
    static const char *const kept[] = {SEK_POLICY_DELTA_PREV, SEK_POLICY_IMAGE_PREV,
                                       SEK_POLICY_IMAGE_PREV_DELTA};
    char file[128];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        snprintf(file, sizeof file, "%s/%s", dir, kept[i]);
        unlink(file);
    }
    unlink(image);
    unlink(delta);
    unlink(lock);
    return teardown(state);
}

static inline struct sek_image_info publish(struct sek_policydb *db, bool full)
{
    struct sek_image_info info = {0};
    OK(sek_policydb_compile(db, dir, NOW, full, NULL, NULL, &info, &diag));
    return info;
}

/* Put or take away a rule, as one transaction. */
static inline void edit(struct sek_policydb *db, uint16_t list, const char *name,
                        enum sek_scope scope, bool put, int64_t expires_s)
{
    struct sek_entry e = entry_of(list, name, scope);
    bool changed;
    e.rule.expires_s = expires_s;
    OK(sek_policydb_begin(db, &diag));
    if (put)
        OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    else
        OK(sek_policydb_entry_remove(db, list, &e.name, scope, &diag));
    OK(sek_policydb_commit(db, &diag));
}

static inline bool exists(const char *file)
{
    return access(file, F_OK) == 0;
}

static inline void copy(const char *from, const char *to)
{
    char room[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, room, sizeof room)) > 0;)
        assert_int_equal(write(out, room, (size_t)n), n);
    close(in);
    close(out);
}

/* --- what readers see against what the database says ---------------------------------------------
 */

#define N_NAMES 60
#define N_CHECK_LISTS 8

/* Rules by list id, name number and scope; of those in force at NOW. */
struct view {
    struct {
        bool there;
        uint8_t action;
        int64_t expires_s;
    } rule[N_CHECK_LISTS][N_NAMES][4];
};

/* Names that share parents, so that lookups meet several: n7.p3.example, p3.example, example. */
static inline const char *numbered(unsigned n)
{
    static char text[40];
    if (n == 0)
        return "example";
    if (n < 8)
        snprintf(text, sizeof text, "p%u.example", n);
    else
        snprintf(text, sizeof text, "n%u.p%u.example", n, n % 8);
    return text;
}

static inline unsigned number_from(const struct sek_name *name)
{
    char text[SEK_NAME_TEXT_MAX];
    sek_name_to_text(name->octets, text);
    if (strcmp(text, "example") == 0)
        return 0;
    return (unsigned)strtoul(text + 1, NULL, 10);
}

static inline bool view_entry(void *arg, const struct sek_entry *e)
{
    struct view *v = arg;
    if (e->rule.expires_s && e->rule.expires_s <= NOW)
        return true;
    unsigned n = number_from(&e->name);
    assert_in_range(e->rule.list, 1, N_CHECK_LISTS - 1);
    assert_in_range(n, 0, N_NAMES - 1);
    v->rule[e->rule.list][n][e->rule.scope].there = true;
    v->rule[e->rule.list][n][e->rule.scope].action = e->rule.action;
    v->rule[e->rule.list][n][e->rule.scope].expires_s = e->rule.expires_s;
    return true;
}

struct lists {
    struct sek_list list[N_CHECK_LISTS];
    unsigned n;
};

static inline bool lists_add(void *arg, const struct sek_list_row *row)
{
    struct lists *l = arg;
    l->list[row->list.id] = row->list;
    l->n++;
    return true;
}

static inline void check_lists(struct sek_policydb *db, const struct sek_policy *p)
{
    struct lists expected = {.n = 0};
    unsigned n;
    const struct sek_list *lists = sek_policy_lists(p, &n);
    OK(sek_policydb_lists(db, lists_add, &expected, &diag));
    assert_int_equal(n, expected.n);
    for (unsigned i = 0; i < n; i++)
        assert_memory_equal(&lists[i], &expected.list[lists[i].id], sizeof *lists);
}

static inline void check_name(const struct view *v, const struct sek_policy *p, unsigned n)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_name name = name_of(numbered(n));
    unsigned n_met = sek_policy_lookup(p, &name, met), n_rules = 0, n_expected = 0;
    for (int l = 1; l < N_CHECK_LISTS; l++)
        for (int s = 1; s <= 3; s++)
            n_expected += v->rule[l][n][s].there;
    for (unsigned i = 0; i < n_met; i++) {
        if (met[i].depth != 0)
            continue;
        for (unsigned k = 0; k < met[i].n; k++, n_rules++) {
            const struct sek_rule *r = &met[i].rules[k];
            if (!v->rule[r->list][n][r->scope].there)
                fail_msg("%s: list %u, scope %u is in force, but should not be", numbered(n),
                         r->list, r->scope);
            assert_int_equal(r->action, v->rule[r->list][n][r->scope].action);
            assert_int_equal(r->expires_s, v->rule[r->list][n][r->scope].expires_s);
        }
    }
    if (n_rules != n_expected)
        fail_msg("%s: %u rules are in force instead of %u", numbered(n), n_rules, n_expected);
}

/* The files hold exactly what the database does. */
static inline void check_files(struct sek_policydb *db)
{
    static struct view v;
    struct lists lists = {.n = 0};
    struct sek_policy *p;
    uint64_t generation = 0;
    memset(&v, 0, sizeof v);
    OK(sek_policy_open(dir, &p, &diag));
    OK(sek_policydb_generation(db, &generation, &diag));
    assert_int_equal(sek_policy_generation(p), generation);
    check_lists(db, p);
    OK(sek_policydb_lists(db, lists_add, &lists, &diag));
    for (uint16_t id = 1; id < N_CHECK_LISTS; id++)
        if (lists.list[id].id)
            OK(sek_policydb_entries(db, id, view_entry, &v, &diag));
    for (unsigned n = 0; n < N_NAMES; n++)
        check_name(&v, p, n);
    sek_policy_close(p);
}

#define ON_FILES(test) cmocka_unit_test_setup_teardown(test, setup_files, teardown_files)
