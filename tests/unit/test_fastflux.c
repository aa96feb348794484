/* SPDX-License-Identifier: BSD-3-Clause */
/* Fast flux, against a world of networks of our own: botnets of several kinds, and the services
 * that look like them. */
#include "watch_samples.h"
#include "flux_world.h"
#include "watch/fastflux.h"
#include "watch/lookups.h"
#include <unistd.h>

static struct sek_conf conf, geo_conf;
static struct sek_geo *geo, *shown; /* shown: what the detector is given */
static struct sek_sign sign;
static void *flux;
static char db_path[] = "/tmp/sek-flux.XXXXXX";

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

    sek_fastflux_free(flux);
    sek_conf_fini(&conf);
    settings(&conf, text);
    if (sek_fastflux_new(&conf, KEY, &flux, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
}

static int setup(void **state)
{
    (void)state;
    flux = NULL;
    memset(&conf, 0, sizeof conf);
    shown = geo;
    renew("");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sek_fastflux_free(flux);
    sek_conf_fini(&conf);
    return 0;
}

/* --- what is generated -------------------------------------------------------------------------
 */

static unsigned below(uint64_t *seed, unsigned n)
{
    return (unsigned)(fraction(seed) * n);
}

#define POOL_MAX 800

struct play {
    const struct service *s;
    uint64_t seed;
    struct sek_addr pool[POOL_MAX], last[12], now[16];
    unsigned n_last;
    int64_t time_ms;
};

static void fill(struct play *p)
{
    const struct service *s = p->s;

    for (unsigned i = 0; i < s->pool; i++) {
        unsigned host = below(&p->seed, 65536);
        /* some providers have more infected machines than others */
        unsigned net = (unsigned)(s->homes * fraction(&p->seed) * fraction(&p->seed));
        if (s->homes)
            p->pool[i] = home(net, host, below(&p->seed, 100) < s->six);
        else
            p->pool[i] = house(below(&p->seed, s->houses), below(&p->seed, HOUSE_OF), host);
    }
}

static unsigned pick(struct play *p, unsigned name)
{
    const struct service *s = p->s;
    unsigned n = s->answer ? s->answer : 5 + below(&p->seed, 16);

    n = n < SEK_EVENT_ADDRS ? n : SEK_EVENT_ADDRS;
    for (unsigned i = 0; i < n; i++) {
        if (i < p->n_last && below(&p->seed, 100) < s->keep)
            p->now[i] = p->last[i];
        else if (s->own)
            p->now[i] = p->pool[(name * n + i) % s->pool];
        else
            p->now[i] = p->pool[below(&p->seed, s->pool)];
    }
    memcpy(p->last, p->now, n * sizeof *p->now);
    p->n_last = n;
    return n;
}

/* The next answer, shown. True: a sign. */
static bool next(struct play *p, unsigned ttl_s)
{
    const struct service *s = p->s;
    struct sek_name name;
    char text[64];
    unsigned which = s->names ? below(&p->seed, s->names) : 0;

    snprintf(text, sizeof text, "h%u.%s", which, s->domain ? s->domain : "served.com");
    struct question q = {text, 1 + below(&p->seed, 2), p->time_ms,
                         .existence = SEK_EXISTENCE_EXISTS,
                         .endpoints = s->endpoints ? s->endpoints : 2};
    struct sek_observation o = observe(&q, &name);
    unsigned n = pick(p, which);
    o.n_addrs = s->only_servers ? 1 : n;
    if (s->only_servers)
        p->now[0] = house(0, 0, 1);
    o.n_ns_addrs = s->servers || s->only_servers ? 4 : 0;
    for (unsigned i = 0; i < o.n_ns_addrs; i++)
        p->now[o.n_addrs + i] = p->pool[below(&p->seed, s->pool)];
    o.addrs = p->now;
    o.ttl_s = ttl_s;
    o.geo = shown;
    o.age_s = s->old ? SEK_AGE_OLD : (p->time_ms - T0_MS) / 1000;
    bool signs = sek_fastflux_see(flux, &o, &sign);
    unsigned pause_s = s->pause_s ? s->pause_s : ttl_s;
    p->time_ms += (int64_t)(ttl_s + below(&p->seed, pause_s + 1)) * 1000;
    return signs;
}

/* After how many answers it is found, 0: never. */
static unsigned found_after(const struct service *s, uint64_t seed)
{
    static struct play play;
    unsigned n = s->answers ? s->answers : 60;

    memset(&play, 0, sizeof play);
    play.s = s;
    play.seed = seed * 7919 + 17;
    play.time_ms = T0_MS;
    fill(&play);
    renew("");
    for (unsigned i = 0; i < n; i++) {
        unsigned ttl_s = s->ttl_s ? s->ttl_s : 60 + below(&play.seed, 541);
        if (next(&play, ttl_s))
            return i + 1;
    }
    return 0;
}

#define SEEDS 20

static void test_botnets(void **state)
{
    unsigned found = 0, answers = 0;

    (void)state;
    for (size_t i = 0; i < N_BOTNETS; i++) {
        unsigned of_kind = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            unsigned n = found_after(&botnets[i], seed);
            of_kind += n > 0;
            answers += n;
            if (n && (sign.finding.confidence < 0.5f || !sign.may_block || !sign.is_new))
                fail_msg("%s: %s", botnets[i].label, sign.finding.evidence);
        }
        found += of_kind;
        if (of_kind < SEEDS - 1) /* of each kind, too */
            fail_msg("%s: %u of %u", botnets[i].label, of_kind, SEEDS);
    }
    print_message("%u of %zu found, after %.1f answers\n", found, N_BOTNETS * SEEDS,
                  (double)answers / found);
    assert_true(found >= N_BOTNETS * SEEDS * 0.97);
}

