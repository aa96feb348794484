/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/fastflux.h"
#include "base/json.h"
#include "base/sketch.h"
#include "policy/never.h"
#include "watch/exclude.h"
#include "watch/lookups.h"
#include "watch/places.h"
#include "watch/spread.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define NAMES 64      /* that a sketch knows, at least */
#define ASKED_BY 4    /* endpoints that are named */
#define LIST_MAX 12   /* systems, countries, addresses that are named */
#define AS_NETWORKS 4 /* in the reduced form so many networks stand for a system */
#define CONFIDENCE_MAX 0.95
#define REDUCED 0.6       /* of the confidence, without systems */
#define NO_COUNTRIES 0.85 /* … without countries */

struct domain {
    struct sek_place place;            /* worth: networks, so that the least spread makes room */
    int64_t start_ms;                  /* of the window */
    int64_t found_ms;                  /* start of the finding; 0: none yet */
    uint32_t n_answers, n_names, told; /* told: addresses at the last sign; 0: none */
    uint32_t ttl_min_s;
    uint64_t ttl_sum_s;
    uint32_t in_answers, mixed; /* sums of addresses and networks of each answer */
    bool told_double;
    uint8_t n_asked_by;
    struct sek_addr asked_by[ASKED_BY]; /* the first ones, in their order */
    struct sek_spread answers, servers;
    struct sek_sketch names;
    uint8_t name_bits[SEK_SKETCH_OCTETS(NAMES)];
};

struct fastflux {
    struct sek_places domains;
    struct sek_exclude *never, *own; /* own: with the services that are known */
    struct sek_hash_key key;
    double score, turnover, entropy;
    unsigned asns, countries, rare, popular;
    int64_t ttl_s, window_ms, new_s;
};

enum sek_err sek_fastflux_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                              struct sek_diag *diag)
{
    const struct sek_conf_names *zones = &conf->policy.never_block, *own = &conf->fastflux.exclude;
    struct fastflux *f = calloc(1, sizeof *f);
    if (!f || sek_places_init(&f->domains, conf->fastflux.n_domains, sizeof(struct domain),
                              conf->fastflux.window_s * 1000) != SEK_OK) {
        free(f);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for fast flux");
    }
    enum sek_err err = sek_exclude_new(&zones, 1, &sek_never_shipped[0].name,
                                       sizeof sek_never_shipped[0], &f->never, diag);
    if (err == SEK_OK)
        err = sek_exclude_new(&own, 1, &sek_lookup_services[0].name, sizeof sek_lookup_services[0],
                              &f->own, diag);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "fastflux.exclude");
        sek_fastflux_free(f);
        return err;
    }
    f->key = key;
    f->score = conf->fastflux.score;
    f->turnover = conf->fastflux.turnover;
    f->entropy = conf->fastflux.entropy;
    f->asns = (unsigned)conf->fastflux.asns;
    f->countries = (unsigned)conf->fastflux.countries;
    f->rare = (unsigned)conf->domains.rare;
    f->popular = (unsigned)conf->fastflux.popular;
    f->ttl_s = conf->fastflux.ttl_s;
    f->window_ms = conf->fastflux.window_s * 1000;
    f->new_s = conf->fastflux.new_s;
    *out = f;
    return SEK_OK;
}

void sek_fastflux_free(void *self)
{
    struct fastflux *f = self;
    if (!f)
        return;
    sek_exclude_free(f->never);
    sek_exclude_free(f->own);
    sek_places_fini(&f->domains);
    free(f);
}

