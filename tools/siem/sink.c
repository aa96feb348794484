/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink.h"
#include "base/file.h"
#include "tools/caller.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/banned.h"

#define SEND_MS 10000 /* a receiver that takes nothing for so long is gone */

enum kind { STANDARD, FILE_OF_ITS_OWN, SYSLOG };

struct sek_sink {
    enum kind kind;
    char path[512]; /* of a file or a socket */
    char host[256], port[32];
    int fd;
    int type;   /* of the socket: SOCK_DGRAM, SOCK_STREAM */
    bool local; /* a socket of this machine */
    bool ended;
    uint64_t length; /* of the file: octets that are known to be whole lines */
};

static enum sek_err fail(const struct sek_sink *s, const char *what, struct sek_diag *diag)
{
    int errnum = errno;
    const char *name = s->kind == STANDARD ? "standard output" : *s->path ? s->path : s->host;
    return sek_diag_set(diag, sek_err_from_errno(errnum), "%s: cannot %s: %s", name, what,
                        strerrordesc_np(errnum));
}

static enum sek_err new_sink(enum kind kind, struct sek_sink **out, struct sek_diag *diag)
{
    struct sek_sink *s = calloc(1, sizeof *s);
    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    s->kind = kind;
    s->fd = -1;
    *out = s;
    return SEK_OK;
}

enum sek_err sek_sink_stdout(struct sek_sink **out, struct sek_diag *diag)
{
    return new_sink(STANDARD, out, diag);
}

void sek_sink_close(struct sek_sink *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

bool sek_sink_ended(const struct sek_sink *s)
{
    return s->ended;
}

/* --- a file ------------------------------------------------------------------------------------
 */

static enum sek_err open_file(struct sek_sink *s, struct sek_diag *diag)
{
    struct stat st;
    sek_caller_begin();
    int fd =
        open(s->path,
             O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
    sek_caller_end();
    if (fd < 0)
        return fail(s, "write", diag);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return sek_diag_set(diag, SEK_E_INVALID, "%s: is no regular file", s->path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return sek_diag_set(diag, SEK_E_BUSY, "%s: somebody else appends to it", s->path);
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = fd;
    s->length = (uint64_t)st.st_size;
    return SEK_OK;
}

/* Cut off what a run wrote behind what it could say. */
static void cut(int fd, const struct stat *st, const struct sek_cursor_output *was)
{
    if ((uint64_t)st->st_size > was->length)
        (void)!ftruncate(fd, (off_t)was->length);
}

static bool is_that(const struct stat *st, const struct sek_cursor_output *was)
{
    return (uint64_t)st->st_dev == was->dev && (uint64_t)st->st_ino == was->ino;
}

/* The file was renamed since: look for it in its folder. */
static void cut_renamed(const char *path, const struct sek_cursor_output *was)
{
    char folder[512];
    const char *slash = strrchr(path, '/');
    struct dirent *entry;
    struct stat st;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode) || !is_that(&st, was))
            continue;
        int fd = openat(dirfd(dir), entry->d_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &st) == 0 && is_that(&st, was))
            cut(fd, &st, was);
        if (fd >= 0)
            close(fd);
        break;
    }
    if (dir)
        closedir(dir);
}

enum sek_err sek_sink_file(const char *path, const struct sek_cursor_output *was,
                           struct sek_sink **out, struct sek_diag *diag)
{
    struct sek_sink *s = NULL;
    struct stat st;
    if (!*path)
        return sek_diag_set(diag, SEK_E_INVALID, "the output needs the name of a file");
    if (strlen(path) >= sizeof s->path)
        return sek_diag_set(diag, SEK_E_LIMIT, "%.200s: path too long", path);
    enum sek_err err = new_sink(FILE_OF_ITS_OWN, &s, diag);
    if (err)
        return err;
    snprintf(s->path, sizeof s->path, "%s", path);
    err = open_file(s, diag);
    if (!err && was->known && fstat(s->fd, &st) == 0) {
        if (is_that(&st, was)) {
            cut(s->fd, &st, was);
            s->length = s->length > was->length ? was->length : s->length;
        } else {
            sek_caller_begin();
            cut_renamed(path, was);
            sek_caller_end();
        }
    }
    if (err) {
        sek_sink_close(s);
        return err;
    }
    *out = s;
    return SEK_OK;
}

