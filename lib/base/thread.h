/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads of ours inside a host process, which must notice them as little as possible. They block
 * all signals, which belong to the host's threads, and have a table of file descriptors of their
 * own: while threads share one, the kernel counts references on every file call of each, and a
 * resolver of one thread makes several a query (fdget in Linux' fs/file.c; measured: 3 to 7 % of a
 * cache miss). So such a thread starts with descriptors 0 to 2 only, keeps what it opens to
 * itself, and must not touch a FILE or a socket of the host's. */
#pragma once
#include "base/err.h"
#include <pthread.h>

#define SEK_THREAD_NAME_MAX 15 /* octets, pthread_setname_np(3) */

/* Start `run(arg)`. name: as shown by ps -T, a literal. Returns SEK_E_NOMEM or SEK_E_LIMIT. */
enum sek_err sek_thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg,
                              struct sek_diag *diag);
