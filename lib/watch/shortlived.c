/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/shortlived.h"
#include "base/duration.h"
#include "base/json.h"
#include "policy/never.h"
#include "watch/exclude.h"
#include "watch/places.h"
#include "watch/spread.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define NAMES 8          /* of a domain that are told apart */
#define VISIT_MS 60000   /* what comes sooner is the same visit */
#define VISITS_MIN 2     /* of a domain that ends by NXDOMAIN */
#define PAUSES 4         /* a busy domain's longest pause is less than this part of its life */
#define AGAIN_MS 3600000 /* later, one that was not over is looked at again */
#define CONFIDENCE_MAX 0.9

struct life {
    struct sek_place place; /* last_ms: of what is noted; worth: visits */
    int64_t first_ms;       /* by the history, where it knows */
    int64_t seen_ms;        /* since when it is watched */
    int64_t exists_ms;      /* it existed last then; 0: the history alone says that it did */
    int64_t visit_ms, pause_ms;
    int64_t absent_ms; /* it has not existed since; 0: it does */
    uint32_t n_queries, n_visits;
    uint32_t ttl_min_s; /* UINT32_MAX: not known */
    uint16_t endpoints; /* as the history estimates */
    uint8_t n_names;    /* NAMES + 1: more */
    uint8_t domain_len;
    bool told;
    struct sek_addr asked_by; /* the first */
    struct sek_spread spread;
    struct {
        uint32_t hash;
        bool absent;
    } names[NAMES];
    uint8_t domain[SEK_NAME_MAX];
};

struct shortlived {
    struct sek_places domains;
    struct sek_exclude *exclude;
    struct sek_hash_key key;
    int64_t *due_ms;    /* of each place: it is not over before */
    int64_t soonest_ms; /* none of them is less */
    size_t n;           /* places */
    unsigned rare, visits;
    int64_t new_s, life_ms, ttl_s, silence_ms;
};

/* One for each place, never due. NULL: no memory. */
static int64_t *due_new(size_t n_sets, size_t *out_n)
{
    *out_n = n_sets * SEK_PLACES_WAYS;
    int64_t *due_ms = malloc(*out_n * sizeof *due_ms);
    for (size_t i = 0; due_ms && i < *out_n; i++)
        due_ms[i] = INT64_MAX;
    return due_ms;
}

enum sek_err sek_shortlived_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                                struct sek_diag *diag)
{
    const struct sek_conf_names *lists[] = {&conf->shortlived.exclude, &conf->policy.never_block};
    struct shortlived *s = calloc(1, sizeof *s);
    int64_t kept_ms = 2 * conf->shortlived.silence_s * 1000;
    if (!s ||
        sek_places_init(&s->domains, conf->shortlived.n_domains, sizeof(struct life), kept_ms) !=
            SEK_OK ||
        !(s->due_ms = due_new(s->domains.n_sets, &s->n))) {
        sek_shortlived_free(s);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for short-lived domains");
    }
    enum sek_err err = sek_exclude_new(lists, 2, &sek_never_shipped[0].name,
                                       sizeof sek_never_shipped[0], &s->exclude, diag);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "shortlived.exclude");
        sek_shortlived_free(s);
        return err;
    }
    s->key = key;
    s->soonest_ms = INT64_MAX;
    s->rare = (unsigned)conf->domains.rare;
    s->visits = (unsigned)conf->shortlived.visits;
    s->new_s = conf->shortlived.new_s;
    s->life_ms = conf->shortlived.life_s * 1000;
    s->ttl_s = conf->shortlived.ttl_s;
    s->silence_ms = conf->shortlived.silence_s * 1000;
    *out = s;
    return SEK_OK;
}

void sek_shortlived_free(void *self)
{
    struct shortlived *s = self;
    if (!s)
        return;
    sek_exclude_free(s->exclude);
    sek_places_fini(&s->domains);
    free(s->due_ms);
    free(s);
}

size_t sek_shortlived_octets(const void *self)
{
    const struct shortlived *s = self;
    return sizeof *s + s->n * sizeof *s->due_ms + sek_places_octets(&s->domains) +
           sek_exclude_octets(s->exclude);
}

/* --- what is seen ------------------------------------------------------------------------------
 */

