/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints that policy.db names anywhere but in the audit trail. One thread. */
#pragma once
#include "base/addr.h"
#include "store/policydb.h"

/* Each address of the inventory, of a group's member that is no wider, of exceptions, incidents,
 * triage and dismissals; some come twice. False stops. */
typedef bool sek_named_fn(void *arg, const struct sek_addr *endpoint);
enum sek_err sek_policydb_named(struct sek_policydb *db, sek_named_fn *fn, void *arg,
                                struct sek_diag *diag);
