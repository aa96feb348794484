/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/raw.h"
#include <string.h>
#include "base/banned.h"

static int digit(char c, int base)
{
    int value = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : 99;
    return value < base ? value : -1;
}

/* `n` digits at `text`, or -1. */
static int number(const char *text, size_t len, size_t n, int base)
{
    int value = 0;

    if (len < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int d = digit(text[i], base);
        if (d < 0)
            return -1;
        value = value * base + d;
    }
    return value <= 255 ? value : -1;
}

/* The octet of an escape; text[0] is the backslash. Returns its length. */
static size_t escape(const char *text, size_t len, enum sek_raw how, uint8_t *out)
{
    int value = number(text + 1, len - 1, 3, how == SEK_RAW_OCTAL ? 8 : 10);
    size_t n = 4;

    if (value < 0 && len > 1 && text[1] == 'x') {
        value = number(text + 2, len - 2, 2, 16);
        n = 4;
    }
    if (value < 0 && len > 1) {
        value = (uint8_t)text[1];
        n = 2;
    } else if (value < 0) {
        value = '\\';
        n = 1;
    }
    *out = (uint8_t)value;
    return n;
}

/* U+FFFD, by which tshark replaces each octet that it cannot print. */
static bool is_replaced(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbf\xbd", 3) == 0;
}

static uint8_t folded(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* The label under way ends. */
static bool end_label(struct sek_name *out, size_t start, size_t end)
{
    size_t len = end - start - 1;

    if (len == 0 || len > SEK_LABEL_MAX)
        return false;
    out->octets[start] = (uint8_t)len;
    out->offset[out->n_labels++] = (uint8_t)start;
    return true;
}

static bool end_name(struct sek_name *out, size_t at)
{
    out->octets[at] = 0;
    out->offset[out->n_labels] = (uint8_t)at;
    out->len = (uint8_t)(at + 1);
    return true;
}

bool sek_name_from_raw(const char *text, size_t len, enum sek_raw how, struct sek_name *out)
{
    size_t start = 0, at = 1; /* of the label under way; the next octet */

    out->n_labels = 0;
    if ((len == 1 && *text == '.') || (len == 6 && memcmp(text, "<Root>", 6) == 0))
        return end_name(out, 0);
    for (size_t i = 0; i < len;) {
        uint8_t c = (uint8_t)text[i];
        size_t n = 1;
        if (c == '.') {
            if (!end_label(out, start, at))
                return false;
            start = at++;
        } else {
            if (c == '\\')
                n = escape(text + i, len - i, how, &c);
            if (how == SEK_RAW_OCTAL && is_replaced(text + i, len - i)) {
                c = '?';
                n = 3;
            }
            if (at >= SEK_NAME_MAX)
                return false;
            out->octets[at++] = folded(c);
        }
        i += n;
        if (at > SEK_NAME_MAX)
            return false;
    }
    if (at == start + 1) /* behind a dot at the end, or nothing at all */
        return start > 0 && end_name(out, start);
    return at < SEK_NAME_MAX && end_label(out, start, at) && end_name(out, at);
}