static void begin(struct life *l, const struct sek_observation *o)
{
    size_t len;
    const uint8_t *domain = sek_observation_domain(o, &len);
    memcpy(l->domain, domain, len);
    l->domain_len = (uint8_t)len;
    l->seen_ms = o->time_ms;
    l->first_ms = o->time_ms - o->age_s * 1000;
    l->asked_by = o->endpoint;
    l->ttl_min_s = UINT32_MAX;
}

/* The place of a name, or NAMES. */
static unsigned name_at(const struct life *l, uint32_t hash)
{
    for (unsigned i = 0; i < l->n_names && i < NAMES; i++)
        if (l->names[i].hash == hash)
            return i;
    return NAMES;
}

static void note_visit(struct life *l, int64_t now_ms)
{
    int64_t since_ms = now_ms - l->visit_ms;
    if (l->n_visits > 0 && since_ms < VISIT_MS)
        return;
    if (l->n_visits > 0 && since_ms > l->pause_ms)
        l->pause_ms = since_ms;
    l->visit_ms = now_ms;
    l->place.worth = ++l->n_visits;
}

static void note_existing(struct shortlived *s, struct life *l, const struct sek_observation *o)
{
    uint32_t hash = (uint32_t)sek_hash(&s->key, o->name->octets, o->name->len);
    unsigned at = name_at(l, hash);
    if (at == NAMES && l->n_names <= NAMES) {
        if (l->n_names < NAMES)
            l->names[l->n_names].hash = hash;
        l->n_names++;
    } else if (at < NAMES) {
        l->names[at].absent = false;
    }
    l->exists_ms = o->time_ms;
    l->absent_ms = 0;
    l->n_queries++;
    if (o->endpoints > l->endpoints)
        l->endpoints = (uint16_t)(o->endpoints < UINT16_MAX ? o->endpoints : UINT16_MAX);
    note_visit(l, o->time_ms);
    if (o->cached || o->n_addrs == 0)
        return;
    if (o->ttl_s < l->ttl_min_s)
        l->ttl_min_s = o->ttl_s;
    for (unsigned i = 0; i < o->n_addrs; i++)
        sek_spread_add(&l->spread, &o->addrs[i], (uint16_t)l->n_queries, o->geo);
}

/* The domain itself does not exist, so nothing below it does (RFC 8020); or each name that did. */
static void note_absent(struct shortlived *s, struct life *l, const struct sek_observation *o)
{
    bool all = l->n_names > 0 && l->n_names <= NAMES;
    unsigned at = name_at(l, (uint32_t)sek_hash(&s->key, o->name->octets, o->name->len));
    if (at < NAMES)
        l->names[at].absent = true;
    for (unsigned i = 0; i < l->n_names && all; i++)
        all = l->names[i].absent;
    if ((o->domain_labels == 0 || all) && l->absent_ms == 0)
        l->absent_ms = o->time_ms;
}

static bool is_young(const struct shortlived *s, const struct sek_observation *o)
{
    return o->settled && o->age_s <= s->new_s && !sek_exclude_covers(s->exclude, o->name);
}

/* The life that an observation belongs to; NULL: none. */
static struct life *life_of(struct shortlived *s, const struct sek_observation *o)
{
    bool fresh;
    size_t len;
    const uint8_t *domain = sek_observation_domain(o, &len);
    uint64_t tag = sek_hash(&s->key, domain, len);
    struct life *l = sek_places_find(&s->domains, tag);
    if (l || !is_young(s, o) || o->endpoints > s->rare)
        return l;
    /* of the many names that do not exist only what is known to have existed */
    if (o->existence == SEK_EXISTENCE_ABSENT && (!o->resolved || o->domain_labels > 0))
        return NULL;
    l = sek_places_take(&s->domains, tag, o->time_ms, &fresh);
    begin(l, o);
    return l;
}

/* NULL: nothing that counts. */
static struct life *note(struct shortlived *s, const struct sek_observation *o)
{
    struct life *l = o->existence != SEK_EXISTENCE_UNKNOWN ? life_of(s, o) : NULL;
    if (!l)
        return NULL;
    l->place.last_ms = o->time_ms;
    if (o->existence == SEK_EXISTENCE_EXISTS)
        note_existing(s, l, o);
    else
        note_absent(s, l, o);
    return l;
}

