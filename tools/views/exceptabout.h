/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions that concern a name or an endpoint, wherever they stand: in force, asked for,
 * rejected, over. A part "exception_requests" of a report that was begun, the latest first. One
 * thread. */
#pragma once
#include "store/exceptions.h"
#include "tools/context.h"

/* Those for the name, for one above it, or one below it. limit 0: all. */
enum sek_err sek_except_about_name(struct sek_context *c, struct sek_policydb *db,
                                   const struct sek_name *name, unsigned limit);
/* Those for one of these addresses, or for a group that has one now; behind them those for
 * everybody, unless nothing is on the page yet: these say nothing of an endpoint that nobody knows.
 */
enum sek_err sek_except_about_endpoint(struct sek_context *c, struct sek_policydb *db,
                                       const struct sek_addr *addrs, unsigned n_addrs,
                                       unsigned limit);
