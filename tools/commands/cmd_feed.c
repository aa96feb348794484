/* SPDX-License-Identifier: BSD-3-Clause */
/* Feeds themselves: add, remove. */
#include "base/duration.h"
#include "tools/command.h"
#include "tools/feeds/fetch.h"
#include "name/text.h"
#include "tools/change/change.h"
#include "policy/reader.h"
#include "tools/print/talk.h"
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(feed_add);
SEK_COMMAND(feed_remove);

#define TIMEOUT_S 600
#define TIMEOUT_MAX_S 86400
#define SIZE_TEXT "1g"
#define SIZE_OCTETS (1ULL << 30) /* more than the readers hold at once is of no use */

enum {
    OPT_FROM,
    OPT_AS,
    OPT_TSIG,
    OPT_USER,
    OPT_REFRESH,
    OPT_RETRY,
    OPT_EXPIRE,
    OPT_ON_EXPIRY,
    OPT_TIMEOUT,
    OPT_SIZE,
    OPT_MODE,
    OPT_ACTION,
    OPT_DRY_RUN,
    OPT_REASON,
    N_OPTS
};
const struct sek_arg sek_cmd_feed_add_args[] = {
    [OPT_FROM] = {"from", 0, SEK_ARG_CHOICE, NULL, "what SOURCE is", sek_feed_kind_names},
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the list; default: found out",
                sek_format_names},
    [OPT_TSIG] = {"tsig", 0, SEK_ARG_TEXT, "NAME:ALGORITHM:FILE",
                  "key of a transfer; FILE holds the secret in base64"},
    [OPT_USER] = {"user", 'u', SEK_ARG_TEXT, "USER", "whom a command runs as; default: feeds.user"},
    [OPT_REFRESH] = {"refresh", 0, SEK_ARG_DURATION, "TIME",
                     "between two updates; default 1h, of a zone what its SOA says"},
    [OPT_RETRY] = {"retry", 0, SEK_ARG_DURATION, "TIME",
                   "after one that failed; default 15m, of a zone what its SOA says"},
    [OPT_EXPIRE] = {"expire", 0, SEK_ARG_DURATION, "TIME",
                    "without a good one: it expires; default 1w, of a zone what its SOA says"},
    [OPT_ON_EXPIRY] = {"on-expiry", 0, SEK_ARG_CHOICE, NULL,
                       "keep: the list stays in force (default); open: it is switched off",
                       sek_feed_expiry_names},
    [OPT_TIMEOUT] = {"timeout", 0, SEK_ARG_DURATION, "TIME", "for fetching it; default 10m"},
    [OPT_SIZE] = {"max-size", 0, SEK_ARG_TEXT, "SIZE", "of the list; default " SIZE_TEXT},
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

/* What the command line says */

static enum sek_err take_file(struct sek_context *c, struct sek_feed_row *row)
{
    char here[sizeof row->source];
    const char *path = c->args[1];
    int n;
    if (*path == '/')
        n = snprintf(row->source, sizeof row->source, "%s", path);
    else if (getcwd(here, sizeof here))
        n = snprintf(row->source, sizeof row->source, "%s/%s", here, path);
    else
        return sek_diag_set(&c->diag, SEK_E_IO, "the current folder has no name: give a full path");
    if (n < 0 || (size_t)n >= sizeof row->source || strchr(row->source, '\n'))
        return sek_context_usage(c, "a path has at most %zu octets, and no newline",
                                 sizeof row->source - 1);
    return SEK_OK;
}

static enum sek_err take_transfer(struct sek_context *c, struct sek_feed_row *row)
{
    char host[256], port[8];
    struct sek_name zone;
    struct sek_tsig_key key;
    if (sek_fetch_host(c->args[1], host, sizeof host, port, sizeof port, &c->diag) ||
        sek_name_from_text(c->args[2], strlen(c->args[2]), &zone, &c->diag)) {
        c->exit = SEK_EXIT_USAGE;
        return SEK_E_INVALID;
    }
    snprintf(row->source, sizeof row->source, "%s", c->args[1]);
    sek_name_to_text(zone.octets, row->zone);
    row->format = SEK_FORMAT_RPZ;
    if (!c->opt[OPT_TSIG].given)
        return SEK_OK;
    if (strlen(c->opt[OPT_TSIG].text) >= sizeof row->tsig)
        return sek_context_usage(c, "--tsig: at most %zu octets", sizeof row->tsig - 1);
    snprintf(row->tsig, sizeof row->tsig, "%s", c->opt[OPT_TSIG].text);
    enum sek_err err = sek_fetch_key(row->tsig, &key, &c->diag);
    explicit_bzero(&key, sizeof key);
    return err ? sek_diag_wrap(&c->diag, "--tsig") : SEK_OK;
}

