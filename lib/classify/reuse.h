/* SPDX-License-Identifier: BSD-3-Clause */
/* What a series of names that do not exist has in common, when no single one looks machine-made:
 * generators that combine dictionary words. Two questions, each answered as a log likelihood ratio:
 *
 * reuse  Do the names share their first or last four letters as names of a short list of words do?
 *        No list of words is known here: what repeats is learned from the endpoint's own names.
 *        Four letters, because shorter words are rare in such lists and shorter prefixes are shared
 *        by chance.
 * shape  Have they one suffix and one length, more so than the site's other names?
 *
 * A company's brand, misspelt or with words around it, is one shared part in all names: it counts
 * once, and a series of which half has it in common has no shape. Plain data, part of an endpoint's
 * state; one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define SEK_REUSE_NAMES 32 /* remembered; an older one makes room */
#define SEK_REUSE_PART 4   /* octets of a head or tail */
#define SEK_REUSE_LISTS 3  /* sizes of word lists that are tried */
#define SEK_REUSE_SIDE_MAX                                                                         \
    5.5f /* heads or tails alone: sorted names share heads, and need no generator */
#define SEK_SHAPE_MAX 5.0f /* far under any alarm: a crawler of one country's sites has a shape */

/* The latest names of an endpoint that do not exist. Parts are 16 bits of a keyed hash: two
 * different ones are taken for the same in 1 of 65,536 cases, at 32 names 1 of 2,048 a name. */
struct sek_reuse {
    uint16_t part[2][SEK_REUSE_NAMES]; /* heads, tails; 0 = the label is too short */
    uint32_t letters[SEK_REUSE_NAMES]; /* which letters occur */
    uint8_t length[SEK_REUSE_NAMES], suffix[SEK_REUSE_NAMES];
    uint8_t n, next;
    bool brand;                     /* half of them have their head or tail in common */
    float list[2][SEK_REUSE_LISTS]; /* ratio of each size of list, heads and tails */
    float shape;
};

#define SEK_SITE_SUFFIXES 64
#define SEK_SITE_LENGTHS 32
/* Suffixes and lengths of the names that exist, at the whole site. Zeroed = nothing is known. */
struct sek_site {
    uint32_t suffix[SEK_SITE_SUFFIXES], length[SEK_SITE_LENGTHS], n;
};

/* One registered domain, taken apart. */
struct sek_reuse_unit {
    uint16_t part[2];
    uint32_t letters;
    uint8_t length;
    uint8_t suffix; /* hash, < SEK_SITE_SUFFIXES */
};

void sek_site_learn(struct sek_site *site, const struct sek_reuse_unit *u);
/* True if the name shares its head or tail with a remembered one: then it is hardly an independent
 * piece of evidence. */
bool sek_reuse_is_kin(const struct sek_reuse *r, const struct sek_reuse_unit *u);
/* Take one more distinct name that does not exist. A misspelling of a remembered one is left out.
 */
void sek_reuse_add(struct sek_reuse *r, const struct sek_site *site,
                   const struct sek_reuse_unit *u);
/* Multiply all evidence by `factor`, 0..1. */
void sek_reuse_decay(struct sek_reuse *r, float factor);
/* 0..2 * SEK_REUSE_SIDE_MAX, and 0..SEK_SHAPE_MAX. */
float sek_reuse_words(const struct sek_reuse *r);
float sek_reuse_shape(const struct sek_reuse *r);
