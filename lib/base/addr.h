/* SPDX-License-Identifier: BSD-3-Clause */
/* IP addresses as 16 octets: IPv6, or IPv4 in its mapped form ::ffff:a.b.c.d (RFC 4291 §2.5.5.2),
 * so that a mapped client and its plain IPv4 form are the same endpoint. Plain data. Any thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct sek_addr {
    uint8_t octets[16];
};

#define SEK_ADDR_TEXT_MAX 46 /* INET6_ADDRSTRLEN */

/* From a socket address; all zero for families other than AF_INET and AF_INET6. */
struct sek_addr sek_addr_from_sockaddr(const struct sockaddr *sa);
bool sek_addr_is_v4(const struct sek_addr *a);
/* A place in the Internet: 2000::/3, or IPv4 that is not private, shared, local, multicast or
 * reserved (RFC 6890). Documentation prefixes pass for places. */
bool sek_addr_is_global(const struct sek_addr *a);
/* Of a network that is not public: this host and network, private, shared, loopback and link-local
 * addresses (RFC 6890, RFC 4193), IPv6's site-local ones of old. */
bool sek_addr_is_private(const struct sek_addr *a);
/* The IPv4 address inside of one made for NAT64 with the well-known prefix 64:ff9b::/96 (RFC 6052
 * §2.1). False: it is none. */
bool sek_addr_from_nat64(const struct sek_addr *a, struct sek_addr *out);
bool sek_addr_equal(const struct sek_addr *a, const struct sek_addr *b);
/* "192.0.2.1" or "2001:db8::1" (RFC 5952). Returns out. */
const char *sek_addr_to_text(const struct sek_addr *a, char out[SEK_ADDR_TEXT_MAX]);
/* Strict: inet_pton forms only, no scope id, no prefix length. */
enum sek_err sek_addr_from_text(const char *text, struct sek_addr *out, struct sek_diag *diag);

/* A network: the first `bits` bits of its addresses, counted in 16 octets, so an IPv4 one has 96 at
 * least. Bits behind them are 0. */
struct sek_net {
    struct sek_addr addr;
    uint8_t bits; /* 0..128 */
};
/* "192.0.2.0/24", "2001:db8::/32", or an address alone. INVALID for bits behind the prefix that are
 * not 0: such a thing is mostly a slip. */
enum sek_err sek_net_from_text(const char *text, struct sek_net *out, struct sek_diag *diag);
bool sek_net_has(const struct sek_net *net, const struct sek_addr *a);
bool sek_net_equal(const struct sek_net *a, const struct sek_net *b);
/* The network of so many bits that an address lies in. */
struct sek_net sek_net_around(const struct sek_addr *a, unsigned bits);
/* Back; an address alone without its length. Returns out. */
#define SEK_NET_TEXT_MAX (SEK_ADDR_TEXT_MAX + 4)
const char *sek_net_to_text(const struct sek_net *net, char out[SEK_NET_TEXT_MAX]);
