/* SPDX-License-Identifier: BSD-3-Clause */
#include "safe.h"
#include "base/utf8.h"
#include "name/text.h"
#include "policy/rule.h"
#include <string.h>
#include <wchar.h>
#include "base/banned.h"

void sek_safe_add(struct sek_buf *b, const char *text)
{
    const char *p = text;
    for (size_t n = strlen(text), len; n; p += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(p, n, &c);
        if (!len || (c < 0x80 && sek_utf8_is_deceptive(c))) {
            len = 1;
            sek_buf_add_fmt(b, "\\x%02x", (unsigned char)p[0]);
        } else if (sek_utf8_is_deceptive(c)) {
            sek_buf_add_fmt(b, "\\u{%x}", (unsigned)c);
        } else {
            sek_buf_add(b, p, len);
        }
    }
}

void sek_safe_add_escaped(struct sek_buf *b, const char *text, const char *special)
{
    struct sek_buf safe;
    sek_buf_init(&safe, 0);
    sek_safe_add(&safe, text);
    for (const char *p = safe.data ? safe.data : ""; *p; p++) {
        if (strchr(special, *p))
            sek_buf_add(b, "\\", 1);
        sek_buf_add(b, p, 1);
    }
    b->failed = b->failed || safe.failed;
    sek_buf_fini(&safe);
}

static size_t columns_of(uint32_t c)
{
    int w = wcwidth((wchar_t)c);
    return w < 0 ? 1 : (size_t)w;
}

size_t sek_safe_fit(const char *text, size_t len, size_t columns)
{
    size_t at = 0, used = 0;
    while (at < len) {
        uint32_t c = 0;
        size_t step = sek_utf8_next(text + at, len - at, &c);
        size_t wide = step ? columns_of(c) : 1;
        if (used + wide > columns)
            break;
        used += wide;
        at += step ? step : 1;
    }
    return at;
}

size_t sek_safe_width(const char *text, size_t len)
{
    size_t used = 0;
    for (size_t at = 0, step; at < len; at += step ? step : 1) {
        uint32_t c = 0;
        step = sek_utf8_next(text + at, len - at, &c);
        used += step ? columns_of(c) : 1;
    }
    return used;
}

void sek_safe_add_name(struct sek_buf *b, const char *text)
{
    struct sek_name name;
    enum sek_scope scope;
    char unicode[SEK_NAME_TEXT_MAX], plain[SEK_RULE_TEXT_MAX];
    sek_rule_plain_text(text, plain);
    sek_safe_add(b, plain);
    if (!strstr(text, "xn--") || sek_rule_from_text(text, strlen(text), &scope, &name, NULL))
        return;
    sek_name_to_unicode(name.octets, unicode);
    sek_name_to_text(name.octets, plain);
    if (strcmp(unicode, plain) != 0) {
        sek_buf_add_text(b, " (");
        sek_safe_add(b, unicode);
        sek_buf_add_text(b, ")");
    }
}
