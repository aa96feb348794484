/* SPDX-License-Identifier: BSD-3-Clause */
#include "interrupt.h"
#include <stddef.h>
#include "base/banned.h"

volatile sig_atomic_t sek_interrupted;

static void on_signal(int signal)
{
    (void)signal;
    sek_interrupted = 1;
}

void sek_interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
