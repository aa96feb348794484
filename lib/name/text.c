/* SPDX-License-Identifier: BSD-3-Clause */
#include "name/text.h"
#include "base/utf8.h"
#include <idn2.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* UTS 46 non-transitional ("faß" stays itself), then the checks of IDNA2008. */
#define IDN_FLAGS (IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)

/* One label as it was typed. */
struct label {
    char text[SEK_NAME_MAX + 1]; /* terminated; room for a U-label longer than its A-label */
    size_t len;
    bool escaped;       /* some octet was written as an escape: raw octets, not to be interpreted */
    bool international; /* holds unescaped UTF-8 */
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The octets that need no escape. */
static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

/* Full stops that people type with an East Asian keyboard; UTS 46 maps them to '.'. */
static bool is_dot(uint32_t point)
{
    return point == '.' || point == 0x3002 || point == 0xff0e || point == 0xff61;
}

static bool is_alabel(const char *text, size_t len)
{
    return len >= 4 && (text[0] | 0x20) == 'x' && (text[1] | 0x20) == 'n' && text[2] == '-' &&
           text[3] == '-';
}

/* The octet of an escape (RFC 1035 §5.1) at text[0] == '\\'. Returns its length, 0 if malformed. */
static size_t read_escape(const char *text, size_t len, char *out)
{
    const uint8_t *p = (const uint8_t *)text;
    unsigned value;

    if (len < 2 || p[1] < ' ' || p[1] > '~')
        return 0;
    if (!is_digit(p[1])) {
        *out = text[1];
        return 2;
    }
    if (len < 4 || !is_digit(p[2]) || !is_digit(p[3]))
        return 0;
    value = (p[1] - '0') * 100U + (p[2] - '0') * 10U + (p[3] - '0');
    if (value > 255)
        return 0;
    *out = (char)value;
    return 4;
}

/* One character of a label, other than a dot: the octets it stands for to `octets`. Returns the
 * octets of text it takes, 0 with *why set when malformed. */
static size_t read_char(const char *text, size_t len, struct label *label, char octets[4],
                        size_t *n_octets, const char **why)
{
    uint32_t point;
    size_t n = sek_utf8_next(text, len, &point);

    *n_octets = n;
    if (n == 0) {
        *why = "is not valid UTF-8";
        return 0;
    }
    if (point == '\\') {
        label->escaped = true;
        *n_octets = 1;
        *why =
            "has a malformed escape; escapes are \\DDD (decimal, up to 255) or \\ and a character";
        return read_escape(text, len, octets);
    }
    if (point < 0x80 && !is_plain((uint8_t)point)) {
        *why = "has a character that must be written as \\DDD";
        return 0;
    }
    if (point >= 0x80)
        label->international = true;
    memcpy(octets, text, n);
    return n;
}

/* Octets of the dot that `text` begins with; 0 if it begins with something else. */
static size_t dot_len(const char *text, size_t len)
{
    uint32_t point;
    size_t n;

    if (len > 0 && text[0] == '.')
        return 1;
    if (len == 0 || (uint8_t)text[0] < 0x80)
        return 0;
    n = sek_utf8_next(text, len, &point);
    return n > 0 && is_dot(point) ? n : 0;
}

/* Read up to the next dot or the end of `text`. Returns the octets used, without the dot; 0 with
 * *why set when malformed. */
static size_t read_label(const char *text, size_t len, struct label *out, const char **why)
{
    size_t at = 0;

    out->len = 0;
    out->escaped = out->international = false;
    while (at < len && dot_len(text + at, len - at) == 0) {
        char octets[4];
        size_t n_octets = 1, n = 1;

        if (is_plain((uint8_t)text[at])) /* nearly all of a million names */
            octets[0] = text[at];
        else
            n = read_char(text + at, len - at, out, octets, &n_octets, why);
        if (n == 0)
            return 0;
        if (out->len + n_octets >= sizeof(out->text)) {
            *why = "has a label longer than 63 octets";
            return 0;
        }
        for (size_t i = 0; i < n_octets; i++)
            out->text[out->len++] = octets[i];
        at += n;
    }
    out->text[out->len] = '\0';
    *why = "has an empty label";
    return at;
}

/* Replace a U-label by its A-label. */
static bool to_alabel(struct label *l, const char **why)
{
    uint8_t *ascii = NULL;
    size_t len;
    int rc = idn2_lookup_u8((const uint8_t *)l->text, &ascii, IDN_FLAGS);

    *why = "is not a valid internationalised name";
    if (rc != IDN2_OK) {
        *why = idn2_strerror(rc);
        return false;
    }
    len = strlen((const char *)ascii);
    for (size_t i = 0; i < len && *why; i++)
        if (!is_plain(ascii[i])) /* compatibility forms of dots and slashes */
            len = 0;
    if (len > 0 && len <= SEK_LABEL_MAX) {
        memcpy(l->text, ascii, len + 1);
        l->len = len;
    }
    idn2_free(ascii);
    return len > 0 && len <= SEK_LABEL_MAX;
}

/* Decode an A-label; out holds SEK_NAME_MAX + 1. Returns the length, 0 if it does not decode. */
static size_t from_alabel(const char *text, size_t len, char *out)
{
    char label[SEK_LABEL_MAX + 1], *decoded = NULL;
    size_t n;

    if (len > SEK_LABEL_MAX)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (!is_plain((uint8_t)text[i]))
            return 0;
    memcpy(label, text, len);
    label[len] = '\0';
    if (idn2_to_unicode_8z8z(label, &decoded, 0) != IDN2_OK)
        return 0;
    n = strlen(decoded);
    if (n > SEK_NAME_MAX)
        n = 0;
    memcpy(out, decoded, n);
    out[n] = '\0';
    idn2_free(decoded);
    return n;
}

/* A label as typed to the octets of the wire; checks what only IDNA knows. */
static bool finish_label(struct label *l, const char **why)
{
    char decoded[SEK_NAME_MAX + 1];

    if (l->international && l->escaped) {
        *why = "mixes escapes and international characters in one label";
        return false;
    }
    if (l->international && !to_alabel(l, why))
        return false;
    if (l->len > SEK_LABEL_MAX) {
        *why = "has a label longer than 63 octets";
        return false;
    }
    if (!l->escaped && is_alabel(l->text, l->len) && from_alabel(l->text, l->len, decoded) == 0) {
        *why = "has an xn-- label that does not decode";
        return false;
    }
    return true;
}

static enum sek_err fail(struct sek_diag *diag, const char *text, size_t len, const char *why)
{
    return sek_diag_set(diag, SEK_E_NAME, "name '%.*s%s': %s", (int)(len < 120 ? len : 120), text,
                        len <= 120 ? "" : "…", why);
}

enum sek_err sek_name_from_text(const char *text, size_t len, struct sek_name *out,
                                struct sek_diag *diag)
{
    uint8_t wire[SEK_NAME_MAX];
    size_t at = 0, n_wire = 0;
    const char *why = NULL;

