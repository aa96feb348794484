/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the tally on their way from the collector, who must not wait, to the detectors: one
 * packet at a time. Zeroed is empty. */
#pragma once
#include "event/tally.h"
#include <stdatomic.h>

#define SEK_COUNTS_OCTETS (8ul << 20) /* of a packet: 80,000 rows in five seconds */

struct sek_counts_packet;
struct sek_counts {
    _Atomic(struct sek_counts_packet *) waiting;
    _Atomic uint64_t lost; /* rows for which there was no room or no time */
};

/* Copy the batch's traffic, for the other thread to take. One thread. */
void sek_counts_put(struct sek_counts *c, const struct sek_tally_batch *batch);
/* Give all rows that wait to fn, borrowed during its call. One thread. */
typedef void sek_counts_fn(void *arg, const struct sek_tally_traffic *row);
void sek_counts_take(struct sek_counts *c, sek_counts_fn *fn, void *arg);
/* When both threads have ended. */
void sek_counts_fini(struct sek_counts *c);
