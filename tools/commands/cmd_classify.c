/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/caller.h"
#include "tools/measure/calibrate.h"
#include "classify/classify.h"
#include "classify/explain.h"
#include "classify/modelpath.h"
#include "tools/command.h"
#include "tools/measure/evaluate.h"
#include "name/text.h"
#include "tools/measure/scores.h"
#include "tools/views/why.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(classify);

enum {
    OPT_SCORES,
    OPT_EXPLAIN,
    OPT_EVALUATE,
    OPT_SVG,
    OPT_CALIBRATE,
    OPT_ALARMS,
    OPT_DAYS,
    OPT_MODEL,
    N_OPTS
};
const struct sek_arg sek_cmd_classify_args[] = {
    [OPT_SCORES] = {"scores", 's', SEK_ARG_FLAG, NULL,
                    "read names from standard input, print name, tab, score for each"},
    [OPT_EXPLAIN] = {"explain", 'x', SEK_ARG_FLAG, NULL, "show the parts of each score"},
    [OPT_EVALUATE] = {"evaluate", 0, SEK_ARG_TEXT, "FILE",
                      "how well names are told apart: lines of name, tab, \"benign\" or family"},
    [OPT_SVG] = {"svg", 0, SEK_ARG_TEXT, "FILE", "draw the ROC curve of --evaluate into a file"},
    [OPT_CALIBRATE] = {"calibrate", 0, SEK_ARG_FLAG, NULL,
                       "the threshold for so many alarms, from a file of names or standard input"},
    [OPT_ALARMS] = {"alarms", 0, SEK_ARG_TEXT, "NUMBER", "wanted per day; default: 10"},
    [OPT_DAYS] = {"days", 0, SEK_ARG_TEXT, "NUMBER", "that these names cover; default: 1"},
    [OPT_MODEL] = {"model", 'm', SEK_ARG_TEXT, "FILE", "another model than the installed one"},
    [N_OPTS] = {0},
};

enum {
    C_NAME,
    C_LABEL,
    C_SCORE,
    C_RATIO,
    C_STAGE,
    C_LIKE,
    C_SPEAKS_FOR,
    C_SPEAKS_AGAINST,
    C_SUFFIX,
    C_WHY,
    C_COLS
};
static const struct sek_col cols[] = {
    [C_NAME] = {"name", "Name", SEK_COL_NAME},
    [C_LABEL] = {"label", "Judged label", SEK_COL_TEXT, "none"},
    [C_SCORE] = {"score", "Score", SEK_COL_REAL},
    [C_RATIO] = {"log_ratio", "Log ratio", SEK_COL_REAL},
    [C_STAGE] = {"decided_by", "Decided by", SEK_COL_TEXT},
    [C_LIKE] = {"like", "Most like", SEK_COL_TEXT},
    [C_SPEAKS_FOR] = {"odd", "Odd parts", SEK_COL_TEXT},
    [C_SPEAKS_AGAINST] = {"common", "Usual parts", SEK_COL_TEXT},
    [C_SUFFIX] = {"suffix", "Suffix", SEK_COL_REAL},
    [C_WHY] = {"why", "In short", SEK_COL_TEXT},
};
/* Without --explain: the same, less the parts. */
#define PLAIN_COLS C_STAGE

struct work {
    struct sek_context *c;
    struct sek_classify *classify;
    struct sek_col cols[C_COLS];
    bool explain;
};

static void put_kinds(struct sek_out *o, const struct sek_why *why)
{
    struct sek_buf text;

    sek_buf_init(&text, 0);
    sek_why_add_kinds(why, &text);
    sek_out_text(o, C_LIKE, text.data);
    sek_buf_fini(&text);
}

static void put_why(struct sek_out *o, const struct sek_name *name, const struct sek_why *why)
{
    struct sek_buf text;

    sek_buf_init(&text, 0);
    sek_why_text(name, why, &text);
    sek_out_text(o, C_WHY, text.data);
    sek_buf_fini(&text);
}

static void put_grams(struct sek_out *o, unsigned col, const struct sek_why_gram *grams)
{
    char text[128] = "";
    size_t at = 0;

    for (int i = 0; i < SEK_WHY_GRAMS && grams[i].weight != 0; i++)
        if (at < sizeof(text))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %+.1f", at ? ", " : "",
                                   grams[i].text, (double)grams[i].weight);
    sek_out_text(o, col, text);
}

static void put_parts(struct sek_out *o, const struct sek_why *why)
{
    sek_out_text(o, C_STAGE, why->score.by_network ? "network" : "n-grams");
    put_kinds(o, why);
    put_grams(o, C_SPEAKS_FOR, why->odd);
    put_grams(o, C_SPEAKS_AGAINST, why->common);
    sek_out_real(o, C_SUFFIX, (double)why->suffix, 1);
}

static enum sek_err put_name(void *arg, const char *word, unsigned line)
{
    struct work *w = arg;
    struct sek_out *o = w->c->out;
    struct sek_name name;
    struct sek_why why;
    char text[SEK_NAME_TEXT_MAX];
    enum sek_err err = sek_name_from_text(word, strlen(word), &name, &w->c->diag);