size_t sek_fastflux_octets(const void *self)
{
    const struct fastflux *f = self;
    return sizeof *f + sek_places_octets(&f->domains) + sek_exclude_octets(f->never) +
           sek_exclude_octets(f->own);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static bool is_of_interest(const struct fastflux *f, const struct sek_observation *o)
{
    bool fresh = !o->cached && o->n_addrs + o->n_ns_addrs > 0;
    return fresh && o->settled &&
           (o->endpoints <= f->rare || (o->age_s <= f->new_s && o->endpoints <= f->popular)) &&
           !sek_exclude_covers(f->never, o->name) && !sek_exclude_covers(f->own, o->name);
}

/* A new window; what is told goes on. */
static void begin(struct domain *d, int64_t now_ms)
{
    struct sek_place place = d->place;
    int64_t found_ms = d->found_ms;
    bool told_double = d->told_double;
    memset(d, 0, sizeof *d);
    d->place = place;
    d->start_ms = now_ms;
    d->found_ms = found_ms;
    d->told_double = told_double;
    d->ttl_min_s = UINT32_MAX;
}

static void note_endpoint(struct domain *d, const struct sek_addr *endpoint)
{
    for (unsigned i = 0; i < d->n_asked_by; i++)
        if (sek_addr_equal(&d->asked_by[i], endpoint))
            return;
    if (d->n_asked_by < ASKED_BY)
        d->asked_by[d->n_asked_by++] = *endpoint;
}

/* Networks among an answer's addresses. */
static unsigned networks_of(const struct sek_addr *a, unsigned n)
{
    unsigned distinct = 0;
    for (unsigned i = 0; i < n; i++) {
        bool before = false;
        for (unsigned k = 0; k < i && !before; k++)
            before = sek_spread_network(&a[k]) == sek_spread_network(&a[i]);
        distinct += !before;
    }
    return distinct;
}

static void note_answer(struct fastflux *f, struct domain *d, const struct sek_observation *o)
{
    for (unsigned i = 0; i < o->n_addrs; i++)
        sek_spread_add(&d->answers, &o->addrs[i], (uint16_t)d->n_answers, o->geo);
    for (unsigned i = 0; i < o->n_ns_addrs; i++)
        sek_spread_add(&d->servers, &o->addrs[o->n_addrs + i], (uint16_t)d->n_answers, o->geo);
    if (o->n_addrs == 0)
        return;
    uint64_t name = sek_hash(&f->key, o->name->octets, o->name->len);
    d->n_names += !sek_sketch_knows(&d->names, d->name_bits, NAMES, name, true);
    d->n_answers++;
    d->ttl_sum_s += o->ttl_s;
    d->ttl_min_s = o->ttl_s < d->ttl_min_s ? o->ttl_s : d->ttl_min_s;
    d->in_answers += o->n_addrs;
    d->mixed += networks_of(o->addrs, o->n_addrs);
}

/* --- judgement ---------------------------------------------------------------------------------
 */

struct judgement {
    struct sek_spread_sum sum;
    bool by_asn, by_country; /* known of at least half of the addresses; else the reduced form */
    double systems, entropy, score, turnover;
    bool flux;
};

static void judge(const struct fastflux *f, const struct sek_spread *s, struct judgement *out)
{
    sek_spread_sum(s, &out->sum);
    const struct sek_spread_sum *sum = &out->sum;
    out->by_asn = sum->with_asn > 0 && 2 * sum->with_asn >= sum->addresses;
    out->by_country = sum->with_country > 0 && 2 * sum->with_country >= sum->addresses;
    out->systems = out->by_asn ? sum->asns : (double)sum->networks / AS_NETWORKS;
    out->entropy = out->by_asn ? sum->asn_entropy : sum->network_entropy - log2(AS_NETWORKS);
    out->score = SEK_FASTFLUX_PER_ADDRESS * sum->addresses + SEK_FASTFLUX_PER_ASN * out->systems;
    out->turnover = out->by_asn ? sum->turnover : sum->turnover_of_all;
    out->flux = sum->addresses > SEK_SPREAD_FIRST && out->score > f->score &&
                out->systems >= f->asns && out->entropy >= f->entropy &&
                (!out->by_country || sum->countries >= f->countries) &&
                out->turnover >= f->turnover;
}

static double ttl_of(const struct domain *d)
{
    return d->n_answers ? (double)d->ttl_sum_s / d->n_answers : 0;
}

static double mixed_of(const struct domain *d)
{
    return d->in_answers ? (double)d->mixed / d->in_answers : 0;
}

/* Do the answers change fast, and as a whole? */
static bool is_served_so(const struct fastflux *f, const struct domain *d,
                         const struct judgement *answers)
{
    return d->n_answers >= SEK_FASTFLUX_ANSWERS_MIN && ttl_of(d) <= (double)f->ttl_s &&
           d->answers.n >= SEK_FASTFLUX_PER_NAME_MIN * d->n_names &&
           (answers->by_asn ||
            (mixed_of(d) >= SEK_FASTFLUX_MIXED_MIN &&
             answers->sum.networks >= SEK_FASTFLUX_MIXED_MIN * answers->sum.addresses));
}

/* --- what it says ------------------------------------------------------------------------------
 */

/* Of the judgement that the finding rests on. */
static double confidence(const struct judgement *j, bool both)
{
    double sure = CONFIDENCE_MAX * j->systems / (j->systems + 2) * (0.5 + j->turnover / 2);
    if (both)
        sure += (CONFIDENCE_MAX - sure) / 2;
    return sure * (j->by_asn ? 1 : REDUCED) * (j->by_country ? 1 : NO_COUNTRIES);
}

static void add_real(struct sek_buf *json, const char *key, double value, int decimals)
{
    sek_buf_add_fmt(json, ",\"%s\":", key);
    sek_json_add_real(json, value, decimals);
}

static void add_addrs(struct sek_buf *json, const char *key, const struct sek_addr *a,
                      size_t stride, unsigned n)
{
    char text[SEK_ADDR_TEXT_MAX];
    sek_buf_add_fmt(json, ",\"%s\":[", key);
    for (unsigned i = 0; i < n && i < LIST_MAX; i++) {
        const void *at = (const uint8_t *)a + i * stride;
        sek_buf_add_fmt(json, "%s\"%s\"", i ? "," : "", sek_addr_to_text(at, text));
    }
    sek_buf_add_text(json, "]");
}

/* "AS64496 Name", each once. */
static void add_systems(struct sek_buf *json, const struct sek_spread *s, const struct sek_geo *geo)
{
    struct sek_geo_facts facts;
    char text[16 + SEK_GEO_NAME_MAX];
    unsigned said = 0;
    sek_buf_add_text(json, ",\"asn_list\":[");
    for (unsigned i = 0; i < s->n && said < LIST_MAX; i++) {
        bool before = s->at[i].asn == 0;
        for (unsigned k = 0; k < i && !before; k++)
            before = s->at[k].asn == s->at[i].asn;
        if (before)
            continue;
        sek_geo_find(geo, &s->at[i].addr, &facts);
        snprintf(text, sizeof text, "AS%" PRIu32 "%s%s", s->at[i].asn, *facts.network ? " " : "",
                 facts.network);
        sek_buf_add_text(json, said++ ? "," : "");
        sek_json_add_text(json, text);
    }
    sek_buf_add_text(json, "]");
}

static void add_countries(struct sek_buf *json, const struct sek_spread *s)
{
    unsigned said = 0;
    sek_buf_add_text(json, ",\"country_list\":[");
    for (unsigned i = 0; i < s->n; i++) {
        bool before = !s->at[i].country[0];
        for (unsigned k = 0; k < i && !before; k++)
            before = memcmp(s->at[k].country, s->at[i].country, 2) == 0;
        if (!before)
            sek_buf_add_fmt(json, "%s\"%.2s\"", said++ ? "," : "", s->at[i].country);
    }
    sek_buf_add_text(json, "]");
}

static const char *basis_of(const struct judgement *j)
{
    if (j->by_asn)
        return j->by_country ? "networks and countries" : "networks; countries are not known";
    return j->by_country ? "reduced: address ranges and countries; networks are not known"
                         : "reduced: address ranges; networks and countries are not known";
}

static void add_numbers(struct sek_buf *json, const struct fastflux *f, const struct judgement *j)
{
    const struct sek_spread_sum *sum = &j->sum;
    sek_spread_sum_add(json, sum);
    sek_buf_add_fmt(json, ",\"asns_min\":%u,\"countries_min\":%u", f->asns, f->countries);
    add_real(json, "score", j->score, 1);
    add_real(json, "alarm", f->score, 1);
    add_real(json, "entropy", j->entropy, 2);
    add_real(json, "entropy_min", f->entropy, 2);
    add_real(json, "turnover", j->turnover, 2);
    add_real(json, "turnover_min", f->turnover, 2);
}

static void evidence(const struct fastflux *f, const struct domain *d, const char *kind,
                     const struct judgement *j, const struct judgement *servers,
                     const struct sek_observation *o, struct sek_sign *out)
{
    const struct sek_spread *s = j == servers ? &d->servers : &d->answers;
    struct sek_buf json;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"%s\",\"basis\":\"%s\"", kind, basis_of(j));
    add_numbers(&json, f, j);
    sek_buf_add_fmt(&json, ",\"names\":%u,\"answers\":%u", d->n_names, d->n_answers);
    add_real(&json, "ttl_s", ttl_of(d), 0);
    sek_buf_add_fmt(&json, ",\"ttl_min_s\":%u,\"ttl_max_s\":%" PRId64,
                    d->n_answers ? d->ttl_min_s : 0, f->ttl_s);
    sek_buf_add_fmt(&json, ",\"server_addresses\":%u,\"server_asns\":%u,\"server_networks\":%u",
                    servers->sum.addresses, servers->sum.asns, servers->sum.networks);
    sek_buf_add_fmt(&json, ",\"domain_age_s\":%" PRId64 ",\"endpoints\":%u",
                    o->age_s == SEK_AGE_OLD ? -1 : o->age_s, o->endpoints);
    add_systems(&json, s, o->geo);
    add_countries(&json, s);
    add_addrs(&json, "address_list", &s->at[0].addr, sizeof s->at[0], s->n);
    add_addrs(&json, "asked_by", d->asked_by, sizeof d->asked_by[0], d->n_asked_by);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
}

