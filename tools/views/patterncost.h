/* SPDX-License-Identifier: BSD-3-Clause */
/* What the regular expressions of the compiled policy cost, for people. One thread. */
#pragma once
#include "conf/conf.h"

/* One line on standard error: how many there are, the memory of their automata, and the time that
 * matching a name takes, measured here and now. Nothing where there are none. */
void sek_pattern_cost_tell(const struct sek_conf *conf);
