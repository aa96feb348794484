/* SPDX-License-Identifier: BSD-3-Clause */
/* The names that no list may ever cover, lest an accident stops the company: shipped ones (the
 * root, servers of the root and of .com and .net, time, reachability tests, certificate
 * status), and the company's own zones from the configuration. Also the guard against public
 * suffixes. Immutable once built; any thread. */
#pragma once
#include "name/suffix.h"
#include "policy/rule.h"

struct sek_never;

/* zones: list notation (from the configuration): at most SEK_NEVER_ZONES_MAX. suffix: borrowed,
 * must outlive it; may be NULL (then public suffixes are not checked). */
#define SEK_NEVER_ZONES_MAX 4096
enum sek_err sek_never_new(char *const *zones, unsigned n_zones, const struct sek_suffix *suffix,
                           struct sek_never **out, struct sek_diag *diag);
void sek_never_free(struct sek_never *n);

/* May a rule with this action cover this? SEK_OK, or SEK_E_REFUSED with a diag that names the
 * protected name, or says "public suffix; use --force". Below a suffix of two or more labels
 * strangers have names, but the name itself is a host like others (a bucket service, a dynamic DNS
 * provider): EXACT needs force for a top-level domain only. Actions that do not block are always
 * allowed; DEFAULT counts as blocking: the caller passes the list's action where it knows better.
 * force lifts the public-suffix guard only; nothing lifts that of the root. No allocation; about 1
 * µs. */
enum sek_err sek_never_check(const struct sek_never *n, const struct sek_name *name,
                             enum sek_scope scope, enum sek_action action, bool force,
                             struct sek_diag *diag);

/* Tell every place where a rule can stand that conflicts with a protected name, each once: the
 * names themselves and those above them, up to the root; below: also all names below this one. fn
 * returns SEK_OK to go on; any other code ends it and is returned. */
typedef enum sek_err sek_never_place_fn(void *arg, const struct sek_name *name, bool below);
enum sek_err sek_never_places(const struct sek_never *n, sek_never_place_fn *fn, void *arg);

/* A shipped name and why it is protected; ends with a NULL name. */
struct sek_never_row {
    const char *name; /* list notation */
    const char *why;
};
extern const struct sek_never_row sek_never_shipped[];
