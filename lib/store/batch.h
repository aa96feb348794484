/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of one import, collected in any order and given back sorted, each (name, scope) once.
 * Held in memory: about 50 octets a rule, up to SEK_BATCH_MAX in all. One thread at a time. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEK_BATCH_MAX (4ULL << 30) /* octets; some 80 million names */

struct sek_batch;

/* A rule; key: of store/namekey.h, borrowed from the batch. */
struct sek_batch_rule {
    const uint8_t *key;
    size_t key_len;
    uint8_t scope, action;
    const char *terms; /* "" for most */
};

enum sek_err sek_batch_new(struct sek_batch **out);
void sek_batch_free(struct sek_batch *f);
/* NOMEM; LIMIT past SEK_BATCH_MAX. terms: of the rule, copied; "" for none. */
enum sek_err sek_batch_add(struct sek_batch *f, const void *key, size_t key_len, uint8_t scope,
                           uint8_t action, const char *terms);
/* What is added with this (key, scope) and action, below 64, and without terms does not count,
 * whenever that is. */
enum sek_err sek_batch_withdraw(struct sek_batch *f, const void *key, size_t key_len, uint8_t scope,
                                uint8_t action);
/* All are in: sort by key, then scope. Nothing may be added after. Returns how many rules were
 * withdrawn. */
uint64_t sek_batch_sort(struct sek_batch *f);
/* Of what was taken: added again with the same action and terms; with others; joined. */
struct sek_batch_again {
    uint64_t n_same, n_other, n_joined;
};
/* Of several rules for one (key, scope): */
struct sek_batch_winner {
    uint8_t action; /* counts if it is among them, else the one that was added last */
    uint8_t joins;  /* rules of this action join their terms, one behind the other; 0: none do */
};
/* The next (key, scope). *io_again grows by those that do not count. False at the end, or without
 * memory for joined terms. */
bool sek_batch_next(struct sek_batch *f, struct sek_batch_winner winner, struct sek_batch_rule *out,
                    struct sek_batch_again *io_again);
