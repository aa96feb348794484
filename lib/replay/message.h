/* SPDX-License-Identifier: BSD-3-Clause */
/* A DNS message in wire format (RFC 1035 §4), as far as an event wants it. Made for hostile octets:
 * reads within `size` only, follows compression pointers backwards only. Any thread, no allocation.
 */
#pragma once
#include "event/event.h"

struct sek_message {
    uint16_t id, qtype;
    bool is_response;
    uint8_t rcode; /* the header's */
    struct sek_name name;
    /* Of a response: see struct sek_event. */
    uint32_t ttl_s;
    uint16_t octets; /* of data as it stands in the message, compressed or not */
    uint8_t n_addrs, n_ns_addrs;
    struct sek_addr addrs[SEK_EVENT_ADDRS], ns_addrs[SEK_EVENT_NS_ADDRS];
};

/* 1: *out is set; behind a record that is malformed or cut off nothing more is read. 0: no query of
 * class IN, nor a response to one (other operations, AXFR). INVALID, with a text: header or
 * question are malformed or cut off. */
int sek_message_read(const uint8_t *wire, size_t size, struct sek_message *out,
                     struct sek_diag *diag);
/* Each name that a message is about, of any operation and class: of its questions, and owner and
 * target of each record of its answer section (CNAME, DNAME, NS, PTR, MX, SRV, SVCB, HTTPS); up to
 * where it is malformed or cut off. True as soon as fn is. */
typedef bool sek_message_name_fn(void *arg, const struct sek_name *name);
bool sek_message_names(const uint8_t *wire, size_t size, sek_message_name_fn *fn, void *arg);
