/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions: the state against a machine that ticks through every second, the rules against what a
 * search through all exceptions says, and what must not go wrong on the way. */
#include "store/exceptions.h"
#include "base/buf.h"
#include "policydb_fixture.h"

#define WARN 40

static unsigned seed;

static unsigned dice(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static struct sek_exception_step step_of(enum sek_exception_act act, int64_t time_s)
{
    return (struct sek_exception_step){
        .act = (uint8_t)act, .time_s = time_s, .uid = 1000, .who = "alice", .note = "so"};
}

static struct sek_exception asked(const char *name, enum sek_scope scope, int64_t lifetime_s)
{
    struct sek_exception e = {.name = name_of(name),
                              .scope = (uint8_t)scope,
                              .reason = "wanted",
                              .owner = "alice",
                              .lifetime_s = lifetime_s};
    e.requested = step_of(SEK_EXCEPTION_REQUEST, NOW);
    return e;
}

/* --- the state -----------------------------------------------------------------------------------
 */

/* The life of one as its events come, second by second. */
struct machine {
    enum sek_exception_state state;
    int64_t start_s, end_s;
};

static void tick(struct machine *m, int64_t now_s)
{
    bool lives = m->state == SEK_EXCEPTION_APPROVED || m->state == SEK_EXCEPTION_ACTIVE ||
                 m->state == SEK_EXCEPTION_EXPIRING || m->state == SEK_EXCEPTION_REQUESTED;
    if (lives && m->end_s && now_s == m->end_s)
        m->state = SEK_EXCEPTION_EXPIRED;
    if (m->state == SEK_EXCEPTION_APPROVED && now_s >= m->start_s)
        m->state = SEK_EXCEPTION_ACTIVE;
    int64_t whole_s = m->end_s - m->start_s;
    if (m->state == SEK_EXCEPTION_ACTIVE && m->end_s && m->end_s - now_s <= WARN &&
        4 * (m->end_s - now_s) <= whole_s)
        m->state = SEK_EXCEPTION_EXPIRING;
}

static void act(struct machine *m, struct sek_exception *e, enum sek_exception_act what,
                int64_t now_s)
{
    const struct sek_exception_step s = step_of(what, now_s);
    if (what == SEK_EXCEPTION_APPROVE && m->state == SEK_EXCEPTION_REQUESTED) {
        e->decided = s;
        e->start_s = m->start_s = now_s + dice(3) * 7;
        if (e->lifetime_s)
            e->end_s = m->end_s = e->start_s + e->lifetime_s;
        m->state = SEK_EXCEPTION_APPROVED;
    } else if (what == SEK_EXCEPTION_REJECT && m->state == SEK_EXCEPTION_REQUESTED) {
        e->decided = s;
        m->state = SEK_EXCEPTION_REJECTED;
    } else if (what == SEK_EXCEPTION_REVOKE && m->state <= SEK_EXCEPTION_EXPIRING) {
        e->revoked = s;
        m->state = SEK_EXCEPTION_REVOKED;
    } else if (what == SEK_EXCEPTION_ARCHIVE && m->state >= SEK_EXCEPTION_EXPIRED) {
        e->archived = s;
        m->state = SEK_EXCEPTION_ARCHIVED;
    }
}

static void test_state(void **state)
{
    (void)state;
    unsigned seen[SEK_EXCEPTION_ARCHIVED + 1] = {0};
    for (unsigned round = 0; round < 3000; round++) {
        struct machine m = {.state = SEK_EXCEPTION_REQUESTED};
        struct sek_exception e = asked("a.example", SEK_SCOPE_EXACT, dice(4) ? 1 + dice(120) : 0);
        if (!e.lifetime_s && dice(2))
            e.end_s = m.end_s = NOW + 1 + dice(150);
        seed = round;
        for (int64_t now_s = NOW; now_s < NOW + 200; now_s++) {
            tick(&m, now_s);
            if (dice(40) == 0) {
                act(&m, &e, (enum sek_exception_act)(2 + dice(6)), now_s);
                tick(&m, now_s);
            }
            enum sek_exception_state is = sek_exception_state(&e, now_s, WARN);
            bool force = m.state == SEK_EXCEPTION_ACTIVE || m.state == SEK_EXCEPTION_EXPIRING;
            if (is != m.state || sek_exception_in_force(&e, now_s) != force)
                fail_msg("round %u, second %d: %s, expected %s", round, (int)(now_s - NOW),
                         sek_lookup_name(sek_exception_state_names, (int)is),
                         sek_lookup_name(sek_exception_state_names, (int)m.state));
            seen[is]++;
        }
    }
    for (int s = SEK_EXCEPTION_REQUESTED; s <= SEK_EXCEPTION_ARCHIVED; s++)
        assert_true(seen[s] > 100); /* each was met */
}

/* --- the rules -----------------------------------------------------------------------------------
 */

#define WORLD 60
struct world {
    struct sek_policydb *db;
    struct sek_exception all[WORLD];
    unsigned n;
    int64_t now_s;
};

/* What should stand there: of all in force for that list the latest end; -1: nothing. */
static int64_t wanted_end(const struct world *w, const char *list, const struct sek_name *name,
                          int scope)
{
    int64_t end_s = -1;
    char lists[2048], word[SEK_LIST_NAME_MAX];
    for (unsigned i = 0; i < w->n; i++) {
        const struct sek_exception *e = &w->all[i];
        bool for_it = false;
        assert_true(sek_exception_lists(e, lists, sizeof lists));
        for (const char *at = lists; (at = sek_exception_word(at, word, sizeof word));)
            for_it |= strcmp(word, list) == 0;
        if (!for_it || e->scope != scope || e->name.len != name->len ||
            memcmp(e->name.octets, name->octets, name->len) != 0 ||
            !sek_exception_has_rule(e, w->now_s))
            continue;
        if (end_s == -1 || (end_s != 0 && (e->end_s == 0 || e->end_s > end_s)))
            end_s = e->end_s;
    }
    return end_s;
}

struct at {
    uint16_t list;
    int scope;
    int64_t end_s, now_s; /* of one that is not over; -1: none */
    char terms[SEK_TERMS_TEXT_MAX];
};

static bool entry_take(void *arg, const struct sek_entry *x)
{
    struct at *at = arg;
    bool over = x->rule.expires_s && x->rule.expires_s <= at->now_s;
    if (x->rule.list == at->list && x->rule.scope == at->scope && !over) {
        at->end_s = x->rule.expires_s;
        snprintf(at->terms, sizeof at->terms, "%s", x->terms);
    }
    return true;
}

static struct at rule_at(const struct world *w, const char *list, const struct sek_name *name,
                         int scope)
{
    struct sek_list_row row;
    struct sek_diag why;
    struct at at = {.scope = scope, .end_s = -1, .now_s = w->now_s};
    if (sek_policydb_list_get(w->db, list, &row, &why))
        return at;
    at.list = row.list.id;
    OK(sek_policydb_entries_at(w->db, name, entry_take, &at, &diag));
    return at;
}

static int64_t real_end(const struct world *w, const char *list, const struct sek_name *name,
                        int scope)
{
    return rule_at(w, list, name, scope).end_s;
}

static uint64_t bit_of(const struct world *w, const char *group)
{
    struct sek_group_row row;
    OK(sek_policydb_group_get(w->db, group, w->now_s, &row, &diag));
    return sek_group_bit(row.group.id);
}

/* A list of its own: whom it is for, and what its rule says besides. */
static void own_check(const struct world *w, const struct sek_exception *e, const char *own)
{
    struct sek_list_row row;
    struct sek_diag why;
    bool later = e->start_s > e->decided.time_s, alone = later || *e->terms;
    bool is_there = sek_policydb_list_get(w->db, own, &row, &why) == SEK_OK;
    if (!sek_exception_has_rule(e, w->now_s) || (!alone && !*e->endpoints)) {
        assert_false(is_there);
        return;
    }
    assert_true(is_there);
    uint64_t groups = 0;
    if (alone && strstr(e->groups, "kiosk"))
        groups |= bit_of(w, "kiosk");
    if (alone && strstr(e->groups, "lab"))
        groups |= bit_of(w, "lab");
    assert_int_equal(row.audience.only, *e->endpoints ? 0 : groups);
    struct at at = rule_at(w, own, &e->name, e->scope);
    assert_int_equal(strstr(at.terms, "type=TXT") != NULL, *e->terms != '\0');
    assert_int_equal(strstr(at.terms, "start=") != NULL, later);
    for (const char *p = e->endpoints; *p; p += strcspn(p, " "), p += *p == ' ') {
        char net[SEK_NET_TEXT_MAX];
        snprintf(net, sizeof net, "%.*s", (int)strcspn(p, " "), p);
        assert_non_null(strstr(at.terms, net));
    }
    assert_int_equal(strstr(at.terms, "endpoint=") != NULL, *e->endpoints != '\0');
    if (alone && *e->endpoints && groups) {
        char beside[64];
        snprintf(beside, sizeof beside, "%s-groups", own);
        OK(sek_policydb_list_get(w->db, beside, &row, &diag));
        assert_int_equal(row.audience.only, groups);
        assert_null(strstr(rule_at(w, beside, &e->name, e->scope).terms, "endpoint="));
    }
}

static const char *const names[] = {"a.example", "b.a.example"};

static void world_check(struct world *w)
{
    char own[32];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (int scope = SEK_SCOPE_EXACT; scope <= SEK_SCOPE_BELOW; scope++) {
            struct sek_name name = name_of(names[n]);
            const char *lists[] = {"exceptions", "kiosk-exceptions", "lab-exceptions"};
            for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
                assert_int_equal(real_end(w, lists[l], &name, scope),
                                 wanted_end(w, lists[l], &name, scope));
            for (unsigned i = 0; i < w->n; i++) {
                snprintf(own, sizeof own, "exception-%d", (int)w->all[i].id);
                assert_int_equal(real_end(w, own, &name, scope), wanted_end(w, own, &name, scope));
            }
        }
    for (unsigned i = 0; i < w->n; i++) {
        snprintf(own, sizeof own, "exception-%d", (int)w->all[i].id);
        own_check(w, &w->all[i], own);
    }
}

static void world_enforce(struct world *w)
{
    bool changed;
    OK(sek_exceptions_enforce(w->db, "root", w->now_s, NULL, &changed, &diag));
    world_check(w);
    OK(sek_exceptions_enforce(w->db, "root", w->now_s, NULL, &changed, &diag));
    assert_false(changed); /* nothing is left to do */
}

static void world_ask(struct world *w)
{
    struct sek_exception e = asked(names[dice(2)], (enum sek_scope)(1 + dice(3)), 1 + dice(60));
    if (dice(8) == 0)
        e.lifetime_s = 0;
    if (dice(2))
        snprintf(e.groups, sizeof e.groups, "%s", dice(2) ? "kiosk" : "kiosk lab");
    if (dice(3) == 0)
        snprintf(e.endpoints, sizeof e.endpoints, "192.0.2.%u 2001:db8::/64", 100 + dice(4));
    if (dice(4) == 0)
        snprintf(e.terms, sizeof e.terms, "type=TXT");
    e.requested.time_s = w->now_s;
    OK(sek_exception_add(w->db, &e, &diag));
    w->all[w->n++] = e;
}

static void world_decide(struct world *w)
{
    struct sek_exception *e = &w->all[dice(w->n)];
    enum sek_exception_state s = sek_exception_state(e, w->now_s, 0);
    struct sek_exception_step step = step_of(SEK_EXCEPTION_APPROVE, w->now_s);
    if (s == SEK_EXCEPTION_REQUESTED) {
        e->start_s = w->now_s + dice(2) * 5;
        e->end_s = e->lifetime_s ? e->start_s + e->lifetime_s : 0;
        OK(sek_exception_set(w->db, e, &diag));
    } else if (s <= SEK_EXCEPTION_EXPIRING && dice(3) == 0) {
        step.act = SEK_EXCEPTION_REVOKE;
    } else {
        return;
    }
    OK(sek_exception_step(w->db, e, &step, &diag));
}

static void groups_make(struct sek_policydb *db)
{
    struct sek_client_group kiosk = {
        .mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN, .name = "kiosk"};
    struct sek_client_group lab = {
        .mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN, .name = "lab"};
    OK(sek_policydb_group_add(db, &kiosk, "", "root", NOW, &diag));
    OK(sek_policydb_group_add(db, &lab, "", "root", NOW, &diag));
}

static void test_rules(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct world w = {.db = NULL, .now_s = NOW};
        OK(sek_policydb_open(NULL, true, &w.db, &diag));
        OK(sek_policydb_begin(w.db, &diag));
        groups_make(w.db);
        seed = 77 + round;
        for (unsigned i = 0; i < 90; i++) {
            w.now_s += dice(8);
            if (w.n < WORLD && (w.n == 0 || dice(2)))
                world_ask(&w);
            else
                world_decide(&w);
            world_enforce(&w);
        }
        w.now_s += 1000; /* all that end have ended */
        world_enforce(&w);
        sek_policydb_close(w.db);
    }
}

