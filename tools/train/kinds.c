/* SPDX-License-Identifier: BSD-3-Clause */
#include "kinds.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static uint32_t between(struct rng *r, uint32_t lo, uint32_t hi)
{
    return lo + rng_below(r, hi - lo + 1);
}

static bool chance(struct rng *r, float p)
{
    return rng_unit(r) < p;
}

static uint8_t sym_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(SEK_SYM_A + c - 'a');
    return c == '-' ? SEK_SYM_HYPHEN : (uint8_t)(SEK_SYM_0 + c - '0');
}

static uint8_t put(uint8_t *to, const char *text)
{
    uint8_t n = 0;

    while (*text)
        to[n++] = sym_of(*text++);
    return n;
}

static void shuffle(uint8_t *a, unsigned n, struct rng *r)
{
    for (unsigned i = n; i > 1; i--) {
        unsigned j = rng_below(r, i);
        uint8_t t = a[i - 1];

        a[i - 1] = a[j];
        a[j] = t;
    }
}

/* --- drawing parameters --- */

static void draw_length(struct gen *g, struct rng *r, unsigned lo, unsigned hi)
{
    unsigned mean = between(r, lo, hi), spread = chance(r, 0.45f) ? 0 : between(r, 1, 6);

    g->min = (uint8_t)(mean > lo + spread ? mean - spread : lo);
    g->max = (uint8_t)(mean + spread);
}

static void draw_fixed(struct gen *g, struct rng *r, unsigned lo, unsigned hi)
{
    g->n_fixed = (uint8_t)between(r, lo, hi);
    g->fixed_first = chance(r, 0.5f);
    for (unsigned i = 0; i < g->n_fixed; i++)
        g->fixed[i] = (uint8_t)(SEK_SYM_A + rng_below(r, 26));
}

static void draw_letters(struct gen *g, struct rng *r)
{
    g->n_alphabet = put(g->alphabet, "abcdefghijklmnopqrstuvwxyz");
    if (chance(r, 0.35f)) /* % 25, a…y and the like */
        g->n_alphabet = (uint8_t)between(r, 21, 25);
    g->mode = (uint8_t)rng_below(r, 6); /* 5: letters depend on the place */
    if (chance(r, 0.2f))
        draw_length(g, r, 5, 8);
    else
        draw_length(g, r, 7, chance(r, 0.5f) ? 16 : 30);
    if (chance(r, 0.06f))
        draw_fixed(g, r, 1, 3);
    g->hyphen = chance(r, 0.03f);
}

static void draw_subset(struct gen *g, struct rng *r)
{
    draw_letters(g, r);
    g->n_fixed = 0;
    if (chance(r, 0.5f)) {
        unsigned from = rng_below(r, 14), n = between(r, 6, 16);

        for (unsigned i = 0; i < n && from + i < 26; i++)
            g->alphabet[i] = (uint8_t)(SEK_SYM_A + from + i);
        g->n_alphabet = (uint8_t)(from + n > 26 ? 26 - from : n);
    } else {
        g->n_alphabet = put(g->alphabet, "abcdefghijklmnopqrstuvwxyz");
        shuffle(g->alphabet, 26, r);
        g->n_alphabet = (uint8_t)between(r, 6, 18);
    }
    draw_length(g, r, 6, 20);
}

static void draw_alnum(struct gen *g, struct rng *r)
{
    static const char *const sets[] = {"abcdefghijklmnopqrstuvwxyz0123456789",
                                       "abcdefghijklmnopqrstuvwxyz234567",
                                       "0123456789abcdefghijklmnopqrstuv",
                                       "abcdefghijklmnopqrstuvwxyz12345",
                                       "qwertyuiopasdfghjklzxcvbnm123456789"};

    g->n_alphabet = put(g->alphabet, sets[rng_below(r, 5)]);
    if (chance(r, 0.2f)) {
        shuffle(g->alphabet, g->n_alphabet, r);
        g->n_alphabet = (uint8_t)between(r, 12, g->n_alphabet);
    }
    draw_length(g, r, 7, chance(r, 0.6f) ? 16 : 32);
    if (chance(r, 0.1f))
        draw_fixed(g, r, 1, 3);
}

