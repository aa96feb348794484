/* SPDX-License-Identifier: BSD-3-Clause */
/* Life times and sizes as people write them. Any thread. */
#pragma once
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define SEK_DURATION_MAX_S (100LL * 366 * 86400) /* a century: longer is a typing error */

/* "90s 30m 8h 3d 2w", also combined, long units first ("1d12h"); a bare number is refused. Result
 * in seconds, > 0. */
enum sek_err sek_duration_from_text(const char *text, int64_t *out_s, struct sek_diag *diag);
/* For people: exact in one unit where that reads well ("90s", "30d", "2w"), else rounded to two
 * units: 93784 → "1d2h". 0 → "0s", negative → "-5m". Returns out (size >= 24). */
const char *sek_duration_to_text(int64_t s, char *out, size_t size);
/* "512", "64k", "16m", "2g", "1t" (powers of 1024; case ignored; trailing "b"/"ib" allowed).
 * Octets. */
enum sek_err sek_size_from_text(const char *text, uint64_t *out_octets, struct sek_diag *diag);
/* Exact, in the largest unit that divides: 2097152 → "2m", 1000 → "1000". Returns out (size >= 24).
 */
const char *sek_size_to_text(uint64_t octets, char *out, size_t size);
/* UTC, ISO 8601 to the second: "2026-11-23T06:17:00Z". Returns out (size >= 21). */
const char *sek_time_to_text(int64_t unix_s, char *out, size_t size);
