/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define HUGE_PAGE ((size_t)2 << 20) /* octets; where they are larger, small ones will do */

static enum sek_err fail(struct sek_diag *diag, int errnum, const char *what, const char *path)
{
    char why[128];

    /* the GNU form: returns the text, thread-safe */
    return sek_diag_set(diag, sek_err_from_errno(errnum), "%s: %s: %s", path, what,
                        strerror_r(errnum, why, sizeof(why)));
}

static const char *kind_text(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe (FIFO)";
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    if (S_ISSOCK(mode))
        return "a socket";
    return "something else";
}

static enum sek_err not_regular(struct sek_diag *diag, const char *path, mode_t mode)
{
    if (S_ISLNK(mode))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "%s: is a symbolic link; name the file it points to", path);
    return sek_diag_set(diag, SEK_E_INVALID, "%s: is not a regular file but %s", path,
                        kind_text(mode));
}

enum sek_err sek_file_new_open(const char *path, mode_t mode, struct sek_file_new *out,
                               struct sek_diag *diag)
{
    struct sek_file_new f = {.fd = -1};
    size_t len = strlen(path);
    struct stat st;
    int errnum;

    if (len == 0 || path[len - 1] == '/')
        return sek_diag_set(diag, SEK_E_INVALID, "'%s' is not a file name", path);
    if ((size_t)snprintf(f.tmp, sizeof(f.tmp), "%s.tmp.XXXXXX", path) >= sizeof(f.tmp))
        return sek_diag_set(diag, SEK_E_LIMIT, "%s: path is too long", path);
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return not_regular(diag, path, st.st_mode);
    memcpy(f.path, path, len + 1);
    f.fd = mkostemp(f.tmp, O_CLOEXEC);
    if (f.fd < 0)
        return fail(diag, errno, "cannot create a file beside it", path);
    /* mkostemp made it 0600; the wanted mode must not depend on the caller's umask */
    if (fchmod(f.fd, mode) != 0) {
        errnum = errno;
        sek_file_new_abort(&f);
        return fail(diag, errnum, "cannot set the mode", path);
    }
    *out = f;
    return SEK_OK;
}

/* The folder of a path, opened for fsync. */
static int open_folder(const char *path)
{
    char folder[sizeof(((struct sek_file_new *)0)->path)];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (!slash)
        memcpy(folder, ".", 2);
    else if (len == 0)
        memcpy(folder, "/", 2);
    else {
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum sek_err sek_file_new_commit(struct sek_file_new *f, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    int folder = -1;

    if (f->fd < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "no new file is open");
    folder = open_folder(f->path);
    if (folder < 0)
        err = fail(diag, errno, "cannot open its folder", f->path);
    else if (fsync(f->fd) != 0)
        err = fail(diag, errno, "cannot write to disk", f->path);
    else if (rename(f->tmp, f->path) != 0)
        err = fail(diag, errno, "cannot replace it", f->path);
    if (err == SEK_OK) {
        f->tmp[0] = '\0';
        /* EINVAL: a file system that has no such thing as writing out a folder */
        if (fsync(folder) != 0 && errno != EINVAL)
            err = fail(diag, errno, "replaced, but its folder may not be on disk", f->path);
    }
    if (folder >= 0)
        close(folder);
    sek_file_new_abort(f);
    return err;
}

void sek_file_new_abort(struct sek_file_new *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->fd >= 0 && f->tmp[0])
        unlink(f->tmp);
    f->fd = -1;
    f->tmp[0] = '\0';
}

enum sek_err sek_file_write(int fd, const void *data, size_t n, struct sek_diag *diag)
{
    const char *p = data;
    char why[128];

    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            int errnum = done < 0 ? errno : EIO;
            return sek_diag_set(diag, sek_err_from_errno(errnum), "cannot write: %s",
                                strerror_r(errnum, why, sizeof(why)));
        }
        p += done;
        n -= (size_t)done;
    }
    return SEK_OK;
}

