/* SPDX-License-Identifier: BSD-3-Clause */
/* Which addresses DNS gave for tracked names (watch/udr.h), out of events.db. Read-only; one
 * thread. */
#pragma once
#include "event/response.h"
#include "store/report.h"

/* one: borrowed during the call. False ends it. */
typedef bool sek_response_fn(void *arg, const struct sek_response *one);
/* Latest last_day first, then latest first_ms: at most `most`. For the detector that begins. */
enum sek_err sek_report_responses_latest(struct sek_report *r, uint64_t most, sek_response_fn *fn,
                                         void *arg, struct sek_diag *diag);
/* By name, then the newest first. name: that one and all below it; NULL: all. since_ms: first
 * given then or later. least: what was new about them at least. */
enum sek_err sek_report_responses(struct sek_report *r, const struct sek_name *name,
                                  int64_t since_ms, enum sek_news least, sek_response_fn *fn,
                                  void *arg, struct sek_diag *diag);
