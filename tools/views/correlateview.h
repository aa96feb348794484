/* SPDX-License-Identifier: BSD-3-Clause */
/* What `correlate` found, as a timeline by endpoint and sums. One thread. */
#pragma once
#include "store/outside.h"
#include "tools/context.h"

struct sek_correlate_view {
    struct sek_context *c; /* with the settings loaded */
    int64_t window_s;
    bool every;     /* also what DNS explains */
    uint64_t limit; /* 0: all */
    uint64_t n;     /* lines that were shown */
    bool cut;       /* there are more */
};

/* The whole report. */
enum sek_err sek_correlate_put(struct sek_correlate_view *v, struct sek_outside *o);
