/* SPDX-License-Identifier: BSD-3-Clause */
/* block and allow: both put entries into a list. */
#include "base/duration.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/change/groups.h"
#include "store/exceptions.h"
#include "name/text.h"
#include "policy/records.h"
#include "policy/terms_text.h"
#include "tools/print/talk.h"
#include "tools/zone.h"
#include "tools/change/targets.h"
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
    OPT_GROUP,
    OPT_TYPE,
    OPT_SCHEDULE,
    OPT_START,
    OPT_PRIORITY,
    OPT_DRY_RUN,
    OPT_ACTION, /* block only, from here on */
    OPT_EDE,
    OPT_EDE_TEXT,
    OPT_TTL,
    OPT_LOG,
    OPT_DATA,
    N_OPTS
};

#define COMMON_ROWS                                                                                \
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for those who read it later"},      \
    [OPT_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME", "ends by itself: 30m 8h 3d 2w"},  \
    [OPT_EXACT] = {"exact", 0, SEK_ARG_FLAG, NULL, "the very name only, as =NAME"},                \
    [OPT_BELOW] = {"below", 0, SEK_ARG_FLAG, NULL, "only names below it, as *.NAME"},              \
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also a public suffix such as co.uk"},          \
    [OPT_GROUP] = {"group", 'g', SEK_ARG_TEXT, "GROUP", "only for endpoints of this group"},       \
    [OPT_TYPE] = {"type", 't', SEK_ARG_TEXT, "TYPES", "only for these: A,TXT; !A for all but A"},  \
    [OPT_SCHEDULE] = {"schedule", 0, SEK_ARG_TEXT, "HOURS",                                        \
                      "only then: \"mon-fri 08:00-18:00 Europe/Berlin\""},                         \
    [OPT_START] = {"start", 0, SEK_ARG_TEXT, "TIME", "not before 2026-12-01T08:00Z"},              \
    [OPT_PRIORITY] = {"priority", 'p', SEK_ARG_TEXT, "NUMBER", "in place of the list's"},          \
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"}

