/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage 2: a small convolutional network on the symbols of a label. */
#pragma once
#include "gemm.h"
#include "classify/model_format.h"
#include "sampler.h"
#include <stddef.h>

#define NET_SPAN SEK_SPAN /* symbols of a label that are read */
#define NET_AROUND 5      /* places that the first layer looks at */
#define NET_FEATS (3 * CH)
#define NET_HEADS (FAMILIES_MAX + N_KINDS)

/* Floats only: the optimiser sees one long vector. Whole vectors, aligned. */
struct net {
    _Alignas(64) float uni[NET_AROUND][SEK_N_SYMS][CH];
    float pair[SEK_PAIRS][CH];
    float triple[1 << SEK_TRIPLE_BITS][CH];
    float b1[CH];
    float w2[3][CH][CH], b2[CH];
    float w3[3][CH][CH], b3[CH];
    float dense[NET_FEATS][CH], dense_b[CH];
    float class_w[CLASSES_MAX][CH], len_w[SEK_LABEL_MAX + 1][CH];
    float out[CH], out_b[16];
    float head[NET_HEADS][CH], head_b[NET_HEADS];
};
#define NET_FLOATS (sizeof(struct net) / sizeof(float))

#define NET_TOP (offsetof(struct net, dense) / sizeof(float))  /* above the pooling */
#define NET_KINDS (offsetof(struct net, head) / sizeof(float)) /* what tells the kinds */

struct net_plan {
    uint64_t n_names;
    float rate, drop, head_weight, bound;
    float floor;      /* the rate falls to this share of it, not to 0 */
    float average;    /* the weights are the mean over this last share of the steps */
    size_t first;     /* of struct net's floats, that learns: 0 all, NET_TOP, NET_KINDS */
    const char *name; /* in progress lines */
};

void net_init(struct net *n, uint64_t seed);
void net_train(struct net *n, struct sampler *s, const struct net_plan *plan);
/* Logits of all items; what[i] = false leaves scores[i] as it is. */
void net_score(const struct net *n, const struct data *d, float *scores);
