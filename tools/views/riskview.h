/* SPDX-License-Identifier: BSD-3-Clause */
/* Risk of endpoints as `endpoint list` and `endpoint show` put it: a row a machine, with the reason
 * in words. One thread. */
#pragma once
#include "machines.h"
#include "store/report_endpoints.h"

struct sek_risk_view {
    struct sek_out *out;
    const struct sek_conf *conf;
    struct sek_machines machines;
    struct sek_col cols[SEK_OUT_COLS_MAX];
};

/* Begin the report on c->out, with the settings loaded. Behind it sek_risk_view_fini. */
void sek_risk_view_init(struct sek_risk_view *v, struct sek_context *c, const char *schema);
void sek_risk_view_fini(struct sek_risk_view *v);
bool sek_risk_view_row(struct sek_risk_view *v, const struct sek_risk *risk);
/* A row without evidence, of an address that a machine has. */
bool sek_risk_view_idle(struct sek_risk_view *v, const struct sek_span *span);
/* Have evidence told by machine, where the inventory knows one. */
void sek_risk_by_machine(struct sek_risk_view *v, struct sek_risk_query *q);
/* "2 findings: tunnel to evil.example (0.90), beacon …; 14 hits of list X" */
void sek_risk_words(const struct sek_risk *risk, struct sek_buf *out);