const struct sek_arg sek_cmd_block_args[] = {
    [OPT_LIST] = {"list", 'L', SEK_ARG_TEXT, "LIST", "into this list; default local-block"},
    COMMON_ROWS,
    [OPT_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL, "what is done; default as the list says",
                    sek_action_names},
    [OPT_EDE] = {"ede", 0, SEK_ARG_TEXT, "CODE", "of the answer (RFC 8914); default the list's"},
    [OPT_EDE_TEXT] = {"ede-text", 0, SEK_ARG_TEXT, "TEXT", "what the answer says about why"},
    [OPT_TTL] = {"ttl", 0, SEK_ARG_TEXT, "SECONDS", "of the answer; default answer.ttl"},
    [OPT_LOG] = {"log", 0, SEK_ARG_TEXT, "none|normal", "none: hits are counted, not recorded"},
    [OPT_DATA] = {"data", 'd', SEK_ARG_TEXTS, "RECORD",
                  "answer with it: \"A 192.0.2.1\"; several times for several"},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_allow_args[] = {
    [OPT_LIST] = {"list", 'L', SEK_ARG_TEXT, "LIST", "into this list; default local-allow"},
    COMMON_ROWS,
    [OPT_ACTION] = {0},
};

#define REPLACED_SHOWN 20
#define GROUP_BLOCK "-block" /* behind a group's name: the list of what is blocked for it */

struct work {
    struct sek_change change;
    struct sek_targets targets;
    struct sek_list_row list;
    struct sek_entry entry; /* what all have in common */
    uint16_t given;         /* of its terms: SEK_TERMS_… */
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
    if (strcmp(w->list.source, SEK_EXCEPTIONS_SOURCE) == 0)
        return sek_context_usage(c, "list %s is kept by sekisho exception: ask for one there",
                                 w->list.list.name);
    if (action == SEK_ACTION_DATA && !(w->given & SEK_TERMS_DATA))
        return sek_context_usage(c, "--action local-data needs records: --data \"A 192.0.2.1\"");
    if (action != SEK_ACTION_DATA && (w->given & SEK_TERMS_DATA))
        return sek_context_usage(c, "--data answers with records: no other --action is possible");
    if (!w->allow && action == SEK_ACTION_PASSTHRU)
        return sek_context_usage(c, "list %s holds exceptions: use sekisho allow, or --action",
                                 w->list.list.name);
    return SEK_OK;
}

/* A rule's start is a point in time, not one that is so long ago. */
static enum sek_err start_take(struct sek_context *c, char *out, size_t size)
{
    const struct sek_zone *zone;
    struct sek_diag why;
    int64_t start_s = 0;
    if (c->opt[OPT_START].given &&
        (sek_zone_read(&zone, &why) ||
         sek_when_from_iso(c->opt[OPT_START].text, zone, &start_s, &why)))
        return sek_context_usage(c, "--start: %s", why.text);
    sek_time_to_text(start_s, out, size);
    return SEK_OK;
}

/* The options that make terms, as their text. */
static enum sek_err terms_take(struct sek_context *c, bool allow, char out[SEK_TERMS_TEXT_MAX],
                               uint16_t *out_given)
{
    static const struct {
        int option;
        const char *word;
    } rows[] = {{OPT_TYPE, "type"},   {OPT_SCHEDULE, "schedule"},
                {OPT_START, "start"}, {OPT_PRIORITY, "priority"},
                {OPT_EDE, "ede"},     {OPT_EDE_TEXT, "ede-text"},
                {OPT_TTL, "ttl"},     {OPT_LOG, "log"}};
    struct sek_terms_spec spec = {0};
    struct sek_diag why;
    char start[32];
    enum sek_err err = start_take(c, start, sizeof start);
    if (err)
        return err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((!allow || rows[i].option < OPT_ACTION) && c->opt[rows[i].option].given &&
            sek_terms_add(&spec, rows[i].word,
                          rows[i].option == OPT_START ? start : c->opt[rows[i].option].text, &why))
            return sek_context_usage(c, "--%s", why.text);
    for (int64_t i = 0; !allow && i < c->opt[OPT_DATA].number; i++)
        if (sek_terms_add(&spec, "data", c->opt[OPT_DATA].texts[i], &why))
            return sek_context_usage(c, "--%s", why.text);
    *out_given = spec.terms.given;
    return sek_terms_to_text(&spec, out, &c->diag);
}

static enum sek_err entry_prepare(struct work *w, struct sek_context *c)
{
    enum sek_err err;
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
    if (!w->allow && c->opt[OPT_DATA].given && !c->opt[OPT_ACTION].given)
        e->rule.action = SEK_ACTION_DATA;
    err = terms_take(c, w->allow, e->terms, &w->given);
    return err ? err : list_check(w, c);
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
    sek_talk("%s%s%s was there, %s, by %s%s%s: replaced", name, *old->terms ? " " : "", old->terms,
             ends, old->who, *old->comment ? ": " : "", old->comment);
}

static bool tell_replaced(void *arg, const struct sek_entry *old)
{
    struct replaced *r = arg;
    const struct sek_entry *fresh = r->fresh;
    char name[SEK_NAME_TEXT_MAX + 2];
    if (old->rule.list != fresh->rule.list || old->rule.scope != fresh->rule.scope)
        return true;
    bool same = old->rule.action == fresh->rule.action &&
                old->rule.expires_s == fresh->rule.expires_s &&
                strcmp(old->terms, fresh->terms) == 0;
    if (same && (!*fresh->comment || strcmp(old->comment, fresh->comment) == 0))
        return true;
    r->n_reasons += same;
    if (++r->n > REPLACED_SHOWN)
        return true;
    sek_rule_to_text((enum sek_scope)old->rule.scope, old->name.octets, name);
    (same ? tell_reason : tell_rule)(old, name);
    return true;
}

/* To the very name an alias lets it pass: below a name that makes sense, for one alone it would
 * block nothing. */
static enum sek_err alias_check(const struct work *w, struct sek_context *c)
{
    struct sek_terms_spec spec;
    char name[SEK_NAME_TEXT_MAX + 2];
    if (!(w->given & SEK_TERMS_DATA) ||
        sek_terms_from_text(w->entry.terms, strlen(w->entry.terms), &spec, NULL))
        return SEK_OK;
    for (uint64_t i = 0; i < w->targets.n; i++) {
        const struct sek_target *t = &w->targets.items[i];
        if (t->scope != SEK_SCOPE_EXACT || !sek_record_leads_to(spec.data, spec.n_data, &t->name))
            continue;
        sek_rule_to_text(t->scope, t->name.octets, name);
        return sek_context_usage(c,
                                 "--data: an alias to the very name %s would let it pass; "
                                 "to let it pass: sekisho allow",
                                 name);
    }
    return SEK_OK;
}

static enum sek_err entries_put(struct work *w, struct sek_context *c)
{
    enum sek_action action = sek_list_row_says(&w->list, (enum sek_action)w->entry.rule.action);
    struct replaced replaced = {.fresh = &w->entry};
    struct sek_wrong wrong = {.c = c};
    for (uint64_t i = 0; i < w->targets.n; i++) {
        const struct sek_target *t = &w->targets.items[i];
        bool changed;
        enum sek_err err = sek_change_guard(&w->change, &t->name, t->scope, action,
                                            c->opt[OPT_FORCE].given, &c->diag);
        if ((err = sek_wrong_note(&wrong, err)))
            return err;
        if (wrong.n_wrong) /* the rest is only looked through */
            continue;
        w->entry.name = t->name;
        w->entry.rule.scope = (uint8_t)t->scope;
        err = sek_policydb_entries_at(w->change.db, &t->name, tell_replaced, &replaced, &c->diag);
        if (!err)
            err = sek_policydb_entry_put(w->change.db, &w->entry, &changed, &c->diag);
        if (err)
            return err;
        w->n_same += !changed;
    }
    w->n_reasons = replaced.n_reasons;
    return sek_wrong_end(&wrong);
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

/* The list of names blocked by hand for one group, made when it is first needed. */
static enum sek_err group_block_list(struct work *w, struct sek_context *c,
                                     const struct sek_client_group *group)
{
    struct sek_list_row *row = &w->list;
    char name[SEK_LIST_NAME_MAX + sizeof GROUP_BLOCK];
    snprintf(name, sizeof name, "%s" GROUP_BLOCK, group->name);
    enum sek_err err = sek_policydb_list_get(w->change.db, name, row, &c->diag);
    if (err != SEK_E_NOTFOUND)
        return err;
    *row = (struct sek_list_row){.list = {.mode = SEK_MODE_BLOCK,
                                          .action = SEK_ACTION_SINKHOLE,
                                          .priority = 1000,
                                          .ede = 15},
                                 .audience = {.only = sek_group_bit(group->id)},
                                 .source = "local",
                                 .comment = "names blocked by hand for a group",
                                 .created_s = c->now_s};
    if (strlen(name) >= sizeof row->list.name)
        return sek_context_usage(c, "the group's name is too long for a list %s", name);
    memcpy(row->list.name, name, strlen(name) + 1);
    snprintf(row->who, sizeof row->who, "%s", w->change.who);
    return sek_policydb_list_add(w->change.db, row, &c->diag);
}

/* The list that the options name. A group has its own: of its name for exceptions, and one for what
 * is blocked. */
static enum sek_err list_choose(struct work *w, struct sek_context *c)
{
    struct sek_group_row group;
    if (!c->opt[OPT_GROUP].given)
        return sek_change_list(&w->change,
                               c->opt[OPT_LIST].given ? c->opt[OPT_LIST].text
                               : w->allow             ? SEK_LIST_LOCAL_ALLOW
                                                      : SEK_LIST_LOCAL_BLOCK,
                               &w->list);
    if (c->opt[OPT_LIST].given)
        return sek_context_usage(c, "--group and --list exclude each other: a group has its lists");
    enum sek_err err = sek_group_find(&w->change, c->opt[OPT_GROUP].text, &group);
    if (err)
        return err;
    return w->allow ? sek_change_list(&w->change, group.group.name, &w->list)
                    : group_block_list(w, c, &group.group);
}

static enum sek_err put(struct sek_context *c, bool allow)
{
    struct work w = {.allow = allow};
    bool dry_run = c->opt[OPT_DRY_RUN].given;
    enum sek_err err =
        sek_targets_read(&w.targets, c, c->opt[OPT_EXACT].given, c->opt[OPT_BELOW].given);
    if (!err)
        err = sek_change_begin(&w.change, c, dry_run);
    if (!err)
        err = list_choose(&w, c);
    if (!err)
        err = entry_prepare(&w, c);
    if (!err)
        err = alias_check(&w, c);
    if (!err)
        err = entries_put(&w, c);
    if (!err) {
        done(&w);
        err = sek_change_end(&w.change);
    }
    /* with conditions it need not be in force now */
    if (!err && !dry_run && !c->opt[OPT_GROUP].given && !(w.given & SEK_TERMS_CONDITIONS))
        sek_effect_tell(w.change.conf, c->now_s, allow ? SEK_EFFECT_ALLOWED : SEK_EFFECT_BLOCKED,
                        w.list.list.name, w.targets.items, w.targets.n);
    sek_targets_fini(&w.targets);
    return sek_change_fini(&w.change, err);
}

enum sek_err sek_cmd_block(struct sek_context *c)
{
    return put(c, false);
}

enum sek_err sek_cmd_allow(struct sek_context *c)
{
    const struct sek_conf *conf;
    enum sek_err err = sek_context_conf(c, &conf);
    if (err)
        return err;
    if (conf->exceptions.required)
        return sek_diag_set(&c->diag, SEK_E_REFUSED,
                            "exceptions.required: names are let through by approved exceptions; "
                            "use: sekisho exception request %.200s --reason …",
                            c->args[0]);
    return put(c, true);
}
