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
    int64_t may_block_s = i < w->n ? w->all[i].may_block_s : 0; /* the first one counts */
    w->n += i == w->n;
    w->all[i] = *f;
    if (may_block_s)
        w->all[i].may_block_s = may_block_s;
    return true;
}
