/* SPDX-License-Identifier: BSD-3-Clause */
#include "child.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define SAID_MAX 1024 /* octets of standard error that are kept: its end */
#define PIECE 65536
#define WAIT_STEP_MS 5
#define ENVIRONMENT_MAX 32
#define EXIT_SETUP 125 /* before the command began */

/* In the child */

static void say(const struct sek_diag *diag)
{
    dprintf(STDERR_FILENO, "%s\n", diag->text);
}

/* Who may not become root again. */
static enum sek_err user_take(const char *user, struct sek_diag *diag)
{
    if (geteuid() != 0)
        return SEK_OK;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return sek_diag_set(diag, SEK_E_DENIED, "there is no user %s to run it as", user);
    if (pw->pw_uid == 0)
        return sek_diag_set(diag, SEK_E_DENIED, "user %s is root: name another one", user);
    if (setgroups(0, NULL) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 || setuid(0) == 0)
        return sek_diag_set(diag, SEK_E_DENIED, "cannot become user %s: %s", user,
                            strerrordesc_np(errno));
    return SEK_OK;
}

/* Of the environment only how to reach the network; the texts are those of ours. */
static void environment_take(void)
{
    static const char *const passed[] = {
        "http_proxy=", "https_proxy=", "no_proxy=", "HTTP_PROXY=", "HTTPS_PROXY=", "NO_PROXY="};
    static char *const fixed[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
        "LANG=C.UTF-8"};
    static char *bare[ENVIRONMENT_MAX + 1];
    size_t n = sizeof fixed / sizeof *fixed;
    memcpy(bare, fixed, sizeof fixed);
    for (char **at = environ; at && *at; at++)
        for (size_t i = 0; i < sizeof passed / sizeof *passed && n < ENVIRONMENT_MAX; i++)
            if (strncmp(*at, passed[i], strlen(passed[i])) == 0)
                bare[n++] = *at;
    environ = bare;
}

