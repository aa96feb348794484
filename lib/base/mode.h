/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a list or a detector may go. Any thread. */
#pragma once
#include "base/lookup.h"

/* Stored in images and databases: never renumber. */
enum sek_mode {
    SEK_MODE_OFF = 0,
    SEK_MODE_MONITOR = 1, /* hits are recorded as what would have happened; nothing changes */
    SEK_MODE_BLOCK = 2,   /* its actions are in force (also for passthru lists) */
};
extern const struct sek_lookup sek_mode_names[]; /* "off" "monitor" "block" */
