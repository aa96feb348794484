/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed names: the labels of a name, right-most first, in a static prefix code that is made for
 * the names of one policy image (Huffman, canonical form: Schwartz and Kallick 1964), with short
 * codes for frequent whole labels such as "com". Because a code word ends each label and the code
 * is a function of the name alone, two names are equal exactly if their packed bits are equal, and
 * the packed form of a name's parent is a bit prefix of its own. Immutable once loaded; any thread;
 * packing allocates nothing. The code itself is designed by census.c. */
#pragma once
#include "name/name.h"

#define SEK_CODE_END 256         /* symbol: end of a label that was spelled octet by octet */
#define SEK_CODE_BASE 257        /* symbols that every code has: the octets and SEK_CODE_END */
#define SEK_CODE_LABELS_MAX 1024 /* symbols for whole labels behind them */
#define SEK_CODE_LABEL_MAX 15    /* octets of such a label */
#define SEK_CODE_BITS_MAX 20     /* longest code word */

/* Longest packed name in octets: 255 octets at 20 bits each and the end mark, rounded up so that
 * whole words can be written. */
#define SEK_PACKED_MAX 648

struct sek_packed {
    uint16_t bits[SEK_LABELS_MAX + 1]; /* bits[k]: length of the k right-most labels; bits[0] = 0 */
    uint8_t octets[SEK_PACKED_MAX];    /* zero octets behind the last bit */
};

struct sek_pack;

/* From the form that sek_census_code writes, copied: octets of code word lengths, then labels.
 * SEK_E_CORRUPT when it is not a complete prefix code. */
enum sek_err sek_pack_load(const uint8_t *data, size_t size, struct sek_pack **out,
                           struct sek_diag *diag);
void sek_pack_free(struct sek_pack *pack);

/* Pack the n_labels right-most labels of a name. */
void sek_pack_name(const struct sek_pack *pack, const struct sek_name *name, unsigned n_labels,
                   struct sek_packed *out);

/* As stored, the k right-most labels are followed by a 1 bit and zeros up to the next octet, so
 * that octets tell where the bits end. Returns the stored length; *out_last is the octet at its
 * end, those before it are packed->octets. */
static inline unsigned sek_packed_stored(const struct sek_packed *packed, unsigned k,
                                         uint8_t *out_last)
{
    unsigned full = packed->bits[k] / 8U, rest = packed->bits[k] % 8U;

    *out_last = (uint8_t)((packed->octets[full] & ~(0xffU >> rest)) | 0x80U >> rest);
    return full + 1;
}

/* Back from the stored form. False when it is not the packed form of a name. */
bool sek_pack_unpack(const struct sek_pack *pack, const uint8_t *stored, size_t n,
                     struct sek_name *out);