/* One word a line: no shell reads it again. */
static enum sek_err take_command(struct sek_context *c, struct sek_feed_row *row)
{
    size_t n = 0;
    for (int i = 1; i < c->n_args; i++) {
        const char *word = c->args[i];
        if (!*word || strchr(word, '\n'))
            return sek_context_usage(c, "a word of the command is empty, or holds a newline");
        if (n + strlen(word) + 2 > sizeof row->source)
            return sek_context_usage(c, "the command has more than %zu octets",
                                     sizeof row->source - 1);
        n += (size_t)snprintf(row->source + n, sizeof row->source - n, "%s%s", i > 1 ? "\n" : "",
                              word);
    }
    if (!c->opt[OPT_USER].given)
        return SEK_OK;
    if (strlen(c->opt[OPT_USER].text) >= sizeof row->user || !getpwnam(c->opt[OPT_USER].text))
        return sek_context_usage(c, "there is no user %.60s", c->opt[OPT_USER].text);
    snprintf(row->user, sizeof row->user, "%s", c->opt[OPT_USER].text);
    return SEK_OK;
}

static enum sek_err take_source(struct sek_context *c, struct sek_feed_row *row)
{
    static const struct {
        const char *what;
        int min, max; /* words behind NAME */
        enum sek_err (*take)(struct sek_context *c, struct sek_feed_row *row);
    } kinds[] = {
        [SEK_FEED_FILE] = {"the PATH of the list", 1, 1, take_file},
        [SEK_FEED_TRANSFER] = {"PRIMARY[:PORT] and ZONE", 2, 2, take_transfer},
        [SEK_FEED_COMMAND] = {"-- and the command with its words", 1, 255, take_command},
        [SEK_FEED_INPUT] = {"nothing", 0, 0, NULL},
    };
    if (!c->opt[OPT_FROM].given)
        return sek_context_usage(c, "say where it comes from: --from file PATH, --from transfer "
                                    "PRIMARY ZONE, --from command -- COMMAND…, or --from input");
    row->kind = (enum sek_feed_kind)c->opt[OPT_FROM].number;
    int n = c->n_args - 1;
    if (n < kinds[row->kind].min || n > kinds[row->kind].max)
        return sek_context_usage(c, "behind NAME, --from %s wants %s",
                                 sek_lookup_name(sek_feed_kind_names, (int)row->kind),
                                 kinds[row->kind].what);
    if (c->opt[OPT_TSIG].given && row->kind != SEK_FEED_TRANSFER)
        return sek_context_usage(c, "--tsig goes with --from transfer");
    if (c->opt[OPT_USER].given && row->kind != SEK_FEED_COMMAND)
        return sek_context_usage(c, "--user goes with --from command");
    if (c->opt[OPT_AS].given && row->kind == SEK_FEED_TRANSFER)
        return sek_context_usage(c, "--as: a transfer is always rpz");
    return kinds[row->kind].take ? kinds[row->kind].take(c, row) : SEK_OK;
}

static enum sek_err take_numbers(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *o = c->opt;
    row->refresh_s = o[OPT_REFRESH].number;
    row->retry_s = o[OPT_RETRY].number;
    row->expire_s = o[OPT_EXPIRE].number;
    row->on_expiry = (int)o[OPT_ON_EXPIRY].number;
    row->timeout_s = o[OPT_TIMEOUT].given ? o[OPT_TIMEOUT].number : TIMEOUT_S;
    if (row->timeout_s > TIMEOUT_MAX_S)
        return sek_context_usage(c, "--timeout: at most a day");
    /* of a zone the SOA may say how often; what is handed in comes when it comes */
    bool is_known = row->refresh_s || row->kind == SEK_FEED_FILE || row->kind == SEK_FEED_COMMAND;
    if (row->expire_s && is_known && row->expire_s < sek_feed_refresh_s(row))
        return sek_context_usage(c, "--expire: it would expire before the next update");
    row->max_octets = SIZE_OCTETS;
    if (!o[OPT_SIZE].given)
        return SEK_OK;
    if (sek_size_from_text(o[OPT_SIZE].text, &row->max_octets, &c->diag)) {
        sek_diag_wrap(&c->diag, "--max-size");
        c->exit = SEK_EXIT_USAGE;
        return SEK_E_INVALID;
    }
    if (row->max_octets == 0 || row->max_octets > SIZE_OCTETS)
        return sek_context_usage(c, "--max-size: 1 to " SIZE_TEXT);
    return SEK_OK;
}

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
    row->format = c->opt[OPT_AS].given ? (int)c->opt[OPT_AS].number : SEK_FORMAT_AUTO;
    enum sek_err err = SEK_OK;
    if (strlen(c->args[0]) >= sizeof row->list.list.name)
        err =
            sek_context_usage(c, "a list's name has at most %d characters", SEK_LIST_NAME_MAX - 1);
    if (!err)
        err = take_source(c, row);
    if (!err)
        err = take_numbers(c, row);
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
