/* SPDX-License-Identifier: BSD-3-Clause */
/* What a line of a log says came of its connection, by words that a map lists: "DROP" in a packet
 * filter's prefix, "TCP_DENIED/403", an event's number. Plain data. Any thread. */
#pragma once
#include "base/lookup.h"
#include "base/err.h"
#include "store/outside.h"

#define SEK_LOGOUTCOME_WORDS 64
#define SEK_LOGOUTCOME_WORD 48 /* octets with terminator */

struct sek_logoutcome {
    unsigned n;
    struct {
        enum sek_outside_outcome outcome;
        char text[SEK_LOGOUTCOME_WORD];
    } word[SEK_LOGOUTCOME_WORDS];
};

/* "connected" "attempted" "failed" "denied" "asked", as keys of a map. */
extern const struct sek_lookup sek_logoutcome_keys[];

enum sek_err sek_logoutcome_add(struct sek_logoutcome *o, enum sek_outside_outcome outcome,
                                const char *word, struct sek_diag *diag);
/* The outcome of the first word that stands in the text, whatever its case, and not within another
 * word of letters and digits; `otherwise` if none does. */
enum sek_outside_outcome sek_logoutcome_of(const struct sek_logoutcome *o, const char *text,
                                           enum sek_outside_outcome otherwise);
