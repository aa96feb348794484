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

/* The same for newly observed domains, which can be held back for a while. */
enum sek_nod_mode {
    SEK_NOD_OFF = 0,
    SEK_NOD_MONITOR = 1,
    SEK_NOD_HOLD = 2,  /* blocked for nod.hold after the first query */
    SEK_NOD_BLOCK = 3, /* blocked as long as it is newly observed */
};
extern const struct sek_lookup sek_nod_mode_names[]; /* "off" "monitor" "hold" "block" */

/* What canary names are answered (verdict/canary.h). */
enum sek_canary {
    SEK_CANARY_OFF = 0, /* as any other name */
    SEK_CANARY_NXDOMAIN = 1,
    SEK_CANARY_NODATA = 2,
};
extern const struct sek_lookup sek_canary_names[]; /* "off" "nxdomain" "nodata" */

/* What is new about an address that DNS gives for a tracked name (watch/udr.h). Stored: never
 * renumber. */
enum sek_news {
    SEK_NEWS_LEARNED = 0, /* nothing: the name was being learned */
    SEK_NEWS_ADDRESS = 1, /* the address alone; the name had others in its network */
    SEK_NEWS_NETWORK = 2, /* its network as well */
    SEK_NEWS_COUNTRY = 3, /* and its country, which a database tells */
};
extern const struct sek_lookup sek_news_names[]; /* "learned" "address" "network" "country" */
