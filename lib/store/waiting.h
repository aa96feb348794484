/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings on their way to the database, in the order of their first record. Zeroed is empty. */
#pragma once
#include "event/finding.h"

#define SEK_WAITING_FINDINGS 64

struct sek_waiting {
    unsigned n;
    struct sek_finding all[SEK_WAITING_FINDINGS];
};

/* Add one, copied; it takes the place of an earlier record of the same finding. False: there is no
 * room. */
bool sek_waiting_add(struct sek_waiting *w, const struct sek_finding *f);
