/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over a period, for reports: all hits in one pass, by steps of time, endpoint, decider and
 * domain at once; queries by minute; domains first seen. What is read is read in pieces of a day at
 * most, each a transaction of its own: nothing holds the writer's log for long. One thread. */
#pragma once
#include "store/report.h"

struct sek_period;

struct sek_period_step {
    int64_t from_s; /* of the step; it ends where the next begins */
    uint64_t hits, blocked, monitored;
    uint64_t queries; /* all that were asked, hits or not */
};

struct sek_period_total {
    uint64_t hits, blocked, monitored, queries;
    uint64_t n_endpoints, n_domains; /* with hits */
};

enum sek_period_by {
    SEK_PERIOD_ENDPOINT, /* partners: domains */
    SEK_PERIOD_DECIDER,  /* list, or word of the trigger; partners: endpoints */
    SEK_PERIOD_DOMAIN,   /* registered; partners: endpoints */
    SEK_N_PERIOD_BY
};
struct sek_period_group {
    const char *key;
    uint64_t hits, blocked, monitored, n_partners;
    int64_t last_ms;
};

/* The minutes of [since_s, until_s), in n_steps of step_s (whole minutes) from since_s on. */
enum sek_err sek_period_read(struct sek_report *r, int64_t since_s, int64_t until_s, int64_t step_s,
                             struct sek_period **out, struct sek_diag *diag);
void sek_period_free(struct sek_period *p);
const struct sek_period_total *sek_period_total(const struct sek_period *p);
const struct sek_period_step *sek_period_steps(const struct sek_period *p, size_t *out_n);
/* Most hits first; limit 0: all. The same period may be asked again, with another kind. */
typedef bool sek_period_fn(void *arg, const struct sek_period_group *group); /* false stops */
enum sek_err sek_period_groups(struct sek_report *r, struct sek_period *p, enum sek_period_by by,
                               size_t limit, sek_period_fn *fn, void *arg, struct sek_diag *diag);

/* Times of at least SEK_PERIOD_GAP_S without a single query, between the first and the last of the
 * period: the resolver was down, or nobody asked. */
#define SEK_PERIOD_GAP_S 1800
#define SEK_PERIOD_GAPS 8
struct sek_period_gaps {
    unsigned n; /* how many there are, also those that are not kept */
    int64_t total_s;
    unsigned n_kept; /* the longest ones, in order of time */
    int64_t from_s[SEK_PERIOD_GAPS], until_s[SEK_PERIOD_GAPS];
    int64_t first_s, last_s; /* first and last minute with queries; 0: there is none */
};
const struct sek_period_gaps *sek_period_gaps(const struct sek_period *p);

/* Domains that were asked for here for the first time in [since_s, until_s): how many, and those
 * with the most queries so far. */
struct sek_new_domain {
    const char *domain, *endpoint; /* who asked first */
    int64_t first_ms;
    uint64_t queries;
};
typedef bool sek_new_domain_fn(void *arg, const struct sek_new_domain *one); /* false stops */
enum sek_err sek_report_new_domains(struct sek_report *r, int64_t since_s, int64_t until_s,
                                    unsigned limit, uint64_t *out_n, sek_new_domain_fn *fn,
                                    void *arg, struct sek_diag *diag);
