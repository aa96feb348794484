/* SPDX-License-Identifier: BSD-3-Clause */
#include "guarded.h"
#include "talk.h"
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
                            const struct sek_list *as, struct sek_guarded *out,
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

enum sek_err sek_guarded_refuse(const struct sek_conf *conf, struct sek_policydb *db, int64_t now_s,
                                const struct sek_list *old, const struct sek_list *fresh,
                                struct sek_diag *diag)
{
    struct sek_guarded g;
    if (sek_action_blocks(old->action) || !sek_action_blocks(fresh->action))
        return SEK_OK;
    enum sek_err err = read_as(conf, db, now_s, fresh, &g, diag);
    if (err || g.n == 0)
        return err;
    return sek_diag_set(diag, SEK_E_REFUSED,
                        "list %s cannot get action %s: %" PRIu64 " of its entries must not block; "
                        "%s",
                        fresh->name, sek_lookup_name(sek_action_names, fresh->action), g.n,
                        g.item[0].why);
}

void sek_guarded_tell(const struct sek_guarded *g)
{
    for (uint64_t i = 0; i < g->n && i < SEK_GUARDED_SHOWN; i++)
        sek_talk("list %s: %s", g->item[i].list, g->item[i].why);
    if (g->n > SEK_GUARDED_SHOWN)
        sek_talk("… and %" PRIu64 " more entries of that kind", g->n - SEK_GUARDED_SHOWN);
}
