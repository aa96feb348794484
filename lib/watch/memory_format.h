/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of watch/memory.h, for its own code and its fuzz target.
 *
 *   head
 *   block  of one table of a detector: its things, each as bits that say which of its words of
 * eight octets are not 0, and those words …      the last block has no detector and counts the
 * others; nothing follows
 *
 * It is of one machine and one program: words are as in memory. */
#pragma once
#include "base/hash.h"
#include <stddef.h>
#include <stdint.h>

#define SEK_MEMORY_MAGIC "SEKWATCH"
#define SEK_MEMORY_ORDER 0x01020304u
#define SEK_MEMORY_VERSION 1u
#define SEK_MEMORY_BLOCK 131072 /* octets of a block's things, at most */

struct sek_memory_head {
    char magic[8];
    uint32_t order, version; /* have their place in every version */
    int64_t saved_ms;
    struct sek_hash_key key; /* of the detectors */
    uint64_t sum;            /* of what stands before */
};

struct sek_memory_block {
    uint64_t sum;                       /* of what follows */
    uint16_t detector, table;           /* detector: enum sek_detector; 0: the end */
    uint32_t layout, stride, n, octets; /* of the table; n things; octets of data */
    uint32_t zero;
    uint8_t data[SEK_MEMORY_BLOCK];
};
#define SEK_MEMORY_BLOCK_HEAD offsetof(struct sek_memory_block, data)

static inline uint64_t sek_memory_head_sum(const struct sek_memory_head *h)
{
    static const struct sek_hash_key key = {SEK_MEMORY_ORDER, SEK_MEMORY_VERSION};
    return sek_hash(&key, h, offsetof(struct sek_memory_head, sum));
}

/* number: of the block, from 0. Its octets are no more than SEK_MEMORY_BLOCK. */
static inline uint64_t sek_memory_block_sum(const struct sek_memory_head *h, uint64_t number,
                                            const struct sek_memory_block *b)
{
    const struct sek_hash_key key = {h->sum, number};
    return sek_hash(&key, (const uint8_t *)b + sizeof b->sum,
                    SEK_MEMORY_BLOCK_HEAD - sizeof b->sum + b->octets);
}
