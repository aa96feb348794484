/* SPDX-License-Identifier: BSD-3-Clause */
/* The report as one HTML file: nothing is fetched, no script is needed, and a policy in its head
 * forbids both. All text goes through sek_html_add. */
#include "base/utf8.h"
#include "bulletin/html.h"
#include "bulletin/paper_parts.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

extern const char sek__page_style[]; /* page.css, by the build */

void sek_html_add(struct sek_buf *b, const char *text)
{
    size_t len;
    for (size_t n = strlen(text); n; text += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(text, n, &c);
        if (!len || (c < 0x80 && sek_utf8_is_deceptive(c))) {
            len = 1;
            sek_buf_add_fmt(b, "\\x%02x", (unsigned char)text[0]);
        } else if (sek_utf8_is_deceptive(c)) {
            sek_buf_add_fmt(b, "\\u{%x}", (unsigned)c);
        } else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
            sek_buf_add_fmt(b, "&#%u;", (unsigned)c);
        } else {
            sek_buf_add(b, text, len);
        }
    }
}

static const char *own(const struct sek_buf *b)
{
    return b->data ? b->data : "";
}

/* --- tables ------------------------------------------------------------------------------------
 */

static bool is_number(enum sek_sheet_kind kind)
{
    return kind == SEK_SHEET_COUNT || kind == SEK_SHEET_SHARE;
}

static const char *class_of(const struct sek_sheet_col *col)
{
    if (is_number(col->kind))
        return " class=\"n\"";
    if (col->kind == SEK_SHEET_TIME || col->kind == SEK_SHEET_STEP)
        return " class=\"t\"";
    if (col->kind == SEK_SHEET_NAME || strcmp(col->key, "endpoint") == 0)
        return " class=\"name\"";
    return col->kind == SEK_SHEET_TEXT ? " class=\"free\"" : "";
}

static uint64_t most_of(const struct sek_sheet *s)
{
    uint64_t most = 0;
    for (unsigned row = 0; s->bar >= 0 && row < s->n_rows; row++) {
        uint64_t n = sek_sheet_cell(s, row, (unsigned)s->bar)->n;
        most = n > most ? n : most;
    }
    return most;
}

static void add_head(const struct sek_sheet *s, struct sek_buf *out)
{
    sek_buf_add_text(out, "<thead><tr>");
    for (unsigned i = 0; i < s->n_cols; i++) {
        if (!sek__sheet_shows(s, i))
            continue;
        sek_buf_add_fmt(out, "<th scope=\"col\"%s>",
                        is_number(s->cols[i].kind) ? " class=\"n\"" : "");
        sek_html_add(out, s->cols[i].title);
        sek_buf_add_text(out, "</th>");
        if ((int)i == s->bar)
            sek_buf_add_text(out, "<td class=\"b\" aria-hidden=\"true\"></td>");
    }
    sek_buf_add_text(out, "</tr></thead>");
}

/* A cell's text stands for itself: <bdi> keeps its direction from its neighbours. */
static void add_cell(const struct sek_paper *p, const struct sek_sheet *s, unsigned row,
                     unsigned col, bool is_head, struct sek_buf *text, struct sek_buf *out)
{
    const struct sek_sheet_col *c = &s->cols[col];
    bool foreign = c->kind == SEK_SHEET_TEXT || c->kind == SEK_SHEET_NAME;
    sek_buf_reset(text);
    sek_paper_show(p, c, sek_sheet_cell(s, row, col), text);
    sek_buf_add_fmt(out, is_head ? "<th scope=\"row\"%s>" : "<td%s>", class_of(c));
    sek_buf_add_text(out, foreign && text->len ? "<bdi>" : "");
    sek_html_add(out, text->len ? text->data : "");
    sek_buf_add_text(out, foreign && text->len ? "</bdi>" : "");
    sek_buf_add_text(out, is_head ? "</th>" : "</td>");
}

static void add_row(const struct sek_paper *p, const struct sek_sheet *s, unsigned row,
                    uint64_t most, struct sek_buf *text, struct sek_buf *out)
{
    bool first = true;
    bool trouble = s->cols[0].kind == SEK_SHEET_WORD &&
                   strcmp(sek_paper_text(p, sek_sheet_cell(s, row, 0)), "trouble") == 0;
    sek_buf_add_text(out, trouble ? "<tr class=\"trouble\">" : "<tr>");
    for (unsigned i = 0; i < s->n_cols; i++) {
        if (!sek__sheet_shows(s, i))
            continue;
        add_cell(p, s, row, i, first, text, out);
        first = false;
        if ((int)i != s->bar)
            continue;
        sek_buf_add_text(out, "<td class=\"b\" aria-hidden=\"true\">");
        if (most)
            sek_chart_bar(out, (double)sek_sheet_cell(s, row, i)->n / (double)most,
                          (double)sek_sheet_cell(s, row, s->bar_blocked)->n / (double)most);
        sek_buf_add_text(out, "</td>");
    }
    sek_buf_add_text(out, "</tr>\n");
}