/* Without anybody's help: the entry's own end is the exception's. */
static void test_ends_alone(void **state)
{
    (void)state;
    struct world w = {.db = NULL, .now_s = NOW};
    struct sek_exception e = asked("a.example", SEK_SCOPE_SUBTREE, 60);
    struct sek_exception_step yes = step_of(SEK_EXCEPTION_APPROVE, NOW);
    struct sek_name name = name_of("a.example");
    OK(sek_policydb_open(NULL, true, &w.db, &diag));
    OK(sek_policydb_begin(w.db, &diag));
    e.start_s = NOW;
    e.end_s = NOW + 60;
    OK(sek_exception_add(w.db, &e, &diag));
    OK(sek_exception_step(w.db, &e, &yes, &diag));
    w.all[w.n++] = e;
    world_enforce(&w);
    w.now_s = NOW + 59;
    assert_int_equal(real_end(&w, "exceptions", &name, SEK_SCOPE_SUBTREE), NOW + 60);
    w.now_s = NOW + 60;
    assert_int_equal(real_end(&w, "exceptions", &name, SEK_SCOPE_SUBTREE), -1);
    sek_policydb_close(w.db);
}

/* --- what must not go wrong ----------------------------------------------------------------------
 */

static bool count_own(void *arg, const struct sek_group_row *row)
{
    *(int *)arg += strncmp(row->group.name, "exception-", 10) == 0;
    return true;
}

