/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of unknown origin made harmless for terminals, logs and spreadsheets: control characters
 * (C0, C1, DEL), bidirectional and invisible marks, and octets that are no UTF-8 are written out as
 * escapes. Any thread. */
#pragma once
#include "base/buf.h"

/* Append with "\xNN" for controls below U+0080 and for invalid octets, "\u{NNNN}" for other marks.
 */
void sek_safe_add(struct sek_buf *b, const char *text);
/* A name or rule for people: "response-ip:192.0.2.0/24" for what is not about a name
 * (policy/about.h), and "xn--bcher-kva.example (bücher.example)": the form that matters, and the
 * one people read. */
void sek_safe_add_name(struct sek_buf *b, const char *text);

/* The same with a backslash before each octet of `special`. */
void sek_safe_add_escaped(struct sek_buf *b, const char *text, const char *special);

/* Columns that safe text takes on a terminal: 0 for combining marks, 2 for wide characters. Needs
 * an LC_CTYPE of UTF-8 for those; else each character counts 1. */
size_t sek_safe_width(const char *text, size_t len);
/* How many octets of it fit into `columns`, whole characters only. */
size_t sek_safe_fit(const char *text, size_t len, size_t columns);
