/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGINT and SIGTERM, for commands that end their work in order. One command a process. */
#pragma once
#include <signal.h>

/* Set by the handler: stop between two rows. To be read only. */
extern volatile sig_atomic_t sek_interrupted;
/* From now on they set it, and do no more. */
void sek_interrupt_watch(void);
