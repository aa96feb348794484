/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyed 64-bit hash of short octet strings: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", 2012). The key is an argument: a table that outsiders fill takes a random one,
 * so that nobody can aim at its buckets. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct sek_hash_key {
    uint64_t k0, k1;
};

/* 2^64 over the golden ratio, odd: to multiply with, so that small numbers differ in all bits
 * (Knuth, The Art of Computer Programming, vol. 3, §6.4). */
#define SEK_HASH_GOLDEN 0x9e3779b97f4a7c15ULL

uint64_t sek_hash(const struct sek_hash_key *key, const void *data, size_t len);

/* The same value, of `len` octets that stand in whole words with zeros behind them. Reads words
 * only: octets written a moment ago as words come straight from the store buffer. */
uint64_t sek_hash_words(const struct sek_hash_key *key, const uint64_t *words, size_t len);

/* A fresh random key (getrandom; falls back to time and pid mixing when that fails early at boot).
 */
struct sek_hash_key sek_hash_key_random(void);
