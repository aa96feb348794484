/* SPDX-License-Identifier: BSD-3-Clause */
/* All that judges a name, opened from the files that the resolver uses: policy, findings that
 * block, classifier, history of domains. One thread. */
#pragma once
#include "tools/context.h"
#include "verdict/detect.h"
#include "verdict/engine.h"

struct sek_judge {
    struct sek_policy *policy; /* NULL: none is compiled yet */
    struct sek_dynamic *dynamic;
    struct sek_classify *classify;
    struct sek_domains *domains;
    struct sek_suffix *suffix;
    struct sek_never *never, *nod_exclude, *rebinding_exclude;
    struct sek_geo *geo; /* opened for rules about places only */
    struct sek_detect detect;
    int canary;    /* enum sek_canary */
    int rebinding; /* enum sek_mode */
};

/* Fails only for a policy that is there and cannot be read; what else is missing is told as a note.
 * Caller: sek_judge_close. */
enum sek_err sek_judge_open(struct sek_context *c, const struct sek_conf *conf,
                            struct sek_judge *out);
void sek_judge_close(struct sek_judge *j);
/* What findings block now, as the settings allow it; NULL for nothing. What cannot be read is told
 * as a note. Caller: sek_dynamic_free. */
void sek_judge_dynamic(const struct sek_conf *conf, int64_t now_s, struct sek_dynamic **out);

/* How a decision without an endpoint is called. */
#define SEK_JUDGE_NOBODY "an endpoint in no group"

/* Is this a rule of a list that blocks the name for somebody, in whatever mode? */
bool sek_judge_blocks(const struct sek_step *step, int64_t now_s);
/* The resolver's decision about a question that its cache does not answer. endpoint: who asks;
 * NULL: an endpoint in no group, such as a quarantined one is not; qtype: for what, 0: anything
 * (verdict/engine.h). walk may be NULL. */
void sek_judge_question(const struct sek_judge *j, const struct sek_addr *endpoint,
                        const struct sek_name *name, uint16_t qtype, int64_t now_s,
                        struct sek_verdict *out, struct sek_detect_why *why, sek_walk_fn *walk,
                        void *arg);
/* The same with this address in the answer to it. io: the decision about the question. */
void sek_judge_answer(const struct sek_judge *j, const struct sek_addr *endpoint,
                      const struct sek_name *question, uint16_t qtype,
                      const struct sek_addr *answer, int64_t now_s, struct sek_verdict *io,
                      sek_walk_fn *walk, void *arg);
