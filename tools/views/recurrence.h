/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether what an incident was about happens again after it was closed: hits and findings of its
 * endpoints and domains since then, by events.db. One thread. */
#pragma once
#include "store/incidents.h"
#include "store/report.h"
#include "tools/context.h"

#define SEK_RECURRENCE_S (90 * 86400) /* so long after it was closed an incident is watched */

struct sek_recurrence {
    uint64_t hits, findings;
    int64_t last_ms;
};

/* Adds what one subject has seen since then (Unix seconds, exclusive). A machine that the inventory
 * no longer knows adds nothing. Errors are in c->diag. */
enum sek_err sek_recurrence_add(struct sek_context *c, struct sek_report *events,
                                const struct sek_incident_subject *subject, int64_t since_s,
                                struct sek_recurrence *io);
/* Incidents that are open (or contained), and closed ones that recur. Zero where policy.db or
 * events.db cannot be read: reports go on without. */
struct sek_incident_counts {
    uint64_t n_open, n_recurring;
};
void sek_incident_count(struct sek_context *c, struct sek_incident_counts *out);
