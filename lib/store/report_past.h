/* SPDX-License-Identifier: BSD-3-Clause */
/* The past as far as events.db has it, for asking what another policy would have made of it: each
 * question of an endpoint that was a hit, by its full name; of all others only the registered
 * domain is known. */
#pragma once
#include "store/report.h"

struct sek_past_row {
    const char *endpoint, *name; /* text; borrowed during the call */
    bool is_domain;              /* the name stands for itself and those below it */
    uint64_t queries;
    int64_t last_ms; /* of a domain the end of the minute */
    /* of a hit, else 0: */
    uint16_t list;
    uint16_t qtype;
    int trigger, action, would; /* enum sek_trigger, sek_action */
    const char *matched;        /* as struct sek_hit's */
};
typedef bool sek_past_fn(void *arg, const struct sek_past_row *row); /* false: stop */

/* Since Unix second since_s, in no order; one row for each endpoint, question and what decided. */
enum sek_err sek_report_past(struct sek_report *r, int64_t since_s, sek_past_fn *fn, void *arg,
                             struct sek_diag *diag);
