/* SPDX-License-Identifier: BSD-3-Clause */
/* All that is known of one endpoint: `endpoint show`. One thread. */
#pragma once
#include "tools/context.h"

/* what: an address, or the MAC or name of a machine of the inventory. */
enum sek_err sek_endpoint_show(struct sek_context *c, const char *what);
