/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the tally on their way from the collector, who must not wait, to the detectors: one
 * packet at a time, of what is new in each row. Zeroed is empty. */
#pragma once
#include "event/tally.h"
#include <stdatomic.h>

#define SEK_COUNTS_OCTETS (8ul << 20) /* of a packet: 80,000 rows in two seconds */

struct sek_counts_packet;
struct sek_counts {
    _Atomic(struct sek_counts_packet *) waiting;
    _Atomic uint64_t lost; /* rows for which there was no room or no time */
};

/* Copy of each row what was not shown yet, for the other thread to take, and mark it as shown. What
 * has no room, or while a packet waits, comes with the next call; last: there is none for these
 * rows, so that is lost. first: the first row; NULL: none. One thread. */
void sek_counts_put(struct sek_counts *c, struct sek_tally_traffic *first, bool last);
/* Give all that waits to fn: a row, borrowed during its call, and how many of its queries are new.
 * One thread. */
typedef void sek_counts_fn(void *arg, const struct sek_tally_traffic *row, uint32_t n);
void sek_counts_take(struct sek_counts *c, sek_counts_fn *fn, void *arg);
/* When both threads have ended. */
void sek_counts_fini(struct sek_counts *c);
