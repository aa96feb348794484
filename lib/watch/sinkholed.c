/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/sinkholed.h"
#include "base/json.h"
#include "name/text.h"
#include "policy/about.h"
#include "watch/asked.h"
#include "watch/exclude.h"
#include "watch/sinkhole_list.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define NAMES_KNOWN 4096      /* names that led to a sinkhole */
#define KNOWN_MS 86400000LL   /* longer than a cache keeps an answer (cache-max-ttl) */
#define CONFIDENCE_LEAST 0.7f /* a scanner may ask once */
#define CONFIDENCE_MOST 0.95f

/* What leads there: a row of the table, or a rule of the site's own. */
struct lead {
    unsigned row; /* 0: a rule's, or none */
    bool rule;
    struct sek_addr address; /* of the answer or of a server; all 0: it was told by a name */
};

/* An endpoint and a registered domain. */
struct pair {
    struct sek_place place;
    int64_t start_ms, minute_ms; /* minute: the latest that counted */
    uint32_t n, told;            /* minutes with a question; as of the last sign */
    bool open;
    struct sek_asked asked; /* its place is not used */
};

struct known {
    struct sek_place place;
    struct lead lead; /* none: it leads elsewhere by now */
};

struct sinkholed {
    struct sek_sinkholes *list;
    struct sek_exclude *exclude;
    struct sek_places pairs, names;
    bool any_known;   /* names holds something */
    int64_t start_ms; /* of the last finding */
    struct sek_hash_key key;
    int64_t silent_ms;
};

enum sek_err sek_sinkholed_new(const struct sek_conf *conf, struct sek_hash_key key, void **out,
                               struct sek_diag *diag)
{
    struct sinkholed *s = calloc(1, sizeof *s);
    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for sinkholes");
    s->key = key;
    s->silent_ms = conf->sinkholed.silent_s * 1000;
    const struct sek_conf_names *const lists[] = {&conf->sinkholed.exclude};
    enum sek_err err = sek_sinkholes_open(conf->sinkholed.list, &s->list, diag);
    if (err == SEK_OK)
        err = sek_exclude_new(lists, 1, NULL, 0, &s->exclude, diag);
    if (err == SEK_OK &&
        (sek_places_init(&s->pairs, conf->sinkholed.n_endpoints, sizeof(struct pair),
                         s->silent_ms) != SEK_OK ||
         sek_places_init(&s->names, NAMES_KNOWN, sizeof(struct known), KNOWN_MS) != SEK_OK))
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for sinkholes");
    if (err != SEK_OK) {
        sek_sinkholed_free(s);
        return err;
    }
    *out = s;
    return SEK_OK;
}

void sek_sinkholed_free(void *self)
{
    struct sinkholed *s = self;
    if (!s)
        return;
    sek_sinkholes_close(s->list);
    sek_exclude_free(s->exclude);
    sek_places_fini(&s->pairs);
    sek_places_fini(&s->names);
    free(s);
}

size_t sek_sinkholed_octets(const void *self)
{
    const struct sinkholed *s = self;
    return sizeof *s + sek_sinkholes_octets(s->list) + sek_exclude_octets(s->exclude) +
           sek_places_octets(&s->pairs) + sek_places_octets(&s->names);
}

/* --- what leads there ---------------------------------------------------------------------------
 */

static bool leads(const struct lead *l)
{
    return l->row != 0 || l->rule;
}

static bool by_addresses(const struct sinkholed *s, const struct sek_addr *addrs, unsigned n,
                         struct lead *out)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned row = sek_sinkholes_address(s->list, &addrs[i]);
        if (row) {
            *out = (struct lead){.row = row, .address = addrs[i]};
            return true;
        }
    }
    return false;
}

bool sek_sinkholed_wants(const void *self, const struct sek_event *e)
{
    const struct sinkholed *s = self;
    struct lead lead;
    return e->sunk_server != 0 ||
           (e->outcome == SEK_OUTCOME_HIT && e->trigger == SEK_TRIGGER_SINKHOLED) ||
           by_addresses(s, sek_event_addrs(e), e->n_addrs + (unsigned)e->n_ns_addrs, &lead);
}

/* By what the answer itself shows. */
static struct lead lead_of(const struct sinkholed *s, const struct sek_observation *o)
{
    struct lead lead = {0};
    if (o->sunk_rule)
        return (struct lead){.rule = true, .address = *o->sunk_address};
    if (by_addresses(s, o->addrs, o->n_addrs, &lead) ||
        by_addresses(s, o->given, o->n_given, &lead))
        return lead;
    if (o->sunk_server)
        return (struct lead){.row = o->sunk_server};
    if (o->n_ns_addrs > 0)
        by_addresses(s, o->addrs + o->n_addrs, o->n_ns_addrs, &lead);
    return lead;
}

/* … or by what an earlier answer for the same name did, where this one is from the cache. */
static struct lead lead_known(struct sinkholed *s, const struct sek_observation *o)
{
    struct lead lead = lead_of(s, o);
    uint64_t tag = sek_hash(&s->key, o->name->octets, o->name->len);
    bool fresh, told = o->n_addrs > 0 || o->n_given > 0;
    if (lead.rule || (!leads(&lead) && !s->any_known))
        return lead; /* a rule is asked again of what the cache answers */
    struct known *k = leads(&lead) ? sek_places_take(&s->names, tag, o->time_ms, &fresh)
                                   : sek_places_find(&s->names, tag);
    if (!k)
        return lead;
    if (leads(&lead) || told) {
        k->lead = lead;
        k->place.last_ms = o->time_ms;
        s->any_known = true;
    } else if (llabs(o->time_ms - k->place.last_ms) <= KNOWN_MS) {
        lead = k->lead;
    }
    return lead;
}

