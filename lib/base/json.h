/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of JSON texts (RFC 8259), written. Any thread. */
#pragma once
#include "base/buf.h"

/* Append as a string with its quotes (§7). Always valid UTF-8: an octet that is none becomes the
 * four characters \xNN. What deceives or drives a terminal (sek_utf8_is_deceptive) is escaped. */
void sek_json_add_text(struct sek_buf *b, const char *text);
/* Append a character of a string as "\uNNNN", above U+FFFF as a pair of them. */
void sek_json_add_escape(struct sek_buf *b, uint32_t point);
/* Append as a number with so many decimals (0..9); what is none (NaN, infinite) as null (§6). */
void sek_json_add_real(struct sek_buf *b, double v, int decimals);
