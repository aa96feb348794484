/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/scene.h"
#include "watch/inbound.h"
#include "watch/sinkholed.h"
#include "watch/udr.h"
#include "name/special.h"
#include "name/text.h"
#include "policy/about.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WATCH_MOST 1000 /* queries of a row that are passed on, so that a flood drowns no other */
#define WATCH_OCTETS_RARE 8
#define WATCH_OCTETS 24 /* left of a domain that many ask for: such names may carry data */
#define REFUSED 65536   /* domains remembered as told, by their hashes: 512 KiB */
#define LINE_MAX_OCTETS (SEK_NAME_TEXT_MAX + SEK_ADDR_TEXT_MAX + SEK_SIGN_WHAT + 80)

struct sek_scene {
    struct sek_scene_site site;
    struct sek_scene_hooks hooks;
    _Atomic(struct sek_domains *) domains; /* NULL: no history */
    struct sek_detectors *detectors;
    void *udr, *sinkholed;           /* two of them; NULL: off */
    struct sek_dynamic_row *blocked; /* all blocks, room for SEK_DYNAMIC_MAX */
    unsigned n_blocked;
    uint64_t *refused; /* hashes of refused domains that were told, each in its place; 0: none */
};

/* An event's registered domain. */
struct domain {
    const uint8_t *octets;
    size_t len;
};

static struct domain domain_of(const struct sek_event *e)
{
    const uint8_t *at = sek_name_skip(e->names, e->domain_labels);
    return (struct domain){at, (size_t)(e->name_len - (at - e->names))};
}

static struct sek_domains *history_of(const struct sek_scene *s)
{
    return atomic_load_explicit(&s->domains, memory_order_acquire);
}

static bool is_settled(const struct sek_scene *s, const struct sek_domains *domains, int64_t now_s)
{
    return domains && sek_domains_since_s(domains) <= now_s - s->site.conf->domains.warm_up_s;
}

/* --- blocks that findings ask for --------------------------------------------------------------
 */

/* Out of memory: the next finding tries again. */
void sek_scene_publish(struct sek_scene *s)
{
    struct sek_dynamic *set;
    if (s->hooks.blocked && sek_dynamic_new(s->blocked, s->n_blocked, &set) == SEK_OK)
        s->hooks.blocked(s->hooks.arg, set);
}

/* Without what has ended, and without this domain. */
static void blocked_drop(struct sek_scene *s, const struct sek_name *domain, int64_t now_s)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < s->n_blocked; i++) {
        const struct sek_dynamic_row *row = &s->blocked[i];
        if (row->until_s > now_s &&
            !sek_name_equal(row->domain, row->len, domain->octets, domain->len))
            s->blocked[kept++] = *row;
    }
    s->n_blocked = kept;
}

static void blocked_add(struct sek_scene *s, const struct sek_name *domain, enum sek_detector by,
                        int64_t until_s, int64_t now_s)
{
    blocked_drop(s, domain, now_s);
    if (s->n_blocked == SEK_DYNAMIC_MAX)
        memmove(s->blocked, s->blocked + 1, --s->n_blocked * sizeof *s->blocked);
    sek_dynamic_row_set(&s->blocked[s->n_blocked++], domain,
                        sek_lookup_name(sek_detector_names, (int)by), until_s);
    sek_scene_publish(s);
}

/* Has this site seen little of it, as far as the history can tell? */
static bool is_little_known(const struct sek_scene *s, const struct sek_name *domain, int64_t now_s)
{
    const struct sek_domains *domains = history_of(s);
    struct sek_domain_seen seen;
    if (!is_settled(s, domains, now_s))
        return false;
    return !sek_domains_find(domains, domain->octets, domain->len, &seen) ||
           seen.endpoints <= s->site.conf->domains.rare;
}

/* May the domain that a finding suspects be blocked for everybody? Only what this site has seen
 * little of, or people chose, and what nobody protects. An exception wins in any case. */
static bool may_block(const struct sek_scene *s, const struct sek_name *domain, int64_t now_s,
                      bool is_chosen)
{
    if (!s->site.never || (!is_chosen && !is_little_known(s, domain, now_s)))
        return false;
    return sek_never_check(s->site.never, domain, SEK_SCOPE_SUBTREE, SEK_ACTION_SINKHOLE, false,
                           NULL) == SEK_OK;
}

/* --- what detectors say ------------------------------------------------------------------------
 */

