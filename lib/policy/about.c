/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/about.h"
#include "name/text.h"
#include "policy/pattern.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

#define BITS_BEFORE_V4 96
#define GROUPS 8 /* of an IPv6 address */

const struct sek_lookup sek_about_names[] = {
    {SEK_ABOUT_RESPONSE_IP, "response-ip"},
    {SEK_ABOUT_CLIENT_IP, "client-ip"},
    {SEK_ABOUT_NSIP, "nsip"},
    {SEK_ABOUT_SINKHOLED, "sinkholed"},
    {SEK_ABOUT_NSDNAME, "nsdname"},
    {SEK_ABOUT_REGEX, "regex"},
    {SEK_ABOUT_ASN, "asn"},
    {SEK_ABOUT_COUNTRY, "country"},
    {0, NULL},
};

/* Last labels of owner names; RPZ's where it has such a trigger. */
static const char *const labels[] = {
    [SEK_ABOUT_RESPONSE_IP] = "rpz-ip",  [SEK_ABOUT_CLIENT_IP] = "rpz-client-ip",
    [SEK_ABOUT_NSIP] = "rpz-nsip",       [SEK_ABOUT_SINKHOLED] = "rpz-sinkholed",
    [SEK_ABOUT_NSDNAME] = "rpz-nsdname", [SEK_ABOUT_REGEX] = "rpz-regex",
    [SEK_ABOUT_ASN] = "rpz-asn",         [SEK_ABOUT_COUNTRY] = "rpz-country"};

enum sek_about sek_about_of(const struct sek_name *owner)
{
    if (owner->n_labels == 0)
        return SEK_ABOUT_NAME;
    const uint8_t *last = owner->octets + owner->offset[owner->n_labels - 1];
    if (last[0] < 4 || memcmp(last + 1, "rpz-", 4) != 0)
        return SEK_ABOUT_NAME;
    for (unsigned i = SEK_ABOUT_RESPONSE_IP; i <= SEK_ABOUT_MAX; i++)
        if (strlen(labels[i]) == last[0] && memcmp(last + 1, labels[i], last[0]) == 0)
            return (enum sek_about)i;
    return SEK_ABOUT_NAME;
}

/* --- networks -----------------------------------------------------------------------------------
 */

static const char hex[] = "0123456789abcdef";

/* The number in a label, without sign or leading zeros. */
static bool label_number(const uint8_t *label, unsigned base, unsigned max, unsigned *out)
{
    unsigned n = 0;
    if (label[0] == 0 || label[0] > 4 || (label[0] > 1 && label[1] == '0'))
        return false;
    for (unsigned i = 1; i <= label[0]; i++) {
        const char *digit = memchr(hex, label[i], base);
        if (!digit)
            return false;
        n = n * base + (unsigned)(digit - hex);
    }
    *out = n;
    return n <= max;
}

static bool is_zz(const uint8_t *label)
{
    return label[0] == 2 && label[1] == 'z' && label[2] == 'z';
}

static bool v4_read(const struct sek_name *owner, struct sek_net *out)
{
    unsigned bits, octet;
    *out = (struct sek_net){.addr.octets = {[10] = 0xff, [11] = 0xff}};
    if (!label_number(owner->octets, 10, 32, &bits))
        return false;
    for (unsigned i = 0; i < 4; i++) {
        if (!label_number(owner->octets + owner->offset[1 + i], 10, 255, &octet))
            return false;
        out->addr.octets[15 - i] = (uint8_t)octet;
    }
    out->bits = (uint8_t)(BITS_BEFORE_V4 + bits);
    return true;
}

/* The last group first; "zz" stands for as many groups of 0 as are missing. */
static bool v6_read(const struct sek_name *owner, struct sek_net *out)
{
    unsigned bits, group, n = (unsigned)owner->n_labels - 2, at = GROUPS;
    bool zz = false;
    *out = (struct sek_net){0};
    if (n > GROUPS || !label_number(owner->octets, 10, 128, &bits))
        return false;
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *label = owner->octets + owner->offset[1 + i];
        if (is_zz(label)) {
            if (zz)
                return false;
            zz = true;
            at -= GROUPS - (n - 1);
        } else {
            if (!label_number(label, 16, 0xffff, &group))
                return false;
            at--;
            out->addr.octets[2 * at] = (uint8_t)(group >> 8);
            out->addr.octets[2 * at + 1] = (uint8_t)group;
        }
    }
    out->bits = (uint8_t)bits;
    return at == 0;
}

