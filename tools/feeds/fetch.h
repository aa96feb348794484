/* SPDX-License-Identifier: BSD-3-Clause */
/* Fetching what a feed's source holds now. One thread. */
#pragma once
#include "store/feeds.h"
#include "transfer/primary.h"

struct sek_fetched {
    int fd;                       /* the list, from its beginning; -1: there is nothing new */
    char label[600];              /* what is read, for messages */
    struct sek_transfer transfer; /* TRANSFER */
};

/* The source in words: "transfer 192.0.2.1 rpz.example". Returns out. */
const char *sek_fetch_source(const struct sek_feed_row *row, char *out, size_t size);

/* old: of a TRANSFER, the zone that is kept; NULL for none. user: whom commands and transfers run
 * as. whole: all of a zone, whatever is kept. */
enum sek_err sek_fetch(const struct sek_feed_row *row, const char *user, const struct sek_buf *old,
                       bool whole, struct sek_fetched *out, struct sek_diag *diag);
void sek_fetched_fini(struct sek_fetched *f);

/* Reads the key of a row's NAME:ALGORITHM:FILE; the file must be readable by its owner alone. */
enum sek_err sek_fetch_key(const char *tsig, struct sek_tsig_key *out, struct sek_diag *diag);
/* "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53", "2001:db8::1", "primary.example:53". */
enum sek_err sek_fetch_host(const char *text, char *host, size_t host_size, char *port,
                            size_t port_size, struct sek_diag *diag);
