/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/records.h"
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define RECORD_HEAD 4

/* Types that mean something only between servers, or that a signature would have to be for. */
static bool is_answerable(unsigned type)
{
    switch (type) {
    case LDNS_RR_TYPE_OPT:
    case LDNS_RR_TYPE_RRSIG:
    case LDNS_RR_TYPE_SIG:
    case LDNS_RR_TYPE_NSEC:
    case LDNS_RR_TYPE_NSEC3:
    case LDNS_RR_TYPE_NSEC3PARAM:
    case LDNS_RR_TYPE_DNSKEY:
    case LDNS_RR_TYPE_DS:
    case LDNS_RR_TYPE_SOA:
    case LDNS_RR_TYPE_DNAME:
        return false;
    default:
        return type > 0 && (type < 128 || type > 255); /* RFC 6895 §3.1: meta types */
    }
}

/* The octets of a record; *out_n 0 when there is no room. */
static void pack(const ldns_rr *rr, uint8_t *out, size_t room, size_t *out_n)
{
    size_t n = RECORD_HEAD;
    *out_n = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
        if (!rdf || n + ldns_rdf_size(rdf) > room)
            return;
        memcpy(out + n, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
        n += ldns_rdf_size(rdf);
    }
    if (n - RECORD_HEAD > UINT16_MAX)
        return;
    unsigned type = ldns_rr_get_type(rr), len = (unsigned)(n - RECORD_HEAD);
    out[0] = (uint8_t)(type >> 8);
    out[1] = (uint8_t)type;
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
    *out_n = n;
}

static int compare(const struct sek_record *a, const struct sek_record *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    int order = memcmp(a->data, b->data, a->n < b->n ? a->n : b->n);
    return order ? order : a->n - b->n;
}

static enum sek_err put(const uint8_t *octets, size_t n, uint8_t *io, size_t *io_n,
                        struct sek_diag *diag)
{
    const uint8_t *at = octets, *place = io, *next = io;
    struct sek_record fresh = {0}, old;
    sek_record_next(&at, octets + n, &fresh);
    for (; sek_record_next(&next, io + *io_n, &old);) {
        int order = compare(&old, &fresh);
        if (order == 0)
            return SEK_OK;
        if (old.type != SEK_TYPE_TTL && fresh.type != SEK_TYPE_TTL &&
            (old.type == SEK_TYPE_CNAME || fresh.type == SEK_TYPE_CNAME)) /* RFC 1034 §3.6.2 */
            return sek_diag_set(diag, SEK_E_INVALID, "a CNAME record excludes all others");
        if (order < 0)
            place = next;
    }
    size_t before = (size_t)(place - io);
    memmove(io + before + n, io + before, *io_n - before);
    memcpy(io + before, octets, n);
    *io_n += n;
    return SEK_OK;
}

