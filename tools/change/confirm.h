/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting until the resolver has a policy in force, by the status page. One thread. */
#pragma once
#include "conf/conf.h"

#define SEK_CONFIRM_MS 5000 /* by then it has taken over, or something is wrong */

/* The newest generation that a resolver has by its page; 0 if none runs. */
uint64_t sek_confirm_seen(const struct sek_conf *conf);
/* Of a report on what is recorded, last: where a resolver runs, say that it may have more. */
void sek_confirm_tell_recent(const struct sek_conf *conf);
/* Wait until every thread uses this generation (or a later one), and say so on standard error;
 * quiet: only say what is wrong. A resolver that does not run is told of and is no error, as it
 * reads the policy at its start. BUSY: it runs, but did not take over; diag tells what it says
 * itself. */
enum sek_err sek_confirm_wait(const struct sek_conf *conf, uint64_t generation, bool quiet,
                              struct sek_diag *diag);
