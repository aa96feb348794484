/* SPDX-License-Identifier: BSD-3-Clause */
/* Scores of labels that were judged lately: names below one registered domain have one score, and
 * the network need not be asked again. Holds 8,192 of them; of two that fall on one place the
 * younger stays. A label is known again by a keyed hash of 64 bits, so nobody can make one that
 * passes for another. A score belongs to the model that gave it. One thread. */
#pragma once
#include "base/hash.h"
#include "classify/classify.h"

struct sek_memo;

#define SEK_MEMO_OCTETS (128ul << 10)

/* key: random (sek_hash_key_random). NULL: out of memory. */
struct sek_memo *sek_memo_new(struct sek_hash_key key);
void sek_memo_free(struct sek_memo *m);

/* What sek_classify_name says, from memory where it can. m may be NULL. */
struct sek_score sek_memo_score(struct sek_memo *m, const struct sek_classify *c,
                                const struct sek_name *name);