static void draw_hex(struct gen *g, struct rng *r)
{
    static const uint8_t lens[] = {7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 15, 16, 16, 20, 24, 32, 32};

    g->n_alphabet = put(g->alphabet, "0123456789abcdef");
    if (chance(r, 0.08f))
        g->n_alphabet = put(g->alphabet, "0123456789");
    g->min = g->max = lens[rng_below(r, sizeof lens)];
    if (chance(r, 0.1f))
        g->max = (uint8_t)(g->min + between(r, 1, 4));
    if (chance(r, 0.25f))
        draw_fixed(g, r, 1, 4);
}

static void draw_tail(struct gen *g, struct rng *r)
{
    draw_letters(g, r);
    draw_length(g, r, 4, 14);
    g->n_second = put(g->second, "0123456789");
    g->mode = (uint8_t)rng_below(r, 4); /* digits at the end, in front, some, in the middle */
    g->n_fixed = (uint8_t)between(r, 1, 6); /* number of digits */
}

static void draw_alternate(struct gen *g, struct rng *r)
{
    g->n_alphabet = put(g->alphabet, "bcdfghjklmnpqrstvwxz");
    g->n_second = put(g->second, chance(r, 0.6f) ? "aeiou" : "aeiouy");
    if (chance(r, 0.5f)) {
        shuffle(g->alphabet, g->n_alphabet, r);
        g->n_alphabet = (uint8_t)between(r, 8, 18);
    }
    if (chance(r, 0.2f))
        g->n_second = (uint8_t)between(r, 3, 5);
    g->mode = (uint8_t)rng_below(r, 5); /* how regular */
    draw_length(g, r, 6, 16);
}

static void draw_syllables(struct gen *g, struct rng *r)
{
    static const char cons[] = "bbccddffgghhjkkllmmnnppqrrssttvwxz", vow[] = "aaaeeeiioouuy";
    unsigned shape = rng_below(r, 4);

    g->n_list = between(r, 12, chance(r, 0.5f) ? 60 : 400);
    g->picks = malloc(g->n_list * sizeof *g->picks);
    for (uint32_t i = 0; i < g->n_list; i++) {
        uint32_t c1 = sym_of(cons[rng_below(r, sizeof cons - 1)]);
        uint32_t v = sym_of(vow[rng_below(r, sizeof vow - 1)]);
        uint32_t c2 = sym_of(cons[rng_below(r, sizeof cons - 1)]);
        unsigned s = shape == 3 ? rng_below(r, 3) : shape;

        g->picks[i] = s == 0 ? c1 | v << 6 : s == 1 ? c1 | v << 6 | c2 << 12 : v | c2 << 6;
    }
    draw_length(g, r, 2, 5);
    g->max = g->max > 7 ? 7 : g->max;
    if (chance(r, 0.25f))
        draw_fixed(g, r, 2, 4); /* ends on one of a kind */
    g->digits = chance(r, 0.1f);
}

static void draw_list(struct gen *g, const struct kinds *k, struct rng *r)
{
    bool common = chance(r, 0.6f);

    g->list = &k->words.lists[chance(r, 0.62f) ? 0 : rng_below(r, (uint32_t)k->words.n_lists)];
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
    g->min = (uint8_t)(chance(r, 0.8f) ? 2 : chance(r, 0.5f) ? 1 : 3);
    g->max = (uint8_t)(g->min + (chance(r, 0.3f) ? 1 : 0));
    g->hyphen = chance(r, 0.12f);
    g->digits = g->min == 1 || chance(r, 0.12f);
    g->mode = (uint8_t)rng_below(r, 4); /* 3: a first list and a second one */
}

static void draw_phrase(struct gen *g, const struct kinds *k, struct rng *r)
{
    draw_list(g, k, r);
    g->min = (uint8_t)between(r, 3, 4);
    g->max = (uint8_t)(g->min + rng_below(r, 3));
    g->hyphen = chance(r, 0.1f);
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
    if (chance(r, 0.5f))
        g->n_list = 1 + rng_below(r, 4);
    g->n_alphabet = put(g->alphabet, chance(r, 0.7f) ? "abcdefghijklmnopqrstuvwxyz"
                                                     : "abcdefghijklmnopqrstuvwxyz0123456789");
    draw_length(g, r, 3, 8);
    g->mode = (uint8_t)rng_below(r, 3);
    g->fixed_first = chance(r, 0.5f);
    g->hyphen = chance(r, 0.15f);
}

