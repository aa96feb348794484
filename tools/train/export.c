/* SPDX-License-Identifier: BSD-3-Clause */
#include "export.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define CARRY 0.18f /* of stage 1 in the joint logit; 0.1 to 0.3 do alike */

static void find(struct image *im)
{
    struct sek_model *m = &im->model;
    m->head = (const void *)im->octets;
    m->size = im->size;
    sek_model_sections(m);
}

static uint64_t n_clipped;

static int16_t fixed16(float v, int bits)
{
    float x = roundf(ldexpf(v, bits));

    n_clipped += x > 32767 || x < -32768;
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

static int8_t fixed8(float v, float unit)
{
    float x = roundf(v * unit);

    n_clipped += x > 127 || x < -127;
    return (int8_t)(x > 127 ? 127 : x < -127 ? -127 : x);
}

static void put16(const int16_t *to, const float *from, size_t n, int bits)
{
    for (size_t i = 0; i < n; i++)
        ((int16_t *)to)[i] = fixed16(from[i], bits);
}

static void put8(const int8_t *to, const float *from, size_t n, float unit)
{
    for (size_t i = 0; i < n; i++)
        ((int8_t *)to)[i] = fixed8(from[i], unit);
}

/* Rows of inputs to pairs of inputs. */
static void put_pairs(int16_t (*to)[CH][2], const float (*from)[CH], int n_in, int bits)
{
    for (int i = 0; i < n_in; i++)
        for (int c = 0; c < CH; c++)
            to[i / 2][c][i % 2] = fixed16(from[i][c], bits);
}

static void put_conv(const struct sek_conv *to, const float w[3][CH][CH], const float *bias)
{
    struct sek_conv *conv = (struct sek_conv *)to;
    float most = 0;

    for (int k = 0; k < 3; k++)
        put_pairs(conv->w[k], w[k], CH, CONV_SHIFT);
    for (int c = 0; c < CH; c++) {
        float sum = fabsf(bias[c]) / 8 + 1;

        conv->bias[c] = (int32_t)lroundf(ldexpf(bias[c], SEK_ACT_BITS + CONV_SHIFT));
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < CH; i++)
                sum += fabsf(w[k][i][c]);
        most = sum > most ? sum : most;
    }
    printf("layer: largest sum of weights %.1f of %d\n", (double)most, 1 << (31 - 13 - CONV_SHIFT));
}

static void put_kinds(const struct data *d, const struct net *n, const struct sek_kind_row *to)
{
    struct sek_kind_row *row = (struct sek_kind_row *)to;

    for (int k = 0; k < NET_HEADS; k++) {
        bool family = k < FAMILIES_MAX;

        if (family && (k >= d->n_families || d->families[k].n_train == 0))
            continue;
        snprintf(row->name, sizeof row->name, "%.23s",
                 family ? d->families[k].name : kind_names[k - FAMILIES_MAX]);
        row->bias = (int32_t)lroundf(ldexpf(n->head_b[k], SEK_ACT_BITS + HEAD_SHIFT));
        put16(row->w, n->head[k], CH, HEAD_SHIFT);
        row++;
    }
}

static uint32_t count_kinds(const struct data *d)
{
    uint32_t n = N_KINDS;

    for (int f = 0; f < d->n_families; f++)
        n += d->families[f].n_train > 0;
    return n;
}

static void put_stage1(const struct data *d, const struct linear *l, const struct sek_model *m)
{
    put8(m->grams, l->gram, 1 << SEK_GRAM_BITS, STAGE1_UNIT);
    for (int i = 0; i < d->n_classes; i++)
        ((int16_t *)m->class1)[i] = (int16_t)lroundf(l->class_w[i] * STAGE1_UNIT);
    for (int i = 0; i < SEK_LENGTHS; i++)
        ((int16_t *)m->len1)[i] = (int16_t)lroundf(l->len_w[i] * STAGE1_UNIT);
}

