/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/serial.h"
#include "base/banned.h"

enum sek_serial_order sek_serial_compare(uint32_t a, uint32_t b)
{
    uint32_t ahead = a - b;
    if (ahead == 0)
        return SEK_SERIAL_SAME;
    if (ahead == 0x80000000U)
        return SEK_SERIAL_UNKNOWN;
    return ahead < 0x80000000U ? SEK_SERIAL_NEWER : SEK_SERIAL_OLDER;
}
