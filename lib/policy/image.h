/* SPDX-License-Identifier: BSD-3-Clause */
/* A compiled policy image, mapped read-only and shared by all processes. The file format stands in
 * image.c. A file that is truncated, altered or of another version is refused at open; offsets inside
 * are checked there once, so that a lookup cannot leave the map. Immutable: any thread. */
#pragma once
#include "policy/compile.h"
#include "policy/pack.h"

struct sek_image;

/* verify: also check the checksum over the whole file (reads every page once). */
enum sek_err sek_image_open(const char *path, bool verify, struct sek_image **out,
                            struct sek_diag *diag);
void sek_image_close(struct sek_image *image);
void sek_image_info(const struct sek_image *image, struct sek_image_info *out);
const struct sek_list *sek_image_lists(const struct sek_image *image, unsigned *out_n);

/* Pack a name with the image's code. */
void sek_image_pack(const struct sek_image *image, const struct sek_name *name,
                    struct sek_packed *out);
/* Rules at exactly the k right-most labels of a packed name (k = n_labels: the whole name; 0: root).
 * Returns true if the image knows the name; then *out_rules (borrowed) and *out_n (0 in a delta for a
 * removed name). No allocation. */
bool sek_image_find(const struct sek_image *image, const struct sek_packed *packed, unsigned k,
                    const struct sek_rule **out_rules, unsigned *out_n);

/* Call fn for every name (order unspecified) with its rules; for tests, export and expiry. Stops and
 * returns false when fn does. */
typedef bool sek_image_fn(void *arg, const struct sek_name *name, const struct sek_rule *rules,
                          unsigned n);
bool sek_image_each(const struct sek_image *image, sek_image_fn *fn, void *arg);

/* Expiry times of its rules, ascending, distinct, without 0. Borrowed. */
const int64_t *sek_image_expiries(const struct sek_image *image, unsigned *out_n);
