/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/nxburst.h"
#include "base/json.h"
#include "name/special.h"
#include "name/text.h"
#include "watch/places.h"
#include "base/sketch.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SILENT_MS 86400000LL /* after it an endpoint makes room */
#define NAMES 64             /* that a sketch knows, at least */
#define EXAMPLES_OCTETS 208
#define EXAMPLES_MAX 8
#define OVER 0.25f   /* of the alarm's score: below it an episode is over */
#define CEILING 3.0f /* of the alarm's score: so that an episode ends in a few fades */
#define CONFIDENCE_MAX 0.9

struct endpoint {
    struct sek_place place;
    int64_t start_ms;
    float score;
    uint32_t n_absent, n_present, told; /* distinct domains since the start */
    bool open;
    uint8_t n_examples, examples_len;
    struct sek_sketch absent, present;
    uint8_t absent_bits[SEK_SKETCH_OCTETS(NAMES)], present_bits[SEK_SKETCH_OCTETS(NAMES)];
    uint8_t examples[EXAMPLES_OCTETS]; /* wire names, one behind the other */
};

struct nxburst {
    struct sek_places endpoints;
    struct sek_hash_key key;
    unsigned names;
    double fade_ms;
    float alarm, absent, present; /* what a domain adds to the score */
};

enum sek_err sek_nxburst_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                             struct sek_diag *diag)
{
    struct nxburst *b = calloc(1, sizeof *b);
    if (!b || sek_places_init(&b->endpoints, conf->nxburst.n_endpoints, sizeof(struct endpoint),
                              SILENT_MS) != SEK_OK) {
        free(b);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for bursts of NXDOMAIN");
    }
    b->key = key;
    b->names = (unsigned)conf->nxburst.names;
    b->fade_ms = (double)conf->nxburst.fade_s * 1000;
    b->alarm = -logf(SEK_NXBURST_ALPHA);
    b->absent = logf(SEK_NXBURST_P1 / SEK_NXBURST_P0);
    b->present = logf((1 - SEK_NXBURST_P1) / (1 - SEK_NXBURST_P0));
    *out = b;
    return SEK_OK;
}

void sek_nxburst_free(void *self)
{
    struct nxburst *b = self;
    if (!b)
        return;
    sek_places_fini(&b->endpoints);
    free(b);
}

size_t sek_nxburst_octets(const void *self)
{
    const struct nxburst *b = self;
    return sizeof *b + sek_places_octets(&b->endpoints);
}

/* --- what counts -------------------------------------------------------------------------------
 */

static bool counts(const struct sek_observation *o)
{
    static const uint8_t www[] = "\3www", arpa[] = "\4arpa";
    const struct sek_name *n = o->name;
    if (o->repeat || o->existence == SEK_EXISTENCE_UNKNOWN || n->n_labels < 2)
        return false;
    unsigned last = n->offset[n->n_labels - 1];
    if ((n->len - last == sizeof arpa && memcmp(n->octets + last, arpa, sizeof arpa) == 0) ||
        sek_name_is_special(n))
        return false;
    return o->existence == SEK_EXISTENCE_EXISTS || o->domain_labels == 0 ||
           (o->domain_labels == 1 && memcmp(n->octets, www, sizeof www - 1) == 0);
}

static void begin(struct endpoint *p, int64_t now_ms)
{
    p->start_ms = now_ms;
    p->score = 0;
    p->n_absent = p->n_present = p->told = 0;
    p->n_examples = p->examples_len = 0;
    p->open = false;
}

static void age(const struct nxburst *b, struct endpoint *p, int64_t now_ms)
{
    int64_t passed_ms = now_ms - p->place.last_ms;
    if (passed_ms > 0)
        p->score *= (float)exp(-(double)passed_ms / b->fade_ms);
    p->place.last_ms = now_ms;
    if (p->score < (p->open ? OVER * b->alarm : 0.05f))
        begin(p, now_ms);
}

static void keep_example(struct endpoint *p, const uint8_t *domain, size_t len)
{
    if (p->n_examples == EXAMPLES_MAX || len > (size_t)(EXAMPLES_OCTETS - p->examples_len))
        return;
    memcpy(p->examples + p->examples_len, domain, len);
    p->examples_len = (uint8_t)(p->examples_len + len);
    p->n_examples++;
}

