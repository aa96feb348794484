/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/beacon.h"
#include "base/json.h"
#include "policy/never.h"
#include "watch/exclude.h"
#include "watch/places.h"
#include "watch/regularity.h"
#include "watch/waits.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define MEASURE_EVERY 4            /* visits */
#define TOGETHER_MS 5000           /* queries of one visit, at most … */
#define TOGETHER_SHARE 4           /* … this part of the shortest period */
#define SILENT_MS (7LL * 86400000) /* after it a pair makes room */
#define GONE_PERIODS 20            /* silence that ends a series, and at least … */
#define GONE_MS (86400000LL)       /* … a day: machines are off at night */
#define DATA_SHARE 0.5             /* of the queries: from it on DNS itself may carry the data */
#define CONFIDENCE_MAX 0.95
#define SCORE_OF_FEW 1.0     /* divided by the samples: how much more the score of few must be */
#define WIDTH_OF_JITTER 0.08 /* of the period: below it a series is a clock without jitter */
#define TAIL_AT_TTL 1.3      /* at most, of a timer whose shortest interval is a usual TTL … */
#define TAIL_ELSEWHERE 2.5   /* … or is none */
#define TTL_EARLY_S 0.5      /* clocks differ */
#define TTL_LATE 1.03        /* how much later somebody comes at the earliest */
#define WAIT_LEAST_SHARE 4   /* waits below this part of the shortest period say nothing */
#define QTYPE_STEP 0x9e3779b1u

enum { TYPE_CNAME = 5, TYPE_NULL = 10, TYPE_TXT = 16, TYPE_KEY = 25 }; /* IANA DNS parameters */

struct pair {
    struct sek_place place; /* last_ms: of the latest visit */
    int64_t start_ms;
    uint32_t n_visits, told;    /* told: visits at the last sign; 0 none */
    uint32_t n_queries, n_data; /* n_data: of types that bring data, or of a new name each */
    uint32_t name;              /* hash of the last visit's name */
    uint32_t cap_ms;            /* three periods as measured last; 0: not yet */
    int64_t all_ms;             /* sum of all intervals */
    int64_t covered_ms;         /* of all its time, by intervals of up to that */
    uint8_t n, next;            /* intervals kept; where the next one goes */
    uint32_t interval_ms[SEK_REGULARITY_MAX];
    struct sek_waits_log waits;
    struct sek_told answers;
};

struct beacon {
    struct sek_places pairs;
    struct sek_exclude *exclude;
    struct sek_hash_key key;
    unsigned samples, rare;
    int64_t together_ms, period_min_ms, span_ms, new_s;
    double regularity;
};

enum sek_err sek_beacon_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag)
{
    const struct sek_conf_names *lists[] = {&conf->beacon.exclude, &conf->policy.never_block};
    struct beacon *b = calloc(1, sizeof *b);
    enum sek_err err = b ? SEK_OK : SEK_E_NOMEM;
    if (!err)
        err = sek_places_init(&b->pairs, conf->beacon.n_pairs, sizeof(struct pair), SILENT_MS);
    if (err) {
        free(b);
        return sek_diag_set(diag, err, "out of memory for beacons");
    }
    err = sek_exclude_new(lists, 2, &sek_never_shipped[0].name, sizeof sek_never_shipped[0],
                          &b->exclude, diag);
    if (err) {
        sek_diag_wrap(diag, "beacon.exclude");
        sek_beacon_free(b);
        return err;
    }
    b->key = key;
    b->samples = (unsigned)conf->beacon.samples;
    b->rare = (unsigned)conf->domains.rare;
    b->period_min_ms = conf->beacon.period_min_s * 1000;
    b->together_ms = b->period_min_ms / TOGETHER_SHARE;
    if (b->together_ms > TOGETHER_MS)
        b->together_ms = TOGETHER_MS;
    b->span_ms = conf->beacon.span_s * 1000;
    b->new_s = conf->beacon.new_s;
    b->regularity = conf->beacon.regularity;
    *out = b;
    return SEK_OK;
}