enum sek_err sek_record_add(const char *text, uint8_t *io, size_t *io_n, size_t room,
                            uint16_t *out_type, struct sek_diag *diag)
{
    uint8_t *octets = malloc(room);
    char *line = NULL;
    ldns_rr *rr = NULL;
    ldns_rdf *root = ldns_dname_new_frm_str(".");
    size_t len = strlen(text), n = 0;
    enum sek_err err = SEK_OK;
    if (octets && root && (line = malloc(len + 16))) {
        memcpy(line, "x. 0 IN ", 8);
        memcpy(line + 8, text, len + 1);
        ldns_status status = ldns_rr_new_frm_str(&rr, line, 0, root, NULL);
        if (status != LDNS_STATUS_OK || !rr)
            err = sek_diag_set(diag, SEK_E_INVALID,
                               "'%.80s' is no record such as A 192.0.2.1 or CNAME garden.example"
                               " (%s)",
                               text, ldns_get_errorstr_by_id(status));
        else if (!is_answerable(ldns_rr_get_type(rr)))
            err = sek_diag_set(diag, SEK_E_INVALID, "'%.80s': nobody answers with this type", text);
        else
            pack(rr, octets, room, &n);
        if (!err && (n == 0 || *io_n + n > room))
            err = sek_diag_set(diag, SEK_E_LIMIT, "more than %zu octets of records", room);
        if (!err)
            err = put(octets, n, io, io_n, diag);
        if (!err && out_type)
            *out_type = (uint16_t)ldns_rr_get_type(rr);
    } else {
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    ldns_rr_free(rr);
    ldns_rdf_deep_free(root);
    free(line);
    free(octets);
    return err;
}

/* The record at `at` is taken out. */
static void cut(uint8_t *io, size_t *io_n, size_t at)
{
    const uint8_t *next = io + at;
    struct sek_record r;
    if (!sek_record_next(&next, io + *io_n, &r))
        return;
    size_t n = (size_t)(next - io) - at;
    memmove(io + at, next, *io_n - at - n);
    *io_n -= n;
}

enum sek_err sek_record_ttl_put(uint8_t *io, size_t *io_n, size_t room, uint16_t type,
                                uint32_t ttl_s, struct sek_diag *diag)
{
    const uint8_t octets[RECORD_HEAD + 6] = {0,
                                             SEK_TYPE_TTL,
                                             0,
                                             6,
                                             (uint8_t)(type >> 8),
                                             (uint8_t)type,
                                             (uint8_t)(ttl_s >> 24),
                                             (uint8_t)(ttl_s >> 16),
                                             (uint8_t)(ttl_s >> 8),
                                             (uint8_t)ttl_s};
    for (const uint8_t *at = io, *next = io;; at = next) {
        struct sek_record r;
        if (!sek_record_next(&next, io + *io_n, &r) || r.type != SEK_TYPE_TTL)
            break;
        if (memcmp(r.data, octets + RECORD_HEAD, 2) == 0) {
            cut(io, io_n, (size_t)(at - io));
            break;
        }
    }
    if (*io_n + sizeof octets > room)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %zu octets of records", room);
    return put(octets, sizeof octets, io, io_n, diag);
}

static bool has_ttls(const uint8_t *data, size_t n)
{
    struct sek_record r;
    return n > 0 && sek_record_next(&data, data + n, &r) && r.type == SEK_TYPE_TTL;
}

/* The next type of records behind this one; 0: none. */
static uint16_t next_type(const uint8_t *data, size_t n, uint16_t behind)
{
    const uint8_t *at = data;
    struct sek_record r;
    while (sek_record_next(&at, data + n, &r))
        if (r.type > behind)
            return r.type;
    return 0;
}

enum sek_err sek_record_ttls_note(uint8_t *io, size_t *io_n, size_t room, uint32_t ttl_s,
                                  struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (uint16_t type = 0; !err && (type = next_type(io, *io_n, type)) != 0;)
        err =
            sek_record_ttl_put(io, io_n, room, type, sek_record_ttl(io, *io_n, type, ttl_s), diag);
    return err;
}

enum sek_err sek_record_ttls_settle(uint8_t *io, size_t *io_n, size_t room, uint32_t *io_ttl_s,
                                    struct sek_diag *diag)
{
    uint32_t least = UINT32_MAX;
    enum sek_err err = SEK_OK;
    if (!has_ttls(io, *io_n))
        return SEK_OK;
    for (uint16_t type = 0; (type = next_type(io, *io_n, type)) != 0;) {
        uint32_t ttl_s = sek_record_ttl(io, *io_n, type, *io_ttl_s);
        least = ttl_s < least ? ttl_s : least;
    }
    err = sek_record_ttls_note(io, io_n, room, *io_ttl_s, diag);
    for (const uint8_t *at = io, *next = io; !err;) {
        struct sek_record r;
        if (!sek_record_next(&next, io + *io_n, &r) || r.type != SEK_TYPE_TTL)
            break;
        if (sek_record_ttl(io, *io_n, (uint16_t)(r.data[0] << 8 | r.data[1]), 0) == least) {
            cut(io, io_n, (size_t)(at - io));
            next = at;
        }
        at = next;
    }
    *io_ttl_s = least;
    return err;
}

enum sek_err sek_record_to_text(const struct sek_record *r, struct sek_buf *out)
{
    /* owner ".", type, class IN, TTL 0, length: what ldns reads as a record in a message */
    uint8_t *wire = malloc((size_t)r->n + 11);
    ldns_rr *rr = NULL;
    size_t at = 0;
    if (!wire)
        return SEK_E_NOMEM;
    const uint8_t head[11] = {0, (uint8_t)(r->type >> 8), (uint8_t)r->type, 0, 1, 0, 0, 0,
                              0, (uint8_t)(r->n >> 8),    (uint8_t)r->n};
    memcpy(wire, head, sizeof head);
    memcpy(wire + sizeof head, r->data, r->n);
    ldns_status status =
        ldns_wire2rr(&rr, wire, (size_t)r->n + sizeof head, &at, LDNS_SECTION_ANSWER);
    free(wire);
    if (status != LDNS_STATUS_OK)
        return SEK_E_CORRUPT;
    char *type = ldns_rr_type2str((ldns_rr_type)r->type);
    sek_buf_add_text(out, type ? type : "");
    free(type);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        char *text = ldns_rdf2str(ldns_rr_rdf(rr, i));
        sek_buf_add_fmt(out, " %s", text ? text : "");
        free(text);
    }
    ldns_rr_free(rr);
    return SEK_OK;
}
