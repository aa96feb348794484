/* SPDX-License-Identifier: BSD-3-Clause */
/* Times as logs of name servers write them. Any thread; no clock: now_s is an argument. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Read a time at *p and move *p behind it:
 *   1795168800, 1795168800.123     Unix time, of 9 to 11 digits; of 13, 16, 19: in milli-,
 *                                  micro-, nanoseconds
 *   2026-11-27, 2026-11-27T13:05:07, with a blank for the T, a fraction, and Z or +01:00
 *   27-Nov-2026 13:05:07.123       BIND
 *   Nov 27 2026 13:05:07           Cisco
 *   Nov 27 13:05:07                syslog: the last such day that is not after tomorrow of now_s
 * Without a zone it counts as UTC. False: no time stands there; *p stays. */
bool sek_logtime_take(const char **p, int64_t now_s, int64_t *out_s);
/* The same in milliseconds. */
bool sek_logtime_take_ms(const char **p, int64_t now_s, int64_t *out_ms);
/* Seconds since 1970 or since the capture began, up to 11 digits, with a fraction or without, where
 * nothing else may stand (Zeek, tshark). */
bool sek_logtime_take_epoch(const char **p, int64_t *out_ms);
/* A day, month from 1, and the hour, minute and second of t as Unix time. False: there is no such
 * day from 1970 on. */
bool sek_logtime_unix(int year, int month, int day, struct tm t, int64_t *out_s);
