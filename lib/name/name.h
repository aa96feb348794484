/* SPDX-License-Identifier: BSD-3-Clause */
/* Domain names in wire format (RFC 1035 §3.1): uncompressed length-prefixed labels that end in the
 * root's zero octet, 1..255 octets. Any octet may stand in a label. Comparison ignores the case of
 * A-Z only (RFC 4343); our own copies are always folded to lower case. Any thread, no allocation.
 */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_NAME_MAX 255   /* octets, RFC 1035 §2.3.4 */
#define SEK_LABEL_MAX 63   /* octets, RFC 1035 §2.3.4 */
#define SEK_LABELS_MAX 127 /* labels of a 255-octet name, root not counted */

/* A checked, lower-case name and where its labels start. offset[n_labels] is the root's octet. The
 * suffix of the k left-most labels removed is octets + offset[k], len - offset[k] octets long. */
struct sek_name {
    uint8_t len;
    uint8_t n_labels;
    uint8_t offset[SEK_LABELS_MAX + 1];
    uint8_t octets[SEK_NAME_MAX];
};

/* Check, copy, fold. wire: at least `size` readable octets; the name may end before. SEK_E_NAME for
 * a name that is too long, has a compression pointer, or runs past `size`. */
enum sek_err sek_name_from_wire(const uint8_t *wire, size_t size, struct sek_name *out);

/* Length in octets of a valid wire name (walks labels). */
size_t sek_name_wire_len(const uint8_t *wire);
/* The wire name that `n` left-most labels removed gives; the root when it has fewer. */
static inline const uint8_t *sek_name_skip(const uint8_t *wire, unsigned n)
{
    while (n-- && *wire)
        wire += *wire + 1;
    return wire;
}
/* Equal apart from case. */
bool sek_name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
/* True if `name` is `parent` or below it. */
bool sek_name_is_at_or_below(const struct sek_name *name, const struct sek_name *parent);
/* Canonical DNSSEC order (RFC 4034 §6.1): <0, 0, >0. */
int sek_name_compare(const struct sek_name *a, const struct sek_name *b);
/* Make the name that `n` left-most labels removed gives; n <= n_labels. */
void sek_name_parent(const struct sek_name *name, unsigned n, struct sek_name *out);
