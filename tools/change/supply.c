/* SPDX-License-Identifier: BSD-3-Clause */
#include "supply.h"
#include "guarded.h"
#include "store/exceptions.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define BAD_SHOWN 20

/* The n-th of its kind. */
static void tell_line(struct sek_supply *s, uint64_t n, uint64_t line, const char *why)
{
    if (n <= BAD_SHOWN || s->verbose) {
        sek_progress_end(&s->progress);
        sek_talk("%s:%" PRIu64 ": %s", s->label, line, why);
    }
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
    struct sek_supply *s = arg;
    s->n_bad++;
    tell_line(s, s->n_bad + s->n_guarded, line, why);
}

static void on_doubt(void *arg, uint64_t line, const char *why)
{
    struct sek_supply *s = arg;
    tell_line(s, ++s->n_doubts, line, why);
}

/* Strangers have names below a public suffix, but lists mean by "a.suffix.example" the host of that
 * name, and many are on them (hosts of clouds, dynamic DNS): such a rule is made for that one name.
 */
static enum sek_err rule_guard(struct sek_supply *s, const struct sek_read_rule *rule,
                               enum sek_scope *out_scope, struct sek_diag *diag)
{
    struct sek_diag second;
    bool force = s->force;
    enum sek_action action = s->row.overriding ? (enum sek_action)s->row.overriding
                             : rule->action    ? rule->action
                                               : s->judged_by;
    enum sek_err err = sek_change_guard(s->change, &rule->name, rule->scope, action, force, diag);
    *out_scope = rule->scope;
    if (err != SEK_E_REFUSED || force || rule->scope != SEK_SCOPE_SUBTREE ||
        rule->name.n_labels < 2 || !sek_suffix_is_public(s->change->suffix, &rule->name) ||
        sek_change_guard(s->change, &rule->name, SEK_SCOPE_EXACT, action, false, &second))
        return err;
    s->n_narrowed += !rule->withdrawn;
    *out_scope = SEK_SCOPE_EXACT;
    return SEK_OK;
}

static enum sek_err on_rule(void *arg, const struct sek_read_rule *rule)
{
    struct sek_supply *s = arg;
    struct sek_diag diag;
    enum sek_scope scope;
    enum sek_err err = rule_guard(s, rule, &scope, &diag);
    if (err == SEK_E_REFUSED && rule->withdrawn)
        return SEK_OK;
    if (err == SEK_E_REFUSED) {
        s->n_guarded++;
        tell_line(s, s->n_bad + s->n_guarded, rule->line, diag.text);
        return SEK_OK;
    }
    if (err) {
        s->c->diag = diag;
        return err;
    }
    if (rule->withdrawn)
        return sek_policydb_import_withdraw(s->change->db, &rule->name, scope, rule->action,
                                            &s->c->diag);
    s->n_fed++;
    s->n_exceptions += rule->action == SEK_ACTION_PASSTHRU;
    return sek_policydb_import_rule(s->change->db, &rule->name, scope, rule->action, rule->terms,
                                    &s->c->diag);
}

static void on_progress(void *arg, uint64_t octets, uint64_t total)
{
    struct sek_supply *s = arg;
    sek_progress_show(&s->progress,
                      total ? (unsigned)(octets >= total ? 1000 : octets * 1000 / total) : 1001);
}

/* What the list will do with its rules, as far as one knows before the transaction: the input may
 * come slowly, and nobody else could write meanwhile. */
static enum sek_err list_look(struct sek_supply *s)
{
    struct sek_context *c = s->c;
    const char *name = s->list;
    if (strlen(name) >= sizeof s->row.list.name)
        return sek_context_usage(c, "a list's name has at most %d characters",
                                 SEK_LIST_NAME_MAX - 1);
    enum sek_err err = sek_policydb_list_get(s->change->db, name, &s->row, &c->diag);
    if (err && err != SEK_E_NOTFOUND)
        return err;
    if (!err && strcmp(s->row.source, SEK_EXCEPTIONS_SOURCE) == 0)
        return sek_context_usage(c, "list %s is kept by sekisho exception: nothing is put into it",
                                 name);
    s->judged_by = err ? SEK_ACTION_SINKHOLE : (enum sek_action)s->row.list.action;
    if (s->action >= 0)
        s->judged_by = (enum sek_action)s->action;
    snprintf(s->row.list.name, sizeof s->row.list.name, "%s", name);
    return SEK_OK;
}

