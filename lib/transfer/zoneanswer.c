/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/zoneanswer.h"
#include "name/text.h"
#include "transfer/serial.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define HEADER 12      /* octets, RFC 1035 §4.1.1 */
#define SOA_NUMBERS 20 /* octets behind the two names */
#define LINE_MAX_OCTETS (2 * 65536 + 2 * SEK_NAME_TEXT_MAX + 64)

enum state {
    FIRST,  /* the SOA that begins every answer */
    SECOND, /* behind it: another SOA begins deltas, all else a whole zone */
    WHOLE,
    GOING, /* records that a delta removes */
    COMING,
    DONE,
};

struct sek_zoneanswer {
    enum sek_zone_question question;
    struct sek_name zone;
    uint32_t old_serial;
    enum state state;
    bool is_delta;
    uint32_t at_serial; /* that the deltas so far lead to */
    struct sek_zone_soa soa;
    struct sek_buf soa_line, line; /* line: the one being made */
    struct sek_lines lines;
};

enum sek_err sek_zoneanswer_new(enum sek_zone_question question, const struct sek_name *zone,
                                uint32_t old_serial, size_t cap, struct sek_zoneanswer **out)
{
    struct sek_zoneanswer *a = calloc(1, sizeof *a);
    if (!a)
        return SEK_E_NOMEM;
    a->question = question;
    a->zone = *zone;
    a->old_serial = old_serial;
    sek_buf_init(&a->soa_line, LINE_MAX_OCTETS);
    sek_buf_init(&a->line, LINE_MAX_OCTETS);
    sek_lines_init(&a->lines, cap);
    *out = a;
    return SEK_OK;
}

void sek_zoneanswer_free(struct sek_zoneanswer *a)
{
    if (!a)
        return;
    sek_buf_fini(&a->soa_line);
    sek_buf_fini(&a->line);
    sek_lines_fini(&a->lines);
    free(a);
}

/* Records as lines */

static enum sek_err malformed(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "the answer holds a malformed record");
}

static bool add_name(struct sek_buf *b, const ldns_rdf *rdf)
{
    struct sek_name name;
    char text[SEK_NAME_TEXT_MAX];
    if (!rdf || sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &name) != SEK_OK)
        return false;
    sek_buf_add(b, text, sek_name_to_text(name.octets, text));
    if (name.n_labels > 0)
        sek_buf_add(b, ".", 1);
    return true;
}

static void add_hex(struct sek_buf *b, const ldns_rr *rr)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
        n += ldns_rdf_size(ldns_rr_rdf(rr, i));
    sek_buf_add_fmt(b, " TYPE%u \\# %zu ", ldns_rr_get_type(rr), n);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const uint8_t *octets = ldns_rdf_data(ldns_rr_rdf(rr, i));
        for (size_t k = 0; k < ldns_rdf_size(ldns_rr_rdf(rr, i)); k++) {
            const char pair[] = {digits[octets[k] >> 4], digits[octets[k] & 15]};
            sek_buf_add(b, pair, sizeof pair);
        }
    }
}

static bool add_address(struct sek_buf *b, const ldns_rr *rr, int family, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
    if (!rdf || ldns_rdf_size(rdf) != size ||
        !inet_ntop(family, ldns_rdf_data(rdf), text, sizeof text))
        return false;
    sek_buf_add_fmt(b, " %s %s", family == AF_INET ? "A" : "AAAA", text);
    return true;
}

/* The record as a line in b. Most of a policy zone are CNAME records. */
static enum sek_err line_make(struct sek_buf *b, const ldns_rr *rr, struct sek_diag *diag)
{
    sek_buf_reset(b);
    bool good = add_name(b, ldns_rr_owner(rr));
    sek_buf_add_fmt(b, " %" PRIu32, ldns_rr_ttl(rr));
    switch (ldns_rr_get_type(rr)) {
    case LDNS_RR_TYPE_CNAME:
    case LDNS_RR_TYPE_NS:
        sek_buf_add_text(b, ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS ? " NS " : " CNAME ");
        good = good && add_name(b, ldns_rr_rdf(rr, 0));
        break;
    case LDNS_RR_TYPE_A:
        good = good && add_address(b, rr, AF_INET, 4);
        break;
    case LDNS_RR_TYPE_AAAA:
        good = good && add_address(b, rr, AF_INET6, 16);
        break;
    default:
        add_hex(b, rr);
        break;
    }
    if (b->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for a record");
    return good ? SEK_OK : malformed(diag);
}

static enum sek_err soa_read(const struct sek_zoneanswer *a, const ldns_rr *rr,
                             struct sek_zone_soa *out, struct sek_diag *diag)
{
    struct sek_name owner;
    const ldns_rdf *rdf = ldns_rr_owner(rr);
    if (ldns_rr_rd_count(rr) != 7 ||
        sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &owner) != SEK_OK)
        return malformed(diag);
    if (sek_name_compare(&owner, &a->zone) != 0)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer holds the SOA record of another zone");
    out->serial = ldns_rdf2native_int32(ldns_rr_rdf(rr, 2));
    out->refresh_s = ldns_rdf2native_int32(ldns_rr_rdf(rr, 3));
    out->retry_s = ldns_rdf2native_int32(ldns_rr_rdf(rr, 4));
    out->expire_s = ldns_rdf2native_int32(ldns_rr_rdf(rr, 5));
    return SEK_OK;
}

