/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents in policy.db, audited and undone like the rest. */
#include "audit_fixture.h"
#include "store/incidents.h"

struct seen {
    char text[4000];
    unsigned most;
};

static bool see_incident(void *arg, const struct sek_incident *i)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%d %s %s%s%s; ", (int)i->id,
             sek_lookup_name(sek_incident_state_names, (int)i->state), i->title,
             i->closed_s ? " by " : "", i->closed_by);
    return --s->most > 0;
}

static bool see_subject(void *arg, const struct sek_incident_subject *b)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%d %s %s; ", (int)b->incident,
             sek_lookup_name(sek_incident_kind_names, (int)b->kind), b->value);
    return --s->most > 0;
}

static bool see_note(void *arg, const struct sek_incident_note *n)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s: %s; ", n->who, n->text);
    return --s->most > 0;
}

static void are(struct sek_policydb *db, const char *incidents, const char *subjects)
{
    struct seen s = {.most = 99};
    OK(sek_incidents(db, see_incident, &s, &diag));
    assert_string_equal(s.text, incidents);
    s = (struct seen){.most = 99};
    OK(sek_incident_subjects(db, 0, see_subject, &s, &diag));
    assert_string_equal(s.text, subjects);
}

static void add_subject(struct sek_policydb *db, int64_t id, enum sek_incident_kind kind,
                        const char *value)
{
    struct sek_incident_subject s = {.incident = id, .kind = kind, .added_s = NOW, .who = "bob"};
    snprintf(s.value, sizeof s.value, "%s", value);
    OK(sek_incident_subject_add(db, &s, NULL, &diag));
}

static struct sek_incident made(const char *title)
{
    struct sek_incident i = {.state = SEK_INCIDENT_OPEN, .opened_s = NOW, .who = "bob"};
    snprintf(i.title, sizeof i.title, "%s", title);
    return i;
}

static int64_t open_one(struct sek_policydb *db, const char *title, const char *endpoint)
{
    struct sek_incident i = made(title);
    AUDITED(db, "incident open", 0, OK(sek_incident_add(db, &i, &diag));
            add_subject(db, i.id, SEK_INCIDENT_ENDPOINT, endpoint);
            add_subject(db, i.id, SEK_INCIDENT_DOMAIN, "evil.example");
            add_subject(db, i.id, SEK_INCIDENT_ENDPOINT, endpoint)); /* twice is once */
    return i.id;
}

static void close_one(struct sek_policydb *db, int64_t id)
{
    struct sek_incident i;
    OK(sek_incident_get(db, id, &i, &diag));
    i.state = SEK_INCIDENT_CLOSED;
    i.closed_s = NOW + 5;
    snprintf(i.closed_by, sizeof i.closed_by, "carol");
    snprintf(i.reason, sizeof i.reason, "set up anew");
    AUDITED(db, "incident close", 0, OK(sek_incident_set(db, &i, &diag)));
}

static void life(void **state)
{
    struct sek_policydb *db = db_audited();
    struct sek_incident i;
    struct seen s = {.most = 1};
    uint64_t before, after;
    (void)state;
    are(db, "", "");
    OK(sek_policydb_generation(db, &before, &diag));
    assert_int_equal(open_one(db, "first", "192.0.2.7"), 1);
    assert_int_equal(open_one(db, "second \033[2J", "192.0.2.8"), 2);
    are(db, "2 open second \033[2J; 1 open first; ",
        "1 endpoint 192.0.2.7; 1 domain evil.example; 2 endpoint 192.0.2.8; 2 domain "
        "evil.example; ");
    OK(sek_incident_get(db, 1, &i, &diag));
    assert_string_equal(i.who, "bob");
    assert_int_equal(i.opened_s, NOW);
    struct sek_diag said = {0};
    assert_int_equal(sek_incident_get(db, 3, &i, &said), SEK_E_NOTFOUND);
    assert_non_null(strstr(said.text, "there is no incident 3"));
    close_one(db, 1);
    are(db, "2 open second \033[2J; 1 closed first by carol; ",
        "1 endpoint 192.0.2.7; 1 domain evil.example; 2 endpoint 192.0.2.8; 2 domain "
        "evil.example; ");
    OK(sek_incidents(db, see_incident, &s, &diag)); /* false stops */
    assert_string_equal(s.text, "2 open second \033[2J; ");
    /* nothing that the resolver needs to know */
    OK(sek_policydb_generation(db, &after, &diag));
    assert_int_equal(before, after);
    sek_policydb_close(db);
}

