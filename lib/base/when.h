/* SPDX-License-Identifier: BSD-3-Clause */
/* Points in time as people write them. No clock, no environment: the time and the zone are
 * arguments. Any thread. */
#pragma once
#include "base/err.h"
#include <stdint.h>

/* How many seconds local time is ahead of UTC at at_s (Unix time). NULL where one is asked for:
 * UTC. */
typedef int32_t sek_zone_fn(int64_t at_s);

/* ISO 8601: "2026-11-23", or with a time behind a T or a blank, "2026-11-23T06:17[:00[.5]]", then
 * "Z", "+01:00", "+0100" or "+01", else it counts in the zone. From 1970 on; a fraction is left
 * out. INVALID. */
enum sek_err sek_when_from_iso(const char *text, sek_zone_fn *zone, int64_t *out_s,
                               struct sek_diag *diag);

/* That, and relative to now_s, whatever the case of letters: "now"; "2h", "2h ago", "-2h",
 * "2 hours ago", "1 day 3 hours ago"; "today", "yesterday", "tomorrow", "monday" (the latest one),
 * "last monday" (before today), "this week" and "last week" (from Monday on), "this month", "last
 * month": their first midnight, or with a time behind them, "yesterday 18:00"; "18:00" (today);
 * "@1795414620" (Unix time). INVALID. */
enum sek_err sek_when_from_text(const char *text, int64_t now_s, sek_zone_fn *zone, int64_t *out_s,
                                struct sek_diag *diag);

/* When a clock there shows local_s (as if that were UTC). Of a time that a change of the clocks
 * passes over, as long after the change; of one that comes twice, one of both. */
int64_t sek_when_utc(int64_t local_s, sek_zone_fn *zone);
/* The midnight with which the day of time_s begins, or the one so many days later. */
int64_t sek_when_midnight(int64_t time_s, int days, sek_zone_fn *zone);
/* Days since Monday in the week of time_s: 0 to 6. */
int sek_when_weekday(int64_t time_s, sek_zone_fn *zone);