    if (len == 0)
        return sek_diag_set(diag, SEK_E_NAME, "the name is empty");
    if (len == 1 && text[0] == '.')
        at = len;
    while (at < len) {
        struct label l;
        size_t n = read_label(text + at, len - at, &l, &why);

        if (n == 0 || !finish_label(&l, &why))
            return fail(diag, text, len, why);
        if (n_wire + 1 + l.len + 1 > sizeof(wire))
            return fail(diag, text, len, "longer than 255 octets");
        wire[n_wire] = (uint8_t)l.len;
        memcpy(wire + n_wire + 1, l.text, l.len);
        n_wire += 1 + l.len;
        at += n;
        at += dot_len(text + at, len - at); /* 0 at the end */
    }
    wire[n_wire++] = 0;
    return sek_name_from_wire(wire, n_wire, out);
}

/* One label in presentation form. Returns its length. */
static size_t put_label(const uint8_t *label, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = label[i];

        if (is_plain(c)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '\\';
        if (c == '.') {
            out[n++] = '.';
            continue;
        }
        out[n++] = (char)('0' + c / 100);
        out[n++] = (char)('0' + c / 10 % 10);
        out[n++] = (char)('0' + c % 10);
    }
    return n;
}

/* An A-label for people: only if typing what is shown leads back to the same label, and nothing in
 * it misleads. Returns the length, 0 if it must stay an A-label. */
static size_t put_ulabel(const uint8_t *label, size_t len, char *out)
{
    struct label back = {.len = 0};
    const char *why;
    size_t n = from_alabel((const char *)label, len, back.text);

    for (size_t i = 0, step; i < n; i += step) {
        uint32_t point;

        step = sek_utf8_next(back.text + i, n - i, &point);
        if (step == 0 || sek_utf8_is_deceptive(point) || is_dot(point))
            return 0;
    }
    memcpy(out, back.text, n);
    if (n == 0 || !to_alabel(&back, &why) ||
        !sek_name_equal((uint8_t *)back.text, back.len, label, len))
        return 0;
    return n;
}

static size_t put_name(const uint8_t *wire, bool unicode, char *out)
{
    size_t n = 0;

    if (wire[0] == 0)
        out[n++] = '.';
    while (wire[0] != 0) {
        size_t len = wire[0], add = 0;

        if (unicode && is_alabel((const char *)wire + 1, len)) {
            add = put_ulabel(wire + 1, len, out + n);
            if (add == 0)
                return 0;
        } else
            add = put_label(wire + 1, len, out + n);
        n += add;
        wire += 1 + len;
        if (wire[0] != 0)
            out[n++] = '.';
    }
    out[n] = '\0';
    return n;
}

size_t sek_name_to_text(const uint8_t *wire, char *out)
{
    return put_name(wire, false, out);
}

size_t sek_name_to_unicode(const uint8_t *wire, char *out)
{
    size_t n = put_name(wire, true, out);

    return n > 0 ? n : put_name(wire, false, out);
}
