/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/census.h"
#include "base/hash.h"
#include "policy/pack.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define N_SYMBOLS_MAX (SEK_CODE_BASE + SEK_CODE_LABELS_MAX)

struct counted {
    uint32_t at; /* in `text`: length octet, then the label */
    uint32_t n;
};

struct sek_census {
    struct sek_hash_key key;
    struct sek_buf text;
    struct counted *labels;
    uint32_t *slots; /* hash table: index + 1, 0 = free; at most half full */
    size_t n_labels, n_slots;
};

enum sek_err sek_census_new(struct sek_census **out, struct sek_diag *diag)
{
    struct sek_census *census = calloc(1, sizeof(*census));

    if (!census)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    census->key = sek_hash_key_random();
    sek_buf_init(&census->text, UINT32_MAX);
    *out = census;
    return SEK_OK;
}

void sek_census_free(struct sek_census *census)
{
    if (!census)
        return;
    sek_buf_fini(&census->text);
    free(census->labels);
    free(census->slots);
    free(census);
}

static const uint8_t *text_of(const struct sek_census *census, const struct counted *label)
{
    return (const uint8_t *)census->text.data + label->at;
}

static bool same_label(const uint8_t *a, const uint8_t *b)
{
    return *a == *b && memcmp(a + 1, b + 1, *a) == 0;
}

/* The slot of a label, or the free slot where it belongs. */
static size_t slot_of(const struct sek_census *census, const uint8_t *label)
{
    size_t slot = sek_hash(&census->key, label, *label + 1U) & (census->n_slots - 1);

    while (census->slots[slot] &&
           !same_label(text_of(census, &census->labels[census->slots[slot] - 1]), label))
        slot = (slot + 1) & (census->n_slots - 1);
    return slot;
}

static bool grow(struct sek_census *census)
{
    size_t n_slots = census->n_slots ? 2 * census->n_slots : 1024;
    struct counted *labels = realloc(census->labels, n_slots / 2 * sizeof(*labels));

    if (!labels)
        return false;
    census->labels = labels;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));
    if (!slots)
        return false;
    free(census->slots);
    census->slots = slots;
    census->n_slots = n_slots;
    for (size_t i = 0; i < census->n_labels; i++)
        slots[slot_of(census, text_of(census, &labels[i]))] = (uint32_t)i + 1;
    return true;
}

bool sek_census_add(struct sek_census *census, const struct sek_name *name)
{
    for (unsigned i = 0; i < name->n_labels; i++) {
        const uint8_t *label = name->octets + name->offset[i];

        if (census->n_labels == census->n_slots / 2 && !grow(census))
            return false;
        size_t slot = slot_of(census, label);
        if (census->slots[slot] == 0) {
            uint32_t at = (uint32_t)census->text.len;
            sek_buf_add(&census->text, label, *label + 1U);
            if (census->text.failed)
                return false;
            census->labels[census->n_labels++] = (struct counted){.at = at};
            census->slots[slot] = (uint32_t)census->n_labels;
        }
        census->labels[census->slots[slot] - 1].n++;
    }
    return true;
}

/* What a code word of its own saves for a label, in bits: spelling costs about 5 bits an octet and
 * 4 for the end, the word about 11, and its text stands in the image once. */
static int64_t saving(const struct sek_census *census, const struct counted *label)
{
    int64_t len = *text_of(census, label);

    if (len > SEK_CODE_LABEL_MAX)
        return 0;
    return label->n * (len * 5 + 4 - 11) - (len + 2) * 8;
}

struct ranked {
    int64_t saving;
    uint32_t index;
};

static int by_saving(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->saving != y->saving)
        return x->saving > y->saving ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Labels by falling saving, those that save something. */
static struct ranked *rank(const struct sek_census *census, size_t *out_n)
{
    struct ranked *ranks = malloc((census->n_labels + 1) * sizeof(*ranks));
    size_t n = 0;

    if (!ranks)
        return NULL;
    for (size_t i = 0; i < census->n_labels; i++) {
        int64_t bits = saving(census, &census->labels[i]);
        if (bits > 0)
            ranks[n++] = (struct ranked){bits, (uint32_t)i};
    }
    qsort(ranks, n, sizeof(*ranks), by_saving);
    *out_n = n;
    return ranks;
}

