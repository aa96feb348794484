/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds themselves: add, remove. */
#include "tools/command.h"
#include "tools/feeds/feedargs.h"
#include "tools/feeds/fetch.h"
#include "tools/change/change.h"
#include "policy/reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(feed_add);
SEK_COMMAND(feed_remove);

enum { OPT_MODE = SEK_FEEDARG_N, OPT_ACTION, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_feed_add_args[] = {
    SEK_FEEDARG_ROWS,
    [OPT_MODE] = {"mode", 'm', SEK_ARG_CHOICE, NULL, "the list's mode; block for a new one",
                  sek_mode_names},
    [OPT_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL,
                    "the list's action; sinkhole for a new one", sek_action_names},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

enum { REMOVE_LIST, REMOVE_DRY_RUN, REMOVE_REASON, N_REMOVE };
const struct sek_arg sek_cmd_feed_remove_args[] = {
    [REMOVE_LIST] = {"with-list", 0, SEK_ARG_FLAG, NULL, "and the list with all its entries"},
    [REMOVE_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,
                        "print what would change, write nothing"},
    [REMOVE_REASON] = SEK_REASON_ROW,
    [N_REMOVE] = {0},
};

/* feed add */

/* The list, made if there is none. */
static enum sek_err take_list(struct sek_change *ch, struct sek_feed_row *row)
{
    struct sek_context *c = ch->c;
    struct sek_list_row *list = &row->list;
    enum sek_err err = sek_policydb_list_get(ch->db, c->args[0], list, &c->diag);
    if (!err && (c->opt[OPT_MODE].given || c->opt[OPT_ACTION].given))
        return sek_context_usage(c, "list %s exists: sekisho list set changes its mode and action",
                                 list->list.name);
    bool local = !err && (strcmp(list->list.name, SEK_LIST_LOCAL_BLOCK) == 0 ||
                          strcmp(list->list.name, SEK_LIST_LOCAL_ALLOW) == 0);
    if (local)
        return sek_diag_set(&c->diag, SEK_E_REFUSED,
                            "list %s holds what people add by hand: give the feed another name",
                            list->list.name);
    if (err != SEK_E_NOTFOUND)
        return err;
    *list = (struct sek_list_row){
        .list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15},
        .created_s = c->now_s};
    snprintf(list->list.name, sizeof list->list.name, "%s", c->args[0]);
    snprintf(list->who, sizeof list->who, "%s", ch->who);
    if (c->opt[OPT_MODE].given)
        list->list.mode = (uint8_t)c->opt[OPT_MODE].number;
    if (c->opt[OPT_ACTION].given)
        list->list.action = (uint8_t)c->opt[OPT_ACTION].number;
    err = sek_policydb_list_add(ch->db, list, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    return err;
}

static void add_line(struct sek_change *ch, char sign, const struct sek_feed_row *row)
{
    char source[600];
    sek_buf_add_fmt(&ch->lines, "%c feed %s: %s\n", sign, row->list.list.name,
                    sek_fetch_source(row, source, sizeof source));
}

/* What the audit trail says: the feed, not as well the list that comes with it. */
struct trace {
    char object[SEK_LIST_NAME_MAX + 8];
    char source[600];
};

static void trace_make(struct trace *t, const struct sek_feed_row *row)
{
    snprintf(t->object, sizeof t->object, "feed %s", row->list.list.name);
    sek_fetch_source(row, t->source, sizeof t->source);
}

static enum sek_err add(struct sek_change *ch, struct sek_context *c, struct sek_feed_row *row)
{
    struct trace trace;
    enum sek_err err = sek_change_begin(ch, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = take_list(ch, row);
    if (!err)
        err = sek_feed_add(ch->db, row, &c->diag);
    if (err)
        return err;
    if (ch->dry_run)
        add_line(ch, '+', row);
    trace_make(&trace, row);
    ch->act.object = trace.object;
    ch->act.after = trace.source;
    sek_change_done(
        ch, "feed %s added; sekisho feed update %s%s", row->list.list.name, row->list.list.name,
        row->kind == SEK_FEED_INPUT ? " - takes it from standard input" : " fetches it");
    return sek_change_end(ch);
}

enum sek_err sek_cmd_feed_add(struct sek_context *c)
{
    struct sek_change ch = {.c = c};
    struct sek_feed_row *row = calloc(1, sizeof *row);
    if (!row)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    row->added_s = c->now_s;
    for (int i = 0; i < SEK_FEEDARG_N; i++)
        sek_feedargs_default(row, (enum sek_feedarg)i);
    enum sek_err err = SEK_OK;
    if (strlen(c->args[0]) >= sizeof row->list.list.name)
        err =
            sek_context_usage(c, "a list's name has at most %d characters", SEK_LIST_NAME_MAX - 1);
    if (!err)
        err = sek_feedargs_take(c, row);
    if (!err) {
        err = add(&ch, c, row);
        err = sek_change_fini(&ch, err);
    }
    free(row);
    return err;
}

/* feed remove */

static enum sek_err feed_remove(struct sek_change *ch, struct sek_context *c,
                                struct sek_feed_row *row)
{
    struct trace trace;
    enum sek_err err = sek_change_begin(ch, c, c->opt[REMOVE_DRY_RUN].given);
    if (!err)
        err = sek_feed_get(ch->db, c->args[0], row, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(c, "there is no feed %.64s; sekisho feed list names those there are",
                         c->args[0]);
    if (!err)
        err = sek_feed_remove(ch->db, row->list.list.id, &c->diag);
    bool with_list = c->opt[REMOVE_LIST].given;
    if (!err && with_list)
        err = sek_policydb_list_remove(ch->db, row->list.list.id, NULL, NULL, &c->diag);
    if (err)
        return err;
    if (ch->dry_run)
        add_line(ch, '-', row);
    trace_make(&trace, row);
    ch->act.object = trace.object;
    ch->act.before = trace.source;
    sek_change_done(ch, "feed %s removed; its list %s", row->list.list.name,
                    with_list ? "is gone, too" : "stays as it is");
    return sek_change_end(ch);
}

enum sek_err sek_cmd_feed_remove(struct sek_context *c)
{
    struct sek_change ch = {.c = c};
    struct sek_feed_row *row = calloc(1, sizeof *row);
    if (!row)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = feed_remove(&ch, c, row);
    free(row);
    return sek_change_fini(&ch, err);
}
