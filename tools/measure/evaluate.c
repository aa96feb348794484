/* SPDX-License-Identifier: BSD-3-Clause */
#include "evaluate.h"
#include "labelled.h"
#include "rocplot.h"
#include "tools/print/talk.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PER_DECADE 20 /* points of the curve */
#define N_POINTS (SEK_ROCPLOT_DECADES * PER_DECADE + 1)
#define FAMILY_RATE 1e-3 /* at which families are looked at one by one */
#define FEW 10           /* benign names above a threshold that make its rate doubtful */

enum { S_DGA, S_FAMILIES, S_LARGE, S_BENIGN, S_BAD, S_AUC, S_COLS };
static const struct sek_col summary_cols[] = {
    [S_DGA] = {"machine_made", "Machine-made names", SEK_COL_UINT},
    [S_FAMILIES] = {"families", "Families", SEK_COL_UINT},
    [S_LARGE] = {"large_families", "  of 20 names and more", SEK_COL_UINT},
    [S_BENIGN] = {"benign", "Benign names", SEK_COL_UINT},
    [S_BAD] = {"bad_lines", "Lines skipped", SEK_COL_UINT},
    [S_AUC] = {"auc", "Area under the curve", SEK_COL_REAL},
};

enum { R_FPR, R_RATIO, R_FALSE, R_MICRO, R_MACRO, R_COLS };
static const struct sek_col rate_cols[] = {
    [R_FPR] = {"fpr", "False-positive rate", SEK_COL_REAL},
    [R_RATIO] = {"log_ratio", "Log ratio above", SEK_COL_REAL},
    [R_FALSE] = {"benign_above", "Benign above", SEK_COL_UINT},
    [R_MICRO] = {"detected_micro", "Detected", SEK_COL_REAL},
    [R_MACRO] = {"detected_macro", "Mean of families", SEK_COL_REAL},
};

enum { F_NAME, F_N, F_ABOVE, F_SHARE, F_COLS };
static const struct sek_col family_cols[] = {
    [F_NAME] = {"family", "Family", SEK_COL_TEXT},
    [F_N] = {"names", "Names", SEK_COL_UINT},
    [F_ABOVE] = {"detected_names", "Detected", SEK_COL_UINT},
    [F_SHARE] = {"detected", "at 1e-3", SEK_COL_REAL},
};

struct work {
    struct sek_out *out;
    struct sek_labelled labelled;
    struct sek_roc roc;
    double auc;
    struct sek_roc_point points[N_POINTS];
};

static void put_summary(struct work *w)
{
    struct sek_out *o = w->out;

    sek_out_begin(o, "sekisho.evaluation/1", summary_cols, S_COLS, SEK_OUT_RECORD);
    sek_out_uint(o, S_DGA, w->roc.n - w->roc.n_benign);
    sek_out_uint(o, S_FAMILIES, w->roc.n_families);
    sek_out_uint(o, S_LARGE, w->roc.n_large);
    sek_out_uint(o, S_BENIGN, w->roc.n_benign);
    sek_out_uint(o, S_BAD, w->labelled.n_bad);
    sek_out_real(o, S_AUC, w->auc, 4);
    sek_out_row(o);
}

static void put_point(struct sek_out *o, const struct sek_roc_point *p, int decimals)
{
    sek_out_real(o, R_FPR, p->fpr, decimals);
    sek_out_real(o, R_RATIO, (double)p->threshold, 3);
    sek_out_uint(o, R_FALSE, p->n_false);
    sek_out_real(o, R_MICRO, p->micro, 4);
    sek_out_real(o, R_MACRO, p->macro, 4);
    sek_out_row(o);
}

/* The decades from 1e-1 down, and the one below which the rate rests on few benign names. */
static void put_rates(struct work *w)
{
    double doubtful = 0;

    sek_out_part(w->out, "rates", rate_cols, R_COLS, SEK_OUT_ROWS);
    for (int d = SEK_ROCPLOT_DECADES - 1; d >= 0; d--) {
        const struct sek_roc_point *p = &w->points[d * PER_DECADE];

        put_point(w->out, p, SEK_ROCPLOT_DECADES);
        if (doubtful == 0 && p->fpr * (double)w->roc.n_benign < FEW)
            doubtful = p->fpr;
    }
    if (doubtful > 0)
        sek_talk("with %zu benign names the rate %g is uncertain: %.0f and more are wanted",
                 w->roc.n_benign, doubtful, FEW / doubtful);
}

