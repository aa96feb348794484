/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of one domain, as a line of text: what `sekisho nod export` prints and `import`
 * hands to the resolver. Fields, with a tab between two:
 *   domain  first  last  endpoints  resolved ("yes" or "no")  [addresses, with a comma between two]
 * Times are ISO 8601 in UTC or Unix seconds. "#since<tab>TIME" in such a file: the history reaches
 * back so far; other lines that begin with "#" are comments. Plain data. Any thread. */
#pragma once
#include "base/addr.h"
#include "base/buf.h"
#include "name/name.h"
#include "observe/domains.h"

#define SEK_SIGHTING_ADDRS 31      /* more endpoints are only counted */
#define SEK_SIGHTING_LINE_MAX 4096 /* octets of a line, more than any has */
#define SEK_SIGHTING_HEAD "#domain\tfirst\tlast\tendpoints\tresolved"
#define SEK_SIGHTING_SINCE "#since\t"

struct sek_sighting {
    struct sek_name domain;
    int64_t first_s, last_s;
    bool resolved;
    unsigned endpoints; /* how many asked; at least n_addrs */
    unsigned n_addrs;   /* of them that are known by their address */
    struct sek_addr addrs[SEK_SIGHTING_ADDRS];
};

/* NAME, INVALID with a text. */
enum sek_err sek_sighting_from_text(const char *line, struct sek_sighting *out,
                                    struct sek_diag *diag);
/* Append the line with its newline; addresses only where there are some. */
void sek_sighting_add_text(const struct sek_sighting *s, struct sek_buf *out);
/* Note it in the store (sek_domains_note, writer). Endpoints without an address are stood for by
 * addresses that nobody has (100::/64, RFC 6666), so that their number is kept. False: there was no
 * room. */
bool sek_sighting_note(struct sek_domains *d, const struct sek_sighting *s);
