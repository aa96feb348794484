/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/jsonscan.h"
#include "base/utf8.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Four hexadecimal digits behind a "u"; -1: they are none. */
static long code_unit(const char *p)
{
    char digits[5] = "";

    if (strspn(p, "0123456789abcdefABCDEF") < 4)
        return -1;
    memcpy(digits, p, 4);
    return strtol(digits, NULL, 16);
}

/* "uNNNN", above U+FFFF a pair of them (RFC 8259 §7), as UTF-8. Returns where the next one begins.
 */
static const char *unescape_unit(const char *p, char out[4], size_t *out_len)
{
    long point = code_unit(p + 1);
    size_t n = strspn(p + 1, "0123456789abcdefABCDEF");
    const char *next = p + 1 + (n < 4 ? n : 4);

    if (point >= 0xd800 && point < 0xdc00 && next[0] == '\\' && next[1] == 'u') {
        long low = code_unit(next + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            next += 6;
        }
    }
    if (point <= 0 || point == 0x7f || (point >= 0xd800 && point < 0xe000)) {
        *out = '?';
        *out_len = 1;
    } else {
        *out_len = sek_utf8_put((uint32_t)point, out);
    }
    return next;
}

/* The character behind a backslash; p is at it. Returns where the next one begins. */
static const char *unescape(const char *p, char out[4], size_t *out_len)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = *p ? strchr(from, *p) : NULL;

    if (*p == 'u')
        return unescape_unit(p, out, out_len);
    *out = '?';
    if (known)
        *out = to[known - from];
    *out_len = 1;
    return *p ? p + 1 : p;
}

/* Most are short: a loop is faster than strcspn(). */
static size_t plain_run(const char *p)
{
    size_t n = 0;

    while (p[n] && p[n] != '"' && p[n] != '\\')
        n++;
    return n;
}

/* A string; s->at is behind its first quote. */
static void take_string(struct sek_jsonscan *s, char *out, size_t size)
{
    const char *p = s->at;
    size_t n = 0;

    while (*p && *p != '"') {
        size_t run = plain_run(p), kept = run < size - 1 - n ? run : size - 1 - n;
        memcpy(out + n, p, kept);
        n += kept;
        p += run;
        if (*p == '\\') {
            char c[4];
            size_t len = 1;
            p = unescape(p + 1, c, &len);
            if (n + len < size) {
                memcpy(out + n, c, len);
                n += len;
            }
        }
    }
    out[n] = '\0';
    s->at = *p ? p + 1 : p;
}

static void take_plain(struct sek_jsonscan *s)
{
    size_t n = 0;

    for (char c; (c = s->at[n]) && c != ',' && c != '}' && c != ']' && !is_blank(c);)
        n++;
    size_t kept = n < sizeof s->value ? n : sizeof s->value - 1;
    memcpy(s->value, s->at, kept);
    s->value[kept] = '\0';
    s->at += n;
}

static void skip_blanks(struct sek_jsonscan *s)
{
    while (is_blank(*s->at))
        s->at++;
}

/* Behind a colon. False: an object or array begins, whose members come next. */
static bool take_value(struct sek_jsonscan *s)
{
    skip_blanks(s);
    if (*s->at == '{' || *s->at == '[' || !*s->at)
        return false;
    if (*s->at == '"') {
        s->at++;
        take_string(s, s->value, sizeof s->value);
    } else {
        take_plain(s);
    }
    return true;
}

/* The next plain value of an array; false at its end, or where an array or object begins in it. */
static bool take_element(struct sek_jsonscan *s)
{
    while (is_blank(*s->at) || *s->at == ',')
        s->at++;
    s->in_array = *s->at != ']' && *s->at != '}' && take_value(s);
    return s->in_array;
}

bool sek_jsonscan_next(struct sek_jsonscan *s)
{
    if (s->in_array && take_element(s))
        return true;
    while (*s->at) {
        if (*s->at++ != '"')
            continue;
        take_string(s, s->key, sizeof s->key);
        skip_blanks(s);
        if (*s->at != ':') /* a string of an array within an array */
            continue;
        s->at++;
        if (take_value(s))
            return true;
        if (*s->at == '[') {
            s->at++;
            if (take_element(s))
                return true;
        }
    }
    return false;
}