/* A tree node: a symbol, or what two nodes were joined into. */
struct node {
    uint64_t weight;
    unsigned parent, symbol;
};

static int by_weight(const void *a, const void *b)
{
    const struct node *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->symbol < y->symbol ? -1 : 1;
}

/* Huffman's code word lengths, by the two-queue method: leaves in order of weight are one queue,
 * joined nodes come into being in order of weight and are the other. Returns the longest. */
static unsigned huffman(const uint64_t *weights, unsigned n, uint8_t *out_lengths)
{
    struct node nodes[2 * N_SYMBOLS_MAX];
    unsigned leaf = 0, joined = n, longest = 0;

    for (unsigned i = 0; i < n; i++)
        nodes[i] = (struct node){.weight = weights[i], .symbol = i};
    qsort(nodes, n, sizeof(*nodes), by_weight);
    for (unsigned made = n; made < 2 * n - 1; made++) {
        nodes[made] = (struct node){.symbol = made};
        for (int side = 0; side < 2; side++) {
            bool take_leaf =
                leaf < n && (joined == made || nodes[leaf].weight <= nodes[joined].weight);
            struct node *child = &nodes[take_leaf ? leaf++ : joined++];
            child->parent = made;
            nodes[made].weight += child->weight;
        }
    }
    /* from the root down: `weight` becomes the depth */
    nodes[2 * n - 2].weight = 0;
    for (unsigned i = 2 * n - 2; i-- > 0;) {
        nodes[i].weight = nodes[nodes[i].parent].weight + 1;
        if (i < n) {
            out_lengths[nodes[i].symbol] = (uint8_t)nodes[i].weight;
            longest = nodes[i].weight > longest ? (unsigned)nodes[i].weight : longest;
        }
    }
    return longest;
}

/* Lengths of at most SEK_CODE_BITS_MAX: rare symbols are made less rare until it fits. With all
 * weights equal the longest is 11, so this ends; the loss is far below a per mille. */
static void design(uint64_t *weights, unsigned n, uint8_t *out_lengths)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < n; i++)
        total += weights[i];
    for (uint64_t floor = 1 + (total >> 24);; floor *= 2) {
        for (unsigned i = 0; i < n; i++)
            if (weights[i] < floor)
                weights[i] = floor;
        if (huffman(weights, n, out_lengths) <= SEK_CODE_BITS_MAX)
            return;
    }
}

/* Take a label's octets, or give them back to, what is spelled. */
static void spell(const struct sek_census *census, const struct counted *label, uint64_t *weights,
                  bool give_back)
{
    const uint8_t *text = text_of(census, label);
    uint64_t n = give_back ? -(uint64_t)label->n : label->n;

    for (unsigned i = 1; i <= *text; i++)
        weights[text[i]] += n;
    weights[SEK_CODE_END] += n;
}

enum sek_err sek_census_code(const struct sek_census *census, struct sek_buf *out,
                             struct sek_diag *diag)
{
    uint64_t weights[N_SYMBOLS_MAX] = {0};
    uint8_t lengths[N_SYMBOLS_MAX];
    size_t n_ranks;
    struct ranked *ranks = rank(census, &n_ranks);

    if (!ranks)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    unsigned n_labels = n_ranks < SEK_CODE_LABELS_MAX ? (unsigned)n_ranks : SEK_CODE_LABELS_MAX;
    for (size_t i = 0; i < census->n_labels; i++)
        spell(census, &census->labels[i], weights, false);
    for (unsigned i = 0; i < n_labels; i++) {
        const struct counted *label = &census->labels[ranks[i].index];
        spell(census, label, weights, true);
        weights[SEK_CODE_BASE + i] = label->n;
    }
    design(weights, SEK_CODE_BASE + n_labels, lengths);
    sek_buf_add(out, (uint8_t[]){(uint8_t)n_labels, (uint8_t)(n_labels >> 8)}, 2);
    sek_buf_add(out, lengths, SEK_CODE_BASE + n_labels);
    for (unsigned i = 0; i < n_labels; i++) {
        const uint8_t *text = text_of(census, &census->labels[ranks[i].index]);
        sek_buf_add(out, text, *text + 1U);
    }
    free(ranks);
    return out->failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory") : SEK_OK;
}
