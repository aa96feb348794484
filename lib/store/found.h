/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings on their way to events.db, in the order of their first record. Plain data of the owner;
 * zeroed is empty. */
#pragma once
#include "store/recorder.h"

struct sek_found {
    unsigned n;
    struct sek_finding all[SEK_RECORDER_FINDINGS];
};

/* Add one, or put it in the place of its earlier record. False: there is no room. */
bool sek_found_put(struct sek_found *all, const struct sek_finding *f);
