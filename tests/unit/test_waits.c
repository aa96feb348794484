/* SPDX-License-Identifier: BSD-3-Clause */
/* What a cache on the endpoint explains: the numbers, and beacons and people behind such caches, a
 * thousand and more of each. */
#include "watch_samples.h"
#include "watch/beacon.h"
#include "watch/waits.h"
#include <math.h>

static void test_told(void **state)
{
    struct sek_told t = {0};

    (void)state;
    assert_int_equal(sek_told_ask(&t, 7, 0, 60), SEK_WAIT_UNKNOWN);
    assert_int_equal(sek_told_ask(&t, 7, 75000, 60), 30);
    assert_int_equal(sek_told_ask(&t, 7, 90000, 60), SEK_WAIT_EARLY);
    assert_int_equal(sek_told_ask(&t, 7, 149000, 60), 0); /* a cache counts in seconds */
    assert_int_equal(sek_told_ask(&t, 7, 209000, 0), 0);
    assert_int_equal(sek_told_ask(&t, 7, 300000, 60), SEK_WAIT_UNKNOWN); /* it had no TTL */
    assert_int_equal(sek_told_ask(&t, 0, 300000, 5), SEK_WAIT_UNKNOWN);
    assert_int_equal(sek_told_ask(&t, 0, 310000, 5), 10);
    /* other names push out what ends first, and a clock that goes back does no harm */
    for (uint32_t i = 0; i < SEK_WAITS_NAMES; i++)
        assert_int_equal(sek_told_ask(&t, 100 + i, 310000, 1000), SEK_WAIT_UNKNOWN);
    assert_int_equal(sek_told_ask(&t, 0, 400000, 5), SEK_WAIT_UNKNOWN);
    assert_int_equal(sek_told_ask(&t, 100 + SEK_WAITS_NAMES - 1, -5, 5), SEK_WAIT_EARLY);
    assert_int_equal(sek_told_ask(&t, 9, INT64_MAX / 2, UINT32_MAX), SEK_WAIT_UNKNOWN);
}

typedef uint16_t wait_fn(unsigned i, uint64_t *seed);

static uint16_t even(unsigned i, uint64_t *seed)
{
    (void)seed;
    return (uint16_t)(2 * i + 1);
}
static uint16_t same(unsigned i, uint64_t *seed)
{
    (void)i, (void)seed;
    return 40;
}
static uint16_t bundles(unsigned i, uint64_t *seed)
{
    (void)seed;
    return (uint16_t)(i % 2 ? 120 + i % 3 : 2 + i % 3);
}
static uint16_t mixed(unsigned i, uint64_t *seed)
{
    (void)seed;
    return i % 4 == 0 ? SEK_WAIT_UNKNOWN : i % 4 == 1 ? SEK_WAIT_EARLY : 60;
}
static uint16_t none(unsigned i, uint64_t *seed)
{
    (void)i, (void)seed;
    return SEK_WAIT_UNKNOWN;
}
static uint16_t people(unsigned i, uint64_t *seed)
{
    (void)i;
    return (uint16_t)(-log(1 - fraction(seed)) * 120);
}
static uint16_t uniform(unsigned i, uint64_t *seed)
{
    (void)i;
    return (uint16_t)(fraction(seed) * 240);
}

static struct sek_waits waits(wait_fn *fn, unsigned n, double least_s, uint64_t *seed)
{
    struct sek_waits_log log = {0};
    struct sek_waits w;

    for (unsigned i = 0; i < n; i++)
        sek_waits_add(&log, fn(i, seed));
    sek_waits_of(&log, least_s, &w);
    return w;
}

