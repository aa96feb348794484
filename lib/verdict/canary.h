/* SPDX-License-Identifier: BSD-3-Clause */
/* Canary names: a program asks for one to learn whether the network wants its resolver to be used,
 * and keeps to it when the name does not exist or has no addresses. Firefox:
 * use-application-dns.net (Mozilla, "Canary domain - use-application-dns.net"); iCloud Private
 * Relay: mask.icloud.com and mask-h2.icloud.com (Apple, "Prepare your network or web server for
 * iCloud Private Relay"). Only the very names, and only as a question. Any thread; no allocation.
 */
#pragma once
#include "base/mode.h"
#include "name/name.h"
#include <stdbool.h>

bool sek_canary_is(const struct sek_name *name);
/* The name of each, i from 0 on; false past the last one. */
bool sek_canary_name(unsigned i, struct sek_name *out);
