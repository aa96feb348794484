/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/buf.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "name/text.h"
#include "store/exceptions.h"
#include "tools/change/targets.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(unblock);

enum { OPT_LIST, OPT_EXACT, OPT_BELOW, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_unblock_args[] = {
    [OPT_LIST] = {"list", 'L', SEK_ARG_TEXT, "LIST", "from this list; default local-block"},
    [OPT_EXACT] = {"exact", 0, SEK_ARG_FLAG, NULL, "the rule for the very name only, as =NAME"},
    [OPT_BELOW] = {"below", 0, SEK_ARG_FLAG, NULL, "the rule for names below it, as *.NAME"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

/* Which rules a list has at a name. */
struct found {
    uint16_t list;
    bool scope[SEK_SCOPE_BELOW + 1];
};

static bool note_entry(void *arg, const struct sek_entry *e)
{
    struct found *f = arg;
    if (e->rule.list == f->list)
        f->scope[e->rule.scope] = true;
    return true;
}

struct work {
    struct sek_change change;
    struct sek_targets targets;
    struct sek_list_row list;
    uint64_t n_removed;     /* names */
    struct sek_buf missing; /* rules that are not there, each ended by a NUL */
};

/* NAME without notation means all rules at the name, as nobody remembers how it was blocked. */
static enum sek_err rules_remove(struct work *w, const struct sek_target *t, bool *out_any,
                                 struct sek_diag *diag)
{
    struct found found = {.list = w->list.list.id};
    *out_any = false;
    enum sek_err err = sek_policydb_entries_at(w->change.db, &t->name, note_entry, &found, diag);
    for (int s = SEK_SCOPE_EXACT; !err && s <= SEK_SCOPE_BELOW; s++) {
        if (!found.scope[s] || (t->scope != SEK_SCOPE_SUBTREE && (int)t->scope != s))
            continue;
        err =
            sek_policydb_entry_remove(w->change.db, found.list, &t->name, (enum sek_scope)s, diag);
        *out_any = true;
    }
    return err;
}

static enum sek_err targets_remove(struct work *w, struct sek_context *c)
{
    for (uint64_t i = 0; i < w->targets.n; i++) {
        const struct sek_target *t = &w->targets.items[i];
        char text[SEK_NAME_TEXT_MAX + 2];
        bool any;
        enum sek_err err = rules_remove(w, t, &any, &c->diag);
        if (err)
            return err;
        w->n_removed += any;
        if (!any)
            sek_buf_add(&w->missing, text, sek_rule_to_text(t->scope, t->name.octets, text) + 1);
    }
    return SEK_OK;
}

/* Said after the transaction: whoever reads many such lines may take his time. */
static void tell_missing(struct work *w, struct sek_context *c)
{
    for (size_t at = 0; at < w->missing.len; at += strlen(w->missing.data + at) + 1)
        sek_context_none(c, "list %s has no %s", w->list.list.name, w->missing.data + at);
}

enum sek_err sek_cmd_unblock(struct sek_context *c)
{
    struct work w = {.n_removed = 0};
    sek_buf_init(&w.missing, 0);
    const char *list = c->opt[OPT_LIST].given ? c->opt[OPT_LIST].text : SEK_LIST_LOCAL_BLOCK;
    bool dry_run = c->opt[OPT_DRY_RUN].given;
    enum sek_err err =
        sek_targets_read(&w.targets, c, c->opt[OPT_EXACT].given, c->opt[OPT_BELOW].given);
    if (!err)
        err = sek_change_begin(&w.change, c, dry_run);
    if (!err)
        err = sek_change_list(&w.change, list, &w.list);
    if (!err && strcmp(w.list.source, SEK_EXCEPTIONS_SOURCE) == 0)
        err = sek_context_usage(c, "list %s is kept by sekisho exception: revoke one there", list);
    if (!err)
        err = targets_remove(&w, c);
    sek_change_done(&w.change, "%" PRIu64 " name%s removed from list %s", w.n_removed,
                    w.n_removed == 1 ? "" : "s", list);
    if (!err && (w.n_removed || dry_run))
        err = sek_change_end(&w.change);
    else if (!err)
        sek_policydb_rollback(w.change.db); /* nothing to keep, and all is said without the lock */
    if (!err)
        tell_missing(&w, c);
    if (!err && !dry_run && w.list.list.action != SEK_ACTION_PASSTHRU)
        sek_effect_tell(w.change.conf, c->now_s, SEK_EFFECT_UNBLOCKED, list, w.targets.items,
                        w.targets.n);
    sek_buf_fini(&w.missing);
    sek_targets_fini(&w.targets);
    return sek_change_fini(&w.change, err);
}
