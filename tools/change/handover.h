/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of imported history into the store: written by ourselves while no resolver holds it, else
 * handed to the resolver as a file that it takes over (observe/intake.h). One thread. */
#pragma once
#include "tools/context.h"
#include "tools/input/history.h"
#include "name/suffix.h"

/* since_s: the history reaches back so far; 0: as far as it did. Tells what became of it. Waits
 * until the resolver is done. */
enum sek_err sek_handover(struct sek_context *c, const struct sek_conf *conf,
                          const struct sek_suffix *suffix, const struct sek_history *history,
                          int64_t since_s);
