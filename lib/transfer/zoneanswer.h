/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary answers to a question for a zone's SOA, for all of it (AXFR, RFC 5936) or for what
 * changed (IXFR, RFC 1995), message by message. Records become lines (transfer/lines.h): owner,
 * TTL, type and data, absolute and lower case; data of types other than CNAME, NS, A and AAAA in
 * hex (RFC 3597 §5). Nothing may be used before the answer is complete and its signatures are
 * checked. One thread. */
#pragma once
#include "name/name.h"
#include "transfer/lines.h"

enum sek_zone_question {
    SEK_ZONE_SOA = 6,    /* RFC 1035 §3.2.2; these are the types on the wire */
    SEK_ZONE_IXFR = 251, /* RFC 1995 §7 */
    SEK_ZONE_AXFR = 252, /* RFC 1035 §3.2.3 */
};

struct sek_zone_soa {
    uint32_t serial, refresh_s, retry_s, expire_s; /* RFC 1035 §3.3.13 */
};

struct sek_zoneanswer;
/* old_serial: of IXFR, the one that is held. cap: most octets of lines. */
enum sek_err sek_zoneanswer_new(enum sek_zone_question question, const struct sek_name *zone,
                                uint32_t old_serial, size_t cap, struct sek_zoneanswer **out);
void sek_zoneanswer_free(struct sek_zoneanswer *a);
/* The next message. *out_tsig: offset of its TSIG record, 0 for none; set whatever is returned.
 * DENIED: the primary says no (RCODE); CORRUPT: this is no answer to the question; LIMIT past the
 * cap. */
enum sek_err sek_zoneanswer_message(struct sek_zoneanswer *a, uint16_t id, const uint8_t *msg,
                                    size_t len, size_t *out_tsig, struct sek_diag *diag);
bool sek_zoneanswer_is_done(const struct sek_zoneanswer *a);

/* Of an answer that is done: the zone's SOA, and its line. */
const struct sek_zone_soa *sek_zoneanswer_soa(const struct sek_zoneanswer *a);
const char *sek_zoneanswer_soa_line(const struct sek_zoneanswer *a);
/* True for deltas (lines that come and go), false for a whole zone. */
bool sek_zoneanswer_is_delta(const struct sek_zoneanswer *a);
struct sek_lines *sek_zoneanswer_lines(struct sek_zoneanswer *a);
