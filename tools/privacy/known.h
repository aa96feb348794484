/* SPDX-License-Identifier: BSD-3-Clause */
/* Which addresses are endpoints': all that the databases know as one's. One thread. */
#pragma once
#include "conf/conf.h"
#include "base/addr.h"
#include "observe/leases.h"

typedef bool sek_endpoint_fn(void *arg, const struct sek_addr *endpoint); /* false stops */
/* Of events.db, and of policy.db where it can be read: the inventory, members of groups,
 * exceptions, incidents, triage, dismissals. Some come twice. */
enum sek_err sek_known_endpoints(const struct sek_conf *conf, sek_endpoint_fn *fn, void *arg,
                                 struct sek_diag *diag);
/* Those that the rows of the audit trail name, where it can be read: they stay when an endpoint is
 * forgotten. machine: what the row says of its machine; NULL: nothing. */
typedef bool sek_told_fn(void *arg, const struct sek_addr *endpoint,
                         const struct sek_machine *machine);
void sek_told_endpoints(const struct sek_conf *conf, sek_told_fn *fn, void *arg);
