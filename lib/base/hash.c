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

/* SipRound, §2 of the paper. */
static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* The last word: what is left of the message, and its length in the top octet. */
static inline uint64_t load_tail(const uint8_t *p, size_t len)
{
    uint64_t x = (uint64_t)len << 56;

    switch (len & 7) {
    case 7:
        x |= (uint64_t)p[6] << 48; /* fall through */
    case 6:
        x |= (uint64_t)p[5] << 40; /* fall through */
    case 5:
        x |= (uint64_t)p[4] << 32; /* fall through */
    case 4:
        x |= (uint64_t)p[3] << 24; /* fall through */
    case 3:
        x |= (uint64_t)p[2] << 16; /* fall through */
    case 2:
        x |= (uint64_t)p[1] << 8; /* fall through */
    case 1:
        x |= p[0];
    }
    return x;
}

uint64_t sek_hash(const struct sek_hash_key *key, const void *data, size_t len)
{
    /* the constants spell "somepseudorandomlygeneratedbytes" */
    uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
                     key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
    const uint8_t *p = data;
    uint64_t word;

    for (size_t n = len / 8; n > 0; n--, p += 8) {
        word = load64(p);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = load_tail(p, len);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
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
