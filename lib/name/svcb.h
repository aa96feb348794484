/* SPDX-License-Identifier: BSD-3-Clause */
/* SVCB and HTTPS records (RFC 9460): the addresses that their hints give, which a client may use
 * without ever asking for A or AAAA. Any thread, no allocation. */
#pragma once
#include "base/addr.h"
#include <stddef.h>

/* Call fn with each address of ipv4hint and ipv6hint (RFC 9460 §7.3). rdata: without its length.
 * Reading ends at the first octet that makes no sense, keeping what came before. False: fn did, and
 * was not called again. */
typedef bool sek_svcb_fn(void *arg, const struct sek_addr *addr);
bool sek_svcb_hints(const uint8_t *rdata, size_t len, sek_svcb_fn *fn, void *arg);
