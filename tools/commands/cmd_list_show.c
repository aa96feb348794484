/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/change/groups.h"
#include "name/text.h"
#include "store/policydb.h"
#include "tools/print/talk.h"
#include "tools/views/patterncost.h"
#include "base/banned.h"

SEK_COMMAND(list_show);

const struct sek_arg sek_cmd_list_show_args[] = {{0}};

enum {
    L_NAME,
    L_MODE,
    L_ACTION,
    L_ENTRIES,
    L_PRIORITY,
    L_EDE,
    L_AGE,
    L_IMPORTED,
    L_SOURCE,
    L_WHO,
    L_CHANGED,
    L_CREATED,
    L_COMMENT,
    L_AUDIENCE,
    L_OVERRIDE,
    L_COLS
};
static const struct sek_col list_cols[] = {
    [L_NAME] = {"list", "List", SEK_COL_TEXT},
    [L_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [L_ACTION] = {"action", "Action", SEK_COL_TEXT},
    [L_ENTRIES] = {"entries", "Entries", SEK_COL_UINT},
    [L_PRIORITY] = {"priority", "Priority", SEK_COL_INT},
    [L_EDE] = {"ede", "EDE", SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE},
    [L_AGE] = {"age_s", "Imported", SEK_COL_DURATION, "by hand", 0, SEK_COL_PEOPLE},
    [L_IMPORTED] = {"imported", "Imported (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [L_SOURCE] = {"source", "Source", SEK_COL_TEXT},
    [L_WHO] = {"who", "Changed by", SEK_COL_TEXT},
    [L_CHANGED] = {"changed", "Changed (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [L_CREATED] = {"created", "Created (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [L_COMMENT] = {"comment", "Comment", SEK_COL_TEXT},
    [L_AUDIENCE] = {"audience", "For", SEK_COL_TEXT, "everybody", 0, SEK_COL_FILLED},
    [L_OVERRIDE] = {"override", "Override", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
};

enum { E_RULE, E_ACTION, E_ENDS, E_WHO, E_CREATED, E_REASON, E_TERMS, E_COLS };
static const struct sek_col entry_cols[] = {
    [E_RULE] = {"rule", "Rule", SEK_COL_NAME},
    [E_ACTION] = {"action", "Action", SEK_COL_TEXT, "as list"},
    [E_ENDS] = {"ends", "Ends (UTC)", SEK_COL_TIME, "never"},
    [E_WHO] = {"who", "Added by", SEK_COL_TEXT},
    [E_CREATED] = {"added", "Added (UTC)", SEK_COL_TIME},
    [E_REASON] = {"reason", "Reason", SEK_COL_TEXT},
    [E_TERMS] = {"terms", "Terms", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
};

static const enum sek_tint mode_tints[] = {[SEK_MODE_OFF] = SEK_TINT_FAINT,
                                           [SEK_MODE_MONITOR] = SEK_TINT_WARN,
                                           [SEK_MODE_BLOCK] = SEK_TINT_NONE};

struct lists {
    struct sek_context *c;
    struct sek_policydb *db;
};

static void put_audience(const struct lists *l, const struct sek_audience *a)
{
    struct sek_buf text;
    if (a->only == 0 && a->except == 0)
        return;
    sek_buf_init(&text, 0);
    sek_audience_text(l->db, a, l->c->now_s, &text);
    sek_out_text(l->c->out, L_AUDIENCE, text.data);
    sek_buf_fini(&text);
}

static bool put_list(void *arg, const struct sek_list_row *row)
{
    const struct lists *l = arg;
    struct sek_context *c = l->c;
    struct sek_out *o = c->out;
    put_audience(l, &row->audience);
    sek_out_text(o, L_NAME, row->list.name);
    sek_out_text(o, L_MODE, sek_lookup_name(sek_mode_names, row->list.mode));
    sek_out_tint(o, L_MODE, mode_tints[row->list.mode % 3]);
    sek_out_text(o, L_ACTION, sek_lookup_name(sek_action_names, row->list.action));
    sek_out_uint(o, L_ENTRIES, row->list.n_entries);
    sek_out_int(o, L_PRIORITY, row->list.priority);
    sek_out_uint(o, L_EDE, row->list.ede);
    if (row->imported_s) {
        int64_t age_s = c->now_s - row->imported_s;
        sek_out_uint(o, L_AGE, age_s > 0 ? (uint64_t)age_s : 0);
        sek_out_int(o, L_IMPORTED, row->imported_s);
    }
    sek_out_text(o, L_SOURCE, row->source);
    sek_out_text(o, L_WHO, row->who);
    sek_out_int(o, L_CHANGED, row->changed_s);
    sek_out_int(o, L_CREATED, row->created_s);
    sek_out_text(o, L_COMMENT, row->comment);
    if (row->overriding)
        sek_out_text(o, L_OVERRIDE, row->override);
    return sek_out_row(o);
}

static bool put_entry(void *arg, const struct sek_entry *e)
{
    struct sek_context *c = arg;
    struct sek_out *o = c->out;
    char text[SEK_NAME_TEXT_MAX + 2];
    sek_rule_to_text((enum sek_scope)e->rule.scope, e->name.octets, text);
    sek_out_text(o, E_RULE, text);
    if (e->rule.action != SEK_ACTION_DEFAULT)
        sek_out_text(o, E_ACTION, sek_lookup_name(sek_action_names, e->rule.action));
    if (e->rule.expires_s) {
        sek_out_int(o, E_ENDS, e->rule.expires_s);
        if (e->rule.expires_s <= c->now_s)
            sek_out_tint(o, E_ENDS, SEK_TINT_FAINT);
    }
    sek_out_text(o, E_WHO, e->who);
    sek_out_int(o, E_CREATED, e->created_s);
    sek_out_text(o, E_REASON, e->comment);
    if (*e->terms)
        sek_out_text(o, E_TERMS, e->terms);
    return sek_out_row(o);
}

static enum sek_err show_lists(struct sek_context *c, struct sek_policydb *db)
{
    sek_out_begin(c->out, "sekisho.lists/1", list_cols, L_COLS, SEK_OUT_ROWS);
    struct lists l = {c, db};
    enum sek_err err = sek_policydb_lists(db, put_list, &l, &c->diag);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    return err ? err : end_err;
}

static enum sek_err show_entries(struct sek_context *c, struct sek_policydb *db)
{
    struct sek_list_row row;
    enum sek_err err = sek_policydb_list_get(db, c->args[0], &row, &c->diag);
    if (err == SEK_E_NOTFOUND)
        return sek_context_none(
            c, "there is no list %.64s; sekisho list show names those there are", c->args[0]);
    if (err)
        return err;
    sek_out_begin(c->out, "sekisho.list/1", entry_cols, E_COLS, SEK_OUT_ROWS);
    err = sek_policydb_entries(db, row.list.id, put_entry, c, &c->diag);
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    return err ? err : end_err;
}

enum sek_err sek_cmd_list_show(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = c->n_args ? show_entries(c, db) : show_lists(c, db);
    if (!err && c->n_args == 0)
        sek_pattern_cost_tell(conf);
    sek_policydb_close(db);
    return err;
}
