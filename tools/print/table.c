/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"
#include "safe.h"
#include <limits.h>
#include <string.h>
#include "base/banned.h"

#define GAP 2 /* blanks between columns */

/* Columns that a cut cell keeps: less says nothing. A row that still does not fit wraps. */
static unsigned least(const struct sek_col *c)
{
    return c->kind == SEK_COL_NAME ? 24 : c->kind == SEK_COL_TEXT ? 15 : UINT_MAX;
}

struct cell {
    size_t offset, len, width;
    enum sek_tint tint;
};

void sek_table_init(struct sek_table *t, FILE *file, bool color, unsigned columns)
{
    *t = (struct sek_table){.file = file, .color = color, .columns = columns};
    sek_buf_init(&t->text, 0);
    sek_buf_init(&t->cells, 0);
}

void sek_table_fini(struct sek_table *t)
{
    sek_buf_fini(&t->text);
    sek_buf_fini(&t->cells);
}

void sek_table_begin(struct sek_table *t, const struct sek_col *cols, unsigned n_cols,
                     enum sek_out_shape shape)
{
    t->cols = cols;
    t->n_cols = n_cols;
    t->shape = shape;
    t->fixed = false;
    for (unsigned i = 0; i < n_cols; i++) {
        unsigned title = (unsigned)sek_safe_width(cols[i].title, strlen(cols[i].title));
        t->width[i] = shape == SEK_OUT_LIVE && cols[i].width > title ? cols[i].width : title;
        t->hidden[i] = shape != SEK_OUT_RECORD && cols[i].place == SEK_COL_FILLED;
    }
    sek_buf_reset(&t->text);
    sek_buf_reset(&t->cells);
}

void sek_table_cell(struct sek_table *t, const char *text, size_t len, enum sek_tint tint)
{
    struct cell c = {t->text.len, len, sek_safe_width(text, len), tint};
    sek_buf_add(&t->text, text, len);
    sek_buf_add(&t->cells, &c, sizeof c);
}

/* Numbers stand flush right, so that their sizes compare at a glance. */
static bool flush_right(const struct sek_col *c)
{
    return c->kind == SEK_COL_UINT || c->kind == SEK_COL_INT || c->kind == SEK_COL_OCTETS ||
           c->kind == SEK_COL_DURATION || c->kind == SEK_COL_REAL;
}

static void end_line(struct sek_table *t)
{
    t->gap = 0;
    fputc('\n', t->file);
}

static void paint(struct sek_table *t, const char *code)
{
    if (t->color)
        fputs(code, t->file);
}

static const char *tint_code(enum sek_tint tint)
{
    switch (tint) {
    case SEK_TINT_GOOD:
        return "\033[32m";
    case SEK_TINT_WARN:
        return "\033[33m";
    case SEK_TINT_BAD:
        return "\033[31m";
    case SEK_TINT_FAINT:
        return "\033[2m";
    case SEK_TINT_NONE:
        break;
    }
    return "";
}

/* Print after the blanks owed; cut: "…" stands for what is left out. */
static void print_text(struct sek_table *t, const char *text, size_t len, bool cut,
                       const char *code)
{
    if (!len)
        return;
    fprintf(t->file, "%*s", (int)t->gap, "");
    t->gap = 0;
    paint(t, code);
    fwrite(text, 1, len, t->file);
    if (cut)
        fputs("…", t->file);
    if (*code)
        paint(t, "\033[0m");
}

/* Print one line's cell at its place. */
static void print_cell(struct sek_table *t, unsigned col, const char *text, size_t len,
                       size_t width, const char *code)
{
    if (t->hidden[col])
        return;
    bool cut = t->columns && t->shape != SEK_OUT_LIVE && width > t->width[col];
    if (cut) { /* a wide character may leave a column free */
        len = sek_safe_fit(text, len, t->width[col] - 1);
        width = sek_safe_width(text, len) + 1;
    }
    size_t pad = t->width[col] > width ? t->width[col] - width : 0;
    bool right = flush_right(&t->cols[col]);
    if (right)
        t->gap += pad;
    print_text(t, text, len, cut, code);
    t->gap += right ? GAP : pad + GAP;
}

