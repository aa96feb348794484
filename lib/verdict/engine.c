/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/engine.h"
#include "classify/classify.h"
#include "verdict/canary.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define EDE_BLOCKED 15 /* RFC 8914 §4.16 */

/* The three passes over the rules that a name meets. Each pass takes the first rule that ranks
 * highest in it; a later pass is asked only if the earlier ones found nothing. */
enum pass {
    PASS_EXCEPTION,
    PASS_BLOCK,
    PASS_RECORD, /* action log, and what a list in monitor mode would do */
    N_PASSES,
};

static const char *const pass_wins[N_PASSES] = {
    [PASS_EXCEPTION] = "exception: the most specific one passes the name",
    [PASS_BLOCK] = "most specific block rule, then highest list priority",
    [PASS_RECORD] = "recorded only: nothing blocks, and this rule is to be seen",
};

struct found {
    const struct sek_list *list;
    const struct sek_rule *rule;
    unsigned depth;
    enum sek_action action;
    enum pass pass;
};

/* The pass in which a rule takes part. NULL: it does; else why it takes no part at all. */
static const char *rule_sort(const struct sek_list *list, const struct sek_rule *rule,
                             unsigned depth, int64_t now_s, struct found *out)
{
    if (!list)
        return "its list is gone";
    enum sek_action action = rule->action ? rule->action : list->action;
    *out = (struct found){.list = list, .rule = rule, .depth = depth, .action = action};
    if (list->mode == SEK_MODE_OFF)
        return "its list is off";
    if (rule->expires_s && rule->expires_s <= now_s)
        return "expired";
    if (!sek_scope_covers(rule->scope, depth))
        return depth == 0 ? "covers only names below" : "covers only the very name";
    if (action == SEK_ACTION_PASSTHRU) {
        if (list->mode == SEK_MODE_MONITOR)
            return "an exception in monitor mode has no effect";
        out->pass = PASS_EXCEPTION;
    } else {
        bool acts = list->mode == SEK_MODE_BLOCK && sek_action_blocks(action);
        out->pass = acts ? PASS_BLOCK : PASS_RECORD;
    }
    return NULL;
}

/* Does `a` rank before `b` in the same pass? Both are sorted; `b` may be empty. */
static bool ranks_before(const struct found *a, const struct found *b)
{
    if (!b->list)
        return true;
    if (a->depth != b->depth)
        return a->depth < b->depth;
    if (a->list->priority != b->list->priority)
        return a->list->priority > b->list->priority;
    if (a->list->id != b->list->id)
        return a->list->id < b->list->id;
    return a->rule->scope < b->rule->scope; /* exact before subtree */
}

static void walk_tell(sek_walk_fn *walk, void *arg, const struct found *f, bool decides,
                      const char *because)
{
    const struct sek_step step = {.list = f->list,
                                  .rule = f->rule,
                                  .depth = f->depth,
                                  .decides = decides,
                                  .because = because};
    walk(arg, &step);
}

/* Tell of every rule met, most specific first; `winner` is NULL when none decides. */
static void walk_all(const struct sek_policy *policy, const struct sek_met *met, unsigned n_met,
                     int64_t now_s, const struct found *winner, sek_walk_fn *walk, void *arg)
{
    for (unsigned i = 0; i < n_met; i++) {
        for (unsigned j = 0; j < met[i].n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct found f = {0};
            const char *why =
                rule_sort(sek_policy_list(policy, rule->list), rule, met[i].depth, now_s, &f);
            bool decides = winner && winner->rule == rule;
            if (decides)
                why = pass_wins[f.pass];
            else if (!why)
                why = f.pass == winner->pass ? "a rule before it decides in the same step"
                                             : "an earlier step decides";
            if (f.rule)
                walk_tell(walk, arg, &f, decides, why);
        }
    }
}

static void verdict_fill(struct sek_verdict *out, const struct found *f, enum sek_trigger trigger)
{
    out->trigger = trigger;
    out->would = f->action;
    out->action = f->pass == PASS_BLOCK ? f->action : SEK_ACTION_PASSTHRU;
    out->monitor = f->list->mode == SEK_MODE_MONITOR;
    out->scope = f->rule->scope;
    out->depth = (uint8_t)f->depth;
    out->list = f->list->id;
    out->ede = f->list->ede;
    memcpy(out->list_name, f->list->name, sizeof out->list_name);
}