static void draw_mutated(struct gen *g, struct rng *r)
{
    g->min = 1;
    g->max = (uint8_t)between(r, 2, 3);
}

static void draw_date(struct gen *g, struct rng *r)
{
    g->mode = (uint8_t)rng_below(r, 5);
    draw_fixed(g, r, 0, 6);
}

static void draw_classes(const struct kinds *k, struct gen *g, struct rng *r)
{
    g->n_classes = (uint8_t)(chance(r, 0.4f) ? 1 : between(r, 2, GEN_CLASSES_MAX));
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
    case KIND_LETTERS: draw_letters(g, r); break;
    case KIND_SUBSET: draw_subset(g, r); break;
    case KIND_ALNUM: draw_alnum(g, r); break;
    case KIND_HEX: draw_hex(g, r); break;
    case KIND_TAIL: draw_tail(g, r); break;
    case KIND_ALTERNATE: draw_alternate(g, r); break;
    case KIND_SYLLABLES: draw_syllables(g, r); break;
    case KIND_MARKOV: draw_length(g, r, 7, 16); g->mode = (uint8_t)rng_below(r, 3); break;
    case KIND_WORDS: draw_words(g, k, r); break;
    case KIND_PHRASE: draw_phrase(g, k, r); break;
    case KIND_CUT: draw_cut(g, k, r); break;
    case KIND_WORD_RANDOM: draw_word_random(g, k, r); break;
    case KIND_DATE: draw_date(g, r); break;
    case KIND_PERMUTED: draw_letters(g, r); draw_fixed(g, r, 5, 12); g->hyphen = false; break;
    case KIND_DOUBLED: draw_letters(g, r); draw_length(g, r, 3, 6); break;
    case KIND_MUTATED: draw_mutated(g, r); break;
    case N_KINDS: break;
    }
    draw_classes(k, g, r);
}

/* --- names --- */

static void add(struct item *it, uint8_t sym)
{
    if (it->n < SEK_LABEL_MAX)
        it->sym[it->n++] = sym;
}

static void add_fixed(const struct gen *g, struct item *it)
{
    for (unsigned i = 0; i < g->n_fixed; i++)
        add(it, g->fixed[i]);
}

static void add_from(struct item *it, const uint8_t *set, unsigned n, unsigned count, struct rng *r)
{
    while (count-- > 0)
        add(it, set[rng_below(r, n)]);
}

/* Letters whose range depends on the place, as arithmetic on seeds makes them. */
static void add_arithmetic(const struct gen *g, struct item *it, unsigned count, struct rng *r)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned n = g->n_alphabet, step = i % 3 + 1;

        add(it, g->alphabet[(rng_below(r, n / step) * step + i) % n]);
    }
}

static void make_plain(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);

    if (g->n_fixed && g->fixed_first)
        add_fixed(g, it);
    if (g->mode == 5)
        add_arithmetic(g, it, n, r);
    else
        add_from(it, g->alphabet, g->n_alphabet, n, r);
    if (g->n_fixed && !g->fixed_first)
        add_fixed(g, it);
    if (g->hyphen && it->n > 5)
        it->sym[2 + rng_below(r, it->n - 4u)] = SEK_SYM_HYPHEN;
}

static void make_tail(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max), digits = g->n_fixed;

    if (g->mode == 1)
        add_from(it, g->second, 10, digits, r);
    add_from(it, g->alphabet, g->n_alphabet, n, r);
    if (g->mode == 0 || (g->mode == 2 && chance(r, 0.5f)))
        add_from(it, g->second, 10, digits, r);
    if (g->mode == 3)
        for (unsigned i = 0; i < (digits + 1) / 2; i++)
            it->sym[rng_below(r, it->n)] = g->second[rng_below(r, 10)];
}

static void make_alternate(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);
    bool vowel = chance(r, 0.4f);

    while (it->n < n) {
        if (vowel)
            add(it, g->second[rng_below(r, g->n_second)]);
        else
            add(it, g->alphabet[rng_below(r, g->n_alphabet)]);
        if (g->mode < 2 || !chance(r, 0.08f * (float)g->mode))
            vowel = !vowel;
    }
}

