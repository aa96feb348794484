/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/leases_parts.h"
#include "base/utf8.h"
#include "observe/logtime.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

#define BLANKS " \t"
#define DNSMASQ_LEASE_S 3600 /* dnsmasq's default: a lease that is over began so long before */

const struct sek_lookup sek_lease_format_names[] = {
    {SEK_LEASE_CSV, "csv"}, {SEK_LEASE_JSON, "json"},       {SEK_LEASE_DHCPD, "dhcpd"},
    {SEK_LEASE_KEA, "kea"}, {SEK_LEASE_DNSMASQ, "dnsmasq"}, {0, NULL},
};

/* --- parts of a statement ----------------------------------------------------------------------
 */

void sek__lease_init(struct sek_lease *lease)
{
    *lease = (struct sek_lease){.from_s = SEK_LEASE_UNDATED, .until_s = SEK_LEASE_OPEN_S};
}

void sek__lease_bad(struct sek_leases *l, uint64_t line, const char *fmt, ...)
{
    char why[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    l->sink.bad(l->sink.arg, line, why);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void mac_to_text(const uint8_t *octets, size_t n, char out[SEK_LEASE_MAC_MAX])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[3 * i] = digits[octets[i] >> 4];
        out[3 * i + 1] = digits[octets[i] & 15];
        out[3 * i + 2] = ':';
    }
    out[3 * n - 1] = '\0';
}

/* Octets in hex; between two of them (or two pairs, as Cisco writes) one of ":-. " or nothing.
 * Returns how many, 0 for anything else. */
static size_t octets_from_text(const char *text, uint8_t *out, size_t most)
{
    size_t n = 0;

    while (*text) {
        int high = hex_value(text[0]), low = high < 0 ? -1 : hex_value(text[1]);
        if (low < 0 && high >= 0 && (text[1] == ':' || text[1] == '\0')) { /* "0:1b" */
            low = high;
            high = 0;
            text--;
        }
        if (low < 0 || n == most)
            return 0;
        out[n++] = (uint8_t)(high << 4 | low);
        text += 2;
        if (*text && strchr(":-. ", *text) && hex_value(text[1]) >= 0)
            text++;
    }
    return n;
}

bool sek_mac_from_text(const char *text, char out[SEK_LEASE_MAC_MAX])
{
    uint8_t octets[SEK_LEASE_MAC_OCTETS_MAX];
    size_t n = octets_from_text(text, octets, sizeof octets);

    if (n != 6 && n != 8 && n != 20)
        return false;
    mac_to_text(octets, n, out);
    return true;
}

bool sek__lease_mac_of_duid(const char *duid, char out[SEK_LEASE_MAC_MAX])
{
    uint8_t octets[130];
    size_t n = octets_from_text(duid, octets, sizeof octets);
    size_t at = n > 4 && octets[0] == 0 && octets[1] == 1   ? 8
                : n > 4 && octets[0] == 0 && octets[1] == 3 ? 4
                                                            : n;
    if (at + 6 != n || octets[2] != 0 || octets[3] != 1) /* Ethernet */
        return false;
    mac_to_text(octets + at, 6, out);
    return true;
}

bool sek__lease_text(const char *text, char out[SEK_LEASE_TEXT_MAX])
{
    size_t len = strlen(text), n = 0;

    while (len && strchr(" \t\r\n", *text))
        text++, len--;
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    for (size_t step; len; text += step, len -= step) {
        uint32_t point;
        step = sek_utf8_next(text, len, &point);
        const char *kept = text;
        size_t n_kept = step;
        if (step == 0 || sek_utf8_is_deceptive(point)) {
            bool blank = step && (point == '\n' || point == '\r' || point == '\t');
            kept = blank ? " " : "?";
            n_kept = 1;
            step = step ? step : 1;
        }
        if (n + n_kept >= SEK_LEASE_TEXT_MAX)
            return false;
        memcpy(out + n, kept, n_kept);
        n += n_kept;
    }
    out[n] = '\0';
    return true;
}

/* "" for what is no name: dnsmasq's "*". Without the root's dot. */
static bool set_name(struct sek_lease *lease, const char *text)
{
    char *name = lease->machine.name;

    if (!sek__lease_text(text, name))
        return false;
    size_t n = strlen(name);
    if (n > 1 && name[n - 1] == '.')
        name[n - 1] = '\0';
    if (strcmp(name, "*") == 0 || strcmp(name, ".") == 0)
        *name = '\0';
    return true;
}

static bool set_time(struct sek_leases *l, const char *text, int64_t *out)
{
    size_t n = strspn(text, "0123456789");

    if (n > 0 && n < 12 && text[n] == '\0') { /* Unix time of any age */
        *out = strtoll(text, NULL, 10);
        return true;
    }
    return sek_logtime_take(&text, l->time_s, out) && *text == '\0' && *out >= 0;
}

bool sek__lease_set(struct sek_leases *l, uint64_t line, struct sek_lease *lease,
                    enum sek_lease_field field, const char *text)
{
    const char *what = NULL;

