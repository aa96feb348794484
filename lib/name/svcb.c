/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/svcb.h"
#include "name/name.h"
#include <string.h>
#include "base/banned.h"

#define PRIORITY_OCTETS 2
#define KEY_IPV4HINT 4 /* RFC 9460 §14.3.2 */
#define KEY_IPV6HINT 6

static unsigned octets_16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* One hint's value: addresses of n octets each, one behind the other. */
static bool hint(const uint8_t *value, size_t len, size_t n, sek_svcb_fn *fn, void *arg)
{
    for (size_t at = 0; at + n <= len; at += n) {
        struct sek_addr addr = {.octets = {[10] = 0xff, [11] = 0xff}};
        memcpy(addr.octets + 16 - n, value + at, n);
        if (!fn(arg, &addr))
            return false;
    }
    return true;
}

bool sek_svcb_hints(const uint8_t *rdata, size_t len, sek_svcb_fn *fn, void *arg)
{
    struct sek_name target;
    if (len <= PRIORITY_OCTETS ||
        sek_name_from_wire(rdata + PRIORITY_OCTETS, len - PRIORITY_OCTETS, &target) != SEK_OK)
        return true;
    size_t at = PRIORITY_OCTETS + (size_t)target.len, size;
    for (; len - at >= 4; at += size) { /* key, length, value */
        unsigned key = octets_16(rdata + at);
        size = octets_16(rdata + at + 2);
        at += 4;
        if (size > len - at)
            break;
        if (key == KEY_IPV4HINT && !hint(rdata + at, size, 4, fn, arg))
            return false;
        if (key == KEY_IPV6HINT && !hint(rdata + at, size, 16, fn, arg))
            return false;
    }
    return true;
}