static void make_syllables(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);

    while (n-- > 0)
        for (uint32_t s = g->picks[rng_below(r, g->n_list)]; s; s >>= 6)
            add(it, (uint8_t)(s & 63));
    if (g->n_fixed)
        add_fixed(g, it);
    if (g->digits)
        add_from(it, (const uint8_t *)"\x1b\x1c\x1d\x1e\x1f\x20\x21\x22\x23\x24", 10, between(r, 1, 3), r);
    while (it->n < 5)
        add(it, (uint8_t)(SEK_SYM_A + rng_below(r, 26)));
}

static void make_markov(const struct kinds *k, const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max), a = SEK_SYM_EDGE, b = SEK_SYM_EDGE;

    while (it->n < n) {
        const uint16_t *c = k->chain[a * SEK_N_SYMS + b];
        uint32_t total = c[SEK_N_SYMS - 1], at, s = 0;

        if (total == 0 || chance(r, 0.04f * (float)g->mode)) {
            s = SEK_SYM_A + rng_below(r, 26);
        } else {
            at = rng_below(r, total);
            while (c[s] <= at)
                s++;
        }
        if (s == SEK_SYM_EDGE) {
            a = b = SEK_SYM_EDGE;
            continue;
        }
        add(it, (uint8_t)s);
        a = b;
        b = s;
    }
}

static void add_word(const struct gen *g, struct item *it, uint32_t from, uint32_t to, struct rng *r)
{
    const struct word *w = &g->list->words[g->picks[from + rng_below(r, to - from)]];

    for (unsigned i = 0; i < w->n; i++)
        add(it, w->sym[i]);
}

static void make_words(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);

    for (unsigned i = 0; i < n && it->n < 40; i++) {
        uint32_t half = g->n_list / 2;

        if (i > 0 && g->hyphen)
            add(it, SEK_SYM_HYPHEN);
        if (g->mode == 3 && half > 4)
            add_word(g, it, i ? half : 0, i ? g->n_list : half, r);
        else
            add_word(g, it, 0, g->n_list, r);
    }
    if (g->digits)
        for (unsigned d = between(r, 1, 3); d > 0; d--)
            add(it, (uint8_t)(SEK_SYM_0 + rng_below(r, 10)));
}

static void make_cut(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);

    while (it->n < n) {
        struct item w = {.n = 0};
        unsigned from = 0, to;

        add_word(g, &w, 0, g->n_list, r);
        to = w.n;
        if (g->mode == 1 && chance(r, 0.6f))
            to = between(r, 2, w.n);
        if (g->mode == 2 && chance(r, 0.6f))
            from = rng_below(r, w.n - 1u);
        for (unsigned i = from; i < to; i++)
            add(it, w.sym[i]);
    }
    if (g->mode != 1)
        it->n = (uint8_t)n;
}

static void make_word_random(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = between(r, g->min, g->max);

    if (g->fixed_first) {
        add_word(g, it, 0, g->n_list, r);
        if (g->hyphen)
            add(it, SEK_SYM_HYPHEN);
        add_from(it, g->alphabet, g->n_alphabet, n, r);
    } else {
        add_from(it, g->alphabet, g->n_alphabet, n, r);
        if (g->hyphen)
            add(it, SEK_SYM_HYPHEN);
        add_word(g, it, 0, g->n_list, r);
        if (g->mode == 1)
            add_word(g, it, 0, g->n_list, r);
    }
}

static void add_number(struct item *it, uint32_t v, unsigned base, unsigned width)
{
    uint8_t digits[16];
    unsigned n = 0;

    for (; (v || n < width) && n < 16; v /= base)
        digits[n++] = (uint8_t)(v % base < 10 ? SEK_SYM_0 + v % base : SEK_SYM_A + v % base - 10);
    while (n > 0)
        add(it, digits[--n]);
}

