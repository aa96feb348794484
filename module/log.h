/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of ours in Unbound's log, each beginning with "sekisho: ". Any thread. Works in any
 * Unbound: the two functions behind it have the same prototype in all versions. */
#pragma once
#include "base/err.h"
#include <stdbool.h>

/* trouble: an error line, else an information line. The signature fits struct sek_runtime_hooks. */
void sek_log_say(void *arg, bool trouble, const char *text);
