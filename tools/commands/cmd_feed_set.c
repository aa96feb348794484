/* SPDX-License-Identifier: BSD-3-Clause */
/* feed set: another source, or other settings, for a feed there is. */
#include "tools/command.h"
#include "tools/feeds/feedargs.h"
#include "tools/change/change.h"
#include "policy/reader.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(feed_set);

enum { OPT_DEFAULT = SEK_FEEDARG_N, OPT_DRY_RUN, OPT_REASON, N_OPTS };
const struct sek_arg sek_cmd_feed_set_args[] = {
    SEK_FEEDARG_ROWS,
    [OPT_DEFAULT] = {"default", 0, SEK_ARG_TEXTS, "OPTION",
                     "as if OPTION (refresh, tsig, …) had never been given; repeat it for more"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [OPT_REASON] = SEK_REASON_ROW,
    [N_OPTS] = {0},
};

struct rows {
    struct sek_feed_row old, row;
};

/* --default OPTION, with or without its dashes. */
static enum sek_err take_defaults(struct sek_context *c, struct sek_feed_row *row)
{
    const struct sek_arg_value *o = &c->opt[OPT_DEFAULT];
    for (int64_t i = 0; i < o->number; i++) {
        const char *name = o->texts[i] + (strncmp(o->texts[i], "--", 2) == 0 ? 2 : 0);
        int place = sek_args_row(sek_cmd_feed_set_args, name);
        if (place <= SEK_FEEDARG_FROM || place >= SEK_FEEDARG_N)
            return sek_context_usage(c,
                                     "--default: \"%.40s\" is none of: as, tsig, user, refresh, "
                                     "retry, expire, on-expiry, timeout, max-size",
                                     o->texts[i]);
        if (c->opt[place].given)
            return sek_context_usage(c, "--default %s and --%s: give one of them", name, name);
        sek_feedargs_default(row, (enum sek_feedarg)place);
    }
    return SEK_OK;
}

static bool is_same(const struct sek_feed_row *a, const struct sek_feed_row *b)
{
    return !sek_feed_is_elsewhere(a, b) && strcmp(a->tsig, b->tsig) == 0 &&
           strcmp(a->user, b->user) == 0 && a->format == b->format &&
           a->refresh_s == b->refresh_s && a->retry_s == b->retry_s && a->expire_s == b->expire_s &&
           a->on_expiry == b->on_expiry && a->timeout_s == b->timeout_s &&
           a->max_octets == b->max_octets;
}

static void tell(struct sek_change *ch, const struct rows *r)
{
    const struct sek_feed_row *row = &r->row;
    const char *name = row->list.list.name;
    bool off = row->mode_before >= 0 && row->list.list.mode == SEK_MODE_OFF; /* as it expired */
    if (sek_feed_is_elsewhere(&r->old, row))
        sek_change_done(ch,
                        "feed %s has another source: sekisho feed update %s %s; until then its "
                        "list stays %s",
                        name, name,
                        row->kind == SEK_FEED_INPUT ? "- takes it from standard input"
                                                    : "fetches it",
                        off ? "off" : "as it is");
    else
        sek_change_done(ch, "feed %s changed%s", name,
                        off ? "; its list stays off until a good update, as it expired" : "");
}

static enum sek_err set(struct sek_change *ch, struct rows *r)
{
    struct sek_context *c = ch->c;
    enum sek_err err = sek_feed_get(ch->db, c->args[0], &r->old, &c->diag);
    if (err == SEK_E_NOTFOUND)
        sek_context_none(c, "there is no feed %.64s; sekisho feed list names those there are",
                         c->args[0]);
    r->row = r->old;
    if (!err)
        err = take_defaults(c, &r->row);
    if (!err)
        err = sek_feedargs_take(c, &r->row);
    if (err)
        return err;
    if (is_same(&r->old, &r->row)) {
        sek_talk("nothing to change: feed %s is like that already", r->row.list.list.name);
        return SEK_OK;
    }
    err = sek_feed_set(ch->db, &r->row, c->now_s, &c->diag);
    if (!err && ch->dry_run)
        err = sek_audited_lines(ch->db, &ch->lines, &c->diag);
    if (!err)
        tell(ch, r);
    return err;
}

enum sek_err sek_cmd_feed_set(struct sek_context *c)
{
    struct sek_change ch = {.c = c};
    struct rows *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(&c->diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    enum sek_err err = sek_change_begin(&ch, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = set(&ch, r);
    if (!err)
        err = sek_change_commit(&ch); /* no rule changes */
    free(r);
    return sek_change_fini(&ch, err);
}
