/* SPDX-License-Identifier: BSD-3-Clause */
/* THE writer of reports. A command declares its columns once and sets the cells of one row after
 * the other; the writer prints them as a table for people, or as JSON, JSON lines or CSV (RFC 4180)
 * for programs. Hostile text is escaped in every format (tools/print/safe.h). Only the table shows
 * human units, U-labels beside A-labels, and (on a terminal that is too narrow) cut text. Texts go
 * through the veil (tools/print/veil.h): a row that hides an endpoint tells nothing of its machine
 * either. One thread. */
#pragma once
#include "base/err.h"
#include "base/lookup.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum sek_out_format { SEK_OUT_TABLE, SEK_OUT_JSON, SEK_OUT_JSONL, SEK_OUT_CSV };
extern const struct sek_lookup sek_out_format_names[];

enum sek_col_kind {
    SEK_COL_TEXT,     /* any text */
    SEK_COL_NAME,     /* a domain name or list notation; the table adds the U-label form */
    SEK_COL_UINT,     /* a count */
    SEK_COL_INT,      /* a signed number */
    SEK_COL_REAL,     /* a number with decimals: as many as the cell was given */
    SEK_COL_TIME,     /* Unix seconds; ISO 8601 in UTC in every format */
    SEK_COL_TIME_MS,  /* Unix milliseconds; the table shows seconds */
    SEK_COL_DURATION, /* seconds; the table shows "1d2h" */
    SEK_COL_OCTETS,   /* octets; the table shows "1.5 MiB" */
    SEK_COL_FLAG,     /* yes/no; true/false in JSON */
    SEK_COL_JSON,     /* text that is a JSON value on one line; JSON formats hold it as it is */
};

enum sek_col_place {
    SEK_COL_BOTH,
    SEK_COL_MACHINE, /* not in the table: programs want it, people seldom do */
    SEK_COL_PEOPLE,  /* only in the table: a reading of other columns */
    SEK_COL_FILLED,  /* in the table only if a row says something there; never in LIVE ones */
    SEK_COL_NOWHERE, /* this run has no use for it */
};

struct sek_col {
    const char *key; /* stable: programs rely on it */
    const char *title;
    enum sek_col_kind kind;
    const char *none; /* table: for a cell that is not set or empty; NULL = "-", and in
                         a record no line at all */
    unsigned width;   /* SEK_OUT_LIVE: columns to keep free */
    enum sek_col_place place;
};

#define SEK_OUT_COLS_MAX 96

enum sek_out_shape {
    SEK_OUT_ROWS,   /* aligned by what the rows hold */
    SEK_OUT_RECORD, /* one row, shown as "Title: value" lines */
    SEK_OUT_LIVE,   /* rows shown as they come, by the columns' width (tail) */
};

enum sek_tint { SEK_TINT_NONE, SEK_TINT_GOOD, SEK_TINT_WARN, SEK_TINT_BAD, SEK_TINT_FAINT };

struct sek_out;

struct sek_out_style {
    enum sek_out_format format;
    bool color;
    unsigned width; /* columns of the terminal; 0 = no terminal, never cut */
    const char
        *part; /* print this part alone, by its key; NULL: all, but of CSV the first. Borrowed
                */
};

/* file: borrowed. */
enum sek_err sek_out_new(FILE *file, const struct sek_out_style *style, struct sek_out **out);
void sek_out_free(struct sek_out *o);
enum sek_out_format sek_out_format(const struct sek_out *o);
/* The part that is wanted alone; NULL: there is none. */
const char *sek_out_wanted(const struct sek_out *o);

/* Begin a report, with its part "rows". schema: "sekisho.hits/1". cols: borrowed until sek_out_end.
 */
void sek_out_begin(struct sek_out *o, const char *schema, const struct sek_col *cols,
                   unsigned n_cols, enum sek_out_shape shape);
/* A further part of the same report, under another key than "rows". JSON: a second array of the
 * same document. JSONL: schema "sekisho.hits.<key>/1". CSV, one table a stream: only if it is the
 * part wanted. */
void sek_out_part(struct sek_out *o, const char *key, const struct sek_col *cols, unsigned n_cols,
                  enum sek_out_shape shape);

/* For people: a heading above the part that begins next, and what is said if it has no rows (NULL:
 * nothing). Borrowed until that part ends. */
void sek_out_title(struct sek_out *o, const char *title, const char *none);

/* Cells of the row being made, by column; what is not set is null. text may be NULL (null). */
void sek_out_text(struct sek_out *o, unsigned col, const char *text);
/* A text that names endpoints, by address or by their machines' names. */
void sek_out_endpoint(struct sek_out *o, unsigned col, const char *text);
void sek_out_uint(struct sek_out *o, unsigned col, uint64_t n);
void sek_out_int(struct sek_out *o, unsigned col, int64_t n);
/* decimals: 0..9, for every format. What is no number (NaN, infinite) is null. */
void sek_out_real(struct sek_out *o, unsigned col, double v, int decimals);
void sek_out_flag(struct sek_out *o, unsigned col, bool yes);
/* Colour of a cell on a terminal; means nothing elsewhere. */
void sek_out_tint(struct sek_out *o, unsigned col, enum sek_tint tint);

/* The row is complete. False: nobody reads any more, or writing failed; stop sending rows. */
bool sek_out_row(struct sek_out *o);

/* End the report and flush; says which parts CSV left out. SEK_OK, also when the reader went away
 * (a closed pipe is no error); INVALID: there was no such part as the one wanted; else what writing
 * failed with. */
enum sek_err sek_out_end(struct sek_out *o, struct sek_diag *diag);
/* It ended with that INVALID: wrong use of the command, that is. */
bool sek_out_lacks_part(const struct sek_out *o);
/* Rows in this report so far, all parts. */
uint64_t sek_out_n_rows(const struct sek_out *o);
