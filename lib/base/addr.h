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
bool sek_addr_equal(const struct sek_addr *a, const struct sek_addr *b);
/* "192.0.2.1" or "2001:db8::1" (RFC 5952). Returns out. */
const char *sek_addr_to_text(const struct sek_addr *a, char out[SEK_ADDR_TEXT_MAX]);
/* Strict: inet_pton forms only, no scope id, no prefix length. */
enum sek_err sek_addr_from_text(const char *text, struct sek_addr *out, struct sek_diag *diag);
