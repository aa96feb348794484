/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/detect.h"
#include "name/special.h"
#include <stdio.h>
#include "base/banned.h"

#define EDE_BLOCKED 15 /* RFC 8914 §4.16 */

static float ratio_of(double setting, float model)
{
    return setting > 0 ? (float)setting : model;
}

void sek_detect_configure(struct sek_detect *d, const struct sek_conf *conf,
                          const struct sek_classify *classify)
{
    d->mode = (enum sek_mode)conf->classify.mode;
    d->warm_up_s = conf->domains.warm_up_s;
    d->new_s = conf->domains.new_s;
    d->rare = (unsigned)conf->domains.rare;
    d->classify = classify;
    if (!classify)
        return;
    d->monitor_llr = ratio_of(conf->classify.monitor_ratio, sek_classify_monitor_llr(classify));
    d->block_llr = ratio_of(conf->classify.block_ratio, sek_classify_block_llr(classify));
    if (d->block_llr < d->monitor_llr)
        d->block_llr = d->monitor_llr;
}

/* Why the name may not be blocked, or NULL when it may. */
static const char *spared(const struct sek_detect *d, int64_t now_s,
                          const struct sek_detect_why *why)
{
    if (!d->domains || !d->suffix)
        return "recorded: there is no history that tells whether its domain is new";
    if (why->score.llr <= d->block_llr)
        return "recorded: the score is below the threshold for blocking";
    if (sek_domains_since_s(d->domains) > now_s - d->warm_up_s)
        return "recorded: the history of domains is too young to tell what is new";
    if (why->known && why->seen.first_s <= now_s - d->new_s)
        return "recorded: its domain is not newly observed";
    if (why->known && why->seen.endpoints > d->rare)
        return "recorded: its domain is not rare";
    return d->mode == SEK_MODE_BLOCK ? NULL : "recorded: the classifier is in monitor mode";
}

/* What the site's history knows of the name's registered domain. */
static void look_up(const struct sek_detect *d, const struct sek_name *name,
                    struct sek_detect_why *why)
{
    int labels = d->domains && d->suffix ? sek_suffix_registered(d->suffix, name) : -1;

    if (labels < 0)
        return;
    const uint8_t *domain = name->octets + name->offset[labels];
    why->known = sek_domains_find(d->domains, domain, (size_t)(name->len - name->offset[labels]),
                                  &why->seen);
}

static bool is_popular(const struct sek_detect *d, int64_t now_s, const struct sek_detect_why *why)
{
    return why->known && why->seen.first_s <= now_s - d->new_s && why->seen.endpoints > d->rare;
}

static void fill(struct sek_verdict *io, const struct sek_score *score, bool blocks)
{
    io->trigger = SEK_TRIGGER_CLASSIFIER;
    io->would = SEK_ACTION_SINKHOLE;
    io->action = blocks ? SEK_ACTION_SINKHOLE : SEK_ACTION_PASSTHRU;
    io->monitor = !blocks;
    io->scope = SEK_SCOPE_SUBTREE;
    io->depth = score->label;
    io->list = 0;
    io->ede = EDE_BLOCKED;
    snprintf(io->list_name, sizeof io->list_name, "classifier");
}

static const char *judge(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                         struct sek_verdict *io, struct sek_detect_why *why)
{
    bool decided = io->trigger != SEK_TRIGGER_NONE;

    if (d->mode == SEK_MODE_OFF)
        return "off";
    if (!d->classify)
        return "there is no model";
    if (decided && (sek_action_blocks(io->action) || !sek_verdict_is_hit(io)))
        return "not asked: a rule decides";
    if (sek_name_is_special(name))
        return "not asked: a special-use name";
    why->score = sek_classify_name(d->classify, name);
    io->score = why->score.llr;
    if (!why->score.length)
        return "there is no label to judge";
    if (why->score.llr <= d->monitor_llr)
        return "the score is below both thresholds";
    if (!d->never ||
        sek_never_check(d->never, name, SEK_SCOPE_EXACT, SEK_ACTION_SINKHOLE, true, NULL))
        return "its domain may never be blocked";
    look_up(d, name, why);
    if (is_popular(d, now_s, why))
        return "its domain is known and popular here";
    const char *because = spared(d, now_s, why);
    if (because && decided)
        return "a rule records the name";
    fill(io, &why->score, !because);
    return because ? because : "machine-made by the strict threshold, newly observed and rare";
}

void sek_detect_question(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                         struct sek_verdict *io, struct sek_detect_why *why)
{
    struct sek_detect_why own;

    why = why ? why : &own;
    why->score = (struct sek_score){.llr = SEK_CLASSIFY_NONE};
    why->known = false;
    why->because = judge(d, name, now_s, io, why);
}
