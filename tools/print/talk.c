/* SPDX-License-Identifier: BSD-3-Clause */
#include "talk.h"
#include "safe.h"
#include "veil.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define SHOW_AFTER_MS 1000
#define REDRAW_MS 100

void sek_talk(const char *fmt, ...)
{
    struct sek_buf text, safe; /* never cut: half an address is no longer known as one's */
    va_list args;
    sek_buf_init(&text, 0);
    sek_buf_init(&safe, 0);
    va_start(args, fmt);
    sek_buf_add_args(&text, fmt, args);
    va_end(args);
    if (text.data && !text.failed)
        sek_safe_add(&safe, sek_veil(SEK_VEIL_TEXT, text.data, NULL));
    fprintf(stderr, "sekisho: %s\n", safe.data && !safe.failed ? safe.data : "(out of memory)");
    sek_buf_fini(&safe);
    sek_buf_fini(&text);
}

void sek_print(const char *lines)
{
    fputs(sek_veil(SEK_VEIL_TEXT, lines, NULL), stdout);
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sek_progress_begin(struct sek_progress *p, const char *what)
{
    *p = (struct sek_progress){
        .what = what, .terminal = isatty(STDERR_FILENO) == 1, .begun_ms = now_ms()};
}

void sek_progress_show(void *arg, unsigned permille)
{
    struct sek_progress *p = arg;
    if (!p->terminal)
        return;
    long long now = now_ms(), taken = now - p->begun_ms;
    if (taken < SHOW_AFTER_MS || now - p->drawn_ms < REDRAW_MS)
        return;
    p->drawn_ms = now;
    p->shown = true;
    if (permille > 1000)
        fprintf(stderr, "\r%s … %lld s \033[K", p->what, taken / 1000);
    else
        fprintf(stderr, "\r%s … %u %% \033[K", p->what, permille / 10);
    fflush(stderr);
}

void sek_progress_end(struct sek_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
