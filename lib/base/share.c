/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/share.h"
#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "base/banned.h"

#define HUGE_PAGE ((size_t)2 << 20) /* octets; where they are larger, small ones will do */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; refused by those before */
#endif

/* Map it where a huge page can start. */
static enum sek_err map(int fd, size_t size, int rights, uint8_t **out, struct sek_diag *diag)
{
    uint8_t *room =
        mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = -(uintptr_t)room % HUGE_PAGE, used = (size + page - 1) / page * page;
    int errnum = errno;
    uint8_t *all = MAP_FAILED;

    if (room != MAP_FAILED) {
        all = mmap(room + before, size, rights, MAP_SHARED | MAP_FIXED, fd, 0);
        errnum = errno;
        if (before > 0)
            munmap(room, before);
        munmap(room + before + used, size + HUGE_PAGE - before - used);
        if (all == MAP_FAILED)
            munmap(room + before, used);
    }
    if (all == MAP_FAILED)
        return sek_diag_set(diag, sek_err_from_errno(errnum), "cannot map");
    madvise(all, size, MADV_HUGEPAGE); /* refused: small pages will do */
    *out = all;
    return SEK_OK;
}

static enum sek_err in_memory(int fd, struct statfs *out, struct sek_diag *diag)
{
    if (fstatfs(fd, out) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "cannot examine");
    if (out->f_type != TMPFS_MAGIC)
        return sek_diag_set(diag, SEK_E_INVALID, "is not in memory");
    return SEK_OK;
}

static enum sek_err check(int fd, size_t size, struct sek_diag *diag)
{
    struct statfs fs;
    struct stat st;
    enum sek_err err = in_memory(fd, &fs, diag);

    if (err != SEK_OK)
        return err;
    if (fstat(fd, &st) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "cannot examine");
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
        return sek_diag_set(diag, SEK_E_INVALID, "others may write it");
    if ((size_t)st.st_size != size)
        return sek_diag_set(diag, SEK_E_INVALID, "has another size");
    return SEK_OK;
}

enum sek_err sek_share_open(const char *path, size_t size, void **out, struct sek_diag *diag)
{
    uint8_t *all = NULL;
    int fd;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);

    if (err != SEK_OK)
        return err;
    err = check(fd, size, diag);
    if (err == SEK_OK)
        err = map(fd, size, PROT_READ, &all, diag);
    close(fd);
    if (err != SEK_OK) {
        sek_diag_wrap(diag, "%s", path);
        return err;
    }
    madvise(all, size, MADV_POPULATE_READ); /* refused: each page when it is first read */
    *out = all;
    return SEK_OK;
}

static bool read_at(int fd, uint8_t *all, size_t from, size_t to)
{
    while (from < to) {
        ssize_t n = pread(fd, all + from, to - from, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += (size_t)n;
    }
    return true;
}

/* Read into the mapped copy. Huge pages take less than half of the time, and every process has all
 * of it at hand at once; a tmpfs seldom gives them by itself, but does when one page of each is
 * there and it is asked to. False: not this way. Where there is no room the reading fails; storing
 * by ourselves would end the process. */
static bool fill_huge(int from, size_t size, uint8_t *all)
{
    size_t huge = size / HUGE_PAGE * HUGE_PAGE;

    for (size_t at = 0; at < huge; at += HUGE_PAGE)
        if (!read_at(from, all, at, at + 1))
            return false;
    return madvise(all, huge, MADV_COLLAPSE) == 0 && read_at(from, all, 0, size);
}

static enum sek_err copy(int to, int from, size_t size, struct sek_diag *diag)
{
    off_t at = 0;

    while ((size_t)at < size) {
        ssize_t n = sendfile(to, from, &at, size - (size_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sek_diag_set(diag, sek_err_from_errno(errno), "cannot copy");
        if (n == 0)
            return sek_diag_set(diag, SEK_E_CORRUPT, "was cut off while it was read");
    }
    return SEK_OK;
}

static enum sek_err make_room(int fd, size_t size, struct sek_diag *diag)
{
    struct statfs fs;
    enum sek_err err = in_memory(fd, &fs, diag);

    if (err != SEK_OK)
        return err;
    /* others need the room as well, and a new copy is made before the old one goes; without a limit
     * of its own a tmpfs says 0 blocks */
    if (fs.f_blocks > 0 && fs.f_bavail * (uint64_t)fs.f_bsize / 2 < size)
        return sek_diag_set(diag, SEK_E_FULL, "no room for %zu octets", size);
    if (ftruncate(fd, (off_t)size) != 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "cannot copy");
    return SEK_OK;
}

static enum sek_err fill(int to, int from, size_t size, uint8_t *all, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;

    if (!fill_huge(from, size, all)) {
        err = copy(to, from, size, diag);
        madvise(all, size, MADV_POPULATE_READ);
    }
    if (err == SEK_OK && mprotect(all, size, PROT_READ) != 0)
        err = sek_diag_set(diag, sek_err_from_errno(errno), "cannot protect the copy");
    return err;
}

enum sek_err sek_share_make(int from, size_t size, const char *path, void **out,
                            struct sek_diag *diag)
{
    struct sek_file_new file;
    uint8_t *all = NULL;
    enum sek_err err = sek_file_new_open(path, 0400, &file, diag);

    if (err != SEK_OK)
        return err;
    err = make_room(file.fd, size, diag);
    if (err == SEK_OK)
        err = map(file.fd, size, PROT_READ | PROT_WRITE, &all, diag);
    if (err == SEK_OK)
        err = fill(file.fd, from, size, all, diag);
    if (err == SEK_OK)
        err = sek_file_new_commit(&file, diag);
    if (err == SEK_OK) {
        *out = all;
        return SEK_OK;
    }
    if (all)
        munmap(all, size);
    sek_file_new_abort(&file);
    sek_diag_wrap(diag, "%s", path);
    return err;
}

void sek_share_sweep(const char *path, size_t n_common)
{
    char folder[512];
    const char *name = strrchr(path, '/');
    size_t n = name ? (size_t)(name - path) : 0;
    struct dirent *entry;
    DIR *dir;

    if (n == 0 || n >= sizeof(folder))
        return;
    memcpy(folder, path, n);
    folder[n] = '\0';
    name++;
    dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, name, n_common) == 0 && strcmp(entry->d_name, name) != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}