static void add_base64(struct item *it, const struct item *from)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789--";

    for (unsigned i = 0; i + 2 < from->n; i += 3) { /* digits only */
        unsigned a = from->sym[i] + 21u, b = from->sym[i + 1] + 21u, c = from->sym[i + 2] + 21u;
        unsigned v = a << 16 | b << 8 | c;

        for (int s = 18; s >= 0; s -= 6)
            add(it, sym_of(set[v >> s & 63]));
    }
}

static void make_date(const struct gen *g, struct item *it, struct rng *r)
{
    struct item plain = {.n = 0};
    uint32_t year = between(r, 2004, 2030), month = between(r, 1, 12), day = between(r, 1, 28);

    if (g->fixed_first)
        add_fixed(g, it);
    if (g->mode == 0)
        add_number(it, (year * 100 + month) * 100 + day, 10, 8);
    else if (g->mode == 1)
        add_number(it, (day * 100 + month) * 10000 + year, 10, 8);
    else if (g->mode == 2)
        add_number(it, 1100000000u + rng_below(r, 900000000), chance(r, 0.5f) ? 10 : 16, 8);
    else if (g->mode == 3)
        add_number(it, (uint32_t)rng_next(r) % 100000, 10, 2);
    else {
        add_number(&plain, (day * 100 + month) * 10000 + year, 10, 8);
        add_number(&plain, rng_below(r, 10), 10, 1);
        add_base64(it, &plain);
    }
    if (!g->fixed_first)
        add_fixed(g, it);
    while (it->n < 5)
        add(it, (uint8_t)(SEK_SYM_0 + rng_below(r, 10)));
}

static void make_permuted(const struct gen *g, struct item *it, struct rng *r)
{
    add_fixed(g, it);
    shuffle(it->sym, it->n, r);
}

static void make_doubled(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n;

    add_from(it, g->alphabet, g->n_alphabet, between(r, g->min, g->max), r);
    n = it->n;
    for (unsigned i = 0; i < n; i++)
        add(it, it->sym[i]);
    if (g->mode & 1)
        add(it, g->alphabet[rng_below(r, g->n_alphabet)]);
}

static void make_mutated(const struct kinds *k, const struct gen *g, struct item *it, struct rng *r)
{
    const struct data *d = k->data;
    const struct item *from;

    do
        from = &d->items[d->benign[rng_below(r, d->n_benign)]];
    while (from->n < 6);
    it->n = from->n;
    memcpy(it->sym, from->sym, from->n);
    for (unsigned i = between(r, g->min, g->max); i > 0; i--)
        it->sym[rng_below(r, it->n)] = (uint8_t)(chance(r, 0.8f) ? SEK_SYM_A + rng_below(r, 26)
                                                                 : SEK_SYM_0 + rng_below(r, 10));
}

void kinds_name(const struct kinds *k, uint32_t i, struct rng *r, struct item *it)
{
    const struct gen *g = &k->gens[i];

    memset(it, 0, sizeof *it);
    it->family = (int16_t)g->kind;
    it->weight = 1;
    it->class_id = g->classes[rng_below(r, g->n_classes)];
    switch (g->kind) {
    case KIND_LETTERS:
    case KIND_SUBSET:
    case KIND_ALNUM:
    case KIND_HEX: make_plain(g, it, r); break;
    case KIND_TAIL: make_tail(g, it, r); break;
    case KIND_ALTERNATE: make_alternate(g, it, r); break;
    case KIND_SYLLABLES: make_syllables(g, it, r); break;
    case KIND_MARKOV: make_markov(k, g, it, r); break;
    case KIND_WORDS:
    case KIND_PHRASE: make_words(g, it, r); break;
    case KIND_CUT: make_cut(g, it, r); break;
    case KIND_WORD_RANDOM: make_word_random(g, it, r); break;
    case KIND_DATE: make_date(g, it, r); break;
    case KIND_PERMUTED: make_permuted(g, it, r); break;
    case KIND_DOUBLED: make_doubled(g, it, r); break;
    case KIND_MUTATED: make_mutated(k, g, it, r); break;
    case N_KINDS: break;
    }
}

/* --- what they draw from --- */

static void learn_chain(struct kinds *k)
{
    const struct wordlist *list = &k->words.lists[0];
    uint32_t (*count)[SEK_N_SYMS] = calloc(SEK_PAIRS, sizeof *count);

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
