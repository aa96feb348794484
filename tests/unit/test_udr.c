/* SPDX-License-Identifier: BSD-3-Clause */
/* Tracked names, against a world of networks of our own: what is learned, what is told, and how
 * sure; and that neither order nor repetition nor a restart changes what is known. */
#include "watch_samples.h"
#include "flux_world.h"
#include "base/duration.h"
#include "watch/udr.h"
#include <stdlib.h>
#include <unistd.h>

#define MINUTE_MS 60000LL
#define LEARN_MS (7 * DAY_MS)
#define TRACKED "udr: {domains: [corp.com, =portal.bank.com, \"*.only.net\", a.deep.org]}"

static struct sek_conf conf, geo_conf;
static struct sek_geo *geo, *shown; /* shown: what the detector is given */
static struct sek_sign sign;
static void *udr;
static char db_path[] = "/tmp/sek-udr.XXXXXX";

static void quiet(void *arg, bool trouble, const char *text)
{
    (void)arg;
    if (trouble)
        fail_msg("%s", text);
}

static int group_setup(void **state)
{
    char text[128];
    struct mmdb_file *f = world();
    int fd = mkstemp(db_path);

    (void)state;
    if (fd < 0)
        return -1;
    close(fd);
    mmdb_write(f, db_path);
    free(f);
    snprintf(text, sizeof text, "geo: {asn: %s}", db_path);
    settings(&geo_conf, text);
    if (sek_geo_new(&geo_conf, &geo, NULL) != SEK_OK)
        return -1;
    sek_geo_refresh(geo, 1, quiet, NULL);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    sek_geo_free(geo);
    sek_conf_fini(&geo_conf);
    return unlink(db_path);
}

