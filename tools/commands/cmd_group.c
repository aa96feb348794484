/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of endpoints: group add, remove, mode, show; and list audience, for whom a list is. */
#include "tools/command.h"
#include "tools/change/groups.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(group_add);
SEK_COMMAND(group_remove);
SEK_COMMAND(group_mode);
SEK_COMMAND(group_show);
SEK_COMMAND(list_audience);

enum { ADD_LIFETIME, ADD_REASON, ADD_DRY_RUN, N_ADD };
const struct sek_arg sek_cmd_group_add_args[] = {
    [ADD_LIFETIME] = {"lifetime", 'l', SEK_ARG_DURATION, "TIME",
                      "the members leave by themselves: 30m 8h 3d 2w"},
    [ADD_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for those who read it later"},
    [ADD_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [N_ADD] = {0},
};
enum { REMOVE_DRY_RUN, REMOVE_REASON, N_REMOVE };
const struct sek_arg sek_cmd_group_remove_args[] = {
    [REMOVE_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,
                        "print what would change, write nothing"},
    [REMOVE_REASON] = SEK_REASON_ROW,
    [N_REMOVE] = {0},
};
enum { MODE_ACTION, MODE_DRY_RUN, MODE_REASON, N_MODE };
const struct sek_arg sek_cmd_group_mode_args[] = {
    [MODE_ACTION] = {"action", 'a', SEK_ARG_CHOICE, NULL, "what is done with other names",
                     sek_action_names},
    [MODE_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [MODE_REASON] = SEK_REASON_ROW,
    [N_MODE] = {0},
};
const struct sek_arg sek_cmd_group_show_args[] = {{0}};
enum { AUDIENCE_EXCEPT, AUDIENCE_DRY_RUN, AUDIENCE_REASON, N_AUDIENCE };
const struct sek_arg sek_cmd_list_audience_args[] = {
    [AUDIENCE_EXCEPT] = {"except", 0, SEK_ARG_FLAG, NULL, "for everybody but these groups"},
    [AUDIENCE_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL,
                          "print what would change, write nothing"},
    [AUDIENCE_REASON] = SEK_REASON_ROW,
    [N_AUDIENCE] = {0},
};

/* The networks of c->args[1..]. */
static enum sek_err nets_read(struct sek_change *ch, struct sek_context *c, struct sek_nets *out)
{
    for (int i = 1; i < c->n_args; i++) {
        enum sek_err err = sek_nets_add(out, ch, c->args[i]);
        if (err)
            return err;
    }
    return SEK_OK;
}

static void add_line(struct sek_change *ch, char sign, const char *what, const char *group)
{
    if (ch->dry_run)
        sek_buf_add_fmt(&ch->lines, "%c %s %s\n", sign, what, group);
}

/* --- add -----------------------------------------------------------------------------------------
 */

static enum sek_err member_prepare(struct sek_change *ch, struct sek_context *c,
                                   const struct sek_group_row *row, struct sek_member *m)
{
    const char *reason = c->opt[ADD_REASON].given ? c->opt[ADD_REASON].text : "";
    *m = (struct sek_member){.group = row->group.id, .created_s = c->now_s};
    if (strlen(reason) >= sizeof m->comment)
        return sek_context_usage(c, "--reason: at most %zu octets", sizeof m->comment - 1);
    snprintf(m->comment, sizeof m->comment, "%s", reason);
    snprintf(m->who, sizeof m->who, "%s", ch->who);
    if (c->opt[ADD_LIFETIME].given)
        m->expires_s = c->now_s + c->opt[ADD_LIFETIME].number;
    return SEK_OK;
}

static enum sek_err members_put(struct sek_change *ch, struct sek_context *c,
                                const struct sek_group_row *row, const struct sek_nets *nets,
                                unsigned *out_changed)
{
    char text[SEK_NET_TEXT_MAX];
    struct sek_member m;
    enum sek_err err = member_prepare(ch, c, row, &m);
    for (size_t i = 0; !err && i < nets->n; i++) {
        bool changed = false;
        m.net = nets->items[i];
        err = sek_policydb_member_put(ch->db, &m, &changed, &c->diag);
        if (changed)
            add_line(ch, '+', sek_net_to_text(&m.net, text), row->group.name);
        *out_changed += changed;
    }
    return err;
}

static enum sek_err add(struct sek_change *ch, struct sek_context *c)
{
    struct sek_group_row row;
    struct sek_nets nets = {0};
    unsigned n_changed = 0;
    enum sek_err err = nets_read(ch, c, &nets);
    if (!err)
        err = sek_policydb_group_get(ch->db, c->args[0], c->now_s, &row, &c->diag);
    bool fresh = err == SEK_E_NOTFOUND;
    if (fresh)
        err = sek_group_make(ch, c->args[0], &row);
    if (!err)
        err = members_put(ch, c, &row, &nets, &n_changed);
    if (!err && !fresh && n_changed == 0)
        sek_change_done(ch, "nothing to change in group %s", row.group.name);
    else if (!err)
        sek_change_done(ch, "group %s%s: %u network%s added", row.group.name, fresh ? " made" : "",
                        n_changed, n_changed == 1 ? "" : "s");
    sek_nets_fini(&nets);
    return err;
}

enum sek_err sek_cmd_group_add(struct sek_context *c)
{
    return sek_change_run(c, c->opt[ADD_DRY_RUN].given, add);
}

/* --- remove --------------------------------------------------------------------------------------
 */

static enum sek_err members_remove(struct sek_change *ch, struct sek_context *c,
                                   const struct sek_group_row *row)
{
    char text[SEK_NET_TEXT_MAX];
    struct sek_nets nets = {0};
    size_t n_removed = 0;
    enum sek_err err = nets_read(ch, c, &nets);
    for (size_t i = 0; !err && i < nets.n; i++) {
        const char *net = sek_net_to_text(&nets.items[i], text);
        err = sek_policydb_member_remove(ch->db, row->group.id, &nets.items[i], NULL);
        if (err == SEK_E_NOTFOUND) {
            sek_talk("%s is no member of group %s", net, row->group.name);
            c->exit = SEK_EXIT_USAGE;
            err = SEK_OK;
            continue;
        }
        add_line(ch, '-', net, row->group.name);
        n_removed++;
    }
    sek_change_done(ch, "%zu network%s removed from group %s", n_removed, n_removed == 1 ? "" : "s",
                    row->group.name);
    sek_nets_fini(&nets);
    return err;
}

static enum sek_err remove_group(struct sek_change *ch, struct sek_context *c)
{
    struct sek_group_row row;
    enum sek_err err = sek_group_find(ch, c->args[0], &row);
    if (!err && c->n_args > 1)
        return members_remove(ch, c, &row);
    if (!err)
        err = sek_policydb_group_remove(ch->db, &row.group, &c->diag);
    if (err)
        return err;
    add_line(ch, '-', "group", row.group.name);
    sek_change_done(ch, "group %s removed with its %" PRIu32 " network%s and its exceptions",
                    row.group.name, row.n_members, row.n_members == 1 ? "" : "s");
    return SEK_OK;
}

enum sek_err sek_cmd_group_remove(struct sek_context *c)
{
    return sek_change_run(c, c->opt[REMOVE_DRY_RUN].given, remove_group);
}

/* --- mode ----------------------------------------------------------------------------------------
 */

static enum sek_err mode(struct sek_change *ch, struct sek_context *c)
{
    struct sek_group_row row;
    int id = sek_lookup_id(sek_mode_names, c->args[1]);
    if (id < 0)
        return sek_context_usage(c, "\"%.40s\" is none of: off, monitor, block", c->args[1]);
    enum sek_err err = sek_group_find(ch, c->args[0], &row);
    if (err)
        return err;
    if (row.group.id == SEK_GROUP_QUARANTINE_ID && id != SEK_MODE_BLOCK)
        return sek_context_usage(c, "quarantine is always in force: sekisho release ends it");
    row.group.mode = (uint8_t)id;
    if (c->opt[MODE_ACTION].given)
        row.group.action = (uint8_t)c->opt[MODE_ACTION].number;
    err = sek_policydb_group_set(ch->db, &row.group, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    if (err)
        return err;
    if (ch->dry_run)
        sek_buf_add_fmt(&ch->lines, "+ group %s: allow-only %s, action %s\n", row.group.name,
                        sek_lookup_name(sek_mode_names, id),
                        sek_lookup_name(sek_action_names, row.group.action));
    sek_change_done(ch, "group %s: allow-only %s, action %s", row.group.name,
                    sek_lookup_name(sek_mode_names, id),
                    sek_lookup_name(sek_action_names, row.group.action));
    return SEK_OK;
}

enum sek_err sek_cmd_group_mode(struct sek_context *c)
{
    return sek_change_run(c, c->opt[MODE_DRY_RUN].given, mode);
}

/* --- show ----------------------------------------------------------------------------------------
 */

enum { G_GROUP, G_MODE, G_ACTION, G_MEMBERS, G_COLS };
static const struct sek_col group_cols[] = {
    [G_GROUP] = {"group", "Group", SEK_COL_TEXT},
    [G_MODE] = {"allow_only", "Allow-only", SEK_COL_TEXT},
    [G_ACTION] = {"action", "Action", SEK_COL_TEXT},
    [G_MEMBERS] = {"members", "Networks", SEK_COL_UINT},
};
enum { M_NET, M_ENDS, M_WHO, M_ADDED, M_REASON, M_COLS };
static const struct sek_col member_cols[] = {
    [M_NET] = {"network", "Network", SEK_COL_TEXT},
    [M_ENDS] = {"ends", "Ends (UTC)", SEK_COL_TIME, "never"},
    [M_WHO] = {"who", "Added by", SEK_COL_TEXT},
    [M_ADDED] = {"added", "Added (UTC)", SEK_COL_TIME},
    [M_REASON] = {"reason", "Reason", SEK_COL_TEXT},
};

static bool put_group(void *arg, const struct sek_group_row *row)
{
    struct sek_out *o = ((struct sek_context *)arg)->out;
    sek_out_text(o, G_GROUP, row->group.name);
    sek_out_text(o, G_MODE, sek_lookup_name(sek_mode_names, row->group.mode));
    sek_out_text(o, G_ACTION, sek_lookup_name(sek_action_names, row->group.action));
    sek_out_uint(o, G_MEMBERS, row->n_members);
    return sek_out_row(o);
}

static bool put_member(void *arg, const struct sek_member *m)
{
    struct sek_context *c = arg;
    struct sek_out *o = c->out;
    char text[SEK_NET_TEXT_MAX];
    sek_out_text(o, M_NET, sek_net_to_text(&m->net, text));
    if (m->expires_s)
        sek_out_int(o, M_ENDS, m->expires_s);
    if (m->expires_s && m->expires_s <= c->now_s)
        sek_out_tint(o, M_ENDS, SEK_TINT_FAINT);
    sek_out_text(o, M_WHO, m->who);
    sek_out_int(o, M_ADDED, m->created_s);
    sek_out_text(o, M_REASON, m->comment);
    return sek_out_row(o);
}

static enum sek_err show(struct sek_context *c, struct sek_policydb *db)
{
    struct sek_group_row row;
    enum sek_err err;
    if (c->n_args == 0) {
        sek_out_begin(c->out, "sekisho.groups/1", group_cols, G_COLS, SEK_OUT_ROWS);
        err = sek_policydb_groups(db, c->now_s, put_group, c, &c->diag);
    } else {
        err = sek_policydb_group_get(db, c->args[0], c->now_s, &row, &c->diag);
        if (err == SEK_E_NOTFOUND)
            return sek_context_none(
                c, "there is no group %.64s; sekisho group show names those there are", c->args[0]);
        if (err)
            return err;
        sek_out_begin(c->out, "sekisho.members/1", member_cols, M_COLS, SEK_OUT_ROWS);
        err = sek_policydb_members(db, row.group.id, put_member, c, &c->diag);
    }
    struct sek_diag end;
    enum sek_err end_err = sek_out_end(c->out, err ? &end : &c->diag);
    return err ? err : end_err;
}

enum sek_err sek_cmd_group_show(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_change_look(c, &conf, &db);
    if (!err)
        err = show(c, db);
    sek_policydb_close(db);
    return err;
}

/* --- for whom a list is --------------------------------------------------------------------------
 */

static enum sek_err groups_read(struct sek_change *ch, struct sek_context *c, uint64_t *out)
{
    *out = 0;
    for (int i = 1; i < c->n_args; i++) {
        struct sek_group_row row;
        enum sek_err err = sek_group_find(ch, c->args[i], &row);
        if (err)
            return err;
        *out |= sek_group_bit(row.group.id);
    }
    return SEK_OK;
}

static enum sek_err audience(struct sek_change *ch, struct sek_context *c)
{
    struct sek_list_row row;
    struct sek_group_row group;
    struct sek_buf text;
    uint64_t groups;
    bool except = c->opt[AUDIENCE_EXCEPT].given;
    if (except && c->n_args == 1)
        return sek_context_usage(c, "--except: name the groups that it is not for");
    enum sek_err err = sek_change_list(ch, c->args[0], &row);
    if (!err && sek_policydb_group_get(ch->db, c->args[0], c->now_s, &group, NULL) == SEK_OK)
        return sek_context_usage(c, "list %s is the group's own: it stays for that group alone",
                                 row.list.name);
    if (!err)
        err = groups_read(ch, c, &groups);
    if (err)
        return err;
    row.audience =
        except ? (struct sek_audience){.except = groups} : (struct sek_audience){.only = groups};
    snprintf(row.who, sizeof row.who, "%s", ch->who);
    row.changed_s = c->now_s;
    err = sek_policydb_list_set(ch->db, &row, &c->diag);
    sek_buf_init(&text, 0);
    sek_audience_text(ch->db, &row.audience, c->now_s, &text);
    if (!err && ch->dry_run)
        sek_buf_add_fmt(&ch->lines, "+ list %s: for %s\n", row.list.name, text.data);
    if (!err)
        sek_change_done(ch, "list %s is for %s", row.list.name, text.data ? text.data : "?");
    sek_buf_fini(&text);
    return err;
}

enum sek_err sek_cmd_list_audience(struct sek_context *c)
{
    return sek_change_run(c, c->opt[AUDIENCE_DRY_RUN].given, audience);
}
