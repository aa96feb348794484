/* SPDX-License-Identifier: BSD-3-Clause */
/* Points in time as people write them. No clock, no environment: the time and the zone are
 * arguments. Any thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* A time zone: how many seconds local time is ahead of UTC at at_s (Unix time). NULL where one is
 * asked for: UTC. */
struct sek_zone {
    int32_t (*offset_at)(const void *of, int64_t at_s);
    const void *of; /* borrowed */
};

/* "Z", "UTC", "+01:00", "-0530", "+01", "+1"; "UTC+1" and "GMT+1" count hours east of Greenwich, as
 * people mean it. False: none of these, or of no zone there is. */
bool sek_when_offset_from_text(const char *text, int32_t *out_s);

/* ISO 8601: "2026-11-23", or with a time behind a T or a blank, "2026-11-23T06:17[:00[.5]]", then
 * "Z", "+01:00", "+0100" or "+01", else it counts in the zone. From 1970 on; a fraction is left
 * out. INVALID. */
enum sek_err sek_when_from_iso(const char *text, const struct sek_zone *zone, int64_t *out_s,
                               struct sek_diag *diag);

/* That, and relative to now_s, whatever the case of letters: "now"; "2h", "2h ago", "-2h",
 * "2 hours ago", "1 day 3 hours ago"; "today", "yesterday", "tomorrow", "monday" (the latest one),
 * "last monday" (before today), "this week" and "last week" (from Monday on), "this month", "last
 * month": their first midnight, or with a time behind them, "yesterday 18:00"; "18:00" (today);
 * "@1795414620" (Unix time). INVALID. */
enum sek_err sek_when_from_text(const char *text, int64_t now_s, const struct sek_zone *zone,
                                int64_t *out_s, struct sek_diag *diag);

/* When a clock there shows local_s (as if that were UTC). Of a time that a change of the clocks
 * passes over, as long after the change; of one that comes twice, the later one. */
int64_t sek_when_utc(int64_t local_s, const struct sek_zone *zone);
/* And back: what a clock there shows then, as if it were UTC. */
int64_t sek_when_local(int64_t time_s, const struct sek_zone *zone);
/* The midnight with which the day of time_s begins, or the one so many days later. */
int64_t sek_when_midnight(int64_t time_s, int days, const struct sek_zone *zone);
/* Days since Monday in the week of time_s: 0 to 6. */
int sek_when_weekday(int64_t time_s, const struct sek_zone *zone);
