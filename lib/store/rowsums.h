/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tables of store/journal.h hold, as sums that follow every change of a row and that can
 * be computed anew from the rows: by them the audit trail knows a row that something else than the
 * command changed. Tables are summed in parts, by the integer in a row's first column (the list of
 * an entry, the group of a member), else 0.
 *
 * A sum is the number of the rows and, modulo 2^512, the sum of the SHA-512 of each, over its
 * table's id (an octet), then for each column its number and its type (an octet each) and the
 * integer in 8 octets, or the length in 4 and the octets; numbers the highest octet first, columns
 * that came later (n_first) only where they are not ''. One thread. */
#pragma once
#include "store/journal.h"

#define SEK_ROWSUM_WORDS 8

struct sek__rowsum {
    int64_t n;                       /* rows; of a difference below 0, too */
    uint64_t word[SEK_ROWSUM_WORDS]; /* of a number of 512 bits, the lowest first */
};

struct sek__rowsum_part {
    unsigned table; /* its id in store/journal.h; 0: all tables together */
    int64_t part;
    struct sek__rowsum sum;
};

struct sek__rowsums {
    struct sek__rowsum_part *all; /* of those that rows were added to */
    size_t n, room;
    struct sek__rowsum total;
    bool failed; /* no memory: the sums are worthless */
    void *digest;
    struct sek_buf row;
};

void sek__rowsums_init(struct sek__rowsums *s);
void sek__rowsums_fini(struct sek__rowsums *s);
void sek__rowsums_reset(struct sek__rowsums *s);

int64_t sek__rowsum_part_of(const struct sek__cell *row);
/* The row was added, or removed. */
void sek__rowsums_row(struct sek__rowsums *s, const struct sek__journal_table *t,
                      const struct sek__cell *row, bool removed);
/* All rows there are. NOMEM. */
enum sek_err sek__rowsums_scan(sqlite3 *db, struct sek__rowsums *s, struct sek_diag *diag);

/* Add, or subtract. */
void sek__rowsum_add(struct sek__rowsum *to, const struct sek__rowsum *other, bool subtract);
bool sek__rowsum_equal(const struct sek__rowsum *a, const struct sek__rowsum *b);

/* The sums that the database keeps (table audit_sum), as the last row of the trail left them. Into
 * an empty s, sorted as sek__rowsums_sort does. */
enum sek_err sek__rowsums_load(sqlite3 *db, struct sek__rowsums *s, struct sek_diag *diag);
/* By table, then by part; parts without rows go. */
void sek__rowsums_sort(struct sek__rowsums *s);
/* Keep these instead of those there are; or add them to those. out_total may be NULL. */
enum sek_err sek__rowsums_replace(sqlite3 *db, const struct sek__rowsums *s, struct sek_diag *diag);
enum sek_err sek__rowsums_advance(sqlite3 *db, const struct sek__rowsums *s,
                                  struct sek__rowsum *out_total, struct sek_diag *diag);
