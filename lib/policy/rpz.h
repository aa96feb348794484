/* SPDX-License-Identifier: BSD-3-Clause */
/* Response policy zone files (draft-vixie-dnsop-dns-rpz), record by record: the rules of QNAME
 * triggers. The only user of ldns. Private to the readers of lib/policy. One thread at a time. */
#pragma once
#include "policy/formats.h"

enum sek_err sek_rpz_new(struct sek_rpz **out, struct sek_diag *diag);
void sek_rpz_free(struct sek_rpz *z);
/* One line of the file; a record may span several. Uses feed->rpz. */
void sek_rpz_line(struct sek_feed *feed, const char *text, size_t len);
/* A line was left out (too long, NUL): what it would have continued or named is unknown. */
void sek_rpz_gap(struct sek_rpz *z);
/* End of input. Returns false if it ends within a record, which is then reported as bad. */
bool sek_rpz_end(struct sek_feed *feed);

/* $ORIGIN, $TTL or a SOA record: surely a zone file. */
bool sek_rpz_sign(const char *text, size_t len);
/* A CNAME record. */
bool sek_rpz_claims(const char *text, size_t len);
