/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"
#include "change.h"
#include "command.h"
#include "guarded.h"
#include "policy/reader.h"
#include "talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(list_import);

enum { OPT_AS, OPT_APPEND, OPT_FORCE, OPT_DRY_RUN, OPT_MODE, OPT_ACTION, OPT_VERBOSE, N_OPTS };
const struct sek_arg sek_cmd_list_import_args[] = {
    [OPT_AS] = {"as", 0, SEK_ARG_CHOICE, NULL, "format of the input; default: found out",
                sek_format_names},
    [OPT_APPEND] = {"append", 0, SEK_ARG_FLAG, NULL,
                    "keep the names that the input does not have, and what ends by itself"},
    [OPT_FORCE] =
        {"force", 0, SEK_ARG_FLAG, NULL,
         "also when it is truncated, mostly unreadable, or shrinks the list a lot; public "
         "suffixes too"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_MODE] = {"mode", 'm', SEK_ARG_CHOICE, NULL, "the list's mode; block for a new one",
                  sek_mode_names},
    [OPT_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL,
                    "the list's action; sinkhole for a new one", sek_action_names},
    [OPT_VERBOSE] = {"verbose", 'v', SEK_ARG_FLAG, NULL,
                     "every line that was skipped, not only 20"},
    [N_OPTS] = {0},
};

#define BAD_SHOWN 20

struct work {
    struct sek_change change;
    struct sek_context *c;
    struct sek_list_row list;
    enum sek_action judged_by; /* the list's action, by which the rules are judged */
    const char *label;         /* of the input, for messages */
    char source[512];          /* for the record: absolute */
    uint64_t n_bad;            /* lines that were not understood, or say what we cannot do */
    uint64_t n_guarded;        /* rules that the never-block list or the public suffixes forbid */
    uint64_t n_fed, n_exceptions, n_narrowed;
    struct sek_progress progress;
};

static void tell_bad(struct work *w, uint64_t line, const char *why)
{
    uint64_t n = w->n_bad + w->n_guarded;
    if (n <= BAD_SHOWN || w->c->opt[OPT_VERBOSE].given) {
        sek_progress_end(&w->progress);
        sek_talk("%s:%" PRIu64 ": %s", w->label, line, why);
    }
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
    struct work *w = arg;
    w->n_bad++;
    tell_bad(w, line, why);
}

/* Strangers have names below a public suffix, but lists mean by "a.suffix.example" the host of that
 * name, and many are on them (hosts of clouds, dynamic DNS): such a rule is made for that one name.
 */
static enum sek_err rule_guard(struct work *w, const struct sek_read_rule *rule,
                               enum sek_scope *out_scope, struct sek_diag *diag)
{
    struct sek_diag second;
    bool force = w->c->opt[OPT_FORCE].given;
    enum sek_action action = rule->action ? rule->action : w->judged_by;
    enum sek_err err = sek_change_guard(&w->change, &rule->name, rule->scope, action, force, diag);
    *out_scope = rule->scope;
    if (err != SEK_E_REFUSED || force || rule->scope != SEK_SCOPE_SUBTREE ||
        rule->name.n_labels < 2 || !sek_suffix_is_public(w->change.suffix, &rule->name) ||
        sek_change_guard(&w->change, &rule->name, SEK_SCOPE_EXACT, action, false, &second))
        return err;
    w->n_narrowed++;
    *out_scope = SEK_SCOPE_EXACT;
    return SEK_OK;
}

static enum sek_err on_rule(void *arg, const struct sek_read_rule *rule)
{
    struct work *w = arg;
    struct sek_diag diag;
    enum sek_scope scope;
    enum sek_err err = rule_guard(w, rule, &scope, &diag);
    if (err == SEK_E_REFUSED) {
        w->n_guarded++;
        tell_bad(w, rule->line, diag.text);
        return SEK_OK;
    }
    if (err) {
        w->c->diag = diag;
        return err;
    }
    w->n_fed++;
    w->n_exceptions += rule->action == SEK_ACTION_PASSTHRU;
    return sek_policydb_import_rule(w->change.db, &rule->name, scope, rule->action, &w->c->diag);
}

static void on_progress(void *arg, uint64_t octets, uint64_t total)
{
    struct work *w = arg;
    sek_progress_show(&w->progress,
                      total ? (unsigned)(octets >= total ? 1000 : octets * 1000 / total) : 1001);
}

/* What the list will do with its rules, as far as one knows before the transaction: the input may
 * come slowly, and nobody else could write meanwhile. */