static void say(const struct sek_scene *s, const struct sek_finding *f, const char *what,
                const char *domain)
{
    char endpoint[SEK_ADDR_TEXT_MAX], line[LINE_MAX_OCTETS];
    snprintf(line, sizeof line, "finding %s: endpoint %s %s%s%s%s",
             sek_lookup_name(sek_detector_names, (int)f->detector),
             sek_addr_to_text(&f->endpoint, endpoint), what, *domain ? "; suspected: " : "", domain,
             f->blocked_until_s ? ", blocked" : "");
    s->hooks.say(s->hooks.arg, line);
}

static void found(void *arg, const struct sek_sign *sign, const struct sek_observation *seen)
{
    struct sek_scene *s = arg;
    const struct sek_conf *conf = s->site.conf;
    struct sek_finding f = sign->finding;
    struct sek_name domain;
    int64_t now_s = f.end_ms / 1000;
    char text[SEK_NAME_TEXT_MAX] = "";
    bool blocks = false;
    (void)seen;
    if (sek_dismissed_find(s->site.dismissed, f.detector, &f.endpoint, f.domain, f.domain_len)) {
        if (sign->is_new && s->hooks.dismissed)
            s->hooks.dismissed(s->hooks.arg, &f);
        return;
    }
    f.mode = sek_detector_mode(conf, f.detector);
    if (f.domain_len && sek_name_from_wire(f.domain, f.domain_len, &domain) == SEK_OK) {
        sek_name_to_text(f.domain, text);
        blocks = sign->may_block && may_block(s, &domain, now_s, sign->is_chosen);
        f.may_block_s = blocks ? now_s : 0;
        if (blocks && f.mode == SEK_MODE_BLOCK)
            f.blocked_until_s = now_s + sek_detector_lifetime_s(conf, f.detector);
    }
    s->hooks.finding(s->hooks.arg, &f, blocks);
    if (f.blocked_until_s)
        blocked_add(s, &domain, f.detector, f.blocked_until_s, now_s);
    if (sign->is_new && s->hooks.say)
        say(s, &f, sign->what, text);
}

/* --- which queries count -----------------------------------------------------------------------
 */

/* Of an endpoint's many queries for one domain the first one of a minute counts; names that do not
 * exist count always, for it takes the domain itself to say that the domain does not exist. What
 * a detector holds back is noted, too: so its domain is new for a while only. */
static bool is_of_interest(const struct sek_event *e, const struct sek_tally_note *note)
{
    bool held = e->outcome == SEK_OUTCOME_HIT && sek_trigger_is_detector(e->trigger);
    return (note->first || e->existence == SEK_EXISTENCE_ABSENT) &&
           (e->existence != SEK_EXISTENCE_UNKNOWN || held);
}

/* A rule refused it: nothing is known of the domain but that somebody asked for it. */
static bool is_refused(const struct sek_event *e)
{
    return e->outcome == SEK_OUTCOME_HIT && sek_action_blocks(e->action) && !e->repeat &&
           e->existence == SEK_EXISTENCE_UNKNOWN && !sek_trigger_is_detector(e->trigger);
}

static bool is_special(const struct sek_event *e)
{
    struct sek_name name;
    return sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK || sek_name_is_special(&name);
}

/* Does each query of the row matter, not only the first? Where names or answers may carry much
 * data; and, once the history can tell, where few ask for the domain and it is new, or names may
 * carry a little. Asked once a row. */
static bool is_worth_watching(const struct sek_scene *s, const struct sek_event *e,
                              const struct sek_tally_traffic *row)
{
    const struct sek_conf *conf = s->site.conf;
    const struct sek_domains *domains = history_of(s);
    struct sek_domain_seen seen;
    int64_t now_s = e->time_ms / 1000;
    unsigned octets = (unsigned)(e->name_len - row->domain_len);
    if (is_special(e))
        return false;
    if (octets >= WATCH_OCTETS || (octets > 0 && sek_inbound_is_data(e->qtype)) ||
        sek_detectors_want(s->detectors, row->domain, row->domain_len))
        return true;
    if (!domains || (!s->site.eager && !is_settled(s, domains, now_s)))
        return false;
    if (!sek_domains_find(domains, row->domain, row->domain_len, &seen))
        return true;
    if (conf->fastflux.mode != SEK_MODE_OFF && seen.endpoints <= conf->fastflux.popular &&
        seen.first_s > now_s - conf->fastflux.new_s)
        return true; /* each answer of it */
    return seen.endpoints <= conf->domains.rare &&
           (octets >= WATCH_OCTETS_RARE || seen.first_s > now_s - conf->beacon.new_s);
}

static bool is_flood(const struct sek_tally_traffic *row)
{
    return sek_tally_sum(row) > WATCH_MOST;
}

