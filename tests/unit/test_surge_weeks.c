/* SPDX-License-Identifier: BSD-3-Clause */
/* Six weeks of an office, generated: how often detector "surge" and "new-domain-rate" are wrong,
 * and how much of what is injected they find. Users work in bouts and load pages of heavy-tailed
 * size, with lunch, weekends, two holidays, vacations, an hour's change of clocks, late evenings,
 * mornings that restore all tabs, and a day of software updates; half of the machines are on at
 * night. */
#include "watch_samples.h"
#include "watch/surge.h"
#include <math.h>
#include <stdlib.h>

#define USERS 80
#define INJECTED 40
#define DAYS 42
#define MONDAY_S 1790553600LL /* a Monday, 00:00 UTC */
#define DAY_M 1440

static struct sek_conf conf;
static struct sek_sign sign;
static uint64_t seed;

static double gauss(void)
{
    return sqrt(-2 * log(fraction(&seed) + 1e-300)) * cos(6.283185307 * fraction(&seed));
}

static unsigned poisson(double mean)
{
    if (mean > 50) {
        double v = mean + sqrt(mean) * gauss();
        return v > 0 ? (unsigned)(v + 0.5) : 0;
    }
    double limit = exp(-mean), p = fraction(&seed);
    unsigned n = 0;
    for (; p > limit; n++)
        p *= fraction(&seed);
    return n;
}

struct user {
    double loads, page, night; /* pages a minute at work; names of a page; queries a minute idle */
    int begin_m, end_m, vacation; /* minutes of the day; the day it begins, or 99 */
    bool always_on;
    bool working;
    int arrived;
};

static struct user user_new(void)
{
    return (struct user){
        .loads = 0.3 + 0.5 * fraction(&seed),
        .page = 8 * exp(0.4 * gauss()),
        .night = 0.3 + 3 * fraction(&seed),
        .begin_m = 8 * 60 + (int)(20 * gauss()),
        .end_m = 17 * 60 + (int)(30 * gauss()),
        .vacation = fraction(&seed) < 0.25 ? 14 + (int)(10 * fraction(&seed)) : 99,
        .always_on = fraction(&seed) < 0.5,
    };
}

/* What a day is like for a user. */
struct day {
    bool work, update;
    int begin_m, end_m;
};

static struct day day_of(const struct user *u, int day)
{
    static const int holidays[] = {10, 31};
    struct day d = {.work = day % 7 < 5, .begin_m = u->begin_m, .end_m = u->end_m};
    for (size_t i = 0; i < 2; i++)
        d.work &= day != holidays[i];
    d.work &= day < u->vacation || day >= u->vacation + 14;
    d.work &= fraction(&seed) > 0.04; /* ill, travelling */
    d.begin_m += (int)(15 * gauss());
    d.end_m += (int)(25 * gauss());
    if (fraction(&seed) < 0.03) /* a late evening */
        d.end_m += 120 + (int)(120 * fraction(&seed));
    if (day >= 28) { /* clocks were set */
        d.begin_m += 60;
        d.end_m += 60;
    }
    d.update = day == 22;
    return d;
}

/* Queries of a minute. */
static unsigned minute_of(struct user *u, const struct day *d, int m)
{
    bool at_work = d->work && m >= d->begin_m && m < d->end_m &&
                   !(m >= d->begin_m + 240 && m < d->begin_m + 285);
    unsigned n = 0;
    if (u->always_on || at_work)
        n += poisson(u->night);
    if (!at_work) {
        u->working = false;
        return n;
    }
    if (m <= d->begin_m + 2) /* all tabs of yesterday */
        n += poisson(60 * fraction(&seed));
    u->working = fraction(&seed) < (u->working ? 0.94 : 0.15);
    if (u->working)
        for (unsigned pages = poisson(u->loads); pages; pages--)
            n += (unsigned)fmin(300, u->page * exp(0.8 * gauss()));
    if (d->update && m >= 600 && m < 640)
        n += poisson(15);
    return n;
}

struct injection {
    int day, minute, minutes; /* minutes 0: none */
    double times, more;       /* so many times as many, and so many more a minute */
};

static bool show(void *surge, unsigned endpoint, int64_t minute, unsigned n)
{
    union {
        struct sek_tally_traffic row;
        uint8_t octets[sizeof(struct sek_tally_traffic) + 16];
    } r = {
        .row = {
            .minute = minute,
            .endpoint =
                {.octets = {[10] = 0xff, 0xff, 10, 0, (uint8_t)(endpoint >> 8), (uint8_t)endpoint}},
            .domain_len = 13}};
    memcpy(r.row.domain, "\7example\3com", 13);
    r.row.count[SEK_OUTCOME_PASSED] = n / 2;
    r.row.count[SEK_OUTCOME_CACHED] = n - n / 2;
    return n > 0 && sek_surge_count(surge, &r.row, n, &sign);
}

/* A minute comes in two takes. True: a new finding. */
static bool show_twice(void *surge, unsigned endpoint, int64_t minute, unsigned n)
{
    bool first = show(surge, endpoint, minute, n / 3) && sign.is_new;
    return (show(surge, endpoint, minute, n - n / 3) && sign.is_new) || first;
}

/* Weeks of a user. How many findings; *out_found: one within the injection. */
static unsigned live(void *surge, unsigned endpoint, struct user *u, const struct injection *in,
                     bool *out_found)
{
    unsigned findings = 0;
    *out_found = false;
    for (int day = 0; day < DAYS; day++) {
        struct day d = day_of(u, day);
        for (int m = 0; m < DAY_M; m++) {
            unsigned n = minute_of(u, &d, m);
            bool inside = day == in->day && m >= in->minute && m < in->minute + in->minutes;
            if (inside)
                n = poisson(in->times * fmax(n, u->night) + in->more);
            bool found = show_twice(surge, endpoint, MONDAY_S / 60 + (int64_t)day * DAY_M + m, n);
            if (found && getenv("SEK_TEST_VERBOSE"))
                printf("user %u day %d %02d:%02d %s\n", endpoint, day, m / 60, m % 60,
                       sign.finding.evidence);
            *out_found |= found && inside;
            findings += found && !inside;
        }
    }
    return findings;
}

