/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/tell.h"
#include <inttypes.h>
#include <stdio.h>
#include "base/banned.h"

void sek_tell_init(struct sek_tell *t)
{
    pthread_mutex_init(&t->lock, NULL);
    t->n = 0;
    t->lost = 0;
    atomic_init(&t->waiting, false);
}

void sek_tell_fini(struct sek_tell *t)
{
    pthread_mutex_destroy(&t->lock);
}

void sek_tell_put(struct sek_tell *t, bool trouble, const char *text)
{
    pthread_mutex_lock(&t->lock);
    if (t->n < SEK_TELL_LINES) {
        t->trouble[t->n] = trouble;
        snprintf(t->text[t->n++], SEK_TELL_LINE_MAX, "%s", text);
    } else {
        t->lost++;
    }
    atomic_store_explicit(&t->waiting, true, memory_order_relaxed);
    pthread_mutex_unlock(&t->lock);
}

void sek_tell_all(struct sek_tell *t, sek_tell_fn *fn, void *arg)
{
    if (pthread_mutex_trylock(&t->lock) != 0)
        return;
    for (unsigned i = 0; fn && i < t->n; i++)
        fn(arg, t->trouble[i], t->text[i]);
    if (fn && t->lost) {
        char line[80];
        snprintf(line, sizeof line, "%" PRIu64 " further lines were not kept", t->lost);
        fn(arg, true, line);
    }
    t->n = 0;
    t->lost = 0;
    atomic_store_explicit(&t->waiting, false, memory_order_relaxed);
    pthread_mutex_unlock(&t->lock);
}
