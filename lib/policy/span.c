/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/span.h"
#include "base/addr.h"
#include <string.h>
#include "base/banned.h"

bool sek_span_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\v';
}

struct sek_span sek_span_trim(const char *text, size_t len)
{
    while (len > 0 && sek_span_is_blank(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && sek_span_is_blank(text[len - 1]))
        len--;
    return (struct sek_span){text, len};
}

struct sek_span sek_span_strip_comment(struct sek_span s)
{
    const char *hash = s.at, *end = s.at + s.len;
    while ((hash = memchr(hash, '#', (size_t)(end - hash)))) {
        if (hash == s.at || sek_span_is_blank(hash[-1]))
            return sek_span_trim(s.at, (size_t)(hash - s.at));
        hash++;
    }
    return s;
}

struct sek_span sek_span_strip_hash(struct sek_span s)
{
    const char *hash = memchr(s.at, '#', s.len);
    return hash ? sek_span_trim(s.at, (size_t)(hash - s.at)) : s;
}

struct sek_span sek_span_skip(struct sek_span s, size_t n)
{
    return (struct sek_span){s.at + n, s.len - n};
}

struct sek_span sek_span_take_word(struct sek_span *rest)
{
    *rest = sek_span_trim(rest->at, rest->len);
    struct sek_span word = {rest->at, 0};
    while (word.len < rest->len && !sek_span_is_blank(word.at[word.len]))
        word.len++;
    *rest = sek_span_skip(*rest, word.len);
    return word;
}

bool sek_span_take_until(struct sek_span *rest, char mark, struct sek_span *out)
{
    const char *at = memchr(rest->at, mark, rest->len);
    if (!at)
        return false;
    *out = (struct sek_span){rest->at, (size_t)(at - rest->at)};
    *rest = sek_span_skip(*rest, out->len + 1);
    return true;
}

struct sek_span sek_span_take_quoted(struct sek_span *rest)
{
    *rest = sek_span_trim(rest->at, rest->len);
    if (rest->len > 0 && (rest->at[0] == '"' || rest->at[0] == '\'')) {
        struct sek_span inner = sek_span_skip(*rest, 1), quoted;
        if (sek_span_take_until(&inner, rest->at[0], &quoted)) {
            *rest = inner;
            return quoted;
        }
    }
    return sek_span_take_word(rest);
}

bool sek_span_begins(struct sek_span s, const char *with)
{
    size_t n = strlen(with);
    return s.len >= n && memcmp(s.at, with, n) == 0;
}

bool sek_span_ends(struct sek_span s, const char *with)
{
    size_t n = strlen(with);
    return s.len >= n && memcmp(s.at + s.len - n, with, n) == 0;
}

bool sek_span_holds(struct sek_span s, const char *part)
{
    return memmem(s.at, s.len, part, strlen(part)) != NULL;
}

bool sek_span_is(struct sek_span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

bool sek_span_is_one_of(struct sek_span s, const char *const *words)
{
    for (; *words; words++)
        if (sek_span_is(s, *words))
            return true;
    return false;
}

bool sek_span_address(struct sek_span s, struct sek_addr *out)
{
    char text[SEK_ADDR_TEXT_MAX];
    const char *scope = memchr(s.at, '%', s.len);
    size_t len = scope ? (size_t)(scope - s.at) : s.len;
    if (len == 0 || len >= sizeof(text))
        return false;
    memcpy(text, s.at, len);
    text[len] = '\0';
    return sek_addr_from_text(text, out, NULL) == SEK_OK;
}

bool sek_span_is_address(struct sek_span s)
{
    struct sek_addr addr;
    if (sek_span_is(s, "0.0.0.0") || sek_span_is(s, "127.0.0.1"))
        return true; /* nearly every line of nearly every hosts list */
    return sek_span_address(s, &addr);
}
