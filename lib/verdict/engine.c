/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/engine.h"
#include "classify/classify.h"
#include "verdict/canary.h"
#include "verdict/rulewalk.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define EDE_BLOCKED 15    /* RFC 8914 §4.16 */
#define EDE_PROHIBITED 18 /* RFC 8914 §4.19: this client may not */

bool sek__verdict_is_final(const struct sek_verdict *v)
{
    return v->trigger != SEK_TRIGGER_NONE &&
           (sek_action_blocks(v->action) || !sek_verdict_is_hit(v));
}

static void terms_clear(struct sek_verdict *out)
{
    out->terms = 0;
    out->ttl_s = SEK_TTL_OF_SETTINGS;
    out->log = SEK_LOG_NORMAL;
    out->terms_new = false;
}

/* What the rule's own terms say in place of its list and the settings. */
static void terms_fill(struct sek_verdict *out, const struct sek__found *f)
{
    const struct sek_terms *t = f->terms;
    out->terms = f->rule->terms;
    out->terms_new = f->terms_new;
    if (t->given & SEK_TERMS_EDE)
        out->ede = t->ede;
    if (t->given & SEK_TERMS_TTL)
        out->ttl_s = t->ttl_s;
    out->log = t->log;
}

bool sek__is_earlier(const struct sek__found *f, const struct sek_verdict *v)
{
    return f->order && v->order && f->priority > v->priority;
}

void sek__verdict_fill(struct sek_verdict *out, const struct sek__found *f,
                       enum sek_trigger trigger)
{
    out->trigger = trigger;
    out->would = f->arrived ? SEK_ACTION_PASSTHRU : f->action;
    out->action = f->pass == SEK__PASS_BLOCK && !f->satisfied ? out->would : SEK_ACTION_PASSTHRU;
    out->monitor = f->list->mode == SEK_MODE_MONITOR;
    out->scope = f->rule->scope;
    out->depth = f->pattern ? 0 : (uint8_t)f->depth;
    out->pattern = f->pattern;
    /* an exception of a name on the way covers that name only, whatever it is made by */
    if (f->pattern && !(trigger == SEK_TRIGGER_CNAME && f->pass == SEK__PASS_EXCEPTION))
        out->trigger = SEK_TRIGGER_REGEX;
    out->list = f->list->id;
    out->priority = f->priority;
    out->order = f->order;
    out->ede = f->list->ede;
    memcpy(out->list_name, f->list->name, sizeof out->list_name);
    terms_clear(out);
    if (f->terms)
        terms_fill(out, f);
    if (f->records) {
        out->terms = f->records;
        out->terms_new = true;
    }
}

void sek__verdict_set(struct sek_verdict *out, enum sek_trigger trigger, enum sek_action action,
                      enum sek_scope scope, unsigned depth, const char *by)
{
    out->trigger = trigger;
    out->would = out->action = action;
    out->monitor = false;
    out->scope = (uint8_t)scope;
    out->depth = (uint8_t)depth;
    out->pattern = 0;
    out->list = 0;
    out->order = 0;
    out->ede = EDE_BLOCKED;
    terms_clear(out);
    snprintf(out->list_name, sizeof out->list_name, "%s", by);
}

/* The group that restricts whoever asks: the first, where there are several. */
static const struct sek_client_group *restricting(const struct sek__asker *who)
{
    return who->restricted
               ? sek_groups_get(who->groups, (unsigned)__builtin_ctzll(who->restricted) + 1)
               : NULL;
}

bool sek__is_own(const struct sek_never *own, const struct sek_name *name)
{
    return own && sek_never_check(own, name, SEK_SCOPE_EXACT, SEK_ACTION_SINKHOLE, true, NULL);
}

static void restrict_fill(struct sek_verdict *out, const struct sek_client_group *group,
                          const struct sek_name *name)
{
    sek__verdict_set(out, SEK_TRIGGER_CLIENT_IP, group->action, SEK_SCOPE_SUBTREE, name->n_labels,
                     group->name);
    out->list = group->list;
    out->ede = EDE_PROHIBITED;
    if (group->mode == SEK_MODE_MONITOR) {
        out->monitor = true;
        out->action = SEK_ACTION_PASSTHRU;
    }
}

