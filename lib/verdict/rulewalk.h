/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps over rules: which of those that a question met takes part, and which comes first. What
 * the order is stands in engine.h. Private to the engine's files. Any thread; no allocation. */
#pragma once
#include "verdict/engine.h"

/* Who asks and for what; the groups are found out when a rule wants to know. */
struct sek__asker {
    const struct sek_groups *groups; /* NULL: there are none */
    struct sek_asking asking;
    const struct sek_name *name; /* that is judged; NULL: none */
    int64_t now_s;
    bool plain;          /* rules with conditions take no part */
    bool known;          /* the groups are: */
    uint64_t in;         /* bits of those it is in; of anybody: all that have members */
    uint64_t restricted; /* those of them that restrict it, or in monitor mode would */
};
struct sek__asker sek__asker_of(const struct sek_engine *engine, const struct sek_name *name,
                                int64_t now_s);
void sek__asker_know(struct sek__asker *who);

/* Each pass takes the first rule that ranks highest in it; a later pass is asked only if the
 * earlier ones found nothing. */
enum sek__pass {
    SEK__PASS_EXCEPTION,
    SEK__PASS_BLOCK,
    SEK__PASS_RECORD, /* action log, and what a list in monitor mode would do */
    SEK__N_PASSES,
};

struct sek__found {
    const struct sek_list *list;
    const struct sek_rule *rule;
    const struct sek_terms *terms; /* NULL: none */
    const struct sek_termset *set; /* that they are of */
    const struct sek_audience *audience;
    int32_t priority;
    bool terms_new; /* the terms are those of sek_policy_terms */
    unsigned depth;
    uint32_t pattern; /* as in struct sek_met */
    enum sek_action action;
    bool overridden;  /* by its list's override */
    uint8_t order;    /* of its list: SEK_ORDER_… */
    uint32_t records; /* of that: the number of its terms; 0: none */
    bool meant;       /* for this question, even if it has no effect on it */
    bool satisfied;   /* it decides, but what it wants is there: the query resolves */
    bool arrived;     /* its alias leads to the very name: it decides that this one passes */
    enum sek__pass pass;
};

/* The pass in which a rule takes part. NULL: it does; else why it takes no part at all. met: where
 * the rule was met. */
const char *sek__rule_sort(struct sek__asker *who, const struct sek_policy *policy,
                           const struct sek_met *met, const struct sek_rule *rule,
                           struct sek__found *out);

/* What of the rules met comes first in each pass; and first of all exceptions that are meant for a
 * group that restricts whoever asks. */
struct sek__best {
    struct sek__found of[SEK__N_PASSES];
    struct sek__found own;
};
void sek__best_find(struct sek__asker *who, const struct sek_policy *policy,
                    const struct sek_met *met, unsigned n_met, struct sek__best *out);
/* The one that decides where nothing restricts, or NULL. */
const struct sek__found *sek__best_winner(const struct sek__best *best);

/* Tell of every rule met, most specific first; `winner` is NULL when none decides. */
void sek__walk_all(struct sek__asker *who, const struct sek_policy *policy,
                   const struct sek_met *met, unsigned n_met, const struct sek__found *winner,
                   bool restricted, sek_walk_fn *walk, void *arg);

/* Steps over rules that stand at no name above the question: walk with it as arg, and each gets the
 * owner. */
struct sek__owned {
    sek_walk_fn *walk;
    void *arg;
    const struct sek_name *owner;
};
void sek__owned_tell(void *arg, const struct sek_step *step);

/* --- verdicts -----------------------------------------------------------------------------------
 */

void sek__verdict_clear(struct sek_verdict *out);
/* An exception, or a rule that blocks: no later step is asked. */
bool sek__verdict_is_final(const struct sek_verdict *v);
/* Is what the rule says of an earlier policy zone than the verdict? */
bool sek__is_earlier(const struct sek__found *f, const struct sek_verdict *v);
void sek__verdict_fill(struct sek_verdict *out, const struct sek__found *f,
                       enum sek_trigger trigger);
/* What decides without a rule. */
void sek__verdict_set(struct sek_verdict *out, enum sek_trigger trigger, enum sek_action action,
                      enum sek_scope scope, unsigned depth, const char *by);
/* What the rules met say, where nothing restricts. */
void sek__decide_by_met(struct sek__asker *who, const struct sek_policy *policy,
                        const struct sek_met *met, unsigned n_met, enum sek_trigger trigger,
                        struct sek_verdict *out, sek_walk_fn *walk, void *arg);
bool sek__is_own(const struct sek_never *own, const struct sek_name *name);
