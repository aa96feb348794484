/* SPDX-License-Identifier: BSD-3-Clause */
#include "calibrate.h"
#include "alarms.h"
#include "name/text.h"
#include "tools/print/talk.h"
#include "tools/input/textlines.h"
#include "units.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define SHOWN 20 /* domains in a table; other formats have all */

enum { T_FOR, T_RATIO, T_SCORE, T_ALARMS, T_DAY, T_LOW, T_HIGH, T_COLS };
static const struct sek_col threshold_cols[] = {
    [T_FOR] = {"threshold", "Threshold", SEK_COL_TEXT},
    [T_RATIO] = {"log_ratio", "Log ratio above", SEK_COL_REAL},
    [T_SCORE] = {"score", "Score above", SEK_COL_REAL},
    [T_ALARMS] = {"alarms", "Alarms", SEK_COL_UINT},
    [T_DAY] = {"alarms_per_day", "A day", SEK_COL_REAL},
    [T_LOW] = {"per_day_low", "at least", SEK_COL_REAL},
    [T_HIGH] = {"per_day_high", "at most (95 %)", SEK_COL_REAL},
};

enum { D_NAME, D_RATIO, D_SCORE, D_COLS };
static const struct sek_col domain_cols[] = {
    [D_NAME] = {"domain", "Would alarm", SEK_COL_NAME},
    [D_RATIO] = {"log_ratio", "Log ratio", SEK_COL_REAL},
    [D_SCORE] = {"score", "Score", SEK_COL_REAL},
};

struct work {
    const struct sek_classify *classify;
    const struct sek_calibration *wanted;
    struct sek_units units;
    uint64_t n_names, n_unjudged, n_bad;
    const struct sek_unit_row *rows; /* highest score first */
    float *scores;                   /* theirs */
    size_t n;
};

bool sek_calibrate_number(const char *text, double *out)
{
    size_t whole = strspn(text, "0123456789"), rest;

    rest = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") + 1 : 0;
    if (whole == 0 || whole > 9 || rest == 1 || rest > 9 || text[whole + rest])
        return false;
    *out = strtod(text, NULL);
    return *out > 0;
}

static enum sek_err take_line(void *arg, char *line, struct sek_diag *diag)
{
    struct work *w = arg;
    struct sek_name name;
    struct sek_score score;
    enum sek_err err;
    char *end;

    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t");
    for (end = line + strlen(line); end > line && (end[-1] == ' ' || end[-1] == '\t'); end--)
        end[-1] = '\0';
    if (!*line)
        return SEK_OK;
    err = sek_name_from_text(line, strlen(line), &name, diag);
    if (err != SEK_OK)
        return err;
    w->n_names++;
    score = sek_classify_name(w->classify, &name);
    if (score.length == 0 || score.llr <= SEK_CLASSIFY_NONE) {
        w->n_unjudged++;
        return SEK_OK;
    }
    return sek_units_add(&w->units, &name, &score, diag);
}

static enum sek_err sort(struct work *w, struct sek_diag *diag)
{
    w->rows = sek_units_sort(&w->units);
    w->n = sek_units_n(&w->units);
    w->scores = calloc(w->n ? w->n : 1, sizeof(*w->scores));
    if (!w->scores)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for the scores");
    for (size_t i = 0; i < w->n; i++)
        w->scores[i] = w->rows[i].llr;
    return SEK_OK;
}

/* Enough decimals for a score near 1: six say 0.999998, where four say 1. */
static void put_score(struct sek_out *o, unsigned ratio, double llr)
{
    sek_out_real(o, ratio, llr, SEK_ALARMS_DECIMALS);
    sek_out_real(o, ratio + 1, sek_classify_probability((float)llr), 6);
}

static void put_threshold(struct sek_out *o, const char *what, const struct sek_alarms *a)
{
    sek_out_text(o, T_FOR, what);
    put_score(o, T_RATIO, a->threshold);
    sek_out_uint(o, T_ALARMS, a->n);
    sek_out_real(o, T_DAY, a->mean, 2);
    sek_out_real(o, T_LOW, a->low, 2);
    sek_out_real(o, T_HIGH, a->high, 2);
    sek_out_row(o);
}