static enum sek_err list_make(struct sek_supply *s)
{
    struct sek_context *c = s->c;
    s->row = (struct sek_list_row){
        .list = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE, .ede = 15},
        .created_s = c->now_s};
    snprintf(s->row.list.name, sizeof s->row.list.name, "%s", s->list);
    snprintf(s->row.who, sizeof s->row.who, "%s", s->change->who);
    if (s->mode >= 0)
        s->row.list.mode = (uint8_t)s->mode;
    if (s->action >= 0)
        s->row.list.action = (uint8_t)s->action;
    enum sek_err err = sek_policydb_list_add(s->change->db, &s->row, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    return err;
}

/* The list of that name, made if there is none; --mode and --action count for both, so that the
 * same line may stand in a script that runs every day. */
static enum sek_err list_take(struct sek_supply *s)
{
    struct sek_context *c = s->c;
    enum sek_err err = sek_policydb_list_get(s->change->db, s->list, &s->row, &c->diag);
    if (err == SEK_E_NOTFOUND)
        return list_make(s);
    if (err)
        return err;
    struct sek_list_row old = s->row;
    if (s->mode >= 0)
        s->row.list.mode = (uint8_t)s->mode;
    if (s->action >= 0)
        s->row.list.action = (uint8_t)s->action;
    if (memcmp(&old.list, &s->row.list, sizeof old.list) == 0)
        return SEK_OK;
    if (s->append) /* else only what is fed stays, and that is judged */
        err = sek_guarded_refuse(s->change->conf, s->change->db, c->now_s, &old, &s->row, &c->diag);
    if (err)
        return err;
    snprintf(s->row.who, sizeof s->row.who, "%s", s->change->who);
    s->row.changed_s = c->now_s;
    return sek_policydb_list_set(s->change->db, &s->row, &c->diag);
}

static enum sek_err refuse(struct sek_supply *s, const char *why)
{
    return sek_diag_set(&s->c->diag, SEK_E_REFUSED,
                        "%s: %s; the list %s stays as it was (--force imports it all the same)",
                        s->label, why, s->row.list.name);
}

/* Could this input be the wrong file, or a part of the right one? */
static enum sek_err input_judge(struct sek_supply *s, enum sek_err err)
{
    const struct sek_read_stats *stats = &s->read;
    const struct sek_conf *conf = s->change->conf;
    bool force = s->force;
    char why[200];
    if (err && !(err == SEK_E_CORRUPT && stats->truncated && force && s->n_fed))
        return err;
    if (force)
        return SEK_OK;
    if (stats->truncated)
        return refuse(s, "it is truncated");
    uint64_t n_all = stats->n_bad + stats->n_unsupported + stats->n_rules;
    if (stats->n_bad * 100 > conf->policy.garbage_percent * n_all) {
        snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " lines make no sense as %s",
                 stats->n_bad, n_all, sek_lookup_name(sek_format_names, (int)stats->format));
        return refuse(s, why);
    }
    if (s->n_fed == 0 && !s->append)
        return refuse(s, "it has no names");
    return SEK_OK;
}

/* Would the list become another one? */
static enum sek_err change_judge(struct sek_supply *s)
{
    const struct sek_import_stats *st = &s->stored;
    uint64_t percent = s->change->conf->policy.shrink_percent;
    char why[200];
    if (s->force)
        return SEK_OK;
    if (s->limit_growth && st->n_before >= SEK_SUPPLY_GROW_MIN &&
        st->n_after > SEK_SUPPLY_GROW * st->n_before) {
        snprintf(why, sizeof why,
                 "the list would grow from %" PRIu64 " names to %" PRIu64 ", to more than %d times",
                 st->n_before, st->n_after, SEK_SUPPLY_GROW);
        return refuse(s, why);
    }
    if (st->n_after >= st->n_before || (st->n_before - st->n_after) * 100 <= percent * st->n_before)
        return SEK_OK;
    snprintf(why, sizeof why,
             "the list would shrink from %" PRIu64 " names to %" PRIu64 ", by more than %" PRIu64
             " %%",
             st->n_before, st->n_after, percent);
    return refuse(s, why);
}

