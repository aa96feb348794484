/* SPDX-License-Identifier: BSD-3-Clause */
#include "change.h"
#include "base/duration.h"
#include "confirm.h"
#include "dismissfile.h"
#include "name/text.h"
#include "preview.h"
#include "policy/about.h"
#include "policy/patterns_write.h"
#include "store/versions.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/roles.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define KEEP_ENDED_S (30 * 86400) /* entries that ended stay visible for that long */

static void add_change(void *arg, bool added, const struct sek_name *name,
                       const struct sek_rule *rule, const char *terms)
{
    struct sek_change *ch = arg;
    uint64_t n = *(added ? &ch->n_added : &ch->n_removed) += 1;
    if (ch->c->preview) {
        sek_preview_touch(ch, name, rule->list);
        return;
    }
    if (!ch->dry_run && n > ch->n_show)
        return;
    char text[SEK_NAME_TEXT_MAX + 2], ends[32];
    sek_rule_to_text(rule->scope, name->octets, text);
    sek_buf_add_fmt(&ch->lines, "%c %s%s%s", added ? '+' : '-', text, *terms ? " " : "", terms);
    if (rule->action != SEK_ACTION_DEFAULT)
        sek_buf_add_fmt(&ch->lines, "  # %s", sek_lookup_name(sek_action_names, rule->action));
    if (rule->expires_s)
        sek_buf_add_fmt(&ch->lines, "%s until %s", rule->action != SEK_ACTION_DEFAULT ? "," : "  #",
                        sek_time_to_text(rule->expires_s, ends, sizeof ends));
    sek_buf_add_text(&ch->lines, "\n");
}

/* policy.db is root's alone: everybody else comes by sudo, which tells us who he is. */
static enum sek_err denied(struct sek_context *c, enum sek_err err)
{
    if (err == SEK_E_DENIED && geteuid() != 0) {
        char text[sizeof c->diag.text];
        snprintf(text, sizeof text, "%s", c->diag.text);
        sek_diag_set(&c->diag, err, "%.300s; try: sudo sekisho %s …", text, c->command->words);
    }
    return err;
}

/* A rehearsal has nothing to keep, so it needs no file either: before the first write it runs on an
 * empty database in memory. */
static enum sek_err database_open(struct sek_change *ch)
{
    const char *path = ch->conf->policy.db;
    if (ch->dry_run && access(path, F_OK) != 0 && errno == ENOENT)
        path = NULL;
    enum sek_err err = sek_policydb_open(path, true, &ch->db, &ch->c->diag);
    if (!err)
        sek_versions_keep(ch->db, (unsigned)ch->conf->policy.versions);
    return denied(ch->c, err);
}

enum sek_err sek_change_open(struct sek_change *ch, struct sek_context *c, bool dry_run)
{
    *ch = (struct sek_change){.c = c, .dry_run = dry_run};
    sek_buf_init(&ch->lines, 0);
    sek_buf_init(&ch->done, 0);
    sek_buf_init(&ch->touched, 0);
    sek_context_who(ch->who, sizeof ch->who);
    enum sek_err err = sek_context_conf(c, &ch->conf);
    if (!err)
        err = sek_roles_admit_writer(c);
    if (!err)
        err = database_open(ch);
    return err ? err : sek_audited_begin(ch->conf, ch->db, &c->diag);
}

enum sek_err sek_change_start(struct sek_change *ch)
{
    struct sek_context *c = ch->c;
    enum sek_err err = sek_policydb_begin(ch->db, &c->diag);
    if (!err)
        err = sek_policydb_generation(ch->db, &ch->generation, &c->diag);
    if (err)
        return err;
    sek_policydb_watch(ch->db, add_change, ch);
    return SEK_OK;
}

enum sek_err sek_change_begin(struct sek_change *ch, struct sek_context *c, bool dry_run)
{
    enum sek_err err = sek_change_open(ch, c, dry_run);
    return err ? err : sek_change_start(ch);
}

enum sek_err sek_change_never(struct sek_change *ch, struct sek_diag *diag)
{
    const char *list = ch->conf->suffix.list;
    if (ch->never)
        return SEK_OK;
    enum sek_err err = sek_suffix_open(*list ? list : NULL, &ch->suffix, diag);
    if (!err)
        err = sek_never_new(ch->conf->policy.never_block.items, ch->conf->policy.never_block.n,
                            ch->suffix, &ch->never, diag);
    return err;
}

#define WIDE_V4 (96 + 8) /* bits of the prefix: wider networks are mostly a slip */
#define WIDE_V6 16

