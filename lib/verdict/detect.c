/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/detect.h"
#include "name/special.h"
#include <stdatomic.h>
#include <stdio.h>
#include "base/banned.h"

#define EDE_BLOCKED 15  /* RFC 8914 §4.16 */
#define FULL_FOR_S 3600 /* a history without room is not trusted for so long */
#define NOT_LOOKED (-2) /* of struct sek_detect_why's domain_labels */

static float ratio_of(double setting, float model)
{
    return setting > 0 ? (float)setting : model;
}

void sek_detect_configure(struct sek_detect *d, const struct sek_conf *conf,
                          const struct sek_classify *classify)
{
    d->mode = (enum sek_mode)conf->classify.mode;
    d->nod_mode = (enum sek_nod_mode)conf->nod.mode;
    d->warm_up_s = conf->domains.warm_up_s;
    d->new_s = conf->domains.new_s;
    d->hold_s = conf->nod.hold_s;
    d->rare = (unsigned)conf->domains.rare;
    d->popular = (unsigned)conf->nod.popular;
    d->classify = classify;
    if (!classify)
        return;
    d->monitor_llr = ratio_of(conf->classify.monitor_ratio, sek_classify_monitor_llr(classify));
    d->block_llr = ratio_of(conf->classify.block_ratio, sek_classify_block_llr(classify));
    if (d->block_llr < d->monitor_llr)
        d->block_llr = d->monitor_llr;
}

/* Fill in the registered domain and its history, once a question. False: it has none, or nobody
 * keeps one. */
static bool look(const struct sek_detect *d, const struct sek_name *name,
                 struct sek_detect_why *why)
{
    if (why->domain_labels != NOT_LOOKED)
        return d->domains && why->domain_labels >= 0;
    why->domain_labels = d->suffix ? sek_suffix_registered(d->suffix, name) : -1;
    if (!d->domains || why->domain_labels < 0)
        return false;
    uint8_t at = name->offset[why->domain_labels];
    why->known =
        sek_domains_find(d->domains, name->octets + at, (size_t)(name->len - at), &why->seen);
    return true;
}

static bool is_warm(const struct sek_detect *d, int64_t now_s)
{
    return sek_domains_since_s(d->domains) <= now_s - d->warm_up_s;
}

static void fill(struct sek_verdict *io, enum sek_trigger trigger, unsigned depth, bool blocks)
{
    io->trigger = trigger;
    io->would = SEK_ACTION_SINKHOLE;
    io->action = blocks ? SEK_ACTION_SINKHOLE : SEK_ACTION_PASSTHRU;
    io->monitor = !blocks;
    io->scope = SEK_SCOPE_SUBTREE;
    io->depth = (uint8_t)depth;
    io->list = 0;
    io->ede = EDE_BLOCKED;
    snprintf(io->list_name, sizeof io->list_name, "%s",
             sek_lookup_name(sek_trigger_names, (int)trigger));
}

/* A rule's or the other detector's decision that no detector changes. */
static bool is_settled(const struct sek_verdict *v)
{
    return v->trigger != SEK_TRIGGER_NONE &&
           (sek_action_blocks(v->action) || !sek_verdict_is_hit(v));
}

static bool is_protected(const struct sek_never *never, const struct sek_name *name)
{
    return !never || sek_never_check(never, name, SEK_SCOPE_EXACT, SEK_ACTION_SINKHOLE, true, NULL);
}

/* --- the classifier ----------------------------------------------------------------------------
 */

/* Why the name may not be blocked, or NULL when it may. */
static const char *spared(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                          struct sek_detect_why *why)
{
    if (!look(d, name, why))
        return "recorded: there is no history that tells whether its domain is new";
    if (why->score.llr <= d->block_llr)
        return "recorded: the score is below the threshold for blocking";
    if (!is_warm(d, now_s))
        return "recorded: the history of domains is too young to tell what is new";
    if (why->known && why->seen.first_s <= now_s - d->new_s)
        return "recorded: its domain is not newly observed";
    if (why->known && why->seen.endpoints > d->rare)
        return "recorded: its domain is not rare";
    return d->mode == SEK_MODE_BLOCK ? NULL : "recorded: the classifier is in monitor mode";
}

static bool is_popular(const struct sek_detect *d, int64_t now_s, const struct sek_detect_why *why)
{
    return why->known && why->seen.first_s <= now_s - d->new_s && why->seen.endpoints > d->rare;
}

static const char *judge(const struct sek_detect *d, struct sek_memo *memo,
                         const struct sek_name *name, int64_t now_s, const struct sek_score *score,
                         struct sek_verdict *io, struct sek_detect_why *why)
{
    bool decided = io->trigger != SEK_TRIGGER_NONE;

    if (d->mode == SEK_MODE_OFF)
        return "off";
    if (!d->classify)
        return "there is no model";
    if (is_settled(io))
        return "not asked: a rule decides";
    if (sek_name_is_special(name))
        return "not asked: a special-use name";
    why->score = score ? *score : sek_memo_score(memo, d->classify, name);
    io->score = why->score.llr;
    if (!why->score.length)
        return "there is no label to judge";
    if (why->score.llr <= d->monitor_llr)
        return "the score is below both thresholds";
    if (is_protected(d->never, name))
        return "its domain may never be blocked";
    if (look(d, name, why) && is_popular(d, now_s, why))
        return "its domain is known and popular here";
    const char *because = spared(d, name, now_s, why);
    if (because && decided)
        return "a rule records the name";
    fill(io, SEK_TRIGGER_CLASSIFIER, why->score.label, !because);
    return because ? because : "machine-made by the strict threshold, newly observed and rare";
}

