/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/surge.h"
#include "base/json.h"
#include "watch/asked.h"
#include "watch/baseline.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SILENT_MS (56LL * 86400000) /* after it an endpoint makes room, learned or not */
#define ASKED 512                   /* endpoints near an alarm that have examples */
#define OVER_WINDOWS 3              /* after an episode's last sign it is over */
#define AGAIN 1.5f                  /* times as much as told: told again */
#define CONFIDENCE_MAX 0.9

/* What the two differ in. */
struct kind {
    enum sek_detector id;
    struct sek_season season; /* z and learn are settings */
    double per_window;        /* units of time in a window, in which rates are told */
    const char *technique, *what, *unit, *things;
};
static const struct kind surge_kind = {SEK_DETECTOR_SURGE,
                                       {.bin_s = 60, .n_bins = 5, .n_windows = 12},
                                       5,
                                       SEK_SURGE_TECHNIQUE,
                                       "query rate",
                                       "queries a minute",
                                       "queries"};
static const struct kind newrate_kind = {SEK_DETECTOR_NEWRATE,
                                         {.bin_s = 600, .n_bins = 6, .n_windows = 4},
                                         1,
                                         SEK_NEWRATE_TECHNIQUE,
                                         "rate of new domains",
                                         "new domains an hour",
                                         "domains"};

/* A baseline follows. */
struct endpoint {
    struct sek_place place;
    int64_t start_ms, end_ms; /* of the episode; end: the latest sign */
    float total, told;        /* things in the episode, and when it was told of */
    float over, peak;         /* windows: where it began, the highest */
    bool open;
};

struct rate {
    const struct kind *kind;
    struct sek_season season;
    struct sek_places endpoints, asked;
    struct sek_hash_key key;
    double floor; /* a window's */
};

/* What happened: so many things, one of them this domain. */
struct happening {
    const struct sek_addr *endpoint;
    int64_t time_ms;
    uint32_t n;
    const uint8_t *domain;
    size_t domain_len;
};

static enum sek_err rate_new(const struct kind *kind, const struct sek_conf_rate *conf,
                             struct sek_hash_key key, void **out, struct sek_diag *diag)
{
    struct rate *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for baselines of endpoints");
    double slot_s = (double)kind->season.bin_s * kind->season.n_bins * kind->season.n_windows;
    r->kind = kind;
    r->season = kind->season;
    r->season.z = conf->z;
    r->season.learn = (unsigned)ceil((double)conf->learn_s / slot_s);
    r->key = key;
    r->floor = conf->floor * kind->per_window;
    size_t stride = sizeof(struct endpoint) + sek_baseline_octets(&r->season);
    if (sek_places_init(&r->endpoints, conf->n_endpoints, stride, SILENT_MS) != SEK_OK ||
        sek_places_init(&r->asked, ASKED, sizeof(struct sek_asked), SEK_ASKED_LATELY_MS) !=
            SEK_OK) {
        sek_surge_free(r);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for baselines of endpoints");
    }
    *out = r;
    return SEK_OK;
}

enum sek_err sek_surge_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                           struct sek_diag *diag)
{
    return rate_new(&surge_kind, &conf->surge, key, out, diag);
}

enum sek_err sek_newrate_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                             struct sek_diag *diag)
{
    return rate_new(&newrate_kind, &conf->newrate, key, out, diag);
}

void sek_surge_free(void *self)
{
    struct rate *r = self;
    if (!r)
        return;
    sek_places_fini(&r->endpoints);
    sek_places_fini(&r->asked);
    free(r);
}

size_t sek_surge_octets(const void *self)
{
    const struct rate *r = self;
    return sizeof *r + sek_places_octets(&r->endpoints) + sek_places_octets(&r->asked);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static const char *by_name(enum sek_baseline_by by)
{
    static const char *const names[] = {
        [SEK_BASELINE_NONE] = "none",
        [SEK_BASELINE_HOUR] = "this hour of the week",
        [SEK_BASELINE_TOP] = "the busiest hour",
        [SEK_BASELINE_LATE] = "the last half hour",
    };
    return names[by];
}

static void add_real(struct sek_buf *json, const char *key, double v)
{
    sek_buf_add_fmt(json, ",\"%s\":", key);
    sek_json_add_real(json, v, 2);
}

static void evidence(const struct rate *r, const struct endpoint *p, const struct sek_level *level,
                     struct sek_sign *out)
{
    double unit = r->kind->per_window;
    struct sek_buf json;
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"%s\",\"unit\":\"%s\"", r->kind->what, r->kind->unit);
    add_real(&json, "rate", level->window / unit);
    add_real(&json, "rate_peak", (double)p->peak / unit);
    add_real(&json, "rate_mean", level->mean / unit);
    add_real(&json, "rate_deviation", level->dev / unit);
    add_real(&json, "z", level->z);
    add_real(&json, "z_alarm", level->line);
    add_real(&json, "rate_floor", r->floor / unit);
    sek_buf_add_fmt(&json, ",\"baseline\":\"%s\",\"names\":%.0f,\"examples\":", by_name(level->by),
                    (double)p->total);
    sek_asked_print(sek_places_find(&r->asked, p->place.tag), &json);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
}

