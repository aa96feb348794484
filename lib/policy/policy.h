/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy in force: policy.img, and policy.delta over it when the delta was made for that very
 * image. The delta carries what changed since the image was built, so that one new name costs one
 * small file. Immutable: any thread. */
#pragma once
#include "policy/image.h"

#define SEK_POLICY_IMAGE "policy.img"
#define SEK_POLICY_DELTA "policy.delta"

/* What was in force before, kept by whoever writes the files: the delta that policy.delta took the
 * place of (it fits policy.img or is left out), and the image that policy.img took the place of
 * with the delta it had at the end. */
#define SEK_POLICY_DELTA_PREV "policy.delta.prev"
#define SEK_POLICY_IMAGE_PREV "policy.img.prev"
#define SEK_POLICY_IMAGE_PREV_DELTA "policy.img.prev.delta"

struct sek_policy;

/* dir: the folder of both files, read and verified in full. A missing policy.img is SEK_E_NOTFOUND;
 * a damaged one fails. A delta that is missing or made for another image is left out; a damaged one
 * fails the whole (what it would have taken back or added must not be guessed). */
enum sek_err sek_policy_open(const char *dir, struct sek_policy **out, struct sek_diag *diag);
/* In place of a policy that is damaged: the newest sound one that was in force before it. */
enum sek_err sek_policy_open_previous(const char *dir, struct sek_policy **out,
                                      struct sek_diag *diag);
void sek_policy_close(struct sek_policy *p);

uint64_t sek_policy_generation(const struct sek_policy *p);
/* Names of the image plus those of the delta (an upper bound of the distinct names). */
uint64_t sek_policy_n_names(const struct sek_policy *p);
/* Ascending by id. Borrowed. */
const struct sek_list *sek_policy_lists(const struct sek_policy *p, unsigned *out_n);
/* NULL if no such list. Rules of a list that a delta took away may still be met: they are void. */
const struct sek_list *sek_policy_list(const struct sek_policy *p, uint16_t id);
/* The first expiry > after_s, or 0 when there is none. */
int64_t sek_policy_next_expiry(const struct sek_policy *p, int64_t after_s);

/* Ask the processor for the memory that a lookup of the name will read first: of several names to
 * be looked up one after the other, nobody waits for it then. */
void sek_policy_prefetch(const struct sek_policy *p, const struct sek_name *name);

/* Every name with rules on the way from `name` up to the root, most specific first (n > 0 in each).
 * Fills out[] (room for SEK_LABELS_MAX + 1), returns how many. Rules whose scope does not cover the
 * question are still in there: sek_scope_covers. No allocation. This is the answer path's lookup.
 */
unsigned sek_policy_lookup(const struct sek_policy *p, const struct sek_name *name,
                           struct sek_met *out);
