/* SPDX-License-Identifier: BSD-3-Clause */
/* How the settings want the store of observed domains: the same for the resolver, which writes it,
 * and for the command, which writes it while no resolver does. Any thread. */
#pragma once
#include "conf/conf.h"
#include "name/suffix.h"
#include "observe/domains.h"

/* path: holds the store's path, to which the result refers. suffix: borrowed, may be NULL. */
struct sek_domains_conf sek_domains_conf_from(const struct sek_conf *conf,
                                              const struct sek_suffix *suffix,
                                              char path[SEK_CONF_PATH_MAX]);
