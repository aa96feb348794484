/* SPDX-License-Identifier: BSD-3-Clause */
/* The report as Markdown (CommonMark, with the tables of GitHub Flavored Markdown §4.10), for
 * tickets and wikis. */
#include "base/utf8.h"
#include "bulletin/paper_parts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/banned.h"

/* Text that stays text: what Markdown or HTML reads as its own is escaped (CommonMark §2.4; "<" and
 * "&" as references), what deceives a reader is written out. */
static void add_text(struct sek_buf *b, const char *text)
{
    size_t len;
    for (size_t n = strlen(text), at = 0; n; text += len, n -= len, at += len) {
        uint32_t c = 0;
        len = sek_utf8_next(text, n, &c);
        if (!len || (c < 0x80 && sek_utf8_is_deceptive(c))) {
            len = 1;
            sek_buf_add_fmt(b, "\\\\x%02x", (unsigned char)text[0]);
        } else if (sek_utf8_is_deceptive(c)) {
            sek_buf_add_fmt(b, "\\\\u{%x}", (unsigned)c);
        } else if (c == '<' || c == '>' || c == '&') {
            sek_buf_add_fmt(b, "&#%u;", (unsigned)c);
        } else if (c < 0x80 && strchr("\\`*_[]|~!#", (int)c)) {
            sek_buf_add_fmt(b, "\\%c", (int)c);
        } else if (c == '@' || (c == ':' && n > 1 && text[1] == '/') ||
                   (c == '.' && at >= 3 && strncasecmp(text - 3, "www", 3) == 0)) {
            sek_buf_add_fmt(b, "&#%u;", (unsigned)c); /* else it becomes a link (GFM §6.9) */
        } else {
            sek_buf_add(b, text, len);
        }
    }
}

/* A name as code: nobody shall come to such a domain by a click. Within it only its end and the
 * table's bar mean anything; tags are written out for renderers that are less strict. */
static void add_code(struct sek_buf *b, const char *text)
{
    sek_buf_add_text(b, "`");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c >= 0x7f || strchr("`<>", c))
            sek_buf_add_fmt(b, "\\x%02x", c);
        else
            sek_buf_add_fmt(b, c == '|' ? "\\%c" : "%c", c);
    }
    sek_buf_add_text(b, "`");
}

static const char *own(const struct sek_buf *b)
{
    return b->data ? b->data : "";
}

static bool is_number(enum sek_sheet_kind kind)
{
    return kind == SEK_SHEET_COUNT || kind == SEK_SHEET_SHARE;
}

static void add_table(const struct sek_paper *p, const struct sek_sheet *s, struct sek_buf *out)
{
    struct sek_buf text;
    sek_buf_init(&text, 0);
    for (unsigned i = 0; i < s->n_cols; i++)
        if (sek__sheet_shows(s, i)) {
            sek_buf_add_text(out, "| ");
            add_text(out, s->cols[i].title);
            sek_buf_add_text(out, " ");
        }
    sek_buf_add_text(out, "|\n");
    for (unsigned i = 0; i < s->n_cols; i++)
        if (sek__sheet_shows(s, i))
            sek_buf_add_text(out, is_number(s->cols[i].kind) ? "|---:" : "|:---");
    sek_buf_add_text(out, "|\n");
    for (unsigned row = 0; row < s->n_rows; row++) {
        for (unsigned i = 0; i < s->n_cols; i++) {
            if (!sek__sheet_shows(s, i))
                continue;
            sek_buf_reset(&text);
            sek_paper_show(p, &s->cols[i], sek_sheet_cell(s, row, i), &text);
            sek_buf_add_text(out, "| ");
            if (text.len && s->cols[i].kind == SEK_SHEET_NAME)
                add_code(out, text.data);
            else
                add_text(out, own(&text));
            sek_buf_add_text(out, text.len ? " " : "");
        }
        sek_buf_add_text(out, "|\n");
    }
    sek_buf_fini(&text);
}

void sek_paper_markdown(const struct sek_paper *p, struct sek_buf *out)
{
    char number[SEK_LANG_NUMBER_MAX];
    struct sek_buf change;
    sek_buf_init(&change, 0);
    sek_buf_add_text(out, "# ");
    add_text(out, own(&p->title));
    sek_buf_add_text(out, " · ");
    add_text(out, own(&p->period));
    sek_buf_add_text(out, "\n\n");
    add_text(out, own(&p->summary));
    sek_buf_add_text(out, "\n\n");
    for (unsigned i = 0; i < p->n_figures; i++) {
        const struct sek_figure *f = &p->figures[i];
        sek_buf_reset(&change);
        sek_paper_change(p, f, &change);
        sek_buf_add_text(out, "- ");
        add_text(out, f->label);
        sek_buf_add_fmt(out, ": **%s**", sek_lang_number(p->lang, f->n, number));
        if (change.len) {
            sek_buf_add_text(out, " (");
            add_text(out, change.data);
            sek_buf_add_text(out, ")");
        }
        sek_buf_add_text(out, "\n");
    }
    for (unsigned i = 0; i < p->n_sheets; i++) {
        const struct sek_sheet *s = &p->sheets[i];
        sek_buf_add_text(out, "\n## ");
        add_text(out, s->title ? s->title : s->key);
        sek_buf_add_text(out, "\n\n");
        if (s->n_rows)
            add_table(p, s, out);
        else {
            add_text(out, s->none ? s->none : sek_lang_text(p->lang, "none"));
            sek_buf_add_text(out, "\n");
        }
    }
    sek_buf_add_text(out, "\n");
    add_text(out, own(&p->made));
    sek_buf_add_text(out, "\n");
    sek_buf_fini(&change);
}
