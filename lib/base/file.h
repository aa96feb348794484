/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that are never half there, and files of other people opened with care. Any thread. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include <stddef.h>
#include <sys/types.h>

/* A new version of a file: written beside the target, then renamed over it. */
struct sek_file_new {
    int fd;        /* write here */
    char tmp[512]; /* "<path>.tmp.XXXXXX" in the same folder */
    char path[512];
};

/* Create the temporary file with `mode` (O_EXCL, O_CLOEXEC). SEK_E_INVALID if something else than a
 * regular file is there: in its place a device (/dev/null), a pipe or a link would be lost. */
enum sek_err sek_file_new_open(const char *path, mode_t mode, struct sek_file_new *out,
                               struct sek_diag *diag);
/* As sek_file_write, and the text of an error names the file. */
enum sek_err sek_file_new_write(const struct sek_file_new *f, const void *data, size_t n,
                                struct sek_diag *diag);
/* fsync, rename over the target, fsync of the folder; closes. On failure the target is untouched
 * and the temporary file removed (only when the folder's own fsync fails, the target is replaced
 * already: the text says so). */
enum sek_err sek_file_new_commit(struct sek_file_new *f, struct sek_diag *diag);
/* Give up: close and remove the temporary file. Safe after commit (does nothing), and for a struct
 * with fd -1. */
void sek_file_new_abort(struct sek_file_new *f);

/* Write all or fail (EINTR retried). */
enum sek_err sek_file_write(int fd, const void *data, size_t n, struct sek_diag *diag);
/* Open for reading: a regular file, opened O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC and checked by fstat, so
 * that a FIFO, device or symbolic link is refused with a clear text. Returns SEK_OK and *out_fd. */
enum sek_err sek_file_open_regular(const char *path, int *out_fd, struct sek_diag *diag);
/* The same for paths from the administrator's own configuration: symbolic links are followed. */
enum sek_err sek_file_open_trusted(const char *path, int *out_fd, struct sek_diag *diag);
/* Append everything that is left in fd. SEK_E_LIMIT when it is more than the buffer may hold. */
enum sek_err sek_file_read(int fd, struct sek_buf *out, struct sek_diag *diag);
/* A read-only copy of the file's first `size` octets in memory of our own (munmap), which nobody
 * can change once it is checked: a mapped file that somebody cuts off or overwrites in place would
 * end the process (SIGBUS) or change what it knows unseen. SEK_E_CORRUPT when it is shorter. */
enum sek_err sek_file_copy(int fd, size_t size, void **out, struct sek_diag *diag);
/* Map the file's first `size` octets as they are, read-only (munmap): no copy, but whoever cuts the
 * file off in place, or a disk that fails, ends the process. For commands. */
enum sek_err sek_file_map(int fd, size_t size, void **out, struct sek_diag *diag);
