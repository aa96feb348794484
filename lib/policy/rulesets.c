/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/rulesets.h"
#include "base/buf.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct set {
    uint32_t start, n; /* in `rules` */
    uint32_t uses;
    uint32_t id;
};

struct sek_rulesets {
    struct sek_hash_key key;
    struct sek_buf rules; /* of struct sek_rule */
    struct sek_buf sets;  /* of struct set, by order of first use */
    uint32_t *slots;      /* hash table: index + 1, 0 = free; at most half full */
    size_t n_slots;
    uint32_t *by_id; /* after ranking: index of the set with an id */
};

static enum sek_err no_memory(struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for rule sets");
}

enum sek_err sek_rulesets_new(struct sek_rulesets **out, struct sek_diag *diag)
{
    struct sek_rulesets *sets = calloc(1, sizeof(*sets));

    if (!sets)
        return no_memory(diag);
    sets->key = sek_hash_key_random();
    /* counts and ids have 32 bits */
    sek_buf_init(&sets->rules, (size_t)INT32_MAX * sizeof(struct sek_rule));
    sek_buf_init(&sets->sets, (size_t)INT32_MAX * sizeof(struct set));
    *out = sets;
    return SEK_OK;
}

void sek_rulesets_free(struct sek_rulesets *sets)
{
    if (!sets)
        return;
    sek_buf_fini(&sets->rules);
    sek_buf_fini(&sets->sets);
    free(sets->slots);
    free(sets->by_id);
    free(sets);
}

static struct set *set_at(const struct sek_rulesets *sets, uint32_t index)
{
    return (struct set *)(void *)sets->sets.data + index;
}

static const struct sek_rule *rules_of(const struct sek_rulesets *sets, const struct set *set)
{
    return set->n ? (const struct sek_rule *)(const void *)sets->rules.data + set->start : NULL;
}

/* The slot of these rules, or the free slot where they belong. */
static size_t slot_of(const struct sek_rulesets *sets, const struct sek_rule *rules, unsigned n)
{
    /* no rules may be no memory, which must not be handed on */
    size_t slot = sek_hash(&sets->key, n ? (const void *)rules : "", n * sizeof(*rules));

    for (slot &= sets->n_slots - 1; sets->slots[slot]; slot = (slot + 1) & (sets->n_slots - 1)) {
        const struct set *set = set_at(sets, sets->slots[slot] - 1);
        if (set->n == n && (n == 0 || !memcmp(rules_of(sets, set), rules, n * sizeof(*rules))))
            break;
    }
    return slot;
}

static bool grow(struct sek_rulesets *sets)
{
    size_t n_slots = sets->n_slots ? 2 * sets->n_slots : 64;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));

    if (!slots)
        return false;
    free(sets->slots);
    sets->slots = slots;
    sets->n_slots = n_slots;
    for (uint32_t i = 0; i < sek_rulesets_n(sets); i++) {
        const struct set *set = set_at(sets, i);
        slots[slot_of(sets, rules_of(sets, set), set->n)] = i + 1;
    }
    return true;
}

enum sek_err sek_rulesets_add(struct sek_rulesets *sets, const struct sek_rule *rules, unsigned n,
                              uint32_t *out_index, struct sek_diag *diag)
{
    if (sek_rulesets_n(sets) == sets->n_slots / 2 && !grow(sets))
        return no_memory(diag);
    size_t slot = slot_of(sets, rules, n);
    if (sets->slots[slot] == 0) {
        struct set set = {.start = sek_rulesets_n_rules(sets), .n = n};
        sek_buf_add(&sets->rules, rules, n * sizeof(*rules));
        sek_buf_add(&sets->sets, &set, sizeof(set));
        if (sets->rules.failed || sets->sets.failed)
            return no_memory(diag);
        sets->slots[slot] = sek_rulesets_n(sets);
    }
    *out_index = sets->slots[slot] - 1;
    set_at(sets, *out_index)->uses++;
    return SEK_OK;
}

struct used {
    uint32_t uses, index;
};

static int by_uses(const void *a, const void *b)
{
    const struct used *x = a, *y = b;

    if (x->uses != y->uses)
        return x->uses > y->uses ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

enum sek_err sek_rulesets_rank(struct sek_rulesets *sets, struct sek_diag *diag)
{
    uint32_t n = sek_rulesets_n(sets);
    struct used *used = malloc((n + 1UL) * sizeof(*used));

    sets->by_id = malloc((n + 1UL) * sizeof(*sets->by_id));
    if (!used || !sets->by_id) {
        free(used);
        return no_memory(diag);
    }
    for (uint32_t i = 0; i < n; i++)
        used[i] = (struct used){set_at(sets, i)->uses, i};
    qsort(used, n, sizeof(*used), by_uses);
    for (uint32_t id = 0; id < n; id++) {
        sets->by_id[id] = used[id].index;
        set_at(sets, used[id].index)->id = id;
    }
    free(used);
    return SEK_OK;
}

uint32_t sek_rulesets_n(const struct sek_rulesets *sets)
{
    return (uint32_t)(sets->sets.len / sizeof(struct set));
}

uint32_t sek_rulesets_n_rules(const struct sek_rulesets *sets)
{
    return (uint32_t)(sets->rules.len / sizeof(struct sek_rule));
}

uint32_t sek_rulesets_id(const struct sek_rulesets *sets, uint32_t index)
{
    return set_at(sets, index)->id;
}

const struct sek_rule *sek_rulesets_get(const struct sek_rulesets *sets, uint32_t id,
                                        unsigned *out_n)
{
    const struct set *set = set_at(sets, sets->by_id[id]);

    *out_n = set->n;
    return rules_of(sets, set);
}