struct protected
{
    const struct sek_pattern *pattern;
    struct sek_name *out;
};

static enum sek_err protected_look(void *arg, const struct sek_name *name, bool below)
{
    const struct protected *p = arg;
    (void)below;
    if (!sek_pattern_matches(p->pattern, name))
        return SEK_OK;
    *p->out = *name;
    return SEK_E_REFUSED;
}

/* The engine spares protected names, whatever an expression says of them: one that is so wide that
 * it meets them is a slip all the same. */
static enum sek_err regex_guard(struct sek_change *ch, const struct sek_name *owner,
                                enum sek_action action, bool force, struct sek_diag *diag)
{
    struct sek_pattern *pattern = NULL;
    struct sek_name met;
    char text[SEK_NAME_TEXT_MAX + 2], name[SEK_NAME_TEXT_MAX];
    enum sek_err err = sek_pattern_compile(owner, &pattern, diag);
    if (err && err != SEK_E_NOMEM && diag)
        diag->code = SEK_E_REFUSED; /* of an import it is skipped, then, and told */
    if (err)
        return err == SEK_E_NOMEM ? err : SEK_E_REFUSED;
    struct protected p = {pattern, &met};
    if (!force && action != SEK_ACTION_PASSTHRU && action != SEK_ACTION_LOG)
        err = sek_never_places(ch->never, protected_look, &p);
    sek_pattern_free(pattern);
    if (err != SEK_E_REFUSED)
        return err;
    sek_rule_to_text(SEK_SCOPE_EXACT, owner->octets, text);
    sek_name_to_text(met.octets, name);
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "%s matches the protected name %s: narrow it, or spare protected names "
                        "with --force",
                        text, name);
}

/* Of rules that are not about the name that is asked for. */
static enum sek_err about_guard(struct sek_change *ch, const struct sek_name *owner,
                                enum sek_scope scope, enum sek_action action, bool force,
                                struct sek_diag *diag)
{
    struct sek_name server;
    struct sek_net net;
    char text[SEK_NET_TEXT_MAX];
    enum sek_about about = sek_about_of(owner);
    if (about == SEK_ABOUT_REGEX)
        return regex_guard(ch, owner, action, force, diag);
    if (about == SEK_ABOUT_ASN || about == SEK_ABOUT_COUNTRY)
        return SEK_OK;
    if (about == SEK_ABOUT_NSDNAME) {
        sek_about_to_server(owner, &server);
        return sek_never_check(ch->never, &server, scope, action, force, diag);
    }
    enum sek_err err = sek_about_to_net(owner, &net, diag);
    bool v4 = err == SEK_OK && net.bits >= 96 && sek_addr_is_v4(&net.addr);
    if (err != SEK_OK || force || net.bits >= (v4 ? WIDE_V4 : WIDE_V6))
        return err;
    return sek_diag_set(diag, SEK_E_REFUSED, "%s is a very large network; it needs --force",
                        sek_net_to_text(&net, text));
}

enum sek_err sek_change_guard(struct sek_change *ch, const struct sek_name *name,
                              enum sek_scope scope, enum sek_action action, bool force,
                              struct sek_diag *diag)
{
    enum sek_err err = sek_change_never(ch, diag);
    if (err)
        return err;
    if (sek_about_of(name) != SEK_ABOUT_NAME)
        return about_guard(ch, name, scope, action, force, diag);
    bool wide = action == SEK_ACTION_PASSTHRU && scope != SEK_SCOPE_EXACT && !force;
    if (wide && sek_suffix_is_public(ch->suffix, name)) {
        char text[SEK_NAME_TEXT_MAX + 2];
        sek_rule_to_text(scope, name->octets, text);
        return sek_diag_set(diag, SEK_E_REFUSED,
                            "%s is a public suffix: an exception for all names below it needs "
                            "--force",
                            text);
    }
    return sek_never_check(ch->never, name, scope, action, force, diag);
}

