/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rules of which lists were met, of events.db (store/report.h). One thread. */
#pragma once
#include "name/name.h"
#include "policy/rule.h"
#include "store/report.h"

struct sek_rule_hits {
    const char *list; /* its name */
    struct sek_name owner;
    enum sek_scope scope;
    uint64_t n_hits;
    int64_t last_ms;
};
/* Ordered by list. since_s: 0 = all there is. */
typedef bool sek_rule_hits_fn(void *arg, const struct sek_rule_hits *hits); /* false stops */
enum sek_err sek_report_rule_hits(struct sek_report *r, int64_t since_s, sek_rule_hits_fn *fn,
                                  void *arg, struct sek_diag *diag);
