/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed names: the labels of a name, right-most first, in a static prefix code that is made for the
 * names of one policy image (Huffman, canonical form: Schwartz and Kallick 1964), with short codes for
 * frequent whole labels such as "com". Because a code word ends each label and the code is a function
 * of the name alone, two names are equal exactly if their packed octets are equal, and the packed form
 * of a name's parent is a bit prefix of its own. Immutable after build; any thread; packing allocates
 * nothing. */
#pragma once
#include "name/name.h"

struct sek_pack; /* the code; lives inside an image */

/* Longest packed name in octets: 255 octets at the code's cap of 20 bits each, rounded up. */
#define SEK_PACKED_MAX 648

struct sek_packed {
    uint16_t n_labels;
    uint16_t bits[SEK_LABELS_MAX + 1]; /* bits[k]: length of the k right-most labels; bits[0] = 0 */
    uint8_t octets[SEK_PACKED_MAX];    /* zero-padded to the octet */
};
