/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/evidence.h"
#include "base/sketch.h"
#include "classify/reuse.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WAYS 8               /* endpoints of one hash value */
#define SEEN_NAMES 64        /* what passes for known by mistake makes alarms later only */
#define EXAMPLES_OCTETS 208  /* eight names of 26 octets, of usual length fewer */
#define REARM 0.25f          /* of the alarm's score: below it an episode is over */
#define CEILING 3.0f         /* of the alarm's score: so that an episode ends in 2.5 τ */
#define SILENCE 4            /* τ: after it an endpoint starts anew */
#define NOTHING_LEFT 0.05f   /* a score that counts as none */
#define KIN_WEIGHT 0.25f     /* names with a shared part are one piece of evidence told again */
#define PRIOR -9.21f         /* log of the odds 1:10,000 */
#define CONFIDENCE_MAX 0.99f /* ratios are models, too */
#define LIKE_OTHERS 1.0f     /* a resolved name's bonus for the suffix of those that do not exist */
#define KIN_OF_OTHERS 2.0f   /* and for a part that it shares with them */
#define TELL_MS 10000        /* between two tellings of an episode that grows slowly */

/* Registered domains that were seen: the latest 64, and up to 128. */
struct seen {
    struct sek_sketch sketch;
    uint8_t bits[SEK_SKETCH_OCTETS(SEEN_NAMES)];
};

struct endpoint {
    struct sek_addr addr;
    int64_t last_ms, start_ms, end_ms, told_ms;
    float names; /* S of the names one by one */
    uint32_t n_names, n_nxdomains, told, episode;
    bool used, open;
    uint8_t n_examples, examples_len;
    float resolved_llr; /* the classifier's */
    int64_t resolved_ms;
    struct sek_reuse_unit resolved_unit;
    struct sek_dga_name resolved;
    struct seen absent, present;
    struct sek_reuse reuse;
    uint8_t examples[EXAMPLES_OCTETS]; /* wire names, one behind the other */
};
_Static_assert(sizeof(struct endpoint) <= 1024, "an endpoint has 1 KiB");

struct sek_evidence {
    struct endpoint *endpoints;
    uint32_t n_sets;
    float alarm;
    double tau_ms;
    struct sek_hash_key key;
    struct sek_site site;
    uint64_t evicted;
};

enum sek_err sek_evidence_new(const struct sek_evidence_conf *conf, struct sek_hash_key key,
                              struct sek_evidence **out, struct sek_diag *diag)
{
    struct sek_evidence *e;

    if (conf->n_endpoints < WAYS || conf->n_endpoints > 1u << 20)
        return sek_diag_set(diag, SEK_E_INVALID, "endpoints: %u is not within 8 to 1048576",
                            conf->n_endpoints);
    if (!(conf->alpha >= 1e-12f && conf->alpha <= 1e-2f))
        return sek_diag_set(diag, SEK_E_INVALID, "alpha: %g is not within 1e-12 to 0.01",
                            (double)conf->alpha);
    if (conf->tau_s < 60 || conf->tau_s > 604800)
        return sek_diag_set(diag, SEK_E_INVALID, "tau: %u s is not within 60 to 604800",
                            conf->tau_s);
    e = calloc(1, sizeof(*e));
    if (!e)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for evidence");
    e->n_sets = conf->n_endpoints / WAYS;
    e->endpoints = calloc((size_t)e->n_sets * WAYS, sizeof(*e->endpoints));
    if (!e->endpoints) {
        free(e);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for %u endpoints", conf->n_endpoints);
    }
    e->alarm = -logf(conf->alpha);
    e->tau_ms = conf->tau_s * 1000.0;
    e->key = key;
    *out = e;
    return SEK_OK;
}

