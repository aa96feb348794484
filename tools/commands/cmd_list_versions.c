/* SPDX-License-Identifier: BSD-3-Clause */
/* What a list held before: versions, rollback. */
#include "tools/change/change.h"
#include "tools/command.h"
#include "store/versions.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/change/versionspec.h"
#include "base/banned.h"

SEK_COMMAND(list_versions);
SEK_COMMAND(list_rollback);

const struct sek_arg sek_cmd_list_versions_args[] = {{0}};

enum { OPT_FORCE, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_list_rollback_args[] = {
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL, "also rules on public suffixes"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

/* list versions */

enum { V_NUMBER, V_RULES, V_MADE, V_REPLACED, V_OCTETS, V_WHO, V_SOURCE, V_COLS };
static const struct sek_col cols[] = {
    [V_NUMBER] = {"version", "Version", SEK_COL_UINT},
    [V_RULES] = {"rules", "Rules", SEK_COL_UINT},
    [V_MADE] = {"made", "Made (UTC)", SEK_COL_TIME},
    [V_REPLACED] = {"replaced", "Replaced (UTC)", SEK_COL_TIME, "in the list now"},
    [V_OCTETS] = {"octets", "Kept as", SEK_COL_OCTETS},
    [V_WHO] = {"who", "Made by", SEK_COL_TEXT},
    [V_SOURCE] = {"source", "Source", SEK_COL_TEXT},
};

static bool put_version(void *arg, const struct sek_version *v)
{
    struct sek_out *o = arg;
    sek_out_uint(o, V_NUMBER, v->number);
    sek_out_uint(o, V_RULES, v->n_rules);
    sek_out_int(o, V_MADE, v->made_s);
    if (v->replaced_s) {
        sek_out_int(o, V_REPLACED, v->replaced_s);
        sek_out_uint(o, V_OCTETS, v->n_octets);
    }
    sek_out_text(o, V_WHO, v->who);
    sek_out_text(o, V_SOURCE, v->source);
    return sek_out_row(o);
}

enum sek_err sek_cmd_list_versions(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    struct sek_list_row row;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (err)
        return err;
    err = sek_policydb_list_get(db, c->args[0], &row, &c->diag);
    if (!err) {
        sek_out_begin(c->out, "sekisho.versions/1", cols, V_COLS, SEK_OUT_ROWS);
        err = sek_versions(db, &row, put_version, c->out, &c->diag);
        struct sek_diag end;
        enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
        err = err ? err : end_err;
    } else if (err == SEK_E_NOTFOUND) {
        err = sek_context_none(c, "there is no list %.64s; sekisho list show names those there are",
                               c->args[0]);
    }
    sek_policydb_close(db);
    return err;
}

/* list rollback */

struct rollback {
    struct sek_change ch;
    struct sek_context *c;
    struct sek_list_row list;
    uint32_t number;
    uint64_t n_guarded;
    struct sek_buf ending; /* struct sek_entry that end by themselves: put back one by one */
};

static enum sek_err take_rule(void *arg, const struct sek_entry *e, struct sek_diag *diag)
{
    struct rollback *r = arg;
    const struct sek_rule *rule = &e->rule;
    struct sek_diag why;
    enum sek_action action =
        rule->action ? (enum sek_action)rule->action : (enum sek_action)r->list.list.action;
    enum sek_err err = sek_change_guard(&r->ch, &e->name, (enum sek_scope)rule->scope, action,
                                        r->c->opt[OPT_FORCE].given, &why);
    if (err == SEK_E_REFUSED) { /* protected since */
        r->n_guarded++;
        sek_talk("left out: %s", why.text);
        return SEK_OK;
    }
    if (err)
        return sek_diag_set(diag, err, "%s", why.text);
    if (rule->expires_s == 0)
        return sek_policydb_import_rule(r->ch.db, &e->name, (enum sek_scope)rule->scope,
                                        (enum sek_action)rule->action, e->terms, diag);
    struct sek_entry *kept =
        rule->expires_s > r->c->now_s ? sek_buf_grow(&r->ending, sizeof *kept) : NULL;
    if (kept)
        *kept = *e;
    return r->ending.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                            : SEK_OK;
}

static enum sek_err ending_put(struct rollback *r)
{
    struct sek_entry *e = (void *)r->ending.data;
    enum sek_err err = SEK_OK;
    for (size_t n = r->ending.len / sizeof *e; !err && n; n--, e++) {
        bool changed;
        e->rule.list = r->list.list.id;
        e->created_s = r->c->now_s;
        snprintf(e->who, sizeof e->who, "%s", r->ch.who);
        err = sek_policydb_entry_put(r->ch.db, e, &changed, &r->c->diag);
    }
    return err;
}

static enum sek_err version_choose(struct rollback *r)
{
    struct sek_context *c = r->c;
    uint32_t now;
    enum sek_err err = sek_version_current(r->ch.db, r->list.list.id, &now, &c->diag);
    if (err)
        return err;
    if (c->n_args > 1)
        return sek_version_number(c->args[1], &r->number)
                   ? SEK_OK
                   : sek_context_usage(c, "\"%.40s\" is no version: a number from 1", c->args[1]);
    if (now == 1) {
        sek_context_none(c, "nothing is kept of list %.64s: no import has changed it yet",
                         r->list.list.name);
        return SEK_E_NOTFOUND;
    }
    r->number = now - 1;
    return SEK_OK;
}

static enum sek_err rollback(struct rollback *r)
{
    struct sek_context *c = r->c;
    struct sek_import_stats st;
    char source[sizeof r->list.source + 32];
    enum sek_err err = sek_change_begin(&r->ch, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = sek_change_list(&r->ch, c->args[0], &r->list);
    if (!err)
        err = version_choose(r);
    if (!err)
        err = sek_policydb_import_begin(r->ch.db, r->list.list.id, r->ch.who, c->now_s, &c->diag);
    if (err)
        return err;
    err = sek_version_rules(r->ch.db, r->list.list.id, r->number, take_rule, r, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(c,
                         "version %" PRIu32 " of list %s is not kept; sekisho list versions %s "
                         "names those that are",
                         r->number, r->list.list.name, r->list.list.name);
    snprintf(source, sizeof source, "version %" PRIu32 " of %s", r->number, r->list.list.name);
    if (!err)
        err = sek_policydb_import_end(r->ch.db, false, source, NULL, NULL, &st, &c->diag);
    if (!err)
        err = ending_put(r);
    if (err)
        return err;
    sek_change_done(&r->ch,
                    "list %s: as in version %" PRIu32 ": %" PRIu64 " added, %" PRIu64
                    " removed, %" PRIu64 " changed",
                    r->list.list.name, r->number, st.n_added, st.n_removed, st.n_changed);
    return sek_change_end(&r->ch);
}

enum sek_err sek_cmd_list_rollback(struct sek_context *c)
{
    struct rollback *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    r->c = c;
    sek_buf_init(&r->ending, 0);
    enum sek_err err = rollback(r);
    err = sek_change_fini(&r->ch, err);
    sek_buf_fini(&r->ending);
    free(r);
    return err;
}
