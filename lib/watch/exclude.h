/* SPDX-License-Identifier: BSD-3-Clause */
/* Names that a detector leaves out: each covers all below it ("corp.example", "*.corp.example"), or
 * only itself ("=host.example"). Immutable once made; any thread. */
#pragma once
#include "conf/conf.h"
#include "name/name.h"

struct sek_exclude;

/* Of those lists, each of which may be NULL, and shipped rows: a column of texts that lie `stride`
 * octets apart and end with NULL; may be NULL. Notation of policy/rule.h, whose errors it returns;
 * NOMEM. */
enum sek_err sek_exclude_new(const struct sek_conf_names *const *lists, unsigned n_lists,
                             const char *const *shipped, size_t stride, struct sek_exclude **out,
                             struct sek_diag *diag);
void sek_exclude_free(struct sek_exclude *e);
/* No allocation; a hash a label. */
bool sek_exclude_covers(const struct sek_exclude *e, const struct sek_name *name);
size_t sek_exclude_octets(const struct sek_exclude *e);