void sek_evidence_free(struct sek_evidence *e)
{
    if (!e)
        return;
    free(e->endpoints);
    free(e);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool was_seen(struct seen *s, uint64_t hash, bool remember)
{
    return sek_sketch_knows(&s->sketch, s->bits, SEEN_NAMES, hash, remember);
}

static uint16_t part_of(const struct sek_evidence *e, const uint8_t *octets)
{
    return (uint16_t)sek_hash(&e->key, octets, SEK_REUSE_PART) | 1;
}

/* The registered domain: the wire name from the judged label on. */
struct domain {
    const uint8_t *octets;
    uint8_t len;
    uint64_t hash;
    struct sek_reuse_unit unit;
};

static struct domain domain_of(const struct sek_evidence *e, const struct sek_evidence_item *item)
{
    const uint8_t *label = item->name->octets + item->name->offset[item->score.label];
    struct domain d = {label,
                       (uint8_t)(item->name->len - item->name->offset[item->score.label]),
                       0,
                       {{0, 0}, 0, label[0], 0}};
    const uint8_t *suffix = label + 1 + label[0];

    d.hash = sek_hash(&e->key, d.octets, d.len);
    d.unit.suffix = (uint8_t)(sek_hash(&e->key, suffix, d.len - 1u - label[0]) % SEK_SITE_SUFFIXES);
    for (unsigned i = 1; i <= label[0]; i++)
        d.unit.letters |= 1u << (label[i] >= 'a' && label[i] <= 'z'   ? label[i] - 'a'
                                 : label[i] >= '0' && label[i] <= '9' ? 26 + label[i] % 4
                                                                      : 30);
    if (label[0] >= 2 * SEK_REUSE_PART) {
        d.unit.part[0] = part_of(e, label + 1);
        d.unit.part[1] = part_of(e, label + 1 + label[0] - SEK_REUSE_PART);
    }
    return d;
}

static bool is_relevant(const struct sek_evidence_item *item)
{
    static const uint8_t arpa[] = "\4arpa", www[] = "\3www";
    const struct sek_name *n = item->name;
    unsigned last;

    if (item->score.length < SEK_CLASSIFY_UNIT_MIN || item->score.label >= n->n_labels)
        return false;
    last = n->offset[n->n_labels - 1];
    if (n->len - last == sizeof(arpa) && memcmp(n->octets + last, arpa, sizeof(arpa)) == 0)
        return false;
    return !item->nxdomain || item->score.label == 0 ||
           (item->score.label == 1 && memcmp(n->octets, www, sizeof(www) - 1) == 0);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static float total(const struct endpoint *p)
{
    return p->names + sek_reuse_words(&p->reuse) + sek_reuse_shape(&p->reuse);
}

static double faded(const struct sek_evidence *e, const struct endpoint *p, int64_t now_ms)
{
    return now_ms > p->last_ms ? exp(-((double)now_ms - (double)p->last_ms) / e->tau_ms) : 1;
}

static struct endpoint *set_of(const struct sek_evidence *e, const struct sek_addr *addr)
{
    uint64_t hash = sek_hash(&e->key, addr->octets, sizeof(addr->octets));

    return e->endpoints + (hash % e->n_sets) * WAYS;
}

static struct endpoint *find(const struct sek_evidence *e, const struct sek_addr *addr)
{
    struct endpoint *set = set_of(e, addr);

    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].used && sek_addr_equal(&set[i].addr, addr))
            return set + i;
    return NULL;
}

/* A free place, or that of the least suspicious; of equals the one silent longest. A flood of
 * new endpoints so pushes out each other, not the one that is nearly found. */
static struct endpoint *make_room(struct sek_evidence *e, const struct sek_evidence_item *item)
{
    struct endpoint *set = set_of(e, &item->endpoint), *worst = NULL;
    double least = 0;

    for (unsigned i = 0; i < WAYS && (!worst || worst->used); i++) {
        double s = set[i].used ? total(&set[i]) * faded(e, &set[i], item->time_ms) : -1;

        if (!worst || s < least || (s == least && set[i].last_ms < worst->last_ms)) {
            worst = set + i;
            least = s;
        }
    }
    e->evicted += worst->used;
    memset(worst, 0, sizeof(*worst));
    worst->addr = item->endpoint;
    worst->used = true;
    worst->last_ms = item->time_ms;
    return worst;
}