enum sek_err sek_file_new_write(const struct sek_file_new *f, const void *data, size_t n,
                                struct sek_diag *diag)
{
    enum sek_err err = sek_file_write(f->fd, data, n, diag);
    if (err)
        sek_diag_wrap(diag, "%s", f->path);
    return err;
}

static enum sek_err open_checked(const char *path, int flags, int *out_fd, struct sek_diag *diag)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | flags);
    struct stat st;

    if (fd < 0 && errno == ELOOP && (flags & O_NOFOLLOW))
        return not_regular(diag, path, S_IFLNK);
    if (fd < 0 && errno == ENXIO)
        return not_regular(diag, path, S_IFSOCK);
    if (fd < 0)
        return fail(diag, errno, "cannot open", path);
    if (fstat(fd, &st) != 0) {
        int errnum = errno;
        close(fd);
        return fail(diag, errnum, "cannot examine", path);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return not_regular(diag, path, st.st_mode);
    }
    *out_fd = fd;
    return SEK_OK;
}

enum sek_err sek_file_open_regular(const char *path, int *out_fd, struct sek_diag *diag)
{
    return open_checked(path, O_NOFOLLOW, out_fd, diag);
}

enum sek_err sek_file_open_trusted(const char *path, int *out_fd, struct sek_diag *diag)
{
    return open_checked(path, 0, out_fd, diag);
}

enum sek_err sek_file_read(int fd, struct sek_buf *out, struct sek_diag *diag)
{
    char chunk[16384], why[128];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int errnum = errno;
            return sek_diag_set(diag, sek_err_from_errno(errnum), "cannot read: %s",
                                strerror_r(errnum, why, sizeof(why)));
        }
        if (n == 0)
            return SEK_OK;
        sek_buf_add(out, chunk, (size_t)n);
        if (out->failed)
            return sek_diag_set(diag, SEK_E_LIMIT, "larger than the %zu octets allowed here",
                                out->cap);
    }
}

/* Fill `map` with the file's octets. */
static enum sek_err read_into(int fd, uint8_t *map, size_t size, struct sek_diag *diag)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, map + at, size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sek_diag_set(diag, sek_err_from_errno(errno), "cannot read");
        if (n == 0)
            return sek_diag_set(diag, SEK_E_CORRUPT, "was cut off while it was read");
        at += (size_t)n;
    }
    return SEK_OK;
}

/* Zeroed memory for `size` octets, to be given back by munmap. It starts where a huge page can, so
 * that the kernel may use such: a lookup reads one word at a random place of a large table, and
 * with small pages waits for the page tables too. NULL: none left. */
static void *map_new(size_t size)
{
    size_t whole = size + HUGE_PAGE;
    uint8_t *all = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = -(uintptr_t)all % HUGE_PAGE, used = (size + page - 1) / page * page;
    if (before > 0)
        munmap(all, before);
    munmap(all + before + used, whole - before - used);
    madvise(all + before, used, MADV_HUGEPAGE); /* refused: small pages will do */
    return all + before;
}

enum sek_err sek_file_copy(int fd, size_t size, void **out, struct sek_diag *diag)
{
    void *map = map_new(size);
    if (!map)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for %zu octets", size);
    enum sek_err err = read_into(fd, map, size, diag);
    if (err == SEK_OK && mprotect(map, size, PROT_READ) != 0)
        err = sek_diag_set(diag, sek_err_from_errno(errno), "cannot protect its copy in memory");
    if (err != SEK_OK)
        munmap(map, size);
    else
        *out = map;
    return err;
}

enum sek_err sek_file_map(int fd, size_t size, void **out, struct sek_diag *diag)
{
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

    if (map == MAP_FAILED)
        return sek_diag_set(diag, sek_err_from_errno(errno), "cannot map");
    *out = map;
    return SEK_OK;
}
