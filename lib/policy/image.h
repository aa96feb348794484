/* SPDX-License-Identifier: BSD-3-Clause */
/* A compiled policy image: a copy in memory of the file whose format stands in image_format.h. A
 * file that is truncated, altered or of another version is refused at open; what happens to it
 * later does not matter (but for a command that maps it). What a lookup follows is bound-checked at
 * open or on the way, so that no content whatever makes it leave the copy. Immutable: any thread.
 */
#pragma once
#include "base/buf.h"
#include "policy/compile.h"
#include "policy/terms.h"
#include "policy/trail.h"

struct sek_image;

/* verify: also check the checksum over the whole file and every rule.
 * SEK_E_VERSION: made by another version or on a machine of other octet order. */
enum sek_err sek_image_open(const char *path, bool verify, struct sek_image **out,
                            struct sek_diag *diag);
/* The same with all checks, but an image of 1 MiB and more is in memory once for all processes of
 * this user that name the same folder `share` (base/share.h); copies of other images are removed
 * from there. Where that cannot be, it is a copy of our own. */
enum sek_err sek_image_open_shared(const char *path, const char *share, struct sek_image **out,
                                   struct sek_diag *diag);
/* The same with all checks for a command, which may end where a resolver must not: the file itself
 * is mapped (sek_file_map). */
enum sek_err sek_image_open_mapped(const char *path, struct sek_image **out, struct sek_diag *diag);
/* Is the file whole? Its head and checksum, and its regular expressions' part for out_patterns
 * (empty: none; NULL: not wanted); it is read through once, and nothing else of it is kept. */
enum sek_err sek_image_survey(const char *path, struct sek_image_info *out,
                              struct sek_buf *out_patterns, struct sek_diag *diag);
/* The same image for one owner more; each of them closes it. Any thread. */
struct sek_image *sek_image_again(struct sek_image *image);
void sek_image_close(struct sek_image *image);
void sek_image_info(const struct sek_image *image, struct sek_image_info *out);
/* What the head of a file says, without reading the rest. */
enum sek_err sek_image_peek(const char *path, struct sek_image_info *out, struct sek_diag *diag);
/* Ascending by id. Borrowed. */
const struct sek_list *sek_image_lists(const struct sek_image *image, unsigned *out_n);

/* What an image may hold beside names. Stored: never renumber. */
enum sek_image_kind {
    SEK_IMAGE_GROUPS = 1,      /* policy/groups.h */
    SEK_IMAGE_NETS = 2,        /* policy/nets.h */
    SEK_IMAGE_TERMS = 3,       /* policy/terms.h */
    SEK_IMAGE_PATTERNS = 4,    /* policy/patterns.h; a delta's: those that it adds */
    SEK_IMAGE_PLACES = 5,      /* struct sek_image_places */
    SEK_IMAGE_OVERRIDES = 6,   /* struct sek_override, policy/override.h */
    SEK_IMAGE_NAMES_APART = 7, /* names that are not in their line, image_format.h */
};
/* How many rules there are about the place of an answer's address. They stand at their owner names
 * (policy/about.h); this is for who need not look there. */
struct sek_image_places {
    uint32_t n_asn, n_country;
};
/* NULL if it has none of this kind, else aligned to 64 octets. Borrowed. */
const void *sek_image_part(const struct sek_image *image, enum sek_image_kind kind,
                           size_t *out_size);

/* The terms of its rules; NULL: they have none. Borrowed. */
const struct sek_termset *sek_image_terms(const struct sek_image *image);

/* The actions that its rules about names have of their own: bit enum sek_action. Known only of an
 * image that was verified. */
uint32_t sek_image_actions(const struct sek_image *image);

/* The hashes by which this image, and the deltas made for it, look a name up. */
void sek_image_trail(const struct sek_image *image, const struct sek_name *name,
                     struct sek_trail *out);

/* Ask for the first memory that sek_image_lookup will read. */
void sek_image_prefetch(const struct sek_image *image, const struct sek_name *name,
                        const struct sek_trail *trail);

/* The rules met on the way from a name up to the root. */
struct sek_met {
    unsigned depth;                  /* left-most labels removed: 0 = the name itself */
    unsigned n;                      /* number of rules; 0 only for a name that a delta removes */
    const struct sek_rule *rules;    /* borrowed; ascending by list, then scope */
    const struct sek_termset *terms; /* that their numbers are of; NULL: they have none */
    uint32_t pattern; /* which regular expression's they are (policy/policy.h); 0: a name's */
};
/* Its depth where a regular expression was met: any name is more specific, also the root. */
#define SEK_MET_PATTERN_DEPTH (SEK_LABELS_MAX + 1)
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
