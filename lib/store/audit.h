/* SPDX-License-Identifier: BSD-3-Clause */
/* The audit trail in policy.db: a row for every change, made in the same transaction, each chained
 * to the one before by SHA-256 (FIPS 180-4). Triggers of the database refuse to change or delete
 * rows, which stops mistakes; the chain shows what somebody did on purpose, unless he computed all
 * later rows anew: that shows against an anchor, the number and hash of a row kept elsewhere.
 *
 * hash = SHA-256 in lower-case hexadecimal over these fields, each as a netstring (its length in
 * decimal, ":", its octets, ","), numbers in decimal, in this order:
 *     "sekisho.audit/1", previous (the hash of the row before; 64 zeros for row 1), number,
 *     time_ms, user, uid, origin, command, verb, object, before, after, reason, undoes, n_changes,
 *     changes
 * A row of a change binds what the tables hold, too (store/rowsums.h): then the first field is
 * "sekisho.audit/2" and the last one, behind changes, is state.
 * Texts are UTF-8: octets that are none were written as \xNN before they were hashed.
 *
 * Beside its row a change leaves the data by which undo takes it back (store/journal.h), bound to
 * the row by its digest `changes`. Data is kept for a time and up to a size; rows are kept for
 * ever.
 *
 * A command that changes policy: sek_audit_begin once, sek_policydb_begin, its changes,
 * sek_audit_add, sek_policydb_commit. One thread. */
#pragma once
#include "store/policydb.h"

#define SEK_AUDIT_HASH_MAX 65 /* hexadecimal, with terminator */

/* Note changes from now on; before a transaction. undo_octets: data of one change past it is not
 * kept, so that it cannot be undone. */
enum sek_err sek_audit_begin(struct sek_policydb *db, uint64_t undo_octets, struct sek_diag *diag);

/* Who does what, from where and why. Texts may be anything; NULL is "". */
struct sek_audit_act {
    int64_t time_ms; /* Unix milliseconds, UTC */
    const char *user;
    int64_t uid;
    const char *origin;  /* "pts/3, ssh 192.0.2.9, as root by sudo" */
    const char *command; /* as typed */
    const char *verb;    /* "block" */
    const char *reason;
    int64_t undoes; /* the row that this change takes back; 0: none */
    /* For a change of what the tables of store/journal.h do not hold: what, and how it was and is.
     * object alone: instead of the one found by the changes. Else NULL. */
    const char *object, *before, *after;
    bool as_is; /* what the tables hold is taken as right, whatever changed it */
};
/* The row for what the transaction changed since it began, or since the last such row. Nothing was
 * changed and the act names neither before nor after: no row, *out_number is 0. Data for undo older
 * than keep_s, or beyond keep_octets in all, goes. out_number may be NULL. */
enum sek_err sek_audit_add(struct sek_policydb *db, const struct sek_audit_act *act, int64_t keep_s,
                           uint64_t keep_octets, int64_t *out_number, struct sek_diag *diag);
/* Has the transaction changed rows of this table (NULL: of any), since the last row of the trail?
 */
bool sek_audit_touched(const struct sek_policydb *db, const char *table);

struct sek_audit_row {
    int64_t number, time_ms, uid;
    const char *user, *origin, *command, *verb, *object, *before, *after, *reason;
    int64_t undoes;
    int64_t n_changes;   /* rows of tables that were added, changed or removed */
    const char *changes; /* digest of the data for undo; "" if there is none */
    const char *previous, *hash;
    const char *state; /* "" in rows of older programs, and where nothing changed */
    bool kept;         /* the data for undo is there */
    int64_t undone_by; /* the last row that took this one back; 0: none */
};

struct sek_audit_filter {
    int64_t number;             /* this row; 0: any */
    int64_t from;               /* from this number on */
    int64_t since_ms, until_ms; /* 0: any; until exclusive */
    const char *user, *verb;    /* NULL: any */
    const char *object;         /* NULL: any; else part of the object or of what was changed */
    bool oldest_first;
};
typedef bool sek_audit_row_fn(void *arg, const struct sek_audit_row *row); /* false stops */
/* No lock is held while fn has a row. */
enum sek_err sek_audit_rows(struct sek_policydb *db, const struct sek_audit_filter *filter,
                            sek_audit_row_fn *fn, void *arg, struct sek_diag *diag);

/* One thing that a change changed: "" where there was, or is, none. */
struct sek_audit_item {
    const char *object, *before, *after;
};
typedef bool sek_audit_item_fn(void *arg, const struct sek_audit_item *item); /* false stops */
/* What the data of a row tells, in the order of the changes, without those that it has no words
 * for (when a feed was added). NOTFOUND: it is not kept (any more). number 0: what the transaction
 * has changed so far. */
enum sek_err sek_audit_items(struct sek_policydb *db, int64_t number, sek_audit_item_fn *fn,
                             void *arg, struct sek_diag *diag);

struct sek_audit_anchor {
    int64_t number;
    char hash[SEK_AUDIT_HASH_MAX];
};
/* "12:<64 hexadecimal digits>". INVALID. */
enum sek_err sek_audit_anchor_read(const char *text, struct sek_audit_anchor *out,
                                   struct sek_diag *diag);
/* The last row; number 0 and zeros as hash when there is none. */
enum sek_err sek_audit_head(struct sek_policydb *db, struct sek_audit_anchor *out,
                            struct sek_diag *diag);

/* What is wrong. */
enum sek_audit_fault {
    SEK_AUDIT_TRAIL,     /* the trail itself: nothing takes that back */
    SEK_AUDIT_EXCEPTION, /* an exception: until it is revoked and asked for anew */
    SEK_AUDIT_TABLES,    /* what else the tables hold: until a row takes it as it is */
    SEK_AUDIT_N_FAULTS
};
struct sek_audit_verdict {
    uint64_t n_rows, n_problems;
    uint64_t n_of[SEK_AUDIT_N_FAULTS]; /* problems */
    struct sek_audit_anchor head;
};
typedef void sek_audit_problem_fn(void *arg, enum sek_audit_fault fault, int64_t number,
                                  const char *problem);
/* Compute the chain anew and hold every row, the data for undo that is kept, the anchors, and the
 * exceptions against it. fn: for every problem, with the row that it is about (0: the trail as a
 * whole), in the order of the rows. Reads one state of the database. fn must not wait for anybody.
 */
enum sek_err sek_audit_verify(struct sek_policydb *db, const struct sek_audit_anchor *anchors,
                              unsigned n_anchors, sek_audit_problem_fn *fn, void *arg,
                              struct sek_audit_verdict *out, struct sek_diag *diag);

/* Hold exceptions and their steps against the rows of the trail whose data is kept. fn: for each
 * that was changed, removed or put there by something else, with the row that left it otherwise (0:
 * none). fn must not change the database. Before changes of a transaction, which are not in the
 * trail yet. */
typedef void sek_audit_exception_fn(void *arg, int64_t exception, int64_t number,
                                    const char *problem);
enum sek_err sek_audit_exceptions(struct sek_policydb *db, sek_audit_exception_fn *fn, void *arg,
                                  struct sek_diag *diag);

/* Take back what row `number` changed, within a transaction; the caller adds a row with `undoes`.
 * NOTFOUND: no such row. REFUSED: the row keeps no data, was altered, or was taken back already; or
 * a later change touched the same object, or it is not as the row left it any more: `force` goes on
 * then, and restores only what the row changed. progress may be NULL. */
enum sek_err sek_audit_undo(struct sek_policydb *db, int64_t number, bool force, int64_t now_s,
                            sek_progress_fn *progress, void *arg, struct sek_diag *diag);
