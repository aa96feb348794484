/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/packet.h"
#include <string.h>
#include "base/banned.h"

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, ETHER_PPPOE = 0x8864 };
enum { IP6_HOP = 0, IP6_ROUTING = 43, IP6_FRAGMENT = 44, IP6_AUTH = 51, IP6_OPTIONS = 60 };
#define TAGS_MAX 4     /* of VLANs, one in another */
#define HEADERS_MAX 16 /* of IPv6 */

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool skip(struct sek_octets *s, size_t n)
{
    if (s->size < n)
        return false;
    s->at += n;
    s->size -= n;
    return true;
}

/* Behind an Ethernet type, which *s begins with: tags, PPPoE. */
static bool skip_tags(struct sek_octets *s)
{
    for (int i = 0; i <= TAGS_MAX; i++) {
        if (s->size < 2)
            return false;
        uint16_t type = get16(s->at);
        if (type == ETHER_PPPOE)
            return skip(s, 2 + 6 + 2);
        if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
            return (type == ETHER_IPV4 || type == ETHER_IPV6) && skip(s, 2);
        if (!skip(s, 4))
            return false;
    }
    return false;
}

/* Up to the IP header. */
static bool skip_link(enum sek_link link, struct sek_octets *s)
{
    switch (link) {
    case SEK_LINK_ETHERNET:
        return skip(s, 12) && skip_tags(s);
    case SEK_LINK_SLL:
        return skip(s, 14) && skip_tags(s);
    case SEK_LINK_SLL2: /* the type stands in front */
        if (s->size >= 2 && (get16(s->at) == 0x8100 || get16(s->at) == 0x88a8))
            return skip(s, 20 + 2) && skip_tags(s);
        return skip(s, 20);
    case SEK_LINK_RAW:
        return true;
    case SEK_LINK_NULL:
        return skip(s, 4);
    case SEK_LINK_PPP: /* with address and control, or without */
        if (s->size >= 2 && s->at[0] == 0xff && s->at[1] == 0x03)
            return skip(s, 4);
        return skip(s, 2);
    default:
        return false;
    }
}

/* What is padding of short frames goes; what the capture left out is missing. */
static void cut_to(struct sek_octets *s, size_t size)
{
    if (s->size > size)
        s->size = size;
}

static bool read_ip4(struct sek_octets s, struct sek_packet *out)
{
    static const struct sek_addr mapped = {{[10] = 0xff, [11] = 0xff}};

    if (s.size < 20)
        return false;
    const uint8_t *p = s.at;
    size_t head = (size_t)(p[0] & 0x0f) * 4, total = get16(p + 2);
    if (total == 0) /* left to the network card to fill in (segmentation offload) */
        total = s.size;
    if (head < 20 || total < head)
        return false;
    cut_to(&s, total);
    if (!skip(&s, head))
        return false;
    out->from = out->to = mapped;
    memcpy(out->from.octets + 12, p + 12, 4);
    memcpy(out->to.octets + 12, p + 16, 4);
    out->protocol = p[9];
    out->fragment_id = get16(p + 4);
    out->fragment_at = (get16(p + 6) & 0x1fffU) * 8;
    out->more = p[6] & 0x20;
    out->is_fragment = out->more || out->fragment_at > 0;
    out->data = s;
    return true;
}

/* Octets of an extension header, 0 if it is none. */
static size_t header_len(uint8_t type, const struct sek_octets *s)
{
    switch (type) {
    case IP6_HOP:
    case IP6_ROUTING:
    case IP6_OPTIONS:
        return s->size < 2 ? 2 : 8U + s->at[1] * 8U;
    case IP6_AUTH: /* RFC 4302 §2.2 */
        return s->size < 2 ? 2 : 8U + s->at[1] * 4U;
    case IP6_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

static bool read_ip6(struct sek_octets s, struct sek_packet *out)
{
    if (s.size < 40)
        return false;
    const uint8_t *p = s.at;
    size_t len;
    (void)skip(&s, 40);
    if (get16(p + 4) > 0) /* 0: a jumbogram, or segmentation offload */
        cut_to(&s, get16(p + 4));
    memcpy(out->from.octets, p + 8, 16);
    memcpy(out->to.octets, p + 24, 16);
    out->protocol = p[6];
    out->is_fragment = out->more = false;
    out->fragment_at = out->fragment_id = 0;
    for (int i = 0; i < HEADERS_MAX && (len = header_len(out->protocol, &s)) > 0; i++) {
        const uint8_t *h = s.at;
        bool is_fragment = out->protocol == IP6_FRAGMENT;
        if (!skip(&s, len))
            return false;
        out->protocol = h[0];
        if (!is_fragment)
            continue;
        out->fragment_at = get16(h + 2) & 0xfff8U;
        out->more = h[3] & 1;
        out->is_fragment = out->more || out->fragment_at > 0;
        out->fragment_id = get32(h + 4);
        if (out->fragment_at > 0) /* what follows is no header */
            break;
    }
    out->data = s;
    return true;
}

bool sek_packet_read(enum sek_link link, const uint8_t *frame, size_t size, struct sek_packet *out)
{
    struct sek_octets s = {frame, size};

    if (!skip_link(link, &s) || s.size == 0)
        return false;
    if (s.at[0] >> 4 == 4)
        return read_ip4(s, out);
    return s.at[0] >> 4 == 6 && read_ip6(s, out);
}

bool sek_segment_read(uint8_t protocol, struct sek_octets data, struct sek_segment *out)
{
    const uint8_t *p = data.at;
    size_t len = protocol == SEK_PROTOCOL_UDP ? 8 : 20;

    if ((protocol != SEK_PROTOCOL_UDP && protocol != SEK_PROTOCOL_TCP) || data.size < len)
        return false;
    out->from_port = get16(p);
    out->to_port = get16(p + 2);
    out->seq = 0;
    out->is_syn = out->is_end = out->is_open = false;
    if (protocol == SEK_PROTOCOL_UDP) {
        if (get16(p + 4) >= 8) /* 0: a jumbogram */
            cut_to(&data, get16(p + 4));
    } else {
        len = (size_t)(p[12] >> 4) * 4;
        out->is_syn = p[13] & 0x02;
        out->is_end = p[13] & 0x05;
        out->is_open = (p[13] & 0x12) == 0x02;
        out->seq = get32(p + 4) + out->is_syn;
    }
    if ((protocol == SEK_PROTOCOL_TCP && len < 20) || !skip(&data, len))
        return false;
    out->data = data;
    return true;
}