/* A resolved name outlives a score of 0: a generator of words is noticed only after some names. */
static void begin(const struct sek_evidence *e, struct endpoint *p, int64_t now_ms)
{
    if (now_ms < p->resolved_ms || (double)now_ms - (double)p->resolved_ms > e->tau_ms)
        p->resolved.len = 0;
    p->start_ms = p->end_ms = now_ms;
    p->n_names = p->n_nxdomains = p->told = 0;
    p->n_examples = p->examples_len = 0;
    p->names = 0;
}

/* Let time pass: evidence fades, an episode ends, a silent endpoint starts anew. */
static void age(const struct sek_evidence *e, struct endpoint *p, int64_t now_ms)
{
    double factor = faded(e, p, now_ms);
    bool silent = factor < exp(-SILENCE);

    p->names *= (float)factor;
    sek_reuse_decay(&p->reuse, (float)factor);
    if (silent)
        memset(&p->reuse, 0, sizeof(p->reuse));
    float s = total(p);
    if (p->open && s < REARM * e->alarm) {
        p->open = false;
        memset(&p->reuse, 0, sizeof(p->reuse));
        begin(e, p, now_ms);
    } else if (silent || s < NOTHING_LEFT)
        begin(e, p, now_ms);
    p->last_ms = now_ms;
}

/* --- evidence --------------------------------------------------------------------------------- */

static float worth(const struct sek_evidence_item *item)
{
    float mix = item->nxdomain ? SEK_EVIDENCE_MIX_NXDOMAIN : SEK_EVIDENCE_MIX_NOERROR;
    float weight = item->nxdomain ? SEK_EVIDENCE_WEIGHT_NXDOMAIN : SEK_EVIDENCE_WEIGHT_NOERROR;

    return weight * logf(1 - mix + mix * expf(fminf(item->score.llr, SEK_EVIDENCE_CLIP)));
}

static void keep_example(struct endpoint *p, const struct domain *d)
{
    if (p->n_examples == SEK_DGA_EXAMPLES || d->len > SEK_DGA_NAME_MAX ||
        d->len > EXAMPLES_OCTETS - p->examples_len)
        return;
    memcpy(p->examples + p->examples_len, d->octets, d->len);
    p->examples_len = (uint8_t)(p->examples_len + d->len);
    p->n_examples++;
}

static void add_absent(struct sek_evidence *e, struct endpoint *p,
                       const struct sek_evidence_item *item, const struct domain *d)
{
    float add = worth(item), before = total(p);

    if (add > 0 && sek_reuse_is_kin(&p->reuse, &d->unit))
        add *= KIN_WEIGHT;
    p->names = fmaxf(0, fminf(CEILING * e->alarm, p->names + add));
    sek_reuse_add(&p->reuse, &e->site, &d->unit);
    p->n_nxdomains++;
    p->n_names++;
    if (total(p) > before) {
        p->end_ms = item->time_ms;
        keep_example(p, d);
    }
}

/* How much a resolved name looks like the endpoint's that do not exist. */
static float likeness(const struct sek_reuse *r, const struct sek_reuse_unit *u, float llr)
{
    unsigned alike = 0;

    for (unsigned i = 0; i < r->n; i++)
        alike += r->suffix[i] == u->suffix;
    return llr + (alike * 2 > r->n ? LIKE_OTHERS : 0) +
           (sek_reuse_is_kin(r, u) ? KIN_OF_OTHERS : 0);
}

/* True if the name is the likeliest one so far. */
static bool add_present(struct sek_evidence *e, struct endpoint *p,
                        const struct sek_evidence_item *item, const struct domain *d)
{
    float add = worth(item), llr = likeness(&p->reuse, &d->unit, item->score.llr);

    p->names = fmaxf(0, fminf(CEILING * e->alarm, p->names + add));
    if (add > 0) {
        p->n_names++;
        p->end_ms = item->time_ms;
    }
    if (d->len > SEK_DGA_NAME_MAX ||
        (p->resolved.len > 0 && llr <= likeness(&p->reuse, &p->resolved_unit, p->resolved_llr)))
        return false;
    p->resolved.len = d->len;
    memcpy(p->resolved.octets, d->octets, d->len);
    p->resolved_llr = item->score.llr;
    p->resolved_ms = item->time_ms;
    p->resolved_unit = d->unit;
    return llr > 0;
}

