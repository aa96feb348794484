/* SPDX-License-Identifier: BSD-3-Clause */
/* Time zones as whoever runs the command names them: in the variable TZ of the environment, for
 * times without one and for days, or as text, for a log whose times do not say theirs. One thread:
 * the C library knows one zone at a time. */
#pragma once
#include "base/when.h"

/* The zone of TZ (tzset(3)); NULL: UTC, which it is without TZ, whatever the machine's own zone is,
 * as all times are printed in UTC. INVALID: TZ names a zone that is not known here. */
enum sek_err sek_zone_read(const struct sek_zone **out, struct sek_diag *diag);

/* An offset, or a zone of IANA's data base with its changes (policy/timezone.h). Plain data. */
#define SEK_ZONE_CHANGES 400 /* two a year from 2020 to 2100, and some */
struct sek_zone_changes {
    unsigned n; /* 0: UTC */
    struct {
        int64_t at_s;     /* Unix time, ascending; the first: INT64_MIN */
        int32_t offset_s; /* east of Greenwich */
    } change[SEK_ZONE_CHANGES];
};
/* "+09:00", "-0530", "Z", "UTC", "Europe/Berlin". INVALID. */
enum sek_err sek_zone_from_text(const char *text, struct sek_zone_changes *out,
                                struct sek_diag *diag);
/* Borrows z. */
struct sek_zone sek_zone_of(const struct sek_zone_changes *z);
