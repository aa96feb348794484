/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as text: RFC 1035 §5.1 presentation form with \DDD escapes, and internationalised names
 * (IDNA2008, RFC 5891, through libidn2). Any thread. */
#pragma once
#include "name/name.h"

/* Longest presentation form: 253 octets each as \DDD, dots, terminator. */
#define SEK_NAME_TEXT_MAX 1024

/* Text to wire. Accepts a trailing dot, escapes (\. \DDD), underscores, any case. Unescaped octets
 * other than a-z A-Z 0-9 - _ are refused: a URL or a line of prose is no name. U-labels (UTF-8) are
 * converted to A-labels (UTS 46 non-transitional, IDNA2008), label by label; those that cannot be
 * are SEK_E_NAME with the reason in diag. "." is the root; "" is refused. An A-label ("xn--…") that
 * does not decode is refused too, unless some octet of it is escaped: escapes mean raw octets. */
enum sek_err sek_name_from_text(const char *text, size_t len, struct sek_name *out,
                                struct sek_diag *diag);

/* Wire to text without trailing dot (the root is "."). Every octet other than a-z A-Z 0-9 - _ is
 * escaped (a dot inside a label as "\."; others \DDD), so the text is safe on terminals and unique.
 * wire must be a valid name. out holds SEK_NAME_TEXT_MAX. Returns the length. */
size_t sek_name_to_text(const uint8_t *wire, char *out);

/* The U-label form for people ("bücher.example"), or the same text as sek_name_to_text when the
 * name has no A-label, or one that does not decode, or one that would not be read back as the same,
 * or whose characters could deceive a terminal (controls, bidirectional marks). UTF-8. out holds
 * SEK_NAME_TEXT_MAX. Returns the length. */
size_t sek_name_to_unicode(const uint8_t *wire, char *out);
