/* SPDX-License-Identifier: BSD-3-Clause */
/* Work that is not trusted, in a process of its own: without root's rights, in a bare environment,
 * with an end in time and in size. Its standard output becomes a file in memory. One thread. */
#pragma once
#include "base/err.h"
#include <stdint.h>

struct sek_child {
    char *const *argv; /* a command, found by a fixed PATH; NULL: fn */
    /* Runs in the child: writes its result to out_fd, and to what is shared. */
    enum sek_err (*fn)(void *arg, int out_fd, struct sek_diag *diag);
    void *arg;
    const char *user; /* whom it runs as when we are root */
    int64_t timeout_s;
    uint64_t max_octets;
};

/* *out_fd: what it wrote, at its beginning; the caller closes it. An exit status other than 0 is an
 * error, with the last line that it wrote to standard error. IO: it failed or took too long; LIMIT:
 * too large; DENIED: the user cannot be taken on. */
enum sek_err sek_child_run(const struct sek_child *child, int *out_fd, struct sek_diag *diag);
