/* SPDX-License-Identifier: BSD-3-Clause */
/* exception: decisions, and the list. Requests are in cmd_exception_request.c. */
#include "tools/change/decide.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/views/exceptshow.h"
#include "tools/views/exceptview.h"
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(exception_approve);
SEK_COMMAND(exception_reject);
SEK_COMMAND(exception_revoke);
SEK_COMMAND(exception_reviewed);
SEK_COMMAND(exception_archive);
SEK_COMMAND(exception_list);
SEK_COMMAND(exception_enforce);

enum { OPT_REASON, OPT_DRY_RUN, OPT_LIFETIME, OPT_OLDER = OPT_LIFETIME };
#define DECIDE_ROWS                                                                                \
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for those who read it later"},      \
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"}

const struct sek_arg sek_cmd_exception_approve_args[] = {
    DECIDE_ROWS,
    [OPT_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME",
                      "for less time than was asked for: 30m 8h 3d 2w"},
    {0},
};
const struct sek_arg sek_cmd_exception_reject_args[] = {DECIDE_ROWS, {0}};
const struct sek_arg sek_cmd_exception_revoke_args[] = {DECIDE_ROWS, {0}};
const struct sek_arg sek_cmd_exception_reviewed_args[] = {DECIDE_ROWS, {0}};
const struct sek_arg sek_cmd_exception_archive_args[] = {
    DECIDE_ROWS,
    [OPT_OLDER] = {"older", 0, SEK_ARG_DURATION, "TIME",
                   "without ID: all that have been over for so long; default 30d"},
    {0},
};

#define ARCHIVE_DEFAULT_S (30 * 86400)

/* --- decisions -----------------------------------------------------------------------------------
 */

struct deciding {
    struct sek_decisions d;
    enum sek_exception_act act;
    int64_t lifetime_s;
};

static enum sek_err take(void *arg, const char *word, unsigned line)
{
    struct deciding *g = arg;
    struct sek_context *c = g->d.c;
    const char *note = c->opt[OPT_REASON].given ? c->opt[OPT_REASON].text : "";
    enum sek_err err = sek_decisions_add(&g->d, g->act, word, line, note);
    struct sek_decision *all = (void *)g->d.all.data;
    if (!err)
        all[g->d.all.len / sizeof *all - 1].lifetime_s = g->lifetime_s;
    return err;
}

static enum sek_err decide(struct sek_context *c, enum sek_exception_act act, int64_t lifetime_s)
{
    struct deciding g = {.act = act, .lifetime_s = lifetime_s};
    sek_decisions_init(&g.d, c);
    enum sek_err err = sek_context_words(c, 0, take, &g);
    if (!err)
        err = sek_decisions_run(&g.d, c->opt[OPT_DRY_RUN].given);
    sek_decisions_fini(&g.d);
    return err;
}

/* Whoever approves one sees what he approves; of many, exception show tells. */
enum sek_err sek_cmd_exception_approve(struct sek_context *c)
{
    int64_t id;
    if (c->n_args == 1 && sek_exception_id_read(c->args[0], &id)) {
        enum sek_err err = sek_except_show(c, id, c->now_s - SEK_EXCEPT_SINCE_S);
        if (err)
            return err == SEK_E_NOTFOUND && c->exit == SEK_EXIT_USAGE ? SEK_OK : err;
    }
    return decide(c, SEK_EXCEPTION_APPROVE,
                  c->opt[OPT_LIFETIME].given ? c->opt[OPT_LIFETIME].number : 0);
}

enum sek_err sek_cmd_exception_reject(struct sek_context *c)
{
    return decide(c, SEK_EXCEPTION_REJECT, 0);
}

enum sek_err sek_cmd_exception_revoke(struct sek_context *c)
{
    return decide(c, SEK_EXCEPTION_REVOKE, 0);
}

enum sek_err sek_cmd_exception_reviewed(struct sek_context *c)
{
    return decide(c, SEK_EXCEPTION_REVIEW, 0);
}

/* --- archive -------------------------------------------------------------------------------------
 */

struct old {
    struct sek_decisions d;
    int64_t before_s;
    enum sek_err err;
};

static int64_t over_since(const struct sek_exception *e)
{
    return e->revoked.act                           ? e->revoked.time_s
           : e->decided.act == SEK_EXCEPTION_REJECT ? e->decided.time_s
                                                    : e->end_s;
}

static bool take_old(void *arg, const struct sek_exception *e)
{
    struct old *o = arg;
    struct sek_context *c = o->d.c;
    char id[24];
    if (sek_exception_state(e, c->now_s, 0) < SEK_EXCEPTION_EXPIRED ||
        over_since(e) > o->before_s || sek_exception_is_emergency_open(e))
        return true;
    snprintf(id, sizeof id, "%lld", (long long)e->id);
    o->err = sek_decisions_add(&o->d, SEK_EXCEPTION_ARCHIVE, id, 0,
                               c->opt[OPT_REASON].given ? c->opt[OPT_REASON].text : "");
    return o->err == SEK_OK;
}

