/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds and versions in policy.db. */
#include "base/buf.h"
#include "policydb_fixture.h"
#include "store/feeds.h"
#include "store/overlap.h"
#include "store/packed.h"
#include "store/versions.h"

/* Times of a feed */

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        struct sek_feed_row row;
        int64_t refresh, retry, expire, due, expires;
    } cases[] = {
        {"never tried",
         {.kind = SEK_FEED_FILE, .added_s = NOW},
         3600,
         900,
         604800,
         0,
         NOW + 604800},
        {"good",
         {.kind = SEK_FEED_FILE, .outcome = SEK_FEED_UPDATED, .tried_s = NOW, .good_s = NOW},
         3600,
         900,
         604800,
         NOW + 3600,
         NOW + 604800},
        {"failed",
         {.kind = SEK_FEED_FILE, .outcome = SEK_FEED_FAILED, .tried_s = NOW, .good_s = NOW - 50},
         3600,
         900,
         604800,
         NOW + 900,
         NOW - 50 + 604800},
        {"refused, own times",
         {.kind = SEK_FEED_FILE,
          .outcome = SEK_FEED_REFUSED,
          .tried_s = NOW,
          .added_s = NOW - 9,
          .refresh_s = 10,
          .retry_s = 20,
          .expire_s = 30},
         10,
         20,
         30,
         NOW + 20,
         NOW - 9 + 30},
        {"a short refresh shortens the retry",
         {.kind = SEK_FEED_COMMAND,
          .outcome = SEK_FEED_FAILED,
          .tried_s = NOW,
          .refresh_s = 60,
          .good_s = NOW},
         60,
         60,
         604800,
         NOW + 60,
         NOW + 604800},
        {"the zone's",
         {.kind = SEK_FEED_TRANSFER,
          .outcome = SEK_FEED_UNCHANGED,
          .tried_s = NOW,
          .good_s = NOW,
          .soa_refresh_s = 300,
          .soa_retry_s = 100,
          .soa_expire_s = 86400},
         300,
         100,
         86400,
         NOW + 300,
         NOW + 86400},
        {"the zone's, out of bounds",
         {.kind = SEK_FEED_TRANSFER,
          .outcome = SEK_FEED_UNCHANGED,
          .tried_s = NOW,
          .good_s = NOW,
          .soa_refresh_s = 1,
          .soa_retry_s = 1,
          .soa_expire_s = 4294967295},
         60,
         60,
         366LL * 86400,
         NOW + 60,
         NOW + 366LL * 86400},
        {"tried by a clock that was ahead",
         {.kind = SEK_FEED_FILE,
          .outcome = SEK_FEED_UPDATED,
          .tried_s = NOW + 2,
          .good_s = NOW + 2},
         3600,
         900,
         604800,
         0,
         NOW + 2 + 604800},
        {"handed in",
         {.kind = SEK_FEED_INPUT, .good_s = NOW},
         3600,
         900,
         604800,
         INT64_MAX,
         NOW + 604800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sek_feed_row *r = &cases[i].row;
        if (sek_feed_refresh_s(r) != cases[i].refresh || sek_feed_retry_s(r) != cases[i].retry ||
            sek_feed_expire_s(r) != cases[i].expire || sek_feed_due_s(r, NOW + 1) != cases[i].due ||
            sek_feed_expires_s(r) != cases[i].expires)
            fail_msg("%s", cases[i].label);
    }
}

/* Rows */

static struct sek_feed_row row_new(struct sek_policydb *db, const char *name)
{
    struct sek_feed_row row = {.kind = SEK_FEED_COMMAND,
                               .refresh_s = 5,
                               .timeout_s = 6,
                               .max_octets = 1ULL << 40,
                               .added_s = NOW,
                               .on_expiry = SEK_FEED_OPEN};
    row.list.list.id = list_new(db, name);
    snprintf(row.list.list.name, sizeof row.list.list.name, "%s", name);
    snprintf(row.source, sizeof row.source, "curl\n-s\nx");
    snprintf(row.user, sizeof row.user, "nobody");
    return row;
}

static bool count(void *arg, const struct sek_feed_row *row)
{
    char *names = arg;
    snprintf(names + strlen(names), 64 - strlen(names), "%s ", row->list.list.name);
    return true;
}

