/* SPDX-License-Identifier: BSD-3-Clause */
/* How networks lie in an image: a head, then its arrays in this order. What nets_write.c writes and
 * nets.c reads. Private to these two.
 *
 * Networks are sorted by their first address, then the larger one first, so that of those around an
 * address the smallest is the last one that starts at or below it, or one of those around that. The
 * first addresses stand by themselves, in the octet order of the machine: a search touches nothing
 * else. */
#pragma once
#include "policy/nets.h"

struct sek__nets_head {
    uint32_t n_v6, n_v4, n_rules;
    uint32_t n_servers; /* rules about NSDNAME, which stand with the names */
};
/* struct sek__v6[n_v6]; uint32_t[n_v4], and one more if that is odd; struct sek__net[n_v6 + n_v4];
 * struct sek_rule[n_rules], of each network by what they are about, then list; their scope is
 * SUBTREE. */
struct sek__v6 {
    uint64_t high, low;
};
struct sek__net {
    uint32_t around; /* 1 + index in its family of the smallest network around it; 0: none */
    uint32_t rule;   /* index of its first; they end at the next network's */
    uint8_t bits;    /* of its prefix: 0..128, or 96..128 */
    uint8_t reserved[3];
};

static inline uint64_t sek__octets_64(const uint8_t *p)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 8; i++)
        n = n << 8 | p[i];
    return n;
}
static inline struct sek__v6 sek__v6_of(const struct sek_addr *addr)
{
    return (struct sek__v6){sek__octets_64(addr->octets), sek__octets_64(addr->octets + 8)};
}
/* Of an IPv4 address. */
static inline uint32_t sek__v4_of(const struct sek_addr *addr)
{
    return (uint32_t)sek__octets_64(addr->octets + 8);
}
static inline bool sek__v6_at_or_below(struct sek__v6 a, struct sek__v6 b)
{
    return a.high != b.high ? a.high < b.high : a.low <= b.low;
}
/* The bits of an address that a prefix fixes. */
static inline struct sek__v6 sek__v6_first(struct sek__v6 a, unsigned bits)
{
    uint64_t high = bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
    uint64_t low = bits <= 64 ? 0 : bits >= 128 ? UINT64_MAX : UINT64_MAX << (128 - bits);
    return (struct sek__v6){a.high & high, a.low & low};
}