static void test_known(void **state)
{
    (void)state;
    struct sek_waits w = waits(even, 40, 5, NULL);
    assert_true(fabs(w.gini - 1 / 3.0) < 0.01);
    assert_true(fabs(w.median_s - 20) < 1e-6);
    w = waits(same, 40, 5, NULL);
    assert_true(w.gini < 1e-9 && w.is_timer && w.entropy > 2);
    assert_false(waits(same, 40, 25, NULL).is_timer); /* too short to say anything */
    assert_false(waits(same, 7, 5, NULL).is_timer);   /* too few */
    w = waits(bundles, 40, 5, NULL);
    assert_true(w.is_timer && w.gini > 0.4);
    w = waits(mixed, 40, 5, NULL);
    assert_int_equal(w.n, 20);
    assert_int_equal(w.n_early, 10);
    assert_int_equal(w.n_unknown, 10);
    assert_true(sek_waits_heedless(&w) && sek_waits_tell(&w));
    w = waits(none, 1000, 5, NULL);
    assert_true(!w.is_timer && !sek_waits_heedless(&w) && !sek_waits_tell(&w));
    assert_int_equal(w.n_unknown, SEK_WAITS_MAX);
    assert_false(waits(none, 0, 5, NULL).is_timer);
}

/* Exponential waits of any length pass for those of a timer once in thousands; even ones often. */
static void test_limits(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (unsigned n = 8; n <= SEK_WAITS_MAX; n *= 2) {
        unsigned n_people = 0, n_timers = 0;
        for (unsigned run = 0; run < 2000; run++) {
            n_people += waits(people, n, 5, &seed).is_timer;
            n_timers += waits(uniform, n, 5, &seed).is_timer;
        }
        if (n_people > 2 || (n == SEK_WAITS_MAX && n_timers < 1800))
            fail_msg("%u waits: %u people, %u timers", n, n_people, n_timers);
    }
}

/* --- endpoints behind caches -------------------------------------------------------------------
 */

#define NAMES 3

/* An endpoint that keeps answers or does not, behind a resolver that does; seconds. */
struct endpoint {
    unsigned id;
    bool keeps;
    uint32_t ttl_s;
    double own_until[NAMES];
    int64_t resolver_until[NAMES];
    unsigned signs;
    struct sek_sign sign;
};

static void *beacon;

static uint32_t resolve(struct endpoint *e, double at_s, unsigned name)
{
    int64_t now_s = (int64_t)at_s;
    if (e->resolver_until[name] <= now_s)
        e->resolver_until[name] = now_s + e->ttl_s;
    return (uint32_t)(e->resolver_until[name] - now_s);
}

static void show(struct endpoint *e, double at_s, unsigned name, uint16_t qtype, uint32_t ttl_s)
{
    static const char *const names[NAMES] = {"www.rare.com", "img.rare.com", "rare.com"};
    struct question q = {names[name],
                         e->id,
                         T0_MS + (int64_t)(at_s * 1000),
                         qtype,
                         .existence = SEK_EXISTENCE_EXISTS,
                         .ttl_s = ttl_s};
    struct sek_name wire;
    struct sek_observation o = observe(&q, &wire);
    e->signs += sek_beacon_see(beacon, &o, &e->sign);
}

static void visit(struct endpoint *e, double at_s, unsigned name)
{
    if (e->keeps && at_s < e->own_until[name])
        return;
    uint32_t ttl_s = resolve(e, at_s, name);
    show(e, at_s, name, 1, ttl_s);
    show(e, at_s + 0.02, name, 28, ttl_s);
    e->own_until[name] = at_s + 0.03 + ttl_s;
}

static double exponential(uint64_t *seed)
{
    return -log(1 - fraction(seed));
}

/* Three days with some sessions each, minutes to hours long. kind: pages with exponential times or
 * log-normal ones, a page that refreshes itself all the time, other people who fill the resolver's
 * cache. */
