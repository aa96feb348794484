/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists themselves: add, set, mode, enable, remove, publish. */
#include "base/json.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/roles.h"
#include "tools/change/guarded.h"
#include "policy/policy.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(list_add);
SEK_COMMAND(list_set);
SEK_COMMAND(list_mode);
SEK_COMMAND(list_enable);
SEK_COMMAND(list_remove);
SEK_COMMAND(list_publish);

enum {
    OPT_MODE,
    OPT_ACTION,
    OPT_OVERRIDE,
    OPT_PRIORITY,
    OPT_EDE,
    OPT_SOURCE,
    OPT_COMMENT,
    OPT_DRY_RUN,
    OPT_REASON,
    N_OPTS
};

#define VALUE_ROWS                                                                                 \
    [OPT_MODE] = {"mode",        'm', SEK_ARG_CHOICE, NULL, "off, monitor (record only) or block", \
                  sek_mode_names},                                                                 \
    [OPT_ACTION] = {"action",                                                                      \
                    'a',                                                                           \
                    SEK_ARG_CHOICE,                                                                \
                    NULL,                                                                          \
                    "what is done with names that have no action of their own",                    \
                    sek_action_names},                                                             \
    [OPT_OVERRIDE] = {"override", 'o', SEK_ARG_TEXT, "ACTION",                                     \
                      "what all its rules do in place of what they say: an action, \"cname "       \
                      "NAME\", disabled (mode monitor), given"},                                   \
    [OPT_PRIORITY] = {"priority",                                                                  \
                      'p',                                                                         \
                      SEK_ARG_NUMBER,                                                              \
                      "N",                                                                         \
                      "of two equally specific rules the higher one decides",                      \
                      NULL,                                                                        \
                      -1000000,                                                                    \
                      1000000},                                                                    \
    [OPT_EDE] = {"ede",                                                                            \
                 0,                                                                                \
                 SEK_ARG_NUMBER,                                                                   \
                 "CODE",                                                                           \
                 "Extended DNS Error of its blocks: 15 Blocked, 16 Censored, 17 Filtered, 18 "     \
                 "Prohibited",                                                                     \
                 NULL,                                                                             \
                 0,                                                                                \
                 65535},                                                                           \
    [OPT_SOURCE] = {"source", 0, SEK_ARG_TEXT, "TEXT", "where it comes from"},                     \
    [OPT_COMMENT] = {"comment", 0, SEK_ARG_TEXT, "TEXT", "for those who read it later"},           \
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,                                           \
                     "print what would change, write nothing"},                                    \
    [OPT_REASON] = SEK_REASON_ROW

const struct sek_arg sek_cmd_list_add_args[] = {VALUE_ROWS, [N_OPTS] = {0}};
const struct sek_arg sek_cmd_list_set_args[] = {VALUE_ROWS, [N_OPTS] = {0}};

enum { ONLY_DRY_RUN, ONLY_REASON, N_ONLY };
#define ONLY_ROWS                                                                                  \
    [ONLY_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,                                          \
                      "print what would change, write "                                            \
                      "nothing"},                                                                  \
    [ONLY_REASON] = SEK_REASON_ROW, [N_ONLY] = {0}
const struct sek_arg sek_cmd_list_mode_args[] = {ONLY_ROWS};
const struct sek_arg sek_cmd_list_enable_args[] = {ONLY_ROWS};
const struct sek_arg sek_cmd_list_remove_args[] = {ONLY_ROWS};

enum { OPT_FULL, PUBLISH_DRY_RUN, N_PUBLISH };
const struct sek_arg sek_cmd_list_publish_args[] = {
    [OPT_FULL] = {"full", 0, SEK_ARG_FLAG, NULL, "make a new image in any case"},
    [PUBLISH_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,
                         "say what would be made, write nothing"},
    [N_PUBLISH] = {0},
};

static enum sek_err take_text(struct sek_context *c, int opt, char *out, size_t size)
{
    if (!c->opt[opt].given)
        return SEK_OK;
    if (strlen(c->opt[opt].text) >= size)
        return sek_context_usage(c, "--%s: at most %zu octets", c->command->rows[opt].name,
                                 size - 1);
    snprintf(out, size, "%s", c->opt[opt].text);
    return SEK_OK;
}

