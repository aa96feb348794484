/* SPDX-License-Identifier: BSD-3-Clause */
/* What an exception lets through, or would: by what events.db has of blocked questions. One thread.
 */
#pragma once
#include "store/exceptions.h"
#include "tools/change/groups.h"
#include "tools/context.h"

struct sek_preview {
    struct sek_context *c;
    struct sek_report *report;     /* borrowed */
    const struct sek_exception *e; /* name, scope, groups, endpoints are asked for */
    const struct sek_nets *nets;   /* whom it is for; empty for everybody */
    int64_t since_s;
    uint64_t n_queries, n_endpoints; /* result: refused ones, that it would have let through */
    uint64_t n_recorded;             /* and those that it covers, but that passed all the same */
};

/* The networks of its groups and endpoints. */
enum sek_err sek_preview_nets(struct sek_context *c, struct sek_policydb *db,
                              const struct sek_exception *e, struct sek_nets *out);
/* A row an endpoint whose queries for such names met a rule, most first. part: of a report that was
 * begun; else it begins one. */
enum sek_err sek_preview_endpoints(struct sek_preview *p, bool part);
/* A further part: the names that the rules behind those refusals guarded, and which of them stay
 * blocked. */
enum sek_err sek_preview_names(struct sek_preview *p);
/* The sum, on standard error. */
void sek_preview_tell(const struct sek_preview *p);
/* Is the name one that the exception is about? */
bool sek_preview_covers(const struct sek_exception *e, const struct sek_name *name);