void sek_beacon_free(void *self)
{
    struct beacon *b = self;
    if (!b)
        return;
    sek_exclude_free(b->exclude);
    sek_places_fini(&b->pairs);
    free(b);
}

size_t sek_beacon_octets(const void *self)
{
    const struct beacon *b = self;
    return sizeof *b + sek_places_octets(&b->pairs) + sek_exclude_octets(b->exclude);
}

/* --- visits ------------------------------------------------------------------------------------
 */

static void begin(struct pair *p, const struct sek_observation *o)
{
    struct sek_place place = p->place;
    memset(p, 0, sizeof *p);
    p->place = place;
    p->place.worth = 1;
    p->place.last_ms = p->start_ms = o->time_ms;
    p->n_visits = 1;
}

/* Intervals in their order. */
static unsigned intervals_of(const struct pair *p, uint32_t out[SEK_REGULARITY_MAX])
{
    unsigned first = p->n < SEK_REGULARITY_MAX ? 0 : p->next;
    for (unsigned i = 0; i < p->n; i++)
        out[i] = p->interval_ms[(first + i) % SEK_REGULARITY_MAX];
    return p->n;
}

static bool is_gone(const struct pair *p, int64_t silence_ms)
{
    uint32_t interval_ms[SEK_REGULARITY_MAX];
    struct sek_regularity r;
    if (silence_ms < GONE_MS)
        return false;
    sek_regularity_of(interval_ms, intervals_of(p, interval_ms), &r);
    return silence_ms > UINT32_MAX || (double)silence_ms > r.period_s * 1000 * GONE_PERIODS;
}

/* True for a further visit: one more interval is there. */
static bool visit(struct beacon *b, struct pair *p, const struct sek_observation *o)
{
    int64_t since_ms = o->time_ms - p->place.last_ms;
    if (since_ms < 0) { /* the clock went back: no time passed */
        p->place.last_ms = o->time_ms;
        return false;
    }
    if (since_ms < b->together_ms)
        return false;
    if (is_gone(p, since_ms)) {
        begin(p, o);
        return false;
    }
    p->all_ms += since_ms;
    p->covered_ms += p->cap_ms && since_ms > p->cap_ms ? p->cap_ms : since_ms;
    p->interval_ms[p->next] = (uint32_t)since_ms;
    p->next = (uint8_t)((p->next + 1) % SEK_REGULARITY_MAX);
    p->n = (uint8_t)(p->n + (p->n < SEK_REGULARITY_MAX));
    p->place.last_ms = o->time_ms;
    p->place.worth = ++p->n_visits;
    return true;
}

/* more: the query begins a further visit. */
static void note_query(struct beacon *b, struct pair *p, const struct sek_observation *o, bool more)
{
    uint32_t name = (uint32_t)sek_hash(&b->key, o->name->octets, o->name->len);
    uint16_t wait =
        sek_told_ask(&p->answers, name + o->qtype * QTYPE_STEP, o->time_ms - p->start_ms, o->ttl_s);
    if (more)
        sek_waits_add(&p->waits, wait);
    p->n_data += o->qtype == TYPE_TXT || o->qtype == TYPE_NULL || o->qtype == TYPE_CNAME ||
                 o->qtype == TYPE_KEY || (p->n_queries > 0 && name != p->name);
    p->name = name;
    p->n_queries++;
}