static bool has_zz(const struct sek_name *owner)
{
    for (unsigned i = 1; i + 1U < owner->n_labels; i++)
        if (is_zz(owner->octets + owner->offset[i]))
            return true;
    return false;
}

enum sek_err sek_about_to_net(const struct sek_name *owner, struct sek_net *out,
                              struct sek_diag *diag)
{
    struct sek_net net, clean;
    char text[SEK_NET_TEXT_MAX];
    bool v4 = owner->n_labels == 6 && !has_zz(owner);
    bool good = owner->n_labels > 2 && (v4 ? v4_read(owner, &net) : v6_read(owner, &net));
    if (!good || !sek_about_is_net(sek_about_of(owner)))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "not an address in RPZ's form: prefix length, octets or groups from "
                            "the last to the first, as in 24.0.2.0.192.rpz-ip or "
                            "32.zz.db8.2001.rpz-ip");
    if (sek_net_from_text(sek_net_to_text(&net, text), &clean, diag) != SEK_OK)
        return SEK_E_INVALID;
    *out = net;
    return SEK_OK;
}

/* The longest run of groups of 0, two at least, the first of equal ones; else *out_n is 0. */
static unsigned zero_run(const unsigned group[GROUPS], unsigned *out_n)
{
    unsigned best = 0, n = 1;
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned end = i;
        while (end < GROUPS && group[end] == 0)
            end++;
        if (end - i > n) {
            best = i;
            n = end - i;
        }
    }
    *out_n = n > 1 ? n : 0;
    return best;
}

static void v6_text(const struct sek_net *net, char *out, size_t size)
{
    unsigned group[GROUPS], n_zero;
    size_t n = (size_t)snprintf(out, size, "%u", net->bits);
    for (unsigned i = 0; i < GROUPS; i++)
        group[i] = (unsigned)net->addr.octets[2 * i] << 8 | net->addr.octets[2 * i + 1];
    unsigned zero = zero_run(group, &n_zero);
    for (unsigned i = GROUPS; i-- > 0;) {
        if (n_zero && i + 1 == zero + n_zero) {
            n += (size_t)snprintf(out + n, size - n, ".zz");
            i = zero;
        } else {
            n += (size_t)snprintf(out + n, size - n, ".%x", group[i]);
        }
    }
}

void sek_about_from_net(enum sek_about about, const struct sek_net *net, struct sek_name *out)
{
    char text[80], *end;
    const uint8_t *v4 = net->addr.octets + 12;
    if (net->bits >= BITS_BEFORE_V4 && sek_addr_is_v4(&net->addr))
        snprintf(text, sizeof text, "%u.%u.%u.%u.%u", net->bits - BITS_BEFORE_V4, v4[3], v4[2],
                 v4[1], v4[0]);
    else
        v6_text(net, text, sizeof text);
    end = text + strlen(text);
    snprintf(end, (size_t)(text + sizeof text - end), ".%s", labels[about]);
    sek_name_from_text(text, strlen(text), out, NULL); /* 60 octets at most */
}

/* --- servers ------------------------------------------------------------------------------------
 */

bool sek_about_from_server(const struct sek_name *server, struct sek_name *out)
{
    const char *label = labels[SEK_ABOUT_NSDNAME];
    uint8_t wire[SEK_NAME_MAX];
    size_t len = strlen(label), at = server->len - 1U;
    if (at + 1 + len + 1 > sizeof wire || server->n_labels == SEK_LABELS_MAX)
        return false;
    memcpy(wire, server->octets, at);
    wire[at] = (uint8_t)len;
    memcpy(wire + at + 1, label, len);
    wire[at + 1 + len] = 0;
    return sek_name_from_wire(wire, at + 1 + len + 1, out) == SEK_OK;
}

void sek_about_to_server(const struct sek_name *owner, struct sek_name *out)
{
    uint8_t wire[SEK_NAME_MAX];
    size_t n = owner->offset[owner->n_labels - 1];
    memcpy(wire, owner->octets, n);
    wire[n] = 0;
    sek_name_from_wire(wire, n + 1, out); /* a part of a good one */
}

/* --- places -------------------------------------------------------------------------------------
 */

void sek_about_from_asn(uint32_t asn, struct sek_name *out)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu32 ".%s", asn, labels[SEK_ABOUT_ASN]);
    sek_name_from_text(text, (size_t)n, out, NULL);
}

void sek_about_from_country(const char country[2], struct sek_name *out)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.2s.%s", country, labels[SEK_ABOUT_COUNTRY]);
    sek_name_from_text(text, (size_t)n, out, NULL);
}

