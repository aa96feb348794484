/* SPDX-License-Identifier: BSD-3-Clause */
/* The trail of a name: a keyed hash of the name and of each name above it, from the root down, so
 * that all of them cost one pass over its octets. Every image carries the random seed of its
 * hashes; a delta uses that of its base. A list's author knows neither the seed nor anything
 * computed from it, and a collision costs time only, as names are compared octet by octet in the
 * end: that is why a quick hash by folded multiplication will do here where SipHash would cost more
 * than the rest of a lookup. Plain data. Any thread. */
#pragma once
#include "base/hash.h"
#include "name/name.h"
#include <endian.h>
#include <string.h>

struct sek_trail {
    uint64_t hash[SEK_LABELS_MAX + 1]; /* hash[k]: of the k right-most labels; hash[0]: the root */
};

static inline uint64_t sek__fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sek__load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

/* A seed spread over a key: two steps of SplitMix64 (Steele, Lea and Flood 2014). */
static inline struct sek_hash_key sek__trail_key(uint64_t seed)
{
    uint64_t k[2];

    for (int i = 0; i < 2; i++) {
        uint64_t x = seed += SEK_HASH_GOLDEN;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
        x = (x ^ x >> 27) * 0x94d049bb133111ebU;
        k[i] = x ^ x >> 31;
    }
    return (struct sek_hash_key){k[0], k[1]};
}

/* The first n octets (1..16) from `p` within a name as two words, zeros behind them. They are read
 * at once, without a branch on their number, and those behind are masked. */
struct sek__words {
    uint64_t low, high;
};

static inline struct sek__words sek__words_of(const struct sek_name *name, const uint8_t *p,
                                              unsigned n)
{
    uint8_t rest[16] = {0};

    if (p + 16 > name->octets + SEK_NAME_MAX)
        p = memcpy(rest, p, n);
    return (struct sek__words){
        .low = sek__load64(p) & (n >= 8 ? UINT64_MAX : ((uint64_t)1 << 8 * n) - 1),
        .high = sek__load64(p + 8) & (n >= 16  ? UINT64_MAX
                                      : n <= 8 ? 0
                                               : ((uint64_t)1 << 8 * (n - 8)) - 1),
    };
}

/* Hash of the label at `at` over the hash `above` of what stands right of it. The label's length
 * octet is part of what is hashed, so that the cut between labels counts. */
static inline uint64_t sek__trail_label(const struct sek_hash_key *key, uint64_t above,
                                        const struct sek_name *name, unsigned at)
{
    const uint8_t *p = name->octets + at;
    unsigned n = *p + 1U;

    for (; n > 16; n -= 16, p += 16)
        above = sek__fold(sek__load64(p) ^ key->k0, sek__load64(p + 8) ^ above);
    struct sek__words words = sek__words_of(name, p, n);
    return sek__fold(words.low ^ key->k0, words.high ^ above);
}

static inline void sek__trail_make(const struct sek_hash_key *key, const struct sek_name *name,
                                   struct sek_trail *out)
{
    uint64_t hash = out->hash[0] = key->k1;

    for (unsigned k = 1; k <= name->n_labels; k++)
        out->hash[k] = hash = sek__trail_label(key, hash, name, name->offset[name->n_labels - k]);
}
