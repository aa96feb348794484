/* SPDX-License-Identifier: BSD-3-Clause */
/* How far events.db is: for whoever hands its rows on once each and remembers up to which. Numbers
 * of rows grow and never come back, whatever is deleted. One thread. */
#pragma once
#include "store/report.h"

struct sek_position {
    int64_t identity; /* of the database, random: another one has another */
    int64_t hit;      /* the last number given to a hit's row */
    int64_t change;   /* the last one given to a finding that was added or renewed */
};
/* False stops. */
typedef bool sek_finding_count_fn(void *arg, int detector, uint64_t n, uint64_t n_blocking);
/* Of each detector that found something that lasted beyond since_s: how much, and of how many the
 * block runs at now_s. */
enum sek_err sek_report_finding_counts(struct sek_report *r, int64_t since_s, int64_t now_s,
                                       sek_finding_count_fn *fn, void *arg, struct sek_diag *diag);
/* Every address that is known as an endpoint's, as text; some come twice. False stops. */
typedef bool sek_address_fn(void *arg, const char *address);
enum sek_err sek_report_addresses(struct sek_report *r, sek_address_fn *fn, void *arg,
                                  struct sek_diag *diag);
enum sek_err sek_report_position(struct sek_report *r, struct sek_position *out,
                                 struct sek_diag *diag);
