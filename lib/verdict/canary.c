/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict/canary.h"
#include <string.h>
#include "base/banned.h"

static const struct {
    uint8_t len;
    const char *wire; /* lower case */
} names[] = {
    {25, "\x13use-application-dns\3net"},
    {17, "\4mask\6icloud\3com"},
    {20, "\7mask-h2\6icloud\3com"},
};

bool sek_canary_is(const struct sek_name *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name->len == names[i].len && memcmp(name->octets, names[i].wire, name->len) == 0)
            return true;
    return false;
}

bool sek_canary_name(unsigned i, struct sek_name *out)
{
    return i < sizeof names / sizeof names[0] &&
           sek_name_from_wire((const uint8_t *)names[i].wire, names[i].len, out) == SEK_OK;
}
