/* SPDX-License-Identifier: BSD-3-Clause */
/* Records that a rule answers with (RPZ's Local-Data): their types and data, without owner, class
 * and TTL, one after the other. Read in place by the answer path; the text is that of zone files
 * (RFC 1035 §5.1), through ldns, for the command. Any thread. */
#pragma once
#include "base/buf.h"
#include "name/name.h"

#define SEK_TYPE_CNAME 5 /* RFC 1035 §3.2.2 */
/* In front of the others, no record of an answer: a type (2 octets) and the TTL of its records (4),
 * where that is not the rule's. */
#define SEK_TYPE_TTL 0

struct sek_record {
    uint16_t type;
    uint16_t n;          /* octets of data */
    const uint8_t *data; /* names uncompressed */
};

/* The record at *at, which moves behind it. False at the end, and where octets are missing. */
static inline bool sek_record_next(const uint8_t **at, const uint8_t *end, struct sek_record *out)
{
    const uint8_t *p = *at;
    if (end - p < 4)
        return false;
    out->type = (uint16_t)(p[0] << 8 | p[1]);
    out->n = (uint16_t)(p[2] << 8 | p[3]);
    out->data = p + 4;
    if (end - out->data < out->n)
        return false;
    *at = out->data + out->n;
    return true;
}

/* The TTL of the records of a type; ttl_s: the rule's. */
static inline uint32_t sek_record_ttl(const uint8_t *data, size_t n, uint16_t type, uint32_t ttl_s)
{
    const uint8_t *end = data + n;
    struct sek_record r;
    while (sek_record_next(&data, end, &r) && r.type == SEK_TYPE_TTL)
        if (r.n == 6 && (r.data[0] << 8 | r.data[1]) == type)
            return (uint32_t)r.data[2] << 24 | (uint32_t)r.data[3] << 16 |
                   (uint32_t)r.data[4] << 8 | r.data[5];
    return ttl_s;
}

/* Are the n octets of records an alias, and does it lead to that very name? */
static inline bool sek_record_leads_to(const uint8_t *data, size_t n, const struct sek_name *name)
{
    struct sek_record r;
    struct sek_name target;
    return n > 0 && sek_record_next(&data, data + n, &r) && r.type == SEK_TYPE_CNAME &&
           sek_name_from_wire(r.data, r.n, &target) == SEK_OK &&
           sek_name_equal(target.octets, target.len, name->octets, name->len);
}

/* "A 192.0.2.1", "TXT \"a text\"", "CNAME *.garden.example" among the records of io, sorted; the
 * very same again changes nothing. io: its octets, *io_n of `room`. out_type: may be NULL. INVALID;
 * LIMIT past the room. */
enum sek_err sek_record_add(const char *text, uint8_t *io, size_t *io_n, size_t room,
                            uint16_t *out_type, struct sek_diag *diag);
/* What sek_record_ttl is to say of a type, in place of what it says. LIMIT. */
enum sek_err sek_record_ttl_put(uint8_t *io, size_t *io_n, size_t room, uint16_t type,
                                uint32_t ttl_s, struct sek_diag *diag);
/* The same of each type that has no TTL of its own. */
enum sek_err sek_record_ttls_note(uint8_t *io, size_t *io_n, size_t room, uint32_t ttl_s,
                                  struct sek_diag *diag);
/* The one way to say it: the smallest is the rule's, and only what is not is noted. */
enum sek_err sek_record_ttls_settle(uint8_t *io, size_t *io_n, size_t room, uint32_t *io_ttl_s,
                                    struct sek_diag *diag);
/* As above, for one that was read; appended. */
enum sek_err sek_record_to_text(const struct sek_record *r, struct sek_buf *out);
