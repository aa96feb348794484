/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/suffixes.h"
#include "base/banned.h"

const struct sek_suffix_slot *sek_suffixes_find(const struct sek_suffixes *s, uint64_t hash)
{
    uint32_t print = (uint32_t)(hash >> 32);

    /* Ends: the model file is refused unless some slot is free. */
    for (uint32_t i = (uint32_t)hash & s->mask; s->slots[i].flags != 0; i = (i + 1) & s->mask)
        if (s->slots[i].print == print)
            return &s->slots[i];
    return NULL;
}

struct sek_suffix_cut sek_suffixes_cut(const struct sek_suffixes *s, const struct sek_name *name)
{
    struct sek_suffix_cut cut = {0};
    uint64_t hash = SEK_SUFFIX_HASH_START;
    unsigned above = SEK_SUFFIX_DEEPER; /* flags of the name above */

    for (unsigned n = 1; n <= name->n_labels && n <= SEK_SUFFIX_LABELS_MAX; n++) {
        const struct sek_suffix_slot *slot;
        unsigned flags;

        hash = sek_suffix_hash(hash, name->octets + name->offset[name->n_labels - n]);
        slot = sek_suffixes_find(s, hash);
        flags = slot ? slot->flags : 0;
        if (flags & SEK_SUFFIX_NOT)
            break;
        if (flags & SEK_SUFFIX_IS) {
            cut.class_id = slot->class_id;
            cut.dynamic = (flags & SEK_SUFFIX_DYNAMIC) != 0;
        }
        if ((flags & SEK_SUFFIX_IS) || (above & SEK_SUFFIX_WILD) || n == 1)
            cut.n_labels = (uint8_t)n;
        if (!(flags & (SEK_SUFFIX_DEEPER | SEK_SUFFIX_WILD)))
            break;
        above = flags;
    }
    if (cut.n_labels == name->n_labels)
        cut.n_labels = 0;
    return cut;
}
