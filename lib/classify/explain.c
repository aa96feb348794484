/* SPDX-License-Identifier: BSD-3-Clause */
#include "classify/explain.h"
#include "classify/classify_parts.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

static const char text_of[SEK_N_SYMS + 1] = ".abcdefghijklmnopqrstuvwxyz0123456789-?.";

static void unit_text(const struct sek_unit *u, char *out)
{
    for (unsigned i = 0; i < u->n; i++)
        out[i] = text_of[u->sym[i]];
    out[u->n] = '\0';
}

/* The n symbols that end at place `end`, edges as '^' and '$'. */
static void gram_text(const struct sek_unit *u, unsigned end, unsigned n, char *out)
{
    for (unsigned i = end + 1 - n; i <= end; i++)
        *out++ = i == 0 ? '^' : i > u->n ? '$' : text_of[u->sym[i - 1]];
    *out = '\0';
}

/* Keep the few with the largest weight times `sign`, in order. */
static void offer(struct sek_why_gram *best, const struct sek_why_gram *g, float sign)
{
    unsigned at = SEK_WHY_GRAMS;

    if (g->weight * sign <= 0)
        return;
    for (unsigned i = 0; i < SEK_WHY_GRAMS; i++)
        if (best[i].weight != 0 && strcmp(best[i].text, g->text) == 0)
            return; /* twice in the label */
    while (at > 0 && g->weight * sign > best[at - 1].weight * sign)
        at--;
    if (at == SEK_WHY_GRAMS)
        return;
    memmove(best + at + 1, best + at, (SEK_WHY_GRAMS - 1 - at) * sizeof(*best));
    best[at] = *g;
}

static void explain_stage1(const struct sek_model *m, const struct sek_unit *u, struct sek_why *out)
{
    const float unit = 1.0f / (float)m->head->stage1_unit;
    int32_t sum = 0;

    for (unsigned end = 0; end < u->n + 2u; end++)
        for (unsigned n = 1; n <= SEK_GRAM_MAX && n <= end + 1; n++) {
            struct sek_why_gram g;
            int32_t w = sek_stage1_gram(m, u, end, n);

            sum += w;
            g.weight = (float)w * unit;
            gram_text(u, end, n, g.text);
            offer(out->odd, &g, 1);
            offer(out->common, &g, -1);
        }
    out->grams = (float)sum * unit;
    out->suffix = (float)m->class1[u->class_id] * unit;
    out->length = (float)m->len1[u->n] * unit;
    out->bias = (float)m->head->bias * unit;
}

/* Soft maximum over the rows; the shares of the nearest. */
static void explain_kinds(const struct sek_model *m, const int16_t *hidden, struct sek_why *out)
{
    double v[SEK_HEADS_MAX], max = -1e9, sum = 0;

    for (uint32_t k = 0; k < m->head->n_heads; k++) {
        int64_t z = m->kinds[k].bias;

        for (unsigned c = 0; c < SEK_CH; c++)
            z += (int64_t)m->kinds[k].w[c] * hidden[c];
        v[k] = ldexp((double)z, -(SEK_ACT_BITS + (int)m->head->head_shift));
        max = v[k] > max ? v[k] : max;
    }
    for (uint32_t k = 0; k < m->head->n_heads; k++)
        sum += v[k] = exp(v[k] - max);
    for (unsigned i = 0; i < SEK_WHY_KINDS && i < m->head->n_heads; i++) {
        uint32_t best = 0;

        for (uint32_t k = 1; k < m->head->n_heads; k++)
            best = v[k] > v[best] ? k : best;
        out->kinds[i].name = m->kinds[best].name;
        out->kinds[i].share = (float)(v[best] / sum);
        v[best] = -1;
    }
}

void sek_classify_explain(const struct sek_classify *c, const struct sek_name *name,
                          struct sek_why *out)
{
    const struct sek_model *m = &c->model;
    struct sek_net_work work;
    struct sek_unit u;

    memset(out, 0, sizeof(*out));
    sek_unit_of_name(&m->suffixes, name, &u);
    unit_text(&u, out->unit);
    out->score = sek__classify_unit(m, &u);
    if (u.n < SEK_CLASSIFY_UNIT_MIN)
        return;
    explain_stage1(m, &u, out);
    int32_t sum = sek_stage2(m, &u, &work);
    if (out->score.by_network)
        out->network = ldexpf((float)sum, -(SEK_ACT_BITS + (int)m->head->out_shift));
    explain_kinds(m, work.hidden, out);
}
