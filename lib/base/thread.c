/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/thread.h"
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define FIRST_OF_HOST 3 /* standard input, output and error stay */

struct start {
    const char *name;
    void *(*run)(void *);
    void *arg;
};

static void *thread_main(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    pthread_setname_np(pthread_self(), start.name);
    /* Fails on Linux before 5.9 or under a strict seccomp filter: the table stays shared then,
     * which is slower and does no harm. */
    close_range(FIRST_OF_HOST, UINT_MAX, CLOSE_RANGE_UNSHARE);
    return start.run(start.arg);
}

enum sek_err sek_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg,
                              struct sek_diag *diag)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return sek_diag_set(diag, SEK_E_NOMEM, "thread %s: out of memory", name);
    *start = (struct start){.name = name, .run = run, .arg = arg};
    sigset_t all, before; /* a new thread inherits the mask */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(out, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        return SEK_OK;
    free(start);
    return sek_diag_set(diag, SEK_E_LIMIT, "thread %s: %s", name, strerror(rc));
}
