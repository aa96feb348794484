/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint that policy.db is to know nothing of any more. One thread. */
#pragma once
#include "base/addr.h"
#include "base/buf.h"
#include "store/policydb.h"

/* What became of it. */
struct sek_forgotten {
    uint64_t n_removed;      /* spans, dismissals, triage, memberships that are over */
    uint64_t n_renamed;      /* incidents and exceptions that called it by its address or machine */
    struct sek_buf standing; /* ids, with a blank between two, of exceptions that wait or are not
                                over: they name it still */
    bool rules_removed;      /* of exceptions that are over: the policy is to be compiled */
    bool is_member;          /* of a group, by its address alone */
};

/* Within a transaction: the spans of its address, what is known of machines that had no other
 * address, its dismissals, triage and memberships that are over go, and the data for undo of all
 * changes up to row undo_until of the audit trail (of one object later data must be there as long
 * as earlier). Incidents, and exceptions that are over, are records of what people decided: they
 * stay, and call it `called` (one word). Rows of the trail stay, as they are chained, and so does
 * what is in force: exceptions and memberships. What is deleted is overwritten on disk. out: begun
 * by sek_buf_init of `standing`; the caller's to sek_buf_fini. */
enum sek_err sek_policydb_forget(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 const char *called, int64_t now_s, int64_t undo_until,
                                 struct sek_forgotten *out, struct sek_diag *diag);
/* What incidents call it, which that renames: its address, names and MACs of machines that had no
 * other address. False stops. */
typedef bool sek_called_fn(void *arg, const char *called);
enum sek_err sek_policydb_called(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 sek_called_fn *fn, void *arg, struct sek_diag *diag);
