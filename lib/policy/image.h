/* SPDX-License-Identifier: BSD-3-Clause */
/* A compiled policy image: a copy in memory of the file whose format stands in image_format.h. A
 * file that is truncated, altered or of another version is refused at open; what happens to it
 * later does not matter. What a lookup follows is bound-checked at open or on the way, so that no
 * content whatever makes it leave the copy. Immutable: any thread. */
#pragma once
#include "policy/compile.h"
#include "policy/trail.h"

struct sek_image;

/* verify: also check the checksum over the whole file and every rule.
 * SEK_E_VERSION: made by another version or on a machine of other octet order. */
enum sek_err sek_image_open(const char *path, bool verify, struct sek_image **out,
                            struct sek_diag *diag);
void sek_image_close(struct sek_image *image);
void sek_image_info(const struct sek_image *image, struct sek_image_info *out);
/* Ascending by id. Borrowed. */
const struct sek_list *sek_image_lists(const struct sek_image *image, unsigned *out_n);

/* The hashes by which this image, and the deltas made for it, look a name up. */
void sek_image_trail(const struct sek_image *image, const struct sek_name *name,
                     struct sek_trail *out);

/* Ask for the first memory that sek_image_lookup will read. */
void sek_image_prefetch(const struct sek_image *image, const struct sek_name *name,
                        const struct sek_trail *trail);

/* The rules met on the way from a name up to the root. */
struct sek_met {
    unsigned depth;               /* left-most labels removed: 0 = the name itself */
    unsigned n;                   /* number of rules; 0 only for a name that a delta removes */
    const struct sek_rule *rules; /* borrowed; ascending by list, then scope */
};
/* Every name on the way that the image knows, most specific first. trail: of this very name, from
 * this image or the one it was made for. Fills out[] (room for SEK_LABELS_MAX + 1), returns how
 * many. No allocation. */
unsigned sek_image_lookup(const struct sek_image *image, const struct sek_name *name,
                          const struct sek_trail *trail, struct sek_met *out);

/* Call fn for every name (order unspecified) with its rules; for tests, export and expiry. Stops
 * and returns false when fn does, or at a damaged entry. */
typedef bool sek_image_fn(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                          unsigned n);
bool sek_image_each(const struct sek_image *image, sek_image_fn *fn, void *arg);

/* Expiry times of its rules, ascending, distinct, without 0. Borrowed. */
const int64_t *sek_image_expiries(const struct sek_image *image, unsigned *out_n);
