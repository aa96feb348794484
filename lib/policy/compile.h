/* SPDX-License-Identifier: BSD-3-Clause */
/* Building a policy image: lists and entries in, one checksummed file out. Used by the command
 * only. One thread at a time. */
#pragma once
#include "base/err.h"
#include "policy/groups.h"

struct sek_compile;
struct sek_groups_writer;
struct sek_nets_writer;
struct sek_override_spec;
struct sek_patterns_writer;
struct sek_terms_writer;

/* What the image says of itself. base_id 0 makes a full image (policy.img). Otherwise a delta
 * (policy.delta): its names replace those of the image whose id is base_id, its lists replace all.
 */
struct sek_image_info {
    uint64_t id; /* of this image: random, never 0 */
    uint64_t base_id;
    uint64_t generation; /* grows with every change of policy */
    int64_t made_s;      /* Unix time */
    uint64_t n_names;    /* distinct names with rules (a delta's removed names count too) */
    uint64_t n_rules;
    uint32_t n_lists;
    uint64_t size_octets;
};

/* max_octets: memory it may use, by a rough estimate that errs upwards; 0 = 8 GiB. */
enum sek_err sek_compile_new(uint64_t max_octets, struct sek_compile **out, struct sek_diag *diag);
void sek_compile_free(struct sek_compile *c);

/* The groups of endpoints that go along: to be filled in (groups_write.h). Borrowed. */
struct sek_groups_writer *sek_compile_groups(struct sek_compile *c);
/* The same of the rules that are not about names (nets_write.h); a delta's replace all. Their lists
 * are not looked at. */
struct sek_nets_writer *sek_compile_nets(struct sek_compile *c);
/* Regular expressions (patterns_write.h), whose rules are added like those of names; a delta's are
 * those that it adds. */
struct sek_patterns_writer *sek_compile_patterns(struct sek_compile *c);
/* One rule more about an address's network or country, by its owner name; a delta's replace all. */
void sek_compile_place(struct sek_compile *c, const struct sek_name *owner);
/* The terms that rules have (terms_write.h): a rule's `terms` is a number of theirs. A delta has
 * its own. */
struct sek_terms_writer *sek_compile_terms(struct sek_compile *c);
/* In place of what the list's rules say (override.h; NULL: nothing), behind its sek_compile_list.
 * zone: it is a policy zone. Once a list. */
enum sek_err sek_compile_override(struct sek_compile *c, uint16_t list,
                                  const struct sek_override_spec *spec, bool zone,
                                  struct sek_diag *diag);
/* The list has a rule about answers: addresses, or servers. */
void sek_compile_answers(struct sek_compile *c, uint16_t list);
/* SEK_E_EXISTS for an id that was added before, SEK_E_LIMIT past SEK_LISTS_MAX, SEK_E_INVALID for
 * values outside their enum, id 0, or a name that is not SEK_LIST_NAME_MAX's. */
enum sek_err sek_compile_list(struct sek_compile *c, const struct sek_list *list,
                              struct sek_diag *diag);
/* One rule. The list must have been added (else SEK_E_NOTFOUND). Rules may come in any order, also
 * several a name; the very same (name, list, scope) twice keeps the later expiry (0 = never is the
 * latest) and, where they differ, the last added action and terms. Case is folded. SEK_E_LIMIT past
 * max_octets; a refused rule leaves the others as they are. */
enum sek_err sek_compile_rule(struct sek_compile *c, const uint8_t *name, size_t name_len,
                              const struct sek_rule *rule, struct sek_diag *diag);
/* Delta only: the name has no rules any more (a name given rules as well has those). */
enum sek_err sek_compile_removed(struct sek_compile *c, const uint8_t *name, size_t name_len,
                                 struct sek_diag *diag);

/* Called with the share done, 0..1000, growing; at most once a permille. */
typedef void sek_progress_fn(void *arg, unsigned permille);

/* Write the file beside and rename it over `path` (mode 0644). info: the caller sets base_id,
 * generation and made_s; on success the rest is filled in. What was added stays: a second write is
 * allowed. progress may be NULL. */
enum sek_err sek_compile_write(struct sek_compile *c, const char *path, struct sek_image_info *info,
                               sek_progress_fn *progress, void *arg, struct sek_diag *diag);