    text += strspn(text, BLANKS);
    if (!*text)
        return true;
    switch (field) {
    case SEK_LEASE_F_ADDRESS:
        what = sek_addr_from_text(text, &lease->addr, NULL) ? "IP address" : NULL;
        lease->has_addr = !what;
        break;
    case SEK_LEASE_F_MAC:
        what = sek_mac_from_text(text, lease->machine.mac) ? NULL : "MAC address";
        break;
    case SEK_LEASE_F_FROM:
        what = set_time(l, text, &lease->from_s) ? NULL : "time";
        break;
    case SEK_LEASE_F_UNTIL:
        what = set_time(l, text, &lease->until_s) ? NULL : "time";
        break;
    case SEK_LEASE_F_NAME:
        what = set_name(lease, text) ? NULL : "";
        break;
    case SEK_LEASE_F_OWNER:
        what = sek__lease_text(text, lease->machine.owner) ? NULL : "";
        break;
    case SEK_LEASE_F_GROUP:
        what = sek__lease_text(text, lease->machine.group) ? NULL : "";
        break;
    default:
        break;
    }
    if (what && *what)
        sek__lease_bad(l, line, "\"%.60s\" is no %s", text, what);
    else if (what)
        sek__lease_bad(l, line, "name, owner or group is longer than %d octets",
                       SEK_LEASE_TEXT_MAX - 1);
    return !what;
}

enum sek_err sek__lease_tell(struct sek_leases *l, uint64_t line, const struct sek_lease *lease)
{
    const struct sek_machine *m = &lease->machine;

    if (!lease->has_addr && !*m->mac) {
        sek__lease_bad(l, line, "has neither address nor mac");
        return SEK_OK;
    }
    if (!*m->name && !*m->owner && !*m->group && !(lease->has_addr && *m->mac)) {
        sek__lease_bad(l, line, "says nothing of the machine");
        return SEK_OK;
    }
    if (lease->until_s <= lease->from_s) {
        sek__lease_bad(l, line, "ends before it begins");
        return SEK_OK;
    }
    return l->sink.lease(l->sink.arg, lease);
}

bool sek_machine_name_is_like(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    if (n > m)
        return sek_machine_name_is_like(b, a);
    return n > 0 && strncasecmp(a, b, n) == 0 && (n == m || (b[n] == '.' && !strchr(a, '.')));
}

/* --- dnsmasq -----------------------------------------------------------------------------------
 */

/* "1795168800 00:11:22:33:44:55 192.0.2.5 pc1 01:00:…", and behind a line "duid …"
 * "1795168800 7602641 2001:db8::5 pc1 00:01:…". Expiry 0: never. A MAC may have its hardware type
 * in front, "06-00:…"; an address of an IPv6 lease may be temporary: its number is "T7602641". */
static enum sek_err take_dnsmasq(struct sek_leases *l, char *line)
{
    char *word[5] = {"", "", "", "", ""}, *rest = line;
    struct sek_lease lease;
    int n = 0;

    for (char *w; n < 5 && (w = strtok_r(n ? NULL : line, BLANKS, &rest)); n++)
        word[n] = w;
    if (n == 0 || strcmp(word[0], "duid") == 0)
        return SEK_OK;
    sek__lease_init(&lease);
    if (n < 4 || strspn(word[0], "0123456789") != strlen(word[0]) || strlen(word[0]) > 11) {
        sek__lease_bad(l, l->line, "is no lease: expiry, MAC, address and name are due");
        return SEK_OK;
    }
    if (!sek__lease_set(l, l->line, &lease, SEK_LEASE_F_ADDRESS, word[2]) ||
        !sek__lease_set(l, l->line, &lease, SEK_LEASE_F_NAME, word[3]))
        return SEK_OK;
    if (sek_addr_is_v4(&lease.addr)) {
        const char *mac = word[1][0] && word[1][1] && word[1][2] == '-' ? word[1] + 3 : word[1];
        sek_mac_from_text(mac, lease.machine.mac); /* other hardware has none */
    } else {
        sek__lease_mac_of_duid(word[4], lease.machine.mac);
    }
    int64_t until_s = strtoll(word[0], NULL, 10);
    lease.from_s = l->time_s;
    if (until_s) {
        lease.until_s = until_s;
        if (until_s - DNSMASQ_LEASE_S < lease.from_s)
            lease.from_s = until_s > DNSMASQ_LEASE_S ? until_s - DNSMASQ_LEASE_S : 0;
    }
    return *lease.machine.mac || *lease.machine.name ? sek__lease_tell(l, l->line, &lease) : SEK_OK;
}

/* --- which one it is ---------------------------------------------------------------------------
 */

