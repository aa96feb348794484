/* SPDX-License-Identifier: BSD-3-Clause */
/* From a captured frame to the octets that UDP or TCP carries: Ethernet with VLAN tags (IEEE
 * 802.1Q, 802.1ad), Linux cooked (SLL, SLL2), raw IP, BSD loopback, PPP; IPv4 (RFC 791), IPv6 (RFC
 * 8200) with extension headers. Reads within the frame only. Any thread, no allocation. */
#pragma once
#include "base/addr.h"
#include <stddef.h>

enum sek_link {
    SEK_LINK_UNKNOWN,
    SEK_LINK_ETHERNET,
    SEK_LINK_SLL,
    SEK_LINK_SLL2,
    SEK_LINK_RAW,
    SEK_LINK_NULL, /* BSD loopback: address family in either byte order */
    SEK_LINK_PPP,
};

/* Octets borrowed from the frame. */
struct sek_octets {
    const uint8_t *at;
    size_t size;
};

/* An IP packet, or a part of one. */
struct sek_packet {
    struct sek_addr from, to;
    uint8_t protocol; /* behind all headers of IPv6 */
    bool is_fragment, more;
    uint32_t fragment_id;
    uint32_t fragment_at;   /* octets in front of it in the whole */
    struct sek_octets data; /* behind IP; less than was sent where the capture was cut short */
};

struct sek_segment {
    uint16_t from_port, to_port;
    uint32_t seq;        /* TCP: of the first octet of data */
    bool is_syn, is_end; /* TCP: SYN; FIN or RST */
    bool is_open;        /* TCP: SYN without ACK, with which a client opens a connection */
    struct sek_octets data;
};

#define SEK_PORT_DNS 53
#define SEK_PROTOCOL_TCP 6
#define SEK_PROTOCOL_UDP 17

/* False: no IP, or malformed. */
bool sek_packet_read(enum sek_link link, const uint8_t *frame, size_t size, struct sek_packet *out);
/* The header of UDP or TCP in front of `data`. False: another protocol, or cut off. */
bool sek_segment_read(uint8_t protocol, struct sek_octets data, struct sek_segment *out);
static inline bool sek_segment_is_dns(const struct sek_segment *s)
{
    return s->from_port == SEK_PORT_DNS || s->to_port == SEK_PORT_DNS;
}
