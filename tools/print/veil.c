/* SPDX-License-Identifier: BSD-3-Clause */
#include "veil.h"
#include <stddef.h>
#include <string.h>
#include "base/banned.h"

static sek_veil_fn *veil;
static void *veil_arg;

void sek_veil_set(sek_veil_fn *fn, void *arg)
{
    veil = fn;
    veil_arg = arg;
}

const char *sek_veil(enum sek_veil_what what, const char *text, bool *out_hidden)
{
    if (out_hidden)
        *out_hidden = false;
    return veil ? veil(veil_arg, what, text, out_hidden) : text;
}

const char *sek_veil_text(void *arg, const char *text, bool *out_hidden)
{
    (void)arg;
    return sek_veil(SEK_VEIL_TEXT, text, out_hidden);
}

bool sek_veil_tells(const char *key)
{
    static const char *const keys[] = {"machine", "endpoint_name", "endpoint_mac",
                                       "endpoint_owner"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}