/* The rules' part. */
static void decide_by_rules(const struct sek_policy *policy, const struct sek_name *name,
                            int64_t now_s, enum sek_trigger trigger, struct sek_verdict *out,
                            sek_walk_fn *walk, void *arg)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    unsigned n_met = sek_policy_lookup(policy, name, met);
    if (n_met == 0) /* nearly every name */
        return;

    struct found best[N_PASSES] = {0};
    for (unsigned i = 0; i < n_met; i++) {
        for (unsigned j = 0; j < met[i].n; j++) {
            const struct sek_rule *rule = &met[i].rules[j];
            struct found f;
            if (!rule_sort(sek_policy_list(policy, rule->list), rule, met[i].depth, now_s, &f) &&
                ranks_before(&f, &best[f.pass]))
                best[f.pass] = f;
        }
    }
    const struct found *winner = NULL;
    for (int p = 0; p < N_PASSES && !winner; p++)
        if (best[p].list)
            winner = &best[p];
    if (winner)
        verdict_fill(out, winner, trigger);
    if (walk)
        walk_all(policy, met, n_met, now_s, winner, walk, arg);
}

/* An exception, or a rule that blocks: no later step is asked. */
static bool is_final(const struct sek_verdict *v)
{
    return v->trigger != SEK_TRIGGER_NONE &&
           (sek_action_blocks(v->action) || !sek_verdict_is_hit(v));
}

static void fill(struct sek_verdict *out, enum sek_trigger trigger, enum sek_action action,
                 enum sek_scope scope, unsigned depth, const char *by)
{
    out->trigger = trigger;
    out->would = out->action = action;
    out->monitor = false;
    out->scope = (uint8_t)scope;
    out->depth = (uint8_t)depth;
    out->list = 0;
    out->ede = EDE_BLOCKED;
    snprintf(out->list_name, sizeof out->list_name, "%s", by);
}

static void decide_by_canary(int canary, const struct sek_name *name, enum sek_trigger trigger,
                             struct sek_verdict *out)
{
    if (trigger != SEK_TRIGGER_QNAME || is_final(out) || !sek_canary_is(name))
        return;
    fill(out, SEK_TRIGGER_CANARY,
         canary == SEK_CANARY_NODATA ? SEK_ACTION_NODATA : SEK_ACTION_NXDOMAIN, SEK_SCOPE_EXACT, 0,
         sek_lookup_name(sek_trigger_names, SEK_TRIGGER_CANARY));
}

static void decide_by_finding(const struct sek_dynamic *dynamic, const struct sek_name *name,
                              int64_t now_s, struct sek_verdict *out)
{
    unsigned depth;
    if (is_final(out))
        return;
    const struct sek_dynamic_row *row = sek_dynamic_find(dynamic, name, now_s, &depth);
    if (!row)
        return;
    fill(out, SEK_TRIGGER_FINDING, SEK_ACTION_SINKHOLE, SEK_SCOPE_SUBTREE, depth, row->by);
}

void sek_engine_decide(const struct sek_engine *engine, const struct sek_name *name, int64_t now_s,
                       enum sek_trigger trigger, struct sek_verdict *out, sek_walk_fn *walk,
                       void *arg)
{
    out->action = out->would = SEK_ACTION_PASSTHRU;
    out->trigger = SEK_TRIGGER_NONE;
    out->monitor = false;
    out->scope = out->depth = 0;
    out->list = out->ede = 0;
    out->score = SEK_CLASSIFY_NONE;
    out->generation = 0;
    out->until_s = 0;
    out->list_name[0] = '\0';
    if (engine->policy) {
        out->generation = sek_policy_generation(engine->policy);
        decide_by_rules(engine->policy, name, now_s, trigger, out, walk, arg);
    }
    if (engine->canary != SEK_CANARY_OFF)
        decide_by_canary(engine->canary, name, trigger, out);
    if (engine->dynamic)
        decide_by_finding(engine->dynamic, name, now_s, out);
}
