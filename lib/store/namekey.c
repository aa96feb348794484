/* SPDX-License-Identifier: BSD-3-Clause */
#include "store/namekey.h"
#include <string.h>
#include "base/banned.h"

#define END 0    /* of a label; no other octet of a key is 0 */
#define ESCAPE 1 /* 01 01 stands for 0, 01 02 for 1: still in the order of the octets */

size_t sek_namekey_from_name(const struct sek_name *name, uint8_t out[SEK_NAMEKEY_MAX])
{
    size_t n = 0;
    for (unsigned k = name->n_labels; k-- > 0;) {
        const uint8_t *label = name->octets + name->offset[k] + 1;
        const uint8_t *end = label + label[-1];
        for (; label < end; label++) {
            if (*label <= ESCAPE) {
                out[n++] = ESCAPE;
                out[n++] = (uint8_t)(*label + 1);
            } else {
                out[n++] = *label;
            }
        }
        out[n++] = END;
    }
    return n;
}

/* One label of a key at *pos; moves *pos behind its end. Returns its length, 0 if there is none. */
static size_t label_take(const uint8_t *key, size_t len, size_t *pos, uint8_t out[SEK_LABEL_MAX])
{
    size_t n = 0, i = *pos;
    for (; i < len && key[i] != END; i++) {
        uint8_t octet = key[i];
        if (octet == ESCAPE) {
            i++;
            if (i == len || (key[i] != 1 && key[i] != 2))
                return 0;
            octet = (uint8_t)(key[i] - 1);
        }
        if (n == SEK_LABEL_MAX)
            return 0;
        out[n++] = octet;
    }
    *pos = i + 1;
    return i < len ? n : 0;
}

enum sek_err sek_namekey_to_name(const void *key, size_t len, struct sek_name *out)
{
    /* filled from the end, as the right-most label comes first */
    uint8_t wire[SEK_NAME_MAX], label[SEK_LABEL_MAX];
    size_t start = sizeof wire, pos = 0;
    wire[--start] = 0;
    while (pos < len) {
        size_t n = label_take(key, len, &pos, label);
        if (n == 0 || n + 1 > start)
            return SEK_E_CORRUPT;
        start -= n;
        memcpy(wire + start, label, n);
        wire[--start] = (uint8_t)n;
    }
    return sek_name_from_wire(wire + start, sizeof wire - start, out) ? SEK_E_CORRUPT : SEK_OK;
}