/* RPZ's words, of which "disabled" is our mode monitor. */
static enum sek_err take_override(struct sek_context *c, struct sek_list_row *row)
{
    const struct sek_arg_value *o = c->opt;
    const char *text = o[OPT_OVERRIDE].given ? o[OPT_OVERRIDE].text : row->override;
    struct sek_override_spec spec;
    struct sek_diag why;
    if (o[OPT_OVERRIDE].given && strcmp(text, "disabled") == 0) {
        if (o[OPT_MODE].given && o[OPT_MODE].number != SEK_MODE_MONITOR)
            return sek_context_usage(c, "--override disabled is --mode monitor: give one of them");
        row->list.mode = SEK_MODE_MONITOR;
        return SEK_OK;
    }
    if (sek_override_from_text(text, &spec, &why))
        return sek_context_usage(c, "--override: %s", why.text);
    snprintf(row->override, sizeof row->override, "%s", spec.text);
    row->overriding = (uint8_t)spec.action;
    return SEK_OK;
}

/* What the options say, over what the row has. */
static enum sek_err take_values(struct sek_context *c, struct sek_list_row *row)
{
    const struct sek_arg_value *o = c->opt;
    if (o[OPT_MODE].given)
        row->list.mode = (uint8_t)o[OPT_MODE].number;
    if (o[OPT_ACTION].given)
        row->list.action = (uint8_t)o[OPT_ACTION].number;
    if (o[OPT_PRIORITY].given)
        row->list.priority = (int32_t)o[OPT_PRIORITY].number;
    if (o[OPT_EDE].given)
        row->list.ede = (uint16_t)o[OPT_EDE].number;
    enum sek_err err = take_override(c, row);
    if (!err)
        err = take_text(c, OPT_SOURCE, row->source, sizeof row->source);
    return err ? err : take_text(c, OPT_COMMENT, row->comment, sizeof row->comment);
}

static void add_text(struct sek_buf *b, const char *what, const char *text)
{
    if (!*text)
        return;
    sek_buf_add_fmt(b, ", %s ", what);
    sek_json_add_text(b, text);
}

static void add_line(struct sek_change *ch, char sign, const struct sek_list_row *row)
{
    struct sek_buf *b = &ch->lines;
    sek_buf_add_fmt(b, "%c list %s: mode %s, action %s, priority %" PRId32 ", ede %u", sign,
                    row->list.name, sek_lookup_name(sek_mode_names, row->list.mode),
                    sek_lookup_name(sek_action_names, row->list.action), row->list.priority,
                    row->list.ede);
    add_text(b, "override", row->override);
    add_text(b, "source", row->source);
    add_text(b, "comment", row->comment);
    sek_buf_add_text(b, "\n");
}

/* The one line that says what a list is now. */
static void done_tell(struct sek_change *ch, const struct sek_list_row *row, const char *verb)
{
    sek_change_done(ch, "list %s%s: mode %s, action %s%s%s", row->list.name, verb,
                    sek_lookup_name(sek_mode_names, row->list.mode),
                    sek_lookup_name(sek_action_names, row->list.action),
                    row->overriding ? ", overridden by " : "", row->override);
}

static enum sek_err add(struct sek_change *ch, struct sek_context *c)
{
    struct sek_list_row row = {
        .list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15},
        .created_s = c->now_s};
    if (strlen(c->args[0]) >= sizeof row.list.name)
        return sek_context_usage(c, "a list's name has at most %d characters",
                                 SEK_LIST_NAME_MAX - 1);
    snprintf(row.list.name, sizeof row.list.name, "%s", c->args[0]);
    snprintf(row.who, sizeof row.who, "%s", ch->who);
    enum sek_err err = take_values(c, &row);
    if (!err)
        err = sek_policydb_list_add(ch->db, &row, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    if (!err && ch->dry_run)
        add_line(ch, '+', &row);
    done_tell(ch, &row, " added");
    return err;
}

/* Store a changed row, and say what became of it. */
static enum sek_err store(struct sek_change *ch, const struct sek_list_row *old,
                          struct sek_list_row *row)
{
    snprintf(row->who, sizeof row->who, "%s", ch->who);
    row->changed_s = ch->c->now_s;
    bool same = memcmp(&old->list, &row->list, sizeof row->list) == 0 &&
                strcmp(old->override, row->override) == 0 &&
                strcmp(old->source, row->source) == 0 && strcmp(old->comment, row->comment) == 0;
    if (same) {
        sek_talk("nothing to change: list %s is like that already", row->list.name);
        return SEK_OK;
    }
    if (ch->dry_run) {
        add_line(ch, '-', old);
        add_line(ch, '+', row);
    }
    done_tell(ch, row, "");
    return sek_policydb_list_set(ch->db, row, &ch->c->diag);
}

