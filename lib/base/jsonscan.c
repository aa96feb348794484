/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/jsonscan.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The character behind a backslash; p is at it. Returns where the next one begins. */
static const char *unescape(const char *p, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = *p ? strchr(from, *p) : NULL;

    if (known)
        *out = to[known - from];
    else
        *out = '?';
    if (*p != 'u')
        return *p ? p + 1 : p;
    char digits[5] = "";
    size_t n = strspn(p + 1, "0123456789abcdefABCDEF");
    n = n < 4 ? n : 4;
    memcpy(digits, p + 1, n);
    long point = strtol(digits, NULL, 16);
    if (n == 4 && point > 0 && point < 0x7f)
        *out = (char)point;
    return p + 1 + n;
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
            char c;
            p = unescape(p + 1, &c);
            if (n + 1 < size)
                out[n++] = c;
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
