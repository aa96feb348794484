/* SPDX-License-Identifier: BSD-3-Clause */
/* What computing and learning share. Private to net.c and net_train.c. */
#pragma once
#include "net.h"

#define NET_GAP 2    /* empty rows between names: the reach of the widest layer */
#define NET_MICRO 64 /* names of one pass */
#define NET_ROWS (NET_MICRO * (NET_SPAN + 2 + NET_GAP) + 2 * NET_GAP + 4)

/* One pass. Row r of the layers is row NET_GAP + r of the arrays. */
struct net_pass {
    int n, rows;
    struct sample x[NET_MICRO];
    int first[NET_MICRO], len[NET_MICRO];
    uint8_t sym[NET_ROWS + 8];
    _Alignas(64) float h1[NET_ROWS][CH], h2[NET_ROWS][CH], h3[NET_ROWS][CH];
    float g1[NET_ROWS][CH], g2[NET_ROWS][CH], g3[NET_ROWS][CH];
    struct filled f1[NET_ROWS], f2[NET_ROWS], f_g2[NET_ROWS], f_g3[NET_ROWS];
    _Alignas(64) float feats[NET_MICRO][NET_FEATS], g_feats[NET_MICRO][NET_FEATS];
    uint8_t keep[NET_MICRO][NET_FEATS];
    int arg3[NET_MICRO][CH], arg2[NET_MICRO][CH];
    _Alignas(64) float hid[NET_MICRO][CH], g_hid[NET_MICRO][CH];
    float z[NET_MICRO];
    _Alignas(64) float back2[3][CH][CH], back3[3][CH][CH],
        back_dense[3][CH][CH]; /* transposed weights */
};

/* Aligned for vectors; does not fail. */
void *net__zeroed(size_t size);
/* Note which numbers of the pass's rows are not 0. */
void net__fill(const struct net_pass *p, const float (*rows)[CH], struct filled *out);
/* out += rows times weights at three places, `spread` apart; below 0: in the other direction. */
void net__convolve(const struct net_pass *p, const float (*in)[CH], const struct filled *filled,
                   float (*out)[CH], const float w[3][CH][CH], int spread);
/* The logits of p->x[0..p->n). r: dropout of this share of the features, for learning; or NULL. */
void net__forward(const struct net *n, struct net_pass *p, struct rng *r, float drop);
