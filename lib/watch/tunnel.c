/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/tunnel.h"
#include "base/json.h"
#include "name/text.h"
#include "watch/exclude.h"
#include "watch/inbound.h"
#include "watch/lookups.h"
#include "watch/payload.h"
#include "watch/places.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SILENT_MS (2LL * 86400000) /* after it a flow makes room */
#define GONE_MS 86400000LL         /* silence that ends a series */
#define EXAMPLE_MAX 96             /* octets of a name that is shown */
#define EXAMPLES 3
#define HOST_MAX 4     /* octets of a label like "www", with its length */
#define DATA_SHARE 0.5 /* of the questions: from it on the types speak for a tunnel */

static const char *const span_names[SEK_N_SPANS] = {"minute", "hour", "day"};

/* What an endpoint sends to one domain, or to all fresh ones together. */
struct flow {
    struct sek_place place;
    int64_t start_ms;
    uint64_t told;   /* octets at the last sign; 0: none */
    float times;     /* the thresholds, for this one */
    uint64_t n_data; /* questions of types whose answers carry data */
    uint8_t n_examples;
    uint8_t example_len[EXAMPLES];
    uint8_t example[EXAMPLES][EXAMPLE_MAX]; /* the longest names at first, wire, cut off */
    struct sek_payload payload;
    struct sek_inbound in;
};

struct tunnel {
    struct sek_places flows;
    struct sek_exclude *exclude;
    struct sek_hash_key key;
    float least[SEK_N_SPANS];
    unsigned rare;
    int64_t new_s;
};

enum sek_err sek_tunnel_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag)
{
    const struct sek_conf_names *lists[] = {&conf->tunnel.exclude, &conf->policy.never_block};
    struct tunnel *t = calloc(1, sizeof *t);
    enum sek_err err = t ? SEK_OK : SEK_E_NOMEM;
    if (!err)
        err = sek_places_init(&t->flows, conf->tunnel.n_pairs, sizeof(struct flow), SILENT_MS);
    if (err) {
        free(t);
        return sek_diag_set(diag, err, "out of memory for tunnels");
    }
    err = sek_exclude_new(lists, 2, &sek_lookup_services[0].name, sizeof sek_lookup_services[0],
                          &t->exclude, diag);
    if (err) {
        sek_diag_wrap(diag, "tunnel.exclude");
        sek_tunnel_free(t);
        return err;
    }
    t->key = key;
    t->least[SEK_SPAN_MINUTE] = (float)conf->tunnel.minute;
    t->least[SEK_SPAN_HOUR] = (float)conf->tunnel.hour;
    t->least[SEK_SPAN_DAY] = (float)conf->tunnel.day;
    t->rare = (unsigned)conf->domains.rare;
    t->new_s = conf->domains.new_s;
    *out = t;
    return SEK_OK;
}

void sek_tunnel_free(void *self)
{
    struct tunnel *t = self;
    if (!t)
        return;
    sek_exclude_free(t->exclude);
    sek_places_fini(&t->flows);
    free(t);
}

size_t sek_tunnel_octets(const void *self)
{
    const struct tunnel *t = self;
    return sizeof *t + sek_places_octets(&t->flows) + sek_exclude_octets(t->exclude);
}

/* --- flows -------------------------------------------------------------------------------------
 */

static void begin(struct flow *f, int64_t now_ms)
{
    struct sek_place place = f->place;
    memset(f, 0, sizeof *f);
    f->place = place;
    f->start_ms = now_ms;
}

static struct flow *flow_of(struct tunnel *t, const struct sek_observation *o,
                            const uint8_t *octets, size_t len)
{
    bool fresh;
    struct flow *f = sek_places_take(&t->flows, sek_observation_hash(o, t->key, octets, len),
                                     o->time_ms, &fresh);
    if (fresh)
        f->start_ms = o->time_ms; /* the rest is zero */
    else if (o->time_ms - f->place.last_ms > GONE_MS)
        begin(f, o->time_ms);
    f->place.last_ms = o->time_ms;
    return f;
}

static void keep_example(struct flow *f, const struct sek_name *name)
{
    if (f->n_examples == EXAMPLES || name->len > EXAMPLE_MAX)
        return;
    f->example_len[f->n_examples] = name->len;
    memcpy(f->example[f->n_examples++], name->octets, name->len);
}