static int own_groups(struct sek_policydb *db)
{
    int n = 0;
    OK(sek_policydb_groups(db, NOW, count_own, &n, &diag));
    return n;
}

static void ask_for(struct sek_policydb *db, int i)
{
    struct sek_exception_step yes = step_of(SEK_EXCEPTION_APPROVE, NOW);
    struct sek_exception e = asked("a.example", SEK_SCOPE_EXACT, 60);
    snprintf(e.endpoints, sizeof e.endpoints, "10.0.%d.%d", i / 256, i % 256);
    e.start_s = NOW;
    e.end_s = NOW + 60;
    OK(sek_exception_add(db, &e, &diag));
    OK(sek_exception_step(db, &e, &yes, &diag));
}

/* As many as are wanted, each for another endpoint: none takes a group. */
static void test_many_endpoints(void **state)
{
    (void)state;
    enum { N = 1000 };
    struct sek_policydb *db;
    struct sek_list_row list;
    bool changed;
    OK(sek_policydb_open(NULL, true, &db, &diag));
    OK(sek_policydb_begin(db, &diag));
    for (int i = 1; i <= N; i++)
        ask_for(db, i);
    OK(sek_exceptions_enforce(db, "root", NOW, NULL, &changed, &diag));
    assert_true(changed);
    assert_int_equal(own_groups(db), 0);
    struct world w = {.db = db, .now_s = NOW};
    struct sek_name name = name_of("a.example");
    assert_string_equal(rule_at(&w, "exception-7", &name, SEK_SCOPE_EXACT).terms,
                        "endpoint=10.0.0.7");
    assert_string_equal(rule_at(&w, "exception-1000", &name, SEK_SCOPE_EXACT).terms,
                        "endpoint=10.0.3.232");
    OK(sek_exceptions_enforce(db, "root", NOW, NULL, &changed, &diag));
    assert_false(changed);
    OK(sek_exceptions_enforce(db, "root", NOW + 60, NULL, &changed, &diag));
    assert_int_equal(sek_policydb_list_get(db, "exception-1000", &list, NULL), SEK_E_NOTFOUND);
    sek_policydb_close(db);
}

