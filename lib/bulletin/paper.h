/* SPDX-License-Identifier: BSD-3-Clause */
/* A bulletin in words: sheets (tables) with titles in a language, chosen for an audience. Every
 * format is written from it: what one says, all say. One thread. */
#pragma once
#include "bulletin/bulletin.h"
#include "bulletin/lang.h"

enum sek_audience_kind { SEK_FOR_SOC, SEK_FOR_MANAGERS };
extern const struct sek_lookup sek_for_names[]; /* "soc" "managers" */

enum sek_sheet_kind {
    SEK_SHEET_TEXT,
    SEK_SHEET_NAME, /* a domain name or rule */
    SEK_SHEET_WORD, /* a word of the code; people read "word.<word>" of the catalogue, if it has it
                     */
    SEK_SHEET_COUNT,
    SEK_SHEET_SHARE, /* 0..1 */
    SEK_SHEET_TIME,  /* Unix seconds, UTC */
    SEK_SHEET_STEP,  /* the same, as the beginning of an hour, day or week */
    SEK_SHEET_FLAG,
};
enum sek_sheet_place { SEK_SHEET_BOTH, SEK_SHEET_MACHINE, SEK_SHEET_PEOPLE };

struct sek_sheet_col {
    const char *key, *title; /* stable key; title in the language */
    enum sek_sheet_kind kind;
    enum sek_sheet_place place;
};
struct sek_sheet_cell {
    bool set;
    union {
        uint64_t n; /* COUNT, FLAG; TIME and STEP as int64_t */
        double share;
        size_t text; /* in sek_paper.texts */
    };
};

#define SEK_SHEET_COLS 10
struct sek_sheet {
    const char *key, *title;
    const char *intro; /* a sentence above it, or NULL */
    const char *none;  /* in place of an empty one */
    struct sek_sheet_col cols[SEK_SHEET_COLS];
    unsigned n_cols, n_rows;
    struct sek_buf cells; /* struct sek_sheet_cell, n_cols a row */
    int bar;              /* column whose numbers are shown as bars; -1 */
    unsigned bar_blocked; /* then that of the numbers of those that were blocked */
    bool is_chart;        /* hits over time */
};

/* What may be read of a text (its argument is the paper's), and whether an endpoint was hidden:
 * then its row says nothing of its machine either. Borrowed until the next call. */
typedef const char *sek_paper_veil_fn(void *arg, const char *text, bool *out_hidden);

struct sek_figure {
    const char *key, *label;
    uint64_t n, before;
};

#define SEK_PAPER_SHEETS 16
#define SEK_PAPER_FIGURES 8
struct sek_paper {
    const struct sek_lang *lang;
    const struct sek_bulletin *b;
    enum sek_audience_kind audience;
    sek_paper_veil_fn *veil;
    void *veil_arg;
    bool hidden;          /* an endpoint, in the row that is made */
    struct sek_buf texts; /* of cells, each ended by a NUL */
    struct sek_buf title, period, summary, made;
    struct sek_figure figures[SEK_PAPER_FIGURES];
    struct sek_sheet sheets[SEK_PAPER_SHEETS];
    unsigned n_figures, n_sheets;
};

/* Every text is what veil leaves of it, in all formats. lang and b: borrowed. NOMEM. Caller:
 * sek_paper_fini, in any case. */
enum sek_err sek_paper_make(const struct sek_bulletin *b, const struct sek_lang *lang,
                            enum sek_audience_kind audience, sek_paper_veil_fn *veil, void *arg,
                            struct sek_paper *out, struct sek_diag *diag);
void sek_paper_fini(struct sek_paper *p);

const struct sek_sheet_cell *sek_sheet_cell(const struct sek_sheet *s, unsigned row, unsigned col);
/* The text of a TEXT, NAME or WORD cell; "" when it is not set. */
const char *sek_paper_text(const struct sek_paper *p, const struct sek_sheet_cell *cell);
/* Append a cell as people read it in the language: numbers grouped, words translated. */
void sek_paper_show(const struct sek_paper *p, const struct sek_sheet_col *col,
                    const struct sek_sheet_cell *cell, struct sek_buf *out);
/* Append how a figure changed: "+12%, 1,146 before". Nothing when there is nothing to compare. */
void sek_paper_change(const struct sek_paper *p, const struct sek_figure *f, struct sek_buf *out);

/* Append the whole of it. out: no cap below 16 MiB. */
void sek_paper_html(const struct sek_paper *p, struct sek_buf *out);
void sek_paper_markdown(const struct sek_paper *p, struct sek_buf *out);
