/* SPDX-License-Identifier: BSD-3-Clause */
#include "words.h"
#include "base/hash.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define READ_MAX 5000000u
#define KEEP_MAX 60000u
#define COUNTS (1u << 22)

static const char *const files[] = {"american-english", "ngerman", "french", "spanish", "italian",
                                    "portuguese",       "dutch",   "polish", "swedish", "danish",
                                    "bokmaal",          "catalan", NULL};

/* U+00C0..U+017F folded, as in lib/classify/unit.c; by UTF-8 lead and trail octet. */
static uint8_t fold(const char **p)
{
    static const char latin[] = "aaaaaaaceeeeiiiidnooooo.ouuuuyts"
                                "aaaaaaaceeeeiiiidnooooo.ouuuuyty"
                                "aaaaaaccccccccddddeeeeeeeeeegggg"
                                "gggghhhhiiiiiiiiiiiijjkkklllllll"
                                "lllnnnnnnnnnoooooooorrrrrrssssss"
                                "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    unsigned c = (uint8_t) * (*p)++;

    if (c >= 'a' && c <= 'z')
        return (uint8_t)(SEK_SYM_A + c - 'a');
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(SEK_SYM_A + c - 'A');
    if (c >= 0xc3 && c <= 0xc5 && (**p & 0xc0) == 0x80) {
        char l = latin[(c - 0xc3) * 64 + ((uint8_t) * (*p)++ & 0x3f)];

        return l == '.' ? 0 : (uint8_t)(SEK_SYM_A + l - 'a');
    }
    return 0;
}

static bool word_from(const char *line, struct word *w)
{
    w->n = 0;
    while (*line && *line != '\n' && *line != '/') {
        uint8_t s = fold(&line);

        if (!s || w->n == WORD_MAX)
            return false;
        w->sym[w->n++] = s;
    }
    return w->n >= 3;
}

static uint32_t *count_at(uint32_t *counts, const uint8_t *sym, unsigned n)
{
    static const struct sek_hash_key key = {3, 4};

    return &counts[sek_hash(&key, sym, n) & (COUNTS - 1)];
}

/* How often each string of 3..12 symbols begins or ends a label with something else beside it. */
static uint32_t *count_affixes(const struct data *d)
{
    uint32_t *counts = calloc(COUNTS, sizeof *counts);

    for (uint32_t i = 0; i < d->n_benign; i++) {
        const struct item *it = &d->items[d->benign[i]];

        for (unsigned n = 3; n <= WORD_MAX && n + 3 <= it->n; n++) {
            ++*count_at(counts, it->sym, n);
            ++*count_at(counts, it->sym + it->n - n, n);
        }
    }
    return counts;
}

static uint32_t *sort_counts;
static int by_count(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    uint32_t cx = *count_at(sort_counts, x->sym, x->n), cy = *count_at(sort_counts, y->sym, y->n);

    return cx < cy ? 1 : cx > cy ? -1 : 0;
}

static void read_one(struct wordlist *list, const char *path, struct rng *r)
{
    FILE *f = fopen(path, "r");
    char line[256];
    uint32_t seen = 0;

    if (!f)
        return;
    list->words = malloc(KEEP_MAX * 4 * sizeof *list->words);
    while (fgets(line, sizeof line, f) && seen < READ_MAX) {
        struct word w;

        if (!word_from(line, &w))
            continue;
        seen++;
        if (list->n < KEEP_MAX * 4)
            list->words[list->n++] = w;
        else if (rng_below(r, seen) < KEEP_MAX * 4) /* reservoir */
            list->words[rng_below(r, KEEP_MAX * 4)] = w;
    }
    fclose(f);
}

void words_read(struct words *w, const char *folder, const struct data *d, struct rng *r)
{
    uint32_t *counts = sort_counts = count_affixes(d);

    w->n_lists = 0;
    for (int i = 0; files[i]; i++) {
        struct wordlist *list = &w->lists[w->n_lists];
        char path[512];

        memset(list, 0, sizeof *list);
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        read_one(list, path, r);
        if (list->n < 1000)
            continue;
        qsort(list->words, list->n, sizeof *list->words, by_count);
        list->n_common = list->n < 6000 ? list->n : 6000;
        snprintf(list->name, sizeof list->name, "%s", files[i]);
        w->n_lists++;
    }
    free(counts);
    fprintf(stderr, "word lists: %d\n", w->n_lists);
}
