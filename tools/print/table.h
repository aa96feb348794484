/* SPDX-License-Identifier: BSD-3-Clause */
/* Cells aligned for people: as a table, as the "Title: value" lines of one record, or row by row
 * with fixed widths. Used by tools/print/out.c only; cells must be safe text. Widths come from the
 * first rows (up to SEK_TABLE_AHEAD octets of them); a report of millions of rows takes no more
 * memory. One thread. */
#pragma once
#include "base/buf.h"
#include "out.h"

#define SEK_TABLE_AHEAD (1U << 20) /* octets of cells looked at before widths are fixed */

struct sek_table {
    FILE *file; /* borrowed */
    bool color;
    unsigned columns; /* of the terminal; 0 = never cut */
    const struct sek_col *cols;
    unsigned n_cols;
    enum sek_out_shape shape;
    unsigned width[SEK_OUT_COLS_MAX];
    bool hidden[SEK_OUT_COLS_MAX]; /* SEK_COL_FILLED without a filled cell */
    struct sek_buf text;           /* the waiting cells' text */
    struct sek_buf cells;          /* struct cell, n_cols a row */
    bool fixed;                    /* widths are settled, the heading is out */
    size_t gap; /* blanks owed before the next text: lines have none at their end */
};

void sek_table_init(struct sek_table *t, FILE *file, bool color, unsigned columns);
void sek_table_fini(struct sek_table *t);
void sek_table_begin(struct sek_table *t, const struct sek_col *cols, unsigned n_cols,
                     enum sek_out_shape shape);
/* Cells come in the order of columns. */
void sek_table_cell(struct sek_table *t, const char *text, size_t len, enum sek_tint tint);
void sek_table_row(struct sek_table *t);
/* Print what waits. False: out of memory. */
bool sek_table_end(struct sek_table *t);
