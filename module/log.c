/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

/* Declared here and not through util/log.h: this file must not depend on one version's headers,
 * since it also speaks in an Unbound that the module was not built for. */
void log_err(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

void sek_log_say(void *arg, bool trouble, const char *text)
{
    (void)arg;
    if (trouble)
        log_err("sekisho: %s", text);
    else
        log_info("sekisho: %s", text);
}
