/* SPDX-License-Identifier: BSD-3-Clause */
#include "effect.h"
#include "name/text.h"
#include "tools/print/talk.h"
#include "verdict/engine.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

#define LINES_MAX 20

/* A name that the rule covers: itself, or one below it. False when there is no room for one. */
static bool covered_name(const struct sek_target *t, struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX + 2] = {1, '*'}; /* as in a query for a wildcard itself */
    if (sek_about_of(&t->name) != SEK_ABOUT_NAME)
        return false; /* nobody asks for those */
    if (t->scope != SEK_SCOPE_BELOW) {
        *out = t->name;
        return true;
    }
    memcpy(wire + 2, t->name.octets, t->name.len);
    return sek_name_from_wire(wire, t->name.len + 2U, out) == SEK_OK;
}

/* The rule that decided, in list notation. */
static void rule_of(const struct sek_engine *engine, const struct sek_name *name,
                    const struct sek_verdict *v, char *out)
{
    struct sek_name owner;
    if (sek_engine_owner(engine, name, v, &owner))
        sek_rule_to_text((enum sek_scope)v->scope, owner.octets, out);
}

/* What to say about a name, or nothing. Returns true if it is not as wanted. */
static bool effect_tell(const struct sek_engine *engine, enum sek_effect_wanted wanted,
                        const char *list, const struct sek_target *t, const struct sek_name *name,
                        const struct sek_verdict *v, bool say)
{
    char text[SEK_NAME_TEXT_MAX + 2], rule[SEK_NAME_TEXT_MAX + 2] = "";
    bool blocked = sek_action_blocks(v->action), hit = v->trigger != SEK_TRIGGER_NONE;
    if (blocked == (wanted == SEK_EFFECT_BLOCKED))
        return false;
    if (!say)
        return true;
    sek_rule_to_text(t->scope, t->name.octets, text);
    if (hit)
        rule_of(engine, name, v, rule);
    if (wanted == SEK_EFFECT_UNBLOCKED && strcmp(v->list_name, list) == 0)
        sek_talk(
            "%s is still blocked by %s of the same list; sekisho unblock --list %s %s ends that",
            text, rule, list, rule);
    else if (wanted == SEK_EFFECT_UNBLOCKED)
        sek_talk("%s is still blocked: list %s has %s; sekisho allow %s makes an exception", text,
                 v->list_name, rule, text);
    else if (wanted == SEK_EFFECT_ALLOWED)
        sek_talk("%s is still blocked by list %s (%s): list %s has no effect now; see "
                 "sekisho list show",
                 text, v->list_name, rule, list);
    else if (hit && v->would == SEK_ACTION_PASSTHRU)
        sek_talk("%s still resolves: list %s excepts %s; sekisho unblock --list %s %s ends that",
                 text, v->list_name, rule, v->list_name, rule);
    else if (hit)
        sek_talk("%s still resolves and is only recorded: list %s %s", text, v->list_name,
                 v->monitor ? "is in monitor mode" : "has the action log");
    else
        sek_talk("%s still resolves: list %s is off; sekisho list enable %s", text, list, list);
    return true;
}

uint64_t sek_effect_tell(const struct sek_conf *conf, int64_t now_s, enum sek_effect_wanted wanted,
                         const char *list, const struct sek_target *targets, uint64_t n)
{
    struct sek_policy *policy;
    uint64_t n_other = 0;
    if (sek_policy_open_mapped(conf->policy.dir, &policy, NULL))
        return 0;
    static const struct sek_addr in_no_group;
    struct sek_engine engine = {.policy = policy, .asking.endpoint = &in_no_group};
    for (uint64_t i = 0; i < n; i++) {
        struct sek_name name;
        struct sek_verdict v;
        if (!covered_name(&targets[i], &name))
            continue;
        sek_engine_decide(&engine, &name, now_s, SEK_TRIGGER_QNAME, &v, NULL, NULL);
        n_other += effect_tell(&engine, wanted, list, &targets[i], &name, &v, n_other < LINES_MAX);
    }
    sek_policy_close(policy);
    if (n_other > LINES_MAX)
        sek_talk("… and %" PRIu64 " more names likewise", n_other - LINES_MAX);
    return n_other;
}
