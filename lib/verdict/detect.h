/* SPDX-License-Identifier: BSD-3-Clause */
/* The last step of the order of decisions: what a detector says at once of a question that no rule
 * decides. Today that is the classifier: a name that looks machine-made is recorded; it is blocked
 * only in mode block, and only if three things hold: the strict threshold, its domain is newly
 * observed, and few endpoints ask for it. A domain that has been popular here for long is not even
 * recorded. Series of such names are judged elsewhere
 * (classify/evidence.h). Any thread; no allocation, no clock. */
#pragma once
#include "classify/classify.h"
#include "conf/conf.h"
#include "name/suffix.h"
#include "observe/domains.h"
#include "policy/never.h"
#include "verdict/verdict.h"

/* All that it needs; borrowed. */
struct sek_detect {
    const struct sek_classify *classify; /* NULL: no model, nothing is detected */
    const struct sek_domains *domains;   /* NULL: no history, so nothing is new or rare */
    const struct sek_suffix *suffix;     /* NULL: likewise */
    const struct sek_never *never;       /* NULL: nothing may be blocked */
    enum sek_mode mode;
    float monitor_llr, block_llr; /* recorded, or blocked, above it; of the settings or the model */
    int64_t warm_up_s, new_s;
    unsigned rare;
};

/* What it rests on, for people. */
struct sek_detect_why {
    struct sek_score score;
    bool known;                  /* seen.* are set */
    struct sek_domain_seen seen; /* the registered domain's history */
    const char *because;         /* static text */
};

/* Fill in what the settings say; thresholds that they leave to the model come from it. */
void sek_detect_configure(struct sek_detect *d, const struct sek_conf *conf,
                          const struct sek_classify *classify);

/* Judge a question after sek_engine_decide: io is that verdict. Left as it is when a rule excepts
 * the name, blocks it, or records it and the detector would only do so, too; but io->score is set
 * whenever the name was scored. why may be NULL. */
void sek_detect_question(const struct sek_detect *d, const struct sek_name *name, int64_t now_s,
                         struct sek_verdict *io, struct sek_detect_why *why);