    if (err != SEK_OK) {
        if (line)
            sek_diag_wrap(&w->c->diag, "line %u", line);
        return err;
    }
    sek_classify_explain(w->classify, &name, &why);
    sek_name_to_text(name.octets, text);
    sek_out_text(o, C_NAME, text);
    if (why.score.length)
        sek_out_text(o, C_LABEL, why.unit);
    sek_out_real(o, C_SCORE, sek_classify_probability(why.score.llr), 4);
    sek_out_real(o, C_RATIO, (double)why.score.llr, 2);
    if (w->explain && why.kinds[0].name)
        put_parts(o, &why);
    if (w->explain)
        put_why(o, &name, &why);
    sek_out_row(o);
    return SEK_OK;
}

static enum sek_err put_names(struct sek_context *c, struct sek_classify *classify)
{
    struct work w = {.c = c, .classify = classify, .explain = c->opt[OPT_EXPLAIN].given};
    bool record = w.explain && c->n_args == 1;
    enum sek_err err;

    memcpy(w.cols, cols, sizeof(w.cols));
    if (!record) /* beside the other columns it would only make them narrow */
        w.cols[C_WHY].place = SEK_COL_MACHINE;
    sek_out_begin(c->out, "sekisho.classify/1", w.cols, w.explain ? C_COLS : PLAIN_COLS,
                  record ? SEK_OUT_RECORD : SEK_OUT_ROWS);
    err = sek_context_words(c, 0, put_name, &w);
    if (err != SEK_OK) {
        sek_out_end(c->out, NULL);
        return err;
    }
    return sek_out_end(c->out, &c->diag);
}

static enum sek_err calibrate(struct sek_context *c, const struct sek_classify *classify)
{
    struct sek_calibration wanted = {c->n_args ? c->args[0] : "-", 10, 1};

    if (c->opt[OPT_ALARMS].given && !sek_calibrate_number(c->opt[OPT_ALARMS].text, &wanted.per_day))
        return sek_context_usage(c, "--alarms takes a number above 0: 10, 0.5");
    if (c->opt[OPT_DAYS].given && !sek_calibrate_number(c->opt[OPT_DAYS].text, &wanted.days))
        return sek_context_usage(c, "--days takes a number above 0: 7, 0.5");
    return sek_calibrate_print(c, classify, &wanted);
}

/* Options that do not go together. */
static enum sek_err check_use(struct sek_context *c)
{
    const struct sek_arg_value *opt = c->opt;
    int modes = opt[OPT_SCORES].given + opt[OPT_EXPLAIN].given + opt[OPT_EVALUATE].given +
                opt[OPT_CALIBRATE].given;

    if (opt[OPT_SCORES].given && (c->n_args > 0 || opt[OPT_EXPLAIN].given))
        return sek_context_usage(c, "--scores reads names from standard input");
    if (modes > 1)
        return sek_context_usage(
            c, "only one of --scores, --explain, --evaluate and --calibrate at a time");
    if (opt[OPT_EVALUATE].given && c->n_args > 0)
        return sek_context_usage(c, "--evaluate takes its names from its file");
    if (opt[OPT_SVG].given && !opt[OPT_EVALUATE].given)
        return sek_context_usage(c, "--svg goes with --evaluate");
    if ((opt[OPT_ALARMS].given || opt[OPT_DAYS].given) && !opt[OPT_CALIBRATE].given)
        return sek_context_usage(c, "--alarms and --days go with --calibrate");
    if (opt[OPT_CALIBRATE].given && c->n_args > 1)
        return sek_context_usage(c, "--calibrate reads one file");
    if (c->n_args == 0 && (modes == 0 || opt[OPT_EXPLAIN].given))
        return sek_context_usage(c, "NAME is missing");
    return SEK_OK;
}

enum sek_err sek_cmd_classify(struct sek_context *c)
{
    struct sek_classify *classify;
    char path[512];
    enum sek_err err = check_use(c);

    if (err != SEK_OK)
        return err;
    sek_caller_begin(); /* the installed one may be read by all */
    err = sek_classify_open(c->opt[OPT_MODEL].given ? c->opt[OPT_MODEL].text
                                                    : sek_model_path(NULL, path, sizeof(path)),
                            &classify, &c->diag);
    sek_caller_end();
    if (err != SEK_OK)
        return err;
    if (c->opt[OPT_SCORES].given)
        err = sek_scores_print(classify, STDIN_FILENO, stdout, &c->diag);
    else if (c->opt[OPT_EVALUATE].given)
        err = sek_evaluate_print(c, classify, c->opt[OPT_EVALUATE].text, c->opt[OPT_SVG].text);
    else if (c->opt[OPT_CALIBRATE].given)
        err = calibrate(c, classify);
    else
        err = put_names(c, classify);
    sek_classify_close(classify);
    return err;
}
