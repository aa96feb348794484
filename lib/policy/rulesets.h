/* SPDX-License-Identifier: BSD-3-Clause */
/* Rule sets of an image being built: each distinct array of rules is kept once, and those that many
 * names share get the smallest ids, which cost an image the least. One thread at a time. */
#pragma once
#include "policy/rule.h"

struct sek_rulesets;

enum sek_err sek_rulesets_new(struct sek_rulesets **out, struct sek_diag *diag);
void sek_rulesets_free(struct sek_rulesets *sets);
/* Count one more use of these rules (n may be 0; reserved fields must be 0). *out_index: which set
 * it is, by order of first use. */
enum sek_err sek_rulesets_add(struct sek_rulesets *sets, const struct sek_rule *rules, unsigned n,
                              uint32_t *out_index, struct sek_diag *diag);
/* To be called once, after the last add. */
enum sek_err sek_rulesets_rank(struct sek_rulesets *sets, struct sek_diag *diag);

uint32_t sek_rulesets_n(const struct sek_rulesets *sets);
uint32_t sek_rulesets_n_rules(const struct sek_rulesets *sets);
/* Id by use of a set, after ranking: 0 is the most used. */
uint32_t sek_rulesets_id(const struct sek_rulesets *sets, uint32_t index);
/* The set with this id. Borrowed. */
const struct sek_rule *sek_rulesets_get(const struct sek_rulesets *sets, uint32_t id,
                                        unsigned *out_n);
