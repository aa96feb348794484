/* SPDX-License-Identifier: BSD-3-Clause */
/* The few settings of an unbound.conf that matter to the module, includes followed. Not a checker
 * of unbound.conf: that is unbound-checkconf. One thread. */
#pragma once
#include "base/err.h"
#include <stdbool.h>

#define SEK_UNBOUNDCONF_FILES_MAX 8
#define SEK_UNBOUNDCONF_TEXT_MAX 512 /* octets; longer values are cut */

struct sek_unboundconf {
    char module_config[SEK_UNBOUNDCONF_TEXT_MAX]; /* "" if not set */
    char dynlib_file[SEK_UNBOUNDCONF_FILES_MAX][SEK_UNBOUNDCONF_TEXT_MAX];
    unsigned n_dynlib_files;
    char username[SEK_UNBOUNDCONF_TEXT_MAX];
    bool username_set;                      /* also when set to "" */
    char chroot[SEK_UNBOUNDCONF_TEXT_MAX];  /* "" if not set, or none */
    unsigned n_missing;                     /* included files that could not be read */
    char missing[SEK_UNBOUNDCONF_TEXT_MAX]; /* the first of them */
};

/* Only a main file that cannot be read is an error. */
enum sek_err sek_unboundconf_read(const char *path, struct sek_unboundconf *out,
                                  struct sek_diag *diag);
