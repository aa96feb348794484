/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/news.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/banned.h"

#define LATE_MS 2000 /* a line that waited longer says so: the log's own time is that of telling   \
                      */

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sek_news_init(struct sek_news *news)
{
    memset(news, 0, sizeof *news);
    pthread_mutex_init(&news->lock, NULL);
}

void sek_news_fini(struct sek_news *news)
{
    pthread_mutex_destroy(&news->lock);
}

void sek_news_put(struct sek_news *news, bool trouble, const char *text)
{
    pthread_mutex_lock(&news->lock);
    if (news->n < SEK_NEWS_LINES) {
        struct sek_news_line *line = &news->line[news->n++];
        line->time_ms = monotonic_ms();
        line->trouble = trouble;
        snprintf(line->text, sizeof line->text, "%s", text);
    } else {
        news->n_left_out++;
    }
    atomic_store_explicit(&news->waiting, true, memory_order_relaxed);
    pthread_mutex_unlock(&news->lock);
}

static void tell_line(const struct sek_news_line *line, int64_t now_ms, sek_say_fn *say, void *arg)
{
    char text[SEK_NEWS_TEXT + 32];
    int64_t waited_ms = now_ms - line->time_ms;
    if (waited_ms < LATE_MS) {
        say(arg, line->trouble, line->text);
        return;
    }
    snprintf(text, sizeof text, "%s (%lld s ago)", line->text, (long long)(waited_ms / 1000));
    say(arg, line->trouble, text);
}

void sek_news_tell(struct sek_news *news, sek_say_fn *say, void *arg)
{
    struct sek_news_line line[SEK_NEWS_LINES];
    if (pthread_mutex_trylock(&news->lock) != 0)
        return;
    unsigned n = news->n, n_left_out = news->n_left_out;
    memcpy(line, news->line, n * sizeof *line);
    news->n = news->n_left_out = 0;
    atomic_store_explicit(&news->waiting, false, memory_order_relaxed);
    pthread_mutex_unlock(&news->lock); /* our threads must not wait for the host's log */
    for (unsigned i = 0; say && i < n; i++)
        tell_line(&line[i], monotonic_ms(), say, arg);
    if (say && n_left_out) {
        char text[64];
        snprintf(text, sizeof text, "%u further lines left out", n_left_out);
        say(arg, false, text);
    }
}
