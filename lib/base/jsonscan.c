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

/* A string; s->at is behind its first quote. */
static void take_string(struct sek_jsonscan *s, char *out, size_t size)
{
    const char *p = s->at;
    size_t n = 0;

    while (*p && *p != '"') {
        char c = *p++;
        if (c == '\\')
            p = unescape(p, &c);
        if (n + 1 < size)
            out[n++] = c;
    }
    out[n] = '\0';
    s->at = *p ? p + 1 : p;
}

static void take_plain(struct sek_jsonscan *s)
{
    size_t n = strcspn(s->at, ",}] \t\r\n"), kept = n < sizeof s->value ? n : sizeof s->value - 1;

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

bool sek_jsonscan_next(struct sek_jsonscan *s)
{
    while (*s->at) {
        if (*s->at++ != '"')
            continue;
        take_string(s, s->key, sizeof s->key);
        skip_blanks(s);
        if (*s->at != ':') /* a string of an array */
            continue;
        s->at++;
        if (take_value(s))
            return true;
    }
    return false;
}
