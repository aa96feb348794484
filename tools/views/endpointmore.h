/* SPDX-License-Identifier: BSD-3-Clause */
/* What the page of an endpoint tells beyond its risk: how that grew, what it met, what detectors
 * found of it by kind, and what policy says of it now. One thread. */
#pragma once
#include "tools/context.h"
#include "store/policydb.h"
#include "store/report_endpoints.h"

struct sek_endpoint_more {
    struct sek_context *c; /* with the settings loaded and the report begun */
    struct sek_report *events;
    struct sek_policydb *db;      /* NULL: nothing of policy can be told */
    const char *selector;         /* an address or spans (store/report.h) */
    const struct sek_addr *addrs; /* that it has now */
    unsigned n_addrs;
    const struct sek_addr *past; /* all that it had, these among them */
    unsigned n_past;
};

/* Each day of the last week, as the risk stood at its end. evidence: read from the first of these
 * moments on. */
int64_t sek_endpoint_days_begin(int64_t now_s);
enum sek_err sek_endpoint_put_days(const struct sek_endpoint_more *m,
                                   struct sek_risk_evidence *evidence);
/* Sums of queries and hits, then lists and detectors that it met, with first and last. */
enum sek_err sek_endpoint_put_sums(const struct sek_endpoint_more *m);
/* Beacons, tunnels, bursts: the latest of each, with what that detector measured. */
enum sek_err sek_endpoint_put_series(const struct sek_endpoint_more *m);
/* Names whose answer was the sinkhole. */
enum sek_err sek_endpoint_put_sinkholed(const struct sek_endpoint_more *m);
/* Groups that it is in, quarantine among them, and the exceptions that those give it;
 * then exceptions that people asked for, also those that are over. */
enum sek_err sek_endpoint_put_policy(const struct sek_endpoint_more *m);
