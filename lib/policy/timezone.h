/* SPDX-License-Identifier: BSD-3-Clause */
/* Time zones of IANA's data base ("Europe/Berlin", "UTC"), read from the system's files of zones
 * through the C library; and fixed distances from UTC ("+01:00", "-0530", "UTC+9", "Z"), which know
 * no summer time. For the command, which has these files; the resolver reads what it made of
 * them (terms.h). One thread: the C library knows one zone at a time, in the environment. */
#pragma once
#include "base/buf.h"

#define SEK_TIMEZONE_MAX 64 /* octets of a name with terminator */

/* NOTFOUND: there is no such zone. Cheap. */
enum sek_err sek_timezone_check(const char *name, struct sek_diag *diag);

/* The one way in which a zone that the check passes is written. */
void sek_timezone_canonical(const char *name, char out[SEK_TIMEZONE_MAX]);

/* From at_s on (Unix time) local time is UTC + offset_s. */
typedef void sek_timezone_fn(void *arg, int64_t at_s, int32_t offset_s);
/* Every change from 2020 to 2100, ascending; the first is told of with INT64_MIN. */
enum sek_err sek_timezone_each(const char *name, sek_timezone_fn *fn, void *arg,
                               struct sek_diag *diag);