/* Groups that exceptions for endpoints had once go, with the lists that were for them. */
static void test_old_groups(void **state)
{
    (void)state;
    struct sek_policydb *db;
    struct sek_client_group group = {.action = SEK_ACTION_NXDOMAIN, .name = "exception-1"};
    struct sek_list_row list,
        other = {
            .list = {.name = "exception-2", .mode = SEK_MODE_BLOCK, .action = SEK_ACTION_PASSTHRU},
            .source = SEK_EXCEPTIONS_SOURCE};
    bool changed;
    OK(sek_policydb_open(NULL, true, &db, &diag));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_policydb_group_add(db, &group, "endpoints of exceptions", "a", NOW, &diag));
    OK(sek_policydb_list_get(db, "exception-1", &list, &diag));
    snprintf(list.source, sizeof list.source, "%s", SEK_EXCEPTIONS_SOURCE);
    OK(sek_policydb_list_set(db, &list, &diag));
    other.audience.only = sek_group_bit(group.id);
    OK(sek_policydb_list_add(db, &other, &diag));
    ask_for(db, 1);
    ask_for(db, 2);
    OK(sek_exceptions_enforce(db, "root", NOW, NULL, &changed, &diag));
    assert_int_equal(own_groups(db), 0);
    for (int i = 1; i <= 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "exception-%d", i);
        OK(sek_policydb_list_get(db, name, &list, &diag));
        assert_int_equal(list.audience.only, 0);
        struct world w = {.db = db, .now_s = NOW};
        struct sek_name a = name_of("a.example");
        assert_int_equal(real_end(&w, name, &a, SEK_SCOPE_EXACT), NOW + 60);
    }
    sek_policydb_close(db);
}