void sek_supply_tell(struct sek_supply *s)
{
    const struct sek_import_stats *st = &s->stored;
    uint64_t n_bad = s->n_bad + s->n_guarded;
    if (n_bad > BAD_SHOWN && !s->verbose)
        sek_talk("… and %" PRIu64 " more lines skipped; --verbose shows all", n_bad - BAD_SHOWN);
    if (s->n_doubts > BAD_SHOWN && !s->verbose)
        sek_talk("… and %" PRIu64 " more lines in doubt; --verbose shows all",
                 s->n_doubts - BAD_SHOWN);
    if (s->n_narrowed)
        sek_talk("rules on public suffixes: %" PRIu64 "; each is made for the very name, not for "
                 "those below it (--force takes them as they are)",
                 s->n_narrowed);
    if (st->n_duplicate)
        sek_talk("rules that stand there more than once: %" PRIu64, st->n_duplicate);
    if (st->n_contrary)
        sek_talk("rules that contradict another one about the same name: %" PRIu64
                 "; an exception wins, else the last one",
                 st->n_contrary);
    if (st->n_withdrawn)
        sek_talk("rules that another line takes back ($badfilter): %" PRIu64, st->n_withdrawn);
    if (s->n_exceptions && s->row.list.action != SEK_ACTION_PASSTHRU)
        sek_talk("%" PRIu64 " of its rules are exceptions: in mode block they beat the blocks of "
                 "every %slist",
                 s->n_exceptions, s->read.format == SEK_FORMAT_RPZ ? "other " : "");
    if (st->n_ending)
        sek_talk("%" PRIu64 " of its rules are there with an end: they keep it", st->n_ending);
    sek_change_done(s->change,
                    "list %s: %" PRIu64 " rule%s (%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64
                    " changed), read as %s; %" PRIu64 " line%s skipped",
                    s->row.list.name, st->n_after, st->n_after == 1 ? "" : "s", st->n_added,
                    st->n_removed, st->n_changed,
                    sek_lookup_name(sek_format_names, (int)s->read.format), n_bad,
                    n_bad == 1 ? "" : "s");
    if (s->change->dry_run)
        sek_change_say(s->change);
}

enum sek_err sek_supply_read(struct sek_supply *s, int fd)
{
    const struct sek_addr sinkhole[] = {s->change->conf->answer.ipv4, s->change->conf->answer.ipv6};
    const struct sek_reader_hooks hooks = {.arg = s,
                                           .rule = on_rule,
                                           .bad = on_bad,
                                           .doubt = on_doubt,
                                           .any_end = s->force,
                                           .sinkhole = sinkhole,
                                           .n_sinkhole = 2,
                                           .ttl_s = s->change->conf->answer.ttl_s,
                                           .path = s->path,
                                           .progress = on_progress};
    struct sek_context *c = s->c;
    enum sek_err err = list_look(s);
    if (!err)
        err = sek_policydb_import_begin(s->change->db, 0, s->change->who, c->now_s, &c->diag);
    if (err)
        return err;
    sek_progress_begin(&s->progress, "reading");
    err = sek_reader_run(fd, s->label, s->format, &hooks, &s->read, &c->diag);
    sek_progress_end(&s->progress);
    return input_judge(s, err);
}

/* The list in the transaction, and still the one that the rules were judged for. */
static enum sek_err list_settle(struct sek_supply *s)
{
    uint8_t judged = s->row.overriding;
    enum sek_err err = list_take(s);
    bool zone = s->read.format == SEK_FORMAT_RPZ || (s->append && s->row.zone);
    if (!err && s->row.zone != zone) {
        s->row.zone = zone;
        err = sek_policydb_list_set(s->change->db, &s->row, &s->c->diag);
    }
    if (!err && s->row.overriding != judged)
        err = sek_diag_set(&s->c->diag, SEK_E_BUSY,
                           "another command gave list %s another override meanwhile; try again",
                           s->row.list.name);
    if (!err && (enum sek_action)s->row.list.action != s->judged_by)
        err = sek_diag_set(&s->c->diag, SEK_E_BUSY,
                           "another command gave list %s the action %s meanwhile; try again",
                           s->row.list.name, sek_lookup_name(sek_action_names, s->row.list.action));
    if (!err)
        sek_policydb_import_into(s->change->db, s->row.list.id);
    return err;
}

enum sek_err sek_supply_store(struct sek_supply *s)
{
    enum sek_err err = list_settle(s);
    if (err)
        return err;
    sek_progress_begin(&s->progress, "storing");
    err = sek_policydb_import_end(s->change->db, s->append, s->source, sek_progress_show,
                                  &s->progress, &s->stored, &s->c->diag);
    sek_progress_end(&s->progress);
    return err ? err : change_judge(s);
}
