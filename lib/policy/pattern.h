/* SPDX-License-Identifier: BSD-3-Clause */
/* A regular expression as an owner name (policy/about.h), so that lists, versions and undo know it
 * as they know a name: its octets in labels of 63, and "rpz-regex" behind them. Labels fold case,
 * which "\S" and "\s" must not: a capital letter is an octet 1 and the small one. Plain data. Any
 * thread. */
#pragma once
#include "name/name.h"

/* Octets of an expression, each capital letter counting twice. */
#define SEK_PATTERN_MAX 240

/* The expression alone, without "regex:" or slashes. INVALID: empty, too long, or not ASCII; what
 * it means is not looked at (policy/patterns_write.h). */
enum sek_err sek_pattern_from_text(const char *text, size_t len, struct sek_name *out,
                                   struct sek_diag *diag);
/* Back. 0: it is none. out holds SEK_PATTERN_MAX + 1. Returns the length. */
size_t sek_pattern_to_text(const struct sek_name *owner, char *out);
