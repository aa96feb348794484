/* SPDX-License-Identifier: BSD-3-Clause */
/* The suffixes that a model was trained with: where the label that is scored stands in a name, and
 * which class its suffix has. A hash table within the model file, made from the ICANN section of
 * the Public Suffix List and a short list of dynamic-DNS providers; libpsl takes up to a
 * microsecond a name, which is more than scoring may. Immutable: any thread may read it. */
#pragma once
#include "name/name.h"

/* What a slot says of the name that leads to it. */
#define SEK_SUFFIX_IS 1u      /* it is a suffix */
#define SEK_SUFFIX_WILD 2u    /* every name one label below it is a suffix ("*.ck") */
#define SEK_SUFFIX_NOT 4u     /* it is none, in spite of a wildcard ("!www.ck") */
#define SEK_SUFFIX_DYNAMIC 8u /* a dynamic-DNS provider's */
#define SEK_SUFFIX_DEEPER 16u /* there are listed names below it */
#define SEK_SUFFIX_FLAGS 31u

/* Free slots have flags 0. The hash of a name grows from its last label to the first, so that one
 * walk looks up the name above, the next one below, and so on. */
struct sek_suffix_slot {
    uint32_t print; /* upper half of the hash */
    uint8_t flags;
    uint8_t class_id; /* of the suffix: an index of learned weights; 0 = any other */
    uint16_t zero;
};

struct sek_suffixes {
    const struct sek_suffix_slot *slots;
    uint32_t mask; /* number of slots, a power of two, less one; at least one is free */
};

#define SEK_SUFFIX_HASH_START 0x736b73756666ull
#define SEK_SUFFIX_LABELS_MAX                                                                      \
    6 /* labels walked: the longest rule has 5, one more for wildcards                             \
       */

/* The hash of a name from that of the name above it and its own first label (len, octets). */
static inline uint64_t sek_suffix_hash(uint64_t above, const uint8_t *label)
{
    uint64_t h = above ^ label[0];

    for (unsigned i = 1; i <= label[0];) {
        uint64_t eight = 0; /* octets a multiplication */

        for (unsigned n = 0; n < 8 && i <= label[0]; n++)
            eight = eight << 8 | label[i++];
        h = (h ^ eight) * 0x9e3779b97f4a7c15ull;
        h ^= h >> 32;
    }
    return h;
}

/* The slot of the name with this hash, or NULL. */
const struct sek_suffix_slot *sek_suffixes_find(const struct sek_suffixes *s, uint64_t hash);

/* Where a name is divided. */
struct sek_suffix_cut {
    uint8_t n_labels; /* of the suffix; 0: the root, or a name that is a suffix itself */
    uint8_t class_id;
    bool dynamic;
};

/* The longest suffix of the name. A last label that is not listed is a suffix of class 0. */
struct sek_suffix_cut sek_suffixes_cut(const struct sek_suffixes *s, const struct sek_name *name);
