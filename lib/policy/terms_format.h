/* SPDX-License-Identifier: BSD-3-Clause */
/* How terms lie in an image: a head, the terms, then the memory that they point into by octets from
 * its start. What terms_write.c writes and terms.c reads. Private to these two.
 *
 * A time zone is there as its changes from 2020 to 2100, as no image lives that long and a resolver
 * in its chroot has no files of zones. */
#pragma once
#include "policy/terms.h"

struct sek__terms_head {
    uint32_t n;        /* struct sek_terms */
    uint32_t n_memory; /* octets; a multiple of 8. The first 8 are zeros: no place is 0 */
};

/* Endpoints of a rule: n of struct sek_net follow. */
struct sek__endpoints {
    uint32_t n; /* 1..SEK_TERMS_ENDPOINTS_MAX */
    uint32_t reserved;
};

struct sek__zone {
    uint32_t n; /* changes, at least 1 */
    uint32_t reserved;
};
/* struct sek__change[n] follow */
struct sek__change {
    int64_t at_s;     /* ascending; the first: INT64_MIN */
    int32_t offset_s; /* local time less UTC from then on */
    uint32_t reserved;
};

#define SEK__OFFSET_MAX (26 * 3600) /* s; no zone is further away */