static void add_table(const struct sek_paper *p, const struct sek_sheet *s, struct sek_buf *out)
{
    struct sek_buf text;
    uint64_t most = most_of(s);
    sek_buf_init(&text, 0);
    sek_buf_add_fmt(out,
                    "<div class=\"scroll\" role=\"region\" tabindex=\"0\""
                    " aria-labelledby=\"%s\"><table%s aria-labelledby=\"%s\">",
                    s->key, s->n_cols > 5 ? " class=\"wide\"" : "", s->key);
    add_head(s, out);
    sek_buf_add_text(out, "<tbody>\n");
    for (unsigned row = 0; row < s->n_rows; row++)
        add_row(p, s, row, most, &text, out);
    sek_buf_add_text(out, "</tbody></table></div>\n");
    sek_buf_fini(&text);
}

/* --- the page ----------------------------------------------------------------------------------
 */

static void add_section(const struct sek_paper *p, const struct sek_sheet *s, struct sek_buf *out)
{
    bool small = s->n_cols <= 4 && !s->is_chart && s->bar < 0 && s->cols[0].kind != SEK_SHEET_NAME;
    sek_buf_add_fmt(out, "<section%s><h2 id=\"%s\">", small ? " class=\"small\"" : "", s->key);
    sek_html_add(out, s->title ? s->title : s->key);
    sek_buf_add_text(out, "</h2>\n");
    if (s->intro && s->n_rows) {
        sek_buf_add_text(out, "<p>");
        sek_html_add(out, s->intro);
        sek_buf_add_text(out, "</p>\n");
    }
    if (s->is_chart) {
        sek_buf_add_fmt(out, "<figure aria-labelledby=\"%s\">", s->key);
        sek_chart_steps(p, out);
        sek_buf_add_text(out, "<details><summary>");
        sek_html_add(out, sek_lang_text(p->lang, "chart.numbers"));
        sek_buf_add_text(out, "</summary>");
        add_table(p, s, out);
        sek_buf_add_text(out, "</details></figure>");
    } else if (s->n_rows) {
        add_table(p, s, out);
    } else {
        sek_buf_add_text(out, "<p class=\"none\">");
        sek_html_add(out, s->none ? s->none : sek_lang_text(p->lang, "none"));
        sek_buf_add_text(out, "</p>\n");
    }
    sek_buf_add_text(out, "</section>\n");
}

static void add_figures(const struct sek_paper *p, struct sek_buf *out)
{
    char number[SEK_LANG_NUMBER_MAX];
    struct sek_buf change;
    sek_buf_init(&change, 0);
    sek_buf_add_text(out, "<dl class=\"figures\">");
    for (unsigned i = 0; i < p->n_figures; i++) {
        sek_buf_add_text(out, "<div><dt>");
        sek_html_add(out, p->figures[i].label);
        sek_buf_add_text(out, "</dt><dd class=\"value\">");
        sek_html_add(out, sek_lang_number(p->lang, p->figures[i].n, number));
        sek_buf_add_text(out, "</dd>");
        sek_buf_reset(&change);
        sek_paper_change(p, &p->figures[i], &change);
        if (change.len) {
            sek_buf_add_text(out, "<dd class=\"change\">");
            sek_html_add(out, change.data);
            sek_buf_add_text(out, "</dd>");
        }
        sek_buf_add_text(out, "</div>");
    }
    sek_buf_add_text(out, "</dl>\n");
    sek_buf_fini(&change);
}

/* What the policy of the page allows: the one style sheet in it, by its hash (CSP Level 3, §2.3.1),
 * and nothing else. */
static void add_policy(struct sek_buf *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_Digest(sek__page_style, strlen(sek__page_style), hash, &len, EVP_sha256(), NULL);
    EVP_EncodeBlock(text, hash, (int)len);
    sek_buf_add_fmt(out,
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"
                    " style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
                    (const char *)text);
}

static void add_head_of_page(const struct sek_paper *p, struct sek_buf *out)
{
    sek_buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"");
    sek_html_add(out, sek_lang_code(p->lang));
    sek_buf_add_text(out, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    add_policy(out);
    sek_buf_add_text(out,
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"referrer\" content=\"no-referrer\">\n"
                     "<meta name=\"robots\" content=\"noindex\">\n<title>");
    sek_html_add(out, own(&p->title));
    sek_buf_add_text(out, " · ");
    sek_html_add(out, own(&p->period));
    sek_buf_add_text(out, "</title>\n<style>");
    sek_buf_add_text(out, sek__page_style);
    sek_buf_add_text(out, "</style>\n</head>\n");
}

void sek_paper_html(const struct sek_paper *p, struct sek_buf *out)
{
    add_head_of_page(p, out);
    sek_buf_add_text(out, "<body>\n<header>\n<p class=\"kicker\">");
    sek_html_add(out, own(&p->title));
    sek_buf_add_text(out, "</p>\n<h1>");
    sek_html_add(out, own(&p->period));
    sek_buf_add_text(out, "</h1>\n<p class=\"lead\">");
    sek_html_add(out, own(&p->summary));
    sek_buf_add_text(out, "</p>\n");
    add_figures(p, out);
    sek_buf_add_text(out, "</header>\n<main>\n");
    for (unsigned i = 0; i < p->n_sheets; i++)
        add_section(p, &p->sheets[i], out);
    sek_buf_add_text(out, "</main>\n<footer>");
    sek_html_add(out, own(&p->made));
    sek_buf_add_text(out, "</footer>\n</body>\n</html>\n");
}
