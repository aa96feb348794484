/* SPDX-License-Identifier: BSD-3-Clause */
/* UTF-8 read one character at a time, and the characters that must not reach a terminal or a report
 * as they are. Any thread, no allocation. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first character of `text`. Returns its length in octets, 1..4, or 0 for len == 0, truncated
 * or overlong forms, surrogates and values above U+10FFFF (RFC 3629 §3); *out_point is set on
 * success. */
size_t sek_utf8_next(const char *text, size_t len, uint32_t *out_point);
/* The UTF-8 form of a valid code point. Returns its length, 1..4; no terminator. */
size_t sek_utf8_put(uint32_t point, char out[4]);
/* True if all `len` octets are valid UTF-8. */
bool sek_utf8_is_valid(const char *text, size_t len);
/* True for what could deceive a reader or drive a terminal: C0 and C1 controls, DEL, line
 * separators, bidirectional marks and overrides, invisible characters, noncharacters. */
bool sek_utf8_is_deceptive(uint32_t point);
/* True if a reader sees nothing of it: empty, or nothing but blanks (Zs of Unicode) and what is
 * deceptive. */
bool sek_utf8_is_blank(const char *text, size_t len);