static void renew(const char *text)
{
    struct sek_diag diag = {0};

    sek_udr_free(udr);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_udr_new(&conf, KEY, &udr, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    udr = NULL;
    memset(&conf, 0, sizeof conf);
    shown = geo;
    renew(TRACKED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_udr_free(udr);
    sek_conf_fini(&conf);
    return 0;
}

/* --- answers -----------------------------------------------------------------------------------
 */

#define ADDED_MAX 4096
static struct sek_response added[ADDED_MAX]; /* all that was to be written down */
static unsigned n_added;

static bool see_as(const char *name, unsigned endpoint, int64_t time_ms,
                   const struct sek_addr *addrs, unsigned n, bool cached)
{
    struct sek_name wire;
    struct question q = {.name = name,
                         .endpoint = endpoint,
                         .time_ms = time_ms,
                         .existence = SEK_EXISTENCE_EXISTS,
                         .ttl_s = 300};
    struct sek_observation o = observe(&q, &wire);

    o.given = addrs;
    o.n_given = n;
    o.cached = cached;
    o.geo = shown;
    bool found = sek_udr_see(udr, &o, &sign);
    while (n_added < ADDED_MAX && sek_udr_added(udr, &added[n_added]))
        n_added++;
    return found;
}

static bool see(const char *name, int64_t time_ms, struct sek_addr addr)
{
    return see_as(name, 7, time_ms, &addr, 1, false);
}

static void has(const char *text)
{
    if (!strstr(sign.finding.evidence, text))
        fail_msg("no %s in %s", text, sign.finding.evidence);
}

static void confidence_is(double expected)
{
    if (sign.finding.confidence < expected - 0.001 || sign.finding.confidence > expected + 0.001)
        fail_msg("confidence %f, not %f", (double)sign.finding.confidence, expected);
}

/* --- known vectors -----------------------------------------------------------------------------
 */

/* A bank's portal in one network moves abroad. House 0, network 0: AS65100, country 0 (AA). Home 9:
 * AS64509, country 63 % 40 = 23 (CH). */
static void test_new_country(void **state)
{
    (void)state;
    assert_false(see("portal.bank.com", T0_MS, house(0, 0, 1)));
    assert_false(see("portal.bank.com", T0_MS + LEARN_MS - 1000, house(0, 0, 2)));
    assert_false(see("portal.bank.com", T0_MS + LEARN_MS, house(0, 0, 1))); /* known */
    assert_true(see("portal.bank.com", T0_MS + LEARN_MS, home(9, 5, false)));
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_UDR);
    assert_string_equal(sign.finding.technique, "T1584.002");
    assert_int_equal(sign.finding.start_ms, T0_MS + LEARN_MS);
    assert_int_equal(sign.finding.endpoint.octets[15], 7);
    assert_int_equal(sign.finding.domain_len, 17);
    assert_memory_equal(sign.finding.domain, "\6portal\4bank\3com", 17);
    assert_true(sign.is_new && sign.may_block && sign.is_chosen);
    confidence_is(0.9); /* it had one network only */
    has("{\"kind\":\"new country\",\"address\":\"60.9.0.5\",\"asn\":64509,\"network\":\"Net\","
        "\"country\":\"CH\",\"new_addresses\":1,\"addresses\":2,\"networks\":1,\"asns\":1,"
        "\"countries\":1,\"known_since\":\"2026-09-21T");
    has("\"earlier\":[\"30.0.0.2 (AS65100 AA)\",\"30.0.0.1 (AS65100 AA)\"]}");
    assert_string_equal(sign.what,
                        "was given an address in a new country for a tracked name: 60.9.0.5 "
                        "AS64509 CH");
    assert_false(see("portal.bank.com", T0_MS + LEARN_MS + 1, home(9, 5, false)));
}

/* House 0 announces network 8 as well, in country 8 % 8 = 0; house 8 is in country 0, too. */
static void test_levels(void **state)
{
    static const struct {
        const char *label, *report;
        struct sek_addr addr;
        bool found;
        const char *kind;
        double confidence;
    } cases[] = {
        {"the same system",
         "address",
         {{[10] = 0xff, 0xff, 30, 8, 0, 9}},
         true,
         "new address",
         0.2},
        {"the same, not asked for", "network", {{[10] = 0xff, 0xff, 30, 8, 0, 9}}, false, "", 0},
        {"another one in the country",
         "address",
         {{[10] = 0xff, 0xff, 38, 0, 0, 9}},
         true,
         "new network",
         0.6},
        {"the same, as usual",
         "network",
         {{[10] = 0xff, 0xff, 38, 0, 0, 9}},
         true,
         "new network",
         0.6},
        {"the same, not asked for", "country", {{[10] = 0xff, 0xff, 38, 0, 0, 9}}, false, "", 0},
        {"abroad", "country", {{[10] = 0xff, 0xff, 31, 0, 0, 9}}, true, "new country", 0.9},
        {"nobody knows where",
         "network",
         {{[10] = 0xff, 0xff, 192, 0, 2, 9}},
         true,
         "new network",
         0.6},
        {"IPv6 of another", "network", {{0x2a, 0, 5, [15] = 1}}, true, "new country", 0.9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[160], kind[40];
        snprintf(text, sizeof text, "udr: {domains: [corp.com], report: %s}", cases[i].report);
        renew(text);
        assert_false(see("www.corp.com", T0_MS, house(0, 0, 1)));
        if (see("www.corp.com", T0_MS + LEARN_MS, cases[i].addr) != cases[i].found)
            fail_msg("%s", cases[i].label);
        if (!cases[i].found)
            continue;
        snprintf(kind, sizeof kind, "\"kind\":\"%s\"", cases[i].kind);
        has(kind);
        confidence_is(cases[i].confidence);
        assert_int_equal(sign.may_block, strcmp(cases[i].kind, "new country") == 0);
    }
}

/* Without a database ranges count, and no country is told: nothing may block. */
static void test_no_database(void **state)
{
    (void)state;
    shown = NULL;
    assert_false(see("www.corp.com", T0_MS, house(0, 0, 1)));
    assert_false(see("www.corp.com", T0_MS + LEARN_MS, house(0, 0, 77))); /* its /24 */
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, house(0, 0, 256)));
    has("\"kind\":\"new network\",\"address\":\"30.0.1.0\",\"new_addresses\":1,\"addresses\":2,"
        "\"networks\":1,\"known_since\"");
    assert_false(sign.may_block);
    confidence_is(0.6);
    struct sek_addr six = {{0x20, 1, 0xd, 0xb8, 0, 1, [15] = 1}};
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, six));
    six.octets[6] = 9; /* in the same /48 */
    assert_false(see("www.corp.com", T0_MS + LEARN_MS, six));
    six.octets[5] = 9;
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, six));
}