static void put_stage2(const struct data *d, const struct net *n, const struct sek_model *m)
{
    static float uni[SEK_AROUND][SEK_N_SYMS][CH];
    const float unit = (float)(1 << (SEK_ACT_BITS - TABLE_SHIFT));

    memcpy(uni, n->uni, sizeof uni);
    for (int s = 0; s < SEK_N_SYMS; s++)
        for (int c = 0; c < CH; c++)
            uni[SEK_AROUND / 2][s][c] += n->b1[c];
    put16(m->uni[0][0], uni[0][0], sizeof uni / sizeof(float), SEK_ACT_BITS);
    put8(m->pair[0], n->pair[0], sizeof n->pair / sizeof(float), unit);
    put8(m->triple[0], n->triple[0], sizeof n->triple / sizeof(float), unit);
    put_conv(m->conv2, n->w2, n->b2);
    put_conv(m->conv3, n->w3, n->b3);
    put_pairs((int16_t(*)[CH][2])m->dense, n->dense, NET_FEATS, CONV_SHIFT);
    put16(m->dense_b, n->dense_b, CH, SEK_ACT_BITS);
    put16(m->class2[0], n->class_w[0], (size_t)d->n_classes * CH, SEK_ACT_BITS);
    put16(m->len2[0], n->len_w[0], sizeof n->len_w / sizeof(float), SEK_ACT_BITS);
    put16(m->out, n->out, CH, CONV_SHIFT);
    put_kinds(d, n, m->kinds);
}

void export_model(const struct data *d, const struct linear *l, const struct net *n,
                  struct image *out)
{
    struct sek_model_head head = {
        .magic = SEK_MODEL_MAGIC,
        .version = SEK_MODEL_VERSION,
        .order = SEK_MODEL_ORDER,
        .n_slots = d->suffixes.mask + 1,
        .n_classes = (uint32_t)d->n_classes,
        .n_heads = count_kinds(d),
        .gate = INT32_MIN,
        .bias = (int32_t)lroundf(l->bias * STAGE1_UNIT),
        .carry = (int32_t)lroundf(ldexpf(CARRY / STAGE1_UNIT, SEK_ACT_BITS + CONV_SHIFT)),
        .out_bias = (int32_t)lroundf(ldexpf(n->out_b[0], SEK_ACT_BITS + CONV_SHIFT)),
        .table_shift = TABLE_SHIFT,
        .conv2_shift = CONV_SHIFT,
        .conv3_shift = CONV_SHIFT,
        .dense_shift = CONV_SHIFT,
        .out_shift = CONV_SHIFT,
        .head_shift = HEAD_SHIFT,
        .stage1_unit = STAGE1_UNIT,
    };
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];

    memcpy(head.magic, SEK_MODEL_MAGIC, sizeof head.magic);
    sek__model_layout(&head, at);
    out->size = head.size = at[SEK__MODEL_N_SECTIONS];
    out->octets = aligned_alloc(64, out->size);
    memset(out->octets, 0, out->size);
    memcpy(out->octets, &head, sizeof head);
    find(out);
    memcpy((void *)out->model.suffixes.slots, d->slots, head.n_slots * sizeof *d->slots);
    put_stage1(d, l, &out->model);
    put_stage2(d, n, &out->model);
    printf("model: %zu octets, %llu weights clipped\n", out->size, (unsigned long long)n_clipped);
}

void export_read(const struct data *d, const char *path, struct image *im)
{
    struct sek_diag diag = {0};
    struct sek_model m;

    if (sek_model_map(path, true, &m, &diag) != SEK_OK) {
        fprintf(stderr, "sektrain: %s\n", diag.text);
        exit(1);
    }
    im->size = m.size;
    im->octets = aligned_alloc(64, m.size);
    memcpy(im->octets, m.head, m.size);
    sek_model_unmap(&m);
    find(im);
    if (im->model.head->n_slots != d->suffixes.mask + 1 ||
        im->model.head->n_classes != (uint32_t)d->n_classes) {
        fprintf(stderr, "sektrain: %s: made from other names or suffixes\n", path);
        exit(1);
    }
    memcpy((void *)im->model.suffixes.slots, d->slots, im->model.head->n_slots * sizeof *d->slots);
}

void export_write(struct image *im, const char *about, int64_t made_s, const char *path)
{
    struct sek_model_head *head = (void *)im->octets;
    struct sek_file_new f = {.fd = -1};
    struct sek_diag diag = {0};

    head->made_s = made_s;
    snprintf(head->about, sizeof head->about, "%s", about);
    head->sum = sek_model_sum(head, im->size);
    if (sek_file_new_open(path, 0644, &f, &diag) != SEK_OK ||
        sek_file_new_write(&f, im->octets, im->size, &diag) != SEK_OK ||
        sek_file_new_commit(&f, &diag) != SEK_OK) {
        sek_file_new_abort(&f);
        fprintf(stderr, "sektrain: %s\n", diag.text);
        exit(1);
    }
}
