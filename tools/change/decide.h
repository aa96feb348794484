/* SPDX-License-Identifier: BSD-3-Clause */
/* Decisions about exceptions: any number of them as one change of policy.db, all or none. Who may
 * decide what is asked here, and nowhere else. One thread. */
#pragma once
#include "change.h"
#include "store/exceptions.h"
#include "tools/origin.h"

struct sek_decision {
    enum sek_exception_act act; /* APPROVE, REJECT, REVOKE, REVIEW or ARCHIVE */
    int64_t id;
    int64_t lifetime_s; /* of APPROVE: shorter than asked for; 0: as asked for */
    char note[256];
    unsigned line; /* of standard input; 0: an argument */
};

struct sek_decisions {
    struct sek_context *c;
    struct sek_buf all; /* struct sek_decision */
};
void sek_decisions_init(struct sek_decisions *d, struct sek_context *c);
void sek_decisions_fini(struct sek_decisions *d);
/* "12" for `act`, with `note` (may be ""). A sek_word_fn's part: line as there. */
enum sek_err sek_decisions_add(struct sek_decisions *d, enum sek_exception_act act,
                               const char *word, unsigned line, const char *note);
/* "revoke 12 no longer used": a verb of the command, an id, and a note. */
enum sek_err sek_decisions_add_line(struct sek_decisions *d, const char *text, unsigned line);
/* Do it. dry_run: print what rules would change. */
enum sek_err sek_decisions_run(struct sek_decisions *d, bool dry_run);

/* A number from 1, and nothing else. */
bool sek_exception_id_read(const char *text, int64_t *out);
/* The exception. NOTFOUND: said already, the exit status is set (see sek_change_fini). */
enum sek_err sek_exception_find(struct sek_context *c, struct sek_policydb *db, int64_t id,
                                struct sek_exception *out);
/* A step of this user, now. */
void sek_exception_step_by(struct sek_context *c, const struct sek_origin *who,
                           enum sek_exception_act act, const char *note,
                           struct sek_exception_step *out);
/* Numbers of the exceptions, not over yet, that were changed outside of the command
 * (store/audit.h), each told.
 * Before changes. ids: int64_t each. */
enum sek_err sek_exceptions_doubt(struct sek_change *ch, struct sek_buf *ids);
/* After changes: rules, but of those in doubt none that is not there, then the end of the change as
 * change.h has it, without waiting for the resolver where no rule changed. */
enum sek_err sek_exceptions_end(struct sek_change *ch, const struct sek_buf *doubted);
/* Must another person than the one who asked decide? */
bool sek_exception_needs_other(const struct sek_conf *conf, const struct sek_exception *e);
/* "a.example for kiosk until 2026-12-01T00:00:00Z" */
void sek_exception_words(const struct sek_exception *e, struct sek_buf *out);
