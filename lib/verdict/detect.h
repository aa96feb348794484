/* SPDX-License-Identifier: BSD-3-Clause */
/* The last step of the order of decisions: what detectors say at once of a question that no rule
 * decides. First the classifier: a name that looks machine-made is recorded; it is blocked only in
 * mode block, and only if three things hold: the strict threshold, its domain is newly observed,
 * and few endpoints ask for it. A domain that has been popular here for long is not even recorded.
 * Then the newly observed domains (NOD): what is asked for below a domain that this site has not
 * seen before is recorded, or held back for a while. Series of machine-made names are judged
 * elsewhere (classify/evidence.h). Any thread; no allocation, no clock. */
#pragma once
#include "classify/memo.h"
#include "conf/conf.h"
#include "name/suffix.h"
#include "observe/domains.h"
#include "policy/never.h"
#include "verdict/verdict.h"

/* All that it needs; borrowed. */
struct sek_detect {
    const struct sek_classify *classify; /* NULL: no model, no name is judged */
    const struct sek_domains *domains;   /* NULL: no history, so nothing is new or rare */
    const struct sek_suffix *suffix;     /* NULL: likewise */
    const struct sek_never *never;       /* NULL: nothing may be blocked */
    const struct sek_never *nod_exclude; /* names that are never NOD; NULL: none */
    /* When the history last had no room for a domain (Unix seconds); NULL: it always has. What it
     * cannot keep would be new for ever, so nothing is NOD for an hour from then on. */
    const _Atomic int64_t *full_s;
    /* The history was made by `suffix` alone, so what it holds above a name is the name's
     * registered domain: most questions need no look into the list, which takes longer. */
    bool same_list;
    enum sek_mode mode;
    enum sek_nod_mode nod_mode;
    float monitor_llr, block_llr; /* recorded, or blocked, above it; of the settings or the model */
    int64_t warm_up_s, new_s, hold_s;
    unsigned rare, popular;
};

/* What it rests on, for people. */
struct sek_detect_why {
    struct sek_score score;
    int domain_labels;           /* to remove to reach the registered domain; negative: none */
    bool known;                  /* seen.* are set */
    struct sek_domain_seen seen; /* the registered domain's history */
    const char *because;         /* what the classifier says: static text */
    const char *nod_because;     /* the same of NOD */
    int64_t nod_until_s;         /* the domain is newly observed until then; 0: it is not */
};

/* Fill in what the settings say; thresholds that they leave to the model come from it. */
void sek_detect_configure(struct sek_detect *d, const struct sek_conf *conf,
                          const struct sek_classify *classify);

/* A question on its way to the detectors. */
struct sek_detect_begun {
    const struct sek_score *score; /* NULL; a caller who has it sets what sek_classify_name says */
    unsigned n_labels;             /* of the domain that the history is asked for; 0: none */
    struct sek_domains_ask ask;
};

/* Before sek_engine_decide: what the history says takes longer to come from memory than to judge,
 * so memory is asked while the rules are looked through. */
void sek_detect_begin(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                      struct sek_detect_begun *out);
/* Judge a question after sek_engine_decide: io is that verdict. Left as it is when a rule excepts
 * the name, blocks it, or records it and the detectors would only do so, too; but io->score is set
 * whenever the name was scored. memo: the thread's own, or NULL. begun: of this question, with the
 * same `d` and time. why may be NULL. */
void sek_detect_end(const struct sek_detect *d, struct sek_memo *memo, const struct sek_name *name,
                    int64_t now_s, const struct sek_detect_begun *begun, struct sek_verdict *io,
                    struct sek_detect_why *why);
/* Both, for those who are in no hurry. */
void sek_detect_question(const struct sek_detect *d, struct sek_memo *memo,
                         const struct sek_name *name, int64_t now_s, struct sek_verdict *io,
                         struct sek_detect_why *why);
