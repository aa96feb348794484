/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking out of Unbound's message cache what policy forbids now. */
#pragma once
#include "state.h"

/* The purge hook of struct sek_runtime_hooks; arg is a struct sek_module. Walks Unbound's
 * caches in slices, so that a worker waits for at most one slice; removes every answer whose
 * question or chain is blocked, every alias record that leads to a blocked name, and nothing else.
 * Runs beside the workers. Returns the number of answers removed. */
uint64_t sek_purge(void *arg, struct sek_runtime *rt);