/* Somebody's list of that name is not taken over. */
static void test_list_of_others(void **state)
{
    (void)state;
    struct sek_policydb *db;
    struct sek_diag why = {0};
    struct sek_exception e = asked("a.example", SEK_SCOPE_EXACT, 60);
    struct sek_exception_step yes = step_of(SEK_EXCEPTION_EMERGENCY, NOW);
    bool changed;
    OK(sek_policydb_open(NULL, true, &db, &diag));
    OK(sek_policydb_begin(db, &diag));
    list_new(db, "exceptions");
    e.start_s = NOW;
    e.end_s = NOW + 60;
    OK(sek_exception_add(db, &e, &diag));
    OK(sek_exception_step(db, &e, &yes, &diag));
    assert_int_equal(sek_exceptions_enforce(db, "root", NOW, NULL, &changed, &why), SEK_E_EXISTS);
    assert_non_null(strstr(why.text, "list exceptions"));
    sek_policydb_close(db);
}

static bool count_steps(void *arg, const struct sek_exception_step *s)
{
    (void)s;
    ++*(int *)arg;
    return true;
}

/* What is stored comes back, odd names and texts and all. */
static void test_kept(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_exception e = asked("\\000\\255x.example", SEK_SCOPE_BELOW, 0), back;
    struct sek_diag why = {0};
    int n = 0;
    memset(e.reason, 'r', sizeof e.reason - 1);
    snprintf(e.condition, sizeof e.condition, "%s", "'; DROP TABLE exception; --\033[2J\n");
    snprintf(e.answers, sizeof e.answers, "hit 12");
    e.review_s = NOW + 5;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_exception_add(db, &e, &diag));
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
    db = db_open();
    OK(sek_exception_get(db, e.id, &back, &diag));
    assert_int_equal(sek_name_compare(&back.name, &e.name), 0);
    assert_string_equal(back.groups, e.groups);
    assert_string_equal(back.endpoints, e.endpoints);
    assert_string_equal(back.terms, e.terms);
    assert_string_equal(back.ticket, e.ticket);
    assert_string_equal(back.reason, e.reason);
    assert_string_equal(back.condition, e.condition);
    assert_string_equal(back.answers, e.answers);
    assert_string_equal(back.owner, e.owner);
    assert_string_equal(back.requested.who, e.requested.who);
    assert_int_equal(back.scope, e.scope);
    assert_int_equal(back.review_s, e.review_s);
    assert_int_equal(back.requested.act, e.requested.act);
    assert_int_equal(back.requested.time_s, e.requested.time_s);
    assert_int_equal(back.decided.act, 0);
    assert_int_equal(sek_exception_get(db, e.id + 1, &back, &why), SEK_E_NOTFOUND);
    OK(sek_exception_steps(db, e.id, count_steps, &n, &diag));
    assert_int_equal(n, 1);
    sek_policydb_close(db);
}