static enum sek_err list_look(struct work *w, const char *name)
{
    struct sek_context *c = w->c;
    if (strlen(name) >= sizeof w->list.list.name)
        return sek_context_usage(c, "a list's name has at most %d characters",
                                 SEK_LIST_NAME_MAX - 1);
    enum sek_err err = sek_policydb_list_get(w->change.db, name, &w->list, &c->diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    w->judged_by = err ? SEK_ACTION_SINKHOLE : (enum sek_action)w->list.list.action;
    if (c->opt[OPT_ACTION].given)
        w->judged_by = (enum sek_action)c->opt[OPT_ACTION].number;
    snprintf(w->list.list.name, sizeof w->list.list.name, "%s", name);
    return SEK_OK;
}

static enum sek_err list_make(struct work *w, const char *name)
{
    struct sek_context *c = w->c;
    w->list = (struct sek_list_row){
        .list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15},
        .created_s = c->now_s};
    snprintf(w->list.list.name, sizeof w->list.list.name, "%s", name);
    snprintf(w->list.who, sizeof w->list.who, "%s", w->change.who);
    if (c->opt[OPT_MODE].given)
        w->list.list.mode = (uint8_t)c->opt[OPT_MODE].number;
    if (c->opt[OPT_ACTION].given)
        w->list.list.action = (uint8_t)c->opt[OPT_ACTION].number;
    enum sek_err err = sek_policydb_list_add(w->change.db, &w->list, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    return err;
}

/* The list of that name, made if there is none; --mode and --action count for both, so that the
 * same line may stand in a script that runs every day. */
static enum sek_err list_take(struct work *w, const char *name)
{
    struct sek_context *c = w->c;
    enum sek_err err = sek_policydb_list_get(w->change.db, name, &w->list, &c->diag);
    if (err == SEK_E_NOTFOUND)
        return list_make(w, name);
    if (err)
        return err;
    struct sek_list old = w->list.list;
    if (c->opt[OPT_MODE].given)
        w->list.list.mode = (uint8_t)c->opt[OPT_MODE].number;
    if (c->opt[OPT_ACTION].given)
        w->list.list.action = (uint8_t)c->opt[OPT_ACTION].number;
    if (memcmp(&old, &w->list.list, sizeof old) == 0)
        return SEK_OK;
    if (c->opt[OPT_APPEND].given) /* else only what is fed stays, and that is judged */
        err = sek_guarded_refuse(w->change.conf, w->change.db, c->now_s, &old, &w->list.list,
                                 &c->diag);
    if (err)
        return err;
    snprintf(w->list.who, sizeof w->list.who, "%s", w->change.who);
    w->list.changed_s = c->now_s;
    return sek_policydb_list_set(w->change.db, &w->list, &c->diag);
}

/* The input, and what it is called. */
static enum sek_err input_open(struct work *w, int *out_fd)
{
    const char *path = w->c->n_args > 1 ? w->c->args[1] : "-";
    if (strcmp(path, "-") == 0) {
        if (isatty(STDIN_FILENO))
            sek_talk("reading names from the terminal; end with Ctrl-D");
        w->label = "standard input";
        snprintf(w->source, sizeof w->source, "%s", w->label);
        *out_fd = STDIN_FILENO;
        return SEK_OK;
    }
    w->label = path;
    char *absolute = realpath(path, NULL);
    snprintf(w->source, sizeof w->source, "%s", absolute ? absolute : path);
    free(absolute);
    return sek_file_open_regular(path, out_fd, &w->c->diag);
}

static enum sek_err refuse(struct work *w, const char *why)
{
    return sek_diag_set(&w->c->diag, SEK_E_REFUSED,
                        "%s: %s; the list %s stays as it was (--force imports it all the same)",
                        w->label, why, w->list.list.name);
}

/* Could this input be the wrong file, or a part of the right one? */
static enum sek_err input_judge(struct work *w, enum sek_err err,
                                const struct sek_read_stats *stats)
{
    const struct sek_conf *conf = w->change.conf;
    bool force = w->c->opt[OPT_FORCE].given;
    char why[200];
    if (err && !(err == SEK_E_CORRUPT && stats->truncated && force && w->n_fed))
        return err;
    if (force)
        return SEK_OK;
    if (stats->truncated)
        return refuse(w, "it is truncated");
    uint64_t n_all = stats->n_bad + stats->n_unsupported + stats->n_rules;
    if (stats->n_bad * 100 > conf->policy.garbage_percent * n_all) {
        snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " lines make no sense as %s",
                 stats->n_bad, n_all, sek_lookup_name(sek_format_names, (int)stats->format));
        return refuse(w, why);
    }
    if (w->n_fed == 0 && !w->c->opt[OPT_APPEND].given)
        return refuse(w, "it has no names");
    return SEK_OK;
}

static enum sek_err shrink_judge(struct work *w, const struct sek_import_stats *st)
{
    uint64_t percent = w->change.conf->policy.shrink_percent;
    char why[200];
    if (w->c->opt[OPT_FORCE].given || st->n_after >= st->n_before ||
        (st->n_before - st->n_after) * 100 <= percent * st->n_before)
        return SEK_OK;
    snprintf(why, sizeof why,
             "the list would shrink from %" PRIu64 " names to %" PRIu64 ", by more than %" PRIu64
             " %%",
             st->n_before, st->n_after, percent);
    return refuse(w, why);
}

