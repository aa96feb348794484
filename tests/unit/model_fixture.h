/* SPDX-License-Identifier: BSD-3-Clause */
/* A classifier model of random weights, with a few suffixes: sound in form, senseless in content.
 */
#pragma once
#include "random.h"
#include "classify/classify_parts.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL_SLOTS 64
#define MODEL_CLASSES 3
#define MODEL_KINDS 2

static inline void model_suffix(uint8_t *octets, const char *text, uint8_t flags, uint8_t class_id)
{
    const struct sek_model_head *head = (const void *)octets;
    uint64_t at[SEK__MODEL_N_SECTIONS + 1], hash = SEK_SUFFIX_HASH_START;
    struct sek_suffix_slot *slots, *slot = NULL;
    struct sek_name name;

    sek__model_layout(head, at);
    slots = (void *)(octets + at[SEK__MODEL_SLOTS]);
    if (sek_name_from_text(text, strlen(text), &name, NULL) != SEK_OK)
        abort();
    for (unsigned k = name.n_labels; k-- > 0;) {
        if (slot)
            slot->flags |= SEK_SUFFIX_DEEPER;
        hash = sek_suffix_hash(hash, name.octets + name.offset[k]);
        uint32_t i = (uint32_t)hash & (head->n_slots - 1);
        while (slots[i].flags && slots[i].print != (uint32_t)(hash >> 32))
            i = (i + 1) & (head->n_slots - 1);
        slot = &slots[i];
        slot->print = (uint32_t)(hash >> 32);
        if (k == 0) {
            slot->flags |= flags;
            slot->class_id = class_id;
        } else if (!slot->flags) {
            slot->flags = SEK_SUFFIX_DEEPER;
        }
    }
}

static inline void model_curve(struct sek_curve *c)
{
    c->first = -(1 << 20);
    c->step = 1 << 15;
    for (int i = 0; i < SEK_KNOTS; i++)
        c->at[i] = -8 + (float)i / 4;
}

/* Octets of the file (free them), its size in *out_size. small: weights of the size that training
 * gives; else every 16-bit value, so that sums wrap. */
static inline uint8_t *model_make(uint64_t seed, bool small, size_t *out_size)
{
    struct sek_model_head head = {.version = SEK_MODEL_VERSION,
                                  .order = SEK_MODEL_ORDER,
                                  .made_s = 1700000000,
                                  .n_slots = MODEL_SLOTS,
                                  .n_classes = MODEL_CLASSES,
                                  .n_heads = MODEL_KINDS,
                                  .gate = -50,
                                  .bias = -3,
                                  .carry = 7,
                                  .out_bias = 5,
                                  .table_shift = 3,
                                  .conv2_shift = 11,
                                  .conv3_shift = 11,
                                  .dense_shift = 11,
                                  .out_shift = 11,
                                  .head_shift = 11,
                                  .stage1_unit = 40,
                                  .block = 6,
                                  .monitor = 5,
                                  .about = "a fixture"};
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];
    uint8_t *octets;

    memcpy(head.magic, SEK_MODEL_MAGIC, sizeof(head.magic));
    model_curve(&head.curve[0]);
    model_curve(&head.curve[1]);
    sek__model_layout(&head, at);
    head.size = *out_size = at[SEK__MODEL_N_SECTIONS];
    octets = aligned_alloc(64, head.size);
    if (!octets)
        abort();
    memset(octets, 0, head.size);
    memcpy(octets, &head, sizeof(head));
    for (uint64_t i = at[SEK__MODEL_GRAMS]; i < at[SEK__MODEL_KINDS]; i += 2) {
        int16_t v = (int16_t)test_random(&seed);

        if (small && i >= at[SEK__MODEL_UNI] &&
            (i < at[SEK__MODEL_PAIR] || i >= at[SEK__MODEL_CONV2]))
            v /= 64;
        memcpy(octets + i, &v, sizeof(v));
    }
    struct sek_kind_row *kinds = (void *)(octets + at[SEK__MODEL_KINDS]);
    snprintf(kinds[0].name, SEK_HEAD_NAME, "letters");
    snprintf(kinds[1].name, SEK_HEAD_NAME, "words");
    kinds[1].bias = 100;
    model_suffix(octets, "com", SEK_SUFFIX_IS, 1);
    model_suffix(octets, "co.uk", SEK_SUFFIX_IS, 2);
    model_suffix(octets, "uk", SEK_SUFFIX_IS, 2);
    model_suffix(octets, "ck", SEK_SUFFIX_IS | SEK_SUFFIX_WILD, 0);
    model_suffix(octets, "www.ck", SEK_SUFFIX_NOT, 0);
    model_suffix(octets, "dyn.com", SEK_SUFFIX_IS | SEK_SUFFIX_DYNAMIC, 1);
    model_suffix(octets, "far.below.org", SEK_SUFFIX_IS, 0);
    return octets;
}

/* Give the octets their checksum and write them to `path`. */
static inline void model_write(uint8_t *octets, size_t n, bool sum, const char *path)
{
    struct sek_model_head *head = (void *)octets;
    FILE *f = fopen(path, "wb");

    if (sum)
        head->sum = sek_model_sum(head, n);
    if (!f || fwrite(octets, 1, n, f) != n || fclose(f) != 0)
        abort();
}
