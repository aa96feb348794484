/* SPDX-License-Identifier: BSD-3-Clause */
/* block and allow: both put entries into a list. */
#include "base/duration.h"
#include "change.h"
#include "command.h"
#include "name/text.h"
#include "talk.h"
#include "targets.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(block);
SEK_COMMAND(allow);

enum {
    OPT_LIST,
    OPT_REASON,
    OPT_LIFETIME,
    OPT_EXACT,
    OPT_BELOW,
    OPT_FORCE,
    OPT_DRY_RUN,
    OPT_ACTION, /* block only */
    N_OPTS
};

#define COMMON_ROWS                                                                                \
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for those who read it later"},      \
    [OPT_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME", "ends by itself: 30m 8h 3d 2w"},  \
    [OPT_EXACT] = {"exact", 0, SEK_ARG_FLAG, NULL, "the very name only, as =NAME"},                \
    [OPT_BELOW] = {"below", 0, SEK_ARG_FLAG, NULL, "only names below it, as *.NAME"},              \
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also a public suffix such as co.uk"},          \
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"}

const struct sek_arg sek_cmd_block_args[] = {
    [OPT_LIST] = {"list", 'L', SEK_ARG_TEXT, "LIST", "into this list; default local-block"},
    COMMON_ROWS,
    [OPT_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL, "what is done; default as the list says",
                    sek_action_names},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_allow_args[] = {
    [OPT_LIST] = {"list", 'L', SEK_ARG_TEXT, "LIST", "into this list; default local-allow"},
    COMMON_ROWS,
    [N_OPTS - 1] = {0},
};

#define REPLACED_SHOWN 20

struct work {
    struct sek_change change;
    struct sek_targets targets;
    struct sek_list_row list;
    struct sek_entry entry; /* what all have in common */
    bool allow;
    uint64_t n_same;    /* rules that were there */
    uint64_t n_reasons; /* of these got another reason */
};

/* The list must do what the command says: a name "blocked" in a list of exceptions would be let
 * through. */
static enum sek_err list_check(struct work *w, struct sek_context *c)
{
    enum sek_action action =
        w->entry.rule.action ? w->entry.rule.action : (enum sek_action)w->list.list.action;
    if (!w->allow && w->entry.rule.action == SEK_ACTION_PASSTHRU)
        return sek_context_usage(c, "--action passthru blocks nothing: use sekisho allow");
    if (!w->allow && action == SEK_ACTION_PASSTHRU)
        return sek_context_usage(c, "list %s holds exceptions: use sekisho allow, or --action",
                                 w->list.list.name);
    return SEK_OK;
}

static enum sek_err entry_prepare(struct work *w, struct sek_context *c)
{
    const char *reason = c->opt[OPT_REASON].given ? c->opt[OPT_REASON].text : "";
    struct sek_entry *e = &w->entry;
    if (strlen(reason) >= sizeof e->comment)
        return sek_context_usage(c, "--reason: at most %zu octets", sizeof e->comment - 1);
    snprintf(e->comment, sizeof e->comment, "%s", reason);
    snprintf(e->who, sizeof e->who, "%s", w->change.who);
    e->created_s = c->now_s;
    e->rule.list = w->list.list.id;
    if (c->opt[OPT_LIFETIME].given)
        e->rule.expires_s = c->now_s + c->opt[OPT_LIFETIME].number;
    if (w->allow && w->list.list.action != SEK_ACTION_PASSTHRU)
        e->rule.action = SEK_ACTION_PASSTHRU;
    if (!w->allow && c->opt[OPT_ACTION].given)
        e->rule.action = (uint8_t)c->opt[OPT_ACTION].number;
    return list_check(w, c);
}

/* What an entry replaces must not vanish unseen: a life time would end somebody else's block. */
struct replaced {
    const struct sek_entry *fresh;
    uint64_t n;
    uint64_t n_reasons; /* of these, rules that stay and get another reason */
};

static void tell_reason(const struct sek_entry *old, const char *name)
{
    sek_talk("%s: reason replaced (was: %s, by %s)", name, *old->comment ? old->comment : "none",
             old->who);
}

static void tell_rule(const struct sek_entry *old, const char *name)
{
    char ends[40] = "without end", when[32];
    if (old->rule.expires_s)
        snprintf(ends, sizeof ends, "until %s",
                 sek_time_to_text(old->rule.expires_s, when, sizeof when));
    sek_talk("%s was there, %s, by %s%s%s: replaced", name, ends, old->who,
             *old->comment ? ": " : "", old->comment);
}

static bool tell_replaced(void *arg, const struct sek_entry *old)
{
    struct replaced *r = arg;
    const struct sek_entry *fresh = r->fresh;
    char name[SEK_NAME_TEXT_MAX + 2];
    if (old->rule.list != fresh->rule.list || old->rule.scope != fresh->rule.scope)
        return true;
    bool same =
        old->rule.action == fresh->rule.action && old->rule.expires_s == fresh->rule.expires_s;
    if (same && (!*fresh->comment || strcmp(old->comment, fresh->comment) == 0))
        return true;
    r->n_reasons += same;
    if (++r->n > REPLACED_SHOWN)
        return true;
    sek_rule_to_text((enum sek_scope)old->rule.scope, old->name.octets, name);
    (same ? tell_reason : tell_rule)(old, name);
    return true;
}

static enum sek_err entries_put(struct work *w, struct sek_context *c)
{
    enum sek_action action =
        w->entry.rule.action ? w->entry.rule.action : (enum sek_action)w->list.list.action;
    struct replaced replaced = {.fresh = &w->entry};
    for (uint64_t i = 0; i < w->targets.n; i++) {
        const struct sek_target *t = &w->targets.items[i];
        bool changed;
        enum sek_err err = sek_change_guard(&w->change, &t->name, t->scope, action,
                                            c->opt[OPT_FORCE].given, &c->diag);
        w->entry.name = t->name;
        w->entry.rule.scope = (uint8_t)t->scope;
        if (!err)
            err =
                sek_policydb_entries_at(w->change.db, &t->name, tell_replaced, &replaced, &c->diag);
        if (!err)
            err = sek_policydb_entry_put(w->change.db, &w->entry, &changed, &c->diag);
        if (err)
            return err;
        w->n_same += !changed;
    }
    w->n_reasons = replaced.n_reasons;
    return SEK_OK;
}

static void done(struct work *w)
{
    char name[SEK_NAME_TEXT_MAX + 2], ends[64] = "", when[32];
    const struct sek_target *first = &w->targets.items[0];
    const char *what = w->allow ? "excepted" : "listed", *list = w->list.list.name;
    uint64_t n_new = w->targets.n - w->n_same;
    sek_rule_to_text(first->scope, first->name.octets, name);
    if (w->entry.rule.expires_s)
        snprintf(ends, sizeof ends, " until %s",
                 sek_time_to_text(w->entry.rule.expires_s, when, sizeof when));
    if (w->n_same == w->targets.n && w->n_reasons)
        sek_change_done(&w->change,
                        "%" PRIu64 " reason%s changed in %s; the rules were there before",
                        w->n_reasons, w->n_reasons == 1 ? "" : "s", list);
    else if (w->n_same == w->targets.n)
        sek_change_done(&w->change, "nothing to change: list %s has %s already", list,
                        w->targets.n == 1 ? name : "all of them");
    else if (w->targets.n == 1)
        sek_change_done(&w->change, "%s %s in %s%s", name, what, list, ends);
    else if (w->n_same == 0)
        sek_change_done(&w->change, "%" PRIu64 " names %s in %s%s", w->targets.n, what, list, ends);
    else
        sek_change_done(
            &w->change, "%" PRIu64 " name%s %s in %s%s; %" PRIu64 " more %s there before", n_new,
            n_new == 1 ? "" : "s", what, list, ends, w->n_same, w->n_same == 1 ? "was" : "were");
}

static enum sek_err put(struct sek_context *c, bool allow)
{
    struct work w = {.allow = allow};
    const char *list = c->opt[OPT_LIST].given ? c->opt[OPT_LIST].text
                       : allow                ? SEK_LIST_LOCAL_ALLOW
                                              : SEK_LIST_LOCAL_BLOCK;
    bool dry_run = c->opt[OPT_DRY_RUN].given;
    enum sek_err err =
        sek_targets_read(&w.targets, c, c->opt[OPT_EXACT].given, c->opt[OPT_BELOW].given);
    if (!err)
        err = sek_change_begin(&w.change, c, dry_run);
    if (!err)
        err = sek_change_list(&w.change, list, &w.list);
    if (!err)
        err = entry_prepare(&w, c);
    if (!err)
        err = entries_put(&w, c);
    if (!err) {
        done(&w);
        err = sek_change_end(&w.change);
    }
    if (!err && !dry_run)
        sek_effect_tell(w.change.conf, c->now_s, allow ? SEK_EFFECT_ALLOWED : SEK_EFFECT_BLOCKED,
                        list, w.targets.items, w.targets.n);
    sek_targets_fini(&w.targets);
    return sek_change_fini(&w.change, err);
}

enum sek_err sek_cmd_block(struct sek_context *c)
{
    return put(c, false);
}

enum sek_err sek_cmd_allow(struct sek_context *c)
{
    return put(c, true);
}
