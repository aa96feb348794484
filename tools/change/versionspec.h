/* SPDX-License-Identifier: BSD-3-Clause */
/* "NAME" and "NAME@VERSION" on the command line. One thread. */
#pragma once
#include "store/versions.h"
#include <stdbool.h>

/* A number from 1. */
bool sek_version_number(const char *text, uint32_t *out);

struct sek_versionspec {
    struct sek_list_row list;
    uint32_t number; /* 0: what the list holds now */
    char text[SEK_LIST_NAME_MAX + 16];
};
/* NOTFOUND: no such list; INVALID: no such notation; both with a text for the user. */
enum sek_err sek_versionspec_read(struct sek_policydb *db, const char *text,
                                  struct sek_versionspec *out, struct sek_diag *diag);
/* Its rules in canonical order, of the list now or of a version. */
enum sek_err sek_versionspec_rules(struct sek_policydb *db, const struct sek_versionspec *spec,
                                   sek_version_rule_fn *fn, void *arg, struct sek_diag *diag);