/* A name that is spread already: one more network says less. */
static void test_spread_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_false(see("cdn.corp.com", T0_MS, house(i, 0, 1)));
    assert_true(see("cdn.corp.com", T0_MS + LEARN_MS, home(9, 5, false)));
    confidence_is(0.6); /* abroad: 0.8 */
    assert_true(see("cdn.corp.com", T0_MS + LEARN_MS, house(9, 0, 5)));
    confidence_is(0.3); /* country 1, where house 1 is */
}

/* All of an answer is judged by what was before it, and told once. */
static void test_one_answer(void **state)
{
    const struct sek_addr addrs[] = {house(0, 0, 2), house(8, 0, 1), home(9, 5, false),
                                     home(9, 5, false), house(8, 0, 2)};
    (void)state;
    assert_false(see("www.corp.com", T0_MS, house(0, 0, 1)));
    n_added = 0;
    assert_true(see_as("www.corp.com", 1, T0_MS + LEARN_MS, addrs, 5, true));
    assert_int_equal(n_added, 4); /* one came twice */
    assert_int_equal(added[0].news, SEK_NEWS_ADDRESS);
    assert_int_equal(added[1].news, SEK_NEWS_NETWORK);
    assert_int_equal(added[2].news, SEK_NEWS_COUNTRY);
    assert_int_equal(added[3].news, SEK_NEWS_NETWORK);
    has("\"kind\":\"new country\",\"address\":\"60.9.0.5\"");
    has("\"new_addresses\":4,\"others\":[{\"address\":\"30.0.0.2\",\"asn\":65100,");
    has("\"new\":\"address\"}");
    has("\"addresses\":1,");
}

/* Which names: those of the list and what its notation says, and no others. */
static void test_chosen(void **state)
{
    static const struct {
        const char *name;
        bool tracked;
    } cases[] = {{"corp.com", true},        {"www.corp.com", true},       {"notcorp.com", false},
                 {"portal.bank.com", true}, {"x.portal.bank.com", false}, {"bank.com", false},
                 {"only.net", false},       {"x.only.net", true},         {"a.deep.org", true},
                 {"b.a.deep.org", true},    {"deep.org", false},          {"free.corp.com", false},
                 {"a.free.corp.com", false}};
    static const struct {
        const char *wire;
        bool wanted;
    } domains[] = {{"\4corp\3com", true}, {"\4bank\3com", true},   {"\4only\3net", true},
                   {"\4deep\3org", true}, {"\5other\3com", false}, {"\3net", true}};

    (void)state;
    renew("udr: {domains: [corp.com, =portal.bank.com, \"*.only.net\", a.deep.org],"
          " exclude: [free.corp.com]}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        n_added = 0;
        see(cases[i].name, T0_MS, house(0, 0, 1));
        if ((n_added == 1) != cases[i].tracked)
            fail_msg("%s", cases[i].name);
    }
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        if (sek_udr_wants(udr, (const uint8_t *)domains[i].wire, strlen(domains[i].wire) + 1) !=
            domains[i].wanted)
            fail_msg("wants domain %zu", i);
    renew("");
    assert_false(sek_udr_wants(udr, (const uint8_t *)"\4corp\3com", 10));
    n_added = 0;
    assert_false(see("corp.com", T0_MS, house(0, 0, 1)));
    assert_int_equal(n_added, 0);
    assert_true(sek_udr_octets(udr) < 8192); /* what is not used costs nothing */
}

