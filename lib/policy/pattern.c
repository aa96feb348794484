/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/pattern.h"
#include <string.h>
#include "base/banned.h"

#define CAPITAL 1 /* octet before the small letter that stands for a capital one */

static const uint8_t last_label[] = "\11rpz-regex"; /* and the root */

static enum sek_err refuse(struct sek_diag *diag, const char *why)
{
    return sek_diag_set(diag, SEK_E_INVALID, "%s", why);
}

enum sek_err sek_pattern_from_text(const char *text, size_t len, struct sek_name *out,
                                   struct sek_diag *diag)
{
    uint8_t octets[SEK_PATTERN_MAX], wire[SEK_NAME_MAX];
    size_t n = 0, at = 0;
    if (len == 0)
        return refuse(diag, "the regular expression is empty");
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool capital = c >= 'A' && c <= 'Z';
        if (c < ' ' || c > '~')
            return sek_diag_set(diag, SEK_E_INVALID,
                                "the regular expression has a character other than printable "
                                "ASCII at position %zu: names are matched in their ASCII form",
                                i + 1);
        if (n + 1 + capital > sizeof octets)
            return sek_diag_set(diag, SEK_E_INVALID,
                                "the regular expression is longer than %d octets (a capital letter "
                                "counts twice): make two of it",
                                SEK_PATTERN_MAX);
        if (capital)
            octets[n++] = CAPITAL;
        octets[n++] = (uint8_t)(capital ? c | 0x20 : c);
    }
    for (size_t i = 0; i < n;) {
        size_t part = n - i < SEK_LABEL_MAX ? n - i : SEK_LABEL_MAX;
        wire[at++] = (uint8_t)part;
        memcpy(wire + at, octets + i, part);
        at += part;
        i += part;
    }
    memcpy(wire + at, last_label, sizeof last_label);
    sek_name_from_wire(wire, at + sizeof last_label, out); /* 255 octets at most */
    return SEK_OK;
}

size_t sek_pattern_to_text(const struct sek_name *owner, char *out)
{
    size_t n = 0;
    bool capital = false;
    if (owner->n_labels < 2 ||
        owner->len - owner->offset[owner->n_labels - 1] != sizeof last_label ||
        memcmp(owner->octets + owner->offset[owner->n_labels - 1], last_label, sizeof last_label) !=
            0)
        return 0;
    for (unsigned i = 0; i + 1U < owner->n_labels; i++) {
        const uint8_t *label = owner->octets + owner->offset[i];
        for (unsigned k = 1; k <= label[0]; k++) {
            uint8_t c = label[k];
            if (c == CAPITAL && !capital) {
                capital = true;
                continue;
            }
            if (c < ' ' || c > '~' || (capital && (c < 'a' || c > 'z')) || n == SEK_PATTERN_MAX)
                return 0;
            out[n++] = (char)(capital ? c & ~0x20 : c);
            capital = false;
        }
    }
    out[n] = '\0';
    return capital ? 0 : n;
}
