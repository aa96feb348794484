/* SPDX-License-Identifier: BSD-3-Clause */
#include "audited.h"
#include "base/buf.h"
#include "tools/command.h"
#include "tools/origin.h"
#include <string.h>
#include <time.h>
#include "base/banned.h"

enum sek_err sek_audited_begin(const struct sek_conf *conf, struct sek_policydb *db,
                               struct sek_diag *diag)
{
    return sek_audit_begin(db, conf->audit.undo_octets, diag);
}

static const char *reason_of(const struct sek_context *c)
{
    for (const struct sek_arg *row = c->command->rows; row->name; row++)
        if (strcmp(row->name, "reason") == 0)
            return c->opt[row - c->command->rows].text;
    return NULL;
}

enum sek_err sek_audited_add(struct sek_context *c, const struct sek_conf *conf,
                             struct sek_policydb *db, const struct sek_audit_act *what)
{
    struct sek_audit_act act = what ? *what : (struct sek_audit_act){0};
    struct sek_origin origin;
    struct timespec now = {0};
    sek_origin_read(&origin);
    clock_gettime(CLOCK_REALTIME, &now);
    act.time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    act.user = origin.user;
    act.uid = origin.uid;
    act.origin = origin.from;
    act.command = c->line;
    if (!act.verb)
        act.verb = c->command->words;
    if (!act.reason)
        act.reason = reason_of(c);
    return sek_audit_add(db, &act, conf->audit.undo_s, conf->audit.undo_octets, NULL, &c->diag);
}

static bool add_lines(void *arg, const struct sek_audit_item *item)
{
    struct sek_buf *lines = arg;
    if (*item->before)
        sek_buf_add_fmt(lines, "- %s: %s\n", item->object, item->before);
    if (*item->after)
        sek_buf_add_fmt(lines, "+ %s: %s\n", item->object, item->after);
    return !lines->failed;
}

enum sek_err sek_audited_lines(struct sek_policydb *db, struct sek_buf *lines,
                               struct sek_diag *diag)
{
    sek_buf_reset(lines);
    enum sek_err err = sek_audit_items(db, 0, add_lines, lines, diag);
    return err == SEK_E_NOTFOUND ? SEK_OK : err; /* nothing changed */
}

enum sek_err sek_audited_record(struct sek_context *c, const struct sek_conf *conf,
                                const struct sek_audit_act *act)
{
    struct sek_policydb *db = NULL;
    enum sek_err err = sek_policydb_open(conf->policy.db, true, &db, &c->diag);
    if (!err)
        err = sek_audited_begin(conf, db, &c->diag);
    if (!err)
        err = sek_policydb_begin(db, &c->diag);
    if (!err)
        err = sek_audited_add(c, conf, db, act);
    if (!err)
        err = sek_policydb_commit(db, &c->diag);
    sek_policydb_close(db);
    return err;
}
