/* SPDX-License-Identifier: BSD-3-Clause */
/* A YAML file that is nothing but "key: value" lines, a value being one text or a list of them: for
 * small files of people that are no settings. Aliases, anchors, tags and deeper groups are refused,
 * each with its line. Any thread; no I/O. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

/* Called for each value in the order of the file, for a list once an item (first: its first one, or
 * a single value). An error ends the reading; its text gets the label and line in front. */
typedef enum sek_err sek_flatyaml_fn(void *arg, const char *key, const char *value, bool first,
                                     struct sek_diag *diag);
/* label: for messages. INVALID for what is no such file. */
enum sek_err sek_flatyaml_read(const char *text, size_t len, const char *label, sek_flatyaml_fn *fn,
                               void *arg, struct sek_diag *diag);