static bool is_of_interest(const struct beacon *b, const struct sek_observation *o)
{
    return o->settled && o->age_s <= b->new_s && o->endpoints <= b->rare &&
           !sek_exclude_covers(b->exclude, o->name);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static double alarm_of(const struct beacon *b, const struct pair *p)
{
    return b->regularity + SCORE_OF_FEW / p->n;
}

static const char *technique_of(const struct pair *p)
{
    return p->n_data > DATA_SHARE * p->n_queries ? SEK_BEACON_TECHNIQUE_DNS : SEK_BEACON_TECHNIQUE;
}

#define PERIOD_TEXT 24

static const char *period_text(double s, char out[PERIOD_TEXT])
{
    if (s < 120)
        snprintf(out, PERIOD_TEXT, "%.0f s", s);
    else if (s < 7200)
        snprintf(out, PERIOD_TEXT, "%.0f min", s / 60);
    else
        snprintf(out, PERIOD_TEXT, "%.1f h", s / 3600);
    return out;
}

static void add_number(struct sek_buf *json, const char *key, double value, int decimals)
{
    sek_buf_add_fmt(json, ",\"%s\":", key);
    sek_json_add_real(json, value, decimals);
}

/* What is known of the endpoint's own cache. */
static void add_cache(struct sek_buf *json, const struct sek_waits *w)
{
    bool known = sek_waits_tell(w);
    sek_buf_add_fmt(json, ",\"cache\":\"%s\"",
                    !known                  ? "unknown"
                    : sek_waits_heedless(w) ? "none"
                                            : "own");
    if (!known || sek_waits_heedless(w))
        return;
    add_number(json, "wait_s", w->median_s, 1);
    add_number(json, "wait_gini", w->gini, 3);
    add_number(json, "wait_order", w->entropy, 3);
}

static void evidence(const struct beacon *b, const struct pair *p, const struct sek_observation *o,
                     const struct sek_regularity *r, const struct sek_waits *w,
                     struct sek_sign *out)
{
    char text[PERIOD_TEXT];
    struct sek_buf json;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"every %s ±%.0f %%\"", period_text(r->period_s, text),
                    100 * r->jitter);
    add_number(&json, "period_s", r->period_s, 1);
    add_number(&json, "jitter", r->jitter, 3);
    sek_buf_add_fmt(&json, ",\"visits\":%u,\"samples\":%u,\"samples_min\":%u", p->n_visits, p->n,
                    b->samples);
    add_number(&json, "score", r->score, 3);
    add_number(&json, "alarm", alarm_of(b, p), 3);
    add_number(&json, "skew", r->skew, 3);
    add_number(&json, "dispersion", r->dispersion, 3);
    add_number(&json, "rhythm", r->rhythm, 3);
    add_number(&json, "coverage", r->coverage, 3);
    add_number(&json, "coverage_min", SEK_BEACON_COVERAGE_MIN, 1);
    add_cache(&json, w);
    sek_buf_add_fmt(&json, ",\"span_s\":%" PRId64 ",\"span_min_s\":%" PRId64, p->all_ms / 1000,
                    b->span_ms / 1000);
    sek_buf_add_fmt(&json, ",\"domain_age_s\":%" PRId64 ",\"endpoints\":%u}", o->age_s,
                    o->endpoints);
    sek_sign_evidence(out, &json);
}

static void tell(const struct beacon *b, struct pair *p, const struct sek_observation *o,
                 const struct sek_regularity *r, const struct sek_waits *w, struct sek_sign *out)
{
    char text[PERIOD_TEXT];
    sek_sign_begin(out, SEK_DETECTOR_BEACON, o, p->start_ms, true);
    out->is_new = p->told == 0;
    p->told = p->n_visits;
    out->may_block = true;
    /* an order of the findings, no probability: sure with many samples without gaps */
    out->finding.confidence = (float)fmin(CONFIDENCE_MAX, r->score * sqrt(r->coverage) *
                                                              p->n_visits / (p->n_visits + 4.0));
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", technique_of(p));
    evidence(b, p, o, r, w, out);
    snprintf(out->what, sizeof out->what, "asks by the clock, every %s (%u times)",
             period_text(r->period_s, text), p->n_visits);
}

static double long_coverage(const struct pair *p)
{
    return p->all_ms > 0 ? (double)p->covered_ms / (double)p->all_ms : 0;
}