static enum sek_err set(struct sek_change *ch, struct sek_context *c)
{
    struct sek_list_row old, row;
    enum sek_err err = sek_change_list(ch, c->args[0], &old);
    row = old;
    if (!err)
        err = take_values(c, &row);
    if (!err)
        err = sek_guarded_refuse(ch->conf, ch->db, c->now_s, &old, &row, &c->diag);
    return err ? err : store(ch, &old, &row);
}

static enum sek_err set_mode(struct sek_change *ch, const char *name, int mode)
{
    struct sek_list_row old, row;
    enum sek_err err = sek_change_list(ch, name, &old);
    row = old;
    row.list.mode = (uint8_t)mode;
    return err ? err : store(ch, &old, &row);
}

static enum sek_err mode(struct sek_change *ch, struct sek_context *c)
{
    int id = sek_lookup_id(sek_mode_names, c->args[1]);
    if (id < 0)
        return sek_context_usage(c, "\"%.40s\" is none of: off, monitor, block", c->args[1]);
    return set_mode(ch, c->args[0], id);
}

static enum sek_err enable(struct sek_change *ch, struct sek_context *c)
{
    return set_mode(ch, c->args[0], SEK_MODE_BLOCK);
}

static enum sek_err list_remove(struct sek_change *ch, struct sek_context *c)
{
    struct sek_progress progress;
    struct sek_list_row row;
    enum sek_err err = sek_change_list(ch, c->args[0], &row);
    sek_progress_begin(&progress, "removing");
    if (!err)
        err = sek_policydb_list_remove(ch->db, row.list.id, sek_progress_show, &progress, &c->diag);
    sek_progress_end(&progress);
    if (!err && ch->dry_run)
        add_line(ch, '-', &row);
    if (!err)
        sek_change_done(ch, "list %s removed with its %" PRIu32 " entr%s", row.list.name,
                        row.list.n_entries, row.list.n_entries == 1 ? "y" : "ies");
    return err;
}

enum sek_err sek_cmd_list_add(struct sek_context *c)
{
    return sek_change_run(c, c->opt[OPT_DRY_RUN].given, add);
}

enum sek_err sek_cmd_list_set(struct sek_context *c)
{
    bool any = false;
    for (int i = 0; i < OPT_DRY_RUN; i++)
        any |= c->opt[i].given;
    if (!any)
        return sek_context_usage(c, "say what to set: --mode, --action, …");
    return sek_change_run(c, c->opt[OPT_DRY_RUN].given, set);
}

enum sek_err sek_cmd_list_mode(struct sek_context *c)
{
    return sek_change_run(c, c->opt[ONLY_DRY_RUN].given, mode);
}

enum sek_err sek_cmd_list_enable(struct sek_context *c)
{
    return sek_change_run(c, c->opt[ONLY_DRY_RUN].given, enable);
}

enum sek_err sek_cmd_list_remove(struct sek_context *c)
{
    return sek_change_run(c, c->opt[ONLY_DRY_RUN].given, list_remove);
}

static enum sek_err publish_rehearse(struct sek_context *c)
{
    static const char *const files[] = {[SEK_POLICYDB_WANTED_NOTHING] = NULL,
                                        [SEK_POLICYDB_WANTED_DELTA] = SEK_POLICY_DELTA,
                                        [SEK_POLICYDB_WANTED_IMAGE] = SEK_POLICY_IMAGE};
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    enum sek_policydb_wanted wanted = SEK_POLICYDB_WANTED_NOTHING;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = sek_policydb_wanted(db, conf->policy.dir, c->opt[OPT_FULL].given, &wanted, &c->diag);
    sek_policydb_close(db);
    if (err)
        return err;
    if (files[wanted])
        printf("+ %s/%s\n", conf->policy.dir, files[wanted]);
    sek_talk("dry run: %s; nothing is written",
             files[wanted] ? "this file would be made" : "the files are up to date");
    return SEK_OK;
}

enum sek_err sek_cmd_list_publish(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    struct sek_guarded guarded;
    if (c->opt[PUBLISH_DRY_RUN].given)
        return publish_rehearse(c);
    enum sek_err err = sek_context_conf(c, &conf);
    if (!err)
        err = sek_roles_admit_writer(c);
    if (!err)
        err = sek_policydb_open(conf->policy.db, true, &db, &c->diag);
    if (!err)
        err = sek_change_publish(c, conf, db, c->opt[OPT_FULL].given, false);
    /* whatever stands there: what can be put in force comes first */
    if (!err)
        err = sek_guarded_read(conf, db, c->now_s, &guarded, &c->diag);
    if (!err)
        sek_guarded_tell(&guarded);
    sek_policydb_close(db);
    return err;
}
