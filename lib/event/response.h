/* SPDX-License-Identifier: BSD-3-Clause */
/* That DNS gave an address for a name that somebody chose to be tracked (watch/udr.h): what is kept
 * of it over restarts. Plain data, copied freely. */
#pragma once
#include "base/addr.h"
#include "base/mode.h"
#include "name/name.h"

/* Name and address together are one; a later record of it renews first_ms and last_day. */
struct sek_response {
    int64_t first_ms; /* Unix milliseconds: it came for the first time */
    int64_t last_day; /* Unix time / 86400: it came last */
    struct sek_addr address;
    struct sek_addr endpoint; /* that got it first */
    enum sek_news news;
    uint8_t name_len;
    uint8_t name[SEK_NAME_MAX + 1]; /* the question's, wire, lower case */
};