/* Answered, or it failed for want of an answer: the question has left the resolver all the same. Or
 * it is a canary name, which says what the endpoint is up to whatever it is answered. */
static bool is_asked(const struct sek_event *e)
{
    if (e->outcome == SEK_OUTCOME_HIT && e->trigger == SEK_TRIGGER_CANARY)
        return true;
    return e->outcome != SEK_OUTCOME_LOCAL &&
           (e->outcome != SEK_OUTCOME_HIT || !sek_action_blocks(e->action));
}

enum sek_scene_want sek_scene_wants(const struct sek_scene *s, const struct sek_event *e,
                                    const struct sek_tally_note *note)
{
    if (!note->has_domain)
        return SEK_SCENE_NO;
    if (note->first && note->row)
        note->row->watch = is_worth_watching(s, e, note->row);
    if (is_of_interest(e, note))
        return SEK_SCENE_YES;
    if (s->sinkholed && sek_sinkholed_wants(s->sinkholed, e))
        return SEK_SCENE_REPEAT;
    if (note->row && note->row->watch && is_asked(e) && !is_flood(note->row))
        return SEK_SCENE_REPEAT;
    return note->first && s->hooks.first && is_refused(e) ? SEK_SCENE_YES : SEK_SCENE_NO;
}

/* --- seeing ------------------------------------------------------------------------------------
 */

/* True if the history knew the domain: *seen is what it knows of it. A domain is written down with
 * who asked first for it once it is of interest: it resolved, or it was held back. Names that do
 * not exist are without number. */
static bool note_domain(struct sek_scene *s, struct sek_domains *domains, const struct sek_event *e,
                        struct sek_domain_seen *seen)
{
    struct domain domain = domain_of(e);
    bool resolved = e->existence == SEK_EXISTENCE_EXISTS;
    if (e->repeat)
        return sek_domains_find(domains, domain.octets, domain.len, seen);
    enum sek_domains_news news = sek_domains_note(domains, domain.octets, domain.len, &e->endpoint,
                                                  e->time_ms / 1000, resolved, seen);
    bool is_new = news == SEK_DOMAINS_NEW && e->existence != SEK_EXISTENCE_ABSENT;
    if (s->hooks.first && (is_new || news == SEK_DOMAINS_RESOLVED_FIRST))
        s->hooks.first(s->hooks.arg, e);
    if (news != SEK_DOMAINS_OVERFLOW)
        return news != SEK_DOMAINS_NEW;
    atomic_store_explicit(s->site.full_s, e->time_ms / 1000, memory_order_relaxed);
    return sek_domains_find(domains, domain.octets, domain.len, seen);
}

/* Who asked first for a domain that rules refuse is written down, too. The history does not take
 * it: a domain is not known to a site that never let it through, and is new on the day it does. So
 * it is remembered here which were told; one that falls out is told again, and is known by then. */
static void tell_refused(struct sek_scene *s, const struct sek_domains *domains,
                         const struct sek_event *e)
{
    struct domain domain = domain_of(e);
    uint64_t hash = sek_hash(&s->site.key, domain.octets, domain.len) | 1;
    uint64_t *told = &s->refused[hash >> 32 & (REFUSED - 1)];
    if (!s->hooks.first || *told == hash ||
        sek_domains_find(domains, domain.octets, domain.len, NULL))
        return;
    *told = hash;
    s->hooks.first(s->hooks.arg, e);
}

/* What the last observation told of tracked names. */
static void write_down(struct sek_scene *s)
{
    struct sek_response r;
    while (s->udr && sek_udr_added(s->udr, &r))
        if (s->hooks.response)
            s->hooks.response(s->hooks.arg, &r);
}

/* The owner name of the rule that says that it met somebody's sinkhole, and at which address. */
static bool rule_of(const struct sek_event *e, struct sek_name *out, struct sek_addr *out_address)
{
    const uint8_t *matched = e->names + e->name_len;
    struct sek_name met;
    struct sek_net net;
    if (e->outcome != SEK_OUTCOME_HIT || e->trigger != SEK_TRIGGER_SINKHOLED ||
        sek_name_from_wire(matched + e->matched_len, e->owner_len, out) != SEK_OK ||
        sek_name_from_wire(matched, e->matched_len, &met) != SEK_OK ||
        sek_about_to_net(&met, &net, NULL) != SEK_OK)
        return false;
    *out_address = net.addr;
    return true;
}

