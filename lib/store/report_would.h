/* SPDX-License-Identifier: BSD-3-Clause */
/* What a detector in mode monitor would have blocked in mode block, as far as events.db has it. */
#pragma once
#include "store/report_past.h"

/* Questions for domains that its findings would have blocked (struct sek_finding's may_block_s),
 * from then until lifetime_s after the finding's last sign: a row for each domain and endpoint, as
 * sek_report_past gives them. *out_unknown: findings since then with a domain of which it is not
 * known whether they would have blocked it, as they are older than that knowledge. */
enum sek_err sek_report_would_findings(struct sek_report *r, int detector, int64_t since_s,
                                       int64_t lifetime_s, sek_past_fn *fn, void *arg,
                                       uint64_t *out_unknown, struct sek_diag *diag);
/* Hits of a trigger that were only recorded, with a score (struct sek_event) above this one;
 * INT16_MIN: whatever it is. A row for each name and endpoint. */
enum sek_err sek_report_would_hits(struct sek_report *r, int trigger, int64_t since_s,
                                   int16_t above_score, sek_past_fn *fn, void *arg,
                                   struct sek_diag *diag);
