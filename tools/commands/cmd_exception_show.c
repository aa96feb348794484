/* SPDX-License-Identifier: BSD-3-Clause */
/* exception show and preview: what an approver wants to know before he decides. */
#include "tools/change/decide.h"
#include "tools/command.h"
#include "tools/views/exceptpreview.h"
#include "tools/views/exceptshow.h"
#include "tools/views/hitview.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(exception_show);
SEK_COMMAND(exception_preview);

enum { OPT_SINCE, OPT_GROUP, OPT_ENDPOINT };
#define SINCE_ROW                                                                                  \
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "what was refused from then on; default 30d"}
const struct sek_arg sek_cmd_exception_show_args[] = {SINCE_ROW, {0}};
const struct sek_arg sek_cmd_exception_preview_args[] = {
    SINCE_ROW,
    [OPT_GROUP] = {"group", 'g', SEK_ARG_TEXT, "GROUP", "as if for this group only"},
    [OPT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT", "as if for this endpoint only"},
    {0},
};

struct looking {
    struct sek_context *c;
    struct sek_change look;    /* database and settings; no change */
    struct sek_report *report; /* NULL: no events.db */
    struct sek_exception e;
    struct sek_nets nets;
};

static int64_t since_of(const struct sek_context *c)
{
    return c->opt[OPT_SINCE].given ? c->opt[OPT_SINCE].number : c->now_s - SEK_EXCEPT_SINCE_S;
}

static enum sek_err close_all(struct looking *l, enum sek_err err)
{
    sek_report_close(l->report);
    sek_nets_fini(&l->nets);
    return sek_change_fini(&l->look, err);
}

/* --- show ----------------------------------------------------------------------------------------
 */

enum sek_err sek_cmd_exception_show(struct sek_context *c)
{
    int64_t id;
    if (!sek_exception_id_read(c->args[0], &id))
        return sek_context_usage(
            c, "\"%.100s\" is no exception's number, see: sekisho exception list", c->args[0]);
    enum sek_err err = sek_except_show(c, id, since_of(c));
    return err == SEK_E_NOTFOUND && c->exit == SEK_EXIT_USAGE ? SEK_OK : err;
}

/* --- preview -------------------------------------------------------------------------------------
 */

/* As if a name were asked for. */
static enum sek_err made_up(struct looking *l)
{
    struct sek_context *c = l->c;
    struct sek_group_row group;
    struct sek_diag why = {0};
    enum sek_scope scope;
    if (sek_rule_from_text(c->args[0], strlen(c->args[0]), &scope, &l->e.name, &why))
        return sek_context_usage(c, "%s", why.text);
    l->e.scope = (uint8_t)scope;
    enum sek_err err = SEK_OK;
    if (c->opt[OPT_GROUP].given)
        err = sek_group_find(&l->look, c->opt[OPT_GROUP].text, &group);
    if (!err && c->opt[OPT_GROUP].given)
        snprintf(l->e.groups, sizeof l->e.groups, "%s", group.group.name);
    if (!err && c->opt[OPT_ENDPOINT].given) {
        snprintf(l->e.endpoints, sizeof l->e.endpoints, "%s", "0.0.0.0"); /* not for everybody */
        err = sek_nets_add(&l->nets, &l->look, c->opt[OPT_ENDPOINT].text);
    }
    return err;
}

static enum sek_err subject_read(struct looking *l)
{
    struct sek_context *c = l->c;
    int64_t id;
    bool named = !sek_exception_id_read(c->args[0], &id);
    if (!named && (c->opt[OPT_GROUP].given || c->opt[OPT_ENDPOINT].given))
        return sek_context_usage(c, "an exception says itself whom it is for");
    enum sek_err err = named ? made_up(l) : sek_exception_find(c, l->look.db, id, &l->e);
    if (err || (named && c->opt[OPT_ENDPOINT].given && !c->opt[OPT_GROUP].given))
        return err;
    if (named && c->opt[OPT_ENDPOINT].given)
        l->e.endpoints[0] = '\0'; /* its networks are known already */
    return sek_preview_nets(c, l->look.db, &l->e, &l->nets);
}

enum sek_err sek_cmd_exception_preview(struct sek_context *c)
{
    struct looking l = {.c = c, .look = {.c = c}};
    enum sek_err err = sek_change_look(c, &l.look.conf, &l.look.db);
    if (!err)
        err = subject_read(&l);
    if (!err)
        err = sek_hit_report_open(c, &l.report);
    if (err)
        return close_all(&l, err);
    struct sek_preview p = {
        .c = c, .report = l.report, .e = &l.e, .nets = &l.nets, .since_s = since_of(c)};
    err = sek_preview_endpoints(&p, false);
    if (!err)
        err = sek_preview_names(&p);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    if (!err && !end_err)
        sek_preview_tell(&p);
    return close_all(&l, err ? err : end_err);
}