static void test_benign(void **state)
{
    unsigned flagged = 0;

    (void)state;
    for (size_t i = 0; i < N_BENIGN; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            if (found_after(&benign[i], seed)) {
                print_message("%s: %.330s\n", benign[i].label, sign.finding.evidence);
                flagged++;
            }
    print_message("%u of %zu flagged\n", flagged, N_BENIGN * SEEDS);
    assert_int_equal(flagged, 0);
}

/* Without databases: most of the botnets still, nothing of the others. */
static void test_reduced(void **state)
{
    unsigned found = 0, flagged = 0;

    (void)state;
    shown = NULL;
    for (size_t i = 0; i < N_BOTNETS; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            unsigned n = found_after(&botnets[i], seed);
            found += n > 0;
            if (n && (sign.may_block || sign.finding.confidence > 0.6f ||
                      !strstr(sign.finding.evidence, "\"basis\":\"reduced")))
                fail_msg("%s: %s", botnets[i].label, sign.finding.evidence);
        }
    for (size_t i = 0; i < N_BENIGN; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            if (found_after(&benign[i], seed)) {
                print_message("%s: %.330s\n", benign[i].label, sign.finding.evidence);
                flagged++;
            }
    print_message("reduced: %u of %zu found, %u of %zu flagged\n", found, N_BOTNETS * SEEDS,
                  flagged, N_BENIGN * SEEDS);
    assert_true(found >= N_BOTNETS * SEEDS * 0.65);
    assert_true(flagged <= N_BENIGN * SEEDS / 50);
}

/* --- one at a time -----------------------------------------------------------------------------
 */

/* An answer of n fresh homes, from `first` on. */
static struct sek_observation answer(const struct question *q, struct sek_name *name,
                                     struct sek_addr at[SEK_EVENT_ADDRS], unsigned first,
                                     unsigned n)
{
    struct sek_observation o = observe(q, name);

    for (unsigned i = 0; i < n; i++)
        at[i] = home((first + i) % HOMES, first + i, false);
    o.addrs = at;
    o.n_addrs = n;
    o.ttl_s = 300;
    o.geo = shown;
    return o;
}

static const struct question plain = {"www.served.com", 1, T0_MS,
                                      .existence = SEK_EXISTENCE_EXISTS};

static unsigned from; /* the first address of signs_of */

/* Signs of n answers with eight fresh addresses each, five minutes apart, altered by fn. */
static unsigned signs_of(unsigned n, struct question q, void (*fn)(struct sek_observation *))
{
    struct sek_addr at[SEK_EVENT_ADDRS];
    struct sek_name name;
    unsigned signs = 0;

    for (unsigned i = 0; i < n; i++, q.time_ms += 300000) {
        struct sek_observation o = answer(&q, &name, at, from + i * 8, 8);
        if (fn)
            fn(&o);
        signs += sek_fastflux_see(flux, &o, &sign);
    }
    return signs;
}

static void test_evidence(void **state)
{
    static const char *const parts[] = {
        "{\"kind\":\"flux\",\"basis\":\"networks and countries\",\"addresses\":24,\"networks\":24,",
        "\"asns\":24,\"countries\":",
        "\"asns_min\":5,\"countries_min\":3,\"score\":476.6,\"alarm\":142.4,",
        "\"entropy\":4.58,\"entropy_min\":2.00,",
        "\"names\":1,\"answers\":3,\"ttl_s\":300,",
        "\"domain_age_s\":0,\"endpoints\":1,",
        "\"asn_list\":[\"AS64500 Net\",\"AS64501 Net\",",
        "\"country_list\":[\"AA\",",
        "\"address_list\":[\"60.0.0.0\",\"60.1.0.1\",",
        "\"asked_by\":[\"10.0.0.1\",\"10.0.0.2\"]}"};
    struct question other = plain;
    struct sek_addr at[SEK_EVENT_ADDRS];
    struct sek_name name;

    (void)state;
    assert_int_equal(signs_of(2, plain, NULL), 0);
    other.endpoint = 2;
    other.time_ms += 600000;
    struct sek_observation o = answer(&other, &name, at, 16, 8);
    assert_true(sek_fastflux_see(flux, &o, &sign));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(sign.finding.evidence, parts[i]))
            fail_msg("%s\n%s", parts[i], sign.finding.evidence);
    assert_int_equal(sign.finding.detector, SEK_DETECTOR_FASTFLUX);
    assert_string_equal(sign.finding.technique, "T1568.001");
    assert_memory_equal(sign.finding.domain, "\6served\3com", 12);
    assert_int_equal(sign.finding.start_ms, T0_MS);
    assert_int_equal(sign.finding.end_ms, other.time_ms);
    assert_int_equal(sign.finding.endpoint.octets[15], 1); /* who asked first */
    assert_true(sign.is_new && sign.may_block && sign.finding.confidence > 0.6f);
    /* it goes on: told again when the addresses have doubled, and in the next window */
    struct question on = plain;
    on.time_ms = T0_MS + 900000;
    from = 24;
    assert_int_equal(signs_of(6, on, NULL), 1);
    from = 0;
    assert_true(!sign.is_new && sign.finding.start_ms == T0_MS);
    on.time_ms = T0_MS + 2 * DAY_MS;
    assert_int_equal(signs_of(4, on, NULL), 1);
    assert_true(!sign.is_new && sign.finding.start_ms == T0_MS);
}

static void from_cache(struct sek_observation *o)
{
    o->cached = true;
}

static void young(struct sek_observation *o)
{
    o->settled = false;
}

static void old_and_known(struct sek_observation *o)
{
    o->age_s = 31 * 86400;
    o->endpoints = 4;
}

static void new_and_known(struct sek_observation *o)
{
    o->age_s = 86400;
    o->endpoints = 20;
}

static void popular(struct sek_observation *o)
{
    o->endpoints = 31;
}

static void long_ttl(struct sek_observation *o)
{
    o->ttl_s = 601;
}

static void private(struct sek_observation *o)
{
    struct sek_addr *a = (struct sek_addr *)(uintptr_t)o->addrs;

    for (unsigned i = 0; i < o->n_addrs; i++)
        a[i].octets[12] = 10;
}

static void test_guards(void **state)
{
    static const struct {
        const char *label, *settings;
        void (*fn)(struct sek_observation *);
        bool found;
    } cases[] = {
        {"as it is", "", NULL, true},
        {"from the cache", "", from_cache, false},
        {"within the warm-up", "", young, false},
        {"old, and known to some", "", old_and_known, false},
        {"new, and known to some", "", new_and_known, true},
        {"popular", "", popular, false},
        {"kept for long", "", long_ttl, false},
        {"private addresses", "", private, false},
        {"kept for long, allowed", "fastflux: {ttl: 601s}", long_ttl, true},
        {"known to some, allowed", "fastflux: {new: 40d}", old_and_known, true},
        {"excluded", "fastflux: {exclude: [served.com]}", NULL, false},
        {"another excluded", "fastflux: {exclude: [observed.com]}", NULL, true},
        {"protected", "policy: {never-block: [served.com]}", NULL, false},
        {"score", "fastflux: {score: 1000}", NULL, false},
        {"systems", "fastflux: {asns: 40}", NULL, true},
        {"countries", "fastflux: {countries: 40}", NULL, true},
        {"entropy", "fastflux: {entropy: 5}", NULL, true},
        {"turnover", "fastflux: {turnover: 0.9}", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        renew(cases[i].settings);
        if ((signs_of(10, plain, cases[i].fn) > 0) != cases[i].found)
            fail_msg("%s", cases[i].label);
    }
    /* thresholds that are met by many addresses only, are not by few */
    static const char *const later[] = {"fastflux: {asns: 40}", "fastflux: {countries: 40}",
                                        "fastflux: {entropy: 5}"};
    for (size_t i = 0; i < 3; i++) {
        renew(later[i]);
        assert_int_equal(signs_of(3, plain, NULL), 0);
    }
    for (const struct sek_lookup_service *s = sek_lookup_services; s->name; s++) {
        struct question q = plain;
        q.name = s->name;
        renew("");
        assert_int_equal(signs_of(10, q, NULL), 0);
    }
}

/* Databases that know little: the reduced form, and it says so. */
static void test_basis(void **state)
{
    struct sek_addr at[SEK_EVENT_ADDRS];
    struct sek_name name;
    struct question q = plain;
    bool found = false;

    (void)state;
    for (unsigned i = 0; i < 6 && !found; i++, q.time_ms += 300000) {
        struct sek_observation o = answer(&q, &name, at, i * 8, 8);
        for (unsigned k = 0; k < 5; k++)
            at[k].octets[12] = (uint8_t)(at[k].octets[12] + 100); /* in no database */
        found = sek_fastflux_see(flux, &o, &sign);
    }
    assert_true(found && !sign.may_block && sign.finding.confidence < 0.6f);
    assert_non_null(strstr(sign.finding.evidence, "\"basis\":\"reduced: address ranges; "));
}

/* A flood of other domains does not push out what is spread. */
static void test_flood(void **state)
{
    struct sek_addr at[SEK_EVENT_ADDRS];
    struct sek_name name;
    char text[40];

    (void)state;
    renew("fastflux: {domains: 64}");
    assert_true(sek_fastflux_octets(flux) < 400000);
    assert_int_equal(signs_of(2, plain, NULL), 0);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "www.d%u.net", i);
        struct question q = {text, 3, T0_MS + 400000 + i, .existence = SEK_EXISTENCE_EXISTS};
        struct sek_observation o = answer(&q, &name, at, i, 1);
        assert_false(sek_fastflux_see(flux, &o, &sign));
    }
    struct question q = plain;
    q.time_ms += 600000;
    struct sek_observation o = answer(&q, &name, at, 16, 8);
    assert_true(sek_fastflux_see(flux, &o, &sign));
    assert_int_equal(sign.finding.start_ms, T0_MS);
}

