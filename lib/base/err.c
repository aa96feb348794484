/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/err.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

static const char *const texts[SEK_N_ERRORS] = {
#define X(id, text) [SEK_EI_##id] = text,
    SEK_ERRORS(X)
#undef X
};

static const char ellipsis[] = "…";

const char *sek_err_text(enum sek_err code)
{
    int index = -1 - (int)code;

    if (code == SEK_OK)
        return "no error";
    if (index < 0 || index >= SEK_N_ERRORS)
        return "unknown error";
    return texts[index];
}

enum sek_err sek_err_from_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return SEK_E_NOMEM;
    case ENOSPC:
    case EDQUOT:
        return SEK_E_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return SEK_E_DENIED;
    case ENOENT:
    case ENOTDIR:
        return SEK_E_NOTFOUND;
    case EEXIST:
        return SEK_E_EXISTS;
    default:
        return SEK_E_IO;
    }
}

/* Copy `text` as one line: what could move a cursor, hide characters or split the line (the text
 * may quote a hostile file) becomes '?', also octets that are no UTF-8. Too long: cut at a
 * character. */
static void store(struct sek_diag *diag, const char *text, size_t len)
{
    const size_t room = sizeof(diag->text) - sizeof(ellipsis);
    size_t in = 0, out = 0, cut = 0;

    while (in < len) {
        uint32_t point;
        size_t n = sek_utf8_next(text + in, len - in, &point);
        bool plain = n > 0 && !sek_utf8_is_deceptive(point);
        size_t add = plain ? n : 1;

        if (out + add >= sizeof(diag->text)) {
            memcpy(diag->text + cut, ellipsis, sizeof(ellipsis));
            return;
        }
        if (plain)
            memcpy(diag->text + out, text + in, n);
        else
            diag->text[out] = '?';
        in += n > 0 ? n : 1;
        out += add;
        if (out <= room)
            cut = out;
    }
    diag->text[out] = '\0';
}

/* Format into a text of our own first: an argument may be the diagnosis's own text. */
static void format(struct sek_diag *diag, const char *tail, const char *fmt, va_list args)
{
    char line[2 * sizeof(diag->text) + 8];
    int n = vsnprintf(line, sizeof(line), fmt, args);
    size_t len = n < 0 ? 0 : (size_t)n;

    if (len >= sizeof(line))
        len = sizeof(line) - 1;
    if (tail) {
        int m = snprintf(line + len, sizeof(line) - len, ": %s", tail);
        len += m < 0 ? 0 : (size_t)m;
        if (len >= sizeof(line))
            len = sizeof(line) - 1;
    }
    store(diag, line, len);
}

enum sek_err sek_diag_set(struct sek_diag *diag, enum sek_err code, const char *fmt, ...)
{
    va_list args;

    if (!diag)
        return code;
    va_start(args, fmt);
    format(diag, NULL, fmt, args);
    va_end(args);
    diag->code = code;
    return code;
}

enum sek_err sek_diag_wrap(struct sek_diag *diag, const char *fmt, ...)
{
    char tail[sizeof(diag->text)];
    va_list args;

    if (!diag)
        return SEK_OK;
    memcpy(tail, diag->text, sizeof(tail));
    va_start(args, fmt);
    format(diag, tail, fmt, args);
    va_end(args);
    return diag->code;
}
