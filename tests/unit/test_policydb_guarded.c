/* SPDX-License-Identifier: BSD-3-Clause */
#include "policydb_fixture.h"

static char *const zones[] = {"corp.example", "=host.example", "deep.corp.example"};

struct seen {
    unsigned n;
    char text[2048];
};

static void see(void *arg, const char *list, const char *why)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);
    s->n++;
    snprintf(s->text + n, sizeof s->text - n, "%s: %s\n", list, why);
}

static void put(struct sek_policydb *db, uint16_t list, const char *name, enum sek_scope scope,
                enum sek_action action, int64_t expires_s)
{
    struct sek_entry e = entry_of(list, name, scope);
    bool changed;
    e.rule.action = (uint8_t)action;
    e.rule.expires_s = expires_s;
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
}

/* What is told: each such entry once, whatever number of protected names it meets. */
static void test_guarded(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_never *never;
    struct seen seen = {0};
    OK(sek_never_new(zones, 3, NULL, &never, &diag));
    OK(sek_policydb_begin(db, &diag));
    uint16_t blocks = list_new(db, "blocks"), logs = list_new(db, "logs");
    struct sek_list_row row;
    OK(sek_policydb_list_get(db, "logs", &row, &diag));
    row.list.action = SEK_ACTION_LOG;
    OK(sek_policydb_list_set(db, &row, &diag));
    static const struct {
        const char *name;
        enum sek_scope scope;
    } good[] = {{"corp.example.org", SEK_SCOPE_SUBTREE}, {"example", SEK_SCOPE_EXACT},
                {"www.host.example", SEK_SCOPE_SUBTREE}, {"host.example", SEK_SCOPE_BELOW},
                {"corp-x.example", SEK_SCOPE_SUBTREE},   {"evil.test", SEK_SCOPE_SUBTREE}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        put(db, blocks, good[i].name, good[i].scope, SEK_ACTION_DEFAULT, 0);
    put(db, blocks, "a.corp.example", SEK_SCOPE_EXACT, SEK_ACTION_PASSTHRU, 0);
    put(db, blocks, "b.corp.example", SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT, NOW); /* ended */
    put(db, logs, "example", SEK_SCOPE_SUBTREE, SEK_ACTION_DEFAULT, 0);
    put(db, logs, "deep.corp.example", SEK_SCOPE_SUBTREE, SEK_ACTION_DEFAULT, 0);
    OK(sek_policydb_guarded(db, never, NULL, NOW, see, &seen, &diag));
    assert_string_equal(seen.text, "");

    put(db, blocks, "x.deep.corp.example", SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT, NOW + 1);
    put(db, blocks, "example", SEK_SCOPE_BELOW, SEK_ACTION_DEFAULT, 0);
    put(db, blocks, "host.example", SEK_SCOPE_EXACT, SEK_ACTION_DEFAULT, 0);
    put(db, logs, "time.apple.com", SEK_SCOPE_SUBTREE, SEK_ACTION_DROP, 0);
    OK(sek_policydb_guarded(db, never, NULL, NOW, see, &seen, &diag));
    assert_int_equal(seen.n, 4);
    assert_non_null(strstr(seen.text, "blocks: =x.deep.corp.example lies within"));
    assert_non_null(strstr(seen.text, "blocks: *.example would cover"));
    assert_non_null(strstr(seen.text, "blocks: =host.example must not be blocked"));
    assert_non_null(strstr(seen.text, "logs: time.apple.com must not be blocked"));

    seen = (struct seen){0};
    row.list.action = SEK_ACTION_REFUSED;
    OK(sek_policydb_guarded(db, never, &row, NOW, see, &seen, &diag));
    assert_int_equal(seen.n, 3);
    assert_null(strstr(seen.text, "blocks:"));
    sek_never_free(never);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ON_FILE(test_guarded)};
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
