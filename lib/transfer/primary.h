/* SPDX-License-Identifier: BSD-3-Clause */
/* Getting a zone from its primary over TCP: ask for the SOA record; when that is newer (RFC 1982),
 * ask for what changed (IXFR), and for all of it (AXFR) where there is nothing to change yet or the
 * deltas do not fit. Waits for the network: never call it in a resolver. One thread. */
#pragma once
#include "transfer/tsig.h"
#include "transfer/zoneanswer.h"

struct sek_primary {
    const char *host, *port; /* an address or a name; "53" */
    struct sek_name zone;
    const struct sek_tsig_key *key; /* NULL: unsigned */
    uint64_t max_octets;            /* of one answer, and of the zone as text */
    unsigned wait_s;                /* for a connection, and for the next octets */
    bool whole;                     /* AXFR, whatever is held; also when the primary's is older */
};

enum sek_transfer_kind {
    SEK_TRANSFER_CURRENT = 1, /* the primary has the serial that is held */
    SEK_TRANSFER_DELTA,       /* IXFR */
    SEK_TRANSFER_WHOLE,       /* AXFR */
};

struct sek_transfer {
    enum sek_transfer_kind kind;
    struct sek_zone_soa soa;
    uint64_t n_octets, n_messages;  /* of all answers */
    struct sek_lines_change change; /* records, where a zone was held */
    char note[200];                 /* why IXFR was given up; "" if it was not */
};

/* old: the zone that is held, as this function made it; NULL for none. *out (init'ed by the
 * caller): the zone as text, its SOA first; nothing is added when it is CURRENT. REFUSED: a wrong
 * signature, or the primary's serial is older than ours. IO: no connection, or cut off. */
enum sek_err sek_primary_fetch(const struct sek_primary *p, const struct sek_buf *old,
                               struct sek_buf *out, struct sek_transfer *out_transfer,
                               struct sek_diag *diag);
/* The serial of a zone that sek_primary_fetch made. CORRUPT if it is none. */
enum sek_err sek_zone_serial(const char *text, size_t len, uint32_t *out, struct sek_diag *diag);
