/* SPDX-License-Identifier: BSD-3-Clause */
/* A command's row of the audit trail (store/audit.h). Commands that change policy.db through
 * change.h have it by themselves; any other change gets it by one call. One thread. */
#pragma once
#include "tools/context.h"
#include "store/audit.h"

/* The option of each command that makes such a row, in its rows; sek_audited_add finds it. */
#define SEK_REASON_ROW                                                                             \
    {                                                                                              \
        "reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for the audit trail"                            \
    }

/* Once the database is open, before the transaction. */
enum sek_err sek_audited_begin(const struct sek_conf *conf, struct sek_policydb *db,
                               struct sek_diag *diag);
/* Within the transaction, last of all. what: NULL, or what differs from this: the verb is the
 * command's words, the reason that of --reason, user, origin, command line and time are found,
 * object, before and after those of the rows that changed. Without a change no row is made. For a
 * change of something that policy.db does not hold:
 *     sek_audited_add(c, conf, db, &(struct sek_audit_act){.object = "…", .before = "…",
 *                                                          .after = "…"})
 * Errors are in c->diag. */
enum sek_err sek_audited_add(struct sek_context *c, const struct sek_conf *conf,
                             struct sek_policydb *db, const struct sek_audit_act *what);
/* For a rehearsal: what the transaction changed so far, "- what: how it was" and "+ what: how it
 * is", in place of the lines there are. */
struct sek_buf;
enum sek_err sek_audited_lines(struct sek_policydb *db, struct sek_buf *lines,
                               struct sek_diag *diag);
/* A row alone, in a transaction of its own: for what changes nothing of policy.db. */
enum sek_err sek_audited_record(struct sek_context *c, const struct sek_conf *conf,
                                const struct sek_audit_act *act);
