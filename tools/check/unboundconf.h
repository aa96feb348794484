/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of an unbound.conf that matter to us, includes followed. Not a checker of
 * unbound.conf: that is unbound-checkconf. One thread. */
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

/* Called for each value: of a key ("define-tag:") the first one (nth 0) and those behind it. */
typedef void sek_unboundconf_fn(void *arg, const char *key, unsigned nth, const char *value);
struct sek_unboundconf_walk {
    sek_unboundconf_fn *fn;
    void *arg;
    unsigned n_missing; /* as below */
    char missing[SEK_UNBOUNDCONF_TEXT_MAX];
};
/* All values in the order of the file. Only a main file that cannot be read is an error. */
enum sek_err sek_unboundconf_walk(const char *path, struct sek_unboundconf_walk *walk,
                                  struct sek_diag *diag);
/* Likewise. */
enum sek_err sek_unboundconf_read(const char *path, struct sek_unboundconf *out,
                                  struct sek_diag *diag);
