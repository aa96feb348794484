/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/zonetext.h"
#include "name/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

#define TTL_MAX 2147483647U /* RFC 2181 §8 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *s, taken off it. False: there are none, or more than max. */
static bool take_number(struct sek_span *s, uint64_t max, uint64_t *out)
{
    size_t n = 0;
    uint64_t number = 0;
    for (; n < s->len && is_digit(s->at[n]); n++)
        if ((number = number * 10 + (uint64_t)(s->at[n] - '0')) > max)
            return false;
    *s = sek_span_skip(*s, n);
    *out = number;
    return n > 0;
}

/* --- what stands before the data ----------------------------------------------------------------
 */

bool sek_zone_ttl_read(struct sek_span text, uint32_t *out_s)
{
    static const struct {
        char letter;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    uint64_t sum = 0, n;
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        uint64_t unit = 0;
        if (!take_number(&text, TTL_MAX, &n))
            return false;
        for (size_t i = 0; text.len > 0 && i < sizeof units / sizeof *units; i++)
            if ((text.at[0] | 0x20) == units[i].letter)
                unit = units[i].seconds;
        if (text.len > 0 && unit == 0)
            return false;
        sum += n * (unit ? unit : 1);
        text = sek_span_skip(text, text.len > 0);
        if (sum > TTL_MAX)
            return false;
    }
    *out_s = (uint32_t)sum;
    return true;
}

static bool is_class(struct sek_span w)
{
    static const char *const classes[] = {"IN", "CH", "HS", "CS", NULL};
    uint64_t n;
    if (sek_span_is_one_of(w, classes))
        return true;
    if (w.len < 6 || strncasecmp(w.at, "CLASS", 5) != 0) /* RFC 3597 §5 */
        return false;
    w = sek_span_skip(w, 5);
    return take_number(&w, UINT16_MAX, &n) && w.len == 0;
}

bool sek_zone_head_read(const char *text, size_t len, struct sek_zone_head *out)
{
    struct sek_span rest = {text, len};
    const struct sek_span none = {text, 0};
    *out = (struct sek_zone_head){.owner = none, .class = none, .type = none, .data = none};
    while (out->owner.len < len && !sek_span_is_blank(text[out->owner.len]))
        out->owner.len += text[out->owner.len] == '\\' && out->owner.len + 1 < len ? 2 : 1;
    rest = sek_span_skip(rest, out->owner.len);
    for (;;) {
        struct sek_span word = sek_span_take_word(&rest);
        if (out->class.len == 0 && is_class(word)) {
            out->class = word;
        } else if (!out->has_ttl && sek_zone_ttl_read(word, &out->ttl_s)) {
            out->has_ttl = true;
        } else {
            out->type = word;
            out->data = sek_span_trim(rest.at, rest.len);
            return word.len > 0;
        }
    }
}

/* --- U-labels -----------------------------------------------------------------------------------
 */

static enum sek_err add_name(struct sek_span word, struct sek_buf *out, struct sek_diag *diag)
{
    struct sek_name name;
    char text[SEK_NAME_TEXT_MAX];
    bool star = sek_span_begins(word, "*."), absolute = sek_span_ends(word, ".");
    struct sek_span rest = sek_span_skip(word, star ? 2 : 0);
    enum sek_err err = sek_name_from_text(rest.at, rest.len, &name, diag);
    if (err)
        return err;
    sek_name_to_text(name.octets, text);
    sek_buf_add_fmt(out, "%s%s%s", star ? "*." : "", text, absolute ? "." : "");
    return SEK_OK;
}

static bool is_ascii(struct sek_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.at[i] >= 0x80)
            return false;
    return true;
}

/* What stands between quotation marks at *rest, taken off it with them. */
static void add_quoted(struct sek_span *rest, struct sek_buf *out)
{
    size_t i = 0;
    do {
        if ((uint8_t)rest->at[i] >= 0x80)
            sek_buf_add_fmt(out, "\\%03u", (unsigned)(uint8_t)rest->at[i]);
        else
            sek_buf_add(out, rest->at + i, 1);
        if (rest->at[i] == '\\' && i + 1 < rest->len)
            sek_buf_add(out, rest->at + ++i, 1);
        i++;
    } while (i < rest->len && rest->at[i] != '"');
    if (i < rest->len)
        sek_buf_add(out, rest->at + i++, 1);
    *rest = sek_span_skip(*rest, i);
}

enum sek_err sek_zone_ascii(const char *text, size_t len, struct sek_buf *out,
                            struct sek_diag *diag)
{
    struct sek_span rest = {text, len};
    while (rest.len > 0) {
        size_t n = 0;
        if (rest.at[0] == '"') {
            add_quoted(&rest, out);
            continue;
        }
        bool blank = sek_span_is_blank(rest.at[0]);
        while (n < rest.len && rest.at[n] != '"' && sek_span_is_blank(rest.at[n]) == blank)
            n += rest.at[n] == '\\' && n + 1 < rest.len ? 2 : 1;
        struct sek_span word = {rest.at, n};
        rest = sek_span_skip(rest, n);
        enum sek_err err = SEK_OK;
        if (is_ascii(word))
            sek_buf_add(out, word.at, word.len);
        else
            err = add_name(word, out, diag);
        if (err)
            return err;
    }
    return out->failed ? sek_diag_set(diag, SEK_E_NOMEM, "no memory for this record") : SEK_OK;
}

