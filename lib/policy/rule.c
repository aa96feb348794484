/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rule.h"
#include "base/addr.h"
#include "name/text.h"
#include "policy/about.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_action_names[] = {
    {SEK_ACTION_PASSTHRU, "passthru"}, {SEK_ACTION_LOG, "log"},
    {SEK_ACTION_NXDOMAIN, "nxdomain"}, {SEK_ACTION_NODATA, "nodata"},
    {SEK_ACTION_SINKHOLE, "sinkhole"}, {SEK_ACTION_REFUSED, "refused"},
    {SEK_ACTION_DROP, "drop"},         {SEK_ACTION_TCP_ONLY, "tcp-only"},
    {SEK_ACTION_DATA, "local-data"},   {0, NULL},
};

const struct sek_lookup sek_scope_names[] = {
    {SEK_SCOPE_EXACT, "exact"},
    {SEK_SCOPE_SUBTREE, "subtree"},
    {SEK_SCOPE_BELOW, "below"},
    {0, NULL},
};

/* What may stand unescaped in a name that a person or a list wrote. DNS allows any octet, but here
 * a slash is a URL that was pasted and a star is a pattern of another program: taken literally they
 * would make rules that never match, without anybody noticing. */
static const bool plain_octet[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,   ['-'] = true,
    ['_'] = true,         ['.'] = true,         [0x80 ... 0xff] = true,
};

static enum sek_err refuse(const char *text, size_t len, struct sek_diag *diag, const char *why)
{
    int shown = (int)(len < 120 ? len : 120);
    return sek_diag_set(diag, SEK_E_NAME, "name '%.*s%s': %s", shown, text, len > 120 ? "…" : "",
                        why);
}

static bool is_address(const char *text, size_t len)
{
    char address[SEK_ADDR_TEXT_MAX];
    struct sek_addr parsed;
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return sek_addr_from_text(address, &parsed, NULL) == SEK_OK;
}

/* Say why the octet c does not belong there. */
static const char *octet_reason(uint8_t c)
{
    switch (c) {
    case ' ':
    case '\t':
        return "has a blank inside";
    case '/':
    case ':':
        return "is a URL: give the host name alone";
    case '*':
        return "has a '*'; it is known in front only, as in '*.example'";
    case '=':
        return "has a '='; it is known in front only, as in '=www.example'";
    default:
        return "has a character that must be written as \\DDD";
    }
}

#define IS_ADDRESS "is an IP address: write response-ip:ADDRESS for answers with it"

static enum sek_err check_octets(const char *text, size_t len, struct sek_diag *diag)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\')
            i++; /* whatever is escaped is meant; sek_name_from_text checks the form */
        else if (!plain_octet[(uint8_t)text[i]])
            return refuse(text, len, diag,
                          text[i] == ':' && is_address(text, len) ? IS_ADDRESS
                                                                  : octet_reason((uint8_t)text[i]));
    }
    return SEK_OK;
}

enum sek_err sek_rule_from_text(const char *text, size_t len, enum sek_scope *out_scope,
                                struct sek_name *out_name, struct sek_diag *diag)
{
    enum sek_scope scope = SEK_SCOPE_SUBTREE;
    enum sek_err err = sek_about_from_text(text, len, out_scope, out_name, diag);
    if (err != SEK_E_NOTFOUND)
        return err;
    if (len > 0 && text[0] == '=') {
        scope = SEK_SCOPE_EXACT;
        text++;
        len--;
    } else if (len > 1 && text[0] == '*' && text[1] == '.') {
        scope = SEK_SCOPE_BELOW;
        if (len > 2 && text[2] == '.')
            return refuse(text, len, diag, "has an empty label");
        /* "*." is all below the root, so its dot stays */
        size_t skip = len == 2 ? 1 : 2;
        text += skip;
        len -= skip;
    }
    if (len == 0)
        return sek_diag_set(diag, SEK_E_NAME, "the name is empty");
    err = check_octets(text, len, diag);
    if (err != SEK_OK)
        return err;
    /* no top-level domain is a number (RFC 3696 §2): what ends in a digit may be an address */
    if (text[len - 1] >= '0' && text[len - 1] <= '9' && is_address(text, len))
        return refuse(text, len, diag, IS_ADDRESS);
    err = sek_name_from_text(text, len, out_name, diag);
    if (err == SEK_OK)
        err = sek_about_settle(&scope, out_name, diag);
    if (err != SEK_OK)
        return err;
    *out_scope = scope;
    return SEK_OK;
}

size_t sek_rule_to_text(enum sek_scope scope, const uint8_t *wire, char *out)
{
    size_t n = sek_about_to_text(scope, wire, out);
    if (n > 0)
        return n;
    if (scope == SEK_SCOPE_EXACT) {
        out[n++] = '=';
    } else if (scope == SEK_SCOPE_BELOW) {
        out[n++] = '*';
        if (wire[0] != 0) /* the root's own text is the dot */
            out[n++] = '.';
    }
    return n + sek_name_to_text(wire, out + n);
}

size_t sek_rule_plain_text(const char *text, char *out)
{
    struct sek_name name;
    enum sek_scope scope;
    if (strstr(text, "rpz-") &&
        sek_rule_from_text(text, strlen(text), &scope, &name, NULL) == SEK_OK)
        return sek_rule_to_text(scope, name.octets, out);
    return (size_t)snprintf(out, SEK_RULE_TEXT_MAX, "%s", text);
}