enum sek_err sek_change_list(struct sek_change *ch, const char *name, struct sek_list_row *out)
{
    enum sek_err err = sek_policydb_list_get(ch->db, name, out, &ch->c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(ch->c, "there is no list %.64s; sekisho list show names those there are",
                         name);
    return err;
}

enum sek_err sek_change_publish(struct sek_context *c, const struct sek_conf *conf,
                                struct sek_policydb *db, bool full, bool quiet)
{
    struct sek_progress progress;
    struct sek_image_info info;
    sek_policydb_seen(db, sek_confirm_seen(conf));
    sek_progress_begin(&progress, "compiling");
    enum sek_err err = sek_policydb_compile(db, conf->policy.dir, c->now_s, full, sek_progress_show,
                                            &progress, &info, &c->diag);
    sek_progress_end(&progress);
    if (err) {
        sek_diag_wrap(&c->diag,
                      "saved in policy.db, but not compiled, so not in force until sekisho "
                      "list publish succeeds");
        return err;
    }
    return sek_confirm_wait(conf, info.generation, quiet, &c->diag);
}

void sek_change_done(struct sek_change *ch, const char *fmt, ...)
{
    va_list args;
    sek_buf_reset(&ch->done);
    va_start(args, fmt);
    sek_buf_add_args(&ch->done, fmt, args);
    va_end(args);
}

void sek_change_say(const struct sek_change *ch)
{
    if (ch->done.len)
        sek_talk("%s", ch->done.data);
}

static void lines_print(const struct sek_change *ch)
{
    sek_print(ch->lines.len ? ch->lines.data : "");
}

/* All is taken back before the first line is printed: who reads them may take his time, and others
 * want to write. */
static enum sek_err rehearsal_end(struct sek_change *ch)
{
    if (ch->c->preview)
        return sek_preview_run(ch);
    sek_policydb_rollback(ch->db);
    if (ch->lines.failed)
        return sek_diag_set(&ch->c->diag, SEK_E_NOMEM, "too many changes to be shown");
    lines_print(ch);
    sek_talk("dry run: %" PRIu64 " rule%s would be added, %" PRIu64 " removed; nothing is written",
             ch->n_added, ch->n_added == 1 ? "" : "s", ch->n_removed);
    return SEK_OK;
}

/* Entries that ended long ago are swept away beside a change only: its row of the trail is then
 * that of what the tables hold without them. */
static enum sek_err sweep(struct sek_change *ch)
{
    struct sek_context *c = ch->c;
    uint64_t n_ended;
    if (!sek_audit_touched(ch->db, NULL))
        return SEK_OK;
    sek_policydb_watch(ch->db, NULL, NULL);
    return sek_policydb_expire(ch->db, c->now_s - KEEP_ENDED_S, &n_ended, &c->diag);
}

enum sek_err sek_change_commit(struct sek_change *ch)
{
    struct sek_context *c = ch->c;
    if (ch->dry_run)
        return rehearsal_end(ch);
    bool dismissals = sek_audit_touched(ch->db, "dismissal");
    enum sek_err err = sweep(ch);
    if (!err)
        err = sek_audited_add(c, ch->conf, ch->db, &ch->act);
    if (!err)
        err = sek_policydb_commit(ch->db, &c->diag);
    if (err)
        return err;
    lines_print(ch);
    sek_change_say(ch);
    return dismissals ? sek_dismissfile_publish(ch->conf, ch->db, &c->diag) : SEK_OK;
}

enum sek_err sek_change_end(struct sek_change *ch)
{
    struct sek_context *c = ch->c;
    uint64_t generation;
    enum sek_err err = sek_change_commit(ch);
    if (err || ch->dry_run)
        return err;
    err = sek_policydb_generation(ch->db, &generation, &c->diag);
    if (err)
        return err;
    return sek_change_publish(c, ch->conf, ch->db, false, generation == ch->generation);
}

enum sek_err sek_change_fini(struct sek_change *ch, enum sek_err err)
{
    bool said = err == SEK_E_NOTFOUND && ch->c && ch->c->exit == SEK_EXIT_USAGE;
    sek_policydb_close(ch->db);
    sek_never_free(ch->never);
    sek_suffix_close(ch->suffix);
    sek_buf_fini(&ch->lines);
    sek_buf_fini(&ch->done);
    sek_buf_fini(&ch->touched);
    return said ? SEK_OK : err;
}

enum sek_err sek_change_run(struct sek_context *c, bool dry_run, sek_change_work_fn *work)
{
    struct sek_change ch;
    enum sek_err err = sek_change_begin(&ch, c, dry_run);
    if (!err)
        err = work(&ch, c);
    if (!err)
        err = sek_change_end(&ch);
    return sek_change_fini(&ch, err);
}

enum sek_err sek_change_look(struct sek_context *c, const struct sek_conf **out_conf,
                             struct sek_policydb **out)
{
    enum sek_err err = sek_context_conf(c, out_conf);
    if (!err)
        err = sek_policydb_open((*out_conf)->policy.db, false, out, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_diag_set(&c->diag, err, "%s does not exist yet; sekisho list import or block makes it",
                     (*out_conf)->policy.db);
    return denied(c, err);
}
