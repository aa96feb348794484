/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/value.h"
#include "base/duration.h"
#include "base/lookup.h"
#include "base/utf8.h"
#include "name/text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static const struct sek_lookup bool_words[] = {
    {1, "yes"}, {0, "no"}, {1, "true"}, {0, "false"}, {1, "on"}, {0, "off"}, {0, NULL},
};

static void *place(const struct sek_option *o, struct sek_conf *conf)
{
    return (char *)conf + o->offset;
}

static const void *const_place(const struct sek_option *o, const struct sek_conf *conf)
{
    return (const char *)conf + o->offset;
}

static enum sek_err refuse(const struct sek_option *o, const char *text, struct sek_diag *diag)
{
    char allowed[SEK_OPTION_ALLOWED_MAX];

    return sek_diag_set(diag, SEK_E_INVALID, "'%.200s' does not fit; allowed: %s", text,
                        sek_option_allowed(o, allowed, sizeof(allowed)));
}

/* Decimal digits alone: strtoull would take blanks, signs and 0x. */
static bool read_uint(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *out = n;
    return true;
}

static bool in_range(const struct sek_option *o, uint64_t n)
{
    return n >= (uint64_t)o->min && n <= (uint64_t)o->max;
}

static bool set_number(const struct sek_option *o, const char *text, void *at)
{
    uint64_t n;
    int64_t s;

    if (o->kind == SEK_OPT_DURATION) {
        if (sek_duration_from_text(text, &s, NULL) != SEK_OK || s < o->min || s > o->max)
            return false;
        memcpy(at, &s, sizeof(s));
        return true;
    }
    if (o->kind == SEK_OPT_SIZE && sek_size_from_text(text, &n, NULL) != SEK_OK)
        return false;
    if (o->kind == SEK_OPT_UINT && !read_uint(text, &n))
        return false;
    if (!in_range(o, n))
        return false;
    memcpy(at, &n, sizeof(n));
    return true;
}

/* Plain notation alone: strtod would take "inf", "nan", 0x and blanks. */
static bool set_real(const struct sek_option *o, const char *text, void *at)
{
    char *end;
    double x;

    if (!*text || text[strspn(text, "+-.e0123456789")])
        return false;
    x = strtod(text, &end);
    if (*end || x < (double)o->min || x > (double)o->max)
        return false;
    memcpy(at, &x, sizeof(x));
    return true;
}

static bool set_choice(const struct sek_option *o, const char *text, void *at)
{
    int id = sek_lookup_id(o->choices, text);

    if (id < 0)
        return false;
    memcpy(at, &id, sizeof(id));
    return true;
}

static bool set_text(const struct sek_option *o, const char *text, size_t len, void *at)
{
    struct sek_name name;

    if (!in_range(o, len))
        return false;
    if (o->kind == SEK_OPT_PATH && len > 0 && text[0] != '/')
        return false;
    if (o->kind == SEK_OPT_NAME && sek_name_from_text(text, len, &name, NULL) != SEK_OK)
        return false;
    memcpy(at, text, len + 1);
    return true;
}

static bool set_addr(const struct sek_option *o, const char *text, void *at)
{
    struct sek_addr a;

    if (sek_addr_from_text(text, &a, NULL) != SEK_OK ||
        sek_addr_is_v4(&a) != (o->kind == SEK_OPT_ADDR4))
        return false;
    memcpy(at, &a, sizeof(a));
    return true;
}

/* An entry in list notation. What covers which names is the policy's business; here it only has to
 * be a name other than the root, and no address: no rule can be made of one, so every command that
 * makes rules would stop at it. */
static enum sek_err add_name(const struct sek_option *o, const char *text, size_t len,
                             struct sek_conf_names *names, struct sek_diag *diag)
{
    size_t skip = text[0] == '=' ? 1 : strncmp(text, "*.", 2) == 0 ? 2 : 0;
    struct sek_name name;
    struct sek_addr addr;
    enum sek_err err;
    char **items, *item;

    if (names->n >= (uint64_t)o->max)
        return sek_diag_set(diag, SEK_E_LIMIT, "has more than %" PRId64 " entries", o->max);
    if (sek_addr_from_text(text + skip, &addr, NULL) == SEK_OK)
        return sek_diag_set(diag, SEK_E_INVALID, "'%s' is an IP address, not a name", text);
    err = sek_name_from_text(text + skip, len - skip, &name, diag);
    if (err != SEK_OK)
        return err;
    if (name.n_labels == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "'%s' would cover every name", text);
    item = strdup(text);
    items = realloc(names->items, (names->n + 1) * sizeof(*items));
    if (items)
        names->items = items;
    if (!items || !item) {
        free(item);
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    }
    items[names->n++] = item;
    return SEK_OK;
}

/* Only what a person can see and type: no controls (a line break would split log lines, a NUL would
 * cut the text), nothing invisible. */
static bool is_visible(const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t point;

        n = sek_utf8_next(text + i, len - i, &point);
        if (n == 0 || sek_utf8_is_deceptive(point))
            return false;
    }
    return true;
}