static void put_thresholds(struct sek_out *o, const struct work *w, const struct sek_alarms *chosen)
{
    double days = w->wanted->days, watch = (double)sek_classify_monitor_llr(w->classify),
           block = (double)sek_classify_block_llr(w->classify);
    struct sek_alarms model[] = {sek_alarms_at(w->scores, w->n, days, watch),
                                 sek_alarms_at(w->scores, w->n, days, block)};

    put_threshold(o, "chosen", chosen);
    put_threshold(o, "monitor (model)", &model[0]);
    put_threshold(o, "block (model)", &model[1]);
}

static void put_domains(struct sek_out *o, const struct work *w, const struct sek_alarms *chosen)
{
    size_t shown = chosen->n;
    char text[SEK_NAME_TEXT_MAX];

    if (sek_out_format(o) == SEK_OUT_TABLE && shown > SHOWN)
        shown = SHOWN;
    sek_out_part(o, "domains", domain_cols, D_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < shown; i++) {
        sek_name_to_text(sek_units_name(&w->units, &w->rows[i]), text);
        sek_out_text(o, D_NAME, text);
        put_score(o, D_RATIO, (double)w->rows[i].llr);
        sek_out_row(o);
    }
    if (shown < chosen->n)
        sek_talk("%zu more domains would alarm: -f csv --part domains has them all",
                 chosen->n - shown);
}

/* What the numbers are worth. */
static void warn(const struct work *w, const struct sek_alarms *chosen)
{
    double per_day = w->wanted->per_day;

    sek_talk("%" PRIu64 " names, %zu distinct domains judged, %" PRIu64
             " names without a label to judge, %" PRIu64 " lines skipped",
             w->n_names, w->n, w->n_unjudged, w->n_bad);
    if (per_day * w->wanted->days >= (double)w->n)
        sek_talk("the sample has no more domains than alarms are wanted: all would alarm");
    else if (chosen->high > 2 * per_day)
        sek_talk("the sample is small: this threshold may give up to %.2f alarms a day (95 %%); "
                 "for %g a day take the names of %.0f days and more",
                 chosen->high, per_day, sek_alarms_days_wanted(per_day));
    if (chosen->n > 0 && chosen->threshold < (double)sek_classify_monitor_llr(w->classify))
        sek_talk("the threshold lies below the model's own (%.3f): more alarms are wanted than "
                 "there are suspicious names",
                 (double)sek_classify_monitor_llr(w->classify));
}

static enum sek_err print(struct work *w, struct sek_context *c)
{
    struct sek_alarms chosen;

    if (w->n == 0)
        return sek_diag_set(&c->diag, SEK_E_INVALID, "%s: no domain that can be judged",
                            strcmp(w->wanted->path, "-") == 0 ? "standard input" : w->wanted->path);
    chosen = sek_alarms_for_rate(w->scores, w->n, w->wanted->days, w->wanted->per_day);
    sek_out_begin(c->out, "sekisho.calibration/1", threshold_cols, T_COLS, SEK_OUT_ROWS);
    put_thresholds(c->out, w, &chosen);
    put_domains(c->out, w, &chosen);
    warn(w, &chosen);
    if (chosen.threshold > 0)
        sek_talk(
            "for so many alarms put into the settings, under classify: \"monitor-ratio: %.3f\"",
            chosen.threshold);
    return sek_out_end(c->out, &c->diag);
}

enum sek_err sek_calibrate_print(struct sek_context *c, const struct sek_classify *classify,
                                 const struct sek_calibration *wanted)
{
    struct work w = {.classify = classify, .wanted = wanted};
    enum sek_err err;

    sek_units_init(&w.units);
    err = sek_textlines_read(wanted->path, take_line, &w, &w.n_bad, &c->diag);
    if (err == SEK_OK)
        err = sort(&w, &c->diag);
    if (err == SEK_OK)
        err = print(&w, c);
    free(w.scores);
    sek_units_fini(&w.units);
    return err;
}
