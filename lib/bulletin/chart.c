/* SPDX-License-Identifier: BSD-3-Clause */
#include "bulletin/html.h"
#include <inttypes.h>
#include <stdio.h>
#include "base/banned.h"

/* The drawing's own units; it is stretched to the width there is. */
#define WIDTH 1000.0
#define HEIGHT 200.0
#define LABELS 8 /* about so many below the chart */

uint64_t sek_chart_top(uint64_t most)
{
    static const uint64_t steps[] = {1, 2, 4, 6, 8, 10}; /* with round halves */
    for (uint64_t unit = 1;; unit *= 10)
        for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            if (most <= steps[i] * unit)
                return steps[i] * unit;
            if (unit > UINT64_MAX / 100)
                return most;
        }
}

static double within_one(double share)
{
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

void sek_chart_bar(struct sek_buf *out, double share, double blocked)
{
    double all = within_one(share) * 100, dark = within_one(blocked) * 100;
    sek_buf_add_text(out, "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\""
                          " aria-hidden=\"true\">");
    if (dark > 0)
        sek_buf_add_fmt(out, "<rect class=\"blocked\" width=\"%.1f\" height=\"10\"/>", dark);
    if (all > dark)
        sek_buf_add_fmt(out, "<rect class=\"let\" x=\"%.1f\" width=\"%.1f\" height=\"10\"/>", dark,
                        all - dark);
    sek_buf_add_text(out, "</svg>");
}

static void add_rect(struct sek_buf *out, const char *class, double x, double width, double from,
                     double to)
{
    if (to > from)
        sek_buf_add_fmt(out,
                        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                        class, x, HEIGHT - to, width, to - from);
}

static void add_bars(const struct sek_bulletin *b, double top, struct sek_buf *out)
{
    double slot = WIDTH / (double)b->n_steps, gap = slot * 0.18;
    for (size_t i = 0; i < b->n_steps; i++) {
        double blocked = (double)b->steps[i].blocked / top * HEIGHT;
        double hits = (double)b->steps[i].hits / top * HEIGHT;
        double x = slot * (double)i + gap / 2;
        add_rect(out, "blocked", x, slot - gap, 0, blocked);
        add_rect(out, "let", x, slot - gap, blocked, hits);
    }
}

/* Through the middle of each step, with a rim that sets it off from the bars. */
static void add_before(const struct sek_bulletin *b, double top, struct sek_buf *out)
{
    static const char *const classes[] = {"rim", "before"};
    double slot = WIDTH / (double)b->n_steps;
    for (unsigned k = 0; k < 2; k++) {
        sek_buf_add_fmt(out, "<polyline class=\"%s\" points=\"", classes[k]);
        for (size_t i = 0; i < b->n_steps; i++)
            sek_buf_add_fmt(out, "%s%.1f,%.1f", i ? " " : "", slot * ((double)i + 0.5),
                            HEIGHT - (double)b->steps_before[i] / top * HEIGHT);
        sek_buf_add_text(out, "\"/>");
    }
}

static void add_labels(const struct sek_paper *p, struct sek_buf *out)
{
    const struct sek_bulletin *b = p->b;
    const struct sek_sheet_col col = {.kind = SEK_SHEET_STEP};
    size_t every = (b->n_steps + LABELS - 1) / LABELS;
    if (b->step_s < 86400 && every > 1)
        every = (every + 2) / 3 * 3; /* hours: each third, sixth … */
    struct sek_buf text;
    sek_buf_init(&text, 0);
    sek_buf_add_text(out, "<div class=\"x\" aria-hidden=\"true\">");
    for (size_t i = 0; i < b->n_steps; i++) {
        const struct sek_sheet_cell cell = {.set = true, .n = (uint64_t)b->steps[i].from_s};
        sek_buf_add_text(out, "<span>");
        sek_buf_reset(&text);
        if (i % every == 0) {
            sek_paper_show(p, &col, &cell, &text);
            sek_html_add(out, text.data ? text.data : "");
        }
        sek_buf_add_text(out, "</span>");
    }
    sek_buf_add_text(out, "</div>");
    sek_buf_fini(&text);
}

static void add_key(const struct sek_paper *p, const char *shape, const char *key,
                    struct sek_buf *out)
{
    sek_buf_add_fmt(out,
                    "<span class=\"key\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">%s</svg> ",
                    shape);
    sek_html_add(out, sek_lang_text(p->lang, key));
    sek_buf_add_text(out, "</span> ");
}

static void add_legend(const struct sek_paper *p, struct sek_buf *out)
{
    sek_buf_add_text(out, "<figcaption>");
    add_key(p, "<rect class=\"blocked\" width=\"12\" height=\"12\"/>", "chart.blocked", out);
    add_key(p, "<rect class=\"let\" width=\"12\" height=\"12\"/>", "chart.let", out);
    if (p->b->has_before)
        add_key(p, "<line class=\"before\" x1=\"-3\" y1=\"6\" x2=\"15\" y2=\"6\"/>", "chart.before",
                out);
    sek_buf_add_text(out, "</figcaption>");
}

void sek_chart_steps(const struct sek_paper *p, struct sek_buf *out)
{
    const struct sek_bulletin *b = p->b;
    char number[SEK_LANG_NUMBER_MAX];
    uint64_t most = 0;
    for (size_t i = 0; i < b->n_steps; i++) {
        most = b->steps[i].hits > most ? b->steps[i].hits : most;
        most = b->steps_before[i] > most ? b->steps_before[i] : most;
    }
    uint64_t top = sek_chart_top(most);
    sek_buf_add_text(out, "<div class=\"plot\"><div class=\"y\" aria-hidden=\"true\"><span>");
    sek_html_add(out, sek_lang_number(p->lang, top, number));
    sek_buf_add_text(out, "</span><span>");
    if (top % 2 == 0)
        sek_html_add(out, sek_lang_number(p->lang, top / 2, number));
    sek_buf_add_text(out, "</span><span>0</span></div><div class=\"area\">");
    sek_buf_add_fmt(out,
                    "<svg class=\"steps\" viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\""
                    " role=\"img\" aria-label=\"",
                    WIDTH, HEIGHT);
    sek_html_add(out, sek_lang_text(p->lang, "chart.label"));
    sek_buf_add_fmt(out,
                    "\"><line class=\"grid\" x1=\"0\" y1=\"0\" x2=\"%.0f\" y2=\"0\"/>"
                    "<line class=\"grid\" x1=\"0\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\"/>",
                    WIDTH, HEIGHT / 2, WIDTH, HEIGHT / 2);
    add_bars(b, (double)top, out);
    if (b->has_before)
        add_before(b, (double)top, out);
    sek_buf_add_fmt(out,
                    "<line class=\"axis\" x1=\"0\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\"/></svg>",
                    HEIGHT, WIDTH, HEIGHT);
    add_labels(p, out);
    sek_buf_add_text(out, "</div></div>");
    add_legend(p, out);
}
