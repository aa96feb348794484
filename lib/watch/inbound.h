/* SPDX-License-Identifier: BSD-3-Clause */
/* What answers carry in, for one endpoint and domain. The octets of an answer say nothing of what
 * is in them, and much that is honest is long: so they weigh little beside those of names, by the
 * question's type.
 *
 * - Types that are made to carry data (TXT, NULL, CNAME, MX, SRV, KEY, private and unknown ones):
 * an eighth. None for names that stand for services (RFC 8552: DKIM, DMARC, DNS-SD, ACME) and for
 *   addresses written backwards (block lists, RFC 5782): there long texts are usual.
 * - SVCB and HTTPS (RFC 9460), which browsers ask for beside A and AAAA: an eighth where the
 * endpoint asks for hardly anything else of the domain, else nothing.
 * - A and AAAA: half of an address whose /16 (IPv4) or /32 (IPv6) is new for the pair, of another
 * new one a quarter (IPv4) or an eighth: hosts of a service share their networks, data written as
 *   addresses does not. Of aliases on the way, a thirty-second.
 * - Types of DNS itself and of DNSSEC, and PTR: nothing.
 *
 * Plain data, zeroed is empty. */
#pragma once
#include "base/sketch.h"
#include "watch/detector.h"

#define SEK_INBOUND_ADDRESSES 128 /* and their networks, remembered a generation */
#define SEK_INBOUND_SHARE 0.125f  /* of an octet of a type that carries data */
#define SEK_INBOUND_ALIAS 0.03125f
#define SEK_INBOUND_BINDINGS 0.75 /* of all questions: from it on SVCB and HTTPS count */

struct sek_inbound {
    uint64_t octets;     /* that answers may have carried in */
    uint64_t n_bindings; /* questions for SVCB or HTTPS */
    struct sek_sketch sketch;
    uint8_t bits[SEK_SKETCH_OCTETS(SEK_INBOUND_ADDRESSES)];
};

/* Is it a type whose answers carry what a server wants to send? SVCB and HTTPS are none. */
bool sek_inbound_is_data(uint16_t qtype);
/* A question was asked, n_asked of the pair with this one; is_new: its name was not asked for
 * before, else its answer is known and counts nothing. Returns the weight in octets of names. */
float sek_inbound_add(struct sek_inbound *in, const struct sek_observation *o,
                      struct sek_hash_key key, uint64_t n_asked, bool is_new);
