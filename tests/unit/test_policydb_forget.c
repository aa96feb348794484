/* SPDX-License-Identifier: BSD-3-Clause */
/* What policy.db keeps of a forgotten endpoint, and how it calls it. */
#include "policydb_fixture.h"
#include "store/exceptions.h"
#include "store/incidents.h"
#include "store/inventory.h"
#include "store/policydb_forget.h"
#include "store/policydb_named.h"

static struct sek_addr addr(const char *text)
{
    struct sek_addr a;
    OK(sek_addr_from_text(text, &a, NULL));
    return a;
}

static void put_machine(struct sek_policydb *db, const char *address, const char *mac,
                        const char *name)
{
    struct sek_inventory_import imp = {.time_s = NOW};
    struct sek_lease l = {.addr = addr(address),
                          .has_addr = true,
                          .from_s = SEK_LEASE_UNDATED,
                          .until_s = SEK_LEASE_OPEN_S,
                          .end = SEK_LEASE_EXPECTED};
    snprintf(l.machine.mac, sizeof l.machine.mac, "%s", mac);
    snprintf(l.machine.name, sizeof l.machine.name, "%s", name);
    OK(sek_inventory_begin(&imp, db, "alice", "f", NOW, &diag));
    OK(sek_inventory_put(&imp, &l, &diag));
    OK(sek_inventory_end(&imp, "csv", &diag));
}

static void put_subject(struct sek_policydb *db, int64_t id, const char *value)
{
    struct sek_incident_subject s = {.incident = id, .kind = SEK_INCIDENT_ENDPOINT, .who = "bob"};
    snprintf(s.value, sizeof s.value, "%s", value);
    OK(sek_incident_subject_add(db, &s, NULL, &diag));
}

static void put_exception(struct sek_policydb *db, const char *endpoints, bool over)
{
    struct sek_exception e = {.scope = SEK_SCOPE_EXACT,
                              .lifetime_s = 3600,
                              .requested = {.act = SEK_EXCEPTION_REQUEST, .time_s = NOW}};
    OK(sek_name_from_text("evil.example", 12, &e.name, &diag));
    snprintf(e.endpoints, sizeof e.endpoints, "%s", endpoints);
    snprintf(e.reason, sizeof e.reason, "why");
    snprintf(e.owner, sizeof e.owner, "bob");
    snprintf(e.requested.who, sizeof e.requested.who, "bob");
    OK(sek_exception_add(db, &e, &diag));
    if (over)
        OK(sek_exception_step(
            db, &e, &(struct sek_exception_step){.act = SEK_EXCEPTION_REJECT, .time_s = NOW},
            &diag));
}

struct seen {
    char text[1000];
};

static bool see_subject(void *arg, const struct sek_incident_subject *b)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%d %s; ", (int)b->incident, b->value);
    return true;
}

static bool see_exception(void *arg, const struct sek_exception *e)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s; ", e->endpoints);
    return true;
}

static bool count_named(void *arg, const struct sek_addr *endpoint)
{
    struct sek_addr gone = addr("192.0.2.1");
    *(unsigned *)arg += sek_addr_equal(endpoint, &gone);
    return true;
}

static void forgets(void **state)
{
    struct sek_policydb *db = db_open();
    struct sek_incident i = {.state = SEK_INCIDENT_OPEN, .opened_s = NOW, .who = "bob"};
    struct sek_incident other = i;
    struct sek_addr gone = addr("192.0.2.1");
    struct sek_forgotten done = {0};
    struct seen s = {""};
    unsigned named = 0;
    (void)state;
    sek_buf_init(&done.standing, 0);
    OK(sek_policydb_begin(db, &diag));
    put_machine(db, "192.0.2.1", "00:11:22:33:44:55", "pc1.corp.example");
    put_machine(db, "192.0.2.1", "00:11:22:33:44:66", "laptop");
    put_machine(db, "192.0.2.2", "00:11:22:33:44:66", "laptop");
    OK(sek_incident_add(db, &i, &diag));
    OK(sek_incident_add(db, &other, &diag));
    put_subject(db, i.id, "192.0.2.1");
    put_subject(db, i.id, "PC1");
    put_subject(db, i.id, "laptop");
    put_subject(db, other.id, "00:11:22:33:44:55");
    put_subject(db, other.id, "192.0.2.10");
    put_exception(db, "192.0.2.1 192.0.2.0/24", true);
    put_exception(db, "192.0.2.1", false);
    put_exception(db, "192.0.2.10", true);
    OK(sek_policydb_named(db, count_named, &named, &diag));
    assert_true(named >= 4);
    OK(sek_policydb_forget(db, &gone, "p-1", NOW, 0, &done, &diag));
    OK(sek_policydb_commit(db, &diag));
    OK(sek_incident_subjects(db, 0, see_subject, &s, &diag));
    assert_string_equal(s.text, "1 p-1; 1 laptop; 2 p-1; 2 192.0.2.10; ");
    s = (struct seen){""};
    OK(sek_exceptions(db, true, see_exception, &s, &diag));
    assert_string_equal(s.text, "p-1 192.0.2.0/24; 192.0.2.1; 192.0.2.10; ");
    assert_string_equal(done.standing.data, "2");
    assert_int_equal(done.n_renamed, 4);
    assert_false(done.is_member);
    named = 0;
    OK(sek_policydb_named(db, count_named, &named, &diag));
    assert_int_equal(named, 1); /* by the exception that waits */
    sek_buf_fini(&done.standing);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(forgets, setup, teardown)};
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