/* For want of TTLs: people who use a site without a pause, behind a cache of their own, ask once a
 * TTL and a little later: never earlier than that, and with a long tail. A timer's jitter has two
 * sides; a timer behind a cache has a short tail. TTLs are round. */
static bool looks_cached(const struct sek_regularity *r)
{
    static const unsigned ttl_s[] = {5,    10,   15,    20,    30,    60,    120,
                                     180,  240,  300,   600,   900,   1200,  1800,
                                     3600, 7200, 10800, 14400, 21600, 43200, 86400};
    if (r->width < WIDTH_OF_JITTER)
        return false;
    for (size_t i = 0; i < sizeof ttl_s / sizeof ttl_s[0]; i++)
        if (r->least_s >= ttl_s[i] - TTL_EARLY_S &&
            r->least_s <= ttl_s[i] * TTL_LATE + 2 * TTL_EARLY_S)
            return r->tail > TAIL_AT_TTL;
    return r->tail > TAIL_ELSEWHERE;
}

/* Is the rhythm only that of the endpoint's own cache? */
static bool is_cached_use(const struct sek_regularity *r, const struct sek_waits *w)
{
    if (!sek_waits_tell(w) || sek_waits_heedless(w))
        return looks_cached(r);
    return !w->is_timer;
}

static bool is_beacon(const struct beacon *b, const struct pair *p, const struct sek_regularity *r,
                      const struct sek_waits *w)
{
    return r->score >= alarm_of(b, p) && !is_cached_use(r, w) &&
           r->coverage >= SEK_BEACON_COVERAGE_MIN &&
           long_coverage(p) >= SEK_BEACON_LONG_COVERAGE_MIN && p->all_ms >= b->span_ms &&
           r->period_s * 1000 >= (double)b->period_min_ms;
}

bool sek_beacon_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct beacon *b = self;
    uint32_t interval_ms[SEK_REGULARITY_MAX];
    struct sek_regularity r;
    struct sek_waits w;
    bool fresh;
    size_t len;
    if (!is_of_interest(b, o))
        return false;
    const uint8_t *domain = sek_observation_domain(o, &len);
    struct pair *p = sek_places_take(&b->pairs, sek_observation_hash(o, b->key, domain, len),
                                     o->time_ms, &fresh);
    if (fresh)
        begin(p, o);
    bool more = visit(b, p, o);
    note_query(b, p, o, more);
    if (!more || p->n < b->samples || p->n_visits % MEASURE_EVERY != 0)
        return false;
    sek_regularity_of(interval_ms, intervals_of(p, interval_ms), &r);
    p->cap_ms = (uint32_t)fmin(r.period_s * 1000 * SEK_REGULARITY_GAP, UINT32_MAX);
    if (p->told && p->n_visits < 2 * p->told)
        return false;
    sek_waits_of(&p->waits, (double)b->period_min_ms / 1000 / WAIT_LEAST_SHARE, &w);
    if (!is_beacon(b, p, &r, &w))
        return false;
    tell(b, p, o, &r, &w, out);
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_pair(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct beacon *b = self;
    const struct pair *p = thing;
    bool sound = p->n <= SEK_REGULARITY_MAX && p->next < SEK_REGULARITY_MAX &&
                 (p->n == SEK_REGULARITY_MAX || p->next == p->n) && p->waits.n <= SEK_WAITS_MAX &&
                 p->waits.next < SEK_WAITS_MAX && sek_kept_time(p->start_ms, lapse) &&
                 p->all_ms >= 0 && sek_kept_count((uint64_t)p->all_ms) && p->covered_ms >= 0 &&
                 p->covered_ms <= p->all_ms;
    for (unsigned i = 0; sound && i < p->n; i++)
        sound = p->interval_ms[i] > 0;
    return sound && sek_places_put(&b->pairs, p, lapse);
}

unsigned sek_beacon_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct beacon *b = self;
    out[0] = sek_places_kept(&b->pairs, 1, take_pair);
    return 1;
}