void sek__decide_by_met(struct sek__asker *who, const struct sek_policy *policy,
                        const struct sek_met *met, unsigned n_met, enum sek_trigger trigger,
                        struct sek_verdict *out, sek_walk_fn *walk, void *arg)
{
    struct sek__best best = {0};
    sek__best_find(who, policy, met, n_met, &best);
    const struct sek__found *winner = sek__best_winner(&best);
    if (winner)
        sek__verdict_fill(out, winner, trigger);
    if (walk)
        sek__walk_all(who, policy, met, n_met, winner, false, walk, arg);
}

/* Known already, or nothing restricts anybody. */
static bool is_restricted(const struct sek__asker *who)
{
    return who->restricted &&
           (who->restricted & sek_groups_restricted(who->groups, SEK_MODE_BLOCK));
}

/* --- who asks, by address
 * ------------------------------------------------------------------------ */

/* Is there a rule that blocks any endpoint? */
static void decide_for_anybody(struct sek__asker *who, const struct sek_policy *policy,
                               struct sek_verdict *out)
{
    unsigned n;
    const struct sek_rule *rules = sek_nets_clients(sek_policy_nets(policy), &n);
    const struct sek_met met = {.rules = rules, .n = n, .terms = sek_policy_terms(policy)};
    for (unsigned i = 0; i < n && out->trigger == SEK_TRIGGER_NONE; i++) {
        struct sek__found f;
        if (!sek__rule_sort(who, policy, &met, &rules[i], &f) && f.pass == SEK__PASS_BLOCK)
            sek__verdict_fill(out, &f, SEK_TRIGGER_CLIENT_IP);
    }
}

/* True: that is final. Of a restricted endpoint its group decides. */
static bool decide_by_client(const struct sek_engine *engine, struct sek__asker *who,
                             struct sek_verdict *out, sek_walk_fn *walk, void *arg)
{
    const struct sek_nets *nets = sek_policy_nets(engine->policy);
    struct sek_met met[SEK_NETS_MET_MAX];
    if (!nets || sek_nets_count(nets, SEK_ABOUT_CLIENT_IP) == 0 || who->asking.outside)
        return false;
    if (!who->asking.endpoint) {
        decide_for_anybody(who, engine->policy, out);
    } else if (!is_restricted(who)) {
        unsigned n = sek_nets_lookup(nets, SEK_ABOUT_CLIENT_IP, who->asking.endpoint, met);
        if (n > 0)
            sek__decide_by_met(who, engine->policy, met, n, SEK_TRIGGER_CLIENT_IP, out, walk, arg);
    }
    out->scope = out->depth = 0;
    return sek__verdict_is_final(out);
}

/* --- by its text ---------------------------------------------------------------------------------
 */

/* The regular expressions that a name meets, each as it is found. */
struct patterns {
    struct sek__asker *who;
    const struct sek_policy *policy;
    struct sek__best *best;
    const struct sek__found *winner; /* and what follows: for the walk */
    bool restricted;
    sek_walk_fn *walk;
    void *arg;
};

static void patterns_find(void *arg, const struct sek_met *met)
{
    const struct patterns *p = arg;
    sek__best_find(p->who, p->policy, met, 1, p->best);
}

static void patterns_tell(void *arg, const struct sek_met *met)
{
    const struct patterns *p = arg;
    struct sek_name owner;
    struct sek__owned owned = {p->walk, p->arg, &owner};
    if (sek_policy_pattern(p->policy, met->pattern, &owner))
        sek__walk_all(p->who, p->policy, met, 1, p->winner, p->restricted, sek__owned_tell, &owned);
}

