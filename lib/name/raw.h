/* SPDX-License-Identifier: BSD-3-Clause */
/* Names as other programs write them into logs: whatever was asked for, printed in some way. Unlike
 * name/text.h nothing is refused that can stand in a packet. Any thread, no allocation. */
#pragma once
#include "name/name.h"

/* How a log writes octets that are not printable; the others stand for themselves. A backslash
 * before anything else makes it part of the label. */
enum sek_raw {
    SEK_RAW_DECIMAL, /* \032 (RFC 1035 §5.1) and \x20 (Zeek) */
    SEK_RAW_OCTAL,   /* \040, or U+FFFD for one that is lost and becomes "?" (tshark) */
};

/* "." and "<Root>" are the root. False: empty labels, too long. */
bool sek_name_from_raw(const char *text, size_t len, enum sek_raw how, struct sek_name *out);