static void use(struct endpoint *e, unsigned kind, double page_s, uint64_t *seed)
{
    unsigned n_names = 1 + (unsigned)(fraction(seed) * NAMES);
    for (unsigned day = 0; day < 3; day++) {
        double at = day * 86400 + 8 * 3600 + fraction(seed) * 7200;
        unsigned sessions = 1 + (unsigned)(fraction(seed) * 4);
        for (unsigned i = 0; i < sessions; i++) {
            double end = at + (0.2 + 3 * fraction(seed)) * 3600;
            while (at < end) {
                unsigned name = (unsigned)(fraction(seed) * n_names);
                if (kind == 3 && fraction(seed) < 0.2)
                    resolve(e, at - fraction(seed) * page_s, name);
                visit(e, at, name);
                if (kind == 1)
                    at += page_s * exp(1.0 * sqrt(-2 * log(1 - fraction(seed))) *
                                       cos(6.283185 * fraction(seed)));
                else if (kind == 2)
                    at += 3 + 4 * fraction(seed);
                else
                    at += page_s * exponential(seed);
            }
            at += (0.5 + 2 * fraction(seed)) * 3600;
        }
    }
}

static void *beacon_new(struct sek_conf *conf)
{
    struct sek_diag diag = {0};
    void *b = NULL;
    settings(conf, "beacon: {pairs: 8192}");
    if (sek_beacon_new(conf, KEY, &b, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return b;
}

/* At most one of a thousand people, each with a cache of 60 or 300 seconds. */
static void test_people(void **state)
{
    static const double pages_s[] = {2, 8, 20, 60, 120};
    struct sek_conf conf = {0};
    uint64_t seed = 11;
    unsigned found = 0;

    (void)state;
    beacon = beacon_new(&conf);
    for (unsigned i = 0; i < 1000; i++) {
        struct endpoint e = {.id = i + 1, .keeps = true, .ttl_s = i % 2 ? 60 : 300};
        use(&e, i / 2 % 4, pages_s[i / 8 % 5], &seed);
        found += e.signs > 0;
        if (e.signs)
            print_message("taken for a clock: %s\n", e.sign.finding.evidence);
    }
    assert_true(found <= 1);
    sek_beacon_free(beacon);
    sek_conf_fini(&conf);
}

struct timer {
    double period_s, jitter, lost;
    bool nights; /* off for fourteen hours */
};

static void run_timer(struct endpoint *e, const struct timer *t, uint64_t *seed)
{
    double step_s = e->keeps ? fmax(t->period_s, e->ttl_s) : t->period_s;
    double at = fraction(seed) * 3600, end = at + fmax(86400, 150 * step_s);
    for (; at < end; at += t->period_s * (1 + t->jitter * (2 * fraction(seed) - 1))) {
        if (t->nights && fmod(at, 86400) > 36000)
            continue;
        if (fraction(seed) >= t->lost)
            visit(e, at, 0);
    }
}

/* Of all beacons 95 % and more; of those whose period is below the TTL of a cache of their own,
 * which shows them once a TTL, most. */
static void test_timers(void **state)
{
    static const uint32_t ttls_s[] = {5, 60, 300, 3600};
    struct sek_conf conf = {0};
    uint64_t seed = 12;
    unsigned n[2] = {0}, found[2] = {0};

    (void)state;
    beacon = beacon_new(&conf);
    for (unsigned i = 0; i < 640; i++) {
        struct endpoint e = {.id = i + 1, .keeps = i % 2, .ttl_s = ttls_s[i / 2 % 4]};
        struct timer t = {.period_s = 30 * pow(720, fraction(&seed)),
                          .jitter = i / 8 % 2 ? 0.3 * fraction(&seed) : 0.05 * fraction(&seed),
                          .lost = i / 16 % 2 ? 0.05 : 0.15 * fraction(&seed),
                          .nights = i / 32 % 4 == 0};
        t.nights &= t.period_s < 7200; /* else there are one or two a day */
        bool hidden = e.keeps && t.period_s < e.ttl_s;
        run_timer(&e, &t, &seed);
        n[hidden]++;
        found[hidden] += e.signs > 0;
    }
    print_message("found: %u of %u; of those below the TTL of their cache: %u of %u\n", found[0],
                  n[0], found[1], n[1]);
    assert_true(found[0] >= 0.98 * n[0]);
    assert_true(found[1] >= 0.8 * n[1]);
    sek_beacon_free(beacon);
    sek_conf_fini(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),   cmocka_unit_test(test_known),  cmocka_unit_test(test_limits),
        cmocka_unit_test(test_people), cmocka_unit_test(test_timers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