static void test_words(void **state)
{
    (void)state;
    struct sek_exception e = asked("a.example", SEK_SCOPE_EXACT, 60);
    char lists[64];
    struct sek_buf text;
    sek_buf_init(&text, 0);
    e.id = 7;
    sek_exception_audience(&e, &text);
    assert_string_equal(text.data, "everybody");
    assert_true(sek_exception_is_wide(&e));
    snprintf(e.groups, sizeof e.groups, "kiosk lab");
    snprintf(e.endpoints, sizeof e.endpoints, "192.0.2.7");
    sek_buf_reset(&text);
    sek_exception_audience(&e, &text);
    assert_string_equal(text.data, "kiosk, lab, 192.0.2.7");
    assert_false(sek_exception_is_wide(&e));
    assert_true(sek_exception_lists(&e, lists, sizeof lists));
    assert_string_equal(lists, "kiosk-exceptions lab-exceptions exception-7");
    memset(e.groups, 'g', SEK_LIST_NAME_MAX - 1);
    e.groups[SEK_LIST_NAME_MAX - 1] = '\0';
    assert_false(sek_exception_lists(&e, lists, sizeof lists));
    sek_buf_fini(&text);
}

static void test_sum(void **state)
{
    (void)state;
    struct sek_policydb *db;
    struct sek_exceptions_sum sum;
    struct sek_exception e = asked("a.example", SEK_SCOPE_EXACT, 60);
    OK(sek_policydb_open(NULL, true, &db, &diag));
    OK(sek_policydb_begin(db, &diag));
    OK(sek_exceptions_sum(db, NOW, WARN, &sum, &diag));
    assert_int_equal(sum.n_emergency_open, 0);
    OK(sek_exception_add(db, &e, &diag));
    e.decided = step_of(SEK_EXCEPTION_EMERGENCY, NOW);
    e.start_s = NOW;
    e.end_s = NOW + 60;
    OK(sek_exception_add(db, &e, &diag));
    OK(sek_exceptions_sum(db, NOW + 50, WARN, &sum, &diag));
    assert_int_equal(sum.n[SEK_EXCEPTION_REQUESTED], 1);
    assert_int_equal(sum.n[SEK_EXCEPTION_EXPIRING], 1);
    assert_int_equal(sum.n_emergency_open, 1);
    assert_int_equal(sum.emergency, e.id);
    assert_string_equal(sum.emergency_rule, "=a.example");
    assert_int_equal(sum.next_end_s, NOW + 60);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_ends_alone),
        cmocka_unit_test(test_many_endpoints),
        cmocka_unit_test(test_old_groups),
        cmocka_unit_test(test_list_of_others),
        ON_FILE(test_kept),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_sum),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
