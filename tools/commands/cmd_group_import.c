/* SPDX-License-Identifier: BSD-3-Clause */
/* group import: groups made of the tags that Unbound's own configuration gives to clients. */
#include "tools/command.h"
#include "tools/change/groups.h"
#include "tools/check/clienttags.h"
#include "tools/print/talk.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(group_import);

enum { OPT_UNBOUND_CONF, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_group_import_args[] = {
    [OPT_UNBOUND_CONF] = {"unbound-conf", 0, SEK_ARG_TEXT, "FILE",
                          "Unbound's configuration; else /etc/unbound/unbound.conf"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

/* The reason of members that came this way, by which the next import knows them. */
#define ORIGIN "access-control-tag of "

struct import {
    struct sek_context *c;
    struct sek_client_tags tags;
    struct sek_nets gone; /* members of earlier imports that no line gives any more */
    const struct sek_nets *now;
    bool full;
    unsigned n_groups, n_added, n_removed;
};

static void line(struct sek_change *ch, char sign, const char *what, const char *group)
{
    if (ch->dry_run)
        sek_buf_add_fmt(&ch->lines, "%c %s %s\n", sign, what, group);
}

static bool note_gone(void *arg, const struct sek_member *m)
{
    struct import *in = arg;
    if (strncmp(m->comment, ORIGIN, strlen(ORIGIN)) != 0)
        return true;
    for (size_t i = 0; i < in->now->n; i++)
        if (sek_net_equal(&in->now->items[i], &m->net))
            return true;
    in->full = !sek_nets_put(&in->gone, &m->net);
    return !in->full;
}

static enum sek_err remove_gone(struct sek_change *ch, struct import *in,
                                const struct sek_group_row *row)
{
    char text[SEK_NET_TEXT_MAX];
    sek_nets_fini(&in->gone);
    enum sek_err err = sek_policydb_members(ch->db, row->group.id, note_gone, in, &in->c->diag);
    if (!err && in->full)
        err = sek_diag_set(&in->c->diag, SEK_E_NOMEM, "out of memory");
    for (size_t i = 0; !err && i < in->gone.n; i++) {
        err = sek_policydb_member_remove(ch->db, row->group.id, &in->gone.items[i], &in->c->diag);
        line(ch, '-', sek_net_to_text(&in->gone.items[i], text), row->group.name);
        in->n_removed++;
    }
    return err;
}

static enum sek_err add_new(struct sek_change *ch, struct import *in,
                            const struct sek_group_row *row, const char *path)
{
    char text[SEK_NET_TEXT_MAX];
    struct sek_member m = {.group = row->group.id, .created_s = in->c->now_s};
    enum sek_err err = SEK_OK;
    snprintf(m.who, sizeof m.who, "%s", ch->who);
    snprintf(m.comment, sizeof m.comment, "%s%.200s", ORIGIN, path);
    for (size_t i = 0; !err && i < in->now->n; i++) {
        bool changed = false;
        m.net = in->now->items[i];
        err = sek_policydb_member_put(ch->db, &m, &changed, &in->c->diag);
        if (changed)
            line(ch, '+', sek_net_to_text(&m.net, text), row->group.name);
        in->n_added += changed;
    }
    return err;
}

/* Members that people added stay as they are. A tag that no client has any more leaves its group
 * without those that came with it. */
static enum sek_err import_tag(struct sek_change *ch, struct import *in, unsigned tag,
                               const char *path)
{
    struct sek_context *c = in->c;
    struct sek_group_row row;
    const char *name = in->tags.name[tag];
    in->now = &in->tags.nets[tag];
    if (strcmp(name, SEK_GROUP_QUARANTINE) == 0)
        return sek_context_usage(
            c, "the tag %s is named as the group that sekisho quarantine fills", name);
    enum sek_err err = sek_policydb_group_get(ch->db, name, c->now_s, &row, &c->diag);
    if (err == SEK_E_NOTFOUND && in->now->n == 0)
        return SEK_OK;
    if (err == SEK_E_NOTFOUND && (err = sek_group_make(ch, name, &row)))
        return sek_diag_wrap(&c->diag, "tag %s", name);
    if (!err)
        err = remove_gone(ch, in, &row);
    if (!err)
        err = add_new(ch, in, &row, path);
    in->n_groups += !err;
    return err;
}

/* What is not all there must not be taken for what went. */
static enum sek_err tags_read(struct import *in, const char *path)
{
    struct sek_context *c = in->c;
    enum sek_err err = sek_client_tags_read(path, &in->tags, &c->diag);
    if (!err && in->tags.n_missing)
        err = sek_diag_set(&c->diag, SEK_E_IO,
                           "%s: the included file %.200s cannot be read: nothing is changed", path,
                           in->tags.missing);
    return err;
}

static bool is_wanted(const struct sek_context *c, const char *tag)
{
    for (int i = 0; i < c->n_args; i++)
        if (strcmp(tag, c->args[i]) == 0)
            return true;
    return c->n_args == 0;
}

/* NOTFOUND, said: a tag that is named is none of them. */
static enum sek_err names_check(struct import *in, const char *path)
{
    struct sek_context *c = in->c;
    for (int i = 0; i < c->n_args; i++) {
        unsigned tag = 0;
        while (tag < in->tags.n && strcmp(in->tags.name[tag], c->args[i]) != 0)
            tag++;
        if (tag == in->tags.n) {
            sek_context_none(c, "%s defines no tag %.64s (define-tag)", path, c->args[i]);
            return SEK_E_NOTFOUND;
        }
    }
    if (in->tags.n > 0)
        return SEK_OK;
    sek_context_none(c, "%s defines no tag (define-tag)", path);
    return SEK_E_NOTFOUND;
}

static enum sek_err import(struct sek_change *ch, struct sek_context *c)
{
    const char *path = c->opt[OPT_UNBOUND_CONF].given ? c->opt[OPT_UNBOUND_CONF].text
                                                      : "/etc/unbound/unbound.conf";
    struct import in = {.c = c};
    enum sek_err err = tags_read(&in, path);
    if (!err)
        err = names_check(&in, path);
    for (unsigned tag = 0; tag < in.tags.n && !err; tag++)
        if (is_wanted(c, in.tags.name[tag]))
            err = import_tag(ch, &in, tag, path);
    if (!err && in.tags.interfaces)
        sek_talk("interface-tag: tags by where clients come in are no networks, and left out");
    if (!err && in.n_added + in.n_removed == 0)
        sek_change_done(ch, "nothing to change: the groups are as the tags of %s", path);
    else if (!err)
        sek_change_done(ch, "%u group%s by tags of %s: %u network%s added, %u removed", in.n_groups,
                        in.n_groups == 1 ? "" : "s", path, in.n_added, in.n_added == 1 ? "" : "s",
                        in.n_removed);
    sek_nets_fini(&in.gone);
    sek_client_tags_fini(&in.tags);
    return err;
}

enum sek_err sek_cmd_group_import(struct sek_context *c)
{
    return sek_change_run(c, c->opt[OPT_DRY_RUN].given, import);
}
