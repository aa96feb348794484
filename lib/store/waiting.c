/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/waiting.h"
#include <string.h>
#include "base/banned.h"

bool sek_waiting_add(struct sek_waiting *w, const struct sek_finding *f)
{
    unsigned i = 0;
    while (i < w->n && (w->all[i].detector != f->detector || w->all[i].start_ms != f->start_ms ||
                        memcmp(&w->all[i].endpoint, &f->endpoint, sizeof f->endpoint) != 0))
        i++;
    if (i == SEK_WAITING_FINDINGS)
        return false;
    w->n += i == w->n;
    w->all[i] = *f;
    return true;
}
