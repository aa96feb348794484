/* SPDX-License-Identifier: BSD-3-Clause */
/* The trainer's data: names as units, with family and split. One thread. */
#pragma once
#include "classify/unit.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BENIGN (-1)

struct item {
    int16_t family; /* BENIGN, or an index into data.families; for synthetic names the kind */
    uint8_t n, class_id;
    bool test;    /* of the tenth that is kept out by the hash of its label … */
    bool adjusts; /* … and of its half that the upper layers are fitted on, not the figures */
    float weight; /* of benign names: 0 = not trained on */
    uint8_t sym[SEK_LABEL_MAX + 1];
};

struct family {
    char name[40];
    bool held; /* kept out as a whole */
    uint32_t n, n_train;
    uint32_t *train; /* items that are trained on */
};

#define FAMILIES_MAX 128
#define CLASSES_MAX 256

struct class
{
    char name[24];
    uint32_t n_benign, n_families; /* that use it */
    bool dynamic;
    uint64_t mask[2]; /* families that use it */
};

struct data {
    struct item *items;
    uint32_t n, cap;
    uint32_t *benign; /* items of benign names trained on */
    uint32_t n_benign;
    struct family families[FAMILIES_MAX];
    int n_families;
    struct class classes[CLASSES_MAX];
    int n_classes;
    struct sek_suffix_slot *slots;
    struct sek_suffixes suffixes;
    FILE *kept;
};

struct sources {
    const char *dga, *benign, *suffixes, *dynamic;
    const char *held; /* families kept out: "a,b,c" */
    const char *kept; /* file to write the names into that are kept out, or NULL */
    bool all;         /* train on the kept-out tenth, too */
};

/* Read everything; exits with a text when it cannot. */
void data_read(struct data *d, const struct sources *s);
/* Choose what data.benign and family.train list: names to train on, names to adjust on, or all. */
enum set { SET_TRAIN, SET_ADJUST, SET_ALL };
void data_divide(struct data *d, enum set set);
/* The unit of a name written as text; false when it has none. */
bool data_unit(const struct data *d, const char *text, size_t len, struct sek_unit *out);

/* An item as scoring sees it. */
static inline void item_unit(const struct item *it, struct sek_unit *out)
{
    *out = (struct sek_unit){.n = it->n, .class_id = it->class_id};
    memcpy(out->sym, it->sym, sizeof out->sym);
}

/* Names that the upper layers are fitted on; names that figures are of. */
static inline bool data_adjusts(const struct data *d, const struct item *it)
{
    return it->test && it->adjusts && (it->family == BENIGN || !d->families[it->family].held);
}
static inline bool data_measures(const struct data *d, const struct item *it)
{
    return (it->test && !it->adjusts) || (it->family != BENIGN && d->families[it->family].held);
}

/* Random numbers (xoshiro256**), seeded, so that a training can be repeated. */
struct rng {
    uint64_t s[4];
};
void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/* 0..n-1 */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}
static inline float rng_unit(struct rng *r)
{
    return (float)(rng_next(r) >> 40) * 0x1p-24f;
}
/* lo..hi */
static inline uint32_t rng_between(struct rng *r, uint32_t lo, uint32_t hi)
{
    return lo + rng_below(r, hi - lo + 1);
}
static inline bool rng_chance(struct rng *r, float p)
{
    return rng_unit(r) < p;
}