static double share(uint64_t part, uint64_t all)
{
    return all ? (double)part / (double)all : 0;
}

static uint64_t carried(const struct flow *f)
{
    return f->payload.octets + f->in.octets;
}

/* The span whose threshold is passed by most, or -1. */
static int passed(const struct tunnel *t, const struct flow *f)
{
    int best = -1;
    float most = 1;
    for (int i = 0; i < SEK_N_SPANS; i++) {
        float part = f->payload.sum[i] / (t->least[i] * f->times);
        if (part >= most) {
            most = part;
            best = i;
        }
    }
    return best;
}

/* True if what it carries is worth a sign: the first, or twice as much as at the last one. */
static bool add(struct tunnel *t, struct flow *f, const struct sek_observation *o, uint64_t hash,
                float times, int *out_span)
{
    f->n_data += sek_inbound_is_data(o->qtype);
    bool is_new = sek_payload_add(&f->payload, o->name, o->domain_labels, hash, o->time_ms);
    float in = sek_inbound_add(&f->in, o, t->key, f->payload.n_asked, is_new);
    if (!is_new)
        return false;
    if (in > 0)
        sek_payload_more(&f->payload, o->time_ms, in);
    f->place.worth = carried(f);
    keep_example(f, o->name);
    if (f->told && carried(f) < 2 * f->told)
        return false;
    f->times = share(f->n_data, f->payload.n_asked) > DATA_SHARE ? times * SEK_TUNNEL_DATA : times;
    *out_span = passed(t, f);
    return *out_span >= 0;
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void add_examples(struct sek_buf *json, const struct flow *f)
{
    char text[SEK_NAME_TEXT_MAX];
    sek_buf_add_text(json, ",\"examples\":[");
    for (unsigned i = 0; i < f->n_examples; i++) {
        sek_buf_add_text(json, i ? "," : "");
        sek_name_to_text(f->example[i], text);
        sek_json_add_text(json, text);
    }
    sek_buf_add_text(json, "]}");
}

static void evidence(const struct tunnel *t, const struct flow *f, int span, const char *kind,
                     struct sek_sign *out)
{
    const struct sek_payload *p = &f->payload;
    struct sek_buf json;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json,
                    "{\"kind\":\"%s\",\"names\":%" PRIu64 ",\"queries\":%" PRIu64
                    ",\"octets\":%" PRIu64 ",\"octets_out\":%" PRIu64 ",\"octets_in\":%" PRIu64
                    ",\"span\":\"%s\"",
                    kind, p->n_names, p->n_asked, p->octets, sek_payload_out(p), f->in.octets,
                    span_names[span]);
    for (int i = 0; i < SEK_N_SPANS; i++) {
        sek_buf_add_fmt(&json, ",\"%s\":", span_names[i]);
        sek_json_add_real(&json, (double)p->sum[i], 0);
        sek_buf_add_fmt(&json, ",\"%s_alarm\":", span_names[i]);
        sek_json_add_real(&json, (double)(t->least[i] * f->times), 0);
    }
    sek_buf_add_text(&json, ",\"unique_share\":");
    sek_json_add_real(&json, share(p->n_names, p->n_asked), 3);
    sek_buf_add_text(&json, ",\"data_type_share\":");
    sek_json_add_real(&json, share(f->n_data, p->n_asked), 3);
    sek_buf_add_text(&json, ",\"octets_a_name\":");
    sek_json_add_real(&json, share(p->octets, p->n_names), 1);
    add_examples(&json, f);
    sek_sign_evidence(out, &json);
}

/* An order of the findings, no probability: half for the volume, more for how far it passes, for
 * types that carry answers, for names that never come again, for long ones. */
static float confidence(const struct tunnel *t, const struct flow *f, int span)
{
    const struct sek_payload *p = &f->payload;
    float c = 0.5f;
    c += p->sum[span] > 2 * t->least[span] * f->times ? 0.1f : 0;
    c += share(f->n_data, p->n_asked) > DATA_SHARE ? 0.15f : 0;
    c += share(p->n_names, p->n_asked) > 0.9 ? 0.1f : 0;
    c += share(p->octets, p->n_names) > SEK_TUNNEL_LONG ? 0.1f : 0;
    return c;
}

