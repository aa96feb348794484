/* SPDX-License-Identifier: BSD-3-Clause */
/* Word lists of several languages from /usr/share/dict, for generators. */
#pragma once
#include "data.h"

#define WORD_MAX 12
struct word {
    uint8_t n;
    uint8_t sym[WORD_MAX];
};

struct wordlist {
    char name[32];
    struct word *words; /* the first n_common ones are the commonest in registered domains */
    uint32_t n, n_common;
};

#define WORDLISTS_MAX 16
struct words {
    struct wordlist lists[WORDLISTS_MAX];
    int n_lists;
};

/* Reads what there is; how often a word begins or ends a benign label tells how common it is. */
void words_read(struct words *w, const char *folder, const struct data *d, struct rng *r);
