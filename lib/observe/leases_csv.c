/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables with a head line: inventories as people keep them, and Kea's memfile. */
#include "observe/leases_parts.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

/* Kea: doc/sphinx/arm/dhcp4-srv.rst "Memfile"; src/lib/dhcpsrv/csv_lease_file4.h, …6.h */
enum { KEA_DEFAULT = 0, KEA_DECLINED = 1, KEA_RECLAIMED = 2, KEA_RELEASED = 3 };

static const struct {
    const char *name;
    enum sek_lease_field field;
} inventory_columns[] =
    {
        {"address", SEK_LEASE_F_ADDRESS}, {"mac", SEK_LEASE_F_MAC},     {"name", SEK_LEASE_F_NAME},
        {"owner", SEK_LEASE_F_OWNER},     {"group", SEK_LEASE_F_GROUP}, {"from", SEK_LEASE_F_FROM},
        {"until", SEK_LEASE_F_UNTIL},
},
  kea_columns[] = {
      {"address", SEK_LEASE_F_ADDRESS},
      {"hwaddr", SEK_LEASE_F_MAC},
      {"hostname", SEK_LEASE_F_NAME},
      {"duid", SEK_LEASE_F_DUID},
      {"valid_lifetime", SEK_LEASE_F_LIFETIME},
      {"expire", SEK_LEASE_F_EXPIRE},
      {"state", SEK_LEASE_F_STATE},
      {"prefix_len", SEK_LEASE_F_PREFIX_LEN},
      {"lease_type", SEK_LEASE_F_TYPE},
};

/* --- fields ------------------------------------------------------------------------------------
 */

/* The next field of a record, unquoted in place (RFC 4180 §2); *p moves behind it, to NULL at the
 * end. Blanks before a quote are passed over. NULL: text behind the closing quote. */
static char *next_field(char **p, char between)
{
    char *at = *p, *field = at, *out, *quote = at + strspn(at, between == '\t' ? " " : " \t");

    if (*quote != '"') {
        char *end = strchr(at, between);
        *p = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        return field;
    }
    field = out = quote;
    for (at = quote + 1; *at; at++) {
        if (*at == '"' && at[1] != '"')
            break;
        at += *at == '"';
        *out++ = *at;
    }
    at += *at == '"';
    at += strspn(at, between == '\t' ? " " : " \t");
    if (*at && *at != between)
        return NULL;
    *p = *at ? at + 1 : NULL;
    *out = '\0';
    return field;
}

/* An odd number of quotes: the record goes on in the next line. */
static bool is_whole(const char *record)
{
    bool whole = true;

    for (; *record; record++)
        whole ^= *record == '"';
    return whole;
}

/* --- head --------------------------------------------------------------------------------------
 */

static void trim(char *text)
{
    size_t n = strlen(text), begin = strspn(text, " \t");

    while (n > begin && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    memmove(text, text + begin, n - begin);
    text[n - begin] = '\0';
}

static enum sek_lease_field field_of(const char *name, bool kea)
{
    size_t n = kea ? sizeof kea_columns / sizeof kea_columns[0]
                   : sizeof inventory_columns / sizeof inventory_columns[0];
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(kea ? kea_columns[i].name : inventory_columns[i].name, name) == 0)
            return kea ? kea_columns[i].field : inventory_columns[i].field;
    return SEK_LEASE_F_NONE;
}

bool sek__leases_csv_head(struct sek_leases *l, const char *line)
{
    char copy[SEK_LEASE_LINE_MAX + 4], *p = copy, *field;
    bool kea = strstr(line, "valid_lifetime") && strstr(line, "expire");
    bool has_subject = false;
    unsigned n = 0;

    l->between = strchr(line, ',')    ? ','
                 : strchr(line, ';')  ? ';'
                 : strchr(line, '\t') ? '\t'
                                      : ',';
    memcpy(copy, line, strlen(line) + 1);
    while (p && n < SEK_CSV_COLS_MAX && (field = next_field(&p, l->between))) {
        trim(field);
        l->columns[n] = field_of(field, kea);
        has_subject |= l->columns[n] == SEK_LEASE_F_ADDRESS || l->columns[n] == SEK_LEASE_F_MAC;
        n++;
    }
    if (!has_subject || (n < 2 && !kea))
        return false;
    l->n_columns = n;
    l->format = kea ? SEK_LEASE_KEA : SEK_LEASE_CSV;
    return true;
}

/* --- records -----------------------------------------------------------------------------------
 */

struct kea {
    int64_t lifetime_s, expire_s;
    int state;
    const char *duid;
    bool prefix; /* of a delegation, not one address */
};