/* Learning: none of it is told; it begins with a name's first answer. */
static void test_learning(void **state)
{
    (void)state;
    renew("udr: {domains: [corp.com], learn: 1s}");
    assert_false(see("www.corp.com", T0_MS, house(0, 0, 1)));
    assert_true(see("www.corp.com", T0_MS + 1000, home(9, 1, false)));
    renew("udr: {domains: [corp.com], learn: 1h}");
    assert_false(see("www.corp.com", T0_MS, house(0, 0, 1)));
    assert_false(see("www.corp.com", T0_MS + 3599000, home(9, 1, false)));
    assert_true(see("www.corp.com", T0_MS + 3600000, home(3, 1, false)));
    assert_false(see("new.corp.com", T0_MS + 3600000, home(30, 1, false))); /* begins by itself */
    assert_false(see("www.corp.com", T0_MS - DAY_MS, home(4, 1, false))); /* the clock went back */
    assert_true(see("www.corp.com", T0_MS, home(5, 1, false)));           /* then it is older */
}

/* Findings are named by endpoint and start: two of one moment must differ. */
static void test_same_moment(void **state)
{
    int64_t first_ms;
    (void)state;
    assert_false(see("a.corp.com", T0_MS, house(0, 0, 1)));
    assert_false(see("b.corp.com", T0_MS, house(0, 0, 1)));
    assert_true(see("a.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    first_ms = sign.finding.start_ms;
    assert_true(see("b.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    assert_int_not_equal(sign.finding.start_ms, first_ms);
    assert_true(sign.finding.end_ms >= sign.finding.start_ms);
}

/* --- what no order changes ---------------------------------------------------------------------
 */

struct answer {
    unsigned name, home;
    int64_t time_ms;
};
#define ANSWERS 300

static void shuffle(struct answer *all, uint64_t *seed)
{
    for (unsigned i = ANSWERS - 1; i > 0; i--) {
        unsigned k = (unsigned)(fraction(seed) * (i + 1));
        struct answer a = all[i];
        all[i] = all[k];
        all[k] = a;
    }
}

static int by_row(const void *a, const void *b)
{
    const struct sek_response *x = a, *y = b;
    int order = memcmp(x->name, y->name, sizeof x->name);
    return order ? order : memcmp(&x->address, &y->address, sizeof x->address);
}

/* What a database makes of what was written down: one row for name and address, with the earliest
 * time and the last day. Returns the rows. */
static unsigned settle(void)
{
    unsigned n = 0;
    qsort(added, n_added, sizeof added[0], by_row);
    for (unsigned i = 0; i < n_added; i++) {
        if (n && by_row(&added[n - 1], &added[i]) == 0) {
            struct sek_response *at = &added[n - 1];
            at->first_ms = at->first_ms < added[i].first_ms ? at->first_ms : added[i].first_ms;
            at->last_day = at->last_day > added[i].last_day ? at->last_day : added[i].last_day;
        } else {
            added[n++] = added[i];
        }
    }
    return n_added = n;
}

static void play(const struct answer *all)
{
    memset(added, 0, sizeof added);
    n_added = 0;
    renew(TRACKED);
    for (unsigned i = 0; i < ANSWERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%u.corp.com", all[i].name);
        see(name, all[i].time_ms, home(all[i].home, 1, false));
        if (all[i].home % 3 == 0) /* a record that came twice */
            assert_false(see(name, all[i].time_ms, home(all[i].home, 1, false)));
    }
    settle();
}

static void test_order(void **state)
{
    static struct sek_response expected[ANSWERS];
    static struct answer all[ANSWERS];
    uint64_t seed = 20261127;
    unsigned n;

    (void)state;
    for (unsigned i = 0; i < ANSWERS; i++)
        all[i] = (struct answer){(unsigned)(fraction(&seed) * 7), (unsigned)(fraction(&seed) * 20),
                                 T0_MS + (int64_t)(fraction(&seed) * 30 * DAY_MS) / 1000 * 1000};
    play(all);
    n = n_added;
    assert_true(n > 50 && n <= 7 * 20);
    memcpy(expected, added, n * sizeof added[0]);
    for (unsigned round = 0; round < 10; round++) {
        shuffle(all, &seed);
        play(all);
        assert_int_equal(n_added, n);
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(by_row(&added[i], &expected[i]), 0);
            assert_int_equal(added[i].first_ms, expected[i].first_ms);
            assert_int_equal(added[i].last_day, expected[i].last_day);
        }
    }
}

/* A day later the same address is written down again, to say that it is still given: once. */
static void test_renewed_daily(void **state)
{
    (void)state;
    see("corp.com", T0_MS, house(0, 0, 1));
    n_added = 0;
    see("corp.com", T0_MS + 1000, house(0, 0, 1));
    assert_int_equal(n_added, 0);
    see("corp.com", T0_MS + DAY_MS, house(0, 0, 1));
    see("corp.com", T0_MS + DAY_MS + 1000, house(0, 0, 1));
    assert_int_equal(n_added, 1);
    assert_int_equal(added[0].first_ms, T0_MS / 1000 * 1000);
    assert_int_equal(added[0].last_day, (T0_MS + DAY_MS) / DAY_MS);
}

/* Another life, with what the one before wrote down: nothing is new, and learning is over. */
static void test_recalled(void **state)
{
    (void)state;
    n_added = 0;
    see("www.corp.com", T0_MS, house(0, 0, 1));
    see("www.corp.com", T0_MS + DAY_MS, house(1, 0, 1));
    see("portal.bank.com", T0_MS, house(2, 0, 1));
    unsigned n = settle();
    assert_int_equal(n, 3);
    renew("udr: {domains: [corp.com]}"); /* the portal is not tracked any more */
    for (unsigned i = n; i-- > 0;)
        sek_udr_recall(udr, &added[i]);
    n_added = 0;
    assert_false(see("www.corp.com", T0_MS + LEARN_MS, house(1, 0, 1)));
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    has("\"addresses\":2,");
    has("\"known_since\":\"2026-09-21T");
    assert_false(see("portal.bank.com", T0_MS + LEARN_MS, home(9, 1, false)));
    /* what comes late, after the name was begun anew, ends the learning, too */
    renew("udr: {domains: [corp.com]}");
    assert_false(see("www.corp.com", T0_MS + LEARN_MS, house(1, 0, 1)));
    sek_udr_recall(udr, &added[0]);
    struct sek_response old = added[0];
    old.first_ms = T0_MS;
    old.address = house(0, 0, 1);
    sek_udr_recall(udr, &old);
    sek_udr_recall(udr, &old);
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, home(10, 1, false)));
}

/* --- bounded -----------------------------------------------------------------------------------
 */

static void test_full(void **state)
{
    char name[64];

    (void)state;
    renew("udr: {domains: [corp.com], addresses: 64}");
    size_t octets = sek_udr_octets(udr);
    see("www.corp.com", T0_MS, house(0, 0, 1));
    /* random names below a wildcard, none of which comes back, fill half of it */
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "r%u.corp.com", i);
        assert_false(see(name, T0_MS, house(0, 0, 1)));
    }
    assert_int_equal(sek_udr_refused(udr), 0);
    /* one that comes back is taken in */
    see("late.corp.com", T0_MS, house(0, 0, 1));
    see("late.corp.com", T0_MS, house(0, 0, 1));
    assert_true(see("late.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    /* until all is in use; then new names are refused and counted, and the others go on */
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "s%u.corp.com", i);
        see(name, T0_MS, house(0, 0, 1));
        see(name, T0_MS, house(0, 0, 1));
    }
    assert_true(sek_udr_refused(udr) > 0);
    assert_true(see("www.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    assert_false(see("www.corp.com", T0_MS + LEARN_MS, home(9, 1, false)));
    assert_int_equal(sek_udr_octets(udr), octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_country, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_database, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spread_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_moment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewed_daily, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recalled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
