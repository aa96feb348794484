/* SPDX-License-Identifier: BSD-3-Clause */
/* The time zone in which whoever runs the command means times without one, and days: that of the
 * variable TZ in the environment (tzset(3)); UTC without it, whatever the machine's own zone is, as
 * all times are printed in UTC. One thread: the C library knows one zone at a time. */
#pragma once
#include "base/when.h"

/* NULL: UTC. INVALID: TZ names a zone that is not known here. */
enum sek_err sek_zone_read(sek_zone_fn **out, struct sek_diag *diag);
