/* SPDX-License-Identifier: BSD-3-Clause */
/* Building a policy image: lists and entries in, one checksummed file out. Used by the command only.
 * One thread at a time. */
#pragma once
#include "base/err.h"
#include "policy/rule.h"

struct sek_compile;

/* What the image says of itself. base_id 0 makes a full image (policy.img). Otherwise a delta
 * (policy.delta): its names replace those of the image whose id is base_id, its lists replace all. */
struct sek_image_info {
    uint64_t id;         /* of this image: random, never 0 */
    uint64_t base_id;
    uint64_t generation; /* grows with every change of policy */
    int64_t made_s;      /* Unix time */
    uint64_t n_names;    /* distinct names with rules (a delta's removed names count too) */
    uint64_t n_rules;
    uint32_t n_lists;
    uint64_t size_octets;
};

/* max_octets: memory it may use; 0 = 8 GiB. */
enum sek_err sek_compile_new(uint64_t max_octets, struct sek_compile **out, struct sek_diag *diag);
void sek_compile_free(struct sek_compile *c);

enum sek_err sek_compile_list(struct sek_compile *c, const struct sek_list *list,
                              struct sek_diag *diag);
/* One rule. The list must have been added. Rules may come in any order, also several a name; the very
 * same (name, list, scope) twice keeps the later expiry (0 = never is the latest) and, where they
 * differ, the last added action. */
enum sek_err sek_compile_rule(struct sek_compile *c, const uint8_t *name, size_t name_len,
                              const struct sek_rule *rule, struct sek_diag *diag);
/* Delta only: the name has no rules any more (a name given rules as well has those). */
enum sek_err sek_compile_removed(struct sek_compile *c, const uint8_t *name, size_t name_len,
                                 struct sek_diag *diag);

/* Called about ten times a second with the share done, 0..1000. */
typedef void sek_progress_fn(void *arg, unsigned permille);

/* Write the file beside and rename it over `path` (mode 0644). Fills *out_info if not NULL
 * (generation and base_id are taken from `info`). */
enum sek_err sek_compile_write(struct sek_compile *c, const char *path, uint64_t generation,
                               uint64_t base_id, sek_progress_fn *progress, void *arg,
                               struct sek_image_info *out_info, struct sek_diag *diag);