enum sek_err sek_cmd_exception_archive(struct sek_context *c)
{
    int64_t older_s = c->opt[OPT_OLDER].given ? c->opt[OPT_OLDER].number : ARCHIVE_DEFAULT_S;
    struct old o = {.before_s = c->now_s - older_s};
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    if (c->n_args && c->opt[OPT_OLDER].given)
        return sek_context_usage(c, "--older finds the exceptions: name none");
    if (c->n_args)
        return decide(c, SEK_EXCEPTION_ARCHIVE, 0);
    sek_decisions_init(&o.d, c);
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = sek_exceptions(db, false, take_old, &o, &c->diag);
    if (!err)
        err = o.err;
    sek_policydb_close(db);
    if (!err && o.d.all.len == 0)
        sek_talk("nothing to archive");
    else if (!err)
        err = sek_decisions_run(&o.d, c->opt[OPT_DRY_RUN].given);
    sek_decisions_fini(&o.d);
    return err;
}

/* --- enforce
 * -----------------------------------------------------------------------------------------
 */

const struct sek_arg sek_cmd_exception_enforce_args[] = {
    {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    SEK_REASON_ROW,
    {0}};

enum sek_err sek_cmd_exception_enforce(struct sek_context *c)
{
    struct sek_change change;
    struct sek_buf doubted;
    enum sek_err err = sek_change_begin(&change, c, c->opt[0].given);
    sek_buf_init(&doubted, 0);
    if (!err)
        err = sek_exceptions_doubt(&change, &doubted);
    if (!err && doubted.len)
        c->exit = SEK_EXIT_ERROR;
    if (!err)
        err = sek_exceptions_end(&change, &doubted);
    sek_buf_fini(&doubted);
    return sek_change_fini(&change, err);
}

/* --- list ----------------------------------------------------------------------------------------
 */

enum { LIST_STATE, LIST_ENDING, LIST_MINE, LIST_NAME, LIST_ALL, N_LIST };
const struct sek_arg sek_cmd_exception_list_args[] = {
    [LIST_STATE] = {"state", 's', SEK_ARG_CHOICE, NULL, "only those that stand so",
                    sek_exception_state_names},
    [LIST_ENDING] = {"ending", 'e', SEK_ARG_DURATION, "TIME", "only those that end within it"},
    [LIST_MINE] = {"mine", 'm', SEK_ARG_FLAG, NULL, "only those that you asked for or own"},
    [LIST_NAME] = {"name", 'n', SEK_ARG_TEXT, "NAME", "only those for it, above it or below it"},
    [LIST_ALL] = {"all", 'a', SEK_ARG_FLAG, NULL, "archived ones, too"},
    [N_LIST] = {0},
};

struct listing {
    struct sek_context *c;
    struct sek_name name;
    char who[64];
    struct sek_exceptions_sum sum;
};

static bool is_wanted(const struct listing *l, const struct sek_exception *e)
{
    struct sek_context *c = l->c;
    enum sek_exception_state state = sek_exception_state(e, c->now_s, c->conf.exceptions.warn_s);
    if (c->opt[LIST_STATE].given && (int64_t)state != c->opt[LIST_STATE].number)
        return false;
    if (c->opt[LIST_ENDING].given && !(sek_exception_in_force(e, c->now_s) && e->end_s &&
                                       e->end_s - c->now_s <= c->opt[LIST_ENDING].number))
        return false;
    if (c->opt[LIST_MINE].given && strcmp(e->requested.who, l->who) != 0 &&
        strcmp(e->owner, l->who) != 0)
        return false;
    return !c->opt[LIST_NAME].given || sek_name_is_at_or_below(&e->name, &l->name) ||
           sek_name_is_at_or_below(&l->name, &e->name);
}

static bool list_row(void *arg, const struct sek_exception *e)
{
    struct listing *l = arg;
    return !is_wanted(l, e) || sek_except_view_row(l->c, e);
}

enum sek_err sek_cmd_exception_list(struct sek_context *c)
{
    struct listing l = {.c = c};
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    struct sek_diag why = {0};
    const char *name = c->opt[LIST_NAME].text;
    enum sek_scope scope;
    if (c->opt[LIST_NAME].given && sek_rule_from_text(name, strlen(name), &scope, &l.name, &why))
        return sek_context_usage(c, "--name: %s", why.text);
    sek_context_who(l.who, sizeof l.who);
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (err)
        return err;
    bool all = c->opt[LIST_ALL].given ||
               (c->opt[LIST_STATE].given && c->opt[LIST_STATE].number == SEK_EXCEPTION_ARCHIVED);
    sek_except_view_begin(c, "sekisho.exceptions/1");
    err = sek_exceptions(db, all, list_row, &l, &c->diag);
    uint64_t n = sek_out_n_rows(c->out);
    if (!err)
        err = sek_out_end(c->out, &c->diag);
    if (!err)
        err = sek_exceptions_sum(db, c->now_s, conf->exceptions.warn_s, &l.sum, &c->diag);
    if (!err)
        sek_except_shout(&l.sum);
    sek_policydb_close(db);
    return !err && n == 0 ? sek_context_none(c, "no exceptions") : err;
}