static void report(const struct sek_evidence *e, const struct endpoint *p, struct sek_dga *out)
{
    const uint8_t *at = p->examples;

    *out = (struct sek_dga){.endpoint = p->addr,
                            .start_ms = p->start_ms,
                            .end_ms = p->end_ms,
                            .episode = p->episode,
                            .n_names = p->n_names,
                            .n_nxdomains = p->n_nxdomains,
                            .score = total(p),
                            .alarm = e->alarm,
                            .names = p->names,
                            .words = sek_reuse_words(&p->reuse),
                            .shape = sek_reuse_shape(&p->reuse),
                            .n_examples = p->n_examples};
    float like = likeness(&p->reuse, &p->resolved_unit, p->resolved_llr);

    if (p->resolved.len > 0 && like > 0) {
        out->resolved = p->resolved;
        out->resolved_llr = like;
    }
    out->confidence = fminf(CONFIDENCE_MAX, 1 / (1 + expf(-(out->score + PRIOR))));
    for (unsigned i = 0; i < p->n_examples; i++) {
        out->examples[i].len = (uint8_t)sek_name_wire_len(at);
        memcpy(out->examples[i].octets, at, out->examples[i].len);
        at += out->examples[i].len;
    }
}

/* The site's picture is of names that exist, whoever asks. */
static bool is_worth_a_place(struct sek_evidence *e, const struct sek_evidence_item *item,
                             const struct domain *d)
{
    if (!item->nxdomain && item->score.llr <= 0)
        sek_site_learn(&e->site, &d->unit);
    return item->nxdomain || item->score.llr > 0;
}

/* Is an episode that was told to be told again? A burst of names when they double, a trickle of
 * them every ten seconds. */
static bool is_news(const struct endpoint *p, bool likelier, int64_t now_ms)
{
    bool is_late = (double)now_ms - (double)p->told_ms >= TELL_MS;

    return likelier || p->n_names >= 2 * p->told || (p->n_names > p->told && is_late);
}

enum sek_evidence_news sek_evidence_add(struct sek_evidence *e,
                                        const struct sek_evidence_item *item, struct sek_dga *out)
{
    struct endpoint *p;
    struct domain d;
    bool likelier = false;

    if (!is_relevant(item))
        return SEK_EVIDENCE_NOTHING;
    d = domain_of(e, item);
    bool worthy = is_worth_a_place(e, item, &d);
    p = find(e, &item->endpoint);
    if (!p && !worthy)
        return SEK_EVIDENCE_NOTHING;
    if (!p)
        p = make_room(e, item);
    age(e, p, item->time_ms);
    if (item->nxdomain && was_seen(&p->present, d.hash, false))
        return SEK_EVIDENCE_NOTHING; /* it exists: this answer was about something else */
    if (was_seen(item->nxdomain ? &p->absent : &p->present, d.hash, true))
        return SEK_EVIDENCE_NOTHING;
    if (item->nxdomain)
        add_absent(e, p, item, &d);
    else
        likelier = add_present(e, p, item, &d);
    bool is_new = !p->open;
    if (is_new) {
        if (p->n_nxdomains < SEK_EVIDENCE_NXDOMAINS_MIN || total(p) <= e->alarm)
            return SEK_EVIDENCE_NOTHING;
        p->open = true;
        p->episode++;
    } else if (!is_news(p, likelier, item->time_ms)) {
        return SEK_EVIDENCE_NOTHING;
    }
    p->told = p->n_names;
    p->told_ms = item->time_ms;
    report(e, p, out);
    return is_new ? SEK_EVIDENCE_FOUND : SEK_EVIDENCE_CHANGED;
}

