/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in a column of a log, in any of the forms that logs have. No I/O, no clock. Any
 * thread. */
#pragma once
#include "base/addr.h"
#include "name/text.h"
#include "tools/zone.h"

/* A time at the beginning of text, which a priority (RFC 5424 §6.2) or a bracket may precede:
 * observe/logtime.h, and that of web servers, 27/Nov/2026:13:05:07 +0900. zone: where it says none.
 * *out_rest, if not NULL: what follows it. */
bool sek_logvalue_time(const char *text, const struct sek_zone_changes *zone, int64_t now_s,
                       int64_t *out_ms, const char **out_rest);
/* "192.0.2.1:443", "[2001:db8::1]:443", "fe80::1%eth0", "::ffff:192.0.2.1". *io_port is set by one
 * that stands there, unless it is set already. */
bool sek_logvalue_addr(const char *text, struct sek_addr *out, unsigned *io_port);
/* The host of a URL, or of "host:port"; a blank ends it. */
void sek_logvalue_host(const char *url, char *out, size_t size);
/* Up to five digits: a column or a port. */
bool sek_logvalue_number(const char *text, unsigned *out);