static void tell(const struct rate *r, struct endpoint *p, const struct happening *h,
                 const struct sek_level *level, bool is_new, struct sek_sign *out)
{
    *out = (struct sek_sign){.finding = {.detector = r->kind->id,
                                         .endpoint = *h->endpoint,
                                         .start_ms = p->start_ms,
                                         .end_ms = p->end_ms},
                             .is_new = is_new};
    p->told = p->total;
    /* an order of the findings, no probability */
    double far = fmax(1, level->z / fmax(level->line, 1));
    out->finding.confidence = (float)fmin(CONFIDENCE_MAX, 1 - 0.6 / far);
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", r->kind->technique);
    evidence(r, p, level, out);
    snprintf(out->what, sizeof out->what, "asks more than it usually does: %.0f %s, usually %.1f",
             level->window / r->kind->per_window, r->kind->unit, level->mean / r->kind->per_window);
}

/* --- episodes ----------------------------------------------------------------------------------
 */

static void begin(const struct rate *r, struct endpoint *p, const struct sek_level *level,
                  int64_t time_ms)
{
    int64_t bin_ms = r->season.bin_s * 1000;
    p->open = true;
    p->start_ms = time_ms / bin_ms * bin_ms;
    p->total = (float)level->window;
    p->told = 0;
    p->peak = 0;
    p->over = (float)fmax(r->floor, level->mean + level->line * level->dev);
}

/* True if there is something to tell. */
static bool follow(const struct rate *r, struct endpoint *p, const struct happening *h,
                   struct sek_sign *out)
{
    const struct sek_season *s = &r->season;
    int64_t over_ms = OVER_WINDOWS * s->bin_s * s->n_bins * 1000;
    struct sek_level level;
    sek_baseline_judge(s, (struct sek_baseline *)(p + 1), &level);
    bool alarm = level.by && level.window >= r->floor && level.z > level.line;
    if (p->open && llabs(h->time_ms - p->end_ms) > over_ms)
        p->open = false;
    bool is_new = alarm && !p->open;
    if (is_new)
        begin(r, p, &level, h->time_ms);
    else if (p->open)
        p->total += (float)h->n;
    /* while it goes on, what it adds to the baseline must not end it */
    if (!alarm && !(p->open && level.window >= (double)p->over / 2))
        return false;
    p->end_ms = h->time_ms > p->end_ms || is_new ? h->time_ms : p->end_ms;
    p->peak = fmaxf(p->peak, (float)level.window);
    if (!is_new && p->total < AGAIN * p->told)
        return false;
    tell(r, p, h, &level, is_new, out);
    return true;
}

static void remember(struct rate *r, const struct endpoint *p, const struct happening *h)
{
    bool fresh;
    struct sek_level level;
    sek_baseline_judge(&r->season, (const struct sek_baseline *)(p + 1), &level);
    if (h->n && level.window >= r->floor / 4)
        sek_asked_add(sek_places_take(&r->asked, p->place.tag, h->time_ms, &fresh), h->domain,
                      h->domain_len, h->n, h->time_ms);
}

static bool add(struct rate *r, const struct happening *h, struct sek_sign *out)
{
    bool fresh;
    uint64_t tag = sek_hash(&r->key, h->endpoint, sizeof *h->endpoint);
    struct endpoint *p = sek_places_take(&r->endpoints, tag, h->time_ms, &fresh);
    struct sek_baseline *base = (struct sek_baseline *)(p + 1);
    if (!sek_baseline_add(&r->season, base, h->time_ms / 1000, h->n))
        return false;
    p->place.last_ms = h->time_ms;
    p->place.worth = base->learned >= r->season.learn;
    remember(r, p, h);
    return follow(r, p, h, out);
}

/* --- the two -----------------------------------------------------------------------------------
 */

bool sek_surge_count(void *self, const struct sek_tally_traffic *row, uint32_t n,
                     struct sek_sign *out)
{
    const struct happening h = {.endpoint = &row->endpoint,
                                .time_ms = row->minute * 60000,
                                .n = n,
                                .domain = row->domain,
                                .domain_len = row->domain_len};
    return add(self, &h, out);
}

bool sek_newrate_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct happening h = {.endpoint = &o->endpoint, .time_ms = o->time_ms};
    if (o->repeat || !o->settled)
        return false;
    h.n = o->age_s == 0 && o->existence != SEK_EXISTENCE_ABSENT;
    h.domain = sek_observation_domain(o, &h.domain_len);
    return add(self, &h, out);
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_endpoint(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct rate *r = self;
    struct endpoint *p = thing;
    if (!sek_kept_number(p->total) || !sek_kept_number(p->told) || !sek_kept_number(p->over) ||
        !sek_kept_number(p->peak) || !sek_kept_flag(&p->open) ||
        !sek_baseline_resume(&r->season, (struct sek_baseline *)(p + 1), lapse))
        return false;
    bool ahead = !sek_kept_time(p->place.last_ms, lapse) || !sek_kept_time(p->start_ms, lapse) ||
                 !sek_kept_time(p->end_ms, lapse);
    if (ahead) { /* the clock was set back: what was learned is worth no less */
        p->place.last_ms = lapse->to_ms;
        p->start_ms = p->end_ms = 0;
        p->open = false;
    }
    return sek_places_put(&r->endpoints, p, lapse);
}

static bool take_asked(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct rate *r = self;
    return sek_asked_is_sound(thing) && sek_places_put(&r->asked, thing, lapse);
}

unsigned sek_surge_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct rate *r = self;
    out[0] = sek_places_kept(&r->endpoints, 1, take_endpoint);
    out[1] = sek_places_kept(&r->asked, 1, take_asked);
    return 2;
}
