/* SPDX-License-Identifier: BSD-3-Clause */
/* The names that no list may ever cover, lest an accident stops the company: shipped ones (root, servers
 * of the root and of top-level domains, time, the resolver's own special-use names), the sinkhole's,
 * and the company's own zones from the configuration. Also the guard against public suffixes. Immutable
 * once built; any thread. */
#pragma once
#include "name/suffix.h"
#include "policy/rule.h"

struct sek_never;

/* zones: list notation (from the configuration). suffix: borrowed, must outlive it; may be NULL (then
 * public suffixes are not checked). */
enum sek_err sek_never_new(char *const *zones, unsigned n_zones, const struct sek_suffix *suffix,
                           struct sek_never **out, struct sek_diag *diag);
void sek_never_free(struct sek_never *n);

/* May a rule with this action cover this? SEK_OK, or SEK_E_REFUSED with a diag that names the protected
 * name, or says "public suffix; use --force". Actions that do not block are always allowed. force
 * lifts the public-suffix guard only. About 1 µs. */
enum sek_err sek_never_check(const struct sek_never *n, const struct sek_name *name,
                             enum sek_scope scope, enum sek_action action, bool force,
                             struct sek_diag *diag);