/* --- $GENERATE ----------------------------------------------------------------------------------
 */

#define OFFSET_MAX 2147483647
#define WIDTH_MAX 128

enum sek_err sek_zone_generate_begin(struct sek_span text, struct sek_zone_generate *out,
                                     struct sek_diag *diag)
{
    struct sek_span range = sek_span_take_word(&text);
    uint64_t start = 0, stop = 0, step = 1;
    bool good = take_number(&range, OFFSET_MAX, &start) && range.len > 0 && range.at[0] == '-';
    range = sek_span_skip(range, good);
    good = good && take_number(&range, OFFSET_MAX, &stop);
    if (good && range.len > 0) {
        good = range.at[0] == '/';
        range = sek_span_skip(range, 1);
        good = good && take_number(&range, OFFSET_MAX, &step) && step > 0 && range.len == 0;
    }
    text = sek_span_trim(text.at, text.len);
    if (!good || start > stop || text.len == 0)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "$GENERATE wants a range and a record, as in '$GENERATE 1-9 host$ "
                            "CNAME .'");
    if ((stop - start) / step >= SEK_ZONE_GENERATE_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "$GENERATE of more than %d records",
                            SEK_ZONE_GENERATE_MAX);
    *out = (struct sek_zone_generate){start, stop, step, text};
    return SEK_OK;
}

/* Hexadecimal digits with a dot between them, the last one first; width counts the dots. */
static void add_nibbles(struct sek_buf *out, uint64_t number, unsigned width, bool capitals)
{
    const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
    do {
        sek_buf_add(out, &digits[number & 15], 1);
        number >>= 4;
        width -= width > 0;
        if (number > 0 || width > 0) {
            sek_buf_add(out, ".", 1);
            width -= width > 0;
        }
    } while (number > 0 || width > 0);
}

/* The number at a "$"; form: what stands behind it between braces, or empty. False: no such form,
 * or below 0. */
static bool add_number(struct sek_buf *out, uint64_t at, struct sek_span form)
{
    uint64_t offset = 0, width = 0;
    char base = 'd';
    bool minus = form.len > 0 && form.at[0] == '-';
    form = sek_span_skip(form, minus);
    if (form.len > 0 && !take_number(&form, OFFSET_MAX, &offset))
        return false;
    if (form.len > 0 && form.at[0] == ',') {
        form = sek_span_skip(form, 1);
        if (!take_number(&form, WIDTH_MAX, &width))
            return false;
    }
    if (form.len == 2 && form.at[0] == ',') {
        base = form.at[1];
        form = sek_span_skip(form, 2);
    }
    if (form.len > 0 || (minus && offset > at))
        return false;
    uint64_t number = minus ? at - offset : at + offset;
    switch (base) {
    case 'd':
        sek_buf_add_fmt(out, "%0*" PRIu64, (int)width, number);
        return true;
    case 'o':
        sek_buf_add_fmt(out, "%0*" PRIo64, (int)width, number);
        return true;
    case 'x':
        sek_buf_add_fmt(out, "%0*" PRIx64, (int)width, number);
        return true;
    case 'X':
        sek_buf_add_fmt(out, "%0*" PRIX64, (int)width, number);
        return true;
    case 'n':
    case 'N':
        add_nibbles(out, number, (unsigned)width, base == 'N');
        return true;
    default:
        return false;
    }
}

int sek_zone_generate_next(struct sek_zone_generate *g, struct sek_buf *out, struct sek_diag *diag)
{
    struct sek_span rest = g->record, form;
    if (g->at > g->stop)
        return 0;
    sek_buf_reset(out);
    while (rest.len > 0) {
        size_t skip = 1;
        form = sek_span_skip(rest, 1);
        if (rest.at[0] == '\\' && rest.len > 1) {
            skip = 2;
            sek_buf_add(out, rest.at[1] == '$' ? "$" : rest.at, rest.at[1] == '$' ? 1 : 2);
        } else if (rest.at[0] != '$') {
            sek_buf_add(out, rest.at, 1);
        } else if (form.len > 0 && form.at[0] == '$') {
            skip = 2;
            sek_buf_add(out, "$", 1);
        } else {
            bool braces = form.len > 0 && form.at[0] == '{';
            struct sek_span whole = sek_span_skip(form, braces);
            if (braces && !sek_span_take_until(&whole, '}', &form))
                return sek_diag_set(diag, SEK_E_INVALID, "$GENERATE: '}' is missing");
            skip = braces ? form.len + 3 : 1;
            if (!braces)
                form.len = 0;
            if (!add_number(out, g->at, form))
                return sek_diag_set(diag, SEK_E_INVALID,
                                    "$GENERATE: '${%.*s}' is no number such as ${0,3,d}",
                                    (int)form.len, form.at);
        }
        rest = sek_span_skip(rest, skip);
    }
    g->at += g->step;
    if (out->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for this record");
    return 1;
}