/* --- what it says ------------------------------------------------------------------------------
 */

static void add_text(struct sek_buf *json, const char *key, const char *text)
{
    sek_buf_add_fmt(json, ",\"%s\":", key);
    sek_json_add_text(json, text);
}

static void tell(const struct sinkholed *s, struct pair *p, const struct sek_observation *o,
                 const struct lead *lead, struct sek_sign *out)
{
    static const struct sek_addr none;
    const char *by = lead->rule ? "rule" : sek_sinkholes_operator(s->list, lead->row);
    char address[SEK_ADDR_TEXT_MAX], rule[SEK_NAME_TEXT_MAX + 2];
    struct sek_buf json;
    sek_sign_begin(out, SEK_DETECTOR_SINKHOLED, o, p->start_ms, true);
    out->is_new = !p->open;
    out->may_block = out->is_chosen = true;
    p->open = true;
    p->told = p->n;
    out->finding.confidence = fminf(CONFIDENCE_MOST, CONFIDENCE_LEAST + 0.05f * log2f((float)p->n));
    snprintf(out->finding.technique, sizeof out->finding.technique, "T1071");
    sek_buf_init(&json, sizeof out->finding.evidence - 1);
    sek_buf_add_text(&json, "{\"kind\":");
    sek_json_add_text(&json, *by ? by : "unknown");
    if (lead->row)
        add_text(&json, "sinkhole", sek_sinkholes_what(s->list, lead->row));
    else if (o->sunk_rule && sek_about_to_text(SEK_SCOPE_EXACT, o->sunk_rule->octets, rule) > 0)
        add_text(&json, "sinkhole", rule);
    if (!sek_addr_equal(&lead->address, &none))
        add_text(&json, "address", sek_addr_to_text(&lead->address, address));
    sek_buf_add_fmt(&json, ",\"queries\":%u,\"examples\":", p->n);
    sek_asked_print(&p->asked, &json);
    sek_buf_add_text(&json, "}");
    sek_sign_evidence(out, &json);
    snprintf(out->what, sizeof out->what, "is infected already: asks for what leads to %s %.40s",
             lead->rule ? "a sinkhole, by your" : "the sinkhole of", *by ? by : "somebody");
}

/* Findings are named by endpoint and start, and logs tell whole seconds. */
static void begin(struct sinkholed *s, struct pair *p, int64_t now_ms)
{
    struct sek_place place = p->place;
    int64_t ahead_ms = s->start_ms - now_ms;
    memset(p, 0, sizeof *p);
    p->place = place;
    s->start_ms = ahead_ms >= 0 && ahead_ms < 1000 ? s->start_ms + 1 : now_ms;
    p->start_ms = s->start_ms;
}

/* False: the endpoint and domain were counted in this minute. */
static bool note(struct pair *p, const struct sek_observation *o)
{
    if (p->n > 0 && llabs(o->time_ms - p->minute_ms) < 60000)
        return false;
    p->minute_ms = o->time_ms;
    p->n += p->n < UINT32_MAX;
    p->asked.place.last_ms = o->time_ms; /* an episode's, not lately's */
    sek_asked_add(&p->asked, o->name->octets, o->name->len, 1, o->time_ms);
    return true;
}

bool sek_sinkholed_see(void *self, const struct sek_observation *o, struct sek_sign *out)
{
    struct sinkholed *s = self;
    const struct lead lead = lead_known(s, o);
    bool fresh;
    size_t len;
    if (!leads(&lead) || sek_exclude_covers(s->exclude, o->name) ||
        sek_sinkholes_server(s->list, o->name))
        return false;
    const uint8_t *domain = sek_observation_domain(o, &len);
    struct pair *p = sek_places_take(&s->pairs, sek_observation_hash(o, s->key, domain, len),
                                     o->time_ms, &fresh);
    if (fresh || llabs(o->time_ms - p->place.last_ms) > s->silent_ms)
        begin(s, p, o->time_ms);
    p->place.last_ms = o->time_ms > p->place.last_ms ? o->time_ms : p->place.last_ms;
    bool counted = note(p, o);
    p->place.worth = p->n;
    if (!counted || (p->open && p->n < 2 * p->told))
        return false;
    tell(s, p, o, &lead, out);
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool take_pair(void *self, void *thing, const struct sek_lapse *lapse)
{
    struct sinkholed *s = self;
    const struct pair *p = thing;
    return sek_kept_time(p->start_ms, lapse) && sek_kept_time(p->minute_ms, lapse) &&
           sek_kept_time(p->asked.place.last_ms, lapse) && sek_kept_flag(&p->open) && p->n > 0 &&
           p->told <= p->n && sek_asked_is_sound(&p->asked) && sek_places_put(&s->pairs, p, lapse);
}

unsigned sek_sinkholed_kept(void *self, struct sek_kept out[SEK_DETECTOR_TABLES])
{
    const struct sinkholed *s = self;
    out[0] = sek_places_kept(&s->pairs, 1, take_pair);
    return 1;
}
