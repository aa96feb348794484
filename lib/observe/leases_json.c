/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects one after the other, in an array or not, whatever the lines: each is collected by itself
 * and then read. */
#include "observe/leases_parts.h"
#include "base/jsonscan.h"
#include <string.h>
#include "base/banned.h"

static enum sek_lease_field field_of(const char *key)
{
    static const struct sek_lookup keys[] = {
        {SEK_LEASE_F_ADDRESS, "address"}, {SEK_LEASE_F_MAC, "mac"},
        {SEK_LEASE_F_NAME, "name"},       {SEK_LEASE_F_OWNER, "owner"},
        {SEK_LEASE_F_GROUP, "group"},     {SEK_LEASE_F_FROM, "from"},
        {SEK_LEASE_F_UNTIL, "until"},     {0, NULL},
    };
    int id = sek_lookup_id(keys, key);
    return id < 0 ? SEK_LEASE_F_NONE : (enum sek_lease_field)id;
}

static enum sek_err take_object(struct sek_leases *l)
{
    struct sek_jsonscan s = {.at = l->record.data};
    struct sek_lease lease;

    sek__lease_init(&lease);
    while (sek_jsonscan_next(&s)) {
        bool text = s.at[-1] == '"';
        enum sek_lease_field field = field_of(s.key);
        if (field == SEK_LEASE_F_NONE || (!text && strcmp(s.value, "null") == 0))
            continue;
        if (strlen(s.value) == SEK_JSONSCAN_VALUE - 1) {
            sek__lease_bad(l, l->record_line, "%s is too long", s.key);
            return SEK_OK;
        }
        if (!sek__lease_set(l, l->record_line, &lease, field, s.value))
            return SEK_OK;
    }
    if (lease.from_s != SEK_LEASE_UNDATED || lease.until_s != SEK_LEASE_OPEN_S)
        lease.end = SEK_LEASE_ENDED;
    return sek__lease_tell(l, l->record_line, &lease);
}

static enum sek_err end_object(struct sek_leases *l)
{
    enum sek_err err = SEK_OK;

    if (l->record.failed)
        sek__lease_bad(l, l->record_line, "the object is longer than %d octets",
                       SEK_LEASE_LINE_MAX);
    else if (l->record_bad)
        sek__lease_bad(l, l->record_line,
                       "the object holds an array of objects; give that array alone");
    else
        err = take_object(l);
    sek_buf_reset(&l->record);
    l->record_bad = false;
    return err;
}

/* Between objects. */
static void take_between(struct sek_leases *l, char c)
{
    static const char fine[] = " \t\r\n,[]";

    if (c && strchr(fine, c)) {
        l->said_junk &= c != '\n';
        return;
    }
    if (!l->said_junk)
        sek__lease_bad(l, l->line, "is no JSON object");
    l->said_junk = true;
}

static enum sek_err take_char(struct sek_leases *l, char c)
{
    if (l->depth == 0 && c != '{') {
        take_between(l, c);
        return SEK_OK;
    }
    if (l->depth == 0)
        l->record_line = l->line;
    sek_buf_add(&l->record, c ? &c : "?", 1);
    if (l->in_string) {
        l->in_string = l->escaped || c != '"';
        l->escaped = !l->escaped && c == '\\';
        return SEK_OK;
    }
    l->in_string = c == '"';
    if (c == '[')
        l->n_brackets++;
    else if (c == ']')
        l->n_brackets -= l->n_brackets > 0;
    else if (c == '{') {
        l->record_bad |= l->n_brackets > 0;
        l->depth++;
    } else if (c == '}' && --l->depth == 0) {
        l->n_brackets = 0;
        return end_object(l);
    }
    return SEK_OK;
}

enum sek_err sek__leases_json(struct sek_leases *l, const char *data, size_t n)
{
    enum sek_err err = SEK_OK;

    for (size_t i = 0; i < n && !err; i++) {
        err = take_char(l, data[i]);
        l->line += data[i] == '\n';
    }
    return err;
}

enum sek_err sek__leases_json_end(struct sek_leases *l)
{
    if (l->depth > 0)
        sek__lease_bad(l, l->record_line, "the object does not end: the file is cut off");
    return SEK_OK;
}