/* Kea writes a comma within a text as "&#x2c". */
static void unescape_kea(char *text)
{
    char *out = text;

    for (; *text; text++) {
        if (strncasecmp(text, "&#x2c", 5) == 0) {
            *out++ = ',';
            text += 4;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static bool is_number(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < 12 && !text[n];
}

static bool take_kea(struct sek_leases *l, struct sek_lease *lease, struct kea *k,
                     enum sek_lease_field field, char *text)
{
    bool number =
        field == SEK_LEASE_F_LIFETIME || field == SEK_LEASE_F_EXPIRE || field == SEK_LEASE_F_STATE;
    if (number && !is_number(text)) {
        sek__lease_bad(l, l->record_line, "\"%.60s\" is no number", text);
        return false;
    }
    switch (field) {
    case SEK_LEASE_F_LIFETIME:
        k->lifetime_s = strtoll(text, NULL, 10);
        return true;
    case SEK_LEASE_F_EXPIRE:
        k->expire_s = strtoll(text, NULL, 10);
        return true;
    case SEK_LEASE_F_STATE:
        k->state = (int)strtol(text, NULL, 10);
        return true;
    case SEK_LEASE_F_DUID:
        k->duid = text;
        return true;
    case SEK_LEASE_F_TYPE: /* 0 and 1 are addresses, 2 is a prefix */
        k->prefix |= strcmp(text, "2") == 0;
        return true;
    case SEK_LEASE_F_PREFIX_LEN:
        return true;
    default:
        unescape_kea(text);
        return sek__lease_set(l, l->record_line, lease, field, text);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What the file calls expiry is the last renewal and the life time from then. A lease that is taken
 * out is written once more with life time 0: when that happened is not said. */
static enum sek_err tell_kea(struct sek_leases *l, struct sek_lease *lease, const struct kea *k)
{
    if (k->prefix || k->state == KEA_DECLINED || k->state > KEA_RELEASED)
        return SEK_OK;
    if (k->expire_s < k->lifetime_s && k->lifetime_s != UINT32_MAX) {
        sek__lease_bad(l, l->record_line, "expires before it begins");
        return SEK_OK;
    }
    if (!*lease->machine.mac && k->duid)
        sek__lease_mac_of_duid(k->duid, lease->machine.mac);
    if (!*lease->machine.mac && !*lease->machine.name)
        return SEK_OK; /* nothing by which one could know it */
    lease->from_s = k->expire_s >= k->lifetime_s ? k->expire_s - k->lifetime_s : 0;
    lease->until_s = k->lifetime_s == UINT32_MAX ? SEK_LEASE_OPEN_S : k->expire_s;
    if (k->state == KEA_RECLAIMED) {
        lease->end = SEK_LEASE_ENDED;
    } else if (k->lifetime_s == 0 || k->state == KEA_RELEASED) {
        lease->end = SEK_LEASE_GONE;
        lease->until_s = k->lifetime_s ? earlier(lease->until_s, l->time_s) : l->time_s;
    }
    if (lease->until_s <= lease->from_s)
        lease->until_s = lease->from_s + 1;
    return sek__lease_tell(l, l->record_line, lease);
}

static enum sek_err take_record(struct sek_leases *l, char *record)
{
    bool is_kea = l->format == SEK_LEASE_KEA;
    struct sek_lease lease;
    struct kea k = {0};
    char *p = record, *field;

    sek__lease_init(&lease);
    for (unsigned i = 0; p && i < l->n_columns; i++) {
        if (!(field = next_field(&p, l->between))) {
            sek__lease_bad(l, l->record_line, "has text behind a closing quote");
            return SEK_OK;
        }
        if (is_kea ? !take_kea(l, &lease, &k, l->columns[i], field)
                   : !sek__lease_set(l, l->record_line, &lease, l->columns[i], field))
            return SEK_OK;
    }
    if (is_kea)
        return tell_kea(l, &lease, &k);
    if (lease.from_s != SEK_LEASE_UNDATED || lease.until_s != SEK_LEASE_OPEN_S)
        lease.end = SEK_LEASE_ENDED;
    return sek__lease_tell(l, l->record_line, &lease);
}

enum sek_err sek__leases_csv(struct sek_leases *l, char *line)
{
    if (!l->n_columns) {
        enum sek_lease_format as = l->format; /* the head of the other kind is none of ours */
        if (!sek__leases_csv_head(l, line) && *line && *line != '#')
            sek__lease_bad(l, l->line, "is no head line: it has no column address or mac");
        l->format = as;
        return SEK_OK;
    }
    if (l->record.len == 0) {
        if (!line[strspn(line, " \t")] || *line == '#')
            return SEK_OK;
        l->record_line = l->line;
    } else {
        sek_buf_add(&l->record, "\n", 1);
    }
    sek_buf_add_text(&l->record, line);
    if (!l->record.failed && !is_whole(l->record.data))
        return SEK_OK;
    enum sek_err err = SEK_OK;
    if (l->record.failed)
        sek__lease_bad(l, l->record_line, "has a quote that is not closed within %d octets",
                       SEK_LEASE_LINE_MAX);
    else
        err = take_record(l, l->record.data);
    sek_buf_reset(&l->record);
    return err;
}

enum sek_err sek__leases_csv_end(struct sek_leases *l)
{
    if (l->record.len)
        sek__lease_bad(l, l->record_line, "has a quote that is not closed");
    return SEK_OK;
}