static size_t total(const struct sek_table *t)
{
    size_t n = 0;
    for (unsigned i = 0; i < t->n_cols; i++)
        n += t->hidden[i] ? 0 : t->width[i] + (i ? GAP : 0);
    return n;
}

/* Take from the widest text column until the row fits the terminal. */
static void squeeze(struct sek_table *t)
{
    for (size_t over = total(t); t->columns && over > t->columns; over--) {
        unsigned widest = t->n_cols;
        for (unsigned i = 0; i < t->n_cols; i++)
            if (!t->hidden[i] && t->width[i] > least(&t->cols[i]) &&
                (widest == t->n_cols || t->width[i] > t->width[widest]))
                widest = i;
        if (widest == t->n_cols)
            return;
        t->width[widest]--;
    }
}

static void heading(struct sek_table *t)
{
    for (unsigned i = 0; i < t->n_cols; i++) {
        const char *title = t->cols[i].title;
        size_t len = strlen(title);
        print_cell(t, i, title, len, sek_safe_width(title, len), t->color ? "\033[1m" : "");
    }
    end_line(t);
}

static void print_rows(struct sek_table *t)
{
    const struct cell *cells = (const struct cell *)(const void *)t->cells.data;
    size_t n = t->cells.len / sizeof *cells;
    for (size_t i = 0; i < n; i++) {
        unsigned col = (unsigned)(i % t->n_cols);
        print_cell(t, col, t->text.data + cells[i].offset, cells[i].len, cells[i].width,
                   tint_code(cells[i].tint));
        if (col + 1 == t->n_cols)
            end_line(t);
    }
}

static void print_record(struct sek_table *t)
{
    const struct cell *cells = (const struct cell *)(const void *)t->cells.data;
    size_t n = t->cells.len / sizeof *cells, widest = 0;
    for (unsigned i = 0; i < t->n_cols; i++) {
        size_t w = sek_safe_width(t->cols[i].title, strlen(t->cols[i].title));
        widest = w > widest ? w : widest;
    }
    for (size_t i = 0; i < n; i++) {
        const char *title = t->cols[i % t->n_cols].title;
        size_t w = sek_safe_width(title, strlen(title));
        if (!cells[i].len) /* not known, and not worth a line */
            continue;
        paint(t, "\033[1m");
        fputs(title, t->file);
        paint(t, "\033[0m");
        t->gap = widest - w + GAP;
        print_text(t, t->text.data + cells[i].offset, cells[i].len, false,
                   tint_code(cells[i].tint));
        end_line(t);
    }
}

static void settle(struct sek_table *t)
{
    const struct cell *cells = (const struct cell *)(const void *)t->cells.data;
    size_t n = t->cells.len / sizeof *cells;
    for (size_t i = 0; t->shape == SEK_OUT_ROWS && i < n; i++) {
        unsigned col = (unsigned)(i % t->n_cols);
        if (cells[i].width > t->width[col])
            t->width[col] = (unsigned)cells[i].width;
        if (cells[i].len)
            t->hidden[col] = false;
    }
    if (t->shape == SEK_OUT_ROWS)
        squeeze(t);
    t->fixed = true;
}

static void release(struct sek_table *t)
{
    if (t->text.failed || t->cells.failed || !t->cells.len)
        return;
    if (t->shape == SEK_OUT_RECORD) {
        print_record(t);
    } else {
        if (!t->fixed) {
            settle(t);
            heading(t);
        }
        print_rows(t);
    }
    sek_buf_reset(&t->text);
    sek_buf_reset(&t->cells);
}

void sek_table_row(struct sek_table *t)
{
    size_t waiting = t->text.len + t->cells.len;
    if (t->shape == SEK_OUT_LIVE || waiting > SEK_TABLE_AHEAD ||
        (t->fixed && waiting > SEK_TABLE_AHEAD / 16))
        release(t);
}

bool sek_table_end(struct sek_table *t)
{
    bool good = !t->text.failed && !t->cells.failed;
    release(t);
    return good;
}
