/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/rulewalk.h"
#include "policy/records.h"
#include "base/banned.h"

/* --- who asks ------------------------------------------------------------------------------------
 */

struct sek__asker sek__asker_of(const struct sek_engine *engine, const struct sek_name *name,
                                int64_t now_s)
{
    return (struct sek__asker){.groups = engine->policy ? sek_policy_groups(engine->policy) : NULL,
                               .asking = engine->asking,
                               .name = name,
                               .now_s = now_s,
                               .plain = engine->plain};
}

void sek__asker_know(struct sek__asker *who)
{
    if (who->known || !who->groups)
        return;
    who->known = true;
    if (who->asking.endpoint)
        who->in = sek_groups_of(who->groups, who->asking.endpoint, who->now_s);
    else if (!who->asking.outside)
        who->in = sek_groups_peopled(who->groups, who->now_s);
    uint64_t blocks = who->in & sek_groups_restricted(who->groups, SEK_MODE_BLOCK);
    uint64_t quarantine = blocks & sek_group_bit(SEK_GROUP_QUARANTINE_ID);
    who->restricted = quarantine ? quarantine
                      : blocks   ? blocks
                                 : who->in & sek_groups_restricted(who->groups, SEK_MODE_MONITOR);
}

static const struct sek_audience everybody;

static const struct sek_audience *audience_of(const struct sek__asker *who,
                                              const struct sek_list *list)
{
    const struct sek_audience *a =
        list->audience && who->groups ? sek_groups_audience(who->groups, list->audience) : NULL;
    return a ? a : &everybody;
}

/* Is the rule for whoever asks? Of anybody, a rule that blocks is, if it is for some, and an
 * exception only if it is for everybody. */
static bool is_for(struct sek__asker *who, const struct sek_audience *a, bool exception)
{
    if (a->only == 0 && a->except == 0)
        return true;
    sek__asker_know(who);
    if (who->asking.endpoint || who->asking.outside)
        return sek_audience_covers(a, who->in);
    return !exception && (a->only == 0 || (a->only & who->in) != 0);
}

/* The same of a rule's own endpoints. */
static bool is_for_endpoint(const struct sek__asker *who, const struct sek__found *f)
{
    if (who->asking.endpoint)
        return sek_termset_holds_for(f->set, f->terms, who->asking.endpoint);
    return !who->asking.outside && f->action != SEK_ACTION_PASSTHRU;
}

/* For some, not for everybody. */
static bool is_for_some(const struct sek__found *f)
{
    return f->audience->only || (f->terms && (f->terms->given & SEK_TERMS_ENDPOINTS));
}

/* --- the steps over rules ------------------------------------------------------------------------
 */

static const char *const pass_wins[SEK__N_PASSES] = {
    [SEK__PASS_EXCEPTION] = "exception: the most specific one passes the name",
    [SEK__PASS_BLOCK] = "most specific block rule, then highest priority",
    [SEK__PASS_RECORD] = "recorded only: nothing blocks, and this rule is to be seen",
};

/* Does a rule with terms take part? Of a question of any type, a rule that blocks does if it does
 * for one type, and an exception only if it does for all. NULL: yes; else why not. */
static const char *terms_sort(const struct sek__asker *who, struct sek__found *f)
{
    const struct sek_terms *t = f->terms;
    if (who->plain && (t->given & (SEK_TERMS_TYPES | SEK_TERMS_SCHEDULE | SEK_TERMS_ENDPOINTS)))
        return "has conditions";
    if (t->given & SEK_TERMS_PRIORITY)
        f->priority = t->priority;
    if ((t->given & SEK_TERMS_START) && who->now_s < t->start_s)
        return "has not begun";
    if ((t->given & SEK_TERMS_ENDPOINTS) && !is_for_endpoint(who, f))
        return "not for this endpoint";
    if (!sek_terms_hold_type(t, who->asking.qtype, f->action == SEK_ACTION_PASSTHRU))
        return "not for this question type";
    if (!sek_termset_holds_at(f->set, t, who->now_s))
        return "not at this time";
    return NULL;
}

/* Does the alias that a rule answers with lead to the very name that is judged? An answer would be
 * a circle, so that name passes, as it does in BIND (a CNAME to oneself is RPZ's oldest passthru):
 * all names of a search engine can be sent to the safe one among them. */
static bool is_arrived(const struct sek__asker *who, const struct sek_policy *policy,
                       const struct sek__found *f)
{
    const struct sek_termset *set = f->records ? sek_policy_terms(policy) : f->set;
    const struct sek_terms *t = f->records ? sek_termset_get(set, f->records) : f->terms;
    size_t n;
    const uint8_t *data = set && t ? sek_termset_data(set, t, &n) : NULL;
    return data && who->name && sek_record_leads_to(data, n, who->name);
}

