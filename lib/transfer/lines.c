/* SPDX-License-Identifier: BSD-3-Clause */
#include "transfer/lines.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct row {
    size_t at;
    uint32_t len; /* with its newline */
    bool added;
};

void sek_lines_init(struct sek_lines *l, size_t cap)
{
    sek_buf_init(&l->text, cap);
    sek_buf_init(&l->rows, SIZE_MAX / 2);
}

void sek_lines_fini(struct sek_lines *l)
{
    sek_buf_fini(&l->text);
    sek_buf_fini(&l->rows);
}

size_t sek_lines_n(const struct sek_lines *l)
{
    return l->rows.len / sizeof(struct row);
}

enum sek_err sek_lines_add(struct sek_lines *l, const char *line, size_t len, bool added,
                           struct sek_diag *diag)
{
    struct row *row = sek_buf_grow(&l->rows, sizeof *row);
    if (!row)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for so many records");
    *row = (struct row){.at = l->text.len, .len = (uint32_t)len + 1, .added = added};
    sek_buf_add(&l->text, line, len);
    sek_buf_add(&l->text, "\n", 1);
    if (l->text.failed)
        return sek_diag_set(diag, SEK_E_LIMIT, "the zone is larger than allowed");
    return SEK_OK;
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* Equal lines stay in the order in which they were added. */
static int rows_compare(const void *a, const void *b, void *arg)
{
    const struct row *x = a, *y = b;
    const char *text = arg;
    int order = compare(text + x->at, x->len, text + y->at, y->len);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static const struct row *rows_sort(struct sek_lines *l)
{
    struct row *rows = (void *)l->rows.data;
    if (rows)
        qsort_r(rows, sek_lines_n(l), sizeof *rows, rows_compare, l->text.data);
    return rows;
}

static enum sek_err out_check(const struct sek_buf *out, struct sek_diag *diag)
{
    return out->failed ? sek_diag_set(diag, SEK_E_LIMIT, "the zone is larger than allowed")
                       : SEK_OK;
}

enum sek_err sek_lines_sorted(struct sek_lines *l, struct sek_buf *out, struct sek_diag *diag)
{
    const struct row *rows = rows_sort(l);
    const char *text = l->text.data;
    size_t n = sek_lines_n(l);
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        if (i > 0 && compare(text + r->at, r->len, text + r[-1].at, r[-1].len) == 0)
            continue;
        sek_buf_add(out, text + r->at, r->len);
    }
    return out_check(out, diag);
}

/* The line at the front of what is left, with its newline; empty at the end. */
static size_t line_len(const char *at, const char *end)
{
    const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
}

/* One line through all its changes: rows[*i] and those of the same text. */
static enum sek_err line_apply(const char *text, const struct row *rows, size_t n, size_t *i,
                               bool there, struct sek_buf *out, struct sek_lines_change *c,
                               struct sek_diag *diag)
{
    const struct row *first = &rows[*i];
    bool was = there;
    for (; *i < n && compare(text + rows[*i].at, rows[*i].len, text + first->at, first->len) == 0;
         (*i)++) {
        if (rows[*i].added == there)
            return sek_diag_set(diag, SEK_E_CORRUPT, "its delta %s a record that %s: %.*s",
                                there ? "adds" : "removes", there ? "is there" : "is not there",
                                (int)(first->len < 120 ? first->len - 1 : 120), text + first->at);
        there = !there;
    }
    if (there)
        sek_buf_add(out, text + first->at, first->len);
    c->n_added += there && !was;
    c->n_removed += was && !there;
    return SEK_OK;
}

enum sek_err sek_lines_apply(const char *old, size_t old_len, struct sek_lines *change,
                             struct sek_buf *out, struct sek_lines_change *out_change,
                             struct sek_diag *diag)
{
    const struct row *rows = rows_sort(change);
    const char *text = change->text.data, *end = old + old_len;
    size_t n = sek_lines_n(change), i = 0, len = line_len(old, end);
    struct sek_lines_change c = {0};
    enum sek_err err = SEK_OK;
    while (!err && (len || i < n)) {
        int order = len == 0 ? 1 : -1;
        if (len && i < n)
            order = compare(old, len, text + rows[i].at, rows[i].len);
        if (order < 0)
            sek_buf_add(out, old, len);
        else
            err = line_apply(text, rows, n, &i, order == 0, out, &c, diag);
        if (order <= 0) {
            old += len;
            len = line_len(old, end);
        }
    }
    if (!err)
        err = out_check(out, diag);
    if (!err)
        *out_change = c;
    return err;
}

void sek_lines_compare(const char *old, size_t old_len, const char *fresh, size_t fresh_len,
                       struct sek_lines_change *out)
{
    const char *old_end = old + old_len, *fresh_end = fresh + fresh_len;
    *out = (struct sek_lines_change){0};
    for (;;) {
        size_t a = line_len(old, old_end), b = line_len(fresh, fresh_end);
        if (!a && !b)
            return;
        int order = !a ? 1 : !b ? -1 : compare(old, a, fresh, b);
        out->n_removed += order < 0;
        out->n_added += order > 0;
        old += order <= 0 ? a : 0;
        fresh += order >= 0 ? b : 0;
    }
}
