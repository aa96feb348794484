/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines for the host's log, where only threads of the host can write it because ours have
 * descriptors of their own (base/descriptors.h): they leave their lines here until one of the
 * host's comes by. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEK_TELL_LINES 24 /* that can wait; further ones are counted */
#define SEK_TELL_LINE_MAX 700

typedef void sek_tell_fn(void *arg, bool trouble, const char *text);

struct sek_tell {
    pthread_mutex_t lock; /* guards all from `n` on */
    _Atomic bool waiting;
    unsigned n;
    uint64_t lost;
    bool trouble[SEK_TELL_LINES];
    char text[SEK_TELL_LINES][SEK_TELL_LINE_MAX];
};

void sek_tell_init(struct sek_tell *t);
void sek_tell_fini(struct sek_tell *t);
/* Any thread. Longer text is cut. */
void sek_tell_put(struct sek_tell *t, bool trouble, const char *text);
/* A thread of the host: all that waits, in its order. Never waits itself: where another thread is
 * at it, nothing is told. */
void sek_tell_all(struct sek_tell *t, sek_tell_fn *fn, void *arg);

/* Does a line wait? For every query: one load. */
static inline bool sek_tell_waits(const struct sek_tell *t)
{
    return atomic_load_explicit(&t->waiting, memory_order_relaxed);
}
