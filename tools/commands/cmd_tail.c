/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/views/hitview.h"
#include "tools/print/talk.h"
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

SEK_COMMAND(tail);

#define POLL_MS 300
#define FROM_START (-1) /* after_id: all rows, oldest first; 0 would mean newest first */

enum { OPT_LINES = SEK_N_HIT_FILTERS, N_OPTS };
const struct sek_arg sek_cmd_tail_args[] = {
    SEK_HIT_FILTER_ROWS,
    [OPT_LINES] = {"lines", 0, SEK_ARG_NUMBER, "N", "begin with so many older rows; default 10",
                   NULL, 0, 1000000},
    [N_OPTS] = {0},
};

struct follow {
    struct sek_context *c;
    struct sek_hit_view view;
    struct sek_hit_filter filter;
    struct sek_report *report;
    const char *path;
    dev_t dev; /* of the open database: a damaged one is put aside and begun anew */
    ino_t ino;
    bool stopped; /* nobody reads any more */
    bool waiting; /* said that there is no database */
};

static bool show(void *arg, const struct sek_hit *hit)
{
    struct follow *f = arg;
    f->filter.after_id = hit->id;
    f->stopped = !sek_hit_view_row(&f->view, hit);
    return !f->stopped;
}

static bool oldest_seen(void *arg, const struct sek_hit *hit)
{
    *(int64_t *)arg = hit->id;
    return true;
}

/* Where to begin, so that the last `n` rows are shown: after_id, exclusive. */
static enum sek_err begin_at(struct follow *f, unsigned n)
{
    struct sek_hit_filter last = f->filter;
    int64_t id = 0;
    last.after_id = 0;
    last.limit = n ? n : 1;
    enum sek_err e = sek_report_hits(f->report, &last, oldest_seen, &id, &f->c->diag);
    if (n)
        id--; /* that row too */
    f->filter.after_id = id > 0 ? id : FROM_START;
    return e;
}

static void close_report(struct follow *f)
{
    sek_report_close(f->report);
    f->report = NULL;
}

/* Open the database if it is not, or not the file at the path any more. Absent is no error: it
 * comes. */
static enum sek_err keep_open(struct follow *f)
{
    struct stat st;
    bool there = stat(f->path, &st) == 0;
    if (f->report && there && st.st_dev == f->dev && st.st_ino == f->ino)
        return SEK_OK;
    bool again = f->report != NULL || f->waiting;
    close_report(f);
    enum sek_err e = there ? sek_report_open(f->path, &f->report, &f->c->diag) : SEK_E_NOTFOUND;
    /* One that is being made is not whole for a moment; that is no reason to end. */
    if (e == SEK_E_NOTFOUND || (e && again)) {
        if (!f->waiting)
            sek_talk("waiting for %s", f->path);
        f->waiting = true;
        return SEK_OK;
    }
    if (e)
        return e;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->waiting = false;
    if (again)
        f->filter.after_id = FROM_START;
    else
        e = begin_at(f, f->c->opt[OPT_LINES].given ? (unsigned)f->c->opt[OPT_LINES].number : 10);
    return e;
}

/* Sleep, but wake when the reader of our output goes away. */
static bool pause_until_next(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = 0};
    int n = poll(&out, 1, POLL_MS);
    return !sek_interrupted && !(n > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)));
}

static enum sek_err run(struct follow *f)
{
    do {
        enum sek_err e = keep_open(f);
        if (!e && f->report)
            e = sek_report_hits(f->report, &f->filter, show, f, &f->c->diag);
        if (e && e != SEK_E_BUSY) /* the writer holds it for a moment: next time */
            return e;
    } while (!f->stopped && !sek_interrupted && pause_until_next());
    return SEK_OK;
}

enum sek_err sek_cmd_tail(struct sek_context *c)
{
    struct follow f = {.c = c};
    struct sek_hit_texts texts;
    const struct sek_conf *conf;
    enum sek_err e = sek_hit_filter_read(c, &f.filter, &texts);
    if (!e)
        e = sek_context_conf(c, &conf);
    if (e) {
        sek_hit_texts_fini(&texts);
        return e;
    }
    f.path = conf->events.db;
    sek_interrupt_watch();
    sek_hit_view_init(&f.view, c, "sekisho.hits/1", SEK_OUT_LIVE);
    e = run(&f);
    sek_hit_view_fini(&f.view);
    close_report(&f);
    sek_hit_texts_fini(&texts);
    enum sek_err ended = sek_out_end(c->out, e ? NULL : &c->diag);
    return e ? e : ended;
}
