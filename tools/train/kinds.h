/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic generators of general kinds: what a domain generation algorithm can be, with parameters
 * drawn at random, so that the model meets kinds rather than the families that are at hand. */
#pragma once
#include "words.h"

#define KINDS(X)                                                                                   \
    X(LETTERS, "letters", 12)                                                                      \
    X(SUBSET, "few letters", 7)                                                                    \
    X(ALNUM, "letters and digits", 8)                                                              \
    X(HEX, "hexadecimal", 6)                                                                       \
    X(TAIL, "letters, then digits", 3)                                                             \
    X(ALTERNATE, "consonant, vowel", 9)                                                            \
    X(SYLLABLES, "syllables", 9)                                                                   \
    X(MARKOV, "chain of letters", 6)                                                               \
    X(WORDS, "words", 22)                                                                          \
    X(PHRASE, "many words", 7)                                                                     \
    X(CUT, "pieces of words", 8)                                                                   \
    X(WORD_RANDOM, "word and random letters", 6)                                                   \
    X(DATE, "date or number", 3)                                                                   \
    X(PERMUTED, "permuted letters", 2)                                                             \
    X(DOUBLED, "repeated part", 2)                                                                 \
    X(MUTATED, "altered name", 1)

enum kind {
#define X(id, text, weight) KIND_##id,
    KINDS(X)
#undef X
        N_KINDS
};
extern const char *const kind_names[N_KINDS];

#define GEN_LIST_MAX 4096
#define GEN_CLASSES_MAX 12

/* One generator: a kind with its parameters. */
struct gen {
    enum kind kind;
    uint8_t min, max; /* length, or number of parts */
    uint8_t n_alphabet;
    uint8_t alphabet[36];
    uint8_t n_second; /* vowels, digits … */
    uint8_t second[36];
    uint8_t n_fixed; /* a part that every name has */
    uint8_t fixed[24];
    bool fixed_first, hyphen, digits;
    uint8_t mode;
    const struct wordlist *list;
    uint32_t n_list;
    uint32_t *picks; /* of the word list, or syllables as 3 × 6 bits */
    uint8_t n_classes;
    uint8_t classes[GEN_CLASSES_MAX];
};

struct kinds {
    const struct data *data;
    struct words words;
    uint16_t (*chain)[SEK_N_SYMS]; /* [pair][next]: counts of three letters, cumulative */
    uint32_t n_gens;
    struct gen *gens;
    float class_use[CLASSES_MAX]; /* cumulative: how likely a generator uses a class */
};

void kinds_init(struct kinds *k, const struct data *d, const char *dict, uint32_t n_gens,
                struct rng *r);
/* Replace one generator by a fresh one. */
void kinds_renew(struct kinds *k, uint32_t i, struct rng *r);
/* A name of generator i. */
void kinds_name(const struct kinds *k, uint32_t i, struct rng *r, struct item *out);
/* A suffix class as generators choose them. */
uint8_t kinds_class(const struct kinds *k, struct rng *r);

static inline uint8_t kinds_sym(char c)
{
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(SEK_SYM_A + c - 'a');
    return (uint8_t)(c == '-' ? SEK_SYM_HYPHEN : SEK_SYM_0 + c - '0');
}
void kinds_shuffle(uint8_t *a, unsigned n, struct rng *r);