static enum sek_err file_ready(struct sek_sink *s, struct sek_cursor_output *out_mark,
                               struct sek_diag *diag)
{
    struct stat st, at_path;
    enum sek_err err = SEK_OK;
    if (fstat(s->fd, &st) != 0)
        return fail(s, "look at", diag);
    sek_caller_begin();
    bool moved =
        lstat(s->path, &at_path) != 0 || at_path.st_dev != st.st_dev || at_path.st_ino != st.st_ino;
    sek_caller_end();
    if (moved)
        err = open_file(s, diag);
    else
        s->length = (uint64_t)st.st_size; /* others may cut it off (copytruncate) or append */
    if (err || (moved && fstat(s->fd, &st) != 0))
        return err ? err : fail(s, "look at", diag);
    *out_mark =
        (struct sek_cursor_output){true, (uint64_t)st.st_dev, (uint64_t)st.st_ino, s->length};
    return SEK_OK;
}

static enum sek_err file_write(struct sek_sink *s, const char *lines, size_t len,
                               struct sek_cursor_output *mark, struct sek_diag *diag)
{
    enum sek_err err = sek_file_write(s->fd, lines, len, diag);
    if (!err && fdatasync(s->fd) != 0)
        err = fail(s, "write", diag);
    if (err) { /* half a line, or lines that come again */
        (void)!ftruncate(s->fd, (off_t)s->length);
        return sek_diag_wrap(diag, "%s", s->path);
    }
    s->length += len;
    mark->length = s->length;
    return SEK_OK;
}

/* --- syslog ------------------------------------------------------------------------------------
 */

enum sek_err sek_sink_syslog(const char *where, struct sek_sink **out, struct sek_diag *diag)
{
    struct sek_sink *s = NULL;
    enum sek_err err = new_sink(SYSLOG, &s, diag);
    if (err)
        return err;
    s->local = *where == '/';
    s->type = s->local || strncmp(where, "udp:", 4) == 0 ? SOCK_DGRAM : SOCK_STREAM;
    if (s->local && strlen(where) < sizeof((struct sockaddr_un *)0)->sun_path) {
        snprintf(s->path, sizeof s->path, "%s", where);
        *out = s;
        return SEK_OK;
    }
    const char *text =
        strncmp(where, "udp:", 4) == 0 || strncmp(where, "tcp:", 4) == 0 ? where + 4 : where;
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';
    bool bare_v6 = colon && !brackets && memchr(text, ':', n);
    if (s->local || !colon || n == 0 || bare_v6 || n >= sizeof s->host || !colon[1] ||
        strlen(colon + 1) >= sizeof s->port) {
        sek_sink_close(s);
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.100s\" is neither a socket's absolute path nor host:port", where);
    }
    snprintf(s->host, sizeof s->host, "%.*s", (int)(brackets ? n - 2 : n), text + brackets);
    snprintf(s->port, sizeof s->port, "%s", colon + 1);
    *out = s;
    return SEK_OK;
}

static void disconnect(struct sek_sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static enum sek_err connect_local(struct sek_sink *s, struct sek_diag *diag)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%.107s", s->path);
    for (int i = 0; i < 2; i++) {
        s->type = i ? SOCK_STREAM : SOCK_DGRAM;
        s->fd = socket(AF_UNIX, s->type | SOCK_CLOEXEC, 0);
        sek_caller_begin();
        bool connected = s->fd >= 0 && connect(s->fd, (struct sockaddr *)&to, sizeof to) == 0;
        sek_caller_end();
        if (connected)
            return SEK_OK;
        int errnum = errno;
        disconnect(s);
        errno = errnum;
        if (errnum != EPROTOTYPE)
            break;
    }
    return fail(s, "connect", diag);
}

