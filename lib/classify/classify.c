/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/classify.h"
#include "classify/classify_parts.h"
#include <math.h>
#include <stdlib.h>
#include "base/banned.h"

enum sek_err sek__classify_open(const char *path, bool verify, struct sek_classify **out,
                                struct sek_diag *diag)
{
    struct sek_classify *c = malloc(sizeof(*c));
    enum sek_err err;

    if (!c)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for the classifier");
    err = sek_model_map(path, verify, &c->model, diag);
    if (err != SEK_OK) {
        free(c);
        return err;
    }
    *out = c;
    return SEK_OK;
}

enum sek_err sek_classify_open(const char *path, struct sek_classify **out, struct sek_diag *diag)
{
    return sek__classify_open(path, true, out, diag);
}

void sek_classify_close(struct sek_classify *c)
{
    if (!c)
        return;
    sek_model_unmap(&c->model);
    free(c);
}

float sek__curve_at(const struct sek_curve *curve, int32_t sum)
{
    float at = (float)((double)((int64_t)sum - curve->first) / curve->step);
    int knot = at <= 0 ? 0 : at >= SEK_KNOTS - 2 ? SEK_KNOTS - 2 : (int)at;
    float low = curve->at[knot], high = curve->at[knot + 1];

    return low + (high - low) * (at - (float)knot);
}

struct sek_score sek__classify_unit(const struct sek_model *m, const struct sek_unit *u)
{
    struct sek_score s = {SEK_CLASSIFY_NONE, u->label, u->n, u->dynamic, false};
    int32_t sum;

    if (u->n < SEK_CLASSIFY_UNIT_MIN)
        return s;
    sum = sek_stage1(m, u);
    s.by_network = sum >= m->head->gate;
    if (s.by_network) {
        struct sek_net_work work;

        sum = sek__joint(m, sum, sek_stage2(m, u, &work));
    }
    s.llr = sek__curve_at(&m->head->curve[s.by_network], sum);
    return s;
}

struct sek_score sek_classify_name(const struct sek_classify *c, const struct sek_name *name)
{
    struct sek_unit unit;

    sek_unit_of_name(&c->model.suffixes, name, &unit);
    return sek__classify_unit(&c->model, &unit);
}

struct sek_score sek_classify_label(const struct sek_classify *c, const struct sek_name *name,
                                    unsigned k)
{
    struct sek_unit unit;

    sek_unit_of_label(&c->model.suffixes, name, k, &unit);
    return sek__classify_unit(&c->model, &unit);
}

double sek_classify_probability(float llr)
{
    return 1 / (1 + exp(-(double)llr));
}

float sek_classify_block_llr(const struct sek_classify *c)
{
    return c->model.head->block;
}

float sek_classify_monitor_llr(const struct sek_classify *c)
{
    return c->model.head->monitor;
}

const char *sek_classify_about(const struct sek_classify *c, int64_t *out_made_s)
{
    *out_made_s = c->model.head->made_s;
    return c->model.head->about;
}
