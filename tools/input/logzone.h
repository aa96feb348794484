/* SPDX-License-Identifier: BSD-3-Clause */
/* The zone of times that do not say it: an offset, or a zone of IANA's data base with its changes
 * (policy/timezone.h). Plain data. One thread, as the C library has one zone at a time. */
#pragma once
#include "base/err.h"
#include <stdint.h>

#define SEK_LOGZONE_CHANGES 400 /* two a year from 2020 to 2100, and some */

struct sek_logzone {
    unsigned n; /* 0: UTC */
    struct {
        int64_t at_s;     /* Unix time, ascending; the first: INT64_MIN */
        int64_t offset_s; /* east of Greenwich */
    } change[SEK_LOGZONE_CHANGES];
};

/* "+09:00", "-0530", "Z", "UTC", "Europe/Berlin". INVALID. */
enum sek_err sek_logzone_from_text(const char *text, struct sek_logzone *out,
                                   struct sek_diag *diag);
/* Local time, counted like Unix time, as Unix time. Of an hour that comes twice: the later one. */
int64_t sek_logzone_to_utc(const struct sek_logzone *z, int64_t local_s);