/* True if it is a new one that does not exist. */
static bool weigh(struct nxburst *b, struct endpoint *p, const struct sek_observation *o)
{
    size_t len;
    const uint8_t *domain = sek_observation_domain(o, &len);
    uint64_t hash = sek_hash(&b->key, domain, len);
    bool absent = o->existence == SEK_EXISTENCE_ABSENT;
    if (absent && sek_sketch_knows(&p->present, p->present_bits, NAMES, hash, false))
        return false; /* it exists: this answer was about something else */
    if (sek_sketch_knows(absent ? &p->absent : &p->present,
                         absent ? p->absent_bits : p->present_bits, NAMES, hash, true))
        return false;
    p->score += absent ? b->absent : b->present;
    p->score = fmaxf(0, fminf(p->score, CEILING * b->alarm));
    p->n_absent += absent;
    p->n_present += !absent;
    p->place.worth = (uint64_t)p->score;
    if (absent)
        keep_example(p, domain, len);
    return absent;
}

/* --- what it says ------------------------------------------------------------------------------
 */

static double ratio(const struct endpoint *p)
{
    return (double)p->n_absent / (double)(p->n_absent + p->n_present);
}

static void evidence(const struct nxburst *b, const struct endpoint *p, struct sek_sign *out)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_buf json;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"absent domains\",\"names\":%u,\"nxdomains\":%u",
                    p->n_absent + p->n_present, p->n_absent);
    sek_buf_add_fmt(&json, ",\"nxdomains_min\":%u,\"ratio\":", b->names);
    sek_json_add_real(&json, ratio(p), 3);
    sek_buf_add_text(&json, ",\"ratio_min\":");
    sek_json_add_real(&json, SEK_NXBURST_RATIO_MIN, 1);
    sek_buf_add_text(&json, ",\"score\":");
    sek_json_add_real(&json, (double)p->score, 1);
    sek_buf_add_text(&json, ",\"alarm\":");
    sek_json_add_real(&json, (double)b->alarm, 1);
    sek_buf_add_text(&json, ",\"examples\":[");
    const uint8_t *at = p->examples;
    for (unsigned i = 0; i < p->n_examples; i++) {
        sek_buf_add_text(&json, i ? "," : "");
        sek_name_to_text(at, text);
        sek_json_add_text(&json, text);
        at += sek_name_wire_len(at);
    }
    sek_buf_add_text(&json, "]}");
    sek_sign_evidence(out, &json);
}

static void tell(const struct nxburst *b, struct endpoint *p, const struct sek_observation *o,
                 struct sek_sign *out)
{
    sek_sign_begin(out, SEK_DETECTOR_NXBURST, o, p->start_ms, false);
    out->is_new = !p->open;
    p->open = true;
    p->told = p->n_absent;
    /* an order of the findings, no probability */
    out->finding.confidence =
        (float)fmin(CONFIDENCE_MAX, ratio(p) * p->n_absent / (p->n_absent + 5.0));
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", SEK_NXBURST_TECHNIQUE);
    evidence(b, p, out);
    snprintf(out->what, sizeof out->what, "asks for domains that do not exist (%u so far)",
             p->n_absent);
}

bool sek_nxburst_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct nxburst *b = self;
    bool fresh;
    if (!counts(o))
        return false;
    uint64_t tag = sek_observation_hash(o, b->key, NULL, 0);
    /* what exists is no reason to remember an endpoint */
    if (o->existence == SEK_EXISTENCE_EXISTS && !sek_places_find(&b->endpoints, tag))
        return false;
    struct endpoint *p = sek_places_take(&b->endpoints, tag, o->time_ms, &fresh);
    if (fresh)
        begin(p, o->time_ms);
    age(b, p, o->time_ms);
    if (!weigh(b, p, o) || p->n_absent < b->names || p->score <= b->alarm ||
        ratio(p) < SEK_NXBURST_RATIO_MIN || (p->open && p->n_absent < 2 * p->told))
        return false;
    if (!p->open && sek_detectors_in_episode(o->others, SEK_DETECTOR_DGA, &o->endpoint))
        return false;
    tell(b, p, o, out);
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool are_examples_sound(const struct endpoint *p)
{
    unsigned at = 0;
    struct sek_name name;
    bool sound = p->n_examples <= EXAMPLES_MAX && p->examples_len <= EXAMPLES_OCTETS;
    for (unsigned i = 0; sound && i < p->n_examples; i++) {
        sound = sek_name_from_wire(p->examples + at, p->examples_len - at, &name) == SEK_OK;
        at += sound ? name.len : 0;
    }
    return sound && at == p->examples_len;
}

static bool take_endpoint(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct nxburst *b = self;
    const struct endpoint *p = thing;
    return sek_kept_time(p->start_ms, lapse) && sek_kept_number(p->score) && p->score >= 0 &&
           sek_kept_flag(&p->open) && are_examples_sound(p) &&
           sek_sketch_is_sound(&p->absent, NAMES) && sek_sketch_is_sound(&p->present, NAMES) &&
           sek_places_put(&b->endpoints, p, lapse);
}

unsigned sek_nxburst_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct nxburst *b = self;
    out[0] = sek_places_kept(&b->endpoints, 1, take_endpoint);
    return 1;
}
