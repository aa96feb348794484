/* SPDX-License-Identifier: BSD-3-Clause */
#include "handover.h"
#include "base/duration.h"
#include "base/file.h"
#include "event/status.h"
#include "observe/domains_conf.h"
#include "observe/intake.h"
#include "tools/print/talk.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define FLUSH_OCTETS 65536
#define LOOK_MS 50
#define WAIT_MS 600000 /* for an earlier import, and for this one */

/* root makes the files that the resolver's user must write: they get the owner of their folder. */
static void give_to_folder(int fd, const char *path)
{
    char folder[SEK_CONF_PATH_MAX + 8];
    struct stat st;
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (geteuid() == 0 && stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        sek_talk("%s: cannot be given to the owner of its folder: %s", path,
                 strerrordesc_np(errno));
}

static void say_done(const struct sek_domains *d, const char *how)
{
    struct sek_domains_stats st;
    char since[24];
    sek_domains_stats(d, &st);
    sek_talk("%s: %" PRIu64 " domains known, history since %s", how, st.n_known + st.n_absent,
             sek_time_to_text(sek_domains_since_s(d), since, sizeof since));
}

/* --- no resolver holds the store ---------------------------------------------------------------
 */

struct direct {
    struct sek_domains *domains;
    uint64_t n_overflow;
};

static enum sek_err note(void *arg, const struct sek_sighting *s)
{
    struct direct *d = arg;
    d->n_overflow += !sek_sighting_note(d->domains, s);
    return SEK_OK;
}

static enum sek_err write_store(struct sek_context *c, struct direct *d,
                                const struct sek_history *history, int64_t since_s)
{
    sek_history_each(history, note, d);
    if (since_s)
        sek_domains_set_since(d->domains, since_s);
    enum sek_err e = sek_domains_sync(d->domains, c->now_s, &c->diag);
    if (!e && d->n_overflow)
        sek_talk("%" PRIu64 " domains found no room: see domains.memory", d->n_overflow);
    if (!e)
        say_done(d->domains, "imported");
    return e;
}

/* A file that is new belongs to whom the resolver runs as. */
static void own_store(const char *path)
{
    int fd;
    if (sek_file_open_regular(path, &fd, NULL))
        return;
    give_to_folder(fd, path);
    close(fd);
}

/* --- a resolver does ---------------------------------------------------------------------------
 */

struct notes {
    struct sek_buf text;
    const struct sek_file_new *file;
    struct sek_diag *diag;
};

static enum sek_err flush(struct notes *n)
{
    enum sek_err e = n->text.failed
                         ? sek_diag_set(n->diag, SEK_E_NOMEM, "out of memory")
                         : sek_file_new_write(n->file, n->text.data, n->text.len, n->diag);
    sek_buf_reset(&n->text);
    return e;
}

static enum sek_err put_note(void *arg, const struct sek_sighting *s)
{
    struct notes *n = arg;
    sek_sighting_add_text(s, &n->text);
    return n->text.len < FLUSH_OCTETS ? SEK_OK : flush(n);
}

static enum sek_err write_notes(const struct sek_history *history, int64_t since_s,
                                const struct sek_file_new *file, struct sek_diag *diag)
{
    struct notes n = {.file = file, .diag = diag};
    char since[24];
    sek_buf_init(&n.text, 0);
    sek_buf_add_fmt(&n.text, "%s\n", SEK_SIGHTING_HEAD);
    if (since_s)
        sek_buf_add_fmt(&n.text, "%s%s\n", SEK_SIGHTING_SINCE,
                        sek_time_to_text(since_s, since, sizeof since));
    enum sek_err e = sek_history_each(history, put_note, &n);
    if (!e && n.text.len)
        e = flush(&n);
    sek_buf_fini(&n.text);
    return e;
}

static bool resolver_lives(const struct sek_conf *conf)
{
    return sek_status_lives(conf->status.path, (int64_t)time(NULL) * 1000);
}

/* Wait until the file is taken over. False: the resolver ended, or it takes too long. */
static bool wait_taken(const struct sek_conf *conf, const char *path)
{
    struct sek_progress progress;
    bool there = true;
    sek_progress_begin(&progress, "the resolver takes it over");
    for (int ms = 0; ms < WAIT_MS && (there = access(path, F_OK) == 0); ms += LOOK_MS) {
        if (ms % 1000 == 0 && !resolver_lives(conf))
            break;
        sek_progress_show(&progress, 1001);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    sek_progress_end(&progress);
    return !there;
}

/* Into its place, but never over an earlier import that waits there. */
static enum sek_err place(struct sek_context *c, const struct sek_conf *conf,
                          struct sek_file_new *file, const char *path)
{
    if (fsync(file->fd) != 0)
        return sek_diag_set(&c->diag, sek_err_from_errno(errno), "%s: cannot write: %s", file->tmp,
                            strerrordesc_np(errno));
    while (link(file->tmp, path) != 0) {
        if (errno != EEXIST)
            return sek_diag_set(&c->diag, sek_err_from_errno(errno), "%s: cannot make: %s", path,
                                strerrordesc_np(errno));
        sek_talk("an earlier import waits to be taken over");
        if (!wait_taken(conf, path))
            return sek_diag_set(&c->diag, SEK_E_BUSY,
                                "%s: an earlier import was not taken over; see Unbound's log",
                                path);
    }
    return SEK_OK;
}

static enum sek_err tell_taken(struct sek_context *c, const struct sek_conf *conf,
                               const char *store, const char *path)
{
    struct sek_domains *d;
    if (!wait_taken(conf, path)) {
        sek_talk("%s waits there until the resolver takes it over", path);
        c->exit = SEK_EXIT_DOWN;
        return SEK_OK;
    }
    if (sek_domains_open_read(store, &d, NULL) == SEK_OK) {
        say_done(d, "taken over by the resolver");
        sek_domains_close(d);
    }
    return SEK_OK;
}

static enum sek_err hand_over(struct sek_context *c, const struct sek_conf *conf,
                              const struct sek_history *history, int64_t since_s, const char *store)
{
    char path[SEK_INTAKE_PATH_MAX];
    struct sek_file_new file;
    sek_intake_path(store, path);
    enum sek_err e = sek_file_new_open(path, 0640, &file, &c->diag);
    if (e)
        return e;
    give_to_folder(file.fd, path);
    e = write_notes(history, since_s, &file, &c->diag);
    if (!e)
        e = place(c, conf, &file, path);
    sek_file_new_abort(&file); /* the name that it had before */
    return e ? e : tell_taken(c, conf, store, path);
}

/* --- either ------------------------------------------------------------------------------------
 */

enum sek_err sek_handover(struct sek_context *c, const struct sek_conf *conf,
                          const struct sek_suffix *suffix, const struct sek_history *history,
                          int64_t since_s)
{
    char store[SEK_CONF_PATH_MAX], aside[SEK_DOMAINS_ASIDE_MAX];
    struct sek_domains_conf want = sek_domains_conf_from(conf, suffix, store);
    struct direct d = {.domains = NULL};
    bool fresh = access(store, F_OK) != 0;
    enum sek_err e = sek_domains_open(&want, c->now_s, &d.domains, aside, &c->diag);
    if (e == SEK_E_BUSY)
        return hand_over(c, conf, history, since_s, store);
    if (e)
        return e;
    if (*aside)
        sek_talk("a damaged history was put aside as %s", aside);
    if (fresh || *aside)
        own_store(store);
    e = write_store(c, &d, history, since_s);
    sek_domains_close(d.domains);
    return e;
}
