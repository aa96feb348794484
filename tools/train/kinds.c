/* SPDX-License-Identifier: BSD-3-Clause */
#include "kinds.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const char *const kind_names[N_KINDS] = {
#define X(id, text, weight) [KIND_##id] = text,
    KINDS(X)
#undef X
};

static const uint8_t kind_weight[N_KINDS] = {
#define X(id, text, weight) [KIND_##id] = weight,
    KINDS(X)
#undef X
};

static uint8_t put(uint8_t *to, const char *text)
{
    uint8_t n = 0;

    while (*text)
        to[n++] = kinds_sym(*text++);
    return n;
}

/* --- drawing parameters --- */

static void draw_length(struct gen *g, struct rng *r, unsigned lo, unsigned hi)
{
    unsigned mean = rng_between(r, lo, hi),
             spread = rng_chance(r, 0.45f) ? 0 : rng_between(r, 1, 6);

    g->min = (uint8_t)(mean > lo + spread ? mean - spread : lo);
    g->max = (uint8_t)(mean + spread);
}

static void draw_fixed(struct gen *g, struct rng *r, unsigned lo, unsigned hi)
{
    g->n_fixed = (uint8_t)rng_between(r, lo, hi);
    g->fixed_first = rng_chance(r, 0.5f);
    for (unsigned i = 0; i < g->n_fixed; i++)
        g->fixed[i] = (uint8_t)(SEK_SYM_A + rng_below(r, 26));
}

static void draw_letters(struct gen *g, struct rng *r)
{
    g->n_alphabet = put(g->alphabet, "abcdefghijklmnopqrstuvwxyz");
    if (rng_chance(r, 0.35f)) /* % 25, a…y and the like */
        g->n_alphabet = (uint8_t)rng_between(r, 21, 25);
    g->mode = (uint8_t)rng_below(r, 6); /* 5: letters depend on the place */
    if (rng_chance(r, 0.2f))
        draw_length(g, r, 5, 8);
    else
        draw_length(g, r, 7, rng_chance(r, 0.5f) ? 16 : 30);
    if (rng_chance(r, 0.06f))
        draw_fixed(g, r, 1, 3);
    g->hyphen = rng_chance(r, 0.03f);
}

static void draw_subset(struct gen *g, struct rng *r)
{
    draw_letters(g, r);
    g->n_fixed = 0;
    if (rng_chance(r, 0.5f)) {
        unsigned from = rng_below(r, 14), n = rng_between(r, 6, 16);

        for (unsigned i = 0; i < n && from + i < 26; i++)
            g->alphabet[i] = (uint8_t)(SEK_SYM_A + from + i);
        g->n_alphabet = (uint8_t)(from + n > 26 ? 26 - from : n);
    } else {
        g->n_alphabet = put(g->alphabet, "abcdefghijklmnopqrstuvwxyz");
        kinds_shuffle(g->alphabet, 26, r);
        g->n_alphabet = (uint8_t)rng_between(r, 6, 18);
    }
    draw_length(g, r, 6, 20);
}

static void draw_alnum(struct gen *g, struct rng *r)
{
    static const char *const sets[] = {
        "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz234567",
        "0123456789abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstuvwxyz12345",
        "qwertyuiopasdfghjklzxcvbnm123456789"};

    g->n_alphabet = put(g->alphabet, sets[rng_below(r, 5)]);
    if (rng_chance(r, 0.2f)) {
        kinds_shuffle(g->alphabet, g->n_alphabet, r);
        g->n_alphabet = (uint8_t)rng_between(r, 12, g->n_alphabet);
    }
    draw_length(g, r, 7, rng_chance(r, 0.6f) ? 16 : 32);
    if (rng_chance(r, 0.1f))
        draw_fixed(g, r, 1, 3);
}

static void draw_hex(struct gen *g, struct rng *r)
{
    static const uint8_t lens[] = {7,  8,  8,  9,  10, 10, 11, 12, 12,
                                   13, 14, 15, 16, 16, 20, 24, 32, 32};

    g->n_alphabet = put(g->alphabet, "0123456789abcdef");
    if (rng_chance(r, 0.08f))
        g->n_alphabet = put(g->alphabet, "0123456789");
    g->min = g->max = lens[rng_below(r, sizeof lens)];
    if (rng_chance(r, 0.1f))
        g->max = (uint8_t)(g->min + rng_between(r, 1, 4));
    if (rng_chance(r, 0.25f))
        draw_fixed(g, r, 1, 4);
}

static void draw_tail(struct gen *g, struct rng *r)
{
    draw_letters(g, r);
    draw_length(g, r, 4, 14);
    g->n_second = put(g->second, "0123456789");
    g->mode = (uint8_t)rng_below(r, 4); /* digits at the end, in front, some, in the middle */
    g->n_fixed = (uint8_t)rng_between(r, 1, 6); /* number of digits */
}