const char *sek__rule_sort(struct sek__asker *who, const struct sek_policy *policy,
                           const struct sek_met *met, const struct sek_rule *rule,
                           struct sek__found *out)
{
    const struct sek_list *list = sek_policy_list(policy, rule->list);
    unsigned depth = met->depth;
    const char *why;
    if (!list)
        return "its list is gone";
    const struct sek_override *over = sek_policy_override(policy, list->id);
    bool overridden = over && over->action != SEK_ACTION_DEFAULT;
    enum sek_action action = overridden ? over->action : rule->action ? rule->action : list->action;
    *out = (struct sek__found){.list = list,
                               .rule = rule,
                               .audience = audience_of(who, list),
                               .priority = list->priority,
                               .depth = depth,
                               .pattern = met->pattern,
                               .action = action,
                               .overridden = overridden,
                               .order = over ? over->order : 0,
                               .records = over ? over->terms : 0};
    if (rule->terms) {
        out->set = met->terms;
        out->terms = sek_termset_get(met->terms, rule->terms);
        out->terms_new = met->terms == sek_policy_terms(policy);
    }
    if (list->mode == SEK_MODE_OFF)
        return "its list is off";
    if (rule->expires_s && rule->expires_s <= who->now_s)
        return "expired";
    if (!met->pattern && !sek_scope_covers(rule->scope, depth))
        return depth == 0 ? "covers only names below" : "covers only the very name";
    if (!is_for(who, out->audience, action == SEK_ACTION_PASSTHRU))
        return "its list is not for this endpoint";
    if (out->terms && (why = terms_sort(who, out)) != NULL)
        return why;
    out->meant = true;
    if (action == SEK_ACTION_PASSTHRU) {
        if (list->mode == SEK_MODE_MONITOR)
            return "an exception in monitor mode has no effect";
        out->pass = SEK__PASS_EXCEPTION;
    } else {
        bool acts = list->mode == SEK_MODE_BLOCK && sek_action_blocks(action);
        out->arrived = action == SEK_ACTION_DATA && is_arrived(who, policy, out);
        if (out->arrived && !acts)
            return "its alias leads to this very name";
        out->pass = acts ? SEK__PASS_BLOCK : SEK__PASS_RECORD;
        out->satisfied = action == SEK_ACTION_TCP_ONLY && who->asking.stream;
    }
    return NULL;
}

/* The narrower the audience, the lower. */
static unsigned width(const struct sek__found *f)
{
    return is_for_some(f) ? 0 : f->audience->except ? 1 : 2;
}

/* Does `a` rank before `b` in the same pass? Both are sorted; `b` may be empty. */
static bool ranks_before(const struct sek__found *a, const struct sek__found *b)
{
    if (!b->list)
        return true;
    if (a->depth != b->depth)
        return a->depth < b->depth;
    if (width(a) != width(b))
        return width(a) < width(b);
    if (a->priority != b->priority)
        return a->priority > b->priority;
    if (a->list->id != b->list->id)
        return a->list->id < b->list->id;
    return a->rule->scope < b->rule->scope; /* exact before subtree */
}

/* --- policy zones --------------------------------------------------------------------------------
 */

static const char zone_narrower[] = "a more specific rule of the same policy zone counts alone";
static const char zone_earlier[] = "a policy zone before it decides";

/* What was met: a place, and which of its rules. */
struct place {
    unsigned met, rule;
};

/* Within a zone the most specific trigger counts alone, whatever it does
 * (draft-vixie-dnsop-dns-rpz §5). Rules are met in that order. */
static bool is_narrowed(struct sek__asker *who, const struct sek_policy *policy,
                        const struct sek_met *met, struct place at)
{
    uint16_t list = met[at.met].rules[at.rule].list;
    for (unsigned i = 0; i <= at.met; i++) {
        unsigned n = i < at.met ? met[i].n : at.rule;
        for (unsigned j = 0; j < n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct sek__found f = {0};
            if (rule->list != list)
                continue;
            sek__rule_sort(who, policy, &met[i], rule, &f);
            if (f.meant)
                return true;
        }
    }
    return false;
}

/* Can a rule be an earlier policy zone's? Nearly all are turned away by this. */
static bool may_be_earlier(const struct sek_policy *policy, const struct sek_rule *rule,
                           int32_t priority)
{
    const struct sek_override *over = sek_policy_override(policy, rule->list);
    const struct sek_list *list = over && over->order ? sek_policy_list(policy, rule->list) : NULL;
    return list && (rule->terms || list->priority > priority);
}

