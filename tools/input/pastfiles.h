/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of past traffic in the order of their first records. One thread. */
#pragma once
#include "base/err.h"
#include "replay/source.h"
#include <stdbool.h>
#include <stdint.h>

struct sek_past_file {
    const char *path; /* borrowed */
    bool readable;    /* else it was told why not */
    int64_t
        first_ms; /* of its first record; INT64_MAX: there is none, or it is not known (a pipe) */
    uint64_t octets; /* on disk; 0: not known */
};

struct sek_past_files {
    struct sek_past_file *all;
    unsigned n, n_unreadable;
    uint64_t octets; /* of all */
};

/* "-": standard input, which comes last. Fails for lack of memory only. */
enum sek_err sek_past_files_look(const char *const *paths, unsigned n, int64_t now_s,
                                 struct sek_past_files *out, struct sek_diag *diag);
/* sek_source_open, with the caller's rights. */
enum sek_err sek_past_file_open(const char *path, int64_t now_s, struct sek_source **out,
                                struct sek_diag *diag);
void sek_past_files_fini(struct sek_past_files *f);