enum sek_err sek__value_set(const struct sek_option *o, const char *text, size_t len,
                            struct sek_conf *conf, struct sek_diag *diag)
{
    char copy[SEK_NAME_TEXT_MAX + 4];
    void *at = place(o, conf);
    bool ok = false;
    int word;

    if (len >= sizeof(copy))
        return sek_diag_set(diag, SEK_E_INVALID, "is too long");
    if (!is_visible(text, len))
        return sek_diag_set(diag, SEK_E_INVALID, "has control or invisible characters");
    memcpy(copy, text, len);
    copy[len] = '\0';
    switch (o->kind) {
    case SEK_OPT_UINT:
    case SEK_OPT_SIZE:
    case SEK_OPT_DURATION:
        ok = set_number(o, copy, at);
        break;
    case SEK_OPT_BOOL:
        word = sek_lookup_id(bool_words, copy);
        ok = word >= 0;
        if (ok)
            *(bool *)at = word == 1;
        break;
    case SEK_OPT_TEXT:
    case SEK_OPT_NAME:
    case SEK_OPT_PATH:
        ok = set_text(o, copy, len, at);
        break;
    case SEK_OPT_ADDR4:
    case SEK_OPT_ADDR6:
        ok = set_addr(o, copy, at);
        break;
    case SEK_OPT_NAMES:
        return add_name(o, copy, len, at, diag);
    case SEK_OPT_REAL:
        ok = set_real(o, copy, at);
        break;
    case SEK_OPT_CHOICE:
        ok = set_choice(o, copy, at);
        break;
    }
    return ok ? SEK_OK : refuse(o, copy, diag);
}

void sek__value_clear(const struct sek_option *o, struct sek_conf *conf)
{
    struct sek_conf_names *names = place(o, conf);

    if (o->kind != SEK_OPT_NAMES)
        return;
    for (unsigned i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct sek_conf_names){.n = 0};
}

static void print_duration(int64_t s, struct sek_buf *out)
{
    char text[24];
    int64_t back = 0;

    /* the form for people may be rounded */
    sek_duration_to_text(s, text, sizeof(text));
    if (sek_duration_from_text(text, &back, NULL) == SEK_OK && back == s)
        sek_buf_add_text(out, text);
    else
        sek_buf_add_fmt(out, "%" PRId64 "s", s);
}

void sek__value_print(const struct sek_option *o, const struct sek_conf *conf, struct sek_buf *out)
{
    const void *at = const_place(o, conf);
    const struct sek_conf_names *names = at;
    char text[SEK_ADDR_TEXT_MAX];

    switch (o->kind) {
    case SEK_OPT_UINT:
        sek_buf_add_fmt(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case SEK_OPT_SIZE:
        sek_buf_add_text(out, sek_size_to_text(*(const uint64_t *)at, text, sizeof(text)));
        break;
    case SEK_OPT_DURATION:
        print_duration(*(const int64_t *)at, out);
        break;
    case SEK_OPT_BOOL:
        sek_buf_add_text(out, *(const bool *)at ? "yes" : "no");
        break;
    case SEK_OPT_TEXT:
    case SEK_OPT_NAME:
    case SEK_OPT_PATH:
        sek_buf_add_text(out, at);
        break;
    case SEK_OPT_ADDR4:
    case SEK_OPT_ADDR6:
        sek_buf_add_text(out, sek_addr_to_text(at, text));
        break;
    case SEK_OPT_NAMES:
        for (unsigned i = 0; i < names->n; i++)
            sek_buf_add_fmt(out, "%s%s", i > 0 ? "\n" : "", names->items[i]);
        break;
    case SEK_OPT_REAL:
        sek_buf_add_fmt(out, "%.15g", *(const double *)at);
        break;
    case SEK_OPT_CHOICE:
        sek_buf_add_text(out, sek_lookup_name(o->choices, *(const int *)at));
        break;
    }
}

/* A YAML scalar; quoted unless it is of the characters that mean nothing in YAML. */
static void print_scalar(const char *text, struct sek_buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    bool quote = !*text || *text == '-' || text[strspn(text, plain)];

    if (!quote) {
        sek_buf_add_text(out, text);
        return;
    }
    sek_buf_add_text(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            sek_buf_add_text(out, "\\");
        sek_buf_add(out, text, 1);
    }
    sek_buf_add_text(out, "\"");
}

void sek__value_print_yaml(const struct sek_option *o, const struct sek_conf *conf,
                           struct sek_buf *out)
{
    const struct sek_conf_names *names = const_place(o, conf);
    struct sek_buf text;

    if (o->kind == SEK_OPT_NAMES) {
        sek_buf_add_text(out, names->n == 0 ? " []\n" : "\n");
        for (unsigned i = 0; i < names->n; i++) {
            sek_buf_add_text(out, "    - ");
            print_scalar(names->items[i], out);
            sek_buf_add_text(out, "\n");
        }
        return;
    }
    sek_buf_init(&text, 0);
    sek__value_print(o, conf, &text);
    sek_buf_add_text(out, " ");
    print_scalar(text.data ? text.data : "", out);
    sek_buf_add_text(out, "\n");
    if (text.failed)
        out->failed = true;
    sek_buf_fini(&text);
}