/* --- newly observed domains --------------------------------------------------------------------
 */

static bool is_full(const struct sek_detect *d, int64_t now_s)
{
    return d->full_s && now_s - atomic_load_explicit(d->full_s, memory_order_relaxed) < FULL_FOR_S;
}

/* A domain of two or three labels that is known since before_s, as nearly every name has it. */
static bool is_old(const struct sek_detect *d, const struct sek_name *name,
                   const struct sek_detect_begun *begun, int64_t before_s)
{
    struct sek_domain_seen seen;

    for (unsigned n = 2; n <= 3 && n <= name->n_labels; n++) {
        uint8_t at = name->offset[name->n_labels - n];
        bool known = n == begun->n_labels ? sek_domains_ask_end(&begun->ask, &seen)
                                          : sek_domains_find(d->domains, name->octets + at,
                                                             (size_t)(name->len - at), &seen);
        if (known)
            return seen.first_s <= before_s;
    }
    return false;
}

/* Why the name is not NOD, or NULL when it is. The cheap and likely reasons come first. */
static const char *not_new(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                           const struct sek_detect_begun *begun, struct sek_detect_why *why)
{
    int64_t lasts_s = d->nod_mode == SEK_NOD_HOLD ? d->hold_s : d->new_s;

    if (sek_name_is_special(name))
        return "not asked: a special-use name";
    if (d->domains && !is_warm(d, now_s))
        return "the history of domains is too young to tell what is new";
    if (d->same_list && d->domains && is_old(d, name, begun, now_s - lasts_s))
        return "its domain is known for longer";
    if (!look(d, name, why))
        return "not asked: there is no registered domain or no history";
    if (why->known && why->seen.first_s <= now_s - lasts_s)
        return "its domain is known for longer";
    if (is_full(d, now_s))
        return "the history of domains has no room, so it cannot tell what is new";
    if (why->known && d->popular && why->seen.endpoints > d->popular)
        return "its domain is new, but many endpoints ask for it";
    if (is_protected(d->never, name))
        return "its domain may never be blocked";
    if (d->nod_exclude && is_protected(d->nod_exclude, name))
        return "nod.exclude names it";
    why->nod_until_s = (why->known ? why->seen.first_s : now_s) + lasts_s;
    return NULL;
}

static const char *judge_new(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                             const struct sek_detect_begun *begun, struct sek_verdict *io,
                             struct sek_detect_why *why)
{
    bool holds = d->nod_mode == SEK_NOD_HOLD || d->nod_mode == SEK_NOD_BLOCK;
    bool by_rule = !sek_trigger_is_detector((int)io->trigger);

    if (d->nod_mode == SEK_NOD_OFF)
        return "off";
    if (is_settled(io))
        return by_rule ? "not asked: a rule decides" : "not asked: the classifier decides";
    if (!holds && io->trigger != SEK_TRIGGER_NONE)
        return by_rule ? "not asked: a rule records the name"
                       : "not asked: the classifier records the name";
    const char *because = not_new(d, name, now_s, begun, why);
    if (because)
        return because;
    fill(io, SEK_TRIGGER_NOD, (unsigned)why->domain_labels, holds);
    io->until_s = why->nod_until_s;
    return holds ? "its domain is newly observed" : "recorded: its domain is newly observed";
}

/* --- both --------------------------------------------------------------------------------------
 */

/* "co.uk", "com.br": as a domain this is most likely a public suffix, under which names are
 * registered. A wrong guess costs time only. */
static bool is_suffix_like(const struct sek_name *name)
{
    return name->octets[name->offset[name->n_labels - 1]] == 2 &&
           name->octets[name->offset[name->n_labels - 2]] <= 3;
}

void sek_detect_begin(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                      struct sek_detect_begun *out)
{
    out->score = NULL;
    out->n_labels = 0;
    if (!d->same_list || !d->domains || d->nod_mode == SEK_NOD_OFF || name->n_labels < 2 ||
        !is_warm(d, now_s))
        return;
    out->n_labels = name->n_labels > 2 && is_suffix_like(name) ? 3 : 2;
    uint8_t at = name->offset[name->n_labels - out->n_labels];
    sek_domains_ask_begin(d->domains, name->octets + at, (size_t)(name->len - at), &out->ask);
}

void sek_detect_end(const struct sek_detect *d, struct sek_memo *memo, const struct sek_name *name,
                    int64_t now_s, const struct sek_detect_begun *begun, struct sek_verdict *io,
                    struct sek_detect_why *why)
{
    struct sek_detect_why own;

    why = why ? why : &own;
    why->score = (struct sek_score){.llr = SEK_CLASSIFY_NONE};
    why->domain_labels = NOT_LOOKED;
    why->known = false;
    why->nod_until_s = 0;
    if (begun->n_labels > 0 && !is_settled(io))
        sek_domains_ask_ahead(&begun->ask);
    why->because = judge(d, memo, name, now_s, begun->score, io, why);
    why->nod_because = judge_new(d, name, now_s, begun, io, why);
}

void sek_detect_question(const struct sek_detect *d, struct sek_memo *memo,
                         const struct sek_name *name, int64_t now_s, struct sek_verdict *io,
                         struct sek_detect_why *why)
{
    struct sek_detect_begun begun;

    sek_detect_begin(d, name, now_s, &begun);
    sek_detect_end(d, memo, name, now_s, &begun, io, why);
}