/* Within SEND_MS. */
static bool connect_in_time(int fd, const struct sockaddr *to, socklen_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int errnum = 0;
    socklen_t size = sizeof errnum;
    if (connect(fd, to, len) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    if (poll(&p, 1, SEND_MS) <= 0) {
        errno = ETIMEDOUT;
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &size) != 0 || errnum == 0)
        return errnum == 0;
    errno = errnum;
    return false;
}

static enum sek_err connect_host(struct sek_sink *s, struct sek_diag *diag)
{
    struct addrinfo hints = {.ai_socktype = s->type}, *all = NULL;
    int rc = getaddrinfo(s->host, s->port, &hints, &all);
    if (rc != 0)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "%s port %s: %s", s->host, s->port,
                            gai_strerror(rc));
    errno = EHOSTUNREACH;
    for (const struct addrinfo *a = all; a && s->fd < 0; a = a->ai_next) {
        s->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (s->fd >= 0 && !connect_in_time(s->fd, a->ai_addr, a->ai_addrlen)) {
            int errnum = errno;
            disconnect(s);
            errno = errnum;
        }
    }
    freeaddrinfo(all);
    return s->fd >= 0 ? SEK_OK : fail(s, "connect", diag);
}

/* All octets of a stream, or one datagram; false: errno tells. */
static bool send_all(struct sek_sink *s, const char *data, size_t len)
{
    do {
        ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (poll(&p, 1, SEND_MS) <= 0) {
                errno = ETIMEDOUT;
                return false;
            }
        } else if (errno != EINTR) {
            return false;
        }
    } while (len > 0);
    return true;
}

/* A stream's other end may have closed it since the last write: that shows only by reading. */
static void notice_end(struct sek_sink *s)
{
    char octet;
    if (s->fd >= 0 && s->type == SOCK_STREAM &&
        recv(s->fd, &octet, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
        disconnect(s);
}

static enum sek_err syslog_write(struct sek_sink *s, const char *lines, size_t len,
                                 struct sek_diag *diag)
{
    char count[24];
    notice_end(s);
    enum sek_err err = SEK_OK;
    if (s->fd < 0)
        err = s->local ? connect_local(s, diag) : connect_host(s, diag);
    for (const char *end = lines + len; !err && lines < end;) {
        const char *stop = memchr(lines, '\n', (size_t)(end - lines));
        size_t n = (size_t)((stop ? stop : end) - lines);
        /* a local stream ends messages as syslog(3) does: by a NUL */
        int head =
            s->type == SOCK_STREAM && !s->local ? snprintf(count, sizeof count, "%zu ", n) : 0;
        if ((head && !send_all(s, count, (size_t)head)) || !send_all(s, lines, n) ||
            (s->type == SOCK_STREAM && s->local && !send_all(s, "", 1))) {
            err = fail(s, "send", diag);
            disconnect(s);
        }
        lines += n + 1;
    }
    return err;
}

/* --- all ---------------------------------------------------------------------------------------
 */

enum sek_err sek_sink_ready(struct sek_sink *s, struct sek_cursor_output *out_mark,
                            struct sek_diag *diag)
{
    *out_mark = (struct sek_cursor_output){.known = false};
    return s->kind == FILE_OF_ITS_OWN ? file_ready(s, out_mark, diag) : SEK_OK;
}

enum sek_err sek_sink_write(struct sek_sink *s, const char *lines, size_t len,
                            struct sek_cursor_output *out_mark, struct sek_diag *diag)
{
    if (s->kind == FILE_OF_ITS_OWN)
        return file_write(s, lines, len, out_mark, diag);
    if (s->kind == SYSLOG)
        return syslog_write(s, lines, len, diag);
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, lines, len);
        s->ended = n < 0 && errno == EPIPE;
        if (n < 0 && errno != EINTR)
            return fail(s, "write", diag);
        lines += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return SEK_OK;
}
