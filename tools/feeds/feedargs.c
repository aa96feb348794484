/* SPDX-License-Identifier: BSD-3-Clause */
#include "feedargs.h"
#include "base/duration.h"
#include "fetch.h"
#include "name/text.h"
#include "policy/reader.h"
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define TIMEOUT_S 600

void sek_feedargs_default(struct sek_feed_row *row, enum sek_feedarg which)
{
    switch (which) {
    case SEK_FEEDARG_AS:
        row->format = row->kind == SEK_FEED_TRANSFER ? SEK_FORMAT_RPZ : SEK_FORMAT_AUTO;
        break;
    case SEK_FEEDARG_TSIG:
        row->tsig[0] = '\0';
        break;
    case SEK_FEEDARG_USER:
        row->user[0] = '\0';
        break;
    case SEK_FEEDARG_REFRESH:
        row->refresh_s = 0;
        break;
    case SEK_FEEDARG_RETRY:
        row->retry_s = 0;
        break;
    case SEK_FEEDARG_EXPIRE:
        row->expire_s = 0;
        break;
    case SEK_FEEDARG_ON_EXPIRY:
        row->on_expiry = SEK_FEED_KEEP;
        break;
    case SEK_FEEDARG_TIMEOUT:
        row->timeout_s = TIMEOUT_S;
        break;
    case SEK_FEEDARG_SIZE:
        row->max_octets = SEK_FEEDARG_SIZE_MAX;
        break;
    case SEK_FEEDARG_FROM:
    case SEK_FEEDARG_N:
        break;
    }
}

/* The source */

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
    if (sek_fetch_host(c->args[1], host, sizeof host, port, sizeof port, &c->diag) ||
        sek_name_from_text(c->args[2], strlen(c->args[2]), &zone, &c->diag)) {
        c->exit = SEK_EXIT_USAGE;
        return SEK_E_INVALID;
    }
    snprintf(row->source, sizeof row->source, "%s", c->args[1]);
    sek_name_to_text(zone.octets, row->zone);
    return SEK_OK;
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
    return SEK_OK;
}

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

static void kind_change(struct sek_feed_row *row, enum sek_feed_kind kind)
{
    bool refit = kind == SEK_FEED_TRANSFER || row->kind == SEK_FEED_TRANSFER;
    row->kind = kind;
    row->source[0] = row->zone[0] = row->tsig[0] = row->user[0] = '\0';
    if (refit)
        sek_feedargs_default(row, SEK_FEEDARG_AS);
}

static enum sek_err take_source(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *from = &c->opt[SEK_FEEDARG_FROM];
    if (!from->given && !row->kind)
        return sek_context_usage(c, "say where it comes from: --from file PATH, --from transfer "
                                    "PRIMARY ZONE, --from command -- COMMAND…, or --from input");
    enum sek_feed_kind kind = from->given ? (enum sek_feed_kind)from->number : row->kind;
    int n = c->n_args - 1;
    bool stays = kind == row->kind && n == 0;
    if (!stays && (n < kinds[kind].min || n > kinds[kind].max))
        return sek_context_usage(c, "behind NAME, --from %s wants %s",
                                 sek_lookup_name(sek_feed_kind_names, (int)kind), kinds[kind].what);
    if (c->opt[SEK_FEEDARG_TSIG].given && kind != SEK_FEED_TRANSFER)
        return sek_context_usage(c, "--tsig goes with --from transfer");
    if (c->opt[SEK_FEEDARG_USER].given && kind != SEK_FEED_COMMAND)
        return sek_context_usage(c, "--user goes with --from command");
    if (c->opt[SEK_FEEDARG_AS].given && kind == SEK_FEED_TRANSFER)
        return sek_context_usage(c, "--as: a transfer is always rpz");
    if (kind != row->kind)
        kind_change(row, kind);
    return stays || !kinds[kind].take ? SEK_OK : kinds[kind].take(c, row);
}

/* What goes with it */

