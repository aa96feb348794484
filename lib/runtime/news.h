/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines for the host's log that our own threads have to say. They cannot write there themselves
 * (base/thread.h), so the lines wait here until a thread of the host's takes them. */
#pragma once
#include "base/err.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SEK_NEWS_TEXT 700
#define SEK_NEWS_LINES 8 /* changes of state are rare; more than this at once is repetition */

struct sek_news_line {
    int64_t time_ms; /* monotonic */
    bool trouble;
    char text[SEK_NEWS_TEXT];
};

struct sek_news {
    _Atomic bool waiting;
    pthread_mutex_t lock; /* guards the rest */
    unsigned n, n_left_out;
    struct sek_news_line line[SEK_NEWS_LINES];
};

void sek_news_init(struct sek_news *news);
void sek_news_fini(struct sek_news *news);

/* Any thread. A line that finds no room is counted; the last line told says how many. */
void sek_news_put(struct sek_news *news, bool trouble, const char *text);

/* Say what waits, oldest first, on the calling thread. Never waits: while another thread holds the
 * lines, they are left to the next call. */
void sek_news_tell(struct sek_news *news, sek_say_fn *say, void *arg);

/* What a worker asks for every query: one relaxed load. */
static inline bool sek_news_waiting(const struct sek_news *news)
{
    return atomic_load_explicit(&news->waiting, memory_order_relaxed);
}
