/* SPDX-License-Identifier: BSD-3-Clause */
/* A report on a terminal and for programs: its sheets as parts of one output. One thread. */
#pragma once
#include "bulletin/paper.h"
#include "tools/print/out.h"

/* All of it, to its end. */
enum sek_err sek_reportview_put(const struct sek_paper *p, struct sek_out *o,
                                struct sek_diag *diag);
