/* SPDX-License-Identifier: BSD-3-Clause */
#include "rocplot.h"
#include "tools/caller.h"
#include "tools/print/safe.h"
#include <math.h>
#include <stdio.h>
#include "base/banned.h"

/* Pixels: the picture and the plot within it. */
#define WIDTH 640
#define HEIGHT 480
#define LEFT 60
#define TOP 50
#define RIGHT (WIDTH - 20)
#define BOTTOM (HEIGHT - 50)

static double x_of(double rate)
{
    return LEFT + (RIGHT - LEFT) * (log10(rate) + SEK_ROCPLOT_DECADES) / SEK_ROCPLOT_DECADES;
}

static double y_of(double share)
{
    return BOTTOM - (BOTTOM - TOP) * share;
}

/* Text made safe for people, then for XML. */
static void add_text(struct sek_buf *out, const char *text)
{
    struct sek_buf safe;

    sek_buf_init(&safe, 0);
    sek_safe_add(&safe, text);
    for (size_t i = 0; i < safe.len; i++)
        switch (safe.data[i]) {
        case '&':
            sek_buf_add_text(out, "&amp;");
            break;
        case '<':
            sek_buf_add_text(out, "&lt;");
            break;
        case '>':
            sek_buf_add_text(out, "&gt;");
            break;
        default:
            sek_buf_add(out, &safe.data[i], 1);
        }
    out->failed |= safe.failed;
    sek_buf_fini(&safe);
}

static void add_label(struct sek_buf *out, double x, double y, const char *anchor, const char *text)
{
    sek_buf_add_fmt(out, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x, y, anchor);
    add_text(out, text);
    sek_buf_add_text(out, "</text>\n");
}

static void add_line(struct sek_buf *out, double x1, double y1, double x2, double y2)
{
    sek_buf_add_fmt(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ccc\"/>\n", x1, y1, x2, y2);
}

static void add_grid(struct sek_buf *out)
{
    char text[16];

    for (int d = -SEK_ROCPLOT_DECADES; d <= 0; d++) {
        double x = x_of(pow(10, d));

        add_line(out, x, TOP, x, BOTTOM);
        snprintf(text, sizeof(text), d ? "1e%d" : "1", d);
        add_label(out, x, BOTTOM + 18, "middle", text);
    }
    for (int i = 0; i <= 5; i++) {
        double y = y_of(i / 5.0);

        add_line(out, LEFT, y, RIGHT, y);
        snprintf(text, sizeof(text), "%d %%", i * 20);
        add_label(out, LEFT - 6, y + 4, "end", text);
    }
    add_label(out, (LEFT + RIGHT) / 2.0, HEIGHT - 12, "middle", "false-positive rate");
}

struct curve {
    const char *name, *color;
    bool macro;
};

static void add_curve(struct sek_buf *out, const struct sek_rocplot *plot, const struct curve *c,
                      double key_y)
{
    const char *how = "M";

    sek_buf_add_text(out, "<path d=\"");
    for (size_t i = 0; i < plot->n; i++) {
        double share = c->macro ? plot->points[i].macro : plot->points[i].micro;
        double x = plot->points[i].fpr > 0 ? x_of(plot->points[i].fpr) : 0;

        if (!isfinite(share) || x < LEFT - 0.05)
            continue;
        sek_buf_add_fmt(out, "%s%.1f %.1f", how, x, y_of(share));
        how = "L";
    }
    sek_buf_add_fmt(out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", c->color);
    sek_buf_add_fmt(out, "<path d=\"M%d %.0fh24\" stroke=\"%s\" stroke-width=\"2\"/>\n",
                    RIGHT - 170, key_y, c->color);
    add_label(out, RIGHT - 140, key_y + 4, "start", c->name);
}

void sek_rocplot_draw(struct sek_buf *out, const struct sek_rocplot *plot)
{
    static const struct curve curves[] = {{"of all names", "#1f5fa8", false},
                                          {"mean of families", "#c4541a", true}};
    char text[48];

    sek_buf_add_fmt(out,
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                    "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n<title>",
                    WIDTH, HEIGHT, WIDTH, HEIGHT);
    add_text(out, plot->title);
    sek_buf_add_text(out, "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    add_label(out, LEFT, 20, "start", plot->title);
    snprintf(text, sizeof(text), "detected; area under the curve %.4f", plot->auc);
    add_label(out, LEFT, 38, "start", text);
    add_grid(out);
    for (int i = 0; i < 2; i++)
        add_curve(out, plot, &curves[i], BOTTOM - 34 + 18 * i);
    sek_buf_add_text(out, "</svg>\n");
}

enum sek_err sek_rocplot_write(const char *path, const struct sek_rocplot *plot,
                               struct sek_diag *diag)
{
    struct sek_buf text;

    sek_buf_init(&text, 0);
    sek_rocplot_draw(&text, plot);
    if (text.failed) {
        sek_buf_fini(&text);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to draw it", path);
    }
    enum sek_err err = sek_caller_put(path, 0644, text.data, text.len, diag);
    sek_buf_fini(&text);
    return err;
}
