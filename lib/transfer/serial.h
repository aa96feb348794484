/* SPDX-License-Identifier: BSD-3-Clause */
/* Serial numbers of zones: a circle of 32 bits (RFC 1982 §3.2). Any thread. */
#pragma once
#include <stdint.h>

enum sek_serial_order {
    SEK_SERIAL_SAME = 0,
    SEK_SERIAL_NEWER,   /* a comes after b */
    SEK_SERIAL_OLDER,   /* a comes before b */
    SEK_SERIAL_UNKNOWN, /* exactly half the circle apart: the RFC leaves it open */
};
enum sek_serial_order sek_serial_compare(uint32_t a, uint32_t b);