struct place {
    const char *name;
    struct sek_roc_family family;
};

static double share_of(const struct sek_roc_family *f)
{
    return (double)f->n_above / (double)f->n;
}

/* Most detected first. */
static int by_share(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    double difference = share_of(&y->family) - share_of(&x->family);

    return difference > 0 ? 1 : difference < 0 ? -1 : strcmp(x->name, y->name);
}

static enum sek_err put_families(struct work *w, struct sek_diag *diag)
{
    const double rate = FAMILY_RATE;
    struct sek_roc_point ignored;
    struct place *places = calloc(w->roc.n_families, sizeof(*places));

    if (!places)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory to sort the families");
    sek_roc_sweep(&w->roc, &rate, 1, &ignored);
    for (size_t f = 0; f < w->roc.n_families; f++)
        places[f] = (struct place){sek_labelled_family(&w->labelled, f), w->roc.families[f]};
    qsort(places, w->roc.n_families, sizeof(*places), by_share);
    sek_out_part(w->out, "families", family_cols, F_COLS, SEK_OUT_ROWS);
    for (size_t f = 0; f < w->roc.n_families; f++) {
        sek_out_text(w->out, F_NAME, places[f].name);
        sek_out_uint(w->out, F_N, places[f].family.n);
        sek_out_uint(w->out, F_ABOVE, places[f].family.n_above);
        sek_out_real(w->out, F_SHARE, share_of(&places[f].family), 3);
        sek_out_row(w->out);
    }
    free(places);
    return SEK_OK;
}

static void put_curve(struct work *w)
{
    if (sek_out_format(w->out) == SEK_OUT_TABLE)
        return; /* people look at the picture */
    sek_out_part(w->out, "roc", rate_cols, R_COLS, SEK_OUT_ROWS);
    for (int i = 0; i < N_POINTS; i++)
        put_point(w->out, &w->points[i], 7);
}

static enum sek_err compute(struct work *w, struct sek_diag *diag)
{
    size_t n_families = sek_labelled_n_families(&w->labelled);
    struct sek_roc_family *families = calloc(n_families, sizeof(*families));
    double rates[N_POINTS];

    if (!families)
        return sek_diag_set(diag, SEK_E_NOMEM, "no memory for the families");
    for (int i = 0; i < N_POINTS; i++)
        rates[i] = pow(10, (double)i / PER_DECADE - SEK_ROCPLOT_DECADES);
    sek_roc_init(&w->roc, (struct sek_roc_sample *)(void *)w->labelled.samples.data,
                 sek_labelled_n_samples(&w->labelled), families, n_families);
    w->auc = sek_roc_auc(&w->roc);
    sek_roc_sweep(&w->roc, rates, N_POINTS, w->points);
    return SEK_OK;
}

static enum sek_err print(struct work *w, struct sek_diag *diag)
{
    enum sek_err err;

    put_summary(w);
    put_rates(w);
    err = put_families(w, diag);
    if (err == SEK_OK)
        put_curve(w);
    if (err == SEK_OK)
        return sek_out_end(w->out, diag);
    sek_out_end(w->out, NULL);
    return err;
}

enum sek_err sek_evaluate_print(struct sek_context *c, const struct sek_classify *classify,
                                const char *path, const char *svg)
{
    struct work w = {.out = c->out};
    enum sek_err err = sek_labelled_read(path, classify, &w.labelled, &c->diag);

    if (err == SEK_OK)
        err = compute(&w, &c->diag);
    if (err == SEK_OK && svg) {
        struct sek_rocplot plot = {path, w.auc, w.points, N_POINTS};

        err = sek_rocplot_write(svg, &plot, &c->diag);
    }
    if (err == SEK_OK)
        err = print(&w, &c->diag);
    free(w.roc.families);
    sek_labelled_fini(&w.labelled);
    return err;
}