static bool begins_with(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* 0: the line does not tell. */
static enum sek_lease_format format_of(struct sek_leases *l, const char *line)
{
    static const char *const dhcpd[] = {"lease ",
                                        "authoring-byte-order ",
                                        "server-duid ",
                                        "failover peer ",
                                        "host ",
                                        "ia-na ",
                                        "ia-ta ",
                                        "ia-pd ",
                                        "# The format of this file is documented in the dhcpd."};
    for (size_t i = 0; i < sizeof dhcpd / sizeof dhcpd[0]; i++)
        if (begins_with(line, dhcpd[i]))
            return SEK_LEASE_DHCPD;
    if (*line == '#')
        return 0;
    if (sek__leases_csv_head(l, line))
        return l->format;
    size_t n = strspn(line, "0123456789");
    return begins_with(line, "duid ") || (n > 0 && line[n] == ' ') ? SEK_LEASE_DNSMASQ : 0;
}

static enum sek_err take_line(struct sek_leases *l, char *line, struct sek_diag *diag)
{
    const char *first = line + strspn(line, BLANKS);

    if (!l->format) {
        if (!*first)
            return SEK_OK;
        l->format = format_of(l, first);
        if (!l->format && *first == '#')
            return SEK_OK;
        if (!l->format)
            return sek_diag_set(diag, SEK_E_INVALID,
                                "line %" PRIu64 " tells no format that is known: a head line with "
                                "address or mac is due for csv; --as names another",
                                l->line);
        if (l->n_columns) /* the head line */
            return SEK_OK;
    }
    switch (l->format) {
    case SEK_LEASE_CSV:
    case SEK_LEASE_KEA:
        return sek__leases_csv(l, line);
    case SEK_LEASE_DHCPD:
        return sek__leases_dhcpd(l, line);
    default:
        return *first && *first != '#' ? take_dnsmasq(l, line) : SEK_OK;
    }
}

/* --- lines -------------------------------------------------------------------------------------
 */

enum sek_err sek_leases_new(enum sek_lease_format format, int64_t time_s,
                            const struct sek_lease_sink *sink, struct sek_leases **out)
{
    struct sek_leases *l = calloc(1, sizeof *l);

    if (!l)
        return SEK_E_NOMEM;
    l->format = format;
    l->time_s = time_s;
    l->sink = *sink;
    l->line = 1;
    sek_buf_init(&l->record, SEK_LEASE_LINE_MAX);
    *out = l;
    return SEK_OK;
}

void sek_leases_free(struct sek_leases *l)
{
    if (l)
        sek_buf_fini(&l->record);
    free(l);
}

enum sek_lease_format sek_leases_format(const struct sek_leases *l)
{
    return l->format;
}

static enum sek_err end_line(struct sek_leases *l, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    char *text = l->text;

    if (l->len > 0 && text[l->len - 1] == '\r')
        l->len--;
    text[l->len] = '\0';
    if (l->line == 1 && begins_with(text, "\xef\xbb\xbf"))
        text += 3;
    if (l->too_long)
        sek__lease_bad(l, l->line, "longer than %d octets", SEK_LEASE_LINE_MAX);
    else if (l->has_nul)
        sek__lease_bad(l, l->line, "holds a NUL octet");
    else
        err = take_line(l, text, diag);
    l->len = 0;
    l->too_long = l->has_nul = false;
    l->line++;
    return err;
}

static void add_piece(struct sek_leases *l, const char *piece, size_t n)
{
    if (n > SEK_LEASE_LINE_MAX - l->len) {
        n = SEK_LEASE_LINE_MAX - l->len;
        l->too_long = true;
    }
    if (memchr(piece, '\0', n))
        l->has_nul = true;
    memcpy(l->text + l->len, piece, n);
    l->len += n;
}

/* Whether it is JSON, by the first character that is no blank; how many octets were passed over. */
static size_t look_at_begin(struct sek_leases *l, const char *data, size_t n)
{
    static const char before[] = "\xef\xbb\xbf \t\r\n";
    size_t at = 0;

    while (at < n && data[at] && strchr(before, data[at]) && l->len == 0) {
        l->line += data[at] == '\n';
        at++;
    }
    if (at == n)
        return at;
    l->told = true;
    if (!l->format && (data[at] == '[' || data[at] == '{'))
        l->format = SEK_LEASE_JSON;
    return at;
}

enum sek_err sek_leases_feed(struct sek_leases *l, const char *data, size_t n,
                             struct sek_diag *diag)
{
    const char *end = data + n;
    enum sek_err err = SEK_OK;

    if (!l->told)
        data += look_at_begin(l, data, n);
    if (l->format == SEK_LEASE_JSON)
        return sek__leases_json(l, data, (size_t)(end - data));
    while (data < end && !err) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        add_piece(l, data, (size_t)((newline ? newline : end) - data));
        if (newline)
            err = end_line(l, diag);
        data = newline ? newline + 1 : end;
    }
    return err;
}

enum sek_err sek_leases_end(struct sek_leases *l, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;

    if (l->format == SEK_LEASE_JSON)
        return sek__leases_json_end(l);
    if (l->len > 0 || l->too_long)
        err = end_line(l, diag);
    if (!err && (l->format == SEK_LEASE_CSV || l->format == SEK_LEASE_KEA))
        err = sek__leases_csv_end(l);
    if (!err && l->format == SEK_LEASE_DHCPD)
        err = sek__leases_dhcpd_end(l);
    return err;
}
