/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/found.h"
#include <string.h>
#include "base/banned.h"

/* NULL: there is no room. */
static struct sek_finding *place_of(struct sek_found *all, const struct sek_finding *f)
{
    for (unsigned i = 0; i < all->n; i++) {
        struct sek_finding *at = &all->all[i];
        if (at->detector == f->detector && at->start_ms == f->start_ms &&
            memcmp(&at->endpoint, &f->endpoint, sizeof f->endpoint) == 0)
            return at;
    }
    return all->n < SEK_RECORDER_FINDINGS ? &all->all[all->n++] : NULL;
}

bool sek_found_put(struct sek_found *all, const struct sek_finding *f)
{
    struct sek_finding *at = place_of(all, f);
    if (at)
        *at = *f;
    return at != NULL;
}