static void draw_alternate(struct gen *g, struct rng *r)
{
    g->n_alphabet = put(g->alphabet, "bcdfghjklmnpqrstvwxz");
    g->n_second = put(g->second, rng_chance(r, 0.6f) ? "aeiou" : "aeiouy");
    if (rng_chance(r, 0.5f)) {
        kinds_shuffle(g->alphabet, g->n_alphabet, r);
        g->n_alphabet = (uint8_t)rng_between(r, 8, 18);
    }
    if (rng_chance(r, 0.2f))
        g->n_second = (uint8_t)rng_between(r, 3, 5);
    g->mode = (uint8_t)rng_below(r, 5); /* how regular */
    draw_length(g, r, 6, 16);
}

static void draw_syllables(struct gen *g, struct rng *r)
{
    static const char cons[] = "bbccddffgghhjkkllmmnnppqrrssttvwxz", vow[] = "aaaeeeiioouuy";
    unsigned shape = rng_below(r, 4);

    g->n_list = rng_between(r, 12, rng_chance(r, 0.5f) ? 60 : 400);
    g->picks = malloc(g->n_list * sizeof *g->picks);
    for (uint32_t i = 0; i < g->n_list; i++) {
        uint32_t c1 = kinds_sym(cons[rng_below(r, sizeof cons - 1)]);
        uint32_t v = kinds_sym(vow[rng_below(r, sizeof vow - 1)]);
        uint32_t c2 = kinds_sym(cons[rng_below(r, sizeof cons - 1)]);
        unsigned s = shape == 3 ? rng_below(r, 3) : shape;

        g->picks[i] = s == 0 ? c1 | v << 6 : s == 1 ? c1 | v << 6 | c2 << 12 : v | c2 << 6;
    }
    draw_length(g, r, 2, 5);
    g->max = g->max > 7 ? 7 : g->max;
    if (rng_chance(r, 0.25f))
        draw_fixed(g, r, 2, 4); /* ends on one of a kind */
    g->digits = rng_chance(r, 0.1f);
}

static void draw_list(struct gen *g, const struct kinds *k, struct rng *r)
{
    bool common = rng_chance(r, 0.6f);

    g->list = &k->words.lists[rng_chance(r, 0.62f) ? 0 : rng_below(r, (uint32_t)k->words.n_lists)];
    g->n_list = (uint32_t)expf(4.0f + rng_unit(r) * 4.2f); /* 55 … 3600 words */
    g->picks = malloc(g->n_list * sizeof *g->picks);
    for (uint32_t i = 0; i < g->n_list; i++) {
        float u = rng_unit(r);
        uint32_t pool = common ? g->list->n_common : g->list->n;

        g->picks[i] = (uint32_t)((common ? u * u : u) * (float)pool);
    }
}

static void draw_words(struct gen *g, const struct kinds *k, struct rng *r)
{
    draw_list(g, k, r);
    g->min = (uint8_t)(rng_chance(r, 0.8f) ? 2 : rng_chance(r, 0.5f) ? 1 : 3);
    g->max = (uint8_t)(g->min + (rng_chance(r, 0.3f) ? 1 : 0));
    g->hyphen = rng_chance(r, 0.12f);
    g->digits = g->min == 1 || rng_chance(r, 0.12f);
    g->mode = (uint8_t)rng_below(r, 4); /* 3: a first list and a second one */
}

static void draw_phrase(struct gen *g, const struct kinds *k, struct rng *r)
{
    draw_list(g, k, r);
    g->min = (uint8_t)rng_between(r, 3, 4);
    g->max = (uint8_t)(g->min + rng_below(r, 3));
    g->hyphen = rng_chance(r, 0.1f);
    g->mode = (uint8_t)rng_below(r, 2);
}

static void draw_cut(struct gen *g, const struct kinds *k, struct rng *r)
{
    draw_list(g, k, r);
    g->mode = (uint8_t)rng_below(r, 3);
    draw_length(g, r, 9, 24);
}

static void draw_word_random(struct gen *g, const struct kinds *k, struct rng *r)
{
    draw_list(g, k, r);
    if (rng_chance(r, 0.5f))
        g->n_list = 1 + rng_below(r, 4);
    g->n_alphabet = put(g->alphabet, rng_chance(r, 0.7f) ? "abcdefghijklmnopqrstuvwxyz"
                                                         : "abcdefghijklmnopqrstuvwxyz0123456789");
    draw_length(g, r, 3, 8);
    g->mode = (uint8_t)rng_below(r, 3);
    g->fixed_first = rng_chance(r, 0.5f);
    g->hyphen = rng_chance(r, 0.15f);
}

static void draw_mutated(struct gen *g, struct rng *r)
{
    g->min = 1;
    g->max = (uint8_t)rng_between(r, 2, 3);
}

static void draw_date(struct gen *g, struct rng *r)
{
    g->mode = (uint8_t)rng_below(r, 5);
    draw_fixed(g, r, 0, 6);
}

