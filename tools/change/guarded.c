/* SPDX-License-Identifier: BSD-3-Clause */
#include "guarded.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include "base/banned.h"

/* Kept for later: whoever prints may have to wait for a reader, and meanwhile nobody could write
 * to the database. */
static void keep(void *arg, const char *list, const char *why)
{
    struct sek_guarded *g = arg;
    if (g->n < SEK_GUARDED_SHOWN) {
        snprintf(g->item[g->n].list, sizeof g->item->list, "%s", list);
        snprintf(g->item[g->n].why, sizeof g->item->why, "%s", why);
    }
    g->n++;
}

static enum sek_err read_as(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                            const struct sek_list_row *as, struct sek_guarded *out,
                            struct sek_diag *diag)
{
    struct sek_never *never = NULL;
    out->n = 0;
    enum sek_err err = sek_never_new(conf->policy.never_block.items, conf->policy.never_block.n,
                                     NULL, &never, diag);
    if (!err)
        err = sek_policydb_guarded(db, never, as, now_s, keep, out, diag);
    sek_never_free(never);
    return err;
}

enum sek_err sek_guarded_read(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                              struct sek_guarded *out, struct sek_diag *diag)
{
    return read_as(conf, db, now_s, NULL, out, diag);
}

/* May the change make rules block that did not? */
static bool is_graver(const struct sek_list_row *old, const struct sek_list_row *fresh)
{
    enum sek_action before = sek_list_row_says(old, SEK_ACTION_DEFAULT);
    enum sek_action after = sek_list_row_says(fresh, SEK_ACTION_DEFAULT);
    if (old->overriding == fresh->overriding)
        return sek_action_blocks(after) && !sek_action_blocks(before);
    return (sek_action_blocks(after) || !fresh->overriding) &&
           !(old->overriding && sek_action_blocks(before));
}

enum sek_err sek_guarded_refuse(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                                const struct sek_list_row *old, const struct sek_list_row *fresh,
                                struct sek_diag *diag)
{
    struct sek_guarded g;
    if (!is_graver(old, fresh))
        return SEK_OK;
    enum sek_err err = read_as(conf, db, now_s, fresh, &g, diag);
    if (err || g.n == 0)
        return err;
    bool by_override = old->overriding != fresh->overriding;
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "list %s cannot get %s %s: %" PRIu64 " of its entries must not block; %s",
                        fresh->list.name, by_override ? "override" : "action",
                        !by_override        ? sek_lookup_name(sek_action_names, fresh->list.action)
                        : fresh->overriding ? fresh->override
                                            : "given",
                        g.n, g.item[0].why);
}

void sek_guarded_tell(const struct sek_guarded *g)
{
    for (uint64_t i = 0; i < g->n && i < SEK_GUARDED_SHOWN; i++)
        sek_talk("list %s: %s", g->item[i].list, g->item[i].why);
    if (g->n > SEK_GUARDED_SHOWN)
        sek_talk("… and %" PRIu64 " more entries of that kind", g->n - SEK_GUARDED_SHOWN);
}
