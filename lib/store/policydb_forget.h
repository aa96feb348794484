/* SPDX-License-Identifier: BSD-3-Clause */
/* An endpoint that policy.db is to know nothing of any more. One thread. */
#pragma once
#include "base/addr.h"
#include "store/policydb.h"

/* Within a transaction: the spans of its address, what is known of machines that had no other
 * address, its dismissals and triage, and the data for undo of all changes up to row undo_until of
 * the audit trail (of one object later data must be there as long as earlier). Rows of the trail
 * stay, and so do exceptions and incidents that name it, as records of what people decided. What is
 * deleted is overwritten on disk. *out_rows: spans, dismissals and triage. */
enum sek_err sek_policydb_forget(struct sek_policydb *db, const struct sek_addr *endpoint,
                                 int64_t undo_until, uint64_t *out_rows, struct sek_diag *diag);