static void draw_classes(const struct kinds *k, struct gen *g, struct rng *r)
{
    g->n_classes = (uint8_t)(rng_chance(r, 0.4f) ? 1 : rng_between(r, 2, GEN_CLASSES_MAX));
    for (unsigned i = 0; i < g->n_classes; i++)
        g->classes[i] = kinds_class(k, r);
}

void kinds_renew(struct kinds *k, uint32_t i, struct rng *r)
{
    struct gen *g = &k->gens[i];
    unsigned total = 0, at;

    free(g->picks);
    memset(g, 0, sizeof *g);
    for (int j = 0; j < N_KINDS; j++)
        total += kind_weight[j];
    at = rng_below(r, total);
    while (at >= kind_weight[g->kind])
        at -= kind_weight[g->kind++];
    switch (g->kind) {
    case KIND_LETTERS:
        draw_letters(g, r);
        break;
    case KIND_SUBSET:
        draw_subset(g, r);
        break;
    case KIND_ALNUM:
        draw_alnum(g, r);
        break;
    case KIND_HEX:
        draw_hex(g, r);
        break;
    case KIND_TAIL:
        draw_tail(g, r);
        break;
    case KIND_ALTERNATE:
        draw_alternate(g, r);
        break;
    case KIND_SYLLABLES:
        draw_syllables(g, r);
        break;
    case KIND_MARKOV:
        draw_length(g, r, 7, 16);
        g->mode = (uint8_t)rng_below(r, 3);
        break;
    case KIND_WORDS:
        draw_words(g, k, r);
        break;
    case KIND_PHRASE:
        draw_phrase(g, k, r);
        break;
    case KIND_CUT:
        draw_cut(g, k, r);
        break;
    case KIND_WORD_RANDOM:
        draw_word_random(g, k, r);
        break;
    case KIND_DATE:
        draw_date(g, r);
        break;
    case KIND_PERMUTED:
        draw_letters(g, r);
        draw_fixed(g, r, 5, 12);
        g->hyphen = false;
        break;
    case KIND_DOUBLED:
        draw_letters(g, r);
        draw_length(g, r, 3, 6);
        break;
    case KIND_MUTATED:
        draw_mutated(g, r);
        break;
    case N_KINDS:
        break;
    }
    draw_classes(k, g, r);
}

/* --- what they draw from --- */

static void learn_chain(struct kinds *k)
{
    const struct wordlist *list = &k->words.lists[0];
    uint32_t(*count)[SEK_N_SYMS] = calloc(SEK_PAIRS, sizeof *count);

    k->chain = calloc(SEK_PAIRS, sizeof *k->chain);
    for (uint32_t i = 0; i < list->n; i++) {
        unsigned a = SEK_SYM_EDGE, b = SEK_SYM_EDGE;

        for (unsigned j = 0; j <= list->words[i].n; j++) {
            unsigned s = j < list->words[i].n ? list->words[i].sym[j] : SEK_SYM_EDGE;

            count[a * SEK_N_SYMS + b][s]++;
            a = b;
            b = s;
        }
    }
    for (unsigned p = 0; p < SEK_PAIRS; p++) {
        uint32_t total = 0, sum = 0;

        for (unsigned s = 0; s < SEK_N_SYMS; s++)
            total += count[p][s];
        for (unsigned s = 0; s < SEK_N_SYMS; s++) {
            sum += total > 60000 ? (uint32_t)((uint64_t)count[p][s] * 60000 / total) : count[p][s];
            k->chain[p][s] = (uint16_t)sum;
        }
    }
    free(count);
}

/* Known families' habits smoothed: the number of families that use a class, and a little of what
 * is registered at all. */
static void learn_classes(struct kinds *k)
{
    float sum = 0;

    for (int i = 0; i < k->data->n_classes; i++) {
        const struct class *c = &k->data->classes[i];

        sum += powf((float)c->n_families, 0.85f) + 0.012f * sqrtf((float)c->n_benign) +
               (c->dynamic ? 25.0f : 0.12f);
        k->class_use[i] = sum;
    }
}

uint8_t kinds_class(const struct kinds *k, struct rng *r)
{
    float at = rng_unit(r) * k->class_use[k->data->n_classes - 1];
    int i = 0;

    while (i + 1 < k->data->n_classes && k->class_use[i] <= at)
        i++;
    return (uint8_t)i;
}

void kinds_init(struct kinds *k, const struct data *d, const char *dict, uint32_t n_gens,
                struct rng *r)
{
    memset(k, 0, sizeof *k);
    k->data = d;
    words_read(&k->words, dict, d, r);
    learn_chain(k);
    learn_classes(k);
    k->n_gens = n_gens;
    k->gens = calloc(n_gens, sizeof *k->gens);
    for (uint32_t i = 0; i < n_gens; i++)
        kinds_renew(k, i, r);
}