/* Why the rule of a policy zone does not count, by what zones say of the very same; NULL: it does.
 */
static const char *zones_hide(struct sek__asker *who, const struct sek_policy *policy,
                              const struct sek_met *met, unsigned n_met, struct place at,
                              const struct sek__found *f)
{
    if (is_narrowed(who, policy, met, at))
        return zone_narrower;
    for (unsigned i = 0; i < n_met; i++) {
        for (unsigned j = 0; j < met[i].n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct sek__found g;
            if (rule->list != f->list->id && may_be_earlier(policy, rule, f->priority) &&
                !sek__rule_sort(who, policy, &met[i], rule, &g) && g.priority > f->priority &&
                g.pass != SEK__PASS_RECORD && !is_narrowed(who, policy, met, (struct place){i, j}))
                return zone_earlier;
        }
    }
    return NULL;
}

void sek__best_find(struct sek__asker *who, const struct sek_policy *policy,
                    const struct sek_met *met, unsigned n_met, struct sek__best *out)
{
    for (unsigned i = 0; i < n_met; i++) {
        for (unsigned j = 0; j < met[i].n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct sek__found f;
            if (sek__rule_sort(who, policy, &met[i], rule, &f) ||
                (f.order && zones_hide(who, policy, met, n_met, (struct place){i, j}, &f)))
                continue;
            if (ranks_before(&f, &out->of[f.pass]))
                out->of[f.pass] = f;
            if (f.pass == SEK__PASS_EXCEPTION && (f.audience->only & who->restricted) &&
                ranks_before(&f, &out->own))
                out->own = f;
        }
    }
}

/* A block rule meant for a group of the endpoint's, against an exception for everybody. */
static bool gives_way(const struct sek__found *exception, const struct sek__found *block)
{
    return block->list && is_for_some(block) && !is_for_some(exception) &&
           block->depth <= exception->depth;
}

const struct sek__found *sek__best_winner(const struct sek__best *best)
{
    const struct sek__found *exception = &best->of[SEK__PASS_EXCEPTION],
                            *block = &best->of[SEK__PASS_BLOCK];
    if (exception->list && !gives_way(exception, block))
        return exception;
    if (block->list)
        return block;
    return best->of[SEK__PASS_RECORD].list ? &best->of[SEK__PASS_RECORD] : NULL;
}

static void walk_tell(sek_walk_fn *walk, void *arg, const struct sek__found *f, bool decides,
                      const char *because)
{
    const struct sek_step step = {.list = f->list,
                                  .rule = f->rule,
                                  .terms = f->terms,
                                  .set = f->set,
                                  .depth = f->depth,
                                  .action = f->action,
                                  .overridden = f->overridden,
                                  .decides = decides,
                                  .because = because};
    walk(arg, &step);
}

static const char *loser(const struct sek__found *f, const struct sek__found *winner,
                         bool restricted)
{
    if (!restricted && !winner)
        return "no regular expression blocks the company's zones or what everybody needs";
    if (restricted && f->pass == SEK__PASS_EXCEPTION)
        return "the exception is not meant for the group that restricts this endpoint";
    if (restricted)
        return "the restriction of the endpoint's group decides";
    if (f->pass == SEK__PASS_EXCEPTION && winner->pass == SEK__PASS_BLOCK)
        return "gives way to a rule for a group of this endpoint's";
    if (f->order && winner->order && f->priority < winner->priority)
        return zone_earlier;
    return f->pass == winner->pass ? "a rule before it decides in the same step"
                                   : "an earlier step decides";
}

void sek__walk_all(struct sek__asker *who, const struct sek_policy *policy,
                   const struct sek_met *met, unsigned n_met, const struct sek__found *winner,
                   bool restricted, sek_walk_fn *walk, void *arg)
{
    for (unsigned i = 0; i < n_met; i++) {
        for (unsigned j = 0; j < met[i].n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct sek__found f = {0};
            const char *why = sek__rule_sort(who, policy, &met[i], rule, &f);
            bool decides = winner && winner->rule == rule;
            if (!why && f.order && !decides)
                why = zones_hide(who, policy, met, n_met, (struct place){i, j}, &f);
            if (decides)
                why = f.arrived ? "its alias leads to this very name, which therefore passes"
                                : pass_wins[f.pass];
            else if (!why)
                why = loser(&f, winner, restricted);
            if (f.rule)
                walk_tell(walk, arg, &f, decides, why);
        }
    }
}

void sek__owned_tell(void *arg, const struct sek_step *step)
{
    const struct sek__owned *o = arg;
    struct sek_step own = *step;
    own.owner = o->owner;
    o->walk(o->arg, &own);
}
