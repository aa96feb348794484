/* SPDX-License-Identifier: BSD-3-Clause */
#include "groups.h"
#include "store/inventory.h"
#include "tools/command.h"
#include "tools/views/machines.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define ADDRESSES_MAX 64 /* of one machine */

enum sek_err sek_group_find(struct sek_change *ch, const char *name, struct sek_group_row *out)
{
    struct sek_context *c = ch->c;
    enum sek_err err = sek_policydb_group_get(ch->db, name, c->now_s, out, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(c, "there is no group %.64s; sekisho group show names those there are",
                         name);
    return err;
}

enum sek_err sek_group_make(struct sek_change *ch, const char *name, struct sek_group_row *out)
{
    struct sek_context *c = ch->c;
    struct sek_client_group *group = &out->group;
    *out = (struct sek_group_row){.group = {.mode = SEK_MODE_OFF, .action = SEK_ACTION_NXDOMAIN}};
    if (strcmp(name, SEK_GROUP_QUARANTINE) == 0)
        return sek_context_usage(c, "sekisho quarantine makes and fills the group %s", name);
    if (strlen(name) >= sizeof group->name)
        return sek_context_usage(c, "a group's name has at most %d characters",
                                 SEK_LIST_NAME_MAX - 1);
    snprintf(group->name, sizeof group->name, "%s", name);
    enum sek_err err = sek_policydb_group_add(ch->db, group, "exceptions of this group", ch->who,
                                              c->now_s, &c->diag);
    if (err == SEK_E_INVALID)
        c->exit = SEK_EXIT_USAGE;
    if (err == SEK_E_EXISTS)
        return sek_diag_set(&c->diag, err,
                            "there is a list %s: a group needs one of its name for itself",
                            group->name);
    if (!err && ch->dry_run)
        sek_buf_add_fmt(&ch->lines, "+ group %s\n", group->name);
    return err;
}

enum sek_err sek_quarantine_group(struct sek_change *ch, struct sek_group_row *out)
{
    struct sek_context *c = ch->c;
    struct sek_client_group fresh = {.mode = SEK_MODE_BLOCK, .action = SEK_ACTION_SINKHOLE};
    enum sek_err err =
        sek_policydb_group_get(ch->db, SEK_GROUP_QUARANTINE, c->now_s, out, &c->diag);
    if (err != SEK_E_NOTFOUND)
        return err;
    snprintf(fresh.name, sizeof fresh.name, "%s", SEK_GROUP_QUARANTINE);
    err = sek_policydb_group_add(ch->db, &fresh, "names that quarantined endpoints may have",
                                 ch->who, c->now_s, &c->diag);
    *out = (struct sek_group_row){.group = fresh};
    if (err == SEK_E_EXISTS)
        return sek_diag_set(&c->diag, err,
                            "there is a list %s: remove it, as quarantine needs that name for the "
                            "names that endpoints are mended with",
                            fresh.name);
    return err;
}

bool sek_nets_put(struct sek_nets *out, const struct sek_net *net)
{
    struct sek_net *items = realloc(out->items, (out->n + 1) * sizeof *items);
    if (!items)
        return false;
    out->items = items;
    items[out->n++] = *net;
    return true;
}

struct machine {
    struct sek_nets *nets;
    int64_t now_s;
    bool failed;
};

static bool add_span(void *arg, const struct sek_span *span)
{
    struct machine *m = arg;
    const struct sek_net net = {.addr = span->addr, .bits = 128};
    if (span->from_s <= m->now_s && m->now_s < span->until_s && !sek_nets_put(m->nets, &net))
        m->failed = true;
    return !m->failed;
}

enum sek_err sek_nets_add(struct sek_nets *out, struct sek_change *ch, const char *word)
{
    struct sek_context *c = ch->c;
    struct machine m = {.nets = out, .now_s = c->now_s};
    struct sek_diag why = {0};
    struct sek_net net;
    size_t before = out->n;
    enum sek_err err;
    if (sek_net_from_text(word, &net, &why) == SEK_OK) {
        m.failed = !sek_nets_put(out, &net);
    } else if (strchr(word, '/')) {
        return sek_context_usage(c, "%s", why.text);
    } else if ((err = sek_machines_address(c, c->command->words, word, &net.addr)) == SEK_OK) {
        net.bits = 128;
        m.failed = !sek_nets_put(out, &net);
    } else if (err != SEK_E_NOTFOUND) {
        return err;
    } else {
        err = sek_inventory_find(ch->db, word, c->now_s, ADDRESSES_MAX, add_span, &m, &c->diag);
        if (err && err != SEK_E_NOTFOUND)
            return err;
        if (!m.failed && out->n == before)
            return sek_context_usage(c,
                                     "\"%.60s\" is no address or network, and the inventory knows "
                                     "no machine of that name with an address now",
                                     word);
    }
    return m.failed ? sek_diag_set(&c->diag, SEK_E_NOMEM, "out of memory") : SEK_OK;
}

void sek_nets_fini(struct sek_nets *nets)
{
    free(nets->items);
    nets->items = NULL;
    nets->n = 0;
}

bool sek_nets_have(const struct sek_nets *nets, const struct sek_addr *a)
{
    for (size_t i = 0; i < nets->n; i++)
        if (sek_net_has(&nets->items[i], a))
            return true;
    return false;
}

struct names {
    uint64_t groups;
    struct sek_buf *out;
    unsigned n;
};

static bool add_name(void *arg, const struct sek_group_row *row)
{
    struct names *names = arg;
    if (names->groups & sek_group_bit(row->group.id))
        sek_buf_add_fmt(names->out, "%s%s", names->n++ ? ", " : "", row->group.name);
    return true;
}

void sek_audience_text(struct sek_policydb *db, const struct sek_audience *a, int64_t now_s,
                       struct sek_buf *out)
{
    struct names only = {.groups = a->only, .out = out}, except = {.groups = a->except, .out = out};
    if (a->only)
        (void)sek_policydb_groups(db, now_s, add_name, &only, NULL);
    else
        sek_buf_add_text(out, a->except ? "all" : "everybody");
    if (a->except) {
        sek_buf_add_text(out, " but ");
        (void)sek_policydb_groups(db, now_s, add_name, &except, NULL);
    }
}
