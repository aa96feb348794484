/* SPDX-License-Identifier: BSD-3-Clause */
#include "reportview.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

static enum sek_col_kind kind_of(enum sek_sheet_kind kind)
{
    switch (kind) {
    case SEK_SHEET_NAME:
        return SEK_COL_NAME;
    case SEK_SHEET_COUNT:
        return SEK_COL_UINT;
    case SEK_SHEET_SHARE:
        return SEK_COL_REAL;
    case SEK_SHEET_TIME:
    case SEK_SHEET_STEP:
        return SEK_COL_TIME;
    case SEK_SHEET_FLAG:
        return SEK_COL_FLAG;
    case SEK_SHEET_TEXT:
    case SEK_SHEET_WORD:
        break;
    }
    return SEK_COL_TEXT;
}

/* --- what stands above the sheets --------------------------------------------------------------
 */

enum { KIND, AUDIENCE, LANG, SINCE, UNTIL, BEFORE_SINCE, BEFORE_UNTIL, MADE, SUMMARY, FIGURES };
static const struct sek_col head_cols[FIGURES] = {
    [KIND] = {"kind", "", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [AUDIENCE] = {"for", "", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [LANG] = {"lang", "", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [SINCE] = {"since", "", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [UNTIL] = {"until", "", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [BEFORE_SINCE] = {"before_since", "", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [BEFORE_UNTIL] = {"before_until", "", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [MADE] = {"made", "", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [SUMMARY] = {"summary", "", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
};

/* For people a figure is one cell, "49 (+12%, 44 before)"; for programs it is two numbers. */
struct head {
    struct sek_col cols[FIGURES + 3 * SEK_PAPER_FIGURES];
    char before_keys[SEK_PAPER_FIGURES][32];
    unsigned n;
};

static void head_cols_make(const struct sek_paper *p, struct head *h)
{
    memcpy(h->cols, head_cols, sizeof head_cols);
    h->n = FIGURES;
    for (unsigned i = 0; i < p->n_figures; i++) {
        const struct sek_figure *f = &p->figures[i];
        snprintf(h->before_keys[i], sizeof h->before_keys[i], "%s_before", f->key);
        h->cols[h->n++] =
            (struct sek_col){f->key, f->label, SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE};
        h->cols[h->n++] =
            (struct sek_col){h->before_keys[i], f->label, SEK_COL_UINT, NULL, 0, SEK_COL_MACHINE};
        h->cols[h->n++] = (struct sek_col){"", f->label, SEK_COL_TEXT, NULL, 0, SEK_COL_PEOPLE};
    }
}

static void put_figure(const struct sek_paper *p, struct sek_out *o, unsigned at,
                       const struct sek_figure *f)
{
    char number[SEK_LANG_NUMBER_MAX];
    struct sek_buf text, change;
    sek_buf_init(&text, 0);
    sek_buf_init(&change, 0);
    sek_out_uint(o, at, f->n);
    if (p->b->has_before)
        sek_out_uint(o, at + 1, f->before);
    sek_paper_change(p, f, &change);
    sek_buf_add_text(&text, sek_lang_number(p->lang, f->n, number));
    if (change.len)
        sek_buf_add_fmt(&text, " (%s)", change.data);
    sek_out_text(o, at + 2, text.data);
    sek_buf_fini(&text);
    sek_buf_fini(&change);
}

static void put_head(const struct sek_paper *p, struct sek_out *o, const struct head *h)
{
    const struct sek_bulletin *b = p->b;
    sek_out_begin(o, "sekisho.report/1", h->cols, h->n, SEK_OUT_RECORD);
    sek_out_text(o, KIND, sek_lookup_name(sek_bulletin_kind_names, (int)b->kind));
    sek_out_text(o, AUDIENCE, sek_lookup_name(sek_for_names, (int)p->audience));
    sek_out_text(o, LANG, sek_lang_code(p->lang));
    sek_out_int(o, SINCE, b->since_s);
    sek_out_int(o, UNTIL, b->until_s);
    if (b->has_before) {
        sek_out_int(o, BEFORE_SINCE, b->before_s);
        sek_out_int(o, BEFORE_UNTIL, b->before_until_s);
    }
    sek_out_int(o, MADE, b->made_s);
    sek_out_text(o, SUMMARY, p->summary.data);
    for (unsigned i = 0; i < p->n_figures; i++)
        put_figure(p, o, FIGURES + 3 * i, &p->figures[i]);
    sek_out_row(o);
}

/* --- sheets ------------------------------------------------------------------------------------
 */

/* What people read as the language writes it; programs get it plain. */
static bool is_said(const struct sek_out *o, enum sek_sheet_kind kind)
{
    return sek_out_format(o) == SEK_OUT_TABLE &&
           (kind == SEK_SHEET_WORD || kind == SEK_SHEET_SHARE || kind == SEK_SHEET_FLAG);
}

static void put_cell(const struct sek_paper *p, struct sek_out *o, const struct sek_sheet *s,
                     unsigned row, unsigned col, struct sek_buf *text)
{
    const struct sek_sheet_cell *cell = sek_sheet_cell(s, row, col);
    enum sek_sheet_kind kind = s->cols[col].kind;
    if (!cell->set)
        return;
    sek_buf_reset(text);
    if (is_said(o, kind)) {
        sek_paper_show(p, &s->cols[col], cell, text);
        sek_out_text(o, col, text->data);
    } else if (kind == SEK_SHEET_SHARE) {
        sek_out_real(o, col, cell->share, 4);
    } else if (kind_of(kind) == SEK_COL_UINT) {
        sek_out_uint(o, col, cell->n);
    } else if (kind_of(kind) == SEK_COL_TIME) {
        sek_out_int(o, col, (int64_t)cell->n);
    } else if (kind == SEK_SHEET_FLAG) {
        sek_out_flag(o, col, cell->n != 0);
    } else {
        sek_out_text(o, col, sek_paper_text(p, cell));
    }
}

/* People need not read of times in which nothing was asked. */
static bool is_quiet(const struct sek_out *o, const struct sek_sheet *s, unsigned row)
{
    for (unsigned i = 1; i < s->n_cols; i++)
        if (sek_sheet_cell(s, row, i)->n)
            return false;
    return s->is_chart && sek_out_format(o) == SEK_OUT_TABLE;
}

static void put_sheet(const struct sek_paper *p, struct sek_out *o, const struct sek_sheet *s,
                      struct sek_col *cols)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    for (unsigned i = 0; i < s->n_cols; i++) {
        const struct sek_sheet_col *c = &s->cols[i];
        enum sek_col_place place = c->place == SEK_SHEET_MACHINE  ? SEK_COL_MACHINE
                                   : c->place == SEK_SHEET_PEOPLE ? SEK_COL_PEOPLE
                                                                  : SEK_COL_FILLED;
        enum sek_col_kind kind = is_said(o, c->kind) ? SEK_COL_TEXT : kind_of(c->kind);
        cols[i] = (struct sek_col){c->key, c->title, kind, NULL, 0, place};
    }
    sek_out_title(o, s->title, s->none ? s->none : sek_lang_text(p->lang, "none"));
    sek_out_part(o, s->key, cols, s->n_cols, SEK_OUT_ROWS);
    for (unsigned row = 0; row < s->n_rows; row++) {
        if (is_quiet(o, s, row))
            continue;
        for (unsigned i = 0; i < s->n_cols; i++)
            put_cell(p, o, s, row, i, &text);
        if (!sek_out_row(o))
            break;
    }
    sek_buf_fini(&text);
}

enum sek_err sek_reportview_put(const struct sek_paper *p, struct sek_out *o, struct sek_diag *diag)
{
    struct head h;
    /* columns are borrowed to the end: one piece for all sheets */
    struct sek_col *cols = calloc((size_t)SEK_PAPER_SHEETS * SEK_SHEET_COLS, sizeof *cols);
    if (!cols)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    head_cols_make(p, &h);
    put_head(p, o, &h);
    for (unsigned i = 0; i < p->n_sheets; i++)
        put_sheet(p, o, &p->sheets[i], cols + (size_t)i * SEK_SHEET_COLS);
    enum sek_err err = sek_out_end(o, diag);
    free(cols);
    return err;
}