static void test_rows(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    struct sek_feed_row got;
    struct sek_buf zone;
    char names[64] = "";
    OK(sek_policydb_begin(db, &diag));
    struct sek_feed_row row = row_new(db, "zeta"), other = row_new(db, "alpha");
    OK(sek_feed_add(db, &row, &diag));
    OK(sek_feed_add(db, &other, &diag));
    assert_int_equal(SEK_E_EXISTS, sek_feed_add(db, &row, NULL));
    OK(sek_feed_get(db, "zeta", &got, &diag));
    assert_string_equal(row.source, got.source);
    assert_int_equal(SEK_FEED_NEVER, got.outcome);
    assert_int_equal(-1, got.serial);
    assert_int_equal(-1, got.mode_before);
    assert_true(got.max_octets == row.max_octets && got.on_expiry == SEK_FEED_OPEN);
    got.outcome = SEK_FEED_REFUSED;
    got.serial = 4294967295;
    got.good_s = NOW + 1;
    got.n_octets = 1ULL << 40;
    got.digest[31] = 7;
    snprintf(got.error, sizeof got.error, "it's late; \"why\"");
    OK(sek_feed_note(db, &got, &diag));
    OK(sek_feed_get(db, "zeta", &row, &diag));
    assert_string_equal(got.error, row.error);
    assert_memory_equal(got.digest, row.digest, sizeof row.digest);
    assert_true(row.serial == 4294967295 && row.n_octets == 1ULL << 40);
    OK(sek_feeds(db, count, names, &diag));
    assert_string_equal("alpha zeta ", names);

    sek_buf_init(&zone, 0);
    assert_int_equal(SEK_E_NOTFOUND, sek_feed_zone_get(db, row.list.list.id, &zone, NULL));
    for (int i = 0; i < 2; i++) { /* the second one replaces the first */
        OK(sek_feed_zone_put(db, row.list.list.id, i ? "b\n" : "a\na\n", i ? 2 : 4, &diag));
    }
    OK(sek_feed_zone_get(db, row.list.list.id, &zone, &diag));
    assert_string_equal("b\n", zone.data);
    sek_buf_fini(&zone);
    OK(sek_feed_remove(db, row.list.list.id, &diag)); /* its zone, too */
    assert_int_equal(SEK_E_NOTFOUND, sek_feed_remove(db, row.list.list.id, NULL));
    OK(sek_policydb_list_remove(db, other.list.list.id, NULL, NULL, &diag)); /* its feed, too */
    assert_int_equal(SEK_E_NOTFOUND, sek_feed_get(db, "alpha", &got, NULL));
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
}

/* What came of the source that it has: all, nothing, or all but what was read. */
static void check_set(struct sek_policydb *db, const char *label, bool kept, bool digest)
{
    struct sek_feed_row got;
    struct sek_buf zone;
    OK(sek_feed_get(db, "set", &got, &diag));
    sek_buf_init(&zone, 0);
    bool has_zone = sek_feed_zone_get(db, got.list.list.id, &zone, NULL) == SEK_OK;
    sek_buf_fini(&zone);
    if (has_zone != kept || (got.outcome == SEK_FEED_UPDATED) != kept ||
        (got.serial == 7) != kept || (got.good_s == NOW) != kept || (got.added_s == NOW) != kept ||
        (got.soa_expire_s == 9) != kept || (got.digest[0] == 1) != digest ||
        got.mode_before != SEK_MODE_BLOCK)
        fail_msg("%s", label);
}

