/* SPDX-License-Identifier: BSD-3-Clause */
/* The policy in force: policy.img, and policy.delta over it when the delta was made for that very
 * image. The delta carries what changed since the image was built, so that one new name costs one
 * small file. Immutable: any thread. */
#pragma once
#include "policy/groups.h"
#include "policy/image.h"
#include "policy/nets.h"
#include "policy/override.h"
#include "policy/patterns.h"

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
/* The same; a large image is in memory once for all resolvers with the same folder `share`
 * (sek_image_open_shared). */
enum sek_err sek_policy_open_shared(const char *dir, const char *share, struct sek_policy **out,
                                    struct sek_diag *diag);
/* The same for a command: the image is mapped, not copied (sek_image_open_mapped). */
enum sek_err sek_policy_open_mapped(const char *dir, struct sek_policy **out,
                                    struct sek_diag *diag);
/* With the image of a policy that is in force, whose file is unchanged: only the delta is read.
 * BUSY: the delta is of another image. `old` may be closed before or after. */
enum sek_err sek_policy_open_over(const struct sek_policy *old, const char *dir,
                                  struct sek_policy **out, struct sek_diag *diag);
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
/* What a list says of all its rules; NULL: nothing. Borrowed. */
const struct sek_override *sek_policy_override(const struct sek_policy *p, uint16_t list);
/* NULL when there are no groups of endpoints: then every rule is everybody's. Borrowed. */
const struct sek_groups *sek_policy_groups(const struct sek_policy *p);
/* NULL when every rule is about names that are asked for. Borrowed. */
const struct sek_nets *sek_policy_nets(const struct sek_policy *p);
/* How many rules there are about networks and countries of addresses; they stand at their owner
 * names. NULL: none. Borrowed. */
const struct sek_image_places *sek_policy_places(const struct sek_policy *p);
/* The terms of rules: of the delta's if there is one, and of those about addresses; and of the
 * image's below. NULL: they have none. Borrowed. */
const struct sek_termset *sek_policy_terms(const struct sek_policy *p);
const struct sek_termset *sek_policy_terms_below(const struct sek_policy *p);
/* Does a rule have a condition on types, hours or its start? */
bool sek_policy_conditions(const struct sek_policy *p);
/* Can it say one thing to one endpoint, and another to another: by groups, or by rules? */
bool sek_policy_endpoints(const struct sek_policy *p);
/* Is an action used by a rule or a list that is not off? */
bool sek_policy_acts(const struct sek_policy *p, enum sek_action action);
/* The first moment > after_s at which a rule or a membership ends, or a rule begins to count or no
 * longer counts for the hour; 0 when there is none. */
int64_t sek_policy_next_change(const struct sek_policy *p, int64_t after_s);

/* Ask the processor for the memory that a lookup of the name will read first: of several names to
 * be looked up one after the other, nobody waits for it then. */
void sek_policy_prefetch(const struct sek_policy *p, const struct sek_name *name);

/* Every name with rules on the way from `name` up to the root, most specific first (n > 0 in each).
 * Fills out[] (room for SEK_LABELS_MAX + 1), returns how many. Rules whose scope does not cover the
 * question are still in there: sek_scope_covers. No allocation. This is the answer path's lookup.
 */
unsigned sek_policy_lookup(const struct sek_policy *p, const struct sek_name *name,
                           struct sek_met *out);

/* How many regular expressions are matched; those that the delta took back count, too. */
uint32_t sek_policy_n_patterns(const struct sek_policy *p);
/* What they take of memory. */
size_t sek_policy_patterns_octets(const struct sek_policy *p);
/* Make room for so many threads that look up at the same time: one at first. Before others use the
 * policy. NOMEM: those above that have to wait for each other. */
enum sek_err sek_policy_threads(struct sek_policy *p, unsigned n, struct sek_diag *diag);
/* Why regular expressions have no effect, "" if they have: made for another machine, or this
 * program is built without. All else of the policy is in force. */
const char *sek_policy_trouble(const struct sek_policy *p);

/* Call fn with the rules of each regular expression that matches the name, in no order: their
 * `pattern` is set, and their depth is SEK_MET_PATTERN_DEPTH. No allocation. */
typedef void sek_policy_match_fn(void *arg, const struct sek_met *met);
void sek_policy_match(const struct sek_policy *p, const struct sek_name *name,
                      sek_policy_match_fn *fn, void *arg);
/* The owner name of one (policy/pattern.h). False: there is none of that number. */
bool sek_policy_pattern(const struct sek_policy *p, uint32_t number, struct sek_name *out);

/* Call fn for every name that may have rules, in no order, some twice: those of the image, also
 * where the delta has other rules or none, and those of the delta. Stops and returns false when fn
 * does, or at damage that the checks at the opening cannot see. */
typedef bool sek_policy_name_fn(void *arg, const struct sek_name *name);
bool sek_policy_names(const struct sek_policy *p, sek_policy_name_fn *fn, void *arg);
