/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/bypass.h"
#include "base/json.h"
#include "name/text.h"
#include "watch/asked.h"
#include "watch/bypass_list.h"
#include "watch/exclude.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define NAMES 32 /* that a pair has told of, at most: further ones tell nothing new */

/* What kinds mean. `least`: confidence of a single question, an order and no probability: a dynamic
 * name is likelier a camera at home than a relay. */
static const struct {
    const char *technique, *what;
    float least;
} kinds[] = {
    [SEK_BYPASS_DOH] = {"T1572", "a resolver over HTTPS", 0.6f},
    [SEK_BYPASS_DOT] = {"T1572", "a resolver over TLS", 0.6f},
    [SEK_BYPASS_RELAY] = {"T1090", "a relay", 0.5f},
    [SEK_BYPASS_VPN] = {"T1090", "a VPN service", 0.5f},
    [SEK_BYPASS_TOR] = {"T1090", "Tor", 0.7f},
    [SEK_BYPASS_PROXY] = {"T1090", "a proxy", 0.5f},
    [SEK_BYPASS_DYNAMIC] = {"T1568", "a host with dynamic DNS", 0.3f},
};

/* An endpoint and a kind. */
struct pair {
    struct sek_place place;
    int64_t start_ms, minute_ms; /* minute: the latest question that counted */
    uint64_t minute_tag;         /* and its name */
    uint32_t n, told;            /* questions; as of the last sign */
    uint8_t n_names, n_shown;
    bool open;
    uint32_t names[NAMES];  /* parts of hashes */
    struct sek_asked asked; /* its place is not used */
};

struct bypass {
    struct sek_bypass_list *list;
    struct sek_exclude *exclude;
    struct sek_places pairs;
    struct sek_hash_key key;
    uint64_t queries;
    int64_t silent_ms;
};

enum sek_err sek_bypass_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                            struct sek_diag *diag)
{
    struct bypass *b = calloc(1, sizeof *b);
    if (!b)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for names of other resolvers");
    b->key = key;
    b->queries = conf->bypass.queries;
    b->silent_ms = conf->bypass.silent_s * 1000;
    const struct sek_conf_names *const lists[] = {&conf->bypass.exclude};
    enum sek_err err = sek_bypass_list_open(conf->bypass.list, &b->list, diag);
    if (err == SEK_OK)
        err = sek_exclude_new(lists, 1, NULL, 0, &b->exclude, diag);
    if (err == SEK_OK &&
        sek_places_init(&b->pairs, conf->bypass.n_endpoints, sizeof(struct pair), b->silent_ms))
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for names of other resolvers");
    if (err != SEK_OK) {
        sek_bypass_free(b);
        return err;
    }
    *out = b;
    return SEK_OK;
}

void sek_bypass_free(void *self)
{
    struct bypass *b = self;
    if (!b)
        return;
    sek_bypass_list_close(b->list);
    sek_exclude_free(b->exclude);
    sek_places_fini(&b->pairs);
    free(b);
}

size_t sek_bypass_octets(const void *self)
{
    const struct bypass *b = self;
    return sizeof *b + sek_bypass_list_octets(b->list) + sek_exclude_octets(b->exclude) +
           sek_places_octets(&b->pairs);
}

bool sek_bypass_wants(const void *self, const uint8_t *domain, size_t len)
{
    const struct bypass *b = self;
    return sek_bypass_list_below(b->list, domain, len);
}

/* --- counting ----------------------------------------------------------------------------------
 */

/* A finding is named by its detector, endpoint and start, and queries come together: the last digit
 * of the start keeps the kinds apart. */
static void begin(struct pair *p, enum sek_bypass_kind kind, int64_t now_ms)
{
    p->start_ms = now_ms / 10 * 10 - 10 + kind;
    p->minute_ms = 0;
    p->minute_tag = 0;
    p->n = p->told = 0;
    p->n_names = p->n_shown = 0;
    p->open = false;
    memset(&p->asked, 0, sizeof p->asked);
}

