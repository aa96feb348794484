/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/punycode.h"
#include <string.h>
#include "base/banned.h"

/* RFC 3492 §5 */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, BIAS = 72 };
#define FIRST 0x80u

static uint32_t adapt(uint32_t delta, uint32_t n, int first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / n;
    for (; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return c - (uint32_t)'a';
    if (c >= 'A' && c <= 'Z')
        return c - (uint32_t)'A';
    return c >= '0' && c <= '9' ? c - (uint32_t)'0' + 26 : BASE;
}

/* One generalised variable-length integer added to *i. Returns the octets read, 0 = malformed. */
static unsigned take_delta(const uint8_t *text, unsigned len, uint32_t bias, uint32_t *i)
{
    uint32_t w = 1;

    for (unsigned at = 0, k = BASE; at < len; k += BASE) {
        uint32_t d = digit(text[at++]), t = k <= bias ? TMIN : k - bias;

        t = t > TMAX ? TMAX : t;
        if (d >= BASE || d > (UINT32_MAX - *i) / w)
            return 0;
        *i += d * w;
        if (d < t)
            return at;
        if (w > UINT32_MAX / (BASE - t))
            return 0;
        w *= BASE - t;
    }
    return 0;
}

/* The octets in front of the last hyphen stand for themselves. Returns where deltas begin. */
static unsigned take_basic(const uint8_t *text, unsigned len, uint32_t *out, unsigned *n)
{
    unsigned last = len;

    while (last > 0 && text[last - 1] != '-')
        last--;
    for (unsigned k = 0; k + 1 < last; k++)
        out[(*n)++] = text[k];
    return last;
}

unsigned sek_punycode_decode(const uint8_t *text, unsigned len, uint32_t *out, unsigned max)
{
    uint32_t point = FIRST, i = 0, bias = BIAS;
    unsigned n = 0, at, used;

    if (len > max)
        return 0;
    at = take_basic(text, len, out, &n);
    for (; at < len; at += used) {
        uint32_t old = i;

        used = take_delta(text + at, len - at, bias, &i);
        if (used == 0 || n == max)
            return 0;
        bias = adapt(i - old, n + 1, old == 0);
        if (i / (n + 1) > 0x10ffff - point)
            return 0;
        point += i / (n + 1);
        i %= n + 1;
        memmove(out + i + 1, out + i, (n - i) * sizeof(*out));
        out[i++] = point;
        n++;
    }
    return n;
}
