/* SPDX-License-Identifier: BSD-3-Clause */
/* THE order of decisions, once: exceptions (passthru rules; most specific name first), then block
 * rules (most specific name, then list priority, then lowest list id), then canary names
 * (verdict/canary.h), then dynamic blocks of findings, then rules that only log or whose list is in
 * monitor mode, then pass. Expired rules and
 * lists that are off do not count. A question that is not decided then goes to the detectors
 * (verdict/detect.h). The module and `sekisho explain` call the same functions. Any thread; no
 * allocation, no clock: now_s is an argument. */
#pragma once
#include "policy/policy.h"
#include "verdict/dynamic.h"
#include "verdict/verdict.h"

/* One rule considered on the way, for `explain`. */
struct sek_step {
    const struct sek_list *list;
    const struct sek_rule *rule;
    unsigned depth;      /* of the rule's owner name */
    bool decides;        /* this is the one */
    const char *because; /* why it does or does not: static text */
};
typedef void sek_walk_fn(void *arg, const struct sek_step *step);

/* What is in force: each may be NULL or off, then nothing matches there. */
struct sek_engine {
    const struct sek_policy *policy;
    const struct sek_dynamic *dynamic;
    int canary; /* enum sek_canary */
};

/* Judge a name. walk may be NULL; it is told of the rules only. */
void sek_engine_decide(const struct sek_engine *engine, const struct sek_name *name, int64_t now_s,
                       enum sek_trigger trigger, struct sek_verdict *out, sek_walk_fn *walk,
                       void *arg);
