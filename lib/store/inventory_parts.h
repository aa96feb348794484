/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files behind inventory.h share; nobody else includes this. One thread. */
#pragma once
#include "store/inventory.h"
#include "store/policydb_parts.h"

/* What a span is about: an address (16 octets), or a machine by its MAC. */
struct sek__subject {
    size_t len;
    uint8_t octets[1 + 2 * SEK_LEASE_MAC_OCTETS_MAX];
};
void sek__subject_of_addr(const struct sek_addr *addr, struct sek__subject *out);
void sek__subject_of_mac(const char *mac, struct sek__subject *out);

/* A row as it stands: later rows may begin before its end. */
struct sek__span_row {
    int64_t from_s, until_s;
    int64_t seen_s; /* the latest time at which it was stated to last */
    bool ended;     /* until_s is when it did end: no lease makes it longer */
    struct sek_machine machine;
};
/* Columns from_s, until_s, ended, mac, name, owner, grp from `at` on. */
void sek__inventory_row(sqlite3_stmt *stmt, int at, struct sek__span_row *out);
/* The last row that begins at or before time_s. NOTFOUND without diag when there is none. */
enum sek_err sek__inventory_before(struct sek_policydb *db, const struct sek__subject *subject,
                                   int64_t time_s, struct sek__span_row *out,
                                   struct sek_diag *diag);
/* Fill what `to` does not know. True if there was anything. */
bool sek__machine_fill(struct sek_machine *to, const struct sek_machine *from);