/* Nothing of ours but the three standard files. */
static enum sek_err set_apart(const struct sek_child *child, struct sek_diag *diag)
{
    const struct rlimit none = {0, 0};
    environment_take();
    setrlimit(RLIMIT_CORE, &none);
    umask(077);
    signal(SIGPIPE, SIG_DFL);
    if (chdir("/") != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sek_diag_set(diag, SEK_E_IO, "cannot be set apart: %s", strerrordesc_np(errno));
    return user_take(child->user, diag);
}

__attribute__((noreturn)) static void child_main(const struct sek_child *child, int out, int said,
                                                 pid_t parent)
{
    struct sek_diag diag;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
        _exit(EXIT_SETUP);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    if (set_apart(child, &diag)) {
        say(&diag);
        _exit(EXIT_SETUP);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user undoes it */
    if (child->argv) {
        execvp(child->argv[0], child->argv);
        sek_diag_set(&diag, SEK_E_IO, "%s: %s", child->argv[0], strerrordesc_np(errno));
        say(&diag);
        _exit(EXIT_SETUP);
    }
    enum sek_err err = child->fn(child->arg, STDOUT_FILENO, &diag);
    if (err)
        say(&diag);
    _exit(err ? 1 : 0);
}

/* In the parent */

struct watch {
    const struct sek_child *child;
    pid_t pid;
    int out, said; /* ends of pipes; -1: at their end */
    int file;
    uint64_t n_octets;
    int64_t end_ms;
    char tail[SAID_MAX];
    size_t n_tail;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void keep_tail(struct watch *w, const char *data, size_t n)
{
    if (n > SAID_MAX) {
        data += n - SAID_MAX;
        n = SAID_MAX;
    }
    if (w->n_tail + n > SAID_MAX) {
        size_t gone = w->n_tail + n - SAID_MAX;
        memmove(w->tail, w->tail + gone, w->n_tail - gone);
        w->n_tail -= gone;
    }
    memcpy(w->tail + w->n_tail, data, n);
    w->n_tail += n;
}

/* What came through one of the pipes. */
static enum sek_err take(struct watch *w, int *fd, struct sek_diag *diag)
{
    char piece[PIECE];
    ssize_t n = read(*fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR)
        return SEK_OK;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return SEK_OK;
    }
    if (fd == &w->said) {
        keep_tail(w, piece, (size_t)n);
        return SEK_OK;
    }
    w->n_octets += (uint64_t)n;
    if (w->n_octets > w->child->max_octets)
        return sek_diag_set(diag, SEK_E_LIMIT,
                            "gives more than the %" PRIu64 " octets allowed (--max-size)",
                            w->child->max_octets);
    return sek_file_write(w->file, piece, (size_t)n, diag);
}

static enum sek_err too_long(const struct watch *w, struct sek_diag *diag)
{
    return sek_diag_set(diag, SEK_E_IO, "took longer than %" PRId64 " s (--timeout)",
                        w->child->timeout_s);
}

static enum sek_err follow(struct watch *w, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    while (!err && (w->out >= 0 || w->said >= 0)) {
        struct pollfd p[] = {{.fd = w->out, .events = POLLIN}, {.fd = w->said, .events = POLLIN}};
        int64_t left = w->end_ms - now_ms();
        if (left <= 0)
            return too_long(w, diag);
        int n = poll(p, 2, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return sek_diag_set(diag, SEK_E_IO, "cannot wait: %s", strerrordesc_np(errno));
        if (n > 0 && p[0].revents)
            err = take(w, &w->out, diag);
        if (n > 0 && !err && p[1].revents)
            err = take(w, &w->said, diag);
    }
    return err;
}

/* Its last line that says something. */
static const char *last_line(struct watch *w)
{
    char *end = w->tail + w->n_tail, *at;
    while (end > w->tail && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    at = end;
    while (at > w->tail && at[-1] != '\n' && at[-1] != '\r')
        at--;
    static char line[SAID_MAX + 1];
    memcpy(line, at, (size_t)(end - at));
    line[end - at] = '\0';
    return line;
}

static enum sek_err outcome(struct watch *w, int status, struct sek_diag *diag)
{
    const char *line = last_line(w);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return SEK_OK;
    if (WIFSIGNALED(status))
        return sek_diag_set(diag, SEK_E_IO, "was ended by signal %d%s%s", WTERMSIG(status),
                            *line ? ": " : "", line);
    if (!w->child->argv || WEXITSTATUS(status) == EXIT_SETUP)
        return sek_diag_set(diag, SEK_E_IO, "%s", *line ? line : "could not be started");
    return sek_diag_set(diag, SEK_E_IO, "ended with status %d%s%s", WEXITSTATUS(status),
                        *line ? ": " : "", line);
}

/* It closed its files; that need not be its end. */
static enum sek_err await(struct watch *w, int *out_status, struct sek_diag *diag)
{
    const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
    while (waitpid(w->pid, out_status, WNOHANG) == 0) {
        if (now_ms() >= w->end_ms)
            return too_long(w, diag);
        nanosleep(&step, NULL);
    }
    return SEK_OK;
}

static enum sek_err run(struct watch *w, struct sek_diag *diag)
{
    int status = 0;
    w->end_ms = now_ms() + w->child->timeout_s * 1000;
    enum sek_err err = follow(w, diag);
    if (!err)
        err = await(w, &status, diag);
    if (err) { /* with all that it started */
        kill(-w->pid, SIGKILL);
        while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (!err)
        err = outcome(w, status, diag);
    if (!err && lseek(w->file, 0, SEEK_SET) != 0)
        err = sek_diag_set(diag, SEK_E_IO, "cannot read what it wrote");
    return err;
}

enum sek_err sek_child_run(const struct sek_child *child, int *out_fd, struct sek_diag *diag)
{
    int out[2] = {-1, -1}, said[2] = {-1, -1};
    struct watch *w = calloc(1, sizeof *w);
    pid_t parent = getpid();
    if (!w)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    w->child = child;
    w->file = memfd_create("feed", MFD_CLOEXEC);
    w->pid = -1;
    if (w->file >= 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(said, O_CLOEXEC) == 0)
        w->pid = fork();
    if (w->pid == 0)
        child_main(child, out[1], said[1], parent);
    enum sek_err err = w->pid < 0 ? sek_diag_set(diag, sek_err_from_errno(errno),
                                                 "cannot be started: %s", strerrordesc_np(errno))
                                  : SEK_OK;
    for (int i = 0; i < 2; i++) {
        int *end = i ? said : out;
        if (end[1] >= 0)
            close(end[1]);
    }
    w->out = out[0];
    w->said = said[0];
    if (!err)
        err = run(w, diag);
    if (w->out >= 0)
        close(w->out);
    if (w->said >= 0)
        close(w->said);
    if (err && w->file >= 0)
        close(w->file);
    else
        *out_fd = w->file;
    free(w);
    return err;
}