/* --- judgement ---------------------------------------------------------------------------------
 */

static bool has_low_ttl(const struct shortlived *s, const struct life *l)
{
    return l->ttl_min_s <= s->ttl_s;
}

static int64_t lifetime_ms(const struct life *l)
{
    return (l->exists_ms ? l->exists_ms : l->seen_ms) - l->first_ms;
}

static bool is_gone(const struct shortlived *s, const struct life *l, int64_t now_ms)
{
    if (l->absent_ms == 0 || now_ms - l->absent_ms < SEK_SHORTLIVED_GRACE_S * 1000 ||
        lifetime_ms(l) > s->life_ms)
        return false;
    return l->exists_ms == 0 || (l->n_visits >= VISITS_MIN && has_low_ttl(s, l));
}

static bool has_moved(const struct life *l)
{
    struct sek_spread_sum sum;
    sek_spread_sum(&l->spread, &sum);
    if (2 * sum.with_asn >= sum.addresses && sum.with_asn > 0)
        return sum.asns >= SEK_SHORTLIVED_ASNS_MIN;
    return sum.networks >= SEK_SHORTLIVED_NETWORKS_MIN;
}

static bool is_silent(const struct shortlived *s, const struct life *l, int64_t now_ms)
{
    int64_t busy_ms = l->exists_ms - l->seen_ms;
    return l->exists_ms > 0 && l->absent_ms == 0 && now_ms - l->exists_ms >= s->silence_ms &&
           now_ms - l->exists_ms > busy_ms && l->n_visits >= s->visits &&
           busy_ms >= SEK_SHORTLIVED_BUSY_S * 1000 && l->pause_ms < busy_ms / PAUSES &&
           lifetime_ms(l) <= s->life_ms && has_low_ttl(s, l) && has_moved(l);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static double confidence(const struct life *l, bool silent, const struct sek_spread_sum *sum)
{
    double sure = silent ? 0.2 : l->exists_ms ? 0.5 : 0.35;
    bool moved = sum->asns >= SEK_SHORTLIVED_ASNS_MIN ||
                 (sum->with_asn == 0 && sum->networks >= SEK_SHORTLIVED_NETWORKS_MIN);
    sure += lifetime_ms(l) <= 86400000 ? 0.15 : 0; /* most of the bad ones live for a day */
    sure += moved ? 0.15 : 0;
    sure += l->n_visits >= 6 ? 0.1 : 0;
    return fmin(CONFIDENCE_MAX, sure);
}

static void add_time(struct sek_buf *json, const char *key, int64_t ms)
{
    char text[24];
    sek_buf_add_fmt(json, ",\"%s\":\"%s\"", key, sek_time_to_text(ms / 1000, text, sizeof text));
}

static void evidence(const struct shortlived *s, const struct life *l, bool silent, int64_t now_ms,
                     const struct sek_spread_sum *sum, struct sek_sign *out)
{
    struct sek_buf json;
    int64_t last_ms = l->exists_ms ? l->exists_ms : l->seen_ms;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"%s\",\"basis\":\"%s\",\"ended\":\"%s\"",
                    silent ? "fell silent" : "gone",
                    l->exists_ms ? "answers" : "the history; answers were not seen",
                    silent ? "silence" : "NXDOMAIN");
    add_time(&json, "first_seen", l->first_ms);
    if (l->exists_ms)
        add_time(&json, "last_seen", last_ms);
    if (!silent)
        add_time(&json, "absent_since", l->absent_ms);
    sek_buf_add_fmt(&json, ",\"lifetime_s\":%" PRId64 ",\"lifetime_max_s\":%" PRId64,
                    lifetime_ms(l) / 1000, s->life_ms / 1000);
    sek_buf_add_fmt(&json, ",\"silent_s\":%" PRId64, (now_ms - last_ms) / 1000);
    if (l->ttl_min_s != UINT32_MAX)
        sek_buf_add_fmt(&json, ",\"ttl_s\":%" PRIu32 ",\"ttl_max_s\":%" PRId64, l->ttl_min_s,
                        s->ttl_s);
    sek_buf_add_fmt(&json, ",\"visits\":%u,\"queries\":%u,\"names\":%u,\"endpoints\":%u",
                    l->n_visits, l->n_queries, l->n_names, l->endpoints);
    sek_spread_sum_add(&json, sum);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
}