static void tell(struct work *w, const struct sek_import_stats *st,
                 const struct sek_read_stats *stats)
{
    uint64_t n_bad = w->n_bad + w->n_guarded;
    if (n_bad > BAD_SHOWN && !w->c->opt[OPT_VERBOSE].given)
        sek_talk("… and %" PRIu64 " more lines skipped; --verbose shows all", n_bad - BAD_SHOWN);
    if (w->n_narrowed)
        sek_talk("rules on public suffixes: %" PRIu64 "; each is made for the very name, not for "
                 "those below it (--force takes them as they are)",
                 w->n_narrowed);
    if (st->n_duplicate)
        sek_talk("rules that stand there more than once: %" PRIu64, st->n_duplicate);
    if (st->n_contrary)
        sek_talk("rules that contradict another one about the same name: %" PRIu64
                 "; an exception wins, else the last one",
                 st->n_contrary);
    if (w->n_exceptions && w->list.list.action != SEK_ACTION_PASSTHRU)
        sek_talk("%" PRIu64 " of its rules are exceptions: in mode block they beat the blocks of "
                 "every list",
                 w->n_exceptions);
    if (st->n_ending)
        sek_talk("%" PRIu64 " of its rules are there with an end: they keep it", st->n_ending);
    sek_change_done(&w->change,
                    "list %s: %" PRIu64 " rule%s (%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64
                    " changed), read as %s; %" PRIu64 " line%s skipped",
                    w->list.list.name, st->n_after, st->n_after == 1 ? "" : "s", st->n_added,
                    st->n_removed, st->n_changed,
                    sek_lookup_name(sek_format_names, (int)stats->format), n_bad,
                    n_bad == 1 ? "" : "s");
    if (w->change.dry_run)
        sek_talk("%s", w->change.done);
}

static enum sek_err input_read(struct work *w, struct sek_read_stats *stats)
{
    const struct sek_addr sinkhole[] = {w->change.conf->answer.ipv4, w->change.conf->answer.ipv6};
    const struct sek_reader_hooks hooks = {.arg = w,
                                           .rule = on_rule,
                                           .bad = on_bad,
                                           .any_end = w->c->opt[OPT_FORCE].given,
                                           .sinkhole = sinkhole,
                                           .n_sinkhole = 2,
                                           .progress = on_progress};
    const struct sek_arg_value *as = &w->c->opt[OPT_AS];
    int fd;
    enum sek_err err = input_open(w, &fd);
    if (err)
        return err;
    sek_progress_begin(&w->progress, "reading");
    err = sek_reader_run(fd, w->label, as->given ? (enum sek_format)as->number : SEK_FORMAT_AUTO,
                         &hooks, stats, &w->c->diag);
    sek_progress_end(&w->progress);
    if (fd != STDIN_FILENO)
        close(fd);
    return input_judge(w, err, stats);
}

/* The list in the transaction, and still the one that the rules were judged for. */
static enum sek_err list_settle(struct work *w)
{
    enum sek_err err = list_take(w, w->c->args[0]);
    if (!err && (enum sek_action)w->list.list.action != w->judged_by)
        err =
            sek_diag_set(&w->c->diag, SEK_E_BUSY,
                         "another command gave list %s the action %s meanwhile; try again",
                         w->list.list.name, sek_lookup_name(sek_action_names, w->list.list.action));
    if (!err)
        sek_policydb_import_into(w->change.db, w->list.list.id);
    return err;
}

static enum sek_err import(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_read_stats stats = {0};
    struct sek_import_stats st;
    enum sek_err err = list_look(w, c->args[0]);
    if (!err)
        err = sek_policydb_import_begin(w->change.db, 0, w->change.who, c->now_s, &c->diag);
    if (!err)
        err = input_read(w, &stats);
    if (!err)
        err = sek_change_start(&w->change);
    if (!err)
        err = list_settle(w);
    if (!err) {
        sek_progress_begin(&w->progress, "storing");
        err = sek_policydb_import_end(w->change.db, c->opt[OPT_APPEND].given, w->source,
                                      sek_progress_show, &w->progress, &st, &c->diag);
        sek_progress_end(&w->progress);
    }
    if (!err)
        err = shrink_judge(w, &st);
    if (err)
        return err;
    tell(w, &st, &stats);
    return sek_change_end(&w->change);
}

enum sek_err sek_cmd_list_import(struct sek_context *c)
{
    struct work w = {.c = c};
    enum sek_err err = sek_change_open(&w.change, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = import(&w);
    return sek_change_fini(&w.change, err);
}
