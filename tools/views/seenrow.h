/* SPDX-License-Identifier: BSD-3-Clause */
/* A registered domain as the nod commands and `domain` show it. One thread. */
#pragma once
#include "seen.h"

#define SEK_SEEN_COLS 18
/* In rows, and as a record. */
extern const struct sek_col sek_seen_list_cols[SEK_SEEN_COLS];
extern const struct sek_col sek_seen_show_cols[SEK_SEEN_COLS];
/* Set and end one row. False: stop. */
bool sek_seen_row(struct sek_seen *s, const struct sek_seen_domain *d);
/* The registered domain that a name belongs to. A usage error for what has none. name_text: as it
 * was typed. */
enum sek_err sek_seen_registered(struct sek_context *c, const struct sek_conf *conf,
                                 const char *name_text, struct sek_name *out_name,
                                 struct sek_name *out_domain);
