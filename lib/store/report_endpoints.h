/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints ranked by risk (store/risk.h), out of events.db. An address may have belonged to
 * several machines: each time of one, a tenancy, is judged by itself. A machine may have had
 * several addresses, IPv4 and IPv6 or one lease after the other: then it is judged once, by the
 * evidence of them all together. One thread. */
#pragma once
#include "store/inventory.h"
#include "store/report.h"
#include "store/risk.h"

/* Which machine has the address at time_s, if that is known, and how long: out->from_s <= time_s <
 * out->until_s. */
typedef void sek_tenancy_fn(void *arg, const char *address, int64_t time_s, struct sek_span *out);
/* All that ties addresses together since then, as sek_inventory_ties tells it. */
typedef enum sek_err sek_ties_fn(void *arg, int64_t since_s, sek_tie_fn *fn, void *fn_arg,
                                 struct sek_diag *diag);

#define SEK_RISK_HALF_LIVES 8 /* after so many 0.4 % of evidence is left: it counts no more */

struct sek_risk_query {
    int64_t now_s, half_life_s;   /* evidence older than eight half-lives is left out */
    const char *const *endpoints; /* addresses: of these n_endpoints only; 0: of all */
    unsigned n_endpoints;
    bool as_of;              /* leave out what came after now_s: how it stood then */
    sek_tenancy_fn *tenancy; /* NULL: an address is one machine for all time */
    sek_ties_fn *ties;       /* NULL: no machine has two addresses; else there is a tenancy, too */
    void *inventory;         /* argument of both */
    unsigned limit;          /* 0 = no limit */
};

/* Why: findings of one detector about one domain, hits of one list, … */
struct sek_risk_reason {
    enum sek_risk_part part;
    double points;      /* before the most of its part is applied */
    uint64_t n;         /* findings, hits (queries), names or domains */
    int detector;       /* enum sek_detector, of findings; else 0 */
    double confidence;  /* of findings: the strongest one's */
    const char *what;   /* list or, without one, what decided; else "" */
    const char *domain; /* of findings; "": none stands out */
    int64_t last_ms;
};

/* One of a machine's addresses, with evidence. */
struct sek_risk_address {
    const char *text;
    int64_t from_s, until_s; /* its tenancies; INT64_MIN and INT64_MAX when they are not known */
    int64_t last_ms;         /* latest evidence */
};

struct sek_risk {
    const char *endpoint;                     /* the address with the latest evidence */
    const struct sek_risk_address *addresses; /* all of them, that one first */
    unsigned n_addresses;
    int64_t from_s, until_s; /* from the first of the tenancies to the last */
    double points, score;
    int64_t last_ms;                       /* latest evidence */
    const struct sek_risk_reason *reasons; /* most points first */
    unsigned n_reasons;
};
typedef bool sek_risk_fn(void *arg, const struct sek_risk *risk);

/* Highest score first; endpoints without evidence are left out. Reads the hits of the time once:
 * half a second for a million. No transaction is open while fn runs. */
enum sek_err sek_report_risk(struct sek_report *r, const struct sek_risk_query *q, sek_risk_fn *fn,
                             void *arg, struct sek_diag *diag);

/* The same in two steps, for who asks more than once: the evidence is read by the first. Borrows
 * the report and what the query points to until it is freed. oldest_s: the first moment that will
 * be asked for, q->now_s when no other is. */
struct sek_risk_evidence;
enum sek_err sek_risk_evidence_read(struct sek_report *r, const struct sek_risk_query *q,
                                    int64_t oldest_s, struct sek_risk_evidence **out,
                                    struct sek_diag *diag);
void sek_risk_evidence_free(struct sek_risk_evidence *e); /* NULL is fine */
enum sek_err sek_risk_evidence_rank(struct sek_risk_evidence *e, sek_risk_fn *fn, void *arg,
                                    struct sek_diag *diag);
/* How it stood at each of n moments (Unix seconds, none before oldest_s): fn is called for each
 * with the highest risk of then, without what came later, or with NULL where there was no evidence.
 */
typedef bool sek_risk_then_fn(void *arg, int64_t moment_s, const struct sek_risk *risk);
enum sek_err sek_risk_evidence_then(struct sek_risk_evidence *e, const int64_t *moments, unsigned n,
                                    sek_risk_then_fn *fn, void *arg, struct sek_diag *diag);
