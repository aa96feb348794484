/* SPDX-License-Identifier: BSD-3-Clause */
/* One option's value: text of the file's notation into struct sek_conf and back, by the option's
 * kind. Private to conf/. One thread at a time per struct sek_conf. */
#pragma once
#include "conf/options.h"

/* Check and store; for NAMES: append one entry. text may hold any octet, is not terminated. The
 * diag says what is wrong and what is allowed, not where. */
enum sek_err sek__value_set(const struct sek_option *o, const char *text, size_t len,
                            struct sek_conf *conf, struct sek_diag *diag);
/* Empty a list. */
void sek__value_clear(const struct sek_option *o, struct sek_conf *conf);
/* Append the value as plain text, a list with one entry a line. What it appends loads again as the
 * very same value. */
void sek__value_print(const struct sek_option *o, const struct sek_conf *conf, struct sek_buf *out);
/* Append the value as what follows "key:" in YAML, newline included. */
void sek__value_print_yaml(const struct sek_option *o, const struct sek_conf *conf,
                           struct sek_buf *out);
