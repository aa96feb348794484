/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints ranked by risk (store/risk.h), out of events.db. An address may have belonged to
 * several machines: each time of one, a tenancy, is judged by itself. One thread. */
#pragma once
#include "store/report.h"
#include "store/risk.h"

/* How long the address belongs to the machine that has it at time_s: *out_from_s <= time_s <
 * *out_until_s. */
typedef void sek_tenancy_fn(void *arg, const char *address, int64_t time_s, int64_t *out_from_s,
                            int64_t *out_until_s);

struct sek_risk_query {
    int64_t now_s, half_life_s; /* evidence older than eight half-lives is left out */
    const char *endpoint;       /* an address: of this one only; NULL: of all */
    sek_tenancy_fn *tenancy;    /* NULL: an address is one machine for all time */
    void *tenancy_arg;
    unsigned limit; /* 0 = no limit */
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

struct sek_risk {
    const char *endpoint;    /* address */
    int64_t from_s, until_s; /* the tenancy; INT64_MIN and INT64_MAX when it is not known */
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

/* Domains that an endpoint asked for first here, newest first. since_s 0, limit 0: no limit. */
struct sek_first_asked {
    int64_t first_ms;
    const char *domain, *name;
    int qtype;
};
typedef bool sek_first_asked_fn(void *arg, const struct sek_first_asked *first);
enum sek_err sek_report_first_asked(struct sek_report *r, const char *endpoint, int64_t since_s,
                                    int64_t until_s, unsigned limit, sek_first_asked_fn *fn,
                                    void *arg, struct sek_diag *diag);
