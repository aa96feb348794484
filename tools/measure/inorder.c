/* SPDX-License-Identifier: BSD-3-Clause */
/* Every thread does the same: takes the next lines from the input, works on them, waits for its
 * turn, writes. No thread directs the others, so that none sleeps in a read while results wait. */
#include "inorder.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define BLOCK (64u * 1024) /* octets read at a time: what a pipe holds */

struct stream {
    int in;
    FILE *out;
    sek_inorder_fn *fn;
    const void *arg;
    pthread_mutex_t reading; /* guards the next three */
    bool ended;
    uint64_t n_taken;
    struct sek_inorder_out rest; /* the beginning of a line whose end is still to come */
    pthread_mutex_t writing;     /* guards the next two */
    uint64_t n_written;
    enum sek_err err;
    pthread_cond_t turn;
    struct sek_diag *diag;
};

bool sek_inorder_reserve(struct sek_inorder_out *out, size_t n)
{
    size_t cap = out->cap ? out->cap : BLOCK;
    char *text;

    if (out->cap - out->n >= n)
        return true;
    while (cap - out->n < n)
        cap *= 2;
    text = realloc(out->text, cap);
    if (!text)
        return false;
    out->text = text;
    out->cap = cap;
    return true;
}

/* What has come in; 0 at the end, below 0 with errno. */
static ssize_t read_some(int fd, struct sek_inorder_out *to)
{
    ssize_t n;

    if (!sek_inorder_reserve(to, BLOCK + 1)) { /* and the newline that may be missing */
        errno = ENOMEM;
        return -1;
    }
    do
        n = read(fd, to->text + to->n, BLOCK);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Whole lines into `lines`, the octets behind them into s->rest. Called with s->reading held. */
static enum sek_err fill(struct stream *s, struct sek_inorder_out *lines)
{
    const char *last = NULL;
    ssize_t n;

    lines->n = 0;
    if (!sek_inorder_reserve(lines, s->rest.n + 1))
        return SEK_E_NOMEM;
    memcpy(lines->text, s->rest.text ? s->rest.text : "", s->rest.n);
    lines->n = s->rest.n;
    s->rest.n = 0;
    while (!last) {
        n = read_some(s->in, lines);
        if (n < 0)
            return sek_err_from_errno(errno);
        if (n == 0) {
            s->ended = true;
            if (lines->n > 0)
                lines->text[lines->n++] = '\n';
            return SEK_OK;
        }
        last = memrchr(lines->text + lines->n, '\n', (size_t)n);
        lines->n += (size_t)n;
    }
    n = lines->text + lines->n - (last + 1);
    if (!sek_inorder_reserve(&s->rest, (size_t)n + 1))
        return SEK_E_NOMEM;
    memcpy(s->rest.text, last + 1, (size_t)n);
    s->rest.n = (size_t)n;
    lines->n -= (size_t)n;
    return SEK_OK;
}

/* The next lines and their place in the order; false when there are none. */
static bool take(struct stream *s, struct sek_inorder_out *lines, uint64_t *out_place,
                 enum sek_err *out_err)
{
    bool some;

    pthread_mutex_lock(&s->reading);
    lines->n = 0;
    *out_err = s->ended ? SEK_OK : fill(s, lines);
    if (*out_err != SEK_OK)
        s->ended = true;
    some = lines->n > 0 || *out_err != SEK_OK;
    *out_place = s->n_taken;
    s->n_taken += some;
    pthread_mutex_unlock(&s->reading);
    return some;
}

static enum sek_err put(FILE *out, const struct sek_inorder_out *result)
{
    if (fwrite(result->text, 1, result->n, out) != result->n || fflush(out) != 0)
        return sek_err_from_errno(errno);
    return SEK_OK;
}

/* Write when all that comes before is written; `err` ends it all. */
static void give(struct stream *s, uint64_t place, const struct sek_inorder_out *result,
                 enum sek_err err, const char *what)
{
    pthread_mutex_lock(&s->writing);
    while (s->n_written != place)
        pthread_cond_wait(&s->turn, &s->writing);
    if (s->err == SEK_OK && err == SEK_OK) {
        err = put(s->out, result);
        what = "standard output: cannot write";
    }
    if (s->err == SEK_OK && err != SEK_OK)
        s->err = sek_diag_set(s->diag, err, "%s", what);
    s->n_written++;
    pthread_cond_broadcast(&s->turn);
    err = s->err;
    pthread_mutex_unlock(&s->writing);
    if (err == SEK_OK)
        return;
    pthread_mutex_lock(&s->reading);
    s->ended = true;
    pthread_mutex_unlock(&s->reading);
}

static void *work(void *arg)
{
    struct stream *s = arg;
    struct sek_inorder_out lines = {0}, result = {0};
    enum sek_err err;
    uint64_t place;

    while (take(s, &lines, &place, &err)) {
        const char *what = err == SEK_E_NOMEM ? "out of memory" : "standard input: cannot read";

        result.n = 0;
        if (err == SEK_OK && !s->fn(s->arg, lines.text, lines.n, &result)) {
            err = SEK_E_NOMEM;
            what = "out of memory";
        }
        give(s, place, &result, err, what);
    }
    free(lines.text);
    free(result.text);
    return NULL;
}

/* Processors that this process may use. */
static unsigned count_processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return n < 1 ? 1 : n > SEK_INORDER_THREADS_MAX ? SEK_INORDER_THREADS_MAX : (unsigned)n;
}

enum sek_err sek_inorder_run(int in, FILE *out, sek_inorder_fn *fn, const void *arg,
                             struct sek_diag *diag)
{
    struct stream s = {.in = in, .out = out, .fn = fn, .arg = arg, .diag = diag};
    pthread_t threads[SEK_INORDER_THREADS_MAX];
    unsigned wanted = count_processors() - 1, n = 0;

    pthread_mutex_init(&s.reading, NULL);
    pthread_mutex_init(&s.writing, NULL);
    pthread_cond_init(&s.turn, NULL);
    while (n < wanted && pthread_create(&threads[n], NULL, work, &s) == 0)
        n++; /* fewer threads are slower, no more */
    work(&s);
    while (n > 0)
        pthread_join(threads[--n], NULL);
    pthread_cond_destroy(&s.turn);
    pthread_mutex_destroy(&s.writing);
    pthread_mutex_destroy(&s.reading);
    free(s.rest.text);
    return s.err;
}
