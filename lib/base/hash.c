/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hash.h"
#include <endian.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

/* The state, passed by value: four registers. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

/* SipRound, §2 of the paper. */
static inline struct sip sip_round(struct sip s)
{
    s.v0 += s.v1;
    s.v2 += s.v3;
    s.v1 = rotate(s.v1, 13) ^ s.v0;
    s.v3 = rotate(s.v3, 16) ^ s.v2;
    s.v0 = rotate(s.v0, 32);
    s.v2 += s.v1;
    s.v0 += s.v3;
    s.v1 = rotate(s.v1, 17) ^ s.v2;
    s.v3 = rotate(s.v3, 21) ^ s.v0;
    s.v2 = rotate(s.v2, 32);
    return s;
}

static inline struct sip sip_word(struct sip s, uint64_t word)
{
    s.v3 ^= word;
    s = sip_round(s);
    s.v0 ^= word;
    return s;
}

/* The last word: the left over octets of the message, 0 to 7, and its length in the top octet. */
static inline uint64_t tail_word(const uint8_t *end, size_t len)
{
    unsigned left = len & 7;
    uint64_t word = 0;

    if (left > 0 && len >= 8) /* one load that overlaps the word before, instead of a jump */
        word = load64(end - 8) >> (64 - 8 * left);
    else
        for (unsigned i = 0; i < left; i++)
            word |= (uint64_t)(end - left)[i] << (8 * i);
    return word | (uint64_t)len << 56;
}

uint64_t sek_hash(const struct sek_hash_key *key, const void *data, size_t len)
{
    /* the constants spell "somepseudorandomlygeneratedbytes" */
    struct sip s = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
                    key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
    const uint8_t *p = data;

    for (size_t n = len / 8; n > 0; n--, p += 8)
        s = sip_word(s, load64(p));
    s = sip_word(s, tail_word(p + (len & 7), len));
    s.v2 ^= 0xff;
    s = sip_round(sip_round(sip_round(s)));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t sek_hash_words(const struct sek_hash_key *key, const uint64_t *words, size_t len)
{
    struct sip s = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
                    key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
    size_t n = len / 8;
    uint64_t tail = (uint64_t)len << 56;

    for (size_t i = 0; i < n; i++)
        s = sip_word(s, le64toh(words[i]));
    if (len & 7)
        tail |= le64toh(words[n]);
    s = sip_word(s, tail);
    s.v2 ^= 0xff;
    s = sip_round(sip_round(sip_round(s)));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct sek_hash_key sek_hash_key_random(void)
{
    struct sek_hash_key key, seed;
    struct timespec real = {0}, mono = {0};

    if (getrandom(&key, sizeof(key), GRND_NONBLOCK) == (ssize_t)sizeof(key))
        return key;
    /* Early at boot the kernel has no randomness yet; waiting for it would hold up the resolver. */
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &mono);
    seed.k0 = (uint64_t)real.tv_sec << 30 ^ (uint64_t)real.tv_nsec ^ (uint64_t)getpid() << 40;
    seed.k1 = (uint64_t)mono.tv_sec << 30 ^ (uint64_t)mono.tv_nsec ^ (uint64_t)(uintptr_t)&key;
    key.k0 = sek_hash(&seed, &real, sizeof(real));
    key.k1 = sek_hash(&seed, &mono, sizeof(mono));
    return key;
}
