/* SPDX-License-Identifier: BSD-3-Clause */
/* What another user may do with a file, by owners and modes (access control lists and security
 * modules are not asked). Any thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>

#define SEK_RIGHTS_GROUPS_MAX 128

struct sek_rights {
    uid_t uid;
    gid_t groups[SEK_RIGHTS_GROUPS_MAX];
    int n_groups;
};

/* NOTFOUND: no such user. */
enum sek_err sek_rights_of(const char *user, struct sek_rights *out, struct sek_diag *diag);
/* May this user do `mode` (R_OK, W_OK, X_OK, or several) with the file, every folder above
 * included? False with a diag that names the file or folder in the way; NOTFOUND in it when it is
 * not there. */
bool sek_rights_allow(const struct sek_rights *r, const char *path, int mode,
                      struct sek_diag *diag);
