/* SPDX-License-Identifier: BSD-3-Clause */
/* Punycode (RFC 3492 §6.2), decoding only and without the checks of IDNA: for a classifier a
 * character is a character. libidn2 allocates. Any thread. */
#pragma once
#include <stdint.h>

/* text: what follows "xn--", len octets. Returns the number of code points, at most `max`; 0 when
 * it does not decode or does not fit. Time grows with the square of max. */
unsigned sek_punycode_decode(const uint8_t *text, unsigned len, uint32_t *out, unsigned max);