static void tell(const struct tunnel *t, struct flow *f, const struct sek_observation *o, int span,
                 bool rotating, struct sek_sign *out)
{
    sek_sign_begin(out, SEK_DETECTOR_TUNNEL, o, f->start_ms, !rotating);
    out->is_new = f->told == 0;
    f->told = carried(f);
    out->may_block = !rotating;
    out->finding.confidence = confidence(t, f, span);
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", SEK_TUNNEL_TECHNIQUE);
    evidence(t, f, span, rotating ? "many domains" : "one domain", out);
    snprintf(out->what, sizeof out->what,
             "carries data in DNS (%" PRIu64 " octets out, %" PRIu64 " in; %" PRIu64 " names)",
             sek_payload_out(&f->payload), f->in.octets, f->payload.n_names);
}

/* --- seeing ------------------------------------------------------------------------------------
 */

static bool is_reverse(const struct sek_name *n)
{
    static const uint8_t arpa[] = "\4arpa";
    return n->n_labels > 0 && n->len - n->offset[n->n_labels - 1] == sizeof arpa &&
           memcmp(n->octets + n->offset[n->n_labels - 1], arpa, sizeof arpa) == 0;
}

static bool see_rotating(struct tunnel *t, const struct sek_observation *o, struct sek_sign *out)
{
    float weight;
    int span;
    size_t len;
    if (!o->settled || o->age_s > t->new_s || o->endpoints > t->rare ||
        sek_payload_octets(o->name, o->domain_labels, &weight) < SEK_TUNNEL_LONG)
        return false;
    const uint8_t *domain = sek_observation_domain(o, &len);
    struct flow *f = flow_of(t, o, NULL, 0);
    if (!add(t, f, o, sek_hash(&t->key, domain, len), SEK_TUNNEL_ROTATING, &span) ||
        f->payload.n_names < SEK_TUNNEL_DOMAINS_MIN)
        return false;
    tell(t, f, o, span, true, out);
    return true;
}

/* Most questions are for "www" and its like, which carry nothing: they are no reason to remember a
 * pair, of which a large site has a hundred times more than there is room for. */
static bool is_plain(const struct sek_observation *o)
{
    return o->name->offset[o->domain_labels] <= HOST_MAX && !sek_inbound_is_data(o->qtype);
}

bool sek_tunnel_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct tunnel *t = self;
    float times = o->endpoints > t->rare ? SEK_TUNNEL_COMMON : 1;
    int span;
    size_t len;
    if (o->domain_labels == 0 || is_reverse(o->name) || sek_exclude_covers(t->exclude, o->name))
        return false;
    const uint8_t *domain = sek_observation_domain(o, &len);
    if (is_plain(o) && !sek_places_find(&t->flows, sek_observation_hash(o, t->key, domain, len)))
        return false;
    struct flow *f = flow_of(t, o, domain, len);
    if (add(t, f, o, sek_hash(&t->key, o->name->octets, o->name->len), times, &span)) {
        tell(t, f, o, span, false, out);
        return true;
    }
    return !f->told && see_rotating(t, o, out);
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool are_examples_sound(const struct flow *f)
{
    bool sound = f->n_examples <= EXAMPLES;
    struct sek_name name;
    for (unsigned i = 0; sound && i < f->n_examples; i++)
        sound = f->example_len[i] <= EXAMPLE_MAX &&
                sek_name_from_wire(f->example[i], f->example_len[i], &name) == SEK_OK;
    return sound;
}

static bool take_flow(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct tunnel *t = self;
    const struct flow *f = thing;
    return sek_kept_time(f->start_ms, lapse) && sek_kept_count(f->told) &&
           sek_kept_count(f->n_data) && sek_kept_number(f->times) && f->times >= 0 &&
           are_examples_sound(f) && sek_payload_is_sound(&f->payload, lapse) &&
           sek_kept_count(f->in.octets) && sek_kept_count(f->in.n_bindings) &&
           sek_sketch_is_sound(&f->in.sketch, SEK_INBOUND_ADDRESSES) &&
           sek_places_put(&t->flows, f, lapse);
}

unsigned sek_tunnel_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct tunnel *t = self;
    out[0] = sek_places_kept(&t->flows, 1, take_flow);
    return 1;
}
