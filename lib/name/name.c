/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/name.h"
#include <string.h>
#include "base/banned.h"

/* A-Z to a-z (RFC 4343 §3); every other octet stays. Length octets (0..63) lie below 'A', so whole
 * names are folded and compared without a look at where labels start. */
static inline uint8_t fold(uint8_t c)
{
    return (uint8_t)(c + (((uint8_t)(c - 'A') < 26) << 5));
}

enum sek_err sek_name_from_wire(const uint8_t *wire, size_t size, struct sek_name *out)
{
    uint8_t offset[SEK_LABELS_MAX + 1];
    unsigned n_labels = 0;
    size_t at = 0;

    if (size > SEK_NAME_MAX)
        size = SEK_NAME_MAX;
    for (;;) {
        if (at >= size)
            return SEK_E_NAME;
        offset[n_labels] = (uint8_t)at;
        if (wire[at] == 0)
            break;
        /* above 63: a compression pointer or a reserved type (RFC 1035 §4.1.4) */
        if (wire[at] > SEK_LABEL_MAX)
            return SEK_E_NAME;
        at += 1 + (size_t)wire[at];
        n_labels++; /* at most 127: each label takes two octets or more of at most 255 */
    }
    out->len = (uint8_t)(at + 1);
    out->n_labels = (uint8_t)n_labels;
    memcpy(out->offset, offset, n_labels + 1);
    for (size_t i = 0; i <= at; i++)
        out->octets[i] = fold(wire[i]);
    return SEK_OK;
}

size_t sek_name_wire_len(const uint8_t *wire)
{
    size_t at = 0;

    while (wire[at] != 0)
        at += 1 + (size_t)wire[at];
    return at + 1;
}

bool sek_name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++)
        if (fold(a[i]) != fold(b[i]))
            return false;
    return true;
}

bool sek_name_is_at_or_below(const struct sek_name *name, const struct sek_name *parent)
{
    size_t start;

    if (name->n_labels < parent->n_labels)
        return false;
    start = name->offset[name->n_labels - parent->n_labels];
    return name->len - start == parent->len &&
           memcmp(name->octets + start, parent->octets, parent->len) == 0;
}

int sek_name_compare(const struct sek_name *a, const struct sek_name *b)
{
    unsigned n = a->n_labels < b->n_labels ? a->n_labels : b->n_labels;

    for (unsigned i = 1; i <= n; i++) {
        const uint8_t *la = a->octets + a->offset[a->n_labels - i];
        const uint8_t *lb = b->octets + b->offset[b->n_labels - i];
        int diff = memcmp(la + 1, lb + 1, la[0] < lb[0] ? la[0] : lb[0]);

        if (diff == 0)
            diff = la[0] - lb[0];
        if (diff != 0)
            return diff;
    }
    return a->n_labels - b->n_labels;
}

void sek_name_parent(const struct sek_name *name, unsigned n, struct sek_name *out)
{
    uint8_t start = name->offset[n];
    unsigned n_labels = name->n_labels - n;

    /* `out` may be `name`: all moves go towards the front */
    out->len = (uint8_t)(name->len - start);
    memmove(out->octets, name->octets + start, out->len);
    for (unsigned i = 0; i <= n_labels; i++)
        out->offset[i] = (uint8_t)(name->offset[i + n] - start);
    out->n_labels = (uint8_t)n_labels;
}