/* "64496", and "AS64496" as people write it. */
static enum sek_err asn_from_text(const char *text, size_t len, struct sek_name *out,
                                  struct sek_diag *diag)
{
    uint64_t asn = 0;
    size_t at = len > 2 && strncasecmp(text, "as", 2) == 0 ? 2 : 0, from = at;
    while (at < len && text[at] >= '0' && text[at] <= '9' && asn <= UINT32_MAX)
        asn = asn * 10 + (uint64_t)(text[at++] - '0');
    if (at < len || at == from || asn == 0 || asn > UINT32_MAX)
        return sek_diag_set(diag, SEK_E_INVALID,
                            "'%.*s' is not the number of an autonomous system, 1 to 4294967295 as "
                            "in asn:64496",
                            (int)(len < 40 ? len : 40), text);
    sek_about_from_asn((uint32_t)asn, out);
    return SEK_OK;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum sek_err country_from_text(const char *text, size_t len, struct sek_name *out,
                                      struct sek_diag *diag)
{
    if (len != 2 || !is_letter(text[0]) || !is_letter(text[1]))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "'%.*s' is not a country's code of two letters (ISO 3166-1), as in "
                            "country:KP",
                            (int)(len < 40 ? len : 40), text);
    sek_about_from_country(text, out);
    return SEK_OK;
}

static enum sek_err place_from_text(enum sek_about about, const char *text, size_t len,
                                    struct sek_name *out, struct sek_diag *diag)
{
    return about == SEK_ABOUT_ASN ? asn_from_text(text, len, out, diag)
                                  : country_from_text(text, len, out, diag);
}

/* The one label in front, made what a person would write. */
static size_t place_to_text(enum sek_about about, const struct sek_name *owner, char *out)
{
    char text[SEK_LABEL_MAX + 1];
    struct sek_name same;
    size_t len = owner->octets[0];
    if (owner->n_labels != 2)
        return 0;
    for (size_t i = 0; i < len; i++) {
        char c = (char)owner->octets[1 + i];
        text[i] = about == SEK_ABOUT_COUNTRY && is_letter(c) ? (char)(c & ~0x20) : c;
    }
    text[len] = '\0';
    if (place_from_text(about, text, len, &same, NULL) != SEK_OK ||
        !sek_name_equal(same.octets, same.len, owner->octets, owner->len))
        return 0;
    memcpy(out, text, len + 1);
    return len;
}

/* --- list notation ------------------------------------------------------------------------------
 */

static enum sek_err net_from_text(enum sek_about about, const char *text, size_t len,
                                  enum sek_scope *out_scope, struct sek_name *out,
                                  struct sek_diag *diag)
{
    char copy[SEK_NET_TEXT_MAX];
    struct sek_net net;
    snprintf(copy, sizeof copy, "%.*s", (int)(len < sizeof copy ? len : sizeof copy), text);
    enum sek_err err = len < sizeof copy
                           ? sek_net_from_text(copy, &net, diag)
                           : sek_diag_set(diag, SEK_E_INVALID, "'%s' is not a network", copy);
    if (err != SEK_OK)
        return err;
    sek_about_from_net(about, &net, out);
    *out_scope = SEK_SCOPE_EXACT;
    return SEK_OK;
}

static enum sek_err server_from_text(const char *text, size_t len, enum sek_scope *out_scope,
                                     struct sek_name *out, struct sek_diag *diag)
{
    struct sek_name server;
    enum sek_err err = sek_rule_from_text(text, len, out_scope, &server, diag);
    if (err != SEK_OK)
        return err;
    if (sek_about_of(&server) != SEK_ABOUT_NAME || !sek_about_from_server(&server, out))
        return sek_diag_set(diag, SEK_E_NAME, "not the name of a server, or too long a one");
    return SEK_OK;
}

enum sek_err sek_about_from_text(const char *text, size_t len, enum sek_scope *out_scope,
                                 struct sek_name *out, struct sek_diag *diag)
{
    const char *colon = memchr(text, ':', len);
    char word[16];
    if (len > 2 && text[0] == '/' && text[len - 1] == '/') {
        *out_scope = SEK_SCOPE_EXACT;
        return sek_pattern_from_text(text + 1, len - 2, out, diag);
    }
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof word)
        return SEK_E_NOTFOUND;
    memcpy(word, text, n);
    word[n] = '\0';
    int about = sek_lookup_id(sek_about_names, word);
    if (about < 0)
        return SEK_E_NOTFOUND;
    text = colon + 1;
    len -= n + 1;
    if (about == SEK_ABOUT_NSDNAME)
        return server_from_text(text, len, out_scope, out, diag);
    if (sek_about_is_net((enum sek_about)about))
        return net_from_text((enum sek_about)about, text, len, out_scope, out, diag);
    *out_scope = SEK_SCOPE_EXACT;
    return about == SEK_ABOUT_REGEX ? sek_pattern_from_text(text, len, out, diag)
                                    : place_from_text((enum sek_about)about, text, len, out, diag);
}

