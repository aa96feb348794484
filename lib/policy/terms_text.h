/* SPDX-License-Identifier: BSD-3-Clause */
/* The terms of a rule as people write them, behind its name in a list or as options of a command:
 *
 *   type=A,TXT  type=!A,TXT          only for questions of these types; for all but these
 *   endpoint=192.0.2.7,2001:db8::/64 only for these
 *   schedule="mon-fri 08:00-18:00 Europe/Berlin"
 *   start=2026-12-01T08:00:00Z       not before
 *   priority=5                       in place of the list's
 *   ede=17 ede-text="Ask IT"         RFC 8914
 *   ttl=60                           s, of the answer; of the records behind it (of those of one
 *                                    type the smallest), and without records the smallest
 *   log=none                         hits are counted, not recorded
 *   data="A 192.0.2.1" data="…"      records of the answer (policy/records.h); action local-data
 *
 * One canonical text each: equal terms have equal texts. Any thread. */
#pragma once
#include "base/buf.h"
#include "policy/terms.h"
#include "policy/timezone.h"

#define SEK_TERMS_TEXT_MAX 2048 /* octets with terminator */

struct sek_terms_spec {
    struct sek_terms terms; /* zone, ede_text, data, n_data, endpoints: 0; that is here: */
    char zone[SEK_TIMEZONE_MAX];
    char ede_text[SEK_TERMS_EDE_TEXT_MAX];
    size_t n_endpoints;
    struct sek_net endpoints[SEK_TERMS_ENDPOINTS_MAX]; /* sorted by octets and bits */
    size_t n_data;
    uint8_t data[SEK_TERMS_DATA_MAX];
};

/* One of them, by its word ("type", "schedule" …), added to what is there. INVALID. */
enum sek_err sek_terms_add(struct sek_terms_spec *io, const char *word, const char *value,
                           struct sek_diag *diag);
/* All: "word=value" separated by blanks; a value with blanks stands between " marks, and \ before a
 * " or \ in it. An empty text has none. */
enum sek_err sek_terms_from_text(const char *text, size_t len, struct sek_terms_spec *out,
                                 struct sek_diag *diag);
/* The canonical text. LIMIT when it is longer than SEK_TERMS_TEXT_MAX. */
enum sek_err sek_terms_to_text(const struct sek_terms_spec *spec, char out[SEK_TERMS_TEXT_MAX],
                               struct sek_diag *diag);
