/* SPDX-License-Identifier: BSD-3-Clause */
/* How groups lie in an image: a head, then its arrays in this order. What groups_write.c writes and
 * groups.c reads. Private to these two.
 *
 * The ranges are sorted and cover all addresses: the first starts at ::, each ends where the next
 * starts, the last one at the highest address. A range's members are those from its first to the
 * next range's. */
#pragma once
#include "policy/groups.h"

struct sek__groups_head {
    uint32_t n_groups, n_audiences, n_ranges, n_members;
};
/* struct sek_client_group[n_groups], ascending by id; struct sek_audience[n_audiences], the first
 * is everybody; then: */
struct sek__range {
    uint8_t first[16];
    uint32_t member; /* index of its first */
    uint32_t reserved;
};
struct sek__member {
    int64_t expires_s; /* 0: never */
    uint32_t group;    /* id */
    uint32_t reserved;
};