void sek_scene_see(struct sek_scene *s, const struct sek_event *e,
                   const struct sek_classify *classify, const struct sek_score *score)
{
    struct sek_domains *domains = history_of(s);
    struct sek_domain_seen seen = {0};
    struct sek_name name, rule;
    struct sek_addr sunk;
    /* special-use names, reverse lookups among them, tell nothing about domains */
    if (sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK || sek_name_is_special(&name))
        return;
    if (is_refused(e)) { /* detectors look at what was let through, or held back by them */
        if (domains)
            tell_refused(s, domains, e);
        return;
    }
    bool known = domains && note_domain(s, domains, e, &seen);
    bool cached = e->cached || e->outcome == SEK_OUTCOME_CACHED;
    bool ruled = rule_of(e, &rule, &sunk);
    struct sek_observation seen_now = {
        .endpoint = e->endpoint,
        .name = &name,
        .domain_labels = e->domain_labels,
        .qtype = e->qtype,
        .existence = (enum sek_existence)e->existence,
        .cached = cached,
        .repeat = e->repeat,
        .time_ms = e->time_ms,
        .ttl_s = e->ttl_s,
        .answer_octets = e->answer_octets,
        .addrs = sek_event_addrs(e),
        .n_addrs = cached ? 0 : e->n_addrs,
        .n_ns_addrs = e->n_ns_addrs,
        .given = sek_event_addrs(e),
        .n_given = e->n_addrs,
        .sunk_server = e->sunk_server,
        .sunk_rule = ruled ? &rule : NULL,
        .sunk_address = ruled ? &sunk : NULL,
        .classify = classify,
        .score = score,
        .geo = s->site.geo,
    };
    sek_observation_date(&seen_now, s->site.conf, known, &seen,
                         domains ? sek_domains_since_s(domains) : INT64_MAX);
    sek_detectors_see(s->detectors, &seen_now, found, s);
    write_down(s);
}

void sek_scene_recall(struct sek_scene *s, const struct sek_response *r)
{
    if (s->udr)
        sek_udr_recall(s->udr, r);
}

uint64_t sek_scene_refused(const struct sek_scene *s)
{
    return s->udr ? sek_udr_refused(s->udr) : 0;
}

struct sek_dynamic_row *sek_scene_blocks(struct sek_scene *s, unsigned **out_n)
{
    *out_n = &s->n_blocked;
    return s->blocked;
}

void sek_scene_count(struct sek_scene *s, const struct sek_tally_traffic *row, uint32_t n)
{
    sek_detectors_count(s->detectors, row, n, found, s);
}

void sek_scene_elapse(struct sek_scene *s, int64_t now_ms)
{
    sek_detectors_elapse(s->detectors, now_ms, found, s);
}

/* --- life --------------------------------------------------------------------------------------
 */

enum sek_err sek_scene_new(const struct sek_scene_site *site, const struct sek_scene_hooks *hooks,
                           struct sek_scene **out, struct sek_diag *diag)
{
    struct sek_scene *s = calloc(1, sizeof *s);
    struct sek_dynamic_row *rows = calloc(SEK_DYNAMIC_MAX, sizeof *rows);
    uint64_t *refused = calloc(REFUSED, sizeof *refused);
    if (!s || !rows || !refused) {
        free(s);
        free(rows);
        free(refused);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the detectors");
    }
    s->site = *site;
    s->hooks = *hooks;
    s->blocked = rows;
    s->refused = refused;
    const struct sek_dynamic_row *old = sek_dynamic_rows(site->blocked, &s->n_blocked);
    if (old)
        memcpy(rows, old, s->n_blocked * sizeof *rows);
    s->site.blocked = NULL;
    enum sek_err err = sek_detectors_new(site->conf, site->key, &s->detectors, diag);
    if (err != SEK_OK) {
        sek_scene_free(s);
        return err;
    }
    s->udr = sek_detectors_get(s->detectors, SEK_DETECTOR_UDR);
    s->sinkholed = sek_detectors_get(s->detectors, SEK_DETECTOR_SINKHOLED);
    *out = s;
    return SEK_OK;
}

void sek_scene_free(struct sek_scene *s)
{
    if (!s)
        return;
    sek_detectors_free(s->detectors);
    free(s->blocked);
    free(s->refused);
    free(s);
}

void sek_scene_history(struct sek_scene *s, struct sek_domains *domains)
{
    atomic_store_explicit(&s->domains, domains, memory_order_release);
}

struct sek_detectors *sek_scene_detectors(struct sek_scene *s)
{
    return s->detectors;
}

size_t sek_scene_octets(const struct sek_scene *s)
{
    return sizeof *s + SEK_DYNAMIC_MAX * sizeof *s->blocked + REFUSED * sizeof *s->refused +
           sek_detectors_octets(s->detectors);
}