/* Queries told twice, and a clock that goes back, change nothing. */
static void test_order(void **state)
{
    struct question q = plain;

    (void)state;
    assert_int_equal(signs_of(1, q, NULL), 0);
    assert_int_equal(signs_of(1, q, NULL), 0);
    assert_int_equal(signs_of(1, q, NULL), 0);
    q.time_ms -= 10 * DAY_MS;
    assert_int_equal(signs_of(3, q, NULL), 1);
}

/* The kinds that are told, and that IPv6 and name servers count. */
static void test_kinds(void **state)
{
    static const struct {
        const char *label, *kind;
    } cases[] = {
        {"hundreds of homes", "{\"kind\":\"flux\","},
        {"name servers only", "{\"kind\":\"flux of name servers\","},
        {"double flux", "flux\","},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < N_BOTNETS; k++)
            if (strcmp(botnets[k].label, cases[i].label) == 0) {
                assert_true(found_after(&botnets[k], 3) > 0);
                if (!strstr(sign.finding.evidence, cases[i].kind))
                    fail_msg("%s: %s", cases[i].label, sign.finding.evidence);
            }
    /* both at once, when the servers have shown as much as the answers */
    struct service both = botnets[7];
    static struct play play;
    both.answer = 4;
    memset(&play, 0, sizeof play);
    play.s = &both;
    play.seed = 5;
    play.time_ms = T0_MS;
    fill(&play);
    renew("");
    bool doubled = false;
    for (unsigned i = 0; i < 12; i++)
        if (next(&play, 300))
            doubled |= strstr(sign.finding.evidence, "{\"kind\":\"double flux\"") != NULL;
    assert_true(doubled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_botnets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_benign, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reduced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_basis, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