static void test_set(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    struct sek_feed_row none = row_new(db, "no-feed"), row = row_new(db, "set"), got;
    assert_int_equal(SEK_E_NOTFOUND, sek_feed_set(db, &none, NOW, NULL));
    OK(sek_feed_add(db, &row, &diag));
    for (int i = 0; i < 4; i++) {
        OK(sek_feed_get(db, "set", &row, &diag));
        row.outcome = SEK_FEED_UPDATED;
        row.serial = 7;
        row.good_s = row.tried_s = NOW;
        row.soa_expire_s = 9;
        row.digest[0] = 1;
        row.mode_before = SEK_MODE_BLOCK;
        OK(sek_feed_note(db, &row, &diag));
        OK(sek_feed_zone_put(db, row.list.list.id, "a\n", 2, &diag));
        if (i == 0) { /* as it was begun */
            row.refresh_s = 77;
            row.max_octets = 1ULL << 33;
            snprintf(row.tsig, sizeof row.tsig, "k:hmac-sha256:/k");
            OK(sek_feed_set(db, &row, NOW + 1, &diag));
            check_set(db, "settings", true, true);
            row.format = 1;
            OK(sek_feed_set(db, &row, NOW + 2, &diag));
            check_set(db, "format", true, false);
            continue;
        }
        if (i == 1)
            snprintf(row.source, sizeof row.source, "curl\n-s\ny");
        else if (i == 2)
            snprintf(row.zone, sizeof row.zone, "z.example");
        else
            row.kind = SEK_FEED_FILE;
        OK(sek_feed_set(db, &row, NOW + 3, &diag));
        check_set(db, "another source", false, false);
        OK(sek_feed_get(db, "set", &got, &diag));
        assert_int_equal(NOW + 3, got.added_s);
        assert_int_equal(0, sek_feed_due_s(&got, NOW + 3));
    }
    assert_int_equal(SEK_FEED_FILE, got.kind);
    assert_string_equal("curl\n-s\ny", got.source);
    assert_string_equal("z.example", got.zone);
    assert_true(got.refresh_s == 77 && got.max_octets == 1ULL << 33 && got.format == 1);
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
}

/* Versions */

static void import(struct sek_policydb *db, uint16_t list, const char *rules, int64_t now_s)
{
    struct sek_import_stats st;
    char copy[256], *rest = copy, *word;
    snprintf(copy, sizeof copy, "%s", rules);
    OK(sek_policydb_import_begin(db, list, "me", now_s, &diag));
    while ((word = strsep(&rest, " "))) {
        struct sek_name name;
        enum sek_scope scope;
        bool odd = *word == '!';
        if (!*word)
            continue;
        OK(sek_rule_from_text(word + odd, strlen(word + odd), &scope, &name, &diag));
        OK(sek_policydb_import_rule(db, &name, scope,
                                    odd ? SEK_ACTION_PASSTHRU : SEK_ACTION_DEFAULT, NULL, &diag));
    }
    OK(sek_policydb_import_end(db, false, rules, NULL, NULL, &st, &diag));
}

static enum sek_err add_rule(void *arg, const struct sek_entry *e, struct sek_diag *diag)
{
    char *out = arg, text[SEK_NAME_TEXT_MAX + 2];
    (void)diag;
    sek_rule_to_text((enum sek_scope)e->rule.scope, e->name.octets, text);
    size_t n = strlen(out);
    snprintf(out + n, 256 - n, "%s%s%s ", e->rule.action ? "!" : "", text,
             e->rule.expires_s ? "(ends)" : "");
    return SEK_OK;
}

static const char *rules_of(struct sek_policydb *db, uint16_t list, uint32_t number)
{
    static char text[256];
    *text = '\0';
    struct sek_diag diag;
    enum sek_err err = sek_version_rules(db, list, number, add_rule, text, &diag);
    return err == SEK_E_NOTFOUND ? "(not kept)" : err ? "(error)" : text;
}

static bool add_version(void *arg, const struct sek_version *v)
{
    char *out = arg;
    size_t n = strlen(out);
    snprintf(out + n, 256 - n, "%u:%d:%d:%s ", v->number, (int)v->n_rules, (int)(v->made_s - NOW),
             v->replaced_s ? "kept" : "now");
    return true;
}