static enum sek_err take_tsig(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *tsig = &c->opt[SEK_FEEDARG_TSIG];
    struct sek_tsig_key key;
    if (!tsig->given)
        return SEK_OK;
    if (strlen(tsig->text) >= sizeof row->tsig)
        return sek_context_usage(c, "--tsig: at most %zu octets", sizeof row->tsig - 1);
    snprintf(row->tsig, sizeof row->tsig, "%s", tsig->text);
    enum sek_err err = sek_fetch_key(row->tsig, &key, &c->diag);
    explicit_bzero(&key, sizeof key);
    return err ? sek_diag_wrap(&c->diag, "--tsig") : SEK_OK;
}

static enum sek_err take_user(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *user = &c->opt[SEK_FEEDARG_USER];
    if (!user->given)
        return SEK_OK;
    if (strlen(user->text) >= sizeof row->user || !getpwnam(user->text))
        return sek_context_usage(c, "there is no user %.60s", user->text);
    snprintf(row->user, sizeof row->user, "%s", user->text);
    return SEK_OK;
}

static enum sek_err take_size(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *size = &c->opt[SEK_FEEDARG_SIZE];
    if (!size->given)
        return SEK_OK;
    if (sek_size_from_text(size->text, &row->max_octets, &c->diag)) {
        sek_diag_wrap(&c->diag, "--max-size");
        c->exit = SEK_EXIT_USAGE;
        return SEK_E_INVALID;
    }
    if (row->max_octets == 0 || row->max_octets > SEK_FEEDARG_SIZE_MAX)
        return sek_context_usage(c, "--max-size: 1 to " SEK_FEEDARG_SIZE_TEXT);
    return SEK_OK;
}

/* Numbers of one's own must leave time for an update; a zone's are its primary's business, and what
 * is handed in comes when it comes. */
static enum sek_err times_check(struct sek_context *c, const struct sek_feed_row *row)
{
    char expire[24], refresh[24];
    bool fetched = row->kind == SEK_FEED_FILE || row->kind == SEK_FEED_COMMAND;
    bool has_refresh = row->refresh_s || fetched || row->soa_refresh_s;
    bool has_expire = row->expire_s || fetched || row->soa_expire_s;
    if (!(row->refresh_s || row->expire_s) || !has_refresh || !has_expire ||
        sek_feed_expire_s(row) >= sek_feed_refresh_s(row))
        return SEK_OK;
    return sek_context_usage(
        c, "it would expire (--expire %s) before the next update (--refresh %s)",
        sek_duration_to_text(sek_feed_expire_s(row), expire, sizeof expire),
        sek_duration_to_text(sek_feed_refresh_s(row), refresh, sizeof refresh));
}

static enum sek_err take_times(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *o = c->opt;
    if (o[SEK_FEEDARG_REFRESH].given)
        row->refresh_s = o[SEK_FEEDARG_REFRESH].number;
    if (o[SEK_FEEDARG_RETRY].given)
        row->retry_s = o[SEK_FEEDARG_RETRY].number;
    if (o[SEK_FEEDARG_EXPIRE].given)
        row->expire_s = o[SEK_FEEDARG_EXPIRE].number;
    if (o[SEK_FEEDARG_ON_EXPIRY].given)
        row->on_expiry = (int)o[SEK_FEEDARG_ON_EXPIRY].number;
    if (o[SEK_FEEDARG_TIMEOUT].given)
        row->timeout_s = o[SEK_FEEDARG_TIMEOUT].number;
    if (row->timeout_s > SEK_FEEDARG_TIMEOUT_MAX_S)
        return sek_context_usage(c, "--timeout: at most a day");
    return times_check(c, row);
}

enum sek_err sek_feedargs_take(struct sek_context *c, struct sek_feed_row *row)
{
    enum sek_err err = take_source(c, row);
    if (!err)
        err = take_tsig(c, row);
    if (!err)
        err = take_user(c, row);
    if (!err && c->opt[SEK_FEEDARG_AS].given)
        row->format = (int)c->opt[SEK_FEEDARG_AS].number;
    if (!err)
        err = take_times(c, row);
    return err ? err : take_size(c, row);
}
