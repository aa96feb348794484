/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of a generator whose parameters are drawn. */
#include "kinds.h"
#include <string.h>
#include "base/banned.h"

void kinds_shuffle(uint8_t *a, unsigned n, struct rng *r)
{
    for (unsigned i = n; i > 1; i--) {
        unsigned j = rng_below(r, i);
        uint8_t t = a[i - 1];

        a[i - 1] = a[j];
        a[j] = t;
    }
}

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
    unsigned n = rng_between(r, g->min, g->max);

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
    unsigned n = rng_between(r, g->min, g->max), digits = g->n_fixed;

    if (g->mode == 1)
        add_from(it, g->second, 10, digits, r);
    add_from(it, g->alphabet, g->n_alphabet, n, r);
    if (g->mode == 0 || (g->mode == 2 && rng_chance(r, 0.5f)))
        add_from(it, g->second, 10, digits, r);
    if (g->mode == 3)
        for (unsigned i = 0; i < (digits + 1) / 2; i++)
            it->sym[rng_below(r, it->n)] = g->second[rng_below(r, 10)];
}

static void make_alternate(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max);
    bool vowel = rng_chance(r, 0.4f);

    while (it->n < n) {
        if (vowel)
            add(it, g->second[rng_below(r, g->n_second)]);
        else
            add(it, g->alphabet[rng_below(r, g->n_alphabet)]);
        if (g->mode < 2 || !rng_chance(r, 0.08f * (float)g->mode))
            vowel = !vowel;
    }
}

static void make_syllables(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max);

    while (n-- > 0)
        for (uint32_t s = g->picks[rng_below(r, g->n_list)]; s; s >>= 6)
            add(it, (uint8_t)(s & 63));
    if (g->n_fixed)
        add_fixed(g, it);
    if (g->digits)
        add_from(it, (const uint8_t *)"\x1b\x1c\x1d\x1e\x1f\x20\x21\x22\x23\x24", 10,
                 rng_between(r, 1, 3), r);
    while (it->n < 5)
        add(it, (uint8_t)(SEK_SYM_A + rng_below(r, 26)));
}

static void make_markov(const struct kinds *k, const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max), a = SEK_SYM_EDGE, b = SEK_SYM_EDGE;

    while (it->n < n) {
        const uint16_t *c = k->chain[a * SEK_N_SYMS + b];
        uint32_t total = c[SEK_N_SYMS - 1], at, s = 0;

        if (total == 0 || rng_chance(r, 0.04f * (float)g->mode)) {
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

static void add_word(const struct gen *g, struct item *it, uint32_t from, uint32_t to,
                     struct rng *r)
{
    const struct word *w = &g->list->words[g->picks[from + rng_below(r, to - from)]];

    for (unsigned i = 0; i < w->n; i++)
        add(it, w->sym[i]);
}

static void make_words(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max);

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
        for (unsigned d = rng_between(r, 1, 3); d > 0; d--)
            add(it, (uint8_t)(SEK_SYM_0 + rng_below(r, 10)));
}

static void make_cut(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max);

    while (it->n < n) {
        struct item w = {.n = 0};
        unsigned from = 0, to;

        add_word(g, &w, 0, g->n_list, r);
        to = w.n;
        if (g->mode == 1 && rng_chance(r, 0.6f))
            to = rng_between(r, 2, w.n);
        if (g->mode == 2 && rng_chance(r, 0.6f))
            from = rng_below(r, w.n - 1u);
        for (unsigned i = from; i < to; i++)
            add(it, w.sym[i]);
    }
    if (g->mode != 1)
        it->n = (uint8_t)n;
}

static void make_word_random(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n = rng_between(r, g->min, g->max);

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
            add(it, kinds_sym(set[v >> s & 63]));
    }
}

static void make_date(const struct gen *g, struct item *it, struct rng *r)
{
    struct item plain = {.n = 0};
    uint32_t year = rng_between(r, 2004, 2030), month = rng_between(r, 1, 12),
             day = rng_between(r, 1, 28);

    if (g->fixed_first)
        add_fixed(g, it);
    if (g->mode == 0)
        add_number(it, (year * 100 + month) * 100 + day, 10, 8);
    else if (g->mode == 1)
        add_number(it, (day * 100 + month) * 10000 + year, 10, 8);
    else if (g->mode == 2)
        add_number(it, 1100000000u + rng_below(r, 900000000), rng_chance(r, 0.5f) ? 10 : 16, 8);
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
    kinds_shuffle(it->sym, it->n, r);
}

static void make_doubled(const struct gen *g, struct item *it, struct rng *r)
{
    unsigned n;

    add_from(it, g->alphabet, g->n_alphabet, rng_between(r, g->min, g->max), r);
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
    for (unsigned i = rng_between(r, g->min, g->max); i > 0; i--)
        it->sym[rng_below(r, it->n)] =
            (uint8_t)(rng_chance(r, 0.8f) ? SEK_SYM_A + rng_below(r, 26)
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
    case KIND_HEX:
        make_plain(g, it, r);
        break;
    case KIND_TAIL:
        make_tail(g, it, r);
        break;
    case KIND_ALTERNATE:
        make_alternate(g, it, r);
        break;
    case KIND_SYLLABLES:
        make_syllables(g, it, r);
        break;
    case KIND_MARKOV:
        make_markov(k, g, it, r);
        break;
    case KIND_WORDS:
    case KIND_PHRASE:
        make_words(g, it, r);
        break;
    case KIND_CUT:
        make_cut(g, it, r);
        break;
    case KIND_WORD_RANDOM:
        make_word_random(g, it, r);
        break;
    case KIND_DATE:
        make_date(g, it, r);
        break;
    case KIND_PERMUTED:
        make_permuted(g, it, r);
        break;
    case KIND_DOUBLED:
        make_doubled(g, it, r);
        break;
    case KIND_MUTATED:
        make_mutated(k, g, it, r);
        break;
    case N_KINDS:
        break;
    }
}
