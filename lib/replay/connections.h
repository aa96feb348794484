/* SPDX-License-Identifier: BSD-3-Clause */
/* DNS messages out of TCP connections (RFC 1035 §4.2.2, RFC 7766): each direction in the order of
 * its octets, up to SEK_CONNECTIONS_MAX directions at a time, the one that was silent longest gives
 * way. Where octets are missing, or the capture begins in between, reading goes on at the next
 * segment that begins with a message. One thread at a time. */
#pragma once
#include "base/err.h"
#include "replay/packet.h"

#define SEK_CONNECTIONS_MAX 256 /* directions; with what waits in them at most 17 MB */

struct sek_connections;

/* NULL: out of memory. */
struct sek_connections *sek_connections_new(void);
void sek_connections_free(struct sek_connections *c);
/* A segment comes; then next() gives the messages that it completes, valid until the next call.
 * INVALID, with a text: octets in front of it are missing, a message is lost. */
enum sek_err sek_connections_add(struct sek_connections *c, const struct sek_packet *p,
                                 const struct sek_segment *segment, struct sek_diag *diag);
bool sek_connections_next(struct sek_connections *c, struct sek_octets *out);
