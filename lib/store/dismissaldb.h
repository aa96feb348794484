/* SPDX-License-Identifier: BSD-3-Clause */
/* Dismissed findings in policy.db, where they are changed together with their row of the audit
 * trail; the resolver reads them from the file of event/dismissed.h, which is written from here
 * after each change. One thread. */
#pragma once
#include "event/dismissed.h"
#include "store/policydb.h"

/* All of them, the oldest first. *out is the caller's (sek_dismissed_fini), empty on failure. */
enum sek_err sek_dismissaldb_read(struct sek_policydb *db, struct sek_dismissed *out,
                                  struct sek_diag *diag);
/* Within a transaction: bring the table to the state of `set`. What is the same is left alone. */
enum sek_err sek_dismissaldb_write(struct sek_policydb *db, const struct sek_dismissed *set,
                                   struct sek_diag *diag);