/* What a company's own zones and what everybody needs are called, no expression shall block. */
static void decide_by_text(struct patterns *p, const struct sek_never *own,
                           const struct sek_name *name)
{
    const struct sek__best names = *p->best;
    struct sek__found *block = &p->best->of[SEK__PASS_BLOCK];
    struct sek__found *record = &p->best->of[SEK__PASS_RECORD];
    sek_policy_match(p->policy, name, patterns_find, p);
    if ((block->pattern || record->pattern) && sek__is_own(own, name)) {
        *block = names.of[SEK__PASS_BLOCK];
        *record = names.of[SEK__PASS_RECORD];
    }
}

/* Zones have an order whatever their rules are about: the name may be an earlier one's business
 * than whoever asks. Of anybody it is not looked at: what only some may have nobody shares. */
static void decide_by_earlier_zone(const struct sek_engine *engine, struct sek__asker *who,
                                   const struct sek_name *name, struct sek_verdict *out,
                                   sek_walk_fn *walk, void *arg)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek__best best = {0};
    if (!out->order || !who->asking.endpoint)
        return;
    unsigned n_met = sek_policy_lookup(engine->policy, name, met);
    sek__best_find(who, engine->policy, met, n_met, &best);
    const struct sek__found *winner = sek__best_winner(&best);
    if (!winner || winner->pass == SEK__PASS_RECORD || !sek__is_earlier(winner, out))
        return;
    sek__verdict_fill(out, winner, SEK_TRIGGER_QNAME);
    if (walk)
        sek__walk_all(who, engine->policy, met, n_met, winner, false, walk, arg);
}

bool sek_engine_owner(const struct sek_engine *engine, const struct sek_name *name,
                      const struct sek_verdict *verdict, struct sek_name *out)
{
    if (!engine->policy || verdict->trigger == SEK_TRIGGER_NONE || verdict->scope == 0 ||
        verdict->generation != sek_policy_generation(engine->policy))
        return false;
    if (verdict->pattern)
        return sek_policy_pattern(engine->policy, verdict->pattern, out);
    if (verdict->depth > name->n_labels)
        return false;
    sek_name_parent(name, verdict->depth, out);
    return true;
}

/* Does any group restrict whoever belongs to it? */
static bool restricts(const struct sek_groups *groups)
{
    return groups && (sek_groups_restricted(groups, SEK_MODE_BLOCK) |
                      sek_groups_restricted(groups, SEK_MODE_MONITOR));
}

/* Rules and restrictions. */
static void decide_by_rules(const struct sek_engine *engine, const struct sek_name *name,
                            int64_t now_s, enum sek_trigger trigger, struct sek_verdict *out,
                            sek_walk_fn *walk, void *arg)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek__asker who = sek__asker_of(engine, name, now_s);
    bool restrictions = restricts(who.groups);
    if (restrictions)
        sek__asker_know(&who);
    if (trigger == SEK_TRIGGER_QNAME && decide_by_client(engine, &who, out, walk, arg)) {
        decide_by_earlier_zone(engine, &who, name, out, walk, arg);
        return;
    }
    unsigned n_met = sek_policy_lookup(engine->policy, name, met);
    bool patterns = sek_policy_n_patterns(engine->policy) > 0;
    if (n_met == 0 && !restrictions && !patterns) /* nearly every name */
        return;

    struct sek__best best = {0};
    struct patterns p = {
        .who = &who, .policy = engine->policy, .best = &best, .walk = walk, .arg = arg};
    sek__best_find(&who, engine->policy, met, n_met, &best);
    if (patterns)
        decide_by_text(&p, engine->own, name);
    const struct sek_client_group *group = restricting(&who);
    bool exempt = group && (best.own.list || sek__is_own(engine->own, name));
    bool restricted = group && group->mode == SEK_MODE_BLOCK && !exempt;
    const struct sek__found *winner = sek__best_winner(&best);
    if (restricted)
        winner = NULL;
    else if (group && group->mode == SEK_MODE_BLOCK && best.own.list)
        winner = &best.own;
    if (winner)
        sek__verdict_fill(out, winner, trigger);
    else if (group && !exempt)
        restrict_fill(out, group, name);
    if (walk && group && !exempt)
        walk(arg,
             &(struct sek_step){.group = group,
                                .depth = name->n_labels,
                                .decides = !winner,
                                .because = winner ? "a rule decides, and this one only records"
                                                  : "only exceptions meant for this group pass"});
    if (walk)
        sek__walk_all(&who, engine->policy, met, n_met, winner, restricted, walk, arg);
    p.winner = winner;
    p.restricted = restricted;
    if (walk && patterns)
        sek_policy_match(engine->policy, name, patterns_tell, &p);
}

