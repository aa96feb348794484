/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of zone files (RFC 1035 §5.1) as far as it says nothing about policy: what stands before a
 * record's data, times to live, U-labels, and $GENERATE. Private to the readers of lib/policy. Any
 * thread. */
#pragma once
#include "base/buf.h"
#include "policy/span.h"
#include <stdint.h>

/* "[owner] [TTL] [class] type data", class and TTL in either order. Borrowed from the record. */
struct sek_zone_head {
    struct sek_span owner; /* empty: that of the record before */
    struct sek_span class; /* empty: as the zone's */
    struct sek_span type, data;
    bool has_ttl;
    uint32_t ttl_s;
};

/* text: one line, without comments and parentheses. False: it has no type. */
bool sek_zone_head_read(const char *text, size_t len, struct sek_zone_head *out);
/* "3600", "1h30m" (units of BIND: w d h m s, any case). At most 2^31 - 1 s (RFC 2181 §8). */
bool sek_zone_ttl_read(struct sek_span text, uint32_t *out_s);

/* Append the text with its U-labels as A-labels, and other octets between quotation marks as \DDD.
 * NAME, with the reason, for words that are no names. */
enum sek_err sek_zone_ascii(const char *text, size_t len, struct sek_buf *out,
                            struct sek_diag *diag);

#define SEK_ZONE_GENERATE_MAX 65536 /* records of one line: all hosts of a /16 */

/* BIND's $GENERATE, "start-stop[/step] record": each "$" in the record is the number, "${offset,
 * width,base}" it with an offset and in a form (bases d o x X, and n N for the names of ip6.arpa);
 * "$$" and "\$" are the character. */
struct sek_zone_generate {
    uint64_t at, stop, step;
    struct sek_span record;
};
/* text: behind the directive's word. INVALID, LIMIT. */
enum sek_err sek_zone_generate_begin(struct sek_span text, struct sek_zone_generate *out,
                                     struct sek_diag *diag);
/* The next record in place of what is in `out`. 1: there it is; 0: there are no more; INVALID. */
int sek_zone_generate_next(struct sek_zone_generate *g, struct sek_buf *out, struct sek_diag *diag);