static void tell(const struct fastflux *f, struct domain *d, const struct judgement *answers,
                 const struct judgement *servers, const struct sek_observation *o,
                 struct sek_sign *out)
{
    bool both = answers->flux && servers->flux;
    const struct judgement *j = answers->flux ? answers : servers;
    const char *kind = both ? "double flux" : answers->flux ? "flux" : "flux of name servers";
    bool is_new = d->found_ms == 0;
    if (is_new)
        d->found_ms = d->start_ms;
    d->told = j->sum.addresses;
    d->told_double = both;
    sek_sign_begin(out, SEK_DETECTOR_FASTFLUX, o, d->found_ms, true);
    out->finding.endpoint = d->asked_by[0];
    out->is_new = is_new;
    out->may_block = j->by_asn;
    out->finding.confidence = (float)confidence(j, both);
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", SEK_FASTFLUX_TECHNIQUE);
    evidence(f, d, kind, j, servers, o, out);
    snprintf(out->what, sizeof out->what, "asks for a domain with ever new addresses (%u in %u %s)",
             j->sum.addresses, j->by_asn ? j->sum.asns : j->sum.networks,
             j->by_asn ? "networks" : "address ranges");
}

bool sek_fastflux_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct fastflux *f = self;
    struct judgement answers, servers;
    bool fresh;
    size_t len;
    if (!is_of_interest(f, o))
        return false;
    const uint8_t *octets = sek_observation_domain(o, &len);
    struct domain *d =
        sek_places_take(&f->domains, sek_hash(&f->key, octets, len), o->time_ms, &fresh);
    if (fresh || o->time_ms - d->start_ms > f->window_ms)
        begin(d, o->time_ms);
    d->place.last_ms = o->time_ms;
    note_endpoint(d, &o->endpoint);
    note_answer(f, d, o);
    judge(f, &d->answers, &answers);
    judge(f, &d->servers, &servers);
    d->place.worth = answers.sum.networks + servers.sum.networks;
    answers.flux = answers.flux && is_served_so(f, d, &answers);
    if (!answers.flux && !servers.flux)
        return false;
    unsigned n = answers.flux ? answers.sum.addresses : servers.sum.addresses;
    if (d->told && n < 2 * d->told && (d->told_double || !answers.flux || !servers.flux))
        return false;
    tell(f, d, &answers, &servers, o, out);
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_domain(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct fastflux *f = self;
    const struct domain *d = thing;
    return sek_kept_time(d->start_ms, lapse) && sek_kept_time(d->found_ms, lapse) &&
           sek_kept_flag(&d->told_double) && d->n_asked_by <= ASKED_BY &&
           sek_spread_is_sound(&d->answers) && sek_spread_is_sound(&d->servers) &&
           sek_sketch_is_sound(&d->names, NAMES) && sek_places_put(&f->domains, d, lapse);
}

unsigned sek_fastflux_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct fastflux *f = self;
    out[0] = sek_places_kept(&f->domains, 1, take_domain);
    return 1;
}
