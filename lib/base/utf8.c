/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/utf8.h"
#include "base/banned.h"

size_t sek_utf8_next(const char *text, size_t len, uint32_t *out_point)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000}; /* below = overlong */
    const uint8_t *p = (const uint8_t *)text;
    uint32_t point;
    size_t n;

    if (len == 0)
        return 0;
    if (p[0] < 0x80) {
        *out_point = p[0];
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] < 0xe0)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] < 0xf0)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] < 0xf5)
        n = 4;
    else
        return 0;
    if (n > len)
        return 0;
    point = p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3fU);
    }
    if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *out_point = point;
    return n;
}

size_t sek_utf8_put(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

bool sek_utf8_is_valid(const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t point;

        n = sek_utf8_next(text + i, len - i, &point);
        if (n == 0)
            return false;
    }
    return true;
}

bool sek_utf8_is_deceptive(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f}, /* C0, DEL, C1 */
        {0x00ad, 0x00ad},                     /* soft hyphen */
        {0x034f, 0x034f},                     /* combining grapheme joiner */
        {0x061c, 0x061c},                     /* Arabic letter mark */
        {0x115f, 0x1160},   {0x17b4, 0x17b5}, /* invisible fillers and vowels */
        {0x180b, 0x180f},                     /* Mongolian selectors and separator */
        {0x200b, 0x200f},                     /* zero width; left-to-right, right-to-left mark */
        {0x2028, 0x202e},                     /* line separators, bidirectional overrides */
        {0x2060, 0x206f},                     /* invisible operators, isolates */
        {0x3164, 0x3164},                     /* Hangul filler */
        {0xfe00, 0xfe0f},                     /* variation selectors */
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, /* byte order mark, halfwidth filler */
        {0xfff0, 0xfffb},                     /* specials */
        {0x1d173, 0x1d17a},                   /* invisible musical controls */
        {0xe0000, 0xe0fff},                   /* tags */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return (point & 0xfffe) == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
}

bool sek_utf8_is_blank(const char *text, size_t len)
{
    uint32_t c;
    for (size_t n; len; text += n, len -= n) {
        n = sek_utf8_next(text, len, &c);
        if (n == 0)
            return false;
        bool space = c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
                     c == 0x202f || c == 0x205f || c == 0x3000;
        if (!space && !sek_utf8_is_deceptive(c))
            return false;
    }
    return true;
}
