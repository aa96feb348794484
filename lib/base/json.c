/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/json.h"
#include "base/utf8.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

void sek_json_add_escape(struct sek_buf *b, uint32_t c)
{
    if (c > 0xffff) /* a surrogate pair */
        sek_buf_add_fmt(b, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
                        (unsigned)(0xdc00 + (c & 0x3ff)));
    else
        sek_buf_add_fmt(b, "\\u%04x", (unsigned)c);
}

void sek_json_add_text(struct sek_buf *b, const char *text)
{
    const char *p = text;
    sek_buf_add_text(b, "\"");
    for (size_t n = strlen(text), len; n; p += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(p, n, &c);
        if (!len) {
            len = 1;
            sek_buf_add_fmt(b, "\\\\x%02x", (unsigned char)p[0]);
        } else if (c == '"' || c == '\\') {
            sek_buf_add_fmt(b, "\\%c", (char)c);
        } else if (sek_utf8_is_deceptive(c)) {
            sek_json_add_escape(b, c);
        } else {
            sek_buf_add(b, p, len);
        }
    }
    sek_buf_add_text(b, "\"");
}

void sek_json_add_real(struct sek_buf *b, double v, int decimals)
{
    if (isfinite(v))
        sek_buf_add_fmt(b, "%.*f", decimals, v);
    else
        sek_buf_add_text(b, "null");
}