static void test_versions(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    char text[256] = "";
    OK(sek_policydb_begin(db, &diag));
    struct sek_list_row row;
    uint16_t list = list_new(db, "feed"), other = list_new(db, "other");
    import(db, other, "x.example", NOW);
    import(db, list, "a.example =b.example *.c.example !d.example", NOW + 1);
    import(db, list, "a.example =b.example *.c.example !d.example", NOW + 2); /* nothing new */
    assert_string_equal("(not kept)", rules_of(db, list, 1));
    /* what people did in between is in the version, too */
    const struct sek_entry e = {.name = name_of("e.example"),
                                .rule = {.list = list,
                                         .scope = SEK_SCOPE_SUBTREE,
                                         .action = SEK_ACTION_DROP,
                                         .expires_s = NOW + 99}};
    bool changed;
    OK(sek_policydb_entry_put(db, &e, &changed, &diag));
    import(db, list, "a.example \\000\\001.odd.example", NOW + 3);
    assert_string_equal("a.example =b.example *.c.example !d.example !e.example(ends) ",
                        rules_of(db, list, 1));
    import(db, list, "z.example", NOW + 4);
    assert_string_equal("a.example \\000\\001.odd.example ", rules_of(db, list, 2));
    OK(sek_policydb_list_get(db, "feed", &row, &diag));
    OK(sek_versions(db, &row, add_version, text, &diag));
    assert_string_equal("3:1:4:now 2:2:3:kept 1:5:2:kept ", text);
    /* the oldest go; another list's stay */
    import(db, other, "y.example", NOW + 5);
    for (int i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "n%d.example", i);
        import(db, list, text, NOW + 10 + i);
    }
    assert_string_equal("(not kept)", rules_of(db, list, 3));
    assert_string_equal("n4.example ", rules_of(db, list, 8));
    assert_string_equal("x.example ", rules_of(db, other, 1));
    sek_versions_keep(db, 1);
    import(db, list, "last.example", NOW + 30);
    assert_string_equal("(not kept)", rules_of(db, list, 8));
    assert_string_equal("n5.example ", rules_of(db, list, 9));
    sek_versions_keep(db, 0);
    import(db, list, "none.example", NOW + 31);
    assert_string_equal("n5.example ", rules_of(db, list, 9)); /* of before */
    OK(sek_policydb_list_remove(db, list, NULL, NULL, &diag));
    assert_string_equal("(not kept)", rules_of(db, list, 9));
    OK(sek_policydb_commit(db, &diag));
    sek_policydb_close(db);
}

/* Overlap */

static void test_overlap(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    OK(sek_policydb_begin(db, &diag));
    const uint16_t ids[] = {list_new(db, "a"), list_new(db, "b"), list_new(db, "c"),
                            list_new(db, "d")};
    import(db, ids[0], "one.example two.example three.example =three.example four.example", NOW);
    import(db, ids[1], "*.two.example three.example other.example", NOW);
    import(db, ids[2], "three.example", NOW);
    struct sek_overlap o[4];
    OK(sek_overlap(db, ids, 4, o, NULL, NULL, &diag));
    static const struct {
        uint64_t n_names, n_elsewhere, n_most;
        int most;
    } expected[] = {{4, 2, 2, 1}, {3, 2, 2, 0}, {1, 1, 1, 0}, {0, 0, 0, -1}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(expected[i].n_names, o[i].n_names);
        assert_int_equal(expected[i].n_elsewhere, o[i].n_elsewhere);
        assert_int_equal(expected[i].n_most, o[i].n_most);
        assert_int_equal(expected[i].most < 0 ? 0 : ids[expected[i].most], o[i].most);
    }
    OK(sek_overlap(db, ids, 0, o, NULL, NULL, &diag));
    sek_policydb_rollback(db);
    sek_policydb_close(db);
}

/* Compressed text */

static enum sek_err collect(void *arg, const char *data, size_t n, struct sek_diag *diag)
{
    (void)diag;
    sek_buf_add(arg, data, n);
    return SEK_OK;
}

static void test_packed(void **state)
{
    (void)state;
    unsigned seed = 3;
    for (int round = 0; round < 40; round++) {
        struct sek_buf in, out;
        struct sek_packed *p = NULL;
        const void *octets;
        size_t n;
        sek_buf_init(&in, 0);
        sek_buf_init(&out, 0);
        assert_int_equal(SEK_OK, sek_packed_new(&p));
        for (int i = rand_r(&seed) % (round + 1); i > 0; i--) {
            char line[5000];
            size_t len = (size_t)rand_r(&seed) % sizeof line;
            for (size_t k = 0; k < len; k++)
                line[k] = (char)(rand_r(&seed) % 7);
            sek_buf_add(&in, line, len);
            sek_packed_add(p, line, len);
        }
        OK(sek_packed_end(p, &octets, &n, &diag));
        OK(sek_packed_read(octets, n, collect, &out, &diag));
        assert_int_equal(in.len, out.len);
        if (in.len)
            assert_memory_equal(in.data, out.data, in.len);
        assert_int_equal(SEK_E_CORRUPT, sek_packed_read(octets, n - 1, collect, &out, NULL));
        uint8_t *damaged = malloc(n);
        memcpy(damaged, octets, n);
        damaged[n - 6] ^= 1; /* its checksum */
        assert_int_equal(SEK_E_CORRUPT, sek_packed_read(damaged, n, collect, &out, NULL));
        free(damaged);
        sek_packed_free(p);
        sek_buf_fini(&in);
        sek_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_packed),
        cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlap, setup, teardown),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
