/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/views/auditview.h"
#include "tools/change/change.h"
#include "tools/command.h"
#include "tools/change/guarded.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(undo);

enum { OPT_REASON, OPT_FORCE, OPT_DRY_RUN, N_OPTS };
const struct sek_arg sek_cmd_undo_args[] = {
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why; default \"undo of NUMBER\""},
    [OPT_FORCE] = {"force", 0, SEK_ARG_FLAG, NULL,
                   "also when a later change touched the same: only what the row changed is "
                   "taken back"},
    [OPT_DRY_RUN] = {"dry-run", 'n', SEK_ARG_FLAG, NULL, "print what would change, write nothing"},
    [N_OPTS] = {0},
};

struct work {
    struct sek_context *c;
    struct sek_change change;
    int64_t number;
    char verb[64], object[200], user[64];
    bool found;
};

static bool note_row(void *arg, const struct sek_audit_row *row)
{
    struct work *w = arg;
    w->found = true;
    snprintf(w->verb, sizeof w->verb, "%s", row->verb);
    snprintf(w->object, sizeof w->object, "%s", row->object);
    snprintf(w->user, sizeof w->user, "%s", row->user);
    return false;
}

static enum sek_err undo(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_change *ch = &w->change;
    struct sek_progress progress;
    struct sek_guarded before, after;
    bool force = c->opt[OPT_FORCE].given;
    enum sek_err err = sek_guarded_read(ch->conf, ch->db, c->now_s, &before, &c->diag);
    sek_progress_begin(&progress, "taking back");
    if (!err)
        err = sek_audit_undo(ch->db, w->number, force, c->now_s, sek_progress_show, &progress,
                             &c->diag);
    sek_progress_end(&progress);
    if (!err)
        err = sek_guarded_read(ch->conf, ch->db, c->now_s, &after, &c->diag);
    if (!err && !force && after.n > before.n)
        err =
            sek_diag_set(&c->diag, SEK_E_REFUSED,
                         "row %" PRId64 " cannot be undone: %.300s (--force does it all the same)",
                         w->number, after.item[0].why);
    return err || !ch->dry_run ? err : sek_audited_lines(ch->db, &ch->lines, &c->diag);
}

static enum sek_err run(struct work *w)
{
    struct sek_context *c = w->c;
    struct sek_change *ch = &w->change;
    char reason[64];
    enum sek_err err = sek_change_begin(ch, c, c->opt[OPT_DRY_RUN].given);
    if (!err)
        err = sek_audit_rows(ch->db, &(struct sek_audit_filter){.number = w->number}, note_row, w,
                             &c->diag);
    if (err)
        return err;
    if (!w->found) {
        sek_policydb_rollback(ch->db); /* what is said is said without the lock */
        return sek_context_none(c, "the audit trail has no row %" PRId64, w->number);
    }
    err = undo(w);
    if (err)
        return err;
    snprintf(reason, sizeof reason, "undo of %" PRId64, w->number);
    ch->act.undoes = w->number;
    if (!c->opt[OPT_REASON].given)
        ch->act.reason = reason;
    if (!sek_audit_touched(ch->db, NULL))
        sek_change_done(ch, "nothing to take back: all that row %" PRId64 " changed is as it was",
                        w->number);
    else
        sek_change_done(ch, "row %" PRId64 " is undone: %s by %s, %s", w->number, w->verb, w->user,
                        w->object);
    return sek_change_end(ch);
}

enum sek_err sek_cmd_undo(struct sek_context *c)
{
    struct work w = {.c = c};
    enum sek_err err = sek_auditview_number(c, c->args[0], &w.number);
    if (err)
        return err;
    err = run(&w);
    return sek_change_fini(&w.change, err);
}