static void decide_by_canary(int canary, const struct sek_name *name, enum sek_trigger trigger,
                             struct sek_verdict *out)
{
    if (trigger != SEK_TRIGGER_QNAME || sek__verdict_is_final(out) || !sek_canary_is(name))
        return;
    sek__verdict_set(out, SEK_TRIGGER_CANARY,
                     canary == SEK_CANARY_NODATA ? SEK_ACTION_NODATA : SEK_ACTION_NXDOMAIN,
                     SEK_SCOPE_EXACT, 0, sek_lookup_name(sek_trigger_names, SEK_TRIGGER_CANARY));
}

static void decide_by_finding(const struct sek_dynamic *dynamic, const struct sek_name *name,
                              int64_t now_s, struct sek_verdict *out)
{
    unsigned depth;
    if (sek__verdict_is_final(out))
        return;
    const struct sek_dynamic_row *row = sek_dynamic_find(dynamic, name, now_s, &depth);
    if (!row)
        return;
    sek__verdict_set(out, SEK_TRIGGER_FINDING, SEK_ACTION_SINKHOLE, SEK_SCOPE_SUBTREE, depth,
                     row->by);
}

void sek__verdict_clear(struct sek_verdict *out)
{
    out->action = out->would = SEK_ACTION_PASSTHRU;
    out->trigger = SEK_TRIGGER_NONE;
    out->monitor = false;
    out->scope = out->depth = 0;
    out->pattern = 0;
    out->list = out->ede = 0;
    out->priority = 0;
    out->order = 0;
    out->score = SEK_CLASSIFY_NONE;
    out->generation = 0;
    out->until_s = 0;
    terms_clear(out);
    out->list_name[0] = '\0';
}

void sek_engine_decide(const struct sek_engine *engine, const struct sek_name *name, int64_t now_s,
                       enum sek_trigger trigger, struct sek_verdict *out, sek_walk_fn *walk,
                       void *arg)
{
    sek__verdict_clear(out);
    if (engine->policy) {
        out->generation = sek_policy_generation(engine->policy);
        decide_by_rules(engine, name, now_s, trigger, out, walk, arg);
    }
    if (engine->canary != SEK_CANARY_OFF)
        decide_by_canary(engine->canary, name, trigger, out);
    if (engine->dynamic)
        decide_by_finding(engine->dynamic, name, now_s, out);
}

static void patterns_met(void *arg, const struct sek_met *met)
{
    (void)met;
    *(bool *)arg = true;
}

bool sek_engine_is_blank(const struct sek_engine *engine, const struct sek_name *name)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    const struct sek_policy *policy = engine->policy;
    const struct sek_nets *nets = policy ? sek_policy_nets(policy) : NULL;
    unsigned depth;
    bool matches = false;
    if (!policy || restricts(sek_policy_groups(policy)) ||
        (nets && sek_nets_count(nets, SEK_ABOUT_CLIENT_IP) > 0) ||
        sek_policy_lookup(policy, name, met) > 0)
        return false;
    if (sek_policy_n_patterns(policy) > 0)
        sek_policy_match(policy, name, patterns_met, &matches);
    return !matches && (engine->canary == SEK_CANARY_OFF || !sek_canary_is(name)) &&
           (!engine->dynamic || !sek_dynamic_find(engine->dynamic, name, INT64_MIN, &depth));
}