static void notes(void **state)
{
    struct sek_policydb *db = db_audited();
    struct sek_incident_note n = {.time_s = NOW, .who = "bob"};
    struct seen s = {.most = 99};
    (void)state;
    n.incident = open_one(db, "first", "192.0.2.7");
    memset(n.text, 'x', sizeof n.text - 1); /* the longest */
    AUDITED(db, "incident note", 0, OK(sek_incident_note_add(db, &n, &diag));
            snprintf(n.text, sizeof n.text, "called"); OK(sek_incident_note_add(db, &n, &diag)));
    OK(sek_incident_notes(db, n.incident, see_note, &s, &diag));
    assert_int_equal(strlen(s.text), sizeof s.text - 1); /* cut off by the test's own room */
    s = (struct seen){.most = 99};
    OK(sek_incident_notes(db, 99, see_note, &s, &diag));
    assert_string_equal(s.text, "");
    /* of no incident at all */
    n.incident = 99;
    OK(sek_policydb_begin(db, &diag));
    OK(sek_incident_note_add(db, &n, &diag));
    assert_int_not_equal(sek_policydb_commit(db, NULL), SEK_OK);
    sek_policydb_close(db);
}

/* Undo takes closing back, then the incident with what it is about; its number is used no more. */
static void undone(void **state)
{
    struct sek_policydb *db = db_audited();
    struct sek_audit_verdict verdict;
    (void)state;
    int64_t id = open_one(db, "first", "192.0.2.7"); /* row 1 */
    close_one(db, id);                               /* row 2 */
    OK(sek_policydb_begin(db, &diag));
    assert_int_equal(sek_audit_undo(db, 1, false, NOW, NULL, NULL, NULL), SEK_E_REFUSED);
    sek_policydb_rollback(db);
    AUDITED(db, "undo", 2, OK(sek_audit_undo(db, 2, false, NOW, NULL, NULL, &diag)));
    are(db, "1 open first; ", "1 endpoint 192.0.2.7; 1 domain evil.example; ");
    AUDITED(db, "undo", 3, OK(sek_audit_undo(db, 3, false, NOW, NULL, NULL, &diag)));
    are(db, "1 closed first by carol; ", "1 endpoint 192.0.2.7; 1 domain evil.example; ");
    AUDITED(db, "undo", 4, OK(sek_audit_undo(db, 4, false, NOW, NULL, NULL, &diag)));
    AUDITED(db, "undo", 1, OK(sek_audit_undo(db, 1, true, NOW, NULL, NULL, &diag)));
    are(db, "", "");
    assert_int_equal(open_one(db, "next", "192.0.2.9"), id + 1);
    OK(sek_audit_verify(db, NULL, 0, NULL, NULL, &verdict, &diag));
    assert_int_equal(verdict.n_problems, 0);
    sek_policydb_close(db);
}

/* What the trail tells of each. */
static bool see_row(void *arg, const struct sek_audit_row *row)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof s->text - at, "%s: %s -> %s\n", row->object, row->before,
             row->after);
    return true;
}

static void told(void **state)
{
    struct sek_policydb *db = db_audited();
    struct sek_incident i = made("it's \"odd\"\n");
    struct seen s = {.most = 1};
    const struct sek_audit_filter all = {.oldest_first = true};
    (void)state;
    AUDITED(db, "incident open", 0, OK(sek_incident_add(db, &i, &diag)));
    close_one(db, i.id);
    OK(sek_audit_rows(db, &all, see_row, &s, &diag));
    assert_string_equal(
        s.text, "incident 1:  -> open, title \"it's \\\"odd\\\"\\u000a\"\n"
                "incident 1: open, title \"it's \\\"odd\\\"\\u000a\" -> closed, title \"it's "
                "\\\"odd\\\"\\u000a\", closed 2023-11-14T22:13:25Z, by \"carol\", reason \"set up "
                "anew\"\n");
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(life, setup, teardown),
        cmocka_unit_test_setup_teardown(notes, setup, teardown),
        cmocka_unit_test_setup_teardown(undone, setup, teardown),
        cmocka_unit_test_setup_teardown(told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