/* SOA in words: the reader of zone files knows by it where the zone begins. */
static enum sek_err soa_line_make(struct sek_buf *b, const ldns_rr *rr, struct sek_diag *diag)
{
    bool good = add_name(b, ldns_rr_owner(rr));
    sek_buf_add_fmt(b, " %" PRIu32 " SOA ", ldns_rr_ttl(rr));
    good = good && add_name(b, ldns_rr_rdf(rr, 0));
    sek_buf_add_text(b, " ");
    good = good && add_name(b, ldns_rr_rdf(rr, 1));
    for (size_t i = 2; i < 7; i++)
        sek_buf_add_fmt(b, " %" PRIu32, ldns_rdf2native_int32(ldns_rr_rdf(rr, i)));
    if (b->failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for a record");
    return good ? SEK_OK : malformed(diag);
}

/* The order of records */

static enum sek_err wrong_order(struct sek_diag *diag, const char *what, uint32_t serial)
{
    return sek_diag_set(diag, SEK_E_CORRUPT, "%s (serial %" PRIu32 ")", what, serial);
}

static enum sek_err first_soa(struct sek_zoneanswer *a, const ldns_rr *rr,
                              const struct sek_zone_soa *soa, struct sek_diag *diag)
{
    a->soa = *soa;
    a->state = SECOND;
    if (a->question == SEK_ZONE_SOA)
        a->state = DONE;
    if (a->question == SEK_ZONE_IXFR &&
        sek_serial_compare(soa->serial, a->old_serial) != SEK_SERIAL_NEWER)
        a->state = DONE; /* RFC 1995 §2: nothing newer there, nothing follows */
    return soa_line_make(&a->soa_line, rr, diag);
}

/* RFC 1995 §4: deltas begin with the SOA that we have; a whole zone of nothing but its SOA ends
 * here. */
static enum sek_err second_soa(struct sek_zoneanswer *a, uint32_t serial, struct sek_diag *diag)
{
    if (a->question == SEK_ZONE_IXFR && serial == a->old_serial) {
        a->is_delta = true;
        a->at_serial = serial;
        a->state = GOING;
        return SEK_OK;
    }
    if (serial != a->soa.serial)
        return wrong_order(diag, "the answer's deltas begin at another serial than asked for",
                           serial);
    a->state = DONE;
    return SEK_OK;
}

static enum sek_err take_soa(struct sek_zoneanswer *a, const ldns_rr *rr, struct sek_diag *diag)
{
    struct sek_zone_soa soa;
    enum sek_err err = soa_read(a, rr, &soa, diag);
    if (err)
        return err;
    switch (a->state) {
    case FIRST:
        return first_soa(a, rr, &soa, diag);
    case SECOND:
        return second_soa(a, soa.serial, diag);
    case WHOLE:
        if (soa.serial != a->soa.serial)
            return wrong_order(diag, "the zone changed while it was sent", soa.serial);
        a->state = DONE;
        return SEK_OK;
    case GOING:
        if (sek_serial_compare(soa.serial, a->at_serial) != SEK_SERIAL_NEWER)
            return wrong_order(diag, "a delta of the answer leads backwards", soa.serial);
        a->at_serial = soa.serial;
        a->state = COMING;
        return SEK_OK;
    case COMING:
        if (soa.serial != a->at_serial)
            return wrong_order(diag, "the answer's deltas do not fit together", soa.serial);
        a->state = soa.serial == a->soa.serial ? DONE : GOING;
        return SEK_OK;
    case DONE:
        break;
    }
    return sek_diag_set(diag, SEK_E_CORRUPT, "the answer goes on behind its end");
}

static enum sek_err take_record(struct sek_zoneanswer *a, const ldns_rr *rr, struct sek_diag *diag)
{
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer holds a record of another class");
    if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA)
        return take_soa(a, rr, diag);
    if (a->state == FIRST)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer does not begin with a SOA record");
    if (a->state == DONE)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer goes on behind its end");
    if (a->state == SECOND)
        a->state = WHOLE;
    enum sek_err err = line_make(&a->line, rr, diag);
    return err ? err : sek_lines_add(&a->lines, a->line.data, a->line.len, a->state != GOING, diag);
}

/* Messages */

