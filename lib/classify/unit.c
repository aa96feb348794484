/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/unit.h"
#include "classify/punycode.h"
#include <string.h>
#include "base/banned.h"

/* By octet; upper case does not occur in a checked name. */
static uint8_t sym_of_octet(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(SEK_SYM_A + (c - 'a'));
    if (c >= '0' && c <= '9')
        return (uint8_t)(SEK_SYM_0 + (c - '0'));
    return c == '-' ? SEK_SYM_HYPHEN : SEK_SYM_OTHER;
}

/* U+00C0..U+017F to their base letters; '.' has none. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo.ouuuuyts"  /* 00C0 */
                            "aaaaaaaceeeeiiiidnooooo.ouuuuyty"  /* 00E0 */
                            "aaaaaaccccccccddddeeeeeeeeeegggg"  /* 0100 */
                            "gggghhhhiiiiiiiiiiiijjkkklllllll"  /* 0120 */
                            "lllnnnnnnnnnoooooooorrrrrrssssss"  /* 0140 */
                            "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs"; /* 0160 */

static uint8_t sym_of_point(uint32_t point)
{
    if (point < 0x80)
        return sym_of_octet((uint8_t)(point >= 'A' && point <= 'Z' ? point + 32 : point));
    if (point >= 0xc0 && point < 0x180 && latin[point - 0xc0] != '.')
        return sym_of_octet((uint8_t)latin[point - 0xc0]);
    return SEK_SYM_OTHER;
}

static bool take_a_label(const uint8_t *label, struct sek_unit *out)
{
    uint32_t points[SEK_LABEL_MAX];
    unsigned n;

    if (label[0] < 5 || memcmp(label + 1, "xn--", 4) != 0)
        return false;
    n = sek_punycode_decode(label + 5, label[0] - 4u, points, SEK_LABEL_MAX);
    for (unsigned i = 0; i < n; i++)
        out->sym[i] = sym_of_point(points[i]);
    out->n = (uint8_t)n;
    return n > 0;
}

static void take_label(const struct sek_name *name, unsigned k, struct sek_unit *out)
{
    const uint8_t *label = name->octets + name->offset[k];

    out->label = (uint8_t)k;
    if (take_a_label(label, out))
        return;
    out->n = label[0];
    for (unsigned i = 0; i < label[0]; i++)
        out->sym[i] = sym_of_octet(label[i + 1]);
}

void sek_unit_of_name(const struct sek_suffixes *s, const struct sek_name *name,
                      struct sek_unit *out)
{
    struct sek_suffix_cut cut = sek_suffixes_cut(s, name);

    out->n = out->label = 0;
    out->class_id = cut.class_id;
    out->dynamic = cut.dynamic;
    if (cut.n_labels > 0)
        take_label(name, name->n_labels - 1u - cut.n_labels, out);
}

void sek_unit_of_label(const struct sek_suffixes *s, const struct sek_name *name, unsigned k,
                       struct sek_unit *out)
{
    struct sek_suffix_cut cut = sek_suffixes_cut(s, name);

    out->class_id = cut.class_id;
    out->dynamic = cut.dynamic;
    take_label(name, k, out);
}
