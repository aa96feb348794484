/* SPDX-License-Identifier: BSD-3-Clause */
/* Life times and sizes as people write them. Any thread. */
#pragma once
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define SEK_DURATION_MAX_S (100LL * 366 * 86400) /* a century: longer is a typing error */

/* "90s 30m 8h 3d 2w", also combined ("1d12h"); a bare number is refused. Result in seconds, > 0. */
enum sek_err sek_duration_from_text(const char *text, int64_t *out_s, struct sek_diag *diag);
/* Shortest exact or rounded form, at most two units: 93784 → "1d2h". 0 → "0s". Returns out. */
const char *sek_duration_to_text(int64_t s, char *out, size_t size);
/* "512", "64k", "16m", "2g" (powers of 1024; case ignored; trailing "b"/"ib" allowed). Octets. */
enum sek_err sek_size_from_text(const char *text, uint64_t *out_octets, struct sek_diag *diag);
/* UTC, ISO 8601 to the second: "2026-11-23T06:17:00Z". Returns out (size >= 21). */
const char *sek_time_to_text(int64_t unix_s, char *out, size_t size);
/* A point in the past or present as people write it, relative to now_s: "2h" (two hours ago), "now",
 * "today", "yesterday" (UTC midnights), "2026-11-23", "2026-11-23T06:17[:00][Z]" or with a space. */
enum sek_err sek_time_from_text(const char *text, int64_t now_s, int64_t *out_s,
                                struct sek_diag *diag);