/* False: the same name was counted in this minute. */
static bool counts(struct pair *p, uint64_t name_tag, int64_t now_ms)
{
    bool same = p->minute_tag == name_tag && llabs(now_ms - p->minute_ms) < 60000;
    if (same)
        return false;
    p->minute_tag = name_tag;
    p->minute_ms = now_ms;
    return true;
}

static void note_name(struct pair *p, uint64_t tag)
{
    unsigned i = 0;
    while (i < p->n_names && p->names[i] != (uint32_t)tag)
        i++;
    if (i == p->n_names && i < NAMES)
        p->names[p->n_names++] = (uint32_t)tag;
}

/* The name to tell of: the question's own, so that a host with dynamic DNS is known by its name. */
static void note(struct bypass *b, struct pair *p, const struct sek_observation *o)
{
    uint64_t tag = sek_hash(&b->key, o->name->octets, o->name->len);
    if (!counts(p, tag, o->time_ms))
        return;
    p->n += p->n < UINT32_MAX;
    note_name(p, tag);
    p->asked.place.last_ms = o->time_ms; /* an episode's, not lately's */
    sek_asked_add(&p->asked, o->name->octets, o->name->len, 1, o->time_ms);
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void tell(struct pair *p, const struct sek_observation *o, enum sek_bypass_kind kind,
                 struct sek_sign *out)
{
    char text[SEK_NAME_TEXT_MAX];
    struct sek_buf json;
    sek_sign_begin(out, SEK_DETECTOR_BYPASS, o, p->start_ms, false);
    out->is_new = !p->open;
    p->open = true;
    p->told = p->n;
    p->n_shown = p->n_names;
    float least = kinds[kind].least;
    out->finding.confidence = fminf(0.9f, least + 0.05f * log2f((float)p->n));
    snprintf(out->finding.technique, sizeof out->finding.technique, "%s", kinds[kind].technique);
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_fmt(&json, "{\"kind\":\"%s\",\"names\":%u,\"queries\":%u,\"examples\":",
                    sek_lookup_name(sek_bypass_kind_names, (int)kind), p->n_names, p->n);
    sek_asked_print(&p->asked, &json);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
    snprintf(out->what, sizeof out->what, "asks for %s: %.80s", kinds[kind].what,
             (sek_name_to_text(o->name->octets, text), text));
}

bool sek_bypass_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct bypass *b = self;
    unsigned labels;
    bool fresh;
    enum sek_bypass_kind kind = sek_bypass_list_find(b->list, o->name, &labels);
    if (kind == SEK_BYPASS_NONE || sek_exclude_covers(b->exclude, o->name))
        return false;
    uint8_t of_kind = (uint8_t)kind;
    struct pair *p = sek_places_take(&b->pairs, sek_observation_hash(o, b->key, &of_kind, 1),
                                     o->time_ms, &fresh);
    if (fresh || llabs(o->time_ms - p->place.last_ms) > b->silent_ms)
        begin(p, kind, o->time_ms);
    p->place.last_ms = o->time_ms > p->place.last_ms ? o->time_ms : p->place.last_ms;
    p->place.worth = p->n;
    note(b, p, o);
    bool more = p->n_names > p->n_shown || p->n >= 2 * p->told;
    if (p->n < b->queries || !more || p->n == p->told)
        return false;
    tell(p, o, kind, out);
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_pair(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct bypass *b = self;
    const struct pair *p = thing;
    return sek_kept_time(p->start_ms, lapse) && sek_kept_time(p->minute_ms, lapse) &&
           sek_kept_time(p->asked.place.last_ms, lapse) && sek_kept_flag(&p->open) &&
           p->n_names <= NAMES && p->n_shown <= NAMES && sek_asked_is_sound(&p->asked) &&
           sek_places_put(&b->pairs, p, lapse);
}

unsigned sek_bypass_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct bypass *b = self;
    out[0] = sek_places_kept(&b->pairs, 1, take_pair);
    return 1;
}
