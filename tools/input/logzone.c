/* SPDX-License-Identifier: BSD-3-Clause */
#include "logzone.h"
#include "policy/timezone.h"
#include "base/banned.h"

static void add_change(void *arg, int64_t at_s, int32_t offset_s)
{
    struct sek_logzone *z = arg;
    if (z->n == SEK_LOGZONE_CHANGES)
        return;
    z->change[z->n].at_s = at_s;
    z->change[z->n++].offset_s = offset_s;
}

enum sek_err sek_logzone_from_text(const char *text, struct sek_logzone *out, struct sek_diag *diag)
{
    struct sek_logzone z = {.n = 0};
    if (sek_timezone_each(text, add_change, &z, NULL))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.40s\" is no zone such as +09:00, Z or Europe/Berlin", text);
    *out = z;
    return SEK_OK;
}

int64_t sek_logzone_to_utc(const struct sek_logzone *z, int64_t local_s)
{
    for (unsigned i = z->n; i-- > 0;)
        if (i == 0 || local_s - z->change[i].offset_s >= z->change[i].at_s)
            return local_s - z->change[i].offset_s;
    return local_s;
}
