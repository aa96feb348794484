/* SPDX-License-Identifier: BSD-3-Clause */
/* What export.c does, backwards. */
#include "export.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

static void take16(float *to, const int16_t *from, size_t n, int bits)
{
    for (size_t i = 0; i < n; i++)
        to[i] = ldexpf(from[i], -bits);
}

static void take8(float *to, const int8_t *from, size_t n, float unit)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] / unit;
}

static void take_pairs(float (*to)[CH], const int16_t (*from)[CH][2], int n_in)
{
    for (int i = 0; i < n_in; i++)
        for (int c = 0; c < CH; c++)
            to[i][c] = ldexpf(from[i / 2][c][i % 2], -CONV_SHIFT);
}

static void take_conv(float w[3][CH][CH], float *bias, const struct sek_conv *conv)
{
    for (int k = 0; k < 3; k++)
        take_pairs(w[k], conv->w[k], CH);
    for (int c = 0; c < CH; c++)
        bias[c] = ldexpf((float)conv->bias[c], -SEK_ACT_BITS - CONV_SHIFT);
}

static void take_kinds(const struct data *d, const struct sek_model *m, struct net *n)
{
    for (uint32_t i = 0; i < m->head->n_heads; i++) {
        const struct sek_kind_row *row = &m->kinds[i];
        int at = -1;

        for (int f = 0; f < d->n_families; f++)
            if (strncmp(d->families[f].name, row->name, sizeof row->name - 1) == 0)
                at = f;
        for (int k = 0; k < N_KINDS; k++)
            if (strcmp(kind_names[k], row->name) == 0)
                at = FAMILIES_MAX + k;
        if (at < 0)
            continue;
        n->head_b[at] = ldexpf((float)row->bias, -SEK_ACT_BITS - HEAD_SHIFT);
        take16(n->head[at], row->w, CH, HEAD_SHIFT);
    }
}

void import_model(const struct data *d, const struct image *im, struct linear *l, struct net *n)
{
    const struct sek_model *m = &im->model;
    const float unit = (float)(1 << (SEK_ACT_BITS - TABLE_SHIFT));
    const size_t n_classes = (size_t)d->n_classes;

    take8(l->gram, m->grams, 1 << SEK_GRAM_BITS, STAGE1_UNIT);
    for (size_t i = 0; i < n_classes; i++)
        l->class_w[i] = (float)m->class1[i] / STAGE1_UNIT;
    for (int i = 0; i < SEK_LENGTHS; i++)
        l->len_w[i] = (float)m->len1[i] / STAGE1_UNIT;
    l->bias = (float)m->head->bias / STAGE1_UNIT;
    take16(n->uni[0][0], m->uni[0][0], sizeof n->uni / sizeof(float), SEK_ACT_BITS);
    memset(n->b1, 0, sizeof n->b1); /* within the middle of uni */
    take8(n->pair[0], m->pair[0], sizeof n->pair / sizeof(float), unit);
    take8(n->triple[0], m->triple[0], sizeof n->triple / sizeof(float), unit);
    take_conv(n->w2, n->b2, m->conv2);
    take_conv(n->w3, n->b3, m->conv3);
    take_pairs(n->dense, m->dense, NET_FEATS);
    take16(n->dense_b, m->dense_b, CH, SEK_ACT_BITS);
    take16(n->class_w[0], m->class2[0], n_classes * CH, SEK_ACT_BITS);
    take16(n->len_w[0], m->len2[0], sizeof n->len_w / sizeof(float), SEK_ACT_BITS);
    take16(n->out, m->out, CH, CONV_SHIFT);
    n->out_b[0] = ldexpf((float)m->head->out_bias, -SEK_ACT_BITS - CONV_SHIFT);
    take_kinds(d, m, n);
}
