/* SPDX-License-Identifier: BSD-3-Clause */
/* How two lists, or two versions of lists, differ. */
#include "tools/change/change.h"
#include "tools/command.h"
#include "name/text.h"
#include "tools/print/talk.h"
#include "tools/change/versionspec.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(list_diff);
const struct sek_arg sek_cmd_list_diff_args[] = {{0}};

enum { D_IN, D_RULE, D_ACTION, D_COLS };
static const struct sek_col cols[] = {
    [D_IN] = {"change", "", SEK_COL_TEXT},
    [D_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [D_ACTION] = {"action", "Action", SEK_COL_TEXT, "as list"},
};

/* A rule of the first list, while the second one is read. */
struct held {
    uint8_t scope, action, len; /* of the name behind it */
};

struct diff {
    struct sek_context *c;
    struct sek_buf first;
    size_t at;
    struct sek_entry a; /* the next one of the first */
    bool a_left, closed;
    uint64_t n_first, n_second, n_both;
};

static enum sek_err hold(void *arg, const struct sek_entry *e, struct sek_diag *diag)
{
    struct diff *d = arg;
    const struct held h = {e->rule.scope, e->rule.action, e->name.len};
    sek_buf_add(&d->first, &h, sizeof h);
    sek_buf_add(&d->first, e->name.octets, e->name.len);
    return d->first.failed ? sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM))
                           : SEK_OK;
}

static void a_next(struct diff *d)
{
    struct held h;
    d->a_left = d->at + sizeof h <= d->first.len;
    if (!d->a_left)
        return;
    memcpy(&h, d->first.data + d->at, sizeof h);
    d->at += sizeof h;
    d->a.rule.scope = h.scope;
    d->a.rule.action = h.action;
    d->a_left =
        sek_name_from_wire((const uint8_t *)d->first.data + d->at, h.len, &d->a.name) == SEK_OK;
    d->at += h.len;
}

static void put(struct diff *d, const char *sign, const struct sek_entry *e)
{
    char text[SEK_NAME_TEXT_MAX + 2];
    sek_rule_to_text((enum sek_scope)e->rule.scope, e->name.octets, text);
    sek_out_text(d->c->out, D_IN, sign);
    sek_out_text(d->c->out, D_RULE, text);
    if (e->rule.action != SEK_ACTION_DEFAULT)
        sek_out_text(d->c->out, D_ACTION, sek_lookup_name(sek_action_names, e->rule.action));
    d->closed = !sek_out_row(d->c->out);
}

static int order_of(const struct sek_entry *a, const struct sek_entry *b)
{
    int order = sek_name_compare(&a->name, &b->name);
    return order ? order : (int)a->rule.scope - (int)b->rule.scope;
}

static void first_only(struct diff *d)
{
    d->n_first++;
    put(d, "-", &d->a);
    a_next(d);
}

static enum sek_err meet(void *arg, const struct sek_entry *b, struct sek_diag *diag)
{
    struct diff *d = arg;
    (void)diag;
    while (!d->closed && d->a_left && order_of(&d->a, b) < 0)
        first_only(d);
    bool same = d->a_left && order_of(&d->a, b) == 0;
    if (same && d->a.rule.action == b->rule.action) {
        d->n_both++;
        a_next(d);
        return SEK_OK;
    }
    if (same)
        first_only(d);
    d->n_second++;
    if (!d->closed)
        put(d, "+", b);
    return SEK_OK;
}

static enum sek_err diff(struct diff *d, struct sek_policydb *db)
{
    struct sek_context *c = d->c;
    struct sek_versionspec a, b;
    enum sek_err err = sek_versionspec_read(db, c->args[0], &a, &c->diag);
    if (!err)
        err = sek_versionspec_read(db, c->args[1], &b, &c->diag);
    if (!err)
        err = sek_versionspec_rules(db, &a, hold, d, &c->diag);
    if (err)
        return err;
    a_next(d);
    sek_out_begin(c->out, "sekisho.diff/1", cols, D_COLS, SEK_OUT_ROWS);
    err = sek_versionspec_rules(db, &b, meet, d, &c->diag);
    while (!err && !d->closed && d->a_left)
        first_only(d);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    if (err || end_err)
        return err ? err : end_err;
    sek_talk("%" PRIu64 " only in %s (-), %" PRIu64 " only in %s (+), %" PRIu64 " in both",
             d->n_first, a.text, d->n_second, b.text, d->n_both);
    return SEK_OK;
}

enum sek_err sek_cmd_list_diff(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;

    struct diff d = {.c = c};
    sek_buf_init(&d.first, SIZE_MAX / 2);
    enum sek_err err = sek_change_look(c, &conf, &db);
    bool opened = !err;
    if (!err)
        err = diff(&d, db);
    sek_policydb_close(db);
    sek_buf_fini(&d.first);
    if (opened && (err == SEK_E_NOTFOUND || err == SEK_E_INVALID)) /* said what is missing */
        c->exit = SEK_EXIT_USAGE;
    if (opened && err == SEK_E_NOTFOUND)
        return sek_context_none(c, "%s", c->diag.text);
    return err;
}
