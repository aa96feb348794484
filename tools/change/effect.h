/* SPDX-License-Identifier: BSD-3-Clause */
/* What the compiled policy makes of names, said to people after they changed it: a name that was
 * blocked but is excepted elsewhere, or unblocked but on another list. Judged by the resolver's own
 * function. */
#pragma once
#include "conf/conf.h"
#include "policy/rule.h"

enum sek_effect_wanted {
    SEK_EFFECT_BLOCKED = 1,
    SEK_EFFECT_ALLOWED,
    SEK_EFFECT_UNBLOCKED,
};

struct sek_target {
    struct sek_name name;
    enum sek_scope scope;
};

/* Say which of the names are not as wanted, and what to do (the first 20, then a number). list: the
 * one that was changed. Returns how many; 0 also when there is no policy to ask. */
uint64_t sek_effect_tell(const struct sek_conf *conf, int64_t now_s, enum sek_effect_wanted wanted,
                         const char *list, const struct sek_target *targets, uint64_t n);