/* An owner name found in list notation that is about places or texts. */
static enum sek_err other_settle(enum sek_about about, enum sek_scope *io_scope,
                                 struct sek_name *io_owner, struct sek_diag *diag)
{
    char text[SEK_NAME_TEXT_MAX];
    const char *word = sek_lookup_name(sek_about_names, (int)about);
    bool regex = about == SEK_ABOUT_REGEX;
    size_t n = regex ? sek_pattern_to_text(io_owner, text) : place_to_text(about, io_owner, text);
    if (n == 0 || *io_scope == SEK_SCOPE_BELOW)
        return sek_diag_set(diag, SEK_E_INVALID, "not in the form of %s; write it as %s:…",
                            labels[about], word);
    *io_scope = SEK_SCOPE_EXACT;
    return regex ? sek_pattern_from_text(text, n, io_owner, diag) : SEK_OK;
}

enum sek_err sek_about_settle(enum sek_scope *io_scope, struct sek_name *io_owner,
                              struct sek_diag *diag)
{
    enum sek_about about = sek_about_of(io_owner);
    struct sek_net net;
    if (about == SEK_ABOUT_NAME || about == SEK_ABOUT_NSDNAME)
        return SEK_OK;
    if (!sek_about_is_net(about))
        return other_settle(about, io_scope, io_owner, diag);
    if (*io_scope == SEK_SCOPE_BELOW)
        return sek_diag_set(diag, SEK_E_INVALID, "a rule about addresses has no '*'");
    enum sek_err err = sek_about_to_net(io_owner, &net, diag);
    if (err != SEK_OK)
        return err;
    sek_about_from_net(about, &net, io_owner);
    *io_scope = SEK_SCOPE_EXACT;
    return SEK_OK;
}

size_t sek_about_to_text(enum sek_scope scope, const uint8_t *owner, char *out)
{
    struct sek_name name, server;
    struct sek_net net;
    char text[SEK_NET_TEXT_MAX];
    if (sek_name_from_wire(owner, SEK_NAME_MAX, &name) != SEK_OK)
        return 0;
    enum sek_about about = sek_about_of(&name);
    if (about == SEK_ABOUT_NAME)
        return 0;
    size_t n = (size_t)snprintf(out, SEK_NAME_TEXT_MAX,
                                "%s:", sek_lookup_name(sek_about_names, (int)about));
    if (about == SEK_ABOUT_NSDNAME) {
        sek_about_to_server(&name, &server);
        return n + sek_rule_to_text(scope, server.octets, out + n);
    }
    if (!sek_about_is_net(about)) {
        size_t more = about == SEK_ABOUT_REGEX ? sek_pattern_to_text(&name, out + n)
                                               : place_to_text(about, &name, out + n);
        return more ? n + more : 0;
    }
    if (sek_about_to_net(&name, &net, NULL) != SEK_OK)
        return 0;
    return n + (size_t)snprintf(out + n, SEK_NAME_TEXT_MAX - n, "%s", sek_net_to_text(&net, text));
}

size_t sek_about_met_to_text(const char *met, char *out)
{
    struct sek_name name, server;
    struct sek_net net;
    char text[SEK_NET_TEXT_MAX];
    enum sek_about about = SEK_ABOUT_NAME;
    size_t n = 0;
    if (strstr(met, "rpz-") && sek_name_from_text(met, strlen(met), &name, NULL) == SEK_OK)
        about = sek_about_of(&name);
    if (about == SEK_ABOUT_NSDNAME) {
        sek_about_to_server(&name, &server);
        return sek_name_to_text(server.octets, out);
    }
    if (sek_about_is_net(about) && sek_about_to_net(&name, &net, NULL) == SEK_OK)
        return (size_t)snprintf(out, SEK_NAME_TEXT_MAX, "%s", sek_net_to_text(&net, text));
    if (about != SEK_ABOUT_NAME)
        n = sek_about_to_text(SEK_SCOPE_EXACT, name.octets, out);
    return n ? n : (size_t)snprintf(out, SEK_NAME_TEXT_MAX, "%s", met);
}