static enum sek_err rcode_check(const struct sek_zoneanswer *a, unsigned rcode,
                                struct sek_diag *diag)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                        "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                        "NXRRSET", "NOTAUTH", "NOTZONE"};
    static const char *const hints[] = {
        [5] = ": does it let this machine, or this key, transfer the zone?",
        [9] = ": does it serve this zone, and know this key?"};
    if (rcode == 0)
        return SEK_OK;
    const char *name = rcode < sizeof names / sizeof *names ? names[rcode] : "an unknown RCODE";
    const char *hint = rcode < sizeof hints / sizeof *hints && hints[rcode] ? hints[rcode] : "";
    return sek_diag_set(diag, SEK_E_DENIED, "the primary answers %s to %s%s", name,
                        a->question == SEK_ZONE_SOA    ? "the question for the SOA record"
                        : a->question == SEK_ZONE_AXFR ? "the request for the zone"
                                                       : "the request for changes",
                        hint);
}

static enum sek_err question_check(const struct sek_zoneanswer *a, const ldns_rr *rr,
                                   struct sek_diag *diag)
{
    struct sek_name name;
    const ldns_rdf *rdf = ldns_rr_owner(rr);
    if (sek_name_from_wire(ldns_rdf_data(rdf), ldns_rdf_size(rdf), &name) != SEK_OK ||
        sek_name_compare(&name, &a->zone) != 0 ||
        (unsigned)ldns_rr_get_type(rr) != (unsigned)a->question)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer is for another question");
    return SEK_OK;
}

/* All records of one message. The last additional one may be a signature. */
static enum sek_err records_take(struct sek_zoneanswer *a, const uint8_t *msg, size_t len,
                                 size_t *out_tsig, struct sek_diag *diag)
{
    static const ldns_pkt_section sections[] = {LDNS_SECTION_QUESTION, LDNS_SECTION_ANSWER,
                                                LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL};
    const unsigned n[] = {LDNS_QDCOUNT(msg), LDNS_ANCOUNT(msg), LDNS_NSCOUNT(msg),
                          LDNS_ARCOUNT(msg)};
    size_t pos = HEADER;
    enum sek_err err = SEK_OK;
    for (int s = 0; s < 4; s++) {
        for (unsigned i = 0; i < n[s]; i++) {
            ldns_rr *rr = NULL;
            size_t at = pos;
            if (ldns_wire2rr(&rr, msg, len, &pos, sections[s]) != LDNS_STATUS_OK)
                return malformed(diag);
            if (s == 0 && !err)
                err = question_check(a, rr, diag);
            else if (s == 1 && !err && (a->question != SEK_ZONE_SOA || a->state == FIRST))
                err = take_record(a, rr, diag);
            else if (s == 3 && ldns_rr_get_type(rr) == LDNS_RR_TYPE_TSIG && i + 1 == n[s])
                *out_tsig = at;
            ldns_rr_free(rr);
        }
    }
    if (!err && pos != len)
        err = sek_diag_set(diag, SEK_E_CORRUPT, "the answer has octets behind its records");
    return err;
}

enum sek_err sek_zoneanswer_message(struct sek_zoneanswer *a, uint16_t id, const uint8_t *msg,
                                    size_t len, size_t *out_tsig, struct sek_diag *diag)
{
    *out_tsig = 0;
    if (len < HEADER || !LDNS_QR_WIRE(msg) || LDNS_OPCODE_WIRE(msg) != LDNS_PACKET_QUERY ||
        LDNS_ID_WIRE(msg) != id || LDNS_QDCOUNT(msg) > 1)
        return sek_diag_set(diag, SEK_E_CORRUPT, "what comes back is no answer to the question");
    if (LDNS_TC_WIRE(msg))
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer is cut off (TC)");
    unsigned rcode = LDNS_RCODE_WIRE(msg);
    enum state before = a->state;
    if (before == DONE)
        return sek_diag_set(diag, SEK_E_CORRUPT, "the answer goes on behind its end");
    if (rcode) { /* what it holds besides is of no use, but it may be signed */
        struct sek_diag other;
        records_take(a, msg, len, out_tsig, &other);
        return rcode_check(a, rcode, diag);
    }
    enum sek_err err = records_take(a, msg, len, out_tsig, diag);
    if (!err && LDNS_ANCOUNT(msg) == 0)
        err = sek_diag_set(diag, SEK_E_CORRUPT, "%s",
                           before == FIRST ? "the primary does not serve this zone"
                                           : "the answer holds an empty message");
    return err;
}

bool sek_zoneanswer_is_done(const struct sek_zoneanswer *a)
{
    return a->state == DONE;
}

const struct sek_zone_soa *sek_zoneanswer_soa(const struct sek_zoneanswer *a)
{
    return &a->soa;
}

const char *sek_zoneanswer_soa_line(const struct sek_zoneanswer *a)
{
    return a->soa_line.data;
}

bool sek_zoneanswer_is_delta(const struct sek_zoneanswer *a)
{
    return a->is_delta;
}

struct sek_lines *sek_zoneanswer_lines(struct sek_zoneanswer *a)
{
    return &a->lines;
}