static void tell(const struct shortlived *s, struct life *l, bool silent, int64_t now_ms,
                 struct sek_sign *out)
{
    struct sek_spread_sum sum;
    l->told = true;
    sek_spread_sum(&l->spread, &sum);
    *out = (struct sek_sign){
        .finding = {.detector = SEK_DETECTOR_SHORTLIVED,
                    .endpoint = l->asked_by,
                    .start_ms = l->first_ms,
                    .end_ms = now_ms,
                    .domain_len = l->domain_len,
                    .confidence = (float)confidence(l, silent, &sum)},
        .is_new = true,
        .may_block = !silent && l->exists_ms > 0,
    };
    memcpy(out->finding.domain, l->domain, l->domain_len);
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", SEK_SHORTLIVED_TECHNIQUE);
    evidence(s, l, silent, now_ms, &sum, out);
    snprintf(out->what, sizeof out->what, "asked for a domain that lived %" PRId64 " minutes%s",
             lifetime_ms(l) / 60000, silent ? " and fell silent" : "");
}

/* True: a sign. Else the place is due later. */
static bool conclude(struct shortlived *s, struct life *l, int64_t now_ms, struct sek_sign *out)
{
    int64_t *due_ms = &s->due_ms[sek_places_index(&s->domains, l)];
    *due_ms = INT64_MAX;
    if (!l->place.tag || l->told || l->endpoints > s->rare)
        return false;
    bool gone = is_gone(s, l, now_ms);
    if (gone || is_silent(s, l, now_ms)) {
        tell(s, l, !gone, now_ms, out);
        return true;
    }
    int64_t over_ms =
        l->absent_ms ? l->absent_ms + SEK_SHORTLIVED_GRACE_S * 1000 : l->exists_ms + s->silence_ms;
    *due_ms = over_ms > now_ms ? over_ms : now_ms + AGAIN_MS;
    s->soonest_ms = *due_ms < s->soonest_ms ? *due_ms : s->soonest_ms;
    return false;
}

bool sek_shortlived_elapse(void *self, int64_t now_ms, struct sek_sign *out)
{
    struct shortlived *s = self;
    int64_t soonest_ms = INT64_MAX;
    if (now_ms < s->soonest_ms)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        if (s->due_ms[i] <= now_ms && conclude(s, sek_places_at(&s->domains, i), now_ms, out))
            return true; /* the others are as due as before */
        soonest_ms = s->due_ms[i] < soonest_ms ? s->due_ms[i] : soonest_ms;
    }
    s->soonest_ms = soonest_ms;
    return false;
}

bool sek_shortlived_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct shortlived *s = self;
    struct life *l = note(s, o);
    return (l && conclude(s, l, o->time_ms, out)) || sek_shortlived_elapse(s, o->time_ms, out);
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_life(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct shortlived *s = self;
    struct life *l = thing;
    struct sek_name name;
    bool sound =
        sek_kept_time(l->first_ms, lapse) && sek_kept_time(l->seen_ms, lapse) &&
        sek_kept_time(l->exists_ms, lapse) && sek_kept_time(l->visit_ms, lapse) &&
        sek_kept_time(l->pause_ms, lapse) && sek_kept_time(l->absent_ms, lapse) &&
        l->n_names <= NAMES + 1 && sek_kept_flag(&l->told) && sek_spread_is_sound(&l->spread) &&
        sek_name_from_wire(l->domain, l->domain_len, &name) == SEK_OK && name.len == l->domain_len;
    for (unsigned i = 0; sound && i < NAMES; i++)
        sound = sek_kept_flag(&l->names[i].absent);
    if (!sound || !sek_places_put(&s->domains, l, lapse))
        return false;
    /* looked at by the next observation */
    l = sek_places_find(&s->domains, l->place.tag);
    s->due_ms[sek_places_index(&s->domains, l)] = lapse->to_ms;
    s->soonest_ms = lapse->to_ms < s->soonest_ms ? lapse->to_ms : s->soonest_ms;
    return true;
}

unsigned sek_shortlived_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct shortlived *s = self;
    out[0] = sek_places_kept(&s->domains, 1, take_life);
    return 1;
}
