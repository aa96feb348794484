/* SPDX-License-Identifier: BSD-3-Clause */
/* A file's octets once in memory for all processes of one user, in a folder that is memory (tmpfs)
 * and that nobody else writes: a mapped file elsewhere may be cut off or overwritten in place by
 * whoever keeps it, which ends a process (SIGBUS) or changes what it knows, and comes back from
 * disk when the kernel wants it to. Whoever unlinks it, those who have it mapped keep it. Any
 * thread. */
#pragma once
#include "base/err.h"
#include <stddef.h>

/* Map the shared copy at `path`, read-only (munmap). NOTFOUND; INVALID: of another size or user,
 * others may write it, or it is not in memory; NOMEM. What is in it the caller has to check. */
enum sek_err sek_share_open(const char *path, size_t size, void **out, struct sek_diag *diag);
/* Make it of the first `size` octets of a file, in place of what is there, and map it. INVALID: the
 * folder is not in memory. FULL: it would take more than half of what is free there. CORRUPT: the
 * file is shorter. */
enum sek_err sek_share_make(int from, size_t size, const char *path, void **out,
                            struct sek_diag *diag);
/* Remove all others in the path's folder whose names begin like its own, `n_common` characters. */
void sek_share_sweep(const char *path, size_t n_common);