static void *detector_new(enum sek_err (*new_)(const struct sek_conf *, struct sek_hash_key,
                                               void **, struct sek_diag *))
{
    struct sek_diag diag = {0};
    void *self = NULL;
    if (new_(&conf, KEY, &self, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    return self;
}

static void test_false_alarms(void **state)
{
    const struct injection none = {0};
    unsigned findings = 0;
    bool found;
    (void)state;
    void *surge = detector_new(sek_surge_new);
    seed = 11;
    for (unsigned i = 0; i < USERS; i++) {
        struct user u = user_new();
        findings += live(surge, i, &u, &none, &found);
    }
    double per = findings * 1000.0 / (USERS * DAYS);
    printf("surge: %u false findings in %d endpoint-days: %.2f per 1,000\n", findings, USERS * DAYS,
           per);
    assert_true(per <= 1.0);
    sek_surge_free(surge);
}

struct injected {
    const char *label;
    int minute, spread; /* it begins in so many minutes from there on */
    double times, more, least_night;
    double found; /* share at least */
};

static double share_found(const struct injected *c)
{
    unsigned n_found = 0;
    void *surge = detector_new(sek_surge_new);
    for (unsigned i = 0; i < INJECTED; i++) {
        struct user u = user_new();
        struct injection in = {.day = 35 + (int)(5 * fraction(&seed)),
                               .minute = c->minute + (int)(c->spread * fraction(&seed)),
                               .minutes = 5,
                               .times = c->times,
                               .more = c->more};
        bool found;
        u.always_on = true;
        u.vacation = 99;
        u.night = c->least_night + 3 * fraction(&seed);
        live(surge, i, &u, &in, &found);
        n_found += found;
    }
    sek_surge_free(surge);
    return (double)n_found / INJECTED;
}

static void test_injected(void **state)
{
    static const struct injected cases[] = {
        {"tenfold for five minutes at night, from 3 queries a minute on", 60, 300, 10, 0, 3, 0.95},
        {"fiftyfold for five minutes at work, or in a pause", 600, 100, 50, 0, 1, 0.6},
        {"500 queries a minute more for five minutes at work", 600, 100, 1, 500, 1, 0.95},
    };
    (void)state;
    seed = 12;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double found = share_found(&cases[i]);
        printf("surge: %s: %.2f found\n", cases[i].label, found);
        if (found < cases[i].found)
            fail_msg("%s: %.2f", cases[i].label, found);
    }
}

/* --- domains never seen here -------------------------------------------------------------------
 */

static bool see(void *rate, unsigned endpoint, int64_t time_ms, unsigned domain)
{
    char name[32];
    struct sek_name wire;
    snprintf(name, sizeof name, "d%u.com", domain);
    const struct question q = {name, endpoint, time_ms, .existence = SEK_EXISTENCE_EXISTS,
                               .age_s = domain ? 0 : SEK_AGE_OLD};
    struct sek_observation o = observe(&q, &wire);
    return sek_newrate_see(rate, &o, &sign) && sign.is_new;
}

/* Some new domains a day, now and then a search that meets many; `more`: of an hour on day 36. */
static unsigned weeks_of_domains(void *rate, unsigned endpoint, unsigned more, bool *out_found)
{
    unsigned findings = 0, next = 1;
    double usual = 0.05 + 0.8 * fraction(&seed); /* an hour */
    struct user u = user_new();
    *out_found = false;
    for (int day = 0; day < DAYS; day++) {
        struct day d = day_of(&u, day);
        for (int m = 0; m < DAY_M; m += 10) {
            int64_t time_ms = (MONDAY_S + day * 86400LL + m * 60LL) * 1000;
            bool at_work = d.work && m >= d.begin_m && m < d.end_m;
            bool inside = more && day == 36 && m >= 600 && m < 660;
            unsigned n = at_work ? poisson(usual / 6) : 0;
            if (at_work && fraction(&seed) < 0.003)
                n += (unsigned)fmin(30, 5 * exp(gauss()));
            if (inside)
                n += poisson(more / 6.0);
            bool found = (at_work || inside) && see(rate, endpoint, time_ms, 0);
            for (; n; n--)
                found |= see(rate, endpoint, time_ms + n * 1000, next++);
            *out_found |= found && inside;
            findings += found && !inside;
        }
    }
    return findings;
}

static void test_domains(void **state)
{
    unsigned findings = 0, n_found = 0;
    bool found;
    (void)state;
    seed = 13;
    void *rate = detector_new(sek_newrate_new);
    for (unsigned i = 0; i < 500; i++)
        findings += weeks_of_domains(rate, i, 0, &found);
    for (unsigned i = 500; i < 600; i++, n_found += found)
        findings += weeks_of_domains(rate, i, 100, &found);
    double per = findings * 1000.0 / (600 * DAYS);
    printf("new-domain-rate: %u false findings in %d endpoint-days: %.2f per 1,000; 100 domains in "
           "an hour: %u of 100 found\n",
           findings, 600 * DAYS, per, n_found);
    assert_true(per <= 1.0);
    assert_true(n_found >= 95);
    sek_surge_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_false_alarms),
        cmocka_unit_test(test_injected),
        cmocka_unit_test(test_domains),
    };
    settings(&conf, "");
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    sek_conf_fini(&conf);
    return rc;
}
