/* SPDX-License-Identifier: BSD-3-Clause */
/* The file format of models: what tools/train writes and model.c reads, so that the two cannot
 * differ. Numbers are in the octet order of the machine, which the head records.
 *
 * A file is its head and then the sections of enum sek__model_section in that order, each padded
 * with zeros to a multiple of 64 octets. Their places follow from the counts in the head and are
 * not stored, so there is nothing to get wrong. Sizes of layers are those of the program: a model
 * of other sizes has another version.
 *
 * All arithmetic is in integers that wrap, so that every processor gives the same answer for every
 * file. Activations of stage 2 have 10 bits behind the point and are cut to 0..SEK_ACT_MAX. */
#pragma once
#include "classify/gram.h"
#include "classify/suffixes.h"

#define SEK_MODEL_MAGIC "sekmdl\r\n" /* a transfer as text breaks it */
#define SEK_MODEL_VERSION 1
#define SEK_MODEL_ORDER 0x01020304
#define SEK_MODEL_ALIGN 64
#define SEK_MODEL_SIZE_MAX (1u << 20) /* octets */

#define SEK_ACT_BITS 10
#define SEK_ACT_MAX 8191
#define SEK_CH 64    /* channels of every layer */
#define SEK_SPAN 30  /* symbols of a label that stage 2 reads */
#define SEK_AROUND 5 /* places that its first layer looks at */
#define SEK_FEATS (3 * SEK_CH)
#define SEK_LENGTHS 64 /* 0..63 symbols */
#define SEK_KNOTS 64   /* of a calibration curve */
#define SEK_CLASSES_MAX 256
#define SEK_HEADS_MAX 255
#define SEK_HEAD_NAME 24

/* From a stage's sum to the natural logarithm of P(sum | machine-made) / P(sum | benign): straight
 * lines between knots at `first`, `first + step`, …, and on with the last ones' slope. Ascending.
 */
struct sek_curve {
    int32_t first, step;
    float at[SEK_KNOTS];
};

struct sek_model_head {
    char magic[8];
    uint32_t version, order;
    uint64_t size; /* of the file, octets */
    uint64_t sum;  /* SipHash-1-3 of the file with 0 here, key {SEK_MODEL_KEY, size} */
    int64_t made_s;
    uint32_t n_slots, n_classes, n_heads;
    int32_t gate;  /* stage 1's sum from which on stage 2 decides */
    int32_t bias;  /* of stage 1 */
    int32_t carry; /* times stage 1's sum, added to stage 2's */
    int32_t out_bias;
    uint32_t table_shift, conv2_shift, conv3_shift, dense_shift, out_shift; /* 0..20 */
    uint32_t head_shift;
    uint32_t stage1_unit; /* stage 1's sum that stands for a natural logarithm of 1 */
    struct sek_curve curve[2];
    float block, monitor; /* log likelihood ratios that 1e-4 and 1e-3 of benign names exceed */
    char about[128];      /* one line for people */
};
#define SEK_MODEL_KEY 0x6d6f64656c2e7365ull

enum sek__model_section {
    SEK__MODEL_HEAD,
    SEK__MODEL_SLOTS,  /* n_slots of struct sek_suffix_slot */
    SEK__MODEL_GRAMS,  /* stage 1: int8_t[1 << SEK_GRAM_BITS] */
    SEK__MODEL_CLASS1, /* int16_t[n_classes] */
    SEK__MODEL_LEN1,   /* int16_t[SEK_LENGTHS] */
    SEK__MODEL_UNI,  /* stage 2: int16_t[SEK_AROUND][SEK_N_SYMS][SEK_CH], the bias in the middle */
    SEK__MODEL_PAIR, /* int8_t[SEK_PAIRS][SEK_CH], times 1 << table_shift */
    SEK__MODEL_TRIPLE,  /* int8_t[1 << SEK_TRIPLE_BITS][SEK_CH], likewise */
    SEK__MODEL_CONV2,   /* struct sek_conv */
    SEK__MODEL_CONV3,   /* struct sek_conv */
    SEK__MODEL_DENSE,   /* int16_t[SEK_FEATS / 2][SEK_CH][2] */
    SEK__MODEL_DENSE_B, /* int16_t[SEK_CH], 10 bits behind the point, like the next two */
    SEK__MODEL_CLASS2,  /* int16_t[n_classes][SEK_CH] */
    SEK__MODEL_LEN2,    /* int16_t[SEK_LENGTHS][SEK_CH] */
    SEK__MODEL_OUT,     /* int16_t[SEK_CH] */
    SEK__MODEL_KINDS,   /* struct sek_kind_row[n_heads] */
    SEK__MODEL_N_SECTIONS
};

/* Three places by 64 inputs, in pairs, as the multiply-and-add of neighbours wants them. */
struct sek_conv {
    int16_t w[3][SEK_CH / 2][SEK_CH][2];
    int32_t bias[SEK_CH]; /* 10 + shift bits behind the point */
};

/* One family or kind of generators, for explanations. */
struct sek_kind_row {
    char name[SEK_HEAD_NAME];
    int32_t bias; /* 10 + head_shift bits behind the point */
    int16_t w[SEK_CH];
};

/* Where each section starts; at[SEK__MODEL_N_SECTIONS] is the size of the file. */
static inline void sek__model_layout(const struct sek_model_head *head,
                                     uint64_t at[SEK__MODEL_N_SECTIONS + 1])
{
    const uint64_t octets[SEK__MODEL_N_SECTIONS] = {
        [SEK__MODEL_HEAD] = sizeof(*head),
        [SEK__MODEL_SLOTS] = (uint64_t)head->n_slots * sizeof(struct sek_suffix_slot),
        [SEK__MODEL_GRAMS] = 1u << SEK_GRAM_BITS,
        [SEK__MODEL_CLASS1] = (uint64_t)head->n_classes * sizeof(int16_t),
        [SEK__MODEL_LEN1] = SEK_LENGTHS * sizeof(int16_t),
        [SEK__MODEL_UNI] = sizeof(int16_t[SEK_AROUND][SEK_N_SYMS][SEK_CH]),
        [SEK__MODEL_PAIR] = sizeof(int8_t[SEK_PAIRS][SEK_CH]),
        [SEK__MODEL_TRIPLE] = sizeof(int8_t[1 << SEK_TRIPLE_BITS][SEK_CH]),
        [SEK__MODEL_CONV2] = sizeof(struct sek_conv),
        [SEK__MODEL_CONV3] = sizeof(struct sek_conv),
        [SEK__MODEL_DENSE] = sizeof(int16_t[SEK_FEATS][SEK_CH]),
        [SEK__MODEL_DENSE_B] = sizeof(int16_t[SEK_CH]),
        [SEK__MODEL_CLASS2] = (uint64_t)head->n_classes * sizeof(int16_t[SEK_CH]),
        [SEK__MODEL_LEN2] = sizeof(int16_t[SEK_LENGTHS][SEK_CH]),
        [SEK__MODEL_OUT] = sizeof(int16_t[SEK_CH]),
        [SEK__MODEL_KINDS] = (uint64_t)head->n_heads * sizeof(struct sek_kind_row),
    };
    uint64_t end = 0;

    for (int s = 0; s < SEK__MODEL_N_SECTIONS; s++) {
        at[s] = end;
        end += (octets[s] + SEK_MODEL_ALIGN - 1) / SEK_MODEL_ALIGN * SEK_MODEL_ALIGN;
    }
    at[SEK__MODEL_N_SECTIONS] = end;
}
