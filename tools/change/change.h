/* SPDX-License-Identifier: BSD-3-Clause */
/* One change of policy.db by a command: one transaction, then the compiled files, then the
 * resolver; or a rehearsal that prints what would change and writes nothing. One thread. */
#pragma once
#include "audited.h"
#include "base/buf.h"
#include "tools/context.h"
#include "policy/never.h"
#include "store/policydb.h"

struct sek_change {
    struct sek_context *c;
    const struct sek_conf *conf;
    struct sek_policydb *db; /* in a transaction from sek_change_start on */
    char who[64];
    bool dry_run;
    uint64_t n_show;             /* of each kind of changed rules that are printed all the same */
    struct sek_buf lines;        /* of a rehearsal and of those, for standard output */
    struct sek_buf done;         /* to be said once it is committed */
    struct sek_audit_act act;    /* what the row of the audit trail says; see audited.h */
    uint64_t generation;         /* before */
    uint64_t n_added, n_removed; /* rules so far */
    struct sek_suffix *suffix;   /* both opened by sek_change_never */
    struct sek_never *never;
    struct sek_buf touched; /* for preview.h */
};

/* Open the database, and begin the transaction: everybody else waits from then on, so whatever
 * takes time (input that is waited for) belongs between the two. dry_run: the rules that change
 * become "+ rule" and "- rule" lines, printed at the end; without a database it starts from an
 * empty one. Errors are in c->diag. Call sek_change_fini in any case. */
enum sek_err sek_change_open(struct sek_change *ch, struct sek_context *c, bool dry_run);
enum sek_err sek_change_start(struct sek_change *ch);
/* Both at once. */
enum sek_err sek_change_begin(struct sek_change *ch, struct sek_context *c, bool dry_run);
/* May this rule be made? REFUSED with the reason in diag. For rules that do not block: public
 * suffixes need `force` as well, as such an exception switches policy off for thousands of names.
 */
enum sek_err sek_change_guard(struct sek_change *ch, const struct sek_name *name,
                              enum sek_scope scope, enum sek_action action, bool force,
                              struct sek_diag *diag);
/* Open ch->suffix and ch->never, as sek_change_guard does by itself. */
enum sek_err sek_change_never(struct sek_change *ch, struct sek_diag *diag);
/* The list. NOTFOUND: said already, the exit status is set (see sek_change_fini). */
enum sek_err sek_change_list(struct sek_change *ch, const char *name, struct sek_list_row *out);
/* What to say when the change is committed; a rehearsal says nothing, unless sek_change_say is
 * called. */
void sek_change_done(struct sek_change *ch, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sek_change_say(const struct sek_change *ch);
/* A rehearsal: take it all back. Else commit, with a row of the audit trail (ch->act, where it says
 * something, and what audited.h finds), compile, and wait for the resolver. */
enum sek_err sek_change_end(struct sek_change *ch);
/* The same for what no resolver needs to be told of: it is committed, and that is all. */
enum sek_err sek_change_commit(struct sek_change *ch);
/* Close; what was not ended is taken back. Returns what the command returns: err, or SEK_OK when
 * that is a missing list, which was said. */
enum sek_err sek_change_fini(struct sek_change *ch, enum sek_err err);

/* A command that is one change: begin, do the work, end. */
typedef enum sek_err sek_change_work_fn(struct sek_change *ch, struct sek_context *c);
enum sek_err sek_change_run(struct sek_context *c, bool dry_run, sek_change_work_fn *work);

/* policy.db for reports only. Errors are in c->diag. */
enum sek_err sek_change_look(struct sek_context *c, const struct sek_conf **out_conf,
                             struct sek_policydb **out);
/* Bring the compiled files to the state of db and wait for the resolver (quiet: see confirm.h).
 * full: a new image in any case. */
enum sek_err sek_change_publish(struct sek_context *c, const struct sek_conf *conf,
                                struct sek_policydb *db, bool full, bool quiet);