bool sek_evidence_find(const struct sek_evidence *e, const struct sek_addr *endpoint,
                       struct sek_dga *out)
{
    const struct endpoint *p = find(e, endpoint);

    if (!p || !p->open)
        return false;
    report(e, p, out);
    return true;
}

size_t sek_evidence_octets(const struct sek_evidence *e)
{
    return sizeof(*e) + (size_t)e->n_sets * WAYS * sizeof(*e->endpoints);
}

uint64_t sek_evidence_evicted(const struct sek_evidence *e)
{
    return e->evicted;
}

/* --- over a restart --------------------------------------------------------------------------- */

void sek_evidence_kept(const struct sek_evidence *e, struct sek_kept *out_endpoints,
                       struct sek_kept *out_site)
{
    *out_endpoints = (struct sek_kept){.layout = 1,
                                       .things = e->endpoints,
                                       .stride = sizeof(*e->endpoints),
                                       .n = (size_t)e->n_sets * WAYS};
    *out_site =
        (struct sek_kept){.layout = 1, .things = &e->site, .stride = sizeof(e->site), .n = 1};
}

static bool are_names_sound(const struct endpoint *p)
{
    struct sek_name name;
    unsigned at = 0;
    bool sound = p->n_examples <= SEK_DGA_EXAMPLES && p->examples_len <= EXAMPLES_OCTETS &&
                 p->resolved.len <= SEK_DGA_NAME_MAX;

    if (sound && p->resolved.len > 0)
        sound = sek_name_from_wire(p->resolved.octets, p->resolved.len, &name) == SEK_OK &&
                name.len == p->resolved.len;
    for (unsigned i = 0; sound && i < p->n_examples; i++) {
        sound =
            sek_name_from_wire(p->examples + at, (size_t)(p->examples_len - at), &name) == SEK_OK &&
            name.len <= SEK_DGA_NAME_MAX;
        at += sound ? name.len : 0;
    }
    return sound && at == p->examples_len;
}

static bool is_reuse_sound(const struct sek_reuse *r)
{
    bool sound = r->n <= SEK_REUSE_NAMES && r->next < SEK_REUSE_NAMES && sek_kept_number(r->shape);

    for (unsigned i = 0; sound && i < 2 * SEK_REUSE_LISTS; i++)
        sound = sek_kept_number(r->list[i / SEK_REUSE_LISTS][i % SEK_REUSE_LISTS]);
    return sound;
}

static bool is_sound(const struct endpoint *p, const struct sek_lapse *lapse)
{
    return sek_kept_flag(&p->used) && p->used && sek_kept_flag(&p->open) &&
           sek_kept_time(p->last_ms, lapse) && sek_kept_time(p->start_ms, lapse) &&
           sek_kept_time(p->end_ms, lapse) && sek_kept_time(p->told_ms, lapse) &&
           sek_kept_time(p->resolved_ms, lapse) && sek_kept_number(p->names) &&
           sek_kept_number(p->resolved_llr) && sek_sketch_is_sound(&p->absent.sketch, SEEN_NAMES) &&
           sek_sketch_is_sound(&p->present.sketch, SEEN_NAMES) && is_reuse_sound(&p->reuse) &&
           are_names_sound(p);
}

/* One that was silent for long is taken in, too: names that it asked for before are known still. */
bool sek_evidence_take(struct sek_evidence *e, const void *endpoint, const struct sek_lapse *lapse)
{
    const struct endpoint *p = endpoint;

    if (!is_sound(p, lapse))
        return false;
    struct endpoint *set = set_of(e, &p->addr);
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].used && sek_addr_equal(&set[i].addr, &p->addr))
            return false;
        if (!set[i].used) {
            set[i] = *p;
            return true;
        }
    }
    return false;
}

bool sek_evidence_take_site(struct sek_evidence *e, const void *site)
{
    memcpy(&e->site, site, sizeof(e->site));
    return true;
}
